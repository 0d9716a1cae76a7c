"""Laboratory units to SI, and the tables themselves."""

from __future__ import annotations

import polars as pl
import pytest

from drawn import table
from trialwright.medicine.ctcae import criteria
from trialwright.medicine.lab_values import corrected_calcium
from trialwright.medicine.units import coded, to_si, unit_key, units
from trialwright.medicine.units import conversions as of_each

COUNTS = "NEUT LYM WBC PLAT CD4 EOS BASO MONO"
PROTEINS = "HGB ALB PROT FIBRINO HAPTOG"
ENZYMES = "ALT AST ALP GGT LDH CK LIPASE AMYLASE"
CALCIUM = "CA CACORR CAION"
MOLAR = f"SODIUM K CL {CALCIUM} MG GLUC CHOL TRIG HDL LDL PHOS"

# tests, value and unit as reported, value and unit in SI: typed from molar masses and the definition of the units
CONVERSIONS = [
    (COUNTS, 250, "THOU/uL", 250, "10^9/L"),
    (COUNTS, 250, "THOUS/uL", 250, "10^9/L"),
    (COUNTS, 250, "K/uL", 250, "10^9/L"),
    (COUNTS, 250, "K/cumm", 250, "10^9/L"),
    (COUNTS, 250, "GI/L", 250, "10^9/L"),
    (COUNTS, 250, "G/L", 250, "10^9/L"),
    (COUNTS, 250, "10^9/L", 250, "10^9/L"),
    (COUNTS, 250, "10*9/L", 250, "10^9/L"),
    (COUNTS, 250, "x10E9/l", 250, "10^9/L"),
    (COUNTS, 250, "x10E09/L", 250, "10^9/L"),
    (COUNTS, 250, "10^3/mm3", 250, "10^9/L"),
    (COUNTS, 250, "10^3/mm^3", 250, "10^9/L"),
    (COUNTS, 250, "X 10**3 / uL", 250, "10^9/L"),
    (COUNTS, 250, "10^3/mcL", 250, "10^9/L"),
    (COUNTS, 1500, "/mm3", 1.5, "10^9/L"),
    (COUNTS, 1500, "/uL", 1.5, "10^9/L"),
    (COUNTS, 1500, "cells/uL", 1.5, "10^9/L"),
    (COUNTS, 1500, "cell/µL", 1.5, "10^9/L"),
    (COUNTS, 200, "10^6/L", 0.2, "10^9/L"),
    (COUNTS, 200, "MI/L", 0.2, "10^9/L"),
    (PROTEINS, 12.5, "g/dL", 125, "g/L"),
    (PROTEINS, 125, "g/L", 125, "g/L"),
    (PROTEINS, 125, "mg/mL", 125, "g/L"),
    (PROTEINS, 300, "mg/dL", 3, "g/L"),
    (PROTEINS, 300, "mg/L", 0.3, "g/L"),
    ("HGB", 6.2, "mmol/L", 99.9068, "g/L"),
    (ENZYMES, 40, "U/L", 40, "U/L"),
    (ENZYMES, 40, "IU/L", 40, "U/L"),
    (ENZYMES, 40, "mU/mL", 40, "U/L"),
    (ENZYMES, 1, "ukat/L", 60, "U/L"),
    (ENZYMES, 1, "µkat/L", 60, "U/L"),
    (ENZYMES, 100, "nkat/L", 6, "U/L"),
    ("CREAT BILI URATE", 20.5, "umol/L", 20.5, "umol/L"),
    ("CREAT BILI URATE", 20.5, "µmol/L", 20.5, "umol/L"),
    ("CREAT BILI URATE", 20.5, "μmol/L", 20.5, "umol/L"),
    ("CREAT BILI URATE", 20.5, "mcmol/L", 20.5, "umol/L"),
    ("CREAT BILI URATE", 0.1, "mmol/L", 100, "umol/L"),
    ("CREAT", 1.0, "mg/dL", 88.4, "umol/L"),
    ("CREAT", 10, "mg/L", 88.4, "umol/L"),
    ("BILI", 1.2, "mg/dL", 20.52, "umol/L"),
    ("BILI", 12, "mg/L", 20.52, "umol/L"),
    ("URATE", 10, "mg/dL", 594.8, "umol/L"),
    (MOLAR, 4, "MMOL/L", 4, "mmol/L"),
    ("SODIUM K CL", 140, "mEq/L", 140, "mmol/L"),
    (f"{CALCIUM} MG", 5, "mEq/L", 2.5, "mmol/L"),
    (CALCIUM, 10.02, "mg/dL", 2.5, "mmol/L"),
    ("MG", 2.431, "mg/dL", 1, "mmol/L"),
    ("GLUC", 180.16, "mg/dL", 10, "mmol/L"),
    ("GLUC", 1.8016, "g/L", 10, "mmol/L"),
    ("CHOL HDL LDL", 38.67, "mg/dL", 1, "mmol/L"),
    ("TRIG", 88.57, "mg/dL", 1, "mmol/L"),
    ("PHOS", 3.097, "mg/dL", 1, "mmol/L"),
    ("INR", 1.1, None, 1.1, "1"),
    ("INR", 1.1, "", 1.1, "1"),
    ("INR", 1.1, "1", 1.1, "1"),
    ("INR", 1.1, "RATIO", 1.1, "1"),
    ("INR", 1.1, "{INR}", 1.1, "1"),
    ("INR", 1.1, "INR", 1.1, "1"),
    ("INR", 1.1, "NO UNITS", 1.1, "1"),
    ("APTT", 30, "s", 30, "s"),
    ("APTT", 30, "sec", 30, "s"),
    ("APTT", 30, "secs", 30, "s"),
    ("APTT", 30, "second", 30, "s"),
    ("APTT", 30, "Seconds", 30, "s"),
]
SCHEMA = {"tests": pl.String, "value": pl.Float64, "unit": pl.String, "si": pl.Float64, "said": pl.String}


def conversions() -> pl.DataFrame:
    """One row per test and conversion: test, value, unit, si, said."""
    typed = pl.DataFrame(CONVERSIONS, schema=SCHEMA, orient="row", strict=False)
    return typed.with_columns(test=pl.col("tests").str.split(" ")).explode("test").drop("tests")


def test_conversions() -> None:
    found = to_si(conversions())
    apart = (pl.col("si_value") / pl.col("si") - 1).abs() > 1e-12
    assert found.filter(apart.fill_null(True) | pl.col("si_unit").ne_missing(pl.col("said"))).is_empty()


def test_every_spelling_of_the_table_was_typed() -> None:
    typed = conversions().select("test", unit_key=unit_key(pl.col("unit")))
    assert set(units().select("test", "unit_key").iter_rows()) == set(typed.iter_rows())


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


@pytest.mark.parametrize("dtype", [pl.String(), pl.Enum(["b", "a", "never"])])
def test_texts_become_places(dtype: pl.DataType) -> None:
    """Also of an Enum, whose words need not all occur; a null takes the last place."""
    texts = pl.Series(["a", None, "b", "a"], dtype=dtype)
    place, different = coded(texts)
    assert different.gather(place).to_list() == ["a", None, "b", "a"]
    assert place[1] == different.len() - 1
    assert different.dtype == pl.String


def test_each_row_finds_its_pair_of_test_and_unit() -> None:
    rows = table("""
        | test | unit   | si_unit | times |
        | HGB  | g/dL   | g/L     | 10    |
        | ALT  | g/dL   |         |       |
        | HGB  |        |         |       |
        | INR  |        | 1       | 1     |
        |      | g/dL   |         |       |
        | HGB  | g/L    | g/L     | 1     |
    """).with_columns(pl.col("test", "unit", "si_unit").cast(pl.String))
    for kind in (pl.String(), pl.Enum(["INR", "HGB", "ALT"])):
        place, pairs = of_each(rows["test"].cast(kind), rows["unit"])
        found = pairs.select(pl.all().gather(place))
        assert found.select("test", "unit", "si_unit").rows() == rows.select("test", "unit", "si_unit").rows()
        assert found["times"].to_list() == rows["times"].to_list()
