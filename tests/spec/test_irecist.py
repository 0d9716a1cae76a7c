"""iRECIST: Seymour et al., Lancet Oncol 2017;18:e143-e152. Each table is one patient, an assessment every 42 days."""

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


def test_what_is_missing_or_unknown_is_named():
    with pytest.raises(ValueError, match="time_points lacks the columns overall_response, sum_mm"):
        irecist.course(pl.DataFrame(schema=KINDS).drop("sum_mm"))
    assert irecist.course(pl.DataFrame(schema={**KINDS, "overall_response": pl.String})).is_empty()
