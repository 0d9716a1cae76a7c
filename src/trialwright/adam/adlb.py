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
from trialwright.adam.safety_common import Sdtm, because, domain, flag, goes_on, numbered, of_subjects, only
from trialwright.adam.safety_periods import within
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

_REASONS: Final = ("censored", "worded", "urine", "reason_low", "reason_high")
_OF_ADSL: Final = ["TRT01A", "TRTSDT", "TRTSDTM", "TRTEDT", "EOTDT", "EOSDT", "DTHDT"]


def build(study: Study, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Laboratory values up to the cutoff, one row per record of LB; and what was wrong in them."""
    limits = ctcae.criteria(_version(study))
    known, strangers = of_subjects(domain(sdtm, "LB", _LB), adsl, _OF_ADSL, "LB", "LBSEQ")
    records = known.filter((dates.earliest(pl.col("LBDTC")) <= cutoff).fill_null(True))
    values = _with_baseline(_placed(_in_si(_in_order(records)), study))
    asked = values.with_columns(_circumstances(study, sdtm, values, cutoff))
    graded = _graded(asked, limits, policies.laboratory(study))
    frame = _worst(graded).with_columns(
        SAFFL=flag(pl.col("TRTSDT").is_not_null()),
        ADY=dates.study_day(pl.col("ADT"), pl.col("TRTSDT")),
        CHG=pl.when("after").then(pl.col("AVAL") - pl.col("BASE")),
        SRCDOM=pl.lit("LB"),
    )
    found = concat([strangers, *_findings(graded, limits["test"].unique().to_list())])
    return _explained(frame).match_to_schema(SCHEMA, extra_columns="ignore"), found


def _in_order(records: pl.DataFrame) -> pl.DataFrame:
    """The records in the order of the key, numbered by ``row``; ``who`` and ``what`` number subject and test.

    From here on each step keeps this order, and compares whole numbers instead of text.
    """
    dated = records.with_columns(
        numbered(records["USUBJID"]).alias("who"),
        numbered(records["LBTESTCD"]).alias("what"),
        ADT=dates.complete(pl.col("LBDTC")),
    )
    return dated.sort("who", "what", "ADT", "LBSEQ", nulls_last=True).with_row_index("row")


def _version(study: Study) -> Any:
    return study.laboratory.criteria


def _in_si(records: pl.DataFrame) -> pl.DataFrame:
    """AVAL, AVALU, ANRLO and ANRHI in SI units, from the standard result, else from the original one.

    ``<5`` is 5 and marked ``censored``; an unknown unit leaves the numbers as they are, marked ``foreign``.
    """
    standard = pl.col("LBSTRESN").is_not_null() | pl.col("LBSTRESC").is_not_null()
    said = pl.when(pl.col("LBSTRESN").is_null()).then(pl.coalesce("LBSTRESC", "LBORRES"))
    spoken = said.str.strip_chars()
    read = spoken.str.replace(r"^[<>]=?\s*", "").cast(pl.Float64, strict=False)
    number = pl.coalesce("LBSTRESN", pl.when(read.is_finite()).then(read))

    def original(limit: str) -> pl.Expr:
        return pl.when(~standard).then(limit).cast(pl.Float64, strict=False)

    given = records.with_columns(
        test=pl.col("LBTESTCD"),
        unit=pl.when(standard).then("LBSTRESU").otherwise("LBORRESU"),
        value=number,
        lln=pl.when(standard).then("LBSTNRLO").otherwise(original("LBORNRLO")),
        uln=pl.when(standard).then("LBSTNRHI").otherwise(original("LBORNRHI")),
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


def _placed(values: pl.DataFrame, study: Study) -> pl.DataFrame:
    """``after`` the first dose or not, and on treatment or not. A day without a time is before its dose."""
    dated = values.with_columns(
        ADTM=dates.datetime(pl.col("LBDTC")), PARAMCD="LBTESTCD", PARAM="LBTEST", PARCAT1="LBCAT",
        AVISIT="VISIT", SRCSEQ="LBSEQ",
    )  # fmt: skip
    both_timed = pl.col("ADTM").is_not_null() & pl.col("TRTSDTM").is_not_null()
    after = (
        pl.when(both_timed)
        .then(pl.col("ADTM") > pl.col("TRTSDTM"))
        .otherwise(pl.col("ADT") > pl.col("TRTSDT"))
    )
    last = pl.col("TRTEDT") + pl.duration(days=study.adverse_events.window_days)
    within = (pl.col("ADT") <= last).fill_null(True) | goes_on(study)
    return dated.with_columns(after=after).with_columns(ONTRTFL=flag(pl.col("after") & within))


def _with_baseline(values: pl.DataFrame) -> pl.DataFrame:
    """BASE, the row it is in and the limits that held then, on every row of what can be compared.

    Values can be compared if they are of one subject, test, unit and specimen.
    """
    unit = numbered(values["AVALU"]).cast(pl.Int64).fill_null(-1) + 1
    kind = pl.col("what").cast(pl.Int64) * 2**16 + unit * 2 + pl.col("urine")
    placed = values.with_columns(series=pl.col("who").cast(pl.Int64) * 2**32 + kind)
    moment = pl.coalesce("ADTM", pl.col("ADT").cast(pl.Datetime("us")))
    before = placed.filter(~pl.col("after"), pl.col("AVAL").is_not_null()).select("row", "series", m=moment)
    last = before.sort("m", "row").group_by("series").agg(baseline_row=pl.col("row").last())
    joined = placed.join(last, on="series", how="left", maintain_order="left")
    is_baseline = (pl.col("row") == pl.col("baseline_row")).fill_null(False)
    return joined.with_columns(
        ABLFL=only(is_baseline),
        is_baseline=is_baseline,
        BASE=_at_baseline("AVAL"),
        baseline_lln=_at_baseline("ANRLO"),
        baseline_uln=_at_baseline("ANRHI"),
    )


def _at_baseline(column: str) -> pl.Expr:
    return pl.col(column).gather("baseline_row")


def _circumstances(study: Study, sdtm: Sdtm, values: pl.DataFrame, cutoff: date) -> list[pl.Series]:
    """``on_anticoagulant`` and ``symptomatic``: within a period that the study's sources name; else null."""
    sources = study.sources
    unknown = pl.repeat(None, values.height, dtype=pl.Boolean, eager=True)
    anticoagulated = symptomatic = unknown
    if sources.anticoagulation:
        anticoagulated = within(sdtm, sources.anticoagulation, values, cutoff)
    for test, period in sources.symptoms.items():
        shown = within(sdtm, period, values, cutoff)
        symptomatic = shown.zip_with(values["PARAMCD"].eq_missing(test), symptomatic)
    return [anticoagulated.alias("on_anticoagulant"), symptomatic.alias("symptomatic")]


def _graded(values: pl.DataFrame, limits: pl.DataFrame, policy: ctcae.Policy) -> pl.DataFrame:
    asked = values.select(
        "row",
        "is_baseline",
        "baseline_lln",
        "baseline_uln",
        "on_anticoagulant",
        "symptomatic",
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
    ).with_columns(BTOXGRL=_at_baseline("ATOXGRL"), BTOXGRH=_at_baseline("ATOXGRH"))


def _with_albumin(asked: pl.DataFrame) -> pl.DataFrame:
    """Albumin nearest to each calcium (section 4.4, 2)."""
    calcium = asked.filter(pl.col("test") == "CA").select("row", "subject", "day")
    albumin = asked.filter(pl.col("test") == "ALB", pl.col("unit") == "g/L").select(
        "subject", "day", albumin="value"
    )
    numbered = pl.col("day").to_physical().cast(pl.Int64)
    near = nearest_albumin(calcium.with_columns(day=numbered), albumin.with_columns(day=numbered))
    return asked.join(near.select("row", "albumin"), on="row", how="left", maintain_order="left")


def _worst(graded: pl.DataFrame) -> pl.DataFrame:
    """Y on the first of the worst on-treatment grades, per subject and test, in each direction."""
    grades = {"WORSTLFL": "ATOXGRL", "WORSTHFL": "ATOXGRH"}
    return graded.with_columns(only(_is_worst(graded, grade)).alias(name) for name, grade in grades.items())


def _is_worst(graded: pl.DataFrame, grade: str) -> pl.Expr:
    candidates = graded.filter(pl.col("ONTRTFL") == "Y", pl.col(grade).is_not_null())
    chosen = (
        candidates.select("row", "who", "what", grade)
        .sort(grade, "row", descending=[True, False])
        .unique(["who", "what"], keep="first", maintain_order=True)
    )
    return pl.col("row").is_in(chosen["row"].implode())


def _explained(frame: pl.DataFrame) -> pl.DataFrame:
    """With RULE, written once for each of the few combinations of reasons."""
    reasons = frame.select(*_REASONS, undated=pl.col("ADT").is_null())
    words = reasons.unique().with_columns(RULE=_rule())
    told = reasons.join(words, on=reasons.columns, how="left", nulls_equal=True, maintain_order="left")
    return frame.with_columns(told["RULE"])


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
        pl.when("undated").then(pl.lit("the day is not known")),
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
