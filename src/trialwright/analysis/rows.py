"""Numbers with their addresses: what every method says before it says a number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from trialwright.standards import results
from trialwright.standards.results import Result, result
from trialwright.stats.errors import NotEstimable

Adam = Mapping[str, pl.DataFrame]
"""The analysis datasets by name."""


@dataclass(frozen=True, slots=True)
class Address:
    """The part of the address that all numbers of one analysis share."""

    analysis: str
    population: str = ""
    endpoint: str = ""

    def number(
        self, statistic: str, value: float | None, *, group: str = "", level: str = "", note: str = ""
    ) -> Result:
        return result(
            self.analysis,
            statistic,
            value,
            note=note,
            endpoint=self.endpoint,
            population=self.population,
            group=group,
            level=level,
        )

    def estimates(
        self,
        names: Sequence[str],
        compute: Callable[[], Iterable[float]],
        *,
        group: str = "",
        level: str = "",
        note: str = "",
        gap: str = "not reached",
    ) -> Iterator[Result]:
        """One row for each name; ``gap`` is the reason where a value is NaN.

        `NotEstimable` is the only exception caught: every name then becomes a row without a value.
        """
        try:
            values = tuple(compute())
        except NotEstimable as why:
            values, gap = (math.nan,) * len(names), why.reason
        for name, value in zip(names, values, strict=True):
            words = gap if math.isnan(value) else note
            yield self.number(name, value, group=group, level=level, note=words)

    def frame(self, numbers: pl.DataFrame) -> pl.DataFrame:
        """Results from a frame with group, level, statistic, value and perhaps note, one row per number."""
        note = pl.col("note").fill_null("") if "note" in numbers.columns else pl.lit("")
        own = {"analysis": self.analysis, "population": self.population, "endpoint": self.endpoint}
        return numbers.with_columns(
            note.alias("note"), pl.col("value").cast(pl.Float64), **{k: pl.lit(v) for k, v in own.items()}
        ).select(results.SCHEMA.names())


def limits(name: str) -> tuple[str, str, str]:
    """The names of an estimate and its two confidence limits."""
    return name, f"{name}_lower", f"{name}_upper"
