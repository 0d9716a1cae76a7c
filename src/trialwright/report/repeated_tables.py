"""Change of a questionnaire over the visits by the mixed model: all scales, and one visit by visit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trialwright.report.addresses import Number
from trialwright.report.cells import Fill, p_value
from trialwright.report.context import Context
from trialwright.report.questionnaire_tables import shown_scale
from trialwright.report.tables import Cell, Column, Head, Row, Shell, Table
from trialwright.study.model import Analysis

ALL_VISITS = "all visits"


def over_visits(context: Context, analysis: Analysis) -> Table | None:
    """For each scale the difference of mean changes over all visits; a mark where the model is another."""
    scales = _scales(context, analysis)
    if not scales:
        return None
    shell, say = Shell(context), context.language
    rows = [
        Row(say.known(f"scale:{scale}", scale), tuple(_contrasts(shell, analysis, ALL_VISITS, scale)))
        for scale in scales
    ]
    notes = [
        say("note:population", population=context.population(analysis.population)),
        say("note:mmrm_sign"),
        say("note:mmrm"),
        say("note:mmrm_deaths"),
    ]
    caption = say("caption:mmrm", analysis=context.study.text(analysis.label))
    return shell.table(caption, say("scale"), _heads(context, []), rows, notes, assumes=analysis.assumes)


def by_visit(context: Context, analysis: Analysis) -> Table | None:
    """Of global health status, or else the first scale: mean change of each arm, and their difference."""
    scales = _scales(context, analysis)
    if not scales:
        return None
    scale = shown_scale(scales)
    shell, say = Shell(context), context.language
    arms = [a.id for a in context.arms]
    visits = [
        visit
        for of, _, visit in (level.partition(" | ") for level in context.results.levels(analysis.id))
        if of == scale and visit not in ("", ALL_VISITS)
    ]
    rows = [
        Row(
            visit,
            (
                *(cell for arm in arms for cell in _arm(shell, analysis, f"{scale} | {visit}", arm)),
                *_contrasts(shell, analysis, visit, scale),
            ),
        )
        for visit in visits
    ]
    if not rows:
        return None
    caption = say("caption:mmrm_visits", scale=say.known(f"scale:{scale}", scale))
    notes = [
        say("note:population", population=context.population(analysis.population)),
        say("note:scale_more"),
    ]
    heads = _heads(context, arms)
    return shell.table(caption, say("visit"), heads, rows, notes, assumes=analysis.assumes, style="tight")


def _scales(context: Context, analysis: Analysis) -> list[str]:
    return list(dict.fromkeys(level.split(" | ")[0] for level in context.results.levels(analysis.id)))


def _heads(context: Context, arms: Sequence[str]) -> list[list[Head]]:
    say, tried = context.language, context.study.experimental
    control = context.label(context.study.control.id)
    over = [Head(context.label(arm), span=2, arm=arm, first=True) for arm in arms]
    over += [
        Head(context.label(a.id), sub=say("versus_control", control=control), span=2, arm=a.id, first=True)
        for a in tried
    ]
    under = [Head(text, first=text == "n") for _ in arms for text in ("n", say("mean_change", ci=say.ci))]
    under += [
        Head(text, first=first)
        for _ in tried
        for text, first in ((say("mean_difference", ci=say.ci), True), (say("p_value"), False))
    ]
    return [over, under]


def _score(statistic: str, level: str) -> Fill:
    """A number of points of the scale, with its limits."""

    def fill(shell: Shell, column: Column, group: str) -> Cell | None:
        get, number = shell.context.results.get, shell.context.language.number
        middle, *ends = (
            get(column.analysis.id, statistic + end, group, level) for end in ("", "_lower", "_upper")
        )
        return shell.interval(middle, ends, lambda x: number(x, 1)) if middle else None

    return fill


def _arm(shell: Shell, analysis: Analysis, level: str, arm: str) -> Iterator[Cell]:
    yield shell.count(shell.context.results.get(analysis.id, "n", arm, level))
    yield _score("lsmean", level)(shell, Column(analysis), arm) or shell.missing(None)


def _contrasts(shell: Shell, analysis: Analysis, visit: str, scale: str) -> Iterator[Cell]:
    """Where there was no model its reason stands in place of the number."""
    model = shell.context.results.get(analysis.id, "structure", "", scale)
    none = model if model is not None and model.value is None else None
    level = f"{scale} | {visit}"
    for arm in shell.context.study.experimental:
        group = shell.context.versus(arm.id)
        found = _score("difference", level)(shell, Column(analysis), group)
        yield replace(found, mark=found.mark or _model(shell, model)) if found else shell.missing(none)
        yield p_value("p_value", level)(shell, Column(analysis), group) or shell.missing(none)


def _model(shell: Shell, model: Number | None) -> str:
    """The mark of a covariance that is not the first choice: which it is, and why not the others."""
    if model is None or " (not " not in model.note:
        return ""
    structure, _, passed = model.note.partition(" (not ")
    say = shell.context.language
    return shell.notes.mark(f"{say.known(f'covariance:{structure}', structure)} ({passed.removesuffix(')')})")
