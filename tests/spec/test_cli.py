"""The command line as a newcomer meets it: one clear line on bad input, exit code 2, nothing half written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from trialwright.study import load


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command: Sequence[str | Path] = [Path(sys.executable).parent / "trialwright", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def sdtm(tmp_path: Path) -> Path:
    """The least that is SDTM."""
    folder = tmp_path / "sdtm"
    folder.mkdir()
    (folder / "dm.csv").write_text("STUDYID,DOMAIN,USUBJID,RFICDTC\nS,DM,X,2026-01-02\n", encoding="utf-8")
    return folder


def test_help_names_every_command_and_each_has_an_example() -> None:
    top = _run("--help")
    assert top.returncode == 0
    for command in ("check", "build", "explain", "rehearse", "simulate", "demo"):
        assert command in top.stdout
        said = _run(command, "--help")
        assert f"trialwright {command}" in said.stdout.split("Example:")[1], said.stdout


def test_check_tells_the_contradictions_of_the_record() -> None:
    done = _run("check", "tarlanec")
    assert done.returncode == 0
    assert "8 registered outcomes" in done.stdout
    for words in ("cemiplimab", "primary_and_secondary", "Decision:"):
        assert words in done.stdout


def test_check_prints_every_fault_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text("headline_population = 1\n", encoding="utf-8")
    done = _run("check", tmp_path)
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert len(lines) > 3
    assert all(line.startswith("error: ") for line in lines)
    assert "error: sources.toml: file is missing" in lines


BAD = {
    "no such study": (
        ["build", "nowhere", "--sdtm", "SDTM", "--out", "OUT"],
        "no such folder, and no bundled study",
    ),
    "no such data": (["build", "tarlanec", "--sdtm", "NONE", "--out", "OUT"], "there is no folder"),
    "data without subjects": (["build", "tarlanec", "--sdtm", "EMPTY", "--out", "OUT"], "has no dataset DM"),
    "a cutoff that is no date": (
        ["build", "tarlanec", "--sdtm", "SDTM", "--out", "OUT", "--cutoff", "soon"],
        "--cutoff is a date like 2028-06-30, not 'soon'",
    ),
    "an output that is somebody's folder": (
        ["build", "tarlanec", "--sdtm", "SDTM", "--out", "MINE"],
        "is not an earlier output",
    ),
    "a rehearsal over somebody's folder": (
        ["rehearse", "tarlanec", "--out", "MINE"],
        "is not an earlier output",
    ),
    "a scenario that is not there": (
        ["rehearse", "tarlanec", "--out", "OUT", "--scenario", "dream"],
        "has no scenario 'dream'",
    ),
    "a study without a scenario": (["rehearse", "onco", "--out", "OUT"], "has no scenario 'rehearsal'"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(tmp_path: Path, sdtm: Path, name: str) -> None:
    words, expected = BAD[name]
    mine, empty = tmp_path / "mine", tmp_path / "empty"
    mine.mkdir()
    empty.mkdir()
    (mine / "thesis.txt").write_text("precious", encoding="utf-8")
    places = {"SDTM": sdtm, "EMPTY": empty, "MINE": mine, "NONE": tmp_path / "none", "OUT": tmp_path / "out"}
    done = _run(*(places.get(word, word) for word in words))
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
    assert (mine / "thesis.txt").read_text(encoding="utf-8") == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "mine", "sdtm"]


def test_the_least_that_is_sdtm_gives_a_report_and_not_an_error(tmp_path: Path, sdtm: Path) -> None:
    done = _run("build", "tarlanec", "--sdtm", sdtm, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    assert "1 subjects" in done.stdout


def test_the_command_line_does_not_import_what_it_does_not_need() -> None:
    code = "import sys, trialwright.cli; print([m for m in ('polars', 'numpy', 'scipy', 'matplotlib', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['pydantic']")


def test_every_bundled_study_passes_check() -> None:
    for name in load.bundled():
        assert _run("check", name).returncode == 0
