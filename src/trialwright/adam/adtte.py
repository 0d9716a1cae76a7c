"""ADTTE: one row per subject and clock. CNSR 0 is an event; a censored row says in words why.

Where assessments were missed or another therapy began, two published rule sets count differently: ``EMA_ITT``
counts every progression and death (EMA/CHMP/27994/2008, appendix 1), ``FDA_CENSOR`` censors at the last
adequate assessment (FDA, Clinical Trial Endpoints, 2018, appendix 3). RULE holds the case, P1 to P20 of the
rules page.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from trialwright.adam import events, policies
from trialwright.adam.adrs import Responses
from trialwright.medicine import qlq_c30
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Deterioration, Study, TimeToEvent

ORIGINS = {"randomisation": "RANDDT", "inclusion": "INCLDT", "first_dose": "TRTSDT"}
CATEGORY = {"last_known_alive": "OS", "last_adequate_assessment": "PFS"}
"""PARCAT1 by the word that says where a clock is read when no event stopped it."""
_ADTTE = pl.Schema(
    {
        "STUDYID": pl.String(),
        "USUBJID": pl.String(),
        "TRT01P": pl.String(),
        "PARAMCD": pl.String(),
        "PARAM": pl.String(),
        "PARCAT1": pl.String(),
        "STARTDT": pl.Date(),
        "ADT": pl.Date(),
        "ADTF": pl.String(),
        "AVAL": pl.Float64(),
        "AVALU": pl.String(),
        "CNSR": pl.Int64(),
        "EVNTDESC": pl.String(),
        "CNSDTDSC": pl.String(),
        "SRCDOM": pl.String(),
        "SRCVAR": pl.String(),
        "SRCSEQ": pl.Int64(),
        "RULE": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class Dates:
    """The named dates of all subjects, computed once for all clocks."""

    deaths: pl.DataFrame
    progressions: pl.DataFrame
    therapies: pl.DataFrame
    assessments: pl.DataFrame


def build(
    study: Study, adsl: pl.DataFrame, responses: Responses, adqs: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every clock of the study, and the findings."""
    dates = Dates(
        events.deaths(adsl),
        events.progressions(responses, adsl),
        events.new_therapies(adsl),
        events.adequate_assessments(responses, adsl),
    )
    randomised = adsl.filter(pl.col("RANDDT").is_not_null())
    frames = [_clock(study, clock, randomised, responses, dates) for clock in study.endpoints.time_to_event]
    frames += [_family(study, family, randomised, adqs) for family in study.endpoints.deterioration]
    adtte, backwards = _with_times(study, pl.concat([pl.DataFrame(schema=_ADTTE), *frames]))
    return adtte, concat(
        [backwards, *(_no_start(clock, randomised) for clock in study.endpoints.time_to_event)]
    )


def _no_start(clock: TimeToEvent, adsl: pl.DataFrame) -> pl.DataFrame:
    column = ORIGINS.get(clock.origin)
    return findings(
        adsl.filter(pl.col(column).is_null()) if column else adsl.clear(),
        dataset="ADTTE",
        key=["USUBJID"],
        variable=column or "",
        rule=f"no date of {clock.origin}, where the clock {clock.id} starts",
        value=pl.lit(None, dtype=pl.String),
        action="no row in ADTTE",
    )


def _clock(
    study: Study, clock: TimeToEvent, adsl: pl.DataFrame, responses: Responses, dates: Dates
) -> pl.DataFrame:
    starts = _starts(clock, adsl, responses)
    counted = _first_event(clock, dates)
    frame = starts.join(counted, on="USUBJID", how="left", maintain_order="left")
    if clock.censor_at == "last_known_alive":
        frame = _until_last_known_alive(frame)
    else:
        frame = _until_last_assessment(study, clock, frame, dates)
    category = "DOR" if clock.origin == "response" else CATEGORY[clock.censor_at]
    return _shaped(study, frame, clock.id, study.text(clock.label), category)


def _starts(clock: TimeToEvent, adsl: pl.DataFrame, responses: Responses) -> pl.DataFrame:
    """Those whose clock starts, with the start and what the censoring rules need."""
    kept = adsl.select(
        *("USUBJID", "TRT01P", "RANDDT", "DTHFL", "LSTALVDT", "LSTALVDM", "LSTALVVR", "LSTALVSQ"),
        *("EOSREAS", "CUTOFFDT", *dict.fromkeys(ORIGINS.values()) - {"RANDDT": None}.keys()),
    )
    if clock.origin != "response":
        column = ORIGINS[clock.origin]
        return kept.with_columns(STARTDT=pl.col(column)).filter(pl.col("STARTDT").is_not_null())
    began = events.responses_from(responses, adsl, clock.confirmation).select("USUBJID", STARTDT="ADT")
    return kept.join(began, on="USUBJID", how="inner", maintain_order="left")


def _first_event(clock: TimeToEvent, dates: Dates) -> pl.DataFrame:
    """The earliest of the clock's events; on one day the one that the study names first."""
    named = {"death": dates.deaths, "progression": dates.progressions, "new_therapy": dates.therapies}
    return (
        pl.concat([named[word].with_columns(_order=pl.lit(i)) for i, word in enumerate(clock.events)])
        .sort("ADT", "_order")
        .unique("USUBJID", keep="first", maintain_order=True)
        .drop("_order")
    )


def _until_last_known_alive(frame: pl.DataFrame) -> pl.DataFrame:
    """Censored at the last day known alive; a death without a date is censored too, and says so."""
    happened = pl.col("ADT").is_not_null()
    undated = (pl.col("DTHFL") == "Y") & ~happened
    last = pl.max_horizontal("LSTALVDT", "STARTDT")
    at_cutoff = pl.col("LSTALVDT") == pl.col("CUTOFFDT")
    why = (
        pl.when(undated)
        .then(pl.lit("DEATH WITHOUT A DATE, LAST KNOWN ALIVE"))
        .when(pl.col("EOSREAS").is_not_null() & (pl.col("EOSREAS") != "DEATH"))
        .then(pl.format("{}, LAST KNOWN ALIVE", "EOSREAS"))
        .when(at_cutoff)
        .then(pl.lit("ALIVE AT CUTOFF"))
        .otherwise(pl.lit("LAST KNOWN ALIVE BEFORE CUTOFF"))
    )
    return frame.with_columns(
        ADT=pl.when(happened).then("ADT").otherwise(last),
        CNSR=pl.when(happened).then(0).when(undated).then(2).otherwise(1),
        EVNTDESC=pl.when(happened).then("DESC"),
        CNSDTDSC=pl.when(~happened).then(why),
        SRCDOM=pl.when(happened).then("SRCDOM").otherwise("LSTALVDM"),
        SRCVAR=pl.when(happened).then("SRCVAR").otherwise("LSTALVVR"),
        SRCSEQ=pl.when(happened).then("SRCSEQ").otherwise("LSTALVSQ"),
        RULE=pl.when(happened).then("RULE").otherwise(pl.lit("last day known alive")),
    )


def _until_last_assessment(
    study: Study, clock: TimeToEvent, frame: pl.DataFrame, dates: Dates
) -> pl.DataFrame:
    """Censored at the last adequate assessment, of those that the rule set lets count."""
    frame = _with_last(frame, dates, pl.col("at") <= pl.col("CUTOFFDT"), "any")
    frame = _with_last(frame, dates, pl.col("at") < pl.col("ADT"), "before")
    happened = pl.col("ADT").is_not_null()
    frame = frame.join(
        dates.therapies.select("USUBJID", therapy="ADT"), on="USUBJID", how="left", maintain_order="left"
    )
    frame = _with_last(frame, dates, pl.col("at") <= pl.col("therapy"), "therapy")
    strict = pl.lit(clock.rules == "FDA_CENSOR")
    stopped, gap = strict & _stopped_by_therapy(), strict & happened & _after_gap(study)
    counts = happened & ~stopped & ~gap
    which = pl.when(stopped).then(pl.lit("therapy")).when(gap).then(pl.lit("before")).otherwise(pl.lit("any"))
    frame = frame.with_columns(_counts=counts, _which=which, _death=pl.col("DESC") == "DEATH")
    return frame.with_columns(
        ADT=pl.when("_counts").then("ADT").otherwise(pl.coalesce(_last("date"), "STARTDT")),
        CNSR=pl.when("_counts").then(0).otherwise(1),
        EVNTDESC=pl.when("_counts").then("DESC"),
        CNSDTDSC=pl.when(~pl.col("_counts")).then(_why_censored()),
        SRCDOM=pl.when("_counts").then("SRCDOM").otherwise(_last("dom")),
        SRCVAR=pl.when("_counts").then("SRCVAR").otherwise(_last("var")),
        SRCSEQ=pl.when("_counts").then("SRCSEQ").otherwise(_last("seq")),
        RULE=_case(clock),
        ADTF=pl.when("_counts").then("ADTF"),
    )


def _with_last(frame: pl.DataFrame, dates: Dates, condition: pl.Expr, name: str) -> pl.DataFrame:
    """Adds the last adequate assessment that meets the condition, from the start of the clock on."""
    seen = dates.assessments.select("USUBJID", at="ADT", dom="SRCDOM", var="SRCVAR", seq="SRCSEQ")
    last = (
        frame.join(seen, on="USUBJID", how="inner")
        .filter(condition & (pl.col("at") >= pl.col("STARTDT")))
        .sort("at", "seq")
        .unique("USUBJID", keep="last", maintain_order=True)
        .select("USUBJID", *(pl.col(old).alias(f"{name}_{new}") for old, new in _LAST.items()))
    )
    return frame.join(last, on="USUBJID", how="left", maintain_order="left")


_LAST = {"at": "date", "dom": "dom", "var": "var", "seq": "seq"}


def _last(part: str) -> pl.Expr:
    """The part of the last assessment that ``_which`` names."""
    value = pl.col(f"any_{part}")
    for name in ("before", "therapy"):
        value = pl.when(pl.col("_which") == name).then(f"{name}_{part}").otherwise(value)
    return value


def _stopped_by_therapy() -> pl.Expr:
    """Another therapy before the event, or without one (P11); not one of the same day (P16)."""
    started = pl.col("therapy").is_not_null() & (pl.col("therapy") <= pl.col("CUTOFFDT"))
    return (started & ((pl.col("therapy") < pl.col("ADT")) | pl.col("ADT").is_null())).fill_null(False)


def _after_gap(study: Study) -> pl.Expr:
    """Two or more scheduled scans in a row without an adequate assessment before the event (P5, P8, P10)."""
    last = (pl.col("before_date") - pl.col("RANDDT")).dt.total_days()
    start = (pl.col("STARTDT") - pl.col("RANDDT")).dt.total_days()
    event = (pl.col("ADT") - pl.col("RANDDT")).dt.total_days()
    return events.scheduled_between(study, pl.coalesce(last, start), event) >= 2


def _why_censored() -> pl.Expr:
    where = (
        pl.when(_last("date").is_null())
        .then(pl.lit("NO ADEQUATE ASSESSMENT AFTER THE START"))
        .otherwise(pl.lit("LAST ADEQUATE TUMOUR ASSESSMENT"))
    )
    why = (
        pl.when(pl.col("_which") == "therapy")
        .then(pl.lit(" BEFORE NEW ANTICANCER THERAPY"))
        .when((pl.col("_which") == "before") & pl.col("_death"))
        .then(pl.lit(" BEFORE TWO OR MORE MISSED SCANS AND DEATH"))
        .when(pl.col("_which") == "before")
        .then(pl.lit(" BEFORE TWO OR MORE MISSED SCANS AND PROGRESSION"))
        .otherwise(pl.lit(""))
    )
    return where + why


def _case(clock: TimeToEvent) -> pl.Expr:
    """The case of the rule set that decided."""
    death, seen = pl.col("_death"), pl.col("any_date").is_not_null()
    case = (
        pl.when(pl.col("_counts") & death & ~pl.col("before_date").is_not_null())
        .then(pl.lit("P4"))
        .when(pl.col("_counts") & death)
        .then(pl.lit("P9"))
        .when(pl.col("_counts"))
        .then(pl.lit("P6"))
        .when(pl.col("_which") == "therapy")
        .then(pl.lit("P11"))
        .when((pl.col("_which") == "before") & death & pl.col("before_date").is_null())
        .then(pl.lit("P5"))
        .when((pl.col("_which") == "before") & death)
        .then(pl.lit("P10"))
        .when(pl.col("_which") == "before")
        .then(pl.lit("P8"))
        .when(seen)
        .then(pl.lit("P15"))
        .otherwise(pl.lit("P3"))
    )
    return pl.format("{}:{}", pl.lit(clock.rules or "EMA_ITT"), case)


def _family(study: Study, family: Deterioration, adsl: pl.DataFrame, adqs: pl.DataFrame) -> pl.DataFrame:
    """The deterioration clocks of one instrument, scale by scale, for everyone randomised."""
    forms = _forms(study, family, adsl, adqs)
    told = qlq_c30.deterioration(forms, policies.deterioration(family))
    origin = ORIGINS.get(family.origin, "RANDDT")
    frame = adsl.select(
        "USUBJID", "TRT01P", "DTHDT", "DTHDTF", "DTHSEQ", "RANDDT", STARTDT=pl.col(origin)
    ).join(told, left_on="USUBJID", right_on="subject", how="inner", maintain_order="left")
    day = pl.col("RANDDT") + pl.duration(days=pl.col("day"))
    worse = pl.col("event")
    dead = ~worse & pl.col("DTHDT").is_not_null() & (family.death == "event")
    frame = frame.with_columns(
        ADT=pl.when(worse).then(day).when(dead).then("DTHDT").otherwise(pl.coalesce(day, "STARTDT")),
        CNSR=pl.when(worse | dead).then(0).otherwise(1),
        EVNTDESC=pl.when(worse).then(pl.lit("DETERIORATION")).when(dead).then(pl.lit("DEATH")),
        CNSDTDSC=pl.when(~worse & ~dead).then(_why_no_deterioration()),
        ADTF=pl.when(dead).then("DTHDTF"),
        SRCDOM=pl.when(dead).then(pl.lit("DM")).otherwise(pl.lit("ADQS")),
        SRCVAR=pl.when(dead).then(pl.lit("DTHDTC")).otherwise(pl.lit("ADT")),
        SRCSEQ=pl.when(dead).then("DTHSEQ"),
        RULE=pl.when(dead).then(pl.lit("death counted as deterioration")).otherwise("rule"),
    )
    label = study.text(family.label)
    parts = []
    for scale in family.scales:
        mine = frame.filter(pl.col("scale") == _scale(scale))
        parts.append(_shaped(study, mine, family.paramcd(scale), f"{label}: {scale}", "TTD"))
    return pl.concat(parts)


def _scale(code: str) -> str:
    return "SUMMARY" if code == "SUM" else code


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


def _forms(study: Study, family: Deterioration, adsl: pl.DataFrame, adqs: pl.DataFrame) -> pl.DataFrame:
    """Scheduled forms as ``qlq_c30.deterioration`` takes them; everyone has at least one row."""
    instrument = next(i for i in study.instruments if i.id == family.instrument)
    days = [visit.day for visit in study.schedule.days(instrument.activity) if visit.day > 0]
    place = {float(day): i for i, day in enumerate(days, start=1)}
    codes = list(family.scales)
    mine = adqs.filter((pl.col("PARCAT1") == family.instrument) & pl.col("PARAMCD").is_in(codes))
    later = mine.filter(
        (pl.col("ANL01FL") == "Y") & pl.col("ABLFL").is_null() & pl.col("AVISITN").is_not_null()
    ).join(adsl.select("USUBJID", "RANDDT"), on="USUBJID", how="inner", maintain_order="left")
    forms = later.select(
        subject="USUBJID",
        scale="PARAMCD",
        visit=pl.col("AVISITN").cast(pl.Float64).replace_strict(place, default=None, return_dtype=pl.Int64),
        day=(pl.col("ADT") - pl.col("RANDDT")).dt.total_days(),
        score="AVAL",
    ).filter(pl.col("visit").is_not_null())
    baseline = (
        mine.filter(pl.col("ABLFL") == "Y")
        .group_by("USUBJID", "PARAMCD")
        .agg(pl.col("AVAL").first())
        .rename({"USUBJID": "subject", "PARAMCD": "scale", "AVAL": "baseline"})
    )
    everyone = adsl.select(subject="USUBJID", died=pl.col("DTHDT").is_not_null()).join(
        pl.DataFrame({"scale": codes}, schema={"scale": pl.String}), how="cross"
    )
    return (
        everyone.join(forms, on=["subject", "scale"], how="left", maintain_order="left")
        .join(baseline, on=["subject", "scale"], how="left", maintain_order="left")
        .with_columns(scale=pl.col("scale").replace({"SUM": "SUMMARY"}))
    )


def _shaped(study: Study, frame: pl.DataFrame, paramcd: str, param: str, category: str) -> pl.DataFrame:
    constant = {
        "STUDYID": study.study.id,
        "PARAMCD": paramcd,
        "PARAM": param,
        "PARCAT1": category,
        "AVALU": "DAYS",
    }
    return frame.select(
        pl.lit(constant[name]).alias(name)
        if name in constant
        else (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in _ADTTE.items()
    )


def _with_times(study: Study, adtte: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """AVAL in days. A clock that would stop before it started has no time: a finding, never clipped."""
    days = (pl.col("ADT") - pl.col("STARTDT")).dt.total_days()
    backwards = days < 0
    found = findings(
        adtte.filter(backwards.fill_null(False)),
        dataset="ADTTE",
        key=["USUBJID", "PARAMCD"],
        variable="ADT",
        rule="the clock stops before it starts",
        value=pl.format("{} to {}", "STARTDT", "ADT"),
        action="row kept without a time; left out of the estimates, which say so",
    )
    timed = adtte.with_columns(
        AVAL=pl.when(~backwards).then((days + study.study.day_offset).cast(pl.Float64)),
        RULE=pl.when(backwards).then(pl.lit("stops before it starts")).otherwise("RULE"),
    )
    return timed, concat([found])
