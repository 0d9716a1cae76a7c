"""The flow of participants (CONSORT 2025, Hopewell et al., 2025) as SVG, from the counts in ``results``.

Boxes and arrows in two widths, one for a page and one for a phone: text in a box cannot be stretched by a
style sheet alone. Counts are shown as they stand; nothing is added up here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from trialwright.report.context import Context
from trialwright.report.language import plain_case
from trialwright.report.palette import INK, MUTED, RULE, looks
from trialwright.report.svg import opened

ANALYSIS = "FLOW"
TOTAL = "Total"
_START = ("assessed", "excluded", "randomised")
_ALLOCATION = ("treated", "not treated")
_END = ("analysed", "excluded from analysis", "not analysed")
_LINE, _PAD, _GAP, _SIZE = 16.5, 9.0, 26.0, 12.0
_ADVANCE = 0.545  # mean width of a character in units of the type size, on the safe side


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a box; ``depth`` indents, ``strong`` heads the box."""

    text: str
    depth: int = 0
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    lines: tuple[Line, ...]
    edge: str = INK

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + 2 * _PAD

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def foot(self) -> float:
        return self.y + self.height


def has_counts(context: Context) -> bool:
    return context.results.has(ANALYSIS)


def diagram(context: Context, width: float, reasons: int = 6) -> Markup:
    """The whole diagram at a width in pixels; ``reasons`` is the most that one box lists."""
    top = _entry(context, width, reasons)
    y = top[-1].foot + 2 * _GAP
    columns = _columns(context, width, y, reasons)
    floor = max((box.foot for column in columns for box in column), default=top[-1].foot)
    shapes = [
        *_entry_arrows(top),
        *_fork(top[-1], columns),
        *(_shape(box) for box in [*top, *(b for c in columns for b in c)]),
    ]
    body = f'<svg viewBox="0 0 {width:g} {floor + 2:g}">{"".join(shapes)}</svg>'
    return opened(body, context.language("alt:flow", text=_aloud([*top, *(b for c in columns for b in c)])))


def _aloud(boxes: Sequence[Box]) -> str:
    return "; ".join(", ".join(line.text for line in box.lines) for box in boxes)


def _entry(context: Context, width: float, reasons: int) -> list[Box]:
    """Assessed, excluded at the side, randomised: those the results know."""
    say, half = context.language, width * 0.44
    boxes: list[Box] = []
    y, centre = 1.0, (width - half) / 2
    assessed = _told(context, TOTAL, "assessed", half)
    if assessed:
        boxes.append(Box(centre, y, half, assessed))
        y = boxes[-1].foot + _GAP
    excluded = _with_reasons(context, TOTAL, "excluded", half, reasons)
    if excluded:
        side = Box(width - half - 1, y, half, excluded, RULE)
        boxes.append(side)
        y = side.foot + _GAP
    randomised = _told(context, TOTAL, "randomised", half) or (Line(say("flow:randomised"), strong=True),)
    boxes.append(Box(centre, y, half, randomised))
    return boxes


def _columns(context: Context, width: float, y: float, reasons: int) -> list[list[Box]]:
    """For each arm: allocated, what became of them, analysed; boxes of one kind begin at one height."""
    arms, gap = context.arms, 14.0 if width > 400 else 6.0
    each = (width - 2 - gap * (len(arms) - 1)) / len(arms)
    style = looks(context.study)
    tiers = [_allocated, _followed, _analysed]
    columns: list[list[Box]] = [[] for _ in arms]
    for tier in tiers:
        told = [tuple(tier(context, arm.id, each, reasons)) for arm in arms]
        if not any(told):
            continue
        boxes = [
            Box(1 + i * (each + gap), y, each, lines, style[arm.id].colour)
            for i, (arm, lines) in enumerate(zip(arms, told, strict=True))
        ]
        for column, box in zip(columns, boxes, strict=True):
            if box.lines:
                column.append(box)
        y = max(box.foot for box in boxes) + _GAP
    return columns


def _allocated(context: Context, arm: str, width: float, reasons: int) -> Iterator[Line]:
    label = context.language("flow:allocated", arm=context.label(arm))
    found = context.results.value(ANALYSIS, "n", arm, "randomised")
    yield from _wrapped(label if found is None else _counted(context, label, found), width, strong=True)
    for level in _ALLOCATION:
        yield from _with_reasons(context, arm, level, width, reasons, strong=False)


def _followed(context: Context, arm: str, width: float, reasons: int) -> Iterator[Line]:
    """What the results know between allocation and analysis, but for what happened to nobody."""
    results = context.results
    for level in results.levels(ANALYSIS):
        known = (*_START, *_ALLOCATION, *_END)
        if (
            ": " in level
            or level in known
            or not any(results.value(ANALYSIS, "n", a.id, level) for a in context.arms)
        ):
            continue
        yield from _with_reasons(context, arm, level, width, reasons, strong=False)


def _analysed(context: Context, arm: str, width: float, reasons: int) -> Iterator[Line]:
    for level in _END:
        yield from _with_reasons(context, arm, level, width, reasons, strong=level == "analysed")


def _told(context: Context, group: str, level: str, width: float, strong: bool = True) -> tuple[Line, ...]:
    found = context.results.get(ANALYSIS, "n", group, level)
    if found is None:
        return ()
    label = context.language.known(f"flow:{level}", level)
    shown = f"{label} ({found.note})" if found.value is None else _counted(context, label, found.value)
    return tuple(_wrapped(shown, width, strong=strong))


def _with_reasons(
    context: Context, group: str, level: str, width: float, reasons: int, *, strong: bool = True
) -> tuple[Line, ...]:
    """A count, and under it its reasons, the frequent ones first; how many more there are is said."""
    head = _told(context, group, level, width, strong)
    if not head:
        return ()
    found = {
        name: context.results.value(ANALYSIS, "n", group, name)
        for name in context.results.levels(ANALYSIS)
        if name.startswith(f"{level}: ")
    }
    known = sorted(((n, name) for name, n in found.items() if n), key=lambda pair: (-pair[0], pair[1]))
    lines = list(head)
    for n, name in known[:reasons]:
        lines += _wrapped(_counted(context, _reason(context, name.split(": ", 1)[1]), n), width, depth=1)
    if len(known) > reasons:
        lines += _wrapped(context.language("flow_more", n=len(known) - reasons), width, depth=1)
    return tuple(lines)


def _reason(context: Context, reason: str) -> str:
    """An arm by its label, any other reason as a sentence has it."""
    label = context.label(reason)
    return label if label != reason else plain_case(reason)


def _counted(context: Context, label: str, n: float) -> str:
    return f"{label} ({context.language('n_equals', n=context.language.number(n))})"


def _wrapped(text: str, width: float, *, depth: int = 0, strong: bool = False) -> Iterator[Line]:
    """Broken between words to the width of a box."""
    room = max(8, math.floor((width - 2 * _PAD - 11 * depth) / (_SIZE * _ADVANCE * (1.06 if strong else 1))))
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > room:
            yield Line(line, depth, strong)
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield Line(line, depth, strong)


def _shape(box: Box) -> str:
    rect = (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="3" fill="#fff" stroke="{box.edge}"/>'
    )
    texts = (_text(box, i, line) for i, line in enumerate(box.lines))
    return rect + "".join(texts)


def _text(box: Box, i: int, line: Line) -> str:
    x, y = box.x + _PAD + 11 * line.depth, box.y + _PAD + (i + 0.75) * _LINE
    weight = ' font-weight="600"' if line.strong else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{_SIZE:g}"{weight} fill="{INK}">{escape(line.text)}</text>'
    )


def _entry_arrows(boxes: Sequence[Box]) -> Iterator[str]:
    main = [b for b in boxes if b.edge != RULE]
    side = [b for b in boxes if b.edge == RULE]
    for above, below in pairwise(main):
        yield _arrow([(above.middle, above.foot), (above.middle, below.y)])
    for box in side:
        start = main[0].middle
        yield _arrow([(start, box.y + box.height / 2), (box.x, box.y + box.height / 2)])


def _fork(source: Box, columns: Sequence[Sequence[Box]]) -> Iterator[str]:
    for column in columns:
        if column:
            level = source.foot + _GAP
            yield _arrow(
                [
                    (source.middle, source.foot),
                    (source.middle, level),
                    (column[0].middle, level),
                    (column[0].middle, column[0].y),
                ]
            )
        for above, below in pairwise(column):
            yield _arrow([(above.middle, above.foot), (above.middle, below.y)])


def _arrow(points: Sequence[tuple[float, float]]) -> str:
    """A line through the points with a head at its end."""
    (_, y0), (x, y) = points[-2], points[-1]
    path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
    head = f"M{x - 4:.1f} {y - 6:.1f}L{x:.1f} {y:.1f}L{x + 4:.1f} {y - 6:.1f}"
    if y0 == y:
        head = f"M{x - 6:.1f} {y - 4:.1f}L{x:.1f} {y:.1f}L{x - 6:.1f} {y + 4:.1f}"
    return f'<path d="{path}{head}" fill="none" stroke="{MUTED}"/>'
