"""Baseline, exposure and laboratory; and any analysis that has no shell of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from trialwright.report.addresses import Number
from trialwright.report.context import Context
from trialwright.report.language import FIXED
from trialwright.report.tables import Cell, Head, Row, Shell, Table
from trialwright.study.model import Analysis

BASELINE = "BASELINE"
TOTAL = "Total"
_SHIFT = re.compile(r"(?P<test>.+): (?P<before>\S+) -> (?P<after>\S+)$")
_SHOWN = ("mean", "sd", "median", "q1", "q3", "min", "max", "n", "percent")


def _group_heads(
    context: Context, groups: Sequence[str], n: Callable[[str], float | None]
) -> list[list[Head]]:
    say = context.language
    heads = []
    for i, group in enumerate(groups):
        size = n(group)
        label = say("total") if group == TOTAL else context.label(group)
        sub = "" if size is None else say("n_equals", n=say.number(size))
        heads.append(Head(label, sub=sub, arm="" if group == TOTAL else group, first=i == 0))
    return [heads]


def baseline(context: Context) -> Table | None:
    """Characteristics by arm and in total, in the order of the results."""
    results, say = context.results, context.language
    if not results.has(BASELINE):
        return None
    shell = Shell(context)
    groups = [*(a.id for a in context.arms), TOTAL]
    rows: list[Row] = []
    for variable, levels in _variables(results.levels(BASELINE)).items():
        label = _variable(context, variable)
        if levels:
            rows += _categories(shell, variable, label, levels, groups)
        else:
            rows += _numbers(shell, variable, label, groups)
    heads = _group_heads(context, groups, lambda g: _size(context, g))
    notes = [
        say("note:population", population=context.population(context.study.headline_population)),
        say("note:baseline"),
    ]
    return shell.table(say("caption:baseline"), say("characteristic"), heads, rows, notes)


def _variables(levels: Sequence[str]) -> dict[str, list[str]]:
    """Variable to its levels; none for a number."""
    found: dict[str, list[str]] = {}
    for level in levels:
        variable, colon, value = level.partition(": ")
        if variable not in ("", "population"):
            found.setdefault(variable, []).extend([value] if colon else [])
    return found


def _size(context: Context, group: str) -> float | None:
    """Of the whole group: the row that says so, else the flow's."""
    results = context.results
    for level in ("", "population"):
        found = results.value(BASELINE, "n", group, level)
        if found is not None:
            return found
    return results.value("FLOW", "n", group, "randomised")


def _variable(context: Context, id_: str) -> str:
    study, say = context.study, context.language
    for known in study.baseline:
        if known.id == id_:
            unit = say.known(f"unit:{known.unit}", known.unit)
            return study.text(known.label) + (f", {unit}" if unit else "")
    return next((study.text(s.label) for s in study.strata if s.id == id_), id_)


def _level(context: Context, variable: str, value: str) -> str:
    study = context.study
    every = {b.id: b.levels for b in study.baseline} | {s.id: s.levels for s in study.strata}
    found = next((x for x in every.get(variable, ()) if x.id == value), None)
    if found:
        return study.text(found.label)
    return context.language("missing") if value.lower() in ("missing", "") else value


def _categories(
    shell: Shell, variable: str, label: str, levels: Sequence[str], groups: Sequence[str]
) -> Iterator[Row]:
    get = shell.context.results.get
    yield Row(label, kind="group")
    for value in levels:
        address = f"{variable}: {value}"
        cells = tuple(
            with_percent(shell, get(BASELINE, "n", g, address), get(BASELINE, "percent", g, address))
            for g in groups
        )
        yield Row(_level(shell.context, variable, value), cells, depth=1)
    yield from _missing(shell, variable, groups)


def with_percent(shell: Shell, n: Number | None, percent: Number | None) -> Cell:
    if n is None or n.value is None:
        return shell.missing(n)
    language = shell.context.language
    if percent is None or percent.value is None:
        return Cell(language.number(n.value), muted=not n.value)
    return Cell(f"{language.number(n.value)}{FIXED}({language.percent(percent.value)})", muted=not n.value)


def _numbers(shell: Shell, variable: str, label: str, groups: Sequence[str]) -> Iterator[Row]:
    say = shell.context.language
    yield Row(label, kind="group")
    for key, statistics, shape in (
        ("median_quartiles", ("median", "q1", "q3"), f"{{}}\n{{}} {say('to')} {{}}"),
        ("mean", ("mean", "sd"), f"{{}}{FIXED}({{}})"),
        ("range", ("min", "max"), f"{{}} {say('to')} {{}}"),
    ):
        cells = [shaped(shell, BASELINE, variable, g, statistics=statistics, shape=shape) for g in groups]
        if any(not cell.muted for cell in cells):
            yield Row(say(key), tuple(cells), depth=1)
    yield from _missing(shell, variable, groups)


def shaped(
    shell: Shell, analysis: str, level: str, group: str, *, statistics: Sequence[str], shape: str
) -> Cell:
    """Several numbers of one level in one cell, what follows a line break beneath.

    The first that cannot be estimated gives the reason.
    """
    found = [shell.context.results.get(analysis, s, group, level) for s in statistics]
    first = found[0]
    if first is None or first.value is None:
        return shell.missing(first)
    number, say = shell.context.language.number, shell.context.language
    whole = "max" in statistics and all(n and n.value is not None and n.value.is_integer() for n in found)
    decimals = 0 if whole else 1
    words = [
        say("not_estimable") if n is None or n.value is None else number(n.value, decimals) for n in found
    ]
    reason = next((n.note for n in found if n and n.value is None), "")
    text, _, sub = shape.format(*words).partition("\n")
    return Cell(text, sub=sub, mark=shell.notes.mark(reason) if reason else "")


def _missing(shell: Shell, variable: str, groups: Sequence[str]) -> Iterator[Row]:
    counts = [shell.context.results.get(BASELINE, "missing", g, variable) for g in groups]
    if any(c and c.value for c in counts):
        yield Row(shell.context.language("missing"), tuple(shell.count(c) for c in counts), depth=1)


def populations(context: Context) -> Table | None:
    """How many of each arm are in each population."""
    results, say = context.results, context.language
    shell = Shell(context)
    groups = [*(a.id for a in context.arms), TOTAL]
    rows = [
        Row(
            context.study.text(p.label),
            tuple(
                shell.count(results.get("FLOW", "n", g, f"population: {p.id}"))
                if g == TOTAL or p.rule != "screened"  # most of the screened have no arm
                else Cell("")
                for g in groups
            ),
        )
        for p in context.study.populations
        if any(results.get("FLOW", "n", g, f"population: {p.id}") for g in groups)
    ]
    if not rows:
        return None
    heads = _group_heads(context, groups, lambda g: results.value("FLOW", "n", g, "randomised"))
    return shell.table(say("caption:populations"), say("population"), heads, rows, [say("note:populations")])


def levels(context: Context, analysis: Analysis) -> Table | None:
    """Any analysis, one row for each level, the statistics it has in one cell for each arm."""
    shell, say = Shell(context), context.language
    groups = [a.id for a in context.arms]
    rows = [
        Row(_readable(context, analysis, level), cells)
        for level in context.results.levels(analysis.id)
        for cells in [tuple(_whatever(shell, analysis.id, g, level) for g in groups)]
        if level not in ("", "population") and not all(cell.muted for cell in cells)
    ]
    if not rows:
        return None
    heads = _group_heads(context, groups, lambda g: _population(context, analysis, g))
    notes = [say("note:population", population=context.population(analysis.population)), say("note:levels")]
    return shell.table(context.study.text(analysis.label), "", heads, rows, notes, assumes=analysis.assumes)


def _population(context: Context, analysis: Analysis, group: str) -> float | None:
    for level in ("", "population"):
        found = context.results.value(analysis.id, "n", group, level)
        if found is not None:
            return found
    return None


def _readable(context: Context, analysis: Analysis, level: str) -> str:
    """``RDI: TARLATAMAB``, with the unit that the note gives, in words."""
    say, results = context.language, context.results
    code, _, rest = level.partition(": ")
    drug = rest.partition(" = ")[0].lower()
    unit = next(
        (
            n.note
            for a in context.arms
            if (n := results.get(analysis.id, "median", a.id, level)) and n.value is not None
        ),
        "",
    )
    label = say.known(f"exposure:{code}", code)
    unit = say.known(f"unit:{unit.lower()}", unit)
    return (
        label
        + (f", {drug}" if drug else "")
        + (f" ({unit})" if unit and unit.lower() not in label.lower() else "")
    )


def _whatever(shell: Shell, analysis: str, group: str, level: str) -> Cell:
    """Median with range, else mean with deviation, else count with percentage; their number beneath."""
    get, say, number = shell.context.results.get, shell.context.language, shell.context.language.number
    found = {s: get(analysis, s, group, level) for s in _SHOWN}
    known = {s: n.value for s, n in found.items() if n and n.value is not None}
    if "median" in known:
        spread = ("q1", "q3") if {"q1", "q3"} <= known.keys() else ("min", "max")
        ends = [number(known[s], 1) if s in known else say("not_estimable") for s in spread]
        n = f"n{FIXED}={FIXED}{number(known['n'])}" if "n" in known else ""
        return Cell(f"{number(known['median'], 1)}{FIXED}({say.interval(*ends)})", sub=n)
    if "mean" in known:
        deviation = f"{FIXED}({number(known['sd'], 1)})" if "sd" in known else ""
        return Cell(number(known["mean"], 1) + deviation)
    if "n" in known and not any(found[s] for s in ("median", "mean")):
        return with_percent(shell, found["n"], found["percent"])
    gap = next((n for n in found.values() if n and n.value is None), None)
    return shell.missing(gap) if gap else Cell("–", mark=shell.notes.mark(say("no_value_in_arm")), muted=True)


@dataclass(frozen=True, slots=True)
class Worse:
    """One test in one direction: patients whose worst grade passed the grade at baseline."""

    test: str
    any: dict[str, float]
    severe: dict[str, float]


def shifts(context: Context, analysis: Analysis) -> Table | None:
    """Patients whose laboratory grade worsened, and those who reached grade 3 or 4, by test."""
    say = context.language
    groups = [a.id for a in context.arms]
    found = [w for w in _worsened(context, analysis, groups) if any(w.any.values())]
    if not found:
        return None
    shell = Shell(context)
    heads = [
        [Head(context.label(g), span=2, arm=g, first=True) for g in groups],
        [Head(say(key), first=key == "worsened") for _ in groups for key in ("worsened", "to_grade_3")],
    ]
    names = _test_names(context)
    rows = [
        Row(
            _test(context, names, w.test),
            tuple(
                Cell(say.number(n), muted=not n)
                for g in groups
                for n in (w.any.get(g, 0), w.severe.get(g, 0))
            ),
        )
        for w in found
    ]
    notes = [say("note:population", population=context.population(analysis.population)), say("note:shifts")]
    return shell.table(
        say("caption:shifts"), say("laboratory_test"), heads, rows, notes, assumes=analysis.assumes
    )


def _test_names(context: Context) -> dict[str, str]:
    """PARAMCD to PARAM of ADLB."""
    adlb = context.datasets.get("ADLB")
    if adlb is None or not {"PARAMCD", "PARAM"} <= set(adlb.columns):
        return {}
    pairs = (
        adlb.select("PARAMCD", "PARAM")
        .drop_nulls()
        .unique(subset="PARAMCD", keep="first", maintain_order=True)
    )
    return dict(pairs.rows())


def _test(context: Context, names: dict[str, str], level: str) -> str:
    """``ALT high`` with the name of the test and the direction in words."""
    code, _, direction = level.rpartition(" ")
    return f"{names.get(code, code)}, {context.language.known(f'direction:{direction}', direction)}"


def _worsened(context: Context, analysis: Analysis, groups: Sequence[str]) -> list[Worse]:
    found: dict[str, Worse] = {}
    for level in context.results.levels(analysis.id):
        shift = _SHIFT.match(level)
        if not shift or not (shift["before"].isdigit() and shift["after"].isdigit()):
            continue
        test = found.setdefault(shift["test"], Worse(shift["test"], {}, {}))
        before, after = int(shift["before"]), int(shift["after"])
        for g in groups:
            n = context.results.value(analysis.id, "n", g, level) or 0
            if after > before:
                test.any[g] = test.any.get(g, 0) + n
                if after >= 3:
                    test.severe[g] = test.severe.get(g, 0) + n
    return list(found.values())
