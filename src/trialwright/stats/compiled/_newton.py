"""Newton's way to the top of a partial likelihood, step for step that of ``cox.maximise``.

Where that raises, here is a plain no: the array form takes the call and says why. No eigenvalue is computed:
the smallest of a matrix is above a bound where the matrix less the bound has a Cholesky root.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from trialwright.stats.arrays import Floats
from trialwright.stats.compiled._numba import kernel
from trialwright.stats.compiled._points import Model, point

_STEPS, _HALVINGS = 60, 30
_SETTLED = 1e-18  # the limits of ``cox``
_FLAT = 1e-8
_TOLD = 1e-11
_ALIKE = 1e-10
_ROOT = math.sqrt(2)

# what a fit fills: rows of p numbers, then scalars
COEF, ERROR, RATIO, LOWER, UPPER, Z, P, ROWS = range(8)
LRT, WALD, SCORE, P_LRT, P_WALD, P_SCORE, LOGLIK, NULL, STEPS, DEATHS, SCALARS = range(11)


class Answer(NamedTuple):
    """To be filled."""

    each: Floats  # (ROWS, p)
    covariance: Floats  # (p, p)
    whole: Floats  # (SCALARS,)


@kernel
def maximise(model: Model, z: float, answer: Answer) -> bool:
    p = model.spread.size
    beta, step, score, here = np.zeros(p), np.zeros(p), np.empty(p), np.empty((p, p))
    null, root, loglik = np.empty((p, p)), np.empty((p, p)), -np.inf
    for steps in range(_STEPS):
        loglik = _uphill(model, beta, step, loglik, score, here)
        if steps == 0:
            null, answer.whole[NULL] = here.copy(), loglik
            if not _determined(null, model.spread, root):
                return False
        if math.isnan(loglik) or not cholesky(here, root):
            return False
        solve(root, score, step)
        gain = 0.0
        for j in range(p):
            gain += step[j] * score[j]
        if steps == 0:
            answer.whole[SCORE] = gain
        settled = gain < _SETTLED * max(1.0, abs(loglik) * 1e-6)
        if (settled or steps > 5) and not _stands_out(here, null):
            return False
        if settled:
            answer.whole[LOGLIK], answer.whole[STEPS] = loglik, steps
            for j in range(p):
                beta[j] += step[j]
            _summarise(beta, here, root, z, answer)
            return True
    return False


@kernel
def _uphill(model: Model, beta: Floats, step: Floats, loglik: float, score: Floats, here: Floats) -> float:
    """The whole step or as much of it as does not lead down: moves ``beta``. NaN where nothing of it does."""
    least, share = loglik - 1e-11 * abs(loglik), 1.0
    there = np.empty(beta.size)
    for _ in range(_HALVINGS):
        for j in range(beta.size):
            there[j] = beta[j] + share * step[j]
        found = point(model, there, score, here)
        if math.isfinite(found) and found >= least:
            for j in range(beta.size):
                beta[j] = there[j]
            return found
        share /= 2
    return math.nan


@kernel
def cholesky(A: Floats, L: Floats) -> bool:
    """The lower root of a symmetric matrix; no where it is not positive definite."""
    for j in range(A.shape[0]):
        for i in range(j, A.shape[0]):
            total = A[i, j]
            for k in range(j):
                total -= L[i, k] * L[j, k]
            if i > j:
                L[i, j] = total / L[j, j]
            elif 0 < total < np.inf:
                L[j, j] = math.sqrt(total)
            else:
                return False
    return True


@kernel
def solve(L: Floats, b: Floats, x: Floats) -> None:
    p = b.size
    for i in range(p):
        total = b[i]
        for k in range(i):
            total -= L[i, k] * x[k]
        x[i] = total / L[i, i]
    for i in range(p - 1, -1, -1):
        total = x[i]
        for k in range(i + 1, p):
            total -= L[k, i] * x[k]
        x[i] = total / L[i, i]


@kernel
def _determined(null: Floats, spread: Floats, root: Floats) -> bool:
    """Is there, at 0, information on each covariate and each combination of them?"""
    p = spread.size
    for j in range(p):
        if not null[j, j] > _TOLD * spread[j]:
            return False
    scaled = np.empty((p, p))
    for i in range(p):
        for j in range(p):
            scaled[i, j] = null[i, j] / math.sqrt(null[i, i] * null[j, j]) - (_ALIKE if i == j else 0.0)
    return p == 1 or cholesky(scaled, root)


@kernel
def _stands_out(here: Floats, null: Floats) -> bool:
    """Is there in every direction more than a sliver of the information at 0?"""
    p = here.shape[0]
    scaled, root = np.empty((p, p)), np.empty((p, p))
    for i in range(p):
        for j in range(p):
            scaled[i, j] = (here[i, j] - _FLAT * null[i, j]) / math.sqrt(null[i, i] * null[j, j])
    return cholesky(scaled, root)


@kernel
def _summarise(beta: Floats, information: Floats, root: Floats, z: float, answer: Answer) -> None:
    p = beta.size
    each, whole, unit = answer.each, answer.whole, np.zeros(p)
    wald = 0.0
    for j in range(p):
        unit[:] = 0.0
        unit[j] = 1.0
        solve(root, unit, answer.covariance[j])
        error = math.sqrt(answer.covariance[j, j])
        ratio = beta[j] / error
        each[COEF, j], each[ERROR, j], each[RATIO, j] = beta[j], error, math.exp(beta[j])
        each[LOWER, j], each[UPPER, j] = math.exp(beta[j] - z * error), math.exp(beta[j] + z * error)
        each[Z, j], each[P, j] = ratio, math.erfc(abs(ratio) / _ROOT)
        for k in range(p):
            wald += beta[j] * information[j, k] * beta[k]
    whole[LRT], whole[WALD] = max(2 * (whole[LOGLIK] - whole[NULL]), 0.0), wald
    for test, its_p in ((LRT, P_LRT), (WALD, P_WALD), (SCORE, P_SCORE)):
        whole[its_p] = chi2_above(whole[test], p)


@kernel
def chi2_above(x: float, df: int) -> float:
    """P(chi-square on df degrees of freedom > x): of a whole number of them, a finite sum."""
    half, odd = max(x, 0.0) / 2, df % 2 == 1
    total = math.erfc(math.sqrt(half)) if odd else 0.0
    term = math.exp(-half) * (2 * math.sqrt(half / math.pi) if odd else 1.0)
    for i in range(1, df // 2 + 1):
        total += term
        term *= half / (i + 0.5 if odd else i)
    return total
