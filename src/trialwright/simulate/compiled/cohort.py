"""Patients of many trials, compiled: bit by bit the cohort of ``simulate.cohort``.

Patients of one trial are drawn together, several to an instruction. Arrays are lent by a ``Room``, used
again and again: fresh memory costs more than the numbers that are written into it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.simulate import cohort as array_form
from trialwright.simulate.allocate import FIRST_BLOCK_STREAM, SIMPLE_STREAM, Chance, fixed, orders
from trialwright.simulate.arrive import entries
from trialwright.simulate.cohort import Cohort, means_of_loss
from trialwright.simulate.compiled.draws import UNIT, word_of, words
from trialwright.simulate.compiled.order import sort_rows
from trialwright.simulate.counter import key_of
from trialwright.simulate.design import ALMOST_NEVER, Design
from trialwright.stats.arrays import Bools, Floats, Ints
from trialwright.stats.compiled._bits import minus_log
from trialwright.stats.compiled._numba import inner, kernel

Bytes = npt.NDArray[np.uint8]
Halves = npt.NDArray[np.uint32]
Rows = npt.NDArray[np.int32]

_LATE = 1 / ALMOST_NEVER
_FIXED, _SIMPLE, _BLOCKS = range(3)
_METHODS = {"fixed": _FIXED, "simple": _SIMPLE, "permuted_blocks": _BLOCKS}
_FEATURES = frozenset({"rates", "futility", "bounds", "calibrate"})
"""Words of ``Design.features`` that ask nothing of the drawing, or only what is left to ``entries``."""


class Patients:
    """A design, ready to enrol, and memory for so many trials at a time."""

    def __init__(self, design: Design, trials: int) -> None:
        """``design.allocation`` must be there."""
        assert design.allocation is not None
        self.design, self.trials = design, trials
        self.known = design.features <= _FEATURES and not design.allocation.by_site
        shape = trials, design.patients
        if not self.known:
            return
        self.entry, self.leaves, self.event_at = np.empty(shape), np.empty(shape), np.empty(shape)
        self.coming = np.empty(shape, np.uint32)
        self.plan = _plan(design)
        self.stratum = np.empty(shape if len(design.strata) > 1 else (1, 0), np.uint8)
        self.one = np.empty(shape if self.plan.method != _FIXED else (1, design.patients), np.bool_)
        if self.plan.method == _FIXED:
            self.one[0] = fixed(design.allocation, design.patients)

    def enrol(self, seed: int, first: int, trials: int) -> Cohort:
        """``cohort.enrol``; the arrays are good until the next call."""
        replicate = np.arange(first, first + trials)
        if not self.known:
            return array_form.enrol(self.design, seed, replicate)
        low, high = key_of(seed)
        here, plan = slice(trials), self.plan
        leaves, event_at = self.leaves[here], self.event_at[here]
        one = self.one if len(self.one) == 1 else self.one[here]
        stratum = self.stratum if self.stratum.size == 0 else self.stratum[here]
        _draw(
            np.uint64(first),
            np.uint64(low | high << 32),
            (plan.method, plan.share, plan.listed),
            (plan.edges, plan.stratum_of),
            (plan.size, plan.many, plan.begin),
            plan.slots,
            (plan.limit, plan.months, plan.losing),
            one,
            stratum,
            self.coming[here],
            leaves,
            event_at,
        )
        entry = self._entries(Chance(seed, replicate), self.coming[here])
        _calendar(entry, event_at)
        return Cohort(entry, leaves, event_at, one, stratum if stratum.size else None)

    def _entries(self, chance: Chance, coming: Halves) -> Floats:
        accrual, entry = self.design.accrual, self.entry[: len(coming)]
        if accrual.model == "uniform" and not accrual.rate:
            sort_rows(coming)  # as words of 32 bits, half the work
            _spread(coming, accrual.months, entry)
        else:
            entry[:], _ = entries(accrual, (coming.astype(np.float64) + 0.5) * UNIT, chance)
        return entry


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What a kernel needs of a design, in arrays."""

    method: int
    share: float
    listed: bool
    """Each stratum has its own list."""
    edges: Floats
    stratum_of: Bytes
    size: Ints
    many: Ints
    begin: Ints
    slots: Bools
    limit: Floats
    """What each piece but the last can add up to: (pieces, rows)."""
    months: Floats
    """For each unit of hazard added up."""
    losing: Floats


def _plan(design: Design) -> _Plan:
    allocation, times = design.allocation, design.hazards
    assert allocation is not None
    blocks = orders(allocation) if allocation.method == "permuted_blocks" else None
    rate, none = np.ascontiguousarray(times.rate.T), np.zeros(0, np.int64)
    return _Plan(
        method=_METHODS[allocation.method],
        share=allocation.share,
        listed=allocation.stratified and len(design.strata) > 1,
        edges=np.cumsum([group.share for group in design.groups])[:-1],
        stratum_of=np.array(design.stratum_of_group, dtype=np.uint8),
        size=blocks.size if blocks else none,
        many=blocks.many if blocks else none,
        begin=blocks.begin if blocks else none,
        slots=blocks.slots if blocks else np.zeros(0, np.bool_),
        limit=rate[:-1] * np.diff(times.start)[:, None],
        months=1 / rate,
        losing=means_of_loss(design.dropout),
    )


@kernel
def _draw(
    first: np.uint64,
    key: np.uint64,
    allocation: tuple[int, float, bool],
    groups: tuple[Floats, Bytes],
    blocks: tuple[Ints, Ints, Ints],
    slots: Bools,
    times: tuple[Floats, Floats, Floats],
    one: Bools,
    stratum: Bytes,
    coming: Halves,
    leaves: Floats,
    event_at: Floats,
) -> None:
    """Words of 32 bits are kept as such: the narrower they are, the more of them are made at a time.

    Stratum, arm, and own months until event or loss; ``event_at`` gets own months until the event."""
    patients = coming.shape[1]
    word, total, row = np.empty((3, patients), np.uint32), np.empty(patients), np.empty(patients, np.int32)
    left = np.empty((groups[1].size, 3), np.int64)
    room = (word[0], word[1], word[2]), total, row, left
    _draw_each(
        first, key, allocation, groups, blocks, slots, times, one, stratum, coming, leaves, event_at, room
    )


@inner
def _draw_each(
    first: np.uint64,
    key: np.uint64,
    allocation: tuple[int, float, bool],
    groups: tuple[Floats, Bytes],
    blocks: tuple[Ints, Ints, Ints],
    slots: Bools,
    times: tuple[Floats, Floats, Floats],
    one: Bools,
    stratum: Bytes,
    coming: Halves,
    leaves: Floats,
    event_at: Floats,
    room: tuple[tuple[Halves, Halves, Halves], Floats, Rows, Ints],
) -> None:
    word, total, row, left = room
    life, loss, kind = word
    for trial in range(len(coming)):
        replicate, arm = first + np.uint64(trial), one[min(trial, len(one) - 1)]
        words(replicate, key, life, coming[trial], loss, kind)
        if groups[1].size > 1:
            _strata(kind, groups, row, stratum[min(trial, len(stratum) - 1)])
        if allocation[0] != _FIXED:
            level = stratum[min(trial, len(stratum) - 1)]
            _allocate(replicate, key, allocation, blocks, slots, level, left, arm)
        _wait(life, arm, groups[1].size == 1, times[0], times[1], total, row, leaves[trial])
        if times[2].size:
            _lose(loss, arm, times[2][0], times[2][1], leaves[trial], event_at[trial])
        else:
            _copy(leaves[trial], event_at[trial])


@inner
def _strata(word: Halves, groups: tuple[Floats, Bytes], row: Rows, stratum: Bytes) -> None:
    """``row`` gets the group."""
    _group(word, groups[0], row)
    for i in range(stratum.size):
        stratum[i] = groups[1][row[i]]


@inner
def _allocate(
    replicate: np.uint64,
    key: np.uint64,
    allocation: tuple[int, float, bool],
    blocks: tuple[Ints, Ints, Ints],
    slots: Bools,
    stratum: Bytes,
    left: Ints,
    arm: Bools,
) -> None:
    method, share, listed = allocation
    if method == _SIMPLE:
        _simple(replicate, key, share, arm)
        return
    for k in range(len(left)):
        left[k, 0] = left[k, 1] = left[k, 2] = 0
    for i in range(arm.size):
        arm[i] = _slot(replicate, key, blocks, slots, int(stratum[i]) if listed else 0, left)


@inner
def _wait(
    word: Halves,
    arm: Bools,
    single: bool,
    limit: Floats,
    months: Floats,
    total: Floats,
    row: Rows,
    leaves: Floats,
) -> None:
    """Own months until the event; ``row`` holds the group where there are several."""
    _live(word, total, leaves)
    if single:
        for piece in range(len(limit)):
            _piece_of_two(total, arm, limit[piece], months[piece], leaves)
        _rest_of_two(total, arm, months[-1], leaves)
        return
    for i in range(arm.size):
        row[i] = 2 * row[i] + arm[i]
    for piece in range(len(limit)):
        _piece(total, row, limit[piece], months[piece], leaves)
    _rest(total, row, months[-1], leaves)


@inner
def _live(word: Halves, total: Floats, found: Floats) -> None:
    for i in range(word.size):
        total[i] = minus_log((word[i] + 0.5) * UNIT)
        found[i] = 0


@inner
def _copy(source: Floats, target: Floats) -> None:
    for i in range(source.size):
        target[i] = source[i]


@inner
def _group(word: Halves, edges: Floats, group: Rows) -> None:
    for i in range(group.size):
        group[i] = 0
    for k in range(edges.size):
        edge = edges[k]
        for i in range(group.size):
            group[i] += (word[i] + 0.5) * UNIT > edge


@inner
def _simple(replicate: np.uint64, key: np.uint64, share: float, arm: Bools) -> None:
    for i in range(arm.size):
        word, _, _, _ = word_of(np.uint64(i), np.uint64(SIMPLE_STREAM), replicate, key)
        arm[i] = (word + 0.5) * UNIT < share


@inner
def _slot(
    replicate: np.uint64,
    key: np.uint64,
    blocks: tuple[Ints, Ints, Ints],
    slots: Bools,
    listed: int,
    left: Ints,
) -> bool:
    """``left`` holds of each list the next slot, the end of its block, and how many blocks there were."""
    size, many, begin = blocks
    mine = left[listed]
    if mine[0] == mine[1]:
        stream = np.uint64(FIRST_BLOCK_STREAM + listed)
        which, arranged, _, _ = word_of(np.uint64(mine[2]), stream, replicate, key)
        kind = int((which + 0.5) * UNIT * size.size)
        order = int((arranged + 0.5) * UNIT * many[kind])
        mine[0] = begin[kind] + order * size[kind]
        mine[1] = mine[0] + size[kind]
        mine[2] += 1
    mine[0] += 1
    return bool(slots[mine[0] - 1])


@inner
def _piece(total: Floats, row: Rows, limit: Floats, months: Floats, found: Floats) -> None:
    """``cohort._waiting``: what of the hazard's sum lies in this piece, as months, and what is left."""
    for i in range(total.size):
        inside = min(total[i], limit[row[i]])
        found[i] += inside * months[row[i]]
        total[i] -= inside


@inner
def _rest(total: Floats, row: Rows, months: Floats, found: Floats) -> None:
    for i in range(total.size):
        found[i] += total[i] * months[row[i]]


@inner
def _piece_of_two(total: Floats, arm: Bools, limit: Floats, months: Floats, found: Floats) -> None:
    """The same of two rows: a choice is faster than a table."""
    l0, l1, m0, m1 = limit[0], limit[1], months[0], months[1]
    for i in range(total.size):
        inside = min(total[i], l1 if arm[i] else l0)
        found[i] += inside * (m1 if arm[i] else m0)
        total[i] -= inside


@inner
def _rest_of_two(total: Floats, arm: Bools, months: Floats, found: Floats) -> None:
    m0, m1 = months[0], months[1]
    for i in range(total.size):
        found[i] += total[i] * (m1 if arm[i] else m0)


@inner
def _lose(word: Halves, arm: Bools, mean0: float, mean1: float, leaves: Floats, event: Floats) -> None:
    for i in range(arm.size):
        lost = minus_log((word[i] + 0.5) * UNIT) * (mean1 if arm[i] else mean0)
        event[i] = _LATE if leaves[i] > lost else leaves[i]
        leaves[i] = min(leaves[i], lost)


@kernel
def _spread(coming: Halves, months: float, entry: Floats) -> None:
    _spread_each(coming, months, entry)


@inner
def _spread_each(coming: Halves, months: float, entry: Floats) -> None:
    for trial in range(len(coming)):
        _spread_one(coming[trial], months, entry[trial])


@inner
def _spread_one(coming: Halves, months: float, entry: Floats) -> None:
    for i in range(coming.size):
        entry[i] = (coming[i] + 0.5) * UNIT * months


@kernel
def _calendar(entry: Floats, event_at: Floats) -> None:
    """Own months to calendar months; what is late stays where it is, for a month is nothing to it."""
    _calendar_each(entry, event_at)


@inner
def _calendar_each(entry: Floats, event_at: Floats) -> None:
    for trial in range(len(entry)):
        _add(entry[trial], event_at[trial])


@inner
def _add(entry: Floats, event_at: Floats) -> None:
    for i in range(entry.size):
        event_at[i] += entry[i]
