"""Death, and until when a subject was known alive (project rules 6.2 and 6.7)."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from trialwright.adam import facts
from trialwright.adam.safety_common import Sdtm, flag, text
from trialwright.standards import dates
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study
from trialwright.study.sources import AlivePoint

_ORIGIN = ["USUBJID", "SRCDOM", "SRCVAR"]


def vital_status(
    study: Study, sdtm: Sdtm, frame: pl.DataFrame, cutoff: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Adds DTHDT, DTHDTF, DTHFL, DTHSEQ, LSTALVDT with its origin, and CONTACDT.

    A death known to the month or year: the later of the last day known alive and the study's ``death_day`` of
    that time; without a date no date is made up. What proves life after the cutoff places such a death but
    is not the last day known alive. CONTACDT is the first proof of life after the cutoff, only where a clock
    asks for it. Takes USUBJID, RANDDT and ``_died``; gives the findings too.
    """
    frame = frame.join(_stated(study, sdtm), on="USUBJID", how="left", maintain_order="left").with_row_index(
        "_row"
    )
    points = _alive(study, sdtm, frame)
    possible = points.filter((pl.col("day") <= pl.col("_latest")).fill_null(True))
    frame = frame.join(_last(possible, cutoff), on="_row", how="left", maintain_order="left")
    ever = possible.group_by("_row").agg(pl.col("day").max().alias("_alive"))
    frame = frame.join(ever, on="_row", how="left", maintain_order="left").with_columns(
        DTHDT=_death_day(study), DTHDTF=_imputed_part()
    )
    happened = (pl.col("DTHDT") <= cutoff).fill_null(False)
    undated = pl.col("_died") & pl.col("_first").is_null()
    contact = _contact(study, frame, possible, cutoff)
    frame = frame.with_columns(
        DTHDT=pl.when(happened).then("DTHDT"),
        DTHDTF=pl.when(happened).then("DTHDTF"),
        DTHFL=flag(happened | undated),
    ).join(contact, on="USUBJID", how="left", maintain_order="left")
    seen = points.filter((pl.col("day") <= cutoff) & (pl.col("day") > pl.col("_latest")))
    found = concat([_life_after_death(seen), _imputed(study, frame), _undated(frame.filter(undated))])
    return frame.drop("_row", "_first", "_latest", "_precision", "_died", "_alive"), found


def _stated(study: Study, sdtm: Sdtm) -> pl.DataFrame:
    return facts.pick(sdtm, study.sources.facts.get("death")).select(
        "USUBJID",
        _first=dates.earliest(pl.col("value")),
        _latest=dates.latest(pl.col("value")),
        _precision=dates.precision(pl.col("value")),
        DTHSEQ="SRCSEQ",
    )


def _middle(first: pl.Expr) -> pl.Expr:
    """The 15th of a month, the 1st of July of a year."""
    in_year = pl.date(first.dt.year(), 7, 1)
    return pl.when(pl.col("_precision") == "year").then(in_year).otherwise(first + pl.duration(days=14))


DEATH_DAY: Final = {
    "first": pl.col("_first"),
    "middle": _middle(pl.col("_first")),
    "last": pl.col("_latest"),
}
"""The day of a death known to the month or year, by the study's word."""


def _death_day(study: Study) -> pl.Expr:
    imputed = pl.max_horizontal(DEATH_DAY[study.death_day], "_alive")
    whole_day = pl.col("_precision").is_in(["day", "time"])
    return pl.when(whole_day).then("_first").when(pl.col("_first").is_not_null()).then(imputed)


def _imputed_part() -> pl.Expr:
    """D: the day, M: month and day were imputed."""
    precision = pl.col("_precision")
    return pl.when(precision == "month").then(pl.lit("D")).when(precision == "year").then(pl.lit("M"))


def _alive(study: Study, sdtm: Sdtm, frame: pl.DataFrame) -> pl.DataFrame:
    """Every day that proves life, the earliest its text allows, with the frame's ``_row`` and ``_latest``."""
    points = [_signs(sdtm, point) for point in study.sources.alive]
    randomised = frame.filter(pl.col("RANDDT").is_not_null()).select(
        "USUBJID",
        value=pl.col("RANDDT").cast(pl.String),
        SRCDOM=pl.lit("DS"),
        SRCVAR=pl.lit("DSSTDTC"),
        SRCSEQ=pl.lit(None, dtype=pl.Int64),
    )
    return (
        pl.concat([*points, randomised.match_to_schema(facts.PICKED)])
        .with_columns(day=dates.earliest(pl.col("value")))
        .filter(pl.col("day").is_not_null())
        .join(frame.select("USUBJID", "_row", "_latest"), on="USUBJID")
    )


def _signs(sdtm: Sdtm, point: AlivePoint) -> pl.DataFrame:
    """Without the rows that repeat the one before: a form of thirty answers is one sign of life."""
    frame = facts.matching(sdtm, point.domain, point.where)
    read = frame.select(
        "USUBJID", value=text(frame, point.variable), SRCSEQ=facts.sequence(frame, point.domain)
    )
    same = [pl.col(name) == pl.col(name).shift() for name in ("USUBJID", "value")]
    again = pl.all_horizontal(*same, pl.col("SRCSEQ") >= pl.col("SRCSEQ").shift())
    return (
        read.filter(~again.fill_null(False))
        .with_columns(SRCDOM=pl.lit(point.domain), SRCVAR=pl.lit(point.variable))
        .match_to_schema(facts.PICKED)
    )


def _last(points: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    return (
        points.filter(pl.col("day") <= cutoff)
        .filter(pl.col("day") == pl.col("day").max().over("_row"))
        .sort("SRCDOM", "SRCVAR", "SRCSEQ", nulls_last=True)
        .unique("_row", keep="first", maintain_order=True)
        .select("_row", LSTALVDT="day", LSTALVDM="SRCDOM", LSTALVVR="SRCVAR", LSTALVSQ="SRCSEQ")
    )


def _contact(study: Study, frame: pl.DataFrame, points: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    """The first proof, after the cutoff, that a subject was alive at it; a later death is one too."""
    if all(clock.censor_at != "cutoff_if_contact" for clock in study.endpoints.time_to_event):
        return pl.DataFrame(schema={"USUBJID": pl.String, "CONTACDT": pl.Date})
    died = frame.filter(pl.col("_precision").is_in(["day", "time"])).select("USUBJID", day="_first")
    later = pl.concat([points.select("USUBJID", "day"), died]).filter(pl.col("day") > cutoff)
    return later.group_by("USUBJID").agg(pl.col("day").min().alias("CONTACDT"))


def _life_after_death(points: pl.DataFrame) -> pl.DataFrame:
    """One finding per subject, domain and day."""
    signs = points.sort(*_ORIGIN, "day", "SRCSEQ", nulls_last=True).unique(
        [*_ORIGIN, "day"], keep="first", maintain_order=True
    )
    return concat(
        findings(
            rows,
            dataset=str(domain),
            key=["USUBJID", "SRCSEQ"],
            variable=str(variable),
            rule="a sign of life after the date of death",
            value="day",
            action="kept; not used as the last day known alive",
        )
        for (domain, variable), rows in signs.partition_by(
            ["SRCDOM", "SRCVAR"], as_dict=True, maintain_order=True
        ).items()
    )


def _imputed(study: Study, frame: pl.DataFrame) -> pl.DataFrame:
    return findings(
        frame.filter(pl.col("DTHDTF").is_not_null()),
        dataset="DM",
        key=["USUBJID"],
        variable="DTHDTC",
        rule="date of death not known to the day",
        value="DTHDT",
        action=f"imputed: the {study.death_day} day possible, or the last day known alive if later; flagged",
    )


def _undated(frame: pl.DataFrame) -> pl.DataFrame:
    return findings(
        frame,
        dataset="DM",
        key=["USUBJID"],
        variable="DTHDTC",
        rule="death without a date",
        value="DTHFL",
        action="survival censored at the last day known alive",
    )
