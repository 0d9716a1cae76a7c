"""How many deaths, how many patients, how long: with staggered entry, dropout and hazards that change.

Deaths: Schoenfeld, Biometrics 1983;39:499. Expected deaths and the power of (weighted) log-rank tests when
hazards are not proportional: Lakatos, Biometrics 1988;44:229, here as integrals over follow-up in place of
his Markov chain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, probability
from trialwright.stats.errors import NotEstimable
from trialwright.stats.normal import below, quantile

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True, slots=True)
class Piecewise:
    """A rate for each stretch of time: ``value[i]`` from ``start[i]`` until the next start.

    A hazard per unit of time, or patients enrolled per unit of time (give 0 where enrolment ends).
    """

    start: tuple[float, ...]
    value: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.start) != len(self.value) or not self.start or self.start[0] != 0:
            raise ValueError("starts and values go together, and the first start is 0")
        if any(b <= a for a, b in zip(self.start, self.start[1:], strict=False)):
            raise ValueError("starts must grow")
        if any(not (v >= 0 and math.isfinite(v)) for v in self.value):
            raise ValueError("rates must be finite and not negative")

    def at(self, t: npt.ArrayLike) -> Floats:
        index = np.searchsorted(self.start, np.asarray(t), side="right") - 1
        return np.asarray(self.value, dtype=np.float64)[np.maximum(index, 0)]

    def until(self, t: npt.ArrayLike) -> Floats:
        """The rate added up from 0 to t."""
        end = np.append(self.start[1:], np.inf)
        since = np.asarray(t, dtype=np.float64)[..., None] - np.asarray(self.start)
        inside = np.clip(since, 0, end - self.start)
        return np.asarray(inside @ np.asarray(self.value, dtype=np.float64))


def constant(rate: float) -> Piecewise:
    return Piecewise((0.0,), (float(rate),))


def exponential(median: float) -> Piecewise:
    """The constant hazard with this median."""
    if not median > 0:
        raise ValueError(f"a median must be positive, not {median!r}")
    return constant(math.log(2) / median)


def uniform_accrual(patients: float, duration: float) -> Piecewise:
    return Piecewise((0.0, float(duration)), (patients / duration, 0.0))


@dataclass(frozen=True, slots=True)
class Design:
    """Two arms: hazards of the event and of dropout in the control and experimental arm, enrolment of both
    arms together, and the share of patients in the experimental arm.
    """

    control: Piecewise
    experimental: Piecewise
    accrual: Piecewise
    dropout_control: Piecewise = Piecewise((0.0,), (0.0,))
    dropout_experimental: Piecewise = Piecewise((0.0,), (0.0,))
    share: float = 0.5


def deaths_needed(
    hazard_ratio: float, *, alpha: float = 0.025, power: float = 0.8, share: float = 0.5
) -> float:
    """Schoenfeld's number for a one-sided ``alpha``; round it up. ``share`` is of the experimental arm."""
    if not hazard_ratio > 0 or hazard_ratio == 1:
        raise ValueError(f"the hazard ratio must be positive and not 1, not {hazard_ratio!r}")
    probability(share, "share")
    z = quantile(1 - probability(alpha, "alpha")) + quantile(probability(power, "power"))
    return (z / math.log(hazard_ratio)) ** 2 / (share * (1 - share))


def expected_events(design: Design, time: npt.ArrayLike) -> Floats:
    """Expected events at calendar times, in (control, experimental) columns: shape (..., 2)."""
    return np.array([_at_risk(design, float(t))[:2] for t in np.atleast_1d(time)]).reshape(*np.shape(time), 2)


@dataclass(frozen=True, slots=True)
class Power:
    """Expected ``events``, expected Z (``drift``, positive is good) and one-sided ``power`` at ``time``."""

    time: float
    patients: float
    events: float
    drift: float
    power: float


def power_at(
    design: Design, time: float, *, alpha: float = 0.025, rho: float = 0.0, gamma: float = 0.0
) -> Power:
    """Power of the log-rank test, Fleming–Harrington weighted if wished, at calendar ``time``."""
    control, experimental, information, push = _at_risk(design, time, rho, gamma)
    if not information > 0:
        raise NotEstimable("no events are expected by then")
    drift = push / math.sqrt(information)
    chance = below(drift - quantile(1 - probability(alpha, "alpha")))
    return Power(time, float(design.accrual.until(time)), control + experimental, drift, chance)


def time_of_events(design: Design, events: float) -> float:
    """Calendar time by which so many events are expected; ``NotEstimable`` if there will never be so many."""
    high = float(max(design.accrual.start[-1], 1.0))
    while (seen := float(expected_events(design, high).sum())) < events:
        high *= 2
        if high > 1e6 or float(expected_events(design, high).sum()) - seen < 1e-9 * events:
            raise NotEstimable(f"{events:g} events are never expected")
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float(expected_events(design, middle).sum()) < events else (low, middle)
    return high


def _at_risk(
    design: Design, time: float, rho: float = 0.0, gamma: float = 0.0
) -> tuple[float, float, float, float]:
    """Events of each arm, variance of the log-rank numerator, and its mean, at calendar ``time``."""
    if time <= 0:
        return 0.0, 0.0, 0.0, 0.0
    u, du = _follow_up(design, time)
    here = design.accrual.until(time - u)
    arms = (
        (design.control, design.dropout_control, 1 - design.share),
        (design.experimental, design.dropout_experimental, design.share),
    )
    n0, n1 = (share * here * np.exp(-event.until(u) - dropout.until(u)) for event, dropout, share in arms)
    h0, h1 = design.control.at(u), design.experimental.at(u)
    both = np.maximum(n0 + n1, 1e-300)
    deaths = n0 * h0 + n1 * h1
    w = np.ones_like(u)
    if rho or gamma:
        hazard = du * deaths / both
        S = np.exp(hazard / 2 - np.cumsum(hazard))
        w = S**rho * (1 - S) ** gamma
    information = float(du @ (w**2 * n0 * n1 / both**2 * deaths))
    push = float(du @ (w * n0 * n1 / both * (h0 - h1)))
    return float(du @ (n0 * h0)), float(du @ (n1 * h1)), information, push


def _follow_up(design: Design, time: float) -> tuple[Floats, Floats]:
    """Nodes over follow-up from 0 to ``time``, cut wherever a rate changes."""
    rates = (design.control, design.experimental, design.dropout_control, design.dropout_experimental)
    cuts = {0.0, time, *(s for rate in rates for s in rate.start), *(time - s for s in design.accrual.start)}
    edges = np.unique(np.concatenate((np.linspace(0, time, 25), [c for c in cuts if 0 <= c <= time])))
    half, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
    return (middle + half * _NODES).ravel(), (half * _WEIGHTS).ravel()
