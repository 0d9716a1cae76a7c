"""Any design that can be read can be simulated, told and shown."""

import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from any_designs import designs
from simulate_designs import A, design
from trialwright.simulate.characteristics import characteristics
from trialwright.simulate.chunks import Run
from trialwright.simulate.design import parse
from trialwright.simulate.page import Asked, render
from trialwright.simulate.repeat import run
from trialwright.standards.errors import InputError
from trialwright.study.load import folder, load

STUDY = load(folder("tarlanec"))


@settings(max_examples=120, deadline=None)
@given(designs(), st.integers(1, 40))
def test_any_design(raw, trials):
    what = parse(raw, "any")
    found = run(Run(what, trials, seed=1))
    frame = characteristics(what, "any", found)  # checked: no address twice, no gap without a reason
    value = {(g, l, s): v for g, l, s, v in frame.select("group", "level", "statistic", "value").rows()}
    for test in what.tests:
        shares = [v for (g, _, s), v in value.items() if g == test.id and s in ("power", "type_i_error")]
        assert len(shares) == 1
        assert 0 <= shares[0] <= 1
        assert math.isclose(
            shares[0], sum(v for (g, _, s), v in value.items() if g == test.id and s == "stops")
        )
    assert [value["", str(k + 1), "month"] for k in range(len(what.looks))] == sorted(
        value["", str(k + 1), "month"] for k in range(len(what.looks))
    )
    if raw["patients"] % 5 == 0:  # a figure takes longer than all the rest
        assert "Simulated, not observed" in render(STUDY, what, Asked("any", trials, 1), frame)


def test_a_trial_that_lasts_for_ever_is_refused():
    forever = design(A, control={"hazard": [{"value": 7e-8}]})
    with pytest.raises(InputError, match="lasts for ever"):
        run(Run(forever, 10, seed=1))


def test_a_refusal_travels_between_processes():
    error = InputError("no")
    assert pickle.loads(pickle.dumps(error)).lines == error.lines
