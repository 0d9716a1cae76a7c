"""How a cell of an outcome's table is filled: one function for each kind of number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from trialwright.report.addresses import Number
from trialwright.report.tables import Cell, Column, Shell

Fill = Callable[[Shell, Column, str], Cell | None]
"""The cell of one arm under one reading; None where the results have no such row."""


def _get(shell: Shell, column: Column, statistic: str, group: str, level: str = "") -> Number | None:
    return shell.context.results.get(column.analysis.id, statistic, group, level, column.endpoint)


def _three(
    shell: Shell, column: Column, statistic: str, group: str, level: str
) -> tuple[Number | None, tuple[Number | None, Number | None]]:
    middle, lower, upper = (
        _get(shell, column, statistic + end, group, level) for end in ("", "_lower", "_upper")
    )
    return middle, (lower, upper)


def share(statistic: str, level: str = "") -> Fill:
    def fill(shell: Shell, column: Column, arm: str) -> Cell | None:
        found = _get(shell, column, statistic, arm, level)
        total = _get(shell, column, "n", arm)
        return shell.share(found, total.value if total else None) if found else None

    return fill


def counted(statistic: str) -> Fill:
    """A count whose note says what it counts."""

    def fill(shell: Shell, column: Column, arm: str) -> Cell | None:
        found = _get(shell, column, statistic, arm)
        if found is None:
            return None
        cell = shell.count(found)
        return replace(cell, mark=shell.notes.mark(found.note)) if found.note else cell

    return fill


def time_range(shell: Shell, column: Column, arm: str) -> Cell | None:
    """Shortest to longest; a plus where the time goes on unknown."""
    ends = [_get(shell, column, name, arm) for name in ("min", "max")]
    first, last = ends
    if first is None or last is None:
        return None
    if first.value is None or last.value is None:
        return shell.missing(first)
    months = shell.context.months
    shown = (
        months(first.value) + ("+" if first.note else ""),
        months(last.value) + ("+" if last.note else ""),
    )
    return Cell(shell.context.language.interval(*shown))


def zero_share(statistic: str, level: str) -> Fill:
    """A reason nobody had under this arm has no row in the results: that is none, not unknown."""

    def fill(shell: Shell, column: Column, arm: str) -> Cell | None:
        total = _get(shell, column, "n", arm)
        found = _get(shell, column, statistic, arm, level) or (Number(0.0) if total else None)
        return shell.share(found, total.value if total else None)

    return fill


def in_months(statistic: str, level: str = "") -> Fill:
    def fill(shell: Shell, column: Column, arm: str) -> Cell | None:
        middle, limits = _three(shell, column, statistic, arm, level)
        return shell.interval(middle, limits, shell.context.months) if middle else None

    return fill


def percent(statistic: str, level: str) -> Fill:
    """The limits without the sign of percent."""

    def fill(shell: Shell, column: Column, arm: str) -> Cell | None:
        middle, limits = _three(shell, column, statistic, arm, level)
        say = shell.context.language
        if middle is None:
            return None
        return shell.interval(
            middle, limits, lambda x: say.percent(100 * x), lambda x: say.number(100 * x, 1)
        )

    return fill


def ratio(statistic: str, level: str = "") -> Fill:
    def fill(shell: Shell, column: Column, group: str) -> Cell | None:
        middle, limits = _three(shell, column, statistic, group, level)
        number = shell.context.language.number
        return shell.interval(middle, limits, lambda x: number(x, 2)) if middle else None

    return fill


def points(statistic: str, level: str) -> Fill:
    """A difference of proportions in percentage points."""

    def fill(shell: Shell, column: Column, group: str) -> Cell | None:
        middle, limits = _three(shell, column, statistic, group, level)
        number = shell.context.language.number
        return shell.interval(middle, limits, lambda x: number(100 * x, 1)) if middle else None

    return fill


def p_value(statistic: str, level: str = "") -> Fill:
    def fill(shell: Shell, column: Column, group: str) -> Cell | None:
        found = _get(shell, column, statistic, group, level)
        if found is None:
            return None
        if found.value is None:
            return shell.missing(found)
        mark = shell.notes.mark(found.note) if found.note else ""
        return Cell(shell.context.language.p(found.value), mark=mark)

    return fill
