"""Baseline characteristics of the headline population, as randomised, by arm and in total; no tests.

Level ``AGE`` for a number: n, mean … and ``missing``. Level ``SEX: F`` for a word: n, and percent of the
column's N; level ``SEX`` has n (known) and ``missing``. The strata follow the characteristics.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.analysis.population import columns, placed, with_total
from trialwright.analysis.rows import Adam, Address
from trialwright.analysis.summary import STATISTICS, describe, grid, long, tabulate
from trialwright.standards import results
from trialwright.study.model import Study

ANALYSIS: Final = "BASELINE"


def baseline(study: Study, adam: Adam) -> pl.DataFrame:
    """Every characteristic and stratum of the study."""
    people = placed(study, adam, study.headline_population)
    address = Address(ANALYSIS, study.headline_population)
    sizes = columns(study, people)
    everybody = with_total(people)
    parts = [sizes.select("group", level=pl.lit("population"), statistic=pl.lit("n"), value="N")]
    for name, levels in _variables(study).items():
        if levels is None:
            values = everybody.select("group", level=pl.lit(name), value=pl.col(name).cast(pl.Float64))
            parts.append(describe(values, grid(sizes["group"], [name]), STATISTICS))
        else:
            parts.append(_categories(everybody, sizes, name, levels))
        parts.append(_known(everybody, sizes, name, counted=levels is not None))
    return results.concat(address.frame(part) for part in parts)


def _variables(study: Study) -> dict[str, tuple[str, ...] | None]:
    """Each variable of the table with its levels; None for a number."""
    found: dict[str, tuple[str, ...] | None] = {
        one.id: None if one.kind == "number" else tuple(level.id for level in one.levels)
        for one in study.baseline
    }
    strata = {one.id: tuple(level.id for level in one.levels) for one in study.strata}
    return found | {name: levels for name, levels in strata.items() if name not in found}


def _categories(
    everybody: pl.DataFrame, sizes: pl.DataFrame, name: str, levels: tuple[str, ...]
) -> pl.DataFrame:
    """The study's levels, then whatever else is in the data."""
    word = pl.col(name).cast(pl.String)
    said = everybody.select("group", word=word).filter(pl.col("word").is_not_null())
    others = said["word"].unique().sort().to_list()
    shown = [*levels, *(w for w in others if w not in levels)]
    counts = said.group_by("group", level=pl.format(name + ": {}", "word")).len("n")
    return tabulate(counts, grid(sizes["group"], [f"{name}: {w}" for w in shown]), sizes)


def _known(everybody: pl.DataFrame, sizes: pl.DataFrame, name: str, *, counted: bool) -> pl.DataFrame:
    """How many are missing; and, where ``describe`` has not said so, how many are known."""
    found = everybody.group_by("group").agg(n=pl.col(name).count(), missing=pl.col(name).null_count())
    return (
        sizes.select("group", level=pl.lit(name))
        .join(found, on="group", how="left", maintain_order="left")
        .with_columns(pl.col("n", "missing").fill_null(0).cast(pl.Float64))
        .pipe(long, ["n", "missing"] if counted else ["missing"])
        .with_columns(note=pl.lit(""))
    )
