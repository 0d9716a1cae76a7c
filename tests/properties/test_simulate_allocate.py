"""The allocation of simulated trials has the law of the real one."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from trialwright.conduct import randomise
from trialwright.simulate.allocate import Chance, arms, fixed
from trialwright.simulate.design import Allocation
from trialwright.study import model

BLOCKS = Allocation(method="permuted_blocks", control=1, experimental=2, block_sizes=(3, 6), stratified=True)


def slots(allocation, trials, patients, strata=None, seed=1, first=0):
    return arms(allocation, strata, (trials, patients), Chance(seed, np.arange(first, first + trials)))


def test_the_law_of_conduct_randomise():
    """The first seven slots of 8,000 lists of each kind: every pattern as often, within 4 standard errors."""
    real = model.Allocation(
        method="permuted_blocks", ratio={"A": 1, "B": 2}, block_sizes=(3, 6), strata=("S",)
    )
    lists = [islice(randomise.sequence(real, str(key).encode(), ("x",)), 7) for key in range(8000)]
    promised = Counter(tuple(arm == "B" for arm in arms_) for arms_ in lists)
    ours = Counter(map(tuple, slots(BLOCKS, 8000, 7).tolist()))
    assert set(ours) == set(promised)
    for pattern in ours:
        both = ours[pattern] + promised[pattern]
        assert abs(ours[pattern] - promised[pattern]) < 4.5 * np.sqrt(both), pattern


@pytest.mark.parametrize("sizes", [(3,), (3, 6), (6, 12, 3)])
def test_the_ratio_at_every_position(sizes):
    """R8: unconditionally two thirds at each slot, 40,000 lists, within 4.5 standard errors."""
    allocation = Allocation(method="permuted_blocks", control=1, experimental=2, block_sizes=sizes)
    share = slots(allocation, 40_000, 20).mean(axis=0)
    assert np.abs(share - 2 / 3).max() < 4.5 * np.sqrt(2 / 9 / 40_000)


def test_blocks_are_full_in_every_stratum():
    """No prefix of any stratum strays farther from 2:1 than a block allows."""
    strata = np.random.default_rng(2).integers(0, 4, (300, 129))
    one = slots(BLOCKS, 300, 129, strata)
    for stratum in range(4):
        for trial in range(300):
            arm = one[trial][strata[trial] == stratum]
            off = np.cumsum(np.where(arm, 1, -2))
            assert -4 <= off.min() <= off.max() <= 4, "in a block of 6 at most 4 more of B, or 2 of A"


def test_strata_have_lists_of_their_own():
    halves = np.arange(8)[None] % 2 * np.ones((4000, 1), dtype=int)
    one = slots(BLOCKS, 4000, 8, halves).astype(float)
    assert abs(np.corrcoef(one[:, 0], one[:, 1])[0, 1]) < 4.5 / np.sqrt(4000)
    assert np.corrcoef(one[:, 0], one[:, 2])[0, 1] < -0.2, "slots of one block"


def test_any_chunk_the_same_trial():
    strata = np.random.default_rng(2).integers(0, 3, (50, 40))
    whole = slots(BLOCKS, 50, 40, strata)
    for a, b in ((0, 1), (1, 20), (20, 50)):
        np.testing.assert_array_equal(slots(BLOCKS, b - a, 40, strata[a:b], first=a), whole[a:b])
    assert (slots(BLOCKS, 50, 40, strata, seed=2) != whole).any()


def test_simple_and_fixed():
    simple = Allocation(method="simple", control=1, experimental=2)
    assert abs(slots(simple, 1000, 100).mean() - 2 / 3) < 4.5 * np.sqrt(2 / 9 / 1e5)
    two_to_one = Allocation(method="fixed", control=1, experimental=2)
    assert fixed(two_to_one, 7).tolist() == [False, True, True, False, True, True, False]
    assert fixed(two_to_one, 129).sum() == 86
