"""Partial dates: ISO 8601 text as SDTM writes it, which says no more than the site knew.

Every function takes and gives column expressions over text such as ``2014``, ``2014-02``, ``2014-02-13``,
``2014-02-13T11:45``, ``2014---13`` (month unknown) or ``--02-13`` (year unknown). Nothing is imputed here:
`earliest` and `latest` are the bounds of what the text allows. A text that is no date, or names a day that
does not exist, reads as null, and `is_valid` says so. A wrong time of day spoils the time, not the day.
Offsets from UTC are accepted and left aside: a clock time is the site's own. Intervals (``a/b``) are not
read.

Days repeat in a trial and so do times of day; each different text is therefore read once and its reading
spread over the column (about 50 ns a value, however long the column).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

_DAY: Final = r"(?-u)^(?<year>\d{4}|-)(?:-(?<month>\d\d)(?:-(?<day>\d\d))?|---(?<lone>\d\d))?$"
_TIME: Final = (
    r"(?-u)^T(?:(?<hour>[01]\d|2[0-3])(?:(?<minute>:[0-5]\d)(?<second>:[0-5]\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?"
    r"|(?:-|[01]\d|2[0-3])(?::(?:-|[0-5]\d)){1,2})$"  # an unknown hour or minute in the middle
)


def earliest(text: pl.Expr) -> pl.Expr:
    """First day the text allows (Date); null without a year."""
    return _spread(_day_part(text), _earliest, pl.Date())


def latest(text: pl.Expr) -> pl.Expr:
    """Last day the text allows (Date); null without a year."""
    return _spread(_day_part(text), _latest, pl.Date())


def complete(text: pl.Expr) -> pl.Expr:
    """The day (Date) where year, month and day are all given, else null."""
    return _spread(_day_part(text), _complete, pl.Date())


def datetime(text: pl.Expr) -> pl.Expr:
    """Day and time (Datetime, microseconds, the site's clock) where at least the hour is given, else null."""
    return complete(text).cast(pl.Datetime("us")) + _spread(_time_part(text), _time, pl.Duration("us"))


def precision(text: pl.Expr) -> pl.Expr:
    """``year``, ``month``, ``day`` or ``time``; null where `earliest` is.

    ``2014---13`` has the precision ``year``: the day is of no use without its month.
    """
    timed = _spread(_time_part(text), _time, pl.Duration("us")).is_not_null()
    day = _spread(_day_part(text), _precision, pl.String())
    return pl.when(timed & (day == "day")).then(pl.lit("time")).otherwise(day)


def is_valid(text: pl.Expr) -> pl.Expr:
    """Whether the text is a date that can exist, whole or partial; null where there is no text."""
    return _spread(_day_part(text), _day_exists, pl.Boolean()) & _spread(
        _time_part(text), _time_exists, pl.Boolean()
    )


def study_day(date: pl.Expr, reference: pl.Expr) -> pl.Expr:
    """Days from reference to date (Dates): the reference day is 1 and the day before it −1 (SDTMIG 4.4.4)."""
    days = (date - reference).dt.total_days()
    return days + (days >= 0).cast(pl.Int64)


def _spread(text: pl.Expr, read: Callable[[pl.Series], pl.Series], dtype: pl.DataType) -> pl.Expr:
    def each_once(texts: pl.Series) -> pl.Series:
        coded = texts.cast(pl.Categorical(categories := pl.Categories.random()))
        return read(categories.to_series()).gather(coded.to_physical()).alias(texts.name)

    return text.map_batches(each_once, return_dtype=dtype, is_elementwise=True)


def _day_part(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.String).str.head(11)


def _time_part(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.String).str.slice(10)


def _fields(days: pl.Series) -> pl.DataFrame:
    """Columns year, month, day, lone (a day without its month): text, null where not given."""
    whole = days.str.replace(r"^(.{10})T$", "$1").str.extract_groups(_DAY).struct.unnest()
    return whole.with_columns(year=pl.when(pl.col("year") != "-").then("year"))


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    return pl.concat_str(year, month, day, separator="-").str.to_date("%Y-%m-%d", strict=False)


def _bound(days: pl.Series, month: str) -> pl.DataFrame:
    """The fields, and `date`: the first of the month (the given one stands in) unless a day is given."""
    given = pl.col("month").fill_null(month)
    day = pl.coalesce("day", "lone", pl.lit("01"))
    return _fields(days).with_columns(date=_date(pl.col("year"), given, day))


def _earliest(days: pl.Series) -> pl.Series:
    return _bound(days, "01")["date"]


def _latest(days: pl.Series) -> pl.Series:
    open_ended = pl.col("day").is_null() & pl.col("lone").is_null()
    last = pl.when(open_ended).then(pl.col("date").dt.month_end()).otherwise("date")
    return _bound(days, "12").select(last).to_series()


def _complete(days: pl.Series) -> pl.Series:
    return _fields(days).select(_date(pl.col("year"), pl.col("month"), pl.col("day"))).to_series()


def _precision(days: pl.Series) -> pl.Series:
    by_month = pl.when(pl.col("month").is_not_null()).then(pl.lit("month")).otherwise(pl.lit("year"))
    known = pl.when(pl.col("day").is_not_null()).then(pl.lit("day")).otherwise(by_month)
    return _bound(days, "01").select(pl.when(pl.col("date").is_not_null()).then(known)).to_series()


def _day_exists(days: pl.Series) -> pl.Series:
    some = pl.any_horizontal(pl.col("year", "month", "day", "lone").is_not_null())
    leap_year = pl.col("year").fill_null("2000")  # a 29 February without its year can exist
    date = _date(leap_year, pl.col("month").fill_null("01"), pl.coalesce("day", "lone", pl.lit("01")))
    return _fields(days).select(pl.when(days != "").then(some & date.is_not_null())).to_series()


def _time(times: pl.Series) -> pl.Series:
    """Time of day as a duration since midnight."""
    parts = times.str.extract_groups(_TIME).struct.unnest()
    hour, minute, second = (
        pl.col(name).str.strip_prefix(":").cast(pl.Float64) for name in ("hour", "minute", "second")
    )
    micro = (hour * 3600 + minute.fill_null(0) * 60 + second.fill_null(0)) * 1e6
    return parts.select(micro.round().cast(pl.Int64).cast(pl.Duration("us"))).to_series()


def _time_exists(times: pl.Series) -> pl.Series:
    return (times == "") | times.str.contains(_TIME)
