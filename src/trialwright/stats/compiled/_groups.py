"""Two groups at every event time, as ``riskset`` has them, from sorted keys."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints
from trialwright.stats.compiled._given import INT, flags, label_bound, labels, numbers, relabelled
from trialwright.stats.compiled._numba import kernel
from trialwright.stats.compiled._order import (
    SORTED,
    UNFIT,
    UNLABELLED,
    UNSORTED,
    Scale,
    counted,
    fits,
    place,
    scale_of,
    times_of,
    widest_tie,
)

_HALF, _LOW = 32, (1 << 32) - 1
_WIDTH = 2  # bit 0: event; bit 1: group 1; above them the stratum

Keys = tuple[Ints, int, Scale]


def keys_of_groups(
    time: npt.ArrayLike, event: npt.ArrayLike, group: npt.ArrayLike, strata: npt.ArrayLike | None
) -> Keys | None:
    """Sorted keys, the bits below the time, and its scale; None for what the array form has to look at."""
    t = numbers(time)
    if t is None:
        return None
    dead, one, label = flags(event, t.size), flags(group, t.size), labels(strata, t.size)
    if dead is None or one is None or label is None:
        return None
    keys = np.empty(t.size, INT)
    made, width, scale = pack(t, dead, one, label[0], label[1], keys)
    if made == UNLABELLED and (label := relabelled(label[0])):
        made, width, scale = pack(t, dead, one, label[0], label[1], keys)
    if made == UNSORTED:
        keys.sort()
    elif made != SORTED:
        return None
    return keys, width, scale


@kernel
def pack(
    time: Floats, dead: Bools, one: Bools, stratum: Ints, strata: int, keys: Ints
) -> tuple[int, int, Scale]:
    """Fill ``keys``: what became of them, the bits below the time, and its scale."""
    scale = scale_of(time)
    width = _WIDTH
    strata = label_bound(stratum) if strata == 0 else strata
    if strata == 0:
        return UNLABELLED, width, scale
    while strata > 1 << (width - _WIDTH):
        width += 1
    if not fits(scale, width):
        return UNFIT, width, scale
    bits = time.view(np.int64)
    if strata == 1:
        for i in range(keys.size):
            keys[i] = place(bits[i], scale) << width | np.int64(one[i]) << 1 | dead[i]
    else:
        for i in range(keys.size):
            keys[i] = place(bits[i], scale) << width | stratum[i] << 2 | np.int64(one[i]) << 1 | dead[i]
    return counted(keys, scale[2] << width), width, scale


@kernel
def arm_of(keys: Ints, width: int, which: int) -> Ints:
    """Keys of one group of one stratum (``which`` is twice the stratum plus the group), the event below."""
    mine, many = np.empty(keys.size + 1, dtype=np.int64), 0
    below = (1 << (width - 1)) - 1
    for i in range(keys.size):
        mine[many] = keys[i] >> width << 1 | keys[i] & 1
        many += (keys[i] >> 1 & below) == which
    return mine[:many]


@kernel
def risk_rows(keys: Ints, width: int, scale: Scale, timefix: bool) -> Floats:
    """n, n1, d and d1 (4, rows): a row for each event time of each stratum, the last time first."""
    ordered = times_of(keys, width, scale)
    tie = widest_tie(ordered, timefix)
    if width == _WIDTH:
        return _in_one(keys, ordered, tie)
    return _in_strata(keys, width, ordered, tie)


@kernel
def _in_one(keys: Ints, ordered: Floats, tie: float) -> Floats:
    rows = np.empty((4, keys.size + 1))
    made = n1 = d = d1 = 0
    for i in range(keys.size - 1, -1, -1):
        key = keys[i]
        n1 += key >> 1 & 1
        d += key & 1
        d1 += key >> 1 & key & 1
        if i == 0 or ordered[i] - ordered[i - 1] > tie:
            rows[0, made], rows[1, made], rows[2, made], rows[3, made] = keys.size - i, n1, d, d1
            made += d > 0  # no branch: nobody can guess who died
            d = d1 = 0
    return rows[:, :made]


@kernel
def _in_strata(keys: Ints, width: int, ordered: Floats, tie: float) -> Floats:
    strata = 1 << (width - _WIDTH)
    rows = np.empty((4, keys.size + 1))
    risk = np.zeros(strata, dtype=np.int64)  # two counts in one number: of all, and above them of group 1
    died = np.zeros(strata, dtype=np.int64)
    touched = np.empty(strata + 1, dtype=np.int64)
    made = many = 0
    for i in range(keys.size - 1, -1, -1):
        key = keys[i]
        s = key >> _WIDTH & (strata - 1)
        dead, one = key & 1, key >> 1 & 1
        touched[many] = s
        many += dead & (died[s] == 0)
        who = 1 | one << _HALF
        risk[s] += who
        died[s] += dead * who
        if i == 0 or ordered[i] - ordered[i - 1] > tie:
            for k in range(many):
                s = touched[k]
                rows[0, made], rows[1, made] = risk[s] & _LOW, risk[s] >> _HALF
                rows[2, made], rows[3, made] = died[s] & _LOW, died[s] >> _HALF
                died[s] = 0
                made += 1
            many = 0
    return rows[:, :made]
