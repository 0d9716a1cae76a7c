"""Patients in the order of their times, as whole numbers that NumPy sorts several to an instruction.

A *key* is the place of a time among all doubles, counted from the smallest given, with a few bits about the
patient (or the number of the row) below it. Places lose nothing: times of 23 octaves leave six bits, whole
days many more, since bits that no time uses are shifted out. Where bits are wanting, ``UNFIT`` says so.
"""

from __future__ import annotations

import numpy as np

from trialwright.stats.arrays import Floats, Ints
from trialwright.stats.compiled._numba import kernel
from trialwright.stats.ties import TOLERANCE

UNFIT, SORTED, UNSORTED, UNLABELLED = -1, 0, 1, 2  # what became of the keys

Scale = tuple[int, int, int]  # bits of the smallest positive time, bits shifted out, places in all

_TOLERANCE = float(TOLERANCE)
_INFINITE = int(np.float64(np.inf).view(np.int64))
_MINUS_ZERO = int(np.iinfo(np.int64).min)
_BITS = 63
_MOVES = 16  # of a row past its neighbours, on average; more is no case for passes over neighbours


@kernel
def scale_of(time: Floats) -> Scale:
    """No places at all where a time is missing, infinite or negative."""
    bits = time.view(np.int64)
    low, high, every, least = _INFINITE, 0, 0, 0
    for i in range(bits.size):
        b = 0 if bits[i] == _MINUS_ZERO else bits[i]
        least, high = min(least, b), max(high, b)
        low = min(low, _INFINITE if b == 0 else b)
        every |= b
    if least < 0 or high >= _INFINITE or bits.size == 0:
        return 0, 0, 0
    if high == 0:
        return 0, 0, 1
    out = 0
    while not every >> out & 1:
        out += 1
    return low, out, ((high - low) >> out) + 2


@kernel
def place(bits: int, scale: Scale) -> int:
    """0 for time 0."""
    if bits in (0, _MINUS_ZERO):
        return 0
    return ((bits - scale[0]) >> scale[1]) + 1


@kernel
def fits(scale: Scale, width: int) -> bool:
    return 0 < scale[2] <= 1 << (_BITS - width)


@kernel
def times_of(keys: Ints, width: int, scale: Scale) -> Floats:
    bits = np.empty(keys.size, dtype=np.int64)
    for i in range(keys.size):
        at = keys[i] >> width
        bits[i] = 0 if at == 0 else ((at - 1) << scale[1]) + scale[0]
    return bits.view(np.float64)


@kernel
def counted(keys: Ints, places: int) -> int:
    """Sort keys by counting them, where there are many for each place."""
    if places > keys.size >> 2:
        return UNSORTED
    many = np.zeros(places, dtype=np.int64)
    for i in range(keys.size):
        many[keys[i]] += 1
    end = 0
    for key in range(places):
        start, end = end, end + many[key]
        keys[start:end] = key
    return SORTED


@kernel
def pack_rows(time: Floats, keys: Ints) -> int:
    """Keys with the number of the row; for want of bits, neighbours may come in the wrong order."""
    scale = scale_of(time)
    if scale[2] == 0:
        return UNFIT
    below, few = index_bits(time.size), 0
    while scale[2] >> few > 1 << (_BITS - below):
        few += 1
    bits = time.view(np.int64)
    if few == 0 and scale[2] <= time.size >> 2:
        start = np.zeros(scale[2] + 1, dtype=np.int64)
        for i in range(time.size):
            start[place(bits[i], scale) + 1] += 1
        for at in range(1, start.size):
            start[at] += start[at - 1]
        for i in range(time.size):
            at = place(bits[i], scale)
            keys[start[at]] = i
            start[at] += 1
        return SORTED
    for i in range(time.size):
        keys[i] = place(bits[i], scale) >> few << below | i
    return UNSORTED


@kernel
def index_bits(n: int) -> int:
    below = 1
    while n > 1 << below:
        below += 1
    return below


@kernel
def in_order(time: Floats, keys: Ints, ordered: Floats) -> bool:
    """Turn the sorted keys of ``pack_rows`` into rows, with their times; no where they are too far off."""
    mask = (1 << index_bits(time.size)) - 1
    moves = 0
    for i in range(time.size):
        row = keys[i] & mask
        t = time[row]
        j = i
        while j > 0 and ordered[j - 1] > t:
            ordered[j], keys[j] = ordered[j - 1], keys[j - 1]
            j -= 1
        ordered[j], keys[j] = t, row
        moves += i - j
        if moves > _MOVES * time.size:
            return False
    return True


@kernel
def widest_tie(ordered: Floats, timefix: bool) -> float:
    """Two neighbours no further apart than this are the same time; see ``ties``."""
    if not timefix:
        return 0.0
    smallest = (
        _INFINITE  # gap: positive numbers have the order of their bits, of which many are compared at once
    )
    for i in range(1, ordered.size):
        gap = np.float64(ordered[i] - ordered[i - 1]).view(np.int64)
        smallest = min(smallest, _INFINITE if gap == 0 else int(gap))
    if np.int64(smallest).view(np.float64) > _TOLERANCE * max(1.0, ordered[-1]):
        return 0.0  # the mean is no larger than the last: the rule has nothing to say
    total, many = ordered[0], 1
    for i in range(1, ordered.size):
        if ordered[i] > ordered[i - 1]:
            total += ordered[i]
            many += 1
    return max(_TOLERANCE, _TOLERANCE * float(total / many))
