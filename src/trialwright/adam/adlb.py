"""ADLB: laboratory values in SI units, their change from baseline and their grades in both directions.

Key USUBJID, PARAMCD, ADT, SRCSEQ. Baseline is the last value on or before the first dose (before it, where
both have a time). On treatment is after that, to the end of the adverse event window. The two directions are
never merged (CTCAE); worst counts scheduled and unscheduled values. SRCVAR says which result is analysed, the
original or the standard one (``laboratory.result``), and of the latter the number or the text. A value whose
unit is not known stays as reported, ungraded. Dates are never imputed. RULE says why a grade is null or what
it assumes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import polars as pl

from trialwright.adam import policies
from trialwright.adam.adlb_values import places, records, words
from trialwright.adam.safety_common import Sdtm, because, only
from trialwright.adam.safety_periods import within
from trialwright.medicine import ctcae
from trialwright.medicine.ctcae_course import nearest_albumin
from trialwright.medicine.lab_values import REASONS
from trialwright.standards import dates
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study

COLUMNS: Final = (
    *("USUBJID", "TRT01A", "SAFFL", "PARAMCD", "PARAM", "PARCAT1", "ADT", "ADTM", "ADY", "AVISIT"),
    *("AVAL", "AVALU", "ANRLO", "ANRHI", "BASE", "CHG", "ABLFL", "ATOXGRL", "ATOXGRH", "BTOXGRL", "BTOXGRH"),
    *("ONTRTFL", "WORSTLFL", "WORSTHFL", "SRCDOM", "SRCVAR", "SRCSEQ", "RULE"),
)
"""The types are those of ``standards.variables``, which ``build.derive`` enforces."""

_FLAGS: Final = ("censored", "worded", "undated", "urine")


def build(study: Study, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Laboratory values up to the cutoff, one row per record of LB; and what was wrong in them."""
    limits = ctcae.criteria(_version(study))
    taken, strangers = records(study, sdtm, adsl, cutoff)
    values = _with_baseline(taken)
    asked = values.with_columns(_circumstances(study, sdtm, values, cutoff))
    graded = _graded(asked, limits, policies.laboratory(study))
    frame = _worst(graded).with_columns(
        words(graded["USUBJID"]),
        words(graded["PARAMCD"]),
        words(graded["AVALU"]),
        _explained(graded),
        PARAM="LBTEST",
        PARCAT1="LBCAT",
        AVISIT="VISIT",
        ADY=dates.study_day(pl.col("ADT"), pl.col("TRTSDT")),
        CHG=pl.when("after").then(pl.col("AVAL") - pl.col("BASE")),
        SRCDOM=pl.lit("LB"),
        SRCSEQ="LBSEQ",
    )
    found = concat([strangers, *_findings(graded, limits["test"].unique())])
    return frame.select(COLUMNS), found


def _version(study: Study) -> Any:
    return study.laboratory.criteria


def _with_baseline(values: pl.DataFrame) -> pl.DataFrame:
    """BASE, the row it is in and the limits that held then, on every row of what can be compared.

    Values can be compared if they are of one subject, test, unit and specimen; without a name of the test,
    with none.
    """
    units = places(values["AVALU"])
    unit = pl.col("AVALU").to_physical().cast(pl.Int64).fill_null(units - 1)
    alike = (pl.col("series") * units + unit) * 2 + pl.col("urine")
    kind = pl.when(pl.col("PARAMCD").is_not_null()).then(alike)
    moment = pl.coalesce("ADTM", pl.col("ADT").cast(pl.Datetime("us")))
    before = values.lazy().filter(~pl.col("after"), pl.col("AVAL").is_not_null())
    timed = before.select("row", kind=kind, moment=moment).sort("moment", "row")
    last = timed.group_by("kind").agg(baseline_row=pl.col("row").last()).collect()
    kinds = values.select(kind=kind).to_series()
    runs = kinds.rle().struct.field("value").alias("kind").to_frame()
    run = runs.join(last, on="kind", how="left", maintain_order="left")
    is_baseline = (pl.col("row") == pl.col("baseline_row")).fill_null(False)
    return values.with_columns(run["baseline_row"].gather(kinds.rle_id())).with_columns(
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
    rows = values.select("ADT", words(values["USUBJID"]), words(values["PARAMCD"]))
    if sources.anticoagulation:
        anticoagulated = within(sdtm, sources.anticoagulation, rows, cutoff)
    for test, period in sources.symptoms.items():
        shown = within(sdtm, period, rows, cutoff)
        symptomatic = shown.zip_with(rows["PARAMCD"].eq_missing(test), symptomatic)
    return [anticoagulated.alias("on_anticoagulant"), symptomatic.alias("symptomatic")]


def _graded(values: pl.DataFrame, limits: pl.DataFrame, policy: ctcae.Policy) -> pl.DataFrame:
    """The grades of each value and of its baseline; why not is a sum of ``REASONS``."""
    asked = values.select(
        "is_baseline",
        "baseline_lln",
        "baseline_uln",
        "on_anticoagulant",
        "symptomatic",
        _albumin(values),
        subject="series",
        test=pl.when(~pl.col("urine")).then("PARAMCD"),
        value="AVAL",
        unit="AVALU",
        lln="ANRLO",
        uln="ANRHI",
        baseline="BASE",
        fasting="fasting",
    )
    answer = ctcae.grade_bits(asked, limits, policy)
    return values.with_columns(
        ATOXGRL=answer["grade_low"],
        ATOXGRH=answer["grade_high"],
        reason_low=answer["reason_low"],
        reason_high=answer["reason_high"],
    ).with_columns(BTOXGRL=_at_baseline("ATOXGRL"), BTOXGRH=_at_baseline("ATOXGRH"))


def _albumin(values: pl.DataFrame) -> pl.Series:
    """Albumin nearest to each calcium (section 4.4, 2); null elsewhere."""
    blood = values.lazy().filter(~pl.col("urine"))
    timed = [
        pl.col("USUBJID").to_physical().alias("subject"),
        pl.col("ADT").to_physical().cast(pl.Int64).alias("day"),
    ]
    calcium = blood.filter(pl.col("PARAMCD") == "CA").select("row", *timed).collect()
    albumin = (
        blood.filter(pl.col("PARAMCD") == "ALB", pl.col("AVALU") == "g/L")
        .select(*timed, albumin="AVAL")
        .collect()
    )
    near = nearest_albumin(calcium, albumin)
    return (
        pl.repeat(None, values.height, dtype=pl.Float64, eager=True)
        .alias("albumin")
        .scatter(near["row"], near["albumin"])
    )


def _worst(graded: pl.DataFrame) -> pl.DataFrame:
    """Y on the first of the worst on-treatment grades, per subject and test, in each direction."""
    grades = {"WORSTLFL": "ATOXGRL", "WORSTHFL": "ATOXGRH"}
    return graded.with_columns(_is_worst(graded, grade).alias(name) for name, grade in grades.items())


def _is_worst(graded: pl.DataFrame, grade: str) -> pl.Series:
    """The greatest of grade and then earliness: one number, so that no row is sorted."""
    rows = graded.height
    candidates = graded.lazy().filter(pl.col("ONTRTFL") == "Y", pl.col(grade).is_not_null())
    rank = pl.col(grade).cast(pl.Int64) * rows + (rows - 1 - pl.col("row").cast(pl.Int64))
    best = candidates.select("series", rank=rank).group_by("series").agg(pl.col("rank").max()).collect()
    chosen = pl.repeat(False, rows, eager=True).scatter(rows - 1 - best["rank"] % rows, True)
    return pl.select(only(pl.lit(chosen))).to_series()


def _explained(graded: pl.DataFrame) -> pl.Series:
    """RULE, written once for each of the few combinations of reasons and flags: one whole number each."""
    sums = 2 ** len(REASONS)
    digits = {"reason_low": sums, "reason_high": sums} | dict.fromkeys(_FLAGS, 2)
    code = pl.lit(0, dtype=pl.Int64)
    for column, base in digits.items():
        code = code * base + pl.col(column)
    codes = graded.select(RULE=code).to_series()
    few = codes.unique().sort()
    rest, parts = few, {}
    for column, base in reversed(digits.items()):
        parts[column], rest = (rest % base).cast(graded.schema[column]), rest // base
    told = pl.DataFrame(parts).with_columns(
        reason_low=ctcae.in_words(parts["reason_low"]), reason_high=ctcae.in_words(parts["reason_high"])
    )
    return told.select(_rule()).to_series().gather(few.search_sorted(codes)).alias("RULE")


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


def _findings(values: pl.DataFrame, gradable: pl.Series) -> list[pl.DataFrame]:
    named = values.lazy().with_columns(pl.col("USUBJID", "PARAMCD", "AVALU").cast(pl.String))
    blood = pl.col("PARAMCD").is_in(gradable.implode()) & ~pl.col("urine")

    def where(*conditions: pl.Expr) -> pl.DataFrame:
        return named.filter(*conditions).collect()

    units = (
        where(pl.col("foreign") & pl.col("AVAL").is_not_null(), blood)
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
        findings(
            where(pl.col("PARAMCD").is_null()), dataset="LB", key=["USUBJID", "LBSEQ"], variable="LBTESTCD",
            rule="the test is not named", value="LBTEST", action="compared with no other value, not graded",
        ),
        *_of_result(where(pl.col("worded"), blood), "said", "not a number", "value missing"),
        *_of_result(where(pl.col("AVAL") < 0, blood), "value", "negative", "not graded"),
        _of_record(
            where(pl.col("undated")), "LBDTC", "LBDTC", "the day is not known",
            "neither baseline nor on treatment",
        ),
    ]  # fmt: skip


def _of_result(records: pl.DataFrame, value: str, rule: str, action: str) -> Iterator[pl.DataFrame]:
    """By the variable whose result was analysed."""
    for (variable,), some in records.partition_by("SRCVAR", as_dict=True, maintain_order=True).items():
        yield _of_record(some, str(variable), value, rule, action)


def _of_record(records: pl.DataFrame, variable: str, value: str, rule: str, action: str) -> pl.DataFrame:
    key = ["USUBJID", "LBSEQ"]
    return findings(records, dataset="LB", key=key, variable=variable, rule=rule, value=value, action=action)
