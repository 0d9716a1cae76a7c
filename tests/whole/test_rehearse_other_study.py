"""The simulator serves a study it has never heard of: everything it knows comes from the study and a scenario."""

from __future__ import annotations

import polars as pl
import pytest

from trialwright.simulate import doors
from trialwright.simulate.rehearse import rehearse
from trialwright.simulate.scenario import Mistakes, Scenario
from trialwright.standards.files import read_any
from trialwright.study.load import folder, load
from trialwright.study.model import Study

STUDY = Study.model_validate(
    {
        "study": {"id": "OTHER-1", "title": "Three arms, no strata, one drug each"},
        "arms": [
            {"id": "PLACEBO", "role": "control", "label": "Placebo"},
            {"id": "LOW", "role": "experimental", "label": "Low dose"},
            {"id": "HIGH", "role": "experimental", "label": "High dose"},
        ],
        "allocation": {"method": "simple", "ratio": {"PLACEBO": 1, "LOW": 1, "HIGH": 2}},
        "populations": [{"id": "ITT", "flag": "ITTFL", "label": "All randomised", "rule": "randomised"}],
        "headline_population": "ITT",
        "response": {"assessor": "INV"},
        "endpoints": {},
        "analyses": [{"id": "SAFETY", "label": "Safety", "method": "toxicity", "population": "ITT"}],
        "regimens": [
            {"arm": arm, "drug": "PILL", "unit": "mg", "doses": [dose], "days": [1], "interval_days": 28}
            for arm, dose in (("PLACEBO", 0.5), ("LOW", 5), ("HIGH", 50))
        ],
        "sources": {"facts": {}},
        "schedule": {
            "visits": [{"id": f"D{day}", "day": day, "window": 5} for day in (0, 28, 56, 84, 112)],
            "activities": {"TUMOUR": ["D0", "D56", "D112"], "BLOOD": ["D0", "D28"], "SIGNS": ["D0"]},
        },
    }
)
GROWTH = {"weight": 1, "shrink": [0.1, 0.5], "grow": [0.1, 0.5], "new_lesion": 0.05, "death": 0.05}
SCENARIO = Scenario.model_validate(
    {
        "title": "As little as a scenario can say",
        "accrual": {"first_patient": "2030-01-01", "months": 6, "cutoff": "2031-01-01", "sites": 3},
        "courses": [
            {"arm": arm, "growth": [GROWTH], "death_after_progression": 0.1}
            for arm in ("PLACEBO", "LOW", "HIGH")
        ],
        "follow_up": {},
        "imaging": {"targets": [1, 1], "non_targets": [1], "organs": [{"name": n, "weight": 1} for n in "XYZ"]},
        "measurements": {
            "activity": "BLOOD",
            "vital_activity": "SIGNS",
            "tests": [
                {"code": "HGB", "name": "Hemoglobin", "category": "HEMATOLOGY", "unit": "g/L", "median": 130,
                 "between": 0.1, "within": 0.05},
            ],
        },
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def sdtm():
    return rehearse(STUDY, SCENARIO, 200, 3)


def test_arms_drugs_and_visits_are_the_studys(sdtm):
    arms = sdtm["DM"]["ARMCD"].value_counts()
    assert set(arms["ARMCD"]) == {"PLACEBO", "LOW", "HIGH"}
    assert dict(arms.iter_rows())["HIGH"] > 75
    doses = sdtm["EX"].join(sdtm["DM"].select("USUBJID", "ARMCD"), on="USUBJID")
    given = dict(doses.group_by("ARMCD").agg(pl.col("EXDOSE").unique().sort()).iter_rows())
    assert given == {"PLACEBO": [0.5], "LOW": [5.0], "HIGH": [50.0]}
    assert set(sdtm["RS"]["VISIT"]) <= {"D56", "D112"}
    assert set(sdtm["LB"]["VISIT"]) == {"D0", "D28"}
    assert sdtm["LB"].filter(VISIT="D28")["VISITNUM"].unique().to_list() == [2.0]


def test_what_the_scenario_does_not_say_is_not_written(sdtm):
    assert not {"FA", "SUPPAE", "QS", "VS"} & set(sdtm)
    assert sdtm["AE"].is_empty()
    assert sdtm["SUPPDM"].is_empty()
    assert sdtm["DM"].filter(ARMCD="SCRNFAIL").is_empty()


def test_empty_domains_can_be_written_too(sdtm, tmp_path):
    for path in doors.write(tmp_path, sdtm):
        assert read_any(path).columns == sdtm[path.stem.upper()].columns


def test_a_mistake_in_a_domain_that_is_not_there_is_not_made(sdtm):
    asked = SCENARIO.model_copy(update={"mistakes": Mistakes(item_out_of_range=2, duplicate_key=1)})
    spoiled = rehearse(STUDY, asked, 200, 3)
    assert all(spoiled[name].equals(sdtm[name]) for name in sdtm)


def test_one_patient_is_a_trial():
    sdtm = rehearse(STUDY, SCENARIO, 1, 0)
    assert len(sdtm["DM"]) == 1


def test_an_instrument_the_study_does_not_use_is_refused():
    asked = SCENARIO.model_dump() | {"questionnaires": [{"instrument": "QLQ-C30", "scales": []}]}
    with pytest.raises(ValueError, match="QLQ-C30, which the study does not use"):
        rehearse(STUDY, Scenario.model_validate(asked), 5, 0)


def test_another_allocation_changes_the_arms_and_no_baseline():
    """Who comes, when, and with which characteristics does not know the arm to come."""
    study = load(folder("tarlanec"))
    scenario = doors.scenario(study)
    turned = study.allocation.model_copy(update={"ratio": {"A": 2, "B": 1}})
    one, two = rehearse(study, scenario, 60, 5), rehearse(
        study.model_copy(update={"allocation": turned}), scenario, 60, 5
    )  # fmt: skip
    known = ["USUBJID", "RFICDTC", "SITEID", "AGE", "SEX"]
    assert one["DM"].select(known).equals(two["DM"].select(known))
    assert one["SUPPDM"].equals(two["SUPPDM"])
    assert not one["DM"]["ARMCD"].equals(two["DM"]["ARMCD"])
