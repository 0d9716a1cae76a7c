"""CRS in six treated patients: how many, how soon, how long, after which dose, by hand."""

import datetime as dt

import polars as pl
import pytest

from analysis_frames import adsl, note, number, rows, with_analyses
from drawn import table
from small import small_study
from trialwright.analysis.run import run

SUBJECTS = adsl(
    """
    USUBJID | TRT01P | TRTSDT     | DTHDT      | CUTOFFDT
    a       | A      | 2027-01-01 |            | 2027-06-30
    b       | B      | 2027-01-01 |            | 2027-06-30
    c       | B      | 2027-01-01 | 2027-01-20 | 2027-06-30
    d       | B      | 2027-01-01 |            | 2027-01-31
    e       | B      | 2027-01-01 |            | 2027-06-30
    f       | B      | 2027-01-01 |            | 2027-06-30
    """
)
# b: grade 1 after dose 1, grade 2 after dose 2. c: dies with it. d: unresolved. e: no time of day; f: none.
RECORDS = table(
    """
    USUBJID | ATOXGRN | onset            | dose             | DOSENUM | ASTDT      | AENDT      | AEOUT
    b       | 1       | 2027-01-01T20:00 | 2027-01-01T10:00 | 1       | 2027-01-01 | 2027-01-02 | RESOLVED
    b       | 2       | 2027-01-08T22:00 | 2027-01-08T10:00 | 2       | 2027-01-08 | 2027-01-10 | RESOLVED
    c       | 5       | 2027-01-09T10:00 | 2027-01-08T10:00 | 2       | 2027-01-09 | 2027-01-20 | FATAL
    d       | 3       | 2027-01-22T16:00 | 2027-01-22T10:00 | 4       | 2027-01-22 |            | NOT RESOLVED
    e       | 1       |                  | 2027-01-01T10:00 | 1       | 2027-01-02 | 2027-01-05 | RESOLVED
    """
).with_columns(
    pl.col("ATOXGRN").cast(pl.Int8),
    ASTDTM=pl.col("onset").str.to_datetime("%Y-%m-%dT%H:%M"),
    LDOSEDTM=pl.col("dose").str.to_datetime("%Y-%m-%dT%H:%M"),
    **{name: pl.lit("Y") for name in ("TRTEMFL", "AREL", "AESER", "ASER")},
    **{name: pl.lit(None, pl.String) for name in ("AEACN", "AEBODSYS")},
    AETERM=pl.lit("CRS"),
    AESEQ=pl.int_range(pl.len()),
    EPISODE=pl.int_range(1, pl.len() + 1),
    ASTDY=(pl.col("ASTDT") - pl.lit(dt.date(2027, 1, 1))).dt.total_days() + 1,
    AESITRT=pl.Series(["antipyretic", "antipyretic, steroid", "steroid, vasopressor", None, None]),
    AEDECOD=pl.lit("Cytokine release syndrome"),
    AESICAT=pl.lit("CRS"),
)
DOSES = table(
    """
    USUBJID | PARAMCD | PARCAT1 | AVAL | AVALC | AVALU | RULE
    a       | NDOSE   |         | 6    |       | DOSES | x
    b       | NDOSE   |         | 5    |       | DOSES | x
    c       | NDOSE   |         | 2    |       | DOSES | x
    d       | NDOSE   |         | 4    |       | DOSES | x
    e       | NDOSE   |         | 1    |       | DOSES | x
    f       | NDOSE   |         | 3    |       | DOSES | x
    """
).with_columns(pl.col("AVAL").cast(pl.Float64))
TOX = {"id": "AE", "method": "toxicity", "population": "SAFETY"}


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    adam = {"ADSL": SUBJECTS, "ADAE": RECORDS, "ADEX": DOSES}
    return rows(run(with_analyses(small_study(), TOX), adam), analysis="AE")


def test_how_many_and_how_bad(results):
    """Of five in B, b, c, d and e had CRS; the worst grades are 2, 5, 3 and 1."""
    assert number(results, "n", "B", "CRS") == 4
    assert number(results, "events", "B", "CRS") == 5
    assert number(results, "percent", "B", "CRS") == 80
    assert [number(results, f"n_grade_{k}", "B", "CRS") for k in range(1, 6)] == [1, 1, 1, 0, 1]
    assert number(results, "n", "B", "CRS grade>=2") == 3
    assert number(results, "n", "B", "CRS grade>=3") == 2
    assert number(results, "n", "A", "CRS") == 0
    assert number(results, "percent_upper", "A", "CRS") == pytest.approx(97.5)  # 0 of 1: 1 - 0.025 ** (1 / 1)


def test_limits_are_exact(results):
    """One minus the chance of no event at the upper limit of 4 in 5: all five have it in 2.5 %."""
    lower = number(results, "percent_lower", "B", "CRS") / 100
    upper = number(results, "percent_upper", "B", "CRS") / 100
    assert 5 * lower**4 * (1 - lower) + lower**5 == pytest.approx(0.025)
    assert 1 - upper**5 == pytest.approx(0.025)


def test_how_soon_after_the_dose_before(results):
    """Ten, twelve, 24 and 6 hours; e's time of day is not known."""
    assert number(results, "onset_n", "B", "CRS") == 4
    assert number(results, "onset_missing", "B", "CRS") == 1
    assert "without a time of day" in note(results, "onset_missing", "B", "CRS")
    found = [number(results, f"onset_{s}_hours", "B", "CRS") for s in ("min", "q1", "median", "q3", "max")]
    assert found == [6, 9, 11, 15, 24]
    assert note(results, "onset_median_hours", "A", "CRS") == "no CRS with a known onset in arm A"


def test_how_soon_after_the_first_dose(results):
    """b on the day itself, e after 1 day, c after 8, d after 21."""
    assert number(results, "first_onset_n", "B", "CRS") == 4
    assert number(results, "first_onset_median_days", "B", "CRS") == 4.5


def test_how_long(results):
    """2, 3, 12+ (died), 10+ (cutoff) and 4 days: S is 4/5, 3/5, 2/5 at 2, 3, 4."""
    assert number(results, "unresolved", "B", "CRS") == 2
    assert number(results, "duration_median_days", "B", "CRS") == 4


def test_after_which_dose_with_both_denominators(results):
    """Dose 1: b and e of five dosed. Dose 2: b and c of four. Dose 3: nobody of three. Later: d of two."""
    found = {
        level: [number(results, s, "B", f"CRS | {level}") for s in ("n", "n_dosed", "percent_of_affected")]
        for level in ("dose 1", "dose 2", "dose 3", "later doses")
    }
    assert found == {
        "dose 1": [2, 5, 50],
        "dose 2": [2, 4, 50],
        "dose 3": [0, 3, 0],
        "later doses": [1, 2, 25],
    }
    assert number(results, "percent_of_dosed", "B", "CRS | dose 1") == 40
    assert note(results, "percent_of_dosed", "B", "CRS | dose 1") == "of those who received that dose"
    assert note(results, "percent_of_affected", "A", "CRS | dose 1") == "nobody in arm A had CRS"


def test_the_difference_between_arms_is_in_percentage_points(results):
    assert number(results, "percent_difference", "B vs A", "CRS") == 80


def test_nobody_had_icans(results):
    assert number(results, "n", "B", "ICANS") == 0
    assert note(results, "duration_median_days", "B", "ICANS") == "no ICANS with a known duration in arm B"


def test_without_adex_nobody_is_said_to_have_had_no_dose():
    found = run(with_analyses(small_study(), TOX), {"ADSL": SUBJECTS, "ADAE": RECORDS})
    assert number(found, "n", "B", "CRS | dose 1") == 2
    assert number(found, "n_dosed", "B", "CRS | dose 1") is None
    assert "ADEX does not say" in note(found, "percent_of_dosed", "B", "CRS | dose 1")
    assert number(found, "percent_of_affected", "B", "CRS | dose 1") == 50


def test_recurrence_is_after_another_dose(results):
    """Only b had episodes after two doses."""
    assert number(results, "n_recurrent", "B", "CRS") == 1
    same = RECORDS.with_columns(DOSENUM=pl.lit(1))
    found = run(with_analyses(small_study(), TOX), {"ADSL": SUBJECTS, "ADAE": same})
    assert number(found, "n_recurrent", "B", "CRS") == 0


def test_records_of_one_episode_are_taken_together(results):
    """b's two records as one episode: from the first onset to the last end (1 to 10 January), grade 2."""
    rolled = RECORDS.with_columns(EPISODE=pl.when(pl.col("USUBJID") == "b").then(1).otherwise("EPISODE"))
    found = run(with_analyses(small_study(), TOX), {"ADSL": SUBJECTS, "ADAE": rolled})
    assert number(found, "events", "B", "CRS") == 4
    assert number(found, "onset_n", "B", "CRS") == 3
    assert number(found, "onset_min_hours", "B", "CRS") == 6
    assert number(found, "n", "B", "CRS | dose 2") == 1, "the episode followed dose 1"
    assert number(found, "n_grade_2", "B", "CRS") == 1
    assert number(found, "duration_median_days", "B", "CRS") == 11, "4, 10, 10+, 12+: S is 1/2 from 10 to 12"


def test_what_was_given_of_those_affected(results):
    assert number(results, "n", "B", "CRS | treated: steroid") == 2
    assert number(results, "percent_of_affected", "B", "CRS | treated: antipyretic") == 25
    assert number(results, "n", "B", "CRS | treated: vasopressor") == 1
    assert number(results, "n", "B", "CRS | serious") == 4
    assert number(results, "n", "B", "CRS | drug withdrawn") == 0


def test_both_syndromes_two_by_two():
    """b and c had CRS, c and e ICANS; the others neither."""
    chosen = RECORDS.filter(pl.col("USUBJID").is_in(["b", "c", "e"])).with_columns(
        AESICAT=pl.when(pl.col("USUBJID") == "e").then(pl.lit("ICANS")).otherwise("AESICAT")
    )
    more = chosen.filter(pl.col("USUBJID") == "c").with_columns(
        AESICAT=pl.lit("ICANS"), AESEQ=pl.lit(99, pl.Int64)
    )
    found = run(with_analyses(small_study(), TOX), {"ADSL": SUBJECTS, "ADAE": pl.concat([chosen, more])})
    cells = {word: number(found, "n", "B", f"CRS and ICANS: {word}") for word in
             ("both", "CRS only", "ICANS only", "neither")}  # fmt: skip
    assert cells == {"both": 1, "CRS only": 1, "ICANS only": 1, "neither": 2}
    assert number(found, "percent", "B", "CRS and ICANS: both") == 20
    assert number(found, "n", "A", "CRS and ICANS: neither") == 1
