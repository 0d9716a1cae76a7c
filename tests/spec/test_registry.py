"""The registered record as published, in both of its forms, and what it says against itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from trialwright.study import load, registry
from trialwright.study.model import Study
from trialwright.study.record import Record, RegisteredOutcome

DATA = Path(__file__).parents[1] / "data" / "registry"


@pytest.fixture(scope="module")
def tarlanec() -> Study:
    return load.load(load.folder("tarlanec"))


def _with(study: Study, *outcomes: RegisteredOutcome) -> Study:
    """The study against another record, with no reading of its own."""
    record = Record(registry_id="NCT00000000", outcomes=outcomes)
    return study.model_copy(update={"record": record, "reading": (), "outcomes": ()})


def _outcome(
    measure: str, description: str = "", number: int = 1, type_: str = "secondary"
) -> RegisteredOutcome:
    return RegisteredOutcome.model_validate(
        {"type": type_, "number": number, "measure": measure, "description": description}
    )


def _rules(study: Study) -> list[str]:
    return [c.rule for c in registry.contradictions(study)]


def test_the_export_and_the_json_say_the_same() -> None:
    export, document = (registry.read(DATA / f"NCT06937905.{kind}") for kind in ("csv", "json"))
    assert export.outcomes == document.outcomes
    assert (
        export.interventions
        == document.interventions
        == (
            "DRUG: Standard of Care Chemotherapy",
            "DRUG: Tarlatamab",
        )
    )
    assert (export.registry_id, export.title, export.summary) == (
        document.registry_id,
        document.title,
        document.summary,
    )


def test_the_record_has_one_primary_and_seven_secondary_outcomes() -> None:
    outcomes = registry.read(DATA / "NCT06937905.csv").outcomes
    assert [(o.type, o.number) for o in outcomes] == [
        ("primary", 1),
        *(("secondary", i) for i in range(1, 8)),
    ]
    assert outcomes[5].measure == "Progression-Free Survival (PFS)"
    assert outcomes[5].description == "Time from randomization to progression or death."
    assert {o.time_frame for o in outcomes} == {"About 4 years"}


def test_tarlanec_every_contradiction_has_an_id_the_words_at_fault_and_a_decision(tarlanec: Study) -> None:
    found = registry.contradictions(tarlanec)
    assert [c.id for c in found] == [
        "primary-1+secondary-6.primary_and_secondary",
        "primary-1.origins_differ",
        "primary-1.population_after_randomisation",
        "secondary-1.drug_not_given.cemiplimab",
        "secondary-1.other.1",
        "secondary-2+secondary-4.repeats_outcome",
        "secondary-2.response_counts_stable_disease",
        "secondary-3.duration_ignores_death",
        "secondary-7.deterioration_undefined",
        "secondary-7.other.2",
    ]
    assert all(c.quote and c.says and c.decision for c in found)
    words = tarlanec.record.words() if tarlanec.record else ""
    assert all(part in words for c in found for part in c.quote.split(" / ") if c.rule != "other")


def test_a_drug_that_no_arm_gives_is_told_by_its_stem_and_an_own_drug_is_not(tarlanec: Study) -> None:
    found = registry.contradictions(
        _with(tarlanec, _outcome("Safety of dostarlimab and tarlatamab after carboplatin"))
    )
    assert [c.quote for c in found if c.rule == "drug_not_given"] == ["carboplatin", "dostarlimab"]


def test_a_drug_without_a_stem_is_told_by_the_study(tarlanec: Study) -> None:
    reading = tarlanec.reading[0].model_copy(
        update={"rule": "drug_not_given", "quote": "aspirin", "outcome": None}
    )
    study = _with(tarlanec, _outcome("Safety of aspirin")).model_copy(update={"reading": (reading,)})
    assert [(c.rule, c.quote) for c in registry.contradictions(study)] == [("drug_not_given", "aspirin")]


def test_a_sound_record_has_no_contradiction(tarlanec: Study) -> None:
    sound = (
        _outcome("Overall Survival (OS)", "Time from randomization to death from any cause.", 1, "primary"),
        _outcome("Objective Response Rate (ORR)", "CR or PR by RECIST 1.1.", 1),
        _outcome("Duration of Response (DoR)", "From first response to progression or death.", 2),
        _outcome(
            "Time to deterioration of fatigue",
            "From randomization to a worsening by 10 points, death as a competing event.",
            3,
        ),
    )
    assert registry.contradictions(_with(tarlanec, *sound)) == ()


@pytest.mark.parametrize(
    ("rule", "outcomes"),
    [
        (
            "repeats_outcome",
            [_outcome("One", "The same sentence."), _outcome("Two", "the same  sentence", 2)],
        ),
        (
            "primary_and_secondary",
            [_outcome("Survival (OS)", "", 1, "primary"), _outcome("Overall survival (OS)", "", 1)],
        ),
        (
            "origins_differ",
            [
                _outcome("A", "Time from enrollment to death"),
                _outcome("B", "Time from the date of randomisation", 2),
            ],
        ),
        ("response_counts_stable_disease", [_outcome("Overall response rate", "CR, PR or SD")]),
        ("duration_ignores_death", [_outcome("Duration of response", "First response to progression")]),
        ("deterioration_undefined", [_outcome("Quality of life", "Time to first deterioration")]),
        ("population_after_randomisation", [_outcome("OS in patients who received at least one dose")]),
    ],
)
def test_each_rule_fires_on_its_own_words(
    tarlanec: Study, rule: str, outcomes: list[RegisteredOutcome]
) -> None:
    assert _rules(_with(tarlanec, *outcomes)) == [rule]


def test_the_origin_is_read_through_a_slip_of_the_pen(tarlanec: Study) -> None:
    slips = [_outcome("A", "time from ranodmization until"), _outcome("B", "from randomization to death", 2)]
    assert _rules(_with(tarlanec, *slips)) == []


def test_a_measure_with_a_comma_before_a_small_letter_stays_whole() -> None:
    header = "NCT Number,Primary Outcome Measures,Secondary Outcome Measures,Other Outcome Measures\n"
    record = registry.from_csv(
        header + 'NCT1,"Incidence, nature, and severity of events, All grades, 2 years",,\n'
    )
    only = record.outcomes[0]
    assert (only.measure, only.description, only.time_frame) == (
        "Incidence, nature, and severity of events",
        "All grades",
        "2 years",
    )


@pytest.mark.parametrize("text", ["NCT Number,Study Title\n", "A,B\n1,2\n"])
def test_something_that_is_no_export_says_so(text: str) -> None:
    with pytest.raises(ValueError, match="export"):
        registry.from_csv(text)


def test_no_name_of_this_record_is_in_the_code() -> None:
    code = (Path(registry.__file__)).read_text(encoding="utf-8").casefold()
    tables = (
        (Path(registry.__file__).parent / "tables" / "inn_stems.csv").read_text(encoding="utf-8").casefold()
    )
    for name in ("cemiplimab", "tarlatamab", "tarlanec", "nct0", "neuroendocrine"):
        assert name not in code + tables
