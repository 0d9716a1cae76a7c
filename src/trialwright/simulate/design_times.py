"""How long patients live: times to the event of each arm and group, and what the effect is an effect on.

A hazard ratio multiplies the hazard of those who can have the event: with ``cured`` it holds among the
others, with a ``shape`` at every time. Where the effect is not a hazard ratio, the experimental arm has times
of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from pydantic import Field, model_validator

from trialwright.simulate.design_pieces import (
    ALMOST_NEVER,
    Factor,
    Floats,
    Months,
    Piece,
    Positive,
    Rate,
    Section,
    Share,
    at,
    rising,
)
from trialwright.study.base import Id, Texts, _frozen_mapping


class States(Section):
    """Progression and death, each at a constant rate a month: the illness–death model.

    Fix and Neyman, Hum Biol 1951;23:205.
    """

    progression: Rate
    death: Rate
    """Before progression."""
    death_after_progression: Rate

    @property
    def rates(self) -> tuple[float, float, float]:
        return self.progression, self.death, self.death_after_progression


class Times(Section):
    """Until the event: a median, a hazard in pieces, or states."""

    median: Months | None = None
    """Months; of those who are not cured."""
    hazard: tuple[Piece, ...] = ()
    """A month; of those who are not cured."""
    shape: float = Field(default=1, ge=0.02, le=20)
    """Of a Weibull distribution with that median: above 1 the hazard grows with time."""
    cured: Share = 0
    """The share who never have the event: a mixture (Boag, J R Stat Soc B 1949;11:15)."""
    states: States | None = None
    """Progression and death at rates of their own."""

    @model_validator(mode="after")
    def _one(self) -> Times:
        if (self.median is not None) + bool(self.hazard) + (self.states is not None) != 1:
            raise ValueError("the arm needs a median or a hazard in pieces or states, one of them")
        if self.shape != 1 and self.median is None:
            raise ValueError("a shape goes with a median")
        if self.cured and self.states is not None:
            raise ValueError("cured goes with a median or a hazard in pieces")
        if self.hazard:
            rising("hazard", self.hazard)
        return self

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The hazard on the scale of ``time ** shape``; of states, that of leaving the first one."""
        if self.states is not None:
            return (Piece.model_construct(value=self.states.progression + self.states.death),)
        if self.median is None:
            return self.hazard
        scale = self.median if self.shape == 1 else self.median**self.shape
        return (Piece.model_construct(value=math.log(2) / scale),)


class Group(Section):
    """A kind of patient. ``levels`` say its stratum; ``times`` multiplies its hazard in both arms."""

    id: Id
    share: Positive
    """Of all patients; together they are 1."""
    levels: Texts = Field(default_factory=lambda: _frozen_mapping({}))
    """Its level of each stratification factor; every group names the same factors."""
    times: Factor = 1
    """Not beside times of its own."""
    hazard_ratio: tuple[Piece, ...] = ()
    """The effect in this group, where it is another."""
    control: Times | None = None
    """The times of this group in the control arm, where they are others than by ``times``."""
    experimental: Times | None = None
    """Its times in the experimental arm, where the effect is no hazard ratio."""


@dataclass(frozen=True, slots=True, eq=False)
class Hazards:
    """``rate`` is (2 groups, pieces): row 2g of the control arm, 2g + 1 of the experimental.

    On the scale of ``time ** shape``, where a row has one; ``cured`` is the share without the event.
    """

    start: Floats
    rate: Floats
    shape: Floats | None = None
    cured: Floats | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One arm of one group: its times, what multiplies its hazard, its hazard ratio to the control arm."""

    times: Times
    factor: float
    effect: tuple[Piece, ...]


def arms_of(
    group: Group, control: Times, experimental: Times | None, hazard_ratio: tuple[Piece, ...]
) -> tuple[Row, Row]:
    """Control and experimental arm of a group: what it says itself goes before what is said of all."""
    base = group.control or control
    own = group.experimental or (None if group.hazard_ratio or group.control else experimental)
    if own is not None:
        return Row(base, group.times, ()), Row(own, group.times, ())
    return Row(base, group.times, ()), Row(base, group.times, group.hazard_ratio or hazard_ratio)


def check_effect(
    control: Times,
    experimental: Times | None,
    hazard_ratio: tuple[Piece, ...],
    groups: tuple[Group, ...],
) -> None:
    """Raises ValueError where the effect is not said, said twice, or no hazard ratio can be it."""
    if experimental is not None and hazard_ratio:
        raise ValueError("experimental and hazard_ratio: the effect is said twice")
    if hazard_ratio:
        rising("hazard_ratio", hazard_ratio)
    for group in groups:
        where = f"groups.{group.id}"
        if group.hazard_ratio:
            rising(f"{where}.hazard_ratio", group.hazard_ratio)
        if group.times != 1 and (group.control is not None or group.experimental is not None):
            raise ValueError(f"{where}: times multiplies hazards: say it, or control and experimental times")
        if group.experimental is not None and group.hazard_ratio:
            raise ValueError(f"{where}: experimental and hazard_ratio: the effect is said twice")
        rows = arms_of(group, control, experimental, hazard_ratio)
        if rows[1].times is rows[0].times and not rows[1].effect:
            raise ValueError(f"{where}: say the effect: a hazard_ratio or times of the experimental arm")
        if len({row.times.states is None for row in rows} | {control.states is None}) > 1:
            raise ValueError(f"{where}: either all times have states or none")
        if control.states is not None and any(p.value != 1 for p in rows[1].effect):
            raise ValueError(f"{where}: with states the effect is what experimental.states says")


def ratios(control: Row, experimental: Row, endpoint: str) -> tuple[set[float], str]:
    """The hazard ratios there are at any time, or why the hazards of the arms are not in any."""
    effect = {piece.value for piece in experimental.effect}
    if experimental.effect:
        if experimental.times.cured and effect != {1}:
            return set(), "some are cured: the hazard ratio holds among the others, not in all together"
        return effect, ""
    before, after = control.times, experimental.times
    if before.model_copy(update={"source": after.source}) == after:
        return {1.0}, ""
    if endpoint == "PFS" and before.states is not None and after.states is not None:
        rates = [s.progression + s.death for s in (before.states, after.states)]
        return ({rates[1] / rates[0]}, "") if rates[0] else (set(), "the control arm has no events")
    return set(), "the arms have times of their own: no one hazard ratio is true"


def hazards(rows: tuple[Row, ...]) -> Hazards:
    """Of each row; where its times are states, that of leaving the first one."""
    starts = sorted(
        {p.start for row in rows for p in row.times.pieces} | {p.start for row in rows for p in row.effect}
    )
    rate = np.empty((len(rows), len(starts)))
    for i, row in enumerate(rows):
        for j, start in enumerate(starts):
            rate[i, j] = row.factor * at(row.times.pieces, start)
            if row.effect:
                rate[i, j] *= at(row.effect, start)
    shape = np.array([row.times.shape for row in rows], dtype=np.float64)
    cured = np.array([row.times.cured for row in rows], dtype=np.float64)
    return Hazards(
        np.array(starts),
        np.maximum(rate, ALMOST_NEVER),
        shape if (shape != 1).any() else None,
        cured if cured.any() else None,
    )


def states(rows: tuple[Row, ...]) -> Floats:
    """Of each row the rates of progression, death, and death after progression: (rows, 3)."""
    return np.array([[row.factor * r for r in s.rates] for row in rows if (s := row.times.states)])
