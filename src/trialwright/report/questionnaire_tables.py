"""Questionnaires by visit: how many were due and completed, and how a scale changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialwright.report.context import Context
from trialwright.report.language import FIXED
from trialwright.report.plain_tables import shaped, with_percent
from trialwright.report.tables import Cell, Head, Row, Shell, Table
from trialwright.study.model import Analysis


def completion(context: Context, analysis: Analysis) -> Table | None:
    """Questionnaires by visit: due, completed, and both rates."""
    say, results = context.language, context.results
    visits = [x for x in results.levels(analysis.id) if x.startswith("completion | ")]
    if not visits:
        return None
    shell = Shell(context)
    groups = [a.id for a in context.arms]
    words = ("due", "completed", "available")
    heads = [
        [Head(context.label(g), span=3, arm=g, first=True) for g in groups],
        [Head(say(word), first=word == "due") for _ in groups for word in words],
    ]
    rows = [
        Row(
            visit.split(" | ", 1)[1],
            tuple(cell for g in groups for cell in _completion(shell, analysis, g, visit)),
        )
        for visit in visits
        if any(results.value(analysis.id, "due", g, visit) for g in groups)
    ]
    notes = [
        say("note:population", population=context.population(analysis.population)),
        say("note:completion"),
    ]
    return shell.table(
        say("caption:completion"), say("visit"), heads, rows, notes, assumes=analysis.assumes, style="tight"
    )


def _completion(shell: Shell, analysis: Analysis, group: str, visit: str) -> Iterator[Cell]:
    get, say = shell.context.results.get, shell.context.language
    yield shell.count(get(analysis.id, "due", group, visit))
    yield with_percent(
        shell,
        get(analysis.id, "completed", group, visit),
        get(analysis.id, "completion_percent", group, visit),
    )
    available = get(analysis.id, "available_percent", group, visit)
    yield (
        Cell(say.percent(available.value))
        if available and available.value is not None
        else shell.missing(available)
    )


def shown_scale(scales: Sequence[str]) -> str:
    """Global health status where it is asked, else the first."""
    return "QL" if "QL" in scales else scales[0]


def change(context: Context, analysis: Analysis) -> Table | None:
    """Mean score and mean change by visit: global health status where it is asked, else the first scale."""
    say, results = context.language, context.results
    names = [x for x in results.levels(analysis.id) if " | " in x and not x.startswith("completion | ")]
    if not names:
        return None
    scale = shown_scale([name.split(" | ", 1)[0] for name in names])
    shell = Shell(context)
    groups = [a.id for a in context.arms]
    heads = [
        [Head(context.label(g), span=3, arm=g, first=True) for g in groups],
        [
            Head(text, first=i == 0)
            for _ in groups
            for i, text in enumerate(("n", say("mean_sd"), say("change_sd")))
        ],
    ]
    shape = f"{{}}{FIXED}({{}})"
    rows = [
        Row(
            level.split(" | ", 1)[1],
            tuple(
                cell
                for g in groups
                for cell in (
                    shell.count(results.get(analysis.id, "n", g, level)),
                    shaped(shell, analysis.id, level, g, statistics=("mean", "sd"), shape=shape),
                    shaped(
                        shell, analysis.id, level, g, statistics=("change_mean", "change_sd"), shape=shape
                    ),
                )
            ),
        )
        for level in names
        if level.startswith(f"{scale} | ") and any(results.value(analysis.id, "n", g, level) for g in groups)
    ]
    caption = say("caption:change", scale=say.known(f"scale:{scale}", scale))
    notes = [
        say("note:population", population=context.population(analysis.population)),
        say("note:scale_more"),
    ]
    return (
        shell.table(caption, say("visit"), heads, rows, notes, assumes=analysis.assumes, style="tight")
        if rows
        else None
    )
