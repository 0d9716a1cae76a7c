"""A value or a day that is not there: no grade and no nadir are made of what is left."""

from __future__ import annotations

import polars as pl

from recist_frames import MEASURED
from trialwright.medicine import recist
from trialwright.medicine.ctcae import Policy, criteria, grade_labs


def test_a_missing_value_after_an_abnormal_baseline_has_no_grade() -> None:
    """Alanine aminotransferase of 100 at baseline, limit 40: its rows ask for the baseline, and so know a lot."""
    labs = pl.DataFrame(
        {
            "subject": ["1", "1"],
            "test": ["ALT", "ALT"],
            "value": [100.0, None],
            "unit": ["U/L", "U/L"],
            "lln": [5.0, 5.0],
            "uln": [40.0, 40.0],
            "baseline": [100.0, 100.0],
            "is_baseline": [True, False],
        }
    )
    graded = grade_labs(labs, criteria("5.0"), Policy())
    assert graded["grade_high"].to_list() == [1, None]
    assert graded["reason_high"][1] == "value missing"


def test_a_scan_without_a_day_has_no_nadir_and_is_none() -> None:
    """Two scans without a day after a baseline without one: what came before them is not known."""
    rows = pl.DataFrame(
        {
            "subject": ["1"] * 3,
            "assessor": ["INV"] * 3,
            "assessment": [0, 1, 2],
            "day": [None, None, 42],
            "lesion": ["T1"] * 3,
            "nodal": [False] * 3,
            "diameter_mm": [30.0, 20.0, 25.0],
            "baseline": [True, False, False],
        },
        schema_overrides={"day": pl.Int64},
    )
    missing = [pl.lit(None).alias(name) for name in MEASURED if name not in rows.columns]
    frame = rows.with_columns(missing).select(pl.col(n).cast(kind) for n, kind in MEASURED.items())
    course = recist.target_course(frame).sort("assessment")
    assert course["nadir_mm"].to_list()[1] is None
