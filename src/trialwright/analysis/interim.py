"""A look at a trial under way: the bound at the deaths there are, and what may still come (§8.10).

For each experimental arm versus control, at level ``""``. ``z`` and the bounds are large where the
experimental arm does better. Information is the number of events of both arms over the number planned; of the
log hazard ratio it is the events times the shares of both arms.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from trialwright.analysis.comparison import Pair, pair_of
from trialwright.analysis.population import contrasts
from trialwright.analysis.question import Question
from trialwright.analysis.rows import Adam, limits
from trialwright.analysis.time_to_event import questions
from trialwright.standards.results import Result, rows_to_frame
from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.logrank import logrank
from trialwright.stats.normal import two_sided
from trialwright.stats.sequential import (
    Boundaries,
    boundaries,
    conditional_power,
    predictive_power,
    repeated_interval,
    stage_wise,
)
from trialwright.study.interim import Interim
from trialwright.study.model import Analysis, Study

STAGE_WISE = (
    "all results ordered by look, then by z; the estimate is as often too large as too small; a bound of an "
    "earlier look as it stood then"
)
NO_MORE = "nothing is to come: the events planned are there, or the study says that this look is the last"


@dataclass(frozen=True, slots=True)
class _Look:
    """``events`` so far; ``bounds`` of the looks done and this one; ``share`` of the experimental arm."""

    plan: Interim
    events: int
    bounds: Boundaries
    share: float

    @property
    def final(self) -> bool:
        return self.plan.final or self.events >= self.plan.planned_events

    @property
    def fraction(self) -> float:
        return self.events / self.plan.planned_events

    def last_bound(self) -> float:
        """Of the final look, if it comes at the events planned."""
        whole = [*self.plan.looked_at, self.events, self.plan.planned_events]
        return float(_boundaries(self.plan, whole, final=True).z[-1])

    def drift(self, hazard_ratio: float) -> float:
        """The z expected at the end."""
        return -math.log(hazard_ratio) * math.sqrt(self.information(self.plan.planned_events))

    def information(self, events: float) -> float:
        return events * self.share * (1 - self.share)


def interim(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Where a look stands, for each contrast. Raises ValueError where the analysis names no plan."""
    if analysis.interim is None:
        raise ValueError(f"analysis {analysis.id}: the method {analysis.method} needs interim")
    found: list[Result] = []
    for question in questions(study, adam, analysis):
        for contrast in contrasts(study):
            pair = pair_of(question, contrast)
            found += pair.strata.rows(question.address, contrast.name)
            found += _looked(question, pair, analysis.interim)
    return rows_to_frame(found)


def _looked(question: Question, pair: Pair, plan: Interim) -> Iterator[Result]:
    group, address = pair.contrast.name, question.address
    events = int(pair.event.sum())
    yield address.number("events", events, group=group)
    yield address.number("events_planned", plan.planned_events, group=group)

    def bound() -> tuple[float, ...]:
        look = pair.named(lambda: _look(pair, plan))
        at = look.bounds
        if math.isinf(at.z[-1]):
            raise NotEstimable("hardly any level is to be spent so early: the look has no bound")
        return look.fraction, float(at.z[-1]), float(at.p_two_sided[-1]), float(at.spent[-1])

    def seen() -> tuple[float, ...]:
        look, z = pair.named(lambda: _look(pair, plan)), _z(pair)
        return z, two_sided(z), float(z >= look.bounds.z[-1])

    names = ("information_fraction", "bound_z", "bound_p", "alpha_spent")
    yield from address.estimates(names, bound, group=group)
    yield from address.estimates(("z", "p_logrank", "bound_crossed"), seen, group=group)
    yield from _ratios(question, pair, plan)
    yield from _to_come(question, pair, plan)


def _look(pair: Pair, plan: Interim) -> _Look:
    events = int(pair.event.sum())
    earlier = max(plan.looked_at, default=0)
    if events <= earlier:
        raise NotEstimable(f"{events} events are no more than the {earlier} of the look before")
    done = plan.final or events >= plan.planned_events
    bounds = _boundaries(plan, [*plan.looked_at, events], final=done)
    return _Look(plan, events, bounds, float(pair.one.mean()))


def _boundaries(plan: Interim, information: Sequence[float], *, final: bool) -> Boundaries:
    return boundaries(
        information,
        planned=plan.planned_events,
        alpha=plan.alpha,
        spending=plan.spending,
        gamma=plan.gamma,
        final=final,
    )


def _z(pair: Pair) -> float:
    return -logrank(pair.time, pair.event, pair.one, pair.strata.labels).z


def _ratios(question: Question, pair: Pair, plan: Interim) -> Iterator[Result]:
    """Cox as if there were no other look; repeated limits, good at all looks; stage-wise ones at the end."""
    group, address = pair.contrast.name, question.address

    def plain() -> tuple[float, ...]:
        return pair.hazard_ratio(question.confidence, pair.strata.labels)[:3]

    def repeated() -> tuple[float, ...]:
        pair.named(pair.need_events)
        look = pair.named(lambda: _look(pair, plan))
        fit = cox(pair.time, pair.event, pair.one, pair.strata.labels)
        found = repeated_interval(float(fit.coef[0]), float(fit.std_error[0]), float(look.bounds.z[-1]))
        return math.exp(found.lower), math.exp(found.upper)

    def ordered() -> tuple[float, ...]:
        look, z = pair.named(lambda: _look(pair, plan)), _z(pair)
        if not look.final and z < look.bounds.z[-1]:
            raise NotEstimable("the trial goes on: limits ordered by stage are for its end")
        information = [look.information(e) for e in (*plan.looked_at, look.events)]
        level = 1 - 2 * plan.alpha
        found = stage_wise(information, look.bounds.z.tolist(), z, confidence=level)
        estimate, low, high = found.drift.estimate, found.drift.lower, found.drift.upper
        return math.exp(-estimate), math.exp(-high), math.exp(-low), found.p_one_sided

    yield from address.estimates(limits("hazard_ratio"), plain, group=group)
    note = "limits that hold at all looks together"
    yield from address.estimates(limits("hazard_ratio_repeated")[1:], repeated, group=group, note=note)
    names = (*limits("hazard_ratio_stage_wise"), "p_stage_wise_one_sided")
    yield from address.estimates(names, ordered, group=group, note=STAGE_WISE)


def _to_come(question: Question, pair: Pair, plan: Interim) -> Iterator[Result]:
    group, address = pair.contrast.name, question.address

    def power() -> tuple[float, ...]:
        look, z = pair.named(lambda: _look(pair, plan)), _z(pair)
        if look.final:
            raise NotEstimable(NO_MORE)
        bound, t = look.last_bound(), look.fraction
        return bound, conditional_power(z, t, bound), predictive_power(z, t, bound)

    def as_designed() -> tuple[float]:
        look, z = pair.named(lambda: _look(pair, plan)), _z(pair)
        if look.final:
            raise NotEstimable(NO_MORE)
        if plan.design_hazard_ratio is None:
            raise NotEstimable("the study names no hazard ratio of the design")
        drift = look.drift(plan.design_hazard_ratio)
        return (conditional_power(z, look.fraction, look.last_bound(), drift),)

    names = ("final_bound_z", "conditional_power_trend", "predictive_power")
    yield from address.estimates(names, power, group=group)
    yield from address.estimates(("conditional_power_design",), as_designed, group=group)
