"""Severe laboratory values against reported events, drawn: the table is read as ADLB and ADAE."""

from __future__ import annotations

from typing import Any

import polars as pl

from drawn import table
from small import small_study
from trialwright.adam.safety_reconcile import reconciled
from trialwright.medicine import ctcae
from trialwright.medicine.ctcae_terms import lab_events, term_key, terms

ADLB = """
    USUBJID | PARAMCD | ADT        | low | high | ONTRTFL | told | why
    1       | NEUT    | 2026-02-01 | 3   |      | Y       | Y    | on the first day of its event
    1       | NEUT    | 2026-01-25 | 3   |      | Y       | Y    | seven days before
    1       | NEUT    | 2026-01-24 | 4   |      | Y       | N    | eight days before
    1       | NEUT    | 2026-02-17 | 3   |      | Y       | Y    | seven days after the end
    1       | NEUT    | 2026-02-18 | 3   |      | Y       | N    | eight days after
    1       | NEUT    | 2026-03-18 | 2   |      | Y       |      | not severe
    1       | NEUT    | 2026-03-19 | 3   |      | N       |      | not on treatment
    1       | HGB     | 2026-02-01 | 3   |      | Y       | Y    | British spelling, no end
    1       | HGB     | 2026-06-01 | 3   |      | Y       | Y    | it goes on
    1       | CREAT   | 2026-02-01 |     | 3    | Y       | Y    | another term for the same
    1       | SODIUM  | 2026-02-01 |     | 3    | Y       | N    | hyponatraemia is the other direction
    1       | SODIUM  | 2026-02-02 | 3   |      | Y       | Y    | as reported, not coded
    2       | NEUT    | 2026-02-01 | 3   |      | Y       | N    | another patient's event
"""
ADAE = """
    USUBJID | AEDECOD                    | AETERM      | ASTDT      | AENDT
    1       | Neutrophil count decreased | low counts  | 2026-02-01 | 2026-02-10
    1       | Anaemia                    | pale        | 2026-01-30 | |
    1       | Acute kidney injury        | kidneys     | 2026-02-01 | 2026-02-03
    1       |                            | Hyponatremia| 2026-02-01 | 2026-02-03
"""


def build(**laboratory: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    drawn = table(ADLB)
    values = drawn.select(
        "PARAMCD", "ADT", "ONTRTFL",
        USUBJID=pl.col("USUBJID").cast(pl.String),
        SRCSEQ=pl.int_range(1, pl.len() + 1),
        ATOXGRL=pl.col("low").cast(pl.Int8),
        ATOXGRH=pl.col("high").cast(pl.Int8),
        AVAL=pl.lit(1.0),
        ANRHI=pl.lit(1.0),
    )  # fmt: skip
    events = table(ADAE).with_columns(pl.col("USUBJID").cast(pl.String))
    return reconciled(small_study(laboratory=laboratory), values, events)


def test_severe_values_and_the_events_near_them() -> None:
    frame, found = build()
    assert frame["AEFL"].to_list() == table(ADLB)["told"].to_list()
    assert found.select("key", "value").rows() == [
        ("USUBJID=1, LBSEQ=3", "NEUT low: 2 values, worst grade 4, first 2026-01-24"),
        ("USUBJID=1, LBSEQ=11", "SODIUM high: 1 values, worst grade 3, first 2026-02-01"),
        ("USUBJID=2, LBSEQ=13", "NEUT low: 1 values, worst grade 3, first 2026-02-01"),
    ]


def test_the_days_and_further_terms_are_the_studys() -> None:
    frame, _ = build(events_within_days=8, events={"SODIUM high": ["Acute kidney injury"]})
    assert [row for row in frame["AEFL"] if row == "N"] == ["N"], "only patient 2"


def test_hys_law_is_a_finding() -> None:
    drawn = table(
        """
        USUBJID | PARAMCD | ADT        | AVAL | ANRHI
        1       | ALT     | 2026-02-01 | 120  | 40
        1       | BILI    | 2026-02-20 | 40   | 20
        2       | ALT     | 2026-02-01 | 120  | 40
        2       | BILI    | 2026-02-20 | 39   | 20
        3       | AST     | 2026-02-01 | 120  | 40
        3       | BILI    | 2026-02-20 | 40   | 20
        3       | ALP     | 2026-02-20 | 100  | 120
        4       | AST     | 2026-02-01 | 120  | 40
        4       | BILI    | 2026-02-20 | 40   | 20
        4       | ALP     | 2026-02-20 | 240  | 120
        """
    )
    values = drawn.with_columns(
        pl.col("USUBJID").cast(pl.String), pl.col("AVAL", "ANRHI").cast(pl.Float64), ONTRTFL=pl.lit("Y"),
        SRCSEQ=pl.lit(1), ATOXGRL=pl.lit(0, pl.Int8), ATOXGRH=pl.lit(0, pl.Int8),
    )  # fmt: skip
    events = table(ADAE).with_columns(pl.col("USUBJID").cast(pl.String))
    _, found = reconciled(small_study(), values, events)
    assert found.select("key", "value").rows() == [
        ("USUBJID=1", "alkaline phosphatase not measured on 2026-02-20"),
        ("USUBJID=3", "alkaline phosphatase below 2 x ULN on 2026-02-20"),
        ("USUBJID=4", "alkaline phosphatase not below 2 x ULN on 2026-02-20"),
    ]
    assert set(found["action"]) == {"for medical review"}


def test_every_graded_test_has_a_term_whose_grades_reach_those_of_its_limits() -> None:
    """Two tables of the same document agree: no limit leads to a grade that its term does not have."""
    reached = ctcae.criteria("5.0").select("term", pl.col("grade").cast(pl.String)).unique()
    carried = terms().rename({"grades": "known"})
    assert not carried["term"].is_duplicated().any()
    joined = reached.join(carried, on="term")
    assert joined.height > 100
    assert joined.filter(~pl.col("known").str.contains(pl.col("grade"), literal=True)).is_empty()
    assert lab_events().filter(test="NEUT", direction="L")["term"].to_list() == [
        *("Neutrophil count decreased", "Febrile neutropenia"),
    ]


def test_spellings() -> None:
    said = pl.DataFrame({"t": ["Anaemia", " HYPONATRAEMIA ", "Diarrhoea", "Oedema", "Haemorrhage", "Nausea"]})
    keys = said.select(term_key(pl.col("t"))).to_series().to_list()
    assert keys == ["ANEMIA", "HYPONATREMIA", "DIARRHEA", "EDEMA", "HEMORRHAGE", "NAUSEA"]
