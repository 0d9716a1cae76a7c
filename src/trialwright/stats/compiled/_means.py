"""The restricted means of ``restricted``, compiled: areas are summed along the patients, no curve is kept."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from trialwright.stats import restricted as array_form
from trialwright.stats.arrays import Ints
from trialwright.stats.compiled._curves import sorted_keys, steps
from trialwright.stats.compiled._groups import arm_of, keys_of_groups
from trialwright.stats.compiled._numba import kernel
from trialwright.stats.compiled._order import Scale
from trialwright.stats.normal import z_of
from trialwright.stats.product_limit import KaplanMeier
from trialwright.stats.restricted import RestrictedMean, RestrictedMeanContrast, mean_contrast

_Means = tuple[bool, float, float, float, float]


def rmst(
    time: KaplanMeier | npt.ArrayLike,
    event: npt.ArrayLike | None = None,
    tau: float | None = None,
    *,
    confidence: float = 0.95,
) -> RestrictedMean:
    """As ``stats.survival.rmst``, which measures a curve already drawn here too."""
    found = None if event is None or isinstance(time, KaplanMeier) else sorted_keys(time, event)
    if found is not None and (tau is None or not math.isnan(tau)):
        known, mean, variance, end = _mean(*found, True, math.nan if tau is None else float(tau))
        if known:
            return _restricted(mean, math.sqrt(variance), end, z_of(confidence))
    return array_form.rmst(time, event, tau, confidence=confidence)


def rmst_difference(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    tau: float,
    *,
    strata: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> RestrictedMeanContrast:
    """As ``stats.survival.rmst_difference``."""
    keys = keys_of_groups(time, event, group, strata)
    found = None if keys is None or math.isnan(tau) else _means(*keys, True, float(tau))
    if found is None or not found[0]:
        return array_form.rmst_difference(time, event, group, tau, strata=strata, confidence=confidence)
    _, mean_0, error_0, mean_1, error_1 = found
    z, end = z_of(confidence), float(tau)
    sides = _restricted(mean_0, error_0, end, z), _restricted(mean_1, error_1, end, z)
    return mean_contrast(*sides, confidence)


def _restricted(mean: float, error: float, tau: float, z: float) -> RestrictedMean:
    half = z * error
    return RestrictedMean(mean, error, mean - half, mean + half, tau)


@kernel
def _mean(keys: Ints, scale: Scale, timefix: bool, tau: float) -> tuple[bool, float, float, float]:
    """Whether the curve is known to ``tau`` (NaN for its last time); area, variance, and that time."""
    ordered, start = steps(keys, scale, timefix)
    last = ordered[start[-2]]
    end = last if math.isnan(tau) else tau
    S, area, before = 1.0, 0.0, 0.0
    up_to = np.empty(start.size)  # the area up to each event time
    weight = np.empty(start.size)
    events = 0
    for k in range(start.size - 1):
        first, behind = start[k], start[k + 1]
        n, d = keys.size - first, 0
        for i in range(first, behind):
            d += keys[i] & 1
        if d > 0:
            at = min(ordered[first], end)
            area += S * (at - before)
            before = at
            S *= (n - d) / n
            up_to[events] = area
            weight[events] = d / (float(n) * (n - d)) if n > d else 0.0
            events += 1
    known = end > 0 and (end <= last or S == 0)
    area += S * (end - before)
    variance = 0.0
    for k in range(events):
        to_come = area - up_to[k]
        variance += weight[k] * to_come * to_come
    return known, area, variance, end


@kernel
def _means(keys: Ints, width: int, scale: Scale, timefix: bool, tau: float) -> _Means:
    """Whether both groups of all strata are known to ``tau``; mean and its standard error in each group."""
    estimate, error = np.zeros(2), np.zeros(2)
    strata = 1 << (width - 2)
    for s in range(strata):
        share = 0
        for i in range(keys.size):
            share += (keys[i] >> 2 & (strata - 1)) == s
        for group in range(2 if share > 0 else 0):
            mine = arm_of(keys, width, 2 * s + group)
            known = False
            if mine.size > 0:
                known, mean, variance, _ = _mean(mine, scale, timefix, tau)
            if not known:
                return False, 0.0, 0.0, 0.0, 0.0
            part = share / keys.size
            estimate[group] += part * mean
            error[group] += part * part * variance
    return True, estimate[0], math.sqrt(error[0]), estimate[1], math.sqrt(error[1])
