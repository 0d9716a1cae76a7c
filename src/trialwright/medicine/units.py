"""Laboratory units to SI: one table, ``tables/units.csv``, spellings of the United States and of the rest.

The factors from mass are molar masses: creatinine 113.1 g/mol, bilirubin 584.7, urate 168.1, glucose 180.16,
calcium 40.08, magnesium 24.31, cholesterol 386.7, triolein 885.7, phosphorus 30.97, haemoglobin 16114 (of one
haem).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

import polars as pl


@lru_cache
def units() -> pl.DataFrame:
    """The unit table: one row per test and spelling, ``si = value x times / over`` in ``si_unit``."""
    with resources.files("trialwright.medicine").joinpath("tables/units.csv").open("rb") as file:
        packed = pl.read_csv(
            file, schema_overrides={"times": pl.Float64, "over": pl.Float64, "si_unit": pl.String}
        )
    return (
        packed.with_columns(test=pl.col("tests").str.split(" "), unit_key=pl.col("spellings").str.split(" "))
        .explode("test")
        .explode("unit_key")
        .select("test", "unit_key", "si_unit", "times", "over")
    )


def unit_key(unit: pl.Expr) -> pl.Expr:
    """One spelling for the many of a unit: ``x10E9/l``, ``10*9/L`` and ``10^9/L`` are the same."""
    key = unit.cast(pl.String).fill_null("").str.replace_all("[μµ]", "u").str.to_uppercase()
    key = key.str.replace_all(r"\s", "").str.replace(r"^X?10(?:\^|\*+|E)0?(\d+)", "10^${1}")
    key = key.str.replace("^MCG", "UG").str.replace("^MCMOL", "UMOL").str.replace("^IU/", "U/")
    key = key.str.replace(r"/(MM\^?3|CU\.?MM|MCL|CMM)$", "/UL")
    return pl.when(key == "").then(pl.lit("NONE")).otherwise(key)


def to_si(
    frame: pl.DataFrame, columns: Sequence[str] = ("value",), table: pl.DataFrame | None = None
) -> pl.DataFrame:
    """``frame`` (test, unit, and numbers in that unit) with ``si_unit`` and one ``si_<column>`` per column.

    Both are null where the unit is not known for the test; an INR has no unit. The original columns stay.
    """
    table = units() if table is None else table
    seen = frame.select(pl.col("test", "unit").cast(pl.String)).unique()
    known = seen.with_columns(unit_key=unit_key(pl.col("unit"))).join(
        table, on=["test", "unit_key"], how="left"
    )
    keys = frame.select(pl.col("test", "unit").cast(pl.String))
    factors = keys.join(known, on=["test", "unit"], how="left", nulls_equal=True, maintain_order="left")
    return frame.with_columns(
        factors["si_unit"],
        *((pl.col(c) * factors["times"] / factors["over"]).alias(f"si_{c}") for c in columns),
    )
