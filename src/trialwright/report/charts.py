"""Charts of estimates: forest, proportions, waterfall, dots. All numbers come in; nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from trialwright.report.canvas import GRID, LEFT, RIGHT, SIZE, beside, sheet, words
from trialwright.report.palette import INK, MUTED, RULE, Look
from trialwright.report.svg import inline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]
_NAMES = 178  # units for the name of an adverse event


def forest(
    rows: Sequence[ForestRow], ends: tuple[str, str], prefix: str, alt: str, *, looks: Sequence[Look]
) -> Markup:
    """Hazard ratios on a log axis, one line each, the number at the right; 1 is the line of no difference."""
    pitch, top, below = 16.0, 8.0, 48.0
    canvas, axes = sheet(top, pitch * max(len(rows), 1), below, left=LEFT, right=RIGHT)
    low, high = _ratio_range(rows)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10) if low <= t <= high]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.set_xticks([], minor=True)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(1, color=INK, linewidth=0.9)
    for y, row in enumerate(rows):
        _forest_row(axes, row, y, (low, high), looks[row.series])
    for text, away, ha in ((f"← {ends[0]}", -7, "right"), (f"{ends[1]} →", 7, "left")):
        axes.annotate(
            text,
            (1, len(rows) - 0.5),
            xytext=(away, -24),
            textcoords="offset points",
            fontsize=SIZE,
            color=MUTED,
            ha=ha,
            va="top",
            annotation_clip=False,
            parse_math=False,
        )
    return inline(canvas, prefix, alt)


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One estimate; without a label it belongs to the one above, without a number ``shown`` says why.

    ``inner``: a level under the heading of its factor.
    """

    label: str
    shown: str
    estimate: float | None
    lower: float | None
    upper: float | None
    series: int = 0
    inner: bool = False


def _ratio_range(rows: Sequence[ForestRow]) -> tuple[float, float]:
    known = [x for r in rows for x in (r.estimate, r.lower, r.upper) if x is not None and x > 0]
    low, high = min([*known, 0.5]), max([*known, 2.0])
    return max(0.1, low * 0.9), min(10.0, high * 1.1)


def _forest_row(axes: Axes, row: ForestRow, y: int, ends: tuple[float, float], look: Look) -> None:
    weight = "bold" if row.label and not row.inner else "normal"
    beside(axes, (12 if row.inner else 2) - LEFT, y, row.label, color=INK, weight=weight)
    beside(axes, None, y, row.shown, color=INK)
    if row.estimate is None:
        return
    low, high = (
        ends[i] if x is None else min(max(x, ends[0]), ends[1]) for i, x in enumerate((row.lower, row.upper))
    )
    axes.plot([low, high], [y, y], color=look.colour, linewidth=1.4, solid_capstyle="butt")
    for value, edge, arrow in ((row.lower, ends[0], "<"), (row.upper, ends[1], ">")):
        if value is None or not ends[0] <= value <= ends[1]:
            axes.plot([edge], [y], arrow, color=look.colour, markersize=5, clip_on=False)
    if ends[0] <= row.estimate <= ends[1]:
        face = look.colour if row.series == 0 else "white"
        axes.plot(
            [row.estimate],
            [y],
            look.marker,
            color=look.colour,
            markerfacecolor=face,
            markersize=5,
            markeredgewidth=1.3,
        )


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion (0 to 1) with limits, or None where there is none; ``head`` starts a new group."""

    label: str
    look: Look
    value: float | None
    lower: float | None
    upper: float | None
    shown: str
    head: str = ""


def shares(rows: Sequence[Share], x_label: str, prefix: str, alt: str) -> Markup:
    """Proportions with intervals: one line per arm under each reading's heading."""
    places: list[float] = []
    y = -1.0
    for row in rows:
        y += 2.05 if row.head else 1.0
        places.append(y)
    pitch, below = 17.0, 38.0
    height = pitch * (y + 1.0)
    canvas, axes = sheet(4, height, below, left=LEFT, right=RIGHT)
    axes.set_xlim(0, 1)
    axes.set_ylim(y + 0.6, -0.4)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for row, at in zip(rows, places, strict=True):
        if row.head:
            beside(axes, 2 - LEFT, at - 1, row.head, color=INK, weight="bold")
        beside(axes, 12 - LEFT, at, row.label, color=row.look.colour)
        beside(axes, None, at, row.shown, color=INK)
        if row.value is not None:
            if row.lower is not None and row.upper is not None:
                axes.plot(
                    [row.lower, row.upper],
                    [at, at],
                    color=row.look.colour,
                    linewidth=1.6,
                    solid_capstyle="butt",
                )
            axes.plot(
                [row.value], [at], row.look.marker, color=row.look.colour, markersize=5.5, clip_on=False
            )
    words(axes, 1, -(25 / height), x_label, ha="right", color=MUTED)
    return inline(canvas, prefix, alt)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """One arm: best percentage changes in falling order."""

    label: str
    look: Look
    change: Floats


def waterfall(panels: Sequence[Waterfall], y_label: str, prefix: str, alt: str) -> Markup:
    """Bars from the worst to the best change; the arms side by side, each as wide as its patients."""
    plot = 185.0
    canvas, axes = sheet(24, plot, 26, left=34, right=8)
    gap = max(2.0, 0.03 * sum(p.change.size for p in panels))
    start = 0.0
    axes.set_ylim(-100, 100)
    for panel in panels:
        n = panel.change.size
        x = start + np.arange(n) + 0.5
        axes.bar(x, np.clip(panel.change, -100, 100), width=0.78, color=panel.look.colour, linewidth=0)
        over = panel.change > 100
        if over.any():
            axes.plot(x[over], np.full(int(over.sum()), 96.0), "^", color="white", markersize=3.2)
        axes.annotate(
            panel.label,
            (start + n / 2, -100),
            xytext=(0, -8),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=SIZE,
            color=panel.look.colour,
            weight="bold",
            annotation_clip=False,
            parse_math=False,
        )
        start += n + gap
    axes.set_xlim(-gap / 3, max(start - gap, 1) + gap / 3)
    axes.set_xticks([])
    axes.set_yticks([-100, -50, 0, 50, 100], ["−100", "−50", "0", "50", "100"])
    axes.spines["bottom"].set_visible(False)
    axes.axhline(0, color=INK, linewidth=0.8)
    for level in (-30, 20):
        axes.axhline(level, color=MUTED, linewidth=0.8, dashes=(2, 2), zorder=0)
    words(axes, 0, 1 + 9 / plot, y_label, va="bottom", color=MUTED, x_off=-30)
    return inline(canvas, prefix, alt)


def dots(
    names: Sequence[str],
    percent: Mapping[str, Sequence[float]],
    looks: Mapping[str, Look],
    x_label: str,
    prefix: str,
    *,
    alt: str,
) -> Markup:
    """One line per event, one mark per arm: the percentage of its patients."""
    pitch = 17.0
    height = pitch * max(len(names), 1)
    canvas, axes = sheet(4, height, 38, left=_NAMES, right=14)
    top = max((max(values, default=0.0) for values in percent.values()), default=0.0)
    axes.set_xlim(0, max(10.0, np.ceil(top / 10) * 10))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    rows = np.arange(len(names))
    arms = [np.asarray(values, dtype=np.float64) for values in percent.values()]
    if arms:
        axes.hlines(rows, np.min(arms, axis=0), np.max(arms, axis=0), color=RULE, linewidth=2)
    for arm, values in percent.items():
        axes.plot(
            values,
            rows,
            looks[arm].marker,
            color=looks[arm].colour,
            markersize=5.5,
            linestyle="none",
            clip_on=False,
        )
    for y, name in enumerate(names):
        beside(axes, 2 - _NAMES, y, name, color=INK)
    axes.tick_params(labelsize=SIZE)
    words(axes, 1, -(25 / height), x_label, ha="right", color=MUTED)
    return inline(canvas, prefix, alt)
