"""lifelines and statsmodels as second opinions on random data, where they compute the same quantity.

Both come with the test environment. lifelines stops its Newton steps at 1e-7, statsmodels' Cox one step early (2e-9).
"""

import warnings

import numpy as np
import pytest

from trialwright.stats.cox import cox
from trialwright.stats.logrank import logrank
from trialwright.stats.proportions import clopper_pearson, wilson
from trialwright.stats.survival import kaplan_meier

lifelines = pytest.importorskip("lifelines")
statsmodels = pytest.importorskip("statsmodels")


def trial(seed, days):
    rng = np.random.default_rng(seed)
    n = 300
    time = rng.exponential(200, n) + 1
    group, strata = rng.random(n) < 0.5, rng.integers(0, 3, n)
    return np.ceil(time) if days else time, rng.random(n) < 0.7, group, strata, rng.normal(size=n)


CASES = [(1, True), (2, True), (3, False)]


@pytest.mark.parametrize(("seed", "days"), CASES)
def test_kaplan_meier(seed, days):
    time, event, *_ = trial(seed, days)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifelines.KaplanMeierFitter().fit(time, event)
        curve = kaplan_meier(time, event)
        at = [50.0, 100.0, 200.0, 400.0]
        np.testing.assert_allclose(curve.at(at)[0], theirs.survival_function_at_times(at), rtol=1e-10)
        low, high = theirs.confidence_interval_.loc[curve.time].to_numpy().T
        told = np.isfinite(curve.lower)
        np.testing.assert_allclose(curve.lower[told], low[told], rtol=1e-8)
        np.testing.assert_allclose(curve.upper[told], high[told], rtol=1e-8)


@pytest.mark.parametrize(("seed", "days"), CASES)
def test_logrank(seed, days):
    from statsmodels.duration.survfunc import survdiff

    time, event, group, strata, _ = trial(seed, days)
    chi2, p = survdiff(time, event.astype(int), group)
    test = logrank(time, event, group)
    np.testing.assert_allclose([test.chi2, test.p_value], [chi2, p], rtol=1e-9)
    chi2, p = survdiff(time, event.astype(int), group, strata=strata)
    np.testing.assert_allclose(logrank(time, event, group, strata).chi2, chi2, rtol=1e-9)


@pytest.mark.parametrize(("seed", "days"), CASES)
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox(seed, days, ties):
    from statsmodels.duration.hazard_regression import PHReg

    time, event, group, strata, x = trial(seed, days)
    X = np.c_[group, x].astype(float)
    theirs = PHReg(time, X, status=event.astype(int), strata=strata, ties=ties).fit(disp=0)
    fit = cox(time, event, X, strata, ties=ties)
    np.testing.assert_allclose(fit.coef, theirs.params, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(fit.std_error, theirs.bse, rtol=1e-6)


@pytest.mark.parametrize(("x", "n"), [(0, 12), (5, 12), (12, 12), (40, 100)])
def test_proportions(x, n):
    from scipy.stats import binomtest

    result = binomtest(x, n)
    for found, method in ((clopper_pearson(x, n), "exact"), (wilson(x, n), "wilson")):
        theirs = result.proportion_ci(0.95, method=method)
        np.testing.assert_allclose(
            [found.lower, found.upper], [theirs.low, theirs.high], rtol=1e-9, atol=1e-12
        )
