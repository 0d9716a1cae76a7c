"""The 6-MP trial through the whole analysis: ADTTE in, the report's numbers out.

Passport: R 4.2.2, survival 3.5-3: survfit (conf.type = "log-log"), survdiff, coxph (Efron) with and without
strata(stratum); numbers as printed in the project rules 8.16. Tolerance: half a unit of the last digit there.
"""

import math

import pytest

from analysis_frames import adsl, adtte, note, number, with_analyses
from small import small_study
from trialwright.analysis.run import run

SIX_MP = [(t, 0) for t in (6, 6, 6, 7, 10, 13, 16, 22, 23)]
SIX_MP += [(t, 1) for t in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)]
PLACEBO = [(t, 0) for t in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]


@pytest.fixture(scope="module")
def results():
    patients = [(f"{i}", "B", *row) for i, row in enumerate(SIX_MP)]
    patients += [(f"{i + 21}", "A", *row) for i, row in enumerate(PLACEBO)]
    subjects = [f"P{i} | {arm} | S{int(i) % 3 + 1}" for i, arm, _, _ in patients]
    times = [f"P{i} | {t} | {censored}" for i, _, t, censored in patients]
    adam = {
        "ADSL": adsl("\n".join(["USUBJID | TRT01P | SITE1", *reversed(subjects)])),
        "ADTTE": adtte("\n".join(["USUBJID | AVAL | CNSR", *times])),
    }
    common = {"method": "time_to_event", "population": "ITT", "endpoint": "OS"}
    days = [t / 30.4375 for t in (6, 12, 24)]
    plain = common | {"id": "PLAIN", "landmarks_months": days, "rmst_months": [20 / 30.4375]}
    return run(with_analyses(small_study(), plain, common | {"id": "STRATA", "strata": ["SITE1"]}), adam)


def test_medians_and_quartiles(results):
    names = ("median", "median_lower", "median_upper", "q1", "q3")
    assert [number(results, s, "A", analysis="PLAIN") for s in names] == [8, 4, 11, 4, 12]
    assert [number(results, s, "B", analysis="PLAIN") for s in names] == [23, 13, None, 13, None]
    assert note(results, "median_upper", "B", analysis="PLAIN") == "not reached"


@pytest.mark.parametrize(
    ("group", "day", "rate", "lower", "upper"),
    [
        ("B", 6, 0.857, 0.620, 0.952),
        ("B", 12, 0.753, 0.503, 0.889),
        ("B", 24, 0.448, 0.188, 0.680),
        ("A", 6, 0.571, 0.338, 0.749),
        ("A", 12, 0.190, 0.0595, 0.377),
    ],
)
def test_landmarks(results, group, day, rate, lower, upper):
    level = f"{day / 30.4375:g} months"
    found = [
        number(results, f"survival{end}", group, level, analysis="PLAIN") for end in ("", "_lower", "_upper")
    ]
    assert found == pytest.approx([rate, lower, upper], abs=5e-4)


def test_the_tests(results):
    assert number(results, "z_logrank", "B vs A", analysis="PLAIN") == pytest.approx(
        -math.sqrt(16.792941), abs=1e-6
    )
    assert number(results, "p_logrank", "B vs A", analysis="PLAIN") == pytest.approx(4.169e-05, abs=5e-9)
    assert number(results, "z_logrank", "B vs A", analysis="STRATA") ** 2 == pytest.approx(
        13.460657, abs=5e-7
    )


def test_the_hazard_ratios(results):
    found = [
        number(results, f"hazard_ratio{end}", "B vs A", analysis="PLAIN") for end in ("", "_lower", "_upper")
    ]
    assert found == pytest.approx([0.207604, 0.092513, 0.465873], abs=5e-7)
    stratified = number(results, "hazard_ratio", "B vs A", analysis="STRATA")
    assert math.log(stratified) == pytest.approx(-1.401846, abs=5e-7)
    unstratified = number(results, "hazard_ratio_unstratified", "B vs A", analysis="STRATA")
    assert unstratified == pytest.approx(0.207604, abs=5e-7)
    assert number(results, "strata", "B vs A", analysis="STRATA") == 3


def test_restricted_means_and_follow_up(results):
    level = f"{20 / 30.4375:g} months"
    found = [number(results, f"rmst_difference{end}", "B vs A", level) for end in ("", "_lower", "_upper")]
    assert found == pytest.approx([7.687959, 4.1959, 11.1800], abs=5e-5)
    assert number(results, "rmst", "B", level) == pytest.approx(16.11653, abs=5e-6)
    names = ("followup_median", "followup_median_lower", "followup_median_upper")
    assert [number(results, s, "B", analysis="PLAIN") for s in names] == [25, 11, 32]
