"""The patients of many trials at once: when they come, what arm they get, when they die or are lost.

Arrays are (trials, patients), patients in the order in which they come; months. A number depends on the seed,
the replicate and the patient alone, never on the chunk it is drawn in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.simulate.allocate import Bools, Chance, arms
from trialwright.simulate.arrive import Sites, entries
from trialwright.simulate.design import ALMOST_NEVER, Design, Dropout, Endpoint, Hazards, Piece
from trialwright.stats.elementary import minus_log

Floats = npt.NDArray[np.float64]
Small = npt.NDArray[np.unsignedinteger]

_LIFE = 0  # stream
_SAME_DAY = 0.01
_AFTER = 2  # stream: which state comes next, and how long it lasts
NEVER = 1e290
"""Months: later than any event that happens, earlier than any that does not (1 / ALMOST_NEVER)."""


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """One endpoint of the same lives."""

    leaves: Floats
    """Own months until the event or the loss."""
    event_at: Floats
    """Calendar month of the event; beyond NEVER where it does not happen before the loss."""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    entry: Floats
    leaves: Floats
    """Own months until death or the loss."""
    event_at: Floats
    """Calendar month of death; beyond NEVER where it does not happen before the loss."""
    experimental: Bools
    """As (trials, patients), or one row for all."""
    stratum: npt.NDArray[np.uint8] | None
    """None where there is one."""
    progression: Clock | None = None
    """Until progression or death, whichever is first; where lives have states."""
    site: Sites | None = None
    """Where accrual is by site."""

    def clock(self, endpoint: Endpoint) -> Clock:
        if endpoint == "OS":
            return Clock(self.leaves, self.event_at)
        if self.progression is None:
            raise ValueError("lives without states have no progression")
        return self.progression


def enrol(design: Design, seed: int, replicate: npt.NDArray[np.integer]) -> Cohort:
    """The trials of these replicates. ``design.allocation`` must be there."""
    if design.allocation is None:
        raise ValueError("the design has no allocation: read it with its study")
    chance = Chance(seed, replicate)
    shape = (len(replicate), design.patients)
    life, coming, loss, kind = chance.quad(_LIFE, shape[1])
    losing = means_of_loss(design.dropout)
    group = _group(design, kind) if len(design.groups) > 1 else None
    stratum = None
    if group is not None and len(design.strata) > 1:
        stratum = np.array(design.stratum_of_group, dtype=np.uint8)[group]
    entry, site = entries(design.accrual, coming, chance)
    one = arms(design.allocation, lists(design, stratum, site), shape, chance)
    index = one.view(np.uint8) if group is None else group * group.dtype.type(2) + one
    lives = _waiting(life, design.hazards, index)
    lost = _lost(losing, loss, one) if losing.size else None
    progression = None
    if design.states is not None:
        first, lives = lives, _deaths(lives, design.states, index, chance)
        if design.scans:
            first = np.minimum(next_scan(design.scans, first), lives)
        progression = _observed(entry, first, lost)
    death = _observed(entry, lives, lost)
    return Cohort(entry, death.leaves, death.event_at, one, stratum, progression, site)


def lists(
    design: Design, stratum: npt.NDArray[np.uint8] | None, site: Sites | None
) -> npt.NDArray[np.integer] | None:
    """Which list of slots each patient's arm is from; None where there is one for all."""
    if design.allocation is None or not design.allocation.stratified:
        stratum = None
    if site is None or design.allocation is None or not design.allocation.by_site:
        return stratum
    return site.astype(np.int64) if stratum is None else site * np.int64(len(design.strata)) + stratum


def _observed(entry: Floats, leaves: Floats, lost: Floats | None) -> Clock:
    """``leaves`` is changed in place."""
    event_at = entry + leaves
    if lost is not None:
        event_at[leaves > lost] = 1 / ALMOST_NEVER
        np.minimum(leaves, lost, out=leaves)
    return Clock(leaves, event_at)


def _deaths(first: Floats, states: Floats, index: Small, chance: Chance) -> Floats:
    """Death, from the time of leaving the first state: then, or some time after it was progression.

    Constant rates: where the next state lies does not depend on how long the first one lasted.
    """
    which, after, *_ = chance.quad(_AFTER, first.shape[1])
    progression, death, later = np.maximum(states, ALMOST_NEVER).T
    grows = which < (progression / (progression + death))[index]
    return np.asarray(first + np.where(grows, minus_log(after) * (1 / later)[index], 0))


def next_scan(scans: tuple[Piece, ...], months: Floats) -> Floats:
    """The first scan that is not before: steps of each piece from its start on, up to the next start."""
    found = np.full(months.shape, np.inf)
    for piece, end in zip(scans, (*(p.start for p in scans[1:]), np.inf), strict=True):
        steps = np.maximum(np.ceil((months - piece.start) / piece.value), 1)
        scan = piece.start + steps * piece.value
        found = np.where(np.isinf(found) & (scan < end + _SAME_DAY), scan, found)
    return found


def _group(design: Design, u: Floats) -> Small:
    """In a type that holds the rows of all groups and both arms, twice as many."""
    found = np.zeros(u.shape, dtype=np.min_scalar_type(2 * len(design.groups)))
    for edge in np.cumsum([g.share for g in design.groups])[:-1]:
        found += u > edge
    return found


def _waiting(u: Floats, hazards: Hazards, index: Small) -> Floats:
    """Months until the event: the time in which the hazard adds up to -log(u), piece by piece."""
    cured = None
    if hazards.cured is not None:
        share = hazards.cured[index]
        cured = u <= share
        u = np.where(cured, 0.5, (u - share) / (1 - share))  # u is the chance to live so long
    total = minus_log(u)
    found = np.zeros(1)
    shaped = hazards.shape is not None
    start = hazards.start[:, None] if hazards.shape is None else hazards.start[:, None] ** hazards.shape
    width = np.diff(start, axis=0)
    for piece, rate in enumerate(hazards.rate.T):
        each = index if (rate != rate[0]).any() else 0
        last = piece == len(width)
        inside = total if last else np.minimum(total, (rate * width[piece])[index if shaped else each])
        found = found + inside * (1 / rate)[each]
        if not last:
            total = total - inside
    if hazards.shape is not None:
        with np.errstate(over="ignore"):
            calendar = np.minimum(found ** (1 / hazards.shape)[index], 1 / ALMOST_NEVER)
        found = np.where(found < NEVER, calendar, 1 / ALMOST_NEVER)
    if cured is not None:
        found[cured] = 1 / ALMOST_NEVER
    return found


def means_of_loss(dropout: Dropout) -> Floats:
    """Mean months until patients of either arm are lost; empty where nobody is."""
    experimental = (
        dropout.per_year if dropout.per_year_experimental is None else dropout.per_year_experimental
    )
    yearly = (dropout.per_year, experimental)
    if not any(yearly):
        return np.zeros(0)
    return np.array([-12 / np.log1p(-p) if p else 1 / ALMOST_NEVER for p in yearly])


def _lost(mean: Floats, u: Floats, one: Bools) -> Floats:
    lost = minus_log(u)
    lost *= mean[0] if mean[0] == mean[1] else mean[one.view(np.uint8)]
    return lost
