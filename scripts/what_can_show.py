"""Write docs/what-129-patients-can-show.md and its figures: TARLANEC under each of its design scenarios.

Run from the root of the repository; the same seed and trials give the same bytes. Some minutes on two cores.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

from what_can_show_page import FIRST, RATIOS, SCENARIOS, TESTS, Effort, Shown, pages

from trialwright.simulate.characteristics import characteristics
from trialwright.simulate.chunks import Run
from trialwright.simulate.design import Design, Piece, Test, read
from trialwright.simulate.page import Values
from trialwright.simulate.repeat import Hands, cores, processes, run
from trialwright.simulate.search import Wish, changed, judged_by, search
from trialwright.study.load import folder, load

MORE = (
    Test(id="cox", kind="cox", stratified=True),
    Test(id="rmst_18", kind="rmst", months=18),
    Test(id="landmark_12", kind="landmark", months=12),
)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--trials", type=int, default=100_000)
    ask.add_argument("--tries", type=int, default=10_000, help="trials of each candidate of a search")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--workers", type=int, default=cores())
    ask.add_argument("--docs", type=Path, default=Path("docs"))
    given = ask.parse_args()
    with processes(given.workers) as hands:
        shown = look(
            Effort(given.trials, given.tries, given.seed), hands, lambda words: sys.stderr.write(f"{words}\n")
        )
    for name, text in pages(shown).items():
        (given.docs / name).write_text(text, encoding="utf-8")


def look(effort: Effort, hands: Hands, say: Callable[[str], object]) -> Shown:
    study = load(folder("tarlanec"))
    designs = {name: tested(read(study, name)) for name in SCENARIOS}

    def values(name: str, design: Design) -> Values:
        say(f"{name}: {effort.trials:,} trials")
        found = run(Run(design, effort.trials, effort.seed), hands=hands)
        return Values(characteristics(design, name, found))

    planned = {
        name: values(name, level(design, calibrate=name == "null")) for name, design in designs.items()
    }
    bounds = {test: planned["null"].one("bound_at_level", test, "1") or math.nan for test in TESTS}
    fixed = {test: (bound,) for test, bound in bounds.items()}
    held = {
        name: values(name, level(design, bounds=fixed, calibrate=False)) for name, design in designs.items()
    }
    ratios: dict[str, list[tuple[float, float, float]]] = {}
    for delay in ("at once", "after two months"):
        for ratio in RATIOS:
            design = level(judged_by(designs["null"], FIRST), bounds={FIRST: fixed[FIRST]}, calibrate=False)
            effect = (Piece(value=ratio),)
            if delay != "at once":
                effect = (Piece(value=1), Piece(start=2, value=ratio))
            value = values(f"hazard ratio {ratio} {delay}", changed(design, hazard_ratio=effect))
            power, error = (value.one(name, FIRST, "") or 0.0 for name in ("power", "power_se"))
            ratios.setdefault(delay, []).append((ratio, power, error))
    found = {}
    for name, design in designs.items():
        if name != "null":
            say(f"{name}: search")
            wish = Wish(0.8, effort.tries, effort.seed)
            found[name] = search(judged_by(design, FIRST), wish, hands=hands)
    return Shown(effort, planned, held, bounds, ratios, found)


def tested(design: Design) -> Design:
    return changed(design, tests=(*design.tests, *MORE))


def level(design: Design, **change: object) -> Design:
    return changed(design, level=design.level.model_copy(update=change))


if __name__ == "__main__":
    main()
