"""The words a study file may use.

Each has exactly one implementation; a test demands that the two sets are equal.
"""

from __future__ import annotations

from typing import Literal

Role = Literal["control", "experimental"]
"""An arm's part in every contrast: each experimental arm versus the one control arm."""

AllocationMethod = Literal["permuted_blocks", "simple"]

PopulationRule = Literal[
    "screened",
    "randomised",
    "randomised_treated",
    "treated",
    "randomised_measurable",
    "responders",
    "pro_evaluable",
]

GroupedBy = Literal["planned", "actual"]
"""As randomised, or as the treatment first received."""

Origin = Literal["randomisation", "inclusion", "first_dose", "response"]
"""Where a clock starts."""

Event = Literal["death", "progression", "new_therapy"]
"""What may stop a clock. Deterioration stops it by its own kind of endpoint."""

CensorAt = Literal["last_known_alive", "last_adequate_assessment"]
"""Where a clock that no event stopped is read."""

ProgressionRules = Literal["EMA_ITT", "FDA_CENSOR"]
"""Which progressions and deaths count after missed assessments or new therapy (cases P1-P20)."""

DeathInDeterioration = Literal["censor_last_form", "event"]

Method = Literal[
    "time_to_event", "duration", "proportion", "toxicity", "questionnaire", "exposure", "laboratory"
]

ResponseBasis = Literal["computed", "reported"]

Confirmation = Literal["confirmed", "unconfirmed"]

BaselineKind = Literal["category", "number"]

AssumptionStatus = Literal["assumed", "confirmed"]

OutcomeType = Literal["primary", "secondary", "other"]

ReadingRule = Literal[
    "drug_not_given",
    "repeats_outcome",
    "primary_and_secondary",
    "origins_differ",
    "response_counts_stable_disease",
    "duration_ignores_death",
    "deterioration_undefined",
    "population_after_randomisation",
    "other",
]
"""What a sentence of the registered record can be at fault for."""
