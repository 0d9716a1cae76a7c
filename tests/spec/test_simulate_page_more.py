"""What only some designs ask for stands on their page, and nothing of it on the pages of others."""

import re

import pytest

from simulate_designs import A
from trialwright.simulate.assumed import assumed
from trialwright.simulate.characteristics import characteristics
from trialwright.simulate.chunks import Run, simulate
from trialwright.simulate.design import parse, read
from trialwright.simulate.page import Asked, render
from trialwright.study.load import folder, load

STUDY = load(folder("tarlanec"))
TITLES = {"Differences", "Futility", "Bounds that hold the level", "Guessing the next arm"}
WORDS = {
    "target": (set(), ["hazard ratio 1, 0.5 from month 2"]),
    "null": ({"Bounds that hold the level"}, ["1.960"]),
    "interim": (
        {"Futility", "Differences"},
        ["Stopped at look 1", "at 74 events below 10 % conditional power under a hazard ratio of 0.56", "year, to month 12"],
    ),
    "states": ({"Differences"}, ["alive_at_12, month 12", "months between them 1.37988, 2.75975 from month 11.039"]),
    "slow": ({"Guessing the next arm"}, ["Known for certain", "who sees one site only"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_page(name):
    design = read(STUDY, name)
    results = characteristics(design, name, simulate(Run(design, 400, 1)))
    page = render(STUDY, design, Asked(name, 400, 1), results)
    titles, words = WORDS[name]
    assert set(re.findall("<h2>(.+?)</h2>", page)) & TITLES == titles
    for word in words:
        assert word in page
    assert "None" not in page
    assert "nan" not in page


SOURCED = "written for this test {}"


def _with_sources(value, told):
    """Each section of a scenario with a source of its own, which is kept in ``told``."""
    if isinstance(value, list):
        return [_with_sources(one, told) for one in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _with_sources(one, told) for key, one in value.items() if key not in ("levels", "bounds")}
    told.append(SOURCED.format(f"{len(told):03d}"))
    return value | inner | {"source": told[-1]}


STATES = {"states": {"progression": 0.2, "death": 0.05, "death_after_progression": 0.15}}
ASSUMED = [
    A
    | {
        "groups": [
            {"id": "X", "share": 0.5, "hazard_ratio": [{"value": 1}, {"start": 2, "value": 0.4}]},
            {"id": "Y", "share": 0.5, "control": {"median": 3}, "experimental": {"median": 9}},
        ],
        "looks": [{"events": 45, "futility": {"conditional_power": 0.1}}, {"events": 90, "month": 54}],
        "level": {"spending": "hwang-shih-decani", "gamma": -3, "bounds": {"logrank": [2.5, 2]}},
        "dropout": {"per_year": 0.1},
        "tests": [{"id": "logrank"}, {"id": "late", "kind": "fleming-harrington", "gamma": 1}],
    },
    A
    | {
        "control": STATES,
        "hazard_ratio": [],
        "experimental": STATES,
        "scans": [{"value": 1.4}, {"start": 12, "value": 3}],
        "accrual": {
            "model": "poisson",
            "sites": [{"count": 3, "rate": 0.5}, {"opens": 6, "rate": 2}],
            "spread": 0.8,
        },
        "tests": [{"id": "year", "kind": "rmst", "months": 12, "endpoint": "PFS", "stratified": True}],
    },
]


@pytest.mark.parametrize("raw", ASSUMED, ids=["hazards", "states"])
def test_each_section_is_told_with_its_source(raw):
    told: list[str] = []
    words = dict(assumed(parse(_with_sources(raw, told), "x")))
    everything = "\n".join(f"{term}: {value}" for term, value in words.items())
    assert len(told) > 12
    assert [source for source in told if source not in everything] == []


def test_what_is_told_of_tests_sites_and_spending():
    first, second = (dict(assumed(parse(raw, "x"))) for raw in ASSUMED)
    assert first["Tests"] == "logrank: logrank; late: fleming-harrington (0, 1)"
    assert first["Level"].startswith("one-sided 0.025, spent as hwang-shih-decani (-3) on 90 events;")
    assert second["Tests"] == "year: rmst to month 12, stratified, of PFS"
    assert "4 sites: 3 with 0.5 a month each, 1 with 2 a month each from month 6" in second["Accrual"]
    assert "coefficient of variation of 0.8" in second["Accrual"]
