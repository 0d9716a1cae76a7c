"""What happens at the edges, each decided on purpose: a value, a reason, or a clear error."""

import math
import subprocess
import sys

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
from trialwright.stats.survival import kaplan_meier, landmark_difference, rmst, rmst_difference

ALL = [
    kaplan_meier,
    lambda time, event: logrank(time, event, [0, 1, 0]),
    lambda time, event: cox(time, event, [0, 1, 0]),
    lambda time, event: rmst(time, event, 1),
    lambda time, event: rmst_difference(time, event, [0, 1, 0], 1),
]


@pytest.mark.parametrize("estimate", ALL)
@pytest.mark.parametrize(
    ("time", "event", "words"),
    [
        ([1, -2, 3], [1, 1, 0], "time is negative at row 1: -2"),
        ([1, float("nan"), 3], [1, 1, 0], "time has a missing or infinite value at row 1"),
        ([1, 2, float("inf")], [1, 1, 0], "time has a missing or infinite value at row 2"),
        ([1, 2, 3], [1, 2, 0], "event must be 0 or 1"),
        ([1, 2, 3], [1, None, 0], "event has a missing"),
        ([1, 2, 3], [1, 0], "event has shape"),
        ([1, 2, "x"], [1, 0, 1], "time must hold numbers only"),
        ([[1, 2, 3]], [1, 0, 1], "time must have one dimension"),
    ],
)
def test_what_cannot_be_meant_is_an_error(estimate, time, event, words):
    with pytest.raises(ValueError, match=words):
        estimate(time, event)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: kaplan_meier([1], [1], confidence=95), "confidence must lie between 0 and 1"),
        (lambda: kaplan_meier([1], [1], limits="loglog"), "limits must be one of"),
        (lambda: kaplan_meier([1], [1], entry=[1]), "entry must be before time"),
        (lambda: kaplan_meier([1], [1], weights=[-1]), "weights must not be negative"),
        (lambda: kaplan_meier([1], [1]).quantile(1), "p must lie between"),
        (lambda: rmst([1, 2], [1, 0], 0), "tau must be positive"),
        (lambda: logrank([1, 2], [1, 1], [1, 2]), "group must be 0 or 1"),
        (lambda: logrank([1, 2], [1, 1], [0, 1], ["a", None]), "strata"),
        (lambda: logrank([1, 2], [1, 1], [0, 1], [1, float("nan")]), "strata has a missing value"),
        (lambda: logrank([1, 2], [1, 1], [0, 1], rho=-1), "rho and gamma must not be negative"),
        (lambda: cox([1, 2], [1, 1], [0, 1], ties="discrete"), "ties must be one of"),
        (lambda: cox([1, 2], [1, 1], [0, float("nan")]), "covariates have a missing"),
        (lambda: cox([1, 2], [1, 1], ["a", "b"]), "covariates must hold numbers only"),
        (lambda: cox([1, 2], [1, 1], [[1, 2, 3]]), "covariates must have one row for each"),
        (lambda: cox([1, 2], [1, 1], [0, 1], ties="exact", weights=[1, 2]), "neither entry nor weights"),
        (lambda: clopper_pearson(3, 2), r"x \(3\) is more than n \(2\)"),
        (lambda: clopper_pearson(1.5, 2), "x must be a whole number"),
        (lambda: poisson_rate(1, -1), "exposure"),
        (lambda: cochran_mantel_haenszel([1, 2], [3, 3], [1], [3]), "2 strata and group 0 has 1"),
    ],
)
def test_misuse_is_an_error(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: kaplan_meier([], []), "no patients"),
        (lambda: kaplan_meier([1, 2], [1, 1], weights=[0, 0]), "no patients"),
        (lambda: logrank([], [], []), "no patients"),
        (lambda: logrank([1, 2], [0, 0], [0, 1]), "no events"),
        (lambda: logrank([1, 2], [1, 1], [1, 1]), "no patients in group 0"),
        (lambda: logrank([1, 2], [1, 1], [0, 0]), "no patients in group 1"),
        (lambda: logrank([1, 2], [0, 1], [0, 1]), "no event tells the groups apart"),
        (
            lambda: logrank([1, 2], [1, 1], [0, 1], ["a", "b"]),
            "no event tells the groups apart",
        ),
        (lambda: cox([1, 2], [0, 0], [0, 1]), "no events"),
        (lambda: cox([1, 2, 3, 4], [1, 1, 0, 0], [1, 1, 0, 0]), "no events where covariate 0 is 0"),
        (lambda: cox([1, 2], [1, 1], [1, 1]), "covariate 0 has one value only"),
        (lambda: cox([7], [1], [1]), "covariate 0 has one value only"),
        (
            lambda: cox([1, 2], [1, 1], [0, 1], ["a", "b"]),
            "covariate 0 never differs among patients at risk together",
        ),
        (
            lambda: cox([1, 2, 3, 4], [1, 1, 1, 1], [1, 1, 0, 0]),
            "monotone likelihood: a covariate separates those with and without events",
        ),
        (
            lambda: cox([1, 2, 3, 4], [1, 1, 1, 1], [4, 3, 2, 1]),
            "monotone likelihood: a covariate separates those with and without events",
        ),
        (
            lambda: cox([1, 2, 3, 4], [1] * 4, [[0, 1], [1, 3], [0, 1], [1, 3]]),
            "covariates determine each other",
        ),
        (lambda: rmst([1, 2], [1, 0], 3), "tau 3 lies beyond the last observed time 2"),
        (lambda: rmst_difference([1, 2], [1, 0], [1, 1], 1), "no patients in group 0"),
        (lambda: landmark_difference([1, 2, 9], [1, 0, 0], [0, 0, 1], 5), "group 0 was not followed to 5"),
        (lambda: landmark_difference([1, 2, 9], [1, 1, 0], [0, 0, 1], 5), "nobody of group 0 is left at 5"),
        (lambda: clopper_pearson(0, 0), "no patients"),
        (lambda: wilson(0, 0), "no patients"),
        (lambda: miettinen_nurminen(0, 0, 1, 2), "no patients"),
        (lambda: miettinen_nurminen_stratified([0], [0], [1], [2]), "no stratum has patients in both groups"),
        (
            lambda: cochran_mantel_haenszel([0], [3], [0], [3]),
            "everybody in each stratum had the same outcome",
        ),
        (lambda: poisson_rate(0, 0), "no exposure"),
    ],
)
def test_what_the_data_do_not_tell_has_a_reason(call, reason):
    with pytest.raises(NotEstimable) as caught:
        call()
    assert caught.value.reason == reason


def test_no_events_is_a_flat_curve():
    curve = kaplan_meier([3, 1, 2], [0, 0, 0])
    assert curve.survival.tolist() == [1, 1, 1]
    assert curve.std_error.tolist() == [0, 0, 0]
    assert np.isnan(curve.lower).all()
    assert np.isnan(curve.median.estimate)
    assert rmst(curve, tau=3).estimate == 3


def test_one_patient():
    curve = kaplan_meier([5], [1])
    assert curve.survival.tolist() == [0]
    assert curve.median.estimate == 5
    assert np.isnan([curve.std_error[0], curve.lower[0], curve.upper[0]]).all()


def test_all_die_together():
    curve = kaplan_meier([5, 5, 5], [1, 1, 1])
    assert (curve.time.tolist(), curve.survival.tolist()) == ([5], [0])
    for estimate in (logrank, cox):
        with pytest.raises(NotEstimable):
            estimate(
                [5, 5, 5, 5], [1, 1, 1, 1], [0, 0, 1, 1], **({"ties": "exact"} if estimate is cox else {})
            )
    # Efron and Breslow take all to be at risk at each death, so there is an answer: no difference
    assert cox([5, 5, 5, 5], [1, 1, 1, 1], [0, 0, 1, 1]).coef == 0


def test_time_zero_counts():
    curve = kaplan_meier([0, 0, 3, 4], [1, 0, 0, 1])
    assert curve.time.tolist() == [0, 3, 4]
    assert curve.at(0)[0] == 0.75
    assert curve.n_at_risk(0) == 4
    assert cox([0, 0, 3, 4], [1, 1, 1, 1], [1, 0, 1, 0]).n_event == 4


def test_near_ties_are_ties_unless_asked():
    third = 0.1 + 0.2
    assert third != 0.3
    assert kaplan_meier([0.3, third], [1, 1]).time.size == 1
    assert kaplan_meier([0.3, third], [1, 1], timefix=False).time.size == 2
    time, event, x = [0.3, third, 0.2, 0.4, 0.5], [1] * 5, [0, 1, 1, 1, 0]
    assert cox(time, event, x).loglik != pytest.approx(cox(time, event, x, timefix=False).loglik)


def test_an_empty_or_silent_stratum_changes_nothing():
    time, event, group = [3, 1, 4, 2, 9, 9], [1, 1, 0, 1, 0, 0], [0, 1, 1, 0, 0, 1]
    here = [0, 0, 0, 0, 7, 7]  # the second stratum has no events
    with_it, without = logrank(time, event, group, here), logrank(time[:4], event[:4], group[:4])
    assert (with_it.statistic, with_it.variance) == (without.statistic, without.variance)
    assert cox(time, event, group, here).coef == pytest.approx(cox(time[:4], event[:4], group[:4]).coef)


def test_weight_zero_is_as_if_absent():
    time, event, x = [3, 1, 4, 2, 5], [1, 1, 1, 1, 1], [0, 1, 1, 0, 1]
    fit = cox(time, event, x, weights=[1, 1, 1, 1, 0])
    assert fit.coef == pytest.approx(cox(time[:4], event[:4], x[:4]).coef, rel=1e-12)
    assert kaplan_meier(time, event, weights=[1, 1, 1, 1, 0]).time.tolist() == [1, 2, 3, 4]


def test_many_strata_take_the_sparse_way():
    rng = np.random.default_rng(5)
    n, pairs = 3000, np.repeat(np.arange(1500), 2)
    time, event, group = rng.exponential(9, n), rng.random(n) < 0.8, np.tile([0, 1], 1500)
    test = logrank(time, event, group, pairs)
    # in a matched pair only the first to leave tells, and only if by an event: a sign test
    first = np.where(time[::2] < time[1::2], 0, 1)
    told = event.reshape(-1, 2)[np.arange(1500), first]
    assert test.statistic == pytest.approx((first[told] - 0.5).sum())
    assert test.variance == pytest.approx(told.sum() / 4)
    assert cox(time, event, group, pairs).coef[0] == pytest.approx(
        np.log(first[told].mean() / (1 - first[told].mean()))
    )


@pytest.mark.parametrize(
    "table", [(0, 50, 0, 50), (50, 50, 50, 50), (3, 10, 0, 10), (0, 1, 1, 1), (1, 1, 0, 1)]
)
def test_score_limits_never_fail(table):
    found = miettinen_nurminen(*table)
    assert -1 <= found.lower <= found.estimate <= found.upper <= 1


def test_odds_ratio_of_empty_cells_is_not_made_up():
    assert cochran_mantel_haenszel([0], [5], [2], [5]).odds_ratio.estimate == 0
    assert np.isnan(cochran_mantel_haenszel([2], [5], [0], [5]).odds_ratio.estimate)


def test_input_is_not_changed():
    time, event, group = np.array([3.0, 1.0, 2.0]), np.array([1, 1, 1]), np.array([1, 1, 0])
    before = time.copy(), event.copy(), group.copy()
    kaplan_meier(time, event)
    logrank(time, event, group)
    cox(time, event, group)
    assert all(np.array_equal(a, b) for a, b in zip(before, (time, event, group), strict=True))


def test_import_is_light():
    heavy = "{'pandas', 'statsmodels', 'scipy.stats', 'scipy.optimize', 'polars'} & set(sys.modules)"
    names = "survival, logrank, cox, proportions"
    code = f"import sys; from trialwright.stats import {names}; sys.exit(str({heavy}) if {heavy} else 0)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_a_mean_of_zero_has_a_difference_and_no_ratio():
    """All of group 0 have the event at time 0; both of group 1 live through 10 days."""
    found = rmst_difference([0, 0, 12, 15], [1, 1, 0, 0], [0, 0, 1, 1], 10)
    assert (found.group_0.estimate, found.group_1.estimate) == (0, 10)
    assert found.difference.estimate == 10
    assert math.isnan(found.ratio.estimate)
    assert math.isnan(found.ratio.p_value)
