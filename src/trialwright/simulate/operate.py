"""A design question from end to end: simulate, say how far it is, write results and page."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from trialwright.simulate import resume, search_page
from trialwright.simulate.characteristics import characteristics, rejects
from trialwright.simulate.chunks import Run
from trialwright.simulate.design import Design
from trialwright.simulate.ledger import Ledger
from trialwright.simulate.page import Asked, render
from trialwright.simulate.repeat import Hands, run
from trialwright.simulate.search import Wish, search
from trialwright.simulate.tally import Tally, proportion
from trialwright.standards import folders
from trialwright.study.model import Study

__all__ = ["MARK", "RESULTS", "Asked", "Wish", "operate", "seek"]

MARK = "simulation.html"
RESULTS = "results.parquet"
FOUND = "design.html"
_SECONDS = 1.0
"""Between two writings of what has been counted."""

Say = Callable[[str], None]


def operate(study: Study, design: Design, asked: Asked, out: Path, *, hands: Hands, say: Say) -> str:
    """Write results.parquet, simulation.html and tally.json into ``out``; what to tell at the end.

    The bytes depend on the study, the scenario, the trials and the seed alone. Interrupted, the question goes
    on from where it was when it is asked again.
    """
    folders.refuse(out, MARK)
    question = resume.question(study.study.id, asked.scenario, asked.seed, design)
    ledger = resume.known(out, question, asked.trials)
    found = _counted(design, asked, ledger, hands, say, lambda: resume.keep(out, question, ledger))
    say("Writing")
    results = characteristics(design, asked.scenario, found)
    _write(
        out,
        MARK,
        results,
        render(study, design, asked, results),
        {resume.KEPT: resume.text(question, ledger)},
    )
    resume.unfinished(out).unlink(missing_ok=True)
    return f"{answer(design, found, asked.trials)}\nPage: {out / MARK}"


def _counted(  # noqa: PLR0917
    design: Design, asked: Asked, ledger: Ledger, hands: Hands, say: Say, keep: Callable[[], None]
) -> Tally:
    last = time.monotonic()

    def heard(so_far: Tally) -> None:
        nonlocal last
        say(answer(design, so_far, asked.trials))
        if time.monotonic() - last > _SECONDS:
            keep()
            last = time.monotonic()

    try:
        return run(Run(design, asked.trials, asked.seed), hands=hands, say=heard, ledger=ledger)
    except KeyboardInterrupt as stop:
        keep()
        done = ledger.tally["trials",]
        raise KeyboardInterrupt(f"{done:,} trials are kept; the same command goes on from there") from stop


def seek(
    study: Study, design: Design, name: str, wish: Wish, out: Path | None, *, hands: Hands, say: Say
) -> str:
    """Search the events a scenario needs; into ``out``, if given, ``results.parquet`` and ``design.html``."""
    if out:
        folders.refuse(out, FOUND)
    found = search(design, wish, hands=hands, say=say)
    words = search_page.told(name, found)
    if out is None:
        return words
    page = search_page.render(study, design, name, found)
    _write(out, FOUND, search_page.results(design, name, found), page, {})
    return f"{words}\nPage: {out / FOUND}"


def _write(out: Path, mark: str, results: pl.DataFrame, page: str, more: dict[str, str]) -> None:
    def fill(place: Path) -> None:
        results.write_parquet(place / RESULTS)
        for name, text in {mark: page, **more}.items():
            (place / name).write_text(text, encoding="utf-8")

    folders.whole(out, fill, mark=mark)


def answer(design: Design, found: Tally, trials: int) -> str:
    """What is known so far, in one line."""
    done, first = found["trials",], design.tests[0].id
    count = sum(found["rejected", first, str(k + 1)] for k in range(len(design.looks)))
    share, error = proportion(count, done)
    of = f"{done:,} trials" if done == trials else f"{done:,} of {trials:,} trials"
    return f"{of}: {rejects(design).replace('_i_', ' I ')} of {first} {share:.4f} ± {error:.4f}"
