"""Cox's proportional hazards model, stratified, with tied deaths by Efron, Breslow or exactly.

Cox, J R Stat Soc B 1972;34:187. Efron, J Am Stat Assoc 1977;72:557. Breslow, Biometrics 1974;30:89. The exact
form is Cox's discrete (conditional) likelihood, the one whose score test is the log-rank test (R's and SAS's
"discrete"); ``exact-marginal`` sums over the orders in which tied deaths may have come (SAS's TIES=EXACT).
Newton–Raphson with step halving from 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, probability
from trialwright.stats.cox_residuals import (
    ProportionalHazards,
    Transform,
    proportional,
    robust_covariance,
    time_scale,
)
from trialwright.stats.coxdata import CoxData, cox_data
from trialwright.stats.errors import NotEstimable
from trialwright.stats.marginal_ties import marginal
from trialwright.stats.normal import chi2_above, z_of
from trialwright.stats.partial_likelihood import Point, breslow, efron, exact
from trialwright.stats.riskset import risk_table
from trialwright.stats.two_arms import likelihood as two_arm_likelihood
from trialwright.stats.two_arms import only_the_arm, spread

Ties = Literal["efron", "breslow", "exact", "exact-marginal"]
LIKELIHOODS: dict[str, Callable[[CoxData, Floats], Point]] = {
    "efron": efron,
    "breslow": breslow,
    "exact": exact,
    "exact-marginal": marginal,
}
_STEPS = 60
_SETTLED = 1e-18  # squared Newton step in units of the standard error
_FLAT = 1e-8  # information left, relative to that at 0: the likelihood has no maximum


@dataclass(frozen=True, slots=True, eq=False)
class Cox:
    """Arrays have one element for each covariate, in the caller's order, also where there is one.

    ``lower`` and ``upper`` limit the hazard ratio (Wald, on the log scale). ``lrt``, ``wald`` and
    ``score`` test all coefficients at once, chi-square on ``df``.
    """

    coef: Floats
    std_error: Floats
    hazard_ratio: Floats
    lower: Floats
    upper: Floats
    z: Floats
    p_wald: Floats
    covariance: Floats
    lrt: float
    wald: float
    score: float
    df: int
    p_lrt: float
    p_wald_all: float
    p_score: float
    loglik: float
    loglik_null: float
    iterations: int
    n: int
    n_event: int
    confidence: float
    robust: bool


def cox(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    robust: bool = False,
    cluster: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    timefix: bool = True,
) -> Cox:
    """Fit n patients with covariates (n,) or (n, p). Strata are labels of any sort.

    ``entry`` is the start of each interval (entry, time], so that a patient may have several rows with
    covariates that change. ``weights`` multiply a row's likelihood. ``robust`` takes the standard errors from
    the score residuals, summed over ``cluster`` (labels; the patient of each row) where given; the score
    and likelihood-ratio tests stay those of the model.

    Raises ``NotEstimable`` without events, where a level of a two-valued covariate has none, where the
    likelihood grows for ever (the hazard ratio is 0 or infinite), or where covariates determine each other.
    """
    known(ties)
    probability(confidence)
    rough = robust or cluster is not None
    if entry is None and weights is None and not ties.startswith("exact") and not rough:
        arm = only_the_arm(covariates)
        if arm is not None:
            table = risk_table(time, event, arm, strata, timefix=timefix)
            found = maximise(two_arm_likelihood(table, ties), spread(table, arm))
            return _summary(found, _inverse(found), (table.subjects, int(table.d.sum())), confidence, rough)
    data = cox_data(time, event, covariates, strata, entry=entry, weights=weights, timefix=timefix)
    found = maximise(lambda b: LIKELIHOODS[ties](data, b), data.spread)
    covariance = _inverse(found)
    if rough:
        covariance = robust_covariance(data, found.beta, covariance, ties, cluster)
    return _summary(found, covariance, (data.n, data.n_event), confidence, rough)


def proportional_hazards(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    transform: Transform = "km",
    ties: Ties = "efron",
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    timefix: bool = True,
) -> ProportionalHazards:
    """Does a coefficient change with g(t)?

    g is 1 - S(t-) of everybody (``km``), t itself, its rank among all times, or its logarithm.
    """
    known(ties)
    data = cox_data(time, event, covariates, strata, entry=entry, weights=weights, timefix=timefix)
    found = maximise(lambda b: LIKELIHOODS[ties](data, b), data.spread)
    g = time_scale(transform, data, np.asarray(time, dtype=float), np.asarray(event), entry)
    return proportional(data, found.beta, ties, g, transform)


def known(ties: str) -> None:
    if ties not in get_args(Ties):
        raise ValueError(f"ties must be one of {', '.join(get_args(Ties))}, not {ties!r}")


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    beta: Floats
    best: Point
    null: Point
    steps: int
    score: float  # test at 0


def maximise(at: Callable[[Floats], Point], spread: Floats) -> Maximum:
    """Newton's way from 0 to the top. ``spread`` is the information there would be, were all at risk at
    each event."""
    beta = np.zeros(spread.size)
    null = here = at(beta)
    _determined(null, spread)
    score = 0.0
    for steps in range(_STEPS):
        step = _solve(here)
        gain = float(step @ here.score)
        score = gain if steps == 0 else score
        settled = gain < _SETTLED * max(1.0, abs(here.loglik) * 1e-6)
        if (settled or steps > 5) and _information_left(here, null) < _FLAT:
            raise NotEstimable("monotone likelihood: a covariate separates those with and without events")
        if settled:
            return Maximum(beta + step, here, null, steps, score)
        beta, here = _uphill(at, beta, step, here)
    raise NotEstimable(f"the likelihood did not converge in {_STEPS} steps")


def _uphill(at: Callable[[Floats], Point], beta: Floats, step: Floats, here: Point) -> tuple[Floats, Point]:
    """The whole step, or as much of it as does not lead down."""
    slack = 1e-11 * abs(here.loglik)
    for _ in range(30):
        there = at(beta + step)
        if math.isfinite(there.loglik) and there.loglik >= here.loglik - slack:
            return beta + step, there
        step = step / 2
    raise NotEstimable("the likelihood did not converge: no step leads uphill")


def _determined(null: Point, spread: Floats) -> None:
    """Is there, at 0, any information on each covariate and each combination of them?"""
    own = np.diag(null.information)
    told = own > 1e-11 * spread  # less is rounding
    if not told.all():
        raise NotEstimable(f"covariate {int(np.argmin(told))} never differs among patients at risk together")
    if own.size > 1:
        scale = np.sqrt(own)
        smallest = np.linalg.eigvalsh(null.information / (scale[:, None] * scale))[0]
        if smallest < 1e-10:
            raise NotEstimable("covariates determine each other")


def _information_left(here: Point, null: Point) -> float:
    """Smallest information in any direction, relative to that at 0."""
    relative = np.linalg.eigvals(np.linalg.solve(null.information, here.information))
    return float(relative.real.min())


def _solve(point: Point) -> Floats:
    try:
        return np.asarray(np.linalg.solve(point.information, point.score), dtype=np.float64)
    except np.linalg.LinAlgError as error:
        raise NotEstimable("monotone likelihood: the information vanished") from error


def _inverse(found: Maximum) -> Floats:
    return np.asarray(np.linalg.inv(found.best.information), dtype=np.float64)


def _summary(
    found: Maximum, covariance: Floats, counts: tuple[int, int], confidence: float, robust: bool
) -> Cox:
    beta, best, null = found.beta, found.best, found.null
    df = beta.size
    se = np.sqrt(np.diag(covariance))
    half = z_of(confidence) * se
    z = beta / se
    lrt = max(2 * (best.loglik - null.loglik), 0.0)
    wald = float(beta @ (np.linalg.solve(covariance, beta) if robust else best.information @ beta))
    return Cox(
        coef=beta,
        std_error=se,
        hazard_ratio=np.exp(beta),
        lower=np.exp(beta - half),
        upper=np.exp(beta + half),
        z=z,
        p_wald=np.array([math.erfc(abs(v) / math.sqrt(2)) for v in z]),
        covariance=covariance,
        lrt=lrt,
        wald=wald,
        score=found.score,
        df=df,
        p_lrt=chi2_above(lrt, df),
        p_wald_all=chi2_above(wald, df),
        p_score=chi2_above(found.score, df),
        loglik=best.loglik,
        loglik_null=null.loglik,
        iterations=found.steps,
        n=counts[0],
        n_event=counts[1],
        confidence=confidence,
        robust=robust,
    )
