"""ADLB: laboratory values in SI units, their change from baseline and their grades in both directions.

Key USUBJID, PARAMCD, ADT, SRCSEQ. Baseline is the last value on or before the first dose (before it, where
both have a time). On treatment is after that, to the end of the adverse event window. The two directions are
never merged (CTCAE); worst counts scheduled and unscheduled values. A value whose unit is not known stays as
reported, ungraded. Dates are never imputed. RULE says why a grade is null or what it assumes.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import polars as pl

from trialwright.adam import policies
from trialwright.adam.safety_common import Sdtm, because, domain, flag, in_order, of_subjects, only
from trialwright.medicine import ctcae
from trialwright.medicine.ctcae_course import nearest_albumin
from trialwright.medicine.units import to_si
from trialwright.standards import dates
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study

SCHEMA: Final = pl.Schema(
    {
        "USUBJID": pl.String(),
        "TRT01A": pl.String(),
        "SAFFL": pl.String(),
        "PARAMCD": pl.String(),
        "PARAM": pl.String(),
        "PARCAT1": pl.String(),
        "ADT": pl.Date(),
        "ADTM": pl.Datetime("us"),
        "ADY": pl.Int64(),
        "AVISIT": pl.String(),
        "AVAL": pl.Float64(),
        "AVALU": pl.String(),
        "ANRLO": pl.Float64(),
        "ANRHI": pl.Float64(),
        "BASE": pl.Float64(),
        "CHG": pl.Float64(),
        "ABLFL": pl.String(),
        "ATOXGRL": pl.Int8(),
        "ATOXGRH": pl.Int8(),
        "BTOXGRL": pl.Int8(),
        "BTOXGRH": pl.Int8(),
        "ONTRTFL": pl.String(),
        "WORSTLFL": pl.String(),
        "WORSTHFL": pl.String(),
        "SRCDOM": pl.String(),
        "SRCVAR": pl.String(),
        "SRCSEQ": pl.Int64(),
        "RULE": pl.String(),
    }
)

_TEXT: Final = (
    *("USUBJID", "LBTESTCD", "LBTEST", "LBCAT", "LBSPEC", "LBORRES", "LBORRESU", "LBSTRESC", "LBSTRESU"),
    *("LBORNRLO", "LBORNRHI", "LBFAST", "LBDTC", "VISIT"),
)
_NUMBERS: Final = ("LBSTRESN", "LBSTNRLO", "LBSTNRHI")
_LB: Final = pl.Schema(
    {"LBSEQ": pl.Int64()} | {name: pl.String() for name in _TEXT} | {name: pl.Float64() for name in _NUMBERS}
)

_SERIES: Final = ["USUBJID", "PARAMCD", "AVALU", "urine"]
"""Values that can be compared: of one subject, test, unit and specimen."""


def build(study: Study, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Laboratory values up to the cutoff, one row per record of LB; and what was wrong in them."""
    limits = ctcae.criteria(_version(study))
    known, strangers = of_subjects(
        domain(sdtm, "LB", _LB), adsl, ["TRT01A", "TRTSDT", "TRTSDTM", "TRTEDT"], "LB", "LBSEQ"
    )
    records = known.filter((dates.earliest(pl.col("LBDTC")) <= cutoff).fill_null(True))
    values = _with_baseline(_placed(_in_si(records), study.adverse_events.window_days))
    graded = _graded(values, limits, policies.laboratory(study))
    flagged = _worst(_baseline_grades(graded))
    frame = flagged.with_columns(
        SAFFL=flag(pl.col("TRTSDT").is_not_null()),
        ADY=dates.study_day(pl.col("ADT"), pl.col("TRTSDT")),
        CHG=pl.when("after").then(pl.col("AVAL") - pl.col("BASE")),
        SRCDOM=pl.lit("LB"),
        RULE=_rule(),
    ).match_to_schema(SCHEMA, extra_columns="ignore")
    found = concat([strangers, *_findings(graded, limits["test"].unique().to_list())])
    return in_order(frame, ["USUBJID", "PARAMCD"], ["ADT", "SRCSEQ"]), found


def _version(study: Study) -> Any:
    return study.laboratory.criteria


def _in_si(records: pl.DataFrame) -> pl.DataFrame:
    """AVAL, AVALU, ANRLO and ANRHI in SI units, from the standard result, else from the original one.

    ``<5`` is 5 and marked ``censored``; an unknown unit leaves the numbers as they are, marked ``foreign``.
    """
    standard = pl.col("LBSTRESN").is_not_null() | pl.col("LBSTRESC").is_not_null()
    said = pl.when(standard).then("LBSTRESC").otherwise("LBORRES").str.strip_chars()
    spoken = pl.when(pl.col("LBSTRESN").is_null()).then(said)
    read = spoken.str.replace(r"^[<>]=?\s*", "").cast(pl.Float64, strict=False)
    number = pl.coalesce("LBSTRESN", pl.when(read.is_finite()).then(read))
    given = records.with_row_index("row").with_columns(
        test=pl.col("LBTESTCD"),
        unit=pl.when(standard).then("LBSTRESU").otherwise("LBORRESU"),
        value=number,
        lln=pl.when(standard).then("LBSTNRLO").otherwise(pl.col("LBORNRLO").cast(pl.Float64, strict=False)),
        uln=pl.when(standard).then("LBSTNRHI").otherwise(pl.col("LBORNRHI").cast(pl.Float64, strict=False)),
        censored=spoken.str.contains("^[<>]").fill_null(False) & number.is_not_null(),
        worded=number.is_null() & said.is_not_null(),
        urine=(pl.col("LBSPEC").eq_missing("URINE") | pl.col("LBCAT").eq_missing("URINALYSIS")),
        SRCVAR=pl.when(standard).then(pl.lit("LBSTRESN")).otherwise(pl.lit("LBORRES")),
    )
    return to_si(given, ("value", "lln", "uln")).with_columns(
        foreign=pl.col("si_unit").is_null(),
        AVAL=pl.coalesce("si_value", "value"),
        AVALU=pl.coalesce("si_unit", "unit"),
        ANRLO=pl.coalesce("si_lln", "lln"),
        ANRHI=pl.coalesce("si_uln", "uln"),
    )


def _placed(values: pl.DataFrame, window_days: int) -> pl.DataFrame:
    """``after`` the first dose or not, and on treatment or not. A day without a time is before its dose."""
    dated = values.with_columns(
        ADT=dates.complete(pl.col("LBDTC")), ADTM=dates.datetime(pl.col("LBDTC")), PARAMCD="LBTESTCD",
        PARAM="LBTEST", PARCAT1="LBCAT", AVISIT="VISIT", SRCSEQ="LBSEQ",
    )  # fmt: skip
    both_timed = pl.col("ADTM").is_not_null() & pl.col("TRTSDTM").is_not_null()
    after = (
        pl.when(both_timed)
        .then(pl.col("ADTM") > pl.col("TRTSDTM"))
        .otherwise(pl.col("ADT") > pl.col("TRTSDT"))
    )
    last = pl.col("TRTEDT") + pl.duration(days=window_days)
    return dated.with_columns(after=after).with_columns(
        ONTRTFL=flag(pl.col("after") & (pl.col("ADT") <= last).fill_null(True))
    )


def _with_baseline(values: pl.DataFrame) -> pl.DataFrame:
    """BASE and the limits that held then, on every row of a subject's test and unit."""
    before = values.filter(~pl.col("after"), pl.col("AVAL").is_not_null()).select(
        "row", *_SERIES, "ADT", "ADTM", "SRCSEQ", "AVAL", "ANRLO", "ANRHI"
    )
    last = (
        before.sort("ADT", "ADTM", "SRCSEQ", nulls_last=False)
        .group_by(_SERIES)
        .agg(
            BASE=pl.col("AVAL").last(),
            baseline_lln=pl.col("ANRLO").last(),
            baseline_uln=pl.col("ANRHI").last(),
            baseline_row=pl.col("row").last(),
        )
    )
    joined = values.join(last, on=_SERIES, how="left", maintain_order="left", nulls_equal=True)
    return joined.with_columns(
        ABLFL=only(pl.col("row") == pl.col("baseline_row")),
        is_baseline=(pl.col("row") == pl.col("baseline_row")).fill_null(False),
    )


def _graded(values: pl.DataFrame, limits: pl.DataFrame, policy: ctcae.Policy) -> pl.DataFrame:
    asked = values.select(
        "row",
        "is_baseline",
        "baseline_lln",
        "baseline_uln",
        sequence="SRCSEQ",
        subject="USUBJID",
        day="ADT",
        test=pl.when(~pl.col("urine")).then("PARAMCD").otherwise(pl.lit("urine")),
        value="AVAL",
        unit="AVALU",
        lln="ANRLO",
        uln="ANRHI",
        baseline="BASE",
        fasting=pl.col("LBFAST") == "Y",
    )
    answer = ctcae.grade_labs(_with_albumin(asked).drop("row"), limits, policy)
    return values.with_columns(
        ATOXGRL=answer["grade_low"],
        ATOXGRH=answer["grade_high"],
        reason_low=answer["reason_low"],
        reason_high=answer["reason_high"],
    )


def _with_albumin(asked: pl.DataFrame) -> pl.DataFrame:
    """Albumin nearest to each calcium (section 4.4, 2)."""
    calcium = asked.filter(pl.col("test") == "CA").select("row", "subject", "day")
    albumin = (
        asked.filter(pl.col("test") == "ALB", pl.col("unit") == "g/L")
        .sort("sequence")
        .select("subject", "day", albumin="value")
    )
    numbered = pl.col("day").to_physical().cast(pl.Int64)
    near = nearest_albumin(calcium.with_columns(day=numbered), albumin.with_columns(day=numbered))
    return asked.join(near.select("row", "albumin"), on="row", how="left", maintain_order="left")


def _baseline_grades(graded: pl.DataFrame) -> pl.DataFrame:
    at_baseline = graded.filter("is_baseline").select(*_SERIES, BTOXGRL="ATOXGRL", BTOXGRH="ATOXGRH")
    return graded.join(at_baseline, on=_SERIES, how="left", maintain_order="left", nulls_equal=True)


def _worst(graded: pl.DataFrame) -> pl.DataFrame:
    """Y on the first of the worst on-treatment grades, per subject and test, in each direction."""
    on_treatment = (
        graded.filter(pl.col("ONTRTFL") == "Y")
        .select("row", "USUBJID", "PARAMCD", "ADT", "SRCSEQ", "ATOXGRL", "ATOXGRH")
        .sort("ADT", "SRCSEQ", nulls_last=True)
    )
    grades = {"WORSTLFL": pl.col("ATOXGRL"), "WORSTHFL": pl.col("ATOXGRH")}
    chosen = on_treatment.group_by("USUBJID", "PARAMCD").agg(
        pl.col("row").filter(grade == grade.max()).first().alias(name) for name, grade in grades.items()
    )
    return graded.with_columns(
        only(pl.col("row").is_in(chosen[name].drop_nulls().implode())).alias(name) for name in grades
    )


def _rule() -> pl.Expr:
    """What is to be said of the value and of each grade; that one direction has no criteria goes without."""
    low, high = pl.col("reason_low"), pl.col("reason_high")
    of_both = because(pl.format("low: {}", low), pl.format("high: {}", high))
    of_grades = (
        pl.when(low.eq_missing(high) | high.eq_missing("no criteria"))
        .then(low)
        .when(low == "no criteria")
        .then(high)
        .otherwise(of_both)
    )
    return because(
        pl.when("censored").then(pl.lit("value is the bound given")),
        pl.when("worded").then(pl.lit("value is not a number")),
        pl.when(pl.col("ADT").is_null()).then(pl.lit("the day is not known")),
        pl.when("urine").then(pl.lit("urine")),
        of_grades,
    )


def _findings(values: pl.DataFrame, gradable: list[str]) -> list[pl.DataFrame]:
    blood = values.filter(pl.col("PARAMCD").is_in(gradable), ~pl.col("urine"))
    units = (
        blood.filter("foreign", pl.col("AVAL").is_not_null())
        .group_by("PARAMCD", "AVALU", maintain_order=True)
        .agg(n=pl.len())
        .rename({"PARAMCD": "LBTESTCD"})
        .sort("LBTESTCD", "AVALU")
    )
    return [
        findings(
            units, dataset="LB", key=["LBTESTCD"], variable="LBSTRESU", rule="unit not known for this test",
            value=pl.format("{} ({} records)", pl.col("AVALU").fill_null("none"), "n"),
            action="value as reported, not graded",
        ),
        _of_record(blood.filter("worded"), "LBSTRESC", "not a number", "value missing"),
        _of_record(blood.filter(pl.col("AVAL") < 0), "LBSTRESN", "negative", "not graded"),
        _of_record(
            values.filter(pl.col("ADT").is_null()), "LBDTC", "the day is not known",
            "neither baseline nor on treatment",
        ),
    ]  # fmt: skip


def _of_record(records: pl.DataFrame, variable: str, rule: str, action: str) -> pl.DataFrame:
    said = {"LBSTRESC": pl.coalesce("LBSTRESC", "LBORRES"), "LBSTRESN": pl.col("value")}
    return findings(
        records,
        dataset="LB",
        key=["USUBJID", "LBSEQ"],
        variable=variable,
        rule=rule,
        value=said.get(variable, pl.col(variable)),
        action=action,
    )
