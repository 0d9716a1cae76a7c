"""Each printed limit just before, at and just beyond it, in every version; and none forgotten."""

from __future__ import annotations

import polars as pl
import pytest

import ctcae_limits
from trialwright.medicine.ctcae import criteria

VERSIONS = ("5.0", "4.03", "6.0")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_limit_of_the_printed_text(version: str) -> None:
    assert ctcae_limits.wrong(version, criteria(version)).is_empty()  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_test_and_grade_of_the_table_was_typed(version: str) -> None:
    typed = {
        (row["test"], row["side"], int(step[-1]))
        for row in ctcae_limits.situations(version)
        for step in str(row["steps"]).split()
    }
    numeric = criteria(version).filter(pl.col("basis") != "clinical")  # type: ignore[arg-type]
    assert set(numeric.select("test", "direction", "grade").iter_rows()) == typed


def test_where_the_versions_differ_from_the_pinned_one() -> None:
    """Tests whose numbers are not those of v5.0, by version: the reason to pin one and refuse mixing."""
    numbers = ["test", "direction", "grade", "basis", "operator", "limit", "condition"]
    pinned = set(criteria("5.0").select(numbers).iter_rows())

    def differing(version: str) -> set[tuple[str, str]]:
        other = set(criteria(version).select(numbers).iter_rows())  # type: ignore[arg-type]
        return {(row[0], row[1]) for row in pinned ^ other}

    enzymes = {(test, "H") for test in ("ALT", "AST", "ALP", "GGT", "BILI")}
    either = {("CREAT", "H"), ("LIPASE", "H"), ("GLUC", "H")} | enzymes
    assert differing("4.03") == either | {
        ("HGB", "H"),
        ("FIBRINO", "L"),
        ("AMYLASE", "H"),
        ("INR", "H"),
        ("SODIUM", "L"),
        ("URATE", "H"),
        ("PHOS", "L"),
        ("PHOS", "H"),
        ("LDH", "H"),
    }
    assert differing("6.0") == either | {
        ("NEUT", "L"),
        ("PLAT", "L"),
        ("LYM", "L"),
        ("CK", "H"),
        ("HDL", "L"),
        ("LDL", "H"),
    }
