"""Coded terms of adverse events against the dictionaries: the grades that exist, the class of a term."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from trialwright.medicine import ctcae_terms
from trialwright.medicine.ctcae_terms import term_key
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study

Frames = Mapping[str, pl.DataFrame]

FROM_DICTIONARY: Final = "class from the dictionary"
_OURS: Final = "CTCAE v5.0"
"""The version whose grades are carried for some terms, where the user gives no table."""


def classed(events: pl.DataFrame, dictionaries: Frames) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events with AEBODSYS filled from the user's MedDRA, else CTCAE, where it is blank.

    SOCSRC says so. A class that is not the dictionary's, and a term that is not in MedDRA, are findings; what
    was reported stays.
    """
    if not dictionaries:
        return events.with_columns(SOCSRC=pl.lit(None, dtype=pl.String)), concat([])
    joined = events.with_columns(_key=term_key(pl.col("AEDECOD"))).join(
        _classes(dictionaries), on="_key", how="left", maintain_order="left"
    )
    reported, known = pl.col("AEBODSYS"), pl.col("_soc")
    other = reported.str.to_uppercase() != known.str.to_uppercase()
    coded = pl.col("AEDECOD").is_not_null() & pl.lit("MEDDRA" in dictionaries)
    told = pl.format("{}: reported {}, dictionary {}", "AEDECOD", reported, known)
    found = [
        _finding(joined.filter(other), "AEBODSYS", "the class is not the dictionary's", told, "as reported"),
        _finding(
            joined.filter(coded & known.is_null()), "AEDECOD", "the term is not in the dictionary",
            pl.col("AEDECOD"), "as reported",
        ),
    ]  # fmt: skip
    filled = reported.is_null() & known.is_not_null()
    return (
        joined.with_columns(
            AEBODSYS=pl.coalesce("AEBODSYS", "_soc"), SOCSRC=pl.when(filled).then(pl.lit(FROM_DICTIONARY))
        ).drop("_key", "_soc"),
        concat(found),
    )


def _classes(dictionaries: Frames) -> pl.DataFrame:
    parts = [pl.DataFrame(schema={"_key": pl.String, "_soc": pl.String})]
    for name, term in (("MEDDRA", "pt"), ("CTCAE", "term")):
        if name in dictionaries:
            parts.append(dictionaries[name].select(_key=term_key(pl.col(term)), _soc="soc"))
    return pl.concat(parts).drop_nulls().unique("_key", keep="first", maintain_order=True)


def impossible_grades(study: Study, events: pl.DataFrame, dictionaries: Frames) -> pl.DataFrame:
    """Findings: a reported grade that CTCAE does not have for the term (project rules 4.1).

    By the user's table, else by the terms of v5.0 that are carried; with MedDRA a term is known by its
    preferred term too. Terms that are in neither, or graded by ASTCT, are not judged.
    """
    scale = study.adverse_events.scale
    if not scale.startswith("CTCAE") or ("CTCAE" not in dictionaries and scale != _OURS):
        return concat([])
    known = _grades(dictionaries.get("CTCAE", ctcae_terms.terms()), dictionaries.get("MEDDRA"))
    judged = (
        events.filter(pl.col("AESICAT").is_null(), pl.col("ATOXGRN").is_not_null())
        .with_columns(_llt=term_key(pl.col("AELLT")), _pt=term_key(pl.col("AEDECOD")))
        .join(
            known.rename({"key": "_llt", "grades": "_of_llt"}), on="_llt", how="left", maintain_order="left"
        )
        .join(known.rename({"key": "_pt", "grades": "_of_pt"}), on="_pt", how="left", maintain_order="left")
        .with_columns(_exist=pl.coalesce("_of_llt", "_of_pt"))
    )
    there = pl.col("_exist").str.contains(pl.col("ATOXGRN").cast(pl.String), literal=True)
    listed = pl.col("_exist").str.replace_all("(.)", "$1, ").str.strip_suffix(", ")
    return _finding(
        judged.filter(~there), "AETOXGR", f"the term has no such grade in {scale}",
        pl.format("{}: grade {}, and it has {}", "AEDECOD", "AETOXGR", listed), "grade as reported",
    )  # fmt: skip


def _grades(ctcae: pl.DataFrame, meddra: pl.DataFrame | None) -> pl.DataFrame:
    """Grades by key: each term, and (with MedDRA) each preferred term with the grades of all its terms."""
    own = ctcae.select(key=term_key(pl.col("term")), grades="grades")
    if meddra is not None:
        pairs = meddra.select(key=term_key(pl.col("llt")), pt=term_key(pl.col("pt"))).drop_nulls()
        digits = pl.col("grades").str.extract_all(".").list.explode(keep_nulls=False, empty_as_null=False)
        by_pt = own.join(pairs, on="key").group_by(key="pt").agg(grades=digits.unique().sort().str.join(""))
        own = pl.concat([own, by_pt.join(own, on="key", how="anti")])
    return own.unique("key", keep="first", maintain_order=True)


def _finding(rows: pl.DataFrame, variable: str, rule: str, value: pl.Expr, action: str) -> pl.DataFrame:
    return findings(
        rows, dataset="AE", key=["USUBJID", "AESEQ"], variable=variable, rule=rule, value=value, action=action
    )
