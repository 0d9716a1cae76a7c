"""Supporting analyses, subgroups and competing risks ask only for what the study has."""

from __future__ import annotations

from typing import Any

import pytest

from analysis_frames import with_analyses
from small import small_study
from trialwright.study.check import references
from trialwright.study.model import BaselineCharacteristic, Factor, Study

AGE = {"id": "AGE", "label": "Age", "kind": "number"}
SEX = {"id": "SEX", "label": "Sex", "kind": "category"}
CUT = {"id": "AGE65", "label": "Age", "variable": "AGE", "bins": [65]}
TWO = [{"id": "<65", "label": "<65"}, {"id": ">=65", "label": ">=65"}]


def _study(factor: dict[str, Any], analysis: dict[str, Any]) -> Study:
    baseline = tuple(BaselineCharacteristic.model_validate(b) for b in (AGE, SEX))
    changed = {"baseline": baseline, "factors": (Factor.model_validate(CUT | {"levels": TWO} | factor),)}
    asked = {"id": "X", "population": "ITT", "endpoint": "OS"} | analysis
    return with_analyses(small_study().model_copy(update=changed), asked)


def _faults(study: Study) -> list[str]:
    ours = ("analyses.", "factors")
    return [f"{key}: {said}" for _, key, said in references(study) if key.startswith(ours)]


SUPPORTING = {"method": "supporting", "tests": ["adjusted", "rmst"], "covariates": ["AGE", "AGE65", "SITE1"]}


@pytest.mark.parametrize(
    ("factor", "analysis"),
    [
        ({}, SUPPORTING | {"rmst_months": [6]}),
        ({}, {"method": "subgroups", "factors": ["AGE65", "SEX", "SITE1"]}),
        ({"variable": "SEX", "bins": [], "levels": []}, {"method": "subgroups", "factors": ["AGE65"]}),
        ({}, {"method": "competing_risks", "endpoint": "PFS"}),
    ],
)
def test_a_sound_analysis(factor: dict[str, Any], analysis: dict[str, Any]) -> None:
    assert _faults(_study(factor, analysis)) == []


@pytest.mark.parametrize(
    ("factor", "analysis", "said"),
    [
        ({}, SUPPORTING, "analyses.X.rmst_months: 'rmst' needs rmst_months"),
        (
            {},
            SUPPORTING | {"rmst_months": [6], "covariates": []},
            "analyses.X.covariates: 'adjusted' needs covariates",
        ),
        ({}, {"method": "supporting"}, "analyses.X.tests: method 'supporting' needs tests"),
        ({}, {"method": "subgroups"}, "analyses.X.factors: method 'subgroups' needs factors"),
        (
            {},
            {"method": "subgroups", "factors": ["AGE"]},
            "analyses.X.factors: 'AGE' is a number: cut it by a factor",
        ),
        (
            {},
            {"method": "supporting", "tests": ["piecewise_hazard_ratio"], "pieces_months": [6, 3]},
            "analyses.X.pieces_months: numbers rise",
        ),
        (
            {},
            {"method": "supporting", "tests": ["tipping_point"], "tipping_deltas": [2, 1]},
            "analyses.X.tipping_deltas: numbers rise",
        ),
        ({}, {"method": "interim"}, "analyses.X.interim: method 'interim' needs interim"),
        (
            {},
            {"method": "interim", "interim": {"planned_events": 80, "looked_at": [40, 20]}},
            "analyses.X.interim.looked_at: events rise",
        ),
        (
            {},
            {"method": "interim", "interim": {"planned_events": 80, "spending": "power"}},
            "analyses.X.interim.gamma: the power family needs a gamma above 0",
        ),
        (
            {},
            {"method": "time_to_event", "interim": {"planned_events": 80}},
            "analyses.X.interim: method 'time_to_event' does not look before the end",
        ),
        (
            {},
            {"method": "interim", "interim": {"planned_events": 80, "looked_at": [40, 80]}},
            "analyses.X.interim.looked_at: a look with all planned events was the last",
        ),
        (
            {},
            {"method": "supporting", "tests": ["logrank"], "endpoint": "ORR"},
            "analyses.X.endpoint: method 'supporting' needs a time to an event",
        ),
        (
            {},
            {"method": "competing_risks", "endpoint": None},
            "analyses.X.endpoint: method 'competing_risks' needs an endpoint",
        ),
        ({}, {"method": "competing_risks"}, "analyses.X.endpoint: OS has not death and another event"),
        (
            {},
            {"method": "competing_risks", "endpoint": "TTD"},
            'analyses.X.endpoint: TTD has not death = "competing"',
        ),
        ({"levels": TWO[:1]}, {"method": "time_to_event"}, "factors.AGE65.levels: one level more than bins"),
        (
            {"bins": []},
            {"method": "time_to_event"},
            "factors.AGE65.bins: a number needs bins, and only a number has them",
        ),
        (
            {"bins": [65, 50], "levels": [*TWO, TWO[0]]},
            {"method": "time_to_event"},
            "factors.AGE65.bins: bins rise",
        ),
        ({"id": "AGE"}, {"method": "time_to_event"}, "factors.id: 'AGE' is defined twice"),
    ],
)
def test_a_fault_names_its_key(factor: dict[str, Any], analysis: dict[str, Any], said: str) -> None:
    assert _faults(_study(factor, analysis)) == [said]


@pytest.mark.parametrize("key", ["covariates", "factors"])
def test_an_unknown_characteristic(key: str) -> None:
    method = (
        {"method": "supporting", "tests": ["logrank"]} if key == "covariates" else {"method": "subgroups"}
    )
    (said,) = _faults(_study({}, method | {key: ["WEIGHT"]}))
    assert said.startswith(f"analyses.X.{key}: 'WEIGHT' is not defined")
