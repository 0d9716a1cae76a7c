"""Who was at risk and who died, at every event time of many two-arm trials.

The arm, the event and the stratum travel in the last bits of the time itself, so that NumPy sorts plain
values by rows, several to an instruction, and nothing is gathered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints
from trialwright.stats.ties import TOLERANCE

Marks = npt.NDArray[np.unsignedinteger[Any]]
_MOST_STRATA = 256  # ten bits in all: times keep twelve digits


class Rows(Protocol):
    """Rows of several trials one after the other; each trial here has at least one."""

    @property
    def trial(self) -> Ints: ...
    @property
    def start(self) -> Ints: ...
    @property
    def count(self) -> Ints: ...


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Event times of one stratum: ``d`` deaths among ``n`` at risk, ``d1`` among ``n1`` in group 1.

    One row per trial and time; ``d`` None where each row is one death. ``trial`` says whose rows begin at
    ``start`` and number ``count``; trials without events in the stratum are not named.
    """

    trial: Ints
    start: Ints
    count: Ints
    n: Floats
    n1: Floats
    d: Floats | None
    d1: Floats


@dataclass(frozen=True, slots=True, eq=False)
class BatchTables:
    """The parts together hold every event of every trial once."""

    trials: int
    parts: tuple[Part, ...]
    packed: Floats
    """The sorted times, their last two bits the group and the event."""

    def counts(self, trial: int) -> tuple[int, int, int]:
        """Patients in group 0 and in group 1, and events, of one trial."""
        row = self.packed[trial]
        bits = row[row >= 0].view(np.int64)
        one = int((bits >> 1 & 1).sum())
        return bits.size - one, one, int((bits & 1).sum())


def risk_tables(
    time: npt.ArrayLike, event: npt.ArrayLike, group: npt.ArrayLike, stratum: npt.ArrayLike | None = None
) -> BatchTables:
    """``time`` of shape (trials, n), the others of that shape or one that broadcasts to it.

    A negative time is a patient not enrolled yet, who counts nowhere and can have no event. ``event`` and
    ``group`` are 0 or 1, ``stratum`` whole numbers from 0 to 255. Ties are those of ``timefix``.
    """
    t = np.asarray(time, dtype=np.float64)
    if t.ndim != 2:
        raise ValueError(f"time must have two dimensions, trials and patients, not {t.ndim}")
    ordered = _sort(t, *_bits(event, group, stratum, t.shape))
    return BatchTables(len(t), tuple(_parts(ordered)), ordered.packed)


def per_trial(rows: Rows, values: npt.NDArray[Any]) -> Floats:
    """The sum over each trial's rows, in the order of ``rows.trial``."""
    if not rows.start.size:
        return np.zeros(0)
    return np.add.reduceat(values, rows.start, dtype=np.float64)


def _bits(
    event: npt.ArrayLike, group: npt.ArrayLike, stratum: npt.ArrayLike | None, shape: tuple[int, ...]
) -> tuple[Ints, int]:
    bits = _flag(event, "event", shape) | _flag(group, "group", shape) << np.uint8(1)
    if stratum is None:
        return bits.astype(np.int64), 1
    level = np.asarray(stratum)
    if level.dtype.kind not in "iu" or (level.size and not 0 <= level.min() <= level.max() < _MOST_STRATA):
        raise ValueError(f"stratum must hold whole numbers from 0 to {_MOST_STRATA - 1}")
    many = int(level.max(initial=0)) + 1
    return bits.astype(np.int64) | np.broadcast_to(level.astype(np.int64) << 2, shape), many


def _flag(values: npt.ArrayLike, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    array = np.asarray(values)
    if array.dtype != np.bool_:
        if not ((array == 0) | (array == 1)).all():
            raise ValueError(f"{name} must be 0 or 1")
        array = array.astype(bool)
    try:
        return np.broadcast_to(array, shape).view(np.uint8)
    except ValueError as error:
        raise ValueError(f"{name} has shape {array.shape}, but the times {shape}") from error


@dataclass(frozen=True, slots=True, eq=False)
class _Sorted:
    packed: Floats
    marks: Marks
    """The last bits alone: event, group, stratum."""
    strata: int
    low: int
    """The mask of those bits."""

    def of(self, trial: Ints) -> _Sorted:
        if trial.size == len(self.packed):
            return self
        return _Sorted(self.packed[trial], self.marks[trial], self.strata, self.low)


def _sort(time: Floats, bits: Ints, strata: int) -> _Sorted:
    low = (1 << (2 + (strata - 1).bit_length())) - 1
    packed = time + 0.0  # no minus zero
    whole = packed.view(np.int64)
    whole &= ~np.int64(low)
    whole |= bits
    packed.sort(axis=1)
    if packed.size and not np.isfinite(packed[:, -1]).all():
        trial = int(np.argmin(np.isfinite(packed[:, -1])))
        raise ValueError(f"time has a missing or infinite value in trial {trial}")
    marks: Marks = whole.astype(np.uint16 if low > 255 else np.uint8)
    marks &= marks.dtype.type(low)
    if packed.size and packed[:, 0].min() < 0 and (marks[packed < 0] & 1).any():
        raise ValueError("a patient with a negative time, not enrolled yet, has an event")
    return _Sorted(packed, marks, strata, low)


def _parts(ordered: _Sorted) -> Iterator[Part]:
    tied = _tied(ordered)
    for ties in (False, True):
        trial = np.flatnonzero(tied == ties)
        if trial.size:
            yield from _strata(trial, ordered.of(trial), ties)


def _tied(ordered: _Sorted) -> Bools:
    """Trials in which an event shares its time with somebody."""
    packed, marks = ordered.packed, ordered.marks
    tied = np.zeros(len(packed), dtype=bool)
    if packed.shape[1] < 2:
        return tied
    most = TOLERANCE * 1.001 * np.maximum(packed[:, -1:], 1)  # no less than the limit of timefix
    row, column = np.divmod(np.flatnonzero(np.diff(packed, axis=1) <= most), packed.shape[1] - 1)
    events = (marks[row, column] | marks[row, column + 1]) & 1
    tied[row[events > 0]] = True
    near = np.flatnonzero(tied)
    if near.size:
        some = ordered.of(near)
        same = ~_new_times(some)[:, 1:] & ((some.marks[:, 1:] | some.marks[:, :-1]) & 1).astype(bool)
        tied[near] = same.any(axis=1)
    return tied


def _strata(trial: Ints, ordered: _Sorted, ties: bool) -> Iterator[Part]:
    marks, patients = ordered.marks.ravel(), ordered.packed.shape[1]
    new = _new_times(ordered).ravel() if ties else None
    if ordered.strata == 1:
        yield _part(trial, marks, np.full(trial.size, patients), new)
        return
    step = None if new is None else np.cumsum(new)
    level = marks >> 2
    for s in range(ordered.strata):
        here = np.flatnonzero(level == s)
        size = np.diff(np.searchsorted(here, np.arange(trial.size + 1) * patients))
        first = None if step is None else np.diff(step[here], prepend=0) > 0
        yield _part(trial, marks[here], size, first)


def _new_times(ordered: _Sorted) -> Bools:
    """Where a sorted row starts a new distinct time: the rule of ``ties.new_time``, row by row."""
    time = (ordered.packed.view(np.int64) & ~np.int64(ordered.low)).view(np.float64)
    here = ordered.packed >= 0
    gap = np.diff(time, axis=1)
    new = np.ones(time.shape, dtype=bool)
    new[:, 1:] = (gap > 0) | ~here[:, :-1]
    distinct = new & here
    mean = (time * distinct).sum(axis=1) / np.maximum(distinct.sum(axis=1), 1)
    new[:, 1:] = (gap > TOLERANCE * np.maximum(mean, 1)[:, None]) | ~here[:, :-1]
    return new


def _part(trial: Ints, marks: Marks, size: Ints, first: Bools | None) -> Part:
    """From the marks of ``size`` patients of each trial, in the order of their times.

    ``first`` tells where a new time starts; without it each event has a time of its own.
    """
    end = np.cumsum(size)
    one = (marks >> 1) & 1
    until = np.zeros(one.size + 1, dtype=np.int32)
    np.cumsum(one, out=until[1:])
    if first is None:
        at = np.flatnonzero((marks & 1).astype(bool))
        d, d1 = None, one[at].astype(np.float64)
    else:
        at = np.flatnonzero(first)
        deaths, deaths_1 = _summed(marks & 1, at), _summed(marks & one, at)
        at, d, d1 = at[deaths > 0], deaths[deaths > 0], deaths_1[deaths > 0]
    count = np.diff(np.searchsorted(at, end), prepend=0)
    last = np.repeat(end, count)
    some = count > 0
    return Part(
        trial=trial[some],
        start=(np.cumsum(count) - count)[some],
        count=count[some],
        n=(last - at).astype(np.float64),
        n1=(np.repeat(until[end], count) - until[at]).astype(np.float64),
        d=d,
        d1=d1,
    )


def _summed(values: npt.NDArray[Any], start: Ints) -> Floats:
    if not start.size:
        return np.zeros(0)
    return np.add.reduceat(values, start, dtype=np.float64)
