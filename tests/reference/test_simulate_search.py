"""The number of events found by search against Schoenfeld's as rpact gives it, one to one and two to one.

Program: tests/reference/r/stats_sequential.R, output stats_sequential.txt (versions in its first line). Two in five
patients die, so that the arms stay in proportion, as the closed form takes for granted. The search may be off by 3.5
of its own standard errors. Beyond that, Schoenfeld's form is the first term of a series in the log hazard ratio:

- one to one the next term vanishes: 2 percent are left to it and to a few hundred events;
- two to one it asks for too many. The chance that an event falls into the experimental arm is p r / (1 - p + p r),
  with p its share and r the hazard ratio; without expanding that in log r, 402 events are needed at 0.75 and not
  427. The same 2 percent from there, and the search must tell the two apart.
"""

import math

import pytest

from simulate_designs import A, design
from stats_reference import numbers
from trialwright.simulate.search import Wish, search
from trialwright.stats.normal import quantile

R = numbers("stats_sequential.txt")
RATIO = 0.75


def few_die(experimental):
    return design(
        A,
        patients=1500,
        control={"median": 24},
        hazard_ratio=[{"value": RATIO}],
        accrual={"months": 3},
        allocation={"method": "fixed", "control": 1, "experimental": experimental},
        looks=[{"events": 600}],
    )


def unexpanded(share):
    """Events for power 0.8 when each falls into the experimental arm with a fixed chance."""
    chance = share * RATIO / (1 - share + share * RATIO)
    null, true = share * (1 - share), chance * (1 - chance)
    return ((1.959964 * math.sqrt(null) + quantile(0.8) * math.sqrt(true)) / (share - chance)) ** 2


def found(experimental, trials):
    seen = search(few_die(experimental), Wish(0.8, trials, seed=3))
    assert seen.closed == pytest.approx(R[f"schoenfeld.{RATIO}.{experimental}"][0], rel=1e-9)
    return seen.answer.events, 3.5 * (seen.upper - seen.lower) / 2 / 1.96


def test_one_to_one():
    events, room = found(1, 4_000)
    closed = R[f"schoenfeld.{RATIO}.1"][0]
    assert abs(events - closed) < room + 0.02 * closed


def test_two_to_one():
    closed = unexpanded(2 / 3)
    assert (round(closed), round(R[f"schoenfeld.{RATIO}.2"][0])) == (402, 427)
    events, room = found(2, 4_000)
    assert abs(events - closed) < room + 0.02 * closed


@pytest.mark.slow
@pytest.mark.parametrize("experimental", [1, 2])
def test_closely(experimental):
    events, room = found(experimental, 100_000)
    closed = R[f"schoenfeld.{RATIO}.1"][0] if experimental == 1 else unexpanded(2 / 3)
    assert room < 0.015 * closed
    assert abs(events - closed) < room + 0.02 * closed
