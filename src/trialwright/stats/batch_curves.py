"""Restricted means and milestone survival for many two-arm trials at once, NumPy only.

The numbers are those of ``restricted`` (a property test holds them together), near-ties included. What it
raises as ``NotEstimable`` is NaN here, with a reason for that trial. No trial's number depends on which other
trials stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints
from trialwright.stats.ties import TOLERANCE

_LAST = np.int64(1)


class Gap(IntEnum):
    """Why a trial has no number; 0 where it has one."""

    NONE = 0
    EMPTY_GROUP = 1
    NOT_FOLLOWED = 2
    NOBODY_LEFT = 3
    NO_EVENTS = 4

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Gap.NONE: "",
    Gap.EMPTY_GROUP: "no patients in one group",
    Gap.NOT_FOLLOWED: "a group was not followed so long",
    Gap.NOBODY_LEFT: "nobody of a group is left then",
    Gap.NO_EVENTS: "no events, so no spread",
}


@dataclass(frozen=True, slots=True, eq=False)
class BatchDifference:
    """Each of shape (trials,). Group 1 minus group 0: a positive ``z`` favours group 1.

    Where there are no events the estimate and its error stand, both 0, without a ``z``.
    """

    estimate: Floats
    std_error: Floats
    z: Floats
    reason: Ints


def rmst(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    tau: float,
    *,
    stratum: npt.ArrayLike | None = None,
) -> BatchDifference:
    """Difference of the mean times alive within the first ``tau``.

    ``time`` is (trials, n), the others of that shape or one that broadcasts to it; a negative time is a
    patient not enrolled yet. With ``stratum`` (whole numbers) each mean is that of its strata, weighted by
    their share of all enrolled.
    """
    t, dead, one = _checked(time, event, group, tau)
    if stratum is None:
        return _difference(*(_restricted(t, dead, one == bool(arm), tau) for arm in (0, 1)))
    level = np.broadcast_to(np.asarray(stratum), t.shape)
    here = t >= 0
    every = np.maximum(here.sum(axis=1), 1)
    parts = []
    for s in range(int(level.max(initial=0)) + 1):
        who = here & (level == s)
        share = who.sum(axis=1) / every
        arms = [_restricted(t, dead, who & (one == bool(arm)), tau) for arm in (0, 1)]
        parts.append((share, arms))
    return _difference(*(_weighted([(share, arms[arm]) for share, arms in parts]) for arm in (0, 1)))


def landmark(time: npt.ArrayLike, event: npt.ArrayLike, group: npt.ArrayLike, at: float) -> BatchDifference:
    """Difference of survival at ``at``, with Greenwood's variance; arrays as for ``rmst``."""
    t, dead, one = _checked(time, event, group, at)
    return _difference(*(_survival(t, dead, one == bool(arm), at) for arm in (0, 1)))


@dataclass(frozen=True, slots=True, eq=False)
class _Arm:
    estimate: Floats
    variance: Floats
    reason: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """One group of each trial, in the order of time; who is of the other group stands first, at time 0."""

    time: Floats
    dead: Bools
    n: Floats
    """At risk at each place, of shape (1, n): all who stand at it or after it."""
    survival: Floats
    """Just after each place."""
    many: Ints
    """Patients of the group."""


def _checked(
    time: npt.ArrayLike, event: npt.ArrayLike, group: npt.ArrayLike, until: float
) -> tuple[Floats, Bools, Bools]:
    t = np.asarray(time, dtype=np.float64)
    if t.ndim != 2:
        raise ValueError(f"time must have two dimensions, trials and patients, not {t.ndim}")
    if not np.isfinite(t).all():
        raise ValueError("time has a missing or infinite value")
    if not until > 0:
        raise ValueError(f"the time must be positive, not {until:g}")
    dead, one = (np.broadcast_to(np.asarray(a, dtype=bool), t.shape) for a in (event, group))
    if (dead & (t < 0)).any():
        raise ValueError("a patient with a negative time, not enrolled yet, has an event")
    return t, dead, one


def _curve(time: Floats, dead: Bools, who: Bools) -> _Curve:
    """Ordered by time, events before censorings of the same time: then S and Greenwood's sum may go on
    patient by patient, since (1 - 1/n)(1 - 1/(n - 1)) = 1 - 2/n.
    """
    here = who & (time >= 0)
    packed = np.where(here, time + 0.0, -1.0)
    whole = packed.view(np.int64)
    whole &= ~_LAST
    whole |= ~dead & here  # the last bit of the time: censored
    packed.sort(axis=1)
    present = packed >= 0
    censored = (packed.view(np.int64) & _LAST).astype(bool)
    moment = np.where(present, (packed.view(np.int64) & ~_LAST).view(np.float64), 0.0)
    event = present & ~censored
    _merge(moment, event, present)
    n = np.arange(packed.shape[1], 0, -1, dtype=np.float64)[None]
    survival = np.where(event, (n - 1) / n, 1.0)
    np.cumprod(survival, axis=1, out=survival)
    return _Curve(moment, event, n, survival, present.sum(axis=1))


def _merge(moment: Floats, event: Bools, present: Bools) -> None:
    """Near-equal times become the first of them, its events before its censorings: the rule of ``ties``, in
    place."""
    gap = np.diff(moment, axis=1)
    both = present[:, 1:] & present[:, :-1]
    most = TOLERANCE * 1.001 * np.maximum(moment[:, -1:], 1)  # no less than the limit of the rule
    for row in np.flatnonzero(((gap > 0) & (gap <= most) & both).any(axis=1)):
        where = np.flatnonzero(present[row])
        t = moment[row, where]
        apart = np.diff(t)
        first = np.append(True, apart > 0)
        limit = max(TOLERANCE, TOLERANCE * float(t[first].mean()))
        first[1:] = apart > limit
        group = np.cumsum(first) - 1
        moment[row, where] = t[first][group]
        event[row, where] = event[row, where][np.lexsort((~event[row, where], group))]


def _restricted(time: Floats, dead: Bools, who: Bools, tau: float) -> _Arm:
    curve = _curve(time, dead, who)
    ahead = np.concatenate((np.ones((len(time), 1)), curve.survival[:, :-1]), axis=1)
    area = ahead * np.diff(np.minimum(curve.time, tau), axis=1, prepend=0)
    np.cumsum(area, axis=1, out=area)
    mean = area[:, -1].copy()
    to_come = np.maximum(mean[:, None] - area, 0)
    counted = curve.dead & (curve.n > 1)
    term = np.zeros_like(area)
    np.divide(to_come * to_come, curve.n * (curve.n - 1), out=term, where=counted)
    return _Arm(mean, term.sum(axis=1), _unknown(curve, tau))


def _survival(time: Floats, dead: Bools, who: Bools, at: float) -> _Arm:
    curve = _curve(time, dead, who)
    until = curve.dead & (curve.time <= at)
    left = np.where(until, (curve.n - 1) / curve.n, 1.0).prod(axis=1)
    term = np.zeros_like(curve.time)
    np.divide(1.0, curve.n * (curve.n - 1), out=term, where=until & (curve.n > 1))
    reason = _unknown(curve, at)
    reason[(reason == Gap.NONE) & (left == 0)] = Gap.NOBODY_LEFT
    return _Arm(left, left * left * term.sum(axis=1), reason)


def _unknown(curve: _Curve, until: float) -> Ints:
    """A curve ends at its last time, unless it has come down to 0."""
    short = (curve.time[:, -1] < until) & (curve.survival[:, -1] > 0)
    reason = np.where(short, Gap.NOT_FOLLOWED, Gap.NONE).astype(np.int64)
    reason[curve.many == 0] = Gap.EMPTY_GROUP
    return reason


def _weighted(parts: list[tuple[Floats, _Arm]]) -> _Arm:
    """A stratum that has no patient yet counts for nothing."""
    reason = np.zeros(len(parts[0][0]), dtype=np.int64)
    mean, variance = np.zeros(reason.size), np.zeros(reason.size)
    for share, arm in parts:
        reason = np.maximum(reason, np.where(share > 0, arm.reason, 0))
        mean += share * arm.estimate
        variance += share * share * arm.variance
    reason[sum(share for share, _ in parts) == 0] = Gap.EMPTY_GROUP
    return _Arm(mean, variance, reason)


def _difference(zero: _Arm, one: _Arm) -> BatchDifference:
    reason = np.where(zero.reason > 0, zero.reason, one.reason)
    known = np.where(reason == 0, 1.0, np.nan)
    estimate = (one.estimate - zero.estimate) * known
    error = np.sqrt(zero.variance + one.variance) * known
    flat = error == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(flat, np.nan, estimate / error)
    return BatchDifference(estimate, error, z, np.where(flat, int(Gap.NO_EVENTS), reason))
