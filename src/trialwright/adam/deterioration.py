"""Clocks of the questionnaires: when each scale first became worse, and what death and missing forms do."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.adam import events, policies
from trialwright.medicine import qlq_c30
from trialwright.medicine._frame import numbered_by
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


_SUBJECT: Final = ("USUBJID", "TRT01P", "DTHDT", "DTHDTF", "DTHSEQ", "RANDDT", "INCLDT", "TRTSDT")
_FORM: Final = ("USUBJID", "PARCAT1", "PARAMCD", "ADT", "AVAL", "AVISITN", "ABLFL", "ANL01FL", "SRCSEQ")


def scales(
    study: Study, family: Deterioration, adsl: pl.DataFrame, adqs: pl.DataFrame, stops: pl.DataFrame
) -> pl.DataFrame:
    """What ``qlq_c30.deterioration`` says of each subject and scale, and the form that decided.

    ``stops``: the first progression and new therapy of each subject (columns of those names), after which
    forms do not count where the family says so. With the columns of ADSL that ``clocks`` needs.
    """
    instrument = next(i for i in study.instruments if i.id == family.instrument)
    people = adsl.select(_SUBJECT).join(
        _stopped(family, stops), on="USUBJID", how="left", maintain_order="left"
    )
    codes = pl.DataFrame({"PARAMCD": list(family.scales)}, schema={"PARAMCD": pl.String})
    courses = (
        codes.select("PARAMCD", scale=_scale())
        .join(people, how="cross", maintain_order="left_right")
        .with_row_index("course")
    )
    mine = _of_courses(family, adqs, people)
    first = mine.filter(pl.col("ABLFL") == "Y").unique("course", keep="first", maintain_order=True)
    forms = _forms(_later_visits(study, instrument), mine)
    scored = (
        courses.select("course", "scale", died=pl.col("DTHDT").is_not_null())
        .join(first.select("course", baseline="AVAL"), on="course", how="left", maintain_order="left")
        .join(forms, on="course", how="left", maintain_order="left")
    )
    told = qlq_c30.deterioration(scored.rename({"course": "subject"}), policies.deterioration(family))
    return courses.join(told.drop("scale"), left_on="course", right_on="subject", maintain_order="left").join(
        first.select("course", baseline_date="ADT"), on="course", how="left", maintain_order="left"
    )


def _of_courses(family: Deterioration, adqs: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The forms that count, with the number of their ``course`` (one per scale and subject)."""
    place = {code: i for i, code in enumerate(family.scales)}
    mine = adqs.select(_FORM).filter(
        pl.col("PARCAT1") == family.instrument,
        pl.col("PARAMCD").is_in(list(place)),
        pl.col("ABLFL").is_not_null() | pl.col("ANL01FL").is_not_null(),
    )
    who, subjects = numbered_by(mine, ["USUBJID"], "who")
    known = people.select("USUBJID", "RANDDT", "stop").with_row_index("person")
    theirs = subjects.join(known, on="USUBJID", how="left", maintain_order="left")
    return (
        mine.hstack(theirs.select("person", "RANDDT", "stop")[who])
        .filter(pl.col("person").is_not_null())
        .with_columns(
            course=pl.col("PARAMCD").replace_strict(place, return_dtype=pl.UInt32) * people.height
            + pl.col("person")
        )
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


def _forms(visits: tuple[Visit, ...], mine: pl.DataFrame) -> pl.DataFrame:
    """Scheduled forms after baseline: course, visit (counted from 1), day, score, form."""
    place = {float(visit.day): i for i, visit in enumerate(visits, start=1)}
    counts = (
        (pl.col("ANL01FL") == "Y")
        & pl.col("ABLFL").is_null()
        & (pl.col("ADT") <= pl.col("stop")).fill_null(True)
    )
    visit = pl.col("AVISITN").cast(pl.Float64).replace_strict(place, default=None, return_dtype=pl.Int64)
    return mine.select(
        "course",
        visit=pl.when(counts).then(visit),
        day=(pl.col("ADT") - pl.col("RANDDT")).dt.total_days(),
        score="AVAL",
        form="SRCSEQ",
    ).filter(pl.col("visit").is_not_null())


def clocks(study: Study, family: Deterioration, told: pl.DataFrame) -> pl.DataFrame:
    """Where the clock of each of the family's scales starts and stops; columns as in ADTTE, and ``scale``."""
    frame = told.filter(pl.col("PARAMCD").is_in(list(family.scales))).with_columns(
        STARTDT=pl.col(ORIGINS[family.origin])
    )
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
        SRCSEQ=pl.when(dead).then("DTHSEQ").when(~at_once).then("form"),
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
            PARAMCD=pl.lit("ANY"),
            RULE=pl.format("first of any scale: {}: {}", "scale", "RULE"),
            CNWRSFL=pl.lit(None, dtype=pl.String),
        )
    )
