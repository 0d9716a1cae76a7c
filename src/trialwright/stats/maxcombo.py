"""The largest of several Fleming–Harrington tests, with the p-value their correlation gives it.

Lin et al., Stat Biopharm Res 2020;12:187 (MaxCombo). Modest weights: Magirr and Burman, Stat Med
2019;38:3782.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats
from trialwright.stats.errors import NotEstimable
from trialwright.stats.gaussian import any_above
from trialwright.stats.logrank import (
    LogRank,
    fleming_harrington,
    pooled_before,
    variance,
    weighted,
)
from trialwright.stats.riskset import RiskTable, risk_table

FOUR = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class MaxCombo:
    """``z`` of each weight pair (rho, gamma) and their correlation under no difference.

    ``p_one_sided`` is the chance that the smallest of them is as small or smaller (group 1 better);
    ``p_value`` is twice that, at most 1.
    """

    weights: tuple[tuple[float, float], ...]
    z: Floats
    z_min: float
    correlation: Floats
    p_one_sided: float
    p_value: float


def maxcombo(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    weights: Sequence[tuple[float, float]] = FOUR,
    timefix: bool = True,
) -> MaxCombo:
    """Two groups of n patients; ``group`` 1 is the experimental, and a small ``p_one_sided`` favours it.

    ``weights`` are pairs (rho, gamma), with four of them independent at most. A test whose weights are all
    0 on these data (late weights with one event) raises ``NotEstimable``.
    """
    if not weights:
        raise ValueError("weights must name at least one pair of rho and gamma")
    table = risk_table(time, event, group, strata, timefix=timefix)
    rows = np.array([_spelled(table, rho, gamma) for rho, gamma in weights])
    covariance = (rows * variance(table)) @ rows.T
    error = np.sqrt(np.diag(covariance))
    if not (error > 0).all():
        raise NotEstimable(f"no event tells the groups apart under weights {weights[int(np.argmin(error))]}")
    z = rows @ (table.d1 - table.d * table.n1 / table.n) / error
    correlation = np.asarray(covariance / np.outer(error, error), dtype=np.float64)
    p = any_above(correlation, -float(z.min()))
    pairs = tuple((float(rho), float(gamma)) for rho, gamma in weights)
    return MaxCombo(pairs, z, float(z.min()), correlation, p, min(2 * p, 1.0))


def modestly_weighted(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    t_star: float,
    strata: npt.ArrayLike | None = None,
    *,
    timefix: bool = True,
) -> LogRank:
    """Log-rank with weights 1 / max(S(t-), S(t*)): growing until ``t_star``, constant after."""
    table = risk_table(time, event, group, strata, timefix=timefix)
    S = pooled_before(table)
    after = S * (1 - table.d / table.n)
    floor = np.ones(table.start.size)
    for label, first in enumerate(table.start):  # strata
        end = table.start[label + 1] if label + 1 < table.start.size else S.size
        seen = int(np.searchsorted(table.time[first:end], t_star, side="right"))
        floor[label] = after[first + seen - 1] if seen else 1.0
    lengths = np.diff(table.start, append=S.size)
    return weighted(table, 1 / np.maximum(S, np.repeat(floor, lengths)))


def _spelled(table: RiskTable, rho: float, gamma: float) -> Floats:
    found = fleming_harrington(table, rho, gamma)
    return np.ones(table.d.size) if found is None else found
