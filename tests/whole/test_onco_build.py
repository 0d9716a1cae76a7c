"""The second trial: data this project did not make, through a study folder of data files only."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from trialwright import pipeline
from trialwright.study import load

SHARED = Path(__file__).parents[3] / "shared" / "data" / "onco"
CREATED = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the shared data are not beside the checkout ({SHARED.name})"
)


@pytest.fixture(scope="module", params=["large", "small"])
def built(request: pytest.FixtureRequest) -> pipeline.Built:
    return pipeline.build(pipeline.Inputs(load.folder("onco"), SHARED / request.param), CREATED)


def test_it_ends_with_its_datasets_and_a_report(built: pipeline.Built) -> None:
    for name in ("ADSL", "ADRS", "ADTTE", "ADAE"):
        assert built.datasets[name].height > 0, name
    assert built.datasets["ADQS"].height == 0
    assert len(built.report) > 50_000


def test_screen_failures_are_there_and_not_randomised(built: pipeline.Built) -> None:
    adsl = built.datasets["ADSL"]
    assert (adsl.height, adsl.filter(pl.col("ITTFL") == "Y").height) == (306, 254)
    assert adsl.filter(pl.col("ITTFL") == "Y")["TRT01P"].unique().sort().to_list() == [
        "PBO",
        "XANHI",
        "XANLO",
    ]


def test_each_reader_has_its_own_responses_and_the_accepted_one_too(built: pipeline.Built) -> None:
    assert set(built.datasets["ADRS"]["PARQUAL"].unique()) == {"INV", "IRC1", "IRC2", "IRC"}


def test_each_dose_is_compared_with_placebo(built: pipeline.Built) -> None:
    ratios = built.results.filter((pl.col("analysis") == "PFS.ITT") & (pl.col("statistic") == "hazard_ratio"))
    assert ratios["group"].to_list() == ["XANLO vs PBO", "XANHI vs PBO"]


def test_what_cannot_be_estimated_says_why(built: pipeline.Built) -> None:
    gaps = built.results.filter(pl.col("value").is_null())
    assert gaps.height > 0
    assert gaps["note"].null_count() == 0


def test_a_reported_response_that_is_no_response_is_a_finding(built: pipeline.Built) -> None:
    values = built.findings.filter(pl.col("rule") == "not a response of RECIST 1.1")["value"].to_list()
    assert set(values) <= {"CHECK"}
