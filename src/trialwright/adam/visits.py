"""Which scans are one assessment: those under one visit, unless they lie too far apart to be one."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Final

import polars as pl

from trialwright.adam.safety_common import Sdtm, text
from trialwright.standards import dates
from trialwright.standards.findings import findings
from trialwright.study.model import Study

NOTHING_SCHEDULED: Final = 21
"""Half of six weeks, the interval that oncology trials most often choose."""
_VISIT: Final = ["USUBJID", "assessment"]
APART: Final = pl.Schema(
    {"USUBJID": pl.String(), "assessment": pl.String(), "start": pl.Date(), "name": pl.String()}
)
"""One row per assessment of a visit that has several: when it starts, and its name instead of the visit's."""


def visit_key(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """One word per visit: its number, else its name, else the date."""
    return pl.coalesce(text(frame, "VISITNUM"), text(frame, "VISIT"), text(frame, f"{domain}DTC"))


def longest_gap(study: Study) -> int:
    """Days between two scans of one assessment, at most: what is nearer to the next visit belongs to it."""
    if study.response.assessment_gap_days is not None:
        return study.response.assessment_gap_days
    days = sorted(visit.day for visit in study.schedule.days(study.tumour_activity))
    intervals = [later - earlier for earlier, later in pairwise(days)]
    return min(intervals) // 2 if intervals else NOTHING_SCHEDULED


def apart(study: Study, sdtm: Sdtm, scans: pl.DataFrame, adsl: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    """The visits, in the shape of ``APART``, whose scans lie too far apart for one assessment.

    ``scans``: USUBJID, assessment (the visit), date (null where not known to the day) and visit, a number of
    the visit of each reader. Each assessment begins with the first scan or response after a longer gap; up
    to randomisation all are one, the baseline.
    """
    gap = pl.duration(days=longest_gap(study))
    wide = (
        scans.group_by("visit")
        .agg(pl.col(_VISIT).first(), width=pl.col("date").max() - pl.col("date").min())
        .filter(pl.col("width") > gap)
        .select(_VISIT)
        .unique()
    )
    if wide.is_empty():
        return pl.DataFrame(schema=APART)
    rs = sdtm.get("RS", pl.DataFrame(schema={"USUBJID": pl.String}))
    read = rs.select(
        "USUBJID", visit_key(rs, "RS").alias("assessment"), dates.complete(text(rs, "RSDTC")).alias("date")
    )
    days = (
        pl.concat([scans.select(read.columns), read])
        .join(wide, on=_VISIT, how="semi")
        .filter(pl.col("date") <= cutoff)
        .unique()
        .join(adsl.select("USUBJID", "RANDDT"), on="USUBJID", how="left")
        .sort(*_VISIT, "date")
    )
    before = pl.col("date").shift().over(_VISIT)
    first = before.is_null()
    again = (pl.col("date") - before > gap) & (pl.col("date") > pl.col("RANDDT"))
    later = pl.format("{} ({})", "assessment", "date")
    return (
        days.with_columns(name=pl.when(first).then("assessment").otherwise(later), start="date")
        .filter(first | again)
        .filter(pl.len().over(_VISIT) > 1)
        .select(APART.names())
    )


def named(frame: pl.DataFrame, apart: pl.DataFrame, day: pl.Expr) -> pl.DataFrame:
    """The frame with the assessment of each row, which has USUBJID and, as ``assessment``, the visit.

    Without a day it is the visit's first.
    """
    if apart.is_empty():
        return frame
    rows = frame.with_row_index("_row").with_columns(_date=day)
    found = (
        rows.select("_row", "_date", *_VISIT)
        .drop_nulls("_date")
        .sort("_date")
        .join_asof(apart.sort("start"), left_on="_date", right_on="start", by=_VISIT, check_sortedness=False)
        .select("_row", "name")
    )
    return (
        rows.join(found, on="_row", how="left", maintain_order="left")
        .with_columns(assessment=pl.coalesce("name", "assessment"))
        .drop("_row", "_date", "name")
    )


def used_twice(apart: pl.DataFrame) -> pl.DataFrame:
    """A finding per later assessment of one visit."""
    return findings(
        apart.filter(pl.col("name") != pl.col("assessment")).rename({"assessment": "VISIT"}),
        dataset="TR",
        key=["USUBJID", "VISIT"],
        variable="VISITNUM",
        rule="one visit for scans too far apart to be one assessment",
        value="start",
        action="an assessment of its own from this date; ask the site",
    )
