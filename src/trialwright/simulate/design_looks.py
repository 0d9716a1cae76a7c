"""When a simulated trial is looked at, by which tests, and what stops it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainSerializer, model_validator

from trialwright.simulate.design_pieces import Factor, Months, Section
from trialwright.stats.sequential import Spending
from trialwright.study.base import Id, _frozen_mapping

Endpoint = Literal["OS", "PFS"]
_GAMMA = -4
SHAPED = ("hwang-shih-decani", "power")
"""The spendings that ``gamma`` shapes."""


def _bound(z: float) -> float:
    if math.isnan(z) or z == -math.inf:
        raise ValueError("a bound is a number, or inf where a look rejects nothing")
    return z


Bounds = Annotated[
    Mapping[str, tuple[Annotated[float, AfterValidator(_bound)], ...]],
    AfterValidator(_frozen_mapping),
    PlainSerializer(dict),
]


class Futility(Section):
    """Stop where the first test's conditional power falls below a limit; the bounds of efficacy do not count
    on it (non-binding). Lan, Simon and Halperin, Commun Stat C 1982;1:207.
    """

    conditional_power: float = Field(gt=0, lt=1)
    effect: Literal["trend", "design"] = "trend"
    """Whether what was seen goes on, or what was planned comes."""
    hazard_ratio: Factor | None = None
    """What was planned."""

    @model_validator(mode="after")
    def _planned(self) -> Futility:
        if (self.effect == "design") != (self.hazard_ratio is not None):
            raise ValueError("the effect design needs a hazard_ratio, and trend has none")
        return self


class Look(Section):
    """At so many events, in that month, or what comes first or last of both."""

    events: int | None = Field(default=None, ge=1)
    month: Months | None = None
    """Since the first possible entry."""
    whichever: Literal["first", "last"] = "first"
    """Of events and month, where both are said."""
    futility: Futility | None = None
    """When to stop because the trial would hardly succeed; not at the last look."""

    @model_validator(mode="after")
    def _when(self) -> Look:
        if self.events is None and self.month is None:
            raise ValueError("a look needs events, a month, or both")
        if self.whichever == "last" and (self.events is None or self.month is None):
            raise ValueError("whichever comes last: of events and a month, say both")
        return self


class Level(Section):
    """One-sided ``alpha`` and how the looks spend it, at the information there is.

    ``planned`` is the number of events on which spending runs: by default those of the last look.
    """

    alpha: float = Field(default=0.025, gt=0, lt=0.5)
    spending: Spending = "obrien-fleming"
    gamma: float = Field(default=_GAMMA, ge=-50, le=50)
    """Shapes ``hwang-shih-decani`` and, above 0, ``power``."""
    planned: int | None = Field(default=None, ge=1, le=1_000_000)
    bounds: Bounds = Field(default_factory=lambda: _frozen_mapping({}))
    """Of a test, by its id, the z of each look from which it rejects (``inf``: it cannot), in place of what
    spending says: where the normal approximation does not hold the level, as ``calibrate`` finds."""
    calibrate: bool = False
    """In a scenario without effect: whether to tell at which bounds each test holds ``alpha``."""

    @model_validator(mode="after")
    def _shape(self) -> Level:
        if self.spending == "power" and self.gamma <= 0:
            raise ValueError("gamma: the spending power needs one above 0")
        if self.gamma != _GAMMA and self.spending not in SHAPED:
            raise ValueError(f"gamma goes with hwang-shih-decani and power, not with {self.spending}")
        return self


class Test(Section):
    """``cox``: Wald's test of the hazard ratio; ``rmst``: difference of mean times alive within ``months``;
    ``landmark``: of survival at ``months``.

    All tests spend on the events of the first one's endpoint.
    """

    __test__ = False  # not of pytest

    id: Id
    kind: Literal["logrank", "cox", "fleming-harrington", "maxcombo", "rmst", "landmark"] = "logrank"
    rho: float = Field(default=0, ge=0, le=50)
    gamma: float = Field(default=0, ge=0, le=50)
    """With ``rho`` the weight of Fleming and Harrington: S(t-)^rho (1 - S(t-))^gamma."""
    months: Months | None = None
    """Of a restricted mean or a landmark."""
    stratified: bool = False
    """By the strata that groups name."""
    endpoint: Endpoint = "OS"
    """PFS where lives have states: progression or death, whichever comes first."""

    @model_validator(mode="after")
    def _months(self) -> Test:
        if (self.kind in ("rmst", "landmark")) != (self.months is not None):
            raise ValueError("months go with rmst and landmark, and these need them")
        if self.kind == "landmark" and self.stratified:
            raise ValueError("a landmark knows no strata")
        if (self.rho or self.gamma) and self.kind != "fleming-harrington":
            raise ValueError(f"rho and gamma go with fleming-harrington, not with {self.kind}")
        return self


def check_looks(looks: tuple[Look, ...], level: Level, tests: tuple[Test, ...], patients: int) -> None:
    """Raises ValueError where looks do not grow, cannot be reached, or a test cannot be judged at them."""
    events = [look.events for look in looks if look.events is not None]
    months = [look.month for look in looks if look.month is not None]
    if sorted(set(events)) != events or sorted(set(months)) != months:
        raise ValueError("looks: events and months grow from look to look")
    if (level.planned or looks[-1].events) is None:
        raise ValueError("level.planned: say the planned events where the last look does not")
    if any(e > patients for e in events):
        raise ValueError("looks: more events than patients")
    if len(looks) > 1 and any(t.kind == "maxcombo" for t in tests):
        raise ValueError("tests: maxcombo knows one look only")
    if looks[-1].futility is not None:
        raise ValueError("looks: the last has nothing to stop for futility")
    for test, z in level.bounds.items():
        if test not in {t.id for t in tests} or len(z) != len(looks):
            raise ValueError(f"level.bounds.{test}: a bound for each of {len(looks)} looks of a test")
