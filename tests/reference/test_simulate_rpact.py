"""Fourteen designs against rpact's simulations: rejections at each look, and when the looks are.

Program: tests/reference/r/simulate_power.R, output simulate_power.txt (versions in its first line). Both sides are
simulations, so they may differ by 4.5 standard errors of both together. rpact stops a trial that rejects: its later
looks are timed in the trials still going, so only the first look is compared there.
"""

import math

import pytest

from simulate_designs import design
from stats_reference import numbers
from trialwright.simulate.chunks import Run
from trialwright.simulate.repeat import run
from trialwright.simulate.tally import mean

R = numbers("simulate_power.txt")


def pieces(*values):
    return [{"start": start, "value": value} for start, value in values]


SMALL = {"patients": 129, "accrual": {"model": "even", "months": 30},
         "allocation": {"method": "fixed", "control": 1, "experimental": 2}, "control": {"median": 7.5}}  # fmt: skip
EVEN = {"method": "fixed", "control": 1, "experimental": 1}
LARGE = {"patients": 600, "accrual": {"model": "even", "months": 24}, "allocation": EVEN, "control": {"median": 12},
         "dropout": {"per_year": 0.05}, "looks": [{"events": e} for e in (210, 315, 420)]}  # fmt: skip
POCOCK = {"patients": 300, "accrual": {"model": "even", "months": 18}, "allocation": EVEN, "control": {"median": 10},
          "looks": [{"events": e} for e in (60, 120, 180)], "level": {"spending": "pocock"}}  # fmt: skip
DESIGNS = {
    "a": SMALL | {"control": {"median": 7}, "hazard_ratio": pieces((0, 0.6)), "looks": [{"events": 90}]},
    "a_null": SMALL | {"control": {"median": 7}, "hazard_ratio": pieces((0, 1)), "looks": [{"events": 90}]},
    "moderate": SMALL | {"hazard_ratio": pieces((0, 0.68)), "looks": [{"events": 105}], "dropout": {"per_year": 0.03}},
    "target": SMALL | {"hazard_ratio": pieces((0, 1), (2, 0.5)), "looks": [{"events": 105}]},
    "harm": SMALL | {"hazard_ratio": pieces((0, 1.3), (1.5, 0.5)), "looks": [{"events": 105}]},
    "two_looks": SMALL
    | {"hazard_ratio": pieces((0, 0.6)), "looks": [{"events": 74}, {"events": 105}], "dropout": {"per_year": 0.03}},
    "more_control": SMALL
    | {"patients": 150, "accrual": {"model": "even", "months": 20}, "control": {"median": 6}, "looks": [{"events": 100}],
       "hazard_ratio": pieces((0, 0.55)), "allocation": {"method": "fixed", "control": 2, "experimental": 1}},
    "pocock": POCOCK | {"hazard_ratio": pieces((0, 0.7))},
    "pocock_null": POCOCK | {"hazard_ratio": pieces((0, 1)), "dropout": {"per_year": 0.1}},
    "hsd": {"patients": 240, "accrual": {"model": "even", "months": 18}, "allocation": EVEN, "control": {"median": 9},
            "looks": [{"events": e} for e in (40, 80, 120, 160)], "hazard_ratio": pieces((0, 0.65)),
            "level": {"spending": "hwang-shih-decani", "gamma": -4}},
    "pieces": {"patients": 400, "accrual": {"model": "even", "months": 24}, "allocation": EVEN,
               "control": {"hazard": pieces((0, 0.03), (3, 0.09), (9, 0.05))}, "hazard_ratio": pieces((0, 0.7)),
               "looks": [{"events": 250}], "dropout": {"per_year": 0.05}},
    "large": {"patients": 400, "accrual": {"model": "even", "months": 24}, "allocation": EVEN, "control": {"median": 12},
              "looks": [{"events": 300}], "hazard_ratio": pieces((0, 0.75))},
    "b": LARGE | {"hazard_ratio": pieces((0, 1), (4, 0.65))},
    "b_null": LARGE | {"hazard_ratio": pieces((0, 1))},
}  # fmt: skip


def test_every_design_of_the_program_is_here():
    assert set(DESIGNS) == set(R)


@pytest.mark.parametrize("name", DESIGNS)
def test_design(name):
    what = design({"title": name, "tests": [{"id": "logrank"}]} | DESIGNS[name])
    looks, n = len(what.looks), 900_000 // what.patients
    *theirs, iterations = R[name].tolist()
    found = run(Run(what, n, seed=12))
    for k in range(looks):
        ours = found["rejected", "logrank", str(k + 1)] / n
        both = (ours + theirs[k]) / 2
        assert (
            abs(ours - theirs[k]) < 4.5 * math.sqrt(both * (1 - both) * (1 / n + 1 / iterations)) + 1e-12
        ), k
    month, error = mean(found, "month", "1")
    assert abs(month - theirs[looks]) < 4.5 * error * math.sqrt(1 + n / iterations)
