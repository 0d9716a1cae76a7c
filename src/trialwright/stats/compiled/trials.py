"""Log-rank, Fleming–Harrington sums and Cox of many two-arm trials at once, one after the other.

To the last bit what ``stats.batch`` makes of ``risk_tables``: the same divisions, the same order of sums
(NumPy's pairwise sum) and the same exponential. Trials in which an event is a near-tie are told and left to
the array form; weights are those of rho and gamma 0 or 1. Loops are kept so plain, and so short, that LLVM
does several patients to an instruction.
"""

from __future__ import annotations

import math

import numpy as np

from trialwright.stats.arrays import Bools, Floats, Ints
from trialwright.stats.batch import FARTHEST, SETTLED, STEPS
from trialwright.stats.compiled._numba import inner, kernel
from trialwright.stats.compiled._pairwise import squares_of, sum_of
from trialwright.stats.elementary import EXP_LIMIT, EXP_SERIES, LN2, LN2_HIGH, LN2_LOW
from trialwright.stats.ties import TOLERANCE

MOST_STRATA = 16
"""Beyond it the array form is as fast: each stratum is a pass over all patients."""

_NEAR = TOLERANCE * 1.001  # no less than the limit of timefix, whatever the marks in the last bits
_EQUAL = 1e-11  # marks in ten last bits are less
_SERIES = np.array(EXP_SERIES)
_PER_LN2 = 1 / LN2
_PATIENT = 1 << 32


@kernel
def judge(
    ordered: Floats,
    bits: Ints,
    strata: int,
    weights: Floats,
    z: Floats,
    every: Floats,
    cox: Floats,
    left: Bools,
) -> None:
    """Sorted times (trials, patients) with their marks in the last bits; ``bits`` is the same memory.

    ``weights`` (tests, 2) holds rho and gamma, ``z`` (tests, trials) gets minus z. ``every`` (trials, 4, 5),
    unless it is empty, gets statistic and covariances of the four weights of MaxCombo, ``cox`` (2, trials)
    coefficient and standard error, unless it is empty. ``left`` becomes true where a near-tie is left to the
    array form.
    """
    size = ordered.shape[1] + strata
    packed, ends = np.empty(size, np.int64), np.empty((2, strata), np.int64)
    _judge(ordered, bits, weights, z, every, cox, left, packed, ends[0], ends[1], np.empty((9, size)))


@inner
def _judge(
    ordered: Floats,
    bits: Ints,
    weights: Floats,
    z: Floats,
    every: Floats,
    cox: Floats,
    left: Bools,
    packed: Ints,
    begin: Ints,
    end: Ints,
    room: Floats,
) -> None:
    strata = begin.size
    n, n1, d1, share = room[0], room[1], room[2], room[3]
    surprise, variance, S, w, v = room[4], room[5], room[6], room[7], room[8]
    last = 1
    while last < strata:
        last *= 2
    last -= 1  # the mask of a stratum
    weighted = every.size > 0
    for k in range(len(weights)):
        weighted |= weights[k, 0] + weights[k, 1] > 0
    for trial in range(len(ordered)):
        here = _not_enrolled(ordered[trial])
        marks = bits[trial, here:]
        if _near_tie(ordered[trial, here:], marks):
            left[trial] = True
            continue
        rows = 0
        for s in range(strata):
            begin[s] = rows
            if strata == 1:
                end[s] = _at_risk(marks, packed, rows)
            else:
                end[s] = _at_risk_in(marks, s, last, packed, rows)
            rows = end[s] + 1  # one to spare, which the patients after the last event have written
        rows -= 1
        _unpack(packed[:rows], n, n1, d1)
        _compare(n[:rows], n1, d1, share, surprise, variance)
        if weighted:
            _pooled_before(n, begin, end, S)
        for k in range(len(weights)):
            if weights[k, 0] + weights[k, 1] == 0:
                U, V = _sums(surprise, begin, end), _sums(variance, begin, end)
            else:
                _weigh(S[:rows], weights[k, 0], weights[k, 1], surprise, variance, w, v)
                U, V = _sums(w, begin, end), _sums(v, begin, end)
            z[k, trial] = -(U / math.sqrt(V)) if V > 0 else np.nan
        if every.size:
            _four(S[:rows], surprise, variance, begin, end, w, v, every[trial])
        if cox.size:
            cox[0, trial], cox[1, trial] = _cox(n[:rows], n1[:rows], d1[:rows], share, begin, end, w)


@inner
def _not_enrolled(row: Floats) -> int:
    """Their times are negative and come first."""
    gone = 0
    for i in range(row.size):
        gone += row[i] < 0
    return gone


@inner
def _near_tie(row: Floats, bits: Ints) -> bool:
    """May an event be tied under ``stats.ties``? Equal times count too: they move the mean of that rule."""
    if row.size < 2 or not _within(row, _NEAR * max(row[-1], 1.0)):
        return False
    most = _NEAR * max(row.sum() / row.size, 1.0)
    for i in range(row.size - 1):
        gap = row[i + 1] - row[i]
        if gap <= most and (gap <= _EQUAL * row[i + 1] or (bits[i] | bits[i + 1]) & 1):
            return True
    return False


@inner
def _within(row: Floats, most: float) -> int:
    near = 0
    for i in range(row.size - 1):
        near += row[i + 1] - row[i] <= most
    return near


@inner
def _at_risk(bits: Ints, packed: Ints, first: int) -> int:
    """One row for each event: at risk, at risk in group 1, and whether it is in group 1, in one word.

    Every patient is written and, unless it is an event, overwritten by the next.
    """
    one = 0
    for i in range(bits.size):
        one += bits[i] & 2
    state, k = _PATIENT * bits.size + one, first
    for i in range(bits.size):
        arm = bits[i] & 2
        packed[k] = state + (arm >> 1)
        state -= _PATIENT + arm
        k += bits[i] & 1
    return k


@inner
def _at_risk_in(bits: Ints, stratum: int, last: int, packed: Ints, first: int) -> int:
    """The same of one stratum."""
    state, k = 0, first
    for i in range(bits.size):
        mine = (bits[i] >> 2) & last == stratum
        state += mine * (_PATIENT + (bits[i] & 2))
    for i in range(bits.size):
        mine, arm = (bits[i] >> 2) & last == stratum, bits[i] & 2
        packed[k] = state + (arm >> 1)
        state -= mine * (_PATIENT + arm)
        k += mine & bits[i]
    return k


@inner
def _unpack(packed: Ints, n: Floats, n1: Floats, d1: Floats) -> None:
    for i in range(packed.size):
        word = packed[i]
        n[i] = word >> 32
        n1[i] = (word & (_PATIENT - 1)) >> 1
        d1[i] = word & 1


@inner
def _compare(n: Floats, n1: Floats, d1: Floats, share: Floats, surprise: Floats, variance: Floats) -> None:
    for i in range(n.size):
        p = n1[i] / n[i]
        share[i] = p
        surprise[i] = d1[i] - p
        variance[i] = p * (1 - p)


@inner
def _pooled_before(n: Floats, begin: Ints, end: Ints, S: Floats) -> None:
    for s in range(begin.size):
        alive = 1.0
        for i in range(begin[s], end[s]):
            S[i] = alive
            alive *= 1 - 1 / n[i]


@inner
def _weight(S: float, rho: float, gamma: float) -> float:
    return (S if rho == 1 else 1.0) * (1 - S if gamma == 1 else 1.0)


@inner
def _weigh(
    S: Floats, rho: float, gamma: float, surprise: Floats, variance: Floats, w: Floats, v: Floats
) -> None:
    for i in range(S.size):
        each = _weight(S[i], rho, gamma)
        w[i] = each * surprise[i]
        v[i] = each * each * variance[i]


@inner
def _four(
    S: Floats,
    surprise: Floats,
    variance: Floats,
    begin: Ints,
    end: Ints,
    w: Floats,
    v: Floats,
    found: Floats,
) -> None:
    """Of ``maxcombo.FOUR``: column 0 the statistics, from column 1 on the covariances."""
    for a in range(4):
        for i in range(S.size):
            w[i] = _weight(S[i], a // 2, a % 2) * surprise[i]
        found[a, 0] = _sums(w, begin, end)
        for b in range(a + 1):
            for i in range(S.size):
                v[i] = _weight(S[i], a // 2, a % 2) * _weight(S[i], b // 2, b % 2) * variance[i]
            found[a, 1 + b] = _sums(v, begin, end)
            found[b, 1 + a] = found[a, 1 + b]


@inner
def _cox(
    n: Floats, n1: Floats, d1: Floats, share: Floats, begin: Ints, end: Ints, p: Floats
) -> tuple[float, float]:
    """Log hazard ratio and its standard error: the Newton of ``batch.cox``, step for step."""
    ones, surely, perhaps = 0, 0, 0
    for s in range(begin.size):
        part = slice(begin[s], end[s])
        counted = _count(n[part], n1[part], d1[part])
        ones, surely, perhaps = ones + counted[0], surely + counted[1], perhaps + counted[2]
    if not (surely < ones and ones < perhaps):
        return np.nan, np.nan
    beta, low, high = 0.0, -np.inf, np.inf
    for step in range(STEPS):
        if step:
            _share_at(_exp(-beta), n, n1, p)
            expected, information = _expected(p, begin, end)
        else:
            expected, information = _expected(share, begin, end)
        score = ones - expected
        move = score / information
        if move * score < SETTLED:
            return beta + move, 1 / math.sqrt(information)
        if score > 0:
            low = beta
        elif score < 0:
            high = beta
        found = beta + min(max(move, -FARTHEST), FARTHEST)
        beta = (low + high) / 2 if found <= low or found >= high else found
    return np.nan, np.nan


@inner
def _count(n: Floats, n1: Floats, d1: Floats) -> tuple[int, int, int]:
    ones, surely, perhaps = 0, 0, 0
    for i in range(n.size):
        ones += d1[i] > 0
        surely += n[i] == n1[i]
        perhaps += n1[i] > 0
    return ones, surely, perhaps


@inner
def _share_at(odds: float, n: Floats, n1: Floats, p: Floats) -> None:
    for i in range(n.size):
        p[i] = n1[i] / (odds * (n[i] - n1[i]) + n1[i])


@inner
def _expected(p: Floats, begin: Ints, end: Ints) -> tuple[float, float]:
    """Expected deaths of group 1 and their variance."""
    share, information = 0.0, 0.0
    for s in range(begin.size):
        total = sum_of(p, begin[s], end[s])
        share += total
        information += total - squares_of(p, begin[s], end[s])
    return share, information


@inner
def _exp(x: float) -> float:
    """``elementary.exp``."""
    x = min(max(x, -EXP_LIMIT), EXP_LIMIT)
    k = np.rint(x * _PER_LN2)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = _SERIES[0]
    for c in _SERIES[1:]:
        p = p * r + c
    return math.ldexp(p, int(k))


@inner
def _sums(values: Floats, begin: Ints, end: Ints) -> float:
    """Of all strata."""
    total = 0.0
    for s in range(begin.size):
        total += sum_of(values, begin[s], end[s])
    return total
