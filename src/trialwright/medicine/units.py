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
    pair, factors = conversions(frame["test"], frame["unit"], table)
    times, over = factors["times"].gather(pair), factors["over"].gather(pair)
    return frame.with_columns(
        factors["si_unit"].gather(pair),
        *((pl.col(c) * times / over).alias(f"si_{c}") for c in columns),
    )


def conversions(
    test: pl.Series, unit: pl.Series, table: pl.DataFrame | None = None
) -> tuple[pl.Series, pl.DataFrame]:
    """Each row's place in a small frame of every test with every unit: test, unit, si_unit, times and over.

    A million rows have a few dozen pairs; what holds for a pair is worked out once and gathered by its place.
    """
    test_code, tests = coded(test)
    unit_code, spellings = coded(unit)
    keys = spellings.rename("unit").to_frame().with_columns(unit_key=unit_key(pl.col("unit")))
    pairs = (
        tests.rename("test")
        .to_frame()
        .join(keys, how="cross", maintain_order="left_right")
        .join(units() if table is None else table, on=["test", "unit_key"], how="left", maintain_order="left")
    )
    place = test_code.cast(pl.UInt32) * spellings.len() + unit_code
    return place, pairs.select("test", "unit", "si_unit", "times", "over")


def coded(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Each text as its place among the different ones, and these; the place of a null is the last."""
    if isinstance(texts.dtype, pl.Enum):
        code, words = texts.to_physical().cast(pl.UInt32), texts.dtype.categories
    else:
        told = texts.cast(pl.String).cast(pl.Categorical(categories := pl.Categories.random()))
        code, words = told.to_physical(), categories.to_series()
    return code.fill_null(words.len()), words.cast(pl.String).extend_constant(None, 1)
