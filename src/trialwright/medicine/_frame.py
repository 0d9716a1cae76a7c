"""What the rules share: sentences that decide in order, walking many courses at once, and checks of input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

_LARGEST: Final = 2**62
"""Whole numbers stay below it: an Int64 that passes 2**63 begins again from below, unsaid."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a published rule: under this condition, this result. A null condition is not met."""

    word: str
    result: str | int
    condition: pl.Expr


def result_of(sentences: Iterable[Sentence]) -> pl.Expr:
    """The result of the first sentence whose condition holds; null if none does."""
    decided = pl.lit(None)
    for sentence in reversed(list(sentences)):
        decided = pl.when(sentence.condition).then(pl.lit(sentence.result)).otherwise(decided)
    return decided


def word_of(sentences: Iterable[Sentence]) -> pl.Expr:
    """The word of the first sentence whose condition holds; null if none does."""
    decided = pl.lit(None, dtype=pl.String)
    for sentence in reversed(list(sentences)):
        decided = pl.when(sentence.condition).then(pl.lit(sentence.word)).otherwise(decided)
    return decided


def told(frame: pl.DataFrame, **columns: pl.Expr) -> pl.DataFrame:
    """The frame with these columns, which share conditions: each condition is evaluated once."""
    return frame.lazy().with_columns(**columns).collect()


def placed(frame: pl.DataFrame, names: Iterable[str], within: pl.Series | None = None) -> pl.Series:
    """Each row's place in the order of these columns, null first: one whole number instead of many texts.

    Equal rows share a place; places may be left out. ``within`` is a place that comes before the columns.
    """
    first = pl.repeat(0, frame.height, eager=True) if within is None else within
    place = first.cast(pl.Int64)
    last = _last(place)
    for name in names:
        codes, n = _codes(frame.get_column(name))
        if (last + 1) * (n + 1) > _LARGEST:
            place = place.rank("dense").cast(pl.Int64)
            last = _last(place)
        place = place * (n + 1) + codes
        last = last * (n + 1) + n
    return place


def _last(place: pl.Series) -> int:
    return int(place.max() or 0)  # type: ignore[arg-type]


def _codes(column: pl.Series) -> tuple[pl.Series, int]:
    """Each value's place among the different values, from 1 (null is 0), and the last place possible.

    Texts are read once; only the different ones are sorted.
    """
    if column.dtype != pl.String:
        return column.rank("dense").cast(pl.Int64).fill_null(0), len(column)
    coded = column.cast(pl.Categorical(categories := pl.Categories.random()))
    different = categories.to_series()
    places = different.rank("dense").cast(pl.Int64)
    return places.gather(coded.to_physical()).fill_null(0), len(different)


def require(frame: pl.DataFrame, columns: Iterable[str], name: str) -> None:
    """Raise ValueError, naming them, if columns are missing."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"{name} lacks the columns {', '.join(missing)}")


def require_words(frame: pl.DataFrame, column: str, words: Iterable[str], name: str) -> None:
    """Raise ValueError, naming them, if a column holds words that the rules do not know; null is allowed."""
    unknown = sorted(set(frame[column].drop_nulls().unique().to_list()) - set(words))
    if unknown:
        raise ValueError(f"{name}: {column} knows {', '.join(words)}, not {', '.join(map(str, unknown))}")


def numbered_by(frame: pl.DataFrame, keys: Sequence[str], name: str) -> tuple[pl.Series, pl.DataFrame]:
    """The number of each row's keys, and the different keys in that order, as they come.

    Rows of the same keys mostly stand together, so texts are compared once for each such run.
    """
    run = frame.select(pl.struct(keys).rle_id().alias(name)).to_series()
    runs = frame.select(keys).filter(run.ne_missing(run.shift(1)))
    numbers = runs.unique(maintain_order=True).with_row_index(name)
    of_run = runs.join(numbers, on=list(keys), how="left", nulls_equal=True, maintain_order="left")
    return of_run[name].gather(run), numbers


def so_far(values: pl.Series, course: pl.Series, choose: np.ufunc) -> pl.Series:
    """The lowest (``np.minimum``) or highest value of a course up to each row; courses stand together.

    Each round looks twice as far back as the one before, in all courses at once.
    """
    best, whose = values.to_numpy().copy(), course.to_numpy()
    reach = 1
    while (same := whose[reach:] == whose[:-reach]).any():
        best[reach:] = np.where(same, choose(best[reach:], best[:-reach]), best[reach:])
        reach *= 2
    return pl.Series(values.name, best)


def steps(patient: pl.Series) -> list[npt.NDArray[np.int64]]:
    """The row numbers of each patient's first row, then of the second, and so on, of a frame in order.

    Where a row's answer depends on the one before, this is a loop over visits instead of one over patients.
    """
    nth = patient.to_frame("patient").select(nth=pl.int_range(pl.len()).over("patient"))["nth"].to_numpy()
    order = np.argsort(nth, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(nth[order])) + 1) if len(nth) else []
