"""A whole trial that never was: from a study and a scenario to its SDTM."""

from __future__ import annotations

import polars as pl

from trialwright.simulate import (
    engager,
    exposure,
    lesions,
    measurements,
    questionnaires,
    safety,
    subjects,
)
from trialwright.simulate.draw import NEVER
from trialwright.simulate.imaging import scan, stopped
from trialwright.simulate.latent import live
from trialwright.simulate.mistakes import spoiled
from trialwright.simulate.people import screen
from trialwright.simulate.scenario import Scenario
from trialwright.simulate.setting import Setting
from trialwright.simulate.tables import domain
from trialwright.simulate.treatment import scans_kept, treat
from trialwright.simulate.trial import Trial
from trialwright.standards.errors import InputError
from trialwright.study.model import Study

_SYNDROMES = {
    "CRS": ("Cytokine release syndrome", "Immune system disorders"),
    "ICANS": ("Immune effector cell-associated neurotoxicity syndrome", "Nervous system disorders"),
}


def rehearse(study: Study, scenario: Scenario, patients: int, seed: int) -> dict[str, pl.DataFrame]:
    """SDTM domains of a trial with ``patients`` randomised; the same arguments give the same frames.

    Arms come from ``conduct.randomise`` with a key made from ``seed``. Columns are upper-case SDTM names,
    text is null where blank, dates are ISO 8601 text, ``--SEQ`` whole numbers. Raises InputError where the
    study and the scenario do not fit: a stratum without its characteristic, an arm without a course or a
    regimen, a questionnaire the study does not use, no baseline scan in the schedule.
    """
    trial = happen(study, scenario, patients, seed)
    return spoiled(written(trial), scenario.mistakes, seed)


def happen(study: Study, scenario: Scenario, patients: int, seed: int) -> Trial:
    """The lives of the trial's subjects, before anything is written down."""
    if patients < 1 or seed < 0:
        raise InputError(f"a rehearsal needs a patient and a seed from 0, not {patients} and {seed}")
    _fits(study, scenario)
    setting = Setting(study, scenario, seed)
    screened = screen(setting, patients)
    people = screened.only(screened.randomisation < NEVER)
    lives = live(setting, people)
    scans = scan(setting, people, lives)
    treatment = treat(setting, people, lives, scans)
    kept = stopped(scans, scans_kept(setting, lives, treatment))
    return Trial(setting, screened, people, lives, kept, treatment)


def written(trial: Trial) -> dict[str, pl.DataFrame]:
    """What flawless sites would write of it."""
    found = subjects.domains(trial) | exposure.domains(trial) | lesions.domains(trial) | _events(trial)
    plain = {
        "LB": measurements.laboratory(trial),
        "VS": measurements.vital_signs(trial),
        "QS": questionnaires.answers(trial),
    }
    for name, rows in plain.items():
        if len(rows):
            found[name] = domain(trial, name, rows, (f"{name}DTC", f"{name}TESTCD"))
    return found


def _events(trial: Trial) -> dict[str, pl.DataFrame]:
    astct = trial.study.adverse_events.astct
    terms = {word: (astct.get(word, (term,))[0], soc) for word, (term, soc) in _SYNDROMES.items()}
    ordinary, order = safety.events(trial), ("AESTDTC", "AEDECOD")
    if not trial.scenario.engagers:
        return {"AE": domain(trial, "AE", ordinary, order)}
    reactions, facts = engager.toxicity(trial, terms)
    ae = domain(trial, "AE", pl.concat([ordinary, reactions]), order)
    return {
        "AE": ae,
        "SUPPAE": safety.scales(ae, [term for term, _ in terms.values()], "ASTCT 2019"),
        "FA": domain(trial, "FA", facts, ("FADTC", "FATESTCD")),
    }


def _fits(study: Study, scenario: Scenario) -> None:
    known = {c.id for c in scenario.characteristics}
    for stratum in study.allocation.strata:
        needed = study.sources.strata[stratum].variable
        if needed not in known:
            raise InputError(f"stratum {stratum} is read from {needed}, which the scenario does not describe")
    told = {course.arm for course in scenario.courses}
    if missing := [arm.id for arm in study.arms if arm.id not in told]:
        raise InputError(f"the scenario has no course for arm {', '.join(missing)}")
