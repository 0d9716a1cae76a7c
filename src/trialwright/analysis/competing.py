"""An endpoint with which death competes: cumulative incidence by arm, and its contrasts (project rules 8.11).

Death competes where it is one of the events of the clock (progression-free survival: the cause is then any
other event) or where deterioration has ``death = "competing"``. One minus Kaplan–Meier is never shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.analysis.comparison import Pair, pair_of
from trialwright.analysis.population import arms, contrasts
from trialwright.analysis.question import Question, in_months
from trialwright.analysis.rows import Adam, limits
from trialwright.analysis.time_to_event import questions
from trialwright.standards.results import Result, rows_to_frame
from trialwright.stats.competing import CumulativeIncidence, aalen_johansen, gray
from trialwright.stats.errors import NotEstimable
from trialwright.stats.subdistribution import fine_gray
from trialwright.study.model import Analysis, Study

CAUSE, DEATH = 1, 2
STATUS: Final = (
    pl.when((pl.col("CNSR") == 0) & (pl.col("EVNTDESC") != "DEATH").fill_null(True))
    .then(CAUSE)
    .when((pl.col("CNSR") == 0) | (pl.col("CNSDTDSC") == "DEATH BEFORE DETERIORATION").fill_null(False))
    .then(DEATH)
    .otherwise(0)
)
"""From a row of ADTTE: 1 the event of interest, 2 death before it, 0 neither."""

Status = npt.NDArray[np.int64]


def competing_risks(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Counts and incidences of each arm, then Gray's test and two hazard ratios of each contrast."""
    found: list[Result] = []
    for question in questions(study, adam, analysis):
        for arm in arms(study):
            found += _arm(question, arm)
        for contrast in contrasts(study):
            found += _contrast(question, pair_of(question, contrast))
    return rows_to_frame(found)


def _status(people: pl.DataFrame) -> Status:
    return people.select(STATUS.cast(pl.Int64)).to_series().to_numpy()


def _arm(question: Question, arm: str) -> Iterator[Result]:
    address = question.address
    mine = question.sample.filter(pl.col("group") == arm)
    time, status = mine["AVAL"].to_numpy(), _status(mine)
    yield address.number("n", time.size, group=arm)
    for statistic, code in (("events", CAUSE), ("competing", DEATH), ("censored", 0)):
        yield address.number(statistic, int((status == code).sum()), group=arm)
    for statistic, groups in question.lost.items():
        if arm in groups:
            yield address.number(statistic, groups[arm], group=arm, note="without a time in ADTTE")
    for months in question.analysis.landmarks_months:
        for name, cause in (("incidence", CAUSE), ("incidence_competing", DEATH)):

            def incidence(months: float = months, cause: int = cause) -> tuple[float, ...]:
                if not time.size:
                    raise NotEstimable(f"no patients in arm {arm}")
                curve = aalen_johansen(time, status, causes=2, confidence=question.confidence)
                return _at(curve, question.days(months), cause, f"arm {arm}", in_months(months))

            yield from address.estimates(
                limits(name),
                incidence,
                group=arm,
                level=in_months(months),
                gap="the limits are not defined where the incidence is 0 or 1",
            )


def _at(curve: CumulativeIncidence, day: float, cause: int, arm: str, level: str) -> tuple[float, ...]:
    found = tuple(float(x) for x in curve.at(day, cause))
    if np.isnan(found[0]):
        raise NotEstimable(f"nobody of {arm} was followed to {level}")
    return found


def _contrast(question: Question, pair: Pair) -> Iterator[Result]:
    """Gray's test and the cause-specific ratio in the strata; Fine and Gray's model has none."""
    address, group, confidence = question.address, pair.contrast.name, question.confidence
    status, labels = _status(pair.people), pair.strata.labels
    own = replace(pair, event=status == CAUSE)
    yield from pair.strata.rows(address, group)

    def equal() -> tuple[float, float]:
        if not own.event.any():
            raise NotEstimable("no events")
        found = gray(pair.time, status, pair.one, labels)
        return found.chi2, found.p_value

    def subdistribution() -> tuple[float, ...]:
        own.need_events()
        if pair.time.min() == 0:
            raise NotEstimable("a time of 0 days cannot be weighted")
        found = fine_gray(pair.time, status, pair.one, confidence=confidence)
        return tuple(float(x[0]) for x in (found.hazard_ratio, found.lower, found.upper, found.p_wald))

    yield from address.estimates(("chi2_gray", "p_gray"), lambda: pair.named(equal), group=group)
    yield from address.estimates(
        (*limits("subdistribution_hazard_ratio"), "p_subdistribution"),
        lambda: pair.named(subdistribution),
        group=group,
        note="not stratified",
    )
    yield from address.estimates(
        (*limits("cause_specific_hazard_ratio"), "p_cause_specific"),
        lambda: own.hazard_ratio(confidence, labels),
        group=group,
    )
