"""A figure of the report, and the Kaplan–Meier figure; Matplotlib's object interface, never pyplot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from trialwright.report.canvas import GRID, SIZE, sheet, words
from trialwright.report.palette import INK, MUTED, Look
from trialwright.report.svg import inline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLOT, _LINE = 200.0, 15.5  # units: the height of the plot, and of a line below it
_STEPS_SEEN = 1200
_STEPS = (0.5, 1, 2, 3, 4, 6, 12, 18, 24, 36, 48, 60, 120)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Key:
    """A line of the legend; ``value`` says what stands behind the name."""

    label: str
    value: str = ""
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    caption: str
    svg: Markup
    keys: tuple[Key, ...] = ()
    says: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()
    kind: str = "figure"
    style: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Curve:
    """One arm: a step curve in months with its pointwise limits, censorings, and the numbers at risk."""

    label: str
    look: Look
    time: Floats
    survival: Floats
    lower: Floats
    upper: Floats
    ticks: Floats
    ticks_at: Floats
    median: float | None
    at_risk: Callable[[Floats], npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Axis:
    """The words of a curve's two axes and of the numbers below."""

    y: str
    x: str
    at_risk: str


def tick_step(longest: float, most: int = 9) -> float:
    """The finest usual step of a time axis in months that keeps it to ``most`` intervals."""
    return next((step for step in _STEPS if longest / step <= most), _STEPS[-1])


def km(curves: Sequence[Curve], axis: Axis, prefix: str, alt: str) -> Markup:
    """Step curves with bands, censor ticks and median lines; numbers at risk below, aligned to the ticks."""
    longest = max((float(c.time[-1]) for c in curves if c.time.size), default=1.0)
    step = tick_step(longest)
    end = max(step, float(np.ceil(longest / step - 1e-9) * step))
    below = 42 + _LINE * (1 + 2 * len(curves))
    canvas, axes = sheet(22, _PLOT, below, left=34, right=12)
    axes.set_xlim(0, end)
    axes.set_ylim(0, 1)
    ticks = np.arange(0, end + step / 2, step)
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    words(axes, 0, 1 + 9 / _PLOT, axis.y, va="bottom", color=MUTED, x_off=-30)
    words(axes, 1, -(26 / _PLOT), axis.x, ha="right", color=MUTED)
    _medians(axes, curves)
    for curve in curves:
        _step(axes, _thinned(curve, end))
    _risk_table(axes, curves, axis.at_risk, ticks)
    return inline(canvas, prefix, alt)


def _thinned(curve: Curve, end: float) -> Curve:
    """A curve with more steps than the eye can part: the last of each twelve-hundredth of the axis."""
    if max(curve.time.size, curve.ticks.size) <= _STEPS_SEEN:
        return curve
    kept, ticks = (_last_of_each(t, end / _STEPS_SEEN) for t in (curve.time, curve.ticks))
    parts = {name: getattr(curve, name)[kept] for name in ("time", "survival", "lower", "upper")}
    return replace(curve, **parts, ticks=curve.ticks[ticks], ticks_at=curve.ticks_at[ticks])


def _last_of_each(time: Floats, width: float) -> npt.NDArray[np.int64]:
    """Where each stretch of that width has its last time; ``time`` rises."""
    stretch = np.floor(time / width)
    return np.flatnonzero(np.diff(stretch, append=np.inf))


def _step(axes: Axes, curve: Curve) -> None:
    x, y = np.concatenate(([0.0], curve.time)), np.concatenate(([1.0], curve.survival))
    low, high = (
        np.concatenate(([1.0], np.where(np.isnan(b), curve.survival, b))) for b in (curve.lower, curve.upper)
    )
    axes.fill_between(x, low, high, step="post", color=curve.look.colour, alpha=0.09, linewidth=0)
    style: dict[str, Any] = {"dashes": curve.look.dashes} if curve.look.dashes else {}
    axes.step(
        x,
        y,
        where="post",
        color=curve.look.colour,
        linewidth=1.6,
        solid_joinstyle="miter",
        clip_on=False,
        **style,
    )
    axes.vlines(
        curve.ticks,
        curve.ticks_at - 0.017,
        curve.ticks_at + 0.017,
        color=curve.look.colour,
        linewidth=1.0,
        clip_on=False,
    )


def _medians(axes: Axes, curves: Sequence[Curve]) -> None:
    reached = [c.median for c in curves if c.median is not None]
    if reached:
        axes.plot([0, max(reached)], [0.5, 0.5], color=MUTED, linewidth=0.8, dashes=(2, 2))
    for month in reached:
        axes.plot([month, month], [0, 0.5], color=MUTED, linewidth=0.8, dashes=(2, 2))


def _risk_table(axes: Axes, curves: Sequence[Curve], title: str, ticks: Floats) -> None:
    """Under each arm's name its numbers, each below its tick."""
    y = -(44 / _PLOT)
    words(axes, 0, y, title, va="top", color=MUTED, x_off=-30)
    for i, curve in enumerate(curves):
        name = y - (1 + 2 * i) * _LINE / _PLOT
        words(axes, 0, name, curve.label, va="top", color=curve.look.colour, weight="bold", x_off=-30)
        for tick, n in zip(ticks, curve.at_risk(ticks), strict=True):
            where = (float(tick) / axes.get_xlim()[1], name - _LINE / _PLOT)
            style: dict[str, Any] = {"fontsize": SIZE, "color": INK, "ha": "center", "va": "top"}
            axes.text(*where, f"{int(n)}", transform=axes.transAxes, **style)
