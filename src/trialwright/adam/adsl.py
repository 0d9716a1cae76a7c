"""ADSL: one row per subject of DM, screen failures too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from trialwright.adam import facts
from trialwright.adam.anticancer import clinical_progression, first_therapy
from trialwright.adam.safety_common import Sdtm, flag, text
from trialwright.adam.vital_status import vital_status
from trialwright.standards import dates
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study
from trialwright.study.sources import Source

_REASONS = {
    "EOTREAS": "treatment_end_reason",
    "EOSREAS": "study_end_reason",
    "NTRTREAS": "not_treated_reason",
    "SCRFREAS": "screen_failure_reason",
}
_DATES = {
    "RFICDT": "consent",
    "INCLDT": "inclusion",
    "RANDDT": "randomisation",
    "EOTDT": "treatment_end",
    "EOSDT": "study_end",
}
_OPTIONAL = {"SWITCHDT": "switch"}
"""Columns that are there where the study names the fact."""
_ENDS = {"EOTREAS": "treatment_end", "EOSREAS": "study_end"}
"""A reason that is given after the cutoff has not been given."""


def build(study: Study, sdtm: Sdtm, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row per subject and the findings; what happened after the cutoff has not happened.

    Flags that need lesions, responses or questionnaires are N until ``with_derived_flags``.
    """
    subjects, found = _subjects(study, sdtm, cutoff)
    subjects, lives = vital_status(study, sdtm, subjects, cutoff)
    flagged = _flags(study, subjects).with_columns(CUTOFFDT=pl.lit(cutoff))
    return flagged, concat([found, lives, _order(subjects), _arms(subjects)])


def _subjects(study: Study, sdtm: Sdtm, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    dm = sdtm["DM"].unique("USUBJID", keep="first", maintain_order=True).sort("USUBJID")
    frame = dm.select(
        pl.lit(study.study.id).alias("STUDYID"),
        *(
            text(dm, name).alias(name)
            for name in ("USUBJID", "SUBJID", "SITEID", "COUNTRY", "SEX", "ARMCD", "ARM")
        ),
        (pl.col("AGE") if "AGE" in dm.columns else pl.lit(None)).cast(pl.Float64, strict=False).alias("AGE"),
        _died(dm).alias("_died"),
    )
    known = study.sources.facts
    frame, imprecise = _with_dates(study, sdtm, frame, cutoff)
    doses, odd_doses = _doses(study, sdtm, cutoff)
    therapy, odd_therapies = first_therapy(study, sdtm, doses, cutoff)
    for columns in (doses, therapy, clinical_progression(study, sdtm, cutoff)):
        frame = _join(frame, columns)
    for column, name in (("TRT01P", "arm"), ("_actual", "actual_arm")):
        frame = _join(
            frame, facts.pick(sdtm, known.get(name)).select("USUBJID", pl.col("value").alias(column))
        )
    frame, strata = _named(frame, sdtm, study, study.sources.strata)
    frame, baseline = _named(frame, sdtm, study, study.sources.baseline)
    arms = [arm.id for arm in study.arms]
    planned = pl.when(pl.col("TRT01P").is_in(arms)).then("TRT01P")
    actual = pl.when(pl.col("_actual").is_in(arms)).then("_actual")
    frame = frame.with_columns(
        TRT01P=planned,
        TRT01A=pl.when(pl.col("TRTSDT").is_not_null()).then(pl.coalesce(actual, planned)),
    ).drop("_actual")
    return frame, concat([strata, baseline, imprecise, odd_doses, odd_therapies])


def _died(dm: pl.DataFrame) -> pl.Expr:
    return (text(dm, "DTHFL") == "Y").fill_null(False)


def _join(frame: pl.DataFrame, columns: pl.DataFrame) -> pl.DataFrame:
    """The columns of each subject; those of everybody, in the same order, need not be looked up."""
    if columns.get_column("USUBJID").equals(frame.get_column("USUBJID")):
        return frame.with_columns(columns.drop("USUBJID"))
    return frame.join(columns, on="USUBJID", how="left", maintain_order="left")


def _with_dates(
    study: Study, sdtm: Sdtm, frame: pl.DataFrame, cutoff: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Named dates up to the cutoff, reasons given up to it, and the findings."""
    known, found = study.sources.facts, []
    day, later = dates.earliest(pl.col("value")), {}
    for column, name in (_DATES | {c: n for c, n in _OPTIONAL.items() if n in known}).items():
        picked = facts.pick(sdtm, known.get(name)).with_columns(day=day)
        later[name] = picked.filter(pl.col("day") > cutoff).select("USUBJID")
        dated = picked.filter(pl.col("day") <= cutoff)
        frame = _join(frame, dated.select("USUBJID", pl.col("day").alias(column)))
        if name in _NEVER_IMPUTED:
            found.append(_imprecise(dated, known.get(name), name))
    for column, name in _REASONS.items():
        given = facts.pick(sdtm, known.get(name)).select("USUBJID", pl.col("value").alias(column))
        if column in _ENDS:
            given = given.join(later[_ENDS[column]], on="USUBJID", how="anti")
        frame = _join(frame, given)
    return frame, concat(found)


_NEVER_IMPUTED = ("consent", "inclusion", "randomisation")


def _imprecise(picked: pl.DataFrame, source: Source | None, name: str) -> pl.DataFrame:
    """Dates that must never be imputed. The first day possible stands in, so that nobody is lost: a query."""
    return findings(
        picked.filter(dates.complete(pl.col("value")).is_null()),
        dataset=source.domain if source else "",
        key=["USUBJID", "SRCSEQ"],
        variable=source.variable if source else "",
        rule=f"{name.replace('_', ' ')} not known to the day",
        value="value",
        action="the first day possible is used; ask the site",
    )


_DOSES = pl.Schema(
    {
        "USUBJID": pl.String(),
        "TRTSDT": pl.Date(),
        "TRTSDTM": pl.Datetime("us"),
        "TRTEDT": pl.Date(),
    }
)


def _doses(study: Study, sdtm: Sdtm, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """First and last day of dosing, the time of the first dose where it is known, and the findings."""
    known = study.sources.facts
    first = known.get("first_dose")
    if first is None:
        return pl.DataFrame(schema=_DOSES), concat([])
    last, day, value = known.get("last_dose", first), pl.col("day"), pl.col("value")
    starts = facts.rows(_given(study, sdtm, first), first).with_columns(
        day=dates.earliest(value), time=dates.datetime(value)
    )
    ends = facts.rows(_given(study, sdtm, last), last).with_columns(day=dates.earliest(value))
    starts, ends = starts.filter(day <= cutoff), ends.filter(day <= cutoff)
    begun = starts.group_by("USUBJID").agg(
        day.min().alias("TRTSDT"), day.max().alias("_last"), pl.col("time").min().alias("TRTSDTM")
    )
    ended = ends.group_by("USUBJID").agg(day.max().alias("_end"))
    doses = begun.join(ended, on="USUBJID", how="left").with_columns(
        TRTEDT=pl.max_horizontal("_end", "_last"),
        TRTSDTM=pl.when(pl.col("TRTSDTM").dt.date() == pl.col("TRTSDT")).then("TRTSDTM"),
    )
    at_first = starts.join(begun, left_on=["USUBJID", "day"], right_on=["USUBJID", "TRTSDT"], how="semi")
    return doses.select(_DOSES.names()), _imprecise(at_first, first, "first_dose")


def _given(study: Study, sdtm: Sdtm, source: Source) -> dict[str, pl.DataFrame]:
    """The domain of doses without those of amount zero, where zero means not given."""
    frame = facts.matching(sdtm, source.domain, {})
    if study.sources.dose_given == "positive" and f"{source.domain}DOSE" in frame.columns:
        amount = pl.col(f"{source.domain}DOSE").cast(pl.Float64, strict=False)
        frame = frame.filter((amount > 0).fill_null(True))
    return {source.domain: frame}


def _named(
    frame: pl.DataFrame, sdtm: Sdtm, study: Study, sources: Mapping[str, Source]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One column per stratum or baseline characteristic; a value without a word is a finding and null."""
    numbers = {b.id for b in study.baseline if b.kind == "number"}
    levels = {s.id: [level.id for level in s.levels] for s in study.strata}
    levels |= {b.id: [level.id for level in b.levels] for b in study.baseline if b.levels}
    found = []
    for name, source in sources.items():
        picked = facts.pick(sdtm, source)
        value = pl.col("value")
        allowed = levels.get(name)
        strange = picked.filter(~value.is_in(allowed)) if allowed else picked.clear()
        found.append(_unknown_word(strange, source))
        found.append(_unknown_word(facts.unmapped(sdtm, source), source))
        if name in numbers:
            value = value.cast(pl.Float64, strict=False)
        elif allowed and name in {s.id for s in study.strata}:
            value = pl.when(value.is_in(allowed)).then(value)
        frame = _join(frame.drop(name, strict=False), picked.select("USUBJID", value.alias(name)))
    return frame, concat(found)


def _unknown_word(rows: pl.DataFrame, source: Source) -> pl.DataFrame:
    return findings(
        rows,
        dataset=source.domain,
        key=["USUBJID"],
        variable=source.variable,
        rule="a value that the study does not define",
        value="value",
        action="left out of the stratum or characteristic",
    )


def _order(frame: pl.DataFrame) -> pl.DataFrame:
    """Consent, randomisation and first dose come in this order; a violation is a query, not a correction."""
    pairs = (("RFICDT", "RANDDT"), ("INCLDT", "RANDDT"), ("RANDDT", "TRTSDT"), ("TRTSDT", "DTHDT"))
    return concat(
        findings(
            frame.filter((pl.col(before) > pl.col(after)).fill_null(False)),
            dataset="ADSL",
            key=["USUBJID"],
            variable=before,
            rule=f"{before} is after {after}",
            value=before,
            action="kept as reported",
        )
        for before, after in pairs
    )


def _arms(frame: pl.DataFrame) -> pl.DataFrame:
    without = frame.filter(pl.col("TRT01P").is_not_null() & pl.col("RANDDT").is_null())
    nowhere = frame.filter(pl.col("TRT01P").is_null() & pl.col("RANDDT").is_not_null())
    return concat(
        findings(
            rows,
            dataset="DM",
            key=["USUBJID"],
            variable="ARMCD",
            rule=rule,
            value="ARMCD",
            action="not counted as randomised",
        )
        for rows, rule in (
            (without, "an arm without a date of randomisation"),
            (nowhere, "a date of randomisation without an arm of the study"),
        )
    )


_RANDOMISED = pl.col("RANDDT").is_not_null() & pl.col("TRT01P").is_not_null()
_TREATED = pl.col("TRTSDT").is_not_null() & pl.col("TRT01A").is_not_null()
AT_ONCE = {
    "screened": pl.lit(True),
    "randomised": _RANDOMISED,
    "randomised_treated": _RANDOMISED & _TREATED,
    "treated": _TREATED,
}
"""Who belongs to a population that ADSL itself decides, by the study's word."""

DERIVED = ("randomised_measurable", "responders", "pro_evaluable")
"""The words of the populations that lesions, responses and questionnaires decide."""


def _flags(study: Study, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        flag(AT_ONCE.get(population.rule, pl.lit(False))).alias(population.flag)
        for population in study.populations
    ).with_columns(RANDDT=pl.when(_RANDOMISED).then("RANDDT"), TRT01P=pl.when(_RANDOMISED).then("TRT01P"))


def with_derived_flags(study: Study, adsl: pl.DataFrame, members: dict[str, pl.Series]) -> pl.DataFrame:
    """ADSL with the populations that the other datasets decide: rule word to the subjects it admits."""
    randomised = pl.col("RANDDT").is_not_null()
    return adsl.with_columns(
        flag(randomised & pl.col("USUBJID").is_in(members[population.rule].implode())).alias(population.flag)
        for population in study.populations
        if population.rule in members
    )
