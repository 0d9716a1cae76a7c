"""Survival when an event is only known to lie between two visits.

Turnbull, J R Stat Soc B 1976;38:290: the nonparametric maximum likelihood puts mass only on the innermost
intervals, those from a left end straight to a right end. Found by EMICM, Wellner and Zhan, J Am Stat Assoc
1997;92:945: Turnbull's self-consistent step and a convex-minorant step in turn. The likelihood is concave, so
that the top is certified: with d_j its derivative by the mass of interval j, no other curve gains more than
max d_j - n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, Ints
from trialwright.stats.errors import NotEstimable

_STEPS = 20_000
_GAP = 1e-9  # of the log-likelihood


@dataclass(frozen=True, slots=True, eq=False)
class Turnbull:
    """Mass on m innermost intervals (left, right]; an exact time where both ends are the same.

    Where within an interval its mass lies cannot be known; ``right`` is infinite for what comes after the
    last visit. ``gap`` bounds by how much the log-likelihood falls short.
    """

    left: Floats
    right: Floats
    mass: Floats
    loglik: float
    gap: float
    steps: int
    n: int

    def at(self, t: npt.ArrayLike) -> tuple[Floats, Floats]:
        """The lowest and highest S(t) that the estimate allows; equal outside the innermost intervals."""
        asked = np.asarray(t, dtype=np.float64)
        S = np.concatenate(([1.0], 1 - np.cumsum(self.mass)))
        S[-1] = 0.0
        exact = self.left == self.right
        begun = np.searchsorted(
            np.where(exact, self.left, np.nextafter(self.left, np.inf)), asked, side="right"
        )
        done = np.searchsorted(self.right, asked, side="right")
        return S[begun][()], S[done][()]

    def quantile(self, p: float) -> tuple[float, float]:
        """The innermost interval in which S falls to 1 - p or below."""
        if not 0 < p < 1:
            raise ValueError(f"p must lie between 0 and 1, not {p!r}")
        j = int(np.argmax(np.cumsum(self.mass) >= p - 1e-8))
        return float(self.left[j]), float(self.right[j])

    @property
    def median(self) -> tuple[float, float]:
        return self.quantile(0.5)


def turnbull(left: npt.ArrayLike, right: npt.ArrayLike) -> Turnbull:
    """n patients whose event lies in (left, right].

    The same time twice is an event at that time, an infinite ``right`` a patient without event until
    ``left``, a ``left`` of 0 an event before the first visit.

    Raises ``NotEstimable`` without patients or where nobody had the event.
    """
    lower, upper = _checked(left, right)
    lows, highs, first, last = _innermost(lower, upper)
    groups, weight = np.unique(np.column_stack((first, last)), axis=0, return_counts=True)
    likelihood = _Likelihood(groups[:, 0], groups[:, 1] + 1, weight.astype(np.float64), lows.size)
    mass, gap, steps = _emicm(likelihood)
    kept = mass > 0
    return Turnbull(lows[kept], highs[kept], mass[kept], likelihood.loglik(mass), gap, steps, lower.size)


def _checked(left: npt.ArrayLike, right: npt.ArrayLike) -> tuple[Floats, Floats]:
    lower, upper = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if lower.ndim != 1 or lower.shape != upper.shape:
        raise ValueError(f"left and right must be as long as each other, not {lower.shape} and {upper.shape}")
    if not lower.size:
        raise NotEstimable("no patients")
    if np.isnan(upper).any() or not np.isfinite(lower).all():
        raise ValueError("left and right must not be missing, and left must be finite")
    if lower.min() < 0:
        raise ValueError(f"left is negative at row {int(np.argmin(lower))}")
    if (upper < lower).any():
        raise ValueError(f"right is before left at row {int(np.argmax(upper < lower))}")
    if np.isinf(upper).all():
        raise NotEstimable("no events")
    return lower, upper


def _innermost(lower: Floats, upper: Floats) -> tuple[Floats, Floats, Ints, Ints]:
    """The innermost intervals, and the first and last of them that each patient's interval holds.

    At one time stand, in this order: the left end of an exact event, right ends, left ends.
    """
    exact = lower == upper
    value = np.concatenate((lower, upper))
    rank = np.concatenate((np.where(exact, -1, 1), np.zeros(upper.size, dtype=np.int64)))
    order = np.lexsort((rank, value))
    is_right = order >= lower.size
    opens = np.flatnonzero(~is_right[:-1] & is_right[1:])
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    first = np.searchsorted(opens, place[: lower.size])
    last = np.searchsorted(opens, place[lower.size :]) - 1
    return value[order[opens]], value[order[opens + 1]], first, last


@dataclass(frozen=True, slots=True, eq=False)
class _Likelihood:
    """Patients with the same run of innermost intervals, ``first`` up to before ``end``, counted together."""

    first: Ints
    end: Ints
    weight: Floats
    m: int

    def chances(self, mass: Floats) -> Floats:
        F = np.concatenate(([0.0], np.cumsum(mass)))
        F[-1] = 1.0
        return F[self.end] - F[self.first]

    def loglik(self, mass: Floats) -> float:
        chance = self.chances(mass)
        if chance.min() <= 0:
            return -np.inf
        return float(self.weight @ np.log(chance))

    def slope(self, mass: Floats) -> Floats:
        """By the mass of each interval; n where it has its due."""
        share = self.weight / self.chances(mass)
        change = np.bincount(self.first, share, self.m + 1) - np.bincount(self.end, share, self.m + 1)
        return np.asarray(np.cumsum(change)[:-1], dtype=np.float64)

    def curvature(self, mass: Floats) -> Floats:
        """Minus the second derivative by the distribution function after each interval but the last."""
        share = self.weight / self.chances(mass) ** 2
        both = np.bincount(self.first, share, self.m + 1) + np.bincount(self.end, share, self.m + 1)
        return np.asarray(both[1:-1], dtype=np.float64)


def _emicm(likelihood: _Likelihood) -> tuple[Floats, float, int]:
    n = float(likelihood.weight.sum())
    mass = np.full(likelihood.m, 1 / likelihood.m)
    for steps in range(_STEPS):
        slope = likelihood.slope(mass)
        gap = float(slope.max() - n)
        if gap < _GAP:
            return _settled(mass), gap, steps
        mass = _convex_minorant(likelihood, mass * slope / n)
    raise NotEstimable(f"the likelihood did not converge in {_STEPS} steps")


def _settled(mass: Floats) -> Floats:
    return np.where(mass < 1e-12, 0.0, mass)


def _convex_minorant(likelihood: _Likelihood, mass: Floats) -> Floats:
    """A Newton step of the distribution function, each value by itself, made to rise again."""
    from scipy.optimize import isotonic_regression

    if likelihood.m < 2:
        return mass
    F = np.cumsum(mass)[:-1]
    slope, curvature = likelihood.slope(mass), likelihood.curvature(mass)
    aim = isotonic_regression(F + (slope[:-1] - slope[1:]) / curvature, weights=curvature).x
    towards = np.diff(np.clip(aim, 0, 1), prepend=0.0, append=1.0)
    here = likelihood.loglik(mass)
    for _ in range(30):
        if likelihood.loglik(towards) >= here:
            return np.asarray(towards, dtype=np.float64)
        towards = (towards + mass) / 2
    return mass
