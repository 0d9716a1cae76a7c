"""Each statistic once on paper, every step asserted. Rows are unsorted on purpose."""

from math import exp, log, sqrt

import numpy as np
import pytest

from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.logrank import logrank
from trialwright.stats.proportions import (
    clopper_pearson,
    cochran_mantel_haenszel,
    miettinen_nurminen,
    miettinen_nurminen_stratified,
    poisson_rate,
    wilson,
)
from trialwright.stats.survival import (
    kaplan_meier,
    landmark_difference,
    reverse_kaplan_meier,
    rmst,
    rmst_difference,
)

Z = 1.959963984540054


def near(value):
    return pytest.approx(value, rel=1e-12, abs=1e-14, nan_ok=True)


class TestKaplanMeier:
    """Five patients: 3, 3, 5+, 8, 10+.

    | time | at risk | events | S             | sum d/(n(n-d))    |
    | 3    | 5       | 2      | 3/5 = 0.6     | 2/15              |
    | 5    | 3       | 0      | 0.6           | 2/15              |
    | 8    | 2       | 1      | 0.6/2 = 0.3   | 2/15 + 1/2 = 19/30 |
    | 10   | 1       | 0      | 0.3           | 19/30             |
    """

    curve = kaplan_meier([5, 3, 8, 3, 10], [0, 1, 1, 1, 0])

    def test_table(self):
        assert self.curve.time.tolist() == [3, 5, 8, 10]
        assert self.curve.n_risk.tolist() == [5, 3, 2, 1]
        assert self.curve.n_event.tolist() == [2, 0, 1, 0]
        assert self.curve.n_censored.tolist() == [0, 1, 0, 1]
        assert self.curve.survival.tolist() == near([0.6, 0.6, 0.3, 0.3])
        a, b = 0.6 * sqrt(2 / 15), 0.3 * sqrt(19 / 30)
        assert self.curve.std_error.tolist() == near([a, a, b, b])

    def test_log_log_limits(self):
        theta = sqrt(19 / 30) / abs(log(0.3))
        assert self.curve.lower[2] == near(0.3 ** exp(Z * theta))
        assert self.curve.upper[2] == near(0.3 ** exp(-Z * theta))

    def test_log_and_plain_limits(self):
        log_limits = kaplan_meier([5, 3, 8, 3, 10], [0, 1, 1, 1, 0], limits="log")
        assert log_limits.lower[2] == near(0.3 * exp(-Z * sqrt(19 / 30)))
        assert log_limits.upper[2] == 1  # 0.3 exp(1.56) is above 1
        plain = kaplan_meier([5, 3, 8, 3, 10], [0, 1, 1, 1, 0], limits="plain")
        assert plain.lower[2] == 0
        assert plain.upper[0] == 1
        assert plain.lower[0] == near(0.6 - Z * 0.6 * sqrt(2 / 15))

    def test_step_is_right_continuous(self):
        assert self.curve.at([0, 2.999, 3, 7.9, 8, 10])[0].tolist() == near([1, 1, 0.6, 0.6, 0.3, 0.3])

    def test_beyond_the_last_observed_time_nothing_is_known(self):
        assert np.isnan(self.curve.at(10.001)).all()

    def test_beyond_the_last_death_of_all_survival_is_zero(self):
        curve = kaplan_meier([1, 2], [1, 1])
        S, lower, upper = curve.at(50)
        assert S == 0
        assert np.isnan([lower, upper]).all()

    def test_number_at_risk_counts_those_who_leave_at_that_very_time(self):
        assert self.curve.n_at_risk([0, 3, 3.001, 5, 8, 10, 10.5]).tolist() == [5, 5, 3, 3, 2, 1, 0]
        assert self.curve.n_at_risk(5) == 3

    def test_quantiles(self):
        assert self.curve.median.estimate == 8
        assert self.curve.quantile(0.25).estimate == 3
        assert np.isnan(self.curve.quantile(0.75).estimate)  # S never comes down to 0.25
        # S(3) = 0.6, theta = sqrt(2/15)/|ln 0.6| = 0.715, lower band 0.6^exp(1.40) = 0.126 <= 0.5
        assert self.curve.median.lower == 3
        assert np.isnan(self.curve.median.upper)  # the upper band at 8 is 0.3^exp(-1.30) = 0.72

    def test_reverse(self):
        # events are 5 (3 at risk) and 10 (1 at risk): S = 2/3, then 0
        curve = reverse_kaplan_meier([5, 3, 8, 3, 10], [0, 1, 1, 1, 0])
        assert curve.survival.tolist() == near([1, 2 / 3, 2 / 3, 0])
        assert curve.median.estimate == 10


class TestMedianMidpoint:
    def test_flat_at_one_half_until_the_next_death(self):
        # 1, 2, 3+, 4: S = 3/4, 1/2, 1/2, 0
        assert kaplan_meier([4, 2, 1, 3], [1, 1, 1, 0]).median.estimate == 3

    def test_flat_at_one_half_until_the_end(self):
        # as R: the flat stretch ends with the last observed time
        assert kaplan_meier([1, 2, 3, 4], [1, 1, 0, 0]).median.estimate == 3

    def test_one_half_reached_through_thirds_is_still_one_half(self):
        # 1, 2+, 3, 4, 9 of six with one more at 9+: S = 5/6, 5/8 (0.625), 5/12: never one half
        assert kaplan_meier([1, 2, 3, 4, 9, 9], [1, 0, 1, 1, 1, 0]).median.estimate == 4
        # 1, 2, 3 of six, 7, 8, 9 later: (5/6)(4/5)(3/4) is 0.5 only up to rounding
        assert kaplan_meier([1, 2, 3, 7, 8, 9], [1] * 6).median.estimate == 5


class TestLeftTruncation:
    """Patient A (0, 4], B (2, 5], C (3, 6+]: at 4 three are at risk, at 5 two."""

    curve = kaplan_meier([4, 5, 6], [1, 1, 0], entry=[0, 2, 3])

    def test_curve(self):
        assert self.curve.n_risk.tolist() == [3, 2, 1]
        assert self.curve.survival.tolist() == near([2 / 3, 1 / 3, 1 / 3])

    def test_at_risk_between_entries(self):
        assert self.curve.n_at_risk([1, 2, 2.5, 3, 3.5, 4, 4.5, 6, 7]).tolist() == [1, 1, 2, 2, 3, 3, 2, 1, 0]


def test_weights_are_as_many_patients():
    weighted = kaplan_meier([1, 2, 3], [1, 0, 1], weights=[2, 1, 3])
    spelled = kaplan_meier([1, 1, 2, 3, 3, 3], [1, 1, 0, 1, 1, 1])
    assert weighted.survival.tolist() == near(spelled.survival.tolist())
    assert weighted.std_error[:2].tolist() == near(spelled.std_error[:2].tolist())
    assert weighted.n_risk.tolist() == spelled.n_risk.tolist()


class TestRestrictedMean:
    """The curve above: 1 to day 3, 0.6 to day 8, 0.3 after. To day 9: 3 + 3 + 0.3 = 6.3."""

    def test_area(self):
        mean = rmst([5, 3, 8, 3, 10], [0, 1, 1, 1, 0], 9)
        assert mean.estimate == near(6.3)
        # area still to come at 3 is 3.3, at 8 it is 0.3; the terms are d/(n(n-d)) = 2/15 and 1/2
        assert mean.std_error == near(sqrt(3.3**2 * 2 / 15 + 0.3**2 / 2))

    def test_from_the_curve(self):
        assert rmst(TestKaplanMeier.curve, tau=9) == rmst([5, 3, 8, 3, 10], [0, 1, 1, 1, 0], 9)

    def test_difference_and_ratio(self):
        # group 0 dies at 2 and 4 (area to 4: 2 + 1 = 3, variance 1² · 1/2); group 1 dies at 3 and 5+ (3.5, 0.5² / 2)
        both = rmst_difference([4, 3, 5, 2], [1, 1, 0, 1], [0, 1, 1, 0], 4)
        assert both.difference.estimate == near(0.5)
        assert both.difference.std_error == near(sqrt(0.5 + 0.125))
        assert both.ratio.estimate == near(3.5 / 3)
        assert both.ratio.std_error == near(sqrt(0.5 / 9 + 0.125 / 12.25))

    def test_strata_count_by_their_size(self):
        # stratum a as above: 3 and 3.5, variances 1/2 and 1/8; stratum b: one of each arm, dead at 1 and at 2
        both = rmst_difference(
            [4, 3, 5, 2, 1, 2], [1, 1, 0, 1, 1, 1], [0, 1, 1, 0, 0, 1], 4, strata=[*"aaaabb"]
        )
        assert both.group_0.estimate == near(4 / 6 * 3 + 2 / 6 * 1)
        assert both.group_1.estimate == near(4 / 6 * 3.5 + 2 / 6 * 2)
        assert both.difference.std_error == near(4 / 6 * sqrt(0.5 + 0.125))


def test_landmark_difference():
    # at 3: group 0 has S = 1/2 (one of two dead), group 1 has 2/3 (one of three)
    found = landmark_difference([5, 2, 3, 6, 7], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1], 3)
    variance = 0.25 * 1 / 2 + 4 / 9 * 1 / 6
    assert found.difference.estimate == near(1 / 6)
    assert found.difference.lower == near(1 / 6 - Z * sqrt(variance))


class TestLogRank:
    """Group 1: 2, 4+. Group 0: 1, 3.

    | time | n | n1 | d | d1 | d n1/n | variance |
    | 1    | 4 | 2  | 1 | 0  | 1/2    | 1/4      |
    | 2    | 3 | 2  | 1 | 1  | 2/3    | 2/9      |
    | 3    | 2 | 1  | 1 | 0  | 1/2    | 1/4      |
    """

    data = ([3, 4, 1, 2], [1, 0, 1, 1], [0, 1, 0, 1])

    def test_sums(self):
        test = logrank(*self.data)
        assert test.observed == (2, 1)
        assert test.expected == near((3 - 5 / 3, 5 / 3))
        assert test.statistic == near(-2 / 3)
        assert test.variance == near(13 / 18)
        assert test.z == near(-2 / 3 / sqrt(13 / 18))
        assert test.chi2 == near(test.z**2)
        assert test.p_one_sided == near(test.p_value / 2)

    def test_late_weights(self):
        # 1 - S(t-) is 0, 1/4, 1/2
        test = logrank(*self.data, gamma=1)
        assert test.statistic == near(1 / 4 * (1 - 2 / 3) - 1 / 2 * 1 / 2)
        assert test.variance == near(1 / 16 * 2 / 9 + 1 / 4 * 1 / 4)

    def test_one_at_risk_has_no_variance(self):
        assert logrank([1, 2], [1, 1], [0, 1]).variance == near(1 / 4)


class TestCox:
    def test_three_patients(self):
        # deaths at 1 (x = 1), 2 (x = 0), 3 (x = 1); r = exp(beta): L = r/(2r + 1) · 1/(1 + r), so 2r² = 1
        fit = cox([3, 1, 2], [1, 1, 1], [1, 1, 0])
        r = 1 / sqrt(2)
        assert fit.hazard_ratio[0] == near(r)
        assert fit.std_error[0] == near(1 / sqrt(2 * r / (2 * r + 1) ** 2 + r / (1 + r) ** 2))
        assert fit.loglik_null == near(-log(6))
        assert fit.loglik == near(log(r / (2 * r + 1) / (1 + r)))
        # at 0: score 1 - 2/3 - 1/2, information 2/9 + 1/4
        assert fit.score == near((1 / 6) ** 2 / (17 / 36))

    tied = ([1, 2, 1], [1, 1, 1], [1, 0, 0])  # two die together, x = 1 and x = 0; then x = 0

    def test_efron(self):
        # r / ((r + 2)(r + 2 - (r + 1)/2)) has its top at r² = 6
        assert cox(*self.tied).hazard_ratio[0] == near(sqrt(6))

    def test_breslow(self):
        # r / (r + 2)² has its top at 2
        assert cox(*self.tied, ties="breslow").hazard_ratio[0] == near(2)

    def test_exact(self):
        # the pairs are r, r and 1: r / (2r + 1) grows for ever
        with pytest.raises(NotEstimable, match="monotone"):
            cox(*self.tied, ties="exact")
        # and with x = 1 for one more who outlives them: r / (r² + 4r + 1) · 1 / (1 + r) · r / r
        fit = cox([1, 2, 1, 3], [1, 1, 1, 1], [1, 0, 0, 1], ties="exact")
        r = fit.hazard_ratio[0]
        assert 1 - (2 * r**2 + 4 * r) / (r**2 + 4 * r + 1) - r / (1 + r) == pytest.approx(0, abs=1e-12)

    def test_left_truncation(self):
        # the second comes in at 1, when the first has died: r/(2r + 1) at 1, 1/(r + 2) at 2; the top is at r = 1
        fit = cox([1, 2, 3, 4], [1, 1, 0, 0], [1, 0, 1, 0], entry=[0, 1, 0, 0])
        assert fit.loglik_null == near(-2 * log(3))
        assert fit.hazard_ratio[0] == near(1)
        # at risk from the start the second would make it r/(2r + 2) · 1/(r + 2), with its top at r = √2
        assert cox([1, 2, 3, 4], [1, 1, 0, 0], [1, 0, 1, 0]).hazard_ratio[0] == near(sqrt(2))


class TestProportions:
    def test_none_and_all(self):
        assert clopper_pearson(0, 22).upper == near(1 - 0.025 ** (1 / 22))
        assert clopper_pearson(22, 22).lower == near(0.025 ** (1 / 22))

    def test_wilson(self):
        # 5 of 10: centre 0.5, half-width z sqrt(0.25/10 + z²/400) / (1 + z²/10)
        half = Z * sqrt(0.025 + Z**2 / 400) / (1 + Z**2 / 10)
        found = wilson(5, 10)
        assert (found.lower, found.upper) == near((0.5 - half, 0.5 + half))

    def test_score_limits_of_no_events_at_all(self):
        # the best p0 is 0 and p1 is delta, so delta / sqrt(delta (1 - delta)/50) = z
        found = miettinen_nurminen(0, 50, 0, 50, corrected=False)
        assert found.upper == pytest.approx(Z**2 / (50 + Z**2), rel=1e-9)
        assert found.lower == pytest.approx(-found.upper, rel=1e-9)

    def test_one_stratum_is_no_stratum(self):
        plain, one = miettinen_nurminen(9, 10, 3, 10), miettinen_nurminen_stratified([9], [10], [3], [10])
        assert (one.lower, one.upper) == near((plain.lower, plain.upper))

    def test_no_events_in_time(self):
        assert poisson_rate(0, 10).upper == near(-log(0.025) / 10)


def test_cochran_mantel_haenszel():
    # 3/4 against 1/4, and 1/2 against 1/2
    found = cochran_mantel_haenszel([3, 1], [4, 2], [1, 1], [4, 2])
    # surplus 3 - 2 and 0; variance 4·4·4·4/(64·7) and 2·2·2·2/(16·3)
    assert found.chi2 == near(1 / (4 / 7 + 1 / 3))
    # odds ratio (3·3/8 + 1·1/4) / (1·1/8 + 1·1/4)
    assert found.odds_ratio.estimate == near(1.375 / 0.375)
