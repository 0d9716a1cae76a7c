"""One endpoint in one population: who has which time, asked of ADTTE once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.analysis.population import TOTAL
from trialwright.analysis.rows import Address
from trialwright.stats.errors import NotEstimable
from trialwright.study.model import Analysis, Study


@dataclass(frozen=True, slots=True)
class Question:
    """``subjects``: one row per member of the population.

    Columns: ``group``, the analysis's strata, ``there`` (null where ADTTE has no row), AVAL (days), CNSR,
    EVNTDESC and CNSDTDSC.
    """

    study: Study
    analysis: Analysis
    address: Address
    subjects: pl.DataFrame

    @property
    def sample(self) -> pl.DataFrame:
        """Those with a time that can be analysed."""
        return self.subjects.filter(pl.col("AVAL") >= 0, pl.col("CNSR").is_not_null())

    @property
    def confidence(self) -> float:
        return self.study.study.confidence

    def days(self, months: float) -> float:
        return months * self.study.study.days_per_month

    def arm(self, group: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Times and events of an arm, or of all."""
        mine = self.sample if group == TOTAL else self.sample.filter(pl.col("group") == group)
        return mine["AVAL"].to_numpy(), (mine["CNSR"] == 0).to_numpy()

    def tau(self, months: float) -> tuple[float, str]:
        """The day to which means are restricted, and a note.

        Trial rules §8.6: not beyond the smallest of the arms' largest times; else it drops to that.
        """
        longest = self.sample.group_by("group").agg(pl.col("AVAL").max())["AVAL"].to_list()
        asked, last = self.days(months), min(longest, default=0.0)
        if asked <= last:
            return asked, ""
        return last, f"restricted to {last:g} days, the longest time that every arm reaches"


def positive(tau: float) -> float:
    if not tau > 0:
        raise NotEstimable("an arm has no follow-up")
    return tau


def in_months(months: float) -> str:
    return f"{months:g} months"
