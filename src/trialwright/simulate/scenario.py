"""What the simulator may assume: one frozen value, read from ``scenarios/<name>.toml`` of a study folder.

Months are 30.4375 days, rates per month unless the name says otherwise, probabilities from 0 to 1. Keys of a
``Risk`` are arm ids, or the values of the characteristic ``regimen_by`` (which then speak before the arm);
an absent key is 0. Every section may say where its numbers are from (``source``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainSerializer, model_validator

from trialwright.study.base import Frozen, Id, Texts, Variable, _frozen_mapping

DAYS_PER_MONTH = 30.4375

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0)]
Weights = tuple[Rate, ...]
Risk = Annotated[Mapping[str, float], AfterValidator(_frozen_mapping), PlainSerializer(dict)]
ByWord = Annotated[Mapping[str, Weights], AfterValidator(_frozen_mapping), PlainSerializer(dict)]
Days = tuple[int, int]
"""First and last day of an even spread."""


class Section(Frozen):
    source: str = ""


class Failure(Section):
    """A reason not to be randomised; ``sets`` are the characteristics that show it."""

    reason: str
    weight: Rate
    sets: Texts = Field(default_factory=lambda: _frozen_mapping({}))


class Accrual(Section):
    first_patient: date
    months: float = Field(gt=0)
    """From the first consent to the last, whatever the number of patients."""
    ramp_months: Rate = 0
    """The pace rises evenly over this time, then stays."""
    cutoff: date
    """Nothing is known after this day."""
    sites: int = Field(ge=1)
    site_spread: Rate = 0
    """Standard deviation of the logarithm of a site's pace."""
    country: str = ""
    screen_failure: Share = 0
    failures: tuple[Failure, ...] = ()
    consent_to_inclusion: Days = (5, 18)
    inclusion_to_randomisation: Days = (0, 5)
    randomisation_to_dose: Days = (0, 6)

    def last_first_dose(self) -> date:
        steps = (self.consent_to_inclusion, self.inclusion_to_randomisation, self.randomisation_to_dose)
        working_days = sum(last for _, last in steps) + 3 * len(steps)
        return self.first_patient + timedelta(days=self.months * DAYS_PER_MONTH + working_days)


class Characteristic(Section):
    """A fact known at baseline: weighted words, whole numbers from weighted ranges, or a normal number."""

    id: Variable
    label: str = ""
    domain: Literal["DM", "SUPPDM"] = "SUPPDM"
    values: tuple[str, ...] = ()
    weights: Weights = ()
    given: Variable | None = None
    """An earlier characteristic; ``weights_given`` then holds the weights by its value (none: blank)."""
    weights_given: ByWord = Field(default_factory=lambda: _frozen_mapping({}))
    ranges: tuple[tuple[int, int], ...] = ()
    mean: float | None = None
    sd: Rate = 0
    minimum: float = 0
    maximum: float = 1e9
    hazard: Weights = ()
    """What multiplies the hazards of death, by value or range."""
    missing: Share = 0

    @model_validator(mode="after")
    def _one_kind(self) -> Characteristic:
        choices = len(self.values) or len(self.ranges)
        if (self.mean is None) == (not choices):
            raise ValueError("give either values, ranges or a mean")
        rows = [self.hazard] if self.hazard else []
        rows += list(self.weights_given.values()) if self.given else ([self.weights] if choices else [])
        if any(len(row) != choices for row in rows):
            raise ValueError("weights and hazards are as many as values or ranges")
        return self


class Growth(Section):
    """A kind of tumour: its sum is ``y0 (exp(-shrink t) + exp(grow t) - 1)``, rates log-normal (9.3)."""

    weight: Rate
    shrink: tuple[Rate, Rate]
    """Median and standard deviation of the logarithm."""
    grow: tuple[Rate, Rate]
    new_lesion: Rate
    death: Rate
    """Before progression."""


class Course(Section):
    """What happens in one arm."""

    arm: Id
    growth: tuple[Growth, ...] = Field(min_length=1)
    death_after_progression: Rate
    """Per month, once the tumour grows: it need not have been seen yet."""
    never_treated: Share = 0
    stop_for_toxicity: Rate = 0
    stop_by_choice: Rate = 0


class FollowUp(Section):
    lost_per_year: Rate = 0
    withdrawn_per_year: Rate = 0
    contact_days: int = Field(default=90, ge=1)
    last_sweep_days: int = Field(default=30, ge=1)
    """Before the cutoff the sites ask once more, within this time."""
    death_month_only: Share = 0
    new_therapy: Share = 0
    new_therapy_days: Days = (7, 45)
    """After progression was seen or treatment ended."""
    new_therapies: ByWord = Field(default_factory=lambda: _frozen_mapping({}))
    """Arm to the weights of ``therapies``."""
    therapies: tuple[str, ...] = ()
    month_only_new_therapy: Share = 0
    not_treated_reasons: Risk = Field(default_factory=lambda: _frozen_mapping({}))


class Organ(Section):
    name: str
    weight: Rate
    nodal: bool = False


class Imaging(Section):
    baseline_sum: tuple[Rate, Rate] = (70.0, 0.5)
    """Median in mm and standard deviation of the logarithm."""
    targets: Weights
    """Weights of 1, 2, 3 … target lesions."""
    non_targets: Weights
    """Weights of 0, 1, 2 … non-target lesions."""
    organs: tuple[Organ, ...] = Field(min_length=3)
    jitter_sd: Rate = 2.5
    missed_scan: Share = 0
    missed_lesion: Share = 0
    noise: tuple[Rate, Rate] = (0.045, 0.045)
    """Of all lesions of a scan together, and of each, as standard deviations of the logarithm."""
    non_target_share: Share = 0.2
    """Of the events that are no growth of the targets, those seen in a non-target lesion."""
    equivocal: Share = 0
    scan_after_progression: Share = 0
    stop_scans_without_progression: Share = 0
    """Of those who end treatment for another reason."""
    misread: Share = 0
    """Site-reported responses that differ from what the lesions say."""


class Drug(Section):
    name: str
    dose: float = Field(gt=0)
    unit: str


class Regimen(Section):
    """What patients of an arm receive, by the characteristic ``regimen_by`` where one is named."""

    arm: Id
    choice: str = ""
    drugs: tuple[Drug, ...] = Field(min_length=1)
    interval_days: int = Field(gt=0)
    cycles: int = Field(default=999, gt=0)


class Dosing(Section):
    regimen_by: Variable | None = None
    regimens: tuple[Regimen, ...] = ()
    """An arm without one is dosed as ``study.regimens`` says."""
    delay: Share = 0
    delay_days: Days = (3, 10)
    reduced: Risk = Field(default_factory=lambda: _frozen_mapping({}))
    """Share of patients whose doses are four fifths from the third cycle on."""


class AdverseEvent(Section):
    """``grades`` are weights of grades 1, 2, 3, 4; ``risk`` is of at least one episode while treated."""

    term: str
    soc: str
    risk: Risk
    grades: ByWord
    related: Risk = Field(default_factory=lambda: _frozen_mapping({}))
    days: Rate = 10
    """Median duration."""
    verbatim: tuple[str, ...] = ()
    laboratory: bool = False


class Safety(Section):
    events: tuple[AdverseEvent, ...] = ()
    serious: Weights = (0.01, 0.06, 0.4, 0.8)
    """By grade, of events that are not laboratory findings."""
    ongoing: Share = 0.15
    start_month_only: Share = 0
    end_month_only: Share = 0
    relation_missing: Share = 0
    grade_missing: Share = 0
    before_treatment: Share = 0
    """Share of patients with an event between consent and the first dose."""
    fatal: Share = 0
    """Of the deaths without progression within 30 days of a dose, those by an adverse event."""
    fatal_terms: tuple[tuple[str, str], ...] = ()
    """Term and its class."""


class Engager(Section):
    """Cytokine release and neurotoxicity of a T-cell engager (9.4)."""

    arm: Id
    after_dose: Weights
    """Per patient who received it: after dose 1, 2, and any later dose."""
    correlation: Share = 0
    """Of one patient's events, as of a Gaussian copula."""
    grade2: Weights
    """Grade 2 or more, given the event, by the same doses."""
    grade3: Share
    """Grade 3 or more, given 2 or more."""
    grade4: Share
    onset_hours: tuple[Rate, Rate]
    onset_cap_hours: Rate = 360
    days: tuple[Rate, Rate]
    tocilizumab: Share = 0
    steroid: Share = 0
    """Of patients with the event."""
    misgraded: Share = 0
    icans: Share = 0
    icans_grades: Weights = (1.0,)
    icans_onset_days: tuple[Rate, Rate] = (20.0, 0.8)
    icans_days: tuple[Rate, Rate] = (5.0, 0.8)


class Test(Section):
    """A laboratory test: log-normal around the patient's own level."""

    __test__ = False
    code: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$")]
    name: str
    category: str
    unit: str
    low: float | None = None
    high: float | None = None
    median: float = Field(gt=0)
    between: Rate
    within: Rate
    decimals: int = 1
    least: float | None = None
    """What the method can measure; a value below is written ``<least`` and has no number."""
    us_unit: str = ""
    us_factor: float = 1
    """From ``unit`` to ``us_unit``."""
    early: Risk = Field(default_factory=lambda: _frozen_mapping({}))
    """Factor on the value in the days after the first doses."""
    late: Risk = Field(default_factory=lambda: _frozen_mapping({}))
    """Factor on the value reached after a month of treatment."""
    outlier: Risk = Field(default_factory=lambda: _frozen_mapping({}))
    """Share of values with ``outlier_factor``."""
    outlier_factor: float = 1


class Vital(Section):
    code: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$")]
    name: str
    unit: str
    mean: float
    between: Rate
    within: Rate
    per_month: float = 0
    decimals: int = 0
    once: bool = False


class Measurements(Section):
    activity: str = "LABORATORY"
    """Its row in the schedule; likewise ``vital_activity``."""
    vital_activity: str = "VITAL SIGNS"
    tests: tuple[Test, ...] = ()
    vitals: tuple[Vital, ...] = ()
    us_sites: Share = 0
    missed: Share = 0
    after_doses_hours: int = 24
    """One sample more at this time after each of the first two doses, where a test has an early effect."""


class Scale(Section):
    """Items answered alike. ``mean`` is on the scale of the answer's thresholds 0, 1, 2 …"""

    items: tuple[int, ...] = Field(min_length=1)
    mean: float
    shift: Risk = Field(default_factory=lambda: _frozen_mapping({}))
    """Under treatment, worse is more."""
    levels: int = Field(default=4, ge=2)
    stretch: Rate = 1
    """What multiplies ``spread``, where there are more levels."""
    reversed: bool = False


class Questionnaire(Section):
    instrument: Id
    scales: tuple[Scale, ...]
    baseline_missed: Share = 0
    missed: Share = 0
    """Of forms due later; the odds times ``missed_near_death`` in the last two months of life."""
    missed_near_death: Rate = 1
    missed_after_treatment: Rate = 1
    item_missed: Share = 0
    after_progression: float = 0
    near_death: float = 0
    spread: tuple[Rate, Rate, Rate] = (0.6, 0.45, 0.5)
    """Standard deviations: of a patient, of a patient's scale, of an answer."""


class Mistakes(Section):
    """Deliberate errors of the sites: how many of each."""

    duplicate_key: int = Field(default=0, ge=0)
    orphan_subject: int = Field(default=0, ge=0)
    end_before_start: int = Field(default=0, ge=0)
    unknown_code: int = Field(default=0, ge=0)
    impossible_date: int = Field(default=0, ge=0)
    item_out_of_range: int = Field(default=0, ge=0)
    form_after_death: int = Field(default=0, ge=0)


class Scenario(Section):
    title: str
    accrual: Accrual
    characteristics: tuple[Characteristic, ...] = ()
    courses: tuple[Course, ...] = Field(min_length=1)
    follow_up: FollowUp
    imaging: Imaging
    dosing: Dosing = Field(default_factory=Dosing)
    safety: Safety = Field(default_factory=Safety)
    engagers: tuple[Engager, ...] = ()
    measurements: Measurements = Field(default_factory=Measurements)
    questionnaires: tuple[Questionnaire, ...] = ()
    mistakes: Mistakes = Field(default_factory=Mistakes)

    @model_validator(mode="after")
    def _known(self) -> Scenario:
        ids = [c.id for c in self.characteristics]
        for position, characteristic in enumerate(self.characteristics):
            if characteristic.given and characteristic.given not in ids[:position]:
                raise ValueError(f"{characteristic.id}: {characteristic.given} is no earlier characteristic")
        if self.dosing.regimen_by and self.dosing.regimen_by not in ids:
            raise ValueError(f"regimen_by: {self.dosing.regimen_by} is no characteristic")
        if self.accrual.cutoff < self.accrual.last_first_dose():
            raise ValueError("the cutoff is before the last patient could be treated")
        return self
