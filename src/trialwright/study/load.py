"""Read a study folder into one frozen value; report all that is wrong with it together."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from trialwright.standards.errors import InputError
from trialwright.study import registry
from trialwright.study.check import references
from trialwright.study.model import Study

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a study folder."""

    file: str
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.message}" if self.key else f"{self.file}: {self.message}"


class StudyError(InputError):
    """Everything wrong with a study folder, in the order of its files."""

    def __init__(self, folder: str, faults: tuple[Fault, ...]) -> None:
        self.folder = folder
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(str(fault) for fault in self.faults)


def bundled() -> tuple[str, ...]:
    """Names of the studies that come with the package."""
    root = resources.files("trialwright") / "studies"
    return tuple(sorted(entry.name for entry in root.iterdir() if (entry / "study.toml").is_file()))


def folder(name_or_path: str) -> Path:
    """The folder a command means: a path, or the name of a bundled study.

    Raises ``StudyError`` naming both where neither exists.
    """
    path = Path(name_or_path)
    if path.is_dir():
        return path
    if name_or_path in bundled():
        return Path(str(resources.files("trialwright") / "studies" / name_or_path))
    known = ", ".join(bundled())
    raise StudyError(
        name_or_path, (Fault(name_or_path, "", f"no such folder, and no bundled study ({known})"),)
    )


def load(path: str | Path) -> Study:
    """The study of a folder.

    Raises ``StudyError`` with every fault of every file: a file missing or unreadable, an unknown or
    missing key, a word outside its list, a wrong date, a reference to something that is not defined.
    """
    where = Path(path)
    faults: list[Fault] = []
    parts = _parts(where, faults)
    study = _study(parts, faults)
    if study is not None:
        faults += [Fault(*fault) for fault in references(study)]
    if study is None or faults:
        raise StudyError(str(where), tuple(faults))
    return study


def _parts(where: Path, faults: list[Fault]) -> dict[str, Any]:
    parts = _toml(where / "study.toml", faults, needed=True)
    parts["sources"] = _toml(where / "sources.toml", faults, needed=True)
    assumptions = _toml(where / "assumptions.toml", faults)
    unknown = set(assumptions) - {"assumption"}
    faults += [Fault("assumptions.toml", key, "unknown key") for key in sorted(unknown)]
    parts["assumptions"] = assumptions.get("assumption", [])
    parts["schedule"] = _read(where / "schedule.csv", _schedule, faults) or {}
    record = next(
        (where / name for name in ("registry.csv", "registry.json") if (where / name).is_file()), None
    )
    parts["record"] = _read(record, registry.read, faults) if record else None
    parts["scenarios"] = {
        file.stem: _toml(file, faults) for file in sorted((where / "scenarios").glob("*.toml"))
    }
    return parts


def _toml(file: Path, faults: list[Fault], *, needed: bool = False) -> dict[str, Any]:
    if not file.is_file():
        if needed:
            faults.append(Fault(file.name, "", "file is missing"))
        return {}
    found = _read(file, lambda f: tomllib.loads(f.read_text(encoding="utf-8")), faults)
    return found or {}


def _read(file: Path, reader: Callable[[Path], T], faults: list[Fault]) -> T | None:
    try:
        return reader(file) if file.is_file() else None
    except (ValueError, KeyError, OSError) as error:
        faults.append(Fault(file.name, "", str(error)))
        return None


def _schedule(file: Path) -> dict[str, Any]:
    """The grid: activities down, visits across; the first two rows give each visit's day and window."""
    rows = [row for row in csv.reader(file.read_text(encoding="utf-8").splitlines()) if any(row)]
    head, body = rows[0], {row[0]: row[1:] for row in rows[1:]}
    names = head[1:]
    for row in ("day", "window"):
        if row not in body:
            raise ValueError(f"the grid has no row named {row!r}")
    uneven = [name for name, cells in body.items() if len(cells) != len(names)]
    if uneven:
        raise ValueError(f"row {uneven[0]!r} has {len(body[uneven[0]])} cells under {len(names)} visits")
    days, windows = body.pop("day"), body.pop("window")
    visits = [
        {"id": name, "day": day, "window": window}
        for name, day, window in zip(names, days, windows, strict=True)
    ]
    marked = {
        activity: tuple(name for name, cell in zip(names, cells, strict=True) if cell.strip())
        for activity, cells in body.items()
    }
    return {"visits": visits, "activities": marked}


def _study(parts: Mapping[str, Any], faults: list[Fault]) -> Study | None:
    try:
        return Study.model_validate(parts)
    except ValidationError as error:
        missing = {fault.file for fault in faults}
        items = error.errors(include_url=False)
        places = [item["loc"] for item in items]
        for item in items:
            if item["type"] == "too_short" and sum(p[: len(item["loc"])] == item["loc"] for p in places) > 1:
                continue  # only short because its members are at fault
            fault = _fault(item["loc"], item["msg"])
            if fault.file not in missing:
                faults.append(fault)
        return None


def _fault(loc: tuple[int | str, ...], message: str) -> Fault:
    """Where in which file: the first word of a location says the file."""
    head = str(loc[0]) if loc else ""
    file = {
        "sources": "sources.toml",
        "assumptions": "assumptions.toml",
        "schedule": "schedule.csv",
        "record": "registry.csv",
    }.get(head, "study.toml")
    words = loc[1:] if file != "study.toml" else loc
    if file == "assumptions.toml":
        words = ("assumption", *words)
    key = "".join(f"[{word + 1}]" if isinstance(word, int) else f".{word}" for word in words).lstrip(".")
    return Fault(file, key, message.removeprefix("Value error, "))
