"""Restricted means and milestones in batches are those of the single forms, trial by trial, on any data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.stats import batch_curves
from trialwright.stats.errors import NotEstimable
from trialwright.stats.restricted import landmark_difference, rmst_difference

MANY = settings(max_examples=150, deadline=None)


@st.composite
def trials(draw):
    """Several trials of one size: whole days, near-ties or continuous; some patients not enrolled yet."""
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
    stratum = rng.integers(0, draw(st.sampled_from([1, 3])), (rows, n))
    absent = rng.random((rows, n)) < draw(st.sampled_from([0, 0, 0.3, 1]))
    return np.where(absent, -1 - time, time), event & ~absent, group, stratum


def single(function, time, *rest, **options):
    here = time >= 0
    try:
        return function(time[here], *(a[here] for a in rest), **options).difference
    except NotEstimable:
        return None


def same(found, i, one):
    told = found.reason[i] not in (0, batch_curves.Gap.NO_EVENTS)
    assert (one is None) == told == np.isnan(found.estimate[i]), batch_curves.Gap(found.reason[i]).words
    if one is None:
        return
    assert found.estimate[i] == pytest.approx(one.estimate, rel=1e-9, abs=1e-10)
    assert found.std_error[i] == pytest.approx(one.std_error, rel=1e-7, abs=1e-10)
    assert np.isnan(found.z[i]) == (found.std_error[i] == 0)


@MANY
@given(trials(), st.sampled_from([0.7, 3.0, 12.0, 100.0]), st.booleans())
def test_restricted_mean(data, tau, stratified):
    time, event, group, stratum = data
    found = batch_curves.rmst(time, event, group, tau, stratum=stratum if stratified else None)
    for i in range(len(time)):
        codes = np.unique(stratum[i], return_inverse=True)[1] if stratified else np.zeros_like(stratum[i])
        here = time[i] >= 0
        one = single(rmst_difference, time[i], event[i], group[i], tau=tau,
                     strata=codes[here]) if here.any() else None  # fmt: skip
        same(found, i, one)


@MANY
@given(trials(), st.sampled_from([0.7, 3.0, 12.0, 100.0]))
def test_landmark(data, at):
    time, event, group, _ = data
    found = batch_curves.landmark(time, event, group, at)
    for i in range(len(time)):
        same(found, i, single(landmark_difference, time[i], event[i], group[i], t=at))


@MANY
@given(trials(), st.randoms(use_true_random=False))
def test_no_trial_depends_on_its_neighbours(data, chance):
    order = chance.sample(range(len(data[0])), len(data[0]))
    time, event, group, stratum = data
    for test in (
        lambda t, d, g, s: batch_curves.rmst(t, d, g, 6.0, stratum=s),
        lambda t, d, g, _: batch_curves.landmark(t, d, g, 6.0),
    ):
        here = test(time, event, group, stratum)
        there = test(time[order], event[order], group[order], stratum[order])
        for name in here.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(here, name)[order], getattr(there, name))


def test_by_hand():
    """Control: deaths at 1 and 3, one followed to 6; experimental: death at 2, two followed to 6 and 7.

    To 6, control: 1 + 2·2/3 + 3·1/3 = 10/3, experimental: 2 + 4·2/3 = 14/3. Area to come at 1: 7/3, at 3: 1; so the
    variances are (7/3)²/6 + 1/2 and (8/3)²/6 = 32/27.
    """
    found = batch_curves.rmst([[1, 3, 6, 2, 6, 7.0]], [[1, 1, 0, 1, 0, 0]], [[0, 0, 0, 1, 1, 1]], 6)
    assert found.estimate[0] == pytest.approx(4 / 3)
    assert found.std_error[0] ** 2 == pytest.approx((49 / 9) / 6 + 1 / 2 + 32 / 27)
    found = batch_curves.landmark([[1, 3, 6, 2, 6, 7.0]], [[1, 1, 0, 1, 0, 0]], [[0, 0, 0, 1, 1, 1]], 2.5)
    assert found.estimate[0] == pytest.approx(0)
    assert found.std_error[0] ** 2 == pytest.approx(2 * (2 / 3) ** 2 / 6)


def test_each_gap():
    G = batch_curves.Gap
    time = np.array([[1, 2, 3, 4.0]] * 4)
    group = np.array([[0, 1, 0, 1]] * 4)
    event = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [1] * 4, [0] * 4])
    assert batch_curves.landmark(time, event, group, 3.5).reason.tolist() == [
        G.NOT_FOLLOWED, G.NOBODY_LEFT, G.NOBODY_LEFT, G.NOT_FOLLOWED,
    ]  # fmt: skip
    assert batch_curves.rmst(time, event, group, 2.5).reason.tolist() == [0, 0, 0, G.NO_EVENTS]
    assert batch_curves.rmst(time, event, [[1] * 4], 2.5).reason.tolist() == [G.EMPTY_GROUP] * 4
    assert all(gap.words for gap in G if gap)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time": [1.0]}, "two dimensions"),
        ({"time": [[1.0, np.nan]]}, "missing or infinite"),
        ({"time": [[-1.0, 2.0]]}, "not enrolled yet"),
        ({"tau": 0}, "must be positive"),
    ],
)
def test_misuse_is_one_clear_sentence(change, words):
    good = {"time": [[1.0, 2.0]], "event": [[1, 1]], "group": [[0, 1]], "tau": 1.0}
    with pytest.raises(ValueError, match=words):
        batch_curves.rmst(**good | change)
