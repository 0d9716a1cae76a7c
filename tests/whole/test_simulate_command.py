"""`trialwright simulate` from the command line to results and page."""

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from trialwright.standards import results


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).parent / "trialwright", "simulate", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "one"
    done = run("tarlanec", "--scenario", "moderate", "--trials", "1500", "--seed", "3", "--out", out)
    assert done.returncode == 0, done.stderr
    assert re.match(r"1,500 trials: power of logrank_stratified 0\.\d{4} ± 0\.\d{4}\nPage: ", done.stdout)
    return out


def test_results_are_results(made):
    frame = results.check(pl.read_parquet(made / "results.parquet"))
    value = {(g, l, s): v for g, l, s, v in frame.select("group", "level", "statistic", "value").rows()}
    power, error = value["logrank_stratified", "", "power"], value["logrank_stratified", "", "power_se"]
    assert 0.4 < power < 0.52
    assert 0 < error < 0.02
    closed = frame.filter(statistic="power_closed_form").row(0, named=True)
    assert closed["value"] is None
    assert closed["note"] == "the closed form is of a look that waits for its events, whatever the month"
    assert value["", "", "true_hazard_ratio"] == 0.68
    assert abs(value["", "1", "coverage"] - 0.95) < 4.5 * value["", "1", "coverage_se"]
    assert 100 < value["", "1", "events"] <= 105
    for (g, l, s), number in value.items():
        if (g, l, f"{s}_se") in value:
            assert (number is None) == (value[g, l, f"{s}_se"] is None), (g, l, s)


def test_the_page_stands_alone(made):
    page = (made / "simulation.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "Simulated, not observed" in page
    assert not re.search(r"(src|href)=\"(?!#)|https?://|@import|<script", page)
    for words in (
        "trialwright simulate tarlanec --scenario moderate --trials 1500 --seed 3",
        "A-04",
        "maxcombo",
    ):
        assert words in page


def test_the_same_bytes_with_two_workers(made, tmp_path):
    out = tmp_path / "two"
    args = ("--scenario", "moderate", "--trials", "1500", "--seed", "3", "--workers", "2", "--out")
    assert run("tarlanec", *args, out).returncode == 0
    for name in ("results.parquet", "simulation.html"):
        assert (out / name).read_bytes() == (made / name).read_bytes()
    assert run("tarlanec", *args, out).returncode == 0, "an earlier output is replaced"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["tarlanec", "--scenario", "best"], "no scenario 'design-best'"),
        (["onco", "--scenario", "target"], "no scenario 'design-target' (there is for design: none)"),
        (["nowhere", "--scenario", "target"], "nowhere"),
    ],
)
def test_bad_input_is_one_line(args, words, tmp_path):
    done = run(*args, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years", encoding="utf-8")
    done = run("tarlanec", "--scenario", "target", "--trials", "10", "--out", tmp_path)
    assert done.returncode == 2
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("trials", ["0", "-1", "many"])
def test_trials_are_a_whole_number_from_one(trials, tmp_path):
    assert (
        run("tarlanec", "--scenario", "target", "--trials", trials, "--out", tmp_path / "o").returncode == 2
    )


def test_one_trial(tmp_path):
    """No spread, and the rows say so."""
    assert run("tarlanec", "--scenario", "target", "--trials", "1", "--out", tmp_path / "o").returncode == 0
    frame = results.check(pl.read_parquet(tmp_path / "o" / "results.parquet"))
    assert (
        frame.filter(statistic="month_se", level="1").row(0, named=True)["note"] == "one trial has no spread"
    )


def test_help_has_an_example():
    assert "trialwright simulate tarlanec" in run("--help").stdout.split("Example:")[1]
