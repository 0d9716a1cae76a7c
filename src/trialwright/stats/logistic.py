"""Logistic regression by maximum likelihood, for weights and for adjusted odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, zero_one
from trialwright.stats.errors import NotEstimable

_STEPS = 60
_SEPARATED = 30.0  # a linear predictor beyond this is a probability of 0 or 1 to thirteen digits


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """One coefficient for each column of X."""

    coef: Floats
    std_error: Floats
    covariance: Floats
    loglik: float
    n: int
    n_event: int

    def probability(self, X: npt.ArrayLike) -> Floats:
        return _probability(np.asarray(X, dtype=np.float64) @ self.coef)


def logistic(event: npt.ArrayLike, X: npt.ArrayLike) -> Logistic:
    """n rows with the design X (n, p), the intercept included by the caller.

    Raises ``NotEstimable`` without events or without others, where columns determine each other, or where
    they separate those with from those without events.
    """
    design = np.asarray(X, dtype=np.float64)
    if design.ndim != 2 or not np.isfinite(design).all():
        raise ValueError("X must be a table of numbers without missing values")
    y = zero_one(event, "event", len(design)).astype(np.float64)
    if not 0 < y.sum() < y.size:
        raise NotEstimable("no events" if not y.any() else "nobody without event")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise NotEstimable("columns of X determine each other")
    coef = _climb(y, design)
    p = _probability(design @ coef)
    covariance: Floats = np.asarray(np.linalg.inv((design.T * (p * (1 - p))) @ design), dtype=np.float64)
    return Logistic(
        coef, np.sqrt(np.diag(covariance)), covariance, _loglik(y, design @ coef), y.size, int(y.sum())
    )


def _climb(y: Floats, X: Floats) -> Floats:
    coef = np.zeros(X.shape[1])
    for _ in range(_STEPS):
        eta = X @ coef
        if np.abs(eta).max() > _SEPARATED:
            raise NotEstimable("a covariate separates those with and without events")
        p = _probability(eta)
        score = X.T @ (y - p)
        step = np.linalg.solve((X.T * (p * (1 - p))) @ X, score)
        if float(step @ score) < 1e-18 * max(1.0, y.size):
            return np.asarray(coef + step, dtype=np.float64)
        here = _loglik(y, eta)
        while _loglik(y, X @ (coef + step)) < here - 1e-10 * abs(here):
            step = step / 2
        coef = coef + step
    raise NotEstimable(f"the likelihood did not converge in {_STEPS} steps")


def _probability(eta: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(eta / 2)), dtype=np.float64)


def _loglik(y: Floats, eta: Floats) -> float:
    return float(y @ eta - np.logaddexp(0, eta).sum())
