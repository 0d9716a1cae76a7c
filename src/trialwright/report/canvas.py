"""The sheet every figure is drawn on, and words at their places; Matplotlib is imported when drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialwright.report.palette import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

WIDTH = 460
"""Of every figure, in units (points for Matplotlib). The page shows it up to a third larger, a phone smaller
with type enlarged by 1.3: room beside and below the plot is left for that."""
SIZE = 10.5
GRID = "#e7eaec"
LEFT = 138
"""Units left of a plot whose rows have a name."""
RIGHT = 132
"""Units right of a plot whose rows have a number with its limits."""


def sheet(top: float, plot: float, below: float, *, left: float, right: float) -> tuple[Canvas, Axes]:
    """A figure of the usual width with one plain axes; all distances in units."""
    from matplotlib.figure import Figure as Canvas

    height = top + plot + below
    canvas = Canvas(figsize=(WIDTH / 72, height / 72), dpi=72)
    canvas.patch.set_visible(False)
    box = (left / WIDTH, below / height, (WIDTH - left - right) / WIDTH, plot / height)
    axes = canvas.add_axes(box)
    axes.patch.set_visible(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(INK)
    axes.tick_params(labelsize=SIZE, color=INK, labelcolor=INK, length=4, width=0.8)
    return canvas, axes


def words(axes: Axes, x: float, y: float, text: str, *, x_off: float = 0.0, **style: Any) -> None:
    """Text at a place of the axes (0 to 1), moved by so many units."""
    axes.annotate(
        text,
        (x, y),
        xycoords="axes fraction",
        xytext=(x_off, 0),
        textcoords="offset points",
        fontsize=SIZE,
        annotation_clip=False,
        parse_math=False,
        **{"va": "top", **style},
    )


def beside(axes: Axes, left: float | None, y: float, text: str, **style: Any) -> None:
    """Text at the height of a row, ``left`` units from the plot's left edge, or (None) right of the plot."""
    if not text:
        return
    x, offset, ha = (0, left, "left") if left is not None else (1, RIGHT - 2, "right")
    axes.annotate(
        text,
        (x, y),
        xycoords=axes.get_yaxis_transform(),
        xytext=(offset, 0),
        textcoords="offset points",
        fontsize=SIZE,
        ha=ha,
        va="center",
        annotation_clip=False,
        parse_math=False,
        **style,
    )
