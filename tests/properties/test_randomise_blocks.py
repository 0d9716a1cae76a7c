"""Random designs, keys and strata: what every list of permuted blocks has in common."""

from __future__ import annotations

from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.conduct.randomise import allocate, sequence
from trialwright.study.model import Allocation

ratios = st.dictionaries(st.sampled_from("ABCDE"), st.integers(1, 3), min_size=2, max_size=4)
keys = st.binary(min_size=1, max_size=40)
levels = st.lists(st.text(max_size=5), max_size=3).map(tuple)


@given(ratios, st.sets(st.integers(1, 3), min_size=1), keys, levels)
@settings(deadline=None)
def test_each_full_block_honours_the_ratio(ratio, multiples, key, stratum):
    """Some way of cutting the list into blocks of the allowed sizes gives each block exactly the ratio."""
    unit = sum(ratio.values())
    sizes = tuple(sorted(multiple * unit for multiple in multiples))
    design = Allocation(
        method="permuted_blocks",
        ratio=ratio,
        block_sizes=sizes,
        strata=tuple(f"S{i}" for i in range(len(stratum))),
    )
    arms = list(islice(sequence(design, key, stratum), 8 * unit))
    ends = {0}
    for end in range(1, len(arms) + 1):
        if any(end - size in ends and _balanced(arms[end - size : end], ratio) for size in sizes):
            ends.add(end)
    assert max(ends) > len(arms) - max(sizes)


def _balanced(block: list[str], ratio: dict[str, int]) -> bool:
    times = len(block) // sum(ratio.values())
    return all(block.count(arm) == count * times for arm, count in ratio.items())


@given(ratios, keys, st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None)
def test_a_later_slot_never_changes_an_earlier_one(ratio, key, first, second):
    design = Allocation(method="permuted_blocks", ratio=ratio, block_sizes=(sum(ratio.values()),))
    before = allocate(design, key, (), first)
    allocate(design, key, (), second)
    assert allocate(design, key, (), first) == before
