"""One piece of work: the trials of a range of replicates, in chunks that fit the cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialwright.simulate.cohort import enrol
from trialwright.simulate.design import Design
from trialwright.simulate.looks import look_at
from trialwright.simulate.tally import Tally, tally

CHUNK = 60_000
"""Patients drawn at a time."""


@dataclass(frozen=True, slots=True)
class Run:
    """Replicates ``first`` … ``first + trials - 1`` of a design under a seed."""

    design: Design
    trials: int
    seed: int
    first: int = 0
    chunk: int = CHUNK


def simulate(piece: Run) -> Tally:
    """The trials of one piece of work, chunk by chunk, in this process."""
    found: Tally = Tally()
    size = max(piece.chunk // piece.design.patients, 1)
    for start in range(piece.first, piece.first + piece.trials, size):
        end = min(start + size, piece.first + piece.trials)
        cohort = enrol(piece.design, piece.seed, np.arange(start, end))
        found.update(tally(piece.design, look_at(piece.design, cohort)))
    return found
