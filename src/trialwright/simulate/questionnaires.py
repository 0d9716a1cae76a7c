"""Questionnaires filled on the schedule, with forms and items missing: QS. No wording, only numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trialwright.simulate.draw import Bools, Floats, Ints, Texts, iso
from trialwright.simulate.latent import Lives
from trialwright.simulate.scenario import Questionnaire, Scale
from trialwright.simulate.tables import number, same, text
from trialwright.simulate.trial import Trial
from trialwright.standards.errors import InputError
from trialwright.study.model import Instrument, Visit

_AFTER_TREATMENT = 90
"""Forms are asked for this many days after treatment."""
_DYING = 60


@dataclass(frozen=True, slots=True)
class _Forms:
    """The forms that came back: one entry each."""

    instrument: Instrument
    who: Ints
    when: Ints
    visit: Ints
    """Its place among the visits of the instrument."""
    visits: tuple[Visit, ...]


def answers(trial: Trial) -> pl.DataFrame:
    """Rows of QS: one per item of every form that came back; an item left out is NOT DONE."""
    parts = []
    for questionnaire in trial.scenario.questionnaires:
        instrument = next((i for i in trial.study.instruments if i.id == questionnaire.instrument), None)
        if instrument is None:
            raise InputError(f"the scenario fills {questionnaire.instrument}, which the study does not use")
        parts += _of_instrument(trial, questionnaire, instrument)
    return pl.concat(parts) if parts else pl.DataFrame()


def _of_instrument(trial: Trial, q: Questionnaire, instrument: Instrument) -> list[pl.DataFrame]:
    rng, people, n = trial.stream(f"questionnaire {instrument.id}"), trial.people, len(trial.people)
    visits = trial.study.schedule.days(instrument.activity)
    day = _days(rng, visits, trial.lives)
    who, visit = np.nonzero(_returned(rng, q, visits, day, trial))
    forms = _Forms(instrument, who, day[who, visit], visit, visits)
    treated = forms.when > trial.treatment.first[who]
    personal, per_scale, per_answer = q.spread
    mood, state = personal * rng.standard_normal(n), _state(q, trial.lives, forms)
    parts = []
    for scale in q.scales:
        own = mood + per_scale * rng.standard_normal(n)
        level = scale.mean + scale.stretch * own[who] + state + people.risk(scale.shift)[who] * treated
        for item in scale.items:
            value = _answer(level + scale.stretch * per_answer * rng.standard_normal(len(who)), scale)
            value = np.where(rng.random(len(who)) < q.item_missed, np.nan, value)
            parts.append(_rows(trial, forms, item, value))
    return parts


def _days(rng: np.random.Generator, visits: tuple[Visit, ...], lives: Lives) -> Ints:
    """Around the planned day; the first form on or before randomisation."""
    planned = np.array([v.day for v in visits], dtype=np.int64)
    drift = rng.integers(-4, 5, (len(lives.start), len(planned)))
    return lives.start[:, None] + planned + np.where(planned > 0, drift, -np.abs(drift))


def _returned(
    rng: np.random.Generator, q: Questionnaire, visits: tuple[Visit, ...], day: Ints, trial: Trial
) -> Bools:
    """Which forms came back, by odds that rise after treatment and near death."""
    lives, treatment = trial.lives, trial.treatment
    first = np.array([v.day for v in visits]) <= 0
    base = np.where(first, q.baseline_missed, q.missed)
    odds = np.broadcast_to(base / (1 - base), day.shape).copy()
    odds = np.where(day > lives.death[:, None] - _DYING, odds * q.missed_near_death, odds)
    odds = np.where(~first & (day > treatment.end[:, None]), odds * q.missed_after_treatment, odds)
    asked = day <= np.minimum(treatment.end + _AFTER_TREATMENT, lives.until)[:, None]
    asked &= day < lives.death[:, None]
    asked &= (day <= lives.start[:, None]) | treatment.treated[:, None] | (day < lives.start[:, None] + 50)
    back: Bools = asked & (rng.random(day.shape) >= odds / (1 + odds))
    return back


def _state(q: Questionnaire, lives: Lives, forms: _Forms) -> Floats:
    """Worse once the tumour grows, and worse again near death."""
    grown = forms.when >= lives.progression[forms.who]
    dying = forms.when > lives.death[forms.who] - _DYING
    state: Floats = q.after_progression * grown + q.near_death * dying
    return state


def _answer(level: Floats, scale: Scale) -> Floats:
    """1 to ``levels``: one more for each whole threshold (0, 1, 2 …) passed."""
    worse: Floats = np.clip(np.floor(level) + 1, 0, scale.levels - 1) + 1
    return scale.levels + 1 - worse if scale.reversed else worse


def _rows(trial: Trial, forms: _Forms, item: int, value: Floats) -> pl.DataFrame:
    """One item of every form."""
    source = trial.study.sources.instruments[forms.instrument.id]
    n = len(forms.who)
    names: Texts = np.array([v.id for v in forms.visits], dtype=object)
    numbers = np.array([trial.setting.visit_number(v.id) for v in forms.visits])
    fixed = {name: same(words[0], n) for name, words in source.where.items()}
    answer = number(value)
    shown = answer.cast(pl.Int64).cast(pl.String)
    return pl.DataFrame(
        {
            "who": pl.Series(values=forms.who, dtype=pl.Int64),
            "QSTESTCD": same(f"{source.item_prefix}{item:02d}", n),
            "QSTEST": same(f"{forms.instrument.id} item {item}", n),
            **fixed,
            "QSORRES": shown,
            "QSSTRESC": shown,
            "QSSTRESN": answer,
            "QSSTAT": same("NOT DONE", n).set(answer.is_not_null(), None),
            "VISITNUM": number(numbers[forms.visit]),
            "VISIT": text(names[forms.visit]),
            "QSDTC": iso(forms.when),
        }
    )
