"""Many trials looked at: the cut, the tests, the boundaries, the stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from trialwright.simulate import guess
from trialwright.simulate.cohort import NEVER, Clock, Cohort, lists
from trialwright.simulate.design import Design, Endpoint, Level, Look, Test
from trialwright.stats import batch, batch_curves
from trialwright.stats.batch_tables import BatchTables, risk_tables
from trialwright.stats.gaussian import any_above
from trialwright.stats.maxcombo import FOUR
from trialwright.stats.sequential import boundaries

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One look at each trial; arrays of shape (trials,)."""

    month: Floats
    reached: Bools
    """The events the look waits for did come."""
    enrolled: Ints
    events: Ints
    """Of the first test's endpoint."""
    z: tuple[Floats, ...]
    """Of each test, large where the experimental arm does better; NaN where not estimable. For MaxCombo the
    largest of its z."""
    combined: tuple[batch.BatchCombo | None, ...]
    log_hr: Floats
    std_error: Floats
    guessed: Mapping[str, Floats] | None = None
    """At the first look, where the design asks: how well arms can be guessed, in shares of patients."""
    difference: Mapping[str, Floats] = field(default_factory=dict)
    """Of restricted means (months) and landmarks (survival), by test: experimental less control arm."""


See = Callable[[Design, Cohort, Floats, Bools], Seen]
"""One look at trials, given its month in each and whether its events were reached."""


def look_at(design: Design, cohort: Cohort, see: See | None = None) -> tuple[Seen, ...]:
    """All looks at all trials, whether or not they would have stopped. ``see`` does one look: ``seen_at``."""
    first, *later = (
        (see or seen_at)(design, cohort, month, reached)
        for month, reached in zip(*_cuts(design, cohort), strict=True)
    )
    return replace(first, guessed=_guessed(design, cohort)), *later


def _guessed(design: Design, cohort: Cohort) -> dict[str, Floats] | None:
    if not design.predictability or design.allocation is None:
        return None
    place = lists(design, cohort.stratum, cohort.site)
    one = np.broadcast_to(cohort.experimental, cohort.entry.shape)
    of = np.zeros(one.shape, dtype=np.int64) if place is None else place.astype(np.int64)
    told = guess.within_lists(design.allocation, one, of)
    found = {name: getattr(told, name) for name in ("convergence", "best", "certain")}
    if cohort.site is not None:
        found["site"] = guess.convergence(design.allocation, one, cohort.site.astype(np.int64))
    return found


def _cuts(design: Design, cohort: Cohort) -> tuple[list[Floats], list[Bools]]:
    months, all_reached = [], []
    wanted = sorted({look.events for look in design.looks if look.events})
    clock = cohort.clock(design.tests[0].endpoint)
    ordered = clock.event_at
    if wanted:
        ordered = (
            np.sort(ordered, axis=1) if len(wanted) > 1 else np.partition(ordered, wanted[0] - 1, axis=1)
        )
    earlier = np.zeros(len(ordered))
    for look in design.looks:
        month, reached = _cut(look, ordered, cohort.entry, clock.leaves)
        earlier = np.maximum(month, earlier)
        months.append(earlier)
        all_reached.append(reached)
    return months, all_reached


def _cut(look: Look, ordered: Floats, entry: Floats, leaves: Floats) -> tuple[Floats, Bools]:
    """When the look is; where its events never come, when nobody who can leave is left."""
    if look.events is None:
        return np.full(len(ordered), look.month), np.ones(len(ordered), dtype=bool)
    month = ordered[:, look.events - 1].copy()
    late = month >= NEVER
    if late.any():
        known = np.where(leaves[late] < NEVER, leaves[late], 0)
        month[late] = (entry[late] + known).max(axis=1)
    if look.month is not None:
        limit = float(look.month)
        if look.whichever == "last":
            return np.maximum(month, limit), ~late
        return np.minimum(month, limit), ~late & (month <= limit)
    return month, ~late


def seen_at(design: Design, cohort: Cohort, month: Floats, reached: Bools) -> Seen:
    data = _Data(cohort, month)
    first = design.tests[0]
    enrolled = np.count_nonzero(cohort.entry <= month[:, None], axis=1)
    events = np.count_nonzero(data.of(first.endpoint)[1], axis=1)
    found = [_tested(test, data) for test in design.tests]
    fit = data.cox(first.endpoint, first.stratified)
    z, combined, difference = zip(*found, strict=True)
    differences = {t.id: d for t, d in zip(design.tests, difference, strict=True) if d is not None}
    return Seen(
        month, reached, enrolled, events, z, combined, fit.coef, fit.std_error, difference=differences
    )


class _Data:
    """What is known at a look, of each endpoint, with strata and without, as tests ask."""

    def __init__(self, cohort: Cohort, month: Floats) -> None:
        self.cohort, self.month = cohort, month
        self._of: dict[Endpoint, tuple[Floats, Bools]] = {}
        self._tables: dict[tuple[Endpoint, bool], BatchTables] = {}
        self._cox: dict[tuple[Endpoint, bool], batch.BatchCox] = {}

    def of(self, endpoint: Endpoint) -> tuple[Floats, Bools]:
        """Own months until event, loss or cut, negative before enrolment; and who had the event."""
        if endpoint not in self._of:
            self._of[endpoint] = _known(self.cohort.clock(endpoint), self.cohort.entry, self.month)
        return self._of[endpoint]

    def tables(self, endpoint: Endpoint, stratified: bool) -> BatchTables:
        key = endpoint, stratified
        if key not in self._tables:
            stratum = self.cohort.stratum if stratified else None
            self._tables[key] = risk_tables(*self.of(endpoint), self.cohort.experimental, stratum)
        return self._tables[key]

    def cox(self, endpoint: Endpoint, stratified: bool) -> batch.BatchCox:
        key = endpoint, stratified
        if key not in self._cox:
            self._cox[key] = batch.cox(self.tables(endpoint, stratified))
        return self._cox[key]


def _known(clock: Clock, entry: Floats, month: Floats) -> tuple[Floats, Bools]:
    cut = month[:, None]
    dead = clock.event_at <= cut  # on the calendar, so that the event that triggers the cut counts
    time = cut - entry
    np.minimum(time, clock.leaves, out=time)
    return time, dead


def _tested(test: Test, data: _Data) -> tuple[Floats, batch.BatchCombo | None, Floats | None]:
    """The z of a test; of MaxCombo all of them, of curves their difference."""
    if test.months is not None:
        found = _of_curves(test, test.months, data)
        return found.z, None, found.estimate
    if test.kind == "cox":
        fit = data.cox(test.endpoint, test.stratified)
        return -fit.coef / fit.std_error, None, None
    tables = data.tables(test.endpoint, test.stratified)
    if test.kind == "maxcombo":
        combined = batch.combo(tables, FOUR)
        return -combined.z.min(axis=1), combined, None
    rho, gamma = (test.rho, test.gamma) if test.kind == "fleming-harrington" else (0.0, 0.0)
    return -batch.logrank(tables, rho=rho, gamma=gamma).z, None, None


def _of_curves(test: Test, months: float, data: _Data) -> batch_curves.BatchDifference:
    time, dead = data.of(test.endpoint)
    arm, stratum = data.cohort.experimental, data.cohort.stratum if test.stratified else None
    if test.kind == "rmst":
        return batch_curves.rmst(time, dead, arm, months, stratum=stratum)
    return batch_curves.landmark(time, dead, arm, months)


def stopped(design: Design, seen: tuple[Seen, ...]) -> Ints:
    """The look at which each test first rejects, or the number of looks: (tests, trials)."""
    crossed = np.ones((len(design.tests), len(seen) + 1, seen[0].month.size), dtype=bool)
    limits = bounds(design, np.array([look.events for look in seen]).T)
    for k, look in enumerate(seen):
        for i, z in enumerate(look.z):
            combined, stated = look.combined[i], design.level.bounds.get(design.tests[i].id)
            if combined is None or stated is not None:
                with np.errstate(invalid="ignore"):
                    crossed[i, k] = z >= (limits[:, k] if stated is None else stated[k])
            else:
                crossed[i, k] = _combo_rejects(combined, design.level.alpha)
    return np.asarray(crossed.argmax(axis=1))


def bounds(design: Design, events: Ints) -> Floats:
    """The efficacy bound of each trial's looks, (trials, looks), at the events it has.

    A look that brings no new event is no look: its bound is infinite. Where that is the last one, what it
    would have spent stays unspent, and the looks before keep the bounds they had when they were looked at.
    """
    planned = design.planned
    assert planned is not None
    if events.size and (events == events[0]).all():
        rows, which = events[:1], np.zeros(len(events), dtype=np.int64)
    else:
        rows, which = np.unique(events, axis=0, return_inverse=True)
    level = design.level.model_dump_json()
    table = np.array([_bounds(level, planned, tuple(row)) for row in rows.tolist()])
    return np.asarray(table[which.ravel()].reshape(events.shape))


@lru_cache(maxsize=100_000)
def _bounds(level_json: str, planned: int, events: tuple[int, ...]) -> tuple[float, ...]:
    level = Level.model_validate_json(level_json)
    new = [e > max(events[:k], default=0) for k, e in enumerate(events)]
    if not any(new):
        return (np.inf,) * len(events)
    found = iter(
        boundaries(
            [e for e, fresh in zip(events, new, strict=True) if fresh],
            planned=planned,
            alpha=level.alpha,
            spending=level.spending,
            gamma=level.gamma,
            final=new[-1],
        ).z.tolist()
    )
    return tuple(next(found) if fresh else np.inf for fresh in new)


def _combo_rejects(combined: batch.BatchCombo, alpha: float) -> Bools:
    """Is MaxCombo's one-sided p at most alpha? Integrated only where bounds do not tell already.

    With h the largest z, p is at least the chance that one of two tests passes h, Phi(-h) + 2 T(h, a), and
    at most Phi(-h) and the 2 T(h, a) of one test with each other: Hunter, J Appl Probab 1976;13:597. T is
    Owen's, a = sqrt((1 - r) / (1 + r)).
    """
    from scipy.special import ndtr, owens_t

    h = -combined.z.min(axis=1)
    found = np.zeros(h.size, dtype=bool)
    close = np.flatnonzero(ndtr(-h) <= alpha)
    r = np.clip(combined.correlation[close], -1, 1)
    with np.errstate(divide="ignore"):
        pairs = 2 * owens_t(h[close, None, None], np.sqrt((1 - r) / (1 + r)))
    one = ndtr(-h[close])
    least, most = one + pairs.max(axis=(1, 2)), one + pairs.sum(axis=2).min(axis=1)
    found[close] = most <= alpha
    for trial in close[(most > alpha) & (least <= alpha)]:
        found[trial] = _at_most(combined.correlation[trial], float(h[trial]), alpha)
    return found


def _at_most(correlation: Floats, h: float, alpha: float) -> bool:
    """Six nodes a panel are good to 3e-8, twelve to 1e-15: these are asked where those are too near."""
    p = any_above(correlation, h, nodes=6)
    if abs(p - alpha) < 1e-6:
        p = any_above(correlation, h, nodes=12)
    return p <= alpha
