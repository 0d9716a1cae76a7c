"""Two forms of the same trials: arrays and compiled. The same numbers to the last bit, on any design."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from any_designs import designs
from simulate_designs import A, B, M, S, design
from trialwright.simulate.chunks import Run, compiles, simulate
from trialwright.simulate.cohort import enrol
from trialwright.simulate.design import parse
from trialwright.simulate.looks import look_at
from trialwright.simulate.repeat import run

pytest.importorskip("numba")

from trialwright.simulate.compiled.forms import Trials, knows
from trialwright.simulate.compiled.looks import _FIELDS, unknown

FIELDS = ("month", "reached", "enrolled", "events", "log_hr", "std_error")


def same(one, other):
    return np.array_equal(one, other, equal_nan=True)


def differ(what, first, trials, block=1000):
    """Names of what is not the same."""
    here = Trials(what, trials, block=block).seen(9, first, trials)
    there = look_at(what, enrol(what, 9, np.arange(first, first + trials)))
    for k, (a, b) in enumerate(zip(here, there, strict=True)):
        yield from (f"{name} of look {k}" for name in FIELDS if not same(getattr(a, name), getattr(b, name)))
        yield from (f"z of {i}" for i, (x, y) in enumerate(zip(a.z, b.z, strict=True)) if not same(x, y))
        for x, y in zip(a.combined, b.combined, strict=True):
            if (x is None) != (y is None):
                yield "combined"
            elif x is not None:
                yield from (n for n in ("z", "correlation") if not same(getattr(x, n), getattr(y, n)))


@settings(max_examples=150, deadline=None)
@given(designs(), st.integers(1, 40), st.sampled_from([0, 5, 2**32 - 3]))
def test_any_design(raw, trials, first):
    what = parse(raw, "any")
    if knows(what):
        assert not list(differ(what, first, trials))


@pytest.mark.parametrize(
    "what",
    [
        design(A),
        design(B),
        design(S),
        design(M),
        design(A, accrual={"model": "poisson", "months": 30}, allocation={"method": "simple"}),
        design(S, allocation={"method": "permuted_blocks", "block_sizes": [2, 4], "stratified": True}),
        design(S, tests=[{"id": "a"}, {"id": "b", "stratified": True, "kind": "fleming-harrington", "gamma": 1}]),
        design(B, looks=[{"month": 12}, {"events": 300, "month": 30, "whichever": "last"}, {"events": 590}]),
        design(B, dropout={"per_year": 0.1, "per_year_experimental": 0.3}, accrual={"model": "even", "months": 9}),
        design(A, groups=[{"id": f"G{i}", "share": 1 / 200, "times": 1 + i / 9} for i in range(200)]),
    ],
    ids=["A", "B", "S", "M", "poisson", "blocks", "weighted", "looks", "dropout", "groups"],
)  # fmt: skip
def test_designs_at_their_size(what):
    assert knows(what)
    assert not list(differ(what, 3, 300, block=24_000))


def test_near_ties_are_the_same_too():
    """All on a grid: a fortieth of the trials of 4,000 patients have near-ties of their own accord."""
    crowd = design(A, patients=4000, looks=[{"events": 3000}])
    assert not list(differ(crowd, 0, 60, block=24_000))


def test_one_tally_whichever_form_and_block():
    what = design(B, patients=60, looks=[{"events": 20}, {"events": 40}])
    arrays, compiled = (simulate(Run(what, 500, 3, form=form)) for form in ("array", "compiled"))
    assert arrays == compiled
    assert +run(Run(what, 500, 3)) == +compiled


def test_arrays_where_the_compiled_form_does_not_know():
    third = design(A, tests=[{"id": "odd", "kind": "fleming-harrington", "rho": 0.5}])
    assert not knows(third)
    assert not compiles(Run(third, 10, 1, first=10**9))
    with pytest.raises(ValueError, match="only the array form"):
        simulate(Run(third, 10, 1, form="compiled"))


def test_auto_goes_by_how_far_the_question_has_come():
    assert [compiles(Run(design(A), 10, 1, first=first)) for first in (0, 10_000, 10**6)] == [
        False,
        False,
        True,
    ]
    assert not compiles(Run(design(A), 10, 1, first=10**6, form="array"))


def test_a_field_it_was_not_written_for_is_left_to_the_arrays(monkeypatch):
    what = design(A)
    assert knows(what)
    monkeypatch.setitem(_FIELDS, "Design", _FIELDS["Design"].replace("patients", ""))
    assert unknown(what) == ["Design.patients"]
    assert not knows(what)
