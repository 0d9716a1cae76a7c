"""Laboratory values made ready for grading: what is empty, what is negative, whose baseline, how many digits."""

from __future__ import annotations

import polars as pl
import pytest

from drawn import table
from trialwright.medicine.ctcae import Policy, criteria, grade_labs, in_words

NEEDED = ("subject", "test", "value", "unit", "lln", "uln", "baseline", "is_baseline")
USUAL = {
    "subject": pl.lit("1"),
    "unit": pl.lit("U/L"),
    "lln": pl.lit(None, dtype=pl.Float64),
    "uln": pl.lit(40.0),
    "baseline": pl.lit(20.0),
    "is_baseline": pl.lit(False),
}


def graded(drawn: str, **policy: str) -> pl.DataFrame:
    frame = table(drawn)
    frame = frame.with_columns(**{name: value for name, value in USUAL.items() if name not in frame.columns})
    return grade_labs(frame, criteria(), Policy(**policy))  # type: ignore[arg-type]


def agrees(drawn: str, **policy: str) -> None:
    """Drawn columns high and why are the expected grade and reason."""
    frame, found = table(drawn), graded(drawn, **policy)
    assert found["grade_high"].to_list() == frame["high"].to_list()
    if "why" in frame.columns:
        assert found["reason_high"].to_list() == frame["why"].to_list()


@pytest.mark.parametrize("column", NEEDED)
def test_a_missing_column_is_named(column: str) -> None:
    rows = graded("| test | value |\n| ALT | 30 |").select(NEEDED)
    with pytest.raises(ValueError, match=f"^laboratory values need the columns {column}$"):
        grade_labs(rows.drop(column), criteria())


def test_an_empty_text_is_a_missing_value() -> None:
    rows = graded("| test | value |\n| ALT | >39 |\n| ALT | much |\n| ALT | - |").select(NEEDED)
    empty = rows.with_columns(value=pl.Series([">39", "", "  "]))
    found = grade_labs(empty, criteria())
    assert found["reason_high"].to_list() == ["CENS", "value missing", "value missing"]


def test_any_value_below_zero_is_none() -> None:
    agrees("""
        | test | value  | high | why |
        | ALT  | -0.001 |      | value is negative |
        | ALT  | 0      | 0    |                   |
    """)


def test_fifteen_digits_are_compared_and_the_sixteenth_is_not() -> None:
    agrees("""
        | test | value             | uln | high |
        | ALT  | 40.0000000000001  | 40  | 1    |
        | ALT  | 40.00000000000004 | 40  | 0    |
        | ALT  | 40                | 40  | 0    |
    """)


def test_a_row_that_does_not_say_whether_it_is_the_baseline_lacks_one() -> None:
    rows = graded("| test | value |\n| ALT | 50 |").select(NEEDED)
    unsaid = rows.with_columns(
        is_baseline=pl.lit(None, dtype=pl.Boolean), baseline=pl.lit(None, dtype=pl.Float64)
    )
    assert grade_labs(unsaid, criteria())["reason_high"].to_list() == ["baseline missing: limits used"]


def test_a_baseline_graded_by_itself_takes_the_one_that_is_given_before_its_own_value() -> None:
    """Of two values on the day of the baseline the one that counts, 100, is given: 250 is 2.5 times it."""
    drawn = """
        | test | value | uln | baseline | is_baseline | high |
        | ALT  | 250   | 40  | 100      | true        | 1    |
        | ALT  | 250   | 40  |          | true        | 0    |
        | ALT  | 30    | 40  |          | true        | 0    |
    """
    agrees(drawn, baseline_graded_by="itself")


def test_a_calcium_corrected_for_albumin_still_says_that_it_was_out_of_range() -> None:
    agrees("""
        | test | value | unit   | uln | albumin | high | why                         |
        | CA   | >2.9  | mmol/L | 2.6 | 40      | 1    | CENS                        |
        | CA   | 2.9   | mmol/L | 2.6 | 40      | 1    |                             |
        | CA   | >2.9  | mmol/L | 2.6 |         | 1    | CENS; calcium not corrected |
    """)


def test_reasons_in_words() -> None:
    assert in_words(pl.Series([0, 512, None, 512 + 8192])).to_list() == [
        None,
        "CENS",
        None,
        "CENS; calcium not corrected",
    ]
