"""Kaplan–Meier: the curve, its limits, its quantiles, and follow-up by the reverse curve.

Kaplan and Meier, J Am Stat Assoc 1958;53:457. Limits: Kalbfleisch and Prentice, The Statistical Analysis
of Failure Time Data, §1.4 (log-log). Quantile limits: Brookmeyer and Crowley, Biometrics 1982;38:29.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Counts, Floats, Ints, entry_before, probability, times, zero_one
from trialwright.stats.arrays import weight as checked_weight
from trialwright.stats.errors import NotEstimable
from trialwright.stats.normal import z_of
from trialwright.stats.ties import distinct, distinct_days, in_order, new_time, whole_days

Limits = Literal["log-log", "log", "plain"]
_FLAT = 1e-8  # two survival probabilities closer than this are equal: (1 - 1/3) * (1 - 1/4) is 0.5


@dataclass(frozen=True, slots=True)
class Quantile:
    """A time by which a proportion has had the event, with limits; NaN where not reached (print NE)."""

    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class AtRisk:
    """Everybody's way in and out, kept so that the number at risk can be asked at any time."""

    leave: Floats
    leaving: Counts
    enter: Floats
    entering: Counts

    def __call__(self, t: Floats) -> Counts:
        """Those with entry < t <= time."""
        gone = np.concatenate(([0], np.cumsum(self.leaving)))[np.searchsorted(self.leave, t, side="left")]
        come = np.concatenate(([0], np.cumsum(self.entering)))[np.searchsorted(self.enter, t, side="left")]
        everybody = self.leaving.sum()
        return everybody - gone if not self.enter.size else come - gone


@dataclass(frozen=True, slots=True, eq=False)
class KaplanMeier:
    """One arm's curve. Arrays have one element for each distinct observed time, in order.

    ``n_risk`` counts those alive and uncensored just before the time. ``std_error`` is Greenwood's, of
    S itself, and NaN where S is 0. ``lower`` and ``upper`` are pointwise, and NaN where the transform
    is not defined (log-log: S = 1 or 0; log: S = 0).
    """

    time: Floats
    n_risk: Counts
    n_event: Counts
    n_censored: Counts
    survival: Floats
    std_error: Floats
    lower: Floats
    upper: Floats
    confidence: float
    limits: Limits
    at_risk: AtRisk

    def at(self, t: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """S(t) with its limits, a right-continuous step; scalars for a scalar.

        Beyond the last observed time the curve is not defined and NaN comes back, unless it has
        reached 0. Before the first it is 1.
        """
        asked = np.asarray(t, dtype=np.float64)
        index = np.searchsorted(self.time, asked, side="right")
        beyond = (asked > self.time[-1]) & (self.survival[-1] > 0)
        edge = np.nan if self.limits == "log-log" else 1.0
        return tuple(  # type: ignore[return-value]
            np.where(beyond, np.nan, np.concatenate(([start], values))[index])[()]
            for start, values in ((1.0, self.survival), (edge, self.lower), (edge, self.upper))
        )

    def n_at_risk(self, t: npt.ArrayLike) -> Counts:
        """How many have time >= t (and had entered before t); a scalar for a scalar."""
        return self.at_risk(np.asarray(t, dtype=np.float64))[()]

    def quantile(self, p: float) -> Quantile:
        """Smallest t with S(t) <= 1 - p; the midpoint where S equals 1 - p on a flat stretch.

        The limits are where the lower and upper band cross 1 - p, read by the same rule (as R does).
        """
        level = 1 - probability(p, "p")
        return Quantile(
            *(_crossing(self.time, band, level) for band in (self.survival, self.lower, self.upper))
        )

    @property
    def median(self) -> Quantile:
        return self.quantile(0.5)


def kaplan_meier(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    limits: Limits = "log-log",
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    timefix: bool = True,
) -> KaplanMeier:
    """The product-limit curve of one group of n patients.

    ``event`` is 1 for an event, 0 for censored. ``entry`` is when a patient came under observation (left
    truncation): at risk for entry < t <= time. ``weights`` count a patient as that many (replication
    weights; Greenwood's formula takes them at their word, so for probability weights it is too
    hopeful). ``timefix`` merges near-equal times, as R does.

    Raises ``NotEstimable`` without patients and ``ValueError`` for input that cannot be meant.
    """
    if limits not in get_args(Limits):
        raise ValueError(f"limits must be one of {', '.join(get_args(Limits))}, not {limits!r}")
    leave = times(time)
    dead = zero_one(event, "event", leave.size)
    mass = checked_weight(weights, leave.size)
    enter = None if entry is None else entry_before(entry, leave)
    if mass is not None and leave.size:
        leave, dead, mass = leave[mass > 0], dead[mass > 0], mass[mass > 0]
        if enter is not None:
            enter = enter[checked_weight(weights, enter.size) > 0]  # type: ignore[operator]
    if not leave.size:
        raise NotEstimable("no patients")
    curve = _curve(leave, dead, mass, enter, timefix)
    return _with_limits(curve, probability(confidence), limits)


def reverse_kaplan_meier(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    limits: Limits = "log-log",
    timefix: bool = True,
) -> KaplanMeier:
    """Potential follow-up: the event is being censored, and a death censors it.

    Schemper and Smith, Control Clin Trials 1996;17:343. Its median is the median follow-up.
    """
    left = times(time)
    return kaplan_meier(
        left, ~zero_one(event, "event", left.size), confidence=confidence, limits=limits, timefix=timefix
    )


def _curve(
    leave: Floats, dead: Bools, mass: Floats | None, enter: Floats | None, timefix: bool
) -> KaplanMeier:
    n_risk: Counts
    whole = whole_days(leave)
    if mass is None and whole is None:
        moment, n_risk, leaving, n_event = _counts_along(leave, dead, timefix)
    else:
        moment, index = distinct(leave, timefix=timefix) if whole is None else distinct_days(whole)
        leaving, n_event = _by_time(index, dead, mass, moment.size)
        n_risk = np.cumsum(leaving[::-1])[::-1]  # from the end, so that the last is exact
    come, coming = np.empty(0), np.empty(0, dtype=leaving.dtype)
    if enter is not None:
        come, which = distinct(enter, timefix=timefix)
        coming = _total(which, mass, come.size)
        later = np.concatenate((np.cumsum(coming[::-1])[::-1], [0]))
        n_risk = n_risk - later[np.searchsorted(come, moment, side="left")]
    n, d = n_risk.astype(np.float64), n_event.astype(np.float64)
    left = n - d
    survival: Floats = left / n
    np.cumprod(survival, out=survival)
    std_error: Floats = np.multiply(
        n, left, out=n
    )  # in place: a new array of a million costs as much as the sum
    with np.errstate(divide="ignore", invalid="ignore"):
        np.cumsum(np.divide(d, std_error, out=std_error), out=std_error)
        np.multiply(survival, np.sqrt(std_error, out=std_error), out=std_error)
    nothing = np.empty(0)
    return KaplanMeier(
        time=moment,
        n_risk=n_risk,
        n_event=n_event,
        n_censored=leaving - n_event,
        survival=survival,
        std_error=std_error,
        lower=nothing,
        upper=nothing,
        confidence=0.95,
        limits="log-log",
        at_risk=AtRisk(moment, leaving, come, coming),
    )


def _counts_along(leave: Floats, dead: Bools, timefix: bool) -> tuple[Floats, Ints, Ints, Ints]:
    """Distinct times, how many are at risk, how many leave at each, and how many of them by the event."""
    ordered, bits = in_order(leave, dead.astype(np.int64), 1, timefix=timefix)
    start = np.flatnonzero(new_time(ordered, timefix))
    end = np.append(start[1:], leave.size)
    n_event = np.cumsum(bits, out=bits).take(end - 1)
    n_event[1:] -= n_event[:-1].copy()
    return ordered.take(start), leave.size - start, end - start, n_event


def _by_time(index: Ints, dead: Bools, mass: Floats | None, size: int) -> tuple[Counts, Counts]:
    if mass is None:
        both = np.bincount(2 * index + dead, minlength=2 * size).reshape(size, 2)
        return both.sum(axis=1), both[:, 1]
    return np.bincount(index, mass, size), np.bincount(index, mass * dead, size)


def _total(index: Ints, mass: Floats | None, size: int) -> Counts:
    return np.bincount(index, minlength=size) if mass is None else np.bincount(index, mass, size)


def _with_limits(curve: KaplanMeier, confidence: float, limits: Limits) -> KaplanMeier:
    S, half = curve.survival, z_of(confidence) * curve.std_error
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if limits == "plain":
            lower, upper = np.maximum(S - half, 0), np.minimum(S + half, 1)
        elif limits == "log":
            lower, upper = S * np.exp(-half / S), np.minimum(S * np.exp(half / S), 1)
        else:
            log_S = np.log(S)
            theta = np.exp(half / (S * log_S))  # the exponent is negative: log S < 0
            lower, upper = np.exp(log_S / theta), np.exp(log_S * theta)
            edge = (S == 0) | (S == 1)
            lower[edge] = upper[edge] = np.nan
    return replace(curve, lower=lower, upper=upper, confidence=confidence, limits=limits)


def _crossing(time: Floats, band: Floats, level: float) -> float:
    """Where a step function first comes down to ``level``; NaN where it never does."""
    down = np.flatnonzero(band <= level + _FLAT)
    if not down.size:
        return float("nan")
    first = int(down[0])
    if abs(band[first] - level) > _FLAT:
        return float(time[first])
    below = np.flatnonzero(band[first:] < level - _FLAT)
    end = first + int(below[0]) if below.size else time.size - 1
    return float((time[first] + time[end]) / 2)
