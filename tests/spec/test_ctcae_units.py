"""Laboratory units to SI, and the tables themselves."""

from __future__ import annotations

import polars as pl
import pytest

from drawn import table
from trialwright.medicine.ctcae import corrected_calcium, criteria
from trialwright.medicine.units import to_si, units


@pytest.mark.parametrize(
    ("test", "value", "unit", "si", "si_unit"),
    [
        ("HGB", 12.5, "g/dL", 125, "g/L"),
        ("HGB", 125, "g/L", 125, "g/L"),
        ("HGB", 6.2, "mmol/L", 99.9068, "g/L"),
        ("CREAT", 1.0, "mg/dL", 88.4, "umol/L"),
        ("CREAT", 0.1, "mmol/L", 100, "umol/L"),
        ("BILI", 1.2, "mg/dL", 20.52, "umol/L"),
        ("BILI", 20.5, "µmol/L", 20.5, "umol/L"),
        ("BILI", 20.5, "μmol/L", 20.5, "umol/L"),
        ("BILI", 20.5, "mcmol/L", 20.5, "umol/L"),
        ("GLUC", 180.16, "mg/dL", 10, "mmol/L"),
        ("CA", 10.02, "mg/dL", 2.5, "mmol/L"),
        ("CA", 5, "mEq/L", 2.5, "mmol/L"),
        ("MG", 2.431, "mg/dL", 1, "mmol/L"),
        ("MG", 2, "mEq/L", 1, "mmol/L"),
        ("SODIUM", 140, "mEq/L", 140, "mmol/L"),
        ("K", 4, "MMOL/L", 4, "mmol/L"),
        ("ALB", 3.5, "g/dL", 35, "g/L"),
        ("FIBRINO", 300, "mg/dL", 3, "g/L"),
        ("ALT", 40, "U/L", 40, "U/L"),
        ("ALT", 40, "IU/L", 40, "U/L"),
        ("ALT", 1, "ukat/L", 60, "U/L"),
        ("ALT", 100, "nkat/L", 6, "U/L"),
        ("PLAT", 250, "THOU/uL", 250, "10^9/L"),
        ("PLAT", 250, "GI/L", 250, "10^9/L"),
        ("PLAT", 250, "10^9/L", 250, "10^9/L"),
        ("PLAT", 250, "10*9/L", 250, "10^9/L"),
        ("PLAT", 250, "x10E9/l", 250, "10^9/L"),
        ("PLAT", 250, "10^3/mm3", 250, "10^9/L"),
        ("PLAT", 250, "X 10**3 / uL", 250, "10^9/L"),
        ("PLAT", 250, "K/cumm", 250, "10^9/L"),
        ("NEUT", 1500, "/mm3", 1.5, "10^9/L"),
        ("NEUT", 1500, "cells/uL", 1.5, "10^9/L"),
        ("CD4", 200, "10^6/L", 0.2, "10^9/L"),
        ("URATE", 10, "mg/dL", 594.8, "umol/L"),
        ("CHOL", 38.67, "mg/dL", 1, "mmol/L"),
        ("TRIG", 88.57, "mg/dL", 1, "mmol/L"),
        ("PHOS", 3.097, "mg/dL", 1, "mmol/L"),
        ("INR", 1.1, None, 1.1, "1"),
        ("INR", 1.1, "RATIO", 1.1, "1"),
        ("APTT", 30, "sec", 30, "s"),
    ],
)
def test_conversion(test: str, value: float, unit: str | None, si: float, si_unit: str) -> None:
    row = pl.DataFrame(
        {"test": [test], "value": [float(value)], "unit": [unit]}, schema_overrides={"unit": pl.String}
    )
    found = to_si(row).row(0, named=True)
    assert found["si_value"] == pytest.approx(si, rel=1e-12)
    assert (found["si_unit"], found["value"], found["unit"]) == (si_unit, value, unit)


@pytest.mark.parametrize(
    ("test", "unit"),
    [
        ("ALT", "furlong"),
        ("ALT", None),
        ("ALT", "g/L"),
        ("NEUT", "mmol/L"),
        ("SODIUM", "mg/dL"),
        ("XYZ", "g/L"),
        ("K", "%"),
    ],
)
def test_an_unknown_unit_is_not_guessed(test: str, unit: str | None) -> None:
    row = pl.DataFrame({"test": [test], "value": [1.0], "unit": [unit]}, schema_overrides={"unit": pl.String})
    assert to_si(row).select("si_value", "si_unit").row(0) == (None, None)


def test_limits_are_converted_beside_the_value() -> None:
    rows = table("""
        | test | unit  | value | lln  | uln  |
        | HGB  | g/dL  | 10.0  | 13.0 | 17.0 |
        | ALT  | U/L   | 10.0  |      | 40.0 |
        | HGB  | g/L   | 100.0 | 130.0 | 170.0 |
    """)
    found = to_si(rows, ("value", "lln", "uln")).select("si_value", "si_lln", "si_uln")
    assert found.rows() == [(100, 130, 170), (10, None, 40), (100, 130, 170)]


def test_corrected_calcium() -> None:
    """Ca 2.0 mmol/L: at albumin 40 unchanged, at 30 plus 0.2, at 50 minus 0.2."""
    rows = pl.DataFrame({"ca": [2.0, 2.0, 2.0, 2.0], "albumin": [40.0, 30.0, 50.0, None]})
    found = rows.select(corrected_calcium(pl.col("ca"), pl.col("albumin"))).to_series().to_list()
    assert found[:3] == pytest.approx([2.0, 2.2, 1.8])
    assert found[3] is None


def test_no_unit_has_two_meanings() -> None:
    assert units().select("test", "unit_key").is_duplicated().sum() == 0
    assert units().group_by("test").agg(pl.col("si_unit").n_unique())["si_unit"].unique().to_list() == [1]


@pytest.mark.parametrize("version", ["5.0", "4.03", "6.0"])
def test_the_criteria_are_well_formed(version: str) -> None:
    """Every limit in the SI unit of its test, every word known, higher grades harder to reach."""
    rules = criteria(version)  # type: ignore[arg-type]
    numeric = rules.filter(pl.col("basis") != "clinical")
    assert set(rules["direction"]) == {"L", "H"}
    assert set(rules["grade"]) == {1, 2, 3, 4}
    assert set(rules["sure"]) <= {"published", "recalled"}
    assert set(numeric["basis"]) <= {"absolute", "uln", "lln", "baseline", "uln_plus", "baseline_plus"}
    towards = {"L": {"<", "<="}, "H": {">", ">="}}
    assert all(r["operator"] in towards[r["direction"]] for r in numeric.iter_rows(named=True))
    si = units().select("test", "si_unit").unique()
    limits = numeric.filter(pl.col("basis").is_in(["absolute", "uln_plus", "baseline_plus"])).join(
        si, on="test"
    )
    assert limits.filter(pl.col("unit") != pl.col("si_unit")).is_empty()
    assert set(rules["test"]) <= set(units()["test"])
    same = ["test", "direction", "basis", "condition"]
    for _, rows in numeric.group_by(same):
        by_grade = rows.sort("grade")["limit"]
        assert by_grade.is_sorted(descending=rows["direction"][0] == "L"), rows
