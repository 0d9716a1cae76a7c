"""Immune effector cell-associated neurotoxicity syndrome (Lee et al. 2019;25:625-638, tables 4 to 6)."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.medicine._frame import Sentence, require, require_words, result_of
from trialwright.medicine.astct.policy import DECIMALS, DEFAULT, Policy

CONSCIOUSNESS: Final[dict[str, int | None]] = {  # the least that wakes the patient
    "ALERT": 0,
    "SPONT": 1,
    "VOICE": 2,
    "TOUCH": 3,
    "VIGOROUS": 4,
    "UNAROUSABLE": 4,
    "COMA": 4,
}
SEIZURE: Final[dict[str, int | None]] = {
    "NONE": 0,
    "RESOLVED": 3,
    "EEG_ONLY": 3,
    "PROLONGED": 4,
    "REPEATED": 4,
}
MOTOR: Final[dict[str, int | None]] = {"NONE": 0, "DEEP_FOCAL": 4}
PRESSURE: Final[dict[str, int | None]] = {  # raised intracranial pressure or oedema
    "NONE": 0,
    "FOCAL": 3,
    "DIFFUSE": 4,
    "POSTURING": 4,
    "SIXTH_NERVE_PALSY": 4,
    "PAPILLOEDEMA": 4,
    "CUSHING": 4,
}
DOMAINS: Final = ("ice", "consciousness", "seizure", "motor", "pressure")
_WORDS: Final[dict[str, dict[str, int | None]]] = {
    "consciousness": {**CONSCIOUSNESS, "NOT_ASSESSABLE": None},
    "seizure": SEIZURE,
    "motor": MOTOR,
    "pressure": PRESSURE,
}
ICE_MAX: Final = 10


def ice_used(ice: pl.Expr, baseline: pl.Expr, *, policy: Policy = DEFAULT) -> pl.Expr:
    """The ICE score that is graded: 10 less the fall from baseline. Outside 0 to 10 it is no score."""
    ice, baseline = (pl.when(score.is_between(0, ICE_MAX)).then(score) for score in (ice, baseline))
    if not policy.baseline_adjust:
        return ice
    return (ICE_MAX - (baseline.fill_null(ICE_MAX) - ice)).clip(upper_bound=ICE_MAX)


def ice_grade(score: pl.Expr, consciousness: pl.Expr) -> pl.Expr:
    """0 to 4; a score of 0 is 4 only in a patient who cannot be roused, awake (mute, aphasic) it is 3."""
    unarousable = consciousness.is_in(["VIGOROUS", "UNAROUSABLE", "COMA"]).fill_null(False)
    return result_of(
        [
            Sentence("full", 0, score >= 10),
            Sentence("7-9", 1, score >= 7),
            Sentence("3-6", 2, score >= 3),
            Sentence("unarousable", 4, (score == 0) & unarousable),
            Sentence("0-2", 3, score >= 0),
        ]
    )


def icans_grade(policy: Policy = DEFAULT) -> pl.Expr:
    """The highest of the five domains that are not due to another cause; null if none is known.

    From the columns of ``icans_course``. Without an ICE score and a level of consciousness the absence of
    seizure, weakness and pressure proves nothing.
    """
    grades = pl.max_horizontal(*(_domain_grade(domain, policy) for domain in DOMAINS))
    awake_known = pl.any_horizontal(
        *(_domain_grade(domain, policy).is_not_null() for domain in ("ice", "consciousness"))
    )
    return (
        pl.when(pl.col("icans_death").fill_null(False))
        .then(5)
        .when(awake_known | (grades > 0))
        .then(grades)
        .cast(pl.Int64)
    )


def _domain_grade(domain: str, policy: Policy) -> pl.Expr:
    """A sign that is due to another cause is grade 0 of its domain."""
    if domain == "ice":
        grade = ice_grade(
            ice_used(pl.col("ice"), pl.col("ice_baseline"), policy=policy), pl.col("consciousness")
        )
    else:
        words = _WORDS[domain]
        grade = pl.col(domain).replace_strict(
            list(words), list(words.values()), default=None, return_dtype=pl.Int64
        )
    other = pl.col(f"{domain}_other_cause").fill_null(False)
    return pl.when(other & grade.is_not_null()).then(0).otherwise(grade)


def icans_course(assessments: pl.DataFrame, policy: Policy = DEFAULT) -> pl.DataFrame:
    """The ASTCT grade of each assessment, in order, and the episode it belongs to.

    Takes subject, hours (from any common origin) and what was recorded of: ice (0 to 10), ice_baseline,
    consciousness (a word of CONSCIOUSNESS, or NOT_ASSESSABLE when sedated), seizure, motor, pressure (words
    of SEIZURE, MOTOR, PRESSURE), icans_death, and ``<domain>_other_cause`` for each of the five domains
    (bleeding, a metastasis, sedation). Tremor, headache and the like do not enter.

    Gives one row per assessment: subject, hours, ice, ice_used (after baseline), grade (null: not
    assessed), domain (the first that gave the grade), not_assessable, ice_invalid and episode (records of
    grade 1 or more less than ``new_episode_gap_h`` apart).
    """
    require(assessments, ["subject", "hours"], "assessments")
    rows = _recorded(assessments)
    for name, words in _WORDS.items():
        require_words(rows, name, words, "assessments")
    grade = pl.col("grade")
    giving = pl.lit(None, dtype=pl.String)
    for domain in reversed(DOMAINS):
        giving = pl.when(_domain_grade(domain, policy) == grade).then(pl.lit(domain)).otherwise(giving)
    return (
        rows.with_columns(
            ice_used=ice_used(pl.col("ice"), pl.col("ice_baseline"), policy=policy),
            grade=icans_grade(policy),
            not_assessable=(pl.col("consciousness") == "NOT_ASSESSABLE").fill_null(False)
            & pl.col("ice").is_null(),
            ice_invalid=(~pl.col("ice").is_between(0, ICE_MAX)).fill_null(False),
        )
        .with_columns(domain=pl.when(grade.is_between(1, 4)).then(giving))
        .sort("subject", "hours", "grade", descending=[False, False, True], nulls_last=True)
        .with_columns(episode=_episode(policy))
        .select(
            "subject",
            "hours",
            "ice",
            "ice_used",
            "grade",
            "domain",
            "not_assessable",
            "ice_invalid",
            "episode",
        )
    )


def _recorded(assessments: pl.DataFrame) -> pl.DataFrame:
    kinds: dict[str, pl.DataType] = {
        "ice": pl.Int64(),
        "ice_baseline": pl.Int64(),
        **dict.fromkeys(_WORDS, pl.String()),
        **{f"{domain}_other_cause": pl.Boolean() for domain in DOMAINS},
        "icans_death": pl.Boolean(),
    }
    columns = [
        (pl.col(name) if name in assessments.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in kinds.items()
    ]
    return assessments.select("subject", pl.col("hours").cast(pl.Float64).round(DECIMALS), *columns)


def _episode(policy: Policy) -> pl.Expr:
    sign = (pl.col("grade") > 0).fill_null(False) & pl.col("hours").is_not_null()
    seen = pl.when(sign).then("hours")
    before = seen.forward_fill().shift(1).over("subject")
    starts = sign & (before.is_null() | (seen - before >= policy.new_episode_gap_h))
    return pl.when(sign).then(starts.cast(pl.Int64).cum_sum().over("subject"))
