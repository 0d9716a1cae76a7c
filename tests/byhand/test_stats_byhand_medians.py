"""The difference of two medians on paper: Su and Wei, Biometrics 1993;49:603."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright.stats.errors import NotEstimable
from trialwright.stats.medians import median_difference
from trialwright.stats.product_limit import kaplan_meier

TWO = 0.8427007929497149  # chi-squared with one degree of freedom is at most 2


class TestFourAndFour:
    """Four deaths in each arm, at 1, 2, 3, 4 and at 3, 5, 7, 9.

    Each step's distance from one half, squared and over Greenwood's S(1 - S)/4:

    | S   | control    | experimental | distance                    |
    | 3/4 | from 1 to 2 | from 3 to 5 | (1/4)^2 / (3/64) = 4/3      |
    | 1/2 | from 2 to 3 | from 5 to 7 | 0                           |
    | 1/4 | from 3 to 4 | from 7 to 9 | 4/3                         |
    """

    sides = ([1, 2, 3, 4, 3, 5, 7, 9], [1] * 8, [0] * 4 + [1] * 4)

    def test_estimate(self):
        assert median_difference(*self.sides).estimate == 6 - 2.5  # the middles of the two flat pieces

    def test_limits_at_95_percent(self):
        # 4/3 + 4/3 is less than 3.84: every pair of steps; from 3 - 4 to 9 - 1
        found = median_difference(*self.sides)
        assert (found.lower, found.upper) == (-1, 8)

    def test_limits_where_two_is_the_most(self):
        # not both at 4/3: from 3 - 3 or 5 - 4, whichever is smaller, to 7 - 1 or 9 - 2, whichever is larger
        found = median_difference(*self.sides, confidence=TWO)
        assert (found.lower, found.upper) == (0, 7)

    def test_arms_the_other_way_round(self):
        time, event, group = self.sides
        found = median_difference(time, event, [1 - g for g in group])
        assert (found.estimate, found.lower, found.upper) == (-3.5, -8, 1)


def test_a_median_that_is_not_reached_still_has_a_lower_limit():
    # experimental: one death of six at 5, the others alive at 20; control: all dead by 6
    found = median_difference([1, 2, 3, 4, 5, 6, 5, 20, 20, 20, 20, 20], [1] * 7 + [0] * 5, [0] * 6 + [1] * 6)
    assert np.isnan(found.estimate)
    assert np.isnan(found.upper)
    # S1 is 5/6 from 5 on: (1/3)^2 / (5/216) = 4.8, more than 3.84: no time of 20 days makes it a median
    assert np.isnan(found.lower)
    more = median_difference([1, 2, 3, 4, 5, 6, 5, 6, 20, 20, 20, 20], [1] * 8 + [0] * 4, [0] * 6 + [1] * 6)
    # S1 is 2/3 from 6 on: (1/6)^2 / (2/54) = 0.75; S0 between 5/6 (4.8) and 1/6, so from 2 to 5 and 5 to 6
    # S0: 2/3 and 1/3: 0.75 each; 1/6 from 5 to 6: 4.8. So the latest plausible control median ends at 5
    assert more.lower == 6 - 5
    assert np.isnan(more.upper)


def test_an_empty_arm():
    with pytest.raises(NotEstimable, match="no patients in group 1"):
        median_difference([1, 2], [1, 1], [0, 0])


def test_a_curve_that_jumps_over_one_half_has_its_median_there():
    """Sixty of each arm, seen at three scans: S is 0.7, 0.3, 0; only the second scan can be a median."""
    days = [42] * 18 + [84] * 24 + [126] * 18
    found = median_difference(days + [d + 42 for d in days], [1] * 120, [0] * 60 + [1] * 60)
    assert (found.estimate, found.lower, found.upper) == (42, 42, 42)


@given(st.integers(0, 10_000))
def test_every_difference_between_the_limits_and_none_beyond(seed):
    """Against the definition: the smallest distance over all m, for differences on a grid of half days."""
    random = np.random.default_rng(seed)
    time, group = random.integers(1, 12, 24).astype(float), np.repeat([0, 1], 12)
    event = random.random(24) < 0.8
    found = median_difference(time, event, group)
    curves = [kaplan_meier(time[group == g], event[group == g]) for g in (0, 1)]
    moments = np.arange(0, 40, 0.5)
    kept = [
        d
        for d in np.arange(-30.0, 30.5, 0.5)
        if min(_far(curves[0], m) + _far(curves[1], m + d) for m in moments) <= 3.841458820694124
    ]
    endless = [curve.survival[-1] > 0 and _far(curve, 40) <= 3.841458820694124 for curve in curves]
    assert np.isnan(found.lower) == (not kept or endless[0])
    assert np.isnan(found.upper) == (not kept or endless[1])
    if not np.isnan(found.lower):
        assert found.lower <= min(kept) <= found.lower + 0.5
    if not np.isnan(found.upper):
        assert found.upper - 0.5 <= max(kept) <= found.upper


def _far(curve, t):
    """At t; 0 where the curve jumps over one half."""
    at = np.searchsorted(curve.time, t, side="right") - 1
    if at < 0:
        return np.inf
    before = curve.survival[at - 1] if at else 1.0
    if curve.time[at] == t and curve.survival[at] <= 0.5 < before:
        return 0.0
    if curve.survival[at] == 0:
        return np.inf
    with np.errstate(divide="ignore"):
        return ((curve.survival[at] - 0.5) / curve.std_error[at]) ** 2
