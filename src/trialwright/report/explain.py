"""One patient's story: the rows of the trace in words, as plain text and as HTML, both from one value.

Nothing is computed here but words: which rule fired, what was used and what was passed over all stand in the
trace (``adam.trace``), whose rows come from the functions that made the datasets.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl
from markupsafe import Markup, escape

from trialwright.report import explain_clocks, explain_scans, explain_subject
from trialwright.report.explain_words import Grid, Said, Story, Teller
from trialwright.study.model import Study


def tell(told: Teller, trace: pl.DataFrame, findings: pl.DataFrame, endpoint: str | None = None) -> Story:
    """The story of the one subject of ``trace``; an endpoint (a PARAMCD or a family of them) restricts it."""
    rows = trace.sort("ORDER").to_dicts()
    subject = rows[0]["USUBJID"] if rows else ""
    wanted = _wanted(told.study, endpoint)
    chapters = [
        explain_subject.dates(told, rows),
        *(explain_scans.scans(told, rows) if wanted.images else []),
        explain_scans.best(told, rows, wanted.codes) if wanted.best else None,
        explain_clocks.clocks(told, rows, wanted.codes) if wanted.clocks else None,
        *(explain_clocks.questionnaires(told, rows, wanted.codes) if wanted.forms else []),
        explain_subject.about(told, findings, subject),
    ]
    return Story(
        subject,
        tuple(explain_subject.lead(told, rows)),
        tuple(c for c in chapters if c is not None and c.blocks),
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    codes: frozenset[str] | None
    images: bool = True
    best: bool = True
    clocks: bool = True
    forms: bool = True


def endpoints(study: Study) -> tuple[str, ...]:
    """Every word that may restrict a story."""
    families = tuple(family.id for family in study.endpoints.deterioration)
    return (*study.endpoints.ids(), "BORC", "BORU", *families)


def _wanted(study: Study, endpoint: str | None) -> _Wanted:
    """What a story of one endpoint needs: survival no images, deterioration only its forms."""
    if endpoint is None:
        return _Wanted(None)
    for family in study.endpoints.deterioration:
        codes = {family.paramcd(scale) for scale in (*family.scales, "ANY")}
        if endpoint == family.id:
            return _Wanted(frozenset(codes), images=False, best=False, clocks=False)
        if endpoint in codes:
            return _Wanted(frozenset([endpoint]), images=False, best=False, clocks=False)
    for clock in study.endpoints.time_to_event:
        if clock.id == endpoint:
            images = clock.censor_at == "last_adequate_assessment" or clock.origin == "response"
            best = clock.origin == "response"
            codes = {clock.id, "BORC", "BORU"}
            return _Wanted(frozenset(codes), images=images, best=best, forms=False)
    return _Wanted(frozenset([endpoint]), clocks=False, forms=False)


_INDENT: Final = "  "


def plain(story: Story, width: int = 100) -> str:
    """The story as text, wrapped where a line is longer than ``width``."""
    lines = [story.subject, "=" * len(story.subject)]
    for sentence in story.lead:
        lines += textwrap.wrap(sentence, width)
    for chapter in story.chapters:
        lines += ["", chapter.title, "-" * len(chapter.title)]
        for block in chapter.blocks:
            lines += _grid_text(block, width) if isinstance(block, Grid) else _said_text(block, width)
    return "\n".join(lines) + "\n"


def _said_text(said: Said, width: int) -> list[str]:
    deep = _INDENT * 2
    if not said.more:
        head = f"{said.label}. " if said.label else ""
        return textwrap.wrap(head + said.text, width, initial_indent=_INDENT, subsequent_indent=deep)
    lines = textwrap.wrap(said.label, width, initial_indent=_INDENT, subsequent_indent=_INDENT)
    for text in (said.text, *said.more):
        lines += textwrap.wrap(text, width, initial_indent=deep, subsequent_indent=deep + _INDENT)
    return lines


def _grid_text(grid: Grid, width: int) -> list[str]:
    """Columns as wide as their words; the last one wraps into what is left."""
    table = [grid.heads, *(line.cells for line in grid.lines)]
    widths = [max(len(row[i]) for row in table) for i in range(len(grid.heads))]
    lines = []
    for cells, beneath in ((grid.heads, ()), *((line.cells, line.beneath) for line in grid.lines)):
        head = "".join(cell.ljust(widths[i] + 2) for i, cell in enumerate(cells[:-1]))
        room = max(width - len(_INDENT) - len(head), 30)
        last = textwrap.wrap(cells[-1], room) or [""]
        lines.append(f"{_INDENT}{head}{last[0]}".rstrip())
        lines += [_INDENT + " " * len(head) + more for more in last[1:]]
        for said in beneath:
            lines += textwrap.wrap(said, width, initial_indent=_INDENT * 3, subsequent_indent=_INDENT * 4)
    return lines


def markup(story: Story) -> Markup:
    """The story as HTML without its subject and without what is true of all; every word escaped."""
    parts = [Markup("<p>{}</p>").format(" ".join(story.lead))]
    for chapter in story.chapters:
        blocks = [b for b in chapter.blocks if isinstance(b, Grid) or not b.shared]
        parts.append(Markup("<h4>{}</h4>").format(chapter.title))
        parts += [_grid_html(b) if isinstance(b, Grid) else said_html(b) for b in blocks]
    return Markup("\n").join(parts)


def shared(stories: Iterable[Story]) -> list[Said]:
    """What is true of every patient, each sentence once, in the order of the chapters."""
    said = (
        b for story in stories for c in story.chapters for b in c.blocks if isinstance(b, Said) and b.shared
    )
    return list(dict.fromkeys(said))


def said_html(said: Said) -> Markup:
    text = Markup("<br>").join(escape(line) for line in (said.text, *said.more))
    if not said.label:
        return Markup("<p>{}").format(text)
    return Markup("<p><b>{}</b>{}{}").format(said.label, Markup("<br>") if said.more else " ", text)


def _grid_html(grid: Grid) -> Markup:
    """No classes and no closing tags that HTML can do without: the same few words for every patient."""
    words = (*grid.heads, grid.aside) if grid.aside else grid.heads
    body = [Markup("<tr>") + Markup("").join(Markup("<th>{}").format(head) for head in words)]
    for line in grid.lines:
        beneath = Markup("<br>").join(escape(text) for text in line.beneath)
        body.append(Markup("<tr>") + Markup("").join(Markup("<td>{}").format(c) for c in line.cells))
        if grid.aside:
            body[-1] += Markup("<td>") + beneath
        elif beneath:
            body.append(Markup("<tr><td><td colspan={}>{}").format(len(grid.heads) - 1, beneath))
    return Markup("<div class=scroll><table>{}</table></div>").format(Markup("\n").join(body))
