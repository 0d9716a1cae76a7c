"""Summaries of a number in each column of a table, as rows.

Quartiles interpolate between the two nearest values (Hyndman and Fan 1996, type 7: R's default; SAS's
default, type 2, may differ by part of a step). The standard deviation divides by n - 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl

NO_PATIENTS: Final = "no patients"
_VALUE: Final = pl.col("value")
STATISTICS: Final[Mapping[str, pl.Expr]] = {
    "n": _VALUE.count(),
    "mean": _VALUE.mean(),
    "sd": _VALUE.std(),
    "median": _VALUE.median(),
    "q1": _VALUE.quantile(0.25, "linear"),
    "q3": _VALUE.quantile(0.75, "linear"),
    "min": _VALUE.min(),
    "max": _VALUE.max(),
}


def grid(groups: Iterable[str], levels: Iterable[str]) -> pl.DataFrame:
    """Every level in every group, in the order given."""
    return pl.DataFrame({"level": [*levels]}, schema={"level": pl.String()}).join(
        pl.DataFrame({"group": [*groups]}, schema={"group": pl.String()}),
        how="cross",
        maintain_order="left_right",
    )


def describe(
    values: pl.DataFrame, cells: pl.DataFrame, statistics: Iterable[str] = STATISTICS, *, prefix: str = ""
) -> pl.DataFrame:
    """Rows of group, level, statistic, value and note.

    ``values`` has group, level and ``value`` (null: missing); ``cells`` has every group and level wanted.
    ``prefix`` stands before the names of the statistics.
    """
    found = values.group_by("group", "level").agg(
        STATISTICS[name].cast(pl.Float64).alias(f"{prefix}{name}") for name in statistics
    )
    n = f"{prefix}n"
    return (
        cells.join(found, on=["group", "level"], how="left", maintain_order="left")
        .with_columns(pl.col(n).fill_null(0))
        .with_columns(here=pl.col(n))
        .pipe(long, [f"{prefix}{name}" for name in statistics], also=["here"])
        .with_columns(note=_why_missing())
        .drop("here")
    )


def long(frame: pl.DataFrame, statistics: Iterable[str], *, also: Iterable[str] = ()) -> pl.DataFrame:
    """One row per number, the statistics of a cell together: ``statistic`` and ``value``.

    Each row of ``frame`` is one group and level (and what else ``also`` names).
    """
    index = ["row", "group", "level", *also]
    return (
        frame.with_row_index("row")
        .unpivot(on=[*statistics], index=index, variable_name="statistic", value_name="value")
        .sort("row", maintain_order=True)
        .drop("row")
    )


def tabulate(
    counts: pl.DataFrame, cells: pl.DataFrame, sizes: pl.DataFrame, names: Sequence[str] = ("n",)
) -> pl.DataFrame:
    """Counts in every cell, zeros included, and ``percent``: n of the column's N, whoever was counted.

    ``counts`` has group, level and the counts named; ``sizes`` has group and ``N``.
    """
    return (
        cells.join(counts, on=["level", "group"], how="left", maintain_order="left")
        .join(sizes, on="group", how="left", maintain_order="left")
        .with_columns(pl.col(names).fill_null(0).cast(pl.Float64))
        .with_columns(percent=percent(pl.col("n"), pl.col("N")))
        .pipe(long, [*names, "percent"])
        .with_columns(note=pl.when(pl.col("value").is_null()).then(pl.lit(NO_PATIENTS)).otherwise(pl.lit("")))
    )


def _why_missing() -> pl.Expr:
    gap = pl.when(pl.col("here") == 0).then(pl.lit("no value")).otherwise(pl.lit("one value only"))
    return pl.when(pl.col("value").is_null()).then(gap).otherwise(pl.lit(""))


def percent(x: pl.Expr, of: pl.Expr) -> pl.Expr:
    """Null where nobody could have counted."""
    return pl.when(of > 0).then(100 * x / of)
