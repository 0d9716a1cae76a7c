"""Exact marginal ties (SAS TIES=EXACT) against the sum over all orders of the tied deaths, spelled out."""

from itertools import permutations
from math import exp, log

import numpy as np
import pytest

from stats_reference import data
from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable


def by_orders(time, event, x, beta):
    """Log-likelihood: at each death time, add up the chances of every order of the tied deaths."""
    total = 0.0
    for t in sorted({t for t, e in zip(time, event, strict=True) if e}):
        dead = [i for i in range(len(time)) if time[i] == t and event[i]]
        risk = sum(exp(beta * x[i]) for i in range(len(time)) if time[i] >= t)
        chance = 0.0
        for order in permutations(dead):
            left, product = risk, 1.0
            for i in order:
                product *= exp(beta * x[i]) / left
                left -= exp(beta * x[i])
            chance += product
        total += log(chance)
    return total


TIME = [1, 1, 2, 2, 2, 3, 4, 4, 5, 5, 6, 6]
EVENT = [1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1]
X = [0.5, 1.0, -0.3, 2.0, 1.0, 0.0, 0.7, -1.0, 0.2, 1.5, -0.5, 0.1]


def test_against_all_orders():
    fit = cox(TIME, EVENT, X, ties="exact-marginal")
    b = fit.coef[0]
    assert fit.loglik == pytest.approx(by_orders(TIME, EVENT, X, b), rel=1e-11)
    assert fit.loglik_null == pytest.approx(by_orders(TIME, EVENT, X, 0), rel=1e-11)
    # the top and its curvature, by differences
    h = 1e-3
    up, here, down = (by_orders(TIME, EVENT, X, b + d) for d in (h, 0, -h))
    assert (up - down) / (2 * h) == pytest.approx(0, abs=1e-5)
    assert fit.std_error[0] == pytest.approx((-(up - 2 * here + down) / h**2) ** -0.5, rel=1e-5)


def test_two_tied_deaths_by_hand():
    # x = 1 and 0 die together before one with x = 0: r/(r + 2) · 1/2 + 1/(r + 2) · r/(r + 1)
    fit = cox([1, 1, 2, 3], [1, 1, 1, 0], [1, 0, 0, 1], ties="exact-marginal")
    r = fit.hazard_ratio[0]
    value = r / (2 * r + 2) * (1 / (r + 2) + 1 / (2 * r + 1)) * 1 / (1 + r)
    assert fit.loglik == pytest.approx(log(value), rel=1e-11)


def test_strata_add_up():
    one = cox(TIME, EVENT, X, ties="exact-marginal").loglik_null
    twice = cox(TIME * 2, EVENT * 2, X * 2, [0] * 12 + [1] * 12, ties="exact-marginal").loglik_null
    assert twice == pytest.approx(2 * one, rel=1e-12)


def test_without_ties_it_is_efron():
    time = np.arange(12) + np.array(TIME)
    marginal, efron = (cox(time, EVENT, X, ties=ties) for ties in ("exact-marginal", "efron"))
    assert marginal.coef == pytest.approx(efron.coef, rel=1e-10)
    assert marginal.std_error == pytest.approx(efron.std_error, rel=1e-10)


def test_efron_comes_close_on_real_data():
    d = data("aml")
    marginal, efron = (cox(d["time"], d["event"], d["group"], ties=t) for t in ("exact-marginal", "efron"))
    assert marginal.coef[0] == pytest.approx(efron.coef[0], rel=0.01)


def test_many_tied_deaths():
    # forty of eighty die at once; in any order they come first with chance 1 / (80 choose 40) when all are alike
    x = np.tile([0.0, 1.0], 40)
    fit = cox([1] * 40 + [2] * 40, [1] * 40 + [0] * 40, x, ties="exact-marginal")
    from math import comb

    assert fit.loglik_null == pytest.approx(-log(comb(80, 40)), rel=1e-9)
    assert fit.coef[0] == pytest.approx(0, abs=1e-9)


def test_everybody_at_once_tells_nothing():
    with pytest.raises(NotEstimable):
        cox([5, 5, 5, 5], [1, 1, 1, 1], [0, 0, 1, 1], ties="exact-marginal")


def test_weights_and_entry_are_refused():
    with pytest.raises(ValueError, match="neither entry nor weights"):
        cox(TIME, EVENT, X, ties="exact-marginal", weights=[1] * 12)
