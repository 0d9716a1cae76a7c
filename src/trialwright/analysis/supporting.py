"""What stands beside the main analysis of a time to an event: one implementation for each word of a test.

Project rules 8.2, §8.6-8.8, §8.14. Every row has the word as its level (with the months, where there are
several). Tests with weights, restricted means, Firth and profile limits use the strata of the analysis;
the adjusted model has none, as strata are among its covariates if the study names them. None of these is
chosen after looking: the main analysis stays the stratified log-rank test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from trialwright.analysis.asked import HAZARD, Asked, not_there, tested
from trialwright.analysis.changed_times import DATES, tipping, until_therapy, worst
from trialwright.analysis.comparison import Pair, pair_of
from trialwright.analysis.factors import characteristics, design
from trialwright.analysis.population import contrasts
from trialwright.analysis.question import Question, in_months, positive
from trialwright.analysis.rows import Adam, limits
from trialwright.analysis.switched import SWITCH, had_nobody_switched, until_switch
from trialwright.analysis.time_to_event import questions
from trialwright.standards.results import Result, rows_to_frame
from trialwright.stats.cox import cox, proportional_hazards
from trialwright.stats.errors import NotEstimable
from trialwright.stats.frailty import shared_frailty
from trialwright.stats.logrank import logrank
from trialwright.stats.maxcombo import MaxCombo, maxcombo, modestly_weighted
from trialwright.stats.penalised import firth_cox, profile_limits
from trialwright.stats.product_limit import kaplan_meier
from trialwright.stats.restricted import RestrictedMeanContrast, largest_tau, rmst_difference
from trialwright.study.model import Analysis, Study

CENTRE: Final = "SITEID"


def supporting(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """The study's tests of each contrast, in the study's order; first the strata that were used."""
    columns = [c.value for c in characteristics(study, analysis.covariates)]
    more = [pl.col(name) for name in (*DATES, SWITCH, CENTRE) if name in adam["ADSL"].columns]
    found: list[Result] = []
    for asked in questions(study, adam, analysis, [*columns, *more]):
        question = _with_start(asked, adam["ADTTE"])
        for contrast in contrasts(study):
            pair = pair_of(question, contrast)
            found += pair.strata.rows(question.address, contrast.name)
            for word in analysis.tests:
                found += TESTS[word](Asked(question, pair, word))
    return rows_to_frame(found)


def _with_start(question: Question, adtte: pl.DataFrame) -> Question:
    if "STARTDT" not in adtte.columns:
        return question
    starts = adtte.filter(pl.col("PARAMCD") == question.address.endpoint).select("USUBJID", "STARTDT")
    sample = question.sample.join(starts, on="USUBJID", how="left", maintain_order="left")
    return replace(question, sample=sample)


def _weighted(rho: float, gamma: float) -> Callable[[Asked], Iterator[Result]]:
    """Log-rank test with the weights of Fleming and Harrington."""

    def test(asked: Asked) -> Iterator[Result]:
        pair = asked.pair

        def compute() -> tuple[float, float]:
            labels = pair.strata.labels
            return tested(logrank(pair.time, pair.event, pair.one, labels, rho=rho, gamma=gamma))

        yield from asked.say(("z", "p_value"), compute)

    return test


def _maxcombo(asked: Asked) -> Iterator[Result]:
    pair = asked.pair

    def found() -> MaxCombo:
        return maxcombo(pair.time, pair.event, pair.one, pair.strata.labels)

    def numbers() -> tuple[float, float]:
        best = found()
        return best.z_min, best.p_value

    try:
        best = found()
        rho, gamma = best.weights[int(np.argmin(best.z))]
        note = f"smallest z with weights of rho {rho:g}, gamma {gamma:g}; twice the one-sided p"
    except NotEstimable:
        note = ""
    yield from asked.say(("z", "p_value"), numbers, note=note)


def _modest(asked: Asked) -> Iterator[Result]:
    pair, months = asked.pair, asked.question.analysis.weights_until_months

    def compute() -> tuple[float, float]:
        day, labels = asked.question.days(months), pair.strata.labels
        return tested(modestly_weighted(pair.time, pair.event, pair.one, day, labels))

    yield from asked.say(("z", "p_value"), compute, note=f"weights grow until {in_months(months)}")


def _restricted(asked: Asked) -> Iterator[Result]:
    """Difference and ratio; means of the strata weighted by their size."""
    pair, question = asked.pair, asked.question
    names = (*limits("rmst_difference"), "p_value", *limits("rmst_ratio"))
    for months in question.analysis.rmst_months:
        tau, note = question.tau(months)

        def compute(tau: float = tau) -> tuple[float, ...]:
            found = _means(question, pair, positive(tau))
            less, over = found.difference, found.ratio
            return less.estimate, less.lower, less.upper, less.p_value, over.estimate, over.lower, over.upper

        yield from asked.say(names, compute, detail=in_months(months), note=note)


def _means(question: Question, pair: Pair, tau: float) -> RestrictedMeanContrast:
    """Each stratum must have both arms followed to tau."""
    labels, confidence = pair.strata.labels, question.confidence
    for stratum in () if labels is None else np.unique(labels):
        for arm in (pair.one, ~pair.one):
            time, event = (values[(labels == stratum) & arm] for values in (pair.time, pair.event))
            if time.size and tau > largest_tau(kaplan_meier(time, event)):
                raise NotEstimable(f"in stratum {stratum} an arm was followed for {time.max():g} days only")
    return rmst_difference(pair.time, pair.event, pair.one, tau, strata=labels, confidence=confidence)


def _unstratified(asked: Asked) -> Iterator[Result]:
    pair = asked.pair
    yield from asked.say(("z", "p_value"), lambda: tested(logrank(pair.time, pair.event, pair.one)))
    yield from asked.say((*HAZARD, "p_wald"), lambda: pair.hazard_ratio(asked.question.confidence, None))


def _proportional(asked: Asked) -> Iterator[Result]:
    pair = asked.pair

    def compute() -> tuple[float, float]:
        pair.need_events()
        found = proportional_hazards(pair.time, pair.event, pair.one, pair.strata.labels)
        return found.chi2_all, found.p_value_all

    yield from asked.say(("chi2", "p_value"), compute, note="time on the scale of 1 - S(t)")


def _piecewise(asked: Asked) -> Iterator[Result]:
    """Cox within each piece of time, in those who came into it."""
    pair, question = asked.pair, asked.question
    edges = [0.0, *question.analysis.pieces_months, np.inf]
    for start, end in pairwise(edges):
        words = f"{start:g} to {end:g} months" if np.isfinite(end) else f"after {start:g} months"
        came = pair.time > question.days(start) if start else np.ones(pair.time.size, dtype=bool)
        last = question.days(end)
        piece = replace(
            pair,
            time=np.minimum(pair.time, last)[came],
            event=(pair.event & (pair.time <= last))[came],
            one=pair.one[came],
            strata=replace(
                pair.strata, labels=None if pair.strata.labels is None else pair.strata.labels[came]
            ),
        )
        within = replace(asked, pair=piece)
        yield from within.count("events", piece.event, detail=words)

        def compute(piece: Pair = piece) -> tuple[float, ...]:
            return piece.hazard_ratio(question.confidence, piece.strata.labels)

        yield from within.say((*HAZARD, "p_wald"), compute, detail=words)


def _adjusted(asked: Asked) -> Iterator[Result]:
    """Cox with the study's covariates, without strata; who lacks a number is left out and counted."""
    pair, question = asked.pair, asked.question
    names = question.analysis.covariates
    made = design(pair.people, characteristics(question.study, names))
    kept = made.kept
    if not kept.all():
        note = "without a number to adjust for: left out"
        yield from asked.count("n_excluded", ~kept, note=note)
    fewer = replace(pair, time=pair.time[kept], event=pair.event[kept], one=pair.one[kept])

    def compute() -> tuple[float, ...]:
        fewer.need_events()
        columns = np.column_stack((fewer.one, made.columns))
        try:
            found = cox(fewer.time, fewer.event, columns, confidence=question.confidence)
        except NotEstimable as why:
            raise NotEstimable(_with_names(why.reason, ("the arm", *made.names))) from why
        return tuple(float(x[0]) for x in (found.hazard_ratio, found.lower, found.upper, found.p_wald))

    said = f"adjusted for {', '.join(names)}; not stratified"
    yield from replace(asked, pair=fewer).say((*HAZARD, "p_wald"), compute, note=said)


def _with_names(reason: str, names: tuple[str, ...]) -> str:
    for index, name in enumerate(names):
        reason = reason.replace(f"covariate {index} ", f"{name} ")
    return reason


def _firth(asked: Asked) -> Iterator[Result]:
    """Penalised: finite where an arm has no events."""
    pair = asked.pair

    def compute() -> tuple[float, ...]:
        if not pair.event.any():
            raise NotEstimable("no events")
        found = firth_cox(
            pair.time, pair.event, pair.one, pair.strata.labels, confidence=asked.question.confidence
        )
        return tuple(float(x[0]) for x in (found.hazard_ratio, found.lower, found.upper, found.p_value))

    yield from asked.say((*HAZARD, "p_lrt"), compute)


def _profile(asked: Asked) -> Iterator[Result]:
    """Limits and test by the likelihood ratio."""
    pair, confidence = asked.pair, asked.question.confidence

    def compute() -> tuple[float, ...]:
        pair.need_events()
        sides = (pair.time, pair.event, pair.one, pair.strata.labels)
        found, ends = cox(*sides, confidence=confidence), profile_limits(*sides, confidence=confidence)
        low, high = (float(x[0]) for x in (ends.lower, ends.upper))
        return float(found.hazard_ratio[0]), low, high if np.isfinite(high) else np.nan, found.p_lrt

    yield from asked.say((*HAZARD, "p_lrt"), compute, gap="the likelihood never falls enough for a limit")


def _centres(asked: Asked) -> Iterator[Result]:
    """Cox with a gamma frailty for each centre; strata as in the main analysis."""
    pair = asked.pair
    names = (*HAZARD, "p_wald", "frailty_variance", "p_frailty")
    if CENTRE not in pair.people.columns:
        yield from asked.say(names, not_there("the data do not say who was treated where"))
        return
    centre = pair.people[CENTRE].cast(pl.String).fill_null("missing").to_numpy()

    def compute() -> tuple[float, ...]:
        pair.need_events()
        sides = (pair.time, pair.event, pair.one, centre, pair.strata.labels)
        found = shared_frailty(*sides, confidence=asked.question.confidence)
        ratio = (found.hazard_ratio, found.lower, found.upper, found.p_wald)
        return (*(float(x[0]) for x in ratio), found.theta, found.p_value)

    yield from asked.say(names, compute, note=f"{len(np.unique(centre))} centres")


TESTS: Final[Mapping[str, Callable[[Asked], Iterator[Result]]]] = {
    "logrank": _weighted(0, 0),
    "fleming_harrington_1_0": _weighted(1, 0),
    "fleming_harrington_0_1": _weighted(0, 1),
    "fleming_harrington_1_1": _weighted(1, 1),
    "maxcombo": _maxcombo,
    "modestly_weighted": _modest,
    "rmst": _restricted,
    "unstratified": _unstratified,
    "proportional_hazards": _proportional,
    "piecewise_hazard_ratio": _piecewise,
    "adjusted": _adjusted,
    "firth": _firth,
    "profile": _profile,
    "centre_frailty": _centres,
    "censored_at_new_therapy": until_therapy,
    "censored_at_switch": until_switch,
    "rank_preserving": had_nobody_switched,
    "worst_case": worst,
    "tipping_point": tipping,
}
