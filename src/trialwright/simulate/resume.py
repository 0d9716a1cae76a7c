"""A long question can be interrupted and taken up: what has been counted stands in a file, exactly.

While the question runs it is ``OUT.unfinished``, beside the folder to come; in the finished folder it is
``tally.json``, from which the same question goes on to more trials.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trialwright
from trialwright.simulate.design import Design
from trialwright.simulate.ledger import Ledger
from trialwright.simulate.tally import Tally
from trialwright.standards.errors import InputError

KEPT = "tally.json"


@dataclass(frozen=True, slots=True)
class Question:
    """What decides every trial: two questions that are equal have the same trials."""

    study: str
    scenario: str
    seed: int
    design: str
    version: str

    def words(self) -> str:
        return f"study {self.study}, scenario {self.scenario}, seed {self.seed}, version {self.version}"


def question(study: str, scenario: str, seed: int, design: Design) -> Question:
    digest = hashlib.sha256(design.model_dump_json().encode()).hexdigest()
    return Question(study, scenario, seed, digest, trialwright.__version__)


def unfinished(out: Path) -> Path:
    return out.with_name(f"{out.name}.unfinished")


def known(out: Path, asked: Question, trials: int) -> Ledger:
    """What is known of the first so many trials.

    Raises InputError where another question is unfinished, or this one with more trials.
    """
    file = unfinished(out)
    if file.exists():
        found, ledger = _read(file)
        if found != asked:
            why = found.words()
            if why == asked.words():
                why += ", whose numbers have changed since"
            raise InputError(f"{file} is another question, half done ({why}): finish it, or remove the file")
        if ledger.done and ledger.done[-1][1] > trials:
            raise InputError(
                f"{file} is of this question with more trials: ask for {ledger.done[-1][1]} at least, "
                "or remove the file"
            )
        return ledger
    if (out / KEPT).is_file():
        found, ledger = _read(out / KEPT)
        if found == asked and all(stop <= trials for _, stop in ledger.done):
            return ledger
    return Ledger()


def text(asked: Question, ledger: Ledger) -> str:
    """The same ledger, the same bytes."""
    kept = {
        "question": {name: getattr(asked, name) for name in Question.__slots__},
        "done": ledger.done,
        "tally": sorted([list(name), count] for name, count in ledger.tally.items()),
    }
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) + "\n"


def keep(out: Path, asked: Question, ledger: Ledger) -> None:
    """Write, whole or not at all."""
    file = unfinished(out)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    new.write_text(text(asked, ledger), encoding="utf-8")
    os.replace(new, file)


def _read(file: Path) -> tuple[Question, Ledger]:
    try:
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        tally = Tally({tuple(name): int(count) for name, count in kept["tally"]})
        done = [(int(start), int(stop)) for start, stop in kept["done"]]
        return Question(**kept["question"]), Ledger(tally, done)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is not a tally of this program: remove it") from error
