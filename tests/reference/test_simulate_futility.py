"""Stops for futility against rpact's simulations and the joint normal distribution of two looks.

Program: tests/reference/r/simulate_futility.R, output simulate_futility.txt (versions in its first line). Both sides are
simulations, so they may differ by 4.5 standard errors of both together.
"""

import math

import numpy as np
import pytest

from simulate_designs import A, design
from stats_reference import numbers
from trialwright.simulate.characteristics import characteristics
from trialwright.simulate.chunks import Run, simulate
from trialwright.simulate.cohort import enrol
from trialwright.simulate.looks import look_at, stopped
from trialwright.simulate.stops import futile
from trialwright.simulate.tally import STOP, STOP_OBEYED, mean
from trialwright.stats.sequential import boundaries, conditional_power, crossing

R = numbers("simulate_futility.txt")
TREND = {"conditional_power": 0.1}
PLANNED = {"conditional_power": 0.3, "effect": "design", "hazard_ratio": 0.75}
CASES = {
    "trend_null": (1, 150, TREND),
    "trend_effect": (0.75, 150, TREND),
    "trend_early": (0.75, 90, {"conditional_power": 0.3}),
    "planned_null": (1, 150, PLANNED),
    "planned_effect": (0.85, 150, PLANNED),
}
N = 3000


def made(ratio, events, futility):
    return design({
        "title": "futility", "patients": 400, "control": {"median": 12}, "hazard_ratio": [{"value": ratio}],
        "accrual": {"model": "even", "months": 24}, "allocation": {"method": "fixed"}, "tests": [{"id": "logrank"}],
        "looks": [{"events": events, "futility": futility}, {"events": 300}],
    })  # fmt: skip


def near(ours, theirs, n, iterations):
    both = (ours * n + theirs * iterations) / (n + iterations)
    assert abs(ours - theirs) < 4.5 * math.sqrt(both * (1 - both) * (1 / n + 1 / iterations)) + 1e-12


def test_every_case_of_the_program_is_here():
    assert set(CASES) == set(R)


@pytest.mark.parametrize("name", CASES)
def test_against_rpact(name):
    z, *theirs, vain, iterations = R[name].tolist()
    ratio, events, futility = CASES[name]
    what = made(ratio, events, futility)
    found = simulate(Run(what, N, seed=9))
    near(found["futile", "logrank", "1"] / N, vain, N, iterations)
    near(found["rejected_obeying", "logrank", ""] / N, sum(theirs), N, iterations)
    assert found["futile", "logrank", "2"] == 0
    seen = look_at(what, enrol(what, 9, np.arange(200)))
    np.testing.assert_array_equal(futile(what, seen) == 0, seen[0].z[0] < z)


def test_against_the_joint_normal_distribution():
    """Under the null Z of both looks is normal with correlation sqrt(t): what rejects and what stops, exactly."""
    z = R["trend_null"][0]
    found = simulate(Run(made(*CASES["trend_null"]), N, seed=9))
    bounds = boundaries([150, 300]).z
    near(found["futile", "logrank", "1"] / N, 0.5 * math.erfc(-z / math.sqrt(2)), N, 1e12)
    obeyed = crossing([150, 300], bounds, lower=[z, -math.inf]).sum()
    near(found["rejected_obeying", "logrank", ""] / N, obeyed, N, 1e12)


def test_conditional_power_is_that_of_the_single_form():
    """At 150 of 300 events: futile is what stats.sequential says, under the trend and under the plan."""
    for futility, drift in ((TREND, None), (PLANNED, -math.log(0.75) * math.sqrt(75))):
        what = made(0.75, 150, futility)
        seen = look_at(what, enrol(what, 3, np.arange(100)))
        last = boundaries([150, 300]).z[-1]
        told = [conditional_power(z, 0.5, last, drift) < futility["conditional_power"] for z in seen[0].z[0]]
        assert any(told)
        np.testing.assert_array_equal(futile(what, seen) == 0, told)


def test_what_is_told():
    """Power with and without, stops, and where trials end; an efficacious look is never futile."""
    what = made(0.75, 90, {"conditional_power": 0.3})
    found = simulate(Run(what, 500, seed=2))
    value = {(g, l, s): v for g, l, s, v in
             characteristics(what, "x", found).select("group", "level", "statistic", "value").rows()}  # fmt: skip
    assert value["logrank", "", "power_futility_obeyed"] < value["logrank", "", "power"]
    assert value["logrank", "1", "stops_for_futility"] == value["logrank", "", "stops_for_futility"]
    assert value["", STOP_OBEYED, "month"] < value["", STOP, "month"]
    assert value["", STOP_OBEYED, "events"] == mean(found, "events", STOP_OBEYED)[0]
    seen = look_at(what, enrol(what, 2, np.arange(500)))
    vain, when = futile(what, seen), stopped(what, seen)[0]
    assert found["futile", "logrank", "1"] == ((vain == 0) & (when > 0)).sum()
    lost = ((vain < when) & (when < 2)).sum()
    assert lost > 0
    assert found["rejected_obeying", "logrank", ""] == (when < 2).sum() - lost


def test_nothing_is_futile_once_the_planned_events_are_there():
    looks = [{"month": 300, "futility": {"conditional_power": 0.99}}, {"month": 301}]
    what = design(A, looks=looks, level={"planned": 100})
    assert (futile(what, look_at(what, enrol(what, 1, np.arange(50)))) == 2).all()
