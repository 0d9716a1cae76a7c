"""Laboratory units as laboratories write them: one spelling of many."""

from __future__ import annotations

import polars as pl
import pytest

from drawn import table
from trialwright.medicine.units import to_si, unit_key

SPELLINGS = """
    written       | read as
    x10E9/l       | 10^9/L
    10*9/L        | 10^9/L
    10**09 / L    | 10^9/L
    10^3/mm3      | 10^3/UL
    10^3/cu.mm    | 10^3/UL
    10^3/cumm     | 10^3/UL
    K/mcL         | K/UL
    K/cmm         | K/UL
    mcg/L         | UG/L
    µg/L          | UG/L
    μg/L          | UG/L
    mcmol/L       | UMOL/L
    IU/L          | U/L
    mIU/mL        | MIU/ML
    mm3/L         | MM3/L
"""


def test_one_spelling_of_many() -> None:
    drawn = table(SPELLINGS)
    found = drawn.select(unit_key(pl.col("written"))).to_series()
    assert found.to_list() == drawn["read as"].to_list()


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_no_unit_is_a_word_too(nothing: str | None) -> None:
    frame = pl.DataFrame({"unit": [nothing]}, schema={"unit": pl.String})
    assert frame.select(unit_key(pl.col("unit"))).item() == "NONE"


def test_each_row_of_many_keeps_its_place() -> None:
    rows = table("""
        | test | unit | value | si_value | si_unit |
        | ALT  | U/L  | 40    | 40.0     | U/L     |
        | HGB  | g/dL | 10    | 100.0    | g/L     |
        | ALT  | U/L  | 80    | 80.0     | U/L     |
        | ALT  | mmHg | 80    |          |         |
        | HGB  | g/dL | 12    | 120.0    | g/L     |
    """)
    found = to_si(rows.select("test", "unit", "value"))
    assert found.select("si_value", "si_unit").equals(rows.select("si_value", "si_unit"))
    assert found.select("test", "unit", "value").equals(rows.select("test", "unit", "value"))


def test_words_of_a_list_are_read_as_texts_are() -> None:
    rows = table("""
        | test | unit | value | si_value |
        | ALT  | U/L  | 40    | 40.0     |
        | INR  |      | 1     | 1.0      |
        | HGB  | g/dL | 12    | 120.0    |
        | HGB  |      | 12    |          |
    """)
    words = rows.select(
        pl.col("test").cast(pl.Enum(["HGB", "K", "ALT", "INR"])),
        pl.col("unit").cast(pl.Enum(["U/L", "mmol/L", "g/dL"])),
        pl.col("value").cast(pl.Float64),
    )
    assert to_si(words)["si_value"].to_list() == rows["si_value"].to_list()
