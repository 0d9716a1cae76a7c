"""Few patients, worked on paper: when they die, when the trial is cut, what is counted."""

import numpy as np
import pytest

from simulate_designs import A, design
from trialwright.simulate.cohort import NEVER, Cohort, _waiting, enrol
from trialwright.simulate.design import ALMOST_NEVER, Hazards
from trialwright.simulate.looks import bounds, look_at, stopped
from trialwright.simulate.tally import mean, tally

FOREVER = 1 / ALMOST_NEVER
FIVE = Cohort(
    # one patient per column: dies at 3+4=7; dies at 1+5=6; lost at 5+2=7; dies at 4+9=13; comes at 8, dies at 20
    entry=np.array([[3, 1, 5, 4, 8.0]]),
    leaves=np.array([[4, 5, 2, 9, 12.0]]),
    event_at=np.array([[7, 6, FOREVER, 13, 20.0]]),
    experimental=np.array([[True, False, True, False, True]]),
    stratum=None,
)


def small(*looks, **change):
    return design(A, patients=5, looks=list(looks), **change)


def test_hazard_in_pieces():
    """0.1 a month until 2, then nothing until 5, then 0.5: 0.2 has gathered by month 2, so 0.15 is reached at
    1.5 and 0.7 at 5 + 0.5/0.5 = 6."""
    hazards = Hazards(np.array([0, 2, 5.0]), np.array([[0.1, ALMOST_NEVER, 0.5]]))
    u = np.exp(-np.array([[0.15, 0.7, 0.2 + 1e-9]]))
    np.testing.assert_allclose(_waiting(u, hazards, np.uint8(0)), [[1.5, 6, 5]], atol=1e-7)


def test_each_group_and_arm_has_its_hazard():
    """Control 0.2; a group with twice the hazard; the effect 0.5 from month 3, in that group 0.25 at once."""
    found = design(
        A,
        control={"hazard": [{"value": 0.2}]},
        hazard_ratio=[{"value": 1}, {"start": 3, "value": 0.5}],
        groups=[
            {"id": "X", "share": 0.5},
            {"id": "Y", "share": 0.5, "times": 2, "hazard_ratio": [{"value": 0.25}]},
        ],
    ).hazards
    np.testing.assert_allclose(found.start, [0, 3])
    np.testing.assert_allclose(found.rate, [[0.2, 0.2], [0.2, 0.1], [0.4, 0.4], [0.1, 0.1]])


def test_a_median_is_a_median():
    """Half of 100,000 control patients die before it, within 4 standard errors."""
    raw = A | {"patients": 1000, "looks": [{"month": 99.0}], "level": {"planned": 700}}
    cohort = enrol(design(raw), 3, np.arange(300))
    control = cohort.leaves[:, ~cohort.experimental[0]]
    assert abs((control < 7).mean() - 0.5) < 4 * 0.5 / np.sqrt(control.size)
    treated = cohort.leaves[:, cohort.experimental[0]]
    assert abs((treated < 7 / 0.6).mean() - 0.5) < 4 * 0.5 / np.sqrt(treated.size)


def test_cut_at_events():
    """The second event falls at 7, and it counts; the fifth patient comes later and is not there."""
    (seen,) = look_at(small({"events": 2}), FIVE)
    assert (seen.month[0], seen.events[0], seen.enrolled[0], seen.reached[0]) == (7, 2, 4, True)
    # own times: 4 (dead, B), 5 (dead, A), 2 (lost, B), 3 (cut, A). At 4 there is one B and one A at risk, so
    # O - E = 1 - 1/2, variance 1/4; at 5 only A
    assert seen.z[0][0] == pytest.approx(-0.5 / 0.5)


def test_cut_by_the_calendar_by_both_and_never():
    looks = [
        ({"month": 6.5}, (6.5, 1, 4, True)),
        ({"events": 3, "month": 10.0}, (10, 2, 5, False)),
        ({"events": 3, "month": 20.0}, (13, 3, 5, True)),
        ({"events": 2, "month": 10.0, "whichever": "last"}, (10, 2, 5, True)),
        ({"events": 5}, (20, 4, 5, False)),  # there are four: cut when the last has left
    ]
    for look, expected in looks:
        (seen,) = look_at(small(look, level={"planned": 4}), FIVE)
        assert (seen.month[0], seen.events[0], seen.enrolled[0], seen.reached[0]) == expected, look


def test_a_later_look_is_never_earlier():
    """Four events or month 8, then five events or month 7.5: the second cannot come before the first."""
    first, second = look_at(small({"events": 3, "month": 8}, {"events": 4}, level={"planned": 4}), FIVE)
    assert (first.month[0], second.month[0]) == (8, 20)


def test_the_event_that_triggers_the_cut_counts():
    """Always, though cut - entry may round below the time of that event."""
    cohort = enrol(design(A), 1, np.arange(2000))
    (seen,) = look_at(design(A), cohort)
    assert (seen.events == 90).all()
    short = (seen.month[:, None] - cohort.entry < cohort.leaves) & (cohort.event_at <= seen.month[:, None])
    assert short.any(), "rounding does bite, so this test can fail"


def test_bounds_at_the_events_there_are():
    """Half and all of the information: 2.963 and 1.969 (project rules 8.10); without a new event no look."""
    two = design(A, looks=[{"events": 45}, {"events": 90}])
    found = bounds(two, np.array([[45, 90], [60, 60], [0, 90], [0, 0]]))
    assert found[0] == pytest.approx([2.963, 1.969], abs=5e-4)
    assert found[1, 0] < 2.963
    assert found[1, 1] == np.inf
    assert found[2] == pytest.approx([np.inf, 1.960], abs=5e-4)
    assert (found[3] == np.inf).all()


def test_a_last_look_without_a_new_event_leaves_the_one_before_as_it_was():
    """Half of 90 events at both looks: the first had spent for its half, 2.963, before anyone knew that no more
    would come; not 1.960, as if it had been the last."""
    two = design(A, looks=[{"events": 45}, {"events": 90}])
    assert bounds(two, np.array([[45, 45]]))[0] == pytest.approx([2.963, np.inf], abs=5e-4)
    three = design(A, looks=[{"events": 30}, {"events": 45}, {"events": 90}])
    together = bounds(three, np.array([[30, 45, 45], [30, 45, 90]]))
    assert together[0, :2].tolist() == together[1, :2].tolist()
    assert together[0, 2] == np.inf


@pytest.mark.parametrize("many", [129, 200, 300])
def test_more_groups_than_a_byte_has_rows(many):
    """Rows of hazards are two a group: the patients of the last group, nearly all, must not get the times of
    another. They die at once in the control arm, and hardly ever in the other."""
    last = {"id": "LAST", "share": 0.9, "times": 1e6, "hazard_ratio": [{"value": 1e-12}]}
    others = [{"id": f"G{i}", "share": 0.1 / (many - 1)} for i in range(many - 1)]
    cohort = enrol(design(A, groups=[*others, last]), 3, np.arange(40))
    one = np.broadcast_to(cohort.experimental, cohort.entry.shape)
    assert abs((cohort.leaves[~one] < 0.01).mean() - 0.9) < 0.03
    assert abs((cohort.leaves[one] > 500).mean() - 0.9) < 0.03


def test_dropout():
    """12 % a year: 88 % of those who cannot die are still there after 12 months."""
    raw = A | {"patients": 1000, "control": {"hazard": [{"value": 0}]}, "dropout": {"per_year": 0.12}}
    cohort = enrol(design(raw), 3, np.arange(100))
    assert (cohort.event_at > NEVER).all()
    assert abs((cohort.leaves > 12).mean() - 0.88) < 4 * np.sqrt(0.88 * 0.12 / 1e5)
    raw |= {"dropout": {"per_year": 0.12, "per_year_experimental": 0}}
    cohort = enrol(design(raw), 3, np.arange(100))
    assert (cohort.leaves[:, cohort.experimental[0]] > NEVER).all()


def test_accrual():
    even = enrol(
        design(A, patients=6, accrual={"model": "even", "months": 30}, looks=[{"events": 2}]), 1, np.arange(3)
    )
    np.testing.assert_allclose(even.entry, [[5, 10, 15, 20, 25, 30]] * 3)
    for model in ("uniform", "poisson"):
        entry = enrol(design(A, accrual={"model": model, "months": 30}), 1, np.arange(3000)).entry
        assert (np.diff(entry, axis=1) >= 0).all()
        last = {"uniform": 30 * 129 / 130, "poisson": 30}[model]
        assert abs(entry[:, -1].mean() - last) < 4 * entry[:, -1].std() / np.sqrt(3000)


def test_what_is_added_up():
    """One trial at one look: every sum is the number itself."""
    found = tally(small({"events": 2}), look_at(small({"events": 2}), FIVE))
    assert found["trials",] == 1
    assert mean(found, "month", "1")[0] == mean(found, "month", "stop")[0] == 7
    assert mean(found, "events", "1")[0] == 2
    assert found["no_z", "logrank", "1"] == 0
    assert found["n", "log_hr", "1"] == 0, "at 5 only A is left, at 4 the B dies: the likelihood is monotone"


def test_mean_and_its_error():
    """1, 2 and 6: mean 3, variance 7, standard error sqrt(7/3)."""
    from trialwright.simulate.tally import Tally, _add

    found = Tally()
    _add(found, {"x": np.array([1, 2, np.nan, 6])}, "1")
    assert mean(found, "x", "1") == pytest.approx((3, np.sqrt(7 / 3)))
    assert np.isnan(mean(found, "y", "1")[0])


def test_a_trial_stops_at_its_first_crossing():
    two = design(A, looks=[{"events": 45}, {"events": 90}])
    seen = look_at(two, enrol(two, 1, np.arange(300)))
    (when,) = stopped(two, seen)
    limits = bounds(two, np.array([[45, 90]]))[0]
    for trial in range(300):
        crossed = [seen[k].z[0][trial] >= limits[k] for k in (0, 1)]
        assert when[trial] == (crossed.index(True) if any(crossed) else 2)
    assert set(when) == {0, 1, 2}
