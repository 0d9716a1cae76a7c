"""The next dose after a missed one, drawn: project rules 2.4."""

from __future__ import annotations

import polars as pl
import pytest

from drawn import table
from trialwright.medicine.dosing import at_place, is_amount, is_dose, next_dose

DOSES, LIMITS = (1.0, 10.0, 10.0), (14, 21, 28)

RESTART = """
    last dose        | place | gap | due
    1 mg on C1D1     | 1     | 7   | 10
    1 mg on C1D1     | 1     | 14  | 10
    1 mg on C1D1     | 1     | 15  | 1
    10 mg on C1D8    | 2     | 21  | 10
    10 mg on C1D8    | 2     | 22  | 1
    10 mg on C1D15   | 3     | 28  | 10
    10 mg on C1D15   | 3     | 29  | 1
    10 mg from C2 on | 4     | 28  | 10
    10 mg from C2 on | 4     | 29  | 1
    10 mg from C2 on | 20    | 28  | 10
    10 mg from C2 on | 20    | 29  | 1
    gap not known    | 4     |     | |
    place not known  |       | 10  | |
"""


def test_the_restart_table_at_its_limits() -> None:
    drawn = table(RESTART)
    due = drawn.select(next_dose(pl.col("place"), pl.col("gap"), DOSES, LIMITS)).to_series()
    assert due.to_list() == drawn["due"].to_list()


def test_within_the_limit_the_amount_of_the_next_place_is_due() -> None:
    """A step-up in three steps, 1, 3 and 10: after the first the second is due, after the third the third."""
    places = pl.DataFrame({"place": [1, 2, 3, 4]})
    due = places.select(next_dose(pl.col("place"), pl.lit(7), (1.0, 3.0, 10.0), (14,))).to_series()
    assert due.to_list() == [3, 10, 10, 10]


@pytest.mark.parametrize(("place", "value"), [(1, 14), (2, 21), (3, 28), (9, 28), (None, None)])
def test_the_last_value_stands_for_all_later_places(place: int | None, value: float | None) -> None:
    frame = pl.DataFrame({"place": [place]}, schema={"place": pl.Int64})
    assert frame.select(at_place(pl.col("place"), LIMITS)).item() == value


AMOUNTS = """
    given | meant | same  | counts
    10    | 10    | true  | true
    11    | 10    | true  | true
    11.01 | 10    | false | true
    9     | 10    | true  | true
    8.99  | 10    | false | true
    8     | 10    | false | true
    7.99  | 10    | false | false
    1.1   | 1     | true  | true
    0.3   | 0.33  | true  | true
    0.33  | 0.3   | true  | true
    0.24  | 0.3   | false | true
"""


def test_a_tenth_is_the_same_and_four_fifths_is_a_dose() -> None:
    drawn = table(AMOUNTS)
    given, meant = pl.col("given"), pl.col("meant")
    assert drawn.select(is_amount(given, meant)).to_series().to_list() == drawn["same"].to_list()
    assert drawn.select(is_dose(given, meant)).to_series().to_list() == drawn["counts"].to_list()
    assert (
        pl.DataFrame({"a": [None]}, schema={"a": pl.Float64}).select(is_dose(pl.col("a"), pl.lit(1))).item()
    )
