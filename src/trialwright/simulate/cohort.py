"""The patients of many trials at once: when they come, what arm they get, when they die or are lost.

Arrays are (trials, patients), patients in the order in which they come; months. A number depends on the seed,
the replicate and the patient alone, never on the chunk it is drawn in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.simulate.allocate import Bools, Chance, arms
from trialwright.simulate.design import ALMOST_NEVER, Accrual, Design, Dropout, Hazards

Floats = npt.NDArray[np.float64]

_LIFE = 0  # stream
NEVER = 1e290
"""Months: later than any event that happens, earlier than any that does not (1 / ALMOST_NEVER)."""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    entry: Floats
    leaves: Floats
    """Own months until the event or the loss."""
    event_at: Floats
    """Calendar month of the event; beyond NEVER where it does not happen before the loss."""
    experimental: Bools
    """As (trials, patients), or one row for all."""
    stratum: npt.NDArray[np.uint8] | None
    """None where there is one."""


def enrol(design: Design, seed: int, replicate: npt.NDArray[np.integer]) -> Cohort:
    """The trials of these replicates. ``design.allocation`` must be there."""
    if design.allocation is None:
        raise ValueError("the design has no allocation: read it with its study")
    chance = Chance(seed, replicate)
    shape = (len(replicate), design.patients)
    life, coming, loss, kind = chance.quad(_LIFE, shape[1])
    losing = design.dropout.per_year or design.dropout.per_year_experimental
    group = _group(design, kind) if len(design.groups) > 1 else None
    stratum = None
    if group is not None and len(design.strata) > 1:
        stratum = np.array(design.stratum_of_group, dtype=np.uint8)[group]
    one = arms(design.allocation, stratum if design.allocation.stratified else None, shape, chance)
    index = one.view(np.uint8) if group is None else group * np.uint8(2) + one
    entry = _entries(design.accrual, coming)
    leaves = _waiting(life, design.hazards, index)
    event_at = entry + leaves
    if losing:
        lost = _lost(design.dropout, loss, one)
        event_at[leaves > lost] = 1 / ALMOST_NEVER
        np.minimum(leaves, lost, out=leaves)
    return Cohort(entry, leaves, event_at, one, stratum)


def _group(design: Design, u: Floats) -> npt.NDArray[np.uint8]:
    found = np.zeros(u.shape, dtype=np.uint8)
    for edge in np.cumsum([g.share for g in design.groups])[:-1]:
        found += u > edge
    return found


def _entries(accrual: Accrual, u: Floats) -> Floats:
    patients = u.shape[1]
    if accrual.model == "even":
        return np.broadcast_to(np.arange(1, patients + 1) * (accrual.months / patients), u.shape)
    if accrual.model == "poisson":
        return np.cumsum(np.log(u) * (-accrual.months / patients), axis=1)
    u.sort(axis=1)
    u *= accrual.months
    return u


def _waiting(u: Floats, hazards: Hazards, index: npt.NDArray[np.uint8]) -> Floats:
    """Months until the event: the time in which the hazard adds up to -log(u), piece by piece."""
    total = np.log(u)
    np.negative(total, out=total)
    found = np.zeros(1)
    width = np.append(np.diff(hazards.start), np.inf)
    for piece, rate in enumerate(hazards.rate.T):
        each = index if (rate != rate[0]).any() else 0
        inside = total if piece + 1 == len(width) else np.minimum(total, (rate * width[piece])[each])
        found = found + inside * (1 / rate)[each]
        if piece + 1 < len(width):
            total = total - inside
    return found


def _lost(dropout: Dropout, u: Floats, one: Bools) -> Floats:
    yearly = (
        dropout.per_year,
        dropout.per_year if dropout.per_year_experimental is None else dropout.per_year_experimental,
    )
    mean = np.array([-12 / np.log1p(-p) if p else 1 / ALMOST_NEVER for p in yearly])
    lost = np.log(u)
    lost *= -(mean[0] if mean[0] == mean[1] else mean[one.view(np.uint8)])
    return lost
