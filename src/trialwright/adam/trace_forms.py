"""The trace of the questionnaires: every form and scale that a clock of deterioration could use."""

from __future__ import annotations

import polars as pl

from trialwright.adam.trace_rows import World, rows
from trialwright.study.model import Study


def forms(study: Study, now: World, later: World | None) -> list[pl.DataFrame]:
    """One row per form and scale; NAME is the scale, ASSESSMENT the instrument."""
    scales = sorted({scale for family in study.endpoints.deterioration for scale in family.scales})
    mine = now.adqs.filter(pl.col("PARAMCD").is_in(scales))
    at_baseline = pl.col("ABLFL").fill_null("N") == "Y"
    why = (
        pl.when(pl.col("AVAL").is_null())
        .then(pl.lit("no_score"))
        .when(at_baseline)
        .then(None)
        .when(pl.col("AVISIT") == "UNSCHEDULED")
        .then(pl.when(pl.col("ADY") <= 1).then(pl.lit("before_baseline")).otherwise(pl.lit("unscheduled")))
    )
    parts = [_rows(mine.with_columns(_why=why))]
    if later is not None:
        after = later.adqs.filter(pl.col("PARAMCD").is_in(scales)).join(
            now.adsl.select("USUBJID", "CUTOFFDT"), on="USUBJID", how="inner", maintain_order="left"
        )
        after = after.filter(pl.col("ADT") > pl.col("CUTOFFDT"))
        parts.append(_rows(after.with_columns(_why=pl.lit("after_cutoff"))))
    return parts


def _rows(frame: pl.DataFrame) -> pl.DataFrame:
    return rows(
        frame,
        "form",
        NAME=pl.col("PARAMCD"),
        ASSESSMENT=pl.col("PARCAT1"),
        AVISIT=pl.col("AVISIT"),
        DATE=pl.col("ADT"),
        VALUE=pl.when(pl.col("ABLFL") == "Y").then(pl.lit("baseline")),
        AVAL=pl.col("AVAL"),
        BASE=pl.col("BASE"),
        CHG=pl.col("CHG"),
        WORD=pl.col("RULE"),
        USED=pl.when(pl.col("_why").is_null()).then(pl.lit("Y")).otherwise(pl.lit("N")),
        REASON=pl.col("_why"),
        SRCDOM=pl.col("SRCDOM"),
        SRCVAR=pl.col("SRCVAR"),
        SRCSEQ=pl.col("SRCSEQ"),
    )
