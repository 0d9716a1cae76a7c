"""Repeated measures by REML against nlme, pbkrtest, and the definition spelled out in R.

Program: tests/reference/r/stats_mmrm.R, output stats_mmrm.txt (versions in its first line), data in data/*.csv.
nlme's optimiser stops near the top: its standard errors are good to about 1e-5 and its log-likelihood, flat there, to
1e-8. The numbers named satterthwaite are polished by Newton steps on numerical derivatives, which leaves 1e-6.
"""

import numpy as np
import pytest

from stats_reference import data, numbers
from trialwright.stats.mmrm import contrast, mmrm

R = numbers("stats_mmrm.txt")
NAMES = ["orthodont", "orthodont_gaps", "chick"]
STRUCTURES = ["unstructured", "ar1", "compound-symmetry"]


def fitted(name, structure):
    d = data(name)
    cells = (d["visit"][:, None] == np.unique(d["visit"])).astype(float)
    X = np.c_[cells, cells * d["arm"][:, None]]
    return mmrm(d["y"], d["patient"], d["visit"], X, structures=[structure])


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("name", NAMES)
def test_fit(name, structure):
    fit = fitted(name, structure)
    key = f"{name}.{structure}"
    np.testing.assert_allclose(fit.coef, R[f"{key}.coef"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), R[f"{key}.se"], rtol=1e-4)
    np.testing.assert_allclose(fit.loglik, R[f"{key}.loglik"], rtol=1e-7)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("name", NAMES)
def test_satterthwaite(name, structure):
    fit = fitted(name, structure)
    last = np.zeros(fit.coef.size)
    last[-1] = 1
    found = contrast(fit, last)
    df, error, loglik = R[f"{name}.{structure}.satterthwaite"]
    np.testing.assert_allclose(fit.loglik, loglik, rtol=1e-9)
    np.testing.assert_allclose([found.df, found.std_error], [df, error], rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_kenward_roger(name):
    fit = fitted(name, "compound-symmetry")
    last = np.zeros(fit.coef.size)
    last[-1] = 1
    found = contrast(fit, last, freedom="kenward-roger")
    # lme4 stops its search for the variances at about 1e-6
    np.testing.assert_allclose([found.df, found.std_error], R[f"{name}.kr"], rtol=1e-5)
