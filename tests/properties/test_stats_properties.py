"""What must hold for any data."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from trialwright.stats import coxdata
from trialwright.stats.competing import aalen_johansen
from trialwright.stats.cox import cox
from trialwright.stats.errors import NotEstimable
from trialwright.stats.logrank import logrank
from trialwright.stats.maxcombo import maxcombo
from trialwright.stats.normal import below
from trialwright.stats.proportions import clopper_pearson, miettinen_nurminen
from trialwright.stats.survival import kaplan_meier, rmst

STATS = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking arrays takes minutes
)

TRIALS = (
    st.integers(6, 40)
    .flatmap(
        lambda n: st.tuples(
            st.lists(st.integers(0, 25), min_size=n, max_size=n),
            st.lists(st.booleans(), min_size=n, max_size=n),
            st.lists(st.integers(0, 1), min_size=n, max_size=n),
            st.lists(st.integers(0, 2), min_size=n, max_size=n),
        )
    )
    .map(lambda columns: tuple(np.array(column) for column in columns))
)


def estimable(function, *args, **options):
    """The value, or skip this example: not estimable data are the business of test_stats_edges."""
    try:
        return function(*args, **options)
    except NotEstimable:
        assume(False)


@STATS
@given(TRIALS)
def test_relabelling_the_groups_flips_the_sign(trial):
    time, event, group, strata = trial
    test = estimable(logrank, time, event, group, strata)
    other = logrank(time, event, 1 - group, strata)
    assert other.z == pytest.approx(-test.z, abs=1e-9)
    fit = estimable(cox, time, event, group, strata)
    assert cox(time, event, 1 - group, strata).coef == pytest.approx(-fit.coef, abs=1e-7)


@STATS
@given(TRIALS, st.randoms())
def test_row_order_is_irrelevant(trial, random):
    order = list(range(trial[0].size))
    random.shuffle(order)
    shuffled = tuple(column[order] for column in trial)
    test = estimable(logrank, *trial)
    assert logrank(*shuffled).z == pytest.approx(test.z, abs=1e-12)
    fit = estimable(cox, *trial)
    assert cox(*shuffled).coef == pytest.approx(fit.coef, abs=1e-9)
    assert np.array_equal(kaplan_meier(*trial[:2]).survival, kaplan_meier(*shuffled[:2]).survival)


@STATS
@given(TRIALS, st.sampled_from([0.1, 1 / 30.4375, 365.25]))
def test_the_unit_of_time_cancels(trial, unit):
    time, event, group, strata = trial
    test = estimable(logrank, time, event, group, strata)
    assert logrank(time * unit, event, group, strata).z == pytest.approx(test.z, abs=1e-9)
    fit = estimable(cox, time, event, group, strata)
    assert cox(time * unit, event, group, strata).coef == pytest.approx(fit.coef, abs=1e-7)
    median, scaled = kaplan_meier(time, event).median, kaplan_meier(time * unit, event).median
    assert scaled.estimate == pytest.approx(median.estimate * unit, nan_ok=True)


@STATS
@given(TRIALS)
def test_one_stratum_is_no_stratum(trial):
    time, event, group, _ = trial
    test = estimable(logrank, time, event, group)
    assert logrank(time, event, group, np.full(time.size, "all")).z == test.z
    fit = estimable(cox, time, event, group)
    assert cox(time, event, group, np.full(time.size, "all")).coef == pytest.approx(fit.coef)


@STATS
@given(TRIALS)
def test_strata_add_up(trial):
    time, event, group, strata = trial
    whole = estimable(logrank, time, event, group, strata)
    U = V = 0.0
    for label in range(3):
        who = strata == label
        try:
            part = logrank(time[who], event[who], group[who])
        except NotEstimable:
            continue
        U, V = U + part.statistic, V + part.variance
    assert (whole.statistic, whole.variance) == pytest.approx((U, V), abs=1e-9)


@STATS
@given(TRIALS)
def test_logrank_is_the_score_test_of_the_exact_cox_model(trial):
    test = estimable(logrank, *trial)
    fit = estimable(cox, *trial, ties="exact")
    assert fit.score == pytest.approx(test.chi2, rel=1e-8, abs=1e-8)


@STATS
@given(TRIALS)
def test_without_ties_the_three_forms_are_one(trial):
    _, event, group, strata = trial
    time = np.arange(event.size) % 7 * 100 + np.arange(event.size)
    fit = estimable(cox, time, event, group, strata)
    for ties in ("breslow", "exact"):
        other = cox(time, event, group, strata, ties=ties)
        assert other.coef == pytest.approx(fit.coef, abs=1e-8)
        assert other.loglik == pytest.approx(fit.loglik, rel=1e-10)


@STATS
@given(TRIALS)
def test_splitting_follow_up_changes_nothing(trial):
    """Each patient as two rows, (0, c] and (c, time], where the second exists."""
    time, event, group, strata = trial
    assume(time.min() > 0)
    cut = 9.5
    late = time > cut
    start = np.concatenate((np.full(time.size, -1.0), np.full(late.sum(), cut)))
    stop = np.concatenate((np.minimum(time, cut), time[late]))
    dead = np.concatenate((event & ~late, event[late]))
    twice = [np.concatenate((column, column[late])) for column in (group, strata)]
    fit = estimable(cox, time, event, group, strata)
    split = cox(stop, dead, *twice, entry=start)
    assert split.coef == pytest.approx(fit.coef, abs=1e-7)
    assert split.loglik == pytest.approx(fit.loglik, rel=1e-9)
    curve, pieces = kaplan_meier(time, event), kaplan_meier(stop, dead, entry=start)
    assert pieces.at(time)[0] == pytest.approx(curve.at(time)[0], nan_ok=True)


@STATS
@given(TRIALS)
def test_weights_repeat_patients_where_ties_are_breslow(trial):
    time, event, group, strata = trial
    times = strata + 1
    fit = estimable(cox, time, event, group, weights=times, ties="breslow")
    spelled = cox(*(np.repeat(column, times) for column in (time, event, group)), ties="breslow")
    assert fit.coef == pytest.approx(spelled.coef, abs=1e-7)


@STATS
@given(TRIALS)
def test_without_censoring_the_curve_is_the_empirical_one(trial):
    time = trial[0]
    curve = kaplan_meier(time, np.ones(time.size))
    assert curve.at(time)[0] == pytest.approx([(time > t).mean() for t in time], abs=1e-12)
    assert rmst(curve, tau=25).estimate == pytest.approx(np.minimum(time, 25).mean())


@STATS
@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_score_limits_swap_with_the_groups(n1, n0, draw):
    x1, x0 = draw.draw(st.integers(0, n1)), draw.draw(st.integers(0, n0))
    here, there = miettinen_nurminen(x1, n1, x0, n0), miettinen_nurminen(x0, n0, x1, n1)
    assert (here.lower, here.upper) == pytest.approx((-there.upper, -there.lower), abs=1e-9)
    mirrored = miettinen_nurminen(n1 - x1, n1, n0 - x0, n0)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-here.upper, -here.lower), abs=1e-9)


@STATS
@given(st.integers(1, 200), st.data())
def test_exact_limits_hold_the_estimate(n, draw):
    x = draw.draw(st.integers(0, n))
    found = clopper_pearson(x, n)
    assert 0 <= found.lower <= found.estimate <= found.upper <= 1


@STATS
@given(TRIALS)
def test_incidences_and_survival_add_to_one(trial):
    time, event, group, _ = trial
    assume(event.any())
    found = aalen_johansen(time, np.where(event, 1 + group, 0), causes=2)
    curve = kaplan_meier(time, event)
    np.testing.assert_allclose(found.incidence.sum(axis=0) + curve.survival, 1, atol=1e-12)
    alone = aalen_johansen(time, event)
    np.testing.assert_allclose(alone.incidence[0], 1 - curve.survival, atol=1e-12)
    np.testing.assert_allclose(alone.std_error[0] ** 2, np.nan_to_num(curve.std_error) ** 2, atol=1e-12)


@STATS
@given(TRIALS)
def test_maxcombo_lies_between_its_best_test_and_bonferroni(trial):
    time, event, group, strata = trial
    found = estimable(maxcombo, time, event, group, strata)
    best = below(found.z_min)
    assert best - 1e-9 <= found.p_one_sided <= 4 * best + 1e-9


@STATS
@given(TRIALS, st.sampled_from(["efron", "breslow"]))
def test_the_short_form_for_two_arms_is_the_long_form(trial, ties):
    time, event, group, strata = trial
    short = estimable(cox, time, event, group, strata, ties=ties)
    # weights of 1 take the long way
    long = cox(time, event, group, strata, ties=ties, weights=np.ones(time.size))
    for name in ("coef", "std_error", "loglik", "loglik_null", "score"):
        np.testing.assert_allclose(getattr(short, name), getattr(long, name), rtol=1e-8, atol=1e-9)
    assert (short.n, short.n_event) == (long.n, long.n_event)


@STATS
@given(TRIALS, st.sampled_from(["efron", "breslow"]), st.integers(1, 9))
def test_in_blocks_the_likelihood_is_the_same(trial, ties, rows):
    """Large data are summed in runs of rows that fit the cache; here the runs are tiny."""
    time, event, group, strata = trial
    X = np.c_[group, np.sin(time + 3 * np.arange(time.size))]
    whole = estimable(cox, time, event, X, strata, ties=ties)
    with mock.patch.object(coxdata, "_BLOCK", rows):
        pieces = cox(time, event, X, strata, ties=ties)
    for name in ("coef", "std_error", "loglik", "score"):
        np.testing.assert_allclose(getattr(pieces, name), getattr(whole, name), rtol=1e-8, atol=1e-9)


@STATS
@given(TRIALS)
def test_dust_on_the_times_is_wiped_off(trial):
    """Near-ties are ties on every path: whole days are counted, times with dust are sorted."""
    time, event, group, strata = trial
    X = np.c_[group, np.cos(np.arange(time.size))]
    dusty = time + 1e-10 * np.sin(np.arange(time.size)) ** 2
    fit = estimable(cox, time, event, X, strata)
    np.testing.assert_allclose(cox(dusty, event, X, strata).coef, fit.coef, rtol=1e-7, atol=1e-8)
    test = estimable(logrank, time, event, group, strata)
    assert logrank(dusty, event, group, strata).z == pytest.approx(test.z, rel=1e-9, abs=1e-12)
    np.testing.assert_array_equal(kaplan_meier(dusty, event).survival, kaplan_meier(time, event).survival)
    exact = logrank(time + 0.25, event, group, strata, timefix=False)
    assert exact.z == pytest.approx(test.z, rel=1e-9, abs=1e-12)
