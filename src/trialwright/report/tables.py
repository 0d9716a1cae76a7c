"""A table as one frozen value, and the shared shells that fill it from results.

What a table says is decided here; how it looks is the template's. A cell that has no number says why: it
shows NE, or the like, with a letter, and the letter's reason stands under the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from trialwright.report.addresses import Number
from trialwright.report.context import Context, Notes
from trialwright.report.language import FIXED
from trialwright.study.model import Analysis, Reading


@dataclass(frozen=True, slots=True)
class Cell:
    """``sub`` stands under the text, smaller; ``mark`` is the letter of a footnote."""

    text: str
    sub: str = ""
    mark: str = ""
    span: int = 1
    muted: bool = False
    number: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """``kind`` is "data", or "group" for a heading within the body; ``depth`` indents."""

    label: str
    cells: tuple[Cell, ...] = ()
    kind: str = "data"
    depth: int = 0
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    text: str
    sub: str = ""
    span: int = 1
    arm: str = ""
    first: bool = False
    """Whether a new group of columns begins here."""


@dataclass(frozen=True, slots=True)
class Table:
    """``heads`` are the lines over the body, without the corner, which is ``corner``."""

    caption: str
    corner: str
    heads: tuple[tuple[Head, ...], ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    footnotes: tuple[tuple[str, str], ...] = ()
    assumes: tuple[str, ...] = ()
    kind: str = "table"
    style: str = ""
    number: int = 0

    @property
    def width(self) -> int:
        return 1 + max((sum(h.span for h in line) for line in self.heads), default=0)


@dataclass(frozen=True, slots=True)
class Column:
    """One reading of an outcome by one analysis: the arms stand under it."""

    analysis: Analysis
    reading: Reading | None = None
    endpoint: str | None = None


@dataclass(slots=True)
class Shell:
    """Fills cells for one table and keeps its footnotes."""

    context: Context
    notes: Notes = field(default_factory=Notes)

    def missing(self, found: Number | None, *, text: str | None = None) -> Cell:
        """A cell for a number that is not there: the reason is a footnote."""
        say = self.context.language
        if found is None:
            return Cell("–", mark=self.notes.mark(say("not_computed")), muted=True)
        return Cell(text or say("not_estimable"), mark=self.notes.mark(found.note or say("not_computed")))

    def count(self, found: Number | None) -> Cell:
        if found is None or found.value is None:
            return self.missing(found)
        return Cell(self.context.language.number(found.value))

    def share(self, n: Number | None, of: float | None) -> Cell:
        """``31 (36.0%)``: a count and its percentage of ``of``."""
        if n is None or n.value is None:
            return self.missing(n)
        language = self.context.language
        if not of:
            return Cell(language.number(n.value))
        return Cell(f"{language.number(n.value)}{FIXED}({language.percent(100 * n.value / of)})")

    def unasked(self) -> Cell:
        """A number that this reading does not ask for."""
        return Cell("–", mark=self.notes.mark(self.context.language("not_asked")), muted=True)

    def interval(
        self,
        middle: Number | None,
        limits: Sequence[Number | None],
        shown: Callable[[float], str],
        end: Callable[[float], str] | None = None,
    ) -> Cell:
        """An estimate over its limits; a limit that cannot be estimated is NE. Reasons become footnotes.

        ``end`` writes the limits where they are not written as the estimate is.
        """
        write, say = end or shown, self.context.language
        ends = [write(x.value) if x and x.value is not None else say("not_estimable") for x in limits]
        sub = say.interval(*ends) if any(x and x.value is not None for x in limits) else ""
        if middle is None or middle.value is None:
            blank = self.missing(middle)
            return Cell(blank.text, sub=sub, mark=blank.mark)
        unknown = [x.note for x in limits if x and x.value is None and x.note]
        reason = middle.note or (unknown[0] if unknown else "")
        return Cell(shown(middle.value), sub=sub, mark=self.notes.mark(reason) if reason else "")

    def table(
        self,
        caption: str,
        corner: str,
        heads: Sequence[Sequence[Head]],
        rows: Iterable[Row],
        notes: Sequence[str] = (),
        *,
        assumes: Iterable[str] = (),
        style: str = "",
    ) -> Table:
        kept = tuple(rows)
        return Table(
            caption=caption,
            corner=corner,
            heads=tuple(tuple(line) for line in heads),
            rows=kept,
            notes=tuple(note for note in notes if note),
            footnotes=tuple((letter, self.context.reason(why)) for letter, why in self.notes.listed()),
            assumes=tuple(dict.fromkeys(assumes)),
            style=style,
        )


def arm_heads(context: Context, columns: Sequence[Column], n: str = "n") -> list[list[Head]]:
    """One line of readings, where there are several, and under it the arms with their numbers."""
    arms = context.arms
    lines: list[list[Head]] = []
    if any(column.reading for column in columns) and len(columns) > 1:
        lines.append(
            [
                Head(_reading_text(context, c), span=len(arms), first=True, sub=_reading_mark(context, c))
                for c in columns
            ]
        )
    lines.append(
        [
            Head(context.label(arm.id), sub=_n(context, c, arm.id, n), arm=arm.id, first=i == 0)
            for c in columns
            for i, arm in enumerate(arms)
        ]
    )
    return lines


def _reading_text(context: Context, column: Column) -> str:
    label = column.reading.label if column.reading else column.analysis.label
    return context.study.text(label)


def _reading_mark(context: Context, column: Column) -> str:
    return context.language("headline_mark") if column.reading and column.reading.headline else ""


def _n(context: Context, column: Column, arm: str, statistic: str) -> str:
    found = context.results.value(column.analysis.id, statistic, arm, endpoint=column.endpoint)
    return "" if found is None else context.language("n_equals", n=context.language.number(found))


def chunks(context: Context, columns: Sequence[Column], most: int = 6) -> list[Sequence[Column]]:
    """Columns in tables no wider than paper: at most ``most`` arms in one, at least one reading."""
    step = max(1, most // len(context.arms))
    return [columns[i : i + step] for i in range(0, len(columns), step)]
