"""Strata as randomised: which are merged, which are missing, and that it is said (project rules 8)."""

import polars as pl
import pytest

from analysis_frames import adsl, adtte, note, number, rows, with_analyses
from small import small_study
from trialwright.analysis.run import run
from trialwright.analysis.strata import strata
from trialwright.stats.cox import cox
from trialwright.stats.logrank import logrank


def drawn(**cells: tuple[int, int, int]) -> pl.DataFrame:
    """Patients of strata given as events in B, events in A, and censored in each arm."""
    made = []
    for name, (events_b, events_a, censored) in cells.items():
        for one, events in ((True, events_b), (False, events_a)):
            made += [(name, one, True)] * events + [(name, one, False)] * censored
    return pl.DataFrame(made, schema=["S", "one", "event"], orient="row")


def used(frame: pl.DataFrame, **options: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = strata(frame, ["S"], **options)
    return found.used, found.merged


def test_five_events_are_enough():
    assert used(drawn(x=(2, 3, 1), y=(5, 5, 1))) == (("x", "y"), ())


def test_two_thin_strata_become_one():
    frame = drawn(w=(2, 2, 1), x=(1, 2, 1), y=(5, 5, 1))
    assert used(frame) == (("other", "y"), ("w", "x"))


def test_one_thin_stratum_takes_the_next_thinnest_with_it():
    frame = drawn(w=(2, 2, 1), x=(4, 4, 1), y=(5, 5, 1))
    assert used(frame) == (("other", "y"), ("w", "x"))


def test_a_stratum_without_an_arm_is_merged_whatever_its_events():
    alone = drawn(w=(0, 9, 0), x=(4, 4, 1), y=(5, 5, 1))
    assert used(alone) == (("other", "y"), ("w", "x"))
    assert used(alone, least_events=0) == (("other", "y"), ("w", "x"))


def test_thin_strata_stay_where_only_arms_count():
    assert used(drawn(x=(1, 0, 3), y=(5, 5, 1)), least_events=0) == (("x", "y"), ())


def test_everything_thin_is_no_stratification():
    found = strata(drawn(x=(1, 1, 1), y=(1, 1, 1)), ["S"])
    assert found.labels is None
    assert found.merged == ("x", "y")


def test_one_stratum_is_no_stratification_and_no_merging():
    found = strata(drawn(x=(1, 1, 1)), ["S"])
    assert (found.labels, found.merged) == (None, ())


def test_no_strata_asked_for():
    assert strata(drawn(x=(1, 1, 1)), []).labels is None


def test_a_missing_value_is_a_level_and_is_counted():
    frame = drawn(x=(5, 5, 1), y=(5, 5, 1)).with_columns(S=pl.when(pl.col("S") == "x").then("S"))
    found = strata(frame, ["S"])
    assert found.used == ("missing", "x")
    assert found.missing == 12


def test_two_factors_make_their_combinations():
    frame = drawn(x=(10, 10, 1)).with_columns(
        T=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("u")).otherwise(pl.lit("v"))
    )
    assert strata(frame, ["S", "T"]).used == ("x / u", "x / v")


@pytest.fixture(scope="module")
def forty() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Forty patients, all dead but every fifth, in two strata of very different risk."""
    subjects, times = ["USUBJID | TRT01P | SITE1"], ["USUBJID | AVAL | CNSR"]
    for i in range(40):
        site, arm = ("LUNG", "GEP")[i % 2], "AB"[i // 2 % 2]
        subjects.append(f"{i} | {arm} | {site}")
        times.append(f"{i} | {7 + (i * 37) % 101 + 200 * (i % 2)} | {int(i % 5 == 0)}")
    return adsl("\n".join(subjects)), adtte("\n".join(times))


def test_the_contrast_is_the_stratified_one_and_the_unstratified_stands_beside_it(forty):
    subjects, times = forty
    one = {"id": "OS", "method": "time_to_event", "population": "ITT", "endpoint": "OS", "strata": ["SITE1"]}
    found = run(with_analyses(small_study(), one), {"ADSL": subjects, "ADTTE": times})
    both = subjects.join(times, on="USUBJID")
    time, event = both["AVAL"].to_numpy(), (both["CNSR"] == 0).to_numpy()
    group, site = (both["TRT01P"] == "B").to_numpy(), both["SITE1"].to_numpy()
    assert number(found, "p_logrank", "B vs A") == logrank(time, event, group, site).p_value
    assert number(found, "hazard_ratio", "B vs A") == pytest.approx(
        cox(time, event, group, site).hazard_ratio[0], rel=1e-12
    )
    plain = cox(time, event, group).hazard_ratio[0]
    assert number(found, "hazard_ratio_unstratified", "B vs A") == pytest.approx(plain, rel=1e-12)
    assert number(found, "hazard_ratio", "B vs A") != pytest.approx(plain, rel=1e-3)
    assert note(found, "strata", "B vs A") == "stratified by SITE1: GEP, LUNG"
    assert number(found, "strata", "B vs A") == 2


def test_merged_strata_are_logged(forty):
    subjects, times = forty
    three = subjects.with_columns(
        SITE1=pl.when(pl.col("USUBJID") < 6)
        .then(pl.lit("RARE"))
        .when(pl.col("USUBJID") < 9)
        .then(None)
        .otherwise("SITE1")
    )
    one = {"id": "OS", "method": "time_to_event", "population": "ITT", "endpoint": "OS", "strata": ["SITE1"]}
    found = rows(run(with_analyses(small_study(), one), {"ADSL": three, "ADTTE": times}), analysis="OS")
    assert note(found, "strata", "B vs A") == "stratified by SITE1: GEP, LUNG, other"
    assert note(found, "strata_merged", "B vs A").endswith("merged: RARE, missing")
    assert number(found, "strata_missing", "B vs A") == 3
