"""Interval-censored survival on paper."""

from math import inf, log

import numpy as np
import pytest

from trialwright.stats.errors import NotEstimable
from trialwright.stats.interval_censored import turnbull


def near(value):
    return pytest.approx(value, rel=1e-6, abs=1e-9)


class TestThreePatients:
    """Events in (2, 4], (0, 2], (1, 3], and (0, 2] again, in no order.

    ends in order: 0[ 1[ ]2 2[ ]3 ]4; straight from a left to a right end: (1, 2] and (2, 3]
    (0, 2] holds the first, (2, 4] the second, (1, 3] both: L = p² (1 - p), at its top at p = 2/3
    """

    found = turnbull([2, 0, 1, 0], [4, 2, 3, 2])

    def test_mass(self):
        assert (self.found.left.tolist(), self.found.right.tolist()) == ([1, 2], [2, 3])
        assert self.found.mass.tolist() == near([2 / 3, 1 / 3])
        assert self.found.loglik == near(2 * log(2 / 3) + log(1 / 3))

    @pytest.mark.parametrize(
        ("t", "low", "high"),
        [(0, 1, 1), (1, 1, 1), (1.5, 1 / 3, 1), (2, 1 / 3, 1 / 3), (2.5, 0, 1 / 3), (3, 0, 0), (9, 0, 0)],
    )
    def test_curve_is_known_outside_the_innermost_intervals(self, t, low, high):
        assert self.found.at(t) == near((low, high))

    def test_quantiles_are_intervals(self):
        assert self.found.median == (1, 2)
        assert self.found.quantile(2 / 3) == (1, 2)
        assert self.found.quantile(0.7) == (2, 3)


class TestExactAndCensored:
    """2 exactly, seen without at 3, event in (1, 5], 6 exactly.

    ends: 1( [2 2] 3( ]5 [6 6]; innermost [2], (3, 5], [6]. Masses a, b, c: L = a (b + c) (a + b) c. With b = 0 the
    derivatives are 1/a + 1/a = 4 (a = 1/2), 1/c + 1/c = 4 (c = 1/2), and for b 1/c + 1/a = 4: it would gain nothing
    and lose nothing at first, so b comes down to 0 slowly (a gap of 1e-9 leaves 1e-4 of it).
    """

    found = turnbull([2, 3, 1, 6], [2, inf, 5, 6])

    def test_likelihood(self):
        assert self.found.loglik == near(4 * log(1 / 2))

    def test_survival_in_between(self):
        # any b has a + b = b + c = 1/2 only if b = 0
        assert self.found.at([1, 2, 3, 5.5, 6])[0].tolist() == pytest.approx([1, 0.5, 0.5, 0.5, 0], abs=2e-4)


def test_events_and_censorings_only_are_kaplan_meier():
    """2 at 1, one censored at 1 (after them), one at 4, one censored at 5: 1 - 2/5, then half of it stays."""
    found = turnbull([1, 4, 1, 5, 1], [1, 4, inf, inf, 1])
    assert found.left.tolist() == [1, 4, 5]
    assert found.right.tolist() == [1, 4, inf]
    assert found.mass.tolist() == near([2 / 5, 3 / 10, 3 / 10])
    assert found.at([0.5, 1, 4, 5, 99])[1].tolist() == near([1, 3 / 5, 3 / 10, 3 / 10, 3 / 10])


def test_everybody_in_one_interval():
    found = turnbull([0, 1], [3, 2])
    assert (found.left.tolist(), found.right.tolist(), found.mass.tolist()) == ([1], [2], [1])
    assert found.loglik == near(0)


@pytest.mark.parametrize(
    ("left", "right", "reason"), [([], [], "no patients"), ([1, 2], [inf, inf], "no events")]
)
def test_reasons(left, right, reason):
    with pytest.raises(NotEstimable, match=reason):
        turnbull(left, right)


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        ([1, 2], [3], "as long as each other"),
        ([1, 5], [3, 4], "right is before left at row 1"),
        ([-1, 5], [3, 9], "left is negative at row 0"),
        ([float("nan")], [3], "must not be missing"),
        ([3], [float("nan")], "must not be missing"),
        ([inf], [inf], "left must be finite"),
    ],
)
def test_misuse(left, right, words):
    with pytest.raises(ValueError, match=words):
        turnbull(left, right)


def test_quantile_asks_for_a_proportion():
    with pytest.raises(ValueError, match="p must lie between 0 and 1"):
        turnbull([0], [1]).quantile(1)


def test_input_is_left_alone():
    left, right = np.array([2.0, 0, 1]), np.array([4.0, 2, 3])
    turnbull(left, right)
    assert left.tolist() == [2, 0, 1]
    assert right.tolist() == [4, 2, 3]
