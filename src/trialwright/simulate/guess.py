"""How well the next arm can be guessed by who sees the arms given before, and knows the scheme.

Convergence strategy: the arm that is behind its share of those before, else the one with the larger share
(Blackwell and Hodges, Ann Math Stat 1957;28:449). At best: the arm that is more probable given those before.
Between equals half a guess is right. Known for certain: only one arm can come.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.simulate.allocate import Bools
from trialwright.simulate.design import Allocation

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_EQUAL = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Guessed:
    """Shares of each trial's patients: (trials,)."""

    convergence: Floats
    best: Floats
    certain: Floats


def within_lists(allocation: Allocation, experimental: Bools, lists: Ints) -> Guessed:
    """By who sees all arms given from the same list; both arrays are (trials, patients)."""
    seen = _Weights(allocation, len(lists), int(lists.max(initial=0)) + 1)
    best, certain = np.zeros(len(lists)), np.zeros(len(lists))
    for one, place in zip(experimental.T, lists.T, strict=True):
        chance = seen.chance(place)
        certain += (chance == 0) | (chance == 1)
        likely = chance > 0.5
        best += np.where(np.abs(chance - 0.5) < _EQUAL, 0.5, likely == one)
        seen.learn(place, one)
    patients = max(experimental.shape[1], 1)
    return Guessed(convergence(allocation, experimental, lists), best / patients, certain / patients)


def convergence(allocation: Allocation, experimental: Bools, seen: Ints) -> Floats:
    """The share right by the convergence strategy of who sees the arms given where ``seen`` is the same."""
    ratio = allocation.control, allocation.experimental
    larger = np.sign(ratio[1] - ratio[0])
    trials = np.arange(len(seen))
    ahead = np.zeros((len(seen), int(seen.max(initial=0)) + 1), dtype=np.int64)
    right = np.zeros(len(seen))
    for one, place in zip(experimental.T, seen.T, strict=True):
        now = ahead[trials, place]
        guess = np.where(now == 0, larger, -np.sign(now))
        right += np.where(guess == 0, 0.5, (guess > 0) == one)
        ahead[trials, place] = now + np.where(one, ratio[0], -ratio[1])
    return np.asarray(right / max(experimental.shape[1], 1))


class _Weights:
    """How probable each place in a block is, given the arms so far: (trials, lists) for each place.

    Sums run over places one by one, so that no trial depends on the trials beside it.
    """

    def __init__(self, allocation: Allocation, trials: int, lists: int) -> None:
        blocks = _blocks(allocation)
        self._left = [
            (block, (zero, one))
            for block, (zeros, ones) in enumerate(blocks)
            for zero in range(zeros + 1)
            for one in range(ones + 1)
            if zero + one
        ]
        self._index = {place: i for i, place in enumerate(self._left)}
        self._new = [self._index[block, counts] for block, counts in enumerate(blocks)]
        self._share = allocation.share
        self._trial = np.arange(trials)
        self._weight = np.zeros((len(self._left), trials, lists))
        self._weight[self._new] = 1 / max(len(blocks), 1)

    def chance(self, place: Ints) -> Floats:
        """Of the experimental arm, next in that list of each trial."""
        if not self._left:
            return np.full(len(self._trial), self._share)
        now = self._weight[:, self._trial, place]
        zero, one = np.zeros(len(self._trial)), np.zeros(len(self._trial))
        for weight, (_, (zeros, ones)) in zip(now, self._left, strict=True):
            zero += weight * (zeros / (zeros + ones))
            one += weight * (ones / (zeros + ones))
        return np.where(zero == 0, 1.0, np.where(one == 0, 0.0, one / (zero + one)))

    def learn(self, place: Ints, one: Bools) -> None:
        if not self._left:
            return
        now = self._weight[:, self._trial, place]
        after, ended, whole = np.zeros_like(now), np.zeros(len(self._trial)), np.zeros(len(self._trial))
        for weight, (block, (zeros, ones)) in zip(now, self._left, strict=True):
            likely = weight * np.where(one, ones, zeros) / (zeros + ones)
            whole += likely
            for arm, left in ((False, (zeros - 1, ones)), (True, (zeros, ones - 1))):
                if min(left) >= 0:
                    here = np.where(one == arm, likely, 0)
                    if sum(left):
                        after[self._index[block, left]] += here
                    else:
                        ended += here
        after[self._new] += ended / len(self._new)
        self._weight[:, self._trial, place] = after / whole


def _blocks(allocation: Allocation) -> list[tuple[int, int]]:
    """Slots of each arm in a block of each size; none where there are no blocks."""
    if allocation.method != "permuted_blocks":
        return []
    units = [size // (allocation.control + allocation.experimental) for size in allocation.block_sizes]
    return [(unit * allocation.control, unit * allocation.experimental) for unit in units]
