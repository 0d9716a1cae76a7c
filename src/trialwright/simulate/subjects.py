"""The life of a subject in the trial's own words: DM, SUPPDM, DS and SS."""

from __future__ import annotations

import numpy as np
import polars as pl

from trialwright.simulate.draw import NEVER, Ints, Texts, even, iso, pick
from trialwright.simulate.people import People
from trialwright.simulate.scenario import Scenario
from trialwright.simulate.tables import domain, month_only, named, of_screened, same, text
from trialwright.simulate.trial import Trial


def domains(trial: Trial) -> dict[str, pl.DataFrame]:
    """DM, SUPPDM, DS of all screened; SS of the randomised."""
    rng = trial.stream("follow-up")
    lives = trial.lives
    day_unknown = rng.random(len(lives.start)) < trial.scenario.follow_up.death_month_only
    death = month_only(iso(lives.known_death), day_unknown)
    return {
        "DM": _dm(trial, death),
        "SUPPDM": _suppdm(trial),
        "DS": _ds(trial, death, rng),
        "SS": domain(trial, "SS", _contacts(trial, rng), ("SSDTC",)),
    }


def _spread(values: pl.Series, people: People) -> pl.Series:
    """One per randomised becomes one per screened, blank for the others."""
    whole = np.full(len(people), None, dtype=object)
    whole[people.randomisation < NEVER] = values.to_list()
    return text(whole)


def _dm(trial: Trial, death: pl.Series) -> pl.DataFrame:
    people, treatment = trial.screened, trial.treatment
    n = len(people)
    columns = {
        "who": pl.Series(values=np.arange(n)),
        "SUBJID": text(people.subjid),
        "RFSTDTC": _spread(iso(treatment.first), people),
        "RFENDTC": _spread(iso(np.where(treatment.treated, treatment.last, NEVER)), people),
        "RFICDTC": iso(people.consent),
        "DTHDTC": _spread(death, people),
        "DTHFL": same("Y", n).set(_spread(death, people).is_null(), None),
        "SITEID": text(people.site),
        **_characteristics(trial.scenario, people),
        **_arms(trial),
        "COUNTRY": same(trial.scenario.accrual.country, n),
    }
    return named(trial, people, "DM", pl.DataFrame(columns))


def _arms(trial: Trial) -> dict[str, pl.Series]:
    """Planned and actual arm; who was never treated has no actual one."""
    names = {arm.id: arm.label.get("en", arm.id) for arm in trial.study.arms}
    treated = _spread(text(np.where(trial.treatment.treated, "Y", "N").astype(object)), trial.screened)
    rows = pl.DataFrame({"arm": text(trial.screened.arm), "treated": treated})
    failed, untreated = pl.col("arm") == "", pl.col("treated") == "N"
    code = pl.when(failed).then(pl.lit("SCRNFAIL")).otherwise("arm")
    label = pl.when(failed).then(pl.lit("Screen Failure")).otherwise(pl.col("arm").replace(names))
    reasons = (
        pl.when(failed).then(pl.lit("SCREEN FAILURE")).when(untreated).then(pl.lit("ASSIGNED, NOT TREATED"))
    )
    found = rows.select(
        ARMCD=code,
        ARM=label,
        ACTARMCD=pl.when(~untreated | failed).then(code),
        ACTARM=pl.when(~untreated | failed).then(label),
        ARMNRS=reasons,
    )
    return found.to_dict()


def _characteristics(scenario: Scenario, people: People) -> dict[str, pl.Series]:
    """Those that DM holds; a number is written as one."""
    found: dict[str, pl.Series] = {}
    for c in scenario.characteristics:
        if c.domain == "DM":
            words = text(people.traits[c.id])
            found[c.id] = words if c.values else words.cast(pl.Float64)
            if c.id == "AGE":
                found["AGEU"] = same("YEARS", len(people))
    return found


def _suppdm(trial: Trial) -> pl.DataFrame:
    people = trial.screened
    parts = [
        pl.DataFrame(schema={"who": pl.Int64, "QNAM": pl.String, "QLABEL": pl.String, "QVAL": pl.String})
    ]
    for c in trial.scenario.characteristics:
        if c.domain == "SUPPDM":
            who = np.flatnonzero([value is not None for value in people.traits[c.id]])
            columns = {
                "who": who,
                "QNAM": same(c.id, len(who)),
                "QLABEL": same((c.label or c.id)[:40], len(who)),
                "QVAL": text(people.traits[c.id][who]),
            }
            parts.append(pl.DataFrame(columns))
    blank = pl.lit(None, pl.String)
    rows = pl.concat(parts).with_columns(
        RDOMAIN=pl.lit("DM"), IDVAR=blank, IDVARVAL=blank, QORIG=pl.lit("CRF"), QEVAL=blank
    )
    return named(trial, people, "SUPPDM", rows, ("QNAM",))


def _event(
    who: Ints, kind: tuple[str, str | None], word: Texts, term: Texts, when: pl.Series
) -> pl.DataFrame:
    """Rows of DS; ``kind`` is category and subcategory."""
    return pl.DataFrame(
        {
            "who": pl.Series(values=who, dtype=pl.Int64),
            "DSTERM": text(term),
            "DSDECOD": text(word),
            "DSCAT": same(kind[0], len(who)),
            "DSSCAT": same(kind[1], len(who)),
            "DSSTDTC": when,
        }
    )


_MILESTONE = ("PROTOCOL MILESTONE", None)
_OF_TREATMENT = ("DISPOSITION EVENT", "STUDY TREATMENT")
_OF_STUDY = ("DISPOSITION EVENT", "STUDY PARTICIPATION")


def _ds(trial: Trial, death: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    """Milestones and failures of all screened; ends of treatment and of the study of the randomised."""
    people = trial.screened
    row = np.flatnonzero(people.randomisation < NEVER)
    ended = [_not_treated(trial, rng), _treatment_ends(trial, death), _study_ends(trial, death)]
    of_all = pl.concat(ended).with_columns(
        who=pl.Series(values=row).gather(pl.concat(ended)["who"].cast(pl.UInt32))
    )
    parts = [*_milestones(people), _failures(trial, rng), of_all]
    return of_screened(trial, "DS", pl.concat(parts), ("DSSTDTC",))


def _milestones(people: People) -> list[pl.DataFrame]:
    dates = {
        "INFORMED CONSENT OBTAINED": people.consent,
        "ELIGIBILITY CRITERIA MET": people.inclusion,
        "RANDOMIZED": people.randomisation,
    }
    parts = []
    for name, days in dates.items():
        who = np.flatnonzero(days < NEVER)
        word = np.full(len(who), name, dtype=object)
        parts.append(_event(who, _MILESTONE, word, word, iso(days[who])))
    return parts


def _failures(trial: Trial, rng: np.random.Generator) -> pl.DataFrame:
    people = trial.screened
    who = np.flatnonzero(people.arm == "")
    decided = people.consent[who] + even(rng, trial.scenario.accrual.consent_to_inclusion, len(who))
    word = np.full(len(who), "SCREEN FAILURE", dtype=object)
    return _event(who, _OF_STUDY, word, people.failure[who], iso(decided))


def _not_treated(trial: Trial, rng: np.random.Generator) -> pl.DataFrame:
    """Those whose first dose will not come, with the reason."""
    lives = trial.lives
    who = np.flatnonzero(~trial.treatment.treated)
    reasons = trial.scenario.follow_up.not_treated_reasons or {"OTHER": 1.0}
    chosen = np.array(list(reasons), dtype=object)[pick(rng, tuple(reasons.values()), len(who))]
    dead = lives.known_death[who] <= lives.start[who] + 14
    decided = np.minimum(lives.start[who] + even(rng, (1, 14), len(who)), lives.until[who])
    term = np.where(dead, "DEATH BEFORE FIRST DOSE", chosen)
    return _event(who, _OF_TREATMENT, np.full(len(who), "NOT TREATED", dtype=object), term, iso(decided))


def _treatment_ends(trial: Trial, death: pl.Series) -> pl.DataFrame:
    treatment = trial.treatment
    who = np.flatnonzero(treatment.end < NEVER)
    when = np.where(treatment.reason == "DEATH", death.to_numpy(), iso(treatment.end).to_numpy())[who]
    return _event(who, _OF_TREATMENT, treatment.reason[who], treatment.reason[who], text(when))


def _study_ends(trial: Trial, death: pl.Series) -> pl.DataFrame:
    lives = trial.lives
    died = lives.known_death < NEVER
    gone = np.minimum(lives.lost, lives.withdrawn)
    left = np.where(lives.lost <= lives.withdrawn, "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT")
    who = np.flatnonzero(died | (gone <= lives.until))
    word = np.where(died, "DEATH", left)[who].astype(object)
    when = np.where(died, death.to_numpy(), iso(np.minimum(gone, NEVER)).to_numpy())[who]
    return _event(who, _OF_STUDY, word, word, text(when))


def _contacts(trial: Trial, rng: np.random.Generator) -> pl.DataFrame:
    """Survival follow-up after treatment: regular calls, a last sweep before the cutoff, and how it ended."""
    lives, treatment, rates = trial.lives, trial.treatment, trial.scenario.follow_up
    step, n = rates.contact_days, len(lives.start)
    begin = np.where(treatment.treated, np.minimum(treatment.end, NEVER), lives.start)
    most = int(max((lives.until - lives.start).max(initial=0) // step, 0)) + 1
    calls = begin[:, None] + step * np.arange(1, most + 1) + rng.integers(-14, 15, (n, most))
    sweep = lives.cutoff - rng.integers(0, rates.last_sweep_days + 1, n)
    days = np.concatenate([calls, np.where(sweep > lives.start, sweep, NEVER)[:, None]], axis=1)
    who, call = np.nonzero(days < lives.until[:, None])
    alive = _status(who, "ALIVE", days[who, call])
    dead = np.flatnonzero(lives.known_death < NEVER)
    told = np.minimum(lives.known_death[dead] + even(rng, (0, 10), len(dead)), lives.cutoff)
    lost = np.flatnonzero((lives.lost <= lives.until) & (lives.known_death == NEVER))
    noticed = np.minimum(lives.lost[lost] + step, lives.cutoff)
    return pl.concat([alive, _status(dead, "DEAD", told), _status(lost, "UNKNOWN", noticed, "LOST")])


def _status(who: Ints, word: str, days: Ints, said: str | None = None) -> pl.DataFrame:
    n = len(who)
    return pl.DataFrame(
        {
            "who": pl.Series(values=who, dtype=pl.Int64),
            "SSTESTCD": same("SURVSTAT", n),
            "SSTEST": same("Survival Status", n),
            "SSORRES": same(said or word, n),
            "SSSTRESC": same(word, n),
            "SSDTC": iso(days),
        }
    )
