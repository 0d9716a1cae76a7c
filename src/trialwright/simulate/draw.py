"""Chance and the calendar: named random streams, days as whole numbers, and their ISO 8601 words.

A day is the number of days since 1970-01-01, a minute likewise; ``NEVER`` is a day after all others.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

NEVER = 1_000_000
MINUTES = 1440


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for each part of the trial: one more draw in one part changes no other."""
    return np.random.default_rng([seed, *name.encode()])


def day(when: date) -> int:
    return (when - date(1970, 1, 1)).days


def working_day(days: Ints) -> Ints:
    """The same day, or the Monday after a weekend."""
    rolled = np.busday_offset(days.astype("datetime64[D]"), 0, roll="forward")
    days = rolled.astype(np.int64)
    return days


def iso(days: Ints) -> pl.Series:
    """``YYYY-MM-DD``; NEVER is null."""
    known = pl.Series(values=np.where(days >= NEVER, 0, days).astype(np.int32), dtype=pl.Int32)
    text = known.cast(pl.Date).dt.strftime("%Y-%m-%d")
    return text.set(pl.Series(values=days >= NEVER), None)


def iso_minute(minutes: Ints) -> pl.Series:
    """``YYYY-MM-DDTHH:MM``; a minute of NEVER is null."""
    gone = minutes >= NEVER * MINUTES
    known = pl.Series(values=np.where(gone, 0, minutes) * 60_000, dtype=pl.Int64)
    return known.cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M").set(pl.Series(values=gone), None)


def even(rng: np.random.Generator, spread: tuple[int, int], size: int) -> Ints:
    """Whole days from the first to the last of ``spread``."""
    return rng.integers(spread[0], spread[1] + 1, size)


def lognormal(rng: np.random.Generator, median_sd: tuple[float, float], size: int) -> Floats:
    return median_sd[0] * np.exp(median_sd[1] * rng.standard_normal(size))


def pick(rng: np.random.Generator, weights: Floats | tuple[float, ...], size: int) -> Ints:
    """Positions drawn by weight; ``weights`` may be one row for all or one row each."""
    table = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    cumulated = np.cumsum(table, axis=1)
    ticket = rng.random(size)[:, None] * cumulated[:, -1:]
    chosen: Ints = np.minimum((ticket >= cumulated).sum(axis=1), table.shape[1] - 1)
    return chosen


def waiting(rng: np.random.Generator, rate: Floats, size: int) -> Floats:
    """Exponential times; infinite where the rate is 0."""
    with np.errstate(divide="ignore"):
        return rng.standard_exponential(size) / np.broadcast_to(rate, size)
