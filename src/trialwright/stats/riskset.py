"""Two groups at every event time: who was at risk, who had the event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, Ints, codes, times, zero_one
from trialwright.stats.errors import NotEstimable
from trialwright.stats.ties import distinct


@dataclass(frozen=True, slots=True, eq=False)
class RiskTable:
    """One row for each stratum and each of its event times, in that order.

    ``d`` events among ``n`` at risk, of which ``d1`` among ``n1`` in group 1. ``start`` is the first row
    of each stratum that has events, so that sums and products can run within strata.
    """

    time: Floats
    stratum: Ints
    n: Floats
    n1: Floats
    d: Floats
    d1: Floats
    start: Ints
    subjects: int


def risk_table(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    timefix: bool = True,
) -> RiskTable:
    """From n patients; ``group`` is 0 or 1. Strata are labels of any sort.

    Raises ``NotEstimable`` where there are no patients, a group is empty, or nobody had the event.
    """
    t = times(time)
    dead, one = zero_one(event, "event", t.size), zero_one(group, "group", t.size)
    stratum, n_strata = codes(strata, "strata", t.size)
    _something_to_compare(dead, one)
    moment, index = distinct(t, timefix=timefix)
    cell = 4 * (index + moment.size * stratum) + 2 * one + dead
    counts, row = _count(cell, 4 * moment.size * n_strata)
    return _rows(counts, moment[row % moment.size], row // moment.size, t.size)


def _something_to_compare(dead: npt.NDArray[np.bool_], one: npt.NDArray[np.bool_]) -> None:
    if not dead.size:
        raise NotEstimable("no patients")
    for label, absent in ((1, not one.any()), (0, bool(one.all()))):
        if absent:
            raise NotEstimable(f"no patients in group {label}")
    if not dead.any():
        raise NotEstimable("no events")


def _count(cell: Ints, cells: int) -> tuple[Ints, Ints]:
    """Patients by (stratum, time) row and by the four cells of group and event."""
    if cells <= 16 * cell.size + 4096:
        return np.bincount(cell, minlength=cells).reshape(-1, 4), np.arange(cells // 4)
    row, where = np.unique(cell >> 2, return_inverse=True)  # many strata: most rows would be empty
    return np.bincount(4 * where + (cell & 3), minlength=4 * row.size).reshape(-1, 4), row


def _rows(counts: Ints, moment: Floats, stratum: Ints, subjects: int) -> RiskTable:
    # whole numbers throughout, so running totals across strata may be subtracted without loss
    both = counts.sum(axis=1)
    ones = counts[:, 2] + counts[:, 3]
    last = np.flatnonzero(np.diff(stratum, append=-1))
    per_stratum = np.diff(last, prepend=-1)
    n = _to_come(both, last, per_stratum)
    n1 = _to_come(ones, last, per_stratum)
    d = counts[:, 1] + counts[:, 3]
    keep = np.flatnonzero(d)
    kept = stratum[keep]
    start = np.flatnonzero(np.diff(kept, prepend=-1))
    at_risk, at_risk_1, events, events_1 = (
        np.asarray(a[keep], dtype=np.float64) for a in (n, n1, d, counts[:, 3])
    )
    return RiskTable(moment[keep], kept, at_risk, at_risk_1, events, events_1, start, subjects)


def _to_come(leaving: Ints, last: Ints, per_stratum: Ints) -> Ints:
    """At risk in each row: those of its stratum who leave in it or later."""
    running = np.cumsum(leaving)
    return np.repeat(running[last], per_stratum) - running + leaving
