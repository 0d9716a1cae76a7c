"""Residuals of a Cox fit, and what is made of them: robust errors and the test of proportional hazards.

Score residuals and the robust variance: Lin and Wei, J Am Stat Assoc 1989;84:1074. Proportional hazards:
Grambsch and Therneau, Biometrika 1994;81:515, as the score test for a coefficient that changes with g(t),
which is what R's survival does since version 3 (older versions and lifelines approximate it; their p-values
differ).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, codes
from trialwright.stats.coxdata import CoxData
from trialwright.stats.errors import NotEstimable
from trialwright.stats.normal import chi2_above
from trialwright.stats.partial_likelihood import EfronTerms, efron_terms, moment_sums, square
from trialwright.stats.product_limit import kaplan_meier

Transform = Literal["km", "identity", "rank", "log"]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """At each moment: the sums over risk set (S) and deaths (D), (q, G), and the terms of the ties."""

    S: Floats
    D: Floats
    terms: EfronTerms  # all of length G

    def mean_sum(self, p: int) -> Floats:
        """(p, G) sum over the deaths of the mean covariate of those at risk."""
        return self.S[1 : 1 + p] * self.terms.a1 - self.D[1 : 1 + p] * self.terms.b1


def moments(data: CoxData, beta: Floats, ties: str) -> Moments:
    if ties.startswith("exact"):
        raise ValueError("residuals are defined for efron and breslow ties only")
    at = data.tied.moment
    efron = ties == "efron" and at.size > 0
    sums = moment_sums(data, beta @ data.X)
    G = data.d.size
    D, b1, b2, c2 = np.zeros((sums.risk.shape[0], G)), np.zeros(G), np.zeros(G), np.zeros(G)
    if not efron:
        a1 = data.dw / sums.risk[0]
        return Moments(sums.risk, D, EfronTerms(a1, a1 / sums.risk[0], b1, b2, c2))
    found, _ = efron_terms(data, sums)
    D[:, at] = sums.deaths
    b1[at], b2[at], c2[at] = found.b1, found.b2, found.c2
    return Moments(sums.risk, D, EfronTerms(found.a1, found.a2, b1, b2, c2))


def schoenfeld(data: CoxData, beta: Floats, ties: str) -> tuple[Floats, Floats]:
    """For each moment the score (p, G) and the information (p, p, G) it adds."""
    at, p = moments(data, beta, ties), data.p
    own = data.event if data.w is None else data.event * data.w
    score = np.add.reduceat(data.X * own, data.start, axis=1) - at.mean_sum(p)
    c, S1, D1 = at.terms, at.S[1 : 1 + p], at.D[1 : 1 + p]
    second = at.S[1 + p :] * c.a1 - at.D[1 + p :] * c.b1
    information = np.array([square(column, p) for column in second.T]).transpose(1, 2, 0)
    cross = np.einsum("ig,jg,g->ijg", S1, D1, c.b2)
    information -= np.einsum("ig,jg,g->ijg", S1, S1, c.a2) - cross - cross.transpose(1, 0, 2)
    information -= np.einsum("ig,jg,g->ijg", D1, D1, c.c2)
    return score, information


def score_residuals(data: CoxData, beta: Floats, ties: str) -> Floats:
    """(p, m): what each row of the layout adds to the score, its whole time at risk taken together."""
    at, p = moments(data, beta, ties), data.p
    c, S1, D1 = at.terms, at.S[1 : 1 + p], at.D[1 : 1 + p]
    hazard, moved = c.a1, S1 * c.a2 - D1 * c.b2
    run_hazard, run_moved = _running(hazard, data), _running(moved, data)
    moment = data.moment
    exposure, drift = run_hazard[moment], run_moved[:, moment]
    if data.waits is not None:
        came = data.waits < data.d.size
        earlier = np.minimum(data.waits, data.d.size - 1)
        exposure = exposure - np.where(came, run_hazard[earlier], 0)
        drift = drift - np.where(came, run_moved[:, earlier], 0)
    # one who dies in a tie is at risk for part of it only
    exposure = exposure - np.where(data.event, c.b1[moment], 0)
    drift = drift - np.where(data.event, (S1 * c.b2 - D1 * c.c2)[:, moment], 0)
    mean = (at.mean_sum(p) / data.dw)[:, moment]
    return data.event * (data.X - mean) - np.exp(beta @ data.X) * (data.X * exposure - drift)


def _running(values: Floats, data: CoxData) -> Floats:
    """Sums over the moments up to and including each, within strata."""
    out = np.empty_like(values)
    first = 0
    for end in data.stratum_end:  # strata
        np.cumsum(values[..., first:end], axis=-1, out=out[..., first:end])
        first = int(end)
    return out


def robust_covariance(
    data: CoxData, beta: Floats, covariance: Floats, ties: str, cluster: npt.ArrayLike | None
) -> Floats:
    """Sum over clusters (patients, unless given) of the squared change each makes to the coefficients."""
    residuals = score_residuals(data, beta, ties)
    if data.w is not None:
        residuals = residuals * data.w
    change = covariance @ residuals
    if cluster is not None:
        of, n = codes(cluster, "cluster", data.rows)
        change = np.array([np.bincount(of[data.row], row, n) for row in change])
    return np.asarray(change @ change.T, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class ProportionalHazards:
    """Chi-square of each covariate (1 df) and of all together (``df``)."""

    transform: Transform
    chi2: Floats
    p_value: Floats
    chi2_all: float
    df: int
    p_value_all: float


def proportional(
    data: CoxData, beta: Floats, ties: str, g: Floats, transform: Transform
) -> ProportionalHazards:
    """``g`` is the transformed time of each moment, less its mean over the events."""
    score, information = schoenfeld(data, beta, ties)
    u = score @ g
    i11, i12, i22 = (information @ g**k for k in range(3))
    try:
        left = i22 - i12 @ np.linalg.solve(i11, i12)
        chi2_all = float(u @ np.linalg.solve(left, u))
    except np.linalg.LinAlgError as error:
        raise NotEstimable("too few events to tell whether hazards are proportional") from error
    own = np.diag(left)
    if not (own > 1e-12 * np.diag(i22)).all():
        raise NotEstimable("too few events to tell whether hazards are proportional")
    chi2 = u**2 / own
    p = np.array([chi2_above(float(x), 1) for x in chi2])
    return ProportionalHazards(transform, chi2, p, chi2_all, data.p, chi2_above(chi2_all, data.p))


def time_scale(
    transform: Transform, data: CoxData, time: Floats, event: Bools, entry: npt.ArrayLike | None
) -> Floats:
    """g(t) at each moment, less its mean over the events."""
    if transform not in get_args(Transform):
        raise ValueError(f"transform must be one of {', '.join(get_args(Transform))}, not {transform!r}")
    t = data.time
    if transform == "km":
        curve = kaplan_meier(time, event, entry=entry)
        g = 1 - np.concatenate(([1.0], curve.survival))[np.searchsorted(curve.time, t, side="left")]
    elif transform == "rank":
        ordered = np.sort(time)
        g = (np.searchsorted(ordered, t, "left") + np.searchsorted(ordered, t, "right") + 1) / 2
    elif transform == "log":
        if t.min() <= 0:
            raise NotEstimable("an event at time 0 has no logarithm")
        g = np.log(t)
    else:
        g = t
    return np.asarray(g - data.d @ g / data.d.sum(), dtype=np.float64)
