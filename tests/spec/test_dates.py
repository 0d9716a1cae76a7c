"""Partial dates: what a text allows, and no more."""

import datetime as dt

import polars as pl
import pytest

from drawn import table
from trialwright.standards import dates

TEXT = pl.col("text")


def read(text: str) -> pl.DataFrame:
    """The drawn table with its text column as text and what `dates` makes of it beside."""
    drawn = table(text).with_columns(pl.col("text").cast(pl.String))
    return drawn.with_columns(
        earliest_=dates.earliest(TEXT),
        latest_=dates.latest(TEXT),
        complete_=dates.complete(TEXT),
        precision_=dates.precision(TEXT),
        valid_=dates.is_valid(TEXT),
    )


def agree(frame: pl.DataFrame, *names: str) -> None:
    for name in names:
        wrong = frame.filter(pl.col(name).ne_missing(pl.col(f"{name}_").cast(frame.schema[name])))
        assert wrong.is_empty(), wrong.select("text", name, f"{name}_")


def test_a_text_allows_the_days_between_earliest_and_latest():
    frame = read("""
        | text             | earliest   | latest     | complete   | precision | valid |
        |------------------+------------+------------+------------+-----------+-------|
        | 2014             | 2014-01-01 | 2014-12-31 |            | year      | true |
        | 2014-02          | 2014-02-01 | 2014-02-28 |            | month     | true |
        | 2012-02          | 2012-02-01 | 2012-02-29 |            | month     | true |
        | 2014-12          | 2014-12-01 | 2014-12-31 |            | month     | true |
        | 2014-02-13       | 2014-02-13 | 2014-02-13 | 2014-02-13 | day       | true |
        | 2014-02-13T11:45 | 2014-02-13 | 2014-02-13 | 2014-02-13 | time      | true |
        | 2014---13        | 2014-01-13 | 2014-12-13 |            | year      | true |
        | 2014---31        | 2014-01-31 | 2014-12-31 |            | year      | true |
        | --02-13          |            |            |            |           | true |
        | --02             |            |            |            |           | true |
        | --02-29          |            |            |            |           | true |
    """)
    agree(frame, "earliest", "latest", "complete", "precision", "valid")


def test_a_day_that_cannot_exist_is_invalid_and_reads_as_nothing():
    frame = read("""
        | text          | valid | precision |
        |---------------+-------+-----------|
        | 2014-02-30    | false | |
        | 2014-02-29    | false | |
        | 2012-02-29    | true  | day |
        | 2014-13       | false | |
        | 2014-00-01    | false | |
        | 2014-01-00    | false | |
        | 2014---32     | false | |
        | --02-30       | false | |
        | 2014-2-3      | false | |
        | 2014-02-130   | false | |
        | 13FEB2014     | false | |
        | 2014-02-      | false | |
        | 2014-UN-UN    | false | |
        | 20140213      | false | |
        | -             | false | |
        | é014-02-13    | false | |
        | ٢٠١٤-02-13    | false | |
        | 9             | false | |
    """)
    agree(frame, "valid", "precision")
    assert frame.filter(~pl.col("valid"))["earliest_"].null_count() == frame.filter(~pl.col("valid")).height
    assert frame.filter(~pl.col("valid"))["latest_"].null_count() == frame.filter(~pl.col("valid")).height


def test_a_wrong_time_spoils_the_time_and_not_the_day():
    frame = read("""
        | text                      | valid | precision | complete |
        |---------------------------+-------+-----------+------------|
        | 2014-02-13T25:00          | false | day       | 2014-02-13 |
        | 2014-02-13T11:60          | false | day       | 2014-02-13 |
        | 2014-02-13T               | false | day       | 2014-02-13 |
        | 2014-02-13T-:15           | true  | day       | 2014-02-13 |
        | 2014-02-13T11:-:17        | true  | day       | 2014-02-13 |
        | 2014-02-13T11             | true  | time      | 2014-02-13 |
        | 2014-02-13T11:45:30.25Z   | true  | time      | 2014-02-13 |
        | 2014-02-13T11:45+01:00    | true  | time      | 2014-02-13 |
        | 2014-02-13 11:45          | false |           | |
        | 2014-02-30T11:45          | false |           | |
    """)
    agree(frame, "valid", "precision", "complete")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2014-02-13T11:45", dt.datetime(2014, 2, 13, 11, 45)),
        ("2014-02-13T11", dt.datetime(2014, 2, 13, 11)),
        ("2014-02-13T23:59:59.5Z", dt.datetime(2014, 2, 13, 23, 59, 59, 500_000)),
        ("2014-02-13T00:00+02:00", dt.datetime(2014, 2, 13)),
        ("2014-02-13", None),
        ("2014-02", None),
        ("2014-02-13T24:00", None),
        ("2014-02-30T11:45", None),
        (None, None),
    ],
)
def test_a_moment_needs_an_hour(text: str | None, moment: dt.datetime | None):
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    assert frame.select(dates.datetime(TEXT)).item() == moment


@pytest.mark.parametrize("dtype", [pl.String, pl.Null])
def test_nothing_reads_as_nothing(dtype: type[pl.DataType]):
    frame = pl.DataFrame({"text": [None, None]}, schema={"text": dtype})
    read_all = frame.select(
        dates.earliest(TEXT).alias("a"),
        dates.latest(TEXT).alias("b"),
        dates.complete(TEXT).alias("c"),
        dates.datetime(TEXT).alias("d"),
        dates.precision(TEXT).alias("e"),
        dates.is_valid(TEXT).alias("f"),
    )
    assert read_all.dtypes == [pl.Date, pl.Date, pl.Date, pl.Datetime("us"), pl.String, pl.Boolean]
    assert read_all.null_count().sum_horizontal().item() == 12


def test_an_empty_text_is_neither_valid_nor_invalid():
    assert pl.DataFrame({"text": [""]}).select(dates.is_valid(TEXT)).item() is None


def test_study_day_has_no_day_zero():
    drawn = table("""
        | date       | reference  | day |
        | 2014-01-02 | 2014-01-02 | 1 |
        | 2014-01-03 | 2014-01-02 | 2 |
        | 2014-01-01 | 2014-01-02 | -1 |
        | 2013-12-26 | 2014-01-02 | -7 |
                   | | 2014-01-02 | |
        | 2014-01-02 |            | |
    """)
    assert drawn.select(dates.study_day(pl.col("date"), pl.col("reference"))).to_series().to_list() == [
        1,
        2,
        -1,
        -7,
        None,
        None,
    ]


def test_dates_work_within_groups():
    frame = pl.DataFrame({"who": ["b", "a", "b"], "text": ["2014-03", "2013", "2014-02-13"]})
    assert frame.select(dates.earliest(TEXT).min().over("who")).to_series().to_list() == [
        dt.date(2014, 2, 13),
        dt.date(2013, 1, 1),
        dt.date(2014, 2, 13),
    ]
    grouped = frame.group_by("who", maintain_order=True).agg(dates.latest(TEXT).max())
    assert grouped["text"].to_list() == [dt.date(2014, 3, 31), dt.date(2013, 12, 31)]
