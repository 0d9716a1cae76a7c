"""What must hold of an interval-censored curve, whatever the data."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from trialwright.stats.interval_censored import turnbull
from trialwright.stats.survival import kaplan_meier

FEW = settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
PATIENT = st.tuples(st.integers(0, 12), st.sampled_from([0, 1, 2, 3, 6, np.inf]))
PATIENTS = st.lists(PATIENT, min_size=1, max_size=30).filter(
    lambda rows: any(np.isfinite(w) for _, w in rows)
)


def ends(rows):
    left = np.array([low for low, _ in rows], dtype=float)
    return left, left + np.array([width for _, width in rows])


@FEW
@given(PATIENTS)
def test_no_other_curve_is_likelier(rows):
    """Every mass that could be moved elsewhere gains nothing: sums over patients, one interval at a time."""
    left, right = ends(rows)
    found = turnbull(left, right)
    assert found.mass.sum() == pytest.approx(1, abs=1e-9)
    held = (left[:, None] <= found.left) & (found.right <= right[:, None])
    held &= (left == right)[:, None] | ~((found.left == found.right) & (found.left == left[:, None]))
    chance = held @ found.mass
    assert found.loglik == pytest.approx(np.log(chance).sum(), abs=1e-9)
    times = np.unique(np.concatenate((left, right[np.isfinite(right)])))
    for t in np.concatenate((times, times[:-1] + np.diff(times) / 2, [times[-1] + 1])):
        inside = np.where(left == right, left == t, (left < t) & (t <= right))
        assert (inside / chance).sum() <= len(rows) + 1e-6


@FEW
@given(PATIENTS, st.randoms())
def test_row_order_is_irrelevant(rows, random):
    found = turnbull(*ends(rows))
    random.shuffle(rows)
    assert turnbull(*ends(rows)).loglik == pytest.approx(found.loglik, abs=1e-8)


@FEW
@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=40).filter(
        lambda r: any(e for _, e in r)
    )
)
def test_without_intervals_it_is_kaplan_meier(rows):
    time, event = np.array([t for t, _ in rows], dtype=float), np.array([e for _, e in rows])
    found = turnbull(time, np.where(event, time, np.inf))
    curve = kaplan_meier(time, event)
    assert found.at(curve.time)[1] == pytest.approx(curve.survival, abs=1e-6)
