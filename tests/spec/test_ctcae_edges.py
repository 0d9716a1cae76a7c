"""Albumin near a calcium, shifts, Hy's law and borrowed numbers where two patients, two days or two values meet."""

from __future__ import annotations

import polars as pl

from drawn import table
from trialwright.medicine.ctcae import Policy, criteria, grade_labs
from trialwright.medicine.ctcae_course import hys_law, nearest_albumin, shift

SI = {"PHOS": "mmol/L", "GLUC": "mmol/L", "CREAT": "umol/L", "ALP": "U/L", "ALT": "U/L"}


def agrees(drawn: str, version: str = "5.0", **policy: object) -> None:
    """Drawn columns low, high, low_why and high_why are the expected grades and reasons."""
    frame = table(drawn)
    labs = frame.select(
        "test",
        "lln",
        "uln",
        subject=pl.lit("1"),
        value=pl.col("value").cast(pl.Float64),
        unit=pl.col("test").replace_strict(SI, return_dtype=pl.String),
        baseline=pl.lit(None, dtype=pl.Float64),
        is_baseline=pl.lit(False),
    )
    found = grade_labs(labs, criteria(version), Policy(**policy))  # type: ignore[arg-type]
    names = {"low": "grade_low", "high": "grade_high", "low_why": "reason_low", "high_why": "reason_high"}
    for said, column in names.items():
        if said in frame.columns:
            assert found[column].to_list() == frame[said].to_list(), f"{column}\n{found}"


def test_only_the_side_that_was_asked_for_takes_the_numbers_of_v4() -> None:
    agrees(
        """
        | test | value | lln | uln | low | low_why | high_why                          |
        | GLUC | 2     | 4   | 6   | 3   |         | limits of v4.03                   |
        """,
        hyperglycaemia_v4=True,
    )
    agrees(
        """
        | test | value | lln | uln | low | low_why         | high_why                         |
        | PHOS | 2     | 0.8 | 1.5 | 0   | limits of v4.03 | clinical grading only; above ULN |
        """,
        hypophosphataemia_v4=True,
    )


def test_by_limits_only_no_baseline_is_missed() -> None:
    """Version 6.0 asks of creatinine whether the baseline was low, of alkaline phosphatase whether it is exceeded."""
    drawn = """
        | test  | value | lln | uln | high | high_why |
        | CREAT | 110   | 60  | 100 | 1    |{said}    |
        | ALP   | 110   | 30  | 100 | 1    |{said}    |
    """
    agrees(drawn.format(said=" baseline missing: limits used "), "6.0")
    agrees(drawn.format(said=""), "6.0", baseline_rule="uln_only")


def test_each_patient_has_an_albumin_of_his_own_the_first_of_a_day() -> None:
    patients = range(1, 41)
    calcium = pl.DataFrame({"subject": patients, "day": 10})
    albumin = pl.DataFrame(
        [(s, 10, mark + s) for mark in (100, 200, 300) for s in patients],
        schema=["subject", "day", "albumin"],
        orient="row",
    )
    assert nearest_albumin(calcium, albumin)["albumin"].to_list() == [100 + s for s in patients]


ALBUMIN = """
    | case                       | subject | day | before | after | albumin |
    | a week later               | 1       | 10  |        | 17    | 200     |
    | more than a week later     | 2       | 10  |        | 18    |         |
    | a week before              | 3       | 10  | 3      |       | 100     |
    | more than a week before    | 4       | 10  | 2      |       |         |
    | the later is nearer        | 5       | 10  | 5      | 12    | 200     |
    | the earlier is nearer      | 6       | 10  | 9      | 13    | 100     |
    | equally near               | 7       | 10  | 8      | 12    | 100     |
    | before the trial, the later nearer | 8 | -10 | -14  | -9    | 200     |
    | on the day itself          | 9       | 10  | 10     | 11    | 100     |
    | calcium without a day      | 10      |     | 9      | 10    |         |
"""


def test_the_nearest_albumin_before_or_after_within_a_week() -> None:
    drawn = table(ALBUMIN)
    sides = [
        drawn.select("subject", day=side, albumin=pl.lit(value))
        for side, value in (("before", 100), ("after", 200))
    ]
    for calcium, albumin in ((drawn, pl.concat(sides)), (drawn.reverse(), pl.concat(sides[::-1]).reverse())):
        found = nearest_albumin(calcium.select("subject", "day"), albumin)
        assert found["subject"].to_list() == calcium["subject"].to_list()
        assert found["albumin"].to_list() == calcium["albumin"].to_list()


def test_the_worst_of_several_values_is_the_baseline_grade() -> None:
    graded = table("""
        | subject | test | is_baseline | grade_low | grade_high | reason_low  | reason_high |
        | 1       | ALT  | true        |           | 2          | no criteria |             |
        | 1       | ALT  | true        |           | 1          | no criteria |             |
        | 1       | ALT  | false       |           | 2          | no criteria |             |
    """).with_columns(pl.col("reason_high").cast(pl.String), pl.col("grade_low").cast(pl.Int64))
    assert shift(graded).rows() == [(1, "ALT", "H", 2, 2, False)]


PAIRS = """
    | subject | day | test | value | uln | case                                                        |
    | 1       | 20  | ALT  | 200   | 40  | two pairs are complete on day 21: the earlier transaminase  |
    | 1       | 1   | AST  | 200   | 40  |                                                             |
    | 1       | 25  | BILI | 60    | 20  |                                                             |
    | 1       | 21  | BILI | 60    | 20  |                                                             |
    | 2       | 20  | ALT  | 200   | 40  | two pairs are complete on day 20: the earlier bilirubin     |
    | 2       | 5   | BILI | 60    | 20  |                                                             |
    | 2       | 3   | BILI | 60    | 20  |                                                             |
    | 2       | -11 | ALP  | 500   | 100 | 31 days before: not of this pair                            |
    | 3       | 1   | ALT  | 200   | 40  | both alkaline phosphatases are of this pair: one is high    |
    | 3       | 1   | BILI | 60    | 20  |                                                             |
    | 3       | 1   | ALP  | 100   | 100 |                                                             |
    | 3       | 5   | ALP  | 200   | 100 |                                                             |
    | 4       | 1   | BILI | 60    | 20  | no transaminase                                             |
    | 5       | 1   | ALT  | nan   | 40  | what is not a number is no value                            |
    | 5       | 1   | ALT  | 80    | 40  |                                                             |
    | 5       | 1   | BILI | 60    | 20  |                                                             |
    | 6       | 1   | ALT  | 80    | -0.5 | a limit below 0 is none                                    |
    | 6       | 1   | BILI | 60    | 20  |                                                             |
"""


def test_hys_law_of_several_values() -> None:
    drawn = table(PAIRS).with_columns(pl.col("value").cast(pl.Float64))
    expected = table("""
        | subject | transaminase_x | transaminase_day | bilirubin_day | alp_low | hys_law |
        | 1       | 5.0            | 1                | 21            |         | true    |
        | 2       | 5.0            | 20               | 3             |         | true    |
        | 3       | 5.0            | 1                | 1             | false   | true    |
        | 4       |                |                  |               |         |         |
        | 5       | 2.0            |                  |               |         | false   |
        | 6       |                |                  |               |         |         |
    """)
    for given in (drawn, drawn.reverse()):
        assert hys_law(given).sort("subject").select(expected.columns).rows() == expected.rows()
