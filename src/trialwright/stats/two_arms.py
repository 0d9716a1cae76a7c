"""The partial likelihood when the only covariate is the arm: four numbers at each event time tell all.

The same likelihood as in ``partial_likelihood`` (a property test holds them together), without a row for each
patient: with r = exp(beta), a risk set sums to n0 + n1 r.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats
from trialwright.stats.errors import NotEstimable
from trialwright.stats.partial_likelihood import Point
from trialwright.stats.riskset import RiskTable


def only_the_arm(covariates: npt.ArrayLike) -> Bools | None:
    """The covariate as a yes or no, where it is the only one and holds both 0 and 1 and nothing else."""
    x = np.asarray(covariates)
    if x.ndim == 2 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 1 or x.dtype.kind not in "biuf":
        return None
    one = x == 1
    if not (one | (x == 0)).all() or not one.any() or one.all():
        return None
    return np.asarray(one, dtype=np.bool_)


def spread(table: RiskTable, arm: Bools) -> Floats:
    """The information there would be, were all at risk at each event; both arms must have one."""
    events, share = float(table.d.sum()), float(arm.mean())
    for value, count in ((1, float(table.d1.sum())), (0, events - float(table.d1.sum()))):
        if count == 0:
            raise NotEstimable(f"no events where covariate 0 is {value}")
    return np.array([events * share * (1 - share)])


def likelihood(table: RiskTable, ties: str) -> Callable[[Floats], Point]:
    """At a coefficient of shape (1,): log partial likelihood, score, information."""
    n1, n0, times = _denominators(table, ties)
    total_1 = float(table.d1.sum())

    def at(beta: Floats) -> Point:
        r = float(np.exp(beta[0]))
        one = n1 * r
        S = n0 + one
        share = one / S
        per_event = share if times is None else share * times
        logs = np.log(S) if times is None else times * np.log(S)
        score = total_1 - per_event.sum()
        information = (per_event * (1 - share)).sum()
        return Point(float(beta[0] * total_1 - logs.sum()), np.array([score]), np.array([[information]]))

    return at


def _denominators(table: RiskTable, ties: str) -> tuple[Floats, Floats, Floats | None]:
    """Numbers at risk in each arm behind each death, and how many deaths share them (None: one each)."""
    n1, n0 = table.n1, table.n - table.n1
    if float(table.d.max()) == 1:
        return n1, n0, None
    if ties == "breslow":
        return n1, n0, table.d
    # Efron: the k-th of d tied deaths leaves the share k/d of all d behind
    d = table.d.astype(np.int64)
    first = np.cumsum(d) - d
    f = (np.arange(int(d.sum())) - np.repeat(first, d)) / np.repeat(table.d, d)
    left_1 = np.repeat(n1, d) - f * np.repeat(table.d1, d)
    left_0 = np.repeat(n0, d) - f * np.repeat(table.d - table.d1, d)
    return left_1, left_0, None
