"""The patients of a Cox model, laid out so that every sum over a risk set is a running sum.

Rows run by stratum, then by time, deaths before censored. A *moment* is a distinct death time of a
stratum; its rows are its deaths and then all who are censored from then on and before the next. Patients
who leave before the first death of their stratum are never at risk at a moment and have no row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints, codes, entry_before, times, zero_one
from trialwright.stats.arrays import weight as checked_weight
from trialwright.stats.errors import NotEstimable
from trialwright.stats.ties import distinct, distinct_days, new_time, whole_days

Indices = npt.NDArray[np.intp]
_BLOCK = 16_384  # rows


@dataclass(frozen=True, slots=True, eq=False)
class Tied:
    """The moments with several deaths, and those deaths. All of it is the same at any coefficients."""

    moment: Indices  # (T,) the tied moments
    d: Ints  # (T,) deaths
    mean_weight: Floats  # (T,) of the deaths
    first: Indices  # (T,) where the deaths of each start, among all tied deaths
    row: Indices  # of each tied death
    f: Floats  # k/d of each tied death
    alone: Floats  # (G,) weight of the death of a moment that has one only, else 0


@dataclass(frozen=True, slots=True, eq=False)
class CoxData:
    """m rows, G moments, p covariates."""

    X: Floats  # (p, m), centred on the mean of everybody
    w: Floats | None  # (m,) weights
    event: Bools  # (m,)
    row: Indices  # (m,) which patient of the caller this row is
    start: Indices  # (G,) first row of each moment
    length: Ints  # (G,) and how many
    time: Floats  # (G,)
    d: Ints  # (G,) deaths
    tied: Tied
    dw: Floats  # (G,) their weight
    stratum_end: Indices  # the moment after the last of each stratum
    stratum_row_end: Indices  # the row
    waits: Indices | None  # (m,) left truncation: the last moment before the patient came in, or G
    spread: Floats  # (p,) variance of each covariate times the number of events
    died: Floats  # (p,) weighted sum of the covariates of those who died
    rows: int  # of the caller
    n: int  # of them with a weight
    n_event: int
    blocks: tuple[CoxData, ...] = ()  # of a large one: the same in pieces, in order
    goes_on: bool = False  # a block: its last stratum has moments in the next
    came_on: bool = False  # a block: its first stratum has moments in the one before

    @property
    def p(self) -> int:
        return int(self.X.shape[0])

    @property
    def moment(self) -> Indices:
        """The moment of each row."""
        return np.repeat(np.arange(self.d.size), self.length)


@dataclass(frozen=True, slots=True, eq=False)
class _Patients:
    """What the caller gave, checked."""

    leave: Floats
    dead: Bools
    X: Floats  # (p, n)
    stratum: Ints
    n_strata: int
    enter: Floats | None
    w: Floats | None

    def where(self, keep: Bools) -> _Patients:
        return _Patients(
            self.leave[keep],
            self.dead[keep],
            self.X[:, keep],
            self.stratum[keep],
            self.n_strata,
            None if self.enter is None else self.enter[keep],
            None if self.w is None else self.w[keep],
        )


def cox_data(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    timefix: bool = True,
    may_run_away: bool = False,
) -> CoxData:
    leave = times(time)
    dead = zero_one(event, "event", leave.size)
    X = np.ascontiguousarray(matrix(covariates, leave.size).T)
    stratum, n_strata = codes(strata, "strata", leave.size)
    w = checked_weight(weights, leave.size)
    enter = None if entry is None else entry_before(entry, leave)
    patients = _Patients(leave, dead, X, stratum, n_strata, enter, w)
    rows = np.arange(leave.size)
    if w is not None and (w == 0).any():
        patients, rows = patients.where(w > 0), np.flatnonzero(w > 0)
    _estimable(patients.dead, patients.X, may_run_away)
    return _lay_out(patients, rows, leave.size, timefix)


def matrix(covariates: npt.ArrayLike, size: int) -> Floats:
    """Covariates as (n, p)."""
    try:
        X = np.asarray(covariates, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("covariates must hold numbers only") from error
    if X.ndim == 1:
        X = X[:, None]
    if X.ndim != 2 or X.shape[0] != size or not X.shape[1]:
        raise ValueError(f"covariates must have one row for each of the {size} times, not shape {X.shape}")
    if not np.isfinite(X).all():
        raise ValueError("covariates have a missing or infinite value")
    return X


def _estimable(dead: Bools, X: Floats, may_run_away: bool) -> None:
    if not dead.size:
        raise NotEstimable("no patients")
    if not dead.any():
        raise NotEstimable("no events")
    low, high = X.min(axis=1), X.max(axis=1)
    if (low == high).any():
        raise NotEstimable(f"covariate {int(np.argmax(low == high))} has one value only")
    if may_run_away:
        return
    died = X.take(np.flatnonzero(dead), axis=1)
    no_low, no_high = died.min(axis=1) > low, died.max(axis=1) < high
    for j in np.flatnonzero(no_low | no_high):
        if ((X[j] == low[j]) | (X[j] == high[j])).all():
            value = low[j] if no_low[j] else high[j]
            raise NotEstimable(f"no events where covariate {j} is {value:g}")


def _lay_out(who: _Patients, rows: Indices, caller_rows: int, timefix: bool) -> CoxData:
    order, in_order, when, entered = _by_stratum_and_time(who, timefix)
    dead, w = who.dead, who.w
    first = dead[order]
    first[1:] &= in_order[1:] != in_order[:-1]
    K = when.size
    start = np.flatnonzero(first)
    seen = _from_the_first_death(start, np.searchsorted(in_order, np.arange(who.n_strata + 1) * K))
    if seen is not None:
        order, in_order, first = order[seen], in_order[seen], first[seen]
        start = np.flatnonzero(first)
    ends = np.append(start[1:], order.size)
    event = dead[order]
    mass = None if w is None else w[order]
    d = np.add.reduceat(event.astype(np.int64), start)
    dw = d.astype(np.float64) if mass is None else np.add.reduceat(mass * event, start)
    moments = in_order[start]
    waits = None
    if who.enter is not None:
        come = who.stratum * K + entered
        if (come[order] >= in_order).any():
            raise ValueError("entry and time of a patient are the same once near-equal times are merged")
        waits = _waits(come[order], moments, K)
    stratum_end = np.flatnonzero(np.diff(moments // K, append=-1)) + 1
    X = who.X.take(order, axis=1)
    X -= (who.X.mean(axis=1) if w is None else np.einsum("pn,n->p", who.X, w) / w.sum())[:, None]
    whole = CoxData(
        X=X,
        w=mass,
        event=event,
        row=rows[order],
        start=start,
        length=ends - start,
        time=when[moments % K],
        d=d,
        dw=dw,
        tied=_tied(start, d, dw),
        stratum_end=stratum_end,
        stratum_row_end=ends[stratum_end - 1],
        waits=waits,
        spread=np.einsum("pm,pm->p", X, X) / order.size * dw.sum(),
        died=np.einsum("pm,m->p", X, event if mass is None else event * mass),
        rows=caller_rows,
        n=dead.size,
        n_event=int(dead.sum()),
    )
    return replace(whole, blocks=_blocks(whole)) if waits is None and event.size > 2 * _BLOCK else whole


def _from_the_first_death(death: Indices, edges: Indices) -> Bools | None:
    """Which rows come after the first death of their stratum; None where all do."""
    begin, end = edges[:-1], edges[1:]
    first = np.minimum(np.append(death, end[-1])[np.searchsorted(death, begin)], end)
    if (first == begin).all():
        return None
    lengths = np.array([first - begin, end - first]).T.ravel()
    return np.repeat(np.tile([False, True], begin.size), lengths)


def _by_stratum_and_time(who: _Patients, timefix: bool) -> tuple[Indices, Ints, Floats, Ints]:
    """Rows by stratum, time, deaths first; in that order each one's stratum * K + index of its time; the K
    times; and, in the caller's order, the index of each one's entry, if any.
    """
    leave, dead, stratum = who.leave, who.dead, who.stratum
    whole = whole_days(leave) if who.enter is None else None
    if who.enter is not None or whole is not None or not timefix:
        both = leave if who.enter is None else np.concatenate((leave, who.enter))
        when, index = distinct(both, timefix=timefix) if whole is None else distinct_days(whole)
        place = stratum * when.size + index[: leave.size]
        order = _sort(2 * place + ~dead, 2 * who.n_strata * when.size)
        return order, place[order], when, index[leave.size :]
    packed = ((leave + 0.0).view(np.int64) & ~np.int64(1)) | ~dead
    order = np.argsort(packed)
    ordered = leave[order]
    first = new_time(ordered, timefix)
    index = np.cumsum(first) - 1
    if np.count_nonzero(np.diff(packed[order] >> 1)) + 1 != index[-1] + 1:  # near-ties: deaths first again
        again = np.argsort(2 * index + ~dead[order], kind="stable")
        order = order[again]
    when = ordered[first]
    if who.n_strata > 1:
        by = _sort(stratum[order], who.n_strata)
        order, index = order[by], stratum[order[by]] * when.size + index[by]
    return order, index, when, np.empty(0, dtype=np.int64)


def _blocks(data: CoxData) -> tuple[CoxData, ...]:
    """The same rows in runs of moments short enough for their sums to stay in cache."""
    cut = np.searchsorted(data.start, np.arange(0, data.event.size, _BLOCK))
    edges = np.unique(np.append(cut, data.d.size))
    ends = np.append(data.start, data.event.size)
    return tuple(_block(data, int(a), int(b), int(ends[a]), int(ends[b])) for a, b in pairwise(edges))


def _block(data: CoxData, a: int, b: int, first: int, last: int) -> CoxData:
    start, d = data.start[a:b] - first, data.d[a:b]
    inside = data.stratum_end[(data.stratum_end > a) & (data.stratum_end <= b)] - a
    goes_on = not inside.size or inside[-1] != b - a
    stratum_end = np.append(inside, b - a) if goes_on else inside
    length = data.length[a:b]
    return replace(
        data,
        X=data.X[:, first:last],
        w=None if data.w is None else data.w[first:last],
        event=data.event[first:last],
        row=data.row[first:last],
        start=start,
        length=length,
        time=data.time[a:b],
        d=d,
        dw=data.dw[a:b],
        tied=_tied(start, d, data.dw[a:b]),
        stratum_end=stratum_end,
        stratum_row_end=(start + length)[stratum_end - 1],
        goes_on=goes_on,
        came_on=a > 0 and a not in data.stratum_end,
    )


def _tied(start: Indices, d: Ints, dw: Floats) -> Tied:
    moment = np.flatnonzero(d > 1)
    deaths = d[moment]
    first = np.cumsum(deaths) - deaths
    k = np.arange(int(deaths.sum())) - np.repeat(first, deaths)
    row = np.repeat(start[moment], deaths) + k
    alone = dw.copy()
    alone[moment] = 0
    return Tied(moment, deaths, dw[moment] / deaths, first, row, k / np.repeat(deaths, deaths), alone)


def _sort(key: Ints, limit: int) -> Indices:
    if limit < 2**16:  # NumPy sorts 16 bits by radix
        return np.argsort(key.astype(np.uint16), kind="stable")
    return np.argsort(key)


def _waits(come: Ints, moments: Ints, K: int) -> Indices:
    last = np.searchsorted(moments, come, side="right") - 1
    same = (last >= 0) & (moments[last] // K == come // K)
    return np.where(same, last, moments.size)
