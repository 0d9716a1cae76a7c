"""Tail areas and quantiles, without the half second that scipy.stats takes to import."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

from trialwright.stats.arrays import probability

_STANDARD = NormalDist()


@lru_cache(maxsize=64)
def z_of(confidence: float) -> float:
    """The two-sided normal quantile: 1.96 for 0.95."""
    return -_STANDARD.inv_cdf((1 - probability(confidence)) / 2)


def quantile(p: float) -> float:
    return _STANDARD.inv_cdf(p)


def below(z: float) -> float:
    """P(Z <= z), accurate in both tails."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def chi2_above(x: float, df: int) -> float:
    """P(chi-square on df degrees of freedom > x)."""
    if math.isnan(x):
        return math.nan
    if df == 1:
        return math.erfc(math.sqrt(max(x, 0.0) / 2))
    from scipy.special import gammaincc

    return float(gammaincc(df / 2, max(x, 0.0) / 2))
