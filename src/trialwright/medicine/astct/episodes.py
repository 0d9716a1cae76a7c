"""Episodes of CRS or ICANS, and the dose that each followed."""

from __future__ import annotations

import polars as pl

from trialwright.medicine._frame import require
from trialwright.medicine.astct.policy import DECIMALS


def episodes(course: pl.DataFrame) -> pl.DataFrame:
    """One row per subject and episode of a ``crs_course`` or an ``icans_course``.

    onset_h (first grade 1 or more), last_h (last such), resolved_h (first assessment after it without a
    sign and without a query; null: not resolved as far as seen, or fatal), max_grade and max_h (when it was
    first reached).
    """
    require(course, ["subject", "hours", "grade", "episode"], "course")
    if "query" not in course.columns:
        course = course.with_columns(query=pl.lit(None, dtype=pl.String))
    sign = course.filter((pl.col("grade") > 0) & pl.col("episode").is_not_null())
    found = (
        sign.sort("subject", "hours")
        .group_by("subject", "episode", maintain_order=True)
        .agg(
            pl.col("hours").min().alias("onset_h"),
            pl.col("hours").max().alias("last_h"),
            pl.col("grade").max().alias("max_grade"),
            pl.col("hours").filter(pl.col("grade") == pl.col("grade").max()).min().alias("max_h"),
        )
    )
    clear = (
        course.filter((pl.col("grade") == 0) & pl.col("query").is_null() & pl.col("hours").is_not_null())
        .select("subject", resolved_h="hours")
        .sort("resolved_h")
    )
    return (
        found.sort("last_h")
        .join_asof(
            clear,
            left_on="last_h",
            right_on="resolved_h",
            by="subject",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .with_columns(resolved_h=pl.when(pl.col("max_grade") < 5).then("resolved_h"))
        .select("subject", "episode", "onset_h", "last_h", "resolved_h", "max_grade", "max_h")
        .sort("subject", "episode")
    )


def attach_dose(episodes: pl.DataFrame, doses: pl.DataFrame) -> pl.DataFrame:
    """Adds the most recent dose started before onset: dose, dose_h, hours_from_dose, and no_dose_between.

    ``doses`` has subject, dose (its number or name) and hours (start, same origin). no_dose_between: the
    episode before followed the same dose, so that this is its return rather than a new one. Null: no dose
    before onset.
    """
    require(episodes, ["subject", "episode", "onset_h"], "episodes")
    require(doses, ["subject", "dose", "hours"], "doses")
    given = doses.select(
        "subject", "dose", dose_h=pl.col("hours").cast(pl.Float64).round(DECIMALS)
    ).drop_nulls("dose_h")
    same = (pl.col("dose_h") == pl.col("dose_h").shift(1)).over("subject")
    return (
        episodes.sort("onset_h")
        .join_asof(
            given.sort("dose_h"),
            left_on="onset_h",
            right_on="dose_h",
            by="subject",
            strategy="backward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .sort("subject", "episode")
        .with_columns(
            hours_from_dose=pl.col("onset_h") - pl.col("dose_h"), no_dose_between=same.fill_null(False)
        )
    )
