"""Who gets which arm in many trials at once: the law of ``conduct.randomise``, not its secret lists.

Blocks of permuted slots per stratum, each arrangement of a block as likely as any other, block sizes drawn
alike; filled in the order in which patients come.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from trialwright.simulate import counter
from trialwright.simulate.design import Allocation

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

SIMPLE_STREAM = 1
FIRST_BLOCK_STREAM = 16  # and one for each stratum


def arms(
    allocation: Allocation, strata: npt.NDArray[np.integer] | None, shape: tuple[int, int], chance: Chance
) -> Bools:
    """True for the experimental arm, patients in the order they come: (trials, patients), or one row for all.

    ``strata`` is None or of that shape.
    """
    if allocation.method == "fixed":
        return fixed(allocation, shape[1])[None]
    if allocation.method == "simple":
        (u,) = chance.quad(SIMPLE_STREAM, shape[1], 1)
        return np.asarray(u < allocation.share)
    if strata is None:
        return _slots(allocation, 0, shape[1], chance)
    found = np.empty(shape, dtype=bool).ravel()
    level = strata.ravel()
    for stratum in range(int(level.max(initial=0)) + 1):
        here = np.flatnonzero(level == stratum)
        begin = np.searchsorted(here, np.arange(shape[0] + 1) * shape[1])
        many = np.diff(begin)
        slots = _slots(allocation, stratum, int(many.max(initial=0)), chance)
        filled = np.arange(slots.shape[1]) < many[:, None]
        found[here] = slots[filled]
    return found.reshape(shape)


def fixed(allocation: Allocation, patients: int) -> Bools:
    """The same pattern again and again, arms as evenly spread as the ratio lets them."""
    ones = np.floor(np.arange(patients + 1) * allocation.share + 1e-9)
    return np.asarray(np.diff(ones) > 0)


class Chance:
    """Random numbers of a run of replicates."""

    def __init__(self, seed: int, replicate: npt.NDArray[np.integer]) -> None:
        self.seed, self.replicate = seed, replicate

    def quad(self, stream: int, subjects: int, numbers: int = 4) -> npt.NDArray[np.float64]:
        """The first of four, as ``counter.quad``."""
        return counter.quad(self.seed, stream, self.replicate, subjects, numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """All orders of a block of each size, slot after slot: ``slots`` from ``begin`` of the size on."""

    size: Ints
    many: Ints
    begin: Ints
    slots: Bools


def orders(allocation: Allocation) -> Orders:
    ratio = (allocation.control, allocation.experimental)
    tables = [_arrangements(ratio, size) for size in allocation.block_sizes]
    return Orders(
        size=np.array(allocation.block_sizes, dtype=np.int64),
        many=np.array([len(table) for table in tables], dtype=np.int64),
        begin=np.cumsum([0, *(table.size for table in tables[:-1])]),
        slots=np.concatenate([table.ravel() for table in tables]),
    )


def _slots(allocation: Allocation, stratum: int, many: int, chance: Chance) -> Bools:
    """The first ``many`` slots of a stratum's list in each trial."""
    known = orders(allocation)
    blocks = -(-many // int(known.size.min()))
    which, arranged = chance.quad(FIRST_BLOCK_STREAM + stratum, blocks, 2)
    kind = (which * known.size.size).astype(np.int64)
    size = known.size[kind]
    ticket = known.begin[kind] + (arranged * known.many[kind]).astype(np.int64) * size
    if known.size.size == 1:
        each = ticket[:, :, None] + np.arange(size.max(initial=1))
        return np.asarray(known.slots[each].reshape(len(size), -1)[:, :many])
    return np.asarray(known.slots[_walk(ticket, size, many)])


def _walk(ticket: Ints, size: Ints, many: int) -> Ints:
    """From the first ticket and the size of each block to the ticket of each slot."""
    start = np.cumsum(size, axis=1) - size
    first = np.zeros((len(size), many), dtype=np.int64)
    trial, block = np.nonzero(start < many)
    first[trial, start[trial, block]] = 1
    block_of = np.cumsum(first, axis=1) - 1
    return np.take_along_axis(ticket - start, block_of, axis=1) + np.arange(many)


@lru_cache(maxsize=32)
def _arrangements(ratio: tuple[int, int], size: int) -> Bools:
    """All orders of a block, one a row."""
    ones = ratio[1] * size // sum(ratio)
    rows = list(combinations(range(size), ones))
    table = np.zeros((len(rows), size), dtype=bool)
    for row, places in zip(table, rows, strict=True):
        row[list(places)] = True
    return table
