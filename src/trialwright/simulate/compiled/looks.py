"""The looks at many trials, compiled: bit by bit the ``Seen`` of ``simulate.looks``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from trialwright.simulate.cohort import NEVER, Clock, Cohort
from trialwright.simulate.compiled.order import nth, sort_rows, up_to
from trialwright.simulate.design import Design, Test
from trialwright.simulate.design_pieces import Section
from trialwright.simulate.looks import Seen
from trialwright.stats import batch
from trialwright.stats.arrays import Bools, Floats, Ints
from trialwright.stats.compiled._bits import bits_of
from trialwright.stats.compiled._numba import inner, kernel
from trialwright.stats.compiled._select import LANES, Keys
from trialwright.stats.compiled.trials import MOST_STRATA, NEAR, judge, judge_keys

Bytes = npt.NDArray[np.uint8]

_KINDS = {"logrank", "fleming-harrington", "maxcombo"}
_PLAIN = {0.0, 1.0}
_FEATURES = frozenset({"weibull", "cure", "states", "rates", "sites", "futility", "bounds", "calibrate"})
"""Words of ``Design.features`` that ask nothing of a look."""


_FIELDS = {
    "Design": "accrual allocation control dropout experimental groups hazard_ratio level looks patients "
    "predictability scans source tests title",
    "Look": "events futility month source whichever",
    "Level": "alpha bounds calibrate gamma planned source spending",
    "Test": "endpoint gamma id kind months rho source stratified",
    "Accrual": "model months rate sites source spread",
    "Dropout": "per_year per_year_experimental source",
    "Allocation": "block_sizes by_site control experimental method source stratified",
    "Group": "control experimental hazard_ratio id levels share source times",
    "Times": "cured hazard median shape source states",
}
"""What this was written for. A field that is not here is one the arrays alone know, unless it is left out."""


def unknown(design: Design) -> list[str]:
    """Fields that say something and are not in the list."""
    allocation = () if design.allocation is None else (design.allocation,)
    sections: tuple[Section, ...] = (
        design,
        design.level,
        design.accrual,
        design.dropout,
        *allocation,
        *design.looks,
        *design.tests,
        *design.groups,
        *(row.times for row in design.rows),
    )
    return [f"{type(some).__name__}.{name}" for some in sections for name in _more(some)]


def _more(section: Section) -> Iterator[str]:
    known = _FIELDS[type(section).__name__].split()
    for name, field in type(section).model_fields.items():
        if name not in known and getattr(section, name) != field.get_default(call_default_factory=True):
            yield name


def knows(design: Design) -> bool:
    """Tests of one endpoint, with weights that are products of S and 1 - S; strata that are not too many."""
    return (
        not unknown(design)
        and design.features <= _FEATURES
        and len(design.strata) <= MOST_STRATA
        and len({test.endpoint for test in design.tests}) == 1
        and all(test.kind in _KINDS and {test.rho, test.gamma} <= _PLAIN for test in design.tests)
    )


class Sight:
    """What is seen of so many trials, written block by block."""

    def __init__(self, design: Design, trials: int, block: int) -> None:
        """``block``: of which so many are looked at at a time."""
        looks = len(design.looks)
        self.design = design
        self.events_of = np.array([look.events or 0 for look in design.looks], dtype=np.int64)
        self.month_of = np.array([look.month or np.inf for look in design.looks])
        self.last = np.array([look.whichever == "last" for look in design.looks])
        self.month, self.reached = np.empty((looks, trials)), np.empty((looks, trials), np.bool_)
        self.enrolled = np.empty((looks, trials), np.int64)
        self.events = np.empty((looks, trials), np.int64)
        self.tables = [
            _Table(design, stratified, looks, trials, block)
            for stratified in sorted({test.stratified for test in design.tests})
        ]

    def look(self, cohort: Cohort, first: int) -> None:
        """All looks at the trials of ``cohort``, which begin at ``first``."""
        clock, here = cohort.clock(self.design.tests[0].endpoint), slice(first, first + len(cohort.entry))
        cohort = replace(cohort, entry=np.ascontiguousarray(cohort.entry))
        entry = cohort.entry
        rules = (self.events_of, self.month_of, self.last)
        _cut(clock.event_at, entry, clock.leaves, rules, self.month[:, here], self.reached[:, here])
        for k in range(len(self.events_of)):
            month = self.month[k, here]
            _count(month, entry, clock.event_at, self.enrolled[k, here], self.events[k, here])
            for table in self.tables:
                table.judge(k, here, month, self.enrolled[k, here], clock, cohort)

    def seen(self, trials: int) -> tuple[Seen, ...]:
        """Of the first ``trials``."""
        return tuple(self._seen(k, slice(trials)) for k in range(len(self.events_of)))

    def _seen(self, k: int, here: slice) -> Seen:
        z: list[Floats] = [np.empty(0)] * len(self.design.tests)
        combined: list[batch.BatchCombo | None] = [None] * len(z)
        for table in self.tables:
            for i, column in zip(table.plain, table.z[k, here].T, strict=True):
                z[i] = column
            for i in table.combo:
                both = batch.combo_of(table.sums[k, here, :, 0], table.sums[k, here, :, 1:])
                z[i], combined[i] = -both.z.min(axis=1), both
            if table.cox.size:
                log_hr, std_error = table.cox[k, here].T
        return Seen(
            self.month[k, here],
            self.reached[k, here],
            self.enrolled[k, here],
            self.events[k, here],
            tuple(z),
            tuple(combined),
            log_hr,
            std_error,
        )


class _Table:
    """The tests that share strata, or have none."""

    def __init__(self, design: Design, stratified: bool, looks: int, trials: int, block: int) -> None:
        tests = [(i, test) for i, test in enumerate(design.tests) if test.stratified == stratified]
        self.plain = [i for i, test in tests if test.kind != "maxcombo"]
        self.combo = [i for i, test in tests if test.kind == "maxcombo"]
        self.weights = np.array([_weights(design.tests[i]) for i in self.plain]).reshape(-1, 2)
        self.strata = len(design.strata) if stratified else 1
        self.width = 2 + (self.strata - 1).bit_length()
        room = np.empty(block * design.patients + LANES, np.uint32)
        self.keys = room[: block * design.patients].reshape(block, design.patients)
        self.z = np.empty((looks, trials, len(self.plain)))
        self.sums = np.empty((looks, trials if self.combo else 0, 4, 5))
        first = design.tests[0].stratified == stratified
        self.cox = np.empty((looks, trials if first else 0, 2))

    def judge(self, k: int, here: slice, month: Floats, enrolled: Ints, clock: Clock, cohort: Cohort) -> None:
        """Look ``k`` at the trials ``here``."""
        trials, patients = cohort.entry.shape
        stratum = cohort.stratum if self.strata > 1 and cohort.stratum is not None else _NONE
        lives = month, cohort.entry, clock.leaves, clock.event_at, cohort.experimental, stratum
        found = self.z[k, here], self.sums[k, here], self.cox[k, here]
        if patients > _MOST_KEYS:
            self._by_times(lives, found)
            return
        keys, near, left = self.keys[:trials], np.empty(trials, np.int64), np.empty(trials, np.bool_)
        _key(*lives, self.width, keys, near)
        sort_rows(keys)
        judge_keys(keys, enrolled, near, self.strata, self.weights, *found, left)
        rows = np.flatnonzero(left)
        if rows.size:
            some: Any = tuple(each[rows] if len(each) > 1 else each for each in lives)
            mended: Any = tuple(np.empty((rows.size if each.size else 0, *each.shape[1:])) for each in found)
            self._by_times(some, mended)
            for each, right in zip(found, mended, strict=True):
                if each.size:
                    each[rows] = right

    def _by_times(self, lives: Lives, found: tuple[Floats, Floats, Floats]) -> None:
        ordered = np.empty(lives[1].shape)
        _pack(*lives, self.width, ordered.view(np.int64))
        ordered.sort(axis=1)
        judge(ordered, ordered.view(np.int64), self.strata, self.weights, *found)


_MOST_KEYS = 1500
"""Patients beyond which near-ties are so many that whole numbers of 32 bits rarely tell."""

Lives = tuple[Floats, Floats, Floats, Floats, Bools, Bytes]
"""Month of the look, entry, own months, month of the event, arm (or one row for all), stratum (or empty)."""

_NONE = np.empty((0, 0), np.uint8)


def _weights(test: Test) -> tuple[float, float]:
    return (test.rho, test.gamma) if test.kind == "fleming-harrington" else (0.0, 0.0)


@kernel
def _cut(
    event_at: Floats,
    entry: Floats,
    leaves: Floats,
    rules: tuple[Ints, Floats, Bools],
    month: Floats,
    reached: Bools,
) -> None:
    """``looks._cuts``: when each look is, and whether its events were reached."""
    guess = np.zeros((rules[0].size, 2))
    _cut_each(event_at, event_at.view(np.int64), entry, leaves, rules, month, reached, guess)


@inner
def _cut_each(
    event_at: Floats,
    bits: Ints,
    entry: Floats,
    leaves: Floats,
    rules: tuple[Ints, Floats, Bools],
    month: Floats,
    reached: Bools,
    guess: Floats,
) -> None:
    events, month_of, last = rules
    for trial in range(len(event_at)):
        earlier = 0.0
        for k in range(events.size):
            at, late = month_of[k], False
            if events[k]:
                at = nth(event_at[trial], bits[trial], events[k], NEVER, guess[k])
                late = at >= NEVER
                if late:
                    at = _end(entry[trial], leaves[trial])
                if last[k] and month_of[k] < np.inf:
                    at = max(at, month_of[k])
                else:
                    late |= at > month_of[k]
                    at = min(at, month_of[k])
            earlier = max(at, earlier)
            month[k, trial], reached[k, trial] = earlier, not late


@inner
def _end(entry: Floats, leaves: Floats) -> float:
    """When nobody who can leave is left."""
    end = 0.0
    for i in range(entry.size):
        end = max(end, entry[i] + (leaves[i] if leaves[i] < NEVER else 0.0))
    return end


@kernel
def _count(month: Floats, entry: Floats, event_at: Floats, enrolled: Ints, events: Ints) -> None:
    _count_each(month, entry, event_at, enrolled, events)


@inner
def _count_each(month: Floats, entry: Floats, event_at: Floats, enrolled: Ints, events: Ints) -> None:
    for trial in range(month.size):
        enrolled[trial] = up_to(month[trial], entry[trial])
        events[trial] = up_to(month[trial], event_at[trial])


@kernel
def _pack(
    month: Floats,
    entry: Floats,
    leaves: Floats,
    event_at: Floats,
    one: Bools,
    stratum: Bytes,
    width: int,
    packed: Ints,
) -> None:
    """Times until event, loss or cut, with event, group and stratum in their last bits."""
    low = (1 << width) - 1
    for trial in range(month.size):
        arm = one[min(trial, len(one) - 1)]
        _pack_one(month[trial], entry[trial], leaves[trial], event_at[trial], arm, low, packed[trial])
        if stratum.size:
            _add_strata(stratum[trial], packed[trial])


@inner
def _pack_one(
    cut: float, entry: Floats, leaves: Floats, event_at: Floats, arm: Bools, low: int, packed: Ints
) -> None:
    """The event on the calendar, so that the one that triggers the cut counts. + 0.0: no minus zero."""
    for i in range(entry.size):
        time = min(cut - entry[i], leaves[i]) + 0.0
        packed[i] = (bits_of(time) & ~low) | (event_at[i] <= cut) | arm[i] << 1


@inner
def _add_strata(stratum: Bytes, packed: Ints) -> None:
    for i in range(packed.size):
        packed[i] |= np.int64(stratum[i]) << 2


@kernel
def _key(
    month: Floats,
    entry: Floats,
    leaves: Floats,
    event_at: Floats,
    one: Bools,
    stratum: Bytes,
    width: int,
    keys: Keys,
    near: Ints,
) -> None:
    """The same in whole steps from 0 to the cut, as many as 32 bits hold beside the marks.

    Entries are not negative, so no time is beyond the cut. A step more on either side, and times that
    are the same to ``stats.ties`` are at most ``near`` steps apart.
    """
    _key_each(month, entry, leaves, event_at, one, stratum, width, keys, near)


@inner
def _key_each(
    month: Floats,
    entry: Floats,
    leaves: Floats,
    event_at: Floats,
    one: Bools,
    stratum: Bytes,
    width: int,
    keys: Keys,
    near: Ints,
) -> None:
    steps = (1 << (32 - width)) - 2
    for trial in range(month.size):
        scale = steps / month[trial]
        arm = one[min(trial, len(one) - 1)]
        total, enrolled = _key_one(
            month[trial], scale, width, entry[trial], leaves[trial], event_at[trial], arm, keys[trial]
        )
        mean = (total + enrolled) / (scale * max(enrolled, 1))
        near[trial] = int(NEAR * max(mean, 1.0) * scale) + 2
        if stratum.size:
            _add_strata_to_keys(stratum[trial], keys[trial])


@inner
def _key_one(
    cut: float,
    scale: float,
    width: int,
    entry: Floats,
    leaves: Floats,
    event_at: Floats,
    arm: Bools,
    keys: Keys,
) -> tuple[int, int]:
    """The sum of the steps, and of how many patients it is."""
    total, enrolled = 0, 0
    for i in range(entry.size):
        time = cut - entry[i]
        here = time >= 0
        step = int(min(time, leaves[i]) * scale)
        total += step if here else 0
        enrolled += here
        keys[i] = ((step << width) | (event_at[i] <= cut) | arm[i] << 1) if here else 0xFFFFFFFF
    return total, enrolled


@inner
def _add_strata_to_keys(stratum: Bytes, keys: Keys) -> None:
    for i in range(keys.size):
        keys[i] |= np.uint32(stratum[i]) << np.uint32(2)
