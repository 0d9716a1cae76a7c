"""Many trials at once are the trials one by one."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from trialwright.stats.batch import Reason, batch_table, cox_batch, logrank_batch
from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.logrank import logrank

STATS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@st.composite
def trials(draw):
    """A few trials of the same size: ties or none, strata or none, some patients not yet there."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    B, n = draw(st.integers(1, 4)), draw(st.integers(2, 40))
    time = rng.exponential(10, (B, n))
    if draw(st.booleans()):
        time = np.floor(time)
    event = rng.random((B, n)) < draw(st.sampled_from([0.2, 0.7, 1.0]))
    group = rng.random((B, n)) < draw(st.sampled_from([0.1, 0.5]))
    strata = rng.integers(0, draw(st.integers(1, 3)), n)
    present = rng.random((B, n)) < draw(st.sampled_from([0.6, 1.0]))
    return time, event, group, strata, present


def one_by_one(function, data, **options):
    found = []
    time, event, group, strata, present = data
    for b in range(len(time)):
        who = present[b]
        try:
            found.append(function(time[b, who], event[b, who], group[b, who], strata[who], **options))
        except NotEstimable:
            found.append(None)
    return found


@STATS
@given(trials(), st.sampled_from([(0, 0), (0, 1), (1, 0), (0.5, 2)]))
def test_logrank(data, weights):
    time, event, group, strata, present = data
    rho, gamma = weights
    found = logrank_batch(batch_table(time, event, group, strata, present=present), rho=rho, gamma=gamma)
    for b, single in enumerate(one_by_one(logrank, data, rho=rho, gamma=gamma)):
        if single is None:
            assert np.isnan(found.z[b])
            assert found.reason[b] != Reason.ESTIMATED
        else:
            assert found.reason[b] == Reason.ESTIMATED
            assert found.statistic[b] == pytest.approx(single.statistic, rel=1e-9, abs=1e-11)
            assert found.z[b] == pytest.approx(single.z, rel=1e-9, abs=1e-11)


@STATS
@given(trials(), st.sampled_from(["efron", "breslow"]))
def test_cox(data, ties):
    time, event, group, strata, present = data
    found = cox_batch(batch_table(time, event, group, strata, present=present), ties=ties)
    for b, single in enumerate(one_by_one(cox, data, ties=ties)):
        if single is None:
            assert np.isnan([found.coef[b], found.std_error[b]]).all()
            assert found.reason[b] != Reason.ESTIMATED
        else:
            assert found.reason[b] == Reason.ESTIMATED
            assert found.coef[b] == pytest.approx(single.coef[0], rel=1e-7, abs=1e-8)
            assert found.std_error[b] == pytest.approx(single.std_error[0], rel=1e-7)


def test_reasons():
    time = np.array([[1.0, 2, 3, 4]] * 5)
    event = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1]], dtype=bool)
    group = np.array([[0, 1, 0, 1], [1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]], dtype=bool)
    table = batch_table(time, event, group)
    assert logrank_batch(table).reason.tolist() == [
        Reason.NO_EVENTS, Reason.EMPTY_GROUP, Reason.ESTIMATED, Reason.ESTIMATED, Reason.NOT_TOGETHER,
    ]  # fmt: skip
    assert cox_batch(table).reason.tolist() == [
        Reason.NO_EVENTS, Reason.EMPTY_GROUP, Reason.MONOTONE, Reason.MONOTONE, Reason.MONOTONE,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: batch_table(np.ones(3), np.ones(3), np.ones(3)), "time must be"),
        (lambda: batch_table(np.ones((1, 3)), np.ones(3), np.ones(3), [0, 1, 64]), "strata must be whole"),
        (lambda: cox_batch(batch_table(np.ones((1, 3)), [1, 1, 0], [1, 0, 0]), ties="exact"), "ties must be"),
    ],
)
def test_misuse(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_input_is_not_changed():
    time = np.array([[3.0, 1.0, 2.0]])
    before = time.copy()
    cox_batch(batch_table(time, [1, 1, 1], [1, 1, 0]))
    assert np.array_equal(time, before)
