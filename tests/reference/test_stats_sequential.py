"""Boundaries, power, deaths and expected events against rpact.

Program: tests/reference/r/stats_sequential.R, output stats_sequential.txt (versions in its first line). rpact was
asked for its finest tolerance, 1e-10 of alpha, which leaves its bounds about 1e-7 open; ours integrate to 1e-12.
"""

import numpy as np
import pytest

from stats_reference import numbers
from trialwright.stats.sample_size import (
    Design,
    Piecewise,
    constant,
    deaths_needed,
    expected_events,
    uniform_accrual,
)
from trialwright.stats.sequential import boundaries, crossing

R = numbers("stats_sequential.txt")
WORDS = {"asOF": "obrien-fleming", "asP": "pocock", "asHSD": "hwang-shih-decani"}


@pytest.mark.parametrize("key", [key for key in R if key.startswith("bound.as")])
def test_boundaries(key):
    _, kind, looks = key.split(".")
    found = boundaries(R[f"looks.{looks}"], spending=WORDS[kind])
    np.testing.assert_allclose(found.z, R[key], rtol=2e-7)
    np.testing.assert_allclose(found.spent, R[f"spent.{kind}.{looks}"], atol=2e-8)
    for drift in ("2", "3.2415"):
        chance = crossing(R[f"looks.{looks}"], R[key], drift=float(drift))
        np.testing.assert_allclose(chance.sum(), R[f"power.{kind}.{looks}.{drift}"], atol=1e-7)


def test_other_shapes():
    third = [1 / 3, 2 / 3, 1]
    found = boundaries(third, alpha=0.05, spending="hwang-shih-decani", gamma=2).z
    np.testing.assert_allclose(found, R["bound.hsd2"], rtol=1e-7)
    np.testing.assert_allclose(
        boundaries(third, alpha=0.05, spending="power", gamma=2).z, R["bound.kd2"], rtol=1e-7
    )


@pytest.mark.parametrize(
    ("looks", "z", "p"),
    [
        ((0.5, 1), (2.963, 1.969), (0.00305, 0.0490)),
        ((0.6, 1), (2.669, 1.981), (0.0076, 0.0476)),
        ((2 / 3, 1), (2.509, 1.993), (0.0121, 0.0463)),
        ((0.7, 1), (2.438, 2.000), (0.0148, 0.0455)),
        ((0.75, 1), (2.340, 2.012), (0.0193, 0.0442)),
        ((0.8, 1), (2.250, 2.025), (0.0244, 0.0429)),
        ((0.5, 0.75, 1), (2.963, 2.359, 2.014), (0.00305, 0.0183, 0.0440)),
        ((1 / 3, 2 / 3, 1), (3.710, 2.511, 1.993), (0.0002, 0.0120, 0.0463)),
    ],
)
def test_the_table_of_the_rules(looks, z, p):
    found = boundaries(looks)
    # the page prints three decimals
    np.testing.assert_allclose(found.z, z, atol=6e-4)
    np.testing.assert_allclose(found.p_two_sided, p, atol=6e-5)


@pytest.mark.parametrize("hazard_ratio", [0.6, 0.65, 0.75])
@pytest.mark.parametrize("ratio", [1, 2])
def test_deaths_and_patients(hazard_ratio, ratio):
    share = ratio / (1 + ratio)
    deaths = deaths_needed(hazard_ratio, share=share)
    assert deaths == pytest.approx(R[f"schoenfeld.{hazard_ratio}.{ratio}"][0], rel=1e-10)
    rate = np.log(2) / 12
    design = Design(constant(rate), constant(rate * hazard_ratio), uniform_accrual(1, 24), share=share)
    patients = deaths / expected_events(design, 36).sum()
    assert patients == pytest.approx(R[f"subjects.{hazard_ratio}.{ratio}"][0], rel=1e-10)


def test_events_with_dropout():
    rate, lost = np.log(2) / 12, constant(-np.log(0.95) / 12)
    design = Design(constant(rate), constant(0.65 * rate), uniform_accrual(1, 24), lost, lost)
    found = expected_events(design, [6, 12, 24, 36]).sum(axis=1)
    np.testing.assert_allclose(found, R["events.exponential"], rtol=1e-10)


def test_events_with_hazards_that_change():
    control = Piecewise((0, 4, 10), (0.03, 0.06, 0.02))
    treated = Piecewise((0, 4, 10), (0.021, 0.042, 0.014))
    lost = constant(-np.log(0.95) / 12), constant(-np.log(0.9) / 12)
    design = Design(control, treated, Piecewise((0, 6, 24), (5, 15, 0)), *lost, share=2 / 3)
    found = expected_events(design, [6, 12, 24, 36]).sum(axis=1) / 300
    # rpact integrates these numerically, to about 2e-7
    np.testing.assert_allclose(found, R["events.piecewise"], rtol=1e-6)
