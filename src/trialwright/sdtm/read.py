"""A folder of SDTM, in whatever mix of formats a trial comes, as one frame per domain."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Final

import polars as pl

from trialwright.sdtm.sequence import sequenced
from trialwright.sdtm.supplemental import merged
from trialwright.sdtm.typed import typed
from trialwright.standards import files, findings
from trialwright.standards.errors import InputError

_NAME: Final = re.compile(r"(SUPP)?[A-Z]{2}[A-Z0-9]{0,2}")  # longer than two letters where a domain is split
_OF_THE_TRIAL: Final = frozenset({"TA", "TD", "TE", "TI", "TM", "TS", "TV", "DI", "OI"})  # no subject in them
_UNNUMBERED: Final = frozenset({"DM", "SV", "SE", "CO"}) | _OF_THE_TRIAL

Domains = dict[str, pl.DataFrame]


def read(folder: Path) -> tuple[Domains, pl.DataFrame]:
    """Domains by name, ``SUPP--`` among them and also merged into their parents, and findings of the reading.

    What is wrong inside the domains is for `checks.check` to find. Raises InputError, in one sentence, for a
    folder that is no SDTM: none at all, without DM, a dataset in two files, or without STUDYID or USUBJID.
    """
    paths, found = _paths(folder)
    parts: dict[str, dict[Path, pl.DataFrame]] = defaultdict(dict)
    for path in paths:
        frame = files.read_any(path)
        name = _dataset(path, frame)
        if name is None:
            found.append(_not_read(path))
        else:
            parts[name][path], more = typed(name, _identified(frame, name, path))
            found.append(more)
    complete, more = _with_supplemental({name: _one(name, frames) for name, frames in parts.items()})
    numbered, most = _numbered(complete)
    # a file may come in pieces, which every later step would have to align again
    whole = {name: frame.rechunk() for name, frame in numbered.items()}
    return whole, findings.concat([*found, more, most])


def _paths(folder: Path) -> tuple[list[Path], list[pl.DataFrame]]:
    """Files that may be datasets, in order of name, and a finding for each table that cannot be one."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    tables = [path for path in folder.iterdir() if path.suffix.lower() in files.SUFFIXES and path.is_file()]
    tables.sort(key=lambda path: (path.stem.upper(), path.name))
    for one, other in pairwise(tables):
        if one.stem.upper() == other.stem.upper():
            raise InputError(f"{one.stem.upper()} is in two files, {one.name} and {other.name}: keep one")
    if "DM" not in (path.stem.upper() for path in tables):
        raise InputError(
            f"{folder} has no dataset DM, the list of subjects, without which nothing can be derived"
        )
    named = [_NAME.fullmatch(path.stem.upper()) for path in tables]
    return (
        [path for path, is_named in zip(tables, named, strict=True) if is_named],
        [_not_read(path) for path, is_named in zip(tables, named, strict=True) if not is_named],
    )


def _dataset(path: Path, frame: pl.DataFrame) -> str | None:
    """AE for ae.xpt, SUPPAE for suppae.xpt, QS for qsc3.xpt if its DOMAIN says so; else None."""
    stem = path.stem.upper()
    if stem.startswith("SUPP"):
        return stem[:6]
    split = len(stem) > 2
    domain = stem[:2]
    if split and not ("DOMAIN" in frame.columns and frame["DOMAIN"].cast(pl.String).eq_missing(domain).all()):
        return None
    return domain


def _not_read(path: Path) -> pl.DataFrame:
    return findings.whole("", variable="", rule="file is no SDTM domain", value=path.name, action="not read")


def _identified(frame: pl.DataFrame, name: str, path: Path) -> pl.DataFrame:
    """The frame; raises ValueError naming a file without the variables that make it SDTM."""
    needed = ["STUDYID"] if name in _OF_THE_TRIAL else ["STUDYID", "USUBJID"]
    if name.startswith("SUPP"):
        needed += ["QNAM", "QVAL"]
    if missing := [variable for variable in needed if variable not in frame.columns]:
        raise InputError(f"{path.name} has no {' and no '.join(missing)}: it is no SDTM dataset")
    return frame


def _one(name: str, frames: dict[Path, pl.DataFrame]) -> pl.DataFrame:
    """A split domain put together, in order of file name; a whole one and parts of it are too much."""
    if len(frames) > 1 and name in (path.stem.upper() for path in frames):
        raise InputError(f"{name} is in {' and '.join(path.name for path in frames)}: either whole or split")
    return (
        pl.concat(frames.values(), how="diagonal_relaxed") if len(frames) > 1 else next(iter(frames.values()))
    )


def _numbered(domains: Domains) -> tuple[Domains, pl.DataFrame]:
    numbered: Domains = {}
    found = []
    for name, frame in domains.items():
        if name in _UNNUMBERED or name.startswith("SUPP"):
            numbered[name] = frame
        else:
            numbered[name], more = sequenced(name, frame)
            found.append(more)
    return numbered, findings.concat(found)


def _with_supplemental(domains: Domains) -> tuple[Domains, pl.DataFrame]:
    """The domains, each with its qualifiers as columns; supplemental datasets stay as they are."""
    complete = dict(domains)
    found = []
    for name in domains:
        if not name.startswith("SUPP"):
            continue
        parent = name.removeprefix("SUPP")
        if parent in domains:
            complete[parent], more = merged(parent, complete[parent], domains[name])
            found.append(more)
        else:
            rows = f"{domains[name].height} rows"
            action = "kept in the supplemental dataset, not merged"
            found.append(
                findings.whole(name, variable="", rule="no parent dataset", value=rows, action=action)
            )
    return complete, findings.concat(found)
