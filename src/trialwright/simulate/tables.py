"""How a part of the trial becomes an SDTM domain: names, keys, order, sequence numbers."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from trialwright.simulate.draw import Bools, Floats, Texts
from trialwright.simulate.people import People
from trialwright.simulate.trial import Trial
from trialwright.standards import variables
from trialwright.standards.rehearsal import marked

Words = Sequence[str] | Texts


def domain(trial: Trial, name: str, rows: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    """Rows with ``who`` (position among the randomised) as the SDTM domain ``name``.

    Sorted by subject and ``order``; ``--SEQ`` counts from 1 within a subject; columns as in the dictionary.
    """
    return _numbered(named(trial, trial.people, name, rows, order), name)


def of_screened(trial: Trial, name: str, rows: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    """As `domain`, where ``who`` is the position among all screened."""
    return _numbered(named(trial, trial.screened, name, rows, order), name)


def named(
    trial: Trial, people: People, name: str, rows: pl.DataFrame, order: Sequence[str] = ()
) -> pl.DataFrame:
    """As `domain`, where ``who`` is the position in ``people``, and without ``--SEQ``."""
    known = [variable.name for variable in variables.dataset(name).variables]
    said = {"DOMAIN": pl.lit(name)} if "DOMAIN" in known else {}
    subject = text(people.usubjid).gather(rows["who"].cast(pl.UInt32))
    found = rows.with_columns(**said, STUDYID=pl.lit(marked(trial.study.study.id)), USUBJID=subject)
    return _arranged(found.sort("USUBJID", *order, maintain_order=True, nulls_last=True).drop("who"), name)


def _numbered(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return _arranged(
        rows.with_columns(pl.int_range(1, pl.len() + 1).over("USUBJID").alias(f"{name}SEQ")), name
    )


def _arranged(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    first = [v.name for v in variables.dataset(name).variables if v.name in rows.columns]
    return rows.select(*first, pl.exclude(first))


def text(values: Texts) -> pl.Series:
    """Words; None stays blank."""
    return pl.Series(values=values.tolist(), dtype=pl.String)


def words(values: Words) -> pl.Series:
    return pl.Series(values=list(values), dtype=pl.String)


def same(word: str | None, size: int) -> pl.Series:
    return pl.Series(values=[word] * size, dtype=pl.String)


def number(values: Floats) -> pl.Series:
    """Numbers; NaN is blank."""
    return pl.Series(values=values, dtype=pl.Float64).fill_nan(None)


def month_only(dates: pl.Series, day_unknown: Bools) -> pl.Series:
    """ISO dates, of some only the month."""
    frame = pl.DataFrame({"date": dates, "cut": pl.Series(values=day_unknown, dtype=pl.Boolean)})
    date = pl.col("date")
    return frame.select(pl.when("cut").then(date.str.head(7)).otherwise(date).alias("date")).to_series()
