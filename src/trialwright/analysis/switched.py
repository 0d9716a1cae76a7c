"""What if nobody of the control arm had been given the experimental treatment (§8.14, 12).

A patient switches where the fact ``switch`` of the study says so, on SWITCHDT. Censoring there is biased
wherever those who switch do better or worse than the others; the rank preserving model is not, if treatment
does the same whenever it begins. Those of the experimental arm are taken as treated all their time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from trialwright.analysis.asked import HAZARD, Asked, not_there
from trialwright.analysis.changed_times import again, day_of
from trialwright.analysis.rows import limits
from trialwright.standards.results import Result
from trialwright.stats.errors import NotEstimable
from trialwright.stats.rank_preserving import rank_preserving

SWITCH: Final = "SWITCHDT"
"""Of ADSL."""
PSI: Final = limits("psi")


def until_switch(asked: Asked) -> Iterator[Result]:
    """Follow-up of the control arm ends with the experimental treatment; an event of the same day counts."""
    if not _known(asked):
        yield from asked.say((*HAZARD, "p_wald"), not_there(_UNKNOWN))
        return
    day, cut = _day(asked), _switched(asked)
    changed = asked.pair.people.select(cut.alias("cut"), time=pl.when(cut).then(day).otherwise("AVAL"))
    yield from again(asked, changed, event=asked.pair.event & ~changed["cut"].to_numpy())


def had_nobody_switched(asked: Asked) -> Iterator[Result]:
    """Rank preserving structural failure time model; recensored at the cutoff in the control arm.

    ``psi``: time on treatment counts exp(psi) times. The p value is that of the arms as randomised.
    """
    names = (*HAZARD, "p_value", *PSI)
    if not _known(asked):
        yield from asked.say(names, not_there(_UNKNOWN))
        return
    pair, people = asked.pair, asked.pair.people
    found = people.select(
        switched=_switched(asked),
        on=pl.when("one").then("AVAL").when(_switched(asked)).then(pl.col("AVAL") - _day(asked)),
        last=pl.max_horizontal(day_of(asked, "CUTOFFDT"), "AVAL"),
    )
    switched = found["switched"].to_numpy()
    yield from asked.count("n_changed", switched)

    def compute() -> tuple[float, ...]:
        pair.need_events()
        if not switched.any():
            raise NotEstimable("nobody of the control arm switched")
        on, last = (found[name].cast(pl.Float64).fill_null(0).to_numpy() for name in ("on", "last"))
        sides = (pair.time, pair.event, pair.one, np.minimum(on, pair.time), last)
        model = rank_preserving(*sides, strata=pair.strata.labels, confidence=asked.question.confidence)
        ratio, psi = model.hazard_ratio(), model.psi
        effect = (ratio.estimate, ratio.lower, ratio.upper, model.p_value)
        return (*effect, psi.estimate, psi.lower, psi.upper)

    said = "limits of the ratio from the test of the arms as randomised, whose p this is"
    yield from asked.say(names, compute, note=said, gap="Z does not come down to its limit within the search")


_UNKNOWN = "the data do not say who switched, or when the clock started"


def _known(asked: Asked) -> bool:
    return {SWITCH, "CUTOFFDT", "STARTDT"} <= set(asked.pair.people.columns)


def _switched(asked: Asked) -> pl.Expr:
    """In the control arm, before the end of follow-up."""
    return (~pl.col("one") & (_day(asked) < pl.col("AVAL"))).fill_null(False)


def _day(asked: Asked) -> pl.Expr:
    return day_of(asked, SWITCH).clip(lower_bound=0)
