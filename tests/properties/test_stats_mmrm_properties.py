"""What must hold of a model for repeated measures, whatever the data."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from trialwright.stats.errors import NotEstimable
from trialwright.stats.mmrm import mmrm
from trialwright.stats.visit_means import visit_means

FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
STRUCTURES = ["unstructured", "toeplitz", "ar1-heterogeneous", "ar1", "compound-symmetry"]


@st.composite
def trials(draw):
    """Some twenty patients in two arms, three visits, some missed; rows in no order."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(12, 25))
    arm = np.arange(n) % 2
    own = random.normal(size=n)
    y = own[:, None] + random.normal(size=(n, 3)) * [1, 1.5, 2] + arm[:, None] * [0, 1, 2]
    y[random.random((n, 3)) < draw(st.sampled_from([0, 0.1, 0.25]))] = np.nan
    rows = random.permutation(3 * n)
    columns = (y.ravel(), np.repeat(np.arange(n), 3), np.tile([1, 2, 3], n), np.repeat(arm, 3))
    return tuple(column[rows] for column in columns)


def fitted(trial, structure="unstructured", **options):
    """The means by visit, or skip: what cannot be estimated is the business of the tests by hand."""
    try:
        return visit_means(*trial, structures=[structure], **options)
    except NotEstimable:
        assume(False)


def same(found, expected, factor=1.0):
    for part in ("estimate", "std_error", "lower", "upper"):
        assert getattr(found, part) == pytest.approx(factor * getattr(expected, part), rel=1e-6, abs=1e-9)
    for part in ("df", "t", "p_value"):
        assert getattr(found, part) == pytest.approx(getattr(expected, part), rel=1e-5, abs=1e-9)


@FEW
@given(trials(), st.sampled_from(STRUCTURES), st.randoms())
def test_order_of_rows_and_names_are_irrelevant(trial, structure, random):
    order = list(range(trial[0].size))
    random.shuffle(order)
    y, subject, visit, arm = (column[order] for column in trial)
    names = np.array([f"P{99 - s}" for s in subject])
    other = fitted((y, names, np.array(["V1", "V2", "V3"])[visit - 1], arm), structure)
    same(other.differences, fitted(trial, structure).differences)


@FEW
@given(trials(), st.sampled_from(STRUCTURES))
def test_a_missed_visit_is_a_row_without_value_or_no_row(trial, structure):
    seen = ~np.isnan(trial[0])
    other = fitted(tuple(column[seen] for column in trial), structure)
    found = fitted(trial, structure)
    same(other.means, found.means)
    assert (other.model.n_missing, found.model.n_missing) == (0, int((~seen).sum()))


@FEW
@given(trials(), st.sampled_from(STRUCTURES), st.sampled_from([1e-3, 0.5, 1e4]))
def test_units_cancel(trial, structure, factor):
    found = fitted(trial, structure, df="kenward-roger")
    other = fitted((factor * trial[0], *trial[1:]), structure, df="kenward-roger")
    same(other.means, found.means, factor)


@FEW
@given(trials())
def test_the_other_arm_as_reference_flips_the_sign(trial):
    found, other = fitted(trial), fitted(trial, reference=1)
    assert other.differences.estimate == pytest.approx(-found.differences.estimate, rel=1e-6, abs=1e-9)
    assert other.differences.p_value == pytest.approx(found.differences.p_value, rel=1e-5, abs=1e-9)


@FEW
@given(trials())
def test_a_wider_structure_fits_no_worse(trial):
    unstructured, toeplitz, ar1 = (fitted(trial, s).model.loglik for s in ("unstructured", "toeplitz", "ar1"))
    compound = fitted(trial, "compound-symmetry").model.loglik
    assert unstructured >= toeplitz - 1e-6
    assert toeplitz >= max(ar1, compound) - 1e-6


@FEW
@given(trials(), st.sampled_from(STRUCTURES))
def test_columns_may_be_spelled_differently(trial, structure):
    y, subject, visit, arm = trial
    cells = (visit[:, None] == [1, 2, 3]).astype(float)
    X = np.column_stack((cells, cells * arm[:, None]))
    turn = np.triu(np.ones((6, 6)))
    try:
        one, two = (
            mmrm(y, subject, visit, D, structures=[structure], df="kenward-roger") for D in (X, X @ turn)
        )
    except NotEstimable:
        assume(False)
    L = np.eye(6)[3:]
    same(two.contrast(L @ turn), one.contrast(L))
    assert two.joint(L @ turn).p_value == pytest.approx(one.joint(L).p_value, rel=1e-5, abs=1e-9)
