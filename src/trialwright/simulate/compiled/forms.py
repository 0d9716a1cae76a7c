"""Trials of one design by compiled forms: blocks that fit the cache, one after the other."""

from __future__ import annotations

from trialwright.simulate.compiled.cohort import Patients
from trialwright.simulate.compiled.looks import Sight, knows
from trialwright.simulate.design import Design
from trialwright.simulate.looks import Seen

__all__ = ["Trials", "knows"]

BLOCK = 24_000
"""Patients at a time: all that is written about them stays in the second cache."""


class Trials:
    """``seen`` of up to ``most`` trials at a time."""

    def __init__(self, design: Design, most: int, block: int = BLOCK) -> None:
        self.most = most
        self.patients = Patients(design, min(max(block // design.patients, 1), most))
        self.sight = Sight(design, most, self.patients.trials)

    def seen(self, seed: int, first: int, trials: int) -> tuple[Seen, ...]:
        """``looks.look_at`` of the replicates from ``first`` on; good until the next call."""
        size = self.patients.trials
        for done in range(0, trials, size):
            some = min(size, trials - done)
            cohort = self.patients.enrol(seed, first + done, some)
            self.sight.look(cohort, done)
        return self.sight.seen(trials)
