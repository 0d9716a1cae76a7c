"""MaxCombo and modest weights on the 6-MP trial.

Program: tests/reference/r/stats_vectors.R, output stats_vectors.txt. The chance is checked twice: by two nested calls of
R's integrate over the three dimensions there are (tolerance 1e-9, theirs), and by mvtnorm, whose
Genz–Bretz rule is random and met 2e-7 here. The project rules prints 4.1e-05 for it; that is the two-sided p of the plain
log-rank test, and both programs say 5.49e-05.
"""

import numpy as np
import pytest

from stats_reference import numbers
from trialwright.stats.gaussian import any_above
from trialwright.stats.maxcombo import FOUR, maxcombo, modestly_weighted

R = numbers("stats_vectors.txt")
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
CONTROL = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
TIME = TREATED + CONTROL
EVENT = [1] * 9 + [0] * 12 + [1] * 21
GROUP = [1] * 21 + [0] * 21


def test_maxcombo():
    found = maxcombo(TIME, EVENT, GROUP)
    np.testing.assert_allclose(found.z, R["fh.z"], rtol=1e-12)
    upper = found.correlation[np.triu_indices(4, 1)]  # 00-01 00-10 00-11 01-10 01-11 10-11
    np.testing.assert_allclose(upper[[0, 1, 3, 2, 4, 5]], R["fh.correlation"], rtol=1e-12)
    np.testing.assert_allclose(found.p_one_sided, R["maxcombo.p_by_integrate"], atol=1e-9)
    np.testing.assert_allclose(found.p_one_sided, R["maxcombo.p_one_sided"], atol=1e-6)
    assert found.p_value == 2 * found.p_one_sided
    assert found.z_min == min(found.z)
    assert found.weights == FOUR


@pytest.mark.parametrize("bound", [0, 1, 2, 2.5])
def test_chance_of_the_largest(bound):
    correlation = maxcombo(TIME, EVENT, GROUP).correlation
    assert any_above(correlation, bound) == pytest.approx(R[f"max_above.{bound}"][0], abs=1e-9)


@pytest.mark.parametrize("t_star", [6, 10])
def test_modestly_weighted(t_star):
    found = modestly_weighted(TIME, EVENT, GROUP, t_star)
    assert found.z == pytest.approx(R[f"modest.{t_star}"][0], rel=1e-12)
