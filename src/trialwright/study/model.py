"""The promise as one frozen value: what the files of a study folder say, and nothing computed from data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field, model_validator

from trialwright.study import words
from trialwright.study.base import Frozen, Id, Label, Paramcd, Variable, Words
from trialwright.study.interim import Interim
from trialwright.study.record import Record
from trialwright.study.sources import Sources


class Identity(Frozen):
    id: Id
    registry_id: str | None = None
    title: Label
    sponsor: str = ""
    phase: str = ""
    language: str = "en"
    planned_patients: int | None = Field(default=None, gt=0)
    day_offset: int = Field(default=1, ge=0, le=1)
    days_per_month: float = Field(default=30.4375, gt=0)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)


class Arm(Frozen):
    id: Id
    role: words.Role
    label: Label
    drugs: tuple[str, ...] = ()
    """International non-proprietary names, lower case; the record may name no other."""


class Level(Frozen):
    id: Annotated[str, Field(min_length=1)]
    """The value as it stands in the data, after mapping."""
    label: Label


class Stratum(Frozen):
    id: Variable
    label: Label
    levels: tuple[Level, ...] = Field(min_length=2)


class Allocation(Frozen):
    method: words.AllocationMethod
    ratio: Mapping[str, int]
    block_sizes: tuple[int, ...] = ()
    strata: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()


class Population(Frozen):
    id: Id
    flag: Variable
    label: Label
    rule: words.PopulationRule
    grouped_by: words.GroupedBy = "planned"


class Response(Frozen):
    """The response policy. The names and meanings of ``policy`` are those of ``medicine.recist.Policy``."""

    criteria: str = "RECIST 1.1"
    basis: words.ResponseBasis = "computed"
    assessor: Id
    headline: words.Confirmation = "confirmed"
    missed: words.MissedScans = "count"
    rt_is_nact: bool = False
    """Palliative radiotherapy (the fact of that name) counts as a new anticancer therapy (case P20)."""
    assessment_gap_days: int | None = Field(default=None, ge=0)
    """Scans under one visit with more days between them are several assessments; if not given, half the
    shortest interval between scheduled scans (21 where nothing is scheduled)."""
    policy: Mapping[str, str | int | float | bool] = Field(default_factory=dict)
    assumes: tuple[str, ...] = ()


class TimeToEvent(Frozen):
    """One row of ADTTE per subject."""

    id: Paramcd
    label: Label
    origin: words.Origin = "randomisation"
    among: words.Among = "randomised"
    events: tuple[words.Event, ...] = Field(min_length=1)
    censor_at: words.CensorAt
    contact_months: float = Field(default=3, gt=0)
    """How soon after the cutoff a contact proves life at it, where ``censor_at = "cutoff_if_contact"``."""
    undated_death: words.UndatedDeath = "censor"
    rules: words.ProgressionRules | None = None
    progression_date: words.ProgressionDate = "as_seen"
    confirmation: words.Confirmation = "confirmed"
    """Of the response that starts the clock, stops it, or says who responds."""
    assumes: tuple[str, ...] = ()


class BestResponse(Frozen):
    """One row of ADRS per subject, Y or N: by the best response, or by one of two narrower questions.

    ``at_day``: is there a response of ``success`` within ``window_days`` of that day, with neither
    progression nor death until then? ``lasting_months``: did the response last so long on the clock
    ``duration``?
    """

    id: Paramcd
    label: Label
    confirmation: words.Confirmation
    success: tuple[str, ...] = Field(min_length=1)
    at_day: int | None = Field(default=None, gt=0)
    window_days: int = Field(default=14, ge=0)
    lasting_months: float | None = Field(default=None, gt=0)
    duration: Paramcd | None = None
    policy: Mapping[str, str | int | float | bool] = Field(default_factory=dict)
    """Where this endpoint departs from the study's response policy."""
    assumes: tuple[str, ...] = ()


class Deterioration(Frozen):
    """One row of ADTTE per subject and scale; its PARAMCD is ``id`` followed by the scale's code."""

    id: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,5}$")]
    label: Label
    instrument: Id
    scales: tuple[str, ...] = Field(min_length=1)
    composite: bool = False
    """A further row, ``id`` followed by ANY: the first deterioration of any of the scales."""
    origin: words.DeteriorationOrigin = "randomisation"
    death: words.DeathInDeterioration = "censor_last_form"
    no_baseline: words.NoBaselineForm = "censor"
    no_later_form: words.NoLaterForm = "censor"
    cannot_worsen: words.CannotWorsen = "keep"
    forms_until: tuple[words.FormsUntil, ...] = ()
    policy: Mapping[str, str | int | float | bool] = Field(default_factory=dict)
    """The names and meanings are those of ``medicine.qlq_c30.Deterioration``."""
    assumes: tuple[str, ...] = ()

    def paramcd(self, scale: str) -> str:
        return f"{self.id}{scale}"

    def paramcds(self) -> tuple[str, ...]:
        scales = (*self.scales, "ANY") if self.composite else self.scales
        return tuple(self.paramcd(scale) for scale in scales)


class Endpoints(Frozen):
    time_to_event: tuple[TimeToEvent, ...] = ()
    best_response: tuple[BestResponse, ...] = ()
    deterioration: tuple[Deterioration, ...] = ()

    def ids(self) -> tuple[str, ...]:
        plain = [e.id for e in self.time_to_event] + [e.id for e in self.best_response]
        return (*plain, *(code for family in self.deterioration for code in family.paramcds()))


class Analysis(Frozen):
    """One address in the results: what is estimated, in whom, how."""

    id: Id
    label: Label
    method: words.Method
    population: Id
    endpoint: str | None = None
    """The id of an endpoint, or of a deterioration family (all its scales), where the method needs one."""
    assessor: Id | None = None
    """Another assessor than the study's, whose reading of the images the endpoint then takes."""
    strata: tuple[str, ...] = ()
    ties: words.Ties = "efron"
    """Of the hazard ratio; weighted, penalised and competing models keep Efron's."""
    landmarks_months: tuple[float, ...] = ()
    rmst_months: tuple[float, ...] = ()
    instrument: Id | None = None
    tests: tuple[words.Test, ...] = ()
    """What the method ``supporting`` computes, in this order."""
    covariates: tuple[str, ...] = ()
    """Strata, baseline characteristics or factors for which ``adjusted`` adjusts; that fit has no strata."""
    factors: tuple[str, ...] = ()
    """Strata, baseline characteristics in words, or factors by whose levels there are subgroups."""
    pieces_months: tuple[Annotated[float, Field(gt=0)], ...] = (3, 6)
    """Where ``piecewise_hazard_ratio`` cuts the time."""
    weights_until_months: float = Field(default=6, gt=0)
    """Until when the weights of ``modestly_weighted`` grow."""
    lost_after_months: float = Field(default=3, ge=0)
    """How long before the cutoff follow-up must have ended for ``worst_case`` and ``tipping_point`` to call a
    patient lost."""
    tipping_deltas: tuple[Annotated[float, Field(gt=0)], ...] = Field((1, 1.5, 2, 3, 5, 10), min_length=1)
    """By what ``tipping_point`` multiplies the hazard of those lost from the experimental arm."""
    imputations: int = Field(default=200, ge=2)
    """How often ``tipping_point`` completes the trial for each of them."""
    interim: Interim | None = None
    """What the method ``interim`` needs."""
    assumes: tuple[str, ...] = ()


class Reading(Frozen):
    """One way to read a registered outcome, and the analyses that answer it."""

    id: Id
    label: Label
    headline: bool = False
    analyses: tuple[Id, ...] = Field(min_length=1)
    assumes: tuple[str, ...] = ()


class Outcome(Frozen):
    """A registered outcome, linked to its line of the record by type and number (from 1)."""

    id: Id
    type: words.OutcomeType
    number: int = Field(ge=1)
    title: Label
    registered: str
    """Words quoted from that line, so that the link cannot slip."""
    readings: tuple[Reading, ...] = Field(min_length=1)


class RecordReading(Frozen):
    """What a machine cannot know from the record's words, decided by a person and quoted."""

    rule: words.ReadingRule
    quote: str
    says: Label
    decision: Label
    outcome: Id | None = None


class AdverseEvents(Frozen):
    scale: str = "CTCAE v5.0"
    grades: tuple[str, ...] = ("1", "2", "3", "4", "5")
    """The grades in rising order, as written in the data."""
    window_days: int = Field(default=30, ge=0)
    """Emergent: from the first dose to this many days after the last."""
    related: tuple[str, ...] = (
        "Y",
        "RELATED",
        "POSSIBLY RELATED",
        "PROBABLY RELATED",
        "POSSIBLE",
        "PROBABLE",
    )
    missing_is_related: bool = True
    stop_at_new_therapy: bool = True
    """Events not related to treatment stop being emergent when another anticancer therapy starts."""
    astct: Mapping[str, Words] = Field(default_factory=dict)
    """``CRS`` and ``ICANS``: the coded terms (AEDECOD) graded by ASTCT 2019 instead."""
    astct_policy: Mapping[str, str | int | float | bool] = Field(default_factory=dict)
    """The names and meanings are those of ``medicine.astct.Policy``."""
    assessment_hours: float = Field(default=1, ge=0)
    """ASTCT components written within so many hours of the first are one assessment."""
    episode_gap_hours: float = Field(default=24, gt=0)
    """Records of one term with a shorter gap between them are one episode."""
    assumes: tuple[str, ...] = ()


class Laboratory(Frozen):
    criteria: str = "5.0"
    result: words.LaboratoryResult = "original"
    """Which result is analysed where both can be; its limits are those of the same side."""
    policy: Mapping[str, str | int | float | bool] = Field(default_factory=dict)
    events: Mapping[Annotated[str, Field(pattern=r"^\S+ (low|high)$")], Words] = Field(default_factory=dict)
    """``NEUT low`` to further coded terms, beside those of CTCAE, under which sites report such a value."""
    events_within_days: int = Field(default=7, ge=0)
    """How far from a value of grade 3 or more its event may lie."""


class Instrument(Frozen):
    """A questionnaire of the study; scoring is ``medicine``'s, named by ``scoring``."""

    id: Id
    label: Label
    scoring: Annotated[str, Field(pattern=r"^QLQ-C30$")] = "QLQ-C30"
    activity: str
    """Its row in the schedule."""
    baseline_days_before: int = Field(default=14, ge=0)


class BaselineCharacteristic(Frozen):
    id: Variable
    label: Label
    kind: words.BaselineKind
    unit: str = ""
    levels: tuple[Level, ...] = ()


class Factor(Frozen):
    """A stratum or baseline characteristic cut for subgroups or for adjustment."""

    id: Id
    label: Label
    variable: Variable
    bins: tuple[float, ...] = ()
    """Where a number is cut, rising."""
    includes: words.BinEdge = "lower"
    levels: tuple[Level, ...] = ()
    """Of the bins, in rising order, one more than bins; of words, those to show and their order."""


class Regimen(Frozen):
    """What an arm's drug should be: dose by dose, the last one repeated."""

    arm: Id
    drug: str
    unit: str
    doses: tuple[float, ...] = Field(min_length=1)
    days: tuple[int, ...] = Field(min_length=1)
    """Study days of the first doses; afterwards every ``interval_days``."""
    interval_days: int = Field(gt=0)
    restart_after_days: tuple[int, ...] = ()
    """Dose by dose, the last one repeated: how late the next dose may be before the step-up begins again."""
    gap_basis: words.GapBasis = "days_since_last_dose"


class Assumption(Frozen):
    id: Annotated[str, Field(pattern=r"^[A-Z]-\d{2}$")]
    unknown: Label
    default: Label
    reason: Label
    alternatives: Label = Field(default_factory=lambda: MappingProxyType({}))
    status: words.AssumptionStatus = "assumed"


class Visit(Frozen):
    """A column of the schedule: its day after randomisation (baseline 0 or less) and its window in days."""

    id: str
    day: int
    window: int


class Schedule(Frozen):
    visits: tuple[Visit, ...] = ()
    activities: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Activity to the ids of its visits."""

    def days(self, activity: str) -> tuple[Visit, ...]:
        wanted = set(self.activities.get(activity, ()))
        return tuple(v for v in self.visits if v.id in wanted)


class Study(Frozen):
    """Everything the folder promises."""

    study: Identity
    arms: tuple[Arm, ...] = Field(min_length=2)
    allocation: Allocation
    strata: tuple[Stratum, ...] = ()
    populations: tuple[Population, ...] = Field(min_length=1)
    headline_population: Id
    response: Response
    endpoints: Endpoints
    analyses: tuple[Analysis, ...] = Field(min_length=1)
    outcomes: tuple[Outcome, ...] = ()
    reading: tuple[RecordReading, ...] = ()
    adverse_events: AdverseEvents = AdverseEvents()
    laboratory: Laboratory = Laboratory()
    instruments: tuple[Instrument, ...] = ()
    baseline: tuple[BaselineCharacteristic, ...] = ()
    factors: tuple[Factor, ...] = ()
    regimens: tuple[Regimen, ...] = ()
    death_day: words.DeathDay = "first"
    tumour_activity: str = "TUMOUR"
    """The row of the schedule with the imaging visits."""
    cutoff: date | None = None
    sources: Sources
    assumptions: tuple[Assumption, ...] = ()
    schedule: Schedule = Schedule()
    record: Record | None = None
    scenarios: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)

    @property
    def control(self) -> Arm:
        return next(arm for arm in self.arms if arm.role == "control")

    @property
    def experimental(self) -> tuple[Arm, ...]:
        return tuple(arm for arm in self.arms if arm.role == "experimental")

    def population(self, id_: str) -> Population:
        return next(p for p in self.populations if p.id == id_)

    def analysis(self, id_: str) -> Analysis:
        return next(a for a in self.analyses if a.id == id_)

    def text(self, label: Mapping[str, str]) -> str:
        """The label in the study's language, else in English, else in any."""
        return label.get(self.study.language) or label.get("en") or next(iter(label.values()), "")

    @model_validator(mode="after")
    def _one_control(self) -> Study:
        if [arm.role for arm in self.arms].count("control") != 1:
            raise ValueError('exactly one arm has role = "control"')
        return self
