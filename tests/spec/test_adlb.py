"""ADLB: laboratory values, drawn. First dose 2026-01-10 (at 09:00 for subject 2), last dose 2026-03-01."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from drawn import table
from small import CUTOFF, small_sources, small_study
from trialwright.adam import adlb
from trialwright.standards.variables import dataset, keyed

ADSL = """
    USUBJID | TRT01A | TRTSDT     | TRTSDTM          | TRTEDT     | EOTDT
    1       | B      | 2026-01-10 |                  | 2026-03-01 | 2026-03-01
    2       | B      | 2026-01-10 | 2026-01-10T09:00 | 2026-03-01 | 2026-03-01
    3       |        |            |                  |            | |
    4       | B      | 2026-01-10 |                  | 2026-03-01 | |
"""


def adsl() -> pl.DataFrame:
    return table(ADSL).with_columns(
        pl.col("USUBJID").cast(pl.String),
        pl.col("TRTSDT", "TRTEDT", "EOTDT").cast(pl.Date),
        EOSDT=pl.lit(None, dtype=pl.Date),
        DTHDT=pl.lit(None, dtype=pl.Date),
        TRTSDTM=pl.col("TRTSDTM").str.to_datetime("%Y-%m-%dT%H:%M"),
    )


def lb(drawn: str) -> pl.DataFrame:
    """LB as SDTM has it: subject, dates, units and character results are text."""
    frame = table(drawn)
    numbers = {"LBSEQ", "LBSTRESN", "LBSTNRLO", "LBSTNRHI"}
    return frame.with_columns(pl.col([c for c in frame.columns if c not in numbers]).cast(pl.String))


def build(drawn: str, cutoff: dt.date = CUTOFF, **study: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    return adlb.build(small_study(**study), {"LB": lb(drawn)}, adsl(), cutoff)


NEUTROPHILS = """
    USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBSTNRLO | LBSTNRHI | LBDTC      | VISIT
    1       | 1     | NEUT     | 3.0      | 10^9/L   | 2.0      | 7.0      | 2026-01-02 | SCREENING
    1       | 2     | NEUT     | 1.8      | 10^9/L   | 2.0      | 7.0      | 2026-01-10 | DAY 1
    1       | 3     | NEUT     | 0.9      | 10^9/L   | 2.0      | 7.0      | 2026-01-17 | UNSCHEDULED
    1       | 4     | NEUT     | 0.8      | 10^9/L   | 2.0      | 7.0      | 2026-01-24 | WEEK 2
    1       | 5     | NEUT     | 2.5      | 10^9/L   | 2.0      | 7.0      | 2026-03-31 | END
    1       | 6     | NEUT     | 0.1      | 10^9/L   | 2.0      | 7.0      | 2026-04-01 | LATE
"""


def test_baseline_window_change_and_worst() -> None:
    """Baseline is the last value up to the first dose; worst is the first of the worst grade on treatment, which
    ends 30 days after the last dose (31 March); unscheduled values count."""
    frame, found = build(NEUTROPHILS)
    meant = table(
        """
        SRCSEQ | ABLFL | BASE | CHG  | ATOXGRL | BTOXGRL | ONTRTFL | WORSTLFL
        1      |       | 1.8  |      | 0       | 1       | N       | |
        2      | Y     | 1.8  |      | 1       | 1       | N       | |
        3      |       | 1.8  | -0.9 | 3       | 1       | Y       | Y
        4      |       | 1.8  | -1.0 | 3       | 1       | Y       | |
        5      |       | 1.8  | 0.7  | 0       | 1       | Y       | |
        6      |       | 1.8  | -1.7 | 4       | 1       | N       | |
        """
    )
    got = frame.select(meant.columns).with_columns(pl.col("CHG").round(6), pl.col(pl.Int8).cast(pl.Int64))
    assert got.equals(meant)
    assert frame["ATOXGRH"].null_count() == frame.height, "CTCAE has no criteria for many neutrophils"
    assert found.is_empty()


def test_on_the_day_of_the_first_dose_the_times_decide() -> None:
    frame, _ = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBDTC
        2       | 1     | ALT      | 10       | U/L      | 2026-01-10T08:00
        2       | 2     | ALT      | 20       | U/L      | 2026-01-10T09:00
        2       | 3     | ALT      | 30       | U/L      | 2026-01-10T09:01
        """
    )
    assert frame["ABLFL"].to_list() == [None, "Y", None]
    assert frame["ONTRTFL"].to_list() == ["N", "N", "Y"]


def test_units_become_si_and_the_limits_with_them() -> None:
    """Haemoglobin 9.5 g/dL is 95 g/L (grade 2); creatinine 1.0 mg/dL is 88.4 µmol/L."""
    frame, _ = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBORRES | LBORRESU | LBORNRLO | LBORNRHI | LBDTC
        1       | 1     | HGB      | 9.5     | g/dL     | 12       | 16       | 2026-02-01
        1       | 2     | CREAT    | 1.0     | mg/dL    | 0.5      | 1.2      | 2026-02-01
        """
    )
    rows = frame.sort("SRCSEQ")
    assert rows["AVAL"].to_list() == [pytest.approx(95), pytest.approx(88.4, abs=0.05)]
    assert rows["AVALU"].to_list() == ["g/L", "umol/L"]
    assert rows["ANRLO"][0] == pytest.approx(120)
    assert rows["ATOXGRL"][0] == 2
    assert rows["SRCVAR"].to_list() == ["LBORRES", "LBORRES"]


ROUNDED = """
    USUBJID | LBSEQ | LBTESTCD | LBORRES | LBORRESU | LBORNRLO | LBORNRHI | LBSTRESN | LBSTRESU | LBSTNRLO | LBSTNRHI | LBDTC
    1       | 1     | HGB      | 11.5    | g/dL     | 11.5     | 15.8     | 7.1369   | mmol/L   | 7.14     | 9.81     | 2026-02-01
"""


def test_the_original_result_is_analysed_with_its_own_limits() -> None:
    """11.5 g/dL at a limit of 11.5 is not below it; in standard units, 7.1369 mmol/L is below 7.14."""
    wanted = ["AVAL", "AVALU", "ANRLO", "ATOXGRL", "SRCVAR"]
    frame, found = build(ROUNDED)
    assert frame.select(wanted).rows() == [(115, "g/L", 115, 0, "LBORRES")]
    assert found.is_empty(), "they differ by rounding"
    frame, found = build(ROUNDED, laboratory={"result": "standard"})
    assert frame.select("AVALU", "ATOXGRL", "SRCVAR").rows() == [("g/L", 1, "LBSTRESN")]
    assert frame["AVAL"][0] == pytest.approx(7.1369 * 16.114)
    assert found.is_empty()


def test_the_standard_result_is_analysed_where_the_original_side_is_not_whole() -> None:
    """No number, a bound, a unit that is not known, an upper or a lower limit missing; 6 is whole."""
    frame, _ = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBORRES | LBORRESU | LBORNRLO | LBORNRHI | LBSTRESN | LBSTRESU | LBSTNRLO | LBSTNRHI | LBDTC
        1       | 1     | CREAT    | none    | mg/dL    | 0.5      | 1.2      | 90       | umol/L   | 44       | 106      | 2026-02-01
        1       | 2     | CREAT    | <1.0    | mg/dL    | 0.5      | 1.2      | 90       | umol/L   | 44       | 106      | 2026-02-02
        1       | 3     | CREAT    | 1.0     | drops    | 0.5      | 1.2      | 90       | umol/L   | 44       | 106      | 2026-02-03
        1       | 4     | CREAT    | 1.0     | mg/dL    | 0.5      | -        | 90       | umol/L   | 44       | 106      | 2026-02-04
        1       | 5     | CREAT    | 1.0     | mg/dL    |          | 1.2      | 90       | umol/L   | 44       | 106      | 2026-02-05
        1       | 6     | CREAT    | 1.0     | mg/dL    |          | 1.2      | 90       | umol/L   |          | 106      | 2026-02-06
        """
    )
    assert frame["SRCVAR"].to_list() == ["LBSTRESN"] * 5 + ["LBORRES"]
    assert frame["AVAL"].to_list() == [90] * 5 + [pytest.approx(88.4, abs=0.05)]
    assert frame["ANRHI"].to_list() == [106] * 5 + [pytest.approx(106.1, abs=0.05)]


def test_results_that_disagree_by_more_than_rounding_are_findings() -> None:
    """1.0 mg/dL of creatinine is 88.4 umol/L: 88 and 88.4 are roundings, 90 is not. 0.08 mg/dL of bilirubin is
    1.37 umol/L: 1 and 1.4 are roundings, 1.3 is not. In one unit the number must be the same."""
    drawn = """
        USUBJID | LBSEQ | LBTESTCD | LBORRES | LBORRESU | LBSTRESN | LBSTRESU | LBDTC
        1       | 1     | CREAT    | 1.0     | mg/dL    | 88       | umol/L   | 2026-02-01
        1       | 2     | CREAT    | 1.0     | mg/dL    | 88.4     | umol/L   | 2026-02-02
        1       | 3     | CREAT    | 1.0     | mg/dL    | 90       | umol/L   | 2026-02-03
        1       | 4     | BILI     | 0.08    | mg/dL    | 1        | umol/L   | 2026-02-04
        1       | 5     | BILI     | 0.08    | mg/dL    | 1.4      | umol/L   | 2026-02-05
        1       | 6     | BILI     | 0.08    | mg/dL    | 1.3      | umol/L   | 2026-02-06
        1       | 7     | BILI     | 0.08    | mg/dL    | 1.3      | cups     | 2026-02-07
        2       | 1     | BILI     | 10      | umol/L   | 11       | umol/L   | 2026-02-07
        """
    _, found = build(drawn)
    assert found.select("key", "value").rows() == [
        ("USUBJID=1, LBSEQ=3", "1.0 mg/dL, 90 umol/L"),
        ("USUBJID=1, LBSEQ=6", "0.08 mg/dL, 1.3 umol/L"),
        ("USUBJID=2, LBSEQ=1", "10.0 umol/L, 11 umol/L"),
    ]
    assert set(found["action"]) == {"the original result is analysed"}
    frame, found = build(drawn, laboratory={"result": "standard"})
    disagreeing = found.filter(pl.col("rule").str.starts_with("the standard result is not"))
    assert disagreeing["key"].to_list() == [
        f"USUBJID={s}" for s in ("1, LBSEQ=3", "1, LBSEQ=6", "2, LBSEQ=1")
    ]
    assert set(disagreeing["action"]) == {"the standard result is analysed"}
    assert set(frame["SRCVAR"]) == {"LBSTRESN"}


def test_the_digits_of_the_standard_text_say_how_it_was_rounded() -> None:
    """0.08 mg/dL is 1.37 umol/L: ``1`` is a rounding of it, ``1.0`` is not."""
    rows = lb(
        """
        USUBJID | LBSEQ | LBTESTCD | LBORRES | LBORRESU | LBSTRESN | LBSTRESU | LBDTC
        1       | 1     | BILI     | 0.08    | mg/dL    | 1        | umol/L   | 2026-02-04
        1       | 2     | BILI     | 0.08    | mg/dL    | 1        | umol/L   | 2026-02-05
        """
    ).with_columns(LBSTRESC=pl.Series(["1", "1.0"]))
    _, found = adlb.build(small_study(), {"LB": rows}, adsl(), CUTOFF)
    assert found["value"].to_list() == ["0.08 mg/dL, 1.0 umol/L"]


def test_baseline_is_compared_in_one_unit() -> None:
    frame, _ = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBDTC
        1       | 1     | HGB      | 120      | g/L      | 2026-01-02
        1       | 2     | HGB      | 10       | g/dL     | 2026-02-01
        """
    )
    assert frame["CHG"].to_list() == [None, pytest.approx(-20)]


def test_an_unknown_unit_is_one_finding_and_no_grade() -> None:
    frame, found = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBDTC
        1       | 1     | NEUT     | 0.3      | cells    | 2026-02-01
        1       | 2     | NEUT     | 0.3      | cells    | 2026-02-08
        """
    )
    assert frame["AVAL"].to_list() == [0.3, 0.3]
    assert frame["AVALU"].to_list() == ["cells", "cells"]
    assert frame["ATOXGRL"].to_list() == [None, None]
    assert frame["RULE"][0] == "unit unknown"
    assert found.select("key", "value").rows() == [("LBTESTCD=NEUT", "cells (2 records)")]


def test_bounds_words_and_partial_days() -> None:
    """§4.4, 6: ``<5`` counts as 5 and is said so; a word of a graded test is a finding; a month is no day."""
    frame, found = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESC | LBSTRESN | LBSTRESU | LBSTNRLO | LBSTNRHI | LBDTC
        1       | 1     | PLAT     | <5       |          | 10^9/L   | 150      | 400      | 2026-02-01
        1       | 2     | PLAT     | CLUMPED  |          | 10^9/L   | 150      | 400      | 2026-02-08
        1       | 3     | PLAT     | 200      | 200      | 10^9/L   | 150      | 400      | 2026-02
        """
    )
    rows = frame.sort("SRCSEQ")
    assert rows["AVAL"].to_list() == [5, None, 200]
    assert rows["ATOXGRL"].to_list() == [4, None, 0]
    assert rows["RULE"][0] == "value is the bound given"
    assert rows["RULE"][1].startswith("value is not a number")
    assert rows["ONTRTFL"].to_list() == ["Y", "Y", "N"]
    assert found["rule"].to_list() == ["not a number", "the day is not known"]
    assert rows["SRCVAR"].to_list() == ["LBSTRESC", "LBSTRESC", "LBSTRESN"], "5 was read from the text"


WRONG = """
    USUBJID | LBSEQ | LBTESTCD | LBORRES   | LBORRESU | LBSTRESC  | LBSTRESN | LBSTRESU | LBDTC
    1       | 1     | HGB      | -5        | g/L      | -5        | -5       | g/L      | 2026-02-01
    1       | 2     | HGB      | haemolysed | g/L     |           |          | g/L      | 2026-02-02
    1       | 3     | HGB      |           |          | CLOTTED   |          | g/L      | 2026-02-03
    1       | 4     | HGB      |           |          | -7        | -7       | g/L      | 2026-02-04
"""


def test_findings_about_a_result_name_the_variable_that_was_analysed() -> None:
    frame, found = build(WRONG)
    assert frame["SRCVAR"].to_list() == ["LBORRES", "LBORRES", "LBSTRESC", "LBSTRESN"]
    assert found.select("key", "variable", "value", "rule").rows() == [
        ("USUBJID=1, LBSEQ=2", "LBORRES", "haemolysed", "not a number"),
        ("USUBJID=1, LBSEQ=3", "LBSTRESC", "CLOTTED", "not a number"),
        ("USUBJID=1, LBSEQ=1", "LBORRES", "-5", "negative"),
        ("USUBJID=1, LBSEQ=4", "LBSTRESN", "-7", "negative"),
    ]


def test_results_without_a_unit_that_disagree_are_told() -> None:
    _, found = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBORRES | LBORRESU | LBSTRESN | LBSTRESU | LBDTC
        1       | 1     | INR      | 3       |          | 1        |          | 2026-02-01
        """
    )
    assert found["value"].to_list() == ["3, 1"]


def test_urine_is_not_graded_as_blood() -> None:
    frame, _ = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSPEC | LBSTRESN | LBSTRESU | LBSTNRLO | LBDTC
        1       | 1     | GLUC     | BLOOD  | 1.0      | mmol/L   | 3.9      | 2026-02-01
        1       | 2     | GLUC     | URINE  | 1.0      | mmol/L   | 3.9      | 2026-02-01
        """
    )
    assert frame["ATOXGRL"].to_list() == [4, None]


def test_an_abnormal_baseline_sets_its_own_limits() -> None:
    """§4.4, 11: ALT 4 x ULN at baseline and 4.4 x ULN later is grade 0, though the ULN alone would say 2."""
    drawn = """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBSTNRLO | LBSTNRHI | LBDTC
        1       | 1     | ALT      | 160      | U/L      | 5        | 40       | 2026-01-02
        1       | 2     | ALT      | 176      | U/L      | 5        | 40       | 2026-02-01
    """
    assert build(drawn)[0]["ATOXGRH"].to_list() == [2, 0]
    uln_only = {"policy": {"baseline_rule": "uln_only"}}
    assert build(drawn, laboratory=uln_only)[0]["ATOXGRH"].to_list() == [2, 2]


def test_calcium_is_graded_corrected_for_albumin_of_the_week() -> None:
    """§4.4, 2: 2.0 mmol/L with albumin 25 g/L is 2.3 corrected, not low; without albumin it is taken as it is."""
    frame, _ = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBSTNRLO | LBSTNRHI | LBDTC
        1       | 1     | CA       | 2.0      | mmol/L   | 2.1      | 2.6      | 2026-02-01
        1       | 2     | ALB      | 25       | g/L      | 35       | 50       | 2026-02-05
        1       | 3     | CA       | 2.0      | mmol/L   | 2.1      | 2.6      | 2026-02-20
        """
    )
    calcium = frame.filter(pl.col("PARAMCD") == "CA")
    assert calcium["ATOXGRL"].to_list() == [0, 1]
    assert calcium["AVAL"].to_list() == [2.0, 2.0]
    assert "calcium not corrected" in calcium["RULE"][1]


def test_the_cutoff_and_subjects_without_treatment() -> None:
    frame, _ = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBDTC
        1       | 1     | ALT      | 10       | U/L      | 2026-01-02
        1       | 2     | ALT      | 10       | U/L      | 2026-02-02
        3       | 1     | ALT      | 10       | U/L      | 2026-01-02
        """,
        cutoff=dt.date(2026, 1, 31),
    )
    assert frame.select("USUBJID", "ABLFL", "ONTRTFL").rows() == [("1", "Y", "N"), ("3", None, "N")]


def test_the_key_is_unique_and_an_absent_domain_is_empty() -> None:
    frame, _ = build(NEUTROPHILS)
    assert not frame.select("USUBJID", "PARAMCD", "ADT", "SRCSEQ").is_duplicated().any()
    nothing, found = adlb.build(small_study(), {}, adsl(), CUTOFF)
    assert nothing.schema == frame.schema
    assert keyed(nothing, "ADLB").schema == keyed(frame, "ADLB").schema
    listed = dataset("ADLB").schema
    assert set(listed) - {"STUDYID", "AEFL"} <= set(frame.columns), (
        "all that the dictionary has, but for what others add"
    )
    assert nothing.is_empty()
    assert found.is_empty()


def test_the_order_of_the_records_does_not_matter() -> None:
    frame = lb(NEUTROPHILS)
    straight, _ = adlb.build(small_study(), {"LB": frame}, adsl(), CUTOFF)
    turned, _ = adlb.build(small_study(), {"LB": frame.reverse()}, adsl(), CUTOFF)
    assert straight.equals(turned)


def test_a_value_without_end_is_no_number() -> None:
    frame = lb("USUBJID | LBSEQ | LBTESTCD | LBSTRESU | LBDTC\n1 | 1 | ALT | U/L | 2026-02-01")
    infinite = frame.with_columns(LBSTRESN=pl.lit(float("inf")), LBSTRESC=pl.lit("inf"))
    rows, found = adlb.build(small_study(), {"LB": infinite}, adsl(), CUTOFF)
    assert rows["AVAL"].to_list() == [None]
    assert found["rule"].to_list() == ["not a number"]


def test_the_worst_may_come_late_and_each_direction_has_its_own() -> None:
    """Potassium (3.5 to 5.1 mmol/L): grades L 0 0 3 and H 1 2 0."""
    frame, _ = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBSTNRLO | LBSTNRHI | LBDTC
        1       | 1     | K        | 5.3      | mmol/L   | 3.5      | 5.1      | 2026-01-20
        1       | 2     | K        | 5.8      | mmol/L   | 3.5      | 5.1      | 2026-01-27
        1       | 3     | K        | 2.8      | mmol/L   | 3.5      | 5.1      | 2026-02-03
        """
    )
    assert frame.select("ATOXGRL", "ATOXGRH").rows() == [(0, 1), (0, 2), (3, 0)]
    assert frame["WORSTLFL"].to_list() == [None, None, "Y"]
    assert frame["WORSTHFL"].to_list() == [None, "Y", None]


def test_while_treatment_goes_on_values_are_on_treatment() -> None:
    frame, _ = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBSTNRHI | LBDTC
        1       | 1     | ALT      | 100      | U/L      | 40       | 2026-05-01
        4       | 1     | ALT      | 100      | U/L      | 40       | 2026-05-01
        """
    )
    assert frame["ONTRTFL"].to_list() == ["N", "Y"]


ANTICOAGULATED = """
    USUBJID | CMTRT    | CMCLAS        | CMSTDTC    | CMENDTC
    1       | WARFARIN | ANTICOAGULANT | 2026-01    | 2026-02-10
    1       | ASPIRIN  | ANALGESIC     | 2026-01-01 | |
"""
INR = """
    USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBSTNRHI | LBDTC      | grade
    1       | 1     | INR      | 1.1      |          | 1.2      | 2026-01-02 | 0
    1       | 2     | INR      | 1.7      |          | 1.2      | 2026-02-10 | 2: above 1.5, as multiples of baseline too
    1       | 3     | INR      | 1.15     |          | 1.2      | 2026-02-10 | 1: 1.05 x baseline, on an anticoagulant
    1       | 4     | INR      | 1.15     |          | 1.2      | 2026-02-11 | 0: no longer
    2       | 1     | INR      | 1.1      |          | 1.2      | 2026-01-02 | 0
    2       | 2     | INR      | 1.15     |          | 1.2      | 2026-02-10 | 0: never
"""


def test_an_inr_on_an_anticoagulant_is_judged_by_its_baseline() -> None:
    """CTCAE v5.0: more than once the baseline if on anticoagulation. Where the study does not say where that
    stands, it is not known."""
    cm = table(ANTICOAGULATED).with_columns(pl.all().cast(pl.String))
    period = {"domain": "CM", "where": {"CMCLAS": "ANTICOAGULANT"}, "start": "CMSTDTC", "end": "CMENDTC"}
    told = small_study(sources=small_sources(anticoagulation=period))
    frame, _ = adlb.build(told, {"LB": lb(INR), "CM": cm}, adsl(), CUTOFF)
    meant = [int(cell[0]) for cell in table(INR).with_columns(pl.col("grade").cast(pl.String))["grade"]]
    assert frame["ATOXGRH"].to_list() == meant
    assert frame["RULE"].null_count() == frame.height
    silent, _ = adlb.build(small_study(), {"LB": lb(INR), "CM": cm}, adsl(), CUTOFF)
    assert silent["ATOXGRH"].to_list() == [0, 2, 0, 0, 0, 0]
    assert silent["RULE"][2] == "anticoagulation unknown"


def test_symptoms_of_a_low_sodium_come_from_the_events_the_study_names() -> None:
    """CTCAE v5.0: 125 to 129 without symptoms is grade 2, with symptoms 3."""
    ae = table(
        """
        USUBJID | AEDECOD       | AESTDTC    | AEENDTC
        1       | Hyponatraemia | 2026-02-01 | 2026-02-05
        1       | Fatigue       | 2026-02-01 | 2026-03-05
        """
    ).with_columns(pl.all().cast(pl.String))
    period = {"domain": "AE", "where": {"AEDECOD": "Hyponatraemia"}, "start": "AESTDTC", "end": "AEENDTC"}
    study = small_study(sources=small_sources(symptoms={"SODIUM": period}))
    values = """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBSTNRLO | LBDTC
        1       | 1     | SODIUM   | 127      | mmol/L   | 135      | 2026-02-03
        1       | 2     | SODIUM   | 127      | mmol/L   | 135      | 2026-02-06
        1       | 3     | K        | 3.1      | mmol/L   | 3.5      | 2026-02-03
    """
    frame, _ = adlb.build(study, {"LB": lb(values), "AE": ae}, adsl(), CUTOFF)
    assert dict(frame.filter(PARAMCD="SODIUM").select("SRCSEQ", "ATOXGRL").iter_rows()) == {1: 3, 2: 2}
    assert "symptoms unknown" in frame.filter(PARAMCD="K")["RULE"].item()


def test_the_order_is_that_of_the_key_whatever_the_order_of_the_file() -> None:
    """Subjects and tests by the alphabet, days before 1970 and no day at all, LBSEQ within a day."""
    rows = lb(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBDTC
        1       | 6     | ALT      | 10       | U/L      | 1969-12-30
        1       | 4     | ALT      | 10       | U/L      | 2026-01-02
        1       | 5     | ALT      | 10       | U/L      | 2026-01-02
        1       | 2     | ALT      | 10       | U/L      | 2026-01
        1       | 3     | WBC      | 10       | 10^9/L   | 2026-01-01
        1       | 7     |          | 10       | 10^9/L   | 2026-01-01
        2       | 1     | ALT      | 10       | U/L      | 2026-01-01
        """
    )
    for seed in range(8):
        mixed = rows if seed == 0 else rows.sample(fraction=1, shuffle=True, seed=seed)
        frame, _ = adlb.build(small_study(), {"LB": mixed}, adsl(), CUTOFF)
        assert frame["SRCSEQ"].to_list() == [6, 4, 5, 2, 3, 7, 1]


def test_the_order_is_that_of_the_key_where_the_rows_of_two_subjects_alternate() -> None:
    """Rows next to each other are never of one subject, and each subject's run backwards: the last of
    2 January is the baseline, whichever comes first in the file."""
    rows = lb(
        """
        USUBJID | LBSEQ | LBTESTCD | LBSTRESN | LBSTRESU | LBDTC
        1       | 4     | HGB      | 70       | g/L      | 2026-02-01
        2       | 4     | HGB      | 71       | g/L      | 2026-02-01
        1       | 3     | HGB      | 60       | g/L      | 2026-02-01
        2       | 3     | HGB      | 61       | g/L      | 2026-02-01
        1       | 2     | HGB      | 120      | g/L      | 2026-01-02
        2       | 2     | HGB      | 121      | g/L      | 2026-01-02
        1       | 1     | HGB      | 100      | g/L      | 2026-01-02
        2       | 1     | HGB      | 101      | g/L      | 2026-01-02
        """
    )
    frame, _ = adlb.build(small_study(), {"LB": rows}, adsl(), CUTOFF)
    assert frame["SRCSEQ"].to_list() == [1, 2, 3, 4] * 2
    assert frame["BASE"].to_list() == [120] * 4 + [121] * 4
    assert frame["ABLFL"].to_list() == [None, "Y", None, None] * 2
    assert frame["WORSTLFL"].to_list() == [None, None, "Y", None] * 2


def test_records_that_name_no_test_have_no_baseline() -> None:
    """Nothing says that 5 and 140 are of one analyte; a test that is named keeps its own baseline."""
    frame, found = build(
        """
        USUBJID | LBSEQ | LBTESTCD | LBTEST  | LBSTRESN | LBSTRESU | LBDTC
        1       | 1     |          | Glucose | 5        | mmol/L   | 2026-01-02
        1       | 2     |          | Sodium  | 140      | mmol/L   | 2026-02-01
        1       | 3     | SODIUM   | Sodium  | 138      | mmol/L   | 2026-01-02
        1       | 4     | SODIUM   | Sodium  | 141      | mmol/L   | 2026-02-01
        """
    )
    base = frame.sort("SRCSEQ").select("BASE", "ABLFL", "CHG").rows()
    assert base == [(None, None, None)] * 2 + [(138, "Y", None), (138, None, 3)]
    told = found.select("key", "variable", "value", "rule").rows()
    assert told == [
        (f"USUBJID=1, LBSEQ={n}", "LBTESTCD", test, "the test is not named")
        for n, test in ((1, "Glucose"), (2, "Sodium"))
    ]


def test_a_subject_without_an_id_in_adsl_is_nobody() -> None:
    nobody = pl.concat([adsl(), adsl().head(1).with_columns(USUBJID=pl.lit(None, dtype=pl.String))])
    rows = lb(NEUTROPHILS).with_columns(USUBJID=pl.when(pl.col("LBSEQ") < 6).then("USUBJID"))
    frame, found = adlb.build(small_study(), {"LB": rows}, nobody, CUTOFF)
    assert frame["SRCSEQ"].to_list() == [1, 2, 3, 4, 5]
    assert found.select("key", "rule").rows() == [("USUBJID=, LBSEQ=6", "the subject is not in ADSL")]
