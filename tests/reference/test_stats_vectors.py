"""The test vectors of the statistics rules, re-run in R.

Program: tests/reference/r/stats_vectors.R. Command and versions stand in its head and in the first line
of its output, stats_vectors.txt. Data: the 6-MP trial (Freireich 1963), group 1 treated; R's ``lung``.
Tolerance 1e-10 relative: both sides are closed forms or Newton's method run to the end, printed with 15
digits. Where it is wider, the test says why.
"""

import numpy as np
import pytest

from stats_reference import data, either_form, numbers
from trialwright.stats.cox import cox
from trialwright.stats.logrank import logrank
from trialwright.stats.proportions import (
    clopper_pearson,
    cochran_mantel_haenszel,
    miettinen_nurminen,
    poisson_rate,
    wilson,
)
from trialwright.stats.survival import kaplan_meier, reverse_kaplan_meier, rmst, rmst_difference

form = either_form(globals())
R = numbers("stats_vectors.txt")
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
CONTROL = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
TIME = np.array(TREATED + CONTROL, dtype=float)
EVENT = np.array([1] * 9 + [0] * 12 + [1] * 21)
GROUP = np.repeat([1, 0], 21)
STRATUM = np.tile([1, 2, 3], 14)
ARM = {0: (CONTROL, [1] * 21), 1: (TREATED, [1] * 9 + [0] * 12)}


def near(expected, rel=1e-10, absolute=1e-13):
    return pytest.approx(expected, rel=rel, abs=absolute, nan_ok=True)


def test_logrank():
    test = logrank(TIME, EVENT, GROUP)
    assert test.chi2 == near(R["logrank.chi2"][0])
    assert test.p_value == near(R["logrank.p"][0])
    assert test.expected == near(tuple(R["logrank.expected"]))
    assert test.variance == near(R["logrank.variance"][0])
    assert test.observed == (21, 9)
    # and the same vectors as the project rules prints them
    assert (round(test.chi2, 6), round(test.variance, 6)) == (16.792941, 6.256961)


def test_stratified_logrank():
    test = logrank(TIME, EVENT, GROUP, STRATUM)
    assert test.chi2 == near(R["logrank.stratified.chi2"][0])
    assert test.variance == near(R["logrank.stratified.variance"][0])


def test_g_rho():
    assert logrank(TIME, EVENT, GROUP, rho=1).chi2 == near(R["logrank.rho1.chi2"][0])


@pytest.mark.parametrize(("index", "rho", "gamma"), [(0, 0, 0), (1, 0, 1), (2, 1, 0), (3, 1, 1)])
def test_fleming_harrington(index, rho, gamma):
    assert logrank(TIME, EVENT, GROUP, rho=rho, gamma=gamma).z == near(R["fh.z"][index])


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_cox(ties):
    fit = cox(TIME, EVENT, GROUP, ties=ties)
    assert fit.coef == near(R[f"cox.{ties}.coef"])
    assert fit.std_error == near(R[f"cox.{ties}.se"])
    assert (fit.hazard_ratio[0], fit.lower[0], fit.upper[0]) == near(tuple(R[f"cox.{ties}.hr"]))
    assert (fit.lrt, fit.score, fit.wald) == near(tuple(R[f"cox.{ties}.tests"]))
    assert (fit.loglik_null, fit.loglik) == near(tuple(R[f"cox.{ties}.loglik"]))


def test_stratified_cox():
    fit = cox(TIME, EVENT, GROUP, STRATUM)
    assert (fit.coef[0], fit.std_error[0]) == near(tuple(R["cox.stratified"]))


@pytest.mark.parametrize("limits", ["log-log", "log", "plain"])
@pytest.mark.parametrize("arm", [0, 1])
def test_kaplan_meier(arm, limits):
    curve = kaplan_meier(*ARM[arm], limits=limits)
    found = [curve.quantile(p) for p in (0.25, 0.5, 0.75)]
    for name, column in (("quantile", "estimate"), ("lower", "lower"), ("upper", "upper")):
        assert [getattr(q, column) for q in found] == near(list(R[f"km.{arm}.{limits}.{name}"]))
    assert np.concatenate(curve.at([6, 12, 20])) == near(R[f"km.{arm}.{limits}.at"])
    places = np.searchsorted(curve.time, [6, 12, 20], side="right") - 1
    assert curve.std_error[places] == near(R[f"km.{arm}.se"])


def test_kaplan_meier_at_24():
    assert kaplan_meier(*ARM[1]).at(24) == near(tuple(R["km.1.at24"]))


def test_median_follow_up():
    median = reverse_kaplan_meier(*ARM[1]).median
    assert (median.estimate, median.lower, median.upper) == tuple(R["reverse.1.median"])


@pytest.mark.parametrize("tau", [10, 20])
@pytest.mark.parametrize("arm", [0, 1])
def test_restricted_mean(arm, tau):
    mean = rmst(*ARM[arm], tau)
    assert (mean.estimate, mean.std_error) == near(tuple(R[f"rmst.{arm}.{tau}"]))


def test_restricted_mean_difference():
    (m1, s1), (m0, s0) = R["rmst.1.20"], R["rmst.0.20"]
    contrast = rmst_difference(TIME, EVENT, GROUP, 20).difference
    assert contrast.estimate == near(m1 - m0)
    assert (contrast.lower, contrast.upper) == near(
        (m1 - m0 - 1.959963984540054 * np.hypot(s1, s0), m1 - m0 + 1.959963984540054 * np.hypot(s1, s0))
    )
    assert (round(contrast.lower, 4), round(contrast.upper, 4)) == (4.1959, 11.1800)


def test_lung():
    lung = data("lung_raw")
    time, event, woman = lung["time"], lung["status"] == 2, lung["sex"] == 2
    fit = cox(time, event, woman)
    assert (fit.coef[0], fit.std_error[0]) == near(tuple(R["lung.cox"]))
    assert logrank(time, event, woman).chi2 == near(R["lung.logrank"][0])
    for label, who in ((1, ~woman), (2, woman)):
        median = kaplan_meier(time[who], event[who]).median
        assert (median.estimate, median.lower, median.upper) == tuple(R[f"lung.median.{label}"])


@pytest.mark.parametrize(("x", "n"), [(40, 100), (4, 38), (4, 18), (0, 22), (70, 100), (12, 67), (22, 22)])
def test_clopper_pearson(x, n):
    found = clopper_pearson(x, n)
    assert (found.lower, found.upper) == near(tuple(R[f"exact.{x}.{n}"]))


@pytest.mark.parametrize(("x", "n"), [(40, 100), (4, 38), (0, 22), (22, 22)])
def test_wilson(x, n):
    found = wilson(x, n)
    assert (found.lower, found.upper) == near(tuple(R[f"wilson.{x}.{n}"]))


@pytest.mark.parametrize("name", [name for name in R if name.startswith("mn.")])
def test_miettinen_nurminen(name):
    # R maximised the restricted likelihood numerically and found the root to about 1e-11
    plain = name.startswith("mn.plain.")
    table = [int(word) for word in name.removeprefix("mn.").removeprefix("plain.").split(".")]
    found = miettinen_nurminen(*table, corrected=not plain)
    assert (found.lower, found.upper) == near(tuple(R[name]), rel=1e-9, absolute=1e-10)


@pytest.mark.parametrize(
    ("table", "limits"),
    [
        ((56, 70, 48, 80), (0.0528, 0.3382)),
        ((9, 10, 3, 10), (0.1700, 0.8406)),
        ((6, 7, 2, 7), (0.0342, 0.8534)),
        ((5, 56, 0, 29), (-0.0326, 0.1933)),
        ((30, 86, 8, 43), (-0.0051, 0.3060)),
    ],
)
def test_miettinen_nurminen_as_published(table, limits):
    found = miettinen_nurminen(*table)
    assert (round(found.lower, 4), round(found.upper, 4)) == limits


def test_cochran_mantel_haenszel():
    found = cochran_mantel_haenszel([10, 8], [30, 23], [5, 4], [30, 22])
    odds = found.odds_ratio
    assert (found.chi2, found.p_value, odds.estimate, odds.lower, odds.upper) == near(tuple(R["cmh"]))


def test_cochran_mantel_haenszel_berkeley_admissions():
    # R's array is admitted, rejected (rows) by man, woman (columns) by department
    cells = R["ucb.counts"].reshape(6, 2, 2)  # department, sex, admitted or not
    man, woman = cells[:, 0], cells[:, 1]
    found = cochran_mantel_haenszel(man[:, 0], man.sum(axis=1), woman[:, 0], woman.sum(axis=1))
    odds = found.odds_ratio
    assert (found.chi2, odds.estimate, odds.lower, odds.upper) == near(tuple(R["cmh.ucb"]))


def test_exposure_adjusted_rate():
    found = poisson_rate(12, 38.5, per=100)
    assert (found.estimate, found.lower, found.upper) == near(tuple(R["eair"]))
    none = poisson_rate(0, 38.5, per=100)
    assert (none.lower, none.upper) == near(tuple(R["eair.zero"]))
