"""Findings: what is wrong with a site's data, one row each, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

#: ``key`` names the row in words (``USUBJID=01-701, AESEQ=3``), ``rule`` says what it breaks and ``action``
#: what was done.
SCHEMA: Final = pl.Schema(
    {name: pl.String() for name in ("dataset", "key", "variable", "rule", "value", "action")}
)


def empty() -> pl.DataFrame:
    """No finding."""
    return pl.DataFrame(schema=SCHEMA)


def findings(
    frame: pl.DataFrame,
    *,
    dataset: str,
    key: Sequence[str],
    variable: str,
    rule: str,
    value: str | pl.Expr,
    action: str,
) -> pl.DataFrame:
    """One finding for each row of an already filtered frame.

    ``key`` lists the columns that name a row; ``value`` is the column at fault, or an expression.
    """
    if not key:
        raise ValueError(f"a finding about rows of {dataset} needs the columns that name a row")
    said = pl.col(value) if isinstance(value, str) else value
    return frame.select(
        dataset=pl.lit(dataset),
        key=_named(frame, key),
        variable=pl.lit(variable),
        rule=pl.lit(rule),
        value=plain(said, frame.select(said.alias("value")).schema["value"]),
        action=pl.lit(action),
    ).match_to_schema(SCHEMA)


def whole(dataset: str, *, variable: str, rule: str, value: str, action: str) -> pl.DataFrame:
    """One finding about a dataset as a whole, which has no row to name."""
    return pl.DataFrame([(dataset, "", variable, rule, value, action)], schema=SCHEMA, orient="row")


def concat(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All findings in the order given; none is a frame without rows."""
    return pl.concat([empty(), *frames])


def _named(frame: pl.DataFrame, key: Sequence[str]) -> pl.Expr:
    """``A=…, B=…``; a null part shows as nothing after its sign."""
    parts = [
        pl.format("{}={}", pl.lit(name), plain(pl.col(name), frame.schema[name]).fill_null(""))
        for name in key
    ]
    return pl.concat_str(parts, separator=", ")


def plain(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Text of a value of that type; a whole number loses the ``.0`` that a numeric SAS variable brings."""
    text = value.cast(pl.String)
    return text.str.strip_suffix(".0") if dtype.is_float() else text
