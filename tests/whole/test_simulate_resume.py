"""A simulation killed in the middle and asked again ends in the bytes of one that was never disturbed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trialwright.simulate import operate, repeat, resume
from trialwright.simulate.design import read
from trialwright.standards.errors import InputError
from trialwright.study.load import folder, load

STUDY = load(folder("tarlanec"))
FILES = ("results.parquet", "simulation.html", "tally.json")

KILLED = """
import os, signal, sys
from pathlib import Path
from trialwright.simulate import operate, repeat
from trialwright.simulate.design import read
from trialwright.study.load import folder, load

repeat._FIRST, repeat._PIECE, operate._SECONDS = 100, 129 * 150, 0.0

def hands(pieces):
    for done, piece in enumerate(pieces):
        if done == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield from repeat.here(iter([piece]))

study = load(folder("tarlanec"))
asked = operate.Asked("moderate", 1000, 3)
operate.operate(study, read(study, "moderate"), asked, Path(sys.argv[1]), hands=hands, say=lambda _: None)
"""


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(repeat, "_FIRST", 100)
    monkeypatch.setattr(repeat, "_PIECE", 129 * 150)
    monkeypatch.setattr(operate, "_SECONDS", 0.0)


def ask(out, trials=1000, seed=3, scenario="moderate", hands=repeat.here):
    asked = operate.Asked(scenario, trials, seed)
    design = read(STUDY, scenario)
    return operate.operate(STUDY, design, asked, out, hands=hands, say=lambda _: None)


def counting(asked):
    """Hands that note what they are asked for."""

    def hands(pieces):
        for piece in pieces:
            asked.append((piece.first, piece.trials))
            yield from repeat.here(iter([piece]))

    return hands


@pytest.fixture
def whole(tmp_path):
    ask(tmp_path / "whole")
    return tmp_path / "whole"


def same(one, other):
    return [name for name in FILES if (one / name).read_bytes() != (other / name).read_bytes()] == []


def test_killed_and_asked_again(whole, tmp_path):
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", KILLED, out], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    kept = json.loads(resume.unfinished(out).read_text("utf-8"))
    assert kept["done"] == [[0, 400]], "two pieces after the first are kept, the third never came"
    asked = []
    ask(out, hands=counting(asked))
    assert sorted(asked) == [(400, 150), (550, 150), (700, 150), (850, 150)]
    assert same(out, whole)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "whole"], "nothing is left lying about"


def test_more_trials_use_those_there_are(whole, tmp_path):
    out = tmp_path / "out"
    ask(out, trials=400)
    asked = []
    ask(out, hands=counting(asked))
    assert min(asked) == (400, 150)
    assert sum(trials for _, trials in asked) == 600
    assert same(out, whole)
    ask(out, trials=400)
    again = tmp_path / "again"
    ask(again, trials=400)
    assert same(out, again), "fewer trials are a new question"


def test_another_question_is_refused(tmp_path):
    out = tmp_path / "out"

    def interrupted(pieces):
        yield from repeat.here(iter([next(pieces)]))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="100 trials are kept; the same command goes on from there"):
        ask(out, hands=interrupted)
    before = resume.unfinished(out).read_bytes()
    for change, words in (
        ({"seed": 4}, r"scenario moderate, seed 3, version"),
        ({"scenario": "null"}, r"is another question, half done \(study TARLANEC, scenario moderate"),
        ({"trials": 50}, r"with more trials: ask for 100 at least"),
    ):
        with pytest.raises(InputError, match=words) as refused:
            ask(out, **change)
        assert len(refused.value.lines) == 1
    assert resume.unfinished(out).read_bytes() == before
    changed = read(STUDY, "moderate").model_copy(update={"patients": 130})
    with pytest.raises(InputError, match="whose numbers have changed since"):
        operate.operate(
            STUDY, changed, operate.Asked("moderate", 1000, 3), out, hands=repeat.here, say=lambda _: None
        )


def test_a_finished_folder_of_another_question_is_replaced(whole):
    ask(whole, seed=4, trials=200)
    assert json.loads((whole / "tally.json").read_text("utf-8"))["question"]["seed"] == 4


@pytest.mark.parametrize("text", ["", "[1", "{}", '{"question": {}, "done": [], "tally": []}'])
def test_what_is_no_tally_is_told(text, tmp_path):
    resume.unfinished(tmp_path / "out").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is not a tally of this program: remove it"):
        ask(tmp_path / "out")


def test_interrupted_by_hand(tmp_path):
    """Ctrl-C reaches the workers too; who asked gets one line, and nothing that was counted is lost."""
    out = tmp_path / "out"
    command = [Path(sys.executable).parent / "trialwright", "simulate", "tarlanec", "--scenario", "moderate",
               "--trials", "10000000", "--workers", "2", "--out", out]  # fmt: skip
    going = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    for _ in range(600):
        if resume.unfinished(out).exists():
            break
        time.sleep(0.05)
    os.killpg(going.pid, signal.SIGINT)
    _, said = going.communicate(timeout=60)
    assert going.returncode == 130, said
    told = re.fullmatch(r"interrupted: ([\d,]+) trials are kept; the same command goes on from there\n", said)
    assert told, said
    kept = json.loads(resume.unfinished(out).read_text("utf-8"))
    assert kept["done"][0][0] == 0
    assert sum(stop - start for start, stop in kept["done"]) == int(told[1].replace(",", "")) >= 1000
