"""ADTR: the sum of the target lesions at each assessment of each reader, with baseline, nadir and change."""

from __future__ import annotations

import polars as pl

from trialwright.adam.lesions import Lesions
from trialwright.study.model import Study

_JOIN = ["subject", "assessor", "assessment"]


def build(study: Study, seen: Lesions, adsl: pl.DataFrame) -> pl.DataFrame:
    """One row per subject, reader (PARQUAL) and assessment; AVISITN 0 is the baseline.

    AVAL is the sum in mm of the lesions measured (COMPLFL says whether all were); BASE, CHG, PCHG, NADIR,
    CHGNAD and PCHGNAD as RECIST 1.1 means them. ANL01FL marks complete sums up to a new anticancer therapy
    and up to the first progression that this reader's lesions show, its own sum included.
    """
    origin = adsl.select(subject="USUBJID", RANDDT="RANDDT", NACTDT="NACTDT")
    visits = seen.visits.select(*_JOIN, "AVISIT", "SRCSEQ")
    frame = seen.course.join(visits, on=_JOIN, how="left", maintain_order="left").join(
        origin, on="subject", how="left", maintain_order="left"
    )
    day = pl.col("RANDDT") + pl.duration(days=pl.col("day"))
    frame = frame.sort("subject", "assessor", ~pl.col("baseline"), "day", "assessment").with_columns(ADT=day)
    pd_day = _first_progressions(seen)
    frame = frame.join(pd_day, on=["subject", "assessor"], how="left", maintain_order="left")
    in_time = (pl.col("ADT") <= pl.col("NACTDT")).fill_null(True)
    counted = pl.col("complete") & in_time & (pl.col("day") <= pl.col("_pd")).fill_null(True)
    has_baseline = pl.col("baseline").any().over("subject", "assessor")
    order = pl.int_range(pl.len(), dtype=pl.Int64).over("subject", "assessor")
    return frame.select(
        pl.lit(study.study.id).alias("STUDYID"),
        pl.col("subject").alias("USUBJID"),
        pl.col("assessor").alias("PARQUAL"),
        pl.lit("SUMTGT").alias("PARAMCD"),
        pl.lit("Sum of diameters of target lesions (mm)").alias("PARAM"),
        "ADT",
        study_day().alias("ADY"),
        "AVISIT",
        pl.when(has_baseline).then(order).otherwise(order + 1).alias("AVISITN"),
        pl.col("sum_mm").alias("AVAL"),
        pl.col("baseline_mm").alias("BASE"),
        pl.col("change_mm").alias("CHG"),
        pl.col("percent_change").alias("PCHG"),
        pl.col("nadir_mm").alias("NADIR"),
        pl.col("change_from_nadir_mm").alias("CHGNAD"),
        pl.col("percent_change_from_nadir").alias("PCHGNAD"),
        pl.when("baseline").then(pl.lit("Y")).alias("ABLFL"),
        pl.when(counted).then(pl.lit("Y")).alias("ANL01FL"),
        pl.when("complete").then(pl.lit("Y")).otherwise(pl.lit("N")).alias("COMPLFL"),
        pl.lit("TR").alias("SRCDOM"),
        pl.lit("TRSTRESN").alias("SRCVAR"),
        "SRCSEQ",
        pl.col("rule").alias("RULE"),
    )


def _first_progressions(seen: Lesions) -> pl.DataFrame:
    """``_pd``: the last scan of the assessment at which each reader's lesions first show progression."""
    shown = seen.points.filter(pl.col("overall_response") == "PD").select(*_JOIN, "pd_day")
    return (
        shown.join(seen.course.select(*_JOIN, last="day"), on=_JOIN, how="left")
        .group_by("subject", "assessor")
        .agg(pl.max_horizontal("pd_day", "last").sort_by("pd_day").first().alias("_pd"))
    )


def study_day() -> pl.Expr:
    """``day`` (0 = randomisation) as CDISC counts: the day of randomisation is 1, the day before −1."""
    return pl.col("day") + (pl.col("day") >= 0).cast(pl.Int64)
