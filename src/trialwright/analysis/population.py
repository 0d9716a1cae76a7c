"""Who is analysed, under which arm, and which arms are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from trialwright.analysis.rows import Adam
from trialwright.study.model import Study

TOTAL: Final = "Total"


@dataclass(frozen=True, slots=True)
class Contrast:
    """An experimental arm versus the control arm."""

    experimental: str
    control: str

    @property
    def name(self) -> str:
        return f"{self.experimental} vs {self.control}"

    def in_words(self, reason: str) -> str:
        """An estimator's reason with its group 1 and group 0 named as arms."""
        return reason.replace("group 1", f"arm {self.experimental}").replace("group 0", f"arm {self.control}")


def contrasts(study: Study) -> tuple[Contrast, ...]:
    return tuple(Contrast(arm.id, study.control.id) for arm in study.experimental)


def arms(study: Study) -> tuple[str, ...]:
    return tuple(arm.id for arm in study.arms)


def members(study: Study, adam: Adam, population: str) -> pl.DataFrame:
    """ADSL of the population, one row per subject, with its arm (planned or actual) in ``group``.

    Includes members whose arm is not one of the study's; their ``group`` is null.
    """
    chosen = study.population(population)
    arm = pl.col("TRT01P" if chosen.grouped_by == "planned" else "TRT01A")
    known = pl.when(arm.is_in(list(arms(study)))).then(arm)
    return adam["ADSL"].filter(pl.col(chosen.flag) == "Y").with_columns(group=known)


def placed(study: Study, adam: Adam, population: str) -> pl.DataFrame:
    """`members` who have an arm: the only ones who can be in a column."""
    return members(study, adam, population).filter(pl.col("group").is_not_null())


def with_total(frame: pl.DataFrame) -> pl.DataFrame:
    """Each row twice: under its arm and under the total."""
    return pl.concat([frame, frame.with_columns(group=pl.lit(TOTAL))])


def columns(study: Study, people: pl.DataFrame) -> pl.DataFrame:
    """``group`` (each arm, then the total) and ``N``, its number of subjects: the only denominator."""
    groups = pl.DataFrame({"group": [*arms(study), TOTAL]}, schema={"group": pl.String()})
    sizes = with_total(people.select("group")).group_by("group").len("N")
    return groups.join(sizes, on="group", how="left", maintain_order="left").with_columns(
        pl.col("N").fill_null(0).cast(pl.Int64)
    )
