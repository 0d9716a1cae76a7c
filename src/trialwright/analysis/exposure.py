"""Exposure in those treated: the numbers and words that ADEX has for each subject.

Level: ADEX's PARAMCD, with the drug after it where the parameter is one of a drug (``RDI: TARLATAMAB``);
the note is the unit. A parameter that is words (Y or N) gives patients and percent of the column's N.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.analysis.population import arms, columns, placed
from trialwright.analysis.rows import Adam, Address
from trialwright.analysis.summary import STATISTICS, describe, tabulate
from trialwright.standards import results
from trialwright.study.model import Analysis, Study

DATES_AND_DOSES: Final = ("DOSE", "DOSEDEV", "FDOSE", "LDOSE")
"""Rows of ADEX that are not a summary of a subject."""


def exposure(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Every parameter in every arm where somebody has it."""
    people = placed(study, adam, analysis.population)
    address = Address(analysis.id, analysis.population)
    sizes = columns(study, people).filter(pl.col("group").is_in(list(arms(study))))
    rows = _rows(adam, people)
    parts = (
        sizes.select("group", level=pl.lit("population"), statistic=pl.lit("n"), value="N"),
        _numbers(rows.filter(pl.col("AVAL").is_not_null())),
        _words(rows.filter(pl.col("AVAL").is_null(), pl.col("AVALC").is_not_null()), sizes),
        _without_value(rows),
    )
    return results.concat(address.frame(part) for part in parts)


def _rows(adam: Adam, people: pl.DataFrame) -> pl.DataFrame:
    """One row per subject and level."""
    return (
        adam["ADEX"]
        .filter(~pl.col("PARAMCD").is_in(DATES_AND_DOSES))
        .join(people.select("USUBJID", "group"), on="USUBJID", how="inner", maintain_order="left")
        .with_columns(level=_level())
    )


def _level() -> pl.Expr:
    named = pl.coalesce(pl.format("{}: {}", "PARAMCD", "PARCAT1"), "PARAMCD")
    unit = pl.col("AVALU").is_not_null() & (pl.col("AVALU").n_unique().over("PARAMCD", "PARCAT1") > 1)
    return pl.when(unit).then(pl.format("{} ({})", named, "AVALU")).otherwise(named)


def _numbers(rows: pl.DataFrame) -> pl.DataFrame:
    values = rows.select("group", "level", value="AVAL")
    cells = values.select("level", "group").unique().sort("level", "group")
    units = rows.group_by("level").agg(unit=pl.col("AVALU").drop_nulls().unique().sort().str.join(", "))
    found = describe(values, cells, STATISTICS).join(units, on="level", how="left", maintain_order="left")
    said = pl.when(pl.col("value").is_not_null()).then(pl.col("unit").fill_null("")).otherwise("note")
    return found.with_columns(note=said).drop("unit")


def _words(rows: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Level ``STEPUPFL: drug = Y``: patients, and percent of the column."""
    said = rows.with_columns(level=pl.format("{} = {}", "level", "AVALC"))
    there = rows.select("level", "group").unique()
    words = rows.select("level", word=pl.format("{} = {}", "level", "AVALC")).unique()
    cells = there.join(words, on="level").select("group", level="word").sort("level", "group")
    counts = said.group_by("level", "group").agg(n=pl.col("USUBJID").n_unique())
    return tabulate(counts, cells, sizes)


def _without_value(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of ADEX that have neither number nor word: how many, and why."""
    return (
        rows.filter(pl.col("AVAL").is_null(), pl.col("AVALC").is_null())
        .group_by("level", "group", maintain_order=True)
        .agg(value=pl.len().cast(pl.Float64), note=pl.col("RULE").drop_nulls().unique().sort().str.join("; "))
        .select("group", "level", pl.lit("n_missing").alias("statistic"), "value", "note")
    )
