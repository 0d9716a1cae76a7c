"""Log partial likelihood of a Cox model with its score and information, at given coefficients.

Let r = w exp(x'beta). At a moment with d deaths, risk-set sums S and sums over the deaths D, each of r, r x
and r x x', Breslow divides by S; Efron by S - (k/d) D for k = 0 … d-1, at the mean weight of the deaths;
the exact form by the sum over all sets of d patients at risk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats
from trialwright.stats.coxdata import CoxData, Indices

_LONG = 8192  # numbers
_MANY = 8  # with more rows than this to a moment, rows are summed by moment before they are run together


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    loglik: float
    score: Floats  # (p,)
    information: Floats  # (p, p)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over each moment's risk set, (q, G), and over the deaths of the tied moments, (q, T).

    The q rows are r, then r x_j, then (from ``moment_sums``) r x_j x_k for j <= k.
    """

    risk: Floats
    deaths: Floats


def breslow(data: CoxData, beta: Floats) -> Point:
    return _through_blocks(breslow_terms, data, beta)


def efron(data: CoxData, beta: Floats) -> Point:
    return _through_blocks(efron_terms, data, beta)


@dataclass(frozen=True, slots=True, eq=False)
class EfronTerms:
    """Sums over k of (mean weight) f^i / (S0 - f D0)^j with f = k/d; a: i = 0, b: i = 1, c: i = 2.

    Without ties, and by Breslow, f is 0 and there are no b and c.
    """

    a1: Floats  # (G,)
    a2: Floats
    b1: Floats  # (tied,)
    b2: Floats
    c2: Floats


_NONE = np.empty(0)


def breslow_terms(data: CoxData, sums: Sums) -> tuple[EfronTerms, float]:
    S0 = sums.risk[0]
    a1 = data.dw / S0
    return EfronTerms(a1, a1 / S0, _NONE, _NONE, _NONE), float((data.dw * np.log(S0)).sum())


def efron_terms(data: CoxData, sums: Sums) -> tuple[EfronTerms, float]:
    S0, tied = sums.risk[0], data.tied
    if not tied.moment.size:
        return breslow_terms(data, sums)
    a1 = data.dw / S0
    a2 = a1 / S0
    at, d, f, first = tied.moment, tied.d, tied.f, tied.first
    left = np.repeat(S0[at], d) - f * np.repeat(sums.deaths[0], d)
    terms = np.empty((6, f.size))
    one, f_one = np.divide(1, left, out=terms[0]), np.multiply(f, terms[0], out=terms[2])
    np.multiply(one, one, out=terms[1])
    np.multiply(f_one, one, out=terms[3])
    np.multiply(f_one, f_one, out=terms[4])
    np.log(left, out=terms[5])
    a1[at], a2[at], b1, b2, c2, logs = tied.mean_weight * np.add.reduceat(terms, first, axis=1)
    return EfronTerms(a1, a2, b1, b2, c2), float((tied.alone * np.log(S0)).sum() + logs.sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Later:
    """Those of a block's last stratum who leave after its last moment."""

    sums: Floats  # (1 + p,) of r and r x
    second: Floats  # (p, p) of r x x'


# the terms, and the sum of the logs of the denominators
_OfTies = Callable[[CoxData, Sums], tuple[EfronTerms, float]]


def _through_blocks(terms: _OfTies, data: CoxData, beta: Floats) -> Point:
    """What the deaths add, less what each block's risk sets do.

    Blocks run from the last to the first, each handing those still at risk to the one before.
    """
    loglik, score = float(beta @ data.died), data.died
    information = np.zeros((data.p, data.p))
    later = None
    for block in reversed(data.blocks or (data,)):
        Q = _with_first(block, _risk(block, np.einsum("p,pm->m", beta, block.X)))
        sums = _sums(block, Q, None if later is None else later.sums)
        c, log_total = terms(block, sums)
        D, S = sums.deaths[1:], sums.risk[1:]
        hazard = _from_the_start(c.a1, block.stratum_end)
        loglik -= log_total
        score = score - times(S, c.a1)
        information += _expected(block, Q, hazard, c.b1) - product(S * c.a2, S)
        if c.b1.size:
            score += times(D, c.b1)
            cross = product(S.take(block.tied.moment, axis=1) * c.b2, D)
            information += cross + cross.T - product(D * c.c2, D)
        if later is not None:
            information += hazard[-1] * later.second
        later = _handed_on(block, Q, sums, later) if block.came_on else None
    return Point(loglik, score, information)


def _expected(data: CoxData, Q: Floats, hazard: Floats, b1: Floats) -> Floats:
    """The sum over risk sets of r x x' / S0, turned round: each patient adds x x' once, times the events
    expected of that patient, r times the hazard from coming to leaving."""
    lived = np.repeat(hazard, data.length)
    if b1.size:  # the dead of a tie were at risk for a part of it only
        lived[data.tied.row] -= np.repeat(b1, data.tied.d)
    if data.waits is not None:
        lived -= np.append(hazard, 0.0)[data.waits]
    return product(Q[1:] * lived, data.X)


def _handed_on(block: CoxData, Q: Floats, sums: Sums, later: _Later | None) -> _Later:
    ends = block.stratum_end
    rows = block.stratum_row_end[0]
    second = product(Q[1:, :rows], block.X[:, :rows])
    if later is not None and ends.size == 1:
        second += later.second
    return _Later(sums.risk[:, 0], second)


def moment_sums(data: CoxData, eta: Floats) -> Sums:
    return _sums(data, products(data, _risk(data, eta)), None)


def _risk(data: CoxData, eta: Floats) -> Floats:
    return np.exp(eta) if data.w is None else data.w * np.exp(eta)


def _sums(data: CoxData, Q: Floats, later: Floats | None) -> Sums:
    """Of the rows Q (q, m). ``later`` is what those add who leave after the last moment here."""
    tied = data.tied
    if data.start.size * _MANY > data.event.size:
        # columns are much faster taken than indexed
        risk = from_the_end(Q, data.stratum_row_end).take(data.start, axis=1)
    else:
        risk = from_the_end(np.add.reduceat(Q, data.start, axis=1), data.stratum_end)
    deaths = Q[:, :0]
    if tied.row.size:
        deaths = np.add.reduceat(Q.take(tied.row, axis=1), tied.first, axis=1)
    if later is not None:
        ends = data.stratum_end
        risk[:, (ends[-2] if ends.size > 1 else 0) :] += later[:, None]
    if data.waits is not None:
        risk -= from_the_end(_waiting(Q, data.waits, risk.shape[1]), data.stratum_end)
    return Sums(risk, deaths)


def _with_first(data: CoxData, r: Floats) -> Floats:
    Q = np.empty((1 + data.p, r.size))
    Q[0] = r
    np.multiply(data.X, r, out=Q[1:])
    return Q


def products(data: CoxData, r: Floats) -> Floats:
    p, X = data.p, data.X
    Q = np.empty((1 + p + p * (p + 1) // 2, r.size))
    Q[0] = r
    np.multiply(X, r, out=Q[1 : 1 + p])
    row = 1 + p
    for j in range(p):
        np.multiply(X[j:], Q[1 + j], out=Q[row : row + p - j])
        row += p - j
    return Q


def from_the_end(values: Floats, ends: Indices) -> Floats:
    """Sums over this one and the later ones of its stratum."""
    out = np.empty_like(values)
    first = 0
    for end in ends.tolist():  # strata, not patients
        np.add.accumulate(values[:, first:end][:, ::-1], axis=1, out=out[:, first:end][:, ::-1])
        first = end
    return out


def _from_the_start(values: Floats, ends: Indices) -> Floats:
    """Sums over this moment and the earlier ones of its stratum."""
    out = np.empty_like(values)
    first = 0
    for end in ends.tolist():
        np.add.accumulate(values[first:end], out=out[first:end])
        first = end
    return out


def _waiting(Q: Floats, waits: Indices, moments: int) -> Floats:
    return np.array([np.bincount(waits, row, moments + 1)[:moments] for row in Q])


def times(rows: Floats, weight: Floats) -> Floats:
    """(q, m) times (m,). Long rows not by BLAS, whose threads cost more than they bring to a few of them."""
    if rows.size < _LONG:
        return rows @ weight
    return np.asarray(np.einsum("qm,m->q", rows, weight), dtype=np.float64)


def product(left: Floats, right: Floats) -> Floats:
    """(p, m) times (q, m) transposed, by the same rule."""
    if left.size < _LONG:
        return left @ right.T
    return np.asarray(np.einsum("pm,qm->pq", left, right), dtype=np.float64)


def square(upper: Floats, p: int) -> Floats:
    """A symmetric matrix from its upper triangle, row by row."""
    return upper[_square(p)]


@lru_cache(maxsize=64)
def _square(p: int) -> npt.NDArray[np.intp]:
    place = np.zeros((p, p), dtype=np.intp)
    place[np.triu_indices(p)] = np.arange(p * (p + 1) // 2)
    return np.triu(place) + np.triu(place, 1).T


def exact(data: CoxData, beta: Floats) -> Point:
    """Patients join from the last moment back, and with each the sums over sets of size 1, 2, … grow.

    Kept as means over the sets (a mean of k of m is built from means of k and k-1 of m-1), so that nothing
    overflows. One pass over the patients of each stratum, each step an array as long as the
    largest number of tied deaths.
    """
    if data.waits is not None or data.w is not None:
        raise ValueError("exact ties take neither entry nor weights")
    p = data.p
    eta = beta @ data.X
    r = np.exp(eta - eta.max())
    loglik = float(eta[data.event].sum())
    score = data.X[:, data.event].sum(axis=1)
    information = np.zeros((p, p))
    ends = np.append(data.start[1:], r.size)
    first = 0
    for end in data.stratum_end:  # strata
        size = int(data.d[first:end].max())
        sets = _Sets(size, p)
        for g in range(int(end) - 1, first - 1, -1):
            for i in range(data.start[g], ends[g]):
                sets.join(float(r[i]), data.X[:, i])
            log_total, gradient, curvature = sets.of(int(data.d[g]))
            loglik -= log_total + int(data.d[g]) * float(eta.max())
            score = score - gradient
            information += curvature
        first = int(end)
    return Point(loglik, score, information)


class _Sets:
    """Mean over all sets of k of those joined so far of the product of r, with its derivatives."""

    def __init__(self, size: int, p: int) -> None:
        self.value = np.zeros(size + 1)
        self.value[0] = 1
        self.first = np.zeros((p, size + 1))
        self.second = np.zeros((p, p, size + 1))
        self.joined = 0
        self.k = np.arange(1, size + 1)

    def join(self, r: float, x: Floats) -> None:
        self.joined += 1
        with_it = np.minimum(self.k / self.joined, 1)
        without = 1 - with_it
        v, f, s = self.value[:-1], self.first[:, :-1], self.second[:, :, :-1]
        xf = x[:, None, None] * f[None, :, :]
        second = r * (s + xf + xf.transpose(1, 0, 2) + np.multiply.outer(np.outer(x, x), v))
        first = r * (f + x[:, None] * v)
        value = r * v
        self.second[:, :, 1:] = without * self.second[:, :, 1:] + with_it * second
        self.first[:, 1:] = without * self.first[:, 1:] + with_it * first
        self.value[1:] = without * self.value[1:] + with_it * value

    def of(self, d: int) -> tuple[float, Floats, Floats]:
        """Log of the sum over sets of d, its gradient and its second derivative."""
        value = self.value[d]
        gradient = self.first[:, d] / value
        curvature = self.second[:, :, d] / value - np.outer(gradient, gradient)
        return math.log(value) + math.log(math.comb(self.joined, d)), gradient, curvature
