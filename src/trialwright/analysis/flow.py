"""Participants from assessment to analysis (CONSORT 2025 item 22; project rules 10.4), as randomised.

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
_DEAD = pl.col("DTHFL").eq_missing("Y")
_GONE = pl.col("EOSDT").is_not_null() | _DEAD  # also where nobody recorded the end
_LEFT = _RANDOMISED & _GONE
_STOPPED = _TREATED & (pl.col("EOTDT").is_not_null() | _GONE)
_OTHER_ARM = _TREATED & (pl.col("TRT01A") != pl.col("group")).fill_null(False)

_DEATH = pl.when(_DEAD).then(pl.lit("DEATH"))


def _completed(reason: str) -> pl.Expr:
    return pl.col(reason).str.to_uppercase().str.starts_with("COMPLETED").fill_null(False)


Box = tuple[pl.Expr, tuple[pl.Expr, ...]]
BOXES: Final[Mapping[str, Box]] = {
    "assessed": (pl.lit(True), ()),
    "excluded": (~_RANDOMISED, (pl.col("SCRFREAS"), pl.col("EOSREAS"))),
    "randomised": (_RANDOMISED, ()),
    "treated": (_TREATED, ()),
    "treated with another arm": (_OTHER_ARM, (pl.col("TRT01A"),)),
    "not treated": (_RANDOMISED & ~_TREATED, (pl.col("NTRTREAS"),)),
    "treatment ongoing": (_TREATED & ~_STOPPED, ()),
    "completed treatment": (_STOPPED & _completed("EOTREAS"), ()),
    "discontinued treatment": (_STOPPED & ~_completed("EOTREAS"), (pl.col("EOTREAS"),)),
    "study ongoing": (_RANDOMISED & ~_LEFT, ()),
    "completed study": (_LEFT & _completed("EOSREAS"), ()),
    "discontinued study": (_LEFT & ~_completed("EOSREAS"), (pl.col("EOSREAS"), _DEATH)),
    "analysed": (_RANDOMISED & pl.col("analysed"), ()),
    "not analysed": (_RANDOMISED & ~pl.col("analysed"), ()),
}
"""Level to who is in it and what in ADSL says why, the first that does."""


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
    boxes = pl.concat(_box(people, groups, level, box) for level, box in BOXES.items())
    sizes = pl.concat(_population(study, adam, groups, one.id) for one in study.populations)
    return results.concat([Address(ANALYSIS).frame(boxes), Address(ANALYSIS).frame(sizes)])


def _box(people: pl.DataFrame, groups: list[str], level: str, box: Box) -> pl.DataFrame:
    condition, reasons = box
    inside = people.filter(condition)
    counted = _counts(inside.select("group", level=pl.lit(level)), groups, [level])
    if not reasons or inside.is_empty():
        return counted
    reason = pl.format(level + ": {}", pl.coalesce(*reasons, pl.lit(NO_REASON)))
    said = inside.select("group", level=reason)
    return pl.concat([counted, _counts(said, groups, said["level"].unique().sort().to_list())])


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
    if study.population(population).rule == "screened":
        groups = [TOTAL]  # most of the screened have no arm
    return _counts(members(study, adam, population).select("group", level=pl.lit(level)), groups, [level])
