"""What a trial is designed on: a frozen value, from ``scenarios/design-<name>.toml`` of a study folder.

Time is in months from the first possible entry, or from a patient's own entry. Hazards are per month. Every
section may say where its numbers are from (``source``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from operator import eq
from typing import Any

from pydantic import Field, ValidationError, model_validator

from trialwright.simulate.design_entry import Accrual, Allocation, Dropout, Sites
from trialwright.simulate.design_looks import Endpoint, Futility, Level, Look, Test, check_looks
from trialwright.simulate.design_pieces import ALMOST_NEVER, Floats, Piece, Section, rising
from trialwright.simulate.design_times import (
    Group,
    Hazards,
    Row,
    States,
    Times,
    arms_of,
    check_effect,
    hazards,
    ratios,
    states,
)
from trialwright.standards.errors import InputError
from trialwright.study.model import Study

__all__ = [
    "ALMOST_NEVER",
    "PREFIX",
    "Accrual",
    "Allocation",
    "Design",
    "Dropout",
    "Endpoint",
    "Futility",
    "Group",
    "Hazards",
    "Level",
    "Look",
    "Piece",
    "Sites",
    "States",
    "Test",
    "Times",
    "parse",
    "read",
]

PREFIX = "design-"
_LONG = 1e5
"""Months: longer than any accrual."""


class Design(Section):
    title: str
    patients: int = Field(ge=2, le=1_000_000)
    control: Times
    """Until the event in the control arm."""
    hazard_ratio: tuple[Piece, ...] = ()
    """The effect, on the hazard of those who can have the event."""
    experimental: Times | None = None
    """The times of the experimental arm, where the effect is no hazard ratio."""
    scans: tuple[Piece, ...] = ()
    """Where times are states: months between a patient's scans, from each ``start`` on. Progression is seen
    at the next one, unless death comes first; none: the moment it happens."""
    groups: tuple[Group, ...] = Field(default_factory=lambda: (Group(id="ALL", share=1),), min_length=1)
    """Kinds of patients, where they differ."""
    accrual: Accrual
    dropout: Dropout = Field(default_factory=Dropout)
    allocation: Allocation | None = None
    """None: as the study file says."""
    predictability: bool = False
    """Whether to tell how well the next arm can be guessed."""
    looks: tuple[Look, ...] = Field(min_length=1)
    level: Level = Field(default_factory=Level)
    tests: tuple[Test, ...] = Field(min_length=1)
    """The first decides whether the trial stops; the others are judged at the same looks."""

    @model_validator(mode="before")
    @classmethod
    def _months_of_rates(cls, raw: Any) -> Any:
        """Accrual by rates alone lasts until they have brought everybody."""
        accrual = raw.get("accrual") if isinstance(raw, Mapping) else None
        if (
            not isinstance(accrual, Mapping)
            or "months" in accrual
            or not (accrual.keys() & {"rate", "sites"})
        ):
            return raw
        try:
            months = Accrual.model_validate({**accrual, "months": _LONG}).until(int(raw["patients"]))
        except (ValueError, TypeError, KeyError, OverflowError):
            months = _LONG  # the fault is told where it stands
        return {**raw, "accrual": {**accrual, "months": months}}

    @model_validator(mode="after")
    def _whole(self) -> Design:
        for name, ids in (("groups", [g.id for g in self.groups]), ("tests", [t.id for t in self.tests])):
            if len(set(ids)) < len(ids):
                raise ValueError(f"{name}: an id is used twice")
        self._check_groups()
        check_effect(self.control, self.experimental, self.hazard_ratio, self.groups)
        check_looks(self.looks, self.level, self.tests, self.patients)
        if self.tests_of("PFS") and self.control.states is None:
            raise ValueError("tests: PFS needs times by states")
        if self.scans:
            rising("scans", self.scans)
            if self.control.states is None or not all(p.value for p in self.scans):
                raise ValueError("scans: months between them, above 0, where times are states")
        if self.level.calibrate and self.proportional()[0] != 1:
            raise ValueError(
                "level.calibrate: a level is the error where there is no effect, and here is one"
            )
        if self.allocation is not None and self.allocation.by_site and not self.accrual.sites:
            raise ValueError("allocation.by_site: the accrual has no sites")
        if self.predictability and self.allocation is not None and self.allocation.method == "fixed":
            raise ValueError("predictability: a fixed pattern is known to all")
        return self

    def _check_groups(self) -> None:
        if abs(sum(g.share for g in self.groups) - 1) > 1e-9:
            raise ValueError(f"groups: the shares add up to {sum(g.share for g in self.groups):g}, not to 1")
        if len(self.groups) > 1000:
            raise ValueError(f"groups: {len(self.groups)} are more than 1000")
        if len({tuple(sorted(g.levels)) for g in self.groups}) > 1:
            raise ValueError("groups: all name the same stratification factors")
        if len(self.strata) > 256:
            raise ValueError(f"groups: {len(self.strata)} strata are more than 256")

    def tests_of(self, endpoint: Endpoint) -> tuple[Test, ...]:
        return tuple(test for test in self.tests if test.endpoint == endpoint)

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
        """The one hazard ratio that is true of everybody, or None and why there is none.

        Of the first test's endpoint.
        """
        found: set[float] = set()
        for control, experimental in zip(self.rows[::2], self.rows[1::2], strict=True):
            values, why = ratios(control, experimental, self.tests[0].endpoint)
            if why:
                return None, why
            found |= values
        if len(found) > 1:
            return None, "the effect is not the same for all and at all times: no one hazard ratio is true"
        if found == {1.0}:
            return 1.0, ""  # whatever the patients: the arms are alike
        mixed = {
            (group.times, group.control, stratum)
            for group, stratum in zip(self.groups, self.stratum_of_group, strict=True)
        }
        within = {stratum for *_, stratum in mixed}
        told = (
            len(within) == len(mixed) if self.tests[0].stratified else len({(t, c) for t, c, _ in mixed}) == 1
        )
        if not told:
            return None, "patients of unlike risk share a stratum: hazards are not proportional there"
        ratio = found.pop()
        return (ratio, "") if ratio > 0 else (None, "the experimental arm has no events")

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The arms of each group: control, experimental, and the next group."""
        return tuple(
            row
            for group in self.groups
            for row in arms_of(group, self.control, self.experimental, self.hazard_ratio)
        )

    @cached_property
    def hazards(self) -> Hazards:
        """Of each group and arm; where times are states, that of leaving the first one."""
        return hazards(self.rows)

    @cached_property
    def states(self) -> Floats | None:
        """Of each row of ``hazards`` the rates of progression, death, and death after progression."""
        return None if self.control.states is None else states(self.rows)

    @cached_property
    def features(self) -> frozenset[str]:
        """What it asks for beyond hazards in pieces, even accrual, blocks and log-rank tests, in words."""
        times = [row.times for row in self.rows]
        asked = {
            "weibull": any(t.shape != 1 for t in times),
            "cure": any(t.cured for t in times),
            "states": self.control.states is not None,
            "rates": bool(self.accrual.rate),
            "sites": bool(self.accrual.sites),
            "predictability": self.predictability,
            "futility": any(look.futility for look in self.looks),
            "bounds": bool(self.level.bounds),
            "calibrate": self.level.calibrate,
        }
        kinds = {test.kind for test in self.tests} & {"cox", "rmst", "landmark"}
        return frozenset(word for word, is_so in asked.items() if is_so) | kinds


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
        raise InputError(f"{file}: {'; '.join(faults(error))}") from error


def faults(error: ValidationError) -> Iterator[str]:
    """A sentence each; not that a list is too short where that is because of the faults in it."""
    told = error.errors(include_url=False)
    for e in told:
        within = any(len(o["loc"]) > len(e["loc"]) == sum(map(eq, o["loc"], e["loc"])) for o in told)
        if not (e["type"] == "too_short" and within):
            yield ": ".join(
                filter(None, (".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, ")))
            )


def _of_study(study: Study, design: Design, file: str) -> Allocation:
    promised = study.allocation
    if len(promised.ratio) != 2:
        raise InputError(f"{file}: the study allocates to {len(promised.ratio)} arms, a design compares two")
    _same_strata(study, design, file)
    (experimental,) = (arm.id for arm in study.experimental)
    blocks = promised.method == "permuted_blocks"
    try:
        return Allocation(
            method=promised.method,
            control=promised.ratio[study.control.id],
            experimental=promised.ratio[experimental],
            block_sizes=promised.block_sizes if blocks else (),
            stratified=blocks and bool(promised.strata),
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
