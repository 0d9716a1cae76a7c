"""Scenarios of design are data: what may stand in one, and what is refused in one clear sentence."""

import math
import re
from typing import Any

import pytest

from simulate_designs import A, B, S
from trialwright.simulate.design import PREFIX, Design, parse, read
from trialwright.standards.errors import InputError
from trialwright.study.load import folder, load

STUDY = load(folder("tarlanec"))
NAMES = ["null", "moderate", "target", "harm-early", "gep-null", "low-dll3-null"]
MORE = ["interim", "states", "slow"]


def test_the_set_of_the_study_is_whole():
    """Domain page 9.3: six scenarios, each a design that can be read; and three that ask more of a design."""
    assert {k.removeprefix(PREFIX) for k in STUDY.scenarios if k.startswith(PREFIX)} == {*NAMES, *MORE}


@pytest.mark.parametrize("name", [*NAMES, *MORE])
def test_each_scenario(name):
    design = read(STUDY, name)
    allocation = design.allocation
    assert allocation is not None
    assert (allocation.control, allocation.experimental, allocation.block_sizes) == (1, 2, (3, 6))
    assert allocation.stratified
    assert len(design.strata) == 4
    assert design.patients == 129
    assert math.isclose(sum(g.share for g in design.groups), 1)
    for section in (design, design.control, design.accrual, design.dropout, design.level, *design.looks):
        assert re.search(r"§|A-\d\d|\[I\]", section.source), section


def test_the_effects_are_those_of_the_page():
    """As (start, hazard ratio) for everybody, or by group."""

    def effect(name: str, *, where: str = "") -> set[Any]:
        design = read(STUDY, name)
        return {
            tuple((p.start, p.value) for p in g.hazard_ratio or design.hazard_ratio)
            for g in design.groups
            if where in g.id
        }

    assert effect("null") == {((0, 1),)}
    assert effect("moderate") == {((0, 0.68),)}
    assert effect("target") == {((0, 1), (2, 0.5))}
    assert effect("harm-early") == {((0, 1.3), (1.5, 0.5))}
    assert effect("gep-null", where="GEP") == {((0, 1),)}
    assert effect("gep-null", where="LUNG") == {((0, 1), (2, 0.5))}
    assert effect("low-dll3-null", where="LOW") == {((0, 1),)}
    assert effect("low-dll3-null", where="HIGH") == {((0, 0.5),)}


def test_the_mixture_of_control_patients():
    """Medians 6.0 and 10.5 months by platinum-free interval (9.3); of all together 7.41 (the page rounds to 7.45)."""
    design = read(STUDY, "target")
    assert design.control.median is not None
    medians = {dict(g.levels)["PFIGR"]: design.control.median / g.times for g in design.groups}
    assert medians == pytest.approx({"<90": 6.0, ">=90": 10.5})
    alive = sum(g.share * 0.5 ** (7.413 * g.times / design.control.median) for g in design.groups)
    assert alive == pytest.approx(0.5, abs=1e-4)


def test_when_one_hazard_ratio_is_true():
    """Only if the effect is one, and unlike risks are in strata of their own."""
    assert parse(A, "").proportional()[0] == 0.6
    assert parse(B, "").proportional()[0] is None
    assert "at all times" in parse(B, "").proportional()[1]
    same = S | {"hazard_ratio": [{"value": 0.7}]}
    assert parse(same, "").proportional()[0] == 0.7
    plain = parse(same | {"tests": [{"id": "logrank"}]}, "").proportional()
    assert plain[0] is None
    assert "share a stratum" in plain[1]


STATES = {"progression": 0.2, "death": 0.05, "death_after_progression": 0.15}
BAD = {
    "no control": ({"control": {}}, "control: the arm needs a median or a hazard in pieces or states"),
    "both": ({"control": {"median": 7, "hazard": [{"value": 0.1}]}}, "one of them"),
    "negative": ({"control": {"median": -7}}, "control.median: "),
    "late start": ({"hazard_ratio": [{"start": 1, "value": 0.5}]}, "the first piece starts at 0"),
    "falling": ({"hazard_ratio": [{"value": 1}, {"start": 3, "value": 1}, {"start": 2, "value": 1}]}, "starts grow"),
    "a typing error": ({"acrual": {"months": 3}}, "acrual: "),
    "shares": ({"groups": [{"id": "A", "share": 0.5}]}, "the shares add up to 0.5, not to 1"),
    "twice": ({"groups": [{"id": "A", "share": 0.5}, {"id": "A", "share": 0.5}]}, "groups: an id is used twice"),
    "factors": (
        {"groups": [{"id": "A", "share": 0.5, "levels": {"X": "1"}}, {"id": "B", "share": 0.5}]},
        "all name the same stratification factors",
    ),
    "blocks": (
        {"allocation": {"method": "permuted_blocks", "experimental": 2, "block_sizes": [4]}},
        "allocation: block sizes are multiples of 3",
    ),
    "a shape alone": ({"control": {"hazard": [{"value": 0.1}], "shape": 2}}, "control: a shape goes with a median"),
    "cured states": ({"control": {"states": STATES, "cured": 0.2}}, "cured goes with a median or a hazard"),
    "all cured": ({"control": {"median": 7, "cured": 1}}, "control.cured: "),
    "no effect said": ({"hazard_ratio": []}, "groups.ALL: say the effect"),
    "said twice": ({"experimental": {"median": 9}}, "experimental and hazard_ratio: the effect is said twice"),
    "states and a ratio": ({"control": {"states": STATES}}, "groups.ALL: with states the effect is what experimental"),
    "states in one arm": (
        {"hazard_ratio": [], "control": {"states": STATES}, "experimental": {"median": 9}},
        "groups.ALL: either all times have states or none",
    ),
    "scans of nothing": ({"scans": [{"value": 2}]}, "scans: months between them, above 0, where times are states"),
    "PFS of one event": ({"tests": [{"id": "p", "endpoint": "PFS"}]}, "tests: PFS needs times by states"),
    "months of log-rank": ({"tests": [{"id": "a", "months": 12}]}, "months go with rmst and landmark"),
    "no months": ({"tests": [{"id": "a", "kind": "rmst"}]}, "months go with rmst and landmark"),
    "landmark in strata": (
        {"tests": [{"id": "a", "kind": "landmark", "months": 12, "stratified": True}]},
        "a landmark knows no strata",
    ),
    "no months of accrual": ({"accrual": {"model": "even"}}, "accrual.months: "),
    "two accruals": ({"accrual": {"rate": [{"value": 1}], "sites": [{"rate": 1}]}}, "rate or sites, one of them"),
    "accrual dries up": ({"accrual": {"rate": [{"value": 1}, {"start": 3, "value": 0}]}}, "the last piece must not be 0"),
    "sites at once": ({"accrual": {"sites": [{"rate": 1}]}}, 'sites enrol as streams: say model = "poisson"'),
    "spread of nothing": ({"accrual": {"months": 9, "spread": 1}}, "spread goes with sites"),
    "blocks of no site": (
        {"allocation": {"method": "permuted_blocks", "block_sizes": [2], "by_site": True}},
        "allocation.by_site: the accrual has no sites",
    ),
    "no blocks by site": ({"allocation": {"method": "simple", "by_site": True}}, "by_site goes with permuted blocks"),
    "a known pattern": ({"predictability": True}, "predictability: a fixed pattern is known to all"),
    "no look": ({"looks": [{}]}, "looks.0: a look needs events, a month, or both"),
    "no looks": ({"looks": []}, "looks: "),
    "looks fall": ({"looks": [{"events": 90}, {"events": 60}]}, "events and months grow"),
    "unplanned": ({"looks": [{"month": 30}]}, "say the planned events"),
    "too many": ({"looks": [{"events": 130}]}, "more events than patients"),
    "combo": (
        {"looks": [{"events": 60}, {"events": 90}], "tests": [{"id": "m", "kind": "maxcombo"}]},
        "maxcombo knows one look only",
    ),
    "a bound too few": ({"level": {"bounds": {"logrank": [2, 2]}}}, "level.bounds.logrank: a bound for each of 1 looks"),
    "a bound of nothing": ({"level": {"bounds": {"lr": [2]}}}, "level.bounds.lr: a bound for each"),
    "a level with effect": ({"level": {"calibrate": True}}, "level.calibrate: a level is the error where there is no"),
    "futile at last": ({"looks": [{"events": 90, "futility": {"conditional_power": 0.1}}]}, "looks: the last has nothing"),
    "futile by what": (
        {"looks": [{"events": 9, "futility": {"conditional_power": 0.1, "effect": "design"}}, {"events": 90}]},
        "the effect design needs a hazard_ratio",
    ),
    "spending": ({"level": {"spending": "haybittle"}}, "level.spending: "),
    "a weight of log-rank": (
        {"tests": [{"id": "a", "kind": "logrank", "rho": 1}]}, "tests.0: rho and gamma go with fleming-harrington"),
    "a weight of Cox": ({"tests": [{"id": "a", "kind": "cox", "gamma": 1}]}, "tests.0: rho and gamma go with"),
    "sizes of no blocks": ({"allocation": {"method": "simple", "block_sizes": [2]}}, "block_sizes goes with permuted"),
    "strata of no blocks": ({"allocation": {"method": "fixed", "stratified": True}}, "stratified goes with permuted"),
    "last of one": ({"looks": [{"events": 90, "whichever": "last"}]}, "looks.0: whichever comes last: of events and"),
    "last of a month": (
        {"looks": [{"month": 9, "whichever": "last"}], "level": {"planned": 9}}, "looks.0: whichever comes last: of"),
    "gamma of Pocock": ({"level": {"spending": "pocock", "gamma": -2}}, "level: gamma goes with hwang-shih-decani and"),
    "power of less": ({"level": {"spending": "power"}}, "level: gamma: the spending power needs one above 0"),
    "gamma beyond floats": ({"level": {"spending": "hwang-shih-decani", "gamma": -800}}, "level.gamma: "),
    "times twice": (
        {"groups": [{"id": "A", "share": 1, "times": 2, "control": {"median": 3}, "experimental": {"median": 9}}]},
        "groups.A: times multiplies hazards: say it, or",
    ),
    "a bound that is no number": ({"level": {"bounds": {"logrank": [math.nan]}}}, "a bound is a number, or inf where"),
    "a bound below all": ({"level": {"bounds": {"logrank": [-math.inf]}}}, "a bound is a number, or inf where"),
    "an effect at no time": ({"hazard_ratio": [{"value": 1}, {"start": math.inf, "value": 1}]}, "hazard_ratio.1.start: "),
    "before the first site": (
        {"accrual": {"model": "poisson", "months": 5, "sites": [{"opens": 6, "rate": 1}]}},
        "accrual: months: nobody comes in 5 months, the first in month 6",
    ),
    "before the first rate": (
        {"accrual": {"months": 4, "rate": [{"value": 0}, {"start": 4, "value": 1}]}}, "the first in month 4"),
    "a shape beyond floats": ({"control": {"median": 7, "shape": 500}}, "control.shape: "),
    "a world of patients": ({"patients": 10**9}, "patients: Input should be less than or equal to 1000000"),
    "endless patients": ({"patients": math.inf, "accrual": {"rate": [{"value": 1}]}}, "patients: "),
    "planned beyond floats": ({"level": {"planned": 10**400}}, "level.planned: "),
    "sites of no rate but one": (
        {"accrual": {"model": "poisson", "sites": [{"rate": 1}], "spread": 50}}, "accrual.spread: "),
    "a world of groups": ({"groups": [{"id": f"G{i}", "share": 1 / 1001} for i in range(1001)]}, "1001 are more than"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_refused(name):
    change, words = BAD[name]
    with pytest.raises(InputError) as refused:
        parse(A | change, "scenarios/design-x.toml")
    (line,) = refused.value.lines
    assert line.startswith("scenarios/design-x.toml: ")
    assert words in line


def test_a_scenario_that_is_not_there():
    with pytest.raises(
        InputError, match=r"no scenario 'design-best' \(there is for design: gep-null, harm-early"
    ):
        read(STUDY, "best")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"PRIMSITE": "LUNG"}, "stratifies by"),
        ({"PRIMSITE": "LUNG", "PFIGR": "short"}, "PFIGR has no level 'short'"),
    ],
)
def test_groups_fit_the_strata_of_the_study(change, words):
    raw = {k: v for k, v in A.items() if k != "allocation"}
    raw |= {"groups": [{"id": "ALL", "share": 1, "levels": change}]}
    study = STUDY.model_copy(update={"scenarios": {"design-x": raw}})
    with pytest.raises(InputError, match=re.escape(words)):
        read(study, "x")


def test_travels_as_json():
    """Between processes; every float comes back as it was."""
    for name in [*NAMES, *MORE]:
        design = read(STUDY, name)
        assert Design.model_validate_json(design.model_dump_json()) == design
    never = parse(
        A | {"looks": [{"events": 45}, {"events": 90}], "level": {"bounds": {"logrank": [math.inf, 1.97]}}},
        "",
    )
    assert Design.model_validate_json(never.model_dump_json()) == never


def test_a_fault_is_told_once():
    """Not that there is no look, too, because the one there is has a fault."""
    with pytest.raises(InputError) as refused:
        parse(A | {"looks": [{"events": 0}]}, "x")
    assert refused.value.lines == ("x: looks.0.events: Input should be greater than or equal to 1",)


@pytest.mark.parametrize("shape", [0.02, 20])
@pytest.mark.parametrize("median", [1e-3, 1e5])
def test_the_widest_times_are_floats(shape, median):
    late = [{"value": 1}, {"start": 1e5, "value": 1e6}]
    rate = parse(A | {"control": {"median": median, "shape": shape}, "hazard_ratio": late}, "").hazards.rate
    assert (rate > 0).all()
    assert (rate < math.inf).all()


def test_simple_allocation_of_a_study_has_no_blocks():
    raw = {k: v for k, v in A.items() if k != "allocation"}
    raw |= {"groups": [{"id": "ALL", "share": 1, "levels": {"PRIMSITE": "LUNG", "PFIGR": "<90"}}]}
    simple = STUDY.allocation.model_copy(update={"method": "simple"})
    study = STUDY.model_copy(update={"scenarios": {"design-x": raw}, "allocation": simple})
    found = read(study, "x").allocation
    assert found is not None
    assert (found.method, found.block_sizes, found.stratified) == ("simple", (), False)
