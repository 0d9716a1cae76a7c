"""CDISC Dataset-JSON 1.1: one object with its rows, or (NDJSON) the object and then a line per row."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

_MOMENT: Final = "1970-01-01T00:00:00"
_READ: Final[Mapping[str, pl.DataType]] = {
    "integer": pl.Int64(),
    "float": pl.Float64(),
    "double": pl.Float64(),
    "decimal": pl.Float64(),  # travels as text, so that no digit is lost; ours are doubles
    "boolean": pl.Boolean(),
}
_WHEN: Final[Mapping[str, tuple[pl.DataType, Any]]] = {
    "date": (pl.Date(), dt.date.fromisoformat),
    "datetime": (pl.Datetime("us"), dt.datetime.fromisoformat),
    "time": (pl.Time(), dt.time.fromisoformat),
}


def read(raw: bytes, *, lines: bool) -> pl.DataFrame:
    """A date whose target is a number is a date; any other is text and may be partial."""
    if lines:
        meta, *rows = (json.loads(line) for line in raw.splitlines() if line.strip())
    else:
        meta = json.loads(raw)
        rows = meta["rows"]
    return _frame(meta["columns"], rows)


def _frame(columns: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    if any(len(row) != len(columns) for row in rows):
        raise ValueError(f"a row has not as many values as there are columns ({len(columns)})")
    values: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else [()] * len(columns)
    return pl.DataFrame([_series(column, cells) for column, cells in zip(columns, values, strict=True)])


def _series(column: Mapping[str, Any], cells: Sequence[Any]) -> pl.Series:
    name, kind = column["name"], column["dataType"]
    if kind == "decimal":
        cells = [None if cell in (None, "") else float(cell) for cell in cells]
    if kind in _WHEN and column.get("targetDataType") == "integer":
        dtype, parse = _WHEN[kind]
        return pl.Series(name, [None if cell in (None, "") else parse(cell) for cell in cells], dtype=dtype)
    return pl.Series(name, cells, dtype=_READ.get(kind, pl.String()))


def write(frame: pl.DataFrame, path: Path, dataset: str, label: str, labels: Mapping[str, str]) -> None:
    """``.ndjson`` gives lines, any other suffix one object; the same frame gives the same bytes."""
    meta = {
        "datasetJSONCreationDateTime": _MOMENT,
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": f"IG.{dataset}",
        "records": frame.height,
        "name": dataset,
        "label": label,
        "columns": [
            _column(dataset, name, frame.schema[name], labels.get(name, "")) for name in frame.columns
        ],
    }
    rows = frame.with_columns(pl.selectors.temporal().dt.to_string("iso:strict")).rows()
    if path.suffix.lower() == ".ndjson":
        text = "".join(f"{_text(line)}\n" for line in (meta, *rows))
    else:
        text = _text({**meta, "rows": rows}) + "\n"
    path.write_bytes(text.encode())


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _column(dataset: str, name: str, dtype: pl.DataType, label: str) -> dict[str, str]:
    column = {"itemOID": f"IT.{dataset}.{name}", "name": name, "label": label, "dataType": _kind(name, dtype)}
    return column | ({"targetDataType": "integer"} if dtype.is_temporal() else {})


def _kind(name: str, dtype: pl.DataType) -> str:
    for kind, known in (
        ("date", pl.Date),
        ("datetime", pl.Datetime),
        ("time", pl.Time),
        ("boolean", pl.Boolean),
    ):
        if dtype == known:
            return kind
    if dtype.is_integer():
        return "integer"
    if dtype.is_float():
        return "double"
    if dtype in (pl.String, pl.Null):
        return "string"
    raise ValueError(f"{name}: Dataset-JSON has no type for {dtype}")
