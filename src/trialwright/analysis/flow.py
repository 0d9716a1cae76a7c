"""Participants from assessment to analysis (CONSORT 2025 item 22; trial rules §10.4), as randomised.

Counts at the cutoff, by arm and in total; those not randomised have no arm. By construction assessed =
excluded + randomised, randomised = treated + not treated = analysed + not analysed, treated = completed +
discontinued + ongoing treatment, and the reasons of each box add up to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from trialwright.analysis.population import TOTAL, arms, members, with_total
from trialwright.analysis.rows import Adam, Address
from trialwright.analysis.summary import grid
from trialwright.standards import results
from trialwright.study.model import Study

ANALYSIS: Final = "FLOW"
NO_REASON: Final = "no reason given"

_RANDOMISED = pl.col("group").is_not_null()
_TREATED = _RANDOMISED & pl.col("TRTSDT").is_not_null()
_STOPPED = _TREATED & pl.col("EOTDT").is_not_null()
_LEFT = _RANDOMISED & pl.col("EOSDT").is_not_null()
_OTHER_ARM = _TREATED & (pl.col("TRT01A") != pl.col("group")).fill_null(False)


def _completed(reason: str) -> pl.Expr:
    return pl.col(reason).str.to_uppercase().str.starts_with("COMPLETED").fill_null(False)


BOXES: Final[Mapping[str, tuple[pl.Expr, str | None]]] = {
    "assessed": (pl.lit(True), None),
    "excluded": (~_RANDOMISED, "SCRFREAS"),
    "randomised": (_RANDOMISED, None),
    "treated": (_TREATED, None),
    "treated with another arm": (_OTHER_ARM, "TRT01A"),
    "not treated": (_RANDOMISED & ~_TREATED, "NTRTREAS"),
    "treatment ongoing": (_TREATED & ~_STOPPED, None),
    "completed treatment": (_STOPPED & _completed("EOTREAS"), None),
    "discontinued treatment": (_STOPPED & ~_completed("EOTREAS"), "EOTREAS"),
    "study ongoing": (_RANDOMISED & ~_LEFT, None),
    "completed study": (_LEFT & _completed("EOSREAS"), None),
    "discontinued study": (_LEFT & ~_completed("EOSREAS"), "EOSREAS"),
    "analysed": (_RANDOMISED & pl.col("analysed"), None),
    "not analysed": (_RANDOMISED & ~pl.col("analysed"), None),
}
"""Level to who is in it and the column of ADSL that says why."""


def flow(study: Study, adam: Adam) -> pl.DataFrame:
    """n in every box, with reasons; then the size of every population."""
    headline = study.population(study.headline_population)
    people = adam["ADSL"].with_columns(
        group=pl.when(pl.col("RANDDT").is_not_null() & pl.col("TRT01P").is_in(list(arms(study)))).then(
            "TRT01P"
        ),
        analysed=pl.col(headline.flag).eq_missing("Y"),
    )
    groups = [*arms(study), TOTAL]
    boxes = pl.concat(_box(people, groups, *box) for box in BOXES.items())
    sizes = pl.concat(_population(study, adam, groups, one.id) for one in study.populations)
    return results.concat([Address(ANALYSIS).frame(boxes), Address(ANALYSIS).frame(sizes)])


def _box(
    people: pl.DataFrame, groups: list[str], level: str, box: tuple[pl.Expr, str | None]
) -> pl.DataFrame:
    condition, column = box
    inside = people.filter(condition)
    counted = _counts(inside.select("group", level=pl.lit(level)), groups, [level])
    if column is None or inside.is_empty():
        return counted
    reason = pl.format(level + ": {}", _reason(inside, column))
    said = inside.select("group", level=reason)
    return pl.concat([counted, _counts(said, groups, said["level"].unique().sort().to_list())])


def _reason(inside: pl.DataFrame, column: str) -> pl.Expr:
    """The reason of this box, else the reason for leaving the study."""
    sources = [pl.col(name) for name in (column, "EOSREAS") if name in inside.columns]
    return pl.coalesce(*sources, pl.lit(NO_REASON))


def _counts(rows: pl.DataFrame, groups: list[str], levels: list[str]) -> pl.DataFrame:
    """n in every group; those without an arm are in the total only."""
    found = with_total(rows).filter(pl.col("group").is_not_null()).group_by("group", "level").len("value")
    return (
        grid(groups, levels)
        .join(found, on=["group", "level"], how="left", maintain_order="left")
        .select(
            "group",
            "level",
            pl.lit("n").alias("statistic"),
            pl.col("value").fill_null(0).cast(pl.Float64),
        )
    )


def _population(study: Study, adam: Adam, groups: list[str], population: str) -> pl.DataFrame:
    level = f"population: {population}"
    return _counts(members(study, adam, population).select("group", level=pl.lit(level)), groups, [level])
