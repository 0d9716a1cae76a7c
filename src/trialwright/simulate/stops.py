"""Of many trials: was it futile to go on, and which bounds would hold the level?"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from trialwright.simulate.design import Design, Futility
from trialwright.simulate.looks import Seen, bounds
from trialwright.stats.normal import quantile

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def futile(design: Design, seen: tuple[Seen, ...]) -> Ints:
    """The look at which each trial first falls below its futility limit, or the number of looks: (trials,).

    Whether or not it would have stopped for efficacy before.
    """
    events = np.array([look.events for look in seen])
    below = np.ones((len(seen) + 1, events.shape[1]), dtype=bool)
    for k, look in enumerate(design.looks):
        limit = look.futility
        if limit is None:
            below[k] = False
        else:
            power = _conditional_power(design, limit, seen[k].z[0], events[: k + 1])
            with np.errstate(invalid="ignore"):
                below[k] = power < limit.conditional_power
    return np.asarray(below.argmax(axis=0))


def _conditional_power(design: Design, limit: Futility, z: Floats, events: Ints) -> Floats:
    """Chance that the first test rejects at the last look, were there no looks between; NaN once the planned
    events are there. As ``stats.sequential.conditional_power``, of which this is the form for many trials.
    """
    from scipy.special import ndtr

    planned = design.planned
    assert planned is not None
    t = events[-1] / planned
    with np.errstate(divide="ignore", invalid="ignore"):
        drift = z / np.sqrt(t)
        if limit.hazard_ratio is not None and design.allocation is not None:
            share = design.allocation.share
            drift = np.full(z.size, -math.log(limit.hazard_ratio) * math.sqrt(planned * share * (1 - share)))
        last = _last_bound(design, events, planned)
        power = ndtr((z * np.sqrt(t) + drift * (1 - t) - last) / np.sqrt(1 - t))
    return np.where((t > 0) & (t < 1), power, np.nan)


def _last_bound(design: Design, events: Ints, planned: int) -> Floats:
    """Of the first test, if the looks to come have the events that are planned."""
    stated = design.level.bounds.get(design.tests[0].id)
    if stated is not None:
        return np.full(events.shape[1], stated[-1])
    later = [look.events for look in design.looks[len(events) : -1]]
    to_come = [np.maximum(events[-1], e) for e in (*later, planned) if e is not None and e <= planned]
    return bounds(design, np.array([*events, *to_come]).T)[:, -1]


def exceeding(design: Design, seen: tuple[Seen, ...]) -> Floats:
    """How far each trial is beyond the bounds of spending, at the look where that is most: (tests, trials).

    On the scale of a single look, of which it is the z: a trial rejects where it is at least the normal
    quantile of the level (MaxCombo: a quantile of its own). Minus infinity where no z can be computed.
    """
    one_look = -quantile(design.level.alpha)
    limits = bounds(design, np.array([look.events for look in seen]).T)
    found = np.full((len(design.tests), seen[0].month.size), -np.inf)
    for k, look in enumerate(seen):
        for i, z in enumerate(look.z):
            bound = one_look if look.combined[i] is not None else limits[:, k]
            with np.errstate(invalid="ignore"):
                np.fmax(found[i], z if len(seen) == 1 else z - bound + one_look, out=found[i])
    return found
