"""What stands beside the registered outcomes: supporting tests, subgroups, competing risks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from trialwright.report.cells import counted, in_months, p_value, percent, ratio, share
from trialwright.report.charts import ForestRow, forest
from trialwright.report.context import Context
from trialwright.report.figures import Figure
from trialwright.report.language import in_a_sentence
from trialwright.report.palette import Look
from trialwright.report.tables import Cell, Column, Head, Row, Shell, Table
from trialwright.study.model import Analysis, BaselineCharacteristic, Factor, Stratum

EVERYBODY: Final = "all"
MISSING: Final = "missing"
_LOOK: Final = Look("#124f86", (), "s")
_LONG: Final = 24
_HEADING: Final = 34  # characters: nothing stands beside it
_BETWEEN: Final = re.compile(r"(\S+) to (\S+) months")
_AFTER: Final = re.compile(r"after (\S+) months")
_TIMES: Final = re.compile(r"hazard x (\S+)")
_WITHIN: Final = re.compile(r"(\S+) months")


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the table of tests: an estimate (by its statistic), a p value, or both, at a level."""

    level: str
    estimate: str = ""
    p: str = ""


def tests(context: Context, analysis: Analysis) -> Table | None:
    """One line for each estimate or test, in the study's order; the contrasts are the columns."""
    shell, say = Shell(context), context.language
    groups = [context.versus(a.id) for a in context.study.experimental]
    lines = [
        line for level in _levels(context, analysis) for line in _lines(context, analysis, level, groups)
    ]
    if not lines:
        return None
    rows = [
        Row(
            _test_label(context, line, sum(x.level == line.level for x in lines) > 1),
            tuple(cell for group in groups for cell in _estimate_and_p(shell, analysis, line, group)),
        )
        for line in lines
    ]
    labels = [context.label(a.id) for a in context.study.experimental]
    several = len(groups) > 1
    heads = [
        [Head(label, span=2, first=True) for label in labels] if several else [],
        [
            Head(text, first=first)
            for _ in groups
            for text, first in ((say("estimate", ci=say.ci), True), (say("p_value"), False))
        ],
    ]
    notes = [
        say("note:population", population=context.population(analysis.population)),
        say("note:supporting"),
        *_changed(context, analysis),
        say("note:ratio"),
    ]
    caption = context.study.text(analysis.label)
    kept = [line for line in heads if line]
    return shell.table(caption, say("analysis_of"), kept, rows, notes, assumes=analysis.assumes)


def _levels(context: Context, analysis: Analysis) -> list[str]:
    return [level for level in context.results.levels(analysis.id) if level]


def _lines(context: Context, analysis: Analysis, level: str, groups: Sequence[str]) -> Iterator[_Line]:
    def has(statistic: str) -> bool:
        return any(context.results.get(analysis.id, statistic, g, level) for g in groups)

    if has("rmst_difference"):
        yield _Line(level, "rmst_difference", "p_value")
        yield _Line(level, "rmst_ratio")
        return
    if has("tipping_delta"):
        yield _Line(level, "tipping_delta")
    if has("p_value"):
        yield _Line(level, "", "p_value")
    if has("hazard_ratio"):
        yield _Line(level, "hazard_ratio", "p_lrt" if has("p_lrt") else "p_wald")


def _test_label(context: Context, line: _Line, several: bool) -> str:
    say = context.language
    if line.estimate == "tipping_delta":
        return say("line:tipping_delta", p=say.number(1 - context.study.study.confidence, 2))
    word, _, detail = line.level.partition(" | ")
    label = say.known(f"test:{word}", word.replace("_", " "))
    if detail:
        label += f", {_span(context, detail)}"
    if several:
        label += f", {say.known(f'line:{line.estimate or line.p}', line.estimate or line.p)}"
    return label


def _span(context: Context, detail: str) -> str:
    """A stretch of time as the results write it, in the report's language."""
    say = context.language
    if found := _TIMES.fullmatch(detail):
        times = float(found[1])
        return say("span:hazard", times=say.number(times, 0 if times.is_integer() else 2))
    for pattern, key in ((_BETWEEN, "span:between"), (_AFTER, "span:after"), (_WITHIN, "span:within")):
        if found := pattern.fullmatch(detail):
            return say(key, months=say("to").join(f" {m} " for m in found.groups()).strip())
    return detail


def _estimate_and_p(shell: Shell, analysis: Analysis, line: _Line, group: str) -> tuple[Cell, Cell]:
    write = in_months if line.estimate == "rmst_difference" else ratio
    wanted = (write(line.estimate, line.level), line.estimate), (p_value(line.p, line.level), line.p)
    estimate, p = (
        fill(shell, Column(analysis), group) or shell.missing(None) if statistic else Cell("")
        for fill, statistic in wanted
    )
    return estimate, p


def _changed(context: Context, analysis: Analysis) -> Iterator[str]:
    """How many were left out, or had their times changed."""
    say = context.language
    for level in _levels(context, analysis):
        for statistic in ("n_excluded", "n_changed"):
            counts = [
                (context.label(a.id), context.results.value(analysis.id, statistic, a.id, level))
                for a in context.arms
            ]
            known = [f"{label} {say.number(n)}" for label, n in counts if n is not None]
            if known:
                test = say.known(f"test:{level}", level)
                yield say(f"note:{statistic}", test=test, counts=", ".join(known))


def competing(context: Context, analysis: Analysis) -> Table | None:
    """Counts, incidences and contrasts of each parameter; arms and contrasts are the columns."""
    shell, say = Shell(context), context.language
    arms = [a.id for a in context.arms]
    groups = [context.versus(a.id) for a in context.study.experimental]
    family = {code: scale for scale, code in context.family(analysis)}
    rows: list[Row] = []
    for endpoint in context.results.endpoints(analysis.id):
        if endpoint in family:
            scale = family[endpoint]
            rows.append(Row(say.known(f"scale:{scale}", scale), kind="group"))
        rows += _competing(shell, Column(analysis, None, endpoint), arms, groups)
    if not rows:
        return None
    heads = [
        [
            *(Head(context.label(a), arm=a, first=i == 0) for i, a in enumerate(arms)),
            *(
                Head(say("versus_control", control=context.label(context.control)), arm=a.id, first=True)
                for a in context.study.experimental
            ),
        ]
    ]
    notes = [
        say("note:population", population=context.population(analysis.population)),
        say("note:competing"),
        say("abbreviations"),
    ]
    return shell.table(context.study.text(analysis.label), "", heads, rows, notes, assumes=analysis.assumes)


def _competing(shell: Shell, column: Column, arms: Sequence[str], groups: Sequence[str]) -> Iterator[Row]:
    say = shell.context.language
    counts = (("with_event", "events"), ("died_before", "competing"))
    levels = [f"{m:g} months" for m in column.analysis.landmarks_months]
    by_arm = [
        *((say(key), share(statistic)) for key, statistic in counts),
        *((say("incidence_at", months=x.partition(" ")[0]), percent("incidence", x)) for x in levels),
        *(
            (say("incidence_death_at", months=x.partition(" ")[0]), percent("incidence_competing", x))
            for x in levels
        ),
        (say("without_row"), counted("n_missing")),
        (say("without_time"), counted("n_excluded")),
    ]
    for label, fill in by_arm:
        cells = [fill(shell, column, arm) for arm in arms]
        if any(cells):
            yield Row(label, (*(c or Cell("0") for c in cells), *(Cell("") for _ in groups)), depth=1)
    contrasts = [
        (say("p_gray"), p_value("p_gray")),
        (say("subdistribution_hazard_ratio"), ratio("subdistribution_hazard_ratio")),
        (say("cause_specific_hazard_ratio"), ratio("cause_specific_hazard_ratio")),
    ]
    for label, fill in contrasts:
        found = [fill(shell, column, g) or shell.missing(None) for g in groups]
        yield Row(label, (*(Cell("") for _ in arms), *found), depth=1)


def subgroups(context: Context, analysis: Analysis) -> Table | None:
    """Everybody, then each factor with its test of interaction and its levels."""
    shell, say = Shell(context), context.language
    arms = [a.id for a in context.arms]
    experimental = [a.id for a in context.study.experimental]
    rows = [_subgroup(shell, analysis, level, arms, experimental) for level in _levels(context, analysis)]
    if not rows:
        return None
    heads = [
        [
            *(Head(context.label(a), span=2, arm=a, first=True) for a in arms),
            *(
                Head(say("versus_control", control=context.label(context.control)), span=2, arm=a, first=True)
                for a in experimental
            ),
        ],
        [
            Head(text, first=first)
            for one, two in (
                *((say("subgroup_events"), say("median_months")) for _ in arms),
                *((say("hazard_ratio"), say("p_interaction")) for _ in experimental),
            )
            for text, first in ((one, True), (two, False))
        ],
    ]
    notes = [
        say("note:population", population=context.population(analysis.population)),
        say("note:subgroups"),
        say("abbreviations"),
    ]
    caption = context.study.text(analysis.label)
    return shell.table(caption, say("subgroup"), heads, rows, notes, assumes=analysis.assumes, style="tight")


def _subgroup(
    shell: Shell, analysis: Analysis, level: str, arms: Sequence[str], experimental: Sequence[str]
) -> Row:
    context, column = shell.context, Column(analysis)
    label, depth = _subgroup_label(context, level)
    cells: list[Cell] = []
    for arm in arms:
        n = context.results.value(analysis.id, "n", arm, level)
        events = context.results.value(analysis.id, "events", arm, level)
        cells.append(Cell("" if n is None else _of(context, events, n)))
        cells.append(in_months("median", level)(shell, column, arm) or Cell(""))
    for arm in experimental:
        group = context.versus(arm)
        cells.append(ratio("hazard_ratio", level)(shell, column, group) or Cell(""))
        cells.append(p_value("p_interaction", level)(shell, column, group) or Cell(""))
    return Row(label, tuple(cells), depth=depth)


def _of(context: Context, events: float | None, n: float) -> str:
    number = context.language.number
    return f"{number(events)}/{number(n)}" if events is not None else f"–/{number(n)}"


def _subgroup_label(context: Context, level: str) -> tuple[str, int]:
    """In the study's words, and how far to indent."""
    say, study = context.language, context.study
    if level == EVERYBODY:
        return say("everybody"), 0
    name, colon, value = level.partition(": ")
    known: dict[str, Stratum | BaselineCharacteristic | Factor] = {s.id: s for s in study.strata}
    known |= {b.id: b for b in study.baseline} | {f.id: f for f in study.factors}
    factor = known.get(name)
    if not colon:
        return study.text(factor.label) if factor else name, 0
    if value == MISSING:
        return say("missing"), 1
    words = {x.id: study.text(x.label) for x in factor.levels} if factor else {}
    return words.get(value, value), 1


def subgroup_forest(context: Context, analysis: Analysis, arm: str, prefix: str) -> Figure | None:
    """Hazard ratios of the levels of each factor, everybody first."""
    say = context.language
    found = [_forest_row(context, analysis, level, arm) for level in _levels(context, analysis)]
    rows = [row for row in found if row]
    if not any(row.estimate is not None for row in rows):
        return None
    ends = (
        say("favours", arm=in_a_sentence(context.label(arm))),
        say("favours", arm=in_a_sentence(context.label(context.control))),
    )
    caption = say("caption:subgroups", analysis=context.study.text(analysis.label))
    if len(context.study.experimental) > 1:
        caption += f" ({context.label(arm)})"
    svg = forest(rows, ends, prefix, say("alt:forest", n=len(rows), outcome=caption), looks=(_LOOK,))
    notes = (say("note:forest_one", ci=say.ci), f"* {say('note:few_events')}")
    return Figure(caption=caption, svg=svg, notes=notes, assumes=analysis.assumes, style="marks")


def _forest_row(context: Context, analysis: Analysis, level: str, arm: str) -> ForestRow | None:
    say, group = context.language, context.versus(arm)
    label, depth = _subgroup_label(context, level)
    most = _LONG if depth else _HEADING
    short = label if len(label) <= most else label[: most - 1].rstrip() + "…"
    names = ("hazard_ratio", "hazard_ratio_lower", "hazard_ratio_upper")
    numbers = [context.results.get(analysis.id, name, group, level) for name in names]
    if numbers[0] is None:
        return None if depth else ForestRow(short, "", None, None, None)
    middle, lower, upper = (n.value if n else None for n in numbers)
    shown = f"{say('not_estimable')}*"
    if middle is not None:
        ends = [say("not_estimable") if x is None else say.number(x, 2) for x in (lower, upper)]
        shown = f"{say.number(middle, 2)} ({say.interval(*ends)})"
    row = ForestRow(short, shown, middle, lower, upper)
    return replace(row, inner=True) if depth else row
