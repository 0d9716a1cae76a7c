"""Interval-censored survival against plain EM and survival's survfit, and against print.

Program: tests/reference/r/stats_interval.R, output stats_interval.txt (versions in its first line), data in
data/interval_*.csv. EM was run until no mass moved by 1e-16: 1e-9 of S, 1e-9 of the log-likelihood. survfit stops
when S moves by less than 5e-5 in a step; it stays within 1e-3.
"""

import numpy as np
import pytest

from stats_reference import data, numbers
from trialwright.stats.interval_censored import turnbull

R = numbers("stats_interval.txt")


def fitted(name):
    d = data(f"interval_{name}")
    return turnbull(d["left"], d["right"])


@pytest.mark.parametrize("name", ["breast", "liver"])
def test_em(name):
    found = fitted(name)
    assert found.loglik == pytest.approx(R[f"{name}.loglik"][0], abs=1e-9)
    assert found.gap < 1e-9
    low, high = found.at(R[f"{name}.times"])
    np.testing.assert_allclose(low, R[f"{name}.low"], atol=1e-9)
    np.testing.assert_allclose(high, R[f"{name}.high"], atol=1e-9)
    np.testing.assert_allclose(low, R[f"{name}.survfit"], atol=1e-3)


def test_cosmesis_as_printed():
    """Fay and Shaw, J Stat Softw 2010;36(2), the estimate of the R package interval 1.0 for radiotherapy."""
    found = fitted("breast")
    assert found.n == 46
    assert [*zip(found.left, found.right, np.round(found.mass, 4), strict=True)] == [
        (4, 5, 0.0463),
        (6, 7, 0.0334),
        (7, 8, 0.0887),
        (11, 12, 0.0708),
        (24, 25, 0.0926),
        (33, 34, 0.0818),
        (38, 40, 0.1209),
        (46, 48, 0.4656),
    ]
