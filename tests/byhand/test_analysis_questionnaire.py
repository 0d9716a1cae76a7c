"""Six patients and four visits: who was due, who answered, what changed.

Randomised on 1 January 2027; week 6 is 12 February, week 12 is 26 March, week 18 is 7 May.
"""

import polars as pl
import pytest

from analysis_frames import adsl, note, number, rows, with_analyses
from drawn import table
from small import small_study
from trialwright.analysis.run import run

SUBJECTS = adsl(
    """
    USUBJID | TRT01P | RANDDT     | DTHDT      | EOSDT      | CUTOFFDT
    a1      | A      | 2027-01-01 |            |            | 2027-04-30
    a2      | A      | 2027-01-01 | 2027-02-12 |            | 2027-04-30
    a3      | A      | 2027-01-01 | 2027-02-11 |            | 2027-04-30
    b1      | B      | 2027-01-01 |            |            | 2027-04-30
    b2      | B      | 2027-01-01 |            | 2027-03-01 | 2027-04-30
    b3      | B      | 2027-01-01 |            | 2027-02-10 | 2027-04-30
    """
)
FORMS = table(
    """
    USUBJID | PARAMCD | AVISIT      | AVAL | CHG | ANL01FL
    a1      | FA      | BASELINE    | 20   |     | Y
    a1      | FA      | WEEK 6      | 40   | 20  | Y
    a1      | FA      | UNSCHEDULED | 90   | 70  |
    a2      | FA      | BASELINE    | 40   |     | Y
    a2      | FA      | WEEK 6      |      |     | Y
    a2      | PA      | WEEK 6      |      |     | Y
    b1      | FA      | BASELINE    | 30   |     | Y
    b1      | FA      | WEEK 6      | 30   | 0   | Y
    b1      | FA      | WEEK 12     | 10   | -20 | Y
    b2      | FA      | BASELINE    | 50   |     | Y
    b2      | FA      | WEEK 6      | 20   | -30 | Y
    b3      | FA      | WEEK 6      | 60   |     | Y
    b3      | PA      | WEEK 6      | 60   |     | Y
    """.replace("70  |\n", "70  | |\n")
).with_columns(pl.col("AVAL", "CHG").cast(pl.Float64), PARCAT1=pl.lit("QLQ-C30"))
QLQ = {"id": "Q", "method": "questionnaire", "population": "ITT", "instrument": "QLQ-C30"}


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    return rows(run(with_analyses(small_study(), QLQ), {"ADSL": SUBJECTS, "ADQS": FORMS}), analysis="Q")


def completion(results: pl.DataFrame, group: str, visit: str) -> list[float | None]:
    names = ("due", "completed", "completion_percent", "available_percent")
    return [number(results, name, group, f"completion | {visit}") for name in names]


def test_everybody_is_due_at_baseline(results):
    assert completion(results, "A", "BASELINE") == pytest.approx([3, 2, 200 / 3, 200 / 3])


def test_due_are_those_alive_in_the_study_on_the_day(results):
    """a2 died on the day, and was due; a3 died the day before, and was not. a2's form has no score: not valid."""
    assert completion(results, "A", "WEEK 6") == pytest.approx([2, 1, 50, 100 / 3])


def test_who_left_and_yet_answered_was_due(results):
    """b3 left the study two days before the visit's day, with the form already filled in."""
    assert completion(results, "B", "WEEK 6") == [3, 3, 100, 100]
    assert completion(results, "B", "WEEK 12") == pytest.approx([1, 1, 100, 100 / 3])
    assert completion(results, "Total", "WEEK 12") == pytest.approx([2, 1, 50, 100 / 6])


def test_a_death_without_a_date_follows_the_last_day_known_alive():
    undated = SUBJECTS.with_columns(
        DTHFL=pl.when(pl.col("USUBJID") == "a1").then(pl.lit("Y")),
        LSTALVDT=pl.when(pl.col("USUBJID") == "a1").then(pl.col("RANDDT") + pl.duration(days=50)),
    )
    found = rows(run(with_analyses(small_study(), QLQ), {"ADSL": undated, "ADQS": FORMS}), analysis="Q")
    assert completion(found, "A", "WEEK 6")[0] == 2
    assert completion(found, "A", "WEEK 12")[0] == 0


def test_a_visit_after_the_cutoff_is_nobodys(results):
    assert rows(results, level="completion | WEEK 18").is_empty()
    assert note(results, "visits_not_reached", level="completion") == "nobody was due yet: WEEK 18"


def test_scores_and_change_are_of_scheduled_forms(results):
    assert number(results, "mean", "A", "FA | BASELINE") == 30
    assert number(results, "n", "A", "FA | WEEK 6") == 1
    assert number(results, "change_mean", "A", "FA | WEEK 6") == 20
    assert number(results, "mean", "B", "FA | WEEK 6") == pytest.approx(110 / 3)
    assert number(results, "change_n", "B", "FA | WEEK 6") == 2
    assert number(results, "change_mean", "B", "FA | WEEK 6") == -15
    assert number(results, "change_sd", "B", "FA | WEEK 6") == pytest.approx(450**0.5)


def test_what_cannot_be_said_says_why(results):
    assert note(results, "sd", "A", "FA | WEEK 6") == "one value only"
    assert note(results, "mean", "A", "FA | WEEK 12") == "no value"
    assert rows(results, level="FA | BASELINE", statistic="change_n").is_empty()


def test_no_form_of_the_instrument():
    other = FORMS.with_columns(PARCAT1=pl.lit("OTHER"))
    found = rows(run(with_analyses(small_study(), QLQ), {"ADSL": SUBJECTS, "ADQS": other}), analysis="Q")
    assert found["note"].to_list() == ["ADQS has no scheduled form of QLQ-C30 in this population"]
