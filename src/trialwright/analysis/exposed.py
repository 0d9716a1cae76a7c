"""Exposure-adjusted rates per 100 patient-years (project rules 8.12): patients with an event, and events."""

from __future__ import annotations

from dataclasses import dataclass
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
    """``eair`` and ``eaer`` with exact Poisson limits, and their years, for each level in each group.

    ``eair``: patients with an event over the years until the first; ``eaer``: all events over all years.

    At risk: from the first dose to the first event of the level, else to the earliest of death, cutoff, and
    the end of the window after the last dose (which is open while treatment goes on). ``levels`` has
    USUBJID, group, level, ASTDT and the episode, one row per record.
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
    events = with_total(levels).group_by("level", "group").agg(events=pl.col("episode").n_unique())
    whole = followed.group_by("group").agg(pl.col("days").sum())
    cells = (
        levels.select("level").unique().sort("level")
        .join(sizes.select("group"), how="cross")
        .join(saved, on=["level", "group"], how="left")
        .join(events, on=["level", "group"], how="left")
        .join(whole, on="group", how="left")
        .with_columns(pl.col("x", "saved", "days", "events").fill_null(0))
        .select(
            "level", "group", "x", "events",
            years=(pl.col("days") - pl.col("saved")) / DAYS_PER_YEAR,
            whole=pl.col("days") / DAYS_PER_YEAR,
        )
    )  # fmt: skip
    rows = [row for cell in cells.iter_rows() for row in _Cell(*cell).rows(study.study.confidence)]
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


@dataclass(frozen=True, slots=True)
class _Cell:
    """``x`` patients with an event in ``years`` at risk; ``events`` in all the years followed."""

    level: str
    group: str
    x: int
    events: int
    years: float
    whole: float

    def rows(self, confidence: float) -> list[Row]:
        """Events of a patient come together: the limits of ``eaer`` are too narrow, and its note says so."""
        patients = "patients with an event per 100 patient-years at risk"
        happened = "events per 100 patient-years; the limits take events of one patient as independent"
        told = [
            *_rate("eair", (self.x, self.years), confidence, patients),
            *_rate("eaer", (self.events, self.whole), confidence, happened),
            ("patient_years", self.years, "at risk"),
            ("patient_years_followed", self.whole, "with the event or not"),
        ]
        return [(self.group, self.level, *one) for one in told]


def _rate(
    name: str, counted: tuple[int, float], confidence: float, note: str
) -> list[tuple[str, float | None, str]]:
    names = limits(name)
    try:
        found = poisson_rate(*counted, confidence, per=PER)
    except NotEstimable as why:
        return [(one, None, why.reason) for one in names]
    values = (found.estimate, found.lower, found.upper)
    return [(one, value, note) for one, value in zip(names, values, strict=True)]
