"""Results by their address, for tables and sentences that ask for one number at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Self

import polars as pl


@dataclass(frozen=True, slots=True)
class Number:
    """One row of ``results``: the value, or None with the reason in ``note``."""

    value: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """``numbers``: (analysis, endpoint, group, level, statistic) to number, in the order of the rows.

    An analysis has one population, so the population needs no asking for.
    """

    numbers: Mapping[tuple[str, str, str, str, str], Number]
    endpoint_of: Mapping[tuple[str, str, str, str], str]
    levels_of: Mapping[tuple[str, str], tuple[str, ...]]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        address = ("analysis", "endpoint", "group", "level", "statistic")
        rows = frame.select(*(pl.col(c).cast(pl.String).fill_null("") for c in address), "value", "note")
        numbers: dict[tuple[str, str, str, str, str], Number] = {}
        endpoint_of: dict[tuple[str, str, str, str], str] = {}
        levels: dict[tuple[str, str], dict[str, None]] = {}
        for analysis, endpoint, group, level, statistic, value, note in rows.iter_rows():
            key = (analysis, endpoint, group, level, statistic)
            numbers[key] = Number(None if value is None or isnan(value) else value, note or "")
            endpoint_of.setdefault((analysis, group, level, statistic), endpoint)
            levels.setdefault((analysis, endpoint), {})[level] = None
        return cls(numbers, endpoint_of, {key: tuple(found) for key, found in levels.items()})

    def get(
        self, analysis: str, statistic: str, group: str = "", level: str = "", endpoint: str | None = None
    ) -> Number | None:
        """The number, or None where there is no such row. ``endpoint`` None: whichever the row has."""
        if endpoint is None:
            endpoint = self.endpoint_of.get((analysis, group, level, statistic), "")
        return self.numbers.get((analysis, endpoint, group, level, statistic))

    def value(
        self, analysis: str, statistic: str, group: str = "", level: str = "", endpoint: str | None = None
    ) -> float | None:
        found = self.get(analysis, statistic, group, level, endpoint)
        return found.value if found else None

    def levels(self, analysis: str, endpoint: str | None = None) -> tuple[str, ...]:
        """The levels of an analysis in order of appearance."""
        wanted = [
            found
            for (a, e), found in self.levels_of.items()
            if a == analysis and (endpoint is None or e == endpoint)
        ]
        return tuple(dict.fromkeys(level for found in wanted for level in found))

    def endpoints(self, analysis: str) -> tuple[str, ...]:
        return tuple(e for a, e in self.levels_of if a == analysis)

    def has(self, analysis: str) -> bool:
        """Whether there is any number of the analysis."""
        return any(a == analysis and n.value is not None for (a, *_), n in self.numbers.items())

    def gap(self, analysis: str) -> str:
        """Why an analysis has no number: its first reason, or nothing where the results do not know it."""
        return next((n.note for (a, *_), n in self.numbers.items() if a == analysis and n.note), "")
