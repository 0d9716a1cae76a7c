"""What laboratory values and grades say over a patient's course, and CTCAE grades that need no laboratory.

CTCAE v5.0 for weight loss, fever and febrile neutropenia; FDA guidance on drug-induced liver injury (July
2009) for Hy's law and the eDISH zones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from trialwright.medicine.lab_values import rounded


def weight_loss_grade(weight: pl.Expr, baseline: pl.Expr) -> pl.Expr:
    """Weight loss from baseline (same unit): 1 from 5 %, 2 from 10 %, 3 from 20 %; null if unknown."""
    left, kept = rounded(weight), [rounded(part * baseline) for part in (0.80, 0.90, 0.95)]
    known = weight.is_not_null() & (baseline > 0)
    grade = pl.when(left <= kept[0]).then(3).when(left <= kept[1]).then(2).when(left <= kept[2]).then(1)
    return pl.when(known).then(grade.otherwise(0)).cast(pl.Int8)


def fever_grade(temperature: pl.Expr, hours_above_40: pl.Expr) -> pl.Expr:
    """Fever in degrees Celsius: 1 from 38.0, 2 above 39.0, 3 above 40.0, 4 if above 40.0 for over 24 hours.

    An unknown duration takes the milder grade 3. Null if the temperature is missing.
    """
    t, long = rounded(temperature), (hours_above_40 > 24).fill_null(False)
    grade = pl.when((t > 40) & long).then(4).when(t > 40).then(3).when(t > 39).then(2).when(t >= 38).then(1)
    return pl.when(temperature.is_not_null()).then(grade.otherwise(0)).cast(pl.Int8)


def febrile_neutropenia_grade(
    neutrophils: pl.Expr, temperature: pl.Expr, sustained_hours: pl.Expr
) -> pl.Expr:
    """3 if neutrophils < 1.0 (10^9/L) with one temperature > 38.3 or >= 38.0 C for over an hour, else 0.

    Null where what is missing could decide. Grades 4 and 5 are clinical.
    """
    t = rounded(temperature)
    met = (rounded(neutrophils) < 1.0) & ((t > 38.3) | ((t >= 38.0) & (sustained_hours > 1)))
    return pl.when(met.is_not_null()).then(pl.when(met).then(3).otherwise(0)).cast(pl.Int8)


_SIDES: Final[Mapping[str, Literal["backward", "forward"]]] = {"earlier": "backward", "later": "forward"}


def nearest_albumin(calcium: pl.DataFrame, albumin: pl.DataFrame, days: int = 7) -> pl.DataFrame:
    """``calcium`` (subject, day, …) with the ``albumin`` (subject, day, albumin in g/L) nearest in time.

    Within ``days``; of two equally near the earlier one; of two on one day the first given. Null where
    none is.
    """
    known = albumin.filter(pl.col("albumin").is_not_null() & pl.col("day").is_not_null())
    once = known.unique(["subject", "day"], keep="first", maintain_order=True).sort("day")
    numbered = calcium.with_row_index("_place")
    near = numbered.select("_place", "subject", "day").filter(pl.col("day").is_not_null()).sort("day")
    for side, strategy in _SIDES.items():
        one = once.select("subject", "day", pl.col("day", "albumin").name.suffix(f"_{side}"))
        near = near.join_asof(
            one, on="day", by="subject", strategy=strategy, tolerance=days, check_sortedness=False
        )
    apart = {side: (pl.col(f"day_{side}") - pl.col("day")).abs() for side in _SIDES}
    best = near.select(
        "_place",
        albumin=pl.when(apart["later"] < apart["earlier"])
        .then("albumin_later")
        .otherwise(pl.coalesce("albumin_earlier", "albumin_later")),
    )
    return numbered.join(best, on="_place", how="left", maintain_order="left").drop("_place")


def shift(graded: pl.DataFrame) -> pl.DataFrame:
    """Baseline grade and worst later grade: one row per subject, test and direction (L, H) that has criteria.

    ``graded`` is the result of ``grade_labs`` for the baseline rows (is_baseline) and for the rows of the
    window, scheduled and unscheduled, that the caller chose. A grade is null if no value of that side
    could be graded; ``worsened`` (worst above baseline) is null if either is. The opposite direction
    never counts.
    """
    sides = []
    for direction, side in (("L", "low"), ("H", "high")):
        grade, at_baseline = pl.col(f"grade_{side}"), pl.col("is_baseline").fill_null(False)
        counted = graded.filter(pl.col(f"reason_{side}").ne_missing("no criteria"))
        sides.append(
            counted.group_by("subject", "test", maintain_order=True)
            .agg(
                baseline_grade=grade.filter(at_baseline).max(),
                worst_grade=grade.filter(~at_baseline).max(),
            )
            .with_columns(direction=pl.lit(direction))
        )
    return (
        pl.concat(sides)
        .with_columns(worsened=pl.col("worst_grade") > pl.col("baseline_grade"))
        .select("subject", "test", "direction", "baseline_grade", "worst_grade", "worsened")
    )


@dataclass(frozen=True, slots=True)
class HysLaw:
    """The screen: transaminase and bilirubin at or above these multiples of the ULN, within so many days."""

    transaminase: float = 3.0
    bilirubin: float = 2.0
    alp: float = 2.0
    days: int = 30
    strict: bool = False


def hys_law(labs: pl.DataFrame, screen: HysLaw = HysLaw()) -> pl.DataFrame:
    """One row per subject: peaks in multiples of the ULN, the first qualifying pair, and the eDISH zone.

    ``labs``: subject, day, test (ALT, AST, BILI, ALP), value and uln in one unit. Either may come first.
    ``hys_law`` is null where transaminase or bilirubin is never known; ``alp_low`` says whether alkaline
    phosphatase stayed below its multiple around the pair (null if not measured), which is noted but does
    not decide.
    """
    multiple = pl.when(pl.col("uln") > 0).then(pl.col("value") / pl.col("uln"))
    known = labs.with_columns(x=rounded(multiple)).filter(pl.col("x").is_finite())
    kinds = {"transaminase": ["ALT", "AST"], "bilirubin": ["BILI"], "alp": ["ALP"]}
    rows = {kind: known.filter(pl.col("test").is_in(tests)) for kind, tests in kinds.items()}
    peaks = labs.select("subject").unique(maintain_order=True)
    for kind, values in rows.items():
        peak = values.group_by("subject").agg(pl.col("x").max().alias(f"{kind}_x"))
        peaks = peaks.join(peak, on="subject", how="left", maintain_order="left")
    found = peaks.join(_first_pair(rows, screen), on="subject", how="left", maintain_order="left")
    measured = pl.col("transaminase_x").is_not_null() & pl.col("bilirubin_x").is_not_null()
    return found.with_columns(
        hys_law=pl.when(measured).then(pl.col("transaminase_day").is_not_null()),
        zone=pl.when(measured).then(_zone(screen)),
    )


def _reaches(x: pl.Expr, multiple: float, screen: HysLaw) -> pl.Expr:
    return x > multiple if screen.strict else x >= multiple


def _first_pair(rows: dict[str, pl.DataFrame], screen: HysLaw) -> pl.DataFrame:
    high = {
        kind: rows[kind]
        .filter(_reaches(pl.col("x"), getattr(screen, kind), screen))
        .select("subject", pl.col("day").alias(f"{kind}_day"))
        for kind in ("transaminase", "bilirubin")
    }
    pairs = high["transaminase"].join(high["bilirubin"], on="subject")
    apart = (pl.col("transaminase_day") - pl.col("bilirubin_day")).abs()
    complete = pl.max_horizontal("transaminase_day", "bilirubin_day")
    first = (
        pairs.filter(apart <= screen.days)
        .sort("subject", complete, "transaminase_day", "bilirubin_day")
        .unique("subject", keep="first", maintain_order=True)
    )
    near = first.join(rows["alp"].select("subject", "day", "x"), on="subject").filter(
        (pl.col("day") - pl.col("transaminase_day")).abs() <= screen.days
    )
    alp = near.group_by("subject").agg(alp_low=~_reaches(pl.col("x").max(), screen.alp, screen))
    return first.join(alp, on="subject", how="left", maintain_order="left")


def _zone(screen: HysLaw) -> pl.Expr:
    liver = _reaches(pl.col("transaminase_x"), screen.transaminase, screen)
    jaundice = _reaches(pl.col("bilirubin_x"), screen.bilirubin, screen)
    return (
        pl.when(liver & jaundice)
        .then(pl.lit("Hy's law range"))
        .when(liver)
        .then(pl.lit("Temple's corollary"))
        .when(jaundice)
        .then(pl.lit("hyperbilirubinaemia"))
        .otherwise(pl.lit("normal range"))
    )
