"""Is the odds ratio the same in every stratum, and is there an association at all, exactly.

Breslow and Day, Statistical Methods in Cancer Research I, 1980, §4.4, with Tarone's correction (Biometrika
1985;72:91). Exact conditional test: Mehta, Patel and Gray, J Am Stat Assoc 1985;80:969.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats
from trialwright.stats.errors import NotEstimable
from trialwright.stats.normal import chi2_above
from trialwright.stats.stratified_tables import cochran_mantel_haenszel, informative


@dataclass(frozen=True, slots=True)
class Homogeneity:
    """Chi-square on strata - 1; ``chi2`` is Breslow and Day's, ``tarone`` the corrected."""

    chi2: float
    p_value: float
    tarone: float
    p_tarone: float
    df: int


def breslow_day(x1: npt.ArrayLike, n1: npt.ArrayLike, x0: npt.ArrayLike, n0: npt.ArrayLike) -> Homogeneity:
    """``x1`` of ``n1`` in group 1 and ``x0`` of ``n0`` in group 0, one element for each stratum.

    Strata where everybody had the same outcome, or with an empty group, tell nothing and are left out.
    """
    a, m1, c, m0 = informative(x1, n1, x0, n0)
    told = (a + c > 0) & (a + c < m1 + m0)
    a, m1, c, m0 = a[told], m1[told], c[told], m0[told]
    if a.size < 2:
        raise NotEstimable("fewer than two strata have both outcomes in both groups together")
    odds = cochran_mantel_haenszel(a, m1, c, m0).odds_ratio.estimate
    if not (0 < odds < np.inf):
        raise NotEstimable("the common odds ratio is not defined")
    fitted = _fitted(a + c, m1, m0, odds)
    variance = 1 / (1 / fitted + 1 / (m1 - fitted) + 1 / (a + c - fitted) + 1 / (m0 - a - c + fitted))
    chi2 = float(((a - fitted) ** 2 / variance).sum())
    tarone = chi2 - float((a - fitted).sum() ** 2 / variance.sum())
    df = a.size - 1
    return Homogeneity(chi2, chi2_above(chi2, df), tarone, chi2_above(tarone, df), df)


def _fitted(events: Floats, m1: Floats, m0: Floats, odds: float) -> Floats:
    """Events of group 1 in a table with these margins and this odds ratio."""
    # odds = x (m0 - events + x) / ((events - x)(m1 - x)); as a quadratic A x² + B x + C, without cancellation
    A = 1 - odds
    B = m0 - events + odds * (events + m1)
    C = -odds * events * m1
    return np.asarray(-2 * C / (B + np.sqrt(np.maximum(B**2 - 4 * A * C, 0))), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ExactAssociation:
    """Chance, given all margins, of tables no likelier than those seen (two-sided), and of either tail."""

    p_value: float
    p_greater: float
    p_less: float


def exact_association(
    x1: npt.ArrayLike, n1: npt.ArrayLike, x0: npt.ArrayLike, n0: npt.ArrayLike
) -> ExactAssociation:
    """Exact test of no association given strata; with one stratum it is Fisher's."""
    a, m1, c, m0 = informative(x1, n1, x0, n0)
    chance = np.ones(1)
    lowest = 0
    for events, one, nought in zip(a + c, m1, m0, strict=True):  # strata
        low, high = int(max(0, events - nought)), int(min(events, one))
        chance = np.convolve(chance, _hypergeometric(low, high, events, one, nought))
        lowest += low
    seen = int(a.sum()) - lowest
    less, greater = float(chance[: seen + 1].sum()), float(chance[seen:].sum())
    as_rare = float(chance[chance <= chance[seen] * (1 + 1e-7)].sum())
    return ExactAssociation(min(as_rare, 1.0), min(greater, 1.0), min(less, 1.0))


def _hypergeometric(low: int, high: int, events: float, one: float, nought: float) -> Floats:
    from scipy.special import gammaln

    x = np.arange(low, high + 1, dtype=np.float64)
    cells = np.array([x, one - x, events - x, nought - events + x])
    logs = -gammaln(cells + 1).sum(axis=0)
    chance = np.exp(logs - logs.max())
    return np.asarray(chance / chance.sum(), dtype=np.float64)
