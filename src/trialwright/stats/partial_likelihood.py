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

_LONG = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    loglik: float
    score: Floats  # (p,)
    information: Floats  # (p, p)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over each moment's risk set, (q, G), and over the deaths of the tied moments, (q, T).

    The q rows are r, then r x_j, then r x_j x_k for j <= k.
    """

    risk: Floats
    deaths: Floats


def breslow(data: CoxData, beta: Floats) -> Point:
    return _through_blocks(_breslow, data, beta)


def efron(data: CoxData, beta: Floats) -> Point:
    return _through_blocks(_efron, data, beta)


def _through_blocks(of: Callable[[CoxData, Sums], Point], data: CoxData, beta: Floats) -> Point:
    """What the deaths add, less what each block's risk sets do.

    Blocks run from the last to the first, each handing those still at risk to the one before.
    """
    loglik, score = float(beta @ data.died), data.died
    information = np.zeros((data.p, data.p))
    later = None
    for block in reversed(data.blocks or (data,)):
        sums = moment_sums(block, np.einsum("p,pm->m", beta, block.X), later)
        part = of(block, sums)
        loglik, score, information = loglik + part.loglik, score + part.score, information + part.information
        later = sums.risk[:, 0] if block.came_on else None
    return Point(loglik, score, information)


def _breslow(data: CoxData, sums: Sums) -> Point:
    S0, mean, p = sums.risk[0], sums.risk[1:] / sums.risk[0], data.p
    total = times(mean, data.dw)
    information = square(total[p:], p) - product(mean[:p] * data.dw, mean[:p])
    return Point(-float((data.dw * np.log(S0)).sum()), -total[:p], information)


def _efron(data: CoxData, sums: Sums) -> Point:
    if not data.tied.moment.size:
        return _breslow(data, sums)
    c, log_total = efron_terms(data, sums)
    p, D, S = data.p, sums.deaths[1:], sums.risk[1:]
    total = times(S, c.a1) - times(D, c.b1)
    cross = product(S[:p, data.tied.moment] * c.b2, D[:p])
    information = (
        square(total[p:], p) - product(S[:p] * c.a2, S[:p]) + cross + cross.T - product(D[:p] * c.c2, D[:p])
    )
    return Point(-log_total, -total[:p], information)


@dataclass(frozen=True, slots=True, eq=False)
class EfronTerms:
    """Sums over k of (mean weight) f^i / (S0 - f D0)^j with f = k/d; a: i = 0, b: i = 1, c: i = 2."""

    a1: Floats  # (G,)
    a2: Floats
    b1: Floats  # (tied,)
    b2: Floats
    c2: Floats


def efron_terms(data: CoxData, sums: Sums) -> tuple[EfronTerms, float]:
    S0, tied = sums.risk[0], data.tied
    a1 = data.dw / S0
    a2 = a1 / S0
    at, d, f, first = tied.moment, tied.d, tied.f, tied.first
    left = np.repeat(S0[at], d) - f * np.repeat(sums.deaths[0], d)
    one = 1 / left
    weight = data.dw[at] / d
    f_one = f * one
    terms = np.array([one, one * one, f_one, f_one * one, f_one * f_one, np.log(left)])
    a1[at], a2[at], b1, b2, c2, logs = weight * np.add.reduceat(terms, first, axis=1)
    single = data.d == 1
    total = float((data.dw[single] * np.log(S0[single])).sum()) + float(logs.sum())
    return EfronTerms(a1, a2, b1, b2, c2), total


def moment_sums(data: CoxData, eta: Floats, later: Floats | None = None) -> Sums:
    """``later`` are the sums over those of the last stratum who leave after the last moment here."""
    Q = products(data, np.exp(eta) if data.w is None else data.w * np.exp(eta))
    tied = data.tied
    piece, of_moment, split = tied.piece, tied.of_moment, tied.split
    parts = Q if piece.size == data.event.size else np.add.reduceat(Q, piece, axis=1)
    leaving = parts
    if split.size:
        leaving = parts[:, of_moment]
        leaving[:, split] += parts[:, of_moment[split] + 1]
    risk = from_the_end(leaving, data.stratum_end)
    if later is not None:
        ends = data.stratum_end
        risk[:, (ends[-2] if ends.size > 1 else 0) :] += later[:, None]
    if data.waits is not None:
        risk -= from_the_end(_waiting(Q, data.waits, risk.shape[1]), data.stratum_end)
    return Sums(risk, parts[:, of_moment[tied.moment]])


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
    """Sums over this moment and the later ones of its stratum."""
    out = np.empty_like(values)
    first = 0
    for end in ends:  # strata, not patients
        np.cumsum(values[:, first:end][:, ::-1], axis=1, out=out[:, first:end][:, ::-1])
        first = end
    return out


def _waiting(Q: Floats, waits: Indices, moments: int) -> Floats:
    return np.array([np.bincount(waits, row, moments + 1)[:moments] for row in Q])


def times(rows: Floats, weight: Floats) -> Floats:
    """(q, m) times (m,). Long rows not by BLAS, whose threads cost more than they bring to a few of them."""
    if weight.size < _LONG:
        return rows @ weight
    return np.asarray(np.einsum("qm,m->q", rows, weight), dtype=np.float64)


def product(left: Floats, right: Floats) -> Floats:
    """(p, m) times (q, m) transposed, by the same rule."""
    if left.shape[1] < _LONG:
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
