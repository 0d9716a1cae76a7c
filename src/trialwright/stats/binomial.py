"""Proportions, their differences, and rates, exact or by score.

Clopper and Pearson, Biometrika 1934;26:404. Wilson, J Am Stat Assoc 1927;22:209. Miettinen and Nurminen,
Stat Med 1985;4:213. Garwood, Biometrika 1936;28:437 (Poisson).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, probability
from trialwright.stats.errors import NotEstimable
from trialwright.stats.intervals import Interval
from trialwright.stats.normal import z_of


def clopper_pearson(x: int, n: int, confidence: float = 0.95) -> Interval:
    """Exact limits of x in n; 0 of n has lower limit 0, n of n upper limit 1."""
    _count(x, n, "x", "n")
    from scipy.special import betaincinv

    tail = (1 - probability(confidence)) / 2
    lower = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    upper = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return Interval(x / n, lower, upper)


def wilson(x: int, n: int, confidence: float = 0.95) -> Interval:
    """Score limits of x in n, without continuity correction."""
    _count(x, n, "x", "n")
    z2, p = z_of(confidence) ** 2, x / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * p * (1 - p) / n + z2**2 / (4 * n**2)) / (1 + z2 / n)
    lower = 0.0 if x == 0 else max(centre - half, 0.0)
    return Interval(p, lower, 1.0 if x == n else min(centre + half, 1.0))


def poisson_rate(events: int, exposure: float, confidence: float = 0.95, *, per: float = 1.0) -> Interval:
    """Events per ``per`` units of exposure with exact limits (``per=100`` for 100 patient-years)."""
    if events < 0 or events != int(events):
        raise ValueError(f"events must be a whole number that is not negative, not {events!r}")
    if not (exposure >= 0 and math.isfinite(exposure)):
        raise ValueError(f"exposure must be finite and not negative, not {exposure!r}")
    if exposure == 0:
        raise NotEstimable("no exposure")
    from scipy.special import gammaincinv  # half a chi-square quantile on 2x degrees of freedom

    tail, scale = (1 - probability(confidence)) / 2, per / exposure
    lower = 0.0 if events == 0 else float(gammaincinv(events, tail))
    upper = float(gammaincinv(events + 1, 1 - tail))
    return Interval(events * scale, lower * scale, upper * scale)


def miettinen_nurminen(
    x1: int, n1: int, x0: int, n0: int, confidence: float = 0.95, *, corrected: bool = True
) -> Interval:
    """Score limits of p1 - p0; ``corrected`` multiplies the variance by N/(N - 1).

    Defined for every table with patients in both groups, empty and full cells included.
    """
    _count(x1, n1, "x1", "n1")
    _count(x0, n0, "x0", "n0")
    N = n1 + n0
    inflate = N / (N - 1) if corrected else 1.0
    one, nought = (
        (np.array([float(x1)]), np.array([float(n1)])),
        (np.array([float(x0)]), np.array([float(n0)])),
    )
    estimate = x1 / n1 - x0 / n0

    def score(delta: float) -> float:
        return standardised(estimate - delta, float(restricted_variance(one, nought, delta)[0]) * inflate)

    return score_interval(estimate, score, confidence)


def score_interval(estimate: float, score: Callable[[float], float], confidence: float) -> Interval:
    """Where a falling score of a difference in (-1, 1) passes ± z, by bisection."""
    z = z_of(confidence)
    lower = _bisect(lambda delta: score(delta) > z, -1.0, estimate)
    upper = _bisect(lambda delta: score(delta) > -z, estimate, 1.0)
    return Interval(estimate, lower, upper)


def restricted_variance(one: tuple[Floats, Floats], nought: tuple[Floats, Floats], delta: float) -> Floats:
    """Variance of p1 - p0 at the likelihood's best p0, p1 with p1 - p0 = delta, for each stratum.

    Farrington and Manning, Stat Med 1990;9:1447: the closed form of the cubic.
    """
    (x1, n1), (x0, n0) = one, nought
    N, L3 = n1 + n0, n1 + n0
    L2 = (n1 + 2 * n0) * delta - N - (x1 + x0)
    L1 = (n0 * delta - N - 2 * x0) * delta + x1 + x0
    L0 = x0 * delta * (1 - delta)
    b = L2 / (3 * L3)
    q = b**3 - L1 * L2 / (6 * L3**2) + L0 / (2 * L3)
    p = np.copysign(np.sqrt(np.maximum(b**2 - L1 / (3 * L3), 0)), q)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.where(p == 0, 0.0, q / p**3)
    a = (math.pi + np.arccos(np.clip(cosine, -1, 1))) / 3
    r0 = np.clip(2 * p * np.cos(a) - b, max(0.0, -delta), min(1.0, 1.0 - delta))
    r1 = np.clip(r0 + delta, 0, 1)
    return np.asarray(r1 * (1 - r1) / n1 + r0 * (1 - r0) / n0, dtype=np.float64)


def standardised(distance: float, variance: float) -> float:
    if variance > 0:
        return distance / math.sqrt(variance)
    return math.copysign(math.inf, distance) if distance else 0.0


def _bisect(above: Callable[[float], bool], low: float, high: float) -> float:
    """The point of [low, high] where ``above`` turns from true to false."""
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if above(middle) else (low, middle)
    return (low + high) / 2


def _count(x: float, n: float, x_name: str, n_name: str) -> None:
    for value, name in ((x, x_name), (n, n_name)):
        if not (math.isfinite(value) and value == int(value) and value >= 0):
            raise ValueError(f"{name} must be a whole number that is not negative, not {value!r}")
    if x > n:
        raise ValueError(f"{x_name} ({x}) is more than {n_name} ({n})")
    if n == 0:
        raise NotEstimable("no patients")


def counts(x: npt.ArrayLike, n: npt.ArrayLike, x_name: str, n_name: str) -> tuple[Floats, Floats]:
    """Events and patients per stratum, checked. An empty stratum is allowed here."""
    xs, ns = (np.atleast_1d(np.asarray(a, dtype=np.float64)) for a in (x, n))
    if xs.ndim != 1 or xs.shape != ns.shape:
        raise ValueError(f"{x_name} and {n_name} must be one-dimensional and of one length")
    whole = np.isfinite(xs) & np.isfinite(ns) & (xs == np.trunc(xs)) & (ns == np.trunc(ns))
    if not (whole & (xs >= 0) & (xs <= ns)).all():
        raise ValueError(f"{x_name} and {n_name} must be whole numbers with 0 <= {x_name} <= {n_name}")
    return xs, ns
