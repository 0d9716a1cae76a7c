"""A trial that happened, before anybody wrote it down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialwright.simulate.imaging import Scans
from trialwright.simulate.latent import Lives
from trialwright.simulate.people import People
from trialwright.simulate.scenario import Scenario
from trialwright.simulate.setting import Setting
from trialwright.simulate.treatment import Treatment
from trialwright.study.model import Study


@dataclass(frozen=True, slots=True)
class Trial:
    """``screened`` are all subjects; the rest has one entry per randomised subject, in the same order."""

    setting: Setting
    screened: People
    people: People
    lives: Lives
    scans: Scans
    treatment: Treatment

    @property
    def study(self) -> Study:
        return self.setting.study

    @property
    def scenario(self) -> Scenario:
        return self.setting.scenario

    def stream(self, name: str) -> np.random.Generator:
        return self.setting.stream(name)
