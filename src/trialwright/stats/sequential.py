"""Looking more than once: alpha spending, boundaries at the information there is, and what follows from them.

Lan and DeMets, Biometrika 1983;70:659; Hwang, Shih and DeCani, Stat Med 1990;9:1439; Jennison and Turnbull,
Group Sequential Methods, 2000, ch. 19 (the recursive integration), ch. 9 (repeated intervals), ch. 8
(stage-wise order).

Here a large Z is good: give minus the z of ``logrank``. Z at information I has mean ``drift`` * sqrt(I) and,
at I < J, correlation sqrt(I/J) with the later one. With I = deaths/4 under equal allocation, ``drift`` is
minus the log hazard ratio; with fractions of the total it is the expected final Z.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from trialwright.stats.arrays import Floats, probability
from trialwright.stats.errors import NotEstimable
from trialwright.stats.intervals import Interval
from trialwright.stats.normal import below, quantile

Spending = Literal["obrien-fleming", "pocock", "hwang-shih-decani", "power"]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_FAR = 9.0


@dataclass(frozen=True, slots=True, eq=False)
class Boundaries:
    """One element for each look. Stop for efficacy where Z >= ``z``; infinite where nothing is spent.

    ``spent`` is the cumulative one-sided alpha, ``p_two_sided`` the nominal level of each look.
    """

    information: Floats
    z: Floats
    p_one_sided: Floats
    p_two_sided: Floats
    spent: Floats


def spent(
    t: float, alpha: float = 0.025, spending: Spending = "obrien-fleming", gamma: float = -4.0
) -> float:
    """Cumulative one-sided alpha at information fraction t; all of it from 1 on.

    ``gamma`` shapes Hwang–Shih–DeCani (-4 is near O'Brien–Fleming, 1 near Pocock) and the power family
    t^gamma.
    """
    if spending not in get_args(Spending):
        raise ValueError(f"spending must be one of {', '.join(get_args(Spending))}, not {spending!r}")
    if not t >= 0:
        raise ValueError(f"an information fraction must not be negative, not {t!r}")
    probability(alpha, "alpha")
    if spending == "power" and not gamma > 0:
        raise ValueError(
            f"the power family needs a gamma above 0, not {gamma:g}: else a first look spends all"
        )
    if t >= 1 or t == 0:
        return alpha if t else 0.0
    if spending == "obrien-fleming":
        return 2 * below(quantile(alpha / 2) / math.sqrt(t))
    if spending == "pocock":
        return alpha * math.log(1 + (math.e - 1) * t)
    if spending == "power":
        return float(alpha * t**gamma)
    return alpha * (t if gamma == 0 else math.expm1(-gamma * t) / math.expm1(-gamma))


def boundaries(
    information: Sequence[float],
    *,
    planned: float | None = None,
    alpha: float = 0.025,
    spending: Spending = "obrien-fleming",
    gamma: float = -4.0,
    final: bool = True,
) -> Boundaries:
    """Efficacy bounds at the information (deaths, say) actually seen at each look, in order.

    ``planned`` is the total on which spending runs, by default the last. With ``final`` the last look
    spends what is left, whether it has fewer or more deaths than planned.
    """
    I = _increasing(information)
    total = float(I[-1]) if planned is None else float(planned)
    if not total > 0:
        raise ValueError(f"planned information must be positive, not {planned!r}")
    cumulative = np.array([spent(float(i) / total, alpha, spending, gamma) for i in I])
    if final:
        cumulative[-1] = alpha
    steps = np.diff(cumulative, prepend=0)
    z = np.full(I.size, np.inf)
    path = _Path(0.0)
    for k, i in enumerate(I):
        if steps[k] > 1e-15:
            z[k] = _bound(path, float(i), float(steps[k]))
        path = path.on(float(i), -math.inf, float(z[k]), float(I[k + 1]) if k + 1 < I.size else None)
    p = np.array([below(-c) for c in z])
    return Boundaries(I, z, p, 2 * p, cumulative)


def crossing(
    information: Sequence[float],
    upper: Sequence[float],
    *,
    drift: float = 0.0,
    lower: Sequence[float] | None = None,
) -> Floats:
    """Chance of first crossing the upper bound at each look.

    ``lower``, where given, binds: a trial that came below it has stopped.
    """
    I = _increasing(information)
    low = np.full(I.size, -np.inf) if lower is None else np.asarray(lower, dtype=np.float64)
    high = np.asarray(upper, dtype=np.float64)
    if high.shape != I.shape or low.shape != I.shape:
        raise ValueError(f"bounds must have one element for each of the {I.size} looks")
    path, chance = _Path(drift), np.empty(I.size)
    for k, i in enumerate(I):
        chance[k] = path.above(float(i), float(high[k]))
        path = path.on(float(i), float(low[k]), float(high[k]), float(I[k + 1]) if k + 1 < I.size else None)
    return chance


def conditional_power(z: float, t: float, bound: float, drift: float | None = None) -> float:
    """Chance that the final Z reaches ``bound``, given Z at information fraction t < 1.

    ``drift`` is the expected final Z; without it the trend seen so far goes on.
    """
    _fraction(t)
    theta = z / math.sqrt(t) if drift is None else drift
    return below((z * math.sqrt(t) + theta * (1 - t) - bound) / math.sqrt(1 - t))


def predictive_power(z: float, t: float, bound: float) -> float:
    """Conditional power averaged over what the data so far say of the drift (flat prior)."""
    _fraction(t)
    return below((z - bound * math.sqrt(t)) / math.sqrt(1 - t))


def repeated_interval(estimate: float, std_error: float, bound: float) -> Interval:
    """Holds at its level at all looks together, whether or not the trial stopped: estimate ± bound * error.

    On the scale on which the estimate is normal (the log hazard ratio).
    """
    if not (std_error > 0 and math.isfinite(bound)):
        raise NotEstimable("the look has no boundary" if std_error > 0 else "no standard error")
    return Interval(estimate, estimate - bound * std_error, estimate + bound * std_error)


@dataclass(frozen=True, slots=True)
class StageWise:
    """``drift`` holds the median-unbiased estimate and limits; ``p_one_sided`` is of no effect."""

    drift: Interval
    p_one_sided: float


def stage_wise(
    information: Sequence[float], upper: Sequence[float], z: float, *, confidence: float = 0.95
) -> StageWise:
    """A trial that ended at the last of the given looks with ``z``, all results ordered by stage, then by Z.

    ``information`` and ``upper`` are of the looks up to the last; the bound of the last is not used.
    """
    bounds = [*list(upper)[:-1], z]

    def tail(drift: float) -> float:
        return float(crossing(information, bounds, drift=drift).sum())

    half = (1 - probability(confidence)) / 2
    reach = (_FAR + abs(z)) / math.sqrt(float(information[0]))
    found = [_rising(tail, level, -reach, reach) for level in (0.5, half, 1 - half)]
    return StageWise(Interval(*found), tail(0.0))


class _Path:
    """S = Z sqrt(I) among trials still going: nodes, and weights that add up to their chance."""

    def __init__(self, drift: float) -> None:
        self.drift, self.information = drift, 0.0
        self.node, self.weight = np.zeros(1), np.ones(1)

    def above(self, information: float, z: float) -> float:
        """Chance that Z at the next look is at least z."""
        from scipy.special import ndtr

        step = information - self.information
        mean = self.node + self.drift * step
        return float(self.weight @ ndtr((mean - z * math.sqrt(information)) / math.sqrt(step)))

    def on(self, information: float, lower: float, upper: float, following: float | None) -> _Path:
        """Trials with lower < Z < upper at the next look go on."""
        path = _Path(self.drift)
        path.information = information
        step, root = information - self.information, math.sqrt(information)
        centre = self.drift * information
        low = max(lower * root, centre - _FAR * root)
        high = min(upper * root, centre + _FAR * root)
        if following is None or low >= high:
            path.node, path.weight = np.zeros(1), np.zeros(1)
            return path
        # panels no wider than the spread of the step behind or the step ahead
        narrow = 1.5 * math.sqrt(min(step, following - information))
        edges = np.linspace(low, high, max(4, math.ceil((high - low) / narrow)) + 1)
        half, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
        path.node = (middle + half * _NODES).ravel()
        distance = (path.node[:, None] - self.node - self.drift * step) / math.sqrt(step)
        density = np.exp(-(distance**2) / 2) @ self.weight / math.sqrt(2 * math.pi * step)
        path.weight = (half * _WEIGHTS).ravel() * density
        return path


def _bound(path: _Path, information: float, chance: float) -> float:
    """The z that a trial still going reaches with this chance."""
    if path.information == 0:
        return -quantile(chance)
    return -_rising(lambda c: path.above(information, -c), chance, -_FAR - 3, _FAR + 3)


def _rising(function: Callable[[float], float], level: float, low: float, high: float) -> float:
    for _ in range(80):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if function(middle) < level else (low, middle)
    return (low + high) / 2


def _increasing(information: Sequence[float]) -> Floats:
    I = np.asarray(information, dtype=np.float64)
    if I.ndim != 1 or not I.size or not (np.isfinite(I).all() and I[0] > 0 and (np.diff(I) > 0).all()):
        raise ValueError("information must be positive and grow from look to look")
    return I


def _fraction(t: float) -> None:
    if not 0 < t < 1:
        raise ValueError(f"the information fraction must lie between 0 and 1, not {t!r}")
