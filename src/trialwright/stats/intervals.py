"""The small values that estimators give back. NaN means: not reached, or not defined."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trialwright.stats.normal import two_sided, z_of


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its confidence limits."""

    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """Group 1 against group 0, with a normal (or, for a ratio, log-normal) interval and its Wald test.

    ``std_error`` is of the difference; of the logarithm where the contrast is a ratio.
    """

    estimate: float
    std_error: float
    lower: float
    upper: float
    z: float
    p_value: float


def difference(estimate: float, std_error: float, confidence: float) -> Contrast:
    half = z_of(confidence) * std_error
    z = estimate / std_error if std_error > 0 else math.nan
    return Contrast(estimate, std_error, estimate - half, estimate + half, z, two_sided(z))


def ratio(estimate: float, std_error: float, confidence: float) -> Contrast:
    """From the ratio itself and the standard error of its logarithm."""
    half = z_of(confidence) * std_error
    z = math.log(estimate) / std_error if std_error > 0 and estimate > 0 else math.nan
    low, high = estimate * math.exp(-half), estimate * math.exp(half)
    return Contrast(estimate, std_error, low, high, z, two_sided(z))
