"""Tables drawn in text, so that a test reads as the specification."""

from __future__ import annotations

import datetime as dt
import re

import polars as pl

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?$")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")


def table(text: str) -> pl.DataFrame:
    """One row per line, cells separated by ``|``; an empty cell is null.

    A column is Int64 if all its cells are whole numbers, Float64 if all are numbers, Date if all are
    ISO dates, Boolean if all are ``true``/``false``, otherwise String.
    """
    lines = [line.strip().strip("|") for line in text.strip().splitlines()]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if line and set(line) - set("-|+ ")]
    header, body = rows[0], rows[1:]
    for row in body:
        if len(row) != len(header):
            raise ValueError(f"{len(row)} cells under {len(header)} headings: {row}")
    columns = {name: [row[i] or None for row in body] for i, name in enumerate(header)}
    return pl.DataFrame({name: _series(name, cells) for name, cells in columns.items()})


def _series(name: str, cells: list[str | None]) -> pl.Series:
    there = [cell for cell in cells if cell is not None]
    if there and all(_NUMBER.match(cell) for cell in there):
        whole = all(cell.lstrip("+-").isdigit() for cell in there)
        kind: type[int] | type[float] = int if whole else float
        dtype: pl.DataType = pl.Int64() if whole else pl.Float64()
        return pl.Series(name, [None if c is None else kind(c) for c in cells], dtype=dtype)
    if there and all(_DATE.match(cell) for cell in there):
        return pl.Series(
            name, [None if c is None else dt.date.fromisoformat(c) for c in cells], dtype=pl.Date
        )
    if there and all(cell in ("true", "false") for cell in there):
        return pl.Series(name, [None if c is None else c == "true" for c in cells], dtype=pl.Boolean)
    return pl.Series(name, cells, dtype=pl.String)
