"""Questionnaires by scheduled visit: scores, change from baseline, completion (project rules 7.3).

Completion has two denominators. ``completion_percent``: of those alive, in the study and due, that is
whose scheduled day had come by the cutoff, by death and by the end of study; one who filled in the form
of a visit early was due. ``available_percent``: of everybody in the population. A form is valid if at least
one scale can be computed. Arms are described, not compared: that is the method ``mmrm``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from trialwright.analysis.population import arms, columns, placed, with_total
from trialwright.analysis.rows import Adam, Address
from trialwright.analysis.summary import describe, grid, long, percent
from trialwright.standards import results
from trialwright.standards.results import rows_to_frame
from trialwright.study.model import Analysis, Instrument, Study, Visit

STATISTICS: Final = ("n", "mean", "sd")
COUNTS: Final = ("due", "completed", "completion_percent", "available_percent")


def questionnaire(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Every scale at every scheduled visit that somebody was due for, and completion at every visit."""
    instrument = _instrument(study, analysis)
    address = Address(analysis.id, analysis.population)
    people = placed(study, adam, analysis.population)
    forms = _forms(adam, people, instrument)
    if forms.is_empty():
        why = f"ADQS has no scheduled form of {instrument.id} in this population"
        return rows_to_frame([address.number("n", None, level=instrument.id, note=why)])
    scheduled = study.schedule.days(instrument.activity)
    completion = _completion(study, people, forms, scheduled)
    due = completion.filter(pl.col("statistic") == "due", pl.col("value") > 0)["visit"].to_list()
    reached = tuple(visit for visit in scheduled if visit.id in due)
    sizes = columns(study, people).select(
        "group", level=pl.lit("population"), statistic=pl.lit("n"), value="N"
    )
    parts = (sizes, _scores(study, forms, reached), completion.filter(pl.col("visit").is_in(due)))
    said = []
    if later := [visit.id for visit in scheduled if visit.id not in due]:
        note = f"nobody was due yet: {', '.join(later)}"
        said.append(address.number("visits_not_reached", len(later), level="completion", note=note))
    return results.concat([*(address.frame(part) for part in parts), rows_to_frame(said)])


def _instrument(study: Study, analysis: Analysis) -> Instrument:
    found = next((i for i in study.instruments if i.id == analysis.instrument), None)
    if found is None:
        raise ValueError(f"analysis {analysis.id}: {analysis.instrument!r} is not an instrument of the study")
    return found


def _forms(adam: Adam, people: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """Scores of the one form of each scheduled visit, with ``group``."""
    return (
        adam["ADQS"]
        .filter(pl.col("PARCAT1") == instrument.id, pl.col("ANL01FL") == "Y")
        .select("USUBJID", "PARAMCD", "AVISIT", "AVAL", "CHG")
        .join(people.select("USUBJID", "group"), on="USUBJID", how="inner", maintain_order="left")
    )


def _scores(study: Study, forms: pl.DataFrame, visits: Sequence[Visit]) -> pl.DataFrame:
    """Level ``scale | visit``: the score; after baseline also its change, where that is known."""
    scales = forms["PARAMCD"].unique().sort()
    cells = grid(arms(study), [f"{scale} | {visit.id}" for scale in scales for visit in visits])
    after = grid(
        arms(study), [f"{scale} | {visit.id}" for scale in scales for visit in visits if visit.day > 0]
    )
    level = pl.format("{} | {}", "PARAMCD", "AVISIT")
    scores = forms.select("group", level=level, value="AVAL")
    changes = forms.select("group", level=level, value="CHG")
    return pl.concat(
        [
            describe(scores, cells, STATISTICS),
            describe(changes, after, STATISTICS, prefix="change_"),
        ]
    )


def _completion(
    study: Study, people: pl.DataFrame, forms: pl.DataFrame, visits: tuple[Visit, ...]
) -> pl.DataFrame:
    """One row per visit, group and statistic, with the visit's id beside its level."""
    calendar = pl.DataFrame(
        {"visit": [v.id for v in visits], "day": [v.day for v in visits]},
        schema={"visit": pl.String(), "day": pl.Int64()},
    )
    filled = forms.filter(pl.col("AVAL").is_not_null()).select("USUBJID", visit="AVISIT").unique()
    expected = (
        people.select("USUBJID", "group", "RANDDT", "DTHDT", "DTHFL", "LSTALVDT", "EOSDT", "CUTOFFDT")
        .join(calendar, how="cross")
        .join(filled.with_columns(completed=True), on=["USUBJID", "visit"], how="left")
        .with_columns(pl.col("completed").fill_null(False))
        .with_columns(due=pl.col("completed") | _due())
    )
    counts = with_total(expected).group_by("visit", "group").agg(pl.col("due", "completed").sum())
    return (
        calendar.select("visit")
        .join(columns(study, people), how="cross", maintain_order="left_right")
        .join(counts, on=["visit", "group"], how="left", maintain_order="left")
        .with_columns(pl.col("due", "completed").fill_null(0).cast(pl.Float64))
        .with_columns(
            completion_percent=percent(pl.col("completed"), pl.col("due")),
            available_percent=percent(pl.col("completed"), pl.col("N")),
            level=pl.format("completion | {}", "visit"),
        )
        .pipe(long, COUNTS, also=["visit"])
        .with_columns(note=_why_missing())
    )


def _due() -> pl.Expr:
    """Alive, in the study and not beyond the cutoff on the scheduled day; everybody is due at baseline.

    A death without a date is taken to follow the last day known alive.
    """
    scheduled = pl.col("RANDDT") + pl.duration(days=pl.col("day"))
    undated = pl.when(pl.col("DTHFL") == "Y").then("LSTALVDT")
    ends = pl.min_horizontal(pl.coalesce("DTHDT", undated), "EOSDT", "CUTOFFDT")
    return (pl.col("day") <= 0) | (scheduled <= ends).fill_null(False)


def _why_missing() -> pl.Expr:
    nobody = pl.when(pl.col("statistic") == "completion_percent").then(pl.lit("nobody was due"))
    return (
        pl.when(pl.col("value").is_null()).then(nobody.otherwise(pl.lit("no patients"))).otherwise(pl.lit(""))
    )
