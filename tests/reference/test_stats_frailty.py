"""Shared gamma frailty against R survival: kidney catheters, rats in litters, lung patients of institutions, eyes.

Passport: tests/reference/r/stats_frailty.txt, by stats_frailty.R beside it. With theta known both climb to the
same top, to 1e-7. With theta estimated, R stops its search where the likelihood no longer changes in its ninth
digit, so that theta agrees to 1e-5; the likelihood of ours must not be below R's.
"""

from __future__ import annotations

import numpy as np
import pytest

from stats_reference import data, numbers
from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.frailty import SharedFrailty, shared_frailty

R = numbers("stats_frailty.txt")
SETS = ["kidney", "rats", "lung", pytest.param("diabetic", marks=pytest.mark.slow)]


def fit(name: str, **more: float) -> SharedFrailty:
    rows = data(f"frailty_{name}")
    X = np.column_stack([column for key, column in rows.items() if key.startswith("x")])
    return shared_frailty(rows["time"], rows["event"], X, rows["cluster"], **more)


@pytest.mark.parametrize("name", SETS)
def test_a_known_variance(name):
    found = fit(name, theta=0.5)
    assert found.coef == pytest.approx(R[f"{name}.known.coef"], rel=1e-7)
    assert found.std_error == pytest.approx(R[f"{name}.known.se"], rel=1e-7)
    assert found.loglik == pytest.approx(R[f"{name}.known.loglik"][0], rel=1e-10)
    assert found.loglik_null == pytest.approx(R[f"{name}.null"][0], rel=1e-10)


@pytest.mark.parametrize("name", ["kidney", "rats", pytest.param("diabetic", marks=pytest.mark.slow)])
def test_the_variance_estimated(name):
    found = fit(name)
    assert found.theta == pytest.approx(R[f"{name}.theta"][0], rel=1e-5)
    assert found.coef == pytest.approx(R[f"{name}.coef"], rel=1e-4)
    assert found.std_error == pytest.approx(R[f"{name}.se"], rel=1e-4)
    assert found.loglik >= R[f"{name}.loglik"][0] - 1e-9


def test_institutions_that_do_not_differ_leave_the_model_without_frailties():
    found, rows = fit("lung"), data("frailty_lung")
    plain = cox(rows["time"], rows["event"], np.column_stack((rows["x1"], rows["x2"])))
    assert found.theta == 0
    assert found.p_value == 1
    assert np.array_equal(found.coef, plain.coef)
    assert found.std_error == pytest.approx(plain.std_error, rel=1e-12)
    assert not found.log_frailty.any()


def test_what_cannot_be_asked():
    with pytest.raises(NotEstimable, match="one cluster only"):
        shared_frailty([1, 2, 3, 4], [1, 1, 1, 1], [0, 1, 0, 1], ["a"] * 4)
    with pytest.raises(ValueError, match="theta must be positive, not -1"):
        shared_frailty([1, 2, 3, 4], [1, 1, 1, 1], [0, 1, 0, 1], ["a", "b", "a", "b"], theta=-1)
