"""iRECIST: Seymour et al., Lancet Oncol 2017;18:e143-e152. Each table is one patient, an assessment every 42 days."""

import itertools

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recist_frames import framed
from trialwright.medicine import irecist, recist

KINDS = {
    "subject": pl.String,
    "assessor": pl.String,
    "day": pl.Int64,
    "sum_mm": pl.Float64,
    "target_response": pl.String,
    "non_target_response": pl.String,
    "new_lesion": pl.Boolean,
}


def seen(text: str, **words: int) -> pl.DataFrame:
    """The overall response follows from the parts; what is not drawn is absent."""
    drawn = framed(text)
    usual = {
        "subject": pl.lit("1"),
        "assessor": pl.lit("INV"),
        "day": 42 * pl.int_range(1, pl.len() + 1),
        "sum_mm": pl.lit(None),
        "non_target_response": pl.lit("NA"),
        "new_lesion": pl.lit(False),
    }
    drawn = drawn.with_columns(**{name: value for name, value in usual.items() if name not in drawn.columns})
    drawn = drawn.with_columns(pl.col(name).cast(kind) for name, kind in KINDS.items()).with_columns(
        overall_response=recist.overall_response(
            pl.col("target_response"), pl.col("non_target_response"), pl.col("new_lesion")
        )
    )
    return irecist.course(drawn, irecist.Policy(**words))


def given(text: str) -> pl.DataFrame:
    """Time points of one patient whose overall response is drawn; the target lesions say the same."""
    drawn = framed(text)
    usual = {
        "subject": pl.lit("1"),
        "assessor": pl.lit("INV"),
        "sum_mm": pl.lit(None),
        "target_response": pl.lit("SD"),
        "non_target_response": pl.lit("NA"),
        "new_lesion": pl.lit(False),
    }
    drawn = drawn.with_columns(**{name: value for name, value in usual.items() if name not in drawn.columns})
    drawn = drawn.with_columns(
        target_response=pl.when(pl.col("overall_response") == "PD")
        .then(pl.lit("PD"))
        .otherwise("target_response")
    )
    return drawn.select(
        *(pl.col(name).cast(kind) for name, kind in KINDS.items()), pl.col("overall_response").cast(pl.String)
    )


def responses(text: str, **words: int) -> list[str]:
    return seen(text, **words)["response"].to_list()


def test_without_progression_it_is_recist():
    text = "target_response | sum_mm\nSD | 50\nPR | 30\nCR | 0\nNE | "
    assert responses(text) == ["iSD", "iPR", "iCR", "NE"]


def test_further_growth_of_5_mm_confirms():
    expected = framed(
        """
        day | target_response | sum_mm | response | iupd_day | rule
        42  | SD              | 50     | iSD      |          | recist
        84  | PD              | 60     | iUPD     | 84       | first_pd
        126 | PD              | 64.9   | iUPD     | 84       | pending
        168 | PD              | 65     | iCPD     | 84       | target_grew
        210 | PD              | 80     |          |          | after_icpd
        """
    )
    answer = seen(
        """
        target_response | sum_mm
        SD | 50
        PD | 60
        PD | 64.9
        PD | 65
        PD | 80
        """
    )
    assert_frame_equal(
        answer.select("day", "response", "iupd_day", "rule"), expected.drop("target_response", "sum_mm")
    )


def test_shrinkage_sets_progression_aside_and_it_must_come_anew():
    text = "target_response | sum_mm\nPD | 60\nSD | 55\nPD | 66\nPD | 71"
    answer = seen(text)
    assert answer["response"].to_list() == ["iUPD", "iSD", "iUPD", "iCPD"]
    assert answer["rule"].to_list() == ["first_pd", "reset", "first_pd", "target_grew"]
    assert answer["iupd_day"].to_list() == [42, None, 126, 126]


def test_an_assessment_that_cannot_be_evaluated_leaves_progression_pending():
    text = "target_response | sum_mm\nPD | 60\nNE | \nPD | 65"
    assert responses(text) == ["iUPD", "NE", "iCPD"]
    assert seen(text)["iupd_day"].to_list() == [42, 42, 42]


def test_non_target_lesions_confirm_by_growing_again():
    text = (
        "target_response | non_target_response | non_target_worse\nSD | PD | true\nSD | PD | \nSD | PD | true"
    )
    assert responses(text) == ["iUPD", "iUPD", "iCPD"]
    assert seen(text)["rule"].to_list() == ["first_pd", "pending", "non_target_grew"]


@pytest.mark.parametrize(
    ("growth", "confirmed"),
    [
        pytest.param("2 | 10 | ", True, id="another new lesion"),
        pytest.param("1 | 15 | ", True, id="5 mm more in those measured"),
        pytest.param("1 | 14.9 | ", False, id="less than 5 mm"),
        pytest.param("1 | 10 | true", True, id="those not measured are larger"),
        pytest.param("1 | 10 | ", False, id="unchanged"),
    ],
)
def test_new_lesions_confirm_by_number_or_size(growth, confirmed):
    answer = seen(
        f"""
        target_response | new_lesion | n_new | new_sum_mm | new_worse
        SD              | true       | 1     | 10         |
        SD              | true       | {growth}
        """
    )
    assert answer["response"].to_list() == ["iUPD", "iCPD" if confirmed else "iUPD"]
    assert answer["rule"].to_list() == ["first_pd", "new_grew" if confirmed else "pending"]


def test_the_number_of_new_lesions_is_compared_with_the_assessment_before():
    text = "target_response | new_lesion | n_new\nSD | true | 2\nSD | true | 1\nSD | true | 2"
    assert responses(text) == ["iUPD", "iUPD", "iCPD"]


def test_progression_where_there_had_been_none_confirms():
    text = "target_response | sum_mm | new_lesion\nPD | 60 | false\nPD | 60 | true"
    assert responses(text) == ["iUPD", "iCPD"]
    assert seen(text)["rule"].to_list() == ["first_pd", "other_pd"]


def test_after_a_reset_the_same_kind_of_progression_is_unconfirmed_again():
    text = "target_response | sum_mm | new_lesion\nPD | 60 | true\nSD | 50 | false\nSD | 50 | true\nPD | 60 | true"
    assert seen(text)["rule"].to_list() == ["first_pd", "reset", "first_pd", "other_pd"]


def test_four_weeks_must_lie_between():
    text = "day | target_response | sum_mm\n42 | PD | 60\n69 | PD | 80\n70 | PD | 80"
    assert responses(text) == ["iUPD", "iUPD", "iCPD"]
    assert responses(text, confirm_min_days=27) == ["iUPD", "iCPD", None]


def test_best_response_up_to_confirmed_progression():
    answer = irecist.best(seen("target_response | sum_mm\nPD | 60\nPR | 30\nPD | 50\nPD | 60\nCR | 0"))
    assert answer.row(0, named=True) == {"subject": "1", "assessor": "INV", "day": 84, "best_response": "iPR"}
    unconfirmed = irecist.best(seen("target_response | sum_mm\nPD | 60\nPD | 70"))
    assert unconfirmed["best_response"].to_list() == ["iUPD"]


def test_patients_are_judged_one_by_one():
    text = "subject | day | target_response | sum_mm\nB | 84 | PD | 70\nA | 42 | PD | 60\nB | 42 | SD | 50\nA | 84 | PD | 70"
    answer = seen(text)
    assert answer["subject"].to_list() == ["A", "A", "B", "B"]
    assert answer["response"].to_list() == ["iUPD", "iCPD", "iSD", "iUPD"]


@pytest.mark.parametrize(
    ("recist_word", "irecist_word"),
    [
        ("CR", "iCR"),
        ("PR", "iPR"),
        ("SD", "iSD"),
        ("NON-CR/NON-PD", "NON-iCR/NON-iUPD"),
        ("NED", "NED"),
        ("PD", "iUPD"),
        ("NE", "NE"),
    ],
)
def test_each_word_of_recist_has_its_own(recist_word, irecist_word):
    first = given(f"day | overall_response\n42 | {recist_word}")
    assert irecist.course(first)["response"].to_list() == [irecist_word]


def test_the_better_of_two_responses_is_best_and_its_first_day_counts():
    best_first = ["iCR", "iPR", "iSD", "NON-iCR/NON-iUPD", "NED", "iUPD", "iCPD", "NE"]
    for better, worse in itertools.pairwise(best_first):
        rows = [("1", "INV", 42, worse), ("1", "INV", 84, better), ("1", "INV", 126, better)]
        course = pl.DataFrame(rows, schema=["subject", "assessor", "day", "response"], orient="row")
        assert irecist.best(course.reverse()).rows() == [("1", "INV", 84, better)]


def test_each_patient_and_each_reader_has_a_best_response():
    answer = irecist.best(
        framed(
            """
            subject | assessor | day | response
            B       | INV      | 84  | iSD
            A       | IRC      | 42  | iPR
            A       | INV      | 42  | iUPD
            A       | INV      | 84  | iCPD
            A       | INV      | 126 |
            """
        )
    )
    assert answer.rows() == [("A", "INV", 42, "iUPD"), ("A", "IRC", 42, "iPR"), ("B", "INV", 84, "iSD")]


def test_growth_is_told_to_a_millionth_of_a_millimetre():
    """4.999999 mm is less than 5; what is lost in adding diameters is not."""
    assert responses("target_response | sum_mm\nPD | 60\nPD | 64.999999") == ["iUPD", "iUPD"]
    assert responses("target_response | sum_mm\nPD | 60\nPD | 64.9999996") == ["iUPD", "iCPD"]


def test_nothing_is_told_after_confirmed_progression_however_long():
    text = "target_response | sum_mm\nPD | 60\nPD | 65\nPD | 70\nSD | 50\nPD | 80\nPD | 90"
    assert responses(text) == ["iUPD", "iCPD", None, None, None, None]
    assert seen(text)["iupd_day"].to_list() == [42, 42, None, None, None, None]


def test_what_progressed_too_soon_to_confirm_is_remembered():
    """The targets were the first to progress: that they still do, no larger, confirms nothing."""
    text = """
        day | target_response | sum_mm | non_target_response | rule
        42  | PD              | 60     | NON-CR/NON-PD       | first_pd
        56  | SD              | 58     | PD                  | pending
        98  | PD              | 60     | NON-CR/NON-PD       | pending
        """
    assert seen(text)["rule"].to_list() == framed(text)["rule"].to_list()


def test_progression_elsewhere_confirms_also_after_a_wait():
    text = """
        target_response | sum_mm | non_target_response | rule
        PD              | 60     | NON-CR/NON-PD       | first_pd
        PD              | 60     | NON-CR/NON-PD       | pending
        PD              | 60     | PD                  | other_pd
        """
    assert seen(text)["rule"].to_list() == framed(text)["rule"].to_list()


def test_what_no_longer_progresses_does_not_confirm_by_a_remark():
    text = """
        target_response | sum_mm | non_target_response | non_target_worse | rule
        PD              | 60     | PD                  |                  | first_pd
        PD              | 60     | NON-CR/NON-PD       | true             | pending
        """
    assert seen(text)["rule"].to_list() == framed(text)["rule"].to_list()


@pytest.mark.parametrize(
    ("second", "rule"),
    [
        ("PD | 65 | PD | true | true | 2", "target_grew"),
        ("PD | 60 | PD | true | true | 2", "non_target_grew"),
        ("PD | 60 | PD |      | true | 2", "new_grew"),
        ("PD | 60 | PD |      | true | 1", "pending"),
    ],
)
def test_of_several_reasons_the_strongest_is_told(second, rule):
    answer = seen(
        f"""
        target_response | sum_mm | non_target_response | non_target_worse | new_lesion | n_new
        PD              | 60     | PD                  |                  | true       | 1
        {second}
        """
    )
    assert answer["rule"].to_list() == ["first_pd", rule]


def test_growth_of_what_had_progressed_is_told_before_progression_elsewhere():
    text = """
        target_response | sum_mm | non_target_response | new_lesion | n_new | rule
        PD              | 60     | NON-CR/NON-PD       | true       | 1     | first_pd
        PD              | 60     | PD                  | true       | 2     | new_grew
        """
    assert seen(text)["rule"].to_list() == framed(text)["rule"].to_list()


def test_a_visit_that_cannot_be_evaluated_is_told_as_recist_tells_it():
    text = "target_response | sum_mm\nPD | 60\nNE | \nPD | 65"
    assert seen(text)["rule"].to_list() == ["first_pd", "recist", "target_grew"]


def test_new_lesions_not_asked_about_are_none_and_scans_without_a_day_are_left_out():
    rows = given("day | overall_response | new_lesion\n42 | SD | \n | PD | true\n84 | PD | \n126 | PD | true")
    answer = irecist.course(rows)
    assert answer["day"].to_list() == [42, 84, 126]
    assert answer["rule"].to_list() == ["recist", "first_pd", "other_pd"]


def test_many_patients_and_readers_are_walked_side_by_side():
    """Each line a course: its first progression is the one from which growth counts."""
    answer = seen(
        """
        subject | assessor | day | target_response | sum_mm
        A       | INV      | 42  | PD              | 60
        A       | IRC      | 42  | PD              | 30
        B       | INV      | 42  | SD              | 50
        C       | INV      | 42  | PD              | 20
        A       | INV      | 84  | PD              | 64
        A       | IRC      | 84  | PD              | 35
        B       | INV      | 84  | PD              | 61
        C       | INV      | 84  | PD              | 25
        A       | INV      | 126 | PD              | 65
        A       | IRC      | 126 | PD              | 40
        B       | INV      | 126 | PD              | 65
        C       | INV      | 126 | PD              | 30
        """
    )
    assert answer["response"].to_list() == [
        *("iUPD", "iUPD", "iCPD"),
        *("iUPD", "iCPD", None),
        *("iSD", "iUPD", "iUPD"),
        *("iUPD", "iCPD", None),
    ]


NEEDED = (
    *("subject", "assessor", "day", "target_response", "non_target_response", "new_lesion"),
    *("overall_response", "sum_mm"),
)


@pytest.mark.parametrize("column", NEEDED)
def test_a_missing_column_is_named(column):
    rows = given("day | overall_response\n42 | SD")
    with pytest.raises(ValueError, match=f"^time_points lacks the columns {column}$"):
        irecist.course(rows.drop(column))


@pytest.mark.parametrize("column", ["subject", "assessor", "day", "response"])
def test_a_missing_column_of_a_course_is_named(column):
    course = irecist.course(given("day | overall_response\n42 | SD"))
    with pytest.raises(ValueError, match=f"^course lacks the columns {column}$"):
        irecist.best(course.drop(column))


def test_what_is_missing_or_unknown_is_named():
    with pytest.raises(ValueError, match="time_points lacks the columns overall_response, sum_mm"):
        irecist.course(pl.DataFrame(schema=KINDS).drop("sum_mm"))
    with pytest.raises(ValueError, match=r"^time_points: overall_response knows CR, PR, SD, .*, not iCR$"):
        irecist.course(given("day | overall_response\n42 | iCR"))
    assert irecist.course(pl.DataFrame(schema={**KINDS, "overall_response": pl.String})).is_empty()
