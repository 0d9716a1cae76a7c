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

Event = Literal["death", "progression", "clinical_progression", "new_therapy", "response"]
"""What may stop a clock. Deterioration stops it by its own kind of endpoint."""

Among = Literal["randomised", "responders"]
"""Whose clock runs: everyone's, or only that of those who respond (time to response)."""

CensorAt = Literal["last_known_alive", "cutoff_if_contact", "last_adequate_assessment"]
"""Where a clock that no event stopped is read; at the cutoff where a later contact proves life soon after."""

ProgressionRules = Literal["EMA_ITT", "FDA_CENSOR"]
"""Which progressions and deaths count after missed assessments or new therapy (cases P1-P20)."""

MissedScans = Literal["count", "days"]
"""Two scans are missed: by the scheduled ones between, or by twice interval and window (6.4)."""

ProgressionDate = Literal["as_seen", "next_scheduled"]
"""A progression counts from the day that showed it, or from the next scheduled scan (sensitivity S2)."""

UndatedDeath = Literal["censor", "event_next_day"]
"""A death without any date is censored, or an event the day after the last day known alive."""

DeathDay = Literal["first", "middle", "last"]
"""The day given to a death known to the month or year, if later than the last day known alive."""

DeteriorationOrigin = Literal["randomisation", "inclusion", "first_dose", "baseline_form"]

DeathInDeterioration = Literal["censor_last_form", "event", "event_within_two_intervals", "competing"]
"""Death before deterioration: censored at the last form, an event, only soon after it, or CNSR 2."""

NoBaselineForm = Literal["censor", "exclude", "event"]
"""No baseline score: censored, or an event, on the first day; or no row."""

NoLaterForm = Literal["censor", "event"]

CannotWorsen = Literal["keep", "exclude"]
"""A baseline that leaves no room to worsen by the threshold."""

FormsUntil = Literal["progression", "new_therapy"]
"""After what forms no longer count."""

GapBasis = Literal["days_since_last_dose", "days_past_schedule"]
"""What the limits of a restart table count (project rules 2.4)."""

Method = Literal[
    "time_to_event",
    "duration",
    "proportion",
    "toxicity",
    "questionnaire",
    "mmrm",
    "exposure",
    "laboratory",
    "supporting",
    "subgroups",
    "competing_risks",
    "interim",
]

Test = Literal[
    "logrank",
    "fleming_harrington_1_0",
    "fleming_harrington_0_1",
    "fleming_harrington_1_1",
    "maxcombo",
    "modestly_weighted",
    "rmst",
    "unstratified",
    "proportional_hazards",
    "piecewise_hazard_ratio",
    "adjusted",
    "firth",
    "profile",
    "centre_frailty",
    "censored_at_new_therapy",
    "censored_at_switch",
    "rank_preserving",
    "worst_case",
    "tipping_point",
]
"""What stands beside the main analysis of a time to an event (method ``supporting``)."""

Ties = Literal["efron", "breslow", "exact", "exact-marginal"]
"""How Cox's likelihood takes events of one day; in SAS ``exact-marginal`` is EXACT, ``exact`` DISCRETE."""

Spending = Literal["obrien-fleming", "pocock", "hwang-shih-decani", "power"]
"""How looks at a trial under way spend its level: Lan and DeMets."""

BinEdge = Literal["lower", "upper"]
"""Which of its two edges a bin includes: ``lower``, 65 is in the bin from 65; ``upper``, in that up to 65."""

LaboratoryResult = Literal["original", "standard"]
"""The result as it was collected (LBORRES), or in standard units and rounded (LBSTRESN)."""

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
