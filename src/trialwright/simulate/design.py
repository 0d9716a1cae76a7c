"""What a trial is designed on: a frozen value, from ``scenarios/design-<name>.toml`` of a study folder.

Time is in months from the first possible entry, or from a patient's own entry. Hazards are per month. Every
section may say where its numbers are from (``source``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, model_validator

from trialwright.standards.errors import InputError
from trialwright.stats.sequential import Spending
from trialwright.study.base import Frozen, Id, Texts, _frozen_mapping
from trialwright.study.model import Study

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
Floats = npt.NDArray[np.float64]

PREFIX = "design-"
LARGEST_BLOCK = 16
ALMOST_NEVER = 1e-300
"""The hazard of what does not happen: it leaves every sum and product finite."""


class Section(Frozen):
    source: str = ""


class Piece(Section):
    """``value`` from month ``start`` of a patient's own time until the next piece."""

    start: float = Field(default=0, ge=0)
    value: float = Field(ge=0, allow_inf_nan=False)


Pieces = Annotated[tuple[Piece, ...], Field(min_length=1)]


class Control(Section):
    """The hazard of the control arm: constant with this median, or in pieces."""

    median: Positive | None = None
    hazard: tuple[Piece, ...] = ()

    @model_validator(mode="after")
    def _one(self) -> Control:
        if (self.median is None) == (not self.hazard):
            raise ValueError("the control arm needs a median or a hazard in pieces, one of them")
        _rising("control.hazard", self.pieces)
        return self

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return self.hazard or (Piece(value=math.log(2) / self.median),) if self.median else self.hazard


class Group(Section):
    """A kind of patient. ``levels`` say its stratum; ``times`` multiplies its hazard in both arms."""

    id: Id
    share: Positive
    levels: Texts = Field(default_factory=lambda: _frozen_mapping({}))
    times: Positive = 1
    hazard_ratio: tuple[Piece, ...] = ()
    """The effect in this group, where it is another."""


class Accrual(Section):
    """``uniform``: each patient comes at any time; ``poisson``: as a stream; ``even``: at equal steps."""

    model: Literal["uniform", "poisson", "even"] = "uniform"
    months: Positive


class Dropout(Section):
    per_year: Share = 0
    per_year_experimental: Share | None = None
    """Where the experimental arm has another."""


class Allocation(Section):
    """``fixed``: each arm has its share of the patients exactly, whoever comes when."""

    method: Literal["permuted_blocks", "simple", "fixed"]
    control: int = Field(default=1, ge=1)
    experimental: int = Field(default=1, ge=1)
    block_sizes: tuple[int, ...] = ()
    stratified: bool = False

    @model_validator(mode="after")
    def _blocks(self) -> Allocation:
        if self.method != "permuted_blocks":
            return self
        unit = self.control + self.experimental
        if not self.block_sizes or any(
            size < unit or size % unit or size > LARGEST_BLOCK for size in self.block_sizes
        ):
            raise ValueError(f"block sizes are multiples of {unit}, up to {LARGEST_BLOCK}")
        return self

    @property
    def share(self) -> float:
        """Of the experimental arm."""
        return self.experimental / (self.control + self.experimental)


class Look(Section):
    """At so many events, in that month, or what comes first or last of both."""

    events: int | None = Field(default=None, ge=1)
    month: Positive | None = None
    whichever: Literal["first", "last"] = "first"

    @model_validator(mode="after")
    def _when(self) -> Look:
        if self.events is None and self.month is None:
            raise ValueError("a look needs events, a month, or both")
        return self


class Level(Section):
    """One-sided ``alpha`` and how the looks spend it, at the information there is.

    ``planned`` is the number of events on which spending runs: by default those of the last look.
    """

    alpha: float = Field(default=0.025, gt=0, lt=0.5)
    spending: Spending = "obrien-fleming"
    gamma: float = -4
    planned: int | None = Field(default=None, ge=1)


class Test(Section):
    __test__ = False  # not of pytest

    id: Id
    kind: Literal["logrank", "fleming-harrington", "maxcombo"] = "logrank"
    rho: float = Field(default=0, ge=0)
    gamma: float = Field(default=0, ge=0)
    stratified: bool = False


class Design(Section):
    title: str
    patients: int = Field(ge=2)
    control: Control
    hazard_ratio: Pieces
    groups: tuple[Group, ...] = Field(default_factory=lambda: (Group(id="ALL", share=1),), min_length=1)
    accrual: Accrual
    dropout: Dropout = Field(default_factory=Dropout)
    allocation: Allocation | None = None
    """None: as the study file says."""
    looks: tuple[Look, ...] = Field(min_length=1)
    level: Level = Field(default_factory=Level)
    tests: tuple[Test, ...] = Field(min_length=1)
    """The first decides whether the trial stops; the others are judged at the same looks."""

    @model_validator(mode="after")
    def _whole(self) -> Design:
        _rising("hazard_ratio", self.hazard_ratio)
        for group in self.groups:
            if group.hazard_ratio:
                _rising(f"groups.{group.id}.hazard_ratio", group.hazard_ratio)
        for name, ids in (("groups", [g.id for g in self.groups]), ("tests", [t.id for t in self.tests])):
            if len(set(ids)) < len(ids):
                raise ValueError(f"{name}: an id is used twice")
        if abs(sum(g.share for g in self.groups) - 1) > 1e-9:
            raise ValueError(f"groups: the shares add up to {sum(g.share for g in self.groups):g}, not to 1")
        if len({tuple(sorted(g.levels)) for g in self.groups}) > 1:
            raise ValueError("groups: all name the same stratification factors")
        if len(self.strata) > 256:
            raise ValueError(f"groups: {len(self.strata)} strata are more than 256")
        return self._looks()

    def _looks(self) -> Design:
        events = [look.events for look in self.looks if look.events is not None]
        months = [look.month for look in self.looks if look.month is not None]
        if sorted(set(events)) != events or sorted(set(months)) != months:
            raise ValueError("looks: events and months grow from look to look")
        if self.planned is None:
            raise ValueError("level.planned: say the planned events where the last look does not")
        if any(e > self.patients for e in events):
            raise ValueError("looks: more events than patients")
        if len(self.looks) > 1 and any(t.kind == "maxcombo" for t in self.tests):
            raise ValueError("tests: maxcombo knows one look only")
        return self

    @property
    def planned(self) -> int | None:
        return self.level.planned or self.looks[-1].events

    @cached_property
    def strata(self) -> tuple[tuple[str, ...], ...]:
        """The strata that groups name, in their order: one level for each factor, factors by name."""
        return tuple(dict.fromkeys(_stratum(group) for group in self.groups))

    @property
    def stratum_of_group(self) -> tuple[int, ...]:
        return tuple(self.strata.index(_stratum(group)) for group in self.groups)

    def proportional(self) -> tuple[float | None, str]:
        """The one hazard ratio that is true of everybody, or None and why there is none."""
        found = {p.value for g in self.groups for p in (g.hazard_ratio or self.hazard_ratio)}
        if len(found) > 1:
            return None, "the effect is not the same for all and at all times: no one hazard ratio is true"
        mixed = {
            (group.times, stratum) for group, stratum in zip(self.groups, self.stratum_of_group, strict=True)
        }
        within = {stratum for _, stratum in mixed}
        told = len(within) == len(mixed) if self.tests[0].stratified else len({t for t, _ in mixed}) == 1
        if not told:
            return None, "patients of unlike risk share a stratum: hazards are not proportional there"
        ratio = found.pop()
        return (ratio, "") if ratio > 0 else (None, "the experimental arm has no events")

    @cached_property
    def hazards(self) -> Hazards:
        """Of each group and arm."""
        starts = sorted(
            {p.start for pieces in (self.control.pieces, self.hazard_ratio) for p in pieces}
            | {p.start for g in self.groups for p in g.hazard_ratio}
        )
        rate = np.empty((2 * len(self.groups), len(starts)))
        for i, group in enumerate(self.groups):
            for j, start in enumerate(starts):
                rate[2 * i, j] = group.times * _at(self.control.pieces, start)
                rate[2 * i + 1, j] = rate[2 * i, j] * _at(group.hazard_ratio or self.hazard_ratio, start)
        return Hazards(np.array(starts), np.maximum(rate, ALMOST_NEVER))


@dataclass(frozen=True, slots=True, eq=False)
class Hazards:
    """``rate`` is (2 groups, pieces): row 2g of the control arm, 2g + 1 of the experimental."""

    start: Floats
    rate: Floats


def read(study: Study, name: str) -> Design:
    """The design scenario of that name, its allocation filled in from the study.

    Raises InputError naming those there are, or every key at fault.
    """
    key = name if name.startswith(PREFIX) else PREFIX + name
    file = f"scenarios/{key}.toml"
    if key not in study.scenarios:
        known = ", ".join(k.removeprefix(PREFIX) for k in sorted(study.scenarios) if k.startswith(PREFIX))
        raise InputError(
            f"study {study.study.id} has no scenario {key!r} (there is for design: {known or 'none'})"
        )
    design = parse(study.scenarios[key], file)
    if design.allocation is not None:
        return design
    return design.model_copy(update={"allocation": _of_study(study, design, file)})


def parse(raw: Mapping[str, Any], file: str) -> Design:
    try:
        return Design.model_validate(raw)
    except ValidationError as error:
        faults = (
            ": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, "))))
            for e in error.errors(include_url=False)
        )
        raise InputError(f"{file}: {'; '.join(faults)}") from error


def _of_study(study: Study, design: Design, file: str) -> Allocation:
    promised = study.allocation
    if len(promised.ratio) != 2:
        raise InputError(f"{file}: the study allocates to {len(promised.ratio)} arms, a design compares two")
    _same_strata(study, design, file)
    (experimental,) = (arm.id for arm in study.experimental)
    try:
        return Allocation(
            method=promised.method,
            control=promised.ratio[study.control.id],
            experimental=promised.ratio[experimental],
            block_sizes=promised.block_sizes,
            stratified=bool(promised.strata),
        )
    except ValidationError as error:
        raise InputError(f"{file}: allocation of the study: {error.errors()[0]['msg']}") from error


def _same_strata(study: Study, design: Design, file: str) -> None:
    """Groups must name the study's stratification factors and their levels."""
    known = {s.id: {level.id for level in s.levels} for s in study.strata}
    for group in design.groups:
        if set(group.levels) != set(study.allocation.strata):
            raise InputError(
                f"{file}: groups.{group.id}.levels: names {sorted(group.levels)}, but the study "
                f"stratifies by {sorted(study.allocation.strata)}"
            )
        for factor, level in group.levels.items():
            if level not in known[factor]:
                raise InputError(f"{file}: groups.{group.id}.levels: {factor} has no level {level!r}")


def _stratum(group: Group) -> tuple[str, ...]:
    return tuple(group.levels[factor] for factor in sorted(group.levels))


def _rising(name: str, pieces: tuple[Piece, ...]) -> None:
    starts = [p.start for p in pieces]
    if starts[0] != 0 or sorted(set(starts)) != starts:
        raise ValueError(f"{name}: the first piece starts at 0, and starts grow")


def _at(pieces: tuple[Piece, ...], month: float) -> float:
    return [p.value for p in pieces if p.start <= month][-1]
