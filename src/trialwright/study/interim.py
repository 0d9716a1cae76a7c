"""Looks before the end of a trial, as the study file promises them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trialwright.study import words
from trialwright.study.base import Frozen


class Interim(Frozen):
    """What was promised about looks before the end, and which were done."""

    planned_events: int = Field(ge=1)
    """At the final analysis; spending runs on them."""
    looked_at: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """The events at each look already done, in order."""
    final: bool = False
    """This look is the last, though fewer events came than planned: it spends what is left."""
    alpha: float = Field(default=0.025, gt=0, lt=0.5)
    """One-sided."""
    spending: words.Spending = "obrien-fleming"
    gamma: float = -4
    """Shapes ``hwang-shih-decani`` and ``power``."""
    design_hazard_ratio: float | None = Field(default=None, gt=0)
    """For the conditional power if the trial goes on as it was designed."""
