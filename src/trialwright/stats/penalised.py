"""When a coefficient runs away, and when its Wald limits mislead: Firth's penalty and profile limits.

Firth, Biometrika 1993;80:27; Heinze and Schemper, Biometrics 2001;57:114: the log-likelihood gains half
the log determinant of the information, which keeps every estimate finite. Profile limits: Venzon and
Moolgavkar, Appl Stat 1988;37:87, here by bracketing and bisection.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, probability
from trialwright.stats.cox import LIKELIHOODS, Ties, known, maximise
from trialwright.stats.coxdata import cox_data
from trialwright.stats.errors import NotEstimable
from trialwright.stats.normal import chi2_above, z_of
from trialwright.stats.partial_likelihood import Point

Target = Callable[[Floats], Point]
_FAR = 40.0  # a log hazard ratio beyond this, in spreads of the covariate, is no limit


@dataclass(frozen=True, slots=True, eq=False)
class FirthCox:
    """Arrays have one element for each covariate. Limits and p-values are those of the penalised profile
    likelihood; ``std_error`` is Wald's, of the coefficient.
    """

    coef: Floats
    std_error: Floats
    hazard_ratio: Floats
    lower: Floats
    upper: Floats
    p_value: Floats
    loglik: float
    loglik_null: float
    n: int
    n_event: int


@dataclass(frozen=True, slots=True, eq=False)
class ProfileLimits:
    """Likelihood-ratio limits of each hazard ratio; 0 or infinite where the likelihood never falls enough."""

    lower: Floats
    upper: Floats


def firth_cox(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    confidence: float = 0.95,
    timefix: bool = True,
) -> FirthCox:
    """Cox regression that stays finite where an arm has no events. One event is needed all the same."""
    known(ties)
    data = cox_data(time, event, covariates, strata, timefix=timefix, may_run_away=True)
    target = penalised(lambda b: LIKELIHOODS[ties](data, b), data.p)
    zero = np.zeros(data.p)
    beta, best = _climb(target, zero, np.ones(data.p, dtype=bool))
    error = np.sqrt(np.diag(np.linalg.inv(best.information)))
    lower, upper = _limits(target, beta, best, error, confidence)
    held = [_held(target, beta, j, 0.0) for j in range(data.p)]
    return FirthCox(
        coef=beta,
        std_error=error,
        hazard_ratio=np.exp(beta),
        lower=lower,
        upper=upper,
        p_value=np.array([chi2_above(2 * (best.loglik - loglik), 1) for loglik in held]),
        loglik=best.loglik,
        loglik_null=target(zero).loglik,
        n=data.n,
        n_event=data.n_event,
    )


def profile_limits(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    confidence: float = 0.95,
    timefix: bool = True,
) -> ProfileLimits:
    """Where twice the log-likelihood, other coefficients at their best, has fallen by chi-square (1 df)."""
    known(ties)
    data = cox_data(time, event, covariates, strata, timefix=timefix)
    target: Target = lambda b: LIKELIHOODS[ties](data, b)  # noqa: E731
    found = maximise(target, data.spread)
    error = np.sqrt(np.diag(np.linalg.inv(found.best.information)))
    return ProfileLimits(*_limits(target, found.beta, found.best, error, confidence))


def penalised(target: Target, p: int) -> Target:
    """Half the log determinant of the information added to the log-likelihood."""

    def at(beta: Floats) -> Point:
        here = target(beta)
        sign, logdet = np.linalg.slogdet(here.information)
        if sign <= 0:
            raise NotEstimable(
                "covariates determine each other, or never differ among those at risk together"
            )
        inverse = np.linalg.inv(here.information)
        pull = [np.sum(inverse * _slope(target, beta, j, here)) / 2 for j in range(p)]
        return Point(here.loglik + logdet / 2, here.score + np.array(pull), here.information)

    return at


def _slope(target: Target, beta: Floats, j: int, here: Point) -> Floats:
    """How the information changes with coefficient j: central differences, extrapolated once."""
    width = 2e-3 / math.sqrt(max(here.information[j, j], 1e-6))
    step = np.zeros(beta.size)

    def rise(h: float) -> Floats:
        step[j] = h
        up, down = target(beta + step).information, target(beta - step).information
        return np.asarray((up - down) / (2 * h), dtype=np.float64)

    return (4 * rise(width / 2) - rise(width)) / 3


def _climb(target: Target, beta: Floats, free: Bools) -> tuple[Floats, Point]:
    """The best of the free coefficients, the others as they are."""
    here = target(beta)
    if not free.any():
        return beta, here
    step = _newton(here, free)
    for _ in range(200):
        gain = float(step @ here.score)
        if gain < 1e-22:
            return beta, here
        step *= min(1.0, 5.0 / np.abs(step).max())
        for _ in range(40):
            there = target(beta + step)
            following = _newton(there, free)
            uphill = there.loglik >= here.loglik - 1e-12 * abs(here.loglik)
            # the information is not quite the curvature: a step too long may jump from side to side
            if uphill and float(following @ there.score) <= gain / 2:
                break
            step /= 2
        beta, here, step = beta + step, there, following
    if gain < 1e-12:
        return beta, here
    raise NotEstimable("the likelihood did not converge in 200 steps")


def _newton(at: Point, free: Bools) -> Floats:
    step = np.zeros(free.size)
    step[free] = np.linalg.solve(at.information[np.ix_(free, free)], at.score[free])
    return step


def _held(target: Target, beta: Floats, j: int, value: float) -> float:
    start = beta.copy()
    start[j] = value
    return _climb(target, start, np.arange(beta.size) != j)[1].loglik


def _limits(
    target: Target, beta: Floats, best: Point, error: Floats, confidence: float
) -> tuple[Floats, Floats]:
    floor = best.loglik - z_of(probability(confidence)) ** 2 / 2

    def end(j: int, side: int) -> float:
        inside, width = float(beta[j]), float(error[j])
        while _held(target, beta, j, inside + side * width) >= floor:
            inside, width = inside + side * width, width * 1.5
            if abs(inside - beta[j]) > _FAR * max(1.0, float(error[j])):
                return side * math.inf
        outside = inside + side * width
        while abs(outside - inside) > 1e-10 * max(1.0, abs(inside)):
            middle = (inside + outside) / 2
            if _held(target, beta, j, middle) >= floor:
                inside = middle
            else:
                outside = middle
        return (inside + outside) / 2

    ends = np.array([[end(j, side) for j in range(beta.size)] for side in (-1, 1)])
    return np.exp(ends[0]), np.exp(ends[1])
