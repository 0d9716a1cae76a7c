"""Restricted maximum likelihood of a linear model whose errors are correlated within a patient.

Patterson and Thompson, Biometrika 1971;58:545. With V the covariance of everything seen, and N rows::

    -2 l = log|V| + log|X'V⁻¹X| + r'V⁻¹r + (N - p) log 2 pi        r = y - X b,  b generalised least squares

Patients who came to the same visits share their matrices: all sums over patients are gathered once, by
pattern of visits, and a step costs the same for ten patients as for ten thousand. Newton's way with exact
second derivatives, or the expected ones where those do not lead uphill.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, Ints
from trialwright.stats.covariance_structures import Covariance, Family
from trialwright.stats.errors import NotEstimable

_STEPS = 200
_SETTLED = 1e-9  # what a further step would still add to the log-likelihood
_SINGULAR = 1e-9  # smallest relative eigenvalue of what must have an inverse


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """The patients seen at exactly these t visits."""

    visits: npt.NDArray[np.intp]  # (t,)
    patients: int
    products: Floats  # (t, t, p + 1, p + 1): sum over patients of z_s z_u', z = (q, e)

    def of(self, matrices: Floats) -> Floats:
        """The rows and columns of these visits."""
        return matrices[..., self.visits[:, None], self.visits]


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """A linear model in orthonormal columns: X = Q R, e = y - X b by ordinary least squares."""

    patterns: tuple[Pattern, ...]
    rows: int
    visits: int
    patients: int
    R: Floats  # (p, p)
    b: Floats  # (p,)
    rough: Floats  # (T, T) covariance of e, shrunk until it is one

    @property
    def p(self) -> int:
        return self.b.size


def repeated(y: Floats, subject: Ints, visit: Ints, X: Floats, visits: int) -> Repeated:
    """``subject`` and ``visit`` are codes 0, 1, …; X is (N, p)."""
    rows, p = X.shape
    if rows <= p:
        raise NotEstimable(f"{rows} observations do not determine {p} coefficients")
    Q, R = np.linalg.qr(X)
    if np.abs(np.diag(R)).min() < 1e-10 * np.linalg.norm(X, axis=0).max():
        raise NotEstimable(f"column {int(np.argmin(np.abs(np.diag(R))))} of X follows from those before it")
    b = np.linalg.solve(R, Q.T @ y)
    e = y - X @ b
    if e @ e <= 1e-24 * (y @ y):
        raise NotEstimable("nothing varies about the fitted means")
    row = np.full((int(subject.max()) + 1, visits), -1)
    row[subject, visit] = np.arange(rows)
    return Repeated(_patterns(row, np.column_stack((Q, e))), rows, visits, len(row), R, b, _rough(row, e))


def _patterns(row: Ints, Z: Floats) -> tuple[Pattern, ...]:
    present, which = np.unique(row >= 0, axis=0, return_inverse=True)
    found = []
    for index, seen in enumerate(present):  # patterns, not patients
        visits = np.flatnonzero(seen)
        members = row[which.ravel() == index][:, visits]
        flat = Z[members].reshape(len(members), -1)
        shape = (visits.size, Z.shape[1])
        products = (flat.T @ flat).reshape(*shape, *shape).transpose(0, 2, 1, 3)
        found.append(Pattern(visits, len(members), np.ascontiguousarray(products)))
    return tuple(found)


def _rough(row: Ints, e: Floats) -> Floats:
    """Moments over the patients seen at both visits, drawn towards the diagonal until they fit together."""
    seen = row >= 0
    wide = np.where(seen, e[row], 0.0)
    S = (wide.T @ wide) / np.maximum(seen.T.astype(float) @ seen, 1)
    diagonal = np.diag(np.maximum(np.diag(S), 1e-6 * np.diag(S).mean()))
    for keep in (1.0, 0.9, 0.7, 0.5, 0.3, 0.1):
        if _smallest(keep * S + (1 - keep) * diagonal) > 1e-3:
            return np.asarray(keep * S + (1 - keep) * diagonal)
    return diagonal


def _smallest(matrix: Floats) -> float:
    """The smallest eigenvalue after scaling the diagonal to 1; minus infinity where it cannot be."""
    own = np.diag(matrix)
    if not (np.isfinite(matrix).all() and (own > 0).all()):
        return -math.inf
    s = np.sqrt(own)
    return float(np.linalg.eigvalsh(matrix / np.outer(s, s))[0])


# --- the likelihood at some parameters ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The restricted log-likelihood, with what it takes to go on from there."""

    loglik: float
    beta: Floats  # (p,) of the orthonormal columns
    phi: Floats  # (p, p) their covariance
    inverse: tuple[Floats, ...]  # V⁻¹ of each pattern


def level(model: Repeated, matrix: Floats) -> Level | None:
    """None where the matrix is no covariance matrix."""
    if _smallest(matrix) <= _SINGULAR:
        return None
    p, logdet, total = model.p, 0.0, np.zeros((model.p + 1, model.p + 1))
    inverse = []
    for pattern in model.patterns:
        L = np.linalg.cholesky(pattern.of(matrix))
        half = np.linalg.inv(L)
        W = half.T @ half
        logdet += 2 * pattern.patients * float(np.log(np.diag(L)).sum())
        total += np.tensordot(W, pattern.products, 2)
        inverse.append(W)
    phi: Floats = np.asarray(np.linalg.inv(total[:p, :p]), dtype=np.float64)
    beta = phi @ total[:p, p]
    rest = float(total[p, p] - beta @ total[:p, p])
    of_X = float(np.linalg.slogdet(total[:p, :p])[1] + 2 * np.log(np.abs(np.diag(model.R))).sum())
    loglik = -0.5 * (logdet + of_X + rest + (model.rows - p) * math.log(2 * math.pi))
    return Level(loglik, beta, phi, tuple(inverse))


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Derivatives by the q parameters."""

    score: Floats  # (q,)
    observed: Floats  # (q, q) information
    expected: Floats  # (q, q)
    P: Floats  # (q, p, p): of X'V⁻¹X


def slopes(model: Repeated, at: Covariance, here: Level) -> Slopes:
    q, p = len(at.first), model.p
    residual = np.append(-here.beta, 1.0)
    score, P, B = np.zeros(q), np.zeros((q, p, p)), np.zeros((q, p))
    curve, by_mean, by_rest, bend = (np.zeros((q, q)) for _ in range(4))
    for pattern, W in zip(model.patterns, here.inverse, strict=True):
        C, n = pattern.products, pattern.patients
        K = np.tensordot(C[:, :, :p, :p], here.phi, 2)
        to_rest = C @ residual
        r = to_rest @ residual
        d = pattern.of(at.first)
        Wd = W @ d
        G = n * W - W @ (K + r) @ W
        score -= 0.5 * np.tensordot(d, G, 2)
        curve += n * _traces(Wd, Wd)
        by_mean += _traces((W @ K) @ Wd, Wd)
        by_rest += _traces((W @ r) @ Wd, Wd)
        if at.second is not None:
            bend += np.tensordot(pattern.of(at.second), G, 2)
        A = Wd @ W
        P -= np.tensordot(A, C[:, :, :p, :p], 2)
        B += np.tensordot(A, to_rest[:, :, :p], 2)
    phi_P = here.phi @ P
    both = _traces(phi_P, phi_P)
    by_mean, by_rest = (by_mean + by_mean.T) / 2, (by_rest + by_rest.T) / 2
    observed = 0.5 * (bend - curve - both) + by_mean + by_rest - B @ here.phi @ B.T
    return Slopes(score, observed, 0.5 * (curve + both) - by_mean, P)


def _traces(left: Floats, right: Floats) -> Floats:
    """tr(left_i right_j)"""
    i, j = len(left), len(right)
    return np.asarray(left.reshape(i, -1) @ right.transpose(0, 2, 1).reshape(j, -1).T)


# --- the top --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Top:
    theta: Floats
    covariance: Covariance
    level: Level
    slopes: Slopes
    steps: int


def climb(model: Repeated, shape: Family) -> Top:
    theta = shape.start(model.rough)
    here = level(model, shape.at(theta).matrix)
    if here is None:
        raise NotEstimable("no covariance matrix of this structure to start from")
    for steps in range(_STEPS):
        at = shape.at(theta)
        found = slopes(model, at, here)
        step = _direction(found, at.matrix)
        if float(step @ found.score) < _SETTLED:
            return _checked(model, shape, theta + step, here, steps)
        theta, here = _uphill(model, shape, theta, step, here)
    raise NotEstimable(f"the likelihood did not converge in {_STEPS} steps")


def _direction(found: Slopes, matrix: Floats) -> Floats:
    for information in (found.observed, found.expected):
        if _smallest(information) > _SINGULAR:
            return np.asarray(np.linalg.solve(information, found.score), dtype=np.float64)
    if _smallest(matrix) < 1e-4:
        raise NotEstimable("the covariance matrix became singular")
    raise NotEstimable("the data do not determine every covariance parameter")


def _uphill(model: Repeated, shape: Family, theta: Floats, step: Floats, here: Level) -> tuple[Floats, Level]:
    """The whole step, or as much of it as does not lead down or out."""
    for _ in range(40):
        there = level(model, shape.at(theta + step).matrix)
        if there is not None and there.loglik >= here.loglik - 1e-12 * abs(here.loglik):
            return theta + step, there
        step = step / 2
    raise NotEstimable("the likelihood did not converge: no step leads uphill")


def _checked(model: Repeated, shape: Family, theta: Floats, here: Level, steps: int) -> Top:
    at = shape.at(theta)
    top = level(model, at.matrix)
    if top is None or _smallest(at.matrix) < 1e-7:
        raise NotEstimable("the covariance matrix became singular")
    found = slopes(model, at, top)
    if _smallest(found.observed) <= _SINGULAR:
        raise NotEstimable("the likelihood has no single top")
    return Top(theta, at, top, found, steps)


def unpaired(model: Repeated) -> tuple[int, int] | None:
    """Two visits to which nobody came both times: their covariance cannot be known."""
    together = np.zeros((model.visits, model.visits), dtype=bool)
    for pattern in model.patterns:
        together[np.ix_(pattern.visits, pattern.visits)] = True
    missing = np.argwhere(~together)
    return (int(missing[0, 0]), int(missing[0, 1])) if missing.size else None


def weighted_second_order(model: Repeated, top: Top, weight: Floats, *, linear: bool) -> Floats:
    """Sum over i and j of w_ij (Q_ij - R_ij/4), (p, p); without R where ``linear``."""
    p, second = model.p, None if linear else top.covariance.second
    total = np.zeros((p, p))
    for pattern, W in zip(model.patterns, top.level.inverse, strict=True):
        d = pattern.of(top.covariance.first)
        middle = np.tensordot(weight, d, 1)  # sum over j of w_ij dV_j
        inside = np.einsum("iab,bc,icd->ad", d, W, middle, optimize=True)
        if second is not None:
            inside = inside - np.tensordot(weight, pattern.of(second), 2) / 4
        total += np.tensordot(W @ inside @ W, pattern.products[:, :, :p, :p], 2)
    return (total + total.T) / 2


def first_that_climbs(
    model: Repeated, shapes: Sequence[tuple[str, Family]]
) -> tuple[str, Family, Top, tuple[tuple[str, str], ...]]:
    """The first structure with an estimate, and why those before it have none."""
    passed: list[tuple[str, str]] = []
    for name, shape in shapes:
        try:
            return name, shape, climb(model, shape), tuple(passed)
        except NotEstimable as why:
            passed.append((name, why.reason))
    raise NotEstimable("; ".join(f"{name}: {reason}" for name, reason in passed))
