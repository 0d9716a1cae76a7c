"""Periods that the study's sources name: anticoagulation, symptoms."""

from __future__ import annotations

from datetime import date

import polars as pl

from trialwright.adam.facts import matching
from trialwright.adam.safety_common import Sdtm, text
from trialwright.standards import dates
from trialwright.study.sources import Period


def within(sdtm: Sdtm, period: Period, rows: pl.DataFrame, cutoff: date) -> pl.Series:
    """Whether a row's day (USUBJID, ADT) lies in a period of its subject; false where nothing says so.

    A period without a start or an end is open there. Partial dates reach as far as they may.
    """
    told = matching(sdtm, period.domain, period.where)
    spells = told.select(
        "USUBJID",
        start=dates.earliest(text(told, period.start)).fill_null(date.min),
        end=dates.latest(text(told, period.end)).fill_null(date.max),
    ).filter(pl.col("start") <= cutoff)
    inside = (
        rows.select("USUBJID", "ADT", row=pl.int_range(pl.len()))
        .join(spells, on="USUBJID")
        .filter(pl.col("ADT").is_between("start", "end"))
    )
    return rows.select(pl.int_range(pl.len()).is_in(inside["row"].unique().implode())).to_series()
