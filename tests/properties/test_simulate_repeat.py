"""The same seed, the same tally: whatever the chunk, the piece, or the number of processes."""

import tracemalloc

import numpy as np
import pytest

from simulate_designs import A, M, S, design
from trialwright.simulate import repeat
from trialwright.simulate.chunks import Run
from trialwright.simulate.cohort import enrol
from trialwright.simulate.looks import look_at
from trialwright.simulate.repeat import run

LOOKS = design(
    S,
    patients=200,
    accrual={"model": "poisson", "months": 20},
    allocation={"method": "permuted_blocks", "block_sizes": [2, 4], "stratified": True},
    looks=[{"events": 60, "month": 14}, {"events": 140}],
    tests=[{"id": "strata", "stratified": True}, {"id": "late", "kind": "fleming-harrington", "gamma": 1}],
)
COMBO = design(M, patients=150, looks=[{"events": 90}])


@pytest.mark.parametrize("what", [LOOKS, COMBO, design(A)], ids=["looks", "combo", "A"])
def test_any_chunk(what):
    whole = run(Run(what, 203, seed=5))
    for chunk in (1, what.patients * 7, what.patients * 100):
        assert run(Run(what, 203, seed=5, chunk=chunk)) == whole
    assert run(Run(what, 203, seed=6)) != whole


def test_any_cut_into_runs():
    together = run(Run(LOOKS, 100, seed=5)) + run(Run(LOOKS, 103, seed=5, first=100))
    assert together == +run(Run(LOOKS, 203, seed=5))


def test_any_number_of_processes(monkeypatch):
    monkeypatch.setattr(repeat, "_PIECE", 200 * 60)
    monkeypatch.setattr(repeat, "_FIRST", 10)
    monkeypatch.setattr(repeat, "_WORTH", 0)
    heard = []
    alone = run(Run(LOOKS, 203, seed=5), say=lambda t: heard.append(t["trials",]))
    assert heard == [10, 70, 130, 190, 203]
    assert run(Run(LOOKS, 203, seed=5), workers=2) == alone


def test_every_number_of_a_trial_to_the_last_bit():
    """Not only the sums: a trial alone shows what it shows among others."""
    among = look_at(LOOKS, enrol(LOOKS, 5, np.arange(40)))
    for trial in (0, 17, 39):
        alone = look_at(LOOKS, enrol(LOOKS, 5, np.arange(trial, trial + 1)))
        for here, there in zip(alone, among, strict=True):
            assert here.month[0] == there.month[trial]
            assert here.log_hr[0] == there.log_hr[trial]
            assert here.std_error[0] == there.std_error[trial]
            assert [z[0] for z in here.z] == [z[trial] for z in there.z]


def test_memory_does_not_grow_with_the_trials():
    """Ten times the trials, the same peak, within a tenth."""

    def peak(trials):
        tracemalloc.start()
        run(Run(design(A), trials, seed=5, chunk=129 * 200))
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(500)
    assert peak(8000) < 1.1 * peak(800)


@pytest.mark.parametrize("form", ["array", "auto", "compiled"])
def test_a_form_asked_for_travels_with_the_pieces(form):
    asked = Run(LOOKS, 200, seed=5, form=form)
    packed, rest = repeat.sent(asked)
    assert Run(type(LOOKS).model_validate_json(packed), **rest) == asked
    assert {piece.form for piece in repeat._pieces(asked, repeat.Ledger())} == {form}
