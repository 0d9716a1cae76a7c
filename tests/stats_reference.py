"""Reads what the R programs in tests/reference/r wrote: the passport in the first line, then ``name = numbers``."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parent / "reference" / "r"


def numbers(file: str) -> dict[str, np.ndarray]:
    """Each named line as an array; NA is NaN."""
    found = {}
    for line in (FOLDER / file).read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        name, _, values = line.partition(" = ")
        assert name not in found or np.array_equal(found[name], _floats(values), equal_nan=True), name
        found[name] = _floats(values)
    return found


def _floats(words: str) -> np.ndarray:
    return np.array([float("nan") if word == "NA" else float(word) for word in words.split()])


def data(name: str) -> dict[str, np.ndarray]:
    """The columns of a data set that ships with R; NA is NaN, words stay words."""
    with (FOLDER / "data" / f"{name}.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    return {column: _column([row[column] for row in rows]) for column in rows[0]}


def _column(cells: list[str]) -> np.ndarray:
    try:
        return np.array([float("nan") if cell == "NA" else float(cell) for cell in cells])
    except ValueError:
        return np.array(cells)


def either_form(module: dict[str, Any]) -> Any:
    """A fixture that runs every test of a module twice: with the estimators it imported, and compiled."""

    @pytest.fixture(autouse=True, params=["array", "compiled"])
    def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        if request.param == "compiled":
            from trialwright.stats import compiled

            for name in set(compiled.__all__) & set(module):
                monkeypatch.setitem(module, name, getattr(compiled, name))

    return form
