"""Who is screened, why some are not randomised, and which arm the others get."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import islice

import numpy as np

from trialwright.conduct import randomise
from trialwright.simulate.draw import (
    NEVER,
    Bools,
    Floats,
    Ints,
    Texts,
    day,
    even,
    pick,
    working_day,
)
from trialwright.simulate.scenario import DAYS_PER_MONTH, Accrual, Characteristic, Risk, Scenario
from trialwright.simulate.setting import Setting
from trialwright.study.sources import Source


@dataclass(frozen=True, slots=True)
class People:
    """One entry per subject, in order of consent; days are NEVER and arms empty for what did not happen."""

    usubjid: Texts
    subjid: Texts
    site: Texts
    consent: Ints
    inclusion: Ints
    randomisation: Ints
    failure: Texts
    """Why not randomised; empty for the randomised."""
    arm: Texts
    regimen: Texts
    """What the arm's treatment depends on (``dosing.regimen_by``), else the arm."""
    traits: dict[str, Texts]
    """Characteristic to its value as text, None for blank."""
    hazard: Floats

    def __len__(self) -> int:
        return len(self.usubjid)

    def only(self, mask: Bools) -> People:
        rest = {name: getattr(self, name)[mask] for name in self.__slots__ if name != "traits"}
        return People(traits={name: values[mask] for name, values in self.traits.items()}, **rest)

    def risk(self, risk: Risk) -> Floats:
        """The number of each subject's regimen, else of its arm, else 0."""
        pairs, code = np.unique(np.stack([self.arm, self.regimen]).astype(str), axis=1, return_inverse=True)
        numbers = [risk.get(regimen, risk.get(arm, 0.0)) for arm, regimen in pairs.T]
        return np.array(numbers, dtype=np.float64)[code.reshape(-1)]


def screen(setting: Setting, patients: int) -> People:
    """As many subjects as it takes until ``patients`` are randomised."""
    rng = setting.stream("screening")
    study, accrual = setting.study, setting.scenario.accrual
    failures = (
        int(rng.negative_binomial(patients, 1 - accrual.screen_failure)) if accrual.screen_failure else 0
    )
    total = patients + failures
    failed = rng.permutation(np.arange(total) < failures)
    consent = _consents(rng, accrual, total)
    inclusion = working_day(consent + even(rng, accrual.consent_to_inclusion, total))
    randomisation = working_day(inclusion + even(rng, accrual.inclusion_to_randomisation, total))
    traits, hazard = _traits(setting.stream("characteristics"), setting.scenario, total)
    failure = _failures(rng, accrual, failed, traits)
    randomisation = np.where(failed, NEVER, randomisation)
    arm = _arms(setting, traits, randomisation)
    site, subjid = _sites(rng, accrual, total)
    return People(
        usubjid=np.array([f"{study.study.id}-{number}" for number in subjid], dtype=object),
        subjid=subjid,
        site=site,
        consent=consent,
        inclusion=np.where(failed, NEVER, inclusion),
        randomisation=randomisation,
        failure=failure,
        arm=arm,
        regimen=_regimens(setting.scenario, arm, traits),
        traits=traits,
        hazard=hazard,
    )


def _consents(rng: np.random.Generator, accrual: Accrual, total: int) -> Ints:
    """Working days; the pace rises evenly during the ramp, then stays."""
    ramp = min(accrual.ramp_months / accrual.months, 1.0)
    pace = 1 / (1 - ramp / 2)
    quantile = np.sort(rng.random(total))
    quantile[0] = 0.0
    early = np.sqrt(2 * ramp * quantile / pace)
    share = np.where(quantile < pace * ramp / 2, early, quantile / pace + ramp / 2)
    start = day(accrual.first_patient)
    return working_day(start + (share * accrual.months * DAYS_PER_MONTH).astype(np.int64))


def _sites(rng: np.random.Generator, accrual: Accrual, total: int) -> tuple[Texts, Texts]:
    """The site of each subject, and its number there in order of consent."""
    weights = np.exp(accrual.site_spread * rng.standard_normal(accrual.sites))
    chosen = pick(rng, tuple(weights), total)
    order = np.argsort(chosen, kind="stable")
    first = np.searchsorted(chosen[order], np.arange(accrual.sites))
    number = np.empty(total, dtype=np.int64)
    number[order] = np.arange(total) - first[chosen[order]] + 1
    site = np.array([f"{s + 1:03d}" for s in chosen], dtype=object)
    return site, np.array([f"{s}-{n:04d}" for s, n in zip(site, number, strict=True)], dtype=object)


def _traits(rng: np.random.Generator, scenario: Scenario, total: int) -> tuple[dict[str, Texts], Floats]:
    traits: dict[str, Texts] = {}
    hazard = np.ones(total)
    for characteristic in scenario.characteristics:
        chosen = _choice(rng, characteristic, traits, total)
        traits[characteristic.id] = _words(rng, characteristic, chosen, total)
        if characteristic.hazard:
            factor = np.array([*characteristic.hazard, 1.0])
            hazard = hazard * factor[chosen]
    return traits, hazard


def _choice(rng: np.random.Generator, c: Characteristic, traits: dict[str, Texts], total: int) -> Ints:
    """The position among values or ranges; one past the last is blank."""
    choices = len(c.values) or len(c.ranges) or 1
    blank = [0.0] * choices + [1.0]
    if c.given:
        words, code = np.unique(traits[c.given].astype(str), return_inverse=True)
        table = [[*c.weights_given[word], 0.0] if word in c.weights_given else blank for word in words]
        chosen = pick(rng, np.array(table)[code.reshape(-1)], total)
    else:
        chosen = pick(rng, (*(c.weights or (1.0,)), 0.0), total)
    return np.where(rng.random(total) < c.missing, choices, chosen)


def _words(rng: np.random.Generator, c: Characteristic, chosen: Ints, total: int) -> Texts:
    if c.values:
        return np.array([*c.values, None], dtype=object)[chosen]
    if c.ranges:
        lows, highs = (np.array([*edge, 0]) for edge in zip(*c.ranges, strict=True))
        number = rng.integers(lows[chosen], highs[chosen] + 1)
    else:
        assert c.mean is not None
        drawn = np.clip(rng.normal(c.mean, c.sd, total), c.minimum, c.maximum)
        number = np.rint(drawn).astype(np.int64)
    blank = chosen == (len(c.ranges) or 1)
    return np.array([None if b else str(n) for b, n in zip(blank, number, strict=True)], dtype=object)


def _failures(rng: np.random.Generator, accrual: Accrual, failed: Bools, traits: dict[str, Texts]) -> Texts:
    """The reasons; the characteristics that show them are set in ``traits``, not yet shared with anybody."""
    reasons = np.full(len(failed), "", dtype=object)
    if not accrual.failures:
        reasons[failed] = "SCREEN FAILURE"
        return reasons
    chosen = pick(rng, tuple(f.weight for f in accrual.failures), len(failed))
    for position, failure in enumerate(accrual.failures):
        mask = failed & (chosen == position)
        reasons[mask] = failure.reason
        for name, value in failure.sets.items():
            traits[name][mask] = value
    return reasons


def _regimens(scenario: Scenario, arm: Texts, traits: dict[str, Texts]) -> Texts:
    by = scenario.dosing.regimen_by
    chosen = {r.arm for r in scenario.dosing.regimens if r.choice}
    if not by or not chosen:
        return arm
    return np.where(np.isin(arm.astype(str), list(chosen)), traits[by], arm).astype(object)


def _arms(setting: Setting, traits: dict[str, Texts], randomisation: Ints) -> Texts:
    """The study's own allocation, in order of randomisation within each stratum."""
    study = setting.study
    key = hashlib.sha256(f"rehearsal {setting.seed}".encode()).digest()
    levels = [_levels(study.sources.strata[id_], traits) for id_ in study.allocation.strata]
    stratum = np.array(
        ["\x1f".join(parts) for parts in zip(*levels, strict=True)] or [""] * len(randomisation)
    )
    arm = np.full(len(randomisation), "", dtype=object)
    order = np.argsort(randomisation, kind="stable")
    order = order[randomisation[order] < NEVER]
    for name in np.unique(stratum[order]):
        members = order[stratum[order] == name]
        parts = tuple(str(name).split("\x1f")) if levels else ()
        arm[members] = list(islice(randomise.sequence(study.allocation, key, parts), len(members)))
    return arm


def _levels(source: Source, traits: dict[str, Texts]) -> list[str]:
    """The stratum's words, read from a characteristic as ``sources.toml`` says."""
    values = traits[source.variable]
    if source.bins:
        numbers = np.array([np.nan if v is None else float(v) for v in values])
        return [source.bin_words[i] for i in np.searchsorted(source.bins, numbers, side="right")]
    return [source.map.get(v, v) for v in values]
