"""Readers and writers: a table on disk to a frame and back, the same way whatever the format.

Read: SAS transport (v5, v8), Parquet, CSV, Dataset-JSON 1.1. A frame that comes back has upper-case names,
text without trailing blanks, null for blank and for NaN, 64-bit numbers, and whole ``--SEQ`` as integers;
types are otherwise those the file knows, and CSV knows only text.

Written: SAS transport, Parquet, Dataset-JSON. The same frame gives the same bytes: the moment of writing is
not in the file, and headers that demand one say the first second of 1970.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from trialwright.standards import dataset_json, xpt
from trialwright.standards.errors import InputError


def read_any(path: Path) -> pl.DataFrame:
    """The table in a file, by its suffix in any case. Raises ValueError naming a file that cannot be read."""
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise InputError(f"{path.name}: {path.suffix or 'no suffix'} is none of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise InputError(f"{path.name}: there is no such file in {path.parent}")
    try:
        return _mend(read(path))
    except (pl.exceptions.PolarsError, ValueError, LookupError, TypeError, OSError) as error:
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise InputError(f"{path.name} cannot be read: {reason[0]}") from error


def write_xpt(
    frame: pl.DataFrame,
    path: Path,
    dataset: str,
    label: str = "",
    labels: Mapping[str, str] | None = None,
    *,
    version: xpt.Version = 5,
) -> None:
    """A transport file of one dataset; ``labels`` by variable, for at least those that should have one.

    Raises ValueError listing what the version cannot hold. In v5, which would otherwise be cut or spoilt in
    silence: names over 8 characters or in lower case, text over 200 bytes or not ASCII, labels over 40.
    """
    xpt.write(frame, path, dataset, label, labels or {}, version=version)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Parquet, the same bytes for the same frame."""
    frame.write_parquet(path, compression="zstd", compression_level=3, row_group_size=262_144)


def write_dataset_json(
    frame: pl.DataFrame, path: Path, dataset: str, label: str = "", labels: Mapping[str, str] | None = None
) -> None:
    """Dataset-JSON 1.1, line by line where the suffix is ``.ndjson``.

    Raises ValueError for NaN and infinity.
    """
    dataset_json.write(frame, path, dataset, label, labels or {})


def _read_csv(path: Path) -> pl.DataFrame:
    """Every cell as text; a comma or, where the heading has none, a semicolon separates; no empty lines."""
    raw = _utf8(path)
    heading = raw.split(b"\n", 1)[0].decode().strip()
    separator = ";" if ";" in heading and "," not in heading else ","
    names = next(csv.reader(io.StringIO(heading), delimiter=separator), [])
    frame = pl.read_csv(
        raw, separator=separator, infer_schema=False, has_header=False, skip_rows=1, new_columns=names
    )
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _utf8(path: Path) -> bytes:
    """The file as UTF-8: read as that where it can be, else as Windows-1252, else as Latin-1."""
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding).encode()
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1").encode()


_READERS: Final[Mapping[str, Callable[[Path], pl.DataFrame]]] = {
    ".xpt": xpt.read,
    ".parquet": pl.read_parquet,
    ".csv": _read_csv,
    ".json": lambda path: dataset_json.read(_utf8(path), lines=False),
    ".ndjson": lambda path: dataset_json.read(_utf8(path), lines=True),
}
SUFFIXES: Final = tuple(_READERS)


def _mend(frame: pl.DataFrame) -> pl.DataFrame:
    """What every format owes; a column that needs no mending is not copied."""
    names = [name.strip().upper() for name in frame.columns]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{', '.join(sorted(twice))} occurs more than once (case is ignored)")
    return pl.DataFrame([_mended(series.alias(name)) for name, series in zip(names, frame, strict=True)])


def _mended(series: pl.Series) -> pl.Series:
    if series.dtype in (pl.Null, pl.Categorical, pl.Enum, pl.Boolean):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        return _without_blanks(series)
    if series.dtype.is_integer():
        return series.cast(pl.Int64)
    if series.dtype.is_float() or series.dtype.is_decimal():
        return _number(series.cast(pl.Float64))
    if series.dtype.is_temporal():
        return series
    raise ValueError(f"{series.name} holds {series.dtype}, which no clinical table has")


def _without_blanks(series: pl.Series) -> pl.Series:
    if not (series.str.ends_with(" ") | (series == "")).any():
        return series
    text = series.str.strip_chars_end(" ")
    return text.set(text == "", None)


def _number(series: pl.Series) -> pl.Series:
    numbers = series.fill_nan(None) if series.is_nan().any() else series
    whole = (
        series.name.endswith("SEQ") and (numbers == numbers.round()).all() and not numbers.is_infinite().any()
    )
    return numbers.cast(pl.Int64) if whole else numbers
