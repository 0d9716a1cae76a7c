"""Log-rank and Cox for many two-arm trials at once, with NaN and a code in place of an exception.

The same numbers as ``logrank`` and ``cox`` (a property test holds them together); a second form because one
trial wants input checks and few calls, and a simulation wants none and whole rows sorted by value.

Two times of a trial tie when they are equal but for the last few bits (2e-13 of their size); the wider
``timefix`` of the single form is not applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints

_NEVER = np.iinfo(np.int64).max


class Reason(IntEnum):
    """Why a trial of the batch has NaN."""

    ESTIMATED = 0
    NO_EVENTS = 1
    EMPTY_GROUP = 2
    NOT_TOGETHER = 3  # no event tells the groups apart
    MONOTONE = 4  # the hazard ratio is 0 or infinite
    NO_CONVERGENCE = 5


@dataclass(frozen=True, slots=True, eq=False)
class BatchTable:
    """Each trial's patients in order of time, (B, n): who has the event, and the numbers behind it.

    ``n`` and ``n1`` at risk and ``d``, ``d1`` tied events are of the row's stratum and time, ``before`` the
    events of the same tie on rows before it, ``stratum`` the label 0 … S-1.
    """

    event: Bools
    one: Bools
    stratum: Ints
    n: Floats
    n1: Floats
    d: Floats
    d1: Floats
    before: Floats
    tied: bool
    strata: int
    reason: Ints  # (B,)


def batch_table(
    time: Floats,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    present: npt.ArrayLike | None = None,
) -> BatchTable:
    """``time`` is (B, n); the others (B, n) or (n,). ``present`` leaves out patients not yet enrolled, say.

    ``strata`` are whole numbers from 0 to 63. Times must be finite and not negative; nothing is checked
    patient by patient.
    """
    t = np.asarray(time, dtype=np.float64)
    if t.ndim != 2:
        raise ValueError(f"time must be (trials, patients), not of shape {t.shape}")
    labels = np.zeros(1, dtype=np.int64) if strata is None else np.asarray(strata, dtype=np.int64)
    S = int(labels.max(initial=0)) + 1
    if labels.size and (labels.min() < 0 or S > 64):
        raise ValueError("strata must be whole numbers from 0 to 63")
    bits = 4 * labels + 2 * np.asarray(group, dtype=np.int64) + np.asarray(event, dtype=np.int64)
    low = np.int64((1 << (4 * S - 1).bit_length()) - 1)
    key = ((t + 0.0).view(np.int64) & ~low) | np.broadcast_to(bits, t.shape)
    if present is not None:
        key = np.where(present, key, _NEVER)
    key.sort(axis=1)
    here = key != _NEVER
    one, dead, stratum = here & ((key & 2) > 0), here & ((key & 1) > 0), np.where(here, (key & low) >> 2, -1)
    first, last = _tie_ends(key & ~low)
    parts = [_stratum_counts(here & (stratum == s), one, dead, first, last) for s in range(S)]
    n, n1, d, d1, before = parts[0]
    for s in range(1, S):
        mine = stratum == s
        old = (n, n1, d, d1, before)
        n, n1, d, d1, before = (np.where(mine, a, b) for a, b in zip(parts[s], old, strict=True))
    reason = np.where(~dead.any(axis=1), Reason.NO_EVENTS, Reason.ESTIMATED)
    empty = ~one.any(axis=1) | ~(here & ~one).any(axis=1)
    reason = np.where(empty, Reason.EMPTY_GROUP, reason).astype(np.int64)
    tied = bool((d > 1).any())
    return BatchTable(dead, one, stratum, n, n1, d, d1, before, tied, S, reason)


def _tie_ends(moment: Ints) -> tuple[Ints | None, Ints | None]:
    """First and last row of each row's tie; None where nothing ties."""
    new = np.ones(moment.shape, dtype=bool)
    new[:, 1:] = moment[:, 1:] != moment[:, :-1]
    if new.all():
        return None, None
    row = np.arange(moment.shape[1])
    first = np.maximum.accumulate(np.where(new, row, 0), axis=1)
    end = np.ones_like(new)
    end[:, :-1] = new[:, 1:]
    last = np.minimum.accumulate(np.where(end, row, moment.shape[1])[:, ::-1], axis=1)[:, ::-1]
    return first, last


def _stratum_counts(
    mine: Bools, one: Bools, dead: Bools, first: Ints | None, last: Ints | None
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    at_risk, ones = (_to_come(who) for who in (mine, mine & one))
    events, events_1 = mine & dead, mine & dead & one
    if first is None or last is None:
        d, d1 = events.astype(np.float64), events_1.astype(np.float64)
        return at_risk, ones, d, d1, np.zeros_like(d)
    seen, seen_1 = np.cumsum(events, axis=1, dtype=np.float64), np.cumsum(events_1, axis=1, dtype=np.float64)
    start = np.take_along_axis(seen - events, first, axis=1)
    d = np.take_along_axis(seen, last, axis=1) - start
    d1 = np.take_along_axis(seen_1, last, axis=1) - np.take_along_axis(seen_1 - events_1, first, axis=1)
    n, n1 = (np.take_along_axis(a, first, axis=1) for a in (at_risk, ones))
    return n, n1, d, d1, seen - events - start


def _to_come(who: Bools) -> Floats:
    return np.cumsum(who[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]


@dataclass(frozen=True, slots=True, eq=False)
class LogRankBatch:
    """(B,) each; as in ``LogRank``."""

    statistic: Floats
    variance: Floats
    z: Floats
    reason: Ints


def logrank_batch(table: BatchTable, *, rho: float = 0, gamma: float = 0) -> LogRankBatch:
    """The (weighted, stratified) log-rank test of each trial."""
    n = np.maximum(table.n, 1)
    share = table.n1 / n
    w = table.event.astype(np.float64)
    if rho or gamma:
        S = _pooled_before(table)
        w = w * S**rho * (1 - S) ** gamma
    U = (w * (table.one - share)).sum(axis=1)
    V = w * (w if rho or gamma else 1.0) * share * (1 - share)
    if table.tied:
        V = V * (n - table.d) / np.maximum(n - 1, 1)
    V = V.sum(axis=1)
    reason = np.where((table.reason == 0) & ~(V > 0), Reason.NOT_TOGETHER, table.reason)
    good = reason == Reason.ESTIMATED
    z = np.full(U.shape, np.nan)
    np.divide(U, np.sqrt(V, out=np.ones_like(V), where=good), out=z, where=good)
    return LogRankBatch(np.where(good, U, np.nan), np.where(good, V, np.nan), z, reason)


def _pooled_before(table: BatchTable) -> Floats:
    """S(t-) of the row's stratum: a factor for each tie, put on its last event."""
    closes = table.event & (table.before == table.d - 1)
    factor = np.where(closes, 1 - table.d / np.maximum(table.n, 1), 1.0)
    S = np.ones_like(table.n)
    for s in range(table.strata):
        mine = table.stratum == s
        after = np.cumprod(np.where(mine, factor, 1.0), axis=1)
        S = np.where(mine, np.concatenate((np.ones((len(S), 1)), after[:, :-1]), axis=1), S)
    return S


@dataclass(frozen=True, slots=True, eq=False)
class CoxBatch:
    """(B,) each: log hazard ratio of group 1, its standard error, Newton steps taken by the slowest trial."""

    coef: Floats
    std_error: Floats
    reason: Ints
    iterations: int


def cox_batch(table: BatchTable, *, ties: str = "efron") -> CoxBatch:
    """Cox's log hazard ratio with the arm as the only covariate, strata as in the table."""
    if ties not in ("efron", "breslow"):
        raise ValueError(f"ties must be efron or breslow, not {ties!r}")
    n1, n0 = table.n1, table.n - table.n1
    if ties == "efron" and table.tied:
        f = table.before / np.maximum(table.d, 1)
        n1, n0 = n1 - f * table.d1, n0 - f * (table.d - table.d1)
    n0 = np.where(table.event, n0, 1.0)  # rows without an event add share 0
    n1 = np.where(table.event, n1, 0.0)
    total = (table.event & table.one).sum(axis=1, dtype=np.float64)
    events = table.event.sum(axis=1, dtype=np.float64)
    reason = np.where((table.reason == 0) & ((total == 0) | (total == events)), Reason.MONOTONE, table.reason)
    return _newton(n1, n0, total, reason, events)


def _newton(n1: Floats, n0: Floats, total: Floats, reason: Ints, events: Floats) -> CoxBatch:
    """Root of total - sum n1 r / (n0 + n1 r), by trial: Newton's step, halved where it leaves the bracket."""
    B = total.size
    beta, information, null = np.zeros(B), np.ones(B), np.ones(B)
    low, high = np.full(B, -np.inf), np.full(B, np.inf)
    active, steps = np.flatnonzero(reason == Reason.ESTIMATED), 0
    while active.size and steps < 60:
        part = n1[active] * np.exp(beta[active])[:, None]
        share = part / (n0[active] + part)
        score = total[active] - share.sum(axis=1)
        info = (share * (1 - share)).sum(axis=1)
        if steps == 0:
            null[active] = info
            flat = info <= 1e-11 * events[active]
        else:
            flat = info <= 1e-8 * null[active]
        reason[active[flat]] = Reason.MONOTONE if steps else Reason.NOT_TOGETHER
        information[active] = info
        rising = score > 0
        low[active] = np.where(rising, beta[active], low[active])
        high[active] = np.where(rising, high[active], beta[active])
        step = np.clip(np.divide(score, info, out=np.zeros_like(score), where=~flat), -3, 3)
        there = beta[active] + step
        outside = ~((there > low[active]) & (there < high[active])) & (step != 0)
        middle = (low[active] + high[active]) / 2
        beta[active] = np.where(outside & np.isfinite(middle), middle, there)
        active = active[~flat & (step**2 * info > 1e-18)]
        steps += 1
    reason[active] = Reason.NO_CONVERGENCE
    good = reason == Reason.ESTIMATED
    error = np.full(B, np.nan)
    error[good] = 1 / np.sqrt(information[good])
    return CoxBatch(np.where(good, beta, np.nan), error, reason, steps)
