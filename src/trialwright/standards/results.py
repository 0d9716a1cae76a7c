"""Results: one row per number, each with its address. Decimals belong to the shells, not here."""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Iterable
from typing import Final

import polars as pl

#: Together these name one number; what does not apply is the empty text, never null.
ADDRESS: Final = ("analysis", "endpoint", "population", "group", "level", "statistic")
SCHEMA: Final = pl.Schema({**dict.fromkeys(ADDRESS, pl.String()), "value": pl.Float64(), "note": pl.String()})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A number and its address. ``value`` None: not estimable, and ``note`` says why."""

    analysis: str
    endpoint: str = ""
    population: str = ""
    group: str = ""
    level: str = ""
    statistic: str
    value: float | None
    note: str = ""


def result(analysis: str, statistic: str, value: float | None, *, note: str = "", **address: str) -> Result:
    """One result; ``address`` may give endpoint, population, group and level. NaN becomes None."""
    number = None if value is None or math.isnan(value) else float(value)
    return Result(analysis=analysis, statistic=statistic, value=number, note=note, **address)


def rows_to_frame(rows: Iterable[Result]) -> pl.DataFrame:
    """The results as a checked frame, in the order given."""
    return check(pl.DataFrame([_cells(row) for row in rows], schema=SCHEMA, orient="row"))


_cells = operator.attrgetter(*SCHEMA)


def concat(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All results, checked together."""
    return check(pl.concat([pl.DataFrame(schema=SCHEMA), *frames]))


def check(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame itself.

    Raises ValueError for a wrong schema, an address used twice, or a gap without a reason: our mistakes.
    """
    if frame.schema != SCHEMA:
        raise ValueError(f"results have the columns {dict(frame.schema)}, not {dict(SCHEMA)}")
    _refuse(
        frame.filter(pl.any_horizontal(pl.col(*ADDRESS, "note").is_null())),
        "has a null in its address or note",
    )
    _refuse(frame.filter(pl.struct(ADDRESS).is_duplicated()), "occurs more than once")
    _refuse(
        frame.filter(pl.col("value").is_null() & (pl.col("note") == "")), "has neither a value nor a reason"
    )
    return frame


def _refuse(wrong: pl.DataFrame, why: str) -> None:
    if wrong.height:
        first = ", ".join(f"{name}={wrong.item(0, name)}" for name in ADDRESS)
        raise ValueError(f"a result {why}: {first} ({wrong.height} such rows)")
