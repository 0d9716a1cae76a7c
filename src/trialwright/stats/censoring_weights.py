"""Survival had nobody switched treatment: those who do are censored, and those alike stand in for them.

Inverse probability of censoring weights, Robins and Finkelstein, Biometrics 2000;56:779. At each interval of
follow-up a logistic model asks who switches at its end; a patient still unswitched counts as many as were
like him, also those who have left. Unbiased only where the covariates hold everything that drives both
switching and survival.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints, codes, entry_before, times, zero_one
from trialwright.stats.cox import Cox, cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.logistic import logistic
from trialwright.stats.product_limit import KaplanMeier, kaplan_meier


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """N intervals (start, stop] of patients, up to the event, the switch, or the end of follow-up.

    ``event`` and ``switch`` say what happened at ``stop``; a patient has no interval after either.
    ``group`` is 1 for the experimental arm.
    """

    subject: Ints
    start: Floats
    stop: Floats
    event: Bools
    switch: Bools
    group: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """``weights`` of the N intervals; the Cox model has errors robust to them; curves of group 0 and 1.

    Greenwood's errors of the curves take the weights for patients, and are too small.
    """

    weights: Floats
    cox: Cox
    curves: tuple[KaplanMeier, KaplanMeier]
    n_switched: int


def intervals(
    subject: npt.ArrayLike,
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    *,
    event: npt.ArrayLike,
    switch: npt.ArrayLike,
    group: npt.ArrayLike,
) -> Intervals:
    """Checked; rows in any order."""
    leave = times(stop, "stop")
    enter = entry_before(start, leave)
    who, _ = codes(subject, "subject", leave.size)
    dead, gone, one = (
        zero_one(values, name, leave.size)
        for values, name in ((event, "event"), (switch, "switch"), (group, "group"))
    )
    order = np.lexsort((enter, who))
    same = who[order][1:] == who[order][:-1]
    if (same & (enter[order][1:] < leave[order][:-1])).any():
        raise ValueError("intervals of a patient overlap")
    if (same & (dead | gone)[order][:-1]).any():
        raise ValueError("a patient has an interval after the event or the switch")
    if (same & (one[order][1:] != one[order][:-1])).any():
        raise ValueError("a patient is in both groups")
    if (dead & gone).any():
        raise ValueError("an interval ends with both the event and the switch: keep the event")
    return Intervals(who, enter, leave, dead, gone, one)


def switching_weights(
    rows: Intervals, covariates: npt.ArrayLike, baseline: npt.ArrayLike | None = None
) -> Floats:
    """The weight of each interval: 1 over the chance of not having switched at the ends of those before.

    ``covariates`` (N, p) are known at the end of each interval, when the switch is decided, the intercept
    and any function of time among them. ``baseline`` (N, k) stabilises: the chance given these alone stands
    above. Each arm with switches has models of its own, over its intervals without the event; to reach the
    end of follow-up unswitched counts as staying.

    Raises ``NotEstimable`` where a model has no estimate, such as where a covariate separates.
    """
    logs = _stays(rows, covariates)
    if baseline is not None:
        logs = logs - _stays(rows, baseline)
    order = np.lexsort((rows.start, rows.subject))
    summed = np.cumsum(logs[order]) - logs[order]
    first = np.flatnonzero(np.diff(rows.subject[order], prepend=-1))
    before = summed - np.repeat(summed[first], np.diff(first, append=order.size))
    weights = np.empty(order.size)
    weights[order] = np.exp(-before)
    return weights


def censoring_weighted(
    rows: Intervals, weights: npt.ArrayLike, strata: npt.ArrayLike | None = None, *, confidence: float = 0.95
) -> Weighted:
    """Group 1 against group 0 under the weights; switches are censorings."""
    w = np.asarray(weights, dtype=np.float64)
    fit = cox(
        rows.stop,
        rows.event,
        rows.group,
        strata,
        entry=rows.start,
        weights=w,
        cluster=rows.subject,
        confidence=confidence,
    )
    curves = tuple(
        kaplan_meier(rows.stop[arm], rows.event[arm], entry=rows.start[arm], weights=w[arm])
        for arm in (~rows.group, rows.group)
    )
    return Weighted(w, fit, (curves[0], curves[1]), int(rows.switch.sum()))


def _stays(rows: Intervals, covariates: npt.ArrayLike) -> Floats:
    """Logarithm of the chance not to switch at the end of each interval; 0 in an arm where nobody did."""
    X = np.asarray(covariates, dtype=np.float64)
    if X.ndim != 2 or len(X) != rows.stop.size:
        raise ValueError(f"covariates must have one row for each of the {rows.stop.size} intervals")
    found = np.zeros(rows.stop.size)
    for name, arm in (("group 0", ~rows.group), ("group 1", rows.group)):
        if not (arm & rows.switch).any():
            continue
        could = arm & ~rows.event
        try:
            model = logistic(rows.switch[could], X[could])
        except NotEstimable as why:
            raise NotEstimable(f"who switches in {name}: {why.reason}") from why
        found[arm] = np.log1p(-model.probability(X[arm]))
    return found
