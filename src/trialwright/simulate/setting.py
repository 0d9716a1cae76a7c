"""What every part of a rehearsal starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialwright.simulate.draw import stream
from trialwright.simulate.scenario import Scenario
from trialwright.study.model import Study


@dataclass(frozen=True, slots=True)
class Setting:
    study: Study
    scenario: Scenario
    seed: int

    def stream(self, name: str) -> np.random.Generator:
        return stream(self.seed, name)

    def visit_number(self, visit: str) -> float:
        """The place of a visit in the schedule, from 1."""
        return 1.0 + [v.id for v in self.study.schedule.visits].index(visit)
