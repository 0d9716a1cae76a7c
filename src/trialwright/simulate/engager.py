"""Cytokine release after the first doses and neurotoxicity (ASTCT 2019), and what was measured: AE and FA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtr

from trialwright.simulate.draw import (
    MINUTES,
    NEVER,
    Bools,
    Floats,
    Ints,
    Texts,
    iso_minute,
    lognormal,
    pick,
)
from trialwright.simulate.latent import Lives
from trialwright.simulate.scenario import Engager
from trialwright.simulate.tables import same, text
from trialwright.simulate.treatment import FIRST_DOSES, Treatment
from trialwright.simulate.trial import Trial

CRS_OBJECT, ICANS_OBJECT = "CYTOKINE RELEASE SYNDROME", "ICANS"
_HOUR = 60
_LATER = (0.6, 0.2, 0.1, 0.1)
"""Where among doses 3, 4, 5, 6 a later event lies."""


@dataclass(frozen=True, slots=True)
class _Episodes:
    """One entry per episode; minutes since 1970."""

    who: Ints
    onset: Ints
    end: Ints
    grade: Ints


@dataclass(frozen=True, slots=True)
class _Context:
    engager: Engager
    lives: Lives
    treatment: Treatment
    rng: np.random.Generator


def toxicity(trial: Trial, terms: Mapping[str, tuple[str, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """AE rows and FA rows of all engagers. ``terms``: CRS and ICANS to their coded term and class."""
    events, facts = [], []
    for turn, engager in enumerate(trial.scenario.engagers):
        context = _Context(engager, trial.lives, trial.treatment, trial.stream(f"engager {turn}"))
        treated = (trial.people.arm == engager.arm) & trial.treatment.treated
        crs, icans = _release(context, treated), _neurotoxicity(context, treated)
        events += [_reported(context, crs, terms["CRS"]), _reported(context, icans, terms["ICANS"])]
        facts += [*_release_facts(context, crs), *_neuro_facts(context, icans)]
    return pl.concat(events), pl.concat(facts)


def _release(context: _Context, treated: Bools) -> _Episodes:
    """At most one episode after dose 1, one after 2, one later; a patient's are alike (Gaussian copula)."""
    e, lives, treatment, rng = context.engager, context.lives, context.treatment, context.rng
    n = len(treated)
    shared = rng.standard_normal((n, 1))
    own = rng.standard_normal((n, 3))
    chance = ndtr(np.sqrt(e.correlation) * shared + np.sqrt(1 - e.correlation) * own)
    dose = np.stack([np.zeros(n), np.ones(n), 2 + pick(rng, _LATER, n)], axis=1).astype(np.int64)
    start = np.take_along_axis(treatment.starts, dose, axis=1)
    struck = (chance < np.array(e.after_dose)) & (start < NEVER * MINUTES) & treated[:, None]
    who, turn = np.nonzero(struck)
    hours = np.minimum(lognormal(rng, e.onset_hours, len(who)), e.onset_cap_hours)
    onset = start[who, turn] + (hours * _HOUR).astype(np.int64)
    following = np.minimum(dose[who, turn] + 1, FIRST_DOSES - 1)
    onset = np.minimum(
        onset, np.where(following > dose[who, turn], treatment.starts[who, following], onset + 1) - 1
    )
    end = onset + np.maximum(lognormal(rng, e.days, len(who)) * MINUTES, 6 * _HOUR).astype(np.int64)
    ticket = rng.random((3, len(who)))
    grade = 1 + (ticket[0] < np.array(e.grade2)[turn]).astype(np.int64)
    grade += (grade == 2) & (ticket[1] < e.grade3)
    grade += (grade == 3) & (ticket[2] < e.grade4)
    return _lived(lives, _Episodes(who, onset, end, grade))


def _neurotoxicity(context: _Context, treated: Bools) -> _Episodes:
    e, lives, treatment, rng = context.engager, context.lives, context.treatment, context.rng
    who = np.flatnonzero(treated & (rng.random(len(treated)) < e.icans))
    wait = np.maximum(lognormal(rng, e.icans_onset_days, len(who)), 0.5)
    onset = treatment.starts[who, 0] + (wait * MINUTES).astype(np.int64)
    onset = np.minimum(onset, (treatment.last[who] + 14) * MINUTES)
    end = onset + np.maximum(lognormal(rng, e.icans_days, len(who)) * MINUTES, 6 * _HOUR).astype(np.int64)
    return _lived(lives, _Episodes(who, onset, end, 1 + pick(rng, e.icans_grades, len(who))))


def _lived(lives: Lives, episodes: _Episodes) -> _Episodes:
    """Those that began while anybody could know of them."""
    seen = episodes.onset < lives.until[episodes.who] * MINUTES
    return _Episodes(episodes.who[seen], episodes.onset[seen], episodes.end[seen], episodes.grade[seen])


def _reported(context: _Context, episodes: _Episodes, coded: tuple[str, str]) -> pl.DataFrame:
    """The site's AE rows; a few grades are one off."""
    e, rng, n = context.engager, context.rng, len(episodes.who)
    going = episodes.end > context.lives.until[episodes.who] * MINUTES
    wrong = rng.random(n) < e.misgraded
    grade = np.where(wrong, np.where(episodes.grade == 1, 2, episodes.grade - 1), episodes.grade)
    serious = rng.random(n) < np.array([0.12, 0.6, 1.0, 1.0])[episodes.grade - 1]
    return pl.DataFrame(
        {
            "who": pl.Series(values=episodes.who, dtype=pl.Int64),
            "AETERM": same(coded[0], n),
            "AEDECOD": same(coded[0], n),
            "AEBODSYS": same(coded[1], n),
            "AESER": text(np.where(serious, "Y", "N")),
            "AEACN": text(np.where(episodes.grade >= 3, "DRUG INTERRUPTED", "DOSE NOT CHANGED")),
            "AEREL": same("RELATED", n),
            "AEOUT": text(np.where(going, "NOT RECOVERED/NOT RESOLVED", "RECOVERED/RESOLVED")),
            "AESDTH": same(None, n),
            "AETOXGR": pl.Series(values=grade, dtype=pl.Int64).cast(pl.String),
            "AESTDTC": iso_minute(episodes.onset),
            "AEENDTC": iso_minute(np.where(going, NEVER * MINUTES, episodes.end)),
        }
    )


@dataclass(frozen=True, slots=True)
class _Fact:
    """One test at each of some moments; rows without a value are left out."""

    code: str
    name: str
    value: Texts
    unit: str | None = None

    def rows(self, about: str, who: Ints, minute: Ints, kept: Bools) -> pl.DataFrame:
        n = int(kept.sum())
        value = text(self.value[kept])
        frame = pl.DataFrame(
            {
                "who": pl.Series(values=who[kept], dtype=pl.Int64),
                "FATESTCD": same(self.code, n),
                "FATEST": same(self.name, n),
                "FAOBJ": same(about, n),
                "FAORRES": value,
                "FAORRESU": same(self.unit, n),
                "FASTRESC": value,
                "FASTRESU": same(self.unit, n),
                "FADTC": iso_minute(minute[kept]),
            }
        )
        return frame.filter(pl.col("FASTRESC").is_not_null())


def _release_facts(context: _Context, episodes: _Episodes) -> list[pl.DataFrame]:
    """Four assessments: fever, the worst moment, after treatment, and when it was over."""
    rng, length = context.rng, episodes.end - episodes.onset
    minutes = (
        episodes.onset,
        episodes.onset + np.minimum(4 * _HOUR, length // 4),
        episodes.onset + 6 * length // 10,
        episodes.end,
    )
    drugs, worst = _drugs(context, episodes), _worst(rng, episodes.grade)
    parts = []
    for turn, minute in enumerate(minutes):
        kept = minute <= context.lives.until[episodes.who] * MINUTES
        facts = [*_signs(rng, worst, turn), *_given(drugs, turn)]
        parts += [fact.rows(CRS_OBJECT, episodes.who, minute, kept) for fact in facts]
    return parts


@dataclass(frozen=True, slots=True)
class _Drugs:
    tocilizumab: Bools
    steroid: Bools


def _drugs(context: _Context, episodes: _Episodes) -> _Drugs:
    """So many of all patients with the event; tocilizumab only from grade 2, and with it a steroid."""
    e, rng, grade, n = context.engager, context.rng, episodes.grade, len(episodes.who)
    worst = np.zeros(len(context.lives.start), dtype=np.int64)
    np.maximum.at(worst, episodes.who, grade)
    at_worst = grade == worst[episodes.who]
    severe = max(float((worst[worst > 0] >= 2).mean()), 0.01) if n else 1.0
    tocilizumab = at_worst & (grade >= 2) & (rng.random(n) < min(e.tocilizumab / severe, 1.0))
    others = max(e.steroid - e.tocilizumab, 0) / max(1 - e.tocilizumab, 0.01)
    return _Drugs(tocilizumab, tocilizumab | (at_worst & (rng.random(n) < others)))


def _given(drugs: _Drugs, turn: int) -> list[_Fact]:
    n, later = len(drugs.steroid), turn >= 2
    return [
        _Fact("ANTIPYR", "Antipyretic Given", _yes(np.full(n, turn >= 1))),
        _Fact("TOCI", "Tocilizumab Given", _yes(drugs.tocilizumab & later)),
        _Fact("STEROID", "Corticosteroid Given", _yes(drugs.steroid & later)),
    ]


@dataclass(frozen=True, slots=True)
class _Worst:
    """Signs at the worst moment."""

    hypotension: Bools
    pressors: Ints
    vasopressin: Bools
    device: Texts
    flow: Ints


def _signs(rng: np.random.Generator, worst: _Worst, turn: int) -> list[_Fact]:
    """Fever until treated; the other signs only at the worst moment."""
    peak, n = turn == 1, len(worst.flow)
    hot = np.clip(rng.normal(38.6 + 0.4 * peak, 0.4, n), 38.0, 40.8)
    temperature = np.where(turn >= 2, rng.normal(36.9, 0.25, n), hot)
    flow = np.array([f"{f}" if peak and f else None for f in worst.flow], dtype=object)
    return [
        _Fact("TEMP", "Temperature", _numbers(temperature, "{:.1f}"), "C"),
        _Fact("HYPOTENS", "Hypotension", _yes(worst.hypotension & peak)),
        _Fact("NPRESS", "Number of Vasopressors", _numbers(worst.pressors * peak, "{:.0f}")),
        _Fact("VASOPRES", "Vasopressin Given", _yes(worst.vasopressin & peak)),
        _Fact("O2DEV", "Oxygen Device", np.where(peak, worst.device, "NONE").astype(object)),
        _Fact("O2FLOW", "Oxygen Flow", flow, "L/min"),
    ]


def _worst(rng: np.random.Generator, grade: Ints) -> _Worst:
    """Signs that give exactly this grade (Lee 2019, table of CRS)."""
    n = len(grade)
    by_pressure = rng.random(n) < 0.55
    also_oxygen = (grade == 2) & (rng.random(n) < 0.2)
    pressors = np.where(by_pressure, np.maximum(grade - 2, 0), 0)
    breath = ~by_pressure | also_oxygen
    device = np.select(
        [breath & (grade == 2), breath & (grade == 3), breath & (grade == 4)],
        ["NC", "FACEMASK", "CPAP"],
        "NONE",
    )
    flow = np.select([device == "NC", device == "FACEMASK"], [rng.integers(1, 5, n), np.full(n, 8)], 0)
    return _Worst(
        hypotension=(grade >= 2) & by_pressure,
        pressors=pressors,
        vasopressin=(pressors >= 1) & (rng.random(n) < 0.2),
        device=device.astype(object),
        flow=flow,
    )


def _neuro_facts(context: _Context, episodes: _Episodes) -> list[pl.DataFrame]:
    """Two assessments: at the onset and when it was over (Lee 2019, table of ICANS)."""
    grade, rng, n = episodes.grade, context.rng, len(episodes.who)
    low, high = np.array([7, 3, 0, 0])[grade - 1], np.array([9, 6, 2, 0])[grade - 1]
    awake = np.array(["SPONT", "VOICE", "TOUCH", "UNAROUSABLE"], dtype=object)[grade - 1]
    seizure = (grade == 3) & (rng.random(n) < 0.3)
    ill = [
        _Fact("ICE", "ICE Score", _numbers(rng.integers(low, high + 1), "{:.0f}")),
        _Fact("LOC", "Level of Consciousness", awake),
        _Fact("SEIZURE", "Seizure", np.where(seizure, "RESOLVED", "NONE").astype(object)),
    ]
    well = [
        _Fact("ICE", "ICE Score", np.full(n, "10", dtype=object)),
        _Fact("LOC", "Level of Consciousness", np.full(n, "ALERT", dtype=object)),
        _Fact("SEIZURE", "Seizure", np.full(n, "NONE", dtype=object)),
    ]
    always = [
        _Fact("MOTOR", "Motor Weakness", np.full(n, "NONE", dtype=object)),
        _Fact("ICP", "Raised Intracranial Pressure", np.full(n, "NONE", dtype=object)),
    ]
    parts = []
    for minute, facts in ((episodes.onset, ill), (episodes.end, well)):
        kept = minute <= context.lives.until[episodes.who] * MINUTES
        parts += [fact.rows(ICANS_OBJECT, episodes.who, minute, kept) for fact in (*facts, *always)]
    return parts


def _yes(mask: Bools) -> Texts:
    return np.where(mask, "Y", "N").astype(object)


def _numbers(values: Floats | Ints, pattern: str) -> Texts:
    return np.array([pattern.format(value) for value in values], dtype=object)
