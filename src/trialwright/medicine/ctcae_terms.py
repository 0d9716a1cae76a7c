"""Terms of CTCAE v5.0: which grades exist, and the events as which a laboratory value would be told.

National Cancer Institute, CTCAE v5.0 (27 November 2017). Only the terms of the laboratory criteria and a few
others are carried (``tables/ctcae_v5_terms.csv``); the whole is the user's own file.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any

import polars as pl

from trialwright.medicine.ctcae import Version, criteria
from trialwright.medicine.units import coded

TERMS = pl.Schema({"term": pl.String(), "soc": pl.String(), "grades": pl.String()})
"""A term, its system organ class, and the digits of the grades that exist (``345``)."""


@lru_cache
def terms() -> pl.DataFrame:
    """The terms of v5.0 that are carried, in the shape of ``TERMS``."""
    with _table("ctcae_v5_terms.csv").open("rb") as file:
        return pl.read_csv(file, schema=TERMS)


@lru_cache
def lab_events(version: Version = "5.0") -> pl.DataFrame:
    """test, direction (L, H) and each term under which a site may report the abnormal value."""
    own = criteria(version).select("test", "direction", "term").unique(maintain_order=True)
    with _table("ctcae_lab_events.csv").open("rb") as file:
        return pl.concat([own, pl.read_csv(file, schema=own.schema)])


def term_key(term: pl.Expr) -> pl.Expr:
    """One spelling of a term: capitals, and American (``anaemia`` is ``ANEMIA``)."""
    key = term.str.strip_chars().str.to_uppercase()
    for british, american in (("AEMI", "EMI"), ("HAEM", "HEM"), ("OEA", "EA"), ("OEDEMA", "EDEMA")):
        key = key.str.replace_all(british, american, literal=True)
    return key


def term_keys(terms: pl.Series) -> pl.Series:
    """``term_key`` of a column, worked out once for each different term."""
    place, different = coded(terms)
    return different.to_frame("term").select(term_key(pl.col("term"))).to_series().gather(place)


def _table(name: str) -> Any:
    return resources.files("trialwright.medicine").joinpath("tables", name)
