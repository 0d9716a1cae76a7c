"""What must hold of the models for treatment switching, whatever the data."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.logrank import logrank
from trialwright.stats.switching import (
    Search,
    censoring_weighted,
    intervals,
    rank_preserving,
    switching_weights,
)

FEW = settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@st.composite
def trials(draw):
    """Forty patients or so; some of the control arm switch."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(30, 60))
    group = np.arange(n) % 2
    censor = random.uniform(5, 30, n)
    life = random.exponential(10, n)
    time, event = np.minimum(life, censor), life <= censor
    part = np.where(random.random(n) < 0.4, random.random(n), 0.0)
    return time, event, group, np.where(group == 1, time, part * time), censor


def estimated(*trial):
    try:
        return rank_preserving(*trial, search=Search(-3, 3, 61))
    except NotEstimable:
        assume(False)


@FEW
@given(trials(), st.sampled_from([0.1, 7.0, 365.25]))
def test_units_of_time_cancel(trial, unit):
    time, event, group, treated, censor = trial
    found = estimated(*trial)
    other = estimated(unit * time, event, group, unit * treated, unit * censor)
    assert other.psi.estimate == pytest.approx(found.psi.estimate, abs=1e-6)
    assert other.hazard_ratio().estimate == pytest.approx(found.hazard_ratio().estimate, rel=1e-6)


@FEW
@given(trials())
def test_the_estimate_makes_the_arms_alike(trial):
    time, event, group, treated, _ = trial
    found = estimated(time, event, group, treated)
    near = [
        logrank((time - treated) + exp(p) * treated, event, group).z
        for p in (found.crossings[0] - 1e-6, found.crossings[0] + 1e-6)
    ]
    assert near[0] * near[1] <= 0
    assert not found.psi.lower > found.psi.estimate
    assert not found.psi.upper < found.psi.estimate


@FEW
@given(trials(), st.floats(0.5, 2))
def test_a_stretch_of_time_is_found_again(trial, factor):
    """Everybody uncensored, the experimental arm a copy of the control arm with all times stretched."""
    time = np.unique(np.round(trial[0], 3)) + 0.001
    both, arm = np.concatenate((time, factor * time)), np.repeat([0, 1], time.size)
    found = estimated(both, np.ones(both.size), arm, both * arm)
    # between neighbours in rank anything will do: as wide as the closest crossing of the two copies
    assert found.crossings[0] - 0.05 <= -log(factor) <= found.crossings[-1] + 0.05


@FEW
@given(trials())
def test_without_covariates_that_matter_weights_of_an_arm_follow_the_switches(trial):
    """An intercept only, two intervals each: everybody of the second counts 1 over the share that stayed."""
    time, event, group, treated, _ = trial
    switched = (group == 0) & (treated > 0)
    assume(switched.any() and not switched[group == 0].all())
    half = time / 2
    keep = ~switched
    subject = np.concatenate((np.arange(time.size), np.flatnonzero(keep)))
    rows = intervals(
        subject,
        np.concatenate((0 * half, half[keep])),
        np.concatenate((half, time[keep])),
        event=np.concatenate((np.zeros(time.size), event[keep])),
        switch=np.concatenate((switched, np.zeros(keep.sum()))),
        group=np.concatenate((group, group[keep])),
    )
    w = switching_weights(rows, np.ones((subject.size, 1)))
    decisions = (~rows.group & ~rows.event).sum()
    assert w[: time.size] == pytest.approx(1)
    expected = np.where(group[keep] == 1, 1, 1 / (1 - switched.sum() / decisions))
    assert w[time.size :] == pytest.approx(expected)
    try:
        plain = censoring_weighted(rows, np.ones(subject.size)).cox
    except NotEstimable:
        return
    ends = np.where(switched, half, time)
    assert plain.coef == pytest.approx(cox(ends, event & keep, group).coef, abs=1e-7)
