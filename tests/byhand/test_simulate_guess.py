"""How well the next arm can be guessed (R9 of the conduct page), worked on paper and by counting all lists."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate_designs import A, design
from trialwright.simulate.characteristics import characteristics
from trialwright.simulate.chunks import Run, simulate
from trialwright.simulate.design import Allocation
from trialwright.simulate.guess import convergence, within_lists

TWO_TO_ONE = {"method": "permuted_blocks", "control": 1, "experimental": 2}


def guessed(arms, sizes, lists=None, **ratio):
    """Shares times patients, of one trial; ``arms`` in letters, B the experimental one."""
    one = np.array([[letter == "B" for letter in arms]])
    places = np.zeros(one.shape, dtype=np.int64) if lists is None else np.array([lists])
    found = within_lists(Allocation(**(TWO_TO_ONE | ratio), block_sizes=sizes), one, places)
    return [float(x[0] * one.shape[1]) for x in (found.convergence, found.best, found.certain)]


def test_blocks_of_three():
    """BAB BBA: the last of each block is certain.

    Convergence, where A counts double: even, so B, right; B is ahead, so A, right; A is ahead, so B, right. Even: B,
    right; B is ahead: A, wrong; still: A, right. Five of six.
    At best: B, right; one of each is left, half right; certain: 2.5, and as much in the second block.
    """
    assert guessed("BABBBA", (3,)) == [5, 5, 2]


def test_certain_before_the_end_of_a_block():
    """ABB: after A only B can come."""
    assert guessed("ABB", (3,)) == [2, 2, 2]


def test_blocks_of_three_or_six():
    """A A: two of A cannot be in a block of three, so it is one of six and four B follow for certain. After that
    nothing is known."""
    assert guessed("AABBBBB", (3, 6))[2] == 4
    assert guessed("ABB", (3, 6))[2] == 0


def test_lists_are_guessed_apart():
    """A list for each of two sites: the second starts anew, and the last of each block of three is certain."""
    assert guessed("BABBAB", (3,), lists=[0, 0, 0, 1, 1, 1])[2] == 2
    assert guessed("BBABBA", (3,), lists=[0, 1, 0, 1, 0, 1])[2] == 2


def test_one_to_one_starts_with_half_a_guess():
    """AB in a block of two: half right, then certain; an arm drawn alone is half right for ever, and never certain."""
    assert guessed("AB", (2,), control=1, experimental=1) == [1.5, 1.5, 1]
    one = np.array([[True, False, True]])
    alone = within_lists(Allocation(method="simple"), one, np.zeros((1, 3), dtype=np.int64))
    assert (alone.best, alone.certain) == (0.5, 0)


def test_convergence_by_hand():
    """2:1. Even: the larger arm. B: right. One B ahead: A, wrong for B. Two B, no A: A, right; even: B, wrong for A."""
    one = np.array([[True, True, False, False]])
    allocation = Allocation(**TWO_TO_ONE, block_sizes=(3,))
    assert convergence(allocation, one, np.zeros((1, 4), dtype=np.int64)) == 2 / 4


def every_list(control, experimental, sizes, length):
    """Each list of slots and its probability, block by block."""
    if length <= 0:
        yield "", Fraction(1)
        return
    for size in sizes:
        ones = size * experimental // (control + experimental)
        blocks = list(combinations(range(size), ones))
        for places in blocks:
            block = "".join("B" if i in places else "A" for i in range(size))
            for rest, p in every_list(control, experimental, sizes, length - size):
                yield block + rest, p / (len(sizes) * len(blocks))


@pytest.mark.parametrize(
    ("ratio", "sizes"), [((1, 2), (3, 6)), ((1, 1), (2, 4)), ((2, 1), (3,)), ((1, 1), (4,))]
)
def test_against_all_lists(ratio, sizes):
    """Every list of five slots: at best and for certain as counted among the lists that begin alike."""
    length, chance = 5, {}
    for slots, p in every_list(*ratio, sizes, length):
        for k in range(length + 1):
            chance[slots[:k]] = chance.get(slots[:k], 0) + p
    best = certain = Fraction(0)
    for begin, p in chance.items():
        if len(begin) < length:
            after = [chance.get(begin + arm, Fraction(0)) for arm in "AB"]
            best += max(after)
            certain += p if 0 in after else 0
    lists = {s: p for s, p in chance.items() if len(s) == length}
    found = np.array([guessed(s, sizes, control=ratio[0], experimental=ratio[1]) for s in lists])
    mean = np.array([float(p) for p in lists.values()]) @ found
    assert mean[1] == pytest.approx(float(best))
    assert mean[2] == pytest.approx(float(certain))
    assert mean[0] <= mean[1] + 1e-12, "no strategy beats the most probable arm"


SITES = {"model": "poisson", "sites": [{"count": 40, "rate": 0.1}], "spread": 0.8}


@pytest.mark.parametrize(
    ("sizes", "certain", "right"), [((3,), 0.354, 0.774), ((3, 6), 0.054, 0.743), ((6,), 0.154, 0.719)]
)
def test_the_table_of_the_conduct_page(sizes, certain, right):
    """R9: 129 patients, 40 unequal sites, blocks within sites. Certain 35.4, 5.4 and 15.4 %; right after a site's first
    patient 77.4, 74.3 and 71.9 %. How unlike its sites are the page does not say: within 1.5 points here."""
    what = design(A, patients=129, predictability=True, accrual=SITES,
                  allocation=TWO_TO_ONE | {"block_sizes": sizes, "by_site": True})  # fmt: skip
    value = told(what, 400)
    assert value["known_for_certain", "list"] == pytest.approx(certain, abs=0.015)
    from trialwright.simulate.cohort import enrol

    sites = np.mean([len(set(row)) for row in enrol(what, 3, np.arange(400)).site.tolist()])
    later = (value["guessed_at_best", "list"] * 129 - sites * 2 / 3) / (129 - sites)
    assert later == pytest.approx(right, abs=0.015)


def told(what, trials):
    frame = characteristics(what, "x", simulate(Run(what, trials, 3)))
    return {(s, lv): v for s, lv, v in frame.select("statistic", "level", "value").rows()}


def test_central_blocks_tell_a_site_nothing():
    """No better than always guessing B, 66.7 % (R9), for who sees one site's patients only."""
    what = design(A, predictability=True, accrual=SITES, allocation=TWO_TO_ONE | {"block_sizes": [3, 6]})
    assert told(what, 200)["guessed_by_convergence", "site"] < 2 / 3
    assert ("guessed_by_convergence", "site") not in told(
        design(A, predictability=True, allocation=TWO_TO_ONE | {"block_sizes": [3, 6]}), 20
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 60), st.sampled_from([(3,), (3, 6), (6, 12)]), st.integers(0, 10**6))
def test_no_trial_depends_on_its_neighbours(patients, sizes, seed):
    what = design(A, patients=patients + 1, looks=[{"events": 1}], predictability=True, accrual=SITES,
                  allocation=TWO_TO_ONE | {"block_sizes": sizes, "by_site": bool(seed % 2)})  # fmt: skip
    whole = simulate(Run(what, 30, seed))
    assert simulate(Run(what, 30, seed, chunk=7 * patients)) == whole
