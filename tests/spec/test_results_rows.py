"""A result is a number with an address; two numbers never share one, and a gap says why."""

import math

import polars as pl
import pytest

from trialwright.standards import results
from trialwright.standards.results import result, rows_to_frame


def test_one_row_per_number():
    frame = rows_to_frame(
        [
            result("os", "hazard_ratio", 0.6, endpoint="OS", population="ITT"),
            result("os", "median", None, endpoint="OS", population="ITT", group="B", note="not reached"),
        ]
    )
    assert frame.schema == results.SCHEMA
    assert frame["value"].to_list() == [0.6, None]
    assert frame["group"].to_list() == ["", "B"]


def test_nan_is_no_number():
    assert result("os", "median", math.nan, note="not reached").value is None


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([result("a", "n", 1), result("a", "n", 2)], "more than once: analysis=a"),
        ([result("a", "n", None)], "neither a value nor a reason"),
        ([result("a", "n", math.nan)], "neither a value nor a reason"),
    ],
)
def test_our_mistakes_raise(rows: list[results.Result], words: str):
    with pytest.raises(ValueError, match=words):
        rows_to_frame(rows)


def test_a_wrong_schema_and_a_null_address_raise():
    with pytest.raises(ValueError, match="results have the columns"):
        results.check(pl.DataFrame({"analysis": ["a"]}))
    null = rows_to_frame([result("a", "n", 1)]).with_columns(group=pl.lit(None, pl.String))
    with pytest.raises(ValueError, match="null in its address"):
        results.check(null)


def test_results_of_several_analyses_are_checked_together():
    one = rows_to_frame([result("a", "n", 1)])
    assert results.concat([]).schema == results.SCHEMA
    assert results.concat([one, rows_to_frame([result("b", "n", 1)])]).height == 2
    with pytest.raises(ValueError, match="more than once"):
        results.concat([one, one])
