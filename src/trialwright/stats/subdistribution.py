"""The subdistribution hazard of Fine and Gray: what covariates do to a cumulative incidence.

Fine and Gray, J Am Stat Assoc 1999;94:496. Whoever had another event first stays at risk, with the weight
G(t)/G(t_i) by which censoring would have thinned them; the fit is a weighted Cox model on such intervals
(Geskus, Biometrics 2011;67:39). Standard errors are robust by patient and take the weights as known, as R's
``finegray`` does; ``cmprsk::crr`` counts their uncertainty too and differs in the third digit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints, same_length, times, vector
from trialwright.stats.cox import Cox, Ties, cox
from trialwright.stats.coxdata import matrix
from trialwright.stats.errors import NotEstimable
from trialwright.stats.product_limit import kaplan_meier
from trialwright.stats.ties import distinct


def fine_gray(
    time: npt.ArrayLike,
    status: npt.ArrayLike,
    covariates: npt.ArrayLike,
    *,
    cause: int = 1,
    ties: Ties = "efron",
    confidence: float = 0.95,
    timefix: bool = True,
) -> Cox:
    """``status`` is 0 for censored, else the cause. Hazard ratios are of the subdistribution of ``cause``.

    ``n`` and ``n_event`` of the result count the intervals and the events of the cause. Times must be
    positive, as each patient's interval starts at 0.
    """
    leave = times(time)
    why = same_length(vector(status, "status"), "status", leave.size)
    X = matrix(covariates, leave.size)
    if leave.size and leave.min() == 0:
        raise ValueError("times must be positive: an interval of no length cannot be weighted")
    own, other = why == cause, (why != 0) & (why != cause)
    if not own.any():
        raise NotEstimable(f"no events of cause {cause}")
    moment, index = distinct(leave, timefix=timefix)
    row, start, stop, weight = _intervals(moment, index, why == 0, own, other)
    return cox(
        stop,
        own[row] & (stop == moment[index[row]]),
        X[row],
        entry=start,
        weights=weight,
        cluster=row,
        ties=ties,
        confidence=confidence,
        timefix=False,
    )


def _intervals(
    moment: Floats, index: Ints, censored: Bools, own: Bools, other: Bools
) -> tuple[Ints, Floats, Floats, Floats]:
    """Patient, start, stop and weight of each interval.

    Everybody has (0, t]. Those with another event go on to the last event of the cause, cut at the events of
    the cause wherever G, the chance of being uncensored, has changed between.
    """
    # deaths come before censorings of the same day: G just before t counts the censorings before t only
    days = np.arange(moment.size, dtype=np.float64)
    curve = kaplan_meier(
        2 * days[index] + censored, censored
    )  # doubled: room for a half step after the deaths
    before = np.concatenate(([1.0], curve.survival))
    G = before[np.searchsorted(curve.time, 2 * days, side="right")]
    events = np.unique(index[own])
    # a run of events between which nobody is censored shares one G
    last = np.append(np.diff(G[events]) != 0, True)
    ends, level = events[last], G[events[last]]
    starts = np.concatenate(([-1], ends[:-1]))
    who = np.flatnonzero(other)
    first = np.searchsorted(ends, index[who], side="right")
    count = ends.size - first
    row = np.repeat(who, count)
    piece = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    begin = np.maximum(starts[piece], index[row])
    weight = level[piece] / G[index[row]]
    everybody = np.arange(index.size)
    return (
        np.concatenate((everybody, row)),
        np.concatenate((np.zeros(index.size), moment[begin])),
        np.concatenate((moment[index], moment[ends[piece]])),
        np.concatenate((np.ones(index.size), weight)),
    )
