"""ADEX: exposure, drawn. Doses of tarlatamab are planned 1 mg on day 1, 10 mg on days 8 and 15, then every 14 days."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from drawn import table
from small import CUTOFF, small_sources, small_study
from trialwright.adam import adex


def adsl() -> pl.DataFrame:
    return table(
        """
        USUBJID | TRT01A | TRTSDT     | TRTEDT
        1       | B      | 2026-01-01 | 2026-02-12
        2       | A      | 2026-01-01 | 2026-01-22
        3       |        |            | |
        4       | B      | 2026-01-01 | 2026-02-12
        """
    ).with_columns(pl.col("USUBJID").cast(pl.String))


def build(ex: str, cutoff: dt.date = CUTOFF, **study: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    frame = table(ex).with_columns(pl.col("USUBJID").cast(pl.String))
    return adex.build(small_study(**study), {"EX": frame}, adsl(), cutoff)


def value(frame: pl.DataFrame, paramcd: str, subject: str = "1") -> Any:
    return frame.filter(pl.col("USUBJID") == subject, pl.col("PARAMCD") == paramcd)["AVAL"].item()


FIVE_DOSES = """
    USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC          | EXENDTC
    1       | 1     | TARLATAMAB | 1      | mg     | 2026-01-01T09:00 | 2026-01-01T10:00
    1       | 2     | TARLATAMAB | 10     | mg     | 2026-01-08T09:00 | 2026-01-08T10:00
    1       | 3     | TARLATAMAB | 10     | mg     | 2026-01-15T09:00 | 2026-01-15T10:00
    1       | 4     | TARLATAMAB | 10     | mg     | 2026-02-03T09:00 | 2026-02-03T10:00
    1       | 5     | TARLATAMAB | 10     | mg     | 2026-02-17T09:00 | 2026-02-17T10:00
"""


def test_duration_doses_and_intensity_of_the_arm_with_a_plan() -> None:
    """§2.8. Days 1, 8, 15, 34, 48: planned 1, 8, 15, 29, 43. Both days spans take the last interval of 14.

    Planned cumulative dose of five doses is 1 + 10 x 4 = 41 mg over 43 − 1 + 14 = 56 days; given 41 mg over
    48 − 1 + 14 = 61 days: 100 x (41/61)/(41/56) = 91.803...
    """
    frame, found = build(FIVE_DOSES)
    assert value(frame, "NDOSE") == 5
    assert value(frame, "TRTDURD") == 48
    assert value(frame, "TRTDURW") == pytest.approx((47 + 14) / 7)
    assert value(frame, "CUMDOSE") == 41
    assert value(frame, "PLANDOSE") == 41
    assert value(frame, "RDI") == pytest.approx(100 * 56 / 61)
    assert value(frame, "NDELAY") == 1
    assert value(frame, "NSKIP") == 0
    assert found.is_empty()


def test_dose_rows_carry_number_plan_and_delay() -> None:
    frame, _ = build(FIVE_DOSES)
    rows = frame.filter(pl.col("PARAMCD") == "DOSE")
    assert rows["DOSENUM"].to_list() == [1, 2, 3, 4, 5]
    assert rows["PLANNED"].to_list() == [1, 10, 10, 10, 10]
    assert rows["DELAY"].to_list() == [None, 0, 0, 5, 0]
    assert rows["SRCSEQ"].to_list() == [1, 2, 3, 4, 5]
    assert rows["ADY"].to_list() == [1, 8, 15, 34, 48]
    assert rows["ADTM"][0] == dt.datetime(2026, 1, 1, 9)


def test_first_and_last_dose_name_their_record() -> None:
    frame, _ = build(FIVE_DOSES)
    ends = frame.filter(pl.col("PARAMCD").is_in(["FDOSE", "LDOSE"])).select("PARAMCD", "AVALC", "SRCSEQ")
    assert ends.rows() == [("FDOSE", "2026-01-01", 1), ("LDOSE", "2026-02-17", 5)]


def test_a_repeated_step_up_begins_the_sequence_anew() -> None:
    """§2.4: 1 mg again after a long gap, 10 mg a week later; the first sequence was late by 36 − 14 days."""
    frame, _ = build(
        """
        USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC
        1       | 1     | Tarlatamab | 1      | mg     | 2026-01-01
        1       | 2     | Tarlatamab | 10     | mg     | 2026-01-08
        1       | 3     | Tarlatamab | 1      | mg     | 2026-02-13
        1       | 4     | Tarlatamab | 10     | mg     | 2026-02-20
        """
    )
    rows = frame.filter(pl.col("PARAMCD") == "DOSE")
    assert rows["STEPSEQ"].to_list() == [1, 1, 2, 2]
    assert rows["PLANNED"].to_list() == [1, 10, 1, 10]
    assert rows["DELAY"].to_list() == [None, 0, 29, 0]
    assert value(frame, "NSTEPUP") == 2
    assert value(frame, "NSKIP") == 1
    assert value(frame, "PLANDOSE") == 31, "1 + 10 x 3, whatever was repeated"
    assert frame.filter(pl.col("PARAMCD") == "STEPUPFL")["AVALC"].to_list() == ["Y"]


RESTARTED = """
    USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC    | due | since | seq | why
    1       | 1     | TARLATAMAB | 1      | mg     | 2026-01-01 | 1   |       | 1   | begins
    1       | 2     | TARLATAMAB | 10     | mg     | 2026-01-15 | 10  | 14    | 1   | in time
    1       | 3     | TARLATAMAB | 10     | mg     | 2026-02-06 | 1   | 22    | 1   | should have begun again
    1       | 4     | TARLATAMAB | 10     | mg     | 2026-03-06 | 10  | 28    | 1   | in time
    1       | 5     | TARLATAMAB | 1      | mg     | 2026-04-04 | 1   | 29    | 2   | begins again
    1       | 6     | TARLATAMAB | 10     | mg     | 2026-04-11 | 10  | 7     | 2   | a week later
    1       | 7     | TARLATAMAB | 5      | mg     | 2026-04-18 | 10  | 7     | 2   | stopped half-way: does not count
    1       | 8     | TARLATAMAB | 10     | mg     | 2026-05-02 | 10  | 21    | 2   | from record 6
    1       | 9     | TARLATAMAB | 1      | mg     | 2026-05-16 | 10  | 14    | 3   | begun again without need
"""
TABLE = {
    "arm": "B",
    "drug": "tarlatamab",
    "unit": "mg",
    "doses": [1, 10, 10],
    "days": [1, 8, 15],
    "interval_days": 14,
    "restart_after_days": [14, 21, 28],
}


def test_doses_against_the_restart_table() -> None:
    """§2.4, gaps counted from the last dose given; a repeated step-up begins a new sequence."""
    frame, found = build(RESTARTED, regimens=[TABLE])
    rows, drawn = frame.filter(pl.col("PARAMCD") == "DOSE"), table(RESTARTED)
    assert rows["DUE"].to_list() == drawn["due"].to_list()
    assert rows["GAP"].to_list() == drawn["since"].to_list()
    assert rows["STEPSEQ"].to_list() == drawn["seq"].to_list()
    off = frame.filter(pl.col("PARAMCD") == "DOSEDEV")
    assert off["SRCSEQ"].to_list() == [3, 7, 9]
    assert off["AVALC"].to_list() == ["10 mg given, 1 due", "5 mg given, 10 due", "1 mg given, 10 due"]
    assert off["RULE"][0] == "22 days after the dose at place 2 of its sequence"
    assert value(frame, "NDOSEDEV") == 3
    assert found["rule"].to_list() == ["not the dose due by the restart table"] * 3
    assert found["value"][0] == "10 mg given, 1 due; 22 days after the dose at place 2 of its sequence"


def test_each_patient_and_each_sequence_has_its_own_places() -> None:
    """After a repeated step-up the places begin anew: 22 days after its second dose are too many."""
    frame, found = build(
        """
        USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC    | due
        1       | 1     | TARLATAMAB | 1      | mg     | 2026-01-01 | 1
        1       | 2     | TARLATAMAB | 10     | mg     | 2026-01-08 | 10
        1       | 3     | TARLATAMAB | 1      | mg     | 2026-02-01 | 1
        1       | 4     | TARLATAMAB | 10     | mg     | 2026-02-08 | 10
        1       | 5     | TARLATAMAB | 10     | mg     | 2026-03-02 | 1
        4       | 1     | TARLATAMAB | 1      | mg     | 2026-01-01 | 1
        4       | 2     | TARLATAMAB | 10     | mg     | 2026-01-16 | 1
        """,
        regimens=[TABLE],
    )
    rows = frame.filter(pl.col("PARAMCD") == "DOSE")
    assert rows["DUE"].to_list() == [1, 10, 1, 10, 1, 1, 1]
    assert rows["GAP"].to_list() == [None, 7, 24, 7, 22, None, 15]
    assert found["key"].to_list() == ["USUBJID=1, EXSEQ=5", "USUBJID=4, EXSEQ=2"]


def test_two_drugs_of_one_day_each_have_their_own_gaps() -> None:
    other = {**TABLE, "drug": "other"}
    frame, found = build(
        """
        USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC
        1       | 1     | TARLATAMAB | 1      | mg     | 2026-01-01
        1       | 2     | OTHER      | 1      | mg     | 2026-01-01
        1       | 3     | TARLATAMAB | 10     | mg     | 2026-01-08
        1       | 4     | OTHER      | 10     | mg     | 2026-01-15
        """,
        regimens=[TABLE, other],
    )
    gaps = dict(frame.filter(pl.col("PARAMCD") == "DOSE").select("SRCSEQ", "GAP").iter_rows())
    assert gaps == {1: None, 2: None, 3: 7, 4: 14}
    assert found.is_empty()


def test_gaps_past_the_schedule_count_from_the_planned_day() -> None:
    """Seven days are planned after the first and after the second dose: 21 and 28 days are 14 and 21 past."""
    frame, _ = build(
        """
        USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC
        1       | 1     | TARLATAMAB | 1      | mg     | 2026-01-01
        1       | 2     | TARLATAMAB | 10     | mg     | 2026-01-22
        1       | 3     | TARLATAMAB | 10     | mg     | 2026-02-19
        4       | 1     | TARLATAMAB | 1      | mg     | 2026-01-01
        4       | 2     | TARLATAMAB | 10     | mg     | 2026-01-23
        """,
        regimens=[{**TABLE, "gap_basis": "days_past_schedule"}],
    )
    assert frame.filter(pl.col("PARAMCD") == "DOSE")["DUE"].to_list() == [1, 10, 10, 1, 1]


def test_gaps_may_be_counted_past_the_schedule() -> None:
    """Record 3 came 22 - 7 = 15 days past its schedule, record 5 29 - 14: both within 21 and 28."""
    frame, _ = build(RESTARTED, regimens=[{**TABLE, "gap_basis": "days_past_schedule"}])
    rows = frame.filter(pl.col("PARAMCD") == "DOSE")
    assert rows["DUE"].to_list() == [1, 10, 10, 10, 10, 10, 10, 10, 10]


def test_a_first_dose_without_step_up_is_not_the_one_due() -> None:
    frame, _ = build(
        """
        USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC
        1       | 1     | TARLATAMAB | 10     | mg     | 2026-01-01
        """,
        regimens=[TABLE],
    )
    off = frame.filter(pl.col("PARAMCD") == "DOSEDEV")
    assert off.select("AVALC", "RULE").rows() == [("10 mg given, 1 due", "the first dose")]


def test_without_a_restart_table_nothing_is_due() -> None:
    frame, found = build(RESTARTED)
    assert frame["DUE"].null_count() == frame.height
    assert "NDOSEDEV" not in frame["PARAMCD"].to_list()
    assert found.is_empty()


@pytest.mark.parametrize(
    ("amounts", "completed"),
    [((1, 10, 10), "Y"), ((1, 10), "N"), ((1, 10, 5), "N"), ((1, 1, 10, 10), "Y"), ((10, 10, 10), "N")],
)
def test_step_up_is_completed_by_the_doses_listed(amounts: tuple[float, ...], completed: str) -> None:
    ex = pl.DataFrame(
        {"EXDOSE": [float(a) for a in amounts]}, schema={"EXDOSE": pl.Float64}
    ).with_columns(
        USUBJID=pl.lit("1"), EXTRT=pl.lit("TARLATAMAB"), EXDOSU=pl.lit("mg"), EXSEQ=pl.int_range(1, pl.len() + 1),
        EXSTDTC=(dt.date(2026, 1, 1) + pl.duration(days=7 * pl.int_range(pl.len()))).cast(pl.String),
    )  # fmt: skip
    frame, _ = adex.build(small_study(regimens=[TABLE]), {"EX": ex}, adsl(), CUTOFF)
    assert frame.filter(pl.col("PARAMCD") == "STEPCOMP")["AVALC"].item() == completed


def test_of_several_regimens_of_a_drug_that_of_the_nearest_first_dose() -> None:
    """Nivolumab 240 mg every two weeks or 480 mg every four: each on its own plan."""
    every = {"arm": "A", "drug": "nivolumab", "unit": "mg", "days": [1]}
    plans = [{**every, "doses": [240], "interval_days": 14}, {**every, "doses": [480], "interval_days": 28}]
    frame, _ = build(
        """
        USUBJID | EXSEQ | EXTRT     | EXDOSE | EXDOSU | EXSTDTC
        2       | 1     | NIVOLUMAB | 480    | mg     | 2026-01-01
        2       | 2     | NIVOLUMAB | 480    | mg     | 2026-01-29
        """,
        regimens=plans,
    )
    assert value(frame, "PLANDOSE", "2") == 960
    assert value(frame, "RDI", "2") == 100
    assert value(frame, "NDELAY", "2") == 0


def test_an_amount_off_the_plan_is_said_so() -> None:
    frame, _ = build(
        """
        USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC
        1       | 1     | TARLATAMAB | 10     | mg     | 2026-01-01
        1       | 2     | TARLATAMAB | 10.9   | mg     | 2026-01-08
        """
    )
    assert frame.filter(pl.col("PARAMCD") == "STEPUPFL")["AVALC"].to_list() == ["N"]
    rules = frame.filter(pl.col("PARAMCD") == "DOSE")["RULE"].to_list()
    assert rules == ["more than a tenth from the planned amount", None]


def test_without_a_plan_the_value_is_null_and_the_rule_says_why() -> None:
    frame, _ = build(
        """
        USUBJID | EXSEQ | EXTRT       | EXDOSE | EXDOSU | EXSTDTC    | EXENDTC
        2       | 1     | IRINOTECAN  | 180    | mg/m2  | 2026-01-01 | 2026-01-01
        2       | 2     | FLUOROURACIL| 2400   | mg/m2  | 2026-01-01 | 2026-01-03
        2       | 3     | IRINOTECAN  | 150    | mg/m2  | 2026-01-15 | 2026-01-15
        """
    )
    planned = frame.filter(pl.col("PARAMCD").is_in(["PLANDOSE", "RDI"]))
    assert planned["AVAL"].null_count() == planned.height == 4
    assert planned["RULE"].unique().to_list() == ["the plan is not defined for this arm, drug and unit"]
    by_drug = frame.filter(pl.col("PARAMCD") == "CUMDOSE").select("PARCAT1", "AVAL", "SRCSEQ").rows()
    assert by_drug == [("IRINOTECAN", 330, 1), ("FLUOROURACIL", 2400, 2)]
    assert value(frame, "NDOSE", "2") == 2, "two drugs on one day are one dosing day"


def test_the_plan_holds_only_in_its_unit() -> None:
    frame, _ = build(
        """
        USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC
        1       | 1     | TARLATAMAB | 1000   | ug     | 2026-01-01
        """
    )
    assert value(frame, "RDI") is None


def test_daily_dosing_written_as_a_span_counts_its_administrations() -> None:
    frame, found = build(
        """
        USUBJID | EXSEQ | EXTRT   | EXDOSE | EXDOSU | EXDOSFRQ | EXSTDTC    | EXENDTC
        2       | 1     | PLACEBO | 0      | mg     | QD       | 2026-01-01 | 2026-01-10
        2       | 2     | DRUGX   | 81     | mg     | BID      | 2026-01-11 | 2026-01-12
        2       | 3     | DRUGX   | 81     | mg     | BID      | 2026-01-20 | |
        """,
        sources=small_sources(dose_given="any"),
    )
    assert value(frame, "NDOSE", "2") == 10 + 4 + 1
    assert frame.filter(pl.col("PARAMCD") == "CUMDOSE")["AVAL"].to_list() == [0, 81 * 5]
    assert found["rule"].to_list() == ["no end of a daily dosing"]


def test_a_dose_not_given_and_a_dose_after_the_cutoff_do_not_count() -> None:
    frame, _ = build(
        """
        USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXOCCUR | EXSTDTC
        1       | 1     | TARLATAMAB | 1      | mg     | Y       | 2026-01-01
        1       | 2     | TARLATAMAB | 0      | mg     |         | 2026-01-08
        1       | 3     | TARLATAMAB | 10     | mg     | N       | 2026-01-15
        1       | 4     | TARLATAMAB | 10     | mg     | Y       | 2026-02-01
        """,
        cutoff=dt.date(2026, 1, 31),
    )
    assert frame.filter(pl.col("PARAMCD") == "DOSE")["SRCSEQ"].to_list() == [1]


def test_bad_doses_are_findings_and_travel_on() -> None:
    frame, found = build(
        """
        USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC    | EXENDTC
        1       | 1     | TARLATAMAB | 1      | mg     | 2026-01-01 | 2025-01-01
        1       | 2     | TARLATAMAB | 10     | mg     | 2026-01    | |
        1       | 3     | TARLATAMAB |        | mg     | 2026-01-15 | |
        9       | 1     | TARLATAMAB | 1      | mg     | 2026-01-01 | |
        """
    )
    assert sorted(found["rule"]) == [
        "end before start",
        "the amount is not known",
        "the day of the dose is not known",
        "the subject is not in ADSL",
    ]
    assert value(frame, "CUMDOSE") == 11
    assert value(frame, "NDOSE") == 2
    undated = frame.filter(pl.col("PARAMCD") == "DOSE", pl.col("SRCSEQ") == 2)
    assert undated["ADT"].item() is None
    assert undated["DOSENUM"].item() is None


def test_the_key_is_unique_and_the_schema_stands_without_any_dose() -> None:
    frame, _ = build(FIVE_DOSES)
    assert not frame.select("USUBJID", "PARAMCD", "SRCSEQ").is_duplicated().any()
    nothing, found = adex.build(small_study(regimens=[]), {}, adsl(), CUTOFF)
    assert nothing.schema == adex.SCHEMA == frame.schema
    assert nothing.is_empty()
    assert found.is_empty()


def test_the_order_of_the_records_does_not_matter() -> None:
    frame = table(FIVE_DOSES).with_columns(pl.col("USUBJID").cast(pl.String))
    straight, _ = adex.build(small_study(), {"EX": frame}, adsl(), CUTOFF)
    turned, _ = adex.build(small_study(), {"EX": frame.reverse()}, adsl(), CUTOFF)
    assert straight.equals(turned)


def test_an_amount_that_is_nowhere_known_has_no_sum() -> None:
    frame, _ = build(
        """
        USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC
        1       | 1     | TARLATAMAB |        | mg     | 2026-01-01
        """
    )
    assert value(frame, "CUMDOSE") is None
    assert frame.filter(pl.col("PARAMCD") == "LDOSE")["SRCVAR"].to_list() == ["EXSTDTC"]
