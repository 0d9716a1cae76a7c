"""Restricted mean survival time and milestone survival.

Royston and Parmar, BMC Med Res Methodol 2013;13:152; variance as in Klein and Moeschberger, Survival
Analysis §4.5 (without the factor m/(m-1) that SAS adds).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, codes, times, zero_one
from trialwright.stats.errors import NotEstimable
from trialwright.stats.intervals import Contrast, difference, ratio
from trialwright.stats.normal import z_of
from trialwright.stats.product_limit import KaplanMeier, kaplan_meier


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """Mean time alive within the first ``tau``; normal limits."""

    estimate: float
    std_error: float
    lower: float
    upper: float
    tau: float


@dataclass(frozen=True, slots=True)
class RestrictedMeanContrast:
    """Group 1 minus group 0, and group 1 over group 0."""

    tau: float
    group_0: RestrictedMean
    group_1: RestrictedMean
    difference: Contrast
    ratio: Contrast


@dataclass(frozen=True, slots=True)
class LandmarkContrast:
    """Survival at ``time`` in each group, and the difference 1 minus 0 with Greenwood's normal interval."""

    time: float
    survival_0: float
    survival_1: float
    difference: Contrast


def rmst(
    time: KaplanMeier | npt.ArrayLike,
    event: npt.ArrayLike | None = None,
    tau: float | None = None,
    *,
    confidence: float = 0.95,
) -> RestrictedMean:
    """Area under the curve from 0 to ``tau``, from times and events or from a curve already drawn.

    ``tau`` defaults to the largest that the data allow. A ``tau`` beyond the last observed time of a
    curve that has not come down to 0 raises ``NotEstimable``.
    """
    curve = _as_curve(time, event)
    limit = largest_tau(curve)
    end = curve.time[-1] if tau is None else float(tau)
    if not end > 0:
        raise ValueError(f"tau must be positive, not {end:g}")
    if end > limit:
        raise NotEstimable(f"tau {end:g} lies beyond the last observed time {limit:g}")
    mean, variance = _area(curve, float(end))
    half = z_of(confidence) * variance**0.5
    return RestrictedMean(mean, variance**0.5, mean - half, mean + half, float(end))


def largest_tau(*curves: KaplanMeier) -> float:
    """The last time to which every curve is known; infinite where all have come down to 0."""
    known = [curve.time[-1] for curve in curves if curve.survival[-1] > 0]
    return float(min(known)) if known else float("inf")


def rmst_difference(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    tau: float,
    *,
    strata: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> RestrictedMeanContrast:
    """Difference and ratio of restricted means, group 1 against group 0 (``group`` is 0 or 1).

    With ``strata`` each group's mean is that of its strata, weighted by their share of all patients.
    ``NotEstimable`` where a group, or a group within a stratum, is empty or not followed to ``tau``.
    """
    t = times(time)
    dead, one = zero_one(event, "event", t.size), zero_one(group, "group", t.size)
    stratum, n_strata = codes(strata, "strata", t.size)
    parts = []
    for label in range(n_strata):  # strata
        who = stratum == label
        curves = two_curves(t[who], dead[who], one[who])
        parts.append((who.mean(), [rmst(curve, tau=tau) for curve in curves]))
    control, treated = (
        _weighted([(share, means[label]) for share, means in parts], float(tau), confidence)
        for label in (0, 1)
    )
    return mean_contrast(control, treated, confidence)


def mean_contrast(
    control: RestrictedMean, treated: RestrictedMean, confidence: float
) -> RestrictedMeanContrast:
    """Difference and ratio of two means; a ratio with a mean of 0 (all events at time 0) is NaN."""
    error = math.hypot(control.std_error, treated.std_error)
    over, relative = math.nan, math.nan
    if control.estimate > 0 and treated.estimate > 0:
        over = treated.estimate / control.estimate
        relative = math.hypot(control.std_error / control.estimate, treated.std_error / treated.estimate)
    return RestrictedMeanContrast(
        control.tau,
        control,
        treated,
        difference(treated.estimate - control.estimate, error, confidence),
        ratio(over, relative, confidence),
    )


def _weighted(parts: list[tuple[float, RestrictedMean]], tau: float, confidence: float) -> RestrictedMean:
    if not parts:
        raise NotEstimable("no patients")
    estimate = float(sum(share * mean.estimate for share, mean in parts))
    error = float(sum((share * mean.std_error) ** 2 for share, mean in parts) ** 0.5)
    half = z_of(confidence) * error
    return RestrictedMean(estimate, error, estimate - half, estimate + half, tau)


def landmark_difference(
    time: npt.ArrayLike, event: npt.ArrayLike, group: npt.ArrayLike, t: float, *, confidence: float = 0.95
) -> LandmarkContrast:
    """Survival at ``t``, group 1 minus group 0: ``(S1 - S0) ± z sqrt(V1 + V0)``.

    Raises ``NotEstimable`` where a curve is not known at ``t``, or has come down to 0, where Greenwood's
    variance is not defined.
    """
    found = []
    for label, curve in enumerate(two_curves(time, event, group)):
        S = float(curve.at(t)[0])
        if np.isnan(S):
            raise NotEstimable(f"group {label} was not followed to {t:g}")
        if S == 0:
            raise NotEstimable(f"nobody of group {label} is left at {t:g}")
        index = np.searchsorted(curve.time, t, side="right")
        found.append((S, float(curve.std_error[index - 1]) if index else 0.0))
    (S0, e0), (S1, e1) = found
    return LandmarkContrast(float(t), S0, S1, difference(S1 - S0, float(np.hypot(e0, e1)), confidence))


def two_curves(
    time: npt.ArrayLike, event: npt.ArrayLike, group: npt.ArrayLike
) -> tuple[KaplanMeier, KaplanMeier]:
    """The curves of group 0 and group 1; ``NotEstimable`` where a group is empty."""
    t = times(time)
    dead, one = zero_one(event, "event", t.size), zero_one(group, "group", t.size)
    for label, members in ((0, ~one), (1, one)):
        if not members.any():
            raise NotEstimable(f"no patients in group {label}")
    return kaplan_meier(t[~one], dead[~one]), kaplan_meier(t[one], dead[one])


def _as_curve(time: KaplanMeier | npt.ArrayLike, event: npt.ArrayLike | None) -> KaplanMeier:
    if isinstance(time, KaplanMeier):
        if event is not None:
            raise ValueError("give either a curve or times and events, not both")
        return time
    if event is None:
        raise ValueError("times need their events")
    return kaplan_meier(time, event)


def _area(curve: KaplanMeier, tau: float) -> tuple[float, float]:
    left: Floats = np.concatenate(([0.0], np.minimum(curve.time, tau)))
    width = np.diff(np.concatenate((left, [tau])))
    area = np.concatenate(([1.0], curve.survival)) * width
    to_come = np.cumsum(area[::-1])[::-1][1:]  # from each distinct time to tau
    n, d = curve.n_risk.astype(np.float64), curve.n_event
    some_left = n > d  # where nobody is left the area to come is 0, and so is the term
    term = np.zeros_like(n)
    np.divide(d * to_come**2, n * (n - d), out=term, where=some_left)
    return float(area.sum()), float(term.sum())
