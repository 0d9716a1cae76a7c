"""A study folder with the words that only medicine can judge checked too."""

from __future__ import annotations

from pathlib import Path

from trialwright.adam import policies
from trialwright.study.load import Fault, StudyError, load
from trialwright.study.model import Study


def checked(folder: Path) -> Study:
    """``study.load``, and the policies built once. Raises ``StudyError`` with every fault."""
    study = load(folder)
    faults = tuple(_fault(said) for said in policies.faults(study))
    if faults:
        raise StudyError(str(folder), faults)
    return study


def _fault(said: str) -> Fault:
    file = "sources.toml" if said.startswith("sources.toml: ") else "study.toml"
    key, _, sentence = said.removeprefix(f"{file}: ").partition(": ")
    return Fault(file, key, sentence)
