"""Each import contract is broken once on purpose: a guard that was never seen to fail guards nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BROKEN = {
    "a stage imports its sibling": (
        "analysis/run.py",
        "import trialwright.report",
        "A package imports only from lines below it",
    ),
    "a lower line imports a higher one": (
        "standards/dates.py",
        "import trialwright.study.model",
        "A package imports only from lines below it",
    ),
    "a new package has no place": ("gadgets/__init__.py", "", "A package imports only from lines below it"),
    "medicine learns of a trial": (
        "medicine/ctcae.py",
        "import trialwright.standards.dates",
        "medicine and stats know no trial",
    ),
    "stats learns of a trial": (
        "stats/survival.py",
        "import trialwright.study.model",
        "medicine and stats know no trial",
    ),
    "the command line reaches past the pipeline": (
        "cli.py",
        "import trialwright.adam.build",
        "Only pipeline and the doors of simulate import sdtm and adam",
    ),
    "two modules import each other": (
        "study/words.py",
        "import trialwright.study.model",
        "No cycles anywhere",
    ),
}


def _lint(src: Path) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--config", ROOT / ".importlinter"],
        env={**os.environ, "PYTHONPATH": str(src), "COLUMNS": "300"},
        cwd=src,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "studies"))
    return tmp_path / "src"


def test_the_contracts_hold(copy: Path) -> None:
    code, said = _lint(copy)
    assert (code, "0 broken" in said) == (0, True), said


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_contract_is_reported(copy: Path, name: str) -> None:
    file, line, contract = BROKEN[name]
    path = copy / "trialwright" / file
    path.parent.mkdir(exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{line}\n", encoding="utf-8")
    code, said = _lint(copy)
    assert code != 0, said
    assert any(row.startswith(contract) and row.endswith("BROKEN") for row in said.splitlines()), said
