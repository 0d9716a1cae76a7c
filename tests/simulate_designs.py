"""Designs A, B, S and M of the project's performance page, and a small one to vary."""

from typing import Any

from trialwright.simulate.design import Design, parse

A: dict[str, Any] = {
    "title": "129 patients 2:1, 90 events",
    "patients": 129,
    "control": {"median": 7},
    "hazard_ratio": [{"value": 0.6}],
    "accrual": {"months": 30},
    "allocation": {"method": "fixed", "control": 1, "experimental": 2},
    "looks": [{"events": 90}],
    "tests": [{"id": "logrank"}],
}
B: dict[str, Any] = {
    "title": "600 patients, delayed effect, three looks",
    "patients": 600,
    "control": {"median": 12},
    "hazard_ratio": [{"value": 1}, {"start": 4, "value": 0.65}],
    "accrual": {"months": 24},
    "dropout": {"per_year": 0.05},
    "allocation": {"method": "fixed"},
    "looks": [{"events": 210}, {"events": 315}, {"events": 420}],
    "tests": [{"id": "logrank"}],
}
S: dict[str, Any] = B | {
    "title": "as B, one look, three strata",
    "groups": [
        {"id": "ONE", "share": 0.5, "levels": {"RISK": "1"}},
        {"id": "TWO", "share": 0.3, "levels": {"RISK": "2"}, "times": 1.3},
        {"id": "THREE", "share": 0.2, "levels": {"RISK": "3"}, "times": 0.7},
    ],
    "looks": [{"events": 420}],
    "tests": [{"id": "logrank", "stratified": True}],
}
M: dict[str, Any] = B | {
    "title": "as B, one look, MaxCombo",
    "looks": [{"events": 420}],
    "tests": [{"id": "logrank"}, {"id": "maxcombo", "kind": "maxcombo"}],
}


def design(raw: dict[str, Any], **change: Any) -> Design:
    return parse(raw | change, "a test")
