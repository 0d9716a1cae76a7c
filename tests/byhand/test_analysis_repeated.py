"""Change over the visits: ten patients, the same baselines in both arms, worked by hand where nothing is missing."""

from math import sqrt

import polars as pl
import pytest

from analysis_frames import adsl, note, number, rows, with_analyses
from drawn import table
from small import small_study
from trialwright.analysis.run import run

SUBJECTS = adsl(
    """
    USUBJID | TRT01P | SITE1
    a1      | A      | LUNG
    a2      | A      | GEP
    a3      | A      | LUNG
    a4      | A      | GEP
    a5      | A      | LUNG
    b1      | B      | LUNG
    b2      | B      | GEP
    b3      | B      | LUNG
    b4      | B      | GEP
    b5      | B      | LUNG
    """
)
FATIGUE = table(
    """
    USUBJID | WEEK 6 | WEEK 12 | BASE
    a1      | 12     | 10      | 10
    a2      | 24     | 28      | 20
    a3      | 28     | 32      | 30
    a4      | 42     |         | 40
    a5      | 54     | 52      | 50
    b1      | 4      | 6       | 10
    b2      | 14     | 8       | 20
    b3      | 22     | 26      | 30
    b4      | 36     | 30      | 40
    b5      | 44     | 40      | 50
    """
)


def forms(wide: pl.DataFrame, scale: str = "FA") -> pl.DataFrame:
    """ADQS of one scale: the baseline and each visit with a score."""
    visits = ["WEEK 6", "WEEK 12"]
    long = wide.unpivot(visits, index=["USUBJID", "BASE"], variable_name="AVISIT", value_name="AVAL")
    start = wide.select("USUBJID", "BASE", AVISIT=pl.lit("BASELINE"), AVAL="BASE")
    both = pl.concat([long.select(start.columns), start]).with_columns(
        pl.col("AVAL", "BASE").cast(pl.Float64)
    )
    changed = pl.when(pl.col("AVISIT") != "BASELINE").then(pl.col("AVAL") - pl.col("BASE"))
    flags = {"PARAMCD": pl.lit(scale), "PARCAT1": pl.lit("QLQ-C30"), "ANL01FL": pl.lit("Y")}
    return both.with_columns(CHG=changed, **flags).drop("BASE").reverse()


def found(adqs: pl.DataFrame, **change: object) -> pl.DataFrame:
    one = {"id": "M", "method": "mmrm", "population": "ITT", "endpoint": "TTD"} | change
    return rows(run(with_analyses(small_study(), one), {"ADSL": SUBJECTS, "ADQS": adqs}), analysis="M")


class TestOneVisit:
    """At week 12 arm A has four changes: one too few. What is left is a regression of the change at week 6.

    changes A 2, 4, -2, 2, 4 (mean 2), B -6, -6, -8, -4, -6 (mean -6); the baselines are alike, so the difference
    is -8. About the arms' means A 0, 2, -4, 0, 2 and B 0, 0, -2, 2, 0: squares 24 + 8; products with the
    baseline (-2, -1, 0, 1, 2 tens) A -2 + 4 = 2 and B 2, over 20 squares: rest 32 - 4²/20 = 31.2 on 10 - 3,
    error sqrt(31.2/7 · 2/5).
    """

    results = found(forms(FATIGUE))

    def test_means_and_difference(self):
        level = "FA | WEEK 6"
        assert number(self.results, "lsmean", "A", level) == pytest.approx(2)
        assert number(self.results, "lsmean", "B", level) == pytest.approx(-6)
        assert number(self.results, "difference", "B vs A", level) == pytest.approx(-8)
        half = number(self.results, "difference_upper", "B vs A", level) + 8
        assert half == pytest.approx(2.3646242515927845 * sqrt(31.2 / 7 * 2 / 5))  # t on 7
        assert number(self.results, "n", "A", level) == 5

    def test_over_all_visits_is_that_visit(self):
        assert number(self.results, "difference", "B vs A", "FA | all visits") == pytest.approx(-8)

    def test_what_is_left_out_is_said(self):
        assert number(self.results, "left_out", level="FA") == 9
        assert note(self.results, "left_out", level="FA") == "changes at visits with fewer than 5 in an arm"
        assert note(self.results, "structure", level="FA") == "unstructured"
        assert number(self.results, "subjects", level="FA") == 10
        assert "after a death" in note(self.results, "subjects", level="FA")

    def test_a_scale_without_forms_says_why(self):
        assert note(self.results, "structure", level="PA") == "no visit has 5 changes in every arm"


def test_two_visits():
    """Complete, so that at each visit the difference is that of the means."""
    whole = FATIGUE.with_columns(pl.col("WEEK 12").fill_null(46))
    results = found(forms(whole))
    # A: 0, 8, 2, 6, 2: mean 3.6; B: -4, -12, -4, -10, -10: mean -8
    assert number(results, "difference", "B vs A", "FA | WEEK 12") == pytest.approx(-8 - 3.6)
    assert number(results, "difference", "B vs A", "FA | WEEK 6") == pytest.approx(-8)
    assert number(results, "difference", "B vs A", "FA | all visits") == pytest.approx((-8 - 11.6) / 2)
    assert number(results, "structure", level="FA") == 3  # two variances and a covariance
    assert rows(results, statistic="left_out").is_empty()


def test_strata_take_their_share_out_of_the_error():
    plain, stratified = found(forms(FATIGUE)), found(forms(FATIGUE), strata=["SITE1"])
    level = "FA | WEEK 6"
    assert number(stratified, "difference", "B vs A", level) == pytest.approx(-8)  # as many of each in both
    assert number(stratified, "difference_upper", "B vs A", level) != pytest.approx(
        number(plain, "difference_upper", "B vs A", level)
    )


def test_only_a_family_of_scales_will_do():
    with pytest.raises(ValueError, match="'OS' is not a deterioration family"):
        found(forms(FATIGUE), endpoint="OS")
