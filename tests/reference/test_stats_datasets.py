"""Eighteen data sets that ship with R, brought to one shape (time, event, group, stratum, x).

Program: tests/reference/r/stats_datasets.R, output stats_datasets.txt (versions in its first line), data in
data/*.csv. Tolerance 1e-9 relative: printed with 15 digits, but R stops its Newton steps when the
log-likelihood has settled to 1e-11, which leaves the coefficients about 1e-9 of their size open.
"""

import numpy as np
import pytest

from stats_reference import data, either_form, numbers
from trialwright.stats.cox import cox, proportional_hazards
from trialwright.stats.logrank import logrank
from trialwright.stats.survival import kaplan_meier, rmst

form = either_form(globals())
R = numbers("stats_datasets.txt")
NAMES = sorted({name.split(".")[0] for name in R if name.endswith(".logrank")})
CLOSE = {"rtol": 1e-9, "atol": 1e-12, "equal_nan": True}


def trial(name):
    d = data(name)
    return d["time"], d["event"], d["group"], d["stratum"], d["x"]


def flat(fit):
    return np.concatenate((fit.coef, fit.std_error, [fit.loglik_null, fit.loglik, fit.score]))


def test_there_are_at_least_fifteen_data_sets_and_two_hundred_numbers():
    assert len(NAMES) >= 15
    assert sum(values.size for values in R.values()) >= 200


@pytest.mark.parametrize("name", NAMES)
def test_curve(name):
    time, event, *_ = trial(name)
    curve = kaplan_meier(time, event)
    quantiles = [curve.quantile(p) for p in (0.1, 0.25, 0.5)]
    for column, key in (("estimate", "quantile"), ("lower", "lower"), ("upper", "upper")):
        np.testing.assert_allclose([getattr(q, column) for q in quantiles], R[f"{name}.km.{key}"], **CLOSE)
    at = R[f"{name}.km.times"]
    np.testing.assert_allclose(np.concatenate(curve.at(at)), R[f"{name}.km.at"], **CLOSE)
    np.testing.assert_array_equal(curve.n_at_risk(at), R[f"{name}.km.risk"])
    tau, mean, error = R[f"{name}.rmst"]
    found = rmst(curve, tau=tau)
    np.testing.assert_allclose([found.estimate, found.std_error], [mean, error], **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_weighted_curve(name):
    time, event, *_ = trial(name)
    curve = kaplan_meier(time, event, weights=1 + np.arange(time.size) % 2)
    places = np.searchsorted(curve.time, R[f"{name}.km.times"], side="right") - 1
    found = np.concatenate((curve.survival[places], curve.std_error[places], curve.n_risk[places]))
    np.testing.assert_allclose(found, R[f"{name}.km.weights"], **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_logrank(name):
    time, event, group, stratum, _ = trial(name)
    test = logrank(time, event, group)
    np.testing.assert_allclose([test.chi2, *test.expected, test.variance], R[f"{name}.logrank"], **CLOSE)
    np.testing.assert_allclose(
        logrank(time, event, group, stratum).chi2, R[f"{name}.logrank.strata"], **CLOSE
    )
    np.testing.assert_allclose(logrank(time, event, group, stratum, rho=1).chi2, R[f"{name}.peto"], **CLOSE)


@pytest.mark.parametrize(
    "key", [key for key in R if ".cox." in key and key.split(".")[-1] in ("efron", "breslow", "exact")]
)
def test_cox(key):
    name, ties = key.split(".")[0], key.split(".")[-1]
    time, event, group, _, x = trial(name)
    np.testing.assert_allclose(flat(cox(time, event, np.c_[group, x], ties=ties)), R[key], **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_stratified_cox(name):
    time, event, group, stratum, x = trial(name)
    fit = cox(time, event, np.c_[group, x], stratum)
    np.testing.assert_allclose([*flat(fit), fit.wald], R[f"{name}.cox.strata"], **CLOSE)
    robust = cox(time, event, np.c_[group, x], stratum, robust=True)
    np.testing.assert_allclose(robust.std_error, R[f"{name}.cox.robust"], **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_weighted_cox(name):
    time, event, group, _, x = trial(name)
    w = ((np.arange(time.size) + 1) % 3 + 1) / 2
    found = flat(cox(time, event, np.c_[group, x], weights=w))[:-1]
    np.testing.assert_allclose(found, R[f"{name}.cox.weights"], **CLOSE)


@pytest.mark.parametrize("key", [key for key in R if ".zph." in key])
def test_proportional_hazards(key):
    name, _, transform = key.split(".")
    time, event, group, stratum, x = trial(name)
    found = proportional_hazards(time, event, np.c_[group, x], stratum, transform=transform)
    # a quotient of differences: the open 1e-9 of the coefficients counts for more here
    np.testing.assert_allclose([*found.chi2, found.chi2_all], R[key], rtol=1e-6, atol=1e-9)


class TestDelayedEntry:
    d = data("mgus2_delayed")
    time, event, entry = d["stop"], d["death"], d["start"]
    X = np.c_[d["woman"], d["high"]]

    def test_curve(self):
        curve = kaplan_meier(self.time, self.event, entry=self.entry)
        places = np.searchsorted(curve.time, [12, 60, 120], side="right") - 1
        found = [part[places] for part in (curve.survival, curve.std_error, curve.lower, curve.upper)]
        np.testing.assert_allclose(np.concatenate(found), R["delayed.km"], **CLOSE)

    def test_cox(self):
        np.testing.assert_allclose(
            flat(cox(self.time, self.event, self.X, entry=self.entry)), R["delayed.cox"], **CLOSE
        )

    def test_proportional_hazards(self):
        found = proportional_hazards(self.time, self.event, self.X, entry=self.entry)
        np.testing.assert_allclose([*found.chi2, found.chi2_all], R["delayed.zph"], rtol=1e-6)


class TestCovariatesThatChange:
    """The Stanford heart transplants: a patient has a row before and a row after the operation."""

    d = data("heart")
    X = np.c_[d["age"], d["surgery"], d["t"]]

    @pytest.mark.parametrize("ties", ["efron", "breslow"])
    def test_cox(self, ties):
        found = flat(cox(self.d["stop"], self.d["event"], self.X, entry=self.d["start"], ties=ties))[:-1]
        np.testing.assert_allclose(found, R[f"heart.{ties}"], **CLOSE)

    def test_robust_by_patient(self):
        fit = cox(self.d["stop"], self.d["event"], self.X, entry=self.d["start"], cluster=self.d["id"])
        np.testing.assert_allclose(fit.std_error, R["heart.robust"], **CLOSE)

    def test_proportional_hazards(self):
        found = proportional_hazards(self.d["stop"], self.d["event"], self.X, entry=self.d["start"])
        np.testing.assert_allclose([*found.chi2, found.chi2_all], R["heart.zph"], rtol=1e-6)
