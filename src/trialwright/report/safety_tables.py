"""Tables of safety and the shells for analyses that have no shell of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from trialwright.report.context import Context
from trialwright.report.tables import Cell, Head, Row, Shell, Table
from trialwright.study.model import Analysis

_OVERVIEW = (
    "any TEAE",
    "TRAE",
    "grade>=3",
    "grade>=3 TRAE",
    "serious",
    "serious TRAE",
    "drug withdrawn",
    "dose reduced",
    "drug interrupted",
    "fatal",
    "fatal TRAE",
    "CRS",
    "ICANS",
    "death",
)
Fill = Callable[[Shell, Analysis, str, str], Cell]
"""The cell of one arm at one level."""

_ASTCT = ("CRS", "ICANS")
_GRADES = range(1, 6)
_MOST_ROWS = 110
_WINDOW = re.compile(r"death within (\d+) days of last dose")
_DOSE = re.compile(r" \| (?:dose (\d+)|later doses)$")
_RARE = 5.0  # percent; only where a table would be longer than _MOST_ROWS


def overview(context: Context, analysis: Analysis) -> Table:
    """One row for each kind of event and for deaths: patients and percentage by arm."""
    shell, say = Shell(context), context.language
    rows = [
        Row(_kind(context, level), tuple(_patients(shell, analysis, a.id, level) for a in context.arms))
        for level in _sets(context, analysis)
        if _anybody(context, analysis, level)
    ]
    return shell.table(
        say("caption:overview"),
        say("event_term"),
        _arms(context, analysis),
        rows,
        [say("note:population", population=context.population(analysis.population)), _graded(context)],
        assumes=(*analysis.assumes, *context.study.adverse_events.assumes),
    )


def rates(context: Context, analysis: Analysis) -> Table | None:
    """Patients with an event, and events, per 100 patient-years, by arm, for each kind that has a rate."""
    shell, say = Shell(context), context.language
    levels = [
        level
        for level in _sets(context, analysis)
        if any(context.results.get(analysis.id, "eair", a.id, level) for a in context.arms)
    ]
    if not levels:
        return None
    words = {"eair": say("patients_rate", ci=say.ci), "eaer": say("events_rate", ci=say.ci)}
    heads = [
        [Head(context.label(a.id), span=2, arm=a.id, first=True) for a in context.arms],
        [Head(word, first=name == "eair") for _ in context.arms for name, word in words.items()],
    ]
    rows = [
        Row(
            _kind(context, x),
            tuple(_per_year(shell, analysis, a.id, x, n) for a in context.arms for n in words),
        )
        for x in levels
    ]
    notes = [say("note:population", population=context.population(analysis.population)), say("note:rates")]
    return shell.table(say("caption:rates"), say("event_term"), heads, rows, notes, assumes=analysis.assumes)


def _per_year(shell: Shell, analysis: Analysis, arm: str, level: str, name: str) -> Cell:
    get, number = shell.context.results.get, shell.context.language.number
    middle, *ends = (get(analysis.id, name + end, arm, level) for end in ("", "_lower", "_upper"))
    plain = [replace(x, note="") if x and x.value is not None else x for x in (middle, *ends)]
    return shell.interval(plain[0], plain[1:], lambda x: number(x, 1))


def _sets(context: Context, analysis: Analysis) -> list[str]:
    """The kinds of events known here, in a fixed order; then other levels that are no term and no detail."""
    plain = [
        level
        for level in context.results.levels(analysis.id)
        if level not in ("", "population")
        and ": " not in level
        and not level.startswith(tuple(f"{s} " for s in _ASTCT))
    ]
    return [*(level for level in _OVERVIEW if level in plain), *(x for x in plain if x not in _OVERVIEW)]


def _kind(context: Context, level: str) -> str:
    window = _WINDOW.fullmatch(level)
    if window:
        return context.language("death_within", days=window[1])
    return context.language.known(f"tox:{level}", level)


def _arms(context: Context, analysis: Analysis) -> list[list[Head]]:
    """The arms with their numbers of patients."""
    say = context.language
    sizes = {a.id: denominator(context, analysis, a.id) for a in context.arms}
    return [
        [
            Head(
                context.label(arm),
                sub="" if n is None else say("n_equals", n=say.number(n)),
                arm=arm,
                first=i == 0,
            )
            for i, (arm, n) in enumerate(sizes.items())
        ]
    ]


def _graded(context: Context) -> str:
    events = context.study.adverse_events
    key = "note:toxicity" if events.astct else "note:toxicity_plain"
    return context.language(key, scale=events.scale)


def _anybody(context: Context, analysis: Analysis, level: str) -> bool:
    return any(context.results.get(analysis.id, "n", a.id, level) for a in context.arms)


def _patients(shell: Shell, analysis: Analysis, arm: str, level: str) -> Cell:
    found = shell.context.results.get(analysis.id, "n", arm, level)
    return shell.share(found, denominator(shell.context, analysis, arm))


def denominator(context: Context, analysis: Analysis, arm: str) -> float | None:
    """Patients of the arm: the row of the whole population, else what a count and its percentage imply."""
    results = context.results
    for level in ("population", ""):
        total = results.value(analysis.id, "n", arm, level)
        if total is not None:
            return total
    for level in results.levels(analysis.id):
        n, percent = (results.value(analysis.id, s, arm, level) for s in ("n", "percent"))
        if n and percent:
            return float(round(100 * n / percent))
    return None


@dataclass(frozen=True, slots=True)
class Term:
    """A system organ class, or a preferred term within one."""

    level: str
    soc: str
    term: str = ""


def terms(context: Context, analysis: Analysis, prefix: str = "") -> Table | None:
    """Worst grades by system organ class and preferred term; ``prefix`` "TRAE " for the related ones."""
    known = _terms(context, analysis, prefix)
    if not known:
        return None
    shell, say = Shell(context), context.language
    kept, hidden = _frequent(context, analysis, known)
    rows = [
        Row(
            t.term or t.soc,
            tuple(_term_cells(shell, analysis, t.level)),
            kind="data",
            depth=1 if t.term else 0,
        )
        for t in kept
    ]
    notes = [
        say("note:population", population=context.population(analysis.population)),
        _graded(context),
        say("note:terms_hidden", n=hidden, percent=say.percent(_RARE, 0)) if hidden else "",
    ]
    caption = say("caption:related_terms" if prefix else "caption:terms")
    heads = _term_heads(context, analysis)
    return shell.table(
        caption, say("event_term"), heads, rows, notes, assumes=analysis.assumes, style="tight terms"
    )


def _terms(context: Context, analysis: Analysis, prefix: str) -> list[Term]:
    """Classes by frequency, and under each its terms by frequency; ties by name."""
    found: dict[str, list[Term]] = {}
    heads: dict[str, Term] = {}
    for level in context.results.levels(analysis.id):
        if level.startswith(f"{prefix}SOC: "):
            name = level.removeprefix(f"{prefix}SOC: ")
            heads[name] = Term(level, name)
            found.setdefault(name, [])
        elif level.startswith(f"{prefix}PT: "):
            soc, _, term = level.removeprefix(f"{prefix}PT: ").rpartition(" | ")
            found.setdefault(soc, []).append(Term(level, soc, term))

    def often(term: Term) -> tuple[float, str]:
        return -_count(context, analysis, term.level), term.term or term.soc

    order = sorted(found, key=lambda soc: often(heads.get(soc, Term("", soc))))
    return [
        t for soc in order for t in ([heads[soc]] if soc in heads else []) + sorted(found[soc], key=often)
    ]


def _count(context: Context, analysis: Analysis, level: str) -> float:
    return sum(context.results.value(analysis.id, "n", a.id, level) or 0 for a in context.arms)


def _frequent(context: Context, analysis: Analysis, known: Sequence[Term]) -> tuple[list[Term], int]:
    """All, or in a long list those of 5% in some arm and the fatal ones, and how many terms are left out."""
    if len(known) <= _MOST_ROWS:
        return list(known), 0
    results = context.results

    def kept(t: Term) -> bool:
        if not t.term:
            return True
        for arm in context.arms:
            n = results.value(analysis.id, "n", arm.id, t.level) or 0
            total = denominator(context, analysis, arm.id) or 1
            if (n and 100 * n >= _RARE * total) or results.value(analysis.id, "n_grade_5", arm.id, t.level):
                return True
        return False

    shown = [t for t in known if kept(t)]
    return shown, len(known) - len(shown)


def _wide(context: Context) -> bool:
    """Whether each grade has a column of its own: on paper there is room for two arms of them."""
    return len(context.arms) <= 2


def _term_heads(context: Context, analysis: Analysis) -> list[list[Head]]:
    say = context.language
    words = (
        [say("any_grade"), *(str(g) for g in _GRADES)] if _wide(context) else [say("any_grade"), "≥\u202f3"]
    )
    sizes = {a.id: denominator(context, analysis, a.id) for a in context.arms}
    first = [
        Head(
            context.label(a.id),
            sub="" if sizes[a.id] is None else say("n_equals", n=say.number(sizes[a.id] or 0)),
            span=len(words),
            arm=a.id,
            first=True,
        )
        for a in context.arms
    ]
    return [first, [Head(word, first=i == 0) for _ in context.arms for i, word in enumerate(words)]]


def _term_cells(shell: Shell, analysis: Analysis, level: str) -> Iterable[Cell]:
    context, results = shell.context, shell.context.results
    for arm in context.arms:
        known = results.get(analysis.id, "n", arm.id, level)
        cell = _patients(shell, analysis, arm.id, level) if known else _none(context)
        unknown = results.value(analysis.id, "n_grade_missing", arm.id, level)
        if unknown:
            why = context.language("grade_missing", n=context.language.number(unknown))
            cell = replace(cell, mark=shell.notes.mark(why))
        yield cell
        grades = [results.value(analysis.id, f"n_grade_{g}", arm.id, level) or 0 for g in _GRADES]
        for n in grades if _wide(context) else [sum(grades[2:])]:
            yield Cell(context.language.number(n), muted=not n)


def _none(context: Context) -> Cell:
    """A term nobody of the arm had has no row there: that is none, not unknown."""
    return Cell(context.language.number(0), muted=True)


def astct(context: Context, analysis: Analysis) -> Table | None:
    """CRS and ICANS by arm: patients with exact limits, worst grade, onset and duration."""
    levels = [level for level in _ASTCT if _anybody(context, analysis, level)]
    if not levels:
        return None
    shell, say = Shell(context), context.language
    rows: list[Row] = []
    for level in levels:
        rows.append(Row(say.known(f"tox:{level}", level), kind="group"))
        rows.append(_row(shell, analysis, level, "patients_affected", _affected))
        rows += [
            Row(
                say("grade_n", grade=g),
                tuple(_patients_graded(shell, analysis, a.id, level, g) for a in context.arms),
                depth=1,
            )
            for g in _GRADES
        ]
        rows.append(_row(shell, analysis, level, "onset_hours", _onset))
        rows.append(_row(shell, analysis, level, "duration_days", _lasting))
        rows += _by_dose(shell, analysis, level)
    return shell.table(
        say("caption:astct"),
        "",
        _arms(context, analysis),
        rows,
        [
            say("note:population", population=context.population(analysis.population)),
            say("note:astct"),
        ],
        assumes=analysis.assumes,
    )


def _row(shell: Shell, analysis: Analysis, level: str, label: str, fill: Fill) -> Row:
    cells = tuple(fill(shell, analysis, arm.id, level) for arm in shell.context.arms)
    return Row(shell.context.language(label), cells)


def _patients_graded(shell: Shell, analysis: Analysis, arm: str, level: str, grade: int) -> Cell:
    found = shell.context.results.get(analysis.id, f"n_grade_{grade}", arm, level)
    return shell.count(found) if found else _none(shell.context)


def _affected(shell: Shell, analysis: Analysis, arm: str, level: str) -> Cell:
    cell = _patients(shell, analysis, arm, level)
    ends = [
        shell.context.results.value(analysis.id, f"percent_{end}", arm, level) for end in ("lower", "upper")
    ]
    if None in ends:
        return cell
    say = shell.context.language
    shown = say.interval(*(say.number(x, 1) for x in ends if x is not None))
    return Cell(cell.text, sub=shown, mark=cell.mark)


def _onset(shell: Shell, analysis: Analysis, arm: str, level: str) -> Cell:
    return _spread(shell, analysis, arm, level, ("onset_median_hours", "onset_q1_hours", "onset_q3_hours"))


def _lasting(shell: Shell, analysis: Analysis, arm: str, level: str) -> Cell:
    name = "duration_median_days"
    return _spread(shell, analysis, arm, level, (name, f"{name}_lower", f"{name}_upper"))


def _spread(shell: Shell, analysis: Analysis, arm: str, level: str, names: Sequence[str]) -> Cell:
    """A median over its quartiles or limits; nothing to say where nobody had the syndrome."""
    get = shell.context.results.get
    middle, *ends = (get(analysis.id, name, arm, level) for name in names)
    number = shell.context.language.number
    if middle is None or not shell.context.results.value(analysis.id, "n", arm, level):
        return Cell("–", muted=True)
    return shell.interval(middle, ends, lambda x: number(x, 1))


def _by_dose(shell: Shell, analysis: Analysis, level: str) -> list[Row]:
    """After which dose: patients, and the percentage of those who received that dose."""
    context, say = shell.context, shell.context.language
    rows = []
    for name in context.results.levels(analysis.id):
        dose = _DOSE.search(name)
        if dose and name.startswith(f"{level} | "):
            label = say("after_dose", dose=dose[1]) if dose[1] else say("after_later_doses")
            rows.append(Row(label, tuple(_dosed(shell, analysis, a.id, name) for a in context.arms), depth=1))
    return rows


def _dosed(shell: Shell, analysis: Analysis, arm: str, level: str) -> Cell:
    get = shell.context.results.get
    return shell.share(
        get(analysis.id, "n", arm, level), shell.context.results.value(analysis.id, "n_dosed", arm, level)
    )
