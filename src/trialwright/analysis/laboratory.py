"""Laboratory tests by CTCAE grade: the worst on treatment, and the shift from the baseline grade.

Level ``ALT high``: patients with a grade on treatment by their worst. Level ``ALT high: 0 -> 3``: patients by
grade at baseline and worst grade on treatment, ``missing`` where there is no grade at baseline. Levels
``ALT baseline``, ``ALT highest`` and ``ALT lowest`` describe the values in the unit of the note. Level
``ALT high: grade>=3 without an event`` counts the patients with such a value and no reported event near it.
Levels ``Hy's law`` and ``eDISH: zone`` (project rules 4.4, 12): patients by their peaks on treatment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from trialwright.analysis.population import arms, columns, placed
from trialwright.analysis.rows import Adam, Address
from trialwright.analysis.summary import describe, grid, long, percent, tabulate
from trialwright.medicine.ctcae_course import hys_law
from trialwright.standards import results
from trialwright.study.model import Analysis, Study

GRADES: Final = range(5)
LIVER: Final = ("ALT", "AST", "BILI", "ALP")
LAW: Final = "Hy's law"
VALUES: Final = ("n", "mean", "sd", "median", "min", "max")


@dataclass(frozen=True, slots=True)
class Direction:
    name: str
    baseline: str
    worst: str
    flag: str


DIRECTIONS: Final = (
    Direction("low", "BTOXGRL", "ATOXGRL", "WORSTLFL"),
    Direction("high", "BTOXGRH", "ATOXGRH", "WORSTHFL"),
)

WANTED: Final = (
    *("USUBJID", "PARAMCD", "ADT", "AVAL", "AVALU", "ANRHI", "ABLFL", "ONTRTFL", "AEFL", "RULE"),
    *(column for d in DIRECTIONS for column in (d.baseline, d.worst, d.flag)),
)


def laboratory(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Grades, shifts and values of every test in every arm."""
    people = placed(study, adam, analysis.population)
    address = Address(analysis.id, analysis.population)
    sizes = columns(study, people).filter(pl.col("group").is_in(list(arms(study))))
    tests = (
        adam["ADLB"]
        .select(WANTED)
        .with_columns(pl.col("PARAMCD").fill_null("no test code"))
        .join(people.select("USUBJID", "group"), on="USUBJID", how="inner", maintain_order="left")
    )
    parts = [sizes.select("group", level=pl.lit("population"), statistic=pl.lit("n"), value="N")]
    for direction in DIRECTIONS:
        worst = tests.filter(pl.col(direction.flag) == "Y", pl.col(direction.worst).is_not_null())
        parts += [_by_grade(worst, direction, sizes), _shifts(worst, direction, sizes)]
        parts += [_unreported(tests, direction, sizes)]
    parts += [_liver(tests, people, sizes), _values(tests, sizes), _ungraded(tests)]
    return results.concat(address.frame(part) for part in parts)


def _by_grade(worst: pl.DataFrame, direction: Direction, sizes: pl.DataFrame) -> pl.DataFrame:
    """Patients with a grade, by worst grade; the percentage of grade 3 or 4 is of the column's N."""
    grade = pl.col(direction.worst)
    level = pl.format("{} " + direction.name, "PARAMCD")
    counts = worst.group_by(level.alias("level"), "group").agg(
        pl.len().alias("n"),
        *((grade == k).sum().alias(f"n_grade_{k}") for k in GRADES),
        severe=(grade >= 3).sum(),
    )
    names = ["n", *(f"n_grade_{k}" for k in GRADES)]
    return (
        grid(sizes["group"], counts["level"].unique().sort())
        .join(counts, on=["level", "group"], how="left", maintain_order="left")
        .join(sizes, on="group", how="left", maintain_order="left")
        .with_columns(pl.col(*names, "severe").fill_null(0).cast(pl.Float64))
        .with_columns(percent_severe=percent(pl.col("severe"), pl.col("N")))
        .rename({"percent_severe": "percent_grade>=3"})
        .pipe(long, [*names, "percent_grade>=3"])
        .with_columns(note=_no_patients())
    )


def _shifts(worst: pl.DataFrame, direction: Direction, sizes: pl.DataFrame) -> pl.DataFrame:
    """Patients by baseline and worst grade; every shift that occurs, in every arm."""
    before = pl.col(direction.baseline).cast(pl.String).fill_null("missing")
    shift = pl.format("{} " + direction.name + ": {} -> {}", "PARAMCD", before, direction.worst)
    counts = worst.group_by(shift.alias("level"), "group").len("value")
    return (
        grid(sizes["group"], counts["level"].unique().sort())
        .join(counts, on=["level", "group"], how="left", maintain_order="left")
        .select(
            "group",
            "level",
            pl.lit("n").alias("statistic"),
            pl.col("value").fill_null(0).cast(pl.Float64),
            pl.lit("").alias("note"),
        )
    )


def _unreported(tests: pl.DataFrame, direction: Direction, sizes: pl.DataFrame) -> pl.DataFrame:
    """Patients with a value of grade 3 or more near which no event is reported."""
    severe = tests.filter(pl.col("AEFL").is_not_null(), pl.col(direction.worst) >= 3).with_columns(
        level=pl.format("{} " + direction.name + ": grade>=3 without an event", "PARAMCD")
    )
    counts = severe.filter(AEFL="N").group_by("level", "group").agg(n=pl.col("USUBJID").n_unique())
    return tabulate(counts, grid(sizes["group"], severe["level"].unique().sort()), sizes)


def _liver(tests: pl.DataFrame, people: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Hy's law and the zones of eDISH; patients without both tests are told as not measured."""
    values = tests.filter(
        pl.col("PARAMCD").is_in(LIVER), pl.col("ONTRTFL") == "Y", pl.col("ADT").is_not_null()
    ).select(
        subject="USUBJID",
        day=pl.col("ADT").to_physical().cast(pl.Int64),
        test="PARAMCD",
        value="AVAL",
        uln="ANRHI",
    )
    found = people.select("group", subject="USUBJID").join(hys_law(values), on="subject", how="left")
    zone = pl.format("eDISH: {}", pl.col("zone").fill_null("not measured"))
    law = found.filter("hys_law")
    parts = [
        law.select("group", level=pl.lit(LAW)),
        law.filter("alp_low").select("group", level=pl.lit(f"{LAW}, alkaline phosphatase below 2 x ULN")),
        found.select("group", level=zone),
    ]
    counts = pl.concat(parts).group_by("group", "level").agg(n=pl.len())
    return tabulate(counts, grid(sizes["group"], [LAW, *_others(counts["level"])]), sizes)


def _others(levels: pl.Series) -> list[str]:
    return [level for level in levels.unique().sort() if level != LAW]


def _values(tests: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Baseline, and each patient's highest and lowest value on treatment."""
    on = (
        tests.filter(pl.col("ONTRTFL") == "Y")
        .group_by("USUBJID", "group", "PARAMCD", maintain_order=True)  # sums to the last digit
        .agg(highest=pl.col("AVAL").max(), lowest=pl.col("AVAL").min())
    )
    base = tests.filter(pl.col("ABLFL") == "Y").select(
        "group", "PARAMCD", value="AVAL", when=pl.lit("baseline")
    )
    extremes = [on.select("group", "PARAMCD", value=w, when=pl.lit(w)) for w in ("highest", "lowest")]
    values = pl.concat([base, *extremes]).select(
        "group", "value", "PARAMCD", level=pl.format("{} {}", "PARAMCD", "when")
    )
    units = tests.group_by("PARAMCD").agg(unit=pl.col("AVALU").drop_nulls().unique().sort().str.join(", "))
    levels = values.select("level", "PARAMCD").unique().join(units, on="PARAMCD", how="left")
    found = describe(values, grid(sizes["group"], values["level"].unique().sort()), VALUES)
    said = pl.when(pl.col("value").is_not_null()).then(pl.col("unit").fill_null("")).otherwise("note")
    return (
        found.join(levels.select("level", "unit"), on="level", how="left", maintain_order="left")
        .with_columns(note=said)
        .drop("unit")
    )


def _ungraded(tests: pl.DataFrame) -> pl.DataFrame:
    """Tests of which no value has a grade in either direction, and why."""
    graded = pl.any_horizontal(pl.col(d.worst).is_not_null() for d in DIRECTIONS)
    some = tests.filter(graded)["PARAMCD"].unique()
    return (
        tests.filter(~pl.col("PARAMCD").is_in(some.implode()))
        .group_by("PARAMCD")
        .agg(note=pl.col("RULE").drop_nulls().min())
        .sort("PARAMCD")
        .select(
            group=pl.lit(""),
            level="PARAMCD",
            statistic=pl.lit("n_graded"),
            value=pl.lit(0.0),
            note=pl.col("note").fill_null("no CTCAE criterion applies"),
        )
    )


def _no_patients() -> pl.Expr:
    return pl.when(pl.col("value").is_null()).then(pl.lit("no patients")).otherwise(pl.lit(""))
