"""Clocks of the questionnaires: when each scale first became worse, and what death and missing forms do."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.adam import events, policies
from trialwright.medicine import qlq_c30
from trialwright.study.model import Deterioration, Instrument, Study, Visit

ORIGINS: Final = {
    "randomisation": "RANDDT",
    "inclusion": "INCLDT",
    "first_dose": "TRTSDT",
    "baseline_form": "baseline_date",
}
_STOPS: Final = {
    "progression": "LAST FORM BEFORE PROGRESSION",
    "new_therapy": "LAST FORM BEFORE NEW ANTICANCER THERAPY",
}


def scales(
    study: Study, family: Deterioration, adsl: pl.DataFrame, adqs: pl.DataFrame, stops: pl.DataFrame
) -> pl.DataFrame:
    """What ``qlq_c30.deterioration`` says of each subject and scale, and the form that decided.

    ``stops``: the first progression and new therapy of each subject (columns of those names), after which
    forms do not count where the family says so.
    """
    instrument = next(i for i in study.instruments if i.id == family.instrument)
    mine = adqs.filter(
        (pl.col("PARCAT1") == family.instrument) & pl.col("PARAMCD").is_in(list(family.scales))
    ).select("USUBJID", "PARAMCD", "ADT", "AVAL", "AVISITN", "ABLFL", "ANL01FL", "SRCSEQ")
    people = adsl.select("USUBJID", "RANDDT", "DTHDT").join(
        _stopped(family, stops), on="USUBJID", how="left", maintain_order="left"
    )
    forms = _forms(_later_visits(study, instrument), people, mine)
    told = qlq_c30.deterioration(_with_everyone(family, people, forms, mine), policies.deterioration(family))
    baseline_date = mine.filter(pl.col("ABLFL") == "Y").select(
        subject="USUBJID", scale=_scale(), baseline_date="ADT"
    )
    key = ["subject", "scale"]
    return (
        told.join(baseline_date.unique(key, keep="first"), on=key, how="left", maintain_order="left")
        .join(
            forms.select(*key, "day", "seq").unique([*key, "day"], keep="first"),
            on=[*key, "day"],
            how="left",
            maintain_order="left",
        )
        .join(people.select(subject="USUBJID", stop="stop", stop_by="stop_by"), on="subject", how="left")
    )


def _scale() -> pl.Expr:
    """The word of ``medicine`` for a scale; ADQS calls the summary score SUM."""
    return pl.col("PARAMCD").replace({"SUM": "SUMMARY"})


def _later_visits(study: Study, instrument: Instrument) -> tuple[Visit, ...]:
    return tuple(visit for visit in study.schedule.days(instrument.activity) if visit.day > 0)


def _stopped(family: Deterioration, stops: pl.DataFrame) -> pl.DataFrame:
    """``stop`` and ``stop_by``: after this day forms do not count."""
    first = pl.min_horizontal(pl.lit(None, dtype=pl.Date), *family.forms_until)
    by = pl.lit(None, dtype=pl.String)
    for word in reversed(family.forms_until):
        by = pl.when(pl.col(word) == first).then(pl.lit(word)).otherwise(by)
    return stops.select("USUBJID", stop=first, stop_by=by)


def _forms(visits: tuple[Visit, ...], people: pl.DataFrame, mine: pl.DataFrame) -> pl.DataFrame:
    """Scheduled forms after baseline: subject, scale, visit (counted from 1), day, score, seq."""
    place = {float(visit.day): i for i, visit in enumerate(visits, start=1)}
    later = mine.filter(
        (pl.col("ANL01FL") == "Y") & pl.col("ABLFL").is_null() & pl.col("AVISITN").is_not_null()
    ).join(people, on="USUBJID", how="inner", maintain_order="left")
    return (
        later.filter((pl.col("ADT") <= pl.col("stop")).fill_null(True))
        .select(
            subject="USUBJID",
            scale=_scale(),
            visit=pl.col("AVISITN")
            .cast(pl.Float64)
            .replace_strict(place, default=None, return_dtype=pl.Int64),
            day=(pl.col("ADT") - pl.col("RANDDT")).dt.total_days(),
            score="AVAL",
            seq="SRCSEQ",
        )
        .filter(pl.col("visit").is_not_null())
    )


def _with_everyone(
    family: Deterioration, people: pl.DataFrame, forms: pl.DataFrame, mine: pl.DataFrame
) -> pl.DataFrame:
    """The forms as ``qlq_c30.deterioration`` takes them; everyone has at least one row of each scale."""
    codes = pl.DataFrame({"PARAMCD": list(family.scales)}, schema={"PARAMCD": pl.String})
    baseline = mine.filter(pl.col("ABLFL") == "Y").group_by("USUBJID", "PARAMCD").agg(pl.col("AVAL").first())
    keys = (
        people.select("USUBJID", died=pl.col("DTHDT").is_not_null())
        .join(codes, how="cross")
        .join(baseline, on=["USUBJID", "PARAMCD"], how="left", maintain_order="left")
        .select("died", subject="USUBJID", scale=_scale(), baseline="AVAL")
    )
    return keys.join(forms.drop("seq"), on=["subject", "scale"], how="left", maintain_order="left")


def clocks(study: Study, family: Deterioration, adsl: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """Where each scale's clock starts and stops; columns as in ADTTE, and ``scale``."""
    frame = adsl.select(
        *("USUBJID", "TRT01P", "DTHDT", "DTHDTF", "DTHSEQ", "RANDDT", "INCLDT", "TRTSDT")
    ).join(told, left_on="USUBJID", right_on="subject", how="inner", maintain_order="left")
    frame = frame.with_columns(STARTDT=pl.col(ORIGINS[family.origin]))
    if family.no_baseline == "exclude":
        frame = frame.filter(pl.col("baseline").is_not_null())
    if family.cannot_worsen == "exclude":
        frame = frame.filter(~pl.col("cannot_worsen").fill_null(False))
    none = pl.col("rule") == "no baseline"
    silent = pl.col("rule") == "no later form"
    at_once = pl.lit(False)
    if family.no_baseline == "event":
        at_once = at_once | none
    if family.no_later_form == "event":
        at_once = at_once | silent
    worse = pl.col("event")
    dead = ~worse & ~at_once & _dead(study, family)
    competing = dead & pl.lit(family.death == "competing")
    event = worse | at_once | (dead & ~competing)
    day = pl.col("RANDDT") + pl.duration(days=pl.col("day"))
    stopped = pl.when(pl.col("stop_by").is_not_null() & (pl.col("rule") == "no deterioration"))
    return frame.with_columns(
        ADT=pl.when(worse)
        .then(day)
        .when(at_once)
        .then("STARTDT")
        .when(dead)
        .then("DTHDT")
        .otherwise(pl.coalesce(day, "STARTDT")),
        CNSR=pl.when(event).then(0).when(competing).then(2).otherwise(1),
        EVNTDESC=pl.when(worse)
        .then(pl.lit("DETERIORATION"))
        .when(at_once)
        .then(_why_no_deterioration())
        .when(event)
        .then(pl.lit("DEATH")),
        CNSDTDSC=pl.when(competing)
        .then(pl.lit("DEATH BEFORE DETERIORATION"))
        .when(~event)
        .then(pl.coalesce(stopped.then(pl.col("stop_by").replace(_STOPS)), _why_no_deterioration())),
        ADTF=pl.when(dead).then("DTHDTF"),
        SRCDOM=pl.when(dead).then(pl.lit("DM")).otherwise(pl.lit("ADQS")),
        SRCVAR=pl.when(dead).then(pl.lit("DTHDTC")).otherwise(pl.lit("ADT")),
        SRCSEQ=pl.when(dead).then("DTHSEQ").when(~at_once).then("seq"),
        RULE=pl.when(dead & event).then(pl.lit("death counted as deterioration")).otherwise("rule"),
        CNWRSFL=pl.when("cannot_worsen").then(pl.lit("Y")),
    )


def _dead(study: Study, family: Deterioration) -> pl.Expr:
    """Whether a death without deterioration stops the clock: not where forms had stopped counting before."""
    if family.death == "censor_last_form":
        return pl.lit(False)
    in_time = pl.col("DTHDT").is_not_null() & (pl.col("DTHDT") <= pl.col("stop")).fill_null(True)
    if family.death != "event_within_two_intervals":
        return in_time
    instrument = next(i for i in study.instruments if i.id == family.instrument)
    last_form = pl.col("day").fill_null(0)
    waited = (pl.col("DTHDT") - pl.col("RANDDT")).dt.total_days() - last_form
    soon = waited <= events.two_intervals(_later_visits(study, instrument), last_form)
    return in_time & soon.fill_null(False)


def _why_no_deterioration() -> pl.Expr:
    return (
        pl.when(pl.col("rule") == "no baseline")
        .then(pl.lit("NO BASELINE SCORE"))
        .when(pl.col("rule") == "no later form")
        .then(pl.lit("NO SCORE AFTER BASELINE"))
        .when(pl.col("rule") == "deterioration after missed forms")
        .then(pl.lit("LAST FORM BEFORE MISSED FORMS AND DETERIORATION"))
        .otherwise(pl.lit("LAST FORM WITHOUT DETERIORATION"))
    )


def any_scale(rows: pl.DataFrame) -> pl.DataFrame:
    """The first event of any scale of each subject; without one, the clock that ran longest."""
    happened, day = pl.col("CNSR") == 0, pl.col("ADT").to_physical()
    return (
        rows.sort("USUBJID", ~happened, pl.when(happened).then(day).otherwise(-day), "scale")
        .unique("USUBJID", keep="first", maintain_order=True)
        .with_columns(
            RULE=pl.format("first of any scale: {}: {}", "scale", "RULE"),
            CNWRSFL=pl.lit(None, dtype=pl.String),
        )
    )
