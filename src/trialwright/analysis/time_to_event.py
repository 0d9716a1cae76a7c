"""Time to an event, by arm and experimental versus control; days throughout.

Project rules 8.1-8.6. Per arm: Kaplan–Meier median and quartiles with Brookmeyer–Crowley limits, landmark
rates with log-log limits, restricted means, follow-up by the reverse curve, reasons for events and for
censoring. What two arms have between them is in ``comparison``.

A duration is asked in responders only, who are not randomised: it has a range and no contrast (§6.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
import polars as pl

from trialwright.analysis.comparison import comparisons
from trialwright.analysis.population import TOTAL, arms, placed, with_total
from trialwright.analysis.question import Events, Question, Times, ask, in_months, positive
from trialwright.analysis.rows import Adam, limits
from trialwright.standards.results import Result, rows_to_frame
from trialwright.stats.errors import NotEstimable
from trialwright.stats.restricted import rmst
from trialwright.stats.survival import KaplanMeier, Quantile, kaplan_meier, reverse_kaplan_meier
from trialwright.study.model import Analysis, Study

QUARTILES: Final = {"median": 0.5, "q1": 0.25, "q3": 0.75}
LOST: Final = {
    "n_missing": "in the population, but ADTTE has no row: the endpoint does not apply to them",
    "n_excluded": "their time in ADTTE is missing or negative, or is neither an event nor censored",
}


def time_to_event(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Arms and contrasts of each parameter the analysis names."""
    found: list[Result] = []
    for question in questions(study, adam, analysis):
        found += [*_arms(question), *comparisons(question)]
    return rows_to_frame(found)


def duration(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Arms only, with the range; no comparison of groups that were not randomised."""
    found: list[Result] = []
    for question in questions(study, adam, analysis):
        found += [*_arms(question), *_ranges(question)]
    return rows_to_frame(found)


def parameters(study: Study, endpoint: str) -> tuple[str, ...]:
    """The PARAMCD of an endpoint; of a deterioration family, one for each scale."""
    family = next((d for d in study.endpoints.deterioration if d.id == endpoint), None)
    return (endpoint,) if family is None else tuple(family.paramcd(scale) for scale in family.scales)


def questions(
    study: Study, adam: Adam, analysis: Analysis, more: Iterable[pl.Expr] = ()
) -> Iterator[Question]:
    """One for each parameter. ``more``: further columns of ADSL for the sample."""
    if analysis.endpoint is None:
        raise ValueError(f"analysis {analysis.id}: the method {analysis.method} needs an endpoint")
    people = placed(study, adam, analysis.population).select("USUBJID", "group", *analysis.strata, *more)
    for paramcd in parameters(study, analysis.endpoint):
        yield ask(study, analysis, paramcd, people, adam["ADTTE"])


def _arms(question: Question) -> Iterator[Result]:
    for group in (*arms(question.study), TOTAL):
        time, event = question.arm(group)
        yield from _counts(question, group, event)
        yield from _followup(question, group, time, event)
        if group != TOTAL:
            yield from _curve(question, group, time, event)
    yield from _reasons(question)


def _counts(question: Question, group: str, event: Events) -> Iterator[Result]:
    address = question.address
    yield address.number("n", event.size, group=group)
    yield address.number("events", event.sum(), group=group)
    yield address.number("censored", (~event).sum(), group=group)
    for statistic, groups in question.lost.items():
        if group in groups:
            yield address.number(statistic, groups[group], group=group, note=LOST[statistic])


def _followup(question: Question, group: str, time: Times, event: Events) -> Iterator[Result]:
    def median() -> tuple[float, float, float]:
        return _limited(reverse_kaplan_meier(time, event, confidence=question.confidence).median)

    yield from question.address.estimates(limits("followup_median"), median, group=group)


def _curve(question: Question, group: str, time: Times, event: Events) -> Iterator[Result]:
    address, analysis = question.address, question.analysis
    drawn = kaplan_meier(time, event, confidence=question.confidence, limits="log-log") if time.size else None

    def curve() -> KaplanMeier:
        if drawn is None:
            raise NotEstimable(f"no patients in arm {group}")
        return drawn

    for name, p in QUARTILES.items():

        def quantile(p: float = p) -> tuple[float, float, float]:
            return _limited(curve().quantile(p))

        yield from address.estimates(limits(name), quantile, group=group)
    for months in analysis.landmarks_months:
        yield from _landmark(question, group, months, curve)
        at_risk = (time >= question.days(months)).sum()
        yield address.number("at_risk", at_risk, group=group, level=in_months(months))
    for months in analysis.rmst_months:
        tau, note = question.tau(months)

        def mean(tau: float = tau) -> tuple[float, float, float]:
            found = rmst(curve(), tau=positive(tau), confidence=question.confidence)
            return found.estimate, found.lower, found.upper

        yield from address.estimates(limits("rmst"), mean, group=group, level=in_months(months), note=note)


def _limited(found: Quantile) -> tuple[float, float, float]:
    return found.estimate, found.lower, found.upper


def _landmark(
    question: Question, group: str, months: float, curve: Callable[[], KaplanMeier]
) -> Iterator[Result]:
    day, level = question.days(months), in_months(months)

    def rate() -> tuple[float, ...]:
        found = tuple(float(x) for x in curve().at(day))
        if np.isnan(found[0]):
            raise NotEstimable(f"nobody of arm {group} was followed to {level}")
        return found

    gap = "the limits are not defined where the curve is at 1 or 0"
    yield from question.address.estimates(limits("survival"), rate, group=group, level=level, gap=gap)


def _reasons(question: Question) -> Iterator[Result]:
    """Every reason in every group, zeros included; the note tells events from censorings."""
    event = pl.col("CNSR") == 0
    said = question.sample.select(
        "group",
        level=pl.when(event).then("EVNTDESC").otherwise("CNSDTDSC").fill_null("no reason given"),
        kind=pl.when(event).then(pl.lit("event")).otherwise(pl.lit("censored")),
    )
    kinds = said.group_by("level").agg(pl.col("kind").unique().sort(descending=True).str.join(" and "))
    counts = {
        (level, group): n for level, group, n in with_total(said).group_by("level", "group").len().rows()
    }
    for level, kind in kinds.sort(pl.col("kind") == "censored", "level").rows():
        for group in (*arms(question.study), TOTAL):
            n = counts.get((level, group), 0)
            yield question.address.number("n_reason", n, group=group, level=level, note=kind)


def _ranges(question: Question) -> Iterator[Result]:
    """Shortest and longest; the note says ``censored`` where the time goes on unknown (printed with +)."""
    for group in arms(question.study):
        time, event = question.arm(group)
        if not time.size:
            for name in ("min", "max"):
                yield question.address.number(name, None, group=group, note=f"no patients in arm {group}")
            continue
        for name, end, enough in (("min", time.min(), np.any), ("max", time.max(), np.all)):
            note = "" if enough(event[time == end]) else "censored"
            yield question.address.number(name, float(end), group=group, note=note)
