"""Cox regression of patients who share something unmeasured: a gamma-distributed frailty for each cluster.

Clayton and Cuzick, J R Stat Soc A 1985;148:82. For a given variance theta the log frailties w maximise the
partial likelihood less a penalty, and theta maximises the likelihood of beta with the frailties
integrated out: Therneau and Grambsch, Modeling Survival Data, §9.3-9.6. With nu = 1/theta and d_j events in
cluster j that is

    penalised loglik + sum_j [nu - (nu + d_j) log(nu + d_j) + nu log nu + log G(nu + d_j) - log G(nu) + d_j]

where the last d_j makes it the ordinary partial likelihood at theta = 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from trialwright.stats.arrays import Floats, Ints, codes, probability, zero_one
from trialwright.stats.cox import LIKELIHOODS, Ties, known, maximise
from trialwright.stats.coxdata import CoxData, cox_data, matrix
from trialwright.stats.errors import NotEstimable
from trialwright.stats.normal import chi2_above, two_sided, z_of
from trialwright.stats.partial_likelihood import Point

_SMALLEST, _LARGEST = math.log(1e-4), math.log(50.0)  # log theta
_GRID = 9


@dataclass(frozen=True, slots=True, eq=False)
class SharedFrailty:
    """p coefficients, J clusters. ``std_error`` takes theta as known, as R's does.

    ``p_value`` tests theta = 0: half a chi-squared of one degree of freedom, as 0 is on the edge.
    ``log_frailty`` is of the clusters in the order of their labels.
    """

    coef: Floats
    std_error: Floats
    hazard_ratio: Floats
    lower: Floats
    upper: Floats
    p_wald: Floats
    theta: float
    p_value: float
    loglik: float
    loglik_null: float
    log_frailty: Floats


def shared_frailty(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.ArrayLike,
    cluster: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    theta: float | None = None,
    ties: Ties = "efron",
    confidence: float = 0.95,
    timefix: bool = True,
) -> SharedFrailty:
    """n patients with covariates (n,) or (n, p) in clusters (labels).

    ``theta`` is estimated unless given; an estimate below 0.0001 is 0, the model without frailties.

    Raises ``NotEstimable`` where the model without frailties has no estimate.
    """
    known(ties)
    probability(confidence)
    plain = cox_data(time, event, covariates, strata, timefix=timefix)
    zero = maximise(lambda b: LIKELIHOODS[ties](plain, b), plain.spread)
    which, J = codes(cluster, "cluster", plain.n)
    if J < 2:
        raise NotEstimable("one cluster only")
    events = np.bincount(which[zero_one(event, "event", plain.n)], minlength=J)
    X = np.hstack((matrix(covariates, plain.n), which[:, None] == np.arange(J)))
    data = cox_data(time, event, X, strata, timefix=timefix, may_run_away=True)
    profile = _Profile(data, ties, plain.p, events, np.concatenate((zero.beta, np.zeros(J))))
    best = profile.highest() if theta is None else profile.top(math.log(_positive(theta)), profile.start)
    if theta is None and best.loglik <= zero.best.loglik:
        best = _Top(0.0, zero.best.loglik, profile.start, zero.best.information)
    covariance: Floats = np.asarray(np.linalg.inv(best.information), dtype=np.float64)[: plain.p, : plain.p]
    return _told(best, zero.best.loglik, covariance, confidence)


def _positive(theta: float) -> float:
    if not 0 < theta < math.inf:
        raise ValueError(f"theta must be positive, not {theta:g}")
    return theta


@dataclass(frozen=True, slots=True, eq=False)
class _Top:
    """Where the penalised likelihood is highest for one theta."""

    theta: float
    loglik: float
    at: Floats
    information: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Profile:
    data: CoxData
    ties: Ties
    p: int
    events: Ints
    start: Floats

    def highest(self) -> _Top:
        """The best theta of a coarse grid, then Brent's way between its neighbours."""
        from scipy.optimize import minimize_scalar

        grid = np.linspace(_SMALLEST, _LARGEST, _GRID).tolist()
        tops = [self.top(grid[0], self.start)]
        for log_theta in grid[1:]:
            tops.append(self.top(log_theta, tops[-1].at))
        best = max(range(_GRID), key=lambda i: tops[i].loglik)
        near = tops[best]
        found = minimize_scalar(
            lambda log_theta: -self.top(float(log_theta), near.at).loglik,
            bounds=(grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]),
            method="bounded",
            options={"xatol": 1e-6},
        )
        return max((near, self.top(float(found.x), near.at)), key=lambda top: top.loglik)

    def top(self, log_theta: float, start: Floats) -> _Top:
        """Newton's way up the penalised likelihood; the integrated likelihood there."""
        nu = math.exp(-log_theta)
        beta, here = start, self._at(start, nu)
        for _ in range(100):
            step = np.linalg.solve(here.information, here.score)
            if float(step @ here.score) < 1e-16 * max(1.0, abs(here.loglik)):
                d = self.events
                more = nu - (nu + d) * np.log1p(d / nu) - d * math.log(nu) + gammaln(nu + d) - gammaln(nu) + d
                return _Top(1 / nu, here.loglik + float(more.sum()), beta, here.information)
            for _ in range(40):
                there = self._at(beta + step, nu)
                if there.loglik >= here.loglik - 1e-12 * abs(here.loglik):
                    break
                step = step / 2
            beta, here = beta + step, there
        raise NotEstimable("the likelihood did not converge in 100 steps")

    def _at(self, beta: Floats, nu: float) -> Point:
        here = LIKELIHOODS[self.ties](self.data, beta)
        w = beta[self.p :]
        share = nu * np.exp(w)
        score, information = here.score.copy(), here.information.copy()
        score[self.p :] += nu - share
        spots = np.arange(self.p, beta.size)
        information[spots, spots] += share
        return Point(here.loglik + float((nu * w - share).sum()), score, information)


def _told(best: _Top, loglik_null: float, covariance: Floats, confidence: float) -> SharedFrailty:
    p = len(covariance)
    coef, error = best.at[:p], np.sqrt(np.diag(covariance))
    half = z_of(confidence) * error
    rise = 2 * (best.loglik - loglik_null)
    return SharedFrailty(
        coef=coef,
        std_error=error,
        hazard_ratio=np.exp(coef),
        lower=np.exp(coef - half),
        upper=np.exp(coef + half),
        p_wald=np.array([two_sided(z) for z in (coef / error).tolist()]),
        theta=best.theta,
        p_value=chi2_above(rise, 1) / 2 if rise > 0 else 1.0,
        loglik=best.loglik,
        loglik_null=loglik_null,
        log_frailty=best.at[p:],
    )
