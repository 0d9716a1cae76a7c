"""What if some patients had fared otherwise: their times are changed, and the main analysis done again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.analysis.asked import HAZARD, Asked, not_there, tested
from trialwright.standards.results import Result
from trialwright.stats.delta_adjusted import Lost, delta_adjusted
from trialwright.stats.errors import NotEstimable
from trialwright.stats.logrank import logrank

DATES: Final = ("NACTDT", "CUTOFFDT")
"""Of ADSL: what the changes need, where it is there."""


def until_therapy(asked: Asked) -> Iterator[Result]:
    """Follow-up ends with another anticancer therapy; an event of the same day counts."""
    people = asked.pair.people
    if not {"NACTDT", "STARTDT"} <= set(people.columns):
        yield from asked.say((*HAZARD, "p_wald"), not_there("the day of another therapy is not in the data"))
        return
    day = day_of(asked, "NACTDT").clip(lower_bound=0)
    cut = (day < pl.col("AVAL")).fill_null(False)
    changed = people.select(cut.alias("cut"), time=pl.when(cut).then(day).otherwise("AVAL"))
    yield from again(asked, changed, event=asked.pair.event & ~changed["cut"].to_numpy())


def worst(asked: Asked) -> Iterator[Result]:
    """Those lost to follow-up have the event in the experimental arm, and live to the cutoff in the other."""
    people = asked.pair.people
    if not {"CUTOFFDT", "STARTDT"} <= set(people.columns):
        yield from asked.say((*HAZARD, "p_wald"), not_there("the day of the cutoff is not in the data"))
        return
    last, lost = day_of(asked, "CUTOFFDT"), _lost(asked)
    changed = people.select(
        lost.alias("cut"), time=pl.when(lost & ~pl.col("one")).then(last).otherwise("AVAL")
    )
    yield from again(asked, changed, event=asked.pair.event | (changed["cut"].to_numpy() & asked.pair.one))


def tipping(asked: Asked) -> Iterator[Result]:
    """Those lost from the experimental arm, at its hazard times delta until the cutoff: where does p tip?

    One line for each delta of the study, then the first at which p is above 1 - confidence.
    """
    people, pair = asked.pair.people, asked.pair
    analysis, confidence = asked.question.analysis, asked.question.confidence
    if not {"CUTOFFDT", "STARTDT"} <= set(people.columns):
        yield from asked.say((*HAZARD, "p_wald"), not_there("the day of the cutoff is not in the data"))
        return
    chosen = people.select(who=_lost(asked) & pl.col("one"), until=day_of(asked, "CUTOFFDT"))
    until = np.fmax(chosen["until"].cast(pl.Float64).fill_null(0).to_numpy(), pair.time)
    lost = Lost(chosen["who"].to_numpy(), until)
    yield from asked.count("n_changed", chosen["who"].to_numpy())
    p_values: dict[float, float] = {}
    for delta in analysis.tipping_deltas:

        def compute(delta: float = delta) -> tuple[float, ...]:
            pair.need_events()
            labels, times = pair.strata.labels, analysis.imputations
            sides = (pair.time, pair.event, pair.one, lost, delta)
            found = delta_adjusted(*sides, strata=labels, imputations=times, confidence=confidence)
            p_values[delta] = found.p_value
            return found.hazard_ratio, found.lower, found.upper, found.p_value

        yield from asked.say((*HAZARD, "p_wald"), compute, detail=f"hazard x {delta:g}")
    alpha = 1 - confidence
    said = f"p is {alpha:.2g} or less at every factor"
    yield from asked.say(("tipping_delta",), lambda: (_tipped(asked, p_values, alpha),), gap=said)


def _tipped(asked: Asked, p_values: Mapping[float, float], alpha: float) -> float:
    """The first factor, from the smallest on, at which p is above alpha; NaN where there is none."""
    *_, observed = asked.pair.hazard_ratio(asked.question.confidence, asked.pair.strata.labels)
    if observed > alpha:
        raise NotEstimable(f"p is above {alpha:.2g} before anything is imputed")
    if not p_values:
        raise NotEstimable("nobody was lost")
    for delta in asked.question.analysis.tipping_deltas:
        if delta not in p_values:
            raise NotEstimable(f"there is no estimate at the factor {delta:g}")
        if p_values[delta] > alpha:
            return delta
    return math.nan


def _lost(asked: Asked) -> pl.Expr:
    """Censored longer before the cutoff than the study says."""
    wait = asked.question.days(asked.question.analysis.lost_after_months)
    return (~pl.col("event") & (day_of(asked, "CUTOFFDT") - pl.col("AVAL") > wait)).fill_null(False)


def day_of(asked: Asked, date: str) -> pl.Expr:
    """As AVAL counts days."""
    return (pl.col(date) - pl.col("STARTDT")).dt.total_days() + asked.question.study.study.day_offset


def again(asked: Asked, changed: pl.DataFrame, event: npt.NDArray[np.bool_]) -> Iterator[Result]:
    """Log-rank and Cox, both stratified, of times that were changed for those in ``cut``."""
    pair = replace(asked.pair, time=changed["time"].cast(pl.Float64).to_numpy(), event=event)
    other = replace(asked, pair=pair)
    yield from other.count("n_changed", changed["cut"].to_numpy())
    sides = (pair.time, pair.event, pair.one, pair.strata.labels)
    yield from other.say(("z", "p_value"), lambda: tested(logrank(*sides)))
    yield from other.say(
        (*HAZARD, "p_wald"), lambda: pair.hazard_ratio(asked.question.confidence, pair.strata.labels)
    )
