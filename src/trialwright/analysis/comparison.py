"""An experimental arm versus the control arm, for a time to event.

Log-rank (trial rules §8.1) and Cox, with Efron's ties unless the study says otherwise (§8.2), in the strata
as randomised; the unstratified hazard ratio beside it. Differences of medians, of landmark rates (§8.5) and
of restricted means (§8.6) are not stratified; restricted means weighted by strata are among the
supporting analyses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.analysis.population import Contrast, contrasts
from trialwright.analysis.question import Question, in_months, positive
from trialwright.analysis.rows import limits
from trialwright.analysis.strata import Strata, strata
from trialwright.standards.results import Result
from trialwright.stats.cox import Ties, cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.intervals import Contrast as Difference
from trialwright.stats.logrank import logrank
from trialwright.stats.medians import median_difference
from trialwright.stats.restricted import landmark_difference, rmst_difference

T = TypeVar("T")
Labels = npt.NDArray[np.object_] | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two arms side by side, one element per subject; ``one`` is True in the experimental arm."""

    contrast: Contrast
    time: npt.NDArray[np.float64]
    event: npt.NDArray[np.bool_]
    one: npt.NDArray[np.bool_]
    strata: Strata
    people: pl.DataFrame
    """The rows of the sample behind the arrays."""
    ties: Ties = "efron"

    def named(self, compute: Callable[[], T]) -> T:
        """What ``compute`` gives; where it cannot be estimated, the reason names the arms."""
        for arm, members in ((self.contrast.experimental, self.one), (self.contrast.control, ~self.one)):
            if not members.any():
                raise NotEstimable(f"no patients in arm {arm}")
        try:
            return compute()
        except NotEstimable as why:
            raise NotEstimable(self.contrast.in_words(why.reason)) from why

    def hazard_ratio(self, confidence: float, labels: Labels) -> tuple[float, ...]:
        """Cox's, its limits and Wald's p."""

        def fit() -> tuple[float, ...]:
            self.need_events()
            found = cox(self.time, self.event, self.one, labels, ties=self.ties, confidence=confidence)
            return tuple(float(x[0]) for x in (found.hazard_ratio, found.lower, found.upper, found.p_wald))

        return self.named(fit)

    def need_events(self) -> None:
        """Raises `NotEstimable` unless both arms have events: without, the ratio is 0 or infinite."""
        if not self.event.any():
            raise NotEstimable("no events")
        for arm, members in ((self.contrast.experimental, self.one), (self.contrast.control, ~self.one)):
            if not self.event[members].any():
                raise NotEstimable(f"no events in arm {arm}")

    def limited(
        self, compute: Callable[[], Difference], day: float, level: str
    ) -> Callable[[], tuple[float, float, float]]:
        """The estimate and its limits; a reason that names the day says the months instead."""

        def numbers() -> tuple[float, float, float]:
            try:
                found = self.named(compute)
            except NotEstimable as why:
                raise NotEstimable(why.reason.replace(f"{day:g}", level)) from why
            return found.estimate, found.lower, found.upper

        return numbers


def comparisons(question: Question) -> Iterator[Result]:
    """Each experimental arm versus control."""
    for contrast in contrasts(question.study):
        pair = pair_of(question, contrast)
        yield from pair.strata.rows(question.address, contrast.name)
        yield from _hazards(question, pair)
        yield from _medians(question, pair)
        yield from _differences(question, pair)


def pair_of(question: Question, contrast: Contrast) -> Pair:
    both = question.sample.filter(pl.col("group").is_in([contrast.experimental, contrast.control]))
    both = both.with_columns(one=pl.col("group") == contrast.experimental, event=pl.col("CNSR") == 0)
    time, event, one = (both[name].to_numpy() for name in ("AVAL", "event", "one"))
    return Pair(
        contrast, time, event, one, strata(both, question.analysis.strata), both, question.analysis.ties
    )


def _hazards(question: Question, pair: Pair) -> Iterator[Result]:
    address, group, labels = question.address, pair.contrast.name, pair.strata.labels

    def test() -> tuple[float, float]:
        found = pair.named(lambda: logrank(pair.time, pair.event, pair.one, labels))
        return found.p_value, found.z

    yield from address.estimates(("p_logrank", "z_logrank"), test, group=group)
    yield from address.estimates(
        (*limits("hazard_ratio"), "p_wald"),
        lambda: pair.hazard_ratio(question.confidence, labels),
        group=group,
    )
    if question.analysis.strata:
        yield from address.estimates(
            limits("hazard_ratio_unstratified"),
            lambda: pair.hazard_ratio(question.confidence, None)[:3],
            group=group,
        )


def _medians(question: Question, pair: Pair) -> Iterator[Result]:
    def less() -> tuple[float, float, float]:
        found = pair.named(
            lambda: median_difference(pair.time, pair.event, pair.one, confidence=question.confidence)
        )
        return found.estimate, found.lower, found.upper

    yield from question.address.estimates(limits("median_difference"), less, group=pair.contrast.name)


def _differences(question: Question, pair: Pair) -> Iterator[Result]:
    address, group, sides = question.address, pair.contrast.name, (pair.time, pair.event, pair.one)
    for months in question.analysis.landmarks_months:
        day, level = question.days(months), in_months(months)

        def rates(day: float = day) -> Difference:
            return landmark_difference(*sides, day, confidence=question.confidence).difference

        compute = pair.limited(rates, day, level)
        yield from address.estimates(limits("survival_difference"), compute, group=group, level=level)
    for months in question.analysis.rmst_months:
        (tau, note), level = question.tau(months), in_months(months)

        def means(tau: float = tau) -> Difference:
            return rmst_difference(*sides, positive(tau), confidence=question.confidence).difference

        compute = pair.limited(means, tau, level)
        yield from address.estimates(limits("rmst_difference"), compute, group=group, level=level, note=note)
