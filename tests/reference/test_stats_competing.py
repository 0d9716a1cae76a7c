"""Cumulative incidence against survival's multi-state survfit, Gray's test against cmprsk.

Program: tests/reference/r/stats_competing.R, output stats_competing.txt (versions in its first line), data in
data/*.csv. Closed forms printed with 15 digits: 1e-10 relative.
"""

import numpy as np
import pytest

from stats_reference import data, numbers
from trialwright.stats.competing import aalen_johansen, gray

R = numbers("stats_competing.txt")
VECTORS = numbers("stats_vectors.txt")
MGUS, TRANSPLANT, BLADDER = data("mgus2"), data("transplant"), data("bladder1")
AGE = np.searchsorted([60, 70, 80], MGUS["age"], side="left")
CLOSE = {"rtol": 1e-10, "atol": 1e-13}


def test_the_vector_of_the_rules():
    found = aalen_johansen([1, 1, 2, 3, 5, 8, 9, 12, 14, 20], [1, 1, 2, 1, 0, 1, 2, 0, 1, 0])
    np.testing.assert_array_equal(found.time, VECTORS["aj.time"])
    np.testing.assert_allclose(found.incidence, [VECTORS["aj.cif1"], VECTORS["aj.cif2"]], **CLOSE)
    np.testing.assert_allclose(found.std_error, [VECTORS["aj.se1"], VECTORS["aj.se2"]], **CLOSE)
    assert [round(float(found.at(t)[0]), 2) for t in (3, 8, 14)] == [0.30, 0.42, 0.60]
    assert round(float(found.at(9, cause=2)[0]), 2) == 0.22


def test_monoclonal_gammopathy():
    found = aalen_johansen(MGUS["etime"], MGUS["why"])
    places = np.searchsorted(found.time, [12, 60, 120, 240], side="right") - 1
    np.testing.assert_allclose(found.incidence[:, places], [R["mgus2.cif1"], R["mgus2.cif2"]], **CLOSE)
    np.testing.assert_allclose(found.std_error[:, places], [R["mgus2.se1"], R["mgus2.se2"]], **CLOSE)


def test_liver_transplant():
    found = aalen_johansen(TRANSPLANT["futime"], TRANSPLANT["why"])
    places = np.searchsorted(found.time, [30, 100, 365], side="right") - 1
    for k in range(3):
        np.testing.assert_allclose(found.incidence[k, places], R[f"transplant.cif{k + 1}"], **CLOSE)
        np.testing.assert_allclose(found.std_error[k, places], R[f"transplant.se{k + 1}"], **CLOSE)


GRAY = {
    "gray.mgus2": (MGUS["etime"], MGUS["why"], MGUS["sex"]),
    "gray.mgus2.rho": (MGUS["etime"], MGUS["why"], MGUS["sex"]),
    "gray.mgus2.age": (MGUS["etime"], MGUS["why"], AGE),
    "gray.mgus2.strata": (MGUS["etime"], MGUS["why"], MGUS["sex"], AGE),
    "gray.transplant": (TRANSPLANT["futime"], TRANSPLANT["why"], TRANSPLANT["abo"]),
    "gray.transplant.sex": (TRANSPLANT["futime"], TRANSPLANT["why"], TRANSPLANT["sex"]),
    "gray.bladder": (BLADDER["stop"], BLADDER["why"], BLADDER["treatment"]),
}


@pytest.mark.parametrize("key", [key for key in R if key.startswith("gray")])
def test_gray(key):
    name, cause = key.rsplit(".", 1)
    found = gray(*GRAY[name], cause=int(cause), rho=1 if name.endswith("rho") else 0)
    # the p-value of cmprsk is one minus a distribution function: right to 1e-16, not to its own size
    np.testing.assert_allclose([found.chi2, found.df], R[key][[0, 2]], **CLOSE)
    np.testing.assert_allclose(found.p_value, R[key][1], rtol=1e-8, atol=1e-14)
