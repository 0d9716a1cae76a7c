"""ASTCT consensus grading of CRS and ICANS (Lee et al., Biol Blood Marrow Transplant 2019;25:625-638).

Organ toxicity is not part of it (CTCAE grades that). ``crs_course`` and ``icans_course`` grade each
assessment and number the episodes, ``episodes`` sums them up, ``attach_dose`` finds the dose before. A
grade is a proposal: the investigator confirms or overrides it.
"""

from trialwright.medicine.astct.crs import (
    O2_DEVICES,
    VASOPRESSORS,
    celsius,
    crs_course,
    hypotension_grade,
    hypoxia_grade,
    is_fever,
    is_vasopressor,
    organ_grade,
)
from trialwright.medicine.astct.episodes import attach_dose, episodes
from trialwright.medicine.astct.icans import (
    CONSCIOUSNESS,
    MOTOR,
    PRESSURE,
    SEIZURE,
    icans_course,
    icans_grade,
    ice_grade,
    ice_used,
)
from trialwright.medicine.astct.policy import DEFAULT, FEVER_C, LOW_FLOW_L_MIN, Policy

__all__ = [
    "CONSCIOUSNESS",
    "DEFAULT",
    "FEVER_C",
    "LOW_FLOW_L_MIN",
    "MOTOR",
    "O2_DEVICES",
    "PRESSURE",
    "SEIZURE",
    "VASOPRESSORS",
    "Policy",
    "attach_dose",
    "celsius",
    "crs_course",
    "episodes",
    "hypotension_grade",
    "hypoxia_grade",
    "icans_course",
    "icans_grade",
    "ice_grade",
    "ice_used",
    "is_fever",
    "is_vasopressor",
    "organ_grade",
]
