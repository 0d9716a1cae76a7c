"""Sequential looks and sample size on paper, and at their edges."""

from math import exp, log, sqrt

import numpy as np
import pytest

from trialwright.stats.errors import NotEstimable
from trialwright.stats.normal import below, quantile
from trialwright.stats.sample_size import (
    Design,
    Piecewise,
    constant,
    deaths_needed,
    expected_events,
    exponential,
    power_at,
    time_of_events,
    uniform_accrual,
)
from trialwright.stats.sequential import (
    boundaries,
    conditional_power,
    crossing,
    predictive_power,
    repeated_interval,
    spent,
    stage_wise,
)


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


class TestSpending:
    def test_obrien_fleming(self):
        # 2 (1 - Phi(2.2414 / sqrt(1/2))) = 2 (1 - Phi(3.1698))
        assert spent(0.5) == near(2 * below(quantile(0.0125) / sqrt(0.5)))
        assert round(spent(0.5), 6) == 0.001525

    def test_pocock(self):
        assert spent(0.5, spending="pocock") == near(0.025 * log(1 + (exp(1) - 1) / 2))

    def test_hwang_shih_decani(self):
        assert spent(0.5, spending="hwang-shih-decani") == near(0.025 * (1 - exp(2)) / (1 - exp(4)))
        assert spent(0.5, spending="hwang-shih-decani", gamma=0) == near(0.0125)

    def test_ends(self):
        assert (spent(0), spent(1), spent(1.3)) == (0, 0.025, 0.025)


class TestBoundaries:
    def test_the_first_look_is_a_plain_quantile(self):
        assert boundaries([0.5, 1]).z[0] == near(-quantile(spent(0.5)))

    def test_one_look(self):
        found = boundaries([100])
        assert found.z[0] == near(-quantile(0.025))

    def test_the_unit_of_information_cancels(self):
        assert boundaries([53, 78, 105]).z == near(boundaries([53 / 105, 78 / 105, 1]).z)

    def test_more_deaths_than_planned_spend_the_rest(self):
        found = boundaries([53, 120], planned=105)
        assert found.spent.tolist() == [spent(53 / 105), 0.025]
        assert crossing([53, 120], found.z).sum() == near(0.025)

    def test_fewer_deaths_than_planned_spend_the_rest_if_it_is_the_last_look(self):
        assert boundaries([53, 90], planned=105).spent[-1] == 0.025
        assert boundaries([53, 90], planned=105, final=False).spent[-1] == near(spent(90 / 105))

    def test_a_look_too_early_to_spend_anything(self):
        assert boundaries([0.01, 1]).z.tolist() == [np.inf, near(-quantile(0.025))]

    def test_futility_takes_power(self):
        z = boundaries([0.5, 1]).z
        assert (
            crossing([0.5, 1], z, drift=3.24, lower=[0.5, -np.inf]).sum()
            < crossing([0.5, 1], z, drift=3.24).sum()
        )

    def test_two_looks_are_a_bivariate_normal(self):
        # without the first bound, P(Z2 >= c) whatever Z1
        assert crossing([0.5, 1], [np.inf, 1.96], drift=1.0)[1] == near(below(1 - 1.96))


class TestPower:
    def test_conditional(self):
        # B(0.5) = 2 sqrt(0.5); left to come: mean 3 · 0.5, variance 0.5
        assert conditional_power(2, 0.5, 1.96, drift=3) == near(
            below((2 * sqrt(0.5) + 1.5 - 1.96) / sqrt(0.5))
        )

    def test_trend(self):
        assert conditional_power(2, 0.5, 1.96) == near(below((2 / sqrt(0.5) - 1.96) / sqrt(0.5)))

    def test_predictive(self):
        assert predictive_power(2, 0.5, 1.96) == near(below((2 - 1.96 * sqrt(0.5)) / sqrt(0.5)))

    def test_repeated_interval(self):
        found = repeated_interval(-0.5, 0.2, 2.963)
        assert (found.lower, found.upper) == near((-1.0926, 0.0926))


class TestStageWise:
    def test_stopped_at_the_first_look_it_is_the_plain_one(self):
        found = stage_wise([25], [2.963], 3.1)
        assert found.p_one_sided == near(below(-3.1))
        assert (found.drift.estimate, found.drift.lower) == near((3.1 / 5, (3.1 - 1.959963984540054) / 5))

    def test_at_its_boundary_the_p_value_is_what_has_been_spent(self):
        looks = boundaries([53, 78, 105])
        assert stage_wise([53, 78], looks.z[:2], float(looks.z[1])).p_one_sided == near(looks.spent[1])


class TestSampleSize:
    def test_schoenfeld(self):
        # (1.96 + 0.8416)² · 4 / ln(0.65)² = 169.2
        assert deaths_needed(0.65) == near(4 * (quantile(0.975) + quantile(0.8)) ** 2 / log(0.65) ** 2)

    def test_all_enter_at_once(self):
        design = Design(exponential(12), exponential(24), uniform_accrual(100, 1e-9))
        assert expected_events(design, 12).tolist() == pytest.approx([25, 50 * (1 - sqrt(0.5))], rel=1e-6)

    def test_uniform_entry(self):
        # 1 - (1 - e^{-λT})/(λT) of those who come uniformly until T
        design = Design(constant(0.1), constant(0.1), uniform_accrual(40, 10))
        assert expected_events(design, 10).sum() == near(40 * (1 - (1 - exp(-1)) / 1))

    def test_equal_arms_have_no_power_but_alpha(self):
        design = Design(constant(0.1), constant(0.1), uniform_accrual(40, 10))
        found = power_at(design, 20)
        assert (found.drift, found.power, found.patients) == near((0, 0.025, 40))

    def test_near_schoenfeld_when_hazards_are_nearly_proportional_to_one(self):
        design = Design(constant(0.05), constant(0.05 * 0.9), uniform_accrual(2000, 10))
        found = power_at(design, 30)
        assert found.drift == pytest.approx(-log(0.9) * sqrt(found.events / 4), rel=2e-3)

    def test_late_effects_reward_late_weights(self):
        late = Design(constant(0.06), Piecewise((0, 6), (0.06, 0.03)), uniform_accrual(300, 12))
        assert power_at(late, 36, gamma=1).drift > power_at(late, 36).drift

    def test_time_of_events(self):
        design = Design(constant(0.1), constant(0.1), uniform_accrual(40, 10))
        assert expected_events(design, time_of_events(design, 20)).sum() == near(20)
        with pytest.raises(NotEstimable, match="41 events are never expected"):
            time_of_events(design, 41)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spent(0.5, spending="bonferroni"), "spending must be one of"),
        (lambda: spent(-0.1), "information fraction must not be negative"),
        (lambda: spent(0.5, spending="power"), "needs a gamma above 0, not -4"),
        (lambda: boundaries([1, 0.5]), "information must be positive and grow"),
        (lambda: boundaries([]), "information must be positive and grow"),
        (lambda: boundaries([1], planned=0), "planned information must be positive"),
        (lambda: crossing([1, 2], [2]), "one element for each of the 2 looks"),
        (lambda: conditional_power(1, 1, 2), "must lie between 0 and 1"),
        (lambda: deaths_needed(1), "hazard ratio"),
        (lambda: exponential(0), "median must be positive"),
        (lambda: Piecewise((1,), (1,)), "the first start is 0"),
        (lambda: Piecewise((0, 0), (1, 1)), "starts must grow"),
        (lambda: Piecewise((0,), (-1,)), "rates must be finite"),
    ],
)
def test_misuse(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    "call", [lambda: repeated_interval(0, 0, 2), lambda: repeated_interval(0, 1, np.inf)]
)
def test_not_estimable(call):
    with pytest.raises(NotEstimable):
        call()


def test_no_events_no_power():
    with pytest.raises(NotEstimable, match="no events are expected"):
        power_at(Design(constant(0), constant(0), uniform_accrual(10, 5)), 10)
