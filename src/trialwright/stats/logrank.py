"""The log-rank test and its weighted relatives for two groups, stratified or not.

Mantel, Cancer Chemother Rep 1966;50:163; Fleming and Harrington, Counting Processes and Survival Analysis
1991, ch. 7. In stratum s at event time j with d events among n at risk, d1 among n1 in group 1::

    U = sum w (d1 - d n1/n)        V = sum w² d (n1/n) (1 - n1/n) (n - d)/(n - 1)        Z = U / sqrt(V)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats
from trialwright.stats.errors import NotEstimable
from trialwright.stats.normal import below, two_sided
from trialwright.stats.riskset import RiskTable, risk_table


@dataclass(frozen=True, slots=True)
class LogRank:
    """``statistic`` is U, observed minus expected of group 1; a negative ``z`` favours group 1.

    ``p_one_sided`` is Phi(z), small when group 1 does better. ``observed`` and ``expected`` are
    (group 0, group 1), weighted where the test is.
    """

    statistic: float
    variance: float
    z: float
    chi2: float
    p_value: float
    p_one_sided: float
    observed: tuple[float, float]
    expected: tuple[float, float]


def logrank(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    rho: float = 0,
    gamma: float = 0,
    timefix: bool = True,
) -> LogRank:
    """Two groups of together n patients; ``group`` is 0 or 1, with 1 the experimental.

    ``rho`` and ``gamma`` weight each event time by S(t-)^rho (1 - S(t-))^gamma, S being the pooled curve
    of the stratum just before t. Raises ``NotEstimable`` without events, with an empty group, or where
    no event
    tells the groups apart (they are never at risk together, or all have the event at once).
    """
    table = risk_table(time, event, group, strata, timefix=timefix)
    return weighted(table, fleming_harrington(table, rho, gamma))


def weighted(table: RiskTable, weights: Floats | None) -> LogRank:
    """The test with the given weight at each row of the table; None for 1."""
    share = table.n1 / table.n
    expected_1, V_each, d, d1 = table.d * share, _variance(table, share), table.d, table.d1
    if weights is not None:
        expected_1, V_each, d, d1 = weights * expected_1, weights**2 * V_each, weights * d, weights * d1
    expect_1, events, events_1 = float(expected_1.sum()), float(d.sum()), float(d1.sum())
    U = float((d1 - expected_1).sum())
    V = float(V_each.sum())
    if not V > 0:
        raise NotEstimable("no event tells the groups apart")
    z = U / math.sqrt(V)
    observed, expected = (events - events_1, events_1), (events - expect_1, expect_1)
    return LogRank(U, V, z, z * z, two_sided(z), below(z), observed, expected)


def variance(table: RiskTable) -> Floats:
    """Hypergeometric variance of d1 at each row; 0 where one patient is at risk."""
    return _variance(table, table.n1 / table.n)


def _variance(table: RiskTable, share: Floats) -> Floats:
    return table.d * share * (1 - share) * (table.n - table.d) / np.maximum(table.n - 1, 1)


def fleming_harrington(table: RiskTable, rho: float, gamma: float) -> Floats | None:
    if rho < 0 or gamma < 0:
        raise ValueError(f"rho and gamma must not be negative, not {rho!r} and {gamma!r}")
    if rho == 0 and gamma == 0:
        return None
    S = pooled_before(table)
    return np.asarray(S**rho * (1 - S) ** gamma, dtype=np.float64)


def pooled_before(table: RiskTable) -> Floats:
    """S(t-) of each stratum, both groups together."""
    steps = 1 - table.d / table.n
    S = np.empty_like(steps)
    ends = np.append(table.start[1:], steps.size)
    for first, end in zip(table.start, ends, strict=True):  # strata, not patients
        S[first] = 1
        np.cumprod(steps[first : end - 1], out=S[first + 1 : end])
    return S
