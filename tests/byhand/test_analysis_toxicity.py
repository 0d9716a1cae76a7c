"""Adverse events of five treated patients, counted by hand."""

import datetime as dt

import polars as pl
import pytest

from analysis_frames import adsl, note, number, rows, with_analyses
from drawn import table
from small import small_study
from trialwright.analysis.run import run

SUBJECTS = adsl(
    """
    USUBJID | TRT01P | TRT01A | SAFFL | TRTSDT     | TRTEDT     | DTHDT      | DTHFL
    1       | A      | A      | Y     | 2027-01-01 | 2027-03-01 | 2027-03-20 | Y
    2       | A      | B      | Y     | 2027-01-01 | 2027-03-01 |            | N
    3       | B      | B      | Y     | 2027-01-01 | 2027-03-01 | 2027-05-01 | Y
    4       | B      | B      | Y     | 2027-01-01 | 2027-03-01 |            | N
    5       | B      |        | N     |            |            |            | N
    6       | A      | A      | Y     | 2027-01-01 | 2027-03-01 |            | N
    """
)
EVENTS = table(
    """
    USUBJID | AESEQ | AEDECOD  | AEBODSYS | ATOXGRN | AESER | ASER | AREL | TRTEMFL | AEOUT     | AEACN
    1       | 1     | Nausea   | Gut      | 1       | N     | N    | Y    | Y       | RESOLVED  |
    1       | 2     | Nausea   | Gut      | 3       | N     | N    | N    | Y       | RESOLVED  |
    1       | 3     | Vomiting | Gut      | 2       | Y     | Y    | Y    | Y       | RESOLVED  | DRUG WITHDRAWN
    2       | 1     | Nausea   | Gut      | 2       | N     | N    | Y    | Y       | RESOLVED  |
    3       | 1     | Fever    | General  | 5       |       | Y    | Y    | Y       | FATAL     |
    3       | 2     | Nausea   | Gut      | 4       | N     | N    | N    | N       | RESOLVED  |
    4       | 1     |          |          |         | N     | N    | N    | Y       | RESOLVED  | |
    """.replace("RESOLVED  |\n", "RESOLVED  | |\n").replace("FATAL     |\n", "FATAL     | |\n")
).with_columns(
    pl.col("ATOXGRN").cast(pl.Int8),
    AETERM=pl.lit("strange feeling"),
    AESICAT=pl.lit(None, pl.String),
    ASTDT=pl.lit(dt.date(2027, 1, 5)),
    AENDT=pl.lit(dt.date(2027, 1, 8)),
    ASTDTM=pl.lit(None, pl.Datetime("us")),
    LDOSEDTM=pl.lit(None, pl.Datetime("us")),
    DOSENUM=pl.lit(1),
)
TOX = {"id": "AE", "method": "toxicity", "population": "SAFETY"}


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    return rows(run(with_analyses(small_study(), TOX), {"ADSL": SUBJECTS, "ADAE": EVENTS}), analysis="AE")


def test_columns_are_the_treatment_received(results):
    """Patient 2 was allocated A and received B; patient 5 received nothing."""
    assert [number(results, "n", g, "population") for g in ("A", "B", "Total")] == [2, 3, 5]


def test_a_patient_counts_once_at_the_worst_grade(results):
    """Patient 1 had nausea twice, of grades 1 and 3, and vomiting of grade 2."""
    level = "PT: Gut | Nausea"
    assert number(results, "n", "A", level) == 1
    assert number(results, "events", "A", level) == 2
    assert number(results, "percent", "A", level) == 50
    assert [number(results, f"n_grade_{k}", "A", level) for k in range(1, 6)] == [0, 0, 1, 0, 0]
    assert number(results, "n", "A", "SOC: Gut") == 1
    assert number(results, "events", "A", "SOC: Gut") == 3
    assert [number(results, f"n_grade_{k}", "A", "any TEAE") for k in range(1, 6)] == [0, 0, 1, 0, 0]


def test_related_events_have_their_own_worst_grade(results):
    """Of patient 1's nausea only the record of grade 1 was related."""
    level = "TRAE PT: Gut | Nausea"
    assert [number(results, f"n_grade_{k}", "A", level) for k in range(1, 6)] == [1, 0, 0, 0, 0]
    assert [number(results, f"n_grade_{k}", "A", "TRAE SOC: Gut") for k in range(1, 6)] == [0, 1, 0, 0, 0]
    assert number(results, "n", "B", level) == 1


def test_the_percentage_is_of_the_column(results):
    """In B one of three had nausea: patient 3's was not emergent."""
    assert number(results, "n", "B", "PT: Gut | Nausea") == 1
    assert number(results, "percent", "B", "PT: Gut | Nausea") == pytest.approx(100 / 3)
    assert number(results, "percent", "Total", "PT: Gut | Nausea") == pytest.approx(100 * 2 / 5)


def test_the_sets(results):
    wanted = {"any TEAE": (1, 3), "TRAE": (1, 2), "serious": (1, 1), "grade>=3": (1, 1), "fatal": (0, 1)}
    wanted |= {
        "serious TRAE": (1, 1),
        "grade>=3 TRAE": (0, 1),
        "fatal TRAE": (0, 1),
        "drug withdrawn": (1, 0),
    }
    wanted |= {"dose reduced": (0, 0)}
    for level, (a, b) in wanted.items():
        assert (number(results, "n", "A", level), number(results, "n", "B", level)) == (a, b), level


def test_an_event_without_code_or_grade_is_not_lost(results):
    assert number(results, "n", "B", "PT: not coded | strange feeling (not coded)") == 1
    assert number(results, "n_grade_missing", "B", "SOC: not coded") == 1
    assert number(results, "n_grade_missing", "B", "any TEAE") == 1


def test_missing_seriousness_is_serious_and_is_said(results):
    assert number(results, "events_seriousness_missing", "Total", "serious") == 1


def test_deaths(results):
    """Patient 1 died 19 days after the last dose, patient 3 61 days after it."""
    assert [number(results, "n", g, "death") for g in ("A", "B", "Total")] == [1, 1, 2]
    within = "death within 30 days of last dose"
    assert [number(results, "n", g, within) for g in ("A", "B", "Total")] == [1, 0, 1]
    assert number(results, "percent", "A", within) == 50


def test_no_patients_is_no_percentage():
    one = SUBJECTS.filter(pl.col("TRT01A") == "A")
    found = rows(run(with_analyses(small_study(), TOX), {"ADSL": one, "ADAE": EVENTS}), analysis="AE")
    assert number(found, "n", "B", "any TEAE") == 0
    assert number(found, "percent", "B", "any TEAE") is None
    assert note(found, "percent", "B", "any TEAE") == "no patients"
    assert note(found, "percent", "B", "CRS") == "no patients in arm B"


def test_an_action_that_was_never_recorded_is_not_a_zero():
    silent = EVENTS.with_columns(AEACN=pl.lit(None, pl.String))
    found = rows(run(with_analyses(small_study(), TOX), {"ADSL": SUBJECTS, "ADAE": silent}), analysis="AE")
    why = "AEACN is not recorded for any emergent event"
    assert rows(found, level="drug withdrawn").select("group", "statistic", "value", "note").rows() == [
        (group, "n", None, why) for group in ("A", "B", "Total")
    ]
    assert number(found, "n", "A", "serious") == 1


def test_grades_that_are_words():
    study = with_analyses(small_study(adverse_events={"grades": ["MILD", "MODERATE", "SEVERE"]}), TOX)
    mild = EVENTS.with_columns(pl.col("ATOXGRN").clip(1, 3))
    found = rows(run(study, {"ADSL": SUBJECTS, "ADAE": mild}), analysis="AE")
    assert note(found, "n_grade_3", "A", "any TEAE") == "SEVERE"
    assert note(found, "n", "A", "grade>=3") == "SEVERE or worse"
    assert rows(found, statistic="n_grade_4").is_empty()
    assert rows(found, level="CRS").is_empty()  # the study names no terms for it
    assert number(found, "n", "B", "fatal") == 1  # by its outcome
