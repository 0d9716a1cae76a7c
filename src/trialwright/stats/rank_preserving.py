"""Survival had nobody switched treatment: the rank preserving structural failure time model.

Robins and Tsiatis, Commun Stat Theory Methods 1991;20:2609; recensoring and the interval of the hazard ratio
as White, Babiker, Walker and Darbyshire, Stat Med 1999;18:2617. Time on the experimental treatment counts
exp(psi) times: U = off + exp(psi) on is the time the patient would have had without it. Randomisation
makes U alike in both arms, and psi is where the log-rank test of U finds no difference. A negative psi is a
benefit: treatment stretches time by exp(-psi). The model supposes one effect, whenever treatment begins.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, codes, times, zero_one
from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.intervals import Interval
from trialwright.stats.logrank import LogRank, logrank
from trialwright.stats.normal import z_of

Recensor = Literal["switching-arms", "all", "none"]
_SAME = 1e-7
_FINER = 65  # values within a step of the grid in which Z passes 0


@dataclass(frozen=True, slots=True)
class Search:
    """Where psi is looked for: ``points`` values between ``low`` and ``high``, then by halving."""

    low: float = -3.0
    high: float = 3.0
    points: int = 241


@dataclass(frozen=True, slots=True, eq=False)
class RankPreserving:
    """``psi`` with the limits at which Z = ±z; NaN where Z does not come down to it within the search.

    Z is a step function and may cross 0 several times: ``crossings`` has those that were found, ``psi`` is
    the middle of the first and the last, the limits are the outermost. ``time`` and ``event`` are all n
    patients, those of the control arm as they would have been.
    """

    psi: Interval
    crossings: tuple[float, ...]
    intention_to_treat: LogRank
    time: Floats
    event: Bools
    group: Bools
    strata: npt.ArrayLike | None
    n_switched: int  # of the control arm
    n_recensored: int  # events of the control arm that are no longer seen
    confidence: float

    @property
    def p_value(self) -> float:
        """That of the arms as randomised: the model changes the size of an effect, not its evidence."""
        return self.intention_to_treat.p_value

    def hazard_ratio(self) -> Interval:
        """The experimental arm as observed against the control arm as it would have been.

        Limits from the test of the arms as randomised: log(ratio) ± z |log(ratio) / Z|.
        """
        fit = cox(self.time, self.event, self.group, self.strata)
        log_ratio, z = float(fit.coef[0]), self.intention_to_treat.z
        half = z_of(self.confidence) * abs(log_ratio / z) if z else math.nan
        return Interval(math.exp(log_ratio), math.exp(log_ratio - half), math.exp(log_ratio + half))


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    time: Floats
    event: Bools
    group: Bools
    treated: Floats
    censor: Floats
    strata: npt.ArrayLike | None

    def untreated(self, psi: float, slack: float = 0.0) -> tuple[Floats, Bools]:
        """U and whether its event is seen, once censoring cannot tell how long the treatment was.

        An event within ``slack`` (relative) after its censoring is still seen.
        """
        factor = math.exp(psi)
        U = self.time - self.treated + factor * self.treated
        limit = self.censor * min(factor, 1.0)
        return np.minimum(U, limit), self.event & ~(limit * (1 + slack) < U)

    def z(self, psi: float) -> float:
        """NaN where recensoring leaves no event that tells the arms apart.

        Near-ties are not merged: psi is where two patients change places, and there they shall tie when
        the curves are drawn.
        """
        U, event = self.untreated(psi)
        try:
            return logrank(U, event, self.group, self.strata, timefix=False).z
        except NotEstimable:
            return math.nan


def rank_preserving(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    treated: npt.ArrayLike,
    censor_time: npt.ArrayLike | None = None,
    *,
    strata: npt.ArrayLike | None = None,
    recensor: Recensor = "switching-arms",
    search: Search | None = None,
    confidence: float = 0.95,
) -> RankPreserving:
    """n patients; ``group`` is 1 for the experimental arm.

    ``treated`` is how much of ``time`` was on the experimental treatment (from the switch on, in the control
    arm). ``censor_time`` is when a patient would have been censored at the latest, for those with the
    event too; without it, or with ``recensor`` none, nobody is recensored, and the estimate is biased where
    switching goes with prognosis. By default only arms in which somebody changed treatment are recensored.

    Raises ``NotEstimable`` where Z does not cross 0 within the search.
    """
    trial = _recensored(_trial(time, event, group, treated, strata), censor_time, recensor)
    plan = search or Search()
    grid = np.linspace(plan.low, plan.high, plan.points)
    on_grid = np.array([trial.z(psi) for psi in grid])
    zero = _crossings(trial.z, grid, on_grid, 0.0)
    if not zero:
        raise NotEstimable(f"Z does not cross 0 for psi between {plan.low:g} and {plan.high:g}")
    z = z_of(confidence)
    lower, upper = (_crossings(trial.z, grid, on_grid, target) for target in (z, -z))
    psi = Interval(
        (zero[0] + zero[-1]) / 2, lower[0] if lower else math.nan, upper[-1] if upper else math.nan
    )
    return _told(trial, psi, tuple(zero), confidence)


def _told(trial: _Trial, psi: Interval, crossings: tuple[float, ...], confidence: float) -> RankPreserving:
    # psi is where something changes places: an event and its own censoring are told apart on purpose
    U, seen = trial.untreated(psi.estimate, slack=_SAME)
    control = ~trial.group
    return RankPreserving(
        psi=psi,
        crossings=crossings,
        intention_to_treat=logrank(trial.time, trial.event, trial.group, trial.strata),
        time=np.where(control, U, trial.time),
        event=np.where(control, seen, trial.event),
        group=trial.group,
        strata=trial.strata,
        n_switched=int((control & (trial.treated > 0)).sum()),
        n_recensored=int((control & trial.event & ~seen).sum()),
        confidence=confidence,
    )


def _crossings(z: Callable[[float], float], grid: Floats, on_grid: Floats, target: float) -> list[float]:
    """Where Z passes ``target``: steps of the grid at whose ends it is on both sides, looked at again."""
    found = [float(psi) for psi in grid[on_grid == target]]
    for low, high in _steps(grid, on_grid - target):
        finer = np.linspace(low, high, _FINER)
        for edges in _steps(finer, np.array([z(psi) for psi in finer]) - target):
            found.append(_halved(lambda psi: z(psi) - target, *edges))
    return sorted(found)


def _steps(grid: Floats, above: Floats) -> list[tuple[float, float]]:
    return [(float(grid[i]), float(grid[i + 1])) for i in np.flatnonzero(above[:-1] * above[1:] < 0)]


def _halved(above: Callable[[float], float], low: float, high: float) -> float:
    start = above(low)
    for _ in range(45):
        middle = (low + high) / 2
        there = above(middle)
        if there == 0:
            return middle
        low, high = (middle, high) if there * start > 0 else (low, middle)
    return (low + high) / 2


def _trial(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    treated: npt.ArrayLike,
    strata: npt.ArrayLike | None,
) -> _Trial:
    """Nobody recensored."""
    t = times(time)
    dead, one = zero_one(event, "event", t.size), zero_one(group, "group", t.size)
    on = times(treated, "treated")
    _as_long(on, t, "treated")
    if (on > t * (1 + 1e-12)).any():
        row = int(np.argmax(on > t))
        raise ValueError(f"treated is more than time at row {row}: {on[row]:g} of {t[row]:g}")
    if strata is not None:
        codes(strata, "strata", t.size)
    return _Trial(t, dead, one, on, np.full(t.size, np.inf), strata)


def _recensored(trial: _Trial, censor_time: npt.ArrayLike | None, recensor: str) -> _Trial:
    if recensor not in get_args(Recensor):
        raise ValueError(f"recensor must be one of {', '.join(get_args(Recensor))}, not {recensor!r}")
    if censor_time is None or recensor == "none":
        return trial
    censor = times(censor_time, "censor_time").copy()
    _as_long(censor, trial.time, "censor_time")
    if (censor < trial.time * (1 - 1e-12)).any():
        raise ValueError(f"censor_time is before time at row {int(np.argmax(censor < trial.time))}")
    if recensor == "switching-arms":
        censor[~_switching(trial.group, trial.treated, trial.time)] = np.inf
    return replace(trial, censor=censor)


def _as_long(values: Floats, t: Floats, name: str) -> None:
    if values.size != t.size:
        raise ValueError(f"{name} has {values.size} rows, but there are {t.size} times")


def _switching(group: Bools, on: Floats, t: Floats) -> Bools:
    """Patients of an arm in which not everybody was always, or never, on the experimental treatment."""
    found = np.zeros(t.size, dtype=bool)
    for arm in (group, ~group):
        found[arm] = not ((on[arm] == 0).all() or (on[arm] == t[arm]).all())
    return found
