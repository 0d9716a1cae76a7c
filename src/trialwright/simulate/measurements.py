"""Blood tests and vital signs: LB and VS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trialwright.simulate.draw import MINUTES, NEVER, Bools, Floats, Ints, Texts, iso
from trialwright.simulate.people import People
from trialwright.simulate.scenario import DAYS_PER_MONTH, Measurements, Risk, Test, Vital
from trialwright.simulate.tables import number, same, text
from trialwright.simulate.treatment import Treatment
from trialwright.simulate.trial import Trial
from trialwright.standards.errors import InputError

_EARLY_DAYS = 4.0
"""What a first dose does to a value is gone by half in this time."""
_UNSCHEDULED = "UNSCHEDULED"


@dataclass(frozen=True, slots=True)
class _Samples:
    """One entry per sample; ``since`` and ``after``: days from the first and from the latest early dose."""

    who: Ints
    day: Ints
    visit: Texts
    number: Floats
    since: Floats
    after: Floats


def laboratory(trial: Trial) -> pl.DataFrame:
    """Rows of LB: every test of every sample; some sites write conventional units."""
    plan, rng = trial.scenario.measurements, trial.stream("laboratory")
    samples = _samples(trial, rng, plan.activity, extra=any(test.early for test in plan.tests))
    us = _us_sites(rng, plan, trial.people)
    rows = [_test(rng, test, trial.people, samples, us) for test in plan.tests]
    return pl.concat(rows) if rows else pl.DataFrame()


def vital_signs(trial: Trial) -> pl.DataFrame:
    """Rows of VS."""
    plan, rng = trial.scenario.measurements, trial.stream("vital signs")
    samples = _samples(trial, rng, plan.vital_activity, extra=False)
    rows = [_vital(rng, vital, trial.people, samples) for vital in plan.vitals]
    return pl.concat(rows) if rows else pl.DataFrame()


def _samples(trial: Trial, rng: np.random.Generator, activity: str, *, extra: bool) -> _Samples:
    """At the visits of the schedule until a month after treatment; after the first two doses once more."""
    study, lives, treatment = trial.study, trial.lives, trial.treatment
    plan = trial.scenario.measurements
    visits = study.schedule.days(activity)
    if not visits:
        raise InputError(f"the schedule has no visit for {activity}")
    n = len(lives.start)
    planned = np.array([v.day for v in visits])
    drift = rng.integers(-2, 3, (n, len(visits)))
    anchor = np.where(treatment.treated, treatment.first, lives.start)
    days = anchor[:, None] + planned + np.where(planned > 0, drift, -np.abs(drift))
    days = np.where(planned <= 0, np.minimum(days, anchor[:, None]), days)
    days = np.where((planned[:, None] <= 0).T & (days < lives.start[:, None] - 7), lives.start[:, None], days)
    names = np.tile(np.array([v.id for v in visits], dtype=object), (n, 1))
    numbers = np.tile(np.array([trial.setting.visit_number(v.id) for v in visits]), (n, 1))
    if extra:
        following = treatment.starts[:, :2] // MINUTES + plan.after_doses_hours // 24
        days = np.concatenate([days, np.minimum(following, NEVER)], axis=1)
        names = np.concatenate([names, np.full((n, 2), _UNSCHEDULED, dtype=object)], axis=1)
        numbers = np.concatenate([numbers, np.full((n, 2), 99.0)], axis=1)
    end = np.minimum(
        np.where(treatment.treated, np.minimum(treatment.end, NEVER) + 30, lives.start + 30), lives.until
    )
    taken = (days <= end[:, None]) & (rng.random(days.shape) >= plan.missed)
    who, sample = np.nonzero(taken)
    day = days[who, sample]
    since = (day - treatment.first[who]).astype(np.float64)
    return _Samples(who, day, names[who, sample], numbers[who, sample], since, _after(treatment, who, day))


def _after(treatment: Treatment, who: Ints, day: Ints) -> Floats:
    """Days since the latest of the first three doses; very many before any."""
    gaps = day[:, None] - treatment.starts[who, :3] // MINUTES
    days: Floats = np.where(gaps > 0, gaps, 10_000).min(axis=1).astype(np.float64)
    return days


def _us_sites(rng: np.random.Generator, plan: Measurements, people: People) -> Bools:
    sites, code = np.unique(people.site.astype(str), return_inverse=True)
    count = int(np.ceil(plan.us_sites * len(sites)))
    chosen = np.isin(np.arange(len(sites)), rng.permutation(len(sites))[:count])
    return chosen[code]


def _test(rng: np.random.Generator, test: Test, people: People, samples: _Samples, us: Bools) -> pl.DataFrame:
    foreign = us[samples.who] & bool(test.us_unit)
    factor = np.where(foreign, test.us_factor, 1.0)
    places = 10.0 ** np.where(foreign, test.decimals - np.rint(np.log10(test.us_factor)), test.decimals)
    value = np.rint(_levels(rng, test, people, samples) * factor * places) / places
    n, unit = len(value), text(np.where(foreign, test.us_unit, test.unit))
    below = pl.Series(values=value < factor * (test.least or 0.0))
    least = "<" + _shown(np.round(factor * (test.least or 0.0), 2), 0)
    result = _shown(value, test.decimals).zip_with(~below, least)
    low, high = (_limit(edge, factor) for edge in (test.low, test.high))
    return pl.DataFrame(
        {
            "who": pl.Series(values=samples.who, dtype=pl.Int64),
            "LBTESTCD": same(test.code, n),
            "LBTEST": same(test.name, n),
            "LBCAT": same(test.category, n),
            "LBORRES": result,
            "LBORRESU": unit,
            "LBORNRLO": _shown(low, 0),
            "LBORNRHI": _shown(high, 0),
            "LBSTRESC": result,
            "LBSTRESN": number(value).set(below, None),
            "LBSTRESU": unit,
            "LBSTNRLO": number(low),
            "LBSTNRHI": number(high),
            "VISITNUM": number(samples.number),
            "VISIT": text(samples.visit),
            "LBDTC": iso(samples.day),
        }
    )


def _levels(rng: np.random.Generator, test: Test, people: People, samples: _Samples) -> Floats:
    """In the test's own unit: the patient's level, what a first dose and a month of treatment do, noise."""
    who, n = samples.who, len(samples.who)
    own = np.log(test.median) + test.between * rng.standard_normal(len(people))
    early = np.log(_factor(people, test.early)[who]) * np.exp2(-(samples.after - 1) / _EARLY_DAYS)
    late = np.log(_factor(people, test.late)[who]) * np.clip(samples.since / 30, 0, 1)
    value: Floats = np.exp(own[who] + early + late + test.within * rng.standard_normal(n))
    odd = (rng.random(n) < people.risk(test.outlier)[who]) & (samples.since > 0)
    return np.where(odd, value * test.outlier_factor, value)


def _factor(people: People, risk: Risk) -> Floats:
    """Factors by regimen or arm; none named is 1."""
    found = people.risk(risk)
    return np.where(found > 0, found, 1.0)


def _limit(edge: float | None, factor: Floats) -> Floats:
    return np.round(factor * (np.nan if edge is None else edge), 2)


def _shown(values: Floats, decimals: int) -> pl.Series:
    """As a site writes it: a whole number without a point where there is nothing behind it."""
    said = number(values).cast(pl.String)
    return said.str.strip_suffix(".0") if decimals == 0 else said


def _vital(rng: np.random.Generator, vital: Vital, people: People, samples: _Samples) -> pl.DataFrame:
    own = rng.normal(vital.mean, vital.between, len(people))
    keep = (
        samples.number == samples.number.min(initial=99.0) if vital.once else np.full(len(samples.who), True)
    )
    who, n = samples.who[keep], int(keep.sum())
    drift = vital.per_month * np.clip(samples.since[keep], 0, 400) / DAYS_PER_MONTH
    value = np.round(own[who] + drift + vital.within * rng.standard_normal(n), vital.decimals)
    result = _shown(value, vital.decimals)
    return pl.DataFrame(
        {
            "who": pl.Series(values=who, dtype=pl.Int64),
            "VSTESTCD": same(vital.code, n),
            "VSTEST": same(vital.name, n),
            "VSORRES": result,
            "VSORRESU": same(vital.unit, n),
            "VSSTRESC": result,
            "VSSTRESN": number(value),
            "VSSTRESU": same(vital.unit, n),
            "VISITNUM": number(samples.number[keep]),
            "VISIT": text(samples.visit[keep]),
            "VSDTC": iso(samples.day[keep]),
        }
    )
