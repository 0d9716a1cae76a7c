"""What if some patients had fared otherwise: their times are changed, and the main analysis done again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.analysis.asked import HAZARD, Asked, not_there, tested
from trialwright.standards.results import Result
from trialwright.stats.logrank import logrank

DATES: Final = ("NACTDT", "CUTOFFDT")
"""Of ADSL: what the changes need, where it is there."""


def until_therapy(asked: Asked) -> Iterator[Result]:
    """Follow-up ends with another anticancer therapy; an event of the same day counts."""
    people = asked.pair.people
    if not {"NACTDT", "STARTDT"} <= set(people.columns):
        yield from asked.say((*HAZARD, "p_wald"), not_there("the day of another therapy is not in the data"))
        return
    day = _day(asked, "NACTDT")
    cut = ((day >= 0) & (day < pl.col("AVAL"))).fill_null(False)
    changed = people.select(cut.alias("cut"), time=pl.when(cut).then(day).otherwise("AVAL"))
    yield from _changed(asked, changed, event=asked.pair.event & ~changed["cut"].to_numpy())


def worst(asked: Asked) -> Iterator[Result]:
    """Those lost to follow-up have the event in the experimental arm, and live to the cutoff in the other.

    Lost: censored longer before the cutoff than the study says.
    """
    people = asked.pair.people
    if not {"CUTOFFDT", "STARTDT"} <= set(people.columns):
        yield from asked.say((*HAZARD, "p_wald"), not_there("the day of the cutoff is not in the data"))
        return
    last = _day(asked, "CUTOFFDT")
    wait = asked.question.days(asked.question.analysis.lost_after_months)
    lost = (~pl.col("event") & (last - pl.col("AVAL") > wait)).fill_null(False)
    changed = people.select(
        lost.alias("cut"), time=pl.when(lost & ~pl.col("one")).then(last).otherwise("AVAL")
    )
    yield from _changed(asked, changed, event=asked.pair.event | (changed["cut"].to_numpy() & asked.pair.one))


def _day(asked: Asked, date: str) -> pl.Expr:
    """As AVAL counts days."""
    return (pl.col(date) - pl.col("STARTDT")).dt.total_days() + asked.question.study.study.day_offset


def _changed(asked: Asked, changed: pl.DataFrame, event: npt.NDArray[np.bool_]) -> Iterator[Result]:
    """Log-rank and Cox, both stratified, of times that were changed for those in ``cut``."""
    pair = replace(asked.pair, time=changed["time"].cast(pl.Float64).to_numpy(), event=event)
    other = replace(asked, pair=pair)
    yield from other.count("n_changed", changed["cut"].to_numpy())
    sides = (pair.time, pair.event, pair.one, pair.strata.labels)
    yield from other.say(("z", "p_value"), lambda: tested(logrank(*sides)))
    yield from other.say(
        (*HAZARD, "p_wald"), lambda: pair.hazard_ratio(asked.question.confidence, pair.strata.labels)
    )
