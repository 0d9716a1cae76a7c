"""Student's t and Fisher's F, without the import of scipy.stats."""

from __future__ import annotations

import numpy as np

from trialwright.stats.arrays import Floats, probability


def t_of(confidence: float, df: Floats) -> Floats:
    """The two-sided quantile for each number of degrees of freedom: 2.228 for 0.95 and 10."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(df, (1 + probability(confidence)) / 2), dtype=np.float64)


def two_sided_t(t: Floats, df: Floats) -> Floats:
    from scipy.special import stdtr

    return np.asarray(2 * stdtr(df, -np.abs(t)), dtype=np.float64)


def f_above(f: float, numerator: float, denominator: float) -> float:
    from scipy.special import fdtrc

    return float(fdtrc(numerator, denominator, max(f, 0.0)))
