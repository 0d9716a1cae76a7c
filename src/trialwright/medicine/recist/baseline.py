"""Whether the targets chosen at baseline may be targets (RECIST 1.1, sections 3.1, 3.2 and 4.2)."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.medicine._frame import Sentence, require, word_of
from trialwright.medicine.recist.policy import (
    BASELINE_DAYS,
    MAX_TARGETS,
    MAX_TARGETS_PER_ORGAN,
    MEASURABLE_MM,
    MEASURABLE_NODE_MM,
)
from trialwright.medicine.recist.target import PATIENT

_SHAPE: Final = [*PATIENT, "lesion", "rule", "value"]


def baseline_faults(targets: pl.DataFrame) -> pl.DataFrame:
    """One row per fault of the targets at baseline; they stay targets, for a fault is a question to the site.

    Takes one row per target: subject, assessor, lesion, day (from randomisation, day 0), diameter_mm (of a
    node the short axis), nodal and organ (nodes are one organ whatever is written; paired organs are the
    caller's to name alike).

    Gives subject, assessor, lesion (null: of all), rule and value: not_measurable and node_not_measurable
    (mm), baseline_too_early and baseline_too_late (day), too_many_targets and too_many_in_organ (number).
    """
    require(targets, [*PATIENT, "lesion", "day", "diameter_mm", "nodal", "organ"], "targets")
    return pl.concat([_of_size(targets), _of_day(targets), _of_number(targets)]).sort(
        *PATIENT, "rule", "lesion", nulls_last=True
    )


def _of_size(targets: pl.DataFrame) -> pl.DataFrame:
    size, nodal = pl.col("diameter_mm").cast(pl.Float64), pl.col("nodal").fill_null(False)
    return _faults(
        targets,
        [
            Sentence("node_not_measurable", "", nodal & (size < MEASURABLE_NODE_MM)),
            Sentence("not_measurable", "", ~nodal & (size < MEASURABLE_MM)),
        ],
        size,
    )


def _of_day(targets: pl.DataFrame) -> pl.DataFrame:
    day = pl.col("day").cast(pl.Float64)
    return _faults(
        targets,
        [
            Sentence("baseline_too_early", "", day < -BASELINE_DAYS),
            Sentence("baseline_too_late", "", day > 0),
        ],
        day,
    )


def _of_number(targets: pl.DataFrame) -> pl.DataFrame:
    organ = pl.when(pl.col("nodal").fill_null(False)).then(pl.lit("LYMPH NODE")).otherwise("organ")
    whole = targets.group_by(PATIENT).agg(pl.len().alias("n"))
    in_organ = (
        targets.with_columns(organ=organ)
        .drop_nulls("organ")
        .group_by([*PATIENT, "organ"])
        .agg(pl.len().alias("n"))
    )
    return pl.concat(
        [
            counts.filter(pl.col("n") > most).select(
                *PATIENT,
                pl.lit(None, dtype=targets.schema["lesion"]).alias("lesion"),
                pl.lit(rule).alias("rule"),
                pl.col("n").cast(pl.Float64).alias("value"),
            )
            for counts, most, rule in (
                (whole, MAX_TARGETS, "too_many_targets"),
                (in_organ, MAX_TARGETS_PER_ORGAN, "too_many_in_organ"),
            )
        ]
    )


def _faults(targets: pl.DataFrame, sentences: list[Sentence], value: pl.Expr) -> pl.DataFrame:
    return (
        targets.with_columns(rule=word_of(sentences), value=value)
        .filter(pl.col("rule").is_not_null())
        .select(_SHAPE)
    )
