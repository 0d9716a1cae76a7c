"""Adverse events of five treated patients, counted by hand."""

import datetime as dt

import polars as pl
import pytest

from analysis_frames import adsl, note, number, rows, with_analyses
from drawn import table
from small import small_sources, small_study
from trialwright.analysis import exposed
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
    ASTDY=pl.lit(5),
    EPISODE=pl.lit(None, pl.Int64),
    RELDRUGS=pl.lit(None, pl.String),
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


def test_records_of_one_episode_are_one_event():
    """Patient 1's two records of nausea as one episode: one event at grade 3, in its term, class and set."""
    rolled = EVENTS.with_columns(EPISODE=pl.when(pl.col("AEDECOD") == "Nausea").then(1))
    found = rows(run(with_analyses(small_study(), TOX), {"ADSL": SUBJECTS, "ADAE": rolled}), analysis="AE")
    assert number(found, "events", "A", "PT: Gut | Nausea") == 1
    assert number(found, "events", "A", "any TEAE") == 2
    assert number(found, "n_grade_3", "A", "PT: Gut | Nausea") == 1
    assert number(found, "events", "B", "any TEAE") == 3


def test_rate_per_100_patient_years(results):
    """At risk in B until 31 March (30 days after the last dose; nobody's end of treatment is told, so that the
    living are followed to the cutoff of 31 December): 365 days for 2 and 4, and for 3, who died, 90. Each of
    them had an event on day 5. In A: 5 days of patient 1, 365 of patient 6."""
    assert number(results, "patient_years", "B", "any TEAE") == pytest.approx(15 / 365.25)
    assert number(results, "eair", "B", "any TEAE") == pytest.approx(100 * 3 * 365.25 / 15)
    assert number(results, "patient_years", "A", "any TEAE") == pytest.approx((5 + 365) / 365.25)
    assert number(results, "eair", "A", "PT: Gut | Nausea") == pytest.approx(100 * 365.25 / 370)
    assert number(results, "patient_years", "B", "SOC: General") == pytest.approx((365 + 5 + 365) / 365.25)
    assert number(results, "eair", "A", "fatal") == 0
    assert number(results, "patient_years", "A", "fatal") == pytest.approx((79 + 365) / 365.25)
    assert number(results, "eair_upper", "A", "fatal") == pytest.approx(368.8879 * 365.25 / 444, rel=1e-5)


def test_events_per_100_patient_years(results):
    """All events of the set over all days followed: in A 79 and 365, whoever has had one already."""
    events = number(results, "events", "A", "any TEAE")
    assert events == 3
    assert number(results, "patient_years_followed", "A", "any TEAE") == pytest.approx(444 / 365.25)
    assert number(results, "eaer", "A", "any TEAE") == pytest.approx(100 * 3 * 365.25 / 444)
    # exact limits of 3 events: 0.618672 and 8.767273 (Garwood)
    assert number(results, "eaer_lower", "A", "any TEAE") == pytest.approx(61.8672 * 365.25 / 444, rel=1e-5)
    assert number(results, "eaer_upper", "A", "any TEAE") == pytest.approx(876.7273 * 365.25 / 444, rel=1e-5)
    assert "independent" in note(results, "eaer", "A", "any TEAE")


def test_the_published_vector_of_the_rate():
    """Project rules 8.16: 12 events in 38.5 patient-years are 31.17 (16.11, 54.45) per 100."""
    found = exposed._rate("eair", (12, 38.5), 0.95, "")
    assert [round(value, 2) for _, value, _ in found] == [31.17, 16.11, 54.45]


def test_deaths_have_their_cause(results):
    """Patient 1 died without a fatal event; patient 3's fatal fever was related, and beyond the 30 days."""
    assert number(results, "n", "A", "death: no fatal adverse event") == 1
    assert number(results, "n", "B", "death: Fever") == 1
    assert number(results, "n", "B", "death: fatal adverse event related to treatment") == 1
    assert number(results, "n", "A", "death within 30 days of last dose: no fatal adverse event") == 1
    assert rows(results, level="death within 30 days of last dose: Fever").is_empty()


def test_a_reported_cause_of_death_comes_before_the_event():
    told = SUBJECTS.with_columns(DTHCAUS=pl.when(pl.col("USUBJID") == 3).then(pl.lit("SEPSIS")))
    found = rows(run(with_analyses(small_study(), TOX), {"ADSL": told, "ADAE": EVENTS}), analysis="AE")
    assert number(found, "n", "B", "death: SEPSIS") == 1
    assert number(found, "n", "A", "death: no fatal adverse event") == 1


def test_early_and_late():
    later = EVENTS.with_columns(ASTDY=pl.when(pl.col("AEDECOD") == "Vomiting").then(29).otherwise(28))
    found = rows(run(with_analyses(small_study(), TOX), {"ADSL": SUBJECTS, "ADAE": later}), analysis="AE")
    assert number(found, "events", "A", "begun in the first 28 days") == 2
    assert number(found, "events", "A", "begun after day 28") == 1
    assert number(found, "n", "B", "begun after day 28") == 0


def test_events_related_to_each_drug():
    study = small_study(sources=small_sources(adverse_event_relationship={"x": "AERELX", "xy": "AERELY"}))
    told = EVENTS.with_columns(RELDRUGS=pl.when(pl.col("AEDECOD") == "Vomiting").then(pl.lit("z, xy")))
    found = rows(run(with_analyses(study, TOX), {"ADSL": SUBJECTS, "ADAE": told}), analysis="AE")
    assert (number(found, "n", "A", "TRAE of xy"), number(found, "n", "A", "TRAE of x")) == (1, 0)


def test_which_event_killed_and_how_soon():
    """The last to begin of several fatal events names the cause; one related is enough; 30 days are within."""
    people = adsl(
        """
        USUBJID | TRT01P | TRTSDT     | TRTEDT     | DTHDT      | DTHFL
        1       | B      | 2027-01-01 | 2027-03-01 | 2027-03-31 | Y
        2       | B      | 2027-01-01 | 2027-03-01 | 2027-04-01 | Y
        3       | B      | 2027-01-01 | 2027-03-01 |            | N
        """
    )
    fatal = table(
        """
        USUBJID | AESEQ | AEDECOD | ATOXGRN | AREL | AEOUT | ASTDT
        1       | 1     | Sepsis  | 5       | Y    |       | 2027-03-02
        1       | 2     | Fever   | 4       | N    | FATAL | 2027-03-20
        1       | 3     | Cough   | 4       | N    |       | 2027-03-25
        2       | 1     | Stroke  | 5       | N    | FATAL | 2027-03-20
        """.replace("|       | 2027", "| RESOLVED | 2027")
    )
    whole = fatal.with_columns(
        pl.col("ATOXGRN").cast(pl.Int8),
        AETERM="AEDECOD",
        AEBODSYS=pl.lit("Gut"),
        TRTEMFL=pl.lit("Y"),
        AENDT=pl.lit(None, pl.Date),
        ASTDY=pl.lit(60),
        **{name: pl.lit(None, pl.Datetime("us")) for name in ("ASTDTM", "LDOSEDTM")},
        **{name: pl.lit(None, pl.String) for name in ("AESICAT", "AEACN", "RELDRUGS")},
        **{name: pl.lit("Y") for name in ("AESER", "ASER")},
        **{name: pl.lit(None, pl.Int64) for name in ("DOSENUM", "EPISODE")},
    )
    found = rows(run(with_analyses(small_study(), TOX), {"ADSL": people, "ADAE": whole}), analysis="AE")
    counted = {level: number(found, "n", "B", level) for level in found["level"].unique() if "death" in level}
    assert counted == {
        "death": 2,
        "death: Fever": 1,
        "death: Stroke": 1,
        "death: fatal adverse event related to treatment": 1,
        "death within 30 days of last dose": 1,
        "death within 30 days of last dose: Fever": 1,
        "death within 30 days of last dose: fatal adverse event related to treatment": 1,
    }
    years = number(found, "patient_years", "B", "any TEAE")
    assert years == pytest.approx((61 + 79 + 365) / 365.25), "to the first event, or to the cutoff"
