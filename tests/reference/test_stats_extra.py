"""Profile and Firth limits, Breslow–Day, exact tables, each worked out in R from its definition.

Program: tests/reference/r/stats_extra.R, output stats_extra.txt (versions in its first line).
"""

import numpy as np
import pytest

from stats_reference import data, numbers
from trialwright.stats.breslow_day import breslow_day, exact_association
from trialwright.stats.penalised import firth_cox, profile_limits
from trialwright.stats.proportions import cochran_mantel_haenszel, poisson_rate

R = numbers("stats_extra.txt")


@pytest.mark.parametrize("name", ["ovarian", "veteran", "aml"])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_profile_limits(name, ties):
    d = data(name)
    found = profile_limits(d["time"], d["event"], np.c_[d["group"], d["x"]], ties=ties)
    for j in range(2):
        # both sides find a root of the likelihood, which is flat to 1e-15 over about 1e-8
        expected = R[f"profile.{name}.{ties}.{j + 1}"]
        np.testing.assert_allclose([found.lower[j], found.upper[j]], expected, rtol=1e-7)


@pytest.mark.parametrize("name", ["ovarian", "aml", "kidney", "no_events"])
def test_firth(name):
    if name == "no_events":
        d = {
            "time": [3, 5, 8, 9, 12, 4, 6, 10, 11, 13],
            "event": [1, 1, 1] + [0] * 7,
            "group": [0] * 5 + [1] * 5,
        }
    else:
        d = data(name)
    fit = firth_cox(d["time"], d["event"], d["group"])
    found = [fit.hazard_ratio[0], fit.lower[0], fit.upper[0], fit.loglik, fit.loglik_null, fit.p_value[0]]
    # optimise() looks for the top of a parabola: half the digits of its argument
    np.testing.assert_allclose(found[0], R[f"firth.{name}"][0], rtol=1e-6)
    np.testing.assert_allclose(found[1:], R[f"firth.{name}"][1:], rtol=1e-7)


def tables(name):
    """Events and patients of both groups from R's array: event by group (columns 1, 0) by stratum."""
    cells = R[f"table.{name}"].reshape(-1, 2, 2)
    one, nought = cells[:, 0], cells[:, 1]
    return one[:, 0], one.sum(axis=1), nought[:, 0], nought.sum(axis=1)


@pytest.mark.parametrize("name", ["rules", "ucb", "esoph", "infert"])
def test_tables(name):
    homogeneous = breslow_day(*tables(name))
    found = [homogeneous.chi2, homogeneous.tarone, homogeneous.df]
    np.testing.assert_allclose(found, R[f"bd.{name}"], rtol=1e-8)
    test = cochran_mantel_haenszel(*tables(name))
    odds = test.odds_ratio
    np.testing.assert_allclose(
        [test.chi2, odds.estimate, odds.lower, odds.upper], R[f"mh.{name}"], rtol=1e-10
    )
    exact = exact_association(*tables(name))
    # R's own sums of hypergeometric terms are good to about 1e-9
    np.testing.assert_allclose(
        [exact.p_value, exact.p_greater, exact.p_less], R[f"exact.{name}"], rtol=1e-7, atol=1e-12
    )


@pytest.mark.parametrize("key", [key for key in R if key.startswith("fisher")])
def test_fisher(key):
    a, b, c, d = (int(word) for word in key.split(".")[1:])  # columns first
    exact = exact_association([a], [a + b], [c], [c + d])
    np.testing.assert_allclose([exact.p_value, exact.p_greater, exact.p_less], R[key], rtol=1e-9)


@pytest.mark.parametrize("events", [1, 3, 27])
def test_poisson(events):
    exposure, lower, upper = R[f"poisson.{events}"]
    found = poisson_rate(events, exposure)
    np.testing.assert_allclose([found.lower, found.upper], [lower, upper], rtol=1e-10)
