"""CRS and ICANS where two things meet: two patients, two records of one hour, a record without a time, after a death."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recist_frames import framed
from trialwright.medicine import astct


def of_one(text: str) -> pl.DataFrame:
    drawn = framed(text)
    return drawn if "subject" in drawn.columns else drawn.with_columns(subject=pl.lit("1"))


def crs(text: str, **words: object) -> pl.DataFrame:
    return astct.crs_course(of_one(text), astct.Policy(**words))


def icans(text: str) -> pl.DataFrame:
    return astct.icans_course(of_one(text))


def agrees(course, text: str) -> None:
    """Drawn columns of the answer are what must come out, whatever the order of the rows."""
    drawn = of_one(text)
    asked = [name for name in drawn.columns if name not in ANSWERS]
    for given in (drawn, drawn.reverse()):
        found = course(given.select(asked))
        for name in set(ANSWERS) & set(drawn.columns):
            assert found[name].to_list() == drawn[name].to_list(), f"{name}\n{found}"


ANSWERS = ("grade", "query", "episode")


def test_degrees_fahrenheit_are_converted_to_a_millionth():
    """38.8 C is 101.84 F, and in binary a hair more."""
    assert pl.select(astct.celsius(pl.lit(101.84))).item() == 38.8
    assert pl.select(astct.celsius(pl.lit(101.1))).item() == 38.388889


def test_less_support_than_at_home_is_none_whatever_the_flow():
    text = "temp_c | home_o2_device | home_o2_flow | o2_device | o2_flow | hours\n38.5 | VENTURI | 4 | NC | 8 | 0"
    assert crs(text)["grade"].to_list() == [1]


def test_of_two_records_of_one_hour_fever_comes_first_then_treatment_then_the_milder():
    agrees(
        astct.crs_course,
        """
        hours | temp_c | hypotension | n_pressors | antipyretic | grade | query             | episode
        0     | 38.5   |             |            |             | 1     |                   | 1
        0     | 38.5   |             | 1          |             | 3     |                   | 1
        0     | 37     | true        |            |             | 0     | AFEBRILE_UNMASKED | 1
        """,
    )
    agrees(
        astct.crs_course,
        """
        hours | temp_c | hypotension | n_pressors | antipyretic | grade | query | episode
        0     | 38.5   |             | 1          |             | 3     |       | 1
        4     | 37     |             | 1          | true        | 3     |       | 1
        4     | 37     | true        |            |             | 2     |       | 1
        """,
    )
    agrees(
        astct.crs_course,
        """
        hours | temp_c | hypotension | n_pressors | antipyretic | grade | query | episode
        0     | 38.5   |             | 1          |             | 3     |       | 1
        0     | 37     | true        |            | true        | 2     |       | 1
        """,
    )


def test_patients_stand_together_their_records_without_a_time_last():
    agrees(
        astct.crs_course,
        """
        subject | hours | temp_c | grade | query   | episode
        A       | 0     | 38.5   | 1     |         | 1
        A       | 4     | 37     | 0     |         |
        A       |       | 39     |       | NO_TIME |
        B       | 0     | 38.5   | 1     |         | 1
        B       | 30    | 38.5   | 1     |         | 2
        C       | 2     | 37     | 0     |         |
        """,
    )


@pytest.mark.parametrize("word", ["crs", "other"])
def test_a_fever_of_another_cause_alone_is_none_under_either_reading(word):
    text = "hours | temp_c | fever_other_cause | both_causes\n0 | 39 | true | false\n4 | 39 | true | "
    assert crs(text, both_causes=word)["grade"].to_list() == [0, 0]


def test_a_sign_that_is_masked_is_graded_and_not_queried_nor_is_a_death():
    agrees(
        astct.crs_course,
        """
        hours | temp_c | n_pressors | antipyretic | crs_death | grade | query | episode
        0     | 38.5   |            | true        |           | 1     |       | 1
        4     | 37     | 1          |             |           | 3     |       | 1
        """,
    )
    agrees(
        astct.crs_course,
        """
        hours | temp_c | n_pressors | antipyretic | crs_death | grade | query | episode
        0     | 38.5   |            |             |           | 1     |       | 1
        4     | 37     | 1          |             | true      | 5     |       | 1
        """,
    )


def test_what_is_dated_after_a_death_without_fever_starts_nothing():
    agrees(
        astct.crs_course,
        """
        hours | temp_c | hypotension | antipyretic | crs_death | grade | query             | episode
        0     | 37     |             | true        | true      | 5     | NO_FEVER          |
        4     | 37     | true        |             |           | 0     | AFEBRILE_UNMASKED |
        8     | 37     |             | true        |           | 0     |                   |
        """,
    )


def test_the_words_of_the_policy():
    for name in ("afebrile_unmasked", "both_causes"):
        with pytest.raises(ValueError, match=f"astct {name} is one of .*, not 'perhaps'"):
            astct.Policy(**{name: "perhaps"})


def test_the_frame_that_is_wrong_is_named():
    with pytest.raises(ValueError, match=r"^assessments: o2_device knows"):
        crs("hours | o2_device\n0 | TENT")
    with pytest.raises(ValueError, match=r"^assessments: seizure knows"):
        icans("hours | seizure\n0 | SHIVER")
    for course in (astct.crs_course, astct.icans_course):
        for column in ("subject", "hours"):
            with pytest.raises(ValueError, match=f"^assessments lacks the columns {column}$"):
                course(pl.DataFrame({"subject": ["1"], "hours": [1]}).drop(column))


def test_icans_of_an_alert_patient_is_0_also_without_a_score():
    assert icans("hours | consciousness\n0 | ALERT")["grade"].to_list() == [0]


def test_icans_a_cause_named_for_what_was_not_seen_is_no_finding():
    text = "hours | ice_other_cause | consciousness_other_cause | seizure\n0 | true | true | NONE"
    assert icans(text)["grade"].to_list() == [None]


def test_a_score_below_0_is_no_score():
    grades = pl.DataFrame({"score": [-1, 0, 11]}).select(astct.ice_grade(pl.col("score"), pl.lit("ALERT")))
    assert grades.to_series().to_list() == [None, 3, 0]


def test_icans_episodes_of_two_patients_and_records_without_a_time():
    agrees(
        astct.icans_course,
        """
        subject | hours | ice | grade | episode
        A       | 0     | 10  | 0     |
        A       | 4     | 8   | 1     | 1
        A       | 8     | 2   | 3     | 1
        A       | 8     | 8   | 1     | 1
        A       | 40    | 8   | 1     | 2
        A       |       | 2   | 3     |
        A       |       |     |       |
        B       | 20    | 8   | 1     | 1
        B       | 44    | 8   | 1     | 2
        C       |       | 2   | 3     |
        """,
    )


@pytest.mark.parametrize("hours", [23.9999999999, 24.0000000001])
def test_icans_hours_are_compared_as_written(hours):
    assert icans(f"hours | ice\n0 | 8\n{hours} | 8")["episode"].to_list() == [1, 2]


COURSE = """
    subject | hours | grade | episode | query
    A       | 2     | 0     |         |
    A       | 10    | 1     | 1       |
    A       | 14    | 3     | 1       |
    A       | 14    | 0     |         |
    A       | 16    | 0     |         | AFEBRILE_UNMASKED
    A       | 20    | 0     |         |
    A       | 24    | 0     |         |
    A       | 28    | 0     |         |
    A       |       | 0     |         |
    A       | 90    | 2     | 2       |
    B       | 12    | 1     | 1       |
    B       | 60    | 2     | 2       |
    B       | 64    | 0     |         |
    BB      | 30    | 1     | 1       |
    C       | 5     | 1     | 1       |
    C       |       | 0     |         |
"""
EPISODES = """
    subject | episode | onset_h | last_h | resolved_h | max_grade | max_h
    A       | 1       | 10      | 14     | 20         | 3         | 14
    A       | 2       | 90      | 90     |            | 2         | 90
    B       | 1       | 12      | 12     | 64         | 1         | 12
    B       | 2       | 60      | 60     | 64         | 2         | 60
    BB      | 1       | 30      | 30     |            | 1         | 30
    C       | 1       | 5       | 5      |            | 1         | 5
"""


def test_episodes_of_many_patients_whatever_the_order_of_the_rows():
    """A clear record of the same hour, one that is queried and one without a time resolve nothing."""
    drawn, expected = framed(COURSE), framed(EPISODES)
    for given in (drawn, drawn.reverse(), drawn.sort("hours"), drawn.sort("hours", descending=True)):
        found = astct.episodes(given)
        assert_frame_equal(found, expected, check_dtypes=False)


DOSES = """
    subject | dose | hours
    A       | D1   | 0
    A       | D8   |
    A       | D15  | 50
    B       | D1   | 0
    BB      | D1   | 0
    C       | D1   | 50
    C       | D8   | 100
"""
ATTACHED = """
    subject | episode | dose | dose_h | hours_from_dose | no_dose_between
    A       | 1       | D1   | 0      | 10              | false
    A       | 2       | D15  | 50     | 40              | false
    B       | 1       | D1   | 0      | 12              | false
    B       | 2       | D1   | 0      | 60              | true
    BB      | 1       | D1   | 0      | 30              | false
    C       | 1       |      |        |                 | false
"""


def test_the_dose_before_an_episode_whatever_the_order_of_the_rows():
    """A dose without a time is before nothing."""
    found = framed(EPISODES).with_columns(pl.col("onset_h").cast(pl.Float64))
    drawn, expected = framed(DOSES), framed(ATTACHED)
    for episodes in (found, found.reverse()):
        for doses in (drawn, drawn.reverse()):
            attached = astct.attach_dose(episodes, doses).select(expected.columns)
            assert_frame_equal(attached, expected, check_dtypes=False)
