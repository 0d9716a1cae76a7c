"""Mixed model for repeated measures: a mean for each visit, a covariance among visits, fitted by REML.

Patterson and Thompson, Biometrika 1971;58:545 (REML); Mallinckrodt et al., Drug Inf J 2008;42:303 (the
model); Fai and Cornelius, J Stat Comput Simul 1996;54:363 (Satterthwaite); Kenward and Roger, Biometrics
1997;53:983. Patients who miss visits count with those they have, which is right if missing at random.

With V the covariance of everybody's values, A = V^-1, C = (X'AX)^-1 and P = A - A X C X'A, the score of a
covariance parameter k with derivative E of V is (y'P E P y - tr(P E))/2. Fisher scoring with halved steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, Ints, codes, probability, vector
from trialwright.stats.errors import NotEstimable

Structure = Literal["unstructured", "ar1", "compound-symmetry"]
Freedom = Literal["satterthwaite", "kenward-roger"]
_STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Mmrm:
    """``coef`` has one element for each column of X; ``sigma`` is the covariance among the T visits.

    ``loglik`` is restricted, with all its constants. ``passed_over`` names the structures tried before
    and why each failed. The last four fields serve ``contrast``.
    """

    coef: Floats
    covariance: Floats
    sigma: Floats
    structure: Structure
    passed_over: tuple[tuple[Structure, str], ...]
    loglik: float
    patients: int
    observations: int
    slope: Floats  # (K, p, p) X'A E_k A X
    bend: Floats  # (K, K, p, p) X'A E_k A E_l A X - X'A V_kl A X / 4
    observed: Floats  # (K, K) covariance of the parameters, from the curvature seen
    expected: Floats  # (K, K) and from the curvature expected


@dataclass(frozen=True, slots=True)
class Estimate:
    """A linear combination of coefficients with its t test."""

    estimate: float
    std_error: float
    df: float
    t: float
    p_value: float
    lower: float
    upper: float


def mmrm(
    y: npt.ArrayLike,
    patient: npt.ArrayLike,
    visit: npt.ArrayLike,
    X: npt.ArrayLike,
    *,
    structures: Sequence[Structure] = ("unstructured", "ar1", "compound-symmetry"),
) -> Mmrm:
    """One row for each patient and visit seen: value, labels, and a row of X (n, p).

    Visits are ordered by label and taken as equally spaced for ``ar1``. The first structure that can be
    fitted is; ``NotEstimable`` where none can.
    """
    data = _data(y, patient, visit, X)
    passed: list[tuple[Structure, str]] = []
    for word in structures:
        if word not in get_args(Structure):
            raise ValueError(f"a structure must be one of {', '.join(get_args(Structure))}, not {word!r}")
        try:
            return _fit(data, word, tuple(passed))
        except NotEstimable as failure:
            passed.append((word, failure.reason))
    raise NotEstimable("; ".join(f"{word}: {reason}" for word, reason in passed) or "no structure named")


def contrast(
    fit: Mmrm, weights: npt.ArrayLike, *, freedom: Freedom = "satterthwaite", confidence: float = 0.95
) -> Estimate:
    """``weights`` (p,) times the coefficients. Kenward–Roger also enlarges the standard error."""
    if freedom not in get_args(Freedom):
        raise ValueError(f"freedom must be one of {', '.join(get_args(Freedom))}, not {freedom!r}")
    L = vector(weights, "weights")
    if L.shape != fit.coef.shape:
        raise ValueError(f"weights must have {fit.coef.size} elements, not {L.size}")
    C, W = fit.covariance, fit.observed if freedom == "satterthwaite" else fit.expected
    CL = C @ L
    plain = float(L @ CL)
    gradient = np.einsum("p,kpq,q->k", CL, fit.slope, CL)
    df = 2 * plain**2 / float(gradient @ W @ gradient)
    variance = plain if freedom == "satterthwaite" else float(L @ adjusted_covariance(fit) @ L)
    return _t_test(float(L @ fit.coef), math.sqrt(variance), df, confidence)


def adjusted_covariance(fit: Mmrm) -> Floats:
    """Kenward and Roger's covariance of the coefficients, which knows that V was estimated."""
    C = fit.covariance
    twice = np.einsum("kab,bc,lcd->klad", fit.slope, C, fit.slope)
    inside = np.einsum("kl,klab->ab", fit.expected, fit.bend - twice)
    return np.asarray(C + 2 * C @ inside @ C, dtype=np.float64)


def _t_test(estimate: float, error: float, df: float, confidence: float) -> Estimate:
    from scipy.special import stdtr, stdtrit

    half = float(stdtrit(df, (1 + probability(confidence)) / 2)) * error
    t = estimate / error
    p = 2 * float(stdtr(df, -abs(t)))
    return Estimate(estimate, error, df, t, p, estimate - half, estimate + half)


# the data: patients who came to the same visits share V, and are worked on together


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    visits: Ints  # (m,)
    X: Floats  # (N, m, p)
    y: Floats  # (N, m)


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    patterns: tuple[_Pattern, ...]
    visits: int
    patients: int
    observations: int
    p: int
    residual: Floats  # (T, T) mean products of least-squares residuals
    pairs: Ints  # (T, T) patients seen at both visits


def _data(y: npt.ArrayLike, patient: npt.ArrayLike, visit: npt.ArrayLike, X: npt.ArrayLike) -> _Data:
    value = vector(y, "y")
    design = np.asarray(X, dtype=np.float64)
    if design.ndim != 2 or len(design) != value.size or not np.isfinite(design).all():
        raise ValueError(f"X must be ({value.size}, p) without missing values, not of shape {design.shape}")
    who, patients = codes(patient, "patient", value.size)
    when, T = codes(visit, "visit", value.size)
    if np.unique(who * T + when).size < value.size:
        raise ValueError("a patient has two values at one visit")
    if value.size <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
        raise NotEstimable("the columns of X determine each other, or are as many as the values")
    order = np.lexsort((when, who))
    value, design, who, when = value[order], design[order], who[order], when[order]
    residual = np.full((patients, T), np.nan)
    residual[who, when] = value - design @ np.linalg.lstsq(design, value, rcond=None)[0]
    seen = np.isfinite(residual)
    pairs = seen.astype(np.int64).T @ seen.astype(np.int64)
    filled = np.where(seen, residual, 0)
    row = np.cumsum(seen.ravel()).reshape(seen.shape) - 1
    patterns = []
    for pattern in np.unique(seen, axis=0):
        members = np.flatnonzero((seen == pattern).all(axis=1))
        rows = row[np.ix_(members, np.flatnonzero(pattern))]
        patterns.append(_Pattern(np.flatnonzero(pattern), design[rows], value[rows]))
    means = filled.T @ filled / np.maximum(pairs, 1)
    return _Data(tuple(patterns), T, patients, value.size, design.shape[1], means, pairs)


# the structures: V and its derivatives at given parameters


def _start(structure: Structure, data: _Data) -> Floats:
    T, R = data.visits, data.residual
    variance = float(np.diag(R).mean())
    if structure == "unstructured":
        if (data.pairs == 0).any():
            raise NotEstimable("no patient was seen at both of two visits")
        if data.patients <= T:
            raise NotEstimable("no more patients than visits")
        return np.asarray(np.diag(np.diag(R))[np.tril_indices(T)], dtype=np.float64)
    between = float(R[np.triu_indices(T, 1)].mean()) if T > 1 else 0.0
    share = min(max(between / variance, 0.05), 0.9)
    if structure == "ar1":
        return np.array([variance, share])
    return np.array([variance * (1 - share), variance * share])


def _covariance(structure: Structure, theta: Floats, T: int) -> tuple[Floats, Floats, Floats]:
    """V (T, T), its first derivatives (K, T, T) and its second (K, K, T, T)."""
    K = theta.size
    second = np.zeros((K, K, T, T))
    if structure == "unstructured":
        i, j = np.tril_indices(T)
        first = np.zeros((K, T, T))
        first[np.arange(K), i, j] = first[np.arange(K), j, i] = 1
    elif structure == "compound-symmetry":
        first = np.array([np.eye(T), np.ones((T, T))])
    else:
        variance, rho = theta
        lag = np.abs(np.subtract.outer(np.arange(T), np.arange(T))).astype(np.float64)
        bend = lag * np.power(rho, np.maximum(lag - 1, 0))
        first = np.array([rho**lag, variance * bend])
        second[0, 1] = second[1, 0] = bend
        second[1, 1] = variance * lag * (lag - 1) * np.power(rho, np.maximum(lag - 2, 0))
        return variance * rho**lag, first, second
    return np.tensordot(theta, first, axes=1), first, second


# restricted likelihood, score and information


@dataclass(frozen=True, slots=True, eq=False)
class _Reml:
    loglik: float
    beta: Floats
    C: Floats
    score: Floats
    expected: Floats
    observed: Floats
    slope: Floats
    bend: Floats


def _likelihood(data: _Data, V: Floats) -> tuple[float, Floats, Floats, list[Floats]]:
    """Restricted log-likelihood, coefficients, C and the inverse of V for each pattern."""
    p = data.p
    XAX, XAy, yAy, logdet, inverses = np.zeros((p, p)), np.zeros(p), 0.0, 0.0, []
    for g in data.patterns:
        A = np.asarray(np.linalg.inv(V[np.ix_(g.visits, g.visits)]), dtype=np.float64)
        AX, Ay = A @ g.X, g.y @ A
        XAX += np.einsum("nmp,nmq->pq", g.X, AX)
        XAy += np.einsum("nmp,nm->p", g.X, Ay)
        yAy += float((g.y * Ay).sum())
        logdet -= len(g.y) * float(np.linalg.slogdet(A)[1])
        inverses.append(A)
    C = np.asarray(np.linalg.inv(XAX), dtype=np.float64)
    beta = C @ XAy
    rest = yAy - float(XAy @ beta)
    constant = (data.observations - p) * math.log(2 * math.pi)
    return -(logdet + float(np.linalg.slogdet(XAX)[1]) + rest + constant) / 2, beta, C, inverses


def _reml(data: _Data, structure: Structure, theta: Floats) -> _Reml:
    V, first, second = _covariance(structure, theta, data.visits)
    loglik, beta, C, inverses = _likelihood(data, V)
    K, p = theta.size, data.p
    slope, Q, R = np.zeros((K, p, p)), np.zeros((K, K, p, p)), np.zeros((K, K, p, p))
    trace, square, pull = np.zeros(K), np.zeros(K), np.zeros((K, p))
    trace2, square2, trace_bend, square_bend = (np.zeros((K, K)) for _ in range(4))
    for g, A in zip(data.patterns, inverses, strict=True):
        E = first[:, g.visits[:, None], g.visits]
        B = second[:, :, g.visits[:, None], g.visits]
        AX, e = A @ g.X, (g.y - g.X @ beta) @ A
        XX = np.einsum("nap,nbq->abpq", AX, AX)
        ee, Xe = e.T @ e, np.einsum("nap,nb->abp", AX, e)
        EAE = np.einsum("kab,bc,lcd->klad", E, A, E)
        slope += np.einsum("kab,abpq->kpq", E, XX)
        Q += np.einsum("klab,abpq->klpq", EAE, XX)
        R += np.einsum("klab,abpq->klpq", B, XX)
        pull += np.einsum("kab,abp->kp", E, Xe)
        trace += len(e) * np.einsum("kab,ab->k", E, A)
        square += np.einsum("kab,ab->k", E, ee)
        trace2 += len(e) * np.einsum("klab,ab->kl", EAE, A)
        square2 += np.einsum("klab,ab->kl", EAE, ee)
        trace_bend += len(e) * np.einsum("klab,ab->kl", B, A)
        square_bend += np.einsum("klab,ab->kl", B, ee)
    CM = C @ slope
    tr_PE = trace - np.einsum("kaa->k", CM)
    tr_PEPE = trace2 - 2 * np.einsum("pq,klqp->kl", C, Q) + np.einsum("kab,lba->kl", CM, CM)
    tr_PB = trace_bend - np.einsum("pq,klqp->kl", C, R)
    crossed = square2 - pull @ C @ pull.T
    return _Reml(
        loglik=loglik,
        beta=beta,
        C=C,
        score=(square - tr_PE) / 2,
        expected=tr_PEPE / 2,
        observed=crossed - tr_PEPE / 2 + (tr_PB - square_bend) / 2,
        slope=slope,
        bend=Q - R / 4,
    )


def _fit(data: _Data, structure: Structure, passed: tuple[tuple[Structure, str], ...]) -> Mmrm:
    theta = _start(structure, data)
    here = _reml(data, structure, theta)
    for _ in range(_STEPS):
        step = _step(here)
        gain = float(step @ here.score)
        if gain < 1e-18 * max(1.0, abs(here.loglik)):
            return _result(data, structure, theta, here, passed)
        theta, here = _uphill(data, structure, theta, step, here)
    raise NotEstimable(f"the restricted likelihood did not converge in {_STEPS} steps")


def _step(here: _Reml) -> Floats:
    """Newton's where the curvature seen allows it, Fisher's otherwise."""
    for information in (here.observed, here.expected):
        if np.linalg.eigvalsh(information)[0] > 0:
            return np.asarray(np.linalg.solve(information, here.score), dtype=np.float64)
    raise NotEstimable("the data do not determine the covariance")


def _uphill(
    data: _Data, structure: Structure, theta: Floats, step: Floats, here: _Reml
) -> tuple[Floats, _Reml]:
    slack = 1e-12 * abs(here.loglik)
    for _ in range(40):
        V, *_ = _covariance(structure, theta + step, data.visits)
        if np.linalg.eigvalsh(V)[0] > 0 and _likelihood(data, V)[0] >= here.loglik - slack:
            return theta + step, _reml(data, structure, theta + step)
        step = step / 2
    raise NotEstimable("the covariance runs to the edge of what a covariance can be")


def _result(
    data: _Data,
    structure: Structure,
    theta: Floats,
    here: _Reml,
    passed: tuple[tuple[Structure, str], ...],
) -> Mmrm:
    V, *_ = _covariance(structure, theta, data.visits)
    size = np.sqrt(np.diag(V))
    if np.linalg.eigvalsh(V / np.outer(size, size))[0] < 1e-8 or np.linalg.eigvalsh(here.observed)[0] <= 0:
        raise NotEstimable("the covariance runs to the edge of what a covariance can be")
    return Mmrm(
        coef=here.beta,
        covariance=here.C,
        sigma=V,
        structure=structure,
        passed_over=passed,
        loglik=here.loglik,
        patients=data.patients,
        observations=data.observations,
        slope=here.slope,
        bend=here.bend,
        observed=np.asarray(np.linalg.inv(here.observed), dtype=np.float64),
        expected=np.asarray(np.linalg.inv(here.expected), dtype=np.float64),
    )
