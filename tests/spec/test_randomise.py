"""Allocation: what the pure function promises, and the project's requirements R8 and R9."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import islice

import numpy as np
import pytest

from trialwright.conduct.randomise import allocate, sequence
from trialwright.study.model import Allocation

BLOCKS = Allocation(
    method="permuted_blocks", ratio={"A": 1, "B": 2}, block_sizes=(3, 6), strata=("PRIMSITE", "PFIGR")
)
STRATUM = ("LUNG", "<90")
KEY = b"a key that only the server knows"


def key(number: int) -> bytes:
    return number.to_bytes(8, "big")


def arms(allocation: Allocation, key: bytes, stratum: tuple[str, ...], n: int) -> str:
    return "".join(islice(sequence(allocation, key, stratum), n))


def test_the_list_is_the_same_for_ever():
    """A change of this text is a change of every list ever derived: it needs a new purpose in the hash."""
    assert arms(BLOCKS, KEY, STRATUM, 24) == "BABBBAABBBABABBBABBABBBA"


def test_a_slot_needs_no_other_slot():
    whole = arms(BLOCKS, KEY, STRATUM, 30)
    assert "".join(allocate(BLOCKS, KEY, STRATUM, position) for position in range(1, 31)) == whole


def test_key_and_stratum_decide_and_the_order_of_the_ratio_does_not():
    turned = BLOCKS.model_copy(update={"ratio": {"B": 2, "A": 1}})
    assert arms(turned, KEY, STRATUM, 60) == arms(BLOCKS, KEY, STRATUM, 60)
    assert arms(BLOCKS, b"another key", STRATUM, 60) != arms(BLOCKS, KEY, STRATUM, 60)
    assert arms(BLOCKS, KEY, ("GEP", "<90"), 60) != arms(BLOCKS, KEY, STRATUM, 60)


def test_level_ids_are_not_glued_together():
    """Two strata whose texts joined would read alike are two lists."""
    assert arms(BLOCKS, KEY, ("A", "BC"), 60) != arms(BLOCKS, KEY, ("AB", "C"), 60)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, (KEY, STRATUM, 0), "positions count from 1"),
        ({}, (b"", STRATUM, 1), "key is empty"),
        ({}, (KEY, ("LUNG",), 1), "does not fit"),
        ({"block_sizes": (4,)}, (KEY, STRATUM, 1), "multiples of 3"),
        ({"block_sizes": ()}, (KEY, STRATUM, 1), "multiples of 3"),
        ({"ratio": {"A": 0, "B": 2}}, (KEY, STRATUM, 1), "whole number from 1"),
    ],
)
def test_misuse_is_refused(change, arguments, message):
    with pytest.raises(ValueError, match=message):
        allocate(BLOCKS.model_copy(update=change), *arguments)


def test_r8_the_ratio_holds_at_every_position():
    """R8: over 100,000 lists, P(arm B) at each position is within 4 standard errors of 2/3.

    The standard error is 0.15 points: a place that favours an arm by one allocation in 150 is found.
    """
    lists, positions = 100_000, 12
    b = np.zeros(positions)
    for number in range(lists):
        b += np.frombuffer(arms(BLOCKS, key(number), STRATUM, positions).encode(), dtype=np.uint8) == ord("B")
    error = np.sqrt((2 / 3) * (1 / 3) / lists)
    assert (np.abs(b / lists - 2 / 3) < 4 * error).all(), b / lists


def _site_histories(allocation: Allocation, by_site: bool, runs: int) -> list[list[tuple[str, str]]]:
    """For each run and site: (arms the site has seen, next arm). 129 patients, 40 sites of unequal pace."""
    rng = np.random.default_rng(9)
    pace = np.exp(0.9 * rng.standard_normal(40))
    found = []
    for run in range(runs):
        sites = rng.choice(40, size=129, p=pace / pace.sum())
        strata = (
            [(f"S{site}",) for site in sites] if by_site else [(str(s),) for s in rng.integers(0, 4, 129)]
        )
        lists = {stratum: sequence(allocation, key(run), stratum) for stratum in set(strata)}
        seen: dict[int, str] = defaultdict(str)
        events = []
        for site, stratum in zip(sites, strata, strict=True):
            arm = next(lists[stratum])
            events.append((seen[site], arm))
            seen[site] += arm
        found.append(events)
    return found


def _certain(histories: list[list[tuple[str, str]]], enough: int = 40) -> float:
    """Share of allocations whose arm always followed the same history at a site (histories seen often enough)."""
    following: dict[str, Counter[str]] = defaultdict(Counter)
    for events in histories:
        for past, arm in events:
            following[past][arm] += 1
    sure = {past for past, arms in following.items() if len(arms) == 1 and arms.total() >= enough}
    return sum(past in sure for events in histories for past, _ in events) / (129 * len(histories))


def _guessed(histories: list[list[tuple[str, str]]]) -> float:
    """Share guessed after a site's first patient, by the arm that is behind in what the site has seen."""
    right = total = 0
    for events in histories:
        for past, arm in events:
            if past:
                right += arm == ("A" if past.count("B") >= 2 * past.count("A") + 2 else "B")
                total += 1
    return right / total


def test_r9_a_site_can_predict_nothing():
    """R9: with central blocks of 3 and 6 in four strata no allocation is certain to a site, and guessing the arm
    that is behind does no better than always guessing B (66.7 %). Stratified by site in blocks of 3 the same
    two measures find about a third of the allocations certain and three guesses in four right: they can fail.

    Limits: 400 runs of 129, of which about 36,000 guesses; the standard error of a share is 0.25 points, so
    one point is four of them. The requirement says 35.4 % certain; sites of this pace differ a little.
    """
    central = Allocation(method="permuted_blocks", ratio={"A": 1, "B": 2}, block_sizes=(3, 6), strata=("S",))
    open_book = _site_histories(central.model_copy(update={"block_sizes": (3,)}), True, 400)
    assert 0.25 < _certain(open_book) < 0.42
    assert _guessed(open_book) > 0.70
    closed = _site_histories(central, False, 400)
    assert _certain(closed) == 0
    assert _guessed(closed) < 2 / 3 + 0.01


def test_simple_randomisation_follows_the_ratio():
    """Without blocks: 12,000 draws within 4 standard errors of 2/3, and runs a block of 6 could not hold."""
    simple = Allocation(method="simple", ratio={"A": 1, "B": 2})
    drawn = arms(simple, KEY, (), 12_000)
    assert abs(drawn.count("B") / 12_000 - 2 / 3) < 4 * np.sqrt(2 / 9 / 12_000)
    assert "B" * 10 in drawn
