"""What if those lost to follow-up had fared worse: their events imputed at a hazard times delta.

Lipkovich, Ratitch and O'Kelly, Pharm Stat 2016;15:216, with the curve of the arm in place of a model: who was
lost at c is still without the event at t with the chance (S(t) / S(c))^delta, up to the day on which he
would have been seen last. Beyond the arm's own follow-up its hazard is taken as constant: events over time.
Estimates of the completed trials are pooled by Rubin's rules; the curve is taken as known in all of
them, so that the limits are a little too narrow where many were lost.

The numbers come from one fixed stream (Philox, key 0), in the order of the patients' times: the answer is the
same in every run and for any order of rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints, codes, times, zero_one
from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.product_limit import kaplan_meier
from trialwright.stats.student import t_of, two_sided_t

_NORMAL = 1e9  # so many degrees of freedom are as good as none counted


@dataclass(frozen=True, slots=True)
class Completed:
    """The hazard ratio of group 1 to group 0, pooled over the imputations; limits of its logarithm by t.

    ``more_events`` is the mean number of events imputed.
    """

    delta: float
    hazard_ratio: float
    lower: float
    upper: float
    p_value: float
    more_events: float


@dataclass(frozen=True, slots=True, eq=False)
class Lost:
    """Who is imputed, (n,), and until when he would have been seen, (n,), not before his time."""

    who: npt.ArrayLike
    until: npt.ArrayLike


def delta_adjusted(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    lost: Lost,
    delta: float,
    *,
    strata: npt.ArrayLike | None = None,
    imputations: int = 200,
    confidence: float = 0.95,
) -> Completed:
    """n patients; each one lost, of either group, takes the curve of that group.

    Raises ``NotEstimable`` where nobody is lost or a completed trial has no estimate.
    """
    t = times(time)
    dead, one = zero_one(event, "event", t.size), zero_one(group, "group", t.size)
    stratum, _ = codes(strata, "strata", t.size)
    gone, until = _lost(lost, t, dead)
    gone = gone[np.lexsort((stratum[gone], one[gone], until[gone], t[gone]))]  # whatever the order of rows
    if not delta > 0 or math.isinf(delta):
        raise ValueError(f"delta must be positive, not {delta:g}")
    if imputations < 2:
        raise ValueError(f"imputations must be at least 2, not {imputations}")
    if not gone.size:
        raise NotEstimable("nobody was lost")
    later = _later(t, dead, one, gone, _points(imputations, gone.size) ** (1 / delta))
    estimates, variances = np.empty(imputations), np.empty(imputations)
    for m in range(imputations):
        seen = later[m] <= until[gone]
        completed, events = t.copy(), dead.copy()
        completed[gone], events[gone] = np.where(seen, later[m], until[gone]), seen
        fit = cox(completed, events, one, strata)
        estimates[m], variances[m] = fit.coef[0], fit.std_error[0] ** 2
    return _pooled(delta, estimates, variances, float((later <= until[gone]).sum() / imputations), confidence)


def _lost(lost: Lost, t: Floats, dead: Bools) -> tuple[Ints, Floats]:
    who, until = zero_one(lost.who, "lost.who", t.size), times(lost.until, "lost.until")
    if until.size != t.size:
        raise ValueError(f"lost.until has {until.size} rows, but there are {t.size} times")
    if (who & dead).any():
        raise ValueError(f"lost at row {int(np.argmax(who & dead))}, but with the event")
    if (until[who] < t[who]).any():
        raise ValueError("lost.until is before the time of somebody lost")
    return np.flatnonzero(who), until


def _later(t: Floats, dead: Bools, one: Bools, gone: Ints, left: Floats) -> Floats:
    """When the curve comes down to S(c) times ``left`` (M, lost)."""
    found = np.full(left.shape, np.inf)
    for arm in (False, True):
        mine = np.flatnonzero(one[gone] == arm)
        if not mine.size:
            continue
        curve = kaplan_meier(t[one == arm], dead[one == arm])
        S = np.concatenate(([1.0], curve.survival))
        target = S[np.searchsorted(curve.time, t[gone[mine]], side="right")] * left[:, mine]
        falls = np.searchsorted(-S, -target, side="left")
        hazard = dead[one == arm].sum() / t[one == arm].sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            beyond = curve.time[-1] + np.log(S[-1] / target) / hazard
        within = curve.time[np.minimum(falls, S.size - 1) - 1]
        found[:, mine] = np.where(falls < S.size, within, beyond)
    return found


def _points(imputations: int, patients: int) -> Floats:
    """(M, patients), in (0, 1)."""
    raw = np.random.Philox(key=0).random_raw(imputations * patients)
    points = ((raw >> np.uint64(11)) + 0.5) * 2.0**-53
    return np.asarray(points.reshape(imputations, patients), dtype=np.float64)


def _pooled(
    delta: float, estimates: Floats, variances: Floats, more_events: float, confidence: float
) -> Completed:
    """Rubin, Multiple Imputation, §3.1: by t, with more degrees of freedom the more the trials agree."""
    log_ratio, M = float(estimates.mean()), estimates.size
    within, between = float(variances.mean()), (1 + 1 / M) * float(estimates.var(ddof=1))
    error = math.sqrt(within + between)
    df = np.array([min((M - 1) * (1 + within / between) ** 2, _NORMAL) if between > 0 else _NORMAL])
    half = float(t_of(confidence, df)[0]) * error
    return Completed(
        delta=delta,
        hazard_ratio=math.exp(log_ratio),
        lower=math.exp(log_ratio - half),
        upper=math.exp(log_ratio + half),
        p_value=float(two_sided_t(np.array([log_ratio / error]), df)[0]),
        more_events=more_events,
    )
