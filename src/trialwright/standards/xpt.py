"""SAS transport files, versions 5 and 8, through pyreadstat and around its traps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

import polars as pl

Version = Literal[5, 8]

_STAMPS: Final = (144, 160, 464, 480)  # created and modified, of the library and of its one member
_EPOCH: Final = b"01JAN70:00:00:00"
_LARGEST: Final = 7.2e75  # of the IBM floating point numbers a transport file holds
_NAME: Final = {5: r"^[A-Z_][A-Z0-9_]{0,7}$", 8: r"^[A-Za-z_][A-Za-z0-9_]{0,31}$"}
_TEXT: Final = {5: 200, 8: 32767}  # bytes
_LABEL: Final = {5: 40, 8: 256}


def read(path: Path) -> pl.DataFrame:
    """Text is read as UTF-8 where it can be, else as Windows-1252, else as Latin-1, which cannot fail."""
    import pyreadstat

    for encoding in (None, "WINDOWS-1252", "LATIN1"):
        try:
            frame, meta = pyreadstat.read_xport(str(path), output_format="polars", encoding=encoding)
        except (UnicodeDecodeError, pyreadstat.ReadstatError) as error:
            failed = ValueError(str(error))
            continue
        return _typed(frame, meta.readstat_variable_types)
    raise failed


def _typed(frame: pl.DataFrame, kinds: Mapping[str, str]) -> pl.DataFrame:
    """A column without a value comes back without a type: give it the one the file says."""
    nothing = [name for name in frame.columns if frame.schema[name] == pl.Null]
    return frame.with_columns(
        pl.col(n).cast(pl.Float64 if kinds[n] == "double" else pl.String) for n in nothing
    )


def write(
    frame: pl.DataFrame, path: Path, dataset: str, label: str, labels: Mapping[str, str], *, version: Version
) -> None:
    """One member; the same frame gives the same bytes. ValueError lists what the version cannot hold."""
    import pyreadstat

    if faults := list(_faults(frame, dataset, label, labels, version)):
        raise ValueError(f"{path.name} cannot be a version {version} transport file: {'; '.join(faults)}")
    pyreadstat.write_xport(
        frame.with_columns(pl.selectors.integer().cast(pl.Float64)),
        str(path),
        file_label=label,
        column_labels=[labels.get(name, "") for name in frame.columns],
        table_name=dataset,
        file_format_version=version,
    )
    _stop_the_clock(path)


def _stop_the_clock(path: Path) -> None:
    with path.open("r+b") as file:
        for place in _STAMPS:
            file.seek(place)
            file.write(_EPOCH)


def _faults(
    frame: pl.DataFrame, dataset: str, label: str, labels: Mapping[str, str], version: Version
) -> Iterator[str]:
    names = pl.Series([dataset, *frame.columns], dtype=pl.String)
    yield from (f"name {name!r}" for name in names.filter(~names.str.contains(_NAME[version])))
    for text in (label, *(labels.get(name, "") for name in frame.columns)):
        if len(text.encode()) > _LABEL[version] or (version == 5 and not text.isascii()):
            yield f"label {text!r} (at most {_LABEL[version]} {'ASCII ' if version == 5 else ''}characters)"
    for series in frame:
        yield from _value_faults(series, version)
    if (
        frame.height
        and all(dtype in (pl.String, pl.Null) for dtype in frame.dtypes)
        and _blank(frame.tail(1))
    ):
        yield "the last row is blank, and without a number in it cannot be told from padding"


def _blank(row: pl.DataFrame) -> bool:
    return all(value is None or not str(value).strip(" ") for value in row.row(0))


def _value_faults(series: pl.Series, version: Version) -> Iterator[str]:
    if series.dtype == pl.String:
        if (series.str.len_bytes() > _TEXT[version]).any():
            yield f"{series.name}: text of more than {_TEXT[version]} bytes"
        if version == 5 and (series.str.len_bytes() != series.str.len_chars()).any():
            yield f"{series.name}: text that is not ASCII"
    elif series.dtype.is_float():
        if (series.abs() > _LARGEST).any() or series.is_nan().any():
            yield f"{series.name}: a number that is NaN or beyond {_LARGEST}"
    elif not (series.dtype.is_integer() or series.dtype.is_temporal() or series.dtype == pl.Null):
        yield f"{series.name}: {series.dtype}"
