"""A domain as the dictionary types it, whatever its file made of the types."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import polars as pl

from trialwright.standards import findings
from trialwright.standards.variables import datasets

_ROW: Final = "file row"


def typed(domain: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The domain with text, numbers and whole numbers where the dictionary wants them, and findings.

    A value that is no number where one must be reads as null, and the finding holds its text. Variables the
    dictionary does not know keep the type of their file; days and moments become ISO 8601 text.
    """
    kinds = _kinds(domain)
    columns, found = [], []
    for series in frame:
        kind = kinds.get(series.name) or _generic().get(series.name.removeprefix(domain))
        column = _as(kind, series)
        columns.append(column)
        if kind in ("number", "integer") and column.null_count() > series.null_count():
            found.append(_lost(domain, frame, series, column))
    return pl.DataFrame(columns), findings.concat(found)


@cache
def _kinds(domain: str) -> Mapping[str, str]:
    known = datasets("sdtm").get("SUPP" if domain.startswith("SUPP") else domain)
    return {variable.name: variable.type for variable in known.variables} if known else {}


@cache
def _generic() -> Mapping[str, str]:
    """Type of a variable by its name without the domain's two letters, for domains not in the dictionary."""
    return {
        variable.name.removeprefix(name): variable.type
        for name, dataset in datasets("sdtm").items()
        for variable in dataset.variables
        if len(name) == 2
    }


def _as(kind: str | None, series: pl.Series) -> pl.Series:
    if kind in ("number", "integer"):
        number = series if series.dtype.is_numeric() else _number(_text(series))
        return _whole(number) if kind == "integer" else number.cast(pl.Float64)
    return _text(series) if kind == "text" or series.dtype.is_temporal() else series


def _text(series: pl.Series) -> pl.Series:
    if series.dtype.is_temporal():
        return series.dt.to_string("iso:strict").str.strip_suffix(".000000")
    if series.dtype.is_numeric():
        return series.to_frame().select(findings.plain(pl.col(series.name), series.dtype)).to_series()
    return series


def _number(text: pl.Series) -> pl.Series:
    """Numbers that a text says, in digits; ``inf`` and ``nan`` are words, not numbers."""
    number = text.str.strip_chars().cast(pl.Float64, strict=False)
    return number.set(~number.is_finite(), None)


def _whole(number: pl.Series) -> pl.Series:
    if number.dtype.is_integer():
        return number.cast(pl.Int64)
    return number.set(number != number.round(), None).cast(pl.Int64, strict=False)


def _lost(domain: str, frame: pl.DataFrame, before: pl.Series, after: pl.Series) -> pl.DataFrame:
    lost = frame.with_row_index(_ROW, offset=1).filter(before.is_not_null() & after.is_null())
    return findings.findings(
        lost,
        dataset=domain,
        key=[name for name in ("USUBJID", f"{domain}SEQ") if name in frame.columns] or [_ROW],
        variable=before.name,
        rule="number expected",
        value=before.name,
        action="kept; the value is read as missing",
    )
