"""Log-rank, Fleming–Harrington sums and Cox of many two-arm trials at once, one after the other.

To the last bit what ``stats.batch`` makes of ``risk_tables``: the same divisions, the same order of sums
(NumPy's pairwise sum) and the same exponential, near-ties and Efron's correction included. Weights are those
of rho and gamma 0 or 1. Loops are kept so plain, and so short, that LLVM does several patients to an
instruction.
"""

from __future__ import annotations

import math

import numpy as np

from trialwright.stats.arrays import Bools, Floats, Ints
from trialwright.stats.batch import FARTHEST, SETTLED, STEPS
from trialwright.stats.compiled._bits import exp, float_of
from trialwright.stats.compiled._numba import inner, kernel
from trialwright.stats.compiled._pairwise import powers_of, sum_of
from trialwright.stats.compiled._select import Keys, at_risk
from trialwright.stats.ties import TOLERANCE

MOST_STRATA = 16
"""Beyond it the array form is as fast: each stratum is a pass over all patients."""

NEAR = TOLERANCE * 1.001  # no less than the limit of timefix, whatever the marks in the last bits


@kernel
def judge(
    ordered: Floats, bits: Ints, strata: int, weights: Floats, z: Floats, every: Floats, cox: Floats
) -> None:
    """Sorted times (trials, patients) with their marks in the last bits; ``bits`` is the same memory.

    ``weights`` (tests, 2) holds rho and gamma, ``z`` (trials, tests) gets minus z. ``every`` (trials, 4, 5),
    unless it is empty, gets statistic and covariances of the four weights of MaxCombo, ``cox`` (trials, 2)
    coefficient and standard error, unless it is empty.
    """
    size = ordered.shape[1] + strata
    ends, new, room = np.empty((4, strata), np.int64), np.empty(size, np.bool_), np.empty((12, size))
    _each(ordered, bits, new, weights, (z, every, cox), ends, room)


@inner
def _each(
    ordered: Floats,
    bits: Ints,
    new: Bools,
    weights: Floats,
    found: tuple[Floats, Floats, Floats],
    ends: Ints,
    room: Floats,
) -> None:
    last, begin, end = _mask(ends.shape[1]), ends[0], ends[1]
    for trial in range(len(ordered)):
        here = _not_enrolled(ordered[trial])
        row, marks = ordered[trial, here:], bits[trial, here:]
        tied = _within(row, NEAR * max(row[-1], 1.0)) > 0 if row.size > 1 else False
        if tied:
            tied = _ties(marks, last, new, room[0])
        k, ones = 0, 0
        for s in range(len(begin)):
            begin[s] = k
            end[s] = _at_risk(marks, s, last, tied, new, room, k)
            for i in range(begin[s], end[s]):
                ones += int(room[3, i])
            k = int(end[s]) + 1
        _judge(k - 1, ones, tied, weights, found, trial, ends, room)


@kernel
def judge_keys(
    keys: Keys,
    enrolled: Ints,
    near: Ints,
    strata: int,
    weights: Floats,
    z: Floats,
    every: Floats,
    cox: Floats,
    left: Bools,
) -> None:
    """The same from whole numbers of 32 bits: half the work to sort.

    Sorted times in steps so fine that those more than ``near`` steps apart are not the same time, the marks
    in the last bits; those not ``enrolled`` come last. Where an event is nearer to somebody, ``left``
    becomes true and nothing else is written: there the times themselves must tell.
    """
    size = keys.shape[1] + strata
    ends, room = np.empty((4, strata), np.int64), np.empty((12, size))
    _each_key(keys, enrolled, near, weights, (z, every, cox), np.empty(size, np.uint32), ends, room, left)


@inner
def _each_key(
    keys: Keys,
    enrolled: Ints,
    near: Ints,
    weights: Floats,
    found: tuple[Floats, Floats, Floats],
    rows: Keys,
    ends: Ints,
    room: Floats,
    left: Bools,
) -> None:
    strata, (begin, end) = ends.shape[1], (ends[0], ends[1])
    last, width = _mask(strata), 2
    while 1 << (width - 2) <= last:
        width += 1
    for trial in range(len(keys)):
        left[trial] = _close(keys[trial, : enrolled[trial]], width, near[trial])
        if left[trial]:
            continue
        k, ones = 0, 0
        for s in range(strata):
            begin[s] = k
            end[s] = at_risk(keys[trial], int(enrolled[trial]), s, last, rows, k)
            ones += _ones(rows[k : end[s]])
            k = int(end[s]) + 1
        _unpack(rows[: k - 1], room[0], room[1], room[2], room[3])
        _judge(k - 1, ones, False, weights, found, trial, ends, room)


@inner
def _mask(strata: int) -> int:
    last = 1
    while last < strata:
        last *= 2
    return last - 1


@inner
def _close(keys: Keys, width: int, near: int) -> bool:
    found, shift, most = 0, np.uint32(width), np.uint32(near)
    for i in range(keys.size - 1):
        found += int(np.uint32((keys[i + 1] >> shift) - (keys[i] >> shift)) <= most)
    if found:
        for i in range(keys.size - 1):
            gap = np.uint32((keys[i + 1] >> shift) - (keys[i] >> shift))
            if gap <= most and (keys[i + 1] | keys[i]) & 1:
                return True
    return False


@inner
def _judge(
    rows: int,
    ones: int,
    tied: bool,
    weights: Floats,
    found: tuple[Floats, Floats, Floats],
    trial: int,
    ends: Ints,
    room: Floats,
) -> None:
    """One trial, from its rows: at risk, in either group, and the events in group 1, ``ones`` in all."""
    z, every, cox = found
    begin, end, cox_begin, cox_end = ends[0], ends[1], ends[2], ends[3]
    n, n1, n0, d1, share = room[0], room[1], room[2], room[3], room[4]
    surprise, variance, S, w, v = room[5], room[6], room[7], room[8], room[9]
    if tied:
        _compare_tied(begin, end, n, n1, d1, w, surprise, variance, S)
    else:
        _compare(n[:rows], n1, d1, share, surprise, variance)
        if every.size or _any(weights):
            _pooled_before(n, begin, end, S)
    if cox.size:
        if tied:
            _efron(begin, end, n, n1, d1, w, cox_begin, cox_end, room[10], room[11])
            fit = _cox(room[10], room[11], ones, cox_begin, cox_end, v, False)
        else:
            fit = _cox(n1, n0, ones, begin, end, share, True)
        cox[trial, 0], cox[trial, 1] = fit
    for k in range(len(weights)):
        if weights[k, 0] + weights[k, 1] == 0:
            U, V = _sums(surprise, begin, end), _sums(variance, begin, end)
        else:
            _weigh(S[:rows], weights[k, 0], weights[k, 1], surprise, variance, w, v)
            U, V = _sums(w, begin, end), _sums(v, begin, end)
        z[trial, k] = -(U / math.sqrt(V)) if V > 0 else np.nan
    if every.size:
        _four(S[:rows], surprise, variance, begin, end, w, v, every[trial])


@inner
def _any(weights: Floats) -> bool:
    more = False
    for k in range(len(weights)):
        more |= weights[k, 0] + weights[k, 1] > 0
    return more


@inner
def _not_enrolled(row: Floats) -> int:
    """Their times are negative and come first."""
    gone = 0
    for i in range(row.size):
        gone += row[i] < 0
    return gone


@inner
def _within(row: Floats, most: float) -> int:
    near = 0
    for i in range(row.size - 1):
        near += row[i + 1] - row[i] <= most
    return near


@inner
def _ties(bits: Ints, last: int, new: Bools, time: Floats) -> bool:
    """Does an event share its time with somebody? ``new`` tells where a time of ``stats.ties`` starts."""
    mean, distinct = 0.0, 0
    for i in range(bits.size):
        time[i] = float_of(bits[i] & ~(4 * last + 3))
        if i == 0 or time[i] > time[i - 1]:
            mean += time[i]
            distinct += 1
    most = TOLERANCE * max(mean / distinct, 1.0)
    new[0], tied = True, False
    for i in range(1, bits.size):
        new[i] = time[i] - time[i - 1] > most
        tied |= not new[i] and (bits[i] | bits[i - 1]) & 1 > 0
    return tied


@inner
def _at_risk(bits: Ints, stratum: int, last: int, tied: bool, new: Bools, room: Floats, first: int) -> int:
    """One row for each time with events: at risk, those of either group, events in group 1, all events."""
    n, n1, n0, d1, d = room[0], room[1], room[2], room[3], room[8]
    alive, one = 0, 0
    for i in range(bits.size):
        mine = (bits[i] >> 2) & last == stratum
        alive += mine
        one += mine & (bits[i] >> 1)
    k, fresh = first, True
    d[k] = 0
    for i in range(bits.size):
        fresh |= not tied or new[i]
        if (bits[i] >> 2) & last == stratum:
            if fresh:
                k += d[k] > 0
                n[k], n1[k], n0[k], d1[k], d[k], fresh = alive, one, alive - one, 0, 0, False
            arm = (bits[i] >> 1) & 1
            d[k] += bits[i] & 1
            d1[k] += bits[i] & arm
            alive -= 1
            one -= arm
    return k + int(d[k] > 0)


@inner
def _ones(rows: Keys) -> int:
    ones = 0
    for i in range(rows.size):
        ones += rows[i] & 1
    return ones


@inner
def _unpack(rows: Keys, n: Floats, n1: Floats, n0: Floats, d1: Floats) -> None:
    """What ``_select.at_risk`` wrote, as numbers."""
    for i in range(rows.size):
        alive, one = np.int32(rows[i] >> 16), np.int32((rows[i] & 0xFFFF) >> 1)
        n[i], n1[i], n0[i], d1[i] = alive, one, alive - one, np.int32(rows[i] & 1)


@inner
def _compare(n: Floats, n1: Floats, d1: Floats, share: Floats, surprise: Floats, variance: Floats) -> None:
    """Share of group 1 at risk, events less expected, variance."""
    for i in range(n.size):
        p = n1[i] / n[i]
        share[i] = p
        surprise[i] = d1[i] - p
        variance[i] = p * (1 - p)


@inner
def _compare_tied(
    begin: Ints,
    end: Ints,
    n: Floats,
    n1: Floats,
    d1: Floats,
    d: Floats,
    surprise: Floats,
    variance: Floats,
    S: Floats,
) -> None:
    for s in range(begin.size):
        alive = 1.0
        for i in range(begin[s], end[s]):
            p = n1[i] / n[i]
            surprise[i] = d1[i] - d[i] * p
            variance[i] = d[i] * (p * (1 - p)) * (n[i] - d[i]) / max(n[i] - 1, 1.0)
            S[i] = alive
            alive *= 1 - d[i] / n[i]


@inner
def _efron(
    begin: Ints,
    end: Ints,
    n: Floats,
    n1: Floats,
    d1: Floats,
    d: Floats,
    cox_begin: Ints,
    cox_end: Ints,
    cox_n1: Floats,
    cox_n0: Floats,
) -> None:
    """A row for each event: the k-th of d leaves the share k/d of all d behind."""
    row = 0
    for s in range(begin.size):
        cox_begin[s] = row
        for i in range(begin[s], end[s]):
            for k in range(int(d[i])):
                f = k / d[i]
                cox_n1[row] = n1[i] - f * d1[i]
                cox_n0[row] = n[i] - n1[i] - f * (d[i] - d1[i])
                row += 1
        cox_end[s] = row


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
    n1: Floats, n0: Floats, ones: int, begin: Ints, end: Ints, p: Floats, ready: bool
) -> tuple[float, float]:
    """Log hazard ratio and its standard error: the steps of ``batch.cox``.

    ``p`` is overwritten; where ``ready`` it holds the shares at no difference.
    """
    surely, perhaps, rows = 0, 0, end[-1]
    for s in range(begin.size):
        some = _certain(n1[begin[s] : end[s]], n0[begin[s] : end[s]])
        surely, perhaps = surely + some[0], perhaps + some[1]
    if not surely < ones < perhaps:
        return np.nan, np.nan
    beta, low, high = 0.0, -np.inf, np.inf
    for step in range(STEPS):
        if step or not ready:
            _share_at(exp(-beta), n1[:rows], n0, p)
        expected, information, bend = _expected(p, begin, end)
        score = ones - expected
        move = score / information
        if abs(move) <= 1:
            move = move / (1 + move * bend / (2 * information))
        if move * move * information < SETTLED:
            return beta + move, 1 / math.sqrt(information + move * bend)
        if score > 0:
            low = beta
        elif score < 0:
            high = beta
        found = beta + min(max(move, -FARTHEST), FARTHEST)
        beta = (low + high) / 2 if found <= low or found >= high else found
    return np.nan, np.nan


@inner
def _certain(n1: Floats, n0: Floats) -> tuple[int, int]:
    """Events that must be in group 1, and those that may be."""
    surely, perhaps = 0, 0
    for i in range(n1.size):
        surely += n0[i] == 0
        perhaps += n1[i] > 0
    return surely, perhaps


@inner
def _share_at(odds: float, n1: Floats, n0: Floats, p: Floats) -> None:
    for i in range(n1.size):
        p[i] = n1[i] / (odds * n0[i] + n1[i])


@inner
def _expected(p: Floats, begin: Ints, end: Ints) -> tuple[float, float, float]:
    """Expected deaths of group 1, their variance, and its slope."""
    share, information, bend = 0.0, 0.0, 0.0
    for s in range(begin.size):
        first, second, third = powers_of(p, begin[s], end[s])
        share += first
        information += first - second
        bend += first - 3 * second + 2 * third
    return share, information, bend


@inner
def _sums(values: Floats, begin: Ints, end: Ints) -> float:
    """Of all strata."""
    total = 0.0
    for s in range(begin.size):
        total += sum_of(values, begin[s], end[s])
    return total
