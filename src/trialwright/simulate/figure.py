"""Two small drawings in SVG: shares as bars, and a power curve.

Drawn here and not by Matplotlib: loading that takes longer than simulating a thousand trials.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from trialwright.report.palette import INK, MUTED, RULE
from trialwright.report.svg import opened

_WIDTH, _SIZE = 460.0, 11.0
_BLUE = "#124f86"
_SHADES = ("#3f7cb1", "#86aed1", "#b9d0e4", "#d5e3ef", "#e6eef5")
"""Light enough for a whisker to be seen on them."""
_ROW = 28.0
Place = tuple[float, float]
_TENTHS = tuple(i / 5 for i in range(6))


@dataclass(frozen=True, slots=True)
class Bar:
    """``parts`` stand one behind the other; ``error`` is that of their sum."""

    name: str
    parts: tuple[float, ...]
    error: float

    @property
    def total(self) -> float:
        return sum(self.parts)


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    error: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Dots of a share over events. ``line`` is what a formula says, ``wish`` the share wished, ``found``
    where it is reached; a tick has a second word below."""

    dots: tuple[Dot, ...]
    line: tuple[tuple[float, float], ...]
    wish: float
    found: Dot
    ticks: tuple[tuple[float, str], ...]
    across: str


def bars(rows: Sequence[Bar], level: float, looks: Sequence[str], alt: str) -> Markup:
    """A bar for each test, in parts where there are several looks; whiskers are 1.96 Monte Carlo errors."""
    left, right, top = 138.0, 60.0, 8.0 if len(looks) == 1 else 26.0
    wide, high = _WIDTH - left - right, _ROW * len(rows)
    floor = top + high
    body = [*_legend(left, looks), *_across(left, wide, floor, "share of trials that reject")]
    for i, bar in enumerate(rows):
        y, start = top + _ROW * (i + 0.5), 0.0
        body.append(_text(0, y + 4, bar.name))
        for part, shade in zip(bar.parts, _SHADES * len(bar.parts), strict=False):
            body.append(_box(left + wide * start, y - 8, wide * part, 16, shade))
            start += part
        ends = _whisker(bar.total, bar.error)
        body.append(_line((left + wide * ends[0], y), (left + wide * ends[1], y), INK, 1.2))
        body.append(_text(_WIDTH, y + 4, f"{100 * bar.total:.1f} %", anchor="end"))
    body.append(_line((left + wide * level, top - 4), (left + wide * level, floor), INK, 0.9, "3 2"))
    return _whole(body, floor + 36, alt)


def curve(drawn: Curve, alt: str) -> Markup:
    """Power over events: dots with whiskers of 1.96 Monte Carlo errors, the formula dashed."""
    left, right, top, high = 44.0, 16.0, 12.0, 200.0
    wide, floor = _WIDTH - left - right, top + high
    first, last = drawn.dots[0].x, drawn.dots[-1].x
    margin = 0.04 * (last - first) or 1

    def x(value: float) -> float:
        return left + wide * (value - first + margin) / (last - first + 2 * margin)

    def y(value: float) -> float:
        return floor - high * value

    body = [_line((left, y(v)), (left + wide, y(v)), RULE, 0.6) for v in _TENTHS[1:]]
    body += [_text(left - 6, y(v) + 4, f"{v:g}", anchor="end") for v in _TENTHS]
    body += [_line((left, floor), (left + wide, floor), INK, 0.8)]
    for value, word in drawn.ticks:
        body.append(_line((x(value), floor), (x(value), floor + 4), INK, 0.8))
        body.append(_text(x(value), floor + 16, f"{value:g}", anchor="middle"))
        body.append(_text(x(value), floor + 31, word, anchor="middle", colour=MUTED))
    body.append(_text(left + wide / 2, floor + 50, drawn.across, anchor="middle"))
    body.append(_line((left, y(drawn.wish)), (x(drawn.found.x), y(drawn.wish)), INK, 0.9, "3 2"))
    body.append(_line((x(drawn.found.x), y(drawn.wish)), (x(drawn.found.x), floor), INK, 0.9, "3 2"))
    if drawn.line:
        path = "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in drawn.line)
        body.append(f'<path d="M{path}" fill="none" stroke="{MUTED}" stroke-dasharray="6 3"/>')
    for dot in drawn.dots:
        ends = _whisker(dot.y, dot.error)
        body.append(_line((x(dot.x), y(ends[0])), (x(dot.x), y(ends[1])), _BLUE, 1.4))
        body.append(f'<circle cx="{x(dot.x):.1f}" cy="{y(dot.y):.1f}" r="3" fill="{_BLUE}"/>')
    return _whole(body, floor + 58, alt)


def _legend(left: float, looks: Sequence[str]) -> Iterator[str]:
    if len(looks) > 1:
        for i, look in enumerate(looks):
            yield _box(left + 62 * i, 4, 10, 10, _SHADES[i % len(_SHADES)])
            yield _text(left + 62 * i + 14, 13, f"look {look}")


def _across(left: float, wide: float, floor: float, words: str) -> Iterator[str]:
    yield _line((left, floor), (left + wide, floor), INK, 0.8)
    for share in _TENTHS:
        yield _line((left + wide * share, floor), (left + wide * share, floor + 4), INK, 0.8)
        yield _text(left + wide * share, floor + 16, f"{share:g}", anchor="middle")
    yield _text(left + wide / 2, floor + 32, words, anchor="middle")


def _whisker(share: float, error: float) -> tuple[float, float]:
    return max(share - 1.96 * error, 0), min(share + 1.96 * error, 1)


def _whole(body: Sequence[str], height: float, alt: str) -> Markup:
    return opened(f'<svg viewBox="0 0 {_WIDTH:g} {height:g}">{"".join(body)}</svg>', alt)


def _text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = INK) -> str:
    size = f"font-size: calc({_SIZE:g}px * var(--zoom, 1))"
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" style="{size}">'
        f"{escape(words)}</text>"
    )


def _line(start: Place, end: Place, colour: str, width: float, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
        f'stroke="{colour}" stroke-width="{width:g}"{dashed}/>'
    )


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
