"""The product-limit curve of ``product_limit``, compiled."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from trialwright.stats import product_limit as array_form
from trialwright.stats import restricted as of_two
from trialwright.stats.arrays import Bools, Floats, Ints
from trialwright.stats.compiled._given import INT, flags, numbers
from trialwright.stats.compiled._groups import arm_of, keys_of_groups
from trialwright.stats.compiled._numba import kernel
from trialwright.stats.compiled._order import (
    UNFIT,
    UNSORTED,
    Scale,
    counted,
    fits,
    place,
    scale_of,
    times_of,
    widest_tie,
)
from trialwright.stats.compiled._slots import setters
from trialwright.stats.compiled._vector import exp, log
from trialwright.stats.normal import z_of
from trialwright.stats.product_limit import AtRisk, KaplanMeier, Limits

_LOG_LOG, _LOG, _PLAIN = 0, 1, 2
_KINDS: dict[str, int] = {"log-log": _LOG_LOG, "log": _LOG, "plain": _PLAIN}
_NOBODY, _NO_TIME = np.empty(0, dtype=np.int64), np.empty(0)
_DEAD = 1  # bit below the time

_leave, _leaving, _enter, _entering = setters(AtRisk)
_time, _n_risk, _n_event, _n_censored, _survival, _std_error, *_rest = setters(KaplanMeier)
_lower, _upper, _confidence, _limits, _at_risk = _rest


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
    """As ``stats.survival.kaplan_meier``, which draws the curves with ``entry`` or ``weights`` here too."""
    kind = _KINDS.get(limits)
    found = None if entry is not None or weights is not None or kind is None else sorted_keys(time, event)
    if found is None or kind is None:
        return array_form.kaplan_meier(
            time, event, confidence=confidence, limits=limits, entry=entry, weights=weights, timefix=timefix
        )
    values, counts = _curve(*found, timefix, z_of(confidence), kind)
    return _drawn(values, counts, float(confidence), limits)


def reverse_kaplan_meier(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    limits: Limits = "log-log",
    timefix: bool = True,
) -> KaplanMeier:
    """As ``stats.survival.reverse_kaplan_meier``."""
    t = numbers(time)
    dead = None if t is None else flags(event, t.size)
    if t is None or dead is None:
        return array_form.reverse_kaplan_meier(
            time, event, confidence=confidence, limits=limits, timefix=timefix
        )
    return kaplan_meier(t, ~dead, confidence=confidence, limits=limits, timefix=timefix)


def two_curves(
    time: npt.ArrayLike, event: npt.ArrayLike, group: npt.ArrayLike
) -> tuple[KaplanMeier, KaplanMeier]:
    """As ``stats.restricted.two_curves``: group 0 and group 1, with log-log limits of 95 %."""
    found = keys_of_groups(time, event, group, None)
    if found is None:
        return of_two.two_curves(time, event, group)
    values_0, counts_0, values_1, counts_1 = _curves(*found, True, z_of(0.95), _LOG_LOG)
    if not (counts_0.size and counts_1.size):
        return of_two.two_curves(time, event, group)
    return _drawn(values_0, counts_0, 0.95, "log-log"), _drawn(values_1, counts_1, 0.95, "log-log")


def _drawn(values: Floats, counts: Ints, confidence: float, limits: Limits) -> KaplanMeier:
    moment = values[0]  # by index: an array is unpacked row by row in twice the time
    who, curve = object.__new__(AtRisk), object.__new__(KaplanMeier)
    _leave(who, moment)
    _leaving(who, counts[3])
    _enter(who, _NO_TIME)
    _entering(who, _NOBODY)
    _time(curve, moment)
    _n_risk(curve, counts[0])
    _n_event(curve, counts[1])
    _n_censored(curve, counts[2])
    _survival(curve, values[1])
    _std_error(curve, values[2])
    _lower(curve, values[3])
    _upper(curve, values[4])
    _confidence(curve, confidence)
    _limits(curve, limits)
    _at_risk(curve, who)
    return curve


def sorted_keys(time: npt.ArrayLike, event: npt.ArrayLike) -> tuple[Ints, Scale] | None:
    """For ``steps``: the event as the last bit below each time."""
    t = numbers(time)
    dead = None if t is None else flags(event, t.size)
    if t is None or dead is None:
        return None
    keys = np.empty(t.size, INT)
    made, scale = _pack(t, dead, keys)
    if made == UNFIT:
        return None
    if made == UNSORTED:
        keys.sort()
    return keys, scale


@kernel
def _pack(time: Floats, dead: Bools, keys: Ints) -> tuple[int, Scale]:
    scale = scale_of(time)
    if not fits(scale, _DEAD):
        return UNFIT, scale
    bits = time.view(np.int64)
    for i in range(keys.size):
        keys[i] = place(bits[i], scale) << _DEAD | dead[i]
    return counted(keys, scale[2] << _DEAD), scale


@kernel
def steps(keys: Ints, scale: Scale, timefix: bool) -> tuple[Floats, Ints]:
    """The sorted times, and where each distinct one starts among them; after the last their number."""
    ordered = times_of(keys, _DEAD, scale)
    tie = widest_tie(ordered, timefix)
    start = np.empty(keys.size + 1, dtype=np.int64)
    many = 0
    for i in range(keys.size):
        start[many] = i
        many += i == 0 or ordered[i] - ordered[i - 1] > tie
    start[many] = keys.size
    return ordered, start[: many + 1]


@kernel
def _curves(
    keys: Ints, width: int, scale: Scale, timefix: bool, z: float, kind: int
) -> tuple[Floats, Ints, Floats, Ints]:
    values_0, counts_0 = _curve(arm_of(keys, width, 0), scale, timefix, z, kind)
    values_1, counts_1 = _curve(arm_of(keys, width, 1), scale, timefix, z, kind)
    return values_0, counts_0, values_1, counts_1


@kernel
def _curve(keys: Ints, scale: Scale, timefix: bool, z: float, kind: int) -> tuple[Floats, Ints]:
    """time, survival, std_error, lower, upper; n_risk, n_event, n_censored, leaving. Nothing of nobody."""
    if keys.size == 0:
        return np.empty((5, 0)), np.empty((4, 0), dtype=np.int64)
    ordered, start = steps(keys, scale, timefix)
    many = start.size - 1
    values, counts = np.empty((5, many)), np.empty((4, many), dtype=np.int64)
    moment, survival, std_error = values[0], values[1], values[2]
    n_risk, n_event, n_censored, leaving = counts[0], counts[1], counts[2], counts[3]
    S, total = 1.0, 0.0
    for k in range(many):
        first, end = start[k], start[k + 1]
        d = 0
        for i in range(first, end):
            d += keys[i] & 1
        n = keys.size - first
        n_risk[k], n_event[k], n_censored[k], leaving[k] = n, d, end - first - d, end - first
        moment[k] = ordered[first]
        left = float(n - d)
        S *= left / n
        total += d / (n * left)
        survival[k], std_error[k] = S, total
    for k in range(many):
        std_error[k] = survival[k] * math.sqrt(std_error[k])
    limit(survival, std_error, z, kind, values[3], values[4])
    return values, counts


@kernel
def limit(S: Floats, std_error: Floats, z: float, kind: int, lower: Floats, upper: Floats) -> None:
    """Fill the lower and upper limits."""
    if kind == _PLAIN:
        for k in range(S.size):
            half = z * std_error[k]
            lower[k], upper[k] = max(S[k] - half, 0.0), min(S[k] + half, 1.0)
        return
    if kind == _LOG:
        for k in range(S.size):
            half = z * std_error[k]
            lower[k], upper[k] = S[k] * exp(-half / S[k]), min(S[k] * exp(half / S[k]), 1.0)
        return
    for k in range(S.size):
        upper[k] = log(S[k])
    for k in range(S.size):
        lower[k] = exp(z * std_error[k] / (S[k] * upper[k]))
    for k in range(S.size):
        lower[k], upper[k] = exp(upper[k] / lower[k]), exp(upper[k] * lower[k])
    for k in range(S.size):
        edge = S[k] * (1 - S[k]) == 0
        lower[k], upper[k] = np.nan if edge else lower[k], np.nan if edge else upper[k]
