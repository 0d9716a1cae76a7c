"""A look at a trial under way: bound, estimate and what may still come, one column for each contrast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trialwright.report.cells import Fill, p_value, ratio
from trialwright.report.context import Context
from trialwright.report.tables import Cell, Column, Head, Row, Shell, Table
from trialwright.study.model import Analysis


def looked(context: Context, analysis: Analysis) -> Table | None:
    """One row for each number of the look."""
    if not context.results.levels(analysis.id):
        return None
    shell, say = Shell(context), context.language
    groups = [context.versus(a.id) for a in context.study.experimental]
    found = [
        (say(f"interim:{name}"), [fill(shell, Column(analysis), group) for group in groups])
        for name, fill in _ROWS.items()
    ]
    rows = [
        Row(label, tuple(cell or shell.missing(None) for cell in cells))
        for label, cells in found
        if any(cells)
    ]
    control = context.label(context.study.control.id)
    heads = [
        Head(context.label(a.id), sub=say("versus_control", control=control), arm=a.id, first=True)
        for a in context.study.experimental
    ]
    notes = [
        say("note:population", population=context.population(analysis.population)),
        say("note:interim"),
    ]
    caption = context.study.text(analysis.label)
    return shell.table(caption, say("look"), [heads], rows, notes, assumes=analysis.assumes)


def _number(statistic: str, decimals: int) -> Fill:
    return _written(statistic, lambda shell, x: shell.context.language.number(x, decimals))


def _share(statistic: str) -> Fill:
    return _written(statistic, lambda shell, x: shell.context.language.percent(100 * x))


def _answer(statistic: str) -> Fill:
    return _written(statistic, lambda shell, x: shell.context.language("yes" if x else "no"))


def _written(statistic: str, write: Callable[[Shell, float], str]) -> Fill:
    def fill(shell: Shell, column: Column, group: str) -> Cell | None:
        found = shell.context.results.get(column.analysis.id, statistic, group)
        if found is None or found.value is None:
            return shell.missing(found) if found else None
        return Cell(write(shell, found.value))

    return fill


def _limits(statistic: str) -> Fill:
    """Limits without an estimate of their own."""

    def fill(shell: Shell, column: Column, group: str) -> Cell | None:
        say = shell.context.language
        ends = [
            shell.context.results.get(column.analysis.id, statistic + end, group)
            for end in ("_lower", "_upper")
        ]
        if None in ends:
            return None
        if any(end.value is None for end in ends if end):
            return shell.missing(ends[0])
        return Cell(
            say.interval(*(say.number(end.value, 2) for end in ends if end and end.value is not None))
        )

    return fill


_ROWS: Final[dict[str, Fill]] = {
    "events": _number("events", 0),
    "events_planned": _number("events_planned", 0),
    "information_fraction": _share("information_fraction"),
    "alpha_spent": _number("alpha_spent", 4),
    "bound_z": _number("bound_z", 3),
    "bound_p": p_value("bound_p"),
    "z": _number("z", 3),
    "p_logrank": p_value("p_logrank"),
    "bound_crossed": _answer("bound_crossed"),
    "hazard_ratio": ratio("hazard_ratio"),
    "hazard_ratio_repeated": _limits("hazard_ratio_repeated"),
    "hazard_ratio_stage_wise": ratio("hazard_ratio_stage_wise"),
    "p_stage_wise_one_sided": p_value("p_stage_wise_one_sided"),
    "final_bound_z": _number("final_bound_z", 3),
    "conditional_power_trend": _share("conditional_power_trend"),
    "conditional_power_design": _share("conditional_power_design"),
    "predictive_power": _share("predictive_power"),
}
