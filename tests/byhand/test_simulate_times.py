"""Times to the event that are not exponential: Weibull, cured, states; what the effect means; tests on them."""

import math

import numpy as np
import pytest

from simulate_designs import A, design
from trialwright.simulate.characteristics import characteristics
from trialwright.simulate.chunks import Run, simulate
from trialwright.simulate.cohort import NEVER, _deaths, _waiting, enrol, next_scan
from trialwright.simulate.design import Hazards
from trialwright.simulate.looks import look_at
from trialwright.simulate.tally import mean
from trialwright.stats.cox import cox
from trialwright.stats.restricted import landmark_difference, rmst_difference

MANY = {"patients": 1000, "looks": [{"month": 99.0}], "level": {"planned": 700}}
CONTROL = {"progression": 0.1895, "death": 0.0416, "death_after_progression": 0.1664}
TARGET = {"progression": 0.1525, "death": 0.0208, "death_after_progression": 0.0897}
STATES = {"control": {"states": CONTROL}, "experimental": {"states": TARGET}, "hazard_ratio": []}


def alive(raw, months, trials=300):
    """Share of the control and of the experimental arm alive then, and 4 standard errors."""
    cohort = enrol(design(A, **(MANY | raw)), 3, np.arange(trials))
    arms = (cohort.leaves[:, cohort.experimental[0] == b] for b in (False, True))
    return [((a > months).mean(), 4 * 0.5 / np.sqrt(a.size)) for a in arms]


def test_weibull_by_hand():
    """Shape 2, median 6: cumulative hazard ln 2 (t/6)²; 4 ln 2 at month 12. With the ratio 1/4 from month 6 on,
    ln 2 + (4 ln 2 - ln 2)/4 = 1.75 ln 2 there."""
    found = design(
        A, control={"median": 6, "shape": 2}, hazard_ratio=[{"value": 1}, {"start": 6, "value": 0.25}]
    )
    u = 0.5 ** np.array([[4, 1, 1.75, 0.25]])
    index = np.array([[0, 0, 1, 1]], dtype=np.uint8)
    np.testing.assert_allclose(_waiting(u, found.hazards, index), [[12, 6, 12, 3]], rtol=1e-12)


def test_weibull_and_exponential_side_by_side():
    """A group with times of its own: each row keeps its shape, and a median is a median."""
    groups = [
        {"id": "X", "share": 0.5, "levels": {"S": "1"}},
        {"id": "Y", "share": 0.5, "levels": {"S": "2"}, "control": {"median": 10, "shape": 0.5}, "times": 1},
    ]
    cohort = enrol(design(A, **MANY, groups=groups, control={"median": 7}), 3, np.arange(300))
    control = ~np.broadcast_to(cohort.experimental, cohort.leaves.shape)
    for stratum, median, quarter in ((0, 7, 14), (1, 10, 40)):  # shape 1/2: twice the hazard at four medians
        times = cohort.leaves[control & (cohort.stratum == stratum)]
        assert abs((times < median).mean() - 0.5) < 4 * 0.5 / np.sqrt(times.size)
        assert abs((times < quarter).mean() - 0.75) < 4 * 0.5 / np.sqrt(times.size)


def test_the_hazard_ratio_holds_on_a_weibull_hazard():
    """Proportional at all times: no bias of Cox's model, and 95 % intervals cover."""
    what = design(A, control={"median": 7, "shape": 1.7})
    assert what.proportional() == (0.6, "")
    covered, error = mean(simulate(Run(what, 6000, 4)), "covered", "1")
    assert abs(covered - 0.95) < 0.005 + 4.5 * error


def test_cured_by_hand():
    """A quarter is cured: who draws 0.25 or less lives for ever, 0.625 is the median of the others."""
    hazards = Hazards(np.zeros(1), np.array([[math.log(2) / 6]]), cured=np.array([0.25]))
    found = _waiting(np.array([[0.25, 0.1, 0.625, 1 - 0.75 / 8]]), hazards, np.zeros((1, 4), dtype=np.uint8))
    assert (found[0, :2] > NEVER).all()
    np.testing.assert_allclose(found[0, 2:], [6, 6 * math.log2(8 / 7)])


def test_cured_and_effect_among_the_others():
    """S = 0.2 + 0.8 · 0.5^(12/6) = 0.4 in the control arm, and 0.2 + 0.8 · 0.5 with half the hazard; with more cured
    in the experimental arm, 0.4 + 0.6/4."""
    cured = {"control": {"median": 6, "cured": 0.2}}
    for change, expected in (
        ({"hazard_ratio": [{"value": 0.5}]}, (0.4, 0.6)),
        ({"hazard_ratio": [], "experimental": {"median": 6, "cured": 0.4}}, (0.4, 0.55)),
    ):
        for (share, error), truth in zip(alive(cured | change, 12), expected, strict=True):
            assert abs(share - truth) < error
    assert "some are cured" in design(A, **cured).proportional()[1]
    assert design(A, **cured, hazard_ratio=[{"value": 1}]).proportional()[0] == 1
    own = design(A, **cured, hazard_ratio=[], experimental={"median": 6, "cured": 0.2})
    assert own.proportional()[0] == 1


def test_a_trial_of_cured_patients_ends():
    """Events that never come: the look is when the last has left, and the rest are followed for ever by nobody."""
    what = design(A, control={"median": 6, "cured": 0.6}, dropout={"per_year": 0.1})
    (seen,) = look_at(what, enrol(what, 1, np.arange(50)))
    assert not seen.reached.any()
    assert np.isfinite(seen.month).all()
    assert (seen.events < 90).all()


def test_states_by_hand():
    """The first state is left after 4 months. Progression is 3/4 of it; after it the rate is 0.5 a month."""

    class Told:
        def quad(self, stream, subjects):
            return np.array([[0.7, 0.8]]), np.array([[math.exp(-1), math.exp(-1)]]), None, None

    found = _deaths(np.array([[4.0, 4.0]]), np.array([[0.3, 0.1, 0.5]]), np.zeros((1, 2), np.uint8), Told())
    np.testing.assert_allclose(found, [[6, 4]])


@pytest.mark.parametrize("months", [6, 12, 18])
def test_states_against_the_closed_form(months):
    """Project rules 9.3: OS(t) = exp(-at) + l01 (exp(-l12 t) - exp(-at)) / (a - l12), a = l01 + l02; it gives
    60, 28, 12 % in the control arm and 77, 52, 33 % with the target. PFS(t) = exp(-at)."""
    published = {6: (0.60, 0.77), 12: (0.28, 0.52), 18: (0.12, 0.33)}[months]
    found = alive(STATES, months)
    for (share, error), rates, page in zip(found, (CONTROL, TARGET), published, strict=True):
        l01, l02, l12 = rates.values()
        a = l01 + l02
        closed = math.exp(-a * months) + l01 * (math.exp(-l12 * months) - math.exp(-a * months)) / (a - l12)
        assert closed == pytest.approx(page, abs=0.006)
        assert abs(share - closed) < error


def test_two_endpoints_of_one_life():
    """PFS never ends after OS; a loss censors both; its median is ln 2 / (l01 + l02) = 3.0 months (9.3)."""
    cohort = enrol(design(A, **(MANY | STATES), dropout={"per_year": 0.3}), 3, np.arange(200))
    first = cohort.clock("PFS")
    assert (first.leaves <= cohort.leaves).all()
    lost = cohort.event_at > NEVER
    assert (
        first.leaves[lost & (first.event_at > NEVER)] == cohort.leaves[lost & (first.event_at > NEVER)]
    ).all()
    whole = enrol(design(A, **(MANY | STATES)), 3, np.arange(200)).clock("PFS").leaves
    control = whole[:, ~cohort.experimental[0]]
    assert abs((control < 3.0).mean() - 0.5) < 4 * 0.5 / np.sqrt(control.size)
    with pytest.raises(ValueError, match="no progression"):
        enrol(design(A), 3, np.arange(2)).clock("PFS")


def test_progression_is_seen_at_the_next_scan():
    """Every 2 months to month 6, then every 3: at 2, 4, 6, 9, 12. On the day of a scan it is seen."""
    scans = design(A, **STATES, scans=[{"value": 2}, {"start": 6, "value": 3}]).scans
    months = np.array([0.1, 2, 2.1, 5.9, 6, 6.1, 9, 9.5, 40])
    np.testing.assert_allclose(next_scan(scans, months), [2, 2, 4, 6, 6, 9, 9, 12, 42])
    uneven = design(A, **STATES, scans=[{"value": 2}, {"start": 5, "value": 3}]).scans
    np.testing.assert_allclose(next_scan(uneven, np.array([3.9, 4.5])), [4, 8])


def test_scans_delay_progression_not_death():
    """PFS is on the grid of scans, or the day of death; OS is the same, and the next scan is never two steps off."""
    plain, seen = (
        enrol(design(A, **(MANY | STATES), scans=scans), 3, np.arange(100))
        for scans in ([], [{"value": 1.5}])
    )
    np.testing.assert_array_equal(plain.leaves, seen.leaves)
    first, later = plain.clock("PFS").leaves, seen.clock("PFS").leaves
    assert ((later >= first) & (later - first <= 1.5 + 1e-9)).all()
    died = later == seen.leaves
    np.testing.assert_allclose((later[~died] / 1.5) % 1, 0, atol=1e-9)
    assert 0.2 < died.mean() < 0.5


def test_looks_count_the_first_tests_endpoint():
    tests = [{"id": "pfs", "endpoint": "PFS"}, {"id": "os"}]
    what = design(A, **STATES, tests=tests)
    cohort = enrol(what, 1, np.arange(200))
    (seen,) = look_at(what, cohort)
    assert (seen.events == 90).all()
    assert (np.count_nonzero(cohort.event_at <= seen.month[:, None], axis=1) < 90).all()
    turned = design(A, **STATES, tests=tests[::-1])
    (later,) = look_at(turned, enrol(turned, 1, np.arange(200)))
    assert (later.month > seen.month).all()
    assert (later.log_hr != seen.log_hr).all()
    assert what.proportional()[0] == pytest.approx(0.1733 / 0.2311)
    assert turned.proportional()[0] is None


def test_pfs_is_exponential():
    """Leaving the first state at l01 + l02 a month: the z of PFS is that of exponential times with these hazards,
    trial by trial, from the same random numbers."""
    before, after = (states["progression"] + states["death"] for states in (CONTROL, TARGET))
    pfs = design(A, **STATES, tests=[{"id": "pfs", "endpoint": "PFS"}], dropout={"per_year": 0.1})
    plain = design(
        A,
        control={"hazard": [{"value": before}]},
        hazard_ratio=[{"value": after / before}],
        dropout={"per_year": 0.1},
    )
    (one,), (other,) = (look_at(what, enrol(what, 5, np.arange(100))) for what in (pfs, plain))
    np.testing.assert_allclose(one.z[0], other.z[0], rtol=1e-6)
    np.testing.assert_allclose(one.month, other.month)


def test_no_effect_where_a_group_has_none():
    """A ratio of 1 in a group is the control arm's states; its hazard is that of the group in both arms."""
    groups = [
        {"id": "X", "share": 0.5, "levels": {"S": "1"}},
        {"id": "Y", "share": 0.5, "levels": {"S": "2"}, "times": 2, "hazard_ratio": [{"value": 1}]},
    ]
    found = design(A, **STATES, groups=groups).states
    np.testing.assert_allclose(found[0] * 2, found[2])
    np.testing.assert_allclose(found[2], found[3])
    assert (found[0] > found[1]).all()


def test_restricted_mean_and_landmark_at_two_looks():
    """Trial by trial what the single forms say of the same times; early on nobody was followed so long."""
    tests = [
        {"id": "lr"},
        {"id": "mean", "kind": "rmst", "months": 12},
        {"id": "half", "kind": "landmark", "months": 6},
        {"id": "wald", "kind": "cox"},
    ]
    what = design(A, looks=[{"month": 10}, {"events": 90}], tests=tests)
    cohort = enrol(what, 2, np.arange(20))
    first, last = look_at(what, cohort)
    assert np.isnan(first.z[1]).all()
    for i in range(20):
        here = cohort.entry[i] <= last.month[i]
        time = np.minimum(last.month[i] - cohort.entry[i], cohort.leaves[i])[here]
        data = time, cohort.event_at[i][here] <= last.month[i], cohort.experimental[0][here]
        for test, one in ((1, rmst_difference(*data, 12)), (2, landmark_difference(*data, 6))):
            assert last.z[test][i] == pytest.approx(one.difference.estimate / one.difference.std_error)
        fit = cox(data[0], data[1], data[2].astype(float))
        assert last.z[3][i] == pytest.approx(-fit.coef[0] / fit.std_error[0])
        assert last.log_hr[i] == pytest.approx(fit.coef[0])


def test_what_the_effect_is_in_months_and_in_survival():
    """Exponential, medians 7 and 7/0.6: mean time alive within 12 months (1 - S(12))/rate, and S(12) itself."""
    rates = math.log(2) / 7, 0.6 * math.log(2) / 7
    tests = [{"id": "mean", "kind": "rmst", "months": 12}, {"id": "year", "kind": "landmark", "months": 12}]
    what = design(A, tests=tests, looks=[{"month": 45}], level={"planned": 90})
    frame = characteristics(what, "x", simulate(Run(what, 4000, 4)))
    value = {(g, s): v for g, s, v in frame.select("group", "statistic", "value").rows()}
    for test, kind, of in (
        ("mean", "rmst", lambda rate: (1 - math.exp(-12 * rate)) / rate),
        ("year", "landmark", lambda rate: math.exp(-12 * rate)),
    ):
        truth = of(rates[1]) - of(rates[0])
        error = value[test, f"{kind}_difference_se"]
        assert abs(value[test, f"{kind}_difference"] - truth) < 4 * error
        assert error < 0.02
