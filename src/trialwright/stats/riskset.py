"""Two groups at every event time: who was at risk, who had the event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, Ints, codes, times, zero_one
from trialwright.stats.errors import NotEstimable
from trialwright.stats.ties import in_order, new_time, whole_days

# two counts in one number, so that one running sum does: deaths, and above them those in group 1
_DEATHS = np.array([0, 1, 0, 1 + (1 << 32)])
_LOW = (1 << 32) - 1


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
    bits = 4 * stratum + 2 * one + dead
    whole = whole_days(t)
    if whole is not None and n_strata * int(whole.max() + 1) <= 4 * t.size + 4096:
        return _counted(whole, bits, n_strata)
    return _sorted(t, bits, n_strata, timefix)


def _something_to_compare(dead: npt.NDArray[np.bool_], one: npt.NDArray[np.bool_]) -> None:
    if not dead.size:
        raise NotEstimable("no patients")
    for label, absent in ((1, not one.any()), (0, bool(one.all()))):
        if absent:
            raise NotEstimable(f"no patients in group {label}")
    if not dead.any():
        raise NotEstimable("no events")


def _counted(day: Ints, bits: Ints, n_strata: int) -> RiskTable:
    """Whole days: one bin for each stratum, day, group and event."""
    days = int(day.max()) + 1
    place = (bits >> 2) * days + day
    bins = np.bincount(4 * place + (bits & 3), minlength=4 * days * n_strata)
    counts = bins.reshape(n_strata, days, 4)
    both = counts.sum(axis=2)
    ones = counts[:, :, 2] + counts[:, :, 3]
    n, n1 = (np.cumsum(a[:, ::-1], axis=1)[:, ::-1] for a in (both, ones))
    d = counts[:, :, 1] + counts[:, :, 3]
    stratum, at = np.nonzero(d)
    found = (a[stratum, at] for a in (n, n1, d, counts[:, :, 3]))
    return _table(at.astype(np.float64), stratum, tuple(found), day.size)


def _sorted(time: Floats, bits: Ints, n_strata: int, timefix: bool) -> RiskTable:
    """Any times: running sums along the sorted patients."""
    ordered, bits = in_order(time, bits, (4 * n_strata - 1).bit_length(), timefix=timefix)
    first, by, end = new_time(ordered, timefix), None, np.full(1, time.size)
    if n_strata > 1:
        stratum = bits >> 2
        by = np.argsort(stratum.astype(np.uint16) if n_strata < 2**16 else stratum, kind="stable")
        index = np.cumsum(first).take(by)
        bits = bits.take(by)
        end = np.cumsum(np.bincount(stratum))
        first[1:] = index[1:] != index[:-1]
        first[end[:-1]] = True
    start = np.flatnonzero(first)
    deaths = np.cumsum(_DEATHS.take(bits & 3)).take(np.append(start[1:], time.size) - 1)
    deaths[1:] -= deaths[:-1].copy()
    keep = np.flatnonzero(deaths)
    start, deaths = start.take(keep), deaths.take(keep)
    ones = np.zeros(time.size + 1, dtype=np.int64)  # before each row
    np.cumsum((bits >> 1) & 1, out=ones[1:])
    stratum = bits.take(start) >> 2
    last = end.take(stratum)
    found = last - start, ones.take(last) - ones.take(start), deaths & _LOW, deaths >> 32
    return _table(ordered.take(start if by is None else by.take(start)), stratum, found, time.size)


def _table(time: Floats, stratum: Ints, counts: tuple[Ints, ...], subjects: int) -> RiskTable:
    n, n1, d, d1 = (count.astype(np.float64) for count in counts)
    start = np.flatnonzero(np.diff(stratum, prepend=-1))
    return RiskTable(time, stratum, n, n1, d, d1, start, subjects)
