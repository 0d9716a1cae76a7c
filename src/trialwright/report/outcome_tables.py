"""Tables of the registered outcomes: times to an event and proportions, all readings side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trialwright.report.cells import (
    Fill,
    counted,
    in_months,
    p_value,
    percent,
    points,
    ratio,
    share,
    time_range,
    zero_share,
)
from trialwright.report.context import Context
from trialwright.report.language import capitalised
from trialwright.report.tables import Cell, Column, Head, Row, Shell, Table, arm_heads, chunks


def survival(context: Context, caption: str, columns: Sequence[Column]) -> list[Table]:
    """Counts, medians, landmark rates, then the comparison with control under each experimental arm."""
    return [_survival(context, caption, part) for part in chunks(context, columns)]


def proportion(context: Context, caption: str, columns: Sequence[Column]) -> list[Table]:
    return [_proportion(context, caption, part) for part in chunks(context, columns)]


def _survival(context: Context, caption: str, columns: Sequence[Column]) -> Table:
    shell, say = Shell(context), context.language
    months = _landmarks(columns)
    rows = [
        _row(shell, columns, say("without_row"), counted("n_missing")),
        _row(shell, columns, say("without_time"), counted("n_excluded")),
        _row(shell, columns, say("events_percent"), share("events")),
        *_reasons(shell, columns, "event"),
        _row(shell, columns, say("censored"), share("censored")),
        *_reasons(shell, columns, "censored"),
        _row(shell, columns, say("median_months"), in_months("median")),
        _row(shell, columns, say("q1_months"), in_months("q1")),
        _row(shell, columns, say("q3_months"), in_months("q3")),
        _row(shell, columns, say("range_months"), time_range),
        *(
            _row(shell, columns, say("event_free_at", months=shown), percent("survival", level))
            for level, shown in months["landmarks"]
        ),
        *(
            _row(shell, columns, say("rmst_at", months=shown), in_months("rmst", level))
            for level, shown in months["rmst"]
        ),
        _row(shell, columns, say("followup_months"), in_months("followup_median")),
        *_contrasts(shell, columns, months),
    ]
    return shell.table(
        caption,
        "",
        arm_heads(context, columns),
        (row for row in rows if row),
        [
            *_populations(context, columns),
            say("note:survival"),
            *([say("note:ratio")] if any(row and row.kind == "group" for row in rows) else []),
            _strata(context, columns),
            say("abbreviations"),
        ],
        assumes=_assumes(columns),
        style="even",
    )


def _contrasts(shell: Shell, columns: Sequence[Column], months: Months) -> list[Row | None]:
    say = shell.context.language
    stratified = any(_is_stratified(shell.context, c) for c in columns)
    rows = [
        _versus(
            shell, columns, say("hr_stratified" if stratified else "hazard_ratio"), ratio("hazard_ratio")
        ),
        _versus(
            shell, columns, say("p_logrank_stratified" if stratified else "p_logrank"), p_value("p_logrank")
        ),
        _versus(shell, columns, say("p_wald"), p_value("p_wald")),
        _versus(shell, columns, say("hr_unstratified"), ratio("hazard_ratio_unstratified")),
        _versus(shell, columns, say("median_difference"), in_months("median_difference")),
        *(
            _versus(shell, columns, say("difference_at", months=shown), points("survival_difference", level))
            for level, shown in months["landmarks"]
        ),
        *(
            _versus(
                shell, columns, say("rmst_difference_at", months=shown), in_months("rmst_difference", level)
            )
            for level, shown in months["rmst"]
        ),
    ]
    return _under_heading(shell, rows)


def _is_stratified(context: Context, column: Column) -> bool:
    """By what was done, where the results say it; else by what was asked."""
    done = [
        context.results.value(column.analysis.id, "strata", context.versus(a.id), endpoint=column.endpoint)
        for a in context.study.experimental
    ]
    known = [n for n in done if n is not None]
    return any(known) if known else bool(column.analysis.strata)


def _proportion(context: Context, caption: str, columns: Sequence[Column]) -> Table:
    shell, say = Shell(context), context.language
    rows = [
        _row(shell, columns, say("with_outcome"), share("x")),
        _row(shell, columns, say("proportion"), percent("proportion", "")),
        *_best_responses(shell, columns),
        *_under_heading(
            shell,
            [
                _versus(shell, columns, say("difference"), points("difference", "")),
                _versus(shell, columns, say("difference_stratified"), points("difference_stratified", "")),
                _versus(shell, columns, say("odds_ratio"), ratio("odds_ratio")),
                _versus(shell, columns, say("p_cmh"), p_value("p_cmh")),
                _versus(shell, columns, say("p_exact"), p_value("p_exact")),
            ],
        ),
    ]
    return shell.table(
        caption,
        "",
        arm_heads(context, columns),
        (row for row in rows if row),
        [
            *_populations(context, columns),
            say("note:proportion"),
            _strata(context, columns),
            say("abbreviations"),
        ],
        assumes=_assumes(columns),
        style="even",
    )


def _under_heading(shell: Shell, rows: Sequence[Row | None]) -> list[Row | None]:
    kept = [row for row in rows if row]
    context = shell.context
    head = Row(context.language("comparison", control=context.label(context.control)), kind="group")
    return [head, *kept] if kept else []


def _best_responses(shell: Shell, columns: Sequence[Column]) -> list[Row | None]:
    say = shell.context.language
    prefix = "best response: "
    found = dict.fromkeys(
        level
        for c in columns
        for level in shell.context.results.levels(c.analysis.id)
        if level.startswith(prefix)
    )
    rows = []
    for level in found:
        word, colon, detail = level.removeprefix(prefix).partition(": ")
        label = say("of_these", detail=detail) if colon else say.known(f"BOR:{word}", word)
        rows.append(_row(shell, columns, label, share("n_best", level), depth=2 if colon else 1))
    return [Row(say("best_response"), kind="group"), *rows] if rows else []


def _reasons(shell: Shell, columns: Sequence[Column], kind: str) -> list[Row | None]:
    """Why the clock stopped, or was read (``kind`` "event" or "censored"): the frequent reasons first."""
    results = shell.context.results
    totals: dict[str, float] = {}
    for c in columns:
        for level in results.levels(c.analysis.id, c.endpoint):
            for arm in shell.context.arms:
                n = results.get(c.analysis.id, "n_reason", arm.id, level, c.endpoint)
                if n is not None and n.value is not None and kind in (n.note or "event"):
                    totals[level] = totals.get(level, 0) + n.value
    order = sorted((level for level in totals if totals[level]), key=lambda level: (-totals[level], level))
    say = shell.context.language
    return [
        _row(shell, columns, capitalised(say.described(level)), zero_share("n_reason", level), depth=1)
        for level in order
    ]


def _row(shell: Shell, columns: Sequence[Column], label: str, fill: Fill, depth: int = 0) -> Row | None:
    """A row, or nothing where no reading has such a number."""
    cells = [fill(shell, c, arm.id) for c in columns for arm in shell.context.arms]
    if all(cell is None or cell.muted for cell in cells):
        return None
    return Row(label, tuple(cell or shell.unasked() for cell in cells), depth=depth)


def _versus(shell: Shell, columns: Sequence[Column], label: str, fill: Fill) -> Row | None:
    """A row of contrasts: across both arms of two, else under each experimental arm."""
    context = shell.context
    found = {
        (i, a.id): fill(shell, c, context.versus(a.id))
        for i, c in enumerate(columns)
        for a in context.study.experimental
    }
    if all(cell is None for cell in found.values()):
        return None
    cells: list[Cell] = []
    for i, _ in enumerate(columns):
        if len(context.arms) == 2:
            one = found[i, context.study.experimental[0].id] or shell.unasked()
            cells.append(replace(one, span=2))
            continue
        for arm in context.arms:
            reference = Cell(context.language("reference"), muted=True)
            cells.append(reference if arm.id == context.control else found[i, arm.id] or shell.unasked())
    return Row(label, tuple(cells))


Months = dict[str, list[tuple[str, str]]]
"""Months asked for by any of the readings, as (level in the results, text)."""


def _landmarks(columns: Sequence[Column]) -> Months:
    return {
        "landmarks": _levels(m for c in columns for m in c.analysis.landmarks_months),
        "rmst": _levels(m for c in columns for m in c.analysis.rmst_months),
    }


def _levels(months: Iterator[float]) -> list[tuple[str, str]]:
    return [(f"{m:g} months", f"{m:g}") for m in sorted(set(months))]


def _populations(context: Context, columns: Sequence[Column]) -> list[str]:
    seen = dict.fromkeys(context.population(c.analysis.population) for c in columns)
    return [context.language("note:population", population="; ".join(seen))]


def _strata(context: Context, columns: Sequence[Column]) -> str:
    """By what the comparisons are stratified; what was merged or missing, in the words of the results."""
    labels = {s.id: context.study.text(s.label) for s in context.study.strata}
    stratified = [c for c in columns if _is_stratified(context, c)]
    used = dict.fromkeys(labels.get(s, s) for c in stratified for s in c.analysis.strata)
    told = (
        [context.language("note:strata", strata=context.language("list_and").join(_commas(list(used))))]
        if used
        else []
    )
    extra = dict.fromkeys(
        found.note
        for c in columns
        for arm in context.study.experimental
        for name in ("strata_merged", "strata_missing")
        if (found := context.results.get(c.analysis.id, name, context.versus(arm.id), endpoint=c.endpoint))
    )
    return " ".join([*told, *(f"{note[:1].upper()}{note[1:]}." for note in extra if note)])


def _commas(words: list[str]) -> list[str]:
    return [", ".join(words[:-1]), words[-1]] if len(words) > 2 else words


def _assumes(columns: Sequence[Column]) -> list[str]:
    return [a for c in columns for a in (*c.analysis.assumes, *(c.reading.assumes if c.reading else ()))]


def scales(context: Context, caption: str, column: Column, words: Sequence[tuple[str, str]]) -> Table:
    """One row for each scale of a deterioration family: events, median and hazard ratio by arm."""
    shell, say = Shell(context), context.language
    arms = [a.id for a in context.arms]
    experimental = [a for a in arms if a != context.control]
    heads = [
        [
            *(Head(context.label(a), span=2, arm=a, first=True) for a in arms),
            *(
                Head(say("versus_control", control=context.label(context.control)), span=2, arm=a, first=True)
                for a in experimental
            ),
        ],
        [
            *(
                Head(text, first=first)
                for _ in arms
                for text, first in ((say("events"), True), (say("median_months"), False))
            ),
            *(
                Head(text, first=first)
                for _ in experimental
                for text, first in ((say("hazard_ratio"), True), (say("p_value"), False))
            ),
        ],
    ]
    rows = []
    for scale, endpoint in words:
        one = Column(column.analysis, column.reading, endpoint)
        cells = [
            cell or shell.missing(None)
            for a in arms
            for cell in (share("events")(shell, one, a), in_months("median")(shell, one, a))
        ]
        cells += [
            cell or shell.missing(None)
            for a in experimental
            for group in [context.versus(a)]
            for cell in (ratio("hazard_ratio")(shell, one, group), p_value("p_logrank")(shell, one, group))
        ]
        rows.append(Row(say.known(f"scale:{scale}", scale), tuple(cells)))
    notes = [*_populations(context, [column]), _strata(context, [column]), say("abbreviations")]
    return shell.table(caption, say("scale"), heads, rows, notes, assumes=_assumes([column]), style="tight")
