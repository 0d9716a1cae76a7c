"""Doses, the end of treatment and why, and the therapy that comes after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trialwright.simulate.draw import (
    MINUTES,
    NEVER,
    Bools,
    Floats,
    Ints,
    Texts,
    even,
)
from trialwright.simulate.imaging import Scans
from trialwright.simulate.latent import Lives
from trialwright.simulate.people import People
from trialwright.simulate.scenario import Drug, Regimen, Scenario
from trialwright.simulate.setting import Setting
from trialwright.standards.errors import InputError
from trialwright.study.model import Regimen as Plan
from trialwright.study.model import Study

_ROWS = {
    "who": pl.Int64,
    "dose": pl.Int64,
    "drug": pl.String,
    "amount": pl.Float64,
    "unit": pl.String,
    "minute": pl.Int64,
    "turn": pl.Int64,
}
_REDUCED, _REDUCED_FROM = 0.8, 2
"""The share of a reduced dose, and the first dose (from 0) that is one."""
FIRST_DOSES = 6
"""How many dose times are kept for what follows a dose."""
_REASONS = np.array(
    [
        "PROGRESSIVE DISEASE",
        "ADVERSE EVENT",
        "PHYSICIAN DECISION",
        "DEATH",
        "LOST TO FOLLOW-UP",
        "WITHDRAWAL BY SUBJECT",
    ],
    dtype=object,
)


@dataclass(frozen=True, slots=True)
class Treatment:
    """One entry per randomised subject, and under ``doses`` one row per drug and infusion."""

    first: Ints
    """Day of the first dose, NEVER for the untreated; ``last`` likewise."""
    last: Ints
    end: Ints
    """The day treatment was given up; NEVER if it goes on or never began."""
    reason: Texts
    starts: Ints
    """Minute of each of the first doses, subjects by doses."""
    doses: pl.DataFrame
    new_therapy: Ints

    @property
    def treated(self) -> Bools:
        return self.first < NEVER


@dataclass(frozen=True, slots=True)
class _Planned:
    """A regimen laid out dose by dose, in days after the first."""

    offsets: Ints
    amounts: Floats
    """1 where the drugs' own doses are given, else the dose itself."""
    drugs: tuple[Drug, ...]
    interval: int
    limited: bool


def treat(setting: Setting, people: People, lives: Lives, scans: Scans) -> Treatment:
    """Treatment until the site sees progression or something else ends it."""
    rng = setting.stream("dosing")
    end, reason = _end(rng, people, lives, scans)
    first = np.where(lives.first_dose < np.minimum(lives.until, end), lives.first_dose, NEVER)
    spans = _Spans(first, np.minimum(end, lives.until), lives.death)
    given = _doses(rng, setting, people, spans)
    done = given.completed < np.minimum(end, lives.cutoff)
    end, reason = np.where(done, given.completed, end), np.where(done, "COMPLETED", reason)
    ended = (first < NEVER) & (end <= lives.cutoff)
    end, reason = np.where(ended, end, NEVER), np.where(ended, reason, "").astype(object)
    leaves = np.minimum(np.where(first < NEVER, end, lives.start), scans.progression)
    return Treatment(
        first=first,
        last=np.where(given.kept, given.days, -1).max(axis=1, initial=-1),
        end=end,
        reason=reason,
        starts=given.starts(),
        doses=given.rows,
        new_therapy=_new_therapy(setting, np.where(reason == "COMPLETED", NEVER, leaves), lives.until),
    )


def scans_kept(setting: Setting, lives: Lives, treatment: Treatment) -> Ints:
    """The last day a subject comes to scans: some leave them with treatment, or without ever having begun."""
    rng = setting.stream("scans kept")
    leaves = rng.random(len(lives.start)) < setting.scenario.imaging.stop_scans_without_progression
    after = np.where(treatment.treated, treatment.end, lives.start) + 14
    without = leaves & (treatment.reason != "PROGRESSIVE DISEASE")
    return np.where(without, np.minimum(after, NEVER), NEVER)


@dataclass(frozen=True, slots=True)
class _Spans:
    """From the first dose to the last day one could be given, per subject."""

    first: Ints
    last: Ints
    death: Ints

    def hold(self, days: Ints, who: Ints) -> Bools:
        inside: Bools = (days <= self.last[who, None]) & (days < self.death[who, None])
        return inside


@dataclass(frozen=True, slots=True)
class _Given:
    """Subjects by doses: the days, and whether each was given; the day all were; the rows of EX."""

    days: Ints
    kept: Bools
    completed: Ints
    rows: pl.DataFrame

    def starts(self) -> Ints:
        """Minute of each of the first doses."""
        found = np.full((len(self.days), FIRST_DOSES), NEVER * MINUTES)
        early = self.rows.filter((pl.col("dose") < FIRST_DOSES) & (pl.col("turn") == 0))
        found[early["who"].to_numpy(), early["dose"].to_numpy()] = early["minute"].to_numpy()
        return found


def _end(rng: np.random.Generator, people: People, lives: Lives, scans: Scans) -> tuple[Ints, Texts]:
    decided = np.minimum(scans.progression + even(rng, (0, 7), len(people)), NEVER)
    soonest = lives.first_dose + 1
    candidates = np.stack(
        [
            decided,
            np.maximum(lives.toxicity, soonest),
            np.maximum(lives.choice, soonest),
            lives.death,
            lives.lost,
            lives.withdrawn,
        ]
    )
    which = candidates.argmin(axis=0)
    return np.minimum(candidates.min(axis=0), NEVER), _REASONS[which]


def _plan(study: Study, scenario: Scenario, arm: str, word: str, horizon: int) -> _Planned:
    for regimen in scenario.dosing.regimens:
        if regimen.arm == arm and regimen.choice in ("", word):
            return _cycles(regimen, horizon)
    plans = [plan for plan in study.regimens if plan.arm == arm]
    if len(plans) == 1:  # several are the drugs of regimens, among which only the scenario can choose
        return _steps(plans[0], horizon)
    raise InputError(f"no regimen for arm {arm} {word}: neither the scenario nor the study has one")


def _cycles(regimen: Regimen, horizon: int) -> _Planned:
    count = min(regimen.cycles, horizon // regimen.interval_days + 1)
    offsets = np.arange(count) * regimen.interval_days
    limited = count == regimen.cycles
    return _Planned(offsets, np.ones(count), regimen.drugs, regimen.interval_days, limited)


def _steps(plan: Plan, horizon: int) -> _Planned:
    """Dose by dose; the last one repeated."""
    more = max(0, (horizon - plan.days[-1]) // plan.interval_days)
    later = plan.days[-1] + plan.interval_days * np.arange(1, more + 1)
    offsets = np.concatenate([np.array(plan.days), later]) - plan.days[0]
    amounts = np.concatenate([np.array(plan.doses), np.full(more, plan.doses[-1])])
    drug = Drug(name=plan.drug, dose=1, unit=plan.unit)
    return _Planned(offsets, amounts, (drug,), plan.interval_days, limited=False)


def _doses(rng: np.random.Generator, setting: Setting, people: People, spans: _Spans) -> _Given:
    dosing, treated = setting.scenario.dosing, spans.first < NEVER
    horizon = int((spans.last - spans.first)[treated].max(initial=0)) + 1
    groups = sorted(set(zip(people.arm[treated], people.regimen[treated], strict=True)))
    plans = {group: _plan(setting.study, setting.scenario, *group, horizon) for group in groups}
    most = max((len(p.offsets) for p in plans.values()), default=1)
    days, completed = np.full((len(people), most), NEVER), np.full(len(people), NEVER)
    late = rng.random(days.shape) < dosing.delay
    late[:, 0] = False
    delay = np.cumsum(late * even(rng, dosing.delay_days, days.size).reshape(days.shape), axis=1)
    begin = 9 * 60 + 15 * rng.integers(0, 24, days.shape)
    factor = np.where(rng.random(len(people)) < people.risk(dosing.reduced), _REDUCED, 1.0)
    rows = [pl.DataFrame(schema=_ROWS)]
    for group, plan in plans.items():
        who = np.flatnonzero(treated & (people.arm == group[0]) & (people.regimen == group[1]))
        planned = spans.first[who, None] + plan.offsets + delay[who, : len(plan.offsets)]
        days[who, : len(plan.offsets)] = planned
        completed[who] = planned[:, -1] + plan.interval if plan.limited else NEVER
        row, dose = np.nonzero(spans.hold(planned, who))
        minute = planned[row, dose] * MINUTES + begin[who[row], dose]
        rows.append(_rows(plan, who[row], dose, minute, factor))
    return _Given(days, spans.hold(days, np.arange(len(people))), completed, pl.concat(rows))


def _rows(plan: _Planned, who: Ints, dose: Ints, minute: Ints, factor: Floats) -> pl.DataFrame:
    """One row per drug and infusion, the drugs of a dose one after another."""
    share = np.where(dose >= _REDUCED_FROM, factor[who], 1.0)
    frames = [
        pl.DataFrame(
            {
                "who": who,
                "dose": dose,
                "drug": [drug.name] * len(who),
                "amount": np.round(plan.amounts[dose] * drug.dose * share, 1),
                "unit": [drug.unit] * len(who),
                "minute": minute + 70 * turn,
                "turn": np.full(len(who), turn),
            },
            schema=_ROWS,
        )
        for turn, drug in enumerate(plan.drugs)
    ]
    return pl.concat(frames)


def _new_therapy(setting: Setting, after: Ints, until: Ints) -> Ints:
    """After progression was seen or treatment given up; the untreated may go elsewhere at once."""
    rng, rates = setting.stream("new therapy"), setting.scenario.follow_up
    starts = after + even(rng, rates.new_therapy_days, len(after))
    takes = (rng.random(len(after)) < rates.new_therapy) & (starts < until)
    return np.where(takes, starts, NEVER)
