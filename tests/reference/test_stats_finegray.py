"""Fine and Gray's model against survival's finegray with coxph, and cmprsk's crr.

Program: tests/reference/r/stats_finegray.R, output stats_finegray.txt (versions in its first line). finegray does the same
arithmetic: 1e-7. crr treats a death and a censoring of one day differently and counts the uncertainty of the
weights in its standard errors: coefficients to 5e-3, errors to 1 percent.
"""

import numpy as np
import pytest

from stats_reference import data, numbers
from trialwright.stats.errors import NotEstimable
from trialwright.stats.subdistribution import fine_gray

R = numbers("stats_finegray.txt")


def trial(name):
    if name == "mgus2":
        d = data("mgus2")
        keep = d["etime"] > 0
        return d["etime"][keep], d["why"][keep], np.c_[d["sex"] == "M", d["age"] / 10][keep]
    if name == "transplant":
        d = data("transplant")
        keep = d["futime"] > 0
        return d["futime"][keep], d["why"][keep], (d["sex"] == "f")[keep]
    d = data("bladder1")
    return d["stop"], d["why"], d["treatment"] == "thiotepa"


@pytest.mark.parametrize("key", [key for key in R if not key.endswith("crr")])
def test_finegray(key):
    name, cause, ties = key.split(".")
    fit = fine_gray(*trial(name), cause=int(cause), ties=ties)
    np.testing.assert_allclose(np.concatenate((fit.coef, fit.std_error)), R[key], rtol=1e-7)


@pytest.mark.parametrize("key", [key for key in R if key.endswith("crr")])
def test_crr(key):
    name, cause, _ = key.split(".")
    fit = fine_gray(*trial(name), cause=int(cause), ties="breslow")
    coef, error = np.split(R[key], 2)
    np.testing.assert_allclose(fit.coef, coef, rtol=5e-3)
    np.testing.assert_allclose(fit.std_error, error, rtol=1e-2)


def test_without_other_events_it_is_cox():
    from trialwright.stats.cox import cox

    time, event, x = [3, 1, 4, 2, 6, 5], [1, 1, 0, 1, 1, 0], [0.1, 1, 0.4, 0.2, 0.9, 0]
    assert fine_gray(time, event, x).coef == pytest.approx(cox(time, event, x).coef, rel=1e-10)


def test_without_censoring_others_simply_stay():
    # nobody is censored, so whoever had the other event is at risk to the end with weight 1
    from trialwright.stats.cox import cox

    time, status, x = np.array([3.0, 1, 4, 2, 6, 5]), np.array([1, 2, 1, 1, 2, 1]), [0.1, 1, 0.4, 0.2, 0.9, 0]
    forever = np.where(status == 2, 100, time)
    assert fine_gray(time, status, x).coef == pytest.approx(cox(forever, status == 1, x).coef, rel=1e-10)


def test_edges():
    with pytest.raises(NotEstimable, match="no events of cause 3"):
        fine_gray([1, 2], [1, 2], [0, 1], cause=3)
    with pytest.raises(ValueError, match="times must be positive"):
        fine_gray([0, 2], [1, 2], [0, 1])
