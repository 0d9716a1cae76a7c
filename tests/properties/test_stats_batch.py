"""The batch forms give what the single forms give, trial by trial, on any data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.stats import batch
from trialwright.stats.batch_tables import risk_tables
from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.logrank import logrank
from trialwright.stats.maxcombo import FOUR, maxcombo

MANY = settings(max_examples=150, deadline=None)


@st.composite
def trials(draw):
    """Several trials of the same size: whole days, near-ties or continuous; some patients not enrolled yet."""
    rows, n = draw(st.integers(1, 5)), draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["days", "near", "continuous"]))
    time = rng.integers(0, draw(st.sampled_from([2, 12, 400])), (rows, n)).astype(float)
    if kind == "near":
        time += rng.choice([0, 1e-9, 1.2e-8, 2e-8, 4e-8], (rows, n)) * draw(st.sampled_from([1.0, 100.0]))
    elif kind == "continuous":
        time = rng.exponential(10, (rows, n))
    event = rng.random((rows, n)) < draw(st.sampled_from([0, 0.1, 0.6, 1]))
    group = rng.random((rows, n)) < draw(st.sampled_from([0, 0.1, 0.5, 0.67, 1]))
    stratum = rng.integers(0, draw(st.sampled_from([1, 3, 40, 90])), (rows, n))
    absent = rng.random((rows, n)) < draw(st.sampled_from([0, 0, 0.3, 1]))
    return np.where(absent, -1 - time, time), event & ~absent, group, stratum


def single(function, time, event, group, stratum, **options):
    here = time >= 0
    try:
        return function(time[here], event[here], group[here], stratum[here], **options)
    except NotEstimable:
        return None


@MANY
@given(trials(), st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1), (0.5, 2)]), st.booleans())
def test_logrank(data, weights, stratified):
    time, event, group, stratum = data
    stratum = stratum if stratified else np.zeros_like(stratum)
    rho, gamma = weights
    found = batch.logrank(risk_tables(time, event, group, stratum), rho=rho, gamma=gamma)
    for i in range(len(time)):
        one = single(logrank, time[i], event[i], group[i], stratum[i], rho=rho, gamma=gamma)
        assert (one is None) == (found.reason[i] != 0) == np.isnan(found.z[i]), batch.Reason(found.reason[i])
        if one is not None:
            assert found.statistic[i] == pytest.approx(one.statistic, rel=1e-10, abs=1e-10)
            assert found.variance[i] == pytest.approx(one.variance, rel=1e-10)
            assert found.z[i] == pytest.approx(one.z, rel=1e-10, abs=1e-10)


@MANY
@given(trials(), st.booleans())
def test_cox(data, stratified):
    time, event, group, stratum = data
    stratum = stratum if stratified else np.zeros_like(stratum)
    found = batch.cox(risk_tables(time, event, group, stratum))
    for i in range(len(time)):
        one = single(cox, time[i], event[i], group[i].astype(float), stratum[i])
        assert (one is None) == (found.reason[i] != 0) == np.isnan(found.coef[i]), batch.Reason(
            found.reason[i]
        )
        if one is not None:
            assert found.coef[i] == pytest.approx(one.coef[0], rel=1e-10, abs=1e-10)
            # the error moves with the coefficient to first order, and in few events by more than it
            assert found.std_error[i] == pytest.approx(one.std_error[0], rel=1e-9)


@MANY
@given(trials())
def test_combo(data):
    time, event, group, stratum = data
    found = batch.combo(risk_tables(time, event, group, stratum), FOUR)
    for i in range(len(time)):
        one = single(maxcombo, time[i], event[i], group[i], stratum[i])
        assert (one is None) == (found.reason[i] != 0)
        if one is not None:
            np.testing.assert_allclose(found.z[i], one.z, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(found.correlation[i], one.correlation, rtol=1e-9, atol=1e-9)


@MANY
@given(trials(), st.randoms(use_true_random=False))
def test_no_trial_depends_on_its_neighbours(data, chance):
    """Alone, in another order, or beside others: the same bits."""
    order = chance.sample(range(len(data[0])), len(data[0]))
    whole, mixed = risk_tables(*data), risk_tables(*(a[order] for a in data))
    for test in (batch.logrank, batch.cox, lambda t: batch.logrank(t, rho=1, gamma=1)):
        here, there = test(whole), test(mixed)
        for name in here.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(here, name)[order], getattr(there, name))


def test_each_reason():
    """One trial for each, and one that has a number."""
    time = np.array([[1, 2, 3, 4.0]] * 6)
    time[0] = -1
    event = np.array([[0] * 4, [1] * 4, [0] * 4, [1, 1, 0, 0], [1, 0, 1, 0], [1] * 4])
    group = np.array([[0, 1, 0, 1], [1] * 4, [0, 1, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 0, 1]])
    tables = risk_tables(time, event, group)
    R = batch.Reason
    assert batch.cox(tables).reason.tolist() == [
        R.NO_PATIENTS, R.EMPTY_GROUP, R.NO_EVENTS, R.MONOTONE, R.MONOTONE, R.NONE,
    ]  # fmt: skip
    last = risk_tables([[1, 2, 3]], [[0, 0, 1]], [[0, 1, 1]])
    assert batch.logrank(last).reason.tolist() == [R.NOT_APART]
    assert all(reason.words for reason in R if reason)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time": [1.0, 2.0]}, "two dimensions"),
        ({"time": [[1.0, np.nan]]}, "missing or infinite value in trial 0"),
        ({"time": [[1.0, -np.nan]]}, "missing or infinite"),
        ({"time": [[np.inf, 1.0]]}, "missing or infinite"),
        ({"time": [[-1.0, 1.0]]}, "not enrolled yet, has an event"),
        ({"event": [[2, 1]]}, "event must be 0 or 1"),
        ({"group": [[1, 0, 1]]}, "group has shape"),
        ({"stratum": [[-1, 0]]}, "stratum must hold whole numbers"),
        ({"stratum": [[0, 256]]}, "stratum must hold whole numbers"),
    ],
)  # fmt: skip
def test_misuse_is_one_clear_sentence(change, words):
    good = {"time": [[1.0, 2.0]], "event": [[1, 1]], "group": [[0, 1]], "stratum": [[0, 0]]}
    with pytest.raises(ValueError, match=words):
        risk_tables(**good | change)
    with pytest.raises(ValueError, match="rho and gamma"):
        batch.logrank(risk_tables(**good), rho=-1)
