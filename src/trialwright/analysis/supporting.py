"""What stands beside the main analysis of a time to an event: one implementation for each word of a test.

Project rules 8.2, §8.6-8.8, §8.14. Every row has the word as its level (with the months, where there are
several). Tests with weights, restricted means, Firth and profile limits use the strata of the analysis;
the adjusted model has none, as strata are among its covariates if the study names them. None of these is
chosen after looking: the main analysis stays the stratified log-rank test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.analysis.comparison import Pair, pair_of
from trialwright.analysis.factors import characteristics, design
from trialwright.analysis.population import contrasts
from trialwright.analysis.question import Question, in_months, positive
from trialwright.analysis.rows import Adam, limits
from trialwright.analysis.time_to_event import questions
from trialwright.standards.results import Result, rows_to_frame
from trialwright.stats.cox import cox, proportional_hazards
from trialwright.stats.errors import NotEstimable
from trialwright.stats.logrank import LogRank, logrank
from trialwright.stats.maxcombo import MaxCombo, maxcombo, modestly_weighted
from trialwright.stats.penalised import firth_cox, profile_limits
from trialwright.stats.product_limit import kaplan_meier
from trialwright.stats.restricted import RestrictedMeanContrast, largest_tau, rmst_difference
from trialwright.study.model import Analysis, Study

HAZARD: Final = limits("hazard_ratio")
DATES: Final = ("NACTDT", "CUTOFFDT")


@dataclass(frozen=True, slots=True)
class Asked:
    """One contrast of one parameter, and the word it is asked under."""

    question: Question
    pair: Pair
    word: str

    def say(
        self,
        names: Iterable[str],
        compute: Callable[[], Iterable[float]],
        *,
        detail: str = "",
        note: str = "",
        gap: str = "not defined",
    ) -> Iterator[Result]:
        """Rows of the contrast; a reason names the arms."""
        yield from self.question.address.estimates(
            tuple(names),
            lambda: self.pair.named(compute),
            group=self.pair.contrast.name,
            level=self.level(detail),
            note=note,
            gap=gap,
        )

    def count(
        self, statistic: str, who: npt.NDArray[np.bool_], *, detail: str = "", note: str = ""
    ) -> Iterator[Result]:
        """How many of each arm; of the control arm once, with the first contrast."""
        contrast, one = self.pair.contrast, self.pair.one
        first = contrast == contrasts(self.question.study)[0]
        for arm, members in ((contrast.control, ~one), (contrast.experimental, one)):
            if first or arm != contrast.control:
                yield self.question.address.number(
                    statistic, int((who & members).sum()), group=arm, level=self.level(detail), note=note
                )

    def level(self, detail: str) -> str:
        return f"{self.word} | {detail}" if detail else self.word


def supporting(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """The study's tests of each contrast, in the study's order; first the strata that were used."""
    columns = [c.value for c in characteristics(study, analysis.covariates)]
    dates = [pl.col(name) for name in DATES if name in adam["ADSL"].columns]
    found: list[Result] = []
    for asked in questions(study, adam, analysis, [*columns, *dates]):
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


def _tested(found: LogRank) -> tuple[float, float]:
    return found.z, found.p_value


def _weighted(rho: float, gamma: float) -> Callable[[Asked], Iterator[Result]]:
    """Log-rank test with the weights of Fleming and Harrington."""

    def test(asked: Asked) -> Iterator[Result]:
        pair = asked.pair

        def compute() -> tuple[float, float]:
            labels = pair.strata.labels
            return _tested(logrank(pair.time, pair.event, pair.one, labels, rho=rho, gamma=gamma))

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
        return _tested(modestly_weighted(pair.time, pair.event, pair.one, day, labels))

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
    yield from asked.say(("z", "p_value"), lambda: _tested(logrank(pair.time, pair.event, pair.one)))
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


def _until_therapy(asked: Asked) -> Iterator[Result]:
    """Follow-up ends with another anticancer therapy; an event of the same day counts."""
    people = asked.pair.people
    if not {"NACTDT", "STARTDT"} <= set(people.columns):
        yield from asked.say((*HAZARD, "p_wald"), _not_there("the day of another therapy is not in the data"))
        return
    day = _day(asked, "NACTDT")
    cut = ((day >= 0) & (day < pl.col("AVAL"))).fill_null(False)
    changed = people.select(cut.alias("cut"), time=pl.when(cut).then(day).otherwise("AVAL"))
    yield from _changed(asked, changed, event=asked.pair.event & ~changed["cut"].to_numpy())


def _worst(asked: Asked) -> Iterator[Result]:
    """Those lost to follow-up have the event in the experimental arm, and live to the cutoff in the other.

    Lost: censored longer before the cutoff than the study says.
    """
    people = asked.pair.people
    if not {"CUTOFFDT", "STARTDT"} <= set(people.columns):
        yield from asked.say((*HAZARD, "p_wald"), _not_there("the day of the cutoff is not in the data"))
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


def _not_there(why: str) -> Callable[[], Iterable[float]]:
    def compute() -> Iterable[float]:
        raise NotEstimable(why)

    return compute


def _changed(asked: Asked, changed: pl.DataFrame, event: npt.NDArray[np.bool_]) -> Iterator[Result]:
    """Log-rank and Cox, both stratified, of times that were changed for those in ``cut``."""
    pair = replace(asked.pair, time=changed["time"].cast(pl.Float64).to_numpy(), event=event)
    other = replace(asked, pair=pair)
    yield from other.count("n_changed", changed["cut"].to_numpy())
    sides = (pair.time, pair.event, pair.one, pair.strata.labels)
    yield from other.say(("z", "p_value"), lambda: _tested(logrank(*sides)))
    yield from other.say(
        (*HAZARD, "p_wald"), lambda: pair.hazard_ratio(asked.question.confidence, pair.strata.labels)
    )


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
    "censored_at_new_therapy": _until_therapy,
    "worst_case": _worst,
}
