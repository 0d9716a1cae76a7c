"""`trialwright design` from the command line to results and page."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from trialwright.simulate.design import read
from trialwright.simulate.search import judged_by
from trialwright.standards import results
from trialwright.study.load import folder, load

QUICK = ("--trials", "1500", "--seed", "3")


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).parent / "trialwright", "design", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("made") / "one"
    done = run("tarlanec", "--scenario", "moderate", *QUICK, "--out", out)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_it_answers(made):
    _, said = made
    first = re.match(
        r"moderate: logrank_stratified has power 0\.8 from (\d+) events on \(95 % interval (\d+) to (\d+)\), "
        r"of (\d+) patients, in month [\d.]+: there it is (0\.8\d+) ± 0\.\d+ \(1,500 trials\)\.\n",
        said,
    )
    assert first, said
    events, lower, upper, patients, power = map(float, first.groups())
    assert lower <= events <= upper
    assert 237.5 - 30 < events < 237.5 + 30
    assert patients == -(-events * 129 // 105)
    assert "The closed form (Schoenfeld) asks for 237.5 events." in said
    assert "month 54 at the latest was not applied" in said
    assert f"{events:.0f}" in re.findall(r"(?m)^ *(\d+) ", said)
    assert power >= 0.8


def test_results_are_results(made):
    frame = results.check(pl.read_parquet(made[0] / "results.parquet"))
    value = {(l, s): v for l, s, v in frame.select("level", "statistic", "value").rows()}
    events = value["", "events_needed"]
    assert value[f"{events:.0f} events", "power"] >= 0.8
    assert value[f"{events:.0f} events", "patients"] == value["", "patients_needed"]
    curve = sorted((int(l.split()[0]), v) for (l, s), v in value.items() if s == "power")
    assert len(curve) >= 8
    assert all(v < 0.8 for e, v in curve if e < events)
    for level, power in curve:
        closed, error = (value[f"{level} events", s] for s in ("power_closed_form", "power_se"))
        assert abs(power - closed) < 4.5 * error + 0.02


def test_the_page_stands_alone(made):
    page = (made[0] / "design.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "Simulated, not observed" in page
    assert not re.search(r"(src|href)=\"(?!#)|https?://|@import|<script", page)
    for words in (
        "trialwright design tarlanec --scenario moderate --power 0.8 --test logrank_stratified --trials 1500",
        "class=\"answer\"",
        "Schoenfeld",
        "1,500 trials for each candidate of the search, 375 for points that only draw the curve",
    ):  # fmt: skip
        assert words in page


def test_the_same_bytes_with_two_workers(made, tmp_path):
    assert (
        run(
            "tarlanec", "--scenario", "moderate", *QUICK, "--workers", "2", "--out", tmp_path / "o"
        ).returncode
        == 0
    )
    for name in ("results.parquet", "design.html"):
        assert (tmp_path / "o" / name).read_bytes() == (made[0] / name).read_bytes()


def test_another_test_and_the_patients_there_are():
    done = run("tarlanec", "--test", "late", "--patients", "140", "--power", "0.7", *QUICK)
    assert done.returncode == 0, done.stderr
    assert re.match(r"target: late has power 0\.7 from \d+ events on .* of 140 patients", done.stdout)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["tarlanec", "--scenario", "best"], "no scenario 'design-best'"),
        (["tarlanec", "--scenario", "null"], "hazard ratio 1: there is no benefit"),
        (["tarlanec", "--test", "best"], "no test 'best'"),
        (["tarlanec", "--power", "1.5"], "power lies between"),
        (["tarlanec", "--power", "0.8", "--patients", "60", *QUICK], "power 0.8 is not reached with 60 patients"),
        (["tarlanec", "--workers", "2", "--dask", "tcp://here:1"], "one of them"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(args, words, tmp_path):
    done = run(*args, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_bounds_of_another_test_are_no_fault():
    """The scenario states a bound for each of its tests; the search is for one of them."""
    study = load(folder("tarlanec"))
    raw = dict(study.scenarios["design-moderate"])
    raw["level"] = raw["level"] | {"bounds": {"logrank_stratified": [2.036], "logrank": [1.973]}}
    chosen = judged_by(read(study.model_copy(update={"scenarios": {"design-x": raw}}), "x"), "logrank")
    assert dict(chosen.level.bounds) == {"logrank": (1.973,)}


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="sees in /proc how far the program is")
def test_interrupted_it_says_so_in_one_line():
    command = [Path(sys.executable).parent / "trialwright", "design", "tarlanec", "--trials", "10000000"]
    going = subprocess.Popen(
        [*command, "--workers", "1"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while "numpy" not in Path(f"/proc/{going.pid}/maps").read_text("utf-8") and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    going.send_signal(signal.SIGINT)
    said, wrong = going.communicate(timeout=60)
    assert (going.returncode, said, wrong) == (130, "", "interrupted\n")


def test_help_tells_who_gets_fewer_trials():
    assert "curve get a quarter" in re.sub(r"[\s│]+", " ", run("--help").stdout)


def test_help_has_an_example():
    assert "trialwright design tarlanec" in run("--help").stdout.split("Example:")[1]
