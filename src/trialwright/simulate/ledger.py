"""Which replicates of a question have been counted, and their tally: no piece is lost, none counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from trialwright.simulate.tally import Tally

Range = tuple[int, int]
"""From the first replicate to the one after the last."""


@dataclass(slots=True)
class Ledger:
    """``done`` are ranges in order, apart from each other; ``tally`` is the sum over them."""

    tally: Tally = field(default_factory=Tally)
    done: list[Range] = field(default_factory=list)

    def add(self, first: int, trials: int, part: Tally) -> bool:
        """Count a piece; False, and nothing done, where it has been counted before.

        Raises ValueError where a part of it has: pieces are cut by who gives them out, once.
        """
        end = first + trials
        if any(start <= first and end <= stop for start, stop in self.done):
            return False
        if any(start < end and first < stop for start, stop in self.done):
            raise ValueError(f"replicates {first} to {end - 1} are in part counted already")
        self.tally.update(part)
        self.done = _joined([*self.done, (first, end)])
        return True

    def missing(self, first: int, end: int) -> Iterator[Range]:
        """The ranges between ``first`` and ``end`` that are not counted, in order."""
        for start, stop in list(self.done):
            if first < min(start, end):
                yield first, min(start, end)
            first = max(first, stop)
        if first < end:
            yield first, end


def _joined(ranges: list[Range]) -> list[Range]:
    found: list[Range] = []
    for start, stop in sorted(ranges):
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return found
