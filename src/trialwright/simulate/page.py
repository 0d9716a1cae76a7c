"""One small page on a simulated design: the answer, a figure, two tables, what was assumed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import trialwright
from trialwright.report.canvas import SIZE, beside, sheet
from trialwright.report.palette import INK
from trialwright.report.svg import inline
from trialwright.simulate.characteristics import STOP, rejects
from trialwright.simulate.design import Accrual, Design, Group, Look, Piece
from trialwright.study.model import Study

_SHADES = ("#124f86", "#5b8db8", "#9dbdd8", "#c9dae8", "#dfe9f1")
_ROW = 26.0
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
    value = _Values(results)
    looks = [str(k + 1) for k in range(len(design.looks))]
    word = rejects(design)
    first = value.both(word, design.tests[0].id)
    what = "Type I error" if word == "type_i_error" else "Power"
    template = Environment(
        loader=PackageLoader("trialwright.simulate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    ).get_template("design.html")
    return template.render(
        study=study,
        design=design,
        trials=asked.trials,
        seed=asked.seed,
        heading=what,
        answer=f"{what} of {design.tests[0].id}: {first}. The analysis is expected in month "
        f"{value.both('month', level=STOP)}, with {value.both('events', level=STOP)} events.",
        looks=looks,
        figure=_figure(design, value, looks),
        tests=list(_tests(design, value, looks)),
        summary=[_summary(value, level) for level in (looks if len(looks) == 1 else [*looks, STOP])],
        gap=design.proportional()[1],
        assumed=list(assumed(design)),
        command=f"trialwright simulate {study.study.id.lower()} --scenario {asked.scenario} "
        f"--trials {asked.trials} --seed {asked.seed} --out OUT",
        version=trialwright.__version__,
    )


class _Values:
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


def _tests(design: Design, value: _Values, looks: list[str]) -> Iterator[list[str]]:
    for test in design.tests:
        cells = [value.both("stops", test.id, look) for look in looks] if len(looks) > 1 else []
        yield [test.id, *cells, value.both(rejects(design), test.id)]
        closed = value.one("power_closed_form", test.id, "")
        if closed is not None:
            yield ["its closed form (Schoenfeld)", f"{closed:.4f}"]


def _summary(value: _Values, level: str) -> list[str]:
    return [level if level != STOP else "at the stop", *(value.both(name, level=level) for name in _COLUMNS)]


def _figure(design: Design, value: _Values, looks: list[str]) -> Markup:
    """A bar for each test, in parts where there are several looks; the whisker is 1.96 Monte Carlo errors."""
    canvas, axes = sheet(8, _ROW * len(design.tests), 40, left=138, right=70)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(design.tests) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("share of trials that reject", fontsize=SIZE, color=INK)
    for y, test in enumerate(design.tests):
        total, left = value.one(rejects(design), test.id, "") or 0.0, 0.0
        error = 1.96 * (value.one(f"{rejects(design)}_se", test.id, "") or 0.0)
        for k, look in enumerate(looks):
            width = value.one("stops", test.id, look) or 0.0
            axes.barh(y, width, left=left, height=0.55, color=_SHADES[k % len(_SHADES)])
            left += width
        axes.plot([total - error, total + error], [y, y], color=INK, linewidth=1.2)
        beside(axes, -134, y, test.id, color=INK)
        axes.annotate(
            f"{100 * total:.1f} %",
            (1, y),
            xytext=(66, 0),
            textcoords="offset points",
            fontsize=SIZE,
            ha="right",
            va="center",
            color=INK,
            annotation_clip=False,
            parse_math=False,
        )
    axes.axvline(design.level.alpha, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
    told = ", ".join(f"{t.id} {value.one(rejects(design), t.id, '') or 0:.4f}" for t in design.tests)
    return inline(canvas, "rejects", f"Share of trials that reject: {told}; the dashed line is the level.")


def assumed(design: Design) -> Iterator[tuple[str, str]]:
    """Each section of the scenario in words, with its source."""
    yield "Effect", _sourced(f"hazard ratio {_pieces(design.hazard_ratio)}", design.source)
    control = (
        f"median {design.control.median:g} months"
        if design.control.median
        else f"hazard a month {_pieces(design.control.hazard)}"
    )
    yield "Control arm", _sourced(control, design.control.source)
    if len(design.groups) > 1:
        yield "Groups", "; ".join(map(_group, design.groups))
    yield "Accrual", _sourced(_accrual(design.accrual), design.accrual.source)
    lost = f"{100 * design.dropout.per_year:g} % a year"
    if design.dropout.per_year_experimental is not None:
        lost += f", in the experimental arm {100 * design.dropout.per_year_experimental:g} %"
    yield "Lost", _sourced(lost, design.dropout.source)
    if (a := design.allocation) is not None:
        blocks = f", blocks of {' and '.join(map(str, a.block_sizes))}" if a.block_sizes else ""
        words = f"{a.method.replace('_', ' ')} {a.experimental}:{a.control}{blocks}"
        yield "Allocation", _sourced(words + (", stratified" if a.stratified else ""), a.source)
    yield "Looks", "; ".join(_sourced(_look(look), look.source) for look in design.looks)
    level = f"one-sided {design.level.alpha:g}"
    if len(design.looks) > 1:
        level += f", spent as {design.level.spending} on {design.planned} events"
    yield "Level", _sourced(level, design.level.source)


def _sourced(words: str, source: str) -> str:
    return f"{words} ({source})" if source else words


def _pieces(pieces: tuple[Piece, ...]) -> str:
    return ", ".join(f"{p.value:g}" + (f" from month {p.start:g}" if p.start else "") for p in pieces)


def _group(group: Group) -> str:
    words = f"{group.id} {100 * group.share:g} %, hazard × {group.times:.3g}"
    return words + (f", hazard ratio {_pieces(group.hazard_ratio)}" if group.hazard_ratio else "")


def _accrual(accrual: Accrual) -> str:
    how = {"uniform": "uniform", "poisson": "a Poisson stream", "even": "at equal steps"}[accrual.model]
    return f"{how}, {accrual.months:g} months"


def _look(look: Look) -> str:
    parts = [f"{look.events} events"] if look.events else []
    parts += [f"month {look.month:g}"] if look.month else []
    words = " or ".join(parts)
    return f"{words}, whichever comes {look.whichever}" if len(parts) == 2 else words
