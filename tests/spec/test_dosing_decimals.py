"""Amounts are compared to a billionth of their unit, so that a tenth and four fifths are exact."""

from __future__ import annotations

import polars as pl

from drawn import table
from trialwright.medicine.dosing import is_amount, is_dose

SAME = """
    given         | meant       | same
    0.77          | 0.7         | true
    11.0000000004 | 10          | true
    11.000000004  | 10          | false
    10.999999996  | 9.999999996 | true
    10.99999996   | 9.99999996  | false
"""

COUNTS = """
    given        | meant        | counts
    2.4          | 3            | true
    2.3999999999 | 3            | true
    2.399999998  | 3            | false
    2.4          | 3.0000000005 | true
    2.4          | 3.000000003  | false
"""


def test_a_tenth_more_is_the_same_amount_to_a_billionth() -> None:
    drawn = table(SAME)
    assert (
        drawn.select(is_amount(pl.col("given"), pl.col("meant"))).to_series().to_list()
        == drawn["same"].to_list()
    )


def test_four_fifths_are_a_dose_to_a_billionth() -> None:
    drawn = table(COUNTS)
    assert (
        drawn.select(is_dose(pl.col("given"), pl.col("meant"))).to_series().to_list()
        == drawn["counts"].to_list()
    )
