"""What the sections of a design share: where a number is from, and values that change with time."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field

from trialwright.study.base import Frozen

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Months = Annotated[float, Field(ge=0.001, le=100_000)]
"""What is longer or shorter is no question for a trial, and its powers are no floats."""
Factor = Annotated[float, Field(gt=0, le=1_000_000)]
Rate = Annotated[float, Field(ge=0, le=1_000_000)]
Share = Annotated[float, Field(ge=0, lt=1)]
Floats = npt.NDArray[np.float64]

ALMOST_NEVER = 1e-300
"""The hazard of what does not happen: it leaves every sum and product finite."""


class Section(Frozen):
    model_config = ConfigDict(ser_json_inf_nan="constants")  # an infinite bound travels as it is

    source: str = ""
    """Where its numbers are from."""


class Piece(Section):
    """``value`` from month ``start`` of a patient's own time until the next piece."""

    start: float = Field(default=0, ge=0, le=100_000)
    value: float = Field(ge=0, le=1_000_000)


Pieces = Annotated[tuple[Piece, ...], Field(min_length=1)]


def rising(name: str, pieces: tuple[Piece, ...]) -> None:
    """Raises ValueError where the pieces do not begin at 0 or do not grow."""
    starts = [p.start for p in pieces]
    if starts[0] != 0 or sorted(set(starts)) != starts:
        raise ValueError(f"{name}: the first piece starts at 0, and starts grow")


def at(pieces: tuple[Piece, ...], month: float) -> float:
    return [p.value for p in pieces if p.start <= month][-1]
