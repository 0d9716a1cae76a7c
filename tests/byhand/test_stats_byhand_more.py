"""More statistics on paper: competing events, Gray's test, the chance of a largest value."""

from math import asin, pi, sqrt

import numpy as np
import pytest

from trialwright.stats.breslow_day import breslow_day, exact_association
from trialwright.stats.competing import aalen_johansen, gray
from trialwright.stats.errors import NotEstimable
from trialwright.stats.gaussian import any_above
from trialwright.stats.logrank import logrank
from trialwright.stats.maxcombo import maxcombo, modestly_weighted
from trialwright.stats.normal import below
from trialwright.stats.penalised import firth_cox, profile_limits


def near(value):
    return pytest.approx(value, rel=1e-12, abs=1e-14, nan_ok=True)


class TestCumulativeIncidence:
    """Four patients: cause 1 at 1, cause 2 at 2, censored at 3, cause 1 at 4.

    | time | at risk | S before | F1              | F2  |
    | 1    | 4       | 1        | 1/4             | 0   |
    | 2    | 3       | 3/4      | 1/4             | 1/4 |
    | 4    | 1       | 1/2      | 1/4 + 1/2 = 3/4 | 1/4 |
    """

    found = aalen_johansen([4, 2, 1, 3], [1, 2, 1, 0])

    def test_table(self):
        assert self.found.incidence.tolist() == [
            near([1 / 4, 1 / 4, 1 / 4, 3 / 4]),
            near([0, 1 / 4, 1 / 4, 1 / 4]),
        ]
        assert self.found.survival.tolist() == near([3 / 4, 1 / 2, 1 / 2, 0])

    def test_until_somebody_is_censored_it_is_a_proportion(self):
        assert self.found.std_error[:, 1].tolist() == near([sqrt(1 / 4 * 3 / 4 / 4)] * 2)

    def test_one_minus_kaplan_meier_would_be_more(self):
        # censoring the death from the other cause: 1 - (3/4)(0/1) = 1
        assert self.found.at(4)[0] == near(3 / 4)

    def test_beyond_the_end(self):
        assert self.found.at(99)[0] == near(3 / 4)  # nobody is left, so nothing can change
        assert np.isnan(aalen_johansen([1, 2], [1, 0]).at(3)[0])


def test_gray_without_competing_events_or_censoring_is_the_logrank_score():
    # G = n/S is the number at the start, so the pooled incidence is the empirical one and R = n
    time, group = [5, 1, 4, 2, 3, 6], [1, 1, 0, 1, 0, 0]
    assert gray(time, [1] * 6, group).score[0] == near(logrank(time, [1] * 6, group).statistic)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: aalen_johansen([], []), "no patients"),
        (lambda: gray([1, 2], [1, 1], [0, 0]), "one group only"),
        (lambda: gray([1, 2], [2, 2], [0, 1]), "no events of cause 1"),
        (
            lambda: breslow_day([1], [4], [2], [4]),
            "fewer than two strata have both outcomes in both groups together",
        ),
        (lambda: breslow_day([1, 2], [4, 4], [0, 0], [4, 4]), "the common odds ratio is not defined"),
        (lambda: firth_cox([1, 2], [0, 0], [0, 1]), "no events"),
        (
            lambda: gray([5, 1, 4, 2, 3, 6], [1] * 6, [0, 1, 1, 1, 0, 0]),
            "a group was used up by its events before the last event of the other",
        ),
        (
            lambda: maxcombo([1, 2, 3], [1, 0, 0], [0, 1, 1]),
            "no event tells the groups apart under weights (0.0, 1.0)",
        ),
    ],
)
def test_reasons(call, reason):
    with pytest.raises(NotEstimable) as caught:
        call()
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: aalen_johansen([1], [1.5]), "status must be 0"),
        (lambda: aalen_johansen([1], [3], causes=2), "status names cause 3, but there are 2 causes"),
        (lambda: maxcombo([1, 2], [1, 1], [0, 1], weights=[]), "at least one pair"),
        (lambda: any_above(np.eye(5), 1), "at most four independent weights"),
    ],
)
def test_misuse(call, words):
    with pytest.raises(ValueError, match=words):
        call()


class TestLargestOfSeveral:
    def test_one(self):
        assert any_above(np.eye(1), 1.3) == near(below(-1.3))

    def test_the_same_twice(self):
        assert any_above(np.ones((2, 2)), 1.3) == near(below(-1.3))

    @pytest.mark.parametrize("count", [2, 3, 4])
    def test_independent(self, count):
        assert any_above(np.eye(count), 1.3) == near(1 - (1 - below(-1.3)) ** count)

    def test_two_correlated_orthants(self):
        # P(both below 0) = 1/4 + asin(r) / 2 pi
        assert any_above(np.array([[1, 0.6], [0.6, 1]]), 0) == near(3 / 4 - asin(0.6) / (2 * pi))

    def test_three_correlated_orthants(self):
        r = np.array([[1, 0.5, 0.3], [0.5, 1, -0.2], [0.3, -0.2, 1]])
        chance = 1 / 8 + (asin(0.5) + asin(0.3) + asin(-0.2)) / (4 * pi)
        assert any_above(r, 0) == near(1 - chance)

    def test_opposites(self):
        # Z and -Z: one of them is above 1 with twice the chance
        assert any_above(np.array([[1.0, -1.0], [-1.0, 1.0]]), 1) == near(2 * below(-1))


def test_modest_weights():
    """Group 1: 2, 4+; group 0: 1, 3. S(t-) is 1, 3/4, 1/2; S(2) = 1/2. Weights 1, 4/3, 2."""
    found = modestly_weighted([3, 4, 1, 2], [1, 0, 1, 1], [0, 1, 0, 1], 2)
    assert found.statistic == near(-1 / 2 + 4 / 3 * 1 / 3 - 2 * 1 / 2)
    assert found.variance == near(1 / 4 + 16 / 9 * 2 / 9 + 4 * 1 / 4)
    # before the first death nothing is heavier
    assert modestly_weighted([3, 4, 1, 2], [1, 0, 1, 1], [0, 1, 0, 1], 0.5).z == near(
        logrank([3, 4, 1, 2], [1, 0, 1, 1], [0, 1, 0, 1]).z
    )


def test_maxcombo_of_one_weight_is_that_test():
    data = ([3, 4, 1, 2], [1, 0, 1, 1], [0, 1, 0, 1])
    one = maxcombo(*data, weights=[(0, 0)])
    assert one.p_one_sided == near(logrank(*data).p_one_sided)


def test_firth():
    """One death with x = 1, one at risk with x = 0: L = r/(1 + r), information r/(1 + r)².

    log L + log(information)/2 = 1.5 log r - 2 log(1 + r) has its top at r = 3, where plain Cox runs away.
    """
    fit = firth_cox([1, 2], [1, 0], [1, 0])
    assert fit.hazard_ratio[0] == pytest.approx(3, rel=1e-9)
    assert fit.std_error[0] == pytest.approx(sqrt(16 / 3), rel=1e-9)


def test_profile_limits():
    """Deaths at 1 (x = 1), 2 (x = 0), 3 (x = 1): L = r/((2r + 1)(1 + r)); both limits lose z²/2."""
    found = profile_limits([3, 1, 2], [1, 1, 1], [1, 1, 0])
    top = 1 / sqrt(2)
    for r in (found.lower[0], found.upper[0]):
        fall = np.log(top / (2 * top + 1) / (1 + top)) - np.log(r / (2 * r + 1) / (1 + r))
        assert 2 * fall == pytest.approx(1.959963984540054**2, rel=1e-8)


def test_the_lady_tasting_tea():
    # 3 of 4 right: (16 + 1)/70 in one tail
    found = exact_association([3], [4], [1], [4])
    assert (found.p_greater, found.p_value) == near((17 / 70, 34 / 70))


def test_homogeneous_odds():
    # the same table twice fits itself; 3/4 against 1/4 in one stratum and 1/4 against 3/4 in the other do not
    assert breslow_day([3, 3], [4, 4], [1, 1], [4, 4]).chi2 == near(0)
    found = breslow_day([3, 1], [4, 4], [1, 3], [4, 4])
    # common odds ratio 1, all fitted cells 2, variance 1/(4/2) in each
    assert found.chi2 == near(2 * 1**2 / (1 / 2))
