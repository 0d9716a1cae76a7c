"""Our logarithm and exponential beside the same in extended precision (NumPy's long double, 64 bits of mantissa).

Tolerance: three units in the last place of a double (2.2e-16), for a product and three sums each rounded once.
"""

import numpy as np
import pytest

from trialwright.stats.elementary import EXP_LIMIT, exp, minus_log

EXTENDED = np.finfo(np.longdouble).eps < 2e-19
NUMBERS = np.random.default_rng(1).random(300_000)


@pytest.mark.skipif(not EXTENDED, reason="long double is no longer than double here")
@pytest.mark.parametrize(
    "u",
    [NUMBERS, 1 - NUMBERS * 1e-6, NUMBERS * 2.0**-30, np.array([2.0**-33, 0.5, 0.25, 0.7071067811865475, 0.7071067811865476])],
    ids=["all", "near 1", "near 0", "edges"],
)  # fmt: skip
def test_minus_log(u):
    truth = -np.log(u.astype(np.longdouble))
    assert np.abs(minus_log(u) / truth - 1).max() < 6.7e-16


@pytest.mark.skipif(not EXTENDED, reason="long double is no longer than double here")
def test_exp():
    x = (NUMBERS - 0.5) * 100
    assert np.abs(exp(x) / np.exp(x.astype(np.longdouble)) - 1).max() < 6.7e-16
    assert exp(np.zeros(1))[0] == 1
    assert exp(np.array([-1e5, 1e5])).tolist() == exp(np.array([-EXP_LIMIT, EXP_LIMIT])).tolist()


def test_the_argument_stays_and_shape_too():
    u = NUMBERS[:12_000].reshape(3, 20, 200)
    before = u.copy()
    assert minus_log(u).shape == u.shape
    np.testing.assert_array_equal(u, before)
    np.testing.assert_array_equal(minus_log(u[:, ::2])[1], minus_log(u)[1, ::2])
