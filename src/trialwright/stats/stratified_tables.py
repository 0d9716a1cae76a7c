"""Two-by-two tables over strata: Cochran–Mantel–Haenszel, its odds ratio, stratified differences.

Mantel and Haenszel, J Natl Cancer Inst 1959;22:719. Robins, Breslow and Greenland, Biometrics 1986;42:311
(variance of the log odds ratio). Miettinen and Nurminen, Stat Med 1985;4:213, with the weights of Cochran.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats
from trialwright.stats.binomial import counts, restricted_variance, score_interval, standardised
from trialwright.stats.errors import NotEstimable
from trialwright.stats.intervals import Interval
from trialwright.stats.normal import chi2_above, z_of


@dataclass(frozen=True, slots=True)
class CochranMantelHaenszel:
    """Test of no association given the strata (1 df, no continuity correction) and the common odds ratio.

    ``odds_ratio`` is the odds in group 1 over those in group 0; NaN (with its limits) where a sum of its
    formula is 0. ``strata`` counts those that informed the test.
    """

    chi2: float
    p_value: float
    odds_ratio: Interval
    strata: int


def cochran_mantel_haenszel(
    x1: npt.ArrayLike, n1: npt.ArrayLike, x0: npt.ArrayLike, n0: npt.ArrayLike, *, confidence: float = 0.95
) -> CochranMantelHaenszel:
    """``x1`` of ``n1`` in group 1 and ``x0`` of ``n0`` in group 0, one element for each stratum.

    Strata with an empty group tell nothing and are left out. Raises ``NotEstimable`` where every
    stratum is so, or where all patients of each stratum had the same outcome.
    """
    a, m1, c, m0 = informative(x1, n1, x0, n0)
    N, events = m1 + m0, a + c
    variance = float((m1 * m0 * events * (N - events) / (N**2 * np.maximum(N - 1, 1))).sum())
    if variance == 0:
        raise NotEstimable("everybody in each stratum had the same outcome")
    surplus = float((a - m1 * events / N).sum())
    chi2 = surplus**2 / variance
    return CochranMantelHaenszel(chi2, chi2_above(chi2, 1), _odds_ratio(a, m1, c, m0, confidence), a.size)


def miettinen_nurminen_stratified(
    x1: npt.ArrayLike,
    n1: npt.ArrayLike,
    x0: npt.ArrayLike,
    n0: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    corrected: bool = True,
) -> Interval:
    """Common difference p1 - p0 with weights n1 n0 / N, by the score summed over strata."""
    a, m1, c, m0 = informative(x1, n1, x0, n0)
    N = m1 + m0
    w = m1 * m0 / N / (m1 * m0 / N).sum()
    inflate = N / (N - 1) if corrected else np.ones_like(N)
    estimate = float((w * (a / m1 - c / m0)).sum())

    def score(delta: float) -> float:
        variance = restricted_variance((a, m1), (c, m0), delta) * inflate
        return standardised(estimate - delta, float((w**2 * variance).sum()))

    return score_interval(estimate, score, confidence)


def informative(
    x1: npt.ArrayLike, n1: npt.ArrayLike, x0: npt.ArrayLike, n0: npt.ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    """The strata with patients in both groups."""
    a, m1 = counts(x1, n1, "x1", "n1")
    c, m0 = counts(x0, n0, "x0", "n0")
    if a.shape != c.shape:
        raise ValueError(f"group 1 has {a.size} strata and group 0 has {c.size}")
    both = (m1 > 0) & (m0 > 0)
    if not both.any():
        raise NotEstimable("no stratum has patients in both groups")
    return a[both], m1[both], c[both], m0[both]


def _odds_ratio(a: Floats, m1: Floats, c: Floats, m0: Floats, confidence: float) -> Interval:
    b, d, N = m1 - a, m0 - c, m1 + m0
    P, Q, R, S = (a + d) / N, (b + c) / N, a * d / N, b * c / N
    up, down = float(R.sum()), float(S.sum())
    if up == 0 or down == 0:
        return Interval(0.0 if up == 0 < down else math.nan, math.nan, math.nan)
    variance = (
        float((P * R).sum()) / (2 * up**2)
        + float((P * S + Q * R).sum()) / (2 * up * down)
        + float((Q * S).sum()) / (2 * down**2)
    )
    half = z_of(confidence) * math.sqrt(variance)
    return Interval(up / down, up / down * math.exp(-half), up / down * math.exp(half))
