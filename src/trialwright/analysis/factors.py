"""Strata, baseline characteristics and the study's factors as columns for subgroups and adjustment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.study.model import Factor, Study


@dataclass(frozen=True, slots=True)
class Characteristic:
    """``levels`` in the study's order, empty where they are as found; ``number`` has none."""

    name: str
    levels: tuple[str, ...]
    number: bool
    source: pl.Expr

    @property
    def column(self) -> str:
        """Its name in a sample, beside strata of the same name."""
        return f"factor {self.name}"

    @property
    def value(self) -> pl.Expr:
        """From ADSL: a number, or the id of a level; null where it is not known."""
        return self.source.cast(pl.Float64 if self.number else pl.String).alias(self.column)

    def found(self, values: pl.Series) -> tuple[str, ...]:
        """The levels of these values: the study's order, then any others by name."""
        seen = values.drop_nulls().unique().sort().to_list()
        return (*self.levels, *(level for level in seen if level not in self.levels))


def characteristics(study: Study, names: Iterable[str]) -> tuple[Characteristic, ...]:
    """Raises ValueError for a name that is neither stratum, baseline characteristic nor factor."""
    return tuple(_characteristic(study, name) for name in names)


def _characteristic(study: Study, name: str) -> Characteristic:
    for factor in study.factors:
        if factor.id == name:
            ids = tuple(level.id for level in factor.levels)
            source = _binned(factor) if factor.bins else pl.col(factor.variable)
            return Characteristic(name, ids, number=False, source=source)
    for stratum in study.strata:
        if stratum.id == name:
            ids = tuple(level.id for level in stratum.levels)
            return Characteristic(name, ids, number=False, source=pl.col(name))
    for plain in study.baseline:
        if plain.id == name:
            ids = tuple(level.id for level in plain.levels)
            return Characteristic(name, ids, number=plain.kind == "number", source=pl.col(name))
    raise ValueError(f"{name!r} is neither a stratum nor a baseline characteristic nor a factor")


def _binned(factor: Factor) -> pl.Expr:
    number = pl.col(factor.variable).cast(pl.Float64)
    *below, last = (level.id for level in factor.levels)
    found: pl.Expr = pl.lit(last)
    for edge, word in reversed(list(zip(factor.bins, below, strict=True))):
        under = number < edge if factor.includes == "lower" else number <= edge
        found = pl.when(under).then(pl.lit(word)).otherwise(found)
    return pl.when(number.is_not_null()).then(found)


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """``columns`` (rows kept, p): numbers as they are, words as indicators of all levels but the first.

    A word that is missing is a level of its own; a row whose number is missing is not in ``kept``.
    """

    columns: npt.NDArray[np.float64]
    names: tuple[str, ...]
    kept: npt.NDArray[np.bool_]


def design(sample: pl.DataFrame, wanted: Sequence[Characteristic]) -> Design:
    """``sample`` has the columns of the characteristics."""
    numbers = [c.column for c in wanted if c.number]
    known = pl.lit(True) if not numbers else pl.all_horizontal(pl.col(numbers).is_not_null())
    kept = sample.select(pl.repeat(True, pl.len()) & known).to_series().to_numpy()
    here = sample.filter(pl.Series(kept))
    found: dict[str, npt.NDArray[np.float64]] = {}
    for each in wanted:
        values = here[each.column]
        if each.number:
            found[each.name] = values.to_numpy()
            continue
        words = values.fill_null("missing")
        there = set(words)
        levels = [level for level in (*each.found(values), "missing") if level in there]
        for level in dict.fromkeys(levels[1:]):
            found[f"{each.name}: {level}"] = (words == level).to_numpy().astype(np.float64)
    columns = np.column_stack([*found.values()]) if found else np.empty((here.height, 0))
    return Design(columns, tuple(found), kept)
