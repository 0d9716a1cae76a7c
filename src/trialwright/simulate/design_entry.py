"""Who comes when, from where, who is lost, and which arm each gets."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from trialwright.simulate.design_pieces import Floats, Months, Piece, Section, Share, rising

LARGEST_BLOCK = 16


class Sites(Section):
    """So many sites that open in the same month and enrol at the same mean rate."""

    count: int = Field(default=1, ge=1, le=1000)
    opens: float = Field(default=0, ge=0, le=100_000)
    """Month since the first possible entry."""
    rate: float = Field(ge=0.0001, le=1_000_000)
    """Patients a month, each."""


class Accrual(Section):
    """``uniform``: each patient comes at any time; ``poisson``: as a stream; ``even``: at equal steps.

    Times are counted on the rate, where it changes: twice the rate, half the step.
    """

    model: Literal["uniform", "poisson", "even"] = "uniform"
    months: Months
    """In which all patients come, of a stream the expected number. May be left out beside ``rate`` or
    ``sites``, whose numbers count as they are then, and only relative to each other otherwise."""
    rate: tuple[Piece, ...] = ()
    """Patients a month, from each ``start`` on."""
    sites: tuple[Sites, ...] = ()
    """Each a stream of its own: needs the model ``poisson``."""
    spread: float | None = Field(default=None, ge=0.001, le=5)
    """The coefficient of variation of the rates between sites, drawn from a gamma distribution (Anisimov and
    Fedorov, Stat Med 2007;26:4958); none: all are as they say."""

    @model_validator(mode="after")
    def _known(self) -> Accrual:
        if self.rate and self.sites:
            raise ValueError("rate or sites, one of them")
        if self.sites and self.model != "poisson":
            raise ValueError('sites enrol as streams: say model = "poisson"')
        if self.spread is not None and not self.sites:
            raise ValueError("spread goes with sites")
        if self.rate:
            rising("rate", self.rate)
            if not self.rate[-1].value:
                raise ValueError("rate: the last piece must not be 0")
        if sum(s.count for s in self.sites) > 1000:
            raise ValueError("more than 1000 sites")
        if (self.rate or self.sites) and self.months <= self.begins:
            raise ValueError(
                f"months: nobody comes in {self.months:g} months, the first in month {self.begins:g}"
            )
        return self

    @property
    def begins(self) -> float:
        """The month from which patients come."""
        start, rate = self.pace
        return float(start[rate > 0][0])

    @property
    def opening(self) -> tuple[float, ...]:
        """The month in which each site opens, the earliest first."""
        return tuple(s.opens for s in self._in_order for _ in range(s.count))

    @property
    def site_rate(self) -> tuple[float, ...]:
        """Patients a month of each site, as ``opening`` orders them."""
        return tuple(s.rate for s in self._in_order for _ in range(s.count))

    @property
    def _in_order(self) -> list[Sites]:
        return sorted(self.sites, key=lambda s: s.opens)

    @property
    def pace(self) -> tuple[Floats, Floats]:
        """Months at which the rate of all together changes, the first 0, and the rate from there."""
        if self.rate:
            return np.array([p.start for p in self.rate]), np.array([p.value for p in self.rate])
        opening, rate = np.array(self.opening), np.cumsum(self.site_rate)
        starts = np.unique(np.append(0.0, opening))
        return starts, np.append(0.0, rate)[np.searchsorted(opening, starts, side="right")]

    @property
    def scale(self) -> float:
        """What the rates are multiplied by for one patient to be expected by ``months``."""
        start, rate = self.pace
        return 1 / float(np.clip(self.months - start, 0, np.append(np.diff(start), np.inf)) @ rate)

    def until(self, patients: int) -> float:
        """The month by which the rates, taken at their word, bring so many."""
        return float(when(np.array([float(patients)]), *self.pace)[0])


def when(total: Floats, start: Floats, rate: Floats) -> Floats:
    """The months at which a rate in pieces has added up to ``total``."""
    grown = np.append(0.0, np.cumsum(rate[:-1] * np.diff(start)))
    place = np.searchsorted(grown, total, side="left") - 1  # the last piece that begins with less
    place = np.maximum(place, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(start[place] + (total - grown[place]) / rate[place])


class Dropout(Section):
    per_year: Share = 0
    """The share of those still followed who are lost in a year, at a constant rate."""
    per_year_experimental: Share | None = None
    """Where the experimental arm has another."""


class Allocation(Section):
    """``fixed``: each arm has its share of the patients exactly, whoever comes when."""

    method: Literal["permuted_blocks", "simple", "fixed"]
    control: int = Field(default=1, ge=1, le=1000)
    experimental: int = Field(default=1, ge=1, le=1000)
    """The ratio: so many of the experimental to so many of the control arm."""
    block_sizes: tuple[int, ...] = ()
    """Of permuted blocks; each as likely as the others."""
    stratified: bool = False
    """Blocks within each stratum that groups name."""
    by_site: bool = False
    """Blocks within each site too; needs ``accrual.sites``."""

    @model_validator(mode="after")
    def _blocks(self) -> Allocation:
        if self.method != "permuted_blocks":
            for name in ("by_site", "stratified", "block_sizes"):
                if getattr(self, name):
                    raise ValueError(f"{name} goes with permuted blocks")
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
