"""ADQS: QLQ-C30 scales, drawn. Visits on days 0, 42, 84 and 126 after randomisation on 2026-01-01.

In the drawings one number stands for a form: the answer to items 1 to 28 (items 29 and 30 are answered 4), so
that a function scores 100, 66.7, 33.3, 0 and a symptom 0, 33.3, 66.7, 100 for 1, 2, 3, 4.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from drawn import table
from small import CUTOFF, small_sources, small_study
from trialwright.adam import adqs

ADSL = """
    USUBJID | TRT01P | RANDDT     | TRTSDT     | TRTSDTM
    1       | B      | 2026-01-01 | 2026-01-05 | 2026-01-05T09:00
    2       | A      | 2026-01-01 |            | |
    3       | A      |            |            | |
"""


def adsl() -> pl.DataFrame:
    return table(ADSL).with_columns(
        pl.col("USUBJID").cast(pl.String),
        pl.col("RANDDT", "TRTSDT").cast(pl.Date),
        TRTSDTM=pl.col("TRTSDTM").str.to_datetime("%Y-%m-%dT%H:%M"),
    )


def qs(drawn: str) -> pl.DataFrame:
    """QS of the drawn forms: 30 items each."""
    forms = table(drawn).with_columns(pl.col("USUBJID", "QSDTC").cast(pl.String))
    items = pl.DataFrame({"i": range(1, 31)})
    return (
        forms.join(items, how="cross")
        .with_columns(
            QSTESTCD=pl.format("QLQ{}", pl.col("i").cast(pl.String).str.zfill(2)),
            QSSTRESN=pl.when(pl.col("i") > 28).then(4).otherwise("answer").cast(pl.Float64),
            QSSEQ=pl.int_range(1, pl.len() + 1).over("USUBJID"),
        )
        .drop("i", "answer")
    )


def build(drawn: str, cutoff: dt.date = CUTOFF, **study: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    return adqs.build(small_study(**study), {"QS": qs(drawn)}, adsl(), cutoff)


def fatigue(drawn: str, **kwargs: Any) -> pl.DataFrame:
    """The rows of one scale: its form dates say where each form went."""
    return build(drawn, **kwargs)[0].filter(pl.col("PARAMCD") == "FA")


def test_scales_base_and_change() -> None:
    frame, found = build(
        """
        USUBJID | QSDTC      | answer
        1       | 2025-12-30 | 2
        1       | 2026-02-12 | 3
        """
    )
    rows = frame.filter(pl.col("PARAMCD").is_in(["PF", "FA", "QL", "SUM"])).with_columns(
        pl.col("AVAL", "BASE", "CHG").round(2)
    )
    assert rows.select("PARAMCD", "AVISIT", "AVISITN", "AVAL", "BASE", "CHG", "ABLFL").rows() == [
        ("FA", "BASELINE", 0, 33.33, 33.33, None, "Y"),
        ("FA", "WEEK 6", 42, 66.67, 33.33, 33.33, None),
        ("PF", "BASELINE", 0, 66.67, 66.67, None, "Y"),
        ("PF", "WEEK 6", 42, 33.33, 66.67, -33.33, None),
        ("QL", "BASELINE", 0, 50.0, 50.0, None, "Y"),
        ("QL", "WEEK 6", 42, 50.0, 50.0, 0.0, None),
        ("SUM", "BASELINE", 0, 66.67, 66.67, None, "Y"),
        ("SUM", "WEEK 6", 42, 33.33, 66.67, -33.33, None),
    ]
    assert frame["PARAMCD"].n_unique() == 16
    assert frame["ADY"].unique().sort().to_list() == [-2, 43], "days count from randomisation"
    assert found.is_empty()


def test_forms_go_to_the_nearest_visit_and_the_closest_stays() -> None:
    """§7.3. Days after randomisation: 21 is half-way to week 6 and nearer to baseline or as near: unscheduled;
    38 and 46 are as close to 42: the earlier; 63 lies half-way between 42 and 84: the earlier visit, but there 38
    is closer; 64 is week 12; 147 is the last day of week 18, and 148 is beyond."""
    rows = fatigue(
        """
        USUBJID | QSDTC      | answer | day
        1       | 2026-01-01 | 1      | 0
        1       | 2026-01-22 | 1      | 21
        1       | 2026-02-08 | 1      | 38
        1       | 2026-02-16 | 1      | 46
        1       | 2026-03-05 | 1      | 63
        1       | 2026-03-06 | 1      | 64
        1       | 2026-05-28 | 1      | 147
        1       | 2026-05-29 | 1      | 148
        """
    )
    assert rows["AVISIT"].to_list() == [
        *("BASELINE", "UNSCHEDULED", "WEEK 6", "UNSCHEDULED", "UNSCHEDULED", "WEEK 12"),
        *("WEEK 18", "UNSCHEDULED"),
    ]
    assert rows["AVISITN"].to_list() == [0, None, 42, None, None, 84, 126, None]
    assert rows["ANL01FL"].to_list() == ["Y", None, "Y", None, None, "Y", "Y", None]
    assert rows["CHG"].null_count() == 1, "an unscheduled form has a change too"


BASELINES = [
    ("the last of two in time", "2025-12-20 2025-12-28", "2025-12-28", False),
    ("the day of randomisation", "2026-01-01", "2026-01-01", False),
    ("fourteen days before", "2025-12-18", "2025-12-18", False),
    ("fifteen days before: late, but before the dose", "2025-12-17", "2025-12-17", True),
    ("after randomisation, before the first dose", "2026-01-03", "2026-01-03", True),
    ("one in time is preferred", "2025-12-20 2026-01-03", "2025-12-20", False),
    ("on the dosing day, time before", "2026-01-05T08:00", "2026-01-05", True),
    ("on the dosing day, time after", "2026-01-05T10:00", None, False),
    ("on the dosing day, no time", "2026-01-05", None, False),
    ("only later", "2026-02-12", None, False),
]


@pytest.mark.parametrize(("why", "forms", "baseline", "late"), BASELINES)
def test_which_form_is_the_baseline(why: str, forms: str, baseline: str | None, late: bool) -> None:
    drawn = "USUBJID | QSDTC | answer\n" + "\n".join(f"1 | {day} | 2" for day in forms.split())
    rows = fatigue(drawn)
    flagged = rows.filter(pl.col("ABLFL") == "Y")
    assert flagged["ADT"].cast(pl.String).to_list() == ([baseline] if baseline else []), why
    assert flagged["RULE"].is_not_null().to_list() == ([late] if baseline else []), why


def test_a_form_without_any_scale_is_no_baseline_and_no_visit() -> None:
    frame = qs(
        """
        USUBJID | QSDTC      | answer
        1       | 2025-12-28 | 2
        1       | 2025-12-30 | 2
        """
    ).with_columns(
        QSSTRESN=pl.when((pl.col("QSDTC") != "2025-12-30") | (pl.col("QSTESTCD") == "QLQ10")).then("QSSTRESN")
    )
    rows, _ = adqs.build(small_study(), {"QS": frame}, adsl(), CUTOFF)
    rows = rows.filter(pl.col("PARAMCD") == "FA")
    assert rows["ABLFL"].to_list() == ["Y", None]
    assert rows["AVAL"].is_null().to_list() == [False, True]
    assert rows["NANSWER"].to_list() == [3, 1]
    assert rows["RULE"][1] == "fewer than half of the items answered"
    assert rows["AVISIT"][1] == "UNSCHEDULED"


def test_answers_that_are_none_are_findings() -> None:
    frame = qs("USUBJID | QSDTC | answer\n1 | 2025-12-28 | 2").with_columns(
        QSSTRESN=pl.when(pl.col("QSTESTCD") == "QLQ08").then(5.0).otherwise("QSSTRESN")
    )
    twice = pl.concat([frame, frame.filter(pl.col("QSTESTCD") == "QLQ11").with_columns(QSSTRESN=4.0)])
    rows, found = adqs.build(small_study(), {"QS": twice}, adsl(), CUTOFF)
    assert found.select("rule", "value").sort("rule", "value").rows() == [
        ("answered twice differently", "2"),
        ("answered twice differently", "4"),
        ("not an answer of the item", "5"),
    ]
    nothing = rows.filter(pl.col("PARAMCD").is_in(["DY", "SL", "SUM"]))
    assert nothing["AVAL"].null_count() == 3


def test_a_form_of_unknown_day_is_a_finding_and_a_later_one_is_ignored() -> None:
    frame, found = build(
        """
        USUBJID | QSDTC      | answer
        1       | 2026-01    | 2
        1       | 2026-02-12 | 2
        1       | 2026-03-26 | 2
        9       | 2026-02-12 | 2
        """,
        cutoff=dt.date(2026, 3, 25),
    )
    assert frame["ADT"].unique().to_list() == [dt.date(2026, 2, 12)]
    by_rule = dict(found["rule"].value_counts().iter_rows())
    assert by_rule == {"the day of the form is not known": 1, "the subject is not in ADSL": 30}


def test_a_form_of_unknown_day_is_named_by_its_first_record_whatever_the_order_of_the_file() -> None:
    answers = qs("USUBJID | QSDTC | answer\n1 | 2026-01 | 2").reverse()
    apart = pl.concat([answers.head(9), answers.tail(2), answers.slice(9, 19)])
    for frame in (answers, apart):
        _, found = adqs.build(small_study(), {"QS": frame}, adsl(), CUTOFF)
        assert found.select("key", "value").rows() == [("USUBJID=1, SEQ=1", "2026-01")]


def test_forms_of_a_subject_who_was_never_randomised_have_no_visit() -> None:
    rows = fatigue("USUBJID | QSDTC | answer\n3 | 2026-02-12 | 2")
    assert rows.select("AVISIT", "ABLFL", "ADY").rows() == [("UNSCHEDULED", None, None)]


def test_the_key_is_unique_and_an_absent_domain_is_empty() -> None:
    frame, _ = build("USUBJID | QSDTC | answer\n1 | 2026-02-12 | 2\n2 | 2026-02-12 | 2")
    assert not frame.select("USUBJID", "PARAMCD", "ADT", "SRCSEQ").is_duplicated().any()
    assert frame["SRCSEQ"].to_list() == [1] * 32
    for study in (small_study(), small_study(instruments=[], sources=small_sources(instruments={}))):
        nothing, found = adqs.build(study, {}, adsl(), CUTOFF)
        assert nothing.schema == adqs.SCHEMA == frame.schema
        assert nothing.is_empty()
        assert found.is_empty()
