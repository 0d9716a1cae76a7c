"""Hazard ratios inside subgroups, and whether they differ (project rules 8.13).

Inside each level Cox without strata; not shown under five events in an arm or ten in both. The test of
interaction is the likelihood ratio of the models with and without arm by level, also without strata.
No allowance is made for the number of subgroups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from trialwright.analysis.comparison import Pair, pair_of
from trialwright.analysis.factors import Characteristic, characteristics
from trialwright.analysis.population import arms, contrasts
from trialwright.analysis.question import Question
from trialwright.analysis.rows import Adam, limits
from trialwright.analysis.time_to_event import questions
from trialwright.standards.results import Result, rows_to_frame
from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.normal import chi2_above
from trialwright.stats.survival import kaplan_meier
from trialwright.study.model import Analysis, Study

EVERYBODY: Final = "all"
LEAST_IN_ARM, LEAST = 5, 10
MISSING: Final = "missing"


def subgroups(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Everybody, then each level of each factor: arms, contrasts and the test of interaction.

    Levels ``all``, ``FACTOR: level`` and, for the test, ``FACTOR``. A level without anybody has its row of 0.
    """
    factors = characteristics(study, analysis.factors)
    found: list[Result] = []
    for question in questions(study, adam, analysis, [f.value for f in factors]):
        found += _level(question, EVERYBODY)
        for factor in factors:
            found += _factor(question, factor)
    return rows_to_frame(found)


def _factor(question: Question, factor: Characteristic) -> Iterator[Result]:
    value = pl.col(factor.column)
    levels = factor.found(question.sample[factor.column])
    for contrast in contrasts(question.study):
        yield from _interaction(question, factor, levels, pair_of(_unstratified(question), contrast))
    for level in levels:
        yield from _level(_within(question, value == level), f"{factor.name}: {level}")
    unknown = question.sample.filter(value.is_null())
    for arm in arms(question.study) if unknown.height else ():
        level, mine = f"{factor.name}: {MISSING}", unknown.filter(pl.col("group") == arm)
        yield question.address.number("n", mine.height, group=arm, level=level)
        yield question.address.number("events", int((mine["CNSR"] == 0).sum()), group=arm, level=level)


def _unstratified(question: Question) -> Question:
    return replace(question, analysis=question.analysis.model_copy(update={"strata": ()}))


def _within(question: Question, who: pl.Expr) -> Question:
    return replace(question, sample=question.sample.filter(who))


def _level(question: Question, level: str) -> Iterator[Result]:
    address = question.address
    for arm in arms(question.study):
        time, event = question.arm(arm)
        yield address.number("n", time.size, group=arm, level=level)
        yield address.number("events", event.sum(), group=arm, level=level)

        def median(arm: str = arm) -> tuple[float, float, float]:
            times, happened = question.arm(arm)
            if not times.size:
                raise NotEstimable(f"no patients in arm {arm}")
            found = kaplan_meier(times, happened, confidence=question.confidence, limits="log-log").median
            return found.estimate, found.lower, found.upper

        yield from address.estimates(limits("median"), median, group=arm, level=level)
    for contrast in contrasts(question.study):
        pair = pair_of(_unstratified(question), contrast)

        def ratio(pair: Pair = pair) -> tuple[float, ...]:
            pair.named(lambda: _enough(pair))
            return pair.hazard_ratio(question.confidence, None)[:3]

        yield from address.estimates(limits("hazard_ratio"), ratio, group=contrast.name, level=level)


def _enough(pair: Pair) -> None:
    """Raises `NotEstimable` where the events are too few to show a ratio."""
    for arm, members in ((pair.contrast.experimental, pair.one), (pair.contrast.control, ~pair.one)):
        if pair.event[members].sum() < LEAST_IN_ARM:
            raise NotEstimable(f"fewer than {LEAST_IN_ARM} events in arm {arm}")
    if pair.event.sum() < LEAST:
        raise NotEstimable(f"fewer than {LEAST} events")


def _interaction(
    question: Question, factor: Characteristic, levels: Sequence[str], pair: Pair
) -> Iterator[Result]:
    """Among the levels in which both arms have events: elsewhere a ratio is 0 or infinite."""
    told, dropped = _telling(pair, factor, levels)

    def test() -> tuple[float, float, float]:
        if len(told) < 2:
            raise NotEstimable("fewer than two levels with events in both arms")
        values = pair.people[factor.column].to_numpy()
        who = np.isin(values, told)
        inside = [(values[who] == level).astype(np.float64) for level in told[1:]]
        one = pair.one[who].astype(np.float64)
        plain = np.column_stack((one, *inside))
        crossed = np.column_stack((plain, *(one * level for level in inside)))
        without, with_ = (cox(pair.time[who], pair.event[who], x) for x in (plain, crossed))
        chi2, df = max(2 * (with_.loglik - without.loglik), 0.0), len(inside)
        return chi2, df, chi2_above(chi2, df)

    note = f"without {', '.join(dropped)}: no events in an arm" if dropped else ""
    yield from question.address.estimates(
        ("chi2_interaction", "df_interaction", "p_interaction"),
        lambda: pair.named(test),
        group=pair.contrast.name,
        level=factor.name,
        note=note,
    )


def _telling(pair: Pair, factor: Characteristic, levels: Sequence[str]) -> tuple[list[str], list[str]]:
    """The levels with events in both arms, and the others that have patients."""
    value = pl.col(factor.column)
    seen = (
        pair.people.filter(value.is_not_null())
        .group_by(factor.column)
        .agg(ones=(pl.col("event") & pl.col("one")).sum(), noughts=(pl.col("event") & ~pl.col("one")).sum())
    )
    counts = {level: min(ones, noughts) for level, ones, noughts in seen.rows()}
    there = [level for level in levels if level in counts]
    return [x for x in there if counts[x]], [x for x in there if not counts[x]]
