"""Order without more of it than is asked: short rows sorted, and the n-th smallest of a row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, Ints
from trialwright.stats.compiled._bits import bits_of, float_of
from trialwright.stats.compiled._numba import inner, kernel

Halves = npt.NDArray[np.uint32]

_NETWORKS = (128, 256)
_MORE = 4
"""NumPy sorts so many by a network, any less as if they were all there: 129 cost twice what 128 do. Up to
four more are put in their places one by one instead."""


def sort_rows(rows: Halves) -> None:
    """Each row, in place."""
    many = rows.shape[1]
    whole = next((size for size in _NETWORKS if size < many <= size + _MORE), many)
    rows[:, :whole].sort(axis=1)
    if whole < many:
        _insert(rows, whole)


@kernel
def _insert(rows: Halves, whole: int) -> None:
    """What is behind the first ``whole``, which are in order."""
    _insert_each(rows, whole)


@inner
def _insert_each(rows: Halves, whole: int) -> None:
    for i in range(len(rows)):
        for last in range(whole, rows.shape[1]):
            _insert_last(rows[i, : last + 1])


@inner
def _insert_last(row: Halves) -> None:
    """Each place gets the middle of its number, the one before it and the last: no branch."""
    last = row[row.size - 1]
    for i in range(row.size - 1, 0, -1):
        row[i] = max(row[i - 1], min(row[i], last))
    row[0] = min(row[0], last)


@inner
def up_to(most: float, values: Floats) -> int:
    count = 0
    for i in range(values.size):
        count += values[i] <= most
    return count


@inner
def nth(values: Floats, bits: Ints, n: int, never: float, guess: Floats) -> float:
    """The ``n``-th smallest of positive values; any beyond ``never`` where less than ``n`` are at most that.

    Counts how many are at most a bound and moves it by secants, halving what is left where they are of no
    use, until it lies beside the one looked for. ``bits`` is the same memory: of positive numbers the bits
    have the same order, and no NaN to heed. ``guess`` is a bound to begin with and how many values there are
    to a unit around it (or zeros), and is told both; the result is the same from any.
    """
    low, high, at, slope = 0.0, never, guess[0], guess[1]
    before, counted = 0.0, 0
    for step in range(_STEPS):
        if not low < at < high or step % 4 == 3 or step > _SECANTS:
            if high == never:
                high = _greatest_to(never, bits)
                if up_to(high, values) < n:
                    return np.inf
            at = low + (high - low) / 2
        count = up_to(at, values)
        if n - 1 <= count <= n:
            guess[0] = at
            return _greatest_to(at, bits) if count == n else _least_beyond(at, bits)
        if count < n:
            low = at
        else:
            high = at
        if step and count != counted:
            guess[1] = slope = (count - counted) / (at - before)
        before, counted = at, count
        at += (n - 0.5 - count) / slope if slope > 0 else -at
    while up_to(low, values) < n:  # among values that are the same, or nearly
        low = _least_beyond(low, bits)
    return low


_SECANTS, _STEPS = 20, 64


@inner
def _greatest_to(most: float, bits: Ints) -> float:
    found, limit = 0, bits_of(most)
    for i in range(bits.size):
        found = max(found, bits[i] if bits[i] <= limit else 0)
    return float(float_of(found))


@inner
def _least_beyond(most: float, bits: Ints) -> float:
    found, limit = bits_of(np.inf), bits_of(most)
    for i in range(bits.size):
        found = min(found, bits[i] if bits[i] > limit else bits_of(np.inf))
    return float(float_of(found))
