"""Small ADaM frames for tests of the analysis: ADSL with the columns it must have, and one number asked for."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from drawn import table
from trialwright.study.model import Analysis, Study

CUTOFF = dt.date(2027, 12, 31)

_ADSL = {
    "TRT01P": pl.String(),
    "TRT01A": pl.String(),
    "RANDDT": pl.Date(),
    "TRTSDT": pl.Date(),
    "TRTEDT": pl.Date(),
    "DTHDT": pl.Date(),
    "DTHFL": pl.String(),
    "LSTALVDT": pl.Date(),
    "EOTDT": pl.Date(),
    "EOTREAS": pl.String(),
    "EOSDT": pl.Date(),
    "EOSREAS": pl.String(),
    "NTRTREAS": pl.String(),
    "SCRFREAS": pl.String(),
    "SITE1": pl.String(),
    "CUTOFFDT": pl.Date(),
}
_FLAGS = ("SCRNFL", "ITTFL", "MITTFL", "SAFFL", "DORFL")


def adsl(text: str) -> pl.DataFrame:
    """ADSL drawn with the columns a test speaks of.

    The arm taken is the arm planned, the flags are Y for whoever has (SAFFL: took) an arm; the rest is null.
    """
    drawn = table(text)
    if "TRT01A" not in drawn.columns and "TRT01P" in drawn.columns:
        drawn = drawn.with_columns(TRT01A="TRT01P")
    whole = drawn.with_columns(
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in _ADSL.items() if name not in drawn.columns
    )
    dates = [name for name, dtype in _ADSL.items() if dtype == pl.Date()]
    whole = whole.with_columns(pl.col(dates).cast(pl.Date)).with_columns(pl.col("CUTOFFDT").fill_null(CUTOFF))
    arm_of = {name: "TRT01A" if name == "SAFFL" else "TRT01P" for name in _FLAGS if name not in whole.columns}
    return whole.with_columns(
        pl.when(pl.col(arm).is_not_null()).then(pl.lit("Y")).otherwise(pl.lit("N")).alias(name)
        for name, arm in arm_of.items()
    )


def adtte(text: str, paramcd: str = "OS") -> pl.DataFrame:
    """ADTTE drawn with USUBJID, AVAL and CNSR, and perhaps the parameter and the reasons."""
    drawn = table(text)
    defaults = {
        "PARAMCD": pl.lit(paramcd),
        "EVNTDESC": pl.when(pl.col("CNSR") == 0).then(pl.lit("DEATH")),
        "CNSDTDSC": pl.when(pl.col("CNSR") != 0).then(pl.lit("ALIVE")),
    }
    return drawn.with_columns(
        pl.col("AVAL").cast(pl.Float64), **{k: v for k, v in defaults.items() if k not in drawn.columns}
    )


def with_analyses(study: Study, *analyses: dict[str, Any]) -> Study:
    """The study with these analyses only."""
    made = tuple(Analysis.model_validate({"label": one["id"]} | one) for one in analyses)
    return study.model_copy(update={"analyses": made})


def rows(results: pl.DataFrame, **address: str) -> pl.DataFrame:
    """The results at an address; what is not said is any."""
    return results.filter(pl.col(name) == wanted for name, wanted in address.items())


def number(
    results: pl.DataFrame, statistic: str, group: str = "", level: str = "", **address: str
) -> float | None:
    """The one value there."""
    found = rows(results, statistic=statistic, group=group, level=level, **address)
    assert found.height == 1, f"{found.height} rows at {statistic}, {group}, {level}"
    return found["value"].item()


def note(results: pl.DataFrame, statistic: str, group: str = "", level: str = "", **address: str) -> str:
    found = rows(results, statistic=statistic, group=group, level=level, **address)
    assert found.height == 1, f"{found.height} rows at {statistic}, {group}, {level}"
    return str(found["note"].item())
