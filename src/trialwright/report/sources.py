"""What stands behind the numbers: the record, the assumptions, the findings, and how the report was made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from trialwright.report.context import Context
from trialwright.report.language import Language
from trialwright.report.sections import Book, Prose, Section
from trialwright.report.tables import Cell, Head, Row, Table

_PER_RULE, _MOST, _LONG = 5, 60, 160


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A sentence of the record at fault."""

    id: str
    rule: str
    quote: str
    says: str
    decision: str
    lines: str
    kind: str = "contradiction"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one under the other."""

    pairs: tuple[tuple[str, str, bool], ...]
    kind: str = "facts"


def _text_table(
    caption: str, corner: str, heads: Sequence[str], rows: Sequence[Row], style: str = "text"
) -> Table:
    return Table(caption, corner, (tuple(Head(h) for h in heads),), tuple(rows), style=style)


def _words(*texts: str) -> tuple[Cell, ...]:
    return tuple(Cell(text, number=False) for text in texts)


def record(book: Book, made: Mapping[str, Any]) -> Section:
    """Every contradiction with its quoted words and what was decided."""
    context, say = book.context, book.context.language
    found = [_contradiction(context, item) for item in made.get("contradictions") or ()]
    if found:
        blocks: tuple[object, ...] = (Prose(say("record_lead")), *found)
    else:
        blocks = (Prose(say("no_contradiction" if context.study.record else "no_record")),)
    return Section("record", say("section:record"), blocks)


def _contradiction(context: Context, item: Mapping[str, Any]) -> Contradiction:
    def text(key: str) -> str:
        value = item.get(key) or ""
        return context.study.text(value) if isinstance(value, Mapping) else str(value)

    lines = item.get("lines") or ""
    where = lines if isinstance(lines, str) else ", ".join(_line(context, x) for x in lines)
    rule = context.language.known(f"rule:{item.get('rule')}", str(item.get("rule", "")).replace("_", " "))
    return Contradiction(str(item.get("id", "")), rule, text("quote"), text("says"), text("decision"), where)


def _line(context: Context, line: object) -> str:
    """``secondary 3`` for a pair of type and number."""
    said = re.fullmatch(r"(primary|secondary|other) (\d+)", str(line))
    if said:
        line = said.groups()
    if isinstance(line, str | int):
        return str(line)
    if not isinstance(line, Sequence):
        return str(line)
    type_, number, say = line[0], line[-1], context.language
    return say("outcome_number", type=say.known(f"type:{type_}", str(type_)), number=number)


def assumptions(book: Book, made: Mapping[str, Any]) -> Section:
    """Those the numbers used, in the order of the study."""
    context, say = book.context, book.context.language
    used = [str(a) for a in made.get("assumptions_used") or ()]
    text = context.study.text
    known = [a for a in context.study.assumptions if a.id in used]
    rows = [
        Row(
            a.id,
            _words(text(a.unknown), text(a.default), text(a.reason), say(f"status:{a.status}")),
            anchor=a.id,
        )
        for a in known
    ]
    ids = {a.id for a in known}
    rows += [Row(a, _words("–", "–", "–", "–"), anchor=a) for a in used if a not in ids]
    blocks: list[object] = [Prose(say("assumptions_lead" if rows else "no_assumption"))]
    if rows:
        heads = [say(key) for key in ("unknown", "default", "reason", "status")]
        blocks += book.table(_text_table(say("section:assumptions"), "", heads, rows, "text assumptions"))
    return Section("assumptions", say("section:assumptions"), tuple(blocks))


def findings(book: Book, found: pl.DataFrame) -> Section:
    """Counts by rule, and the first rows of each rule; how many are not shown is said."""
    say = book.context.language
    title = say("section:findings")
    if found.is_empty():
        return Section("findings", title, (Prose(say("no_finding")),))
    lead = say("findings_one") if found.height == 1 else say("findings_lead", n=say.number(found.height))
    counts = (
        found.group_by("rule", "dataset", "action")
        .len("n")
        .sort("n", "rule", "dataset", "action", descending=[True, False, False, False])
    )
    top = counts.head(_MOST)
    rows = [
        Row(
            say.finding(row["rule"] or ""),
            (*_words(row["dataset"] or "", say.finding(row["action"] or "")), Cell(say.number(row["n"]))),
        )
        for row in top.iter_rows(named=True)
    ]
    heads = [say(f"column:{name}") for name in ("dataset", "action", "n")]
    blocks: list[object] = [Prose(lead)]
    blocks += book.table(
        _text_table(say("caption:finding_counts"), say("column:rule"), heads, rows, "text counts")
    )
    blocks += _listing(book, found)
    return Section("findings", title, tuple(blocks))


def _listing(book: Book, found: pl.DataFrame) -> list[object]:
    say = book.context.language
    order = pl.int_range(pl.len()).over("dataset", "rule", "action")
    shown = found.filter(order < _PER_RULE).head(_MOST).sort("dataset", "rule", maintain_order=True)
    columns = ("key", "variable", "rule", "value", "action")
    rows = [
        Row(row["dataset"] or "", _words(*(_cut(_said(say, name, row[name])) for name in columns)))
        for row in shown.iter_rows(named=True)
    ]
    heads = [say(f"column:{name}") for name in columns]
    table = _text_table(say("caption:finding_rows"), say("column:dataset"), heads, rows, "text listing")
    hidden = found.height - shown.height
    told = (
        say("findings_more", shown=shown.height, n=say.number(found.height), hidden=say.number(hidden))
        if hidden
        else say("findings_all", n=found.height)
    )
    return [*book.table(table), Prose(told)]


def _said(say: Language, column: str, text: str | None) -> str | None:
    return say.finding(text) if text and column in ("rule", "action") else text


def _cut(text: str | None) -> str:
    said = text or ""
    return said if len(said) <= _LONG else said[: _LONG - 1] + "…"


def making(book: Book, made: Mapping[str, Any]) -> Section:
    """Versions, the hashes of the input, the cutoff, the command."""
    context, say = book.context, book.context.language
    facts = [
        (say("made:cutoff"), _cutoff(context, made), False),
        (say("made:created"), _moment(context, made.get("created")), False),
        *([(say("made:command"), str(made["command"]), True)] if made.get("command") else []),
        (say("made:version"), str(made.get("version") or "–"), False),
        (say("made:python"), str(made.get("python") or "–"), False),
        *([(say("made:study"), str(made["study_sha256"]), True)] if made.get("study_sha256") else []),
    ]
    blocks: list[object] = [Prose(say("made_lead")), Facts(tuple(facts))]
    for key, caption in (("inputs", "caption:inputs"), ("study_files", "caption:study_files")):
        blocks += _files(book, made.get(key) or (), caption)
    packages: Mapping[str, str] = made.get("packages") or {}
    if packages:
        rows = [Row(name, _words(version)) for name, version in sorted(packages.items())]
        blocks += book.table(
            _text_table(say("caption:packages"), say("package"), [say("version")], rows, "text packages")
        )
    return Section("made", say("section:made"), tuple(blocks))


def _cutoff(context: Context, made: Mapping[str, Any]) -> str:
    """The day, and where it comes from where that is told."""
    say, source = context.language, str(made.get("cutoff_source") or "")
    day = say.date(made.get("cutoff")) or say("no_cutoff")
    return f"{day} ({say.known(f'cutoff:{source}', source)})" if source else day


def _moment(context: Context, created: object) -> str:
    """``31 January 2027, 12:00:00`` of an ISO moment; any other text as it stands."""
    day, _, time = str(created or "–").partition("T")
    return context.language.date(day) + (f", {time}" if time else "")


def _files(book: Book, given: Sequence[Mapping[str, Any]] | Mapping[str, str], caption: str) -> list[object]:
    """Files with their hashes; ``given`` is a list with rows, or names to hashes."""
    context, say = book.context, book.context.language
    if not given:
        return []
    if isinstance(given, Mapping):
        rows = [Row(name, _words(hash_)) for name, hash_ in given.items()]
        return [*book.table(_text_table(say(caption), say("file"), [say("hash")], rows, "text hashes"))]
    rows = [
        Row(
            str(i.get("file", "")),
            (_rows(context, i.get("rows")), Cell(str(i.get("sha256", "")), number=False)),
        )
        for i in given
    ]
    return [
        *book.table(_text_table(say(caption), say("file"), [say("rows"), say("hash")], rows, "text hashes"))
    ]


def _rows(context: Context, n: object) -> Cell:
    return Cell(context.language.number(n)) if isinstance(n, int | float) else Cell("–")
