"""The next dose of a drug that begins with a step-up dose, after a missed or delayed one.

The rule is that of a label's restart table (tarlatamab, US label 2024, table 4): up to a number of days after
a dose, which depends on its place, the next planned amount is given; after more, the step-up begins again.
The numbers are the trial's. A gap equal to the limit is within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

GIVEN_SHARE: Final = 0.8
"""An infusion stopped before this share of its amount is not a dose from which the next one counts."""
TOLERANCE: Final = 0.1
"""An amount within a tenth of another is that amount."""


def next_dose(place: pl.Expr, gap_days: pl.Expr, doses: Sequence[float], limits: Sequence[int]) -> pl.Expr:
    """The amount due ``gap_days`` after the dose at ``place``, in the unit of ``doses``.

    ``place`` counts from 1 at the last step-up dose. ``doses`` and ``limits`` are given place by place; the
    last of each stands for all later ones. Null where the place or the gap is not known.
    """
    planned = at_place(place + 1, doses)
    due = pl.when(gap_days <= at_place(place, limits)).then(planned).otherwise(pl.lit(float(doses[0])))
    return pl.when(place.is_not_null() & gap_days.is_not_null()).then(due)


def at_place(place: pl.Expr, values: Sequence[float]) -> pl.Expr:
    """The value of a place counted from 1; beyond the last, the last."""
    found: pl.Expr = pl.lit(float(values[-1]))
    for number, value in reversed(list(enumerate(values[:-1], start=1))):
        found = pl.when(place <= number).then(pl.lit(float(value))).otherwise(found)
    return pl.when(place.is_not_null()).then(found)


def is_amount(given: pl.Expr, meant: pl.Expr) -> pl.Expr:
    """Whether an amount is another, within a tenth."""
    return (given - meant).abs().round(9) <= (TOLERANCE * meant).round(9)


def is_dose(given: pl.Expr, meant: pl.Expr) -> pl.Expr:
    """Whether enough was given of what was meant to count as a dose; an unknown amount was."""
    return (given.round(9) >= (GIVEN_SHARE * meant).round(9)).fill_null(True)
