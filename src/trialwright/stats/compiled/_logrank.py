"""The log-rank test of ``logrank``, compiled."""

from __future__ import annotations

import math

import numpy.typing as npt

from trialwright.stats import logrank as array_form
from trialwright.stats.arrays import Ints
from trialwright.stats.compiled._groups import keys_of_groups, risk_rows
from trialwright.stats.compiled._numba import kernel
from trialwright.stats.compiled._order import Scale
from trialwright.stats.compiled._slots import setters
from trialwright.stats.logrank import LogRank

_ROOT = math.sqrt(2)
_statistic, _variance, _z, _chi2, _p_value, _p_one_sided, _observed, _expected = setters(LogRank)
_Told = tuple[bool, float, float, float, float, float, float, float, float]


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
    """As ``stats.logrank.logrank``, which does the weighted tests here too."""
    keys = None if rho or gamma else keys_of_groups(time, event, group, strata)
    found = None if keys is None else _test(*keys, timefix)
    if found is None or not found[0]:
        return array_form.logrank(time, event, group, strata, rho=rho, gamma=gamma, timefix=timefix)
    _, U, V, z, p, p_one_sided, events, events_1, expected_1 = found
    test = object.__new__(LogRank)
    _statistic(test, U)
    _variance(test, V)
    _z(test, z)
    _chi2(test, z * z)
    _p_value(test, p)
    _p_one_sided(test, p_one_sided)
    _observed(test, (events - events_1, events_1))
    _expected(test, (events - expected_1, expected_1))
    return test


@kernel
def _test(keys: Ints, width: int, scale: Scale, timefix: bool) -> _Told:
    """Whether an event tells the groups apart, and what it tells."""
    rows = risk_rows(keys, width, scale, timefix)
    U = V = events = events_1 = expected_1 = 0.0
    for i in range(rows.shape[1]):
        n, n1, d, d1 = rows[0, i], rows[1, i], rows[2, i], rows[3, i]
        share = n1 / n
        expected_1 += d * share
        U += d1 - d * share
        V += d * share * (1 - share) * (n - d) / max(n - 1, 1.0)
        events += d
        events_1 += d1
    z = U / math.sqrt(V)
    p = math.erfc(abs(z) / _ROOT)
    p_one_sided = p / 2 if z < 0 else 1 - p / 2
    return V > 0, U, V, z, p, p_one_sided, events, events_1, expected_1
