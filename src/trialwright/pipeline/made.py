"""How it was made: versions, hashes of every input, the cutoff, what the definition assumed."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from datetime import date, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from trialwright import __version__
from trialwright.standards import dates, files, rehearsal
from trialwright.standards.errors import InputError
from trialwright.study import check, registry
from trialwright.study.model import Study

_PACKAGES = ("polars", "numpy", "scipy", "pydantic", "matplotlib", "jinja2", "pyreadstat")


def versions(created: datetime) -> dict[str, Any]:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "created": created.isoformat(timespec="seconds"),
    }


def of_the_definition(study: Study) -> dict[str, Any]:
    """What the record contradicts, and the ids of the assumptions that the definition rests on."""
    return {
        "contradictions": [
            {
                "id": c.id,
                "rule": c.rule,
                "quote": c.quote,
                "says": c.says,
                "decision": c.decision,
                "lines": [f"{type_} {number}" for type_, number in c.outcomes],
            }
            for c in registry.contradictions(study)
        ],
        "assumptions_used": sorted({id_ for _, ids in check.used_assumptions(study) for id_ in ids}),
    }


_NOTICE = {
    "en": "A rehearsal: every patient in this report is simulated.",
    "fr": "Une répétition : tous les patients de ce rapport sont simulés.",
}


def notice(study: Study, dm: pl.DataFrame) -> str:
    """What must stand above everything else; nothing for a real trial."""
    return study.text(_NOTICE) if rehearsal.is_rehearsal(dm) else ""


def inputs(folder: Path, rows: Mapping[str, int]) -> list[dict[str, Any]]:
    """Each table of the folder with its hash and, where it was read as a domain, its number of rows."""
    return [
        {"file": path.name, "sha256": sha256(path), "rows": rows.get(path.stem.upper())}
        for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix.lower() in files.SUFFIXES
    ]


def hashes(folder: Path) -> dict[str, str]:
    """Every file below the folder and its hash."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def latest_date(domains: Mapping[str, pl.DataFrame]) -> date:
    """The last day that any complete date of the data names: the cutoff where nobody gave one."""
    latest: list[date | None] = [
        frame.select(dates.complete(pl.col(name)).max()).item()
        for frame in domains.values()
        for name in frame.columns
        if name.endswith("DTC") and frame.schema[name] == pl.String
    ]
    known = [day for day in latest if day is not None]
    if not known:
        raise InputError("the data hold no complete date, so there is no cutoff: give one with --cutoff")
    return max(known)
