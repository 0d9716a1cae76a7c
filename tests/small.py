"""A minimal valid study for tests: arms A (control) and B, one stratum, 28-day rules of the spine.

``small_study(**changes)`` replaces whole top-level tables: ``small_study(adverse_events={"window_days": 5})``.
``facts``, ``crs`` … go into ``sources`` by ``small_study(sources=small_sources(crs=...))``.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from trialwright.study.model import Study

CUTOFF = dt.date(2027, 12, 31)


def small_sources(**changes: Any) -> dict[str, Any]:
    """Where the named facts stand: DS, DM and CM, as plain as SDTM allows."""
    decod = {
        "consent": "INFORMED CONSENT OBTAINED",
        "inclusion": "ELIGIBILITY CRITERIA MET",
        "randomisation": "RANDOMIZED",
    }
    facts: dict[str, Any] = {
        name: {"domain": "DS", "variable": "DSSTDTC", "where": {"DSDECOD": word}}
        for name, word in decod.items()
    }
    facts |= {
        "arm": {"domain": "DM", "variable": "ARMCD"},
        "actual_arm": {"domain": "DM", "variable": "ACTARMCD"},
        "death": {"domain": "DM", "variable": "DTHDTC"},
        "new_therapy": {"domain": "CM", "variable": "CMSTDTC", "where": {"CMCAT": "NEW ANTICANCER THERAPY"}},
        "treatment_end": {"domain": "DS", "variable": "DSSTDTC", "where": {"DSSCAT": "TREATMENT"}},
        "treatment_end_reason": {"domain": "DS", "variable": "DSDECOD", "where": {"DSSCAT": "TREATMENT"}},
        "study_end": {"domain": "DS", "variable": "DSSTDTC", "where": {"DSSCAT": "STUDY"}},
        "study_end_reason": {"domain": "DS", "variable": "DSDECOD", "where": {"DSSCAT": "STUDY"}},
    }
    whole: dict[str, Any] = {
        "facts": facts,
        "strata": {"SITE1": {"domain": "DM", "variable": "SITE1"}},
        "assessors": [{"id": "INV", "label": "Investigator", "where": {"EVAL": "INVESTIGATOR"}}],
        "instruments": {"QLQ-C30": {"item_prefix": "QLQ"}},
        "alive": [{"domain": "VS", "variable": "VSDTC"}],
    }
    return whole | changes


def small_study(**changes: Any) -> Study:
    """A valid `Study`; each keyword replaces the top-level table of that name."""
    populations = {
        "SCREENED": ("SCRNFL", "screened", "planned"),
        "ITT": ("ITTFL", "randomised", "planned"),
        "MITT": ("MITTFL", "randomised_treated", "planned"),
        "SAFETY": ("SAFFL", "treated", "actual"),
        "RESPONDERS": ("DORFL", "responders", "planned"),
    }
    plain: dict[str, Any] = {
        "study": {"id": "SMALL", "title": "A small study"},
        "arms": [
            {"id": "A", "role": "control", "label": "Chemotherapy", "drugs": ["docetaxel"]},
            {"id": "B", "role": "experimental", "label": "Tarlatamab", "drugs": ["tarlatamab"]},
        ],
        "allocation": {
            "method": "permuted_blocks",
            "ratio": {"A": 1, "B": 2},
            "block_sizes": [3, 6],
            "strata": ["SITE1"],
        },
        "strata": [
            {
                "id": "SITE1",
                "label": "Primary site",
                "levels": [{"id": "LUNG", "label": "Lung"}, {"id": "GEP", "label": "Digestive"}],
            }
        ],
        "populations": [
            {"id": id_, "flag": flag, "label": id_.title(), "rule": rule, "grouped_by": grouped}
            for id_, (flag, rule, grouped) in populations.items()
        ],
        "headline_population": "ITT",
        "response": {"assessor": "INV"},
        "endpoints": {
            "time_to_event": [
                {
                    "id": "OS",
                    "label": "Overall survival",
                    "events": ["death"],
                    "censor_at": "last_known_alive",
                },
                {
                    "id": "PFS",
                    "label": "Progression-free survival",
                    "events": ["progression", "death"],
                    "censor_at": "last_adequate_assessment",
                    "rules": "EMA_ITT",
                },
                {
                    "id": "DOR",
                    "label": "Duration of response",
                    "origin": "response",
                    "events": ["progression", "death"],
                    "censor_at": "last_adequate_assessment",
                    "rules": "EMA_ITT",
                },
            ],
            "best_response": [
                {"id": "ORR", "label": "Response", "confirmation": "confirmed", "success": ["CR", "PR"]},
            ],
            "deterioration": [
                {"id": "TTD", "label": "Deterioration", "instrument": "QLQ-C30", "scales": ["FA", "PA"]},
            ],
        },
        "analyses": [
            {
                "id": "OS-ITT",
                "label": "Overall survival",
                "method": "time_to_event",
                "population": "ITT",
                "endpoint": "OS",
                "strata": ["SITE1"],
            },
        ],
        "adverse_events": {
            "astct": {
                "CRS": "Cytokine release syndrome",
                "ICANS": "Immune effector cell-associated neurotoxicity",
            }
        },
        "instruments": [{"id": "QLQ-C30", "label": "EORTC QLQ-C30", "activity": "PRO"}],
        "regimens": [
            {
                "arm": "B",
                "drug": "tarlatamab",
                "unit": "mg",
                "doses": [1, 10, 10],
                "days": [1, 8, 15],
                "interval_days": 14,
            }
        ],
        "cutoff": CUTOFF,
        "sources": small_sources(),
        "schedule": {
            "visits": [
                {"id": "BASELINE", "day": 0, "window": 7},
                {"id": "WEEK 6", "day": 42, "window": 7},
                {"id": "WEEK 12", "day": 84, "window": 7},
                {"id": "WEEK 18", "day": 126, "window": 7},
            ],
            "activities": {
                "TUMOUR": ["BASELINE", "WEEK 6", "WEEK 12", "WEEK 18"],
                "PRO": ["BASELINE", "WEEK 6", "WEEK 12", "WEEK 18"],
            },
        },
    }
    return Study.model_validate(plain | changes)
