"""The compiled estimators give the numbers, and the errors, of the array form."""

import importlib
import subprocess
import sys
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from trialwright.stats import compiled, cox, logrank, restricted, survival
from trialwright.stats.compiled import _cox, _curves, _groups, _logrank, _means, _vector
from trialwright.stats.compiled._newton import chi2_above
from trialwright.stats.compiled._numba import sources
from trialwright.stats.compiled._order import in_order, pack_rows
from trialwright.stats.compiled._points import of_rows
from trialwright.stats.compiled._rows import lay_out
from trialwright.stats.compiled._three import of_three
from trialwright.stats.errors import NotEstimable

ANY = settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
DAYS = st.integers(0, 25).map(float)
NEAR = st.tuples(DAYS, st.sampled_from([0, 1e-9, 1e-8, 2e-8, 1e-7, 1e-6])).map(sum)
MONTHS = DAYS.map(lambda day: day / 30.4375)
WIDE = st.floats(0, 1e100)
WRONG = st.sampled_from([np.nan, np.inf, -1.0])
TRIALS = st.tuples(st.sampled_from([DAYS, NEAR, MONTHS, WIDE]), st.integers(0, 40)).flatmap(
    lambda kind_and_n: st.fixed_dictionaries(
        {
            "time": column(kind_and_n[0], kind_and_n[1]),
            "event": column(st.booleans(), kind_and_n[1]),
            "group": column(st.integers(0, 1), kind_and_n[1]),
            "strata": st.none()
            | column(st.integers(0, 2), kind_and_n[1])
            | column(st.sampled_from([-1, 7, 100]), kind_and_n[1])
            | column(st.sampled_from("abc"), kind_and_n[1]),
            "x": column(st.integers(-20, 20).map(lambda v: v / 7), 4 * kind_and_n[1]),
        }
    )
)


def column(of, n):
    return st.lists(of, min_size=n, max_size=n).map(np.array)


def outcome(function, *args, **options):
    try:
        return function(*args, **options)
    except (NotEstimable, ValueError, ZeroDivisionError) as error:
        return type(error), str(error)


def same(found, expected, name=""):
    """Numbers to 1e-12. A likelihood-ratio test is a difference, of which the likelihoods' own rounding stays;
    ``iterations`` may differ by the last one."""
    assert type(found) is type(expected), (found, expected)
    if is_dataclass(expected):
        apart = ("lrt", "p_lrt") if isinstance(expected, cox.Cox) else ()
        for field in fields(expected):
            if field.name not in apart:
                same(getattr(found, field.name), getattr(expected, field.name), field.name)
        if apart:
            assert found.lrt == pytest.approx(expected.lrt, rel=1e-12, abs=1e-13 * max(10, -expected.loglik))
            assert found.p_lrt == pytest.approx(chi2_above(found.lrt, found.df), rel=1e-12)
    elif isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other, name)
    elif isinstance(expected, np.ndarray) and expected.dtype.kind == "f":
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12, err_msg=name)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True), name
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected, err_msg=name)
    else:
        assert abs(found - expected) <= 1 if name == "iterations" else found == expected, name


def agree(name, array_form, *args, **options):
    same(outcome(getattr(compiled, name), *args, **options), outcome(array_form, *args, **options))


@ANY
@given(TRIALS, st.booleans())
def test_logrank(trial, timefix):
    args = trial["time"], trial["event"], trial["group"], trial["strata"]
    agree("logrank", logrank.logrank, *args, timefix=timefix)


@ANY
@given(TRIALS, st.booleans(), st.sampled_from(["log-log", "log", "plain"]))
def test_curves(trial, timefix, limits):
    one = trial["time"], trial["event"]
    agree("kaplan_meier", survival.kaplan_meier, *one, limits=limits, timefix=timefix)
    agree("reverse_kaplan_meier", survival.reverse_kaplan_meier, *one, confidence=0.9)
    agree("two_curves", restricted.two_curves, *one, trial["group"])


@ANY
@given(TRIALS, st.sampled_from([0.5, 7.0, 20.0]))
def test_restricted_means(trial, tau):
    one = trial["time"], trial["event"]
    agree("rmst", survival.rmst, *one, tau)
    agree("rmst", survival.rmst, *one, confidence=0.9)
    agree("rmst_difference", survival.rmst_difference, *one, trial["group"], tau, strata=trial["strata"])


@ANY
@given(TRIALS, st.booleans(), st.sampled_from(["efron", "breslow"]))
def test_cox_of_two_arms(trial, timefix, ties):
    args = trial["time"], trial["event"], trial["group"], trial["strata"]
    agree("cox", cox.cox, *args, ties=ties, timefix=timefix)


@ANY
@given(TRIALS, st.integers(1, 5), st.booleans(), st.sampled_from(["efron", "breslow"]))
def test_cox(trial, p, timefix, ties):
    X = np.column_stack([trial["x"].reshape(-1, 4), trial["group"]])[:, 5 - p :]
    args = trial["time"], trial["event"], X, trial["strata"]
    expected = outcome(cox.cox, *args, ties=ties, timefix=timefix)
    if isinstance(expected, cox.Cox) and np.linalg.cond(expected.covariance) > 1e4:
        return  # rounding, magnified as much
    same(outcome(compiled.cox, *args, ties=ties, timefix=timefix), expected)


@ANY
@given(TRIALS, WRONG, st.sampled_from(["time", "event", "group", "x"]), st.data())
def test_what_cannot_be_meant_is_refused_in_the_same_words(trial, value, where, data):
    if not trial["time"].size:
        return
    wrong = trial | {where: trial[where].astype(float)}
    wrong[where][data.draw(st.integers(0, wrong[where].size - 1))] = value
    time, event, group = wrong["time"], wrong["event"], wrong["group"]
    agree("logrank", logrank.logrank, time, event, group)
    agree("kaplan_meier", survival.kaplan_meier, time, event)
    agree("rmst", survival.rmst, time, event, 7)
    agree("rmst_difference", survival.rmst_difference, time, event, group, 7)
    agree("cox", cox.cox, time, event, np.column_stack([group, wrong["x"].reshape(-1, 4)]))


def test_misuse_is_refused_in_the_same_words():
    t, e, g = np.arange(1.0, 7), np.ones(6), np.array([0, 1, 0, 1, 0, 1])
    agree("logrank", logrank.logrank, t, e[:-1], g)
    agree("logrank", logrank.logrank, t, e, g, np.array([1, 2, 3, 4, 5, np.nan]))
    agree("logrank", logrank.logrank, t, e, g, rho=-1)
    agree("logrank", logrank.logrank, ["a"] * 6, e, g)
    agree("logrank", logrank.logrank, np.ones((3, 2)), e, g)
    agree("kaplan_meier", survival.kaplan_meier, t, e, limits="wide")
    agree("kaplan_meier", survival.kaplan_meier, t, e, confidence=1)
    agree("reverse_kaplan_meier", survival.reverse_kaplan_meier, t, e[:-1])
    agree("rmst", survival.rmst, t)
    agree("rmst", survival.rmst, t, e, -1)
    agree("rmst", survival.rmst, t, e, np.nan)
    agree("rmst_difference", survival.rmst_difference, t, e, g, np.nan)
    agree("rmst", survival.rmst, survival.kaplan_meier(t, e), e)
    agree("cox", cox.cox, t, e, g, ties="average")
    agree("cox", cox.cox, t, e, g, confidence=2)
    agree("cox", cox.cox, t, e, g[:-1])
    agree("cox", cox.cox, t, e, np.ones((6, 2, 1)))
    agree("cox", cox.cox, t, e, np.array(["a"] * 6))
    agree("cox", cox.cox, t, e, np.ones((6, 2)))
    agree("cox", cox.cox, t, e, np.ones((6, 0)))


RNG = np.random.default_rng(1)
N = 6000
BIG = {
    "event": RNG.random(N) < 0.6,
    "group": RNG.random(N) < 0.5,
    "strata": RNG.integers(0, 4, N),
    "X": np.column_stack([RNG.random(N) < 0.5, RNG.normal(60, 9, N), RNG.random(N) < 0.4]),
}
CONTINUOUS = RNG.exponential(300, N)
TIMES = {
    "few days": np.ceil(CONTINUOUS / 20),  # so few that they are counted, not sorted
    "days": np.ceil(CONTINUOUS),
    "untied": CONTINUOUS,
    "too wide for the bits of a key": np.where(BIG["group"], CONTINUOUS, CONTINUOUS * 1e-200),
    "all but equal": 300 + np.arange(N)[::-1] * 2.0**-44,
}


@pytest.mark.parametrize("kind", TIMES)
def test_large_trials(kind):
    time, event, group, strata, X = (TIMES[kind], *BIG.values())
    agree("logrank", logrank.logrank, time, event, group)
    agree("logrank", logrank.logrank, time, event, group, strata)
    agree("kaplan_meier", survival.kaplan_meier, time, event)
    agree("two_curves", restricted.two_curves, time, event, group)
    agree("rmst_difference", survival.rmst_difference, time, event, group, 200, strata=strata)
    agree("cox", cox.cox, time, event, group, strata)
    agree("cox", cox.cox, time, event, X, strata)


@pytest.mark.parametrize("many", [16, 64, 300])
def test_many_strata(many):
    strata = np.arange(N) % many
    for time in (TIMES["days"], TIMES["untied"]):
        agree("logrank", logrank.logrank, time, BIG["event"], BIG["group"], strata)
        agree("cox", cox.cox, time, BIG["event"], BIG["group"], strata)
        agree("cox", cox.cox, time, BIG["event"], BIG["X"], strata)


def test_neighbours_too_far_out_of_order_are_left_to_the_array_form():
    """A time so small that the keys of the others have no bits left to tell them apart."""
    time = np.append(300 + np.arange(5000)[::-1] * 2.0**-44, 1e-300)
    keys = np.empty(time.size, dtype=np.int64)
    pack_rows(time, keys)
    keys.sort()
    assert not in_order(time, keys, np.empty(time.size))
    few = slice(-40, None)
    keys = np.empty(40, dtype=np.int64)
    pack_rows(time[few], keys)
    keys.sort()
    ordered = np.empty(40)
    assert in_order(time[few], keys, ordered)
    np.testing.assert_array_equal(ordered, np.sort(time[few]))
    np.testing.assert_array_equal(time[few][keys], ordered)


def test_what_is_not_compiled_is_passed_on():
    time, event, group, strata = np.ceil(CONTINUOUS[:60]), *(BIG[name][:60] for name in list(BIG)[:3])
    w, entry = np.arange(60) % 3, time - 1
    agree("logrank", logrank.logrank, time, event, group, strata, rho=1, gamma=1)
    agree("kaplan_meier", survival.kaplan_meier, time, event, weights=w)
    agree("kaplan_meier", survival.kaplan_meier, time, event, entry=entry)
    agree("rmst", survival.rmst, survival.kaplan_meier(time, event), tau=100)
    for options in ({"weights": w}, {"entry": entry}, {"ties": "exact"}, {"robust": True}, {"cluster": w}):
        agree("cox", cox.cox, time, event, group, **options)


def test_any_array_will_do_and_none_is_changed():
    """Lists, integers, slices and arrays that may not be written, by one compiled version of each kernel."""
    time, event, group, strata = CONTINUOUS[:80], *(BIG[name][:80] for name in list(BIG)[:3])
    X = BIG["X"][:80]
    twice = [np.repeat(a, 2, axis=0)[::2] for a in (time, event, group, strata, X)]
    fixed = [a.copy() for a in (time, event, group, strata, X)]
    for array in fixed:
        array.flags.writeable = False
    numbers = [time.astype(np.float32).astype(float), *(a.astype(int) for a in (event, group, strata)), X]
    numbers[0] = time
    lists = [a.tolist() for a in (time, event, group, strata, X)]
    expected = None
    for t, e, g, s, x in (fixed, twice, numbers, lists, [time, event, group, strata, np.asfortranarray(X)]):
        found = (
            compiled.logrank(t, e, g, s),
            compiled.kaplan_meier(t, e),
            compiled.two_curves(t, e, g),
            compiled.rmst(t, e, 100),
            compiled.rmst_difference(t, e, g, 100, strata=s),
            compiled.cox(t, e, g, s),
            compiled.cox(t, e, x, s),
        )
        expected = expected or found
        same(found, expected)
    for kernel in (
        _groups.pack,
        _logrank._test,
        _curves._pack,
        _curves._curve,
        _means._mean,
        _means._means,
        _cox._arms,
        _cox._rows,
    ):
        assert len(kernel.signatures) == 1, kernel


@ANY
@given(TRIALS, st.booleans(), st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=3))
def test_the_likelihood_written_out_for_three_is_that_of_any_number(trial, breslow, beta):
    n, X = trial["time"].size, trial["x"].reshape(-1, 4)[:, :3]
    keys = np.empty(n, dtype=np.int64)
    if not n or pack_rows(trial["time"], keys) < 0:
        return
    keys.sort()
    stratum, event = trial["group"].astype(np.int64), trial["event"].astype(bool)
    some, Z, marks, died, _, _ = lay_out(trial["time"], event, X.copy(), stratum, 2, keys, True)
    if not some:
        return
    found = []
    for likelihood in (of_three, of_rows):
        score, information = np.empty(3), np.empty((3, 3))
        value = likelihood(Z, marks, died, breslow, np.array(beta), score, information)
        found.append((value, score, information))
    same(*found)


def test_exponential_and_logarithm():
    """Against NumPy's, which is within an ulp."""
    x = np.concatenate((RNG.normal(0, 1, 500), RNG.uniform(-700, 700, 500), [0.0, -0.0, 1.0, -1.0]))
    np.testing.assert_allclose([_vector.exp(v) for v in x], np.exp(x), rtol=5e-16)
    assert [_vector.exp(v) for v in (-np.inf, -800.0, 800.0, np.inf)] == [0, 0, np.inf, np.inf]
    assert np.isnan(_vector.exp(np.nan))
    y = np.concatenate((RNG.random(500), 1 - 10.0 ** RNG.uniform(-12, -1, 500), np.exp(x)))
    np.testing.assert_allclose([_vector.log(v) for v in y], np.log(y), rtol=8e-16)
    assert _vector.log(0.0) == -np.inf


@pytest.mark.parametrize("df", [1, 2, 3, 4, 9, 30])
def test_chi_square(df):
    from scipy.special import gammaincc

    x = np.array([0, 1e-9, 0.5, 3.84, 20, 200, 700.0])
    np.testing.assert_allclose([chi2_above(v, df) for v in x], gammaincc(df / 2, x / 2), rtol=1e-12)
    assert np.isnan(chi2_above(np.nan, df))


def test_a_kernel_is_compiled_again_when_what_it_calls_has_changed(tmp_path, monkeypatch):
    """Numba alone would go on with the old one: it looks at the kernel's own file only."""
    head = "from trialwright.stats.compiled._numba import kernel\n"
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "outer.py").write_text(f"{head}from helper import g\n@kernel\ndef f(x):\n    return g(x)\n")
    for added, changed in ((1, True), (20, True), (20, False)):
        if changed:
            (tmp_path / "helper.py").write_text(f"{head}@kernel\ndef g(x):\n    return x + {added}\n")
        sources.cache_clear()
        importlib.invalidate_caches()
        for name in ("helper", "outer"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        outer = importlib.import_module("outer")
        assert outer.f(1) == 1 + added
        assert sum(outer.f.stats.cache_hits.values()) == (0 if changed else 1)


def python(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_without_numba_the_import_says_what_to_install():
    code, said = python("import sys; sys.modules['numba'] = None; from trialwright.stats import compiled")
    assert code == 1
    assert "ImportError: compiled estimators need numba" in said
    assert "trialwright[fast]" in said


def test_the_array_forms_do_not_load_numba():
    program = "import sys; from trialwright.stats import batch, cox, logrank, maxcombo, survival; "
    assert python(program + "sys.exit('numba' in sys.modules)") == (0, "")
