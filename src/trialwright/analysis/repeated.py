"""Change of a questionnaire's scales over the visits: a mixed model (project rules 7.4).

Arm, visit, arm by visit, baseline, baseline by visit and the strata as randomised; unstructured covariance,
then autoregressive; Satterthwaite's degrees of freedom. Means stand at the mean baseline, the levels of each
stratum alike. A visit counts while every arm has at least five changes there; later ones are left out, in a
row. After a death nothing is missing that could be known: the model, like any of its kind, speaks of a
change without deaths, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from trialwright.analysis.population import arms, placed
from trialwright.analysis.rows import Adam, Address, limits
from trialwright.standards.results import Result, rows_to_frame
from trialwright.stats.errors import NotEstimable
from trialwright.stats.mmrm import Estimates
from trialwright.stats.visit_means import Covariates, VisitMeans, visit_means
from trialwright.study.model import Analysis, Deterioration, Study

LEAST: Final = 5
MEAN: Final = limits("lsmean")
DIFFERENCE: Final = (*limits("difference"), "p_value")
ALL_VISITS: Final = "all visits"
DEATH: Final = "visits after a death count as missing at random"


@dataclass(frozen=True, slots=True)
class _Question:
    study: Study
    analysis: Analysis
    address: Address
    changes: pl.DataFrame
    """One row per subject, scale and visit after baseline: CHG, BASE, group, strata, place of the visit."""
    visits: tuple[str, ...]


def change_over_visits(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Level ``scale | visit``: the mean change of each arm and its difference from the control arm.

    The scales are those of the deterioration family that the analysis names as its endpoint. Raises
    ValueError where it names none.
    """
    family = _family(study, analysis)
    question = _question(study, adam, analysis, family)
    return rows_to_frame(row for scale in family.scales for row in _scale(question, scale))


def _family(study: Study, analysis: Analysis) -> Deterioration:
    found = next((d for d in study.endpoints.deterioration if d.id == analysis.endpoint), None)
    if found is None:
        raise ValueError(
            f"analysis {analysis.id}: {analysis.endpoint!r} is not a deterioration family of the study"
        )
    return found


def _question(study: Study, adam: Adam, analysis: Analysis, family: Deterioration) -> _Question:
    instrument = next(i for i in study.instruments if i.id == family.instrument)
    later = tuple(visit.id for visit in study.schedule.days(instrument.activity) if visit.day > 0)
    people = placed(study, adam, analysis.population).select("USUBJID", "group", *analysis.strata)
    order = {name: place for place, name in enumerate(later)}
    changes = (
        adam["ADQS"]
        .filter(
            pl.col("PARCAT1") == family.instrument,
            pl.col("ANL01FL") == "Y",
            pl.col("AVISIT").is_in(later),
            pl.col("CHG").is_not_null(),
        )
        .select(
            "USUBJID",
            "PARAMCD",
            "CHG",
            visit=pl.col("AVISIT").replace_strict(order, default=None, return_dtype=pl.Int64()),
            BASE=pl.col("AVAL") - pl.col("CHG"),
        )
        .join(people, on="USUBJID", how="inner", maintain_order="left")
    )
    address = Address(analysis.id, analysis.population, analysis.endpoint or "")
    return _Question(study, analysis, address, changes, later)


def _scale(question: _Question, scale: str) -> Iterator[Result]:
    number = question.address.number
    rows = question.changes.filter(pl.col("PARAMCD") == scale)
    reached = _reached(question, rows)
    try:
        if not reached:
            raise NotEstimable(f"no visit has {LEAST} changes in every arm")
        found = _fit(question, rows.filter(pl.col("visit").is_in(reached)))
    except NotEstimable as why:
        yield number("structure", None, level=scale, note=why.reason)
        return
    yield from _model(question, scale, found)
    left = rows.filter(~pl.col("visit").is_in(reached)).height
    if left:
        note = f"changes at visits with fewer than {LEAST} in an arm"
        yield number("left_out", left, level=scale, note=note)
    yield from _numbers(question, scale, found)


def _reached(question: _Question, rows: pl.DataFrame) -> list[int]:
    """Visits, from the first on, at which every arm has enough changes."""
    counts = rows.group_by("visit", "group").len()
    reached = []
    for place in range(len(question.visits)):
        sizes = dict(counts.filter(pl.col("visit") == place).select("group", "len").iter_rows())
        if any(sizes.get(arm, 0) < LEAST for arm in arms(question.study)):
            break
        reached.append(place)
    return reached


def _fit(question: _Question, rows: pl.DataFrame) -> VisitMeans:
    strata = [rows[name].cast(pl.String).fill_null("missing").to_numpy() for name in question.analysis.strata]
    return visit_means(
        rows["CHG"].to_numpy(),
        rows["USUBJID"].to_numpy(),
        rows["visit"].to_numpy(),
        rows["group"].to_numpy(),
        Covariates(rows["BASE"].to_numpy(), strata),
        reference=question.study.control.id,
    )


def _model(question: _Question, scale: str, found: VisitMeans) -> Iterator[Result]:
    number, model = question.address.number, found.model
    passed = "; ".join(f"{name}: {reason}" for name, reason in model.passed_over)
    note = model.structure + (f" (not {passed})" if passed else "")
    yield number("structure", len(model.parameters), level=scale, note=note)
    yield number("subjects", model.n_subjects, level=scale, note=DEATH)


def _numbers(question: _Question, scale: str, found: VisitMeans) -> Iterator[Result]:
    number = question.address.number
    names = [question.visits[int(place)] for place in found.visits.tolist()]
    levels = [f"{scale} | {name}" for name in names]
    groups = [str(arm) for arm in found.arms]
    cells = [(group, level) for group in groups for level in levels]
    for (group, level), n in zip(cells, found.observed.ravel().tolist(), strict=True):
        yield number("n", n, group=group, level=level)
    yield from _told(question, MEAN, cells, found.means)
    versus = [f"{group} vs {groups[0]}" for group in groups[1:]]
    yield from _told(question, DIFFERENCE, [(g, x) for g in versus for x in levels], found.differences)
    yield from _told(
        question, DIFFERENCE, [(g, f"{scale} | {ALL_VISITS}") for g in versus], found.over_visits
    )


def _told(
    question: _Question, names: Sequence[str], cells: Sequence[tuple[str, str]], values: Estimates
) -> Iterator[Result]:
    parts = np.column_stack((values.estimate, values.lower, values.upper, values.p_value))
    for (group, level), numbers in zip(cells, parts.tolist(), strict=True):
        for name, value in zip(names, numbers, strict=False):
            yield question.address.number(name, value, group=group, level=level)
