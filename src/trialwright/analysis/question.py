"""One endpoint in one population: who has which time, asked of ADTTE once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.analysis.population import TOTAL, with_total
from trialwright.analysis.rows import Address
from trialwright.stats.errors import NotEstimable
from trialwright.study.model import Analysis, Study

Times = npt.NDArray[np.float64]
Events = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Question:
    """Columns: ``group``, the analysis's strata, AVAL (days), CNSR, EVNTDESC and CNSDTDSC.

    ``sample``: one row per member of the population whose time can be analysed. ``lost``: how many of each
    group could not, by statistic: ``n_missing`` without a row in ADTTE, ``n_excluded`` without a usable time.
    """

    study: Study
    analysis: Analysis
    address: Address
    sample: pl.DataFrame
    lost: Mapping[str, Mapping[str, int]]

    @property
    def confidence(self) -> float:
        return self.study.study.confidence

    def days(self, months: float) -> float:
        return months * self.study.study.days_per_month

    def arm(self, group: str) -> tuple[Times, Events]:
        """Times and events of an arm, or of all."""
        mine = self.sample if group == TOTAL else self.sample.filter(pl.col("group") == group)
        return mine["AVAL"].to_numpy(), (mine["CNSR"] == 0).to_numpy()

    def tau(self, months: float) -> tuple[float, str]:
        """The day to which means are restricted, and a note.

        Project rules 8.6: not beyond the smallest of the arms' largest times; else it drops to that.
        """
        longest = self.sample.group_by("group").agg(pl.col("AVAL").max())["AVAL"].to_list()
        asked, last = self.days(months), min(longest, default=0.0)
        if asked <= last:
            return asked, ""
        return last, f"restricted to {last:g} days, the longest time that every arm reaches"


def ask(
    study: Study, analysis: Analysis, paramcd: str, people: pl.DataFrame, adtte: pl.DataFrame
) -> Question:
    """``people``: members of the population with ``group`` and the strata."""
    wanted = ["USUBJID", "AVAL", "CNSR", "EVNTDESC", "CNSDTDSC"]
    rows = adtte.filter(pl.col("PARAMCD") == paramcd).select(*wanted, there=True)
    usable = ((pl.col("AVAL") >= 0) & pl.col("CNSR").is_not_null()).fill_null(False)
    subjects = people.join(rows, on="USUBJID", how="left", maintain_order="left").with_columns(usable=usable)
    absent = pl.col("there").is_null()
    lost = {
        statistic: dict(with_total(subjects.filter(condition)).group_by("group").len().rows())
        for statistic, condition in (("n_missing", absent), ("n_excluded", ~absent & ~pl.col("usable")))
    }
    address = Address(analysis.id, analysis.population, paramcd)
    return Question(study, analysis, address, subjects.filter("usable"), lost)


def positive(tau: float) -> float:
    if not tau > 0:
        raise NotEstimable("an arm has no follow-up")
    return tau


def in_months(months: float) -> str:
    return f"{months:g} months"
