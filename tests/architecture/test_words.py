"""Each word that a study file may use has exactly one implementation."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from small import small_study
from trialwright.adam import adsl, adtte, deterioration, policies, vital_status
from trialwright.analysis import run, supporting
from trialwright.conduct import randomise
from trialwright.medicine import ctcae
from trialwright.study import load, words
from trialwright.study.model import Allocation


def test_methods() -> None:
    assert set(run.METHODS) == set(get_args(words.Method))


def test_origins_and_events() -> None:
    assert {*adtte.ORIGINS, "response"} == set(get_args(words.Origin))
    assert set(adtte.CATEGORY) == set(get_args(words.CensorAt))
    assert set(adtte.EVENTS) == set(get_args(words.Event))
    assert set(deterioration.ORIGINS) == set(get_args(words.DeteriorationOrigin))
    assert set(vital_status.DEATH_DAY) == set(get_args(words.DeathDay))


def test_populations() -> None:
    assert set(adsl.AT_ONCE) | set(adsl.DERIVED) == set(get_args(words.PopulationRule))
    assert not set(adsl.AT_ONCE) & set(adsl.DERIVED)


@pytest.mark.parametrize("method", get_args(words.AllocationMethod))
def test_allocation(method: words.AllocationMethod) -> None:
    sizes = (3,) if method == "permuted_blocks" else ()
    allocation = Allocation(method=method, ratio={"A": 1, "B": 2}, block_sizes=sizes)
    given = {randomise.allocate(allocation, b"key" * 11, (), position) for position in range(1, 60)}
    assert given == {"A", "B"}


@pytest.mark.parametrize("name", load.bundled())
def test_every_policy_word_of_a_bundled_study_is_one_of_medicine(name: str) -> None:
    study = load.load(load.folder(name))
    assert policies.faults(study) == ()
    assert ctcae.criteria(study.laboratory.criteria).height > 0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"response": {"assessor": "INV", "policy": {"max_nee": 1}}},
            "response.policy: there is no word 'max_nee'",
        ),
        (
            {"response": {"assessor": "INV", "policy": {"pd_date": "soon"}}},
            "response.policy: recist pd_date is one of",
        ),
        ({"laboratory": {"policy": {"baseline_rule": "v9"}}}, "laboratory.policy: baseline_rule is 'v9'"),
    ],
)
def test_a_policy_word_that_medicine_does_not_know_names_the_key(table: dict[str, Any], said: str) -> None:
    assert policies.faults(small_study(**table))[0].startswith(said)


def test_supporting_tests() -> None:
    assert set(supporting.TESTS) == set(get_args(words.Test))
