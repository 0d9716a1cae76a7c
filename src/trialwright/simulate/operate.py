"""A design question from end to end: simulate, say how far it is, write results and page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trialwright.simulate.characteristics import characteristics, rejects
from trialwright.simulate.chunks import Run
from trialwright.simulate.design import Design
from trialwright.simulate.page import Asked, render
from trialwright.simulate.repeat import run
from trialwright.simulate.tally import Tally, proportion
from trialwright.standards import folders
from trialwright.study.model import Study

__all__ = ["MARK", "RESULTS", "Asked", "operate"]

MARK = "simulation.html"
RESULTS = "results.parquet"


def operate(
    study: Study, design: Design, asked: Asked, out: Path, *, workers: int, say: Callable[[str], None]
) -> str:
    """Write ``results.parquet`` and ``simulation.html`` into ``out``; what to tell at the end.

    The bytes depend on the study, the scenario, the trials and the seed alone.
    """
    folders.refuse(out, MARK)
    found = run(
        Run(design, asked.trials, asked.seed),
        workers=workers,
        say=lambda so_far: say(answer(design, so_far, asked.trials)),
    )
    say("Writing")
    results = characteristics(design, asked.scenario, found)
    page = render(study, design, asked, results)

    def fill(place: Path) -> None:
        results.write_parquet(place / RESULTS)
        (place / MARK).write_text(page, encoding="utf-8")

    folders.whole(out, fill, mark=MARK)
    return f"{answer(design, found, asked.trials)}\nPage: {out / MARK}"


def answer(design: Design, found: Tally, trials: int) -> str:
    """What is known so far, in one line."""
    done, first = found["trials",], design.tests[0].id
    count = sum(found["rejected", first, str(k + 1)] for k in range(len(design.looks)))
    share, error = proportion(count, done)
    of = f"{done:,} trials" if done == trials else f"{done:,} of {trials:,} trials"
    return f"{of}: {rejects(design).replace('_i_', ' I ')} of {first} {share:.4f} ± {error:.4f}"
