"""Adverse events: AE, and SUPPAE where a grade is on another scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from trialwright.simulate.draw import NEVER, Floats, Ints, iso, lognormal, pick
from trialwright.simulate.latent import Lives
from trialwright.simulate.people import People
from trialwright.simulate.scenario import AdverseEvent, ByWord, Safety
from trialwright.simulate.tables import Words, same, words
from trialwright.simulate.treatment import Treatment
from trialwright.simulate.trial import Trial

_OVER, _GOES_ON = "RECOVERED/RESOLVED", "NOT RECOVERED/NOT RESOLVED"
_DURATION_SD = 0.7
_AGAIN = 0.15


@dataclass(frozen=True, slots=True)
class _Course:
    """What the parts of this module share."""

    safety: Safety
    people: People
    lives: Lives
    treatment: Treatment
    last: Ints
    """The last day an event is collected."""
    rng: np.random.Generator


def events(trial: Trial) -> pl.DataFrame:
    """Rows of AE (``who`` instead of the subject), but for what belongs to an engager."""
    lives, treatment, window = trial.lives, trial.treatment, trial.study.adverse_events.window_days
    last = np.where(treatment.treated, np.minimum(treatment.last + window, lives.until), -1)
    safety = trial.scenario.safety
    course = _Course(safety, trial.people, lives, treatment, last, trial.stream("safety"))
    parts = [part for event in safety.events for part in _ordinary(course, event)]
    parts += [_before(course), _stopping(course), _fatal(course)]
    return _hidden(course, pl.concat(parts))


def _ordinary(course: _Course, event: AdverseEvent) -> list[pl.DataFrame]:
    """The first episode and, for some, a second one; more of them early."""
    n, rng = len(course.people), course.rng
    struck = (rng.random(n) < course.people.risk(event.risk)) & course.treatment.treated
    parts = []
    for _ in range(2):
        who = np.flatnonzero(struck)
        span = np.maximum(course.last - course.treatment.first + 1, 1)[who]
        early = 1 - np.sqrt(1 - rng.random(len(who)))
        onset = course.treatment.first[who] + (span * early).astype(np.int64)
        grade = 1 + pick(rng, _rows(course.people, event.grades)[who], len(who))
        parts.append(_episodes(course, event, who, onset, grade))
        struck = struck & (rng.random(n) < _AGAIN)
    return parts


def _rows(people: People, weights: ByWord) -> Floats:
    """One row of weights per subject, by regimen, else arm, else ``all``."""
    width = max(len(row) for row in weights.values())
    padded = {word: [*row, *[0.0] * (width - len(row))] for word, row in weights.items()}
    fallback = padded.get("all", next(iter(padded.values())))
    found = [padded.get(r, padded.get(a, fallback)) for a, r in zip(people.arm, people.regimen, strict=True)]
    return np.array(found, dtype=np.float64)


def _episodes(course: _Course, event: AdverseEvent, who: Ints, onset: Ints, grade: Ints) -> pl.DataFrame:
    rng, n = course.rng, len(who)
    end = onset + 1 + lognormal(rng, (event.days, _DURATION_SD), n).astype(np.int64)
    open_end = (rng.random(n) < course.safety.ongoing) | (end > course.lives.until[who])
    likely = 0.02 if event.laboratory else 1.0
    serious = rng.random(n) < likely * np.array(course.safety.serious)[grade - 1]
    ticket = rng.random(n)
    held = ticket < np.where(grade >= 3, 0.4, 0.05)
    treated = onset <= np.minimum(course.treatment.end[who], course.treatment.last[who] + 14)
    action = np.where(~treated, "NOT APPLICABLE", np.where(held, "DRUG INTERRUPTED", "DOSE NOT CHANGED"))
    related = rng.random(n) < course.people.risk(event.related)[who]
    verbatim = np.array(event.verbatim or (event.term,), dtype=object)[
        rng.integers(0, max(len(event.verbatim), 1), n)
    ]
    return _frame(
        who,
        verbatim=verbatim,
        term=[event.term] * n,
        soc=[event.soc] * n,
        start=onset,
        end=np.where(open_end, NEVER, end),
        grade=grade,
        serious=np.where(serious, "Y", "N"),
        related=np.where(related, "RELATED", "NOT RELATED"),
        action=action,
        outcome=np.where(open_end, _GOES_ON, _OVER),
    )


def _frame(
    who: Ints,
    *,
    verbatim: Words,
    term: Words,
    soc: Words,
    start: Ints,
    end: Ints,
    grade: Ints,
    serious: Words,
    related: Words,
    action: Words,
    outcome: Words,
) -> pl.DataFrame:
    """One row per episode, in the columns of the domain; an end that is NEVER is blank."""
    said = words(outcome)
    return pl.DataFrame(
        {
            "who": pl.Series(values=who, dtype=pl.Int64),
            "AETERM": words(verbatim),
            "AEDECOD": words(term),
            "AEBODSYS": words(soc),
            "AESER": words(serious),
            "AEACN": words(action),
            "AEREL": words(related),
            "AEOUT": said,
            "AESDTH": same("Y", len(who)).set(said != "FATAL", None),
            "AETOXGR": pl.Series(values=grade, dtype=pl.Int64).cast(pl.String),
            "AESTDTC": iso(start),
            "AEENDTC": iso(end),
        }
    )


def _before(course: _Course) -> pl.DataFrame:
    """A mild event between consent and the first dose."""
    rng = course.rng
    kinds = [e for e in course.safety.events if _share(e, (0,)) >= 0.5]
    people, first = course.people, course.treatment.first
    gap = np.where(course.treatment.treated, first, people.randomisation) - people.consent
    struck = (rng.random(len(people)) < course.safety.before_treatment) & (gap > 0) & bool(kinds)
    who = np.flatnonzero(struck)
    chosen = rng.integers(0, max(len(kinds), 1), len(who))
    terms = np.array([(e.term, e.soc) for e in kinds] or [("", "")], dtype=object)[chosen]
    onset = people.consent[who] + (rng.random(len(who)) * gap[who]).astype(np.int64)
    n = len(who)
    return _frame(
        who,
        verbatim=terms[:, 0],
        term=terms[:, 0],
        soc=terms[:, 1],
        start=onset,
        end=np.minimum(onset + 3, course.lives.until[who]),
        grade=np.ones(n, dtype=np.int64),
        serious=["N"] * n,
        related=["NOT RELATED"] * n,
        action=["NOT APPLICABLE"] * n,
        outcome=[_OVER] * n,
    )


def _stopping(course: _Course) -> pl.DataFrame:
    """The event for which treatment was given up: a severe one of the arm's own."""
    rng, kinds = course.rng, course.safety.events
    who = np.flatnonzero((course.treatment.reason == "ADVERSE EVENT") & bool(kinds))
    n = len(who)
    weights = np.array([course.people.risk(e.risk) * (0.01 + _share(e, (2, 3))) for e in kinds]).T
    chosen = pick(rng, weights[who], n) if n else np.zeros(0, dtype=np.int64)
    terms = np.array([(e.term, e.soc) for e in kinds] or [("", "")], dtype=object)[chosen]
    worst = np.array([_share(e, (3,)) > 0 for e in kinds] or [False])[chosen]
    onset = np.maximum(course.treatment.end[who] - rng.integers(0, 8, n), course.treatment.first[who])
    end = course.treatment.end[who] + 1 + lognormal(rng, (14, _DURATION_SD), n).astype(np.int64)
    going = end > course.lives.until[who]
    return _frame(
        who,
        verbatim=terms[:, 0],
        term=terms[:, 0],
        soc=terms[:, 1],
        start=onset,
        end=np.where(going, NEVER, end),
        grade=3 + (worst & (rng.random(n) < 0.3)).astype(np.int64),
        serious=np.where(rng.random(n) < 0.6, "Y", "N"),
        related=np.where(rng.random(n) < 0.7, "RELATED", "NOT RELATED"),
        action=["DRUG WITHDRAWN"] * n,
        outcome=np.where(going, _GOES_ON, _OVER),
    )


def _share(event: AdverseEvent, grades: Sequence[int]) -> float:
    """The largest share, over the arms, of events with these grades (from 0)."""
    return max(sum(row[g] for g in grades if g < len(row)) / sum(row) for row in event.grades.values())


def _fatal(course: _Course) -> pl.DataFrame:
    rng, death = course.rng, course.lives.known_death
    terms = course.safety.fatal_terms
    near = (
        (death <= course.treatment.last + 30) & (course.lives.progression > death) & course.treatment.treated
    )
    who = np.flatnonzero(near & (rng.random(len(death)) < course.safety.fatal) & bool(terms))
    n = len(who)
    chosen = np.array(terms or (("", ""),), dtype=object)[rng.integers(0, max(len(terms), 1), n)]
    onset = np.maximum(death[who] - rng.integers(0, 15, n), course.treatment.first[who])
    return _frame(
        who,
        verbatim=chosen[:, 0],
        term=chosen[:, 0],
        soc=chosen[:, 1],
        start=onset,
        end=death[who],
        grade=np.full(n, 5),
        serious=["Y"] * n,
        related=np.where(rng.random(n) < 0.25, "RELATED", "NOT RELATED"),
        action=["NOT APPLICABLE"] * n,
        outcome=["FATAL"] * n,
    )


def _hidden(course: _Course, rows: pl.DataFrame) -> pl.DataFrame:
    """What the site did not know: the day of a start or an end, the relation, the grade."""
    safety, n = course.safety, len(rows)
    shares = (safety.start_month_only, safety.end_month_only, safety.relation_missing, safety.grade_missing)
    start, end, relation, grade = (pl.Series(values=course.rng.random(n) < share) for share in shares)
    fatal = pl.col("AEOUT") == "FATAL"
    return rows.with_columns(
        pl.when(start & ~fatal).then(pl.col("AESTDTC").str.head(7)).otherwise("AESTDTC").alias("AESTDTC"),
        pl.when(end & ~fatal).then(pl.col("AEENDTC").str.head(7)).otherwise("AEENDTC").alias("AEENDTC"),
        pl.when(relation).then(None).otherwise("AEREL").alias("AEREL"),
        pl.when(grade & ~fatal).then(None).otherwise("AETOXGR").alias("AETOXGR"),
    )


def scales(ae: pl.DataFrame, terms: Sequence[str], scale: str) -> pl.DataFrame:
    """Rows for SUPPAE: the scale of the grade, for the terms that have their own."""
    own = ae.filter(pl.col("AEDECOD").is_in(list(terms)))
    return own.select(
        "STUDYID",
        pl.lit("AE").alias("RDOMAIN"),
        "USUBJID",
        pl.lit("AESEQ").alias("IDVAR"),
        pl.col("AESEQ").cast(pl.String).alias("IDVARVAL"),
        pl.lit("AETOXSCL").alias("QNAM"),
        pl.lit("Toxicity Scale").alias("QLABEL"),
        pl.lit(scale).alias("QVAL"),
        pl.lit("CRF").alias("QORIG"),
        pl.lit(None, pl.String).alias("QEVAL"),
    )
