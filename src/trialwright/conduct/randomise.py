"""Who gets which arm: a pure function of the study's allocation, a secret key, the stratum and the position.

Nothing is stored and nothing is drawn: block ``i`` of a stratum follows from HMAC-SHA256(key, stratum, i), so
whoever holds the key can derive the whole list again, and whoever does not can derive nothing. The key is an
argument and never part of the study, which everybody may read.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from itertools import count, islice

from trialwright.study.model import Allocation

_PURPOSE = "trialwright allocation 1"
"""Changes if ever the derivation does, so that no list is silently another."""


def allocate(allocation: Allocation, key: bytes, stratum: tuple[str, ...], position: int) -> str:
    """The arm id of one slot.

    ``stratum`` holds one level id per stratification factor, in the order of ``allocation.strata`` (empty if
    there are none). ``position`` counts the randomisations of that stratum from 1.
    Raises ValueError for a position below 1, a stratum of another length, an empty key, a wrong block size.
    """
    if position < 1:
        raise ValueError(f"positions count from 1, not {position}")
    return next(islice(sequence(allocation, key, stratum), position - 1, None))


def sequence(allocation: Allocation, key: bytes, stratum: tuple[str, ...]) -> Iterator[str]:
    """The arms of one stratum, slot after slot, without end: ``allocate`` for positions 1, 2, 3 …"""
    _check(allocation, key, stratum)
    return _slots(allocation, key, stratum)


def _slots(allocation: Allocation, key: bytes, stratum: tuple[str, ...]) -> Iterator[str]:
    for index in count():
        draws = _Draws(key, stratum, index)
        if allocation.method == "simple":
            tickets = _tickets(allocation.ratio, 1)
            yield tickets[draws.below(len(tickets))]
        else:
            size = allocation.block_sizes[draws.below(len(allocation.block_sizes))]
            yield from _shuffled(_tickets(allocation.ratio, size // sum(allocation.ratio.values())), draws)


def _check(allocation: Allocation, key: bytes, stratum: tuple[str, ...]) -> None:
    if not key:
        raise ValueError("the allocation key is empty")
    if len(stratum) != len(allocation.strata):
        raise ValueError(f"stratum {stratum} does not fit the factors {allocation.strata}")
    if min(allocation.ratio.values(), default=0) < 1:
        raise ValueError(f"the ratio {dict(allocation.ratio)} needs a whole number from 1 for each arm")
    if allocation.method == "simple":
        return
    unit = sum(allocation.ratio.values())
    if not allocation.block_sizes or any(size < unit or size % unit for size in allocation.block_sizes):
        raise ValueError(f"block sizes {allocation.block_sizes} must be multiples of {unit}")


def _tickets(ratio: Mapping[str, int], times: int) -> list[str]:
    """Arm ids as often as the ratio says; sorted, because the order in the file is no part of the promise."""
    return [arm for arm in sorted(ratio) for _ in range(ratio[arm] * times)]


def _shuffled(tickets: list[str], draws: _Draws) -> list[str]:
    """Fisher and Yates, from the end."""
    for last in range(len(tickets) - 1, 0, -1):
        other = draws.below(last + 1)
        tickets[last], tickets[other] = tickets[other], tickets[last]
    return tickets


class _Draws:
    """Whole numbers from the keyed hash of one block; what would favour small numbers is thrown away."""

    def __init__(self, key: bytes, stratum: tuple[str, ...], block: int) -> None:
        self._key = key
        self._address = [_PURPOSE, list(stratum), block]
        self._words = self._stream()

    def _stream(self) -> Iterator[int]:
        for turn in count():
            message = json.dumps([*self._address, turn], separators=(",", ":")).encode()
            digest = hmac.digest(self._key, message, "sha256")
            for start in range(0, len(digest), 2):
                yield int.from_bytes(digest[start : start + 2], "big")

    def below(self, n: int) -> int:
        fair = 65536 - 65536 % n
        return next(word for word in self._words if word < fair) % n
