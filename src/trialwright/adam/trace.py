"""The trace: what the datasets were made of and what was passed over, one row per fact, for all subjects.

Nothing is decided here. Rows come from the datasets and from the functions that made them; why a candidate
was passed over is read off what the dataset decided. What the cutoff hid is found by asking the same
functions again with a cutoff that hides nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from trialwright.adam import adqs, adrs, adsl, facts, trace_clocks, trace_forms, trace_scans
from trialwright.adam.build import Derived
from trialwright.adam.lesions import lesions
from trialwright.adam.safety_common import Sdtm
from trialwright.adam.trace_rows import KINDS, SCHEMA, World, rows, stack
from trialwright.standards import dates
from trialwright.study.model import Study

LATEST: Final = date(9999, 12, 31)
_DATES: Final = {
    "consent": "RFICDT",
    "inclusion": "INCLDT",
    "randomisation": "RANDDT",
    "first_dose": "TRTSDT",
    "last_dose": "TRTEDT",
    "treatment_end": "EOTDT",
    "clinical_progression": "CLPDDT",
    "new_therapy": "NACTDT",
    "study_end": "EOSDT",
    "last_known_alive": "LSTALVDT",
    "death": "DTHDT",
    "cutoff": "CUTOFFDT",
}
_SOURCE: Final = ("SRCDOM", "SRCVAR", "SRCSEQ")
_ORIGINS: Final = {
    "last_known_alive": ("LSTALVDM", "LSTALVVR", "LSTALVSQ"),
    "new_therapy": ("NACTDOM", "NACTVAR", "NACTSEQ"),
    "clinical_progression": ("CLPDDOM", "CLPDVAR", "CLPDSEQ"),
}
"""Where ADSL itself says in which record a date stands."""
_WHY: Final = {"treatment_end": "EOTREAS", "study_end": "EOSREAS"}
_SUBJECT: Final = ("TRT01P", "TRT01A", "SITEID", "COUNTRY", "AGE", "SEX", "NTRTREAS", "SCRFREAS")


def build(study: Study, sdtm: Sdtm, derived: Derived, cutoff: date) -> pl.DataFrame:
    """The trace of every subject of ADSL, in the order of the story; ``derived`` is that of the cutoff."""
    datasets = derived.datasets
    now = World(datasets["ADSL"], datasets["ADRS"], datasets["ADQS"], derived.seen, derived.responses)
    later = _later(study, sdtm, cutoff)
    parts = [
        *subject_facts(study, now.adsl),
        *key_dates(study, sdtm, now.adsl, later.adsl if later else None),
        *trace_scans.scans(study, sdtm, now, datasets["ADTR"], later),
        *trace_scans.best(study, now),
        *trace_clocks.clocks(study, now, datasets["ADTTE"], later),
        *trace_forms.forms(study, now, later),
    ]
    return in_order(study, stack(parts), now.adsl)


def _later(study: Study, sdtm: Sdtm, cutoff: date) -> World | None:
    """The same without a cutoff; None where no date of the data lies after it."""
    if not _anything_after(sdtm, cutoff):
        return None
    subjects, _ = adsl.build(study, sdtm, LATEST)
    seen, _ = lesions(study, sdtm, subjects, LATEST)
    responses_data, responses, _ = adrs.build(study, sdtm, subjects, seen, LATEST)
    forms, _ = adqs.build(study, sdtm, subjects, LATEST)
    return World(subjects, responses_data, forms, seen, responses)


def _anything_after(sdtm: Sdtm, cutoff: date) -> bool:
    return any(
        frame.select((dates.earliest(pl.col(name)) > cutoff).any()).item()
        for frame in sdtm.values()
        for name in frame.columns
        if name.endswith("DTC") and frame.schema[name] == pl.String
    )


def in_order(study: Study, trace: pl.DataFrame, subjects: pl.DataFrame) -> pl.DataFrame:
    """DAY from randomisation, and ORDER: the rows of each subject as the story tells them."""
    randomised = subjects.select("USUBJID", "RANDDT")
    places = {code: i for i, code in enumerate(study.endpoints.ids(), start=2)} | {
        "": 0,
        "BORC": 1,
        "BORU": 1,
    }
    assessors = {a.id: i for i, a in enumerate(study.sources.assessors, start=1)} | {
        study.response.assessor: 0
    }
    return (
        trace.join(randomised, on="USUBJID", how="left", maintain_order="left")
        .with_columns(
            DAY=dates.study_day(pl.col("DATE"), pl.col("RANDDT")).cast(pl.Int64),
            _place=pl.col("ENDPOINT").replace_strict(places, default=99, return_dtype=pl.Int64),
            _who=pl.col("PARQUAL").replace_strict(assessors, default=99, return_dtype=pl.Int64),
            _name=pl.when(pl.col("KIND") != "date").then("NAME"),
            _kind=pl.col("KIND").replace_strict({k: i for i, k in enumerate(KINDS)}, return_dtype=pl.Int64),
        )
        .sort("USUBJID", "_place", "_who", "DATE", "_kind", "_name", maintain_order=True)
        .with_columns(ORDER=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("USUBJID"))
        .select(SCHEMA.names())
    )


def subject_facts(study: Study, subjects: pl.DataFrame) -> list[pl.DataFrame]:
    """Arm, strata, populations, and why somebody was not randomised or not treated."""
    there = set(subjects.columns)
    parts = [
        rows(subjects.filter(pl.col(name).is_not_null()), "subject", NAME=name, VALUE=pl.col(name))
        for name in _SUBJECT
        if name in there
    ]
    parts += [
        rows(subjects.filter(pl.col("RANDDT").is_not_null()), "stratum", NAME=s.id, VALUE=pl.col(s.id))
        for s in study.strata
        if s.id in there
    ]
    parts += [
        rows(subjects, "population", NAME=p.id, USED=pl.col(p.flag).fill_null("N"))
        for p in study.populations
        if p.flag in there
    ]
    return parts


def key_dates(
    study: Study, sdtm: Sdtm, subjects: pl.DataFrame, later: pl.DataFrame | None
) -> list[pl.DataFrame]:
    """The named dates with the record each stands in; those after the cutoff, and a death without a date."""
    parts = [_dated(study, sdtm, subjects, name) for name in _DATES]
    undated = subjects.filter((pl.col("DTHFL") == "Y") & pl.col("DTHDT").is_null())
    parts.append(rows(undated, "date", NAME="death", USED="N", REASON="no_date"))
    if later is not None:
        parts += [
            _hidden(subjects, later, name)
            for name in _DATES
            if name not in ("last_known_alive", "cutoff", "last_dose")
        ]
    return parts


def _dated(study: Study, sdtm: Sdtm, subjects: pl.DataFrame, name: str) -> pl.DataFrame:
    column = _DATES[name]
    if name in _ORIGINS:
        origin = {part: pl.col(said) for part, said in zip(_SOURCE, _ORIGINS[name], strict=True)}
    else:
        picked = facts.pick(sdtm, study.sources.facts.get(name)).drop("value")
        subjects = subjects.join(picked, on="USUBJID", how="left", maintain_order="left")
        origin = {part: pl.col(part) for part in _SOURCE}
    flag = f"{column}F"
    imputed = pl.concat_str(pl.lit("imputed_"), pl.col(flag)) if flag in subjects.columns else None
    return rows(
        subjects.filter(pl.col(column).is_not_null()),
        "date",
        NAME=name,
        DATE=pl.col(column),
        VALUE=pl.col(_WHY[name]) if name in _WHY else None,
        WORD=imputed,
        **origin,
    )


def _hidden(subjects: pl.DataFrame, later: pl.DataFrame, name: str) -> pl.DataFrame:
    column = _DATES[name]
    absent = subjects.filter(pl.col(column).is_null()).select("USUBJID")
    return rows(
        later.join(absent, on="USUBJID", how="semi").filter(pl.col(column).is_not_null()),
        "date",
        NAME=name,
        DATE=pl.col(column),
        USED="N",
        REASON="after_cutoff",
    )
