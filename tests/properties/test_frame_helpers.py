"""What the clinical rules share, against the plain way: order of rows, numbers of keys, courses walked side by side."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.medicine._frame import (
    Sentence,
    numbered_by,
    placed,
    require,
    require_words,
    result_of,
    so_far,
    steps,
    word_of,
)

TEXTS = st.sampled_from([None, "a", "b", "ab", "c"])
DAYS = st.sampled_from([None, -3, 0, 2, 7])
ROWS = st.lists(st.tuples(TEXTS, DAYS, TEXTS), min_size=0, max_size=12)
SCHEMA = {"one": pl.String, "day": pl.Int64, "two": pl.String}
WORDS = pl.Enum(["c", "b", "ab", "a"])


def null_first(row: tuple[object, ...]) -> tuple[tuple[bool, object], ...]:
    return tuple((value is not None, value) for value in row)


def ranks(rows: list[tuple[object, ...]]) -> list[int]:
    order = sorted({null_first(row) for row in rows})
    return [order.index(null_first(row)) for row in rows]


def dense(places: pl.Series) -> list[int]:
    return [int(place) - 1 for place in places.rank("dense")]


@settings(max_examples=60)
@given(ROWS)
def test_places_are_in_the_order_of_the_columns_null_first(rows: list[tuple[str, int, str]]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    assert dense(placed(frame, ["one", "day", "two"])) == ranks(rows)
    assert dense(placed(frame, ["day", "one"])) == ranks([(day, one) for one, day, _ in rows])
    within = placed(frame, ["two"])
    assert dense(placed(frame, ["one"], within=within)) == ranks([(two, one) for one, _, two in rows])


def test_places_of_more_columns_than_one_whole_number_holds_keep_their_order() -> None:
    """Eight columns of 3,000 numbers each: 3,001 to the seventh passes the 63 bits of a whole number."""
    generator = np.random.default_rng(1)
    names = [f"c{i}" for i in range(8)]
    drawn = generator.integers(0, 3, (3_000, 8))
    drawn[:3] = [[2] * 8, [2] * 7 + [1], [2] * 8]
    frame = pl.DataFrame(drawn, schema=names, orient="row")
    meant = ranks([tuple(row) for row in drawn.tolist()])
    assert dense(placed(frame, names)) == meant
    assert dense(placed(frame, names[4:], within=placed(frame, names[:4]))) == meant
    assert dense(placed(frame, names[1:], within=frame["c0"].cast(pl.UInt8))) == meant


@settings(max_examples=30)
@given(ROWS)
def test_places_of_words_are_in_the_order_of_their_list(rows: list[tuple[str, int, str]]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(pl.col("one").cast(WORDS))
    rank = {None: None, "c": 0, "b": 1, "ab": 2, "a": 3}
    assert dense(placed(frame, ["one", "day"])) == ranks([(rank[one], day) for one, day, _ in rows])


def test_a_place_alone_starts_at_nothing() -> None:
    frame = pl.DataFrame({"one": ["b", None, "a"]})
    assert placed(frame, ["one"]).to_list() == [2, 0, 1]
    assert placed(frame, []).to_list() == [0, 0, 0]
    assert placed(pl.DataFrame({"day": [7, None, -3]}), ["day"]).to_list() == [2, 0, 1]


@pytest.mark.parametrize("width", [39, 40, 41, 45, 60])
def test_places_of_many_columns_of_two_words_are_in_order(width: int) -> None:
    """Each makes the place three times as large: 3 to the 40th passes the 63 bits of a whole number."""
    rows = [("b",) * width, ("a",) * width, ("b",) * (width - 1) + ("a",), ("a",) * (width - 1) + ("b",)]
    frame = pl.DataFrame(rows, schema=[f"c{k}" for k in range(width)], orient="row")
    assert dense(placed(frame, frame.columns)) == [3, 0, 2, 1]


def test_places_within_a_large_place_are_in_order() -> None:
    frame = pl.DataFrame({"one": list("abcdef")})
    within = pl.Series([2**61, 0, 2**61, 0, 2**61, 0])
    assert dense(placed(frame, ["one"], within=within)) == [3, 0, 4, 1, 5, 2]


@settings(max_examples=60)
@given(ROWS)
def test_keys_are_numbered_as_they_come(rows: list[tuple[str, int, str]]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    number, keys = numbered_by(frame, ["one", "day"], "n")
    seen = list(dict.fromkeys((one, day) for one, day, _ in rows))
    assert number.name == "n"
    assert number.to_list() == [seen.index((one, day)) for one, day, _ in rows]
    assert keys.select("n", "one", "day").rows() == [(k, *key) for k, key in enumerate(seen)]


COURSES = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=7), min_size=0, max_size=5)


@settings(max_examples=60)
@given(COURSES)
def test_the_lowest_and_the_highest_so_far(courses: list[list[int]]) -> None:
    values = pl.Series("v", [float(v) for course in courses for v in course], dtype=pl.Float64)
    whose = pl.Series([k for k, course in enumerate(courses) for _ in course], dtype=pl.Int64)
    before = values.clone()
    for choose, plain in ((np.minimum, min), (np.maximum, max)):
        found = so_far(values, whose, choose)
        assert found.to_list() == [plain(course[: k + 1]) for course in courses for k in range(len(course))]
        assert found.name == "v"
    assert values.equals(before)


@settings(max_examples=60)
@given(COURSES)
def test_courses_are_walked_side_by_side(courses: list[list[int]]) -> None:
    whose = pl.Series([k for k, course in enumerate(courses) for _ in course], dtype=pl.Int64)
    starts = np.cumsum([0, *map(len, courses)])
    longest = max(map(len, courses), default=0)
    expected = [
        [int(start) + nth for start, course in zip(starts, courses, strict=False) if len(course) > nth]
        for nth in range(longest)
    ]
    assert [step.tolist() for step in steps(whose)] == expected


def test_the_first_sentence_that_holds_decides() -> None:
    sentences = [
        Sentence("big", 2, pl.col("x") > 5),
        Sentence("some", 1, pl.col("x") > 0),
        Sentence("none", 0, pl.col("x") == 0),
    ]
    drawn = pl.DataFrame({"x": [9, 3, 0, -1, None]})
    assert drawn.select(result_of(sentences)).to_series().to_list() == [2, 1, 0, None, None]
    assert drawn.select(word_of(sentences)).to_series().to_list() == ["big", "some", "none", None, None]


def test_what_is_missing_or_unknown_is_named() -> None:
    frame = pl.DataFrame({"a": ["x", None, "z", "y", "z"]})
    with pytest.raises(ValueError, match=r"^frame lacks the columns b, c$"):
        require(frame, ["a", "b", "c"], "frame")
    with pytest.raises(ValueError, match=r"^frame: a knows x, w, not y, z$"):
        require_words(frame, "a", ["x", "w"], "frame")
    require(frame, ["a"], "frame")
    require_words(frame, "a", ["x", "y", "z"], "frame")
