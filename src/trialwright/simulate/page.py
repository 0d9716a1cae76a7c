"""One small page on a simulated design: the answer, a figure, two tables, what was assumed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

import trialwright
from trialwright.simulate.assumed import assumed
from trialwright.simulate.characteristics import STOP, rejects
from trialwright.simulate.design import Design
from trialwright.simulate.figure import Bar, bars
from trialwright.simulate.page_more import more
from trialwright.study.model import Study

_COLUMNS = (
    "month",
    "events",
    "enrolled",
    "reached",
    "hazard_ratio",
    "std_error",
    "bias_log_hazard_ratio",
    "coverage",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: the scenario's name and the numbers given with it."""

    scenario: str
    trials: int
    seed: int


def render(study: Study, design: Design, asked: Asked, results: pl.DataFrame) -> str:
    """The page; the same arguments give the same bytes."""
    value = Values(results)
    looks = [str(k + 1) for k in range(len(design.looks))]
    word = rejects(design)
    first = value.both(word, design.tests[0].id)
    what = "Type I error" if word == "type_i_error" else "Power"
    return template("simulation.html").render(
        study=study,
        design=design,
        trials=asked.trials,
        seed=asked.seed,
        heading=what,
        answer=together(
            f"{what} of {design.tests[0].id}: {first}. The analysis is expected in month "
            f"{value.both('month', level=STOP)}, with {value.both('events', level=STOP)} events."
        ),
        looks=looks,
        figure=_figure(design, value, looks),
        tests=list(_tests(design, value, looks)),
        summary=[_summary(value, level) for level in (looks if len(looks) == 1 else [*looks, STOP])],
        gap=design.proportional()[1],
        more=list(more(design, value)),
        assumed=list(assumed(design)),
        command=f"trialwright simulate {study.study.id.lower()} --scenario {asked.scenario} "
        f"--trials {asked.trials} --seed {asked.seed} --out OUT",
        version=trialwright.__version__,
    )


def together(words: str) -> str:
    """A number and its error stay on one line."""
    return words.replace(" ± ", " ±\N{NO-BREAK SPACE}").replace(" ±", "\N{NO-BREAK SPACE}±")


def template(name: str) -> Template:
    return Environment(
        loader=PackageLoader("trialwright.simulate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    ).get_template(name)


class Values:
    def __init__(self, results: pl.DataFrame) -> None:
        self._of = {
            (statistic, group, level): value
            for statistic, group, level, value in results.select(
                "statistic", "group", "level", "value"
            ).rows()
        }

    def one(self, statistic: str, group: str, level: str) -> float | None:
        return self._of.get((statistic, group, level))

    def both(self, statistic: str, group: str = "", level: str = "") -> str:
        """The value to two digits of its error, four decimals at most, or a dash."""
        value, error = (self.one(name, group, level) for name in (statistic, f"{statistic}_se"))
        if value is None:
            return "–"
        digits = min(max(1 - math.floor(math.log10(error)), 0), 4) if error else 4
        number = f"{value:.{digits}f}" if error else f"{value:.4g}"
        told = "" if float(f"{error or 0:.{digits}f}") == 0 else f" ±\N{NO-BREAK SPACE}{error:.{digits}f}"
        return number.replace("-", "−") + told


def _tests(design: Design, value: Values, looks: list[str]) -> Iterator[list[str]]:
    for test in design.tests:
        cells = [value.both("stops", test.id, look) for look in looks] if len(looks) > 1 else []
        yield [test.id, *cells, value.both(rejects(design), test.id)]
        closed = value.one("power_closed_form", test.id, "")
        if closed is not None:
            yield ["its closed form (Schoenfeld)", f"{closed:.4f}"]


def _summary(value: Values, level: str) -> list[str]:
    return [level if level != STOP else "at the stop", *(value.both(name, level=level) for name in _COLUMNS)]


def _figure(design: Design, value: Values, looks: list[str]) -> Markup:
    word = rejects(design)
    rows = [
        Bar(
            test.id,
            tuple(value.one("stops", test.id, look) or 0.0 for look in looks),
            value.one(f"{word}_se", test.id, "") or 0.0,
        )
        for test in design.tests
    ]
    told = ", ".join(f"{bar.name} {bar.total:.4f}" for bar in rows)
    alt = f"Share of trials that reject: {told}; the dashed line is the level."
    return bars(rows, design.level.alpha, looks, alt)
