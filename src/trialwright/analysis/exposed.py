"""Exposure-adjusted incidence: patients with an event per 100 patient-years at risk (project rules 8.12)."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.analysis.population import with_total
from trialwright.analysis.rows import limits
from trialwright.stats.errors import NotEstimable
from trialwright.stats.proportions import poisson_rate
from trialwright.study.model import Study

DAYS_PER_YEAR: Final = 365.25
PER: Final = 100.0


def incidence_rates(
    study: Study, people: pl.DataFrame, levels: pl.DataFrame, sizes: pl.DataFrame
) -> pl.DataFrame:
    """``eair`` with exact Poisson limits, and ``patient_years``, for each level in each group.

    At risk: from the first dose to the first event of the level, else to the earliest of death, cutoff, and
    the end of the window after the last dose (which is open while treatment goes on). ``levels`` has
    USUBJID, group, level and ASTDT, one row per record.
    """
    followed = with_total(_followed(study, people))
    first = with_total(levels).group_by("level", "group", "USUBJID").agg(onset=pl.col("ASTDT").min())
    offset = study.study.day_offset
    spent = (pl.col("onset") - pl.col("TRTSDT")).dt.total_days() + offset
    saved = (
        first.join(followed, on=["USUBJID", "group"], how="left")
        .with_columns(saved=(pl.col("days") - spent).clip(lower_bound=0).fill_null(0))
        .group_by("level", "group")
        .agg(pl.col("saved").sum(), x=pl.len())
    )
    whole = followed.group_by("group").agg(pl.col("days").sum())
    cells = (
        levels.select("level").unique().sort("level")
        .join(sizes.select("group"), how="cross")
        .join(saved, on=["level", "group"], how="left")
        .join(whole, on="group", how="left")
        .with_columns(pl.col("x", "saved", "days").fill_null(0))
        .select("level", "group", "x", years=(pl.col("days") - pl.col("saved")) / DAYS_PER_YEAR)
    )  # fmt: skip
    rows = [row for cell in cells.iter_rows() for row in _rate(study, *cell)]
    names = ("group", "level", "statistic", "value", "note")
    kinds = (pl.String(), pl.String(), pl.String(), pl.Float64(), pl.String())
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


def _followed(study: Study, people: pl.DataFrame) -> pl.DataFrame:
    """``days`` at risk of each patient to whom nothing happens."""
    window = pl.col("TRTEDT") + pl.duration(days=study.adverse_events.window_days)
    told = pl.lit("treatment_end" in study.sources.facts)
    goes_on = pl.all_horizontal(told, pl.col("EOTDT", "EOSDT", "DTHDT").is_null())
    last = pl.min_horizontal(pl.when(~goes_on).then(window), "DTHDT", "CUTOFFDT")
    days = (last - pl.col("TRTSDT")).dt.total_days() + study.study.day_offset
    return people.select("USUBJID", "group", "TRTSDT", days=days.clip(lower_bound=0))


Row = tuple[str, str, str, float | None, str]


def _rate(study: Study, level: str, group: str, x: int, years: float) -> list[Row]:
    names = limits("eair")
    try:
        found = poisson_rate(x, years, study.study.confidence, per=PER)
        values: tuple[float | None, ...] = (found.estimate, found.lower, found.upper)
        note = "patients with an event per 100 patient-years at risk"
    except NotEstimable as why:
        values, note = (None, None, None), why.reason
    rates = [(group, level, name, value, note) for name, value in zip(names, values, strict=True)]
    return [*rates, (group, level, "patient_years", years, "at risk")]
