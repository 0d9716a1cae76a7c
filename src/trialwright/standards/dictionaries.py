"""The user's own dictionaries: a CTCAE table, and the MedDRA distribution in its ASCII files.

Neither is shipped. CTCAE is one CSV or TSV with a term, a system organ class and a column of text for each
grade, under whatever headings say so (``CTCAE Term``, ``MedDRA SOC``, ``Grade 1`` …). MedDRA is ``llt.asc``
and ``mdhier.asc``, fields between ``$`` without headings, anywhere below the folder.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from trialwright.standards.errors import InputError

CTCAE: Final = pl.Schema({"term": pl.String(), "soc": pl.String(), "grades": pl.String()})
"""One row per term: its class, and the digits of the grades that exist (``345``)."""

MEDDRA: Final = pl.Schema(
    {"llt": pl.String(), "pt": pl.String(), "soc": pl.String(), "current": pl.Boolean()}
)
"""One row per lowest level term: its preferred term, the primary class of that, whether it is current."""

_NONE: Final = ("", "-", "\u2013", "\u2014", "N/A")
_LLT: Final = {"llt": 1, "pt_code": 2, "current": 9}
_HIERARCHY: Final = {"pt_code": 0, "pt": 4, "soc": 7, "primary": 11}
_HEADINGS: Final = {"term": r"(ctcae.*)?term(name)?$", "soc": r".*(soc|systemorganclass).*"}


@dataclass(frozen=True, slots=True)
class Dictionaries:
    """Frames by name (``CTCAE``, ``MEDDRA``), and the files that they came from."""

    frames: Mapping[str, pl.DataFrame]
    files: tuple[Path, ...]


def read(folder: Path) -> Dictionaries:
    """What a folder has of the two. Raises InputError for neither, half of MedDRA, or two of CTCAE."""
    if not folder.is_dir():
        raise InputError(f"--dictionary {folder}: there is no such folder")
    there = sorted(path for path in folder.rglob("*") if path.is_file())
    frames: dict[str, pl.DataFrame] = {}
    used: list[Path] = []
    for name, reader in (("CTCAE", _ctcae), ("MEDDRA", _meddra)):
        if found := reader(there):
            frames[name], files = found
            used += files
    if not frames:
        raise InputError(
            f"--dictionary {folder}: neither a CTCAE table (CSV, TSV) nor llt.asc and mdhier.asc"
        )
    return Dictionaries(frames, tuple(used))


Read = tuple[pl.DataFrame, list[Path]] | None


def _ctcae(there: list[Path]) -> Read:
    tables = [(path, found) for path in there if (found := _headed(path))]
    if len(tables) > 1:
        raise InputError(f"--dictionary: two CTCAE tables, {tables[0][0].name} and {tables[1][0].name}")
    if not tables:
        return None
    path, (frame, named) = tables[0]
    grades = {
        digit: column for name, column in named.items() if (digit := name.removeprefix("grade")).isdigit()
    }
    exists = [
        pl.when(~pl.col(column).fill_null("").str.strip_chars().str.to_uppercase().is_in(_NONE)).then(
            pl.lit(digit)
        )
        for digit, column in sorted(grades.items())
    ]
    soc = pl.col(named["soc"]).str.strip_chars() if "soc" in named else pl.lit(None, dtype=pl.String)
    terms = frame.select(
        term=pl.col(named["term"]).str.strip_chars(),
        soc=soc,
        grades=pl.concat_str(exists, ignore_nulls=True),
    ).filter(pl.col("term").is_not_null(), pl.col("grades") != "")
    return terms.match_to_schema(CTCAE), [path]


def _headed(path: Path) -> tuple[pl.DataFrame, dict[str, str]] | None:
    """The table and what its headings mean, if they are those of CTCAE."""
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        return None
    text = _text(path)
    first = text.partition("\n")[0]
    separator = max("\t;,", key=first.count)
    plain = {re.sub("[^a-z0-9]", "", name.strip('"').lower()): name for name in first.split(separator)}
    named = {
        meaning: next((n for n in plain if re.fullmatch(pattern, n)), None)
        for meaning, pattern in _HEADINGS.items()
    }
    grades = {f"grade{k}": n for k in range(1, 6) for n in plain if re.fullmatch(rf"g(rade)?{k}(text)?", n)}
    if named["term"] is None or len(grades) < 5:
        return None
    frame = _table(path, lambda data: pl.read_csv(data, separator=separator, infer_schema=False))
    heads = {re.sub("[^a-z0-9]", "", name.lower()): name for name in frame.columns}
    meanings = {meaning: name for meaning, name in named.items() if name} | grades
    return frame, {meaning: heads[name] for meaning, name in meanings.items()}


def _meddra(there: list[Path]) -> Read:
    parts = {name: [p for p in there if p.name.lower() == name] for name in ("llt.asc", "mdhier.asc")}
    if not any(parts.values()):
        return None
    for name, paths in parts.items():
        if len(paths) != 1:
            raise InputError(f"--dictionary: MedDRA needs one {name}, and there are {len(paths)}")
    (llt,), (hierarchy,) = parts.values()
    classes = (
        _fields(hierarchy, _HIERARCHY)
        .filter(pl.col("primary").str.to_uppercase() == "Y")
        .unique("pt_code", keep="first", maintain_order=True)
    )
    terms = _fields(llt, _LLT).join(classes, on="pt_code", how="left", maintain_order="left")
    current = pl.col("current").str.to_uppercase() != "N"
    return terms.select("llt", "pt", "soc", current=current.fill_null(True)).match_to_schema(MEDDRA), [
        llt,
        hierarchy,
    ]


def _fields(path: Path, wanted: Mapping[str, int]) -> pl.DataFrame:
    """The wanted fields of a file without headings, by their place from 0."""
    frame = _table(
        path,
        lambda data: pl.read_csv(data, separator="$", has_header=False, infer_schema=False, quote_char=None),
    )
    if frame.width <= max(wanted.values()):
        raise InputError(f"{path.name} has {frame.width} fields between $, and should have more")
    return frame.select(
        pl.col(frame.columns[place]).str.strip_chars().alias(name) for name, place in wanted.items()
    )


def _table(path: Path, read_csv: Callable[[io.BytesIO], pl.DataFrame]) -> pl.DataFrame:
    try:
        return read_csv(io.BytesIO(_text(path).encode()))
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path.name} cannot be read: {str(error).splitlines()[0]}") from error


def _text(path: Path) -> str:
    """UTF-8, else the code page that such files were long written in."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
