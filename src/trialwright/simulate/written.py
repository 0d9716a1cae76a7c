"""The lives of the fast door as SDTM: one simulated trial, to go through the analysis of a real one.

What overall and progression-free survival need, and no more: DM, DS, SS, TU and TR, as flawless sites would
write them. A day counts from midnight to midnight: an event at any time of a day happened on that day.

The slow door of a fast life. No command opens it: it is here, and not among the tests, because it says what a
design's lives mean in the terms of records, and so must change with ``cohort``; by it a test takes the same
trial through the whole analysis and holds its numbers against those of ``looks``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from trialwright.simulate.cohort import NEVER, Cohort
from trialwright.simulate.design import Design
from trialwright.simulate.draw import NEVER as NO_DAY
from trialwright.simulate.draw import Bools, Ints, Texts, day, iso
from trialwright.standards.rehearsal import marked
from trialwright.study.model import Study
from trialwright.study.sources import Source

_TARGET, _GROWN = 50.0, 80.0  # mm


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """One trial in days since 1970, one entry per patient; ``draw.NEVER`` for what does not happen."""

    randomised: Ints
    progressed: Ints
    """Never on the day of randomisation, whose scan is the baseline: the next day, of who lives then."""
    died: Ints
    lost: Ints
    experimental: Bools
    stratum: Ints


def days(study: Study, cohort: Cohort, trial: int, start: date) -> Days:
    """The trial at that place of the cohort, had the first patient been possible on ``start``."""

    def on(months: np.ndarray[tuple[int], np.dtype[np.float64]], happens: Bools) -> Ints:
        known = np.where(happens, months, 0)
        found = day(start) + np.floor(known * study.study.days_per_month).astype(np.int64)
        return np.where(happens, found, NO_DAY)

    entry, leaves = cohort.entry[trial], cohort.leaves[trial]
    dies = cohort.event_at[trial] < NEVER
    randomised = on(entry, np.ones(entry.size, dtype=bool))
    died, lost = on(cohort.event_at[trial], dies), on(entry + leaves, ~dies & (leaves < NEVER))
    progressed = np.full(entry.size, NO_DAY)
    if cohort.progression is not None:
        first = cohort.progression
        grows = (first.event_at[trial] < NEVER) & (first.leaves[trial] < leaves)
        progressed = np.maximum(on(first.event_at[trial], grows), randomised + 1)
        progressed = np.where(progressed > np.minimum(died, lost), NO_DAY, progressed)
    stratum = np.zeros(entry.size, dtype=np.int64)
    return Days(
        randomised,
        progressed,
        died,
        lost,
        np.broadcast_to(cohort.experimental, cohort.entry.shape)[trial],
        stratum if cohort.stratum is None else cohort.stratum[trial].astype(np.int64),
    )


def domains(study: Study, design: Design, lives: Days, cutoff: date) -> dict[str, pl.DataFrame]:
    """SDTM as it stands some time after the cutoff: deaths and losses after it are in it.

    Everybody is seen on the day of the cutoff, or of the loss. Without states there are no scans.
    """
    subject = np.array(
        [f"{study.study.id}-{n + 1:0{len(str(lives.died.size))}d}" for n in range(lives.died.size)],
        dtype=object,
    )
    found = {
        "DM": _dm(study, design, lives, subject),
        "DS": _ds(lives, subject),
        "SS": _ss(lives, subject, day(cutoff)),
    }
    if design.states is not None:
        found |= _scans(lives, subject, day(cutoff))
    return {name: _named(study, name, frame) for name, frame in found.items()}


def _named(study: Study, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    frame = frame.with_columns(STUDYID=pl.lit(marked(study.study.id)), DOMAIN=pl.lit(name))
    if name == "DM":
        return frame
    ordered = frame.sort("USUBJID", f"{name}STDTC" if name == "DS" else f"{name}DTC", maintain_order=True)
    return ordered.with_columns(pl.int_range(1, pl.len() + 1).over("USUBJID").alias(f"{name}SEQ"))


def _dm(study: Study, design: Design, lives: Days, subject: Texts) -> pl.DataFrame:
    (experimental,) = (arm.id for arm in study.experimental)
    arm = np.where(lives.experimental, experimental, study.control.id).astype(object)
    frame = pl.DataFrame(
        {
            "USUBJID": pl.Series(values=subject, dtype=pl.String),
            "SUBJID": pl.Series(values=subject, dtype=pl.String),
            "RFICDTC": iso(lives.randomised),
            "DTHDTC": iso(lives.died),
            "ARMCD": pl.Series(values=arm, dtype=pl.String),
            "ARM": pl.Series(values=arm, dtype=pl.String),
            "ACTARMCD": pl.Series(values=arm, dtype=pl.String),
        }
    ).with_columns(DTHFL=pl.when(pl.col("DTHDTC").is_not_null()).then(pl.lit("Y")))
    factors = sorted(design.groups[0].levels)
    for place, factor in enumerate(factors):
        source = study.sources.strata[factor]
        said = {i: _stated(source, levels[place]) for i, levels in enumerate(design.strata)}
        words = [said[i] for i in lives.stratum.tolist()]
        dtype = pl.Float64() if source.bins else pl.String()
        frame = frame.with_columns(pl.Series(source.variable, words, dtype=dtype))
    return frame


def _stated(source: Source, level: str) -> str | float:
    """What a site writes that the study reads as this level."""
    if source.bins:
        place = source.bin_words.index(level)
        return source.bins[place - 1] + 1 if place else source.bins[0] - 1
    return {word: value for value, word in source.map.items()}.get(level, level)


def _ds(lives: Days, subject: Texts) -> pl.DataFrame:
    everybody = np.ones(subject.size, dtype=bool)
    rows = [
        (everybody, "INFORMED CONSENT OBTAINED", "PROTOCOL MILESTONE", None, lives.randomised),
        (everybody, "ELIGIBILITY CRITERIA MET", "PROTOCOL MILESTONE", None, lives.randomised),
        (everybody, "RANDOMIZED", "PROTOCOL MILESTONE", None, lives.randomised),
        (lives.died < NO_DAY, "DEATH", "DISPOSITION EVENT", "STUDY PARTICIPATION", lives.died),
        (lives.lost < NO_DAY, "LOST TO FOLLOW-UP", "DISPOSITION EVENT", "STUDY PARTICIPATION", lives.lost),
    ]
    return pl.concat(
        pl.DataFrame(
            {
                "USUBJID": pl.Series(values=subject[who], dtype=pl.String),
                "DSTERM": _same(word, who),
                "DSDECOD": _same(word, who),
                "DSCAT": _same(category, who),
                "DSSCAT": _same(sub, who),
                "DSSTDTC": iso(when[who]),
            }
        )
        for who, word, category, sub, when in rows
    )


def _ss(lives: Days, subject: Texts, cutoff: int) -> pl.DataFrame:
    """Alive at the cutoff, and on the day of the loss."""
    there = np.minimum(lives.died, lives.lost) >= cutoff
    seen = [(there & (lives.randomised <= cutoff), np.full(subject.size, cutoff))]
    seen.append((lives.lost < NO_DAY, lives.lost))
    return pl.concat(
        pl.DataFrame(
            {
                "USUBJID": pl.Series(values=subject[who], dtype=pl.String),
                "SSTESTCD": _same("SURVSTAT", who),
                "SSORRES": _same("ALIVE", who),
                "SSSTRESC": _same("ALIVE", who),
                "SSDTC": iso(when[who]),
            }
        )
        for who, when in seen
    )


def _scans(lives: Days, subject: Texts, cutoff: int) -> dict[str, pl.DataFrame]:
    """One target lesion: at baseline, when it has grown, and the last time before the cutoff until then."""
    seen = np.minimum(np.minimum(lives.lost, cutoff), lives.died - 1)
    stable = np.flatnonzero((seen > lives.randomised) & (seen < lives.progressed))
    grown = np.flatnonzero(lives.progressed < NO_DAY)
    who = np.concatenate([np.arange(subject.size), stable, grown])
    when = np.concatenate([lives.randomised, seen[stable], lives.progressed[grown]])
    mm = np.repeat([_TARGET, _TARGET, _GROWN], [subject.size, stable.size, grown.size])
    everybody = np.ones(subject.size, dtype=bool)
    every = np.ones(who.size, dtype=bool)
    identified = pl.DataFrame(
        {
            "USUBJID": pl.Series(values=subject, dtype=pl.String),
            "TULNKID": _same("T01", everybody),
            "TUTESTCD": _same("TUMIDENT", everybody),
            "TUORRES": _same("TARGET", everybody),
            "TUSTRESC": _same("TARGET", everybody),
            "TULOC": _same("LIVER", everybody),
            "TUMETHOD": _same("CT SCAN", everybody),
            "TUEVAL": _same("INVESTIGATOR", everybody),
            "TUDTC": iso(lives.randomised),
        }
    )
    measured = pl.DataFrame(
        {
            "USUBJID": pl.Series(values=subject[who], dtype=pl.String),
            "TRGRPID": _same("TARGET", every),
            "TRLNKID": _same("T01", every),
            "TRTESTCD": _same("LDIAM", every),
            "TRORRES": pl.Series(values=[f"{d:g}" for d in mm], dtype=pl.String),
            "TRORRESU": _same("mm", every),
            "TRSTRESN": pl.Series(values=mm, dtype=pl.Float64),
            "TRSTRESU": _same("mm", every),
            "TRMETHOD": _same("CT SCAN", every),
            "TREVAL": _same("INVESTIGATOR", every),
            "TRDTC": iso(when),
        }
    )
    return {"TU": identified, "TR": measured}


def _same(word: str | None, who: Bools) -> pl.Series:
    return pl.Series(values=[word] * int(who.sum()), dtype=pl.String)
