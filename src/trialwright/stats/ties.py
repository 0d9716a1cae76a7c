"""Which times are the same time.

Two patients tie when their times are equal, or, with ``timefix`` (as in R's survival since 2.42), when
they differ by no more than 1.5e-8, absolutely or relative to the mean distinct time: the dust of a
subtraction, not a difference in days.
"""

from __future__ import annotations

import numpy as np

from trialwright.stats.arrays import Floats, Ints

TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))
_WHOLE_DAY_LIMIT = 2**26  # beyond it whole numbers may be near-ties of each other


def distinct(time: Floats, *, timefix: bool = True) -> tuple[Floats, Ints]:
    """The distinct times in order, and for each row the index of its own."""
    whole = whole_days(time)
    return _sorted_distinct(time, timefix) if whole is None else distinct_days(whole)


def distinct_days(whole: Ints) -> tuple[Floats, Ints]:
    """The same of whole days."""
    present = np.bincount(whole) > 0
    return np.flatnonzero(present).astype(np.float64), (np.cumsum(present) - 1)[whole]


def whole_days(time: Floats) -> Ints | None:
    """Times as integers where they are whole and few enough that counting beats sorting."""
    if not time.size or time.min() < 0 or time.max() >= min(4 * time.size + 4096, _WHOLE_DAY_LIMIT):
        return None
    whole = time.astype(np.int64)
    return whole if bool((whole == time).all()) else None


def _sorted_distinct(time: Floats, timefix: bool) -> tuple[Floats, Ints]:
    order = np.argsort(time)
    first = new_time(time[order], timefix)
    index = np.empty(time.size, dtype=np.int64)
    index[order] = np.cumsum(first) - 1
    return time[order[first]], index


def in_order(time: Floats, bits: Ints, width: int, *, timefix: bool = True) -> tuple[Floats, Ints]:
    """The times in order, and a few bits about each patient in the same order.

    With ``timefix`` the bits travel in the last ``width`` bits of the float itself, so that values are sorted
    (NumPy sorts them several to an instruction) and nothing is gathered. Times that share the other bits
    differ by 2e-13 at most, are the same time under ``timefix``, and may change places.
    """
    if not timefix or width > 10:
        order = np.argsort(time)
        return time[order], bits[order]
    low = (1 << width) - 1
    packed = ((time + 0.0).view(np.int64) & ~np.int64(low)) | bits  # + 0.0: no minus zero
    packed.sort()
    return np.sort(time), packed & low


def new_time(ordered: Floats, timefix: bool) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """True where a sorted array of times starts a new distinct time."""
    first = np.ones(ordered.size, dtype=bool)
    gap = np.diff(ordered)
    first[1:] = gap > 0
    if timefix and ordered.size:
        mean = float(np.abs(ordered[first]).mean())
        first[1:] = gap > max(TOLERANCE, TOLERANCE * mean)
    return first
