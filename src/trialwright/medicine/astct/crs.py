"""Cytokine release syndrome (Lee et al., Biol Blood Marrow Transplant 2019;25:625-638, table 2)."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from trialwright.medicine._frame import Sentence, require, require_words, result_of, steps
from trialwright.medicine.astct.policy import DECIMALS, DEFAULT, FEVER_C, LOW_FLOW_L_MIN, Policy

O2_DEVICES: Final = (  # by increasing support
    "NONE",
    "BLOWBY",
    "NC",
    "FACEMASK",
    "VENTURI",
    "NRB",
    "HFNC",
    "CPAP",
    "BIPAP",
    "INTUB",
)
VASOPRESSORS: Final = (  # vasopressin is kept apart; an inotrope (milrinone, dobutamine) is none
    "NOREPINEPHRINE",
    "NORADRENALINE",
    "EPINEPHRINE",
    "ADRENALINE",
    "PHENYLEPHRINE",
    "DOPAMINE",
    "METARAMINOL",
    "EPHEDRINE",
    "ANGIOTENSIN II",
)
_OPTIONAL: Final = {
    "temp_c": pl.Float64(),
    "fever_other_cause": pl.Boolean(),
    "both_causes": pl.Boolean(),
    "hypotension": pl.Boolean(),
    "n_pressors": pl.Int64(),
    "vasopressin": pl.Boolean(),
    "o2_device": pl.String(),
    "o2_flow": pl.Float64(),
    "o2_for_airway": pl.Boolean(),
    "home_o2_device": pl.String(),
    "home_o2_flow": pl.Float64(),
    "antipyretic": pl.Boolean(),
    "anticytokine": pl.Boolean(),
    "steroid": pl.Boolean(),
    "crs_death": pl.Boolean(),
}


def celsius(fahrenheit: pl.Expr) -> pl.Expr:
    """100.4 F is 38.0 C exactly."""
    return ((fahrenheit - 32) * 5 / 9).round(DECIMALS)


def is_vasopressor(drug: pl.Expr) -> pl.Expr:
    """Whether a drug, named by its INN, counts among the vasopressors; vasopressin does not."""
    return drug.str.to_uppercase().str.strip_chars().is_in(list(VASOPRESSORS))


def is_fever(temp_c: pl.Expr, other_cause: pl.Expr) -> pl.Expr:
    """At least 38.0 C, not rounded up, and not attributed to another cause."""
    return (temp_c.round(DECIMALS) >= FEVER_C).fill_null(False) & ~other_cause.fill_null(False)


def hypotension_grade(
    hypotension: pl.Expr, n_pressors: pl.Expr, vasopressin: pl.Expr, *, policy: Policy = DEFAULT
) -> pl.Expr:
    """0, 2, 3 or 4. ``n_pressors`` without vasopressin; one that runs is hypotension whatever the reading."""
    return result_of(
        [
            Sentence("multiple_vasopressors", 4, n_pressors > 1),
            Sentence("one_vasopressor", 3, n_pressors == 1),
            Sentence("vasopressin_alone", policy.vasopressin_alone, vasopressin),
            Sentence("no_vasopressor", 2, hypotension),
            Sentence("no_hypotension", 0, pl.lit(True)),
        ]
    )


def hypoxia_grade(device: pl.Expr, flow: pl.Expr) -> pl.Expr:
    """0, 2, 3 or 4: the device decides, of a nasal cannula the flow in L/min (unknown: low)."""
    return result_of(
        [
            Sentence("positive_pressure", 4, device.is_in(["CPAP", "BIPAP", "INTUB"])),
            Sentence("high_flow", 3, device.is_in(["HFNC", "FACEMASK", "NRB", "VENTURI"])),
            Sentence("high_flow_cannula", 3, (device == "NC") & (flow > LOW_FLOW_L_MIN)),
            Sentence("low_flow", 2, device.is_in(["NC", "BLOWBY"])),
            Sentence("no_oxygen", 0, pl.lit(True)),
        ]
    )


def organ_grade(policy: Policy = DEFAULT) -> pl.Expr:
    """The worse of the hypotension and hypoxia columns, from the columns of ``crs_course``.

    Oxygen only to protect the airway does not count, nor what the patient has at home, unless increased.
    """
    device, flow = pl.col("o2_device"), pl.col("o2_flow")
    counted = ~pl.col("o2_for_airway").fill_null(False) & _more_than_at_home()
    return pl.max_horizontal(
        hypotension_grade(pl.col("hypotension"), pl.col("n_pressors"), pl.col("vasopressin"), policy=policy),
        pl.when(counted).then(hypoxia_grade(device, flow)),
    )


def _more_than_at_home() -> pl.Expr:
    now, home = (
        pl.col(name)
        .fill_null("NONE")
        .replace_strict(O2_DEVICES, range(len(O2_DEVICES)), return_dtype=pl.Int64)
        for name in ("o2_device", "home_o2_device")
    )
    more_flow = (pl.col("o2_flow") > pl.col("home_o2_flow")).fill_null(False)
    return (now > home) | ((now == home) & more_flow)


def crs_course(assessments: pl.DataFrame, policy: Policy = DEFAULT) -> pl.DataFrame:
    """The ASTCT grade of each assessment, in order, and the episode it belongs to.

    Takes subject, hours (from any common origin) and what was recorded of: temp_c, fever_other_cause,
    both_causes (CRS and another cause both explain the fever), hypotension, n_pressors (vasopressors
    running, without vasopressin), vasopressin, o2_device (a word of O2_DEVICES), o2_flow (L/min),
    o2_for_airway (only to protect the airway), home_o2_device and home_o2_flow (chronic, before treatment),
    antipyretic, anticytokine and steroid (given against the syndrome since the last assessment: not the
    premedication), crs_death (death of which CRS is the principal cause). A column or a value that is
    missing is a sign that was not recorded as present.

    An episode starts with fever. From then on fever is no longer needed once something that masks it was
    given; it ends when no sign came back for ``new_episode_gap_h``.

    Gives one row per assessment: subject, hours, fever, organ_grade, grade (0 to 5; null without a time),
    episode (1, 2, … of each subject; null outside), query (NO_FEVER: signs outside an episode, investigator
    to attribute; AFEBRILE_UNMASKED: signs without fever that nothing masks; NO_TIME), o2_flow_assumed and
    both_causes.
    """
    require(assessments, ["subject", "hours"], "assessments")
    rows = _recorded(assessments)
    for name in ("o2_device", "home_o2_device"):
        require_words(rows, name, O2_DEVICES, "assessments")
    rows = _signs(rows, policy).sort("subject", "hours", ~pl.col("fever"), ~pl.col("treated"), "organ_grade")
    placed = rows.filter(pl.col("hours").is_not_null())
    unplaced = rows.filter(pl.col("hours").is_null()).with_columns(
        grade=pl.lit(None, dtype=pl.Int64),
        episode=pl.lit(None, dtype=pl.Int64),
        query=pl.lit("NO_TIME"),
    )
    return (
        pl.concat([_walk(placed, policy), unplaced])
        .select(
            "subject",
            "hours",
            "fever",
            "organ_grade",
            "grade",
            "episode",
            "query",
            "o2_flow_assumed",
            "both_causes",
        )
        .sort("subject", "hours", nulls_last=True, maintain_order=True)
    )


def _recorded(assessments: pl.DataFrame) -> pl.DataFrame:
    columns = [
        (pl.col(name) if name in assessments.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in _OPTIONAL.items()
    ]
    return assessments.select("subject", pl.col("hours").cast(pl.Float64).round(DECIMALS), *columns)


def _signs(rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    both = pl.col("both_causes").fill_null(False)
    other = pl.col("fever_other_cause").fill_null(False)
    other = other & ~both if policy.both_causes == "crs" else other | both
    return rows.with_columns(
        fever=is_fever(pl.col("temp_c"), other),
        organ_grade=organ_grade(policy).cast(pl.Int64),
        treated=pl.any_horizontal(pl.col("antipyretic", "anticytokine", "steroid").fill_null(False)),
        o2_flow_assumed=((pl.col("o2_device") == "NC") & pl.col("o2_flow").is_null()).fill_null(False),
        both_causes=both,
        crs_death=pl.col("crs_death").fill_null(False),
    )


def _walk(rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Walks all patients at once, one assessment of each at a time, for an open episode depends on the past.

    A loop over assessments, not over patients: each part of their state is one array.
    """
    hours, fever, organ, treated, death = (
        rows[name].to_numpy() for name in ("hours", "fever", "organ_grade", "treated", "crs_death")
    )
    patient = rows["subject"].rle_id().to_numpy()
    n_patients = rows["subject"].n_unique()
    last_sign, last_fever = np.full(n_patients, -np.inf), np.full(n_patients, -np.inf)
    masked, number = np.zeros(n_patients, dtype=np.bool_), np.zeros(n_patients, dtype=np.int64)
    grade, episode = np.zeros(rows.height, dtype=np.int64), np.zeros(rows.height, dtype=np.int64)
    unmasked, outside = np.zeros(rows.height, dtype=np.bool_), np.zeros(rows.height, dtype=np.bool_)
    for step in steps(rows["subject"]):
        who, now, hot, signs = patient[step], hours[step], fever[step], organ[step]
        is_open = now - last_sign[who] < policy.new_episode_gap_h
        within = is_open | hot | (death[step] & (number[who] > 0))
        number[who] += hot & ~is_open
        masked[who] = ((masked[who] & is_open) | treated[step]) & within
        counts = masked[who] | (policy.afebrile_unmasked == "open_episode")
        lingers = masked[who] & (now - last_fever[who] < policy.fever_memory_h)
        cool = np.where(signs > 0, np.where(counts, signs, 0), lingers)
        given = np.where(within, np.where(hot, np.maximum(signs, 1), cool), 0)
        grade[step] = np.where(death[step], 5, given)
        unmasked[step] = within & ~hot & (signs > 0) & ~masked[who] & ~death[step]
        outside[step] = ~within & ((signs > 0) | death[step])
        episode[step] = np.where(within & ((grade[step] > 0) | unmasked[step]), number[who], 0)
        last_sign[who] = np.where(grade[step] > 0, now, last_sign[who])
        last_fever[who] = np.where(hot, now, last_fever[who])
    query = np.where(outside, "NO_FEVER", np.where(unmasked, "AFEBRILE_UNMASKED", ""))
    return rows.with_columns(
        grade=pl.Series(grade),
        episode=pl.Series(episode).replace(0, None),
        query=pl.Series(query, dtype=pl.String).replace("", None),
    )
