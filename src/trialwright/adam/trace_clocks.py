"""The trace of the clocks: where each started and stopped, and every candidate that did not stop it."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.adam import events
from trialwright.adam.trace_rows import World, rows, stack
from trialwright.study.model import Schedule, Study, TimeToEvent

_STOPPING: Final = {"new_therapy": "P11", "clinical_progression": "P13"}
"""What stops the count under a case, without being an event."""


def clocks(study: Study, now: World, adtte: pl.DataFrame, later: World | None) -> list[pl.DataFrame]:
    """Each clock of everyone randomised: start, stop, candidates, and to whom it does not apply."""
    parts = []
    for clock in study.endpoints.time_to_event:
        mine = adtte.filter(pl.col("PARAMCD") == clock.id)
        parts += [
            *ends(mine, clock.id, clock.origin),
            _absent(now, mine, clock),
            _judged(study, now, clock, mine),
            _unused_assessments(now, clock, mine),
        ]
        if later is not None:
            parts.append(_after_cutoff(now, clock, mine, later))
    for family in study.endpoints.deterioration:
        for code in (family.paramcd(scale) for scale in (*family.scales, "ANY")):
            mine = adtte.filter(pl.col("PARAMCD") == code)
            parts += [*ends(mine, code, family.origin), _death_after_forms(now, mine, code)]
    return parts


def ends(mine: pl.DataFrame, code: str, origin: str) -> list[pl.DataFrame]:
    """The start and the stop of a clock, as its row of ADTTE has them."""
    event = pl.col("CNSR") == 0
    return [
        rows(mine, "start", ENDPOINT=code, NAME=origin, DATE=pl.col("STARTDT")),
        rows(
            mine,
            "stop",
            ENDPOINT=code,
            NAME=pl.when(event).then(pl.lit("event")).otherwise(pl.lit("censored")),
            DATE=pl.col("ADT"),
            VALUE=pl.coalesce("EVNTDESC", "CNSDTDSC"),
            AVAL=pl.col("AVAL"),
            WORD=pl.col("RULE"),
            REASON=pl.col("ADTF"),
            NOTE=pl.when(pl.col("CNWRSFL") == "Y").then(pl.lit("cannot_worsen")),
            **_source(),
        ),
    ]


def _source() -> dict[str, pl.Expr]:
    return {name: pl.col(name) for name in ("SRCDOM", "SRCVAR", "SRCSEQ")}


def _candidates(world: World, clock: TimeToEvent) -> pl.DataFrame:
    """Every dated happening that may stop a clock, under the study's word for it."""
    named = {
        "death": events.deaths(world.adsl, clock.undated_death),
        "progression": events.progressions(world.responses, world.adsl),
        "clinical_progression": events.clinical_progressions(world.adsl),
        "new_therapy": events.new_therapies(world.adsl),
    }
    if "response" in clock.events:
        named["response"] = events.responses_from(world.responses, world.adsl, clock.confirmation)
    ended = world.adsl.filter(pl.col("EOTDT").is_not_null()).select(
        "USUBJID",
        ADT="EOTDT",
        DESC=pl.lit("END OF TREATMENT"),
        SRCDOM=pl.lit("ADSL"),
        SRCVAR=pl.lit("EOTDT"),
        RULE="EOTREAS",
    )
    named["treatment_end"] = ended.match_to_schema(events.EVENT, missing_columns="insert")
    frames = [frame.with_columns(NAME=pl.lit(name)) for name, frame in named.items()]
    return pl.concat(frames)


def _judged(study: Study, now: World, clock: TimeToEvent, mine: pl.DataFrame) -> pl.DataFrame:
    """Each candidate as the row of ADTTE decided: it stopped the clock, or why it did not.

    An event of the clock that lies before its stop, or by a censored clock, was passed over by the case that
    RULE names.
    """
    row = mine.select("USUBJID", "STARTDT", "CNSR", "EVNTDESC", case="RULE", stop="ADT")
    origin = now.adsl.select("USUBJID", "RANDDT")
    frame = _candidates(now, clock).join(row, on="USUBJID", how="inner", maintain_order="left")
    frame = frame.join(origin, on="USUBJID", how="left", maintain_order="left")
    event = pl.col("CNSR") == 0
    counted = event & (pl.col("EVNTDESC") == pl.col("DESC"))
    decided = pl.col("NAME").replace_strict(_STOPPING, default=None, return_dtype=pl.String)
    decided = ~event & pl.col("case").str.ends_with(decided)
    why = (
        pl.when(counted)
        .then(pl.lit(""))
        .when(decided)
        .then(pl.lit("stops_the_count"))
        .when(pl.col("ADT") < pl.col("STARTDT"))
        .then(pl.lit("before_start"))
        .when(~pl.col("NAME").is_in(list(clock.events)))
        .then(pl.lit("no_event_of_clock"))
        .when(~event | (pl.col("ADT") < pl.col("stop")))
        .then(pl.lit("by_case"))
        .when(pl.col("ADT") == pl.col("stop"))
        .then(pl.lit("same_day"))
        .otherwise(pl.lit("later_than_event"))
    )
    frame = frame.with_columns(_why=why, _missed=_missed(study))
    used = pl.col("_why").is_in(["", "stops_the_count"])
    return rows(
        frame,
        "candidate",
        ENDPOINT=clock.id,
        NAME=pl.col("NAME"),
        DATE=pl.col("ADT"),
        VALUE=pl.when((pl.col("_why") == "by_case") & (pl.col("_missed") != "")).then("_missed"),
        WORD=pl.col("RULE"),
        USED=pl.when(used).then(pl.lit("Y")).otherwise(pl.lit("N")),
        REASON=pl.when(pl.col("_why") != "").then("_why"),
        **_source(),
    )


def _missed(study: Study) -> pl.Expr:
    """The scheduled scans between where the clock stopped and the candidate, as the rule counts them."""
    origin = pl.col("RANDDT")
    stop, candidate = ((pl.col(day) - origin).dt.total_days() for day in ("stop", "ADT"))
    activity = study.tumour_activity
    named = []
    for visit in study.schedule.days(activity):
        alone = Schedule(visits=(visit,), activities={activity: (visit.id,)})
        one = study.model_copy(update={"schedule": alone})
        named.append(pl.when(events.scheduled_between(one, stop, candidate) > 0).then(pl.lit(visit.id)))
    return pl.concat_str(named or [pl.lit("")], separator=", ", ignore_nulls=True)


def _unused_assessments(now: World, clock: TimeToEvent, mine: pl.DataFrame) -> pl.DataFrame:
    """Assessments of a censored clock that lie after its stop, and those that could not be evaluated."""
    if clock.censor_at != "last_adequate_assessment":
        return stack([])
    adequate = events.adequate_assessments(now.responses, now.adsl).select(
        "USUBJID", "ADT", good=pl.lit(True)
    )
    points = now.responses.points.rename({"subject": "USUBJID"}).join(
        now.adsl.select("USUBJID", "RANDDT"), on="USUBJID", how="inner", maintain_order="left"
    )
    points = points.with_columns(ADT=pl.col("RANDDT") + pl.duration(days=pl.col("day")))
    frame = (
        points.join(mine.filter(pl.col("CNSR") > 0).select("USUBJID", stop="ADT"), on="USUBJID", how="inner")
        .filter(pl.col("ADT") > pl.col("stop"))
        .join(adequate.unique(), on=["USUBJID", "ADT"], how="left", maintain_order="left")
    )
    why = pl.when(pl.col("good").is_null()).then(pl.lit("not_evaluable")).otherwise(pl.lit("by_case"))
    return rows(
        frame.unique(["USUBJID", "ADT"], maintain_order=True),
        "assessment",
        ENDPOINT=clock.id,
        AVISIT=pl.col("AVISIT"),
        DATE=pl.col("ADT"),
        VALUE=pl.col("response"),
        USED="N",
        REASON=why,
        **_source(),
    )


def _absent(now: World, mine: pl.DataFrame, clock: TimeToEvent) -> pl.DataFrame:
    """Those randomised without a row: the clock never started for them."""
    randomised = now.adsl.filter(pl.col("RANDDT").is_not_null())
    without = randomised.join(mine.select("USUBJID"), on="USUBJID", how="anti", maintain_order="left")
    responders = clock.origin == "response" or clock.among == "responders"
    reason = "no_response" if responders else "no_start"
    return rows(without, "absent", ENDPOINT=clock.id, NAME=clock.origin, USED="N", REASON=reason)


def _after_cutoff(now: World, clock: TimeToEvent, mine: pl.DataFrame, later: World) -> pl.DataFrame:
    cutoff = now.adsl.select("USUBJID", "CUTOFFDT")
    hidden = _candidates(later, clock).filter(pl.col("NAME").is_in(list(clock.events)))
    after = hidden.join(cutoff, on="USUBJID", how="inner", maintain_order="left")
    after = after.filter(pl.col("ADT") > pl.col("CUTOFFDT")).join(mine, on="USUBJID", how="semi")
    return rows(
        after,
        "candidate",
        ENDPOINT=clock.id,
        NAME=pl.col("NAME"),
        DATE=pl.col("ADT"),
        USED="N",
        REASON="after_cutoff",
        **_source(),
    )


def _death_after_forms(now: World, mine: pl.DataFrame, code: str) -> pl.DataFrame:
    """A death of a clock of deterioration: it counted, it competed (and stopped it), or it did neither."""
    row = mine.select("USUBJID", "CNSR", "EVNTDESC", "CNSDTDSC")
    frame = events.deaths(now.adsl).join(row, on="USUBJID", how="inner", maintain_order="left")
    counted = (pl.col("CNSR") == 0) & (pl.col("EVNTDESC") == pl.col("DESC"))
    later = (pl.col("CNSR") == 0) & ~counted
    competed = (pl.col("CNSDTDSC") == "DEATH BEFORE DETERIORATION").fill_null(False)
    why = (
        pl.when(later)
        .then(pl.lit("later_than_event"))
        .when(competed)
        .then(pl.lit("stops_the_count"))
        .when(~counted)
        .then(pl.lit("no_event_of_clock"))
    )
    return rows(
        frame,
        "candidate",
        ENDPOINT=code,
        NAME="death",
        DATE=pl.col("ADT"),
        USED=pl.when(counted | competed).then(pl.lit("Y")).otherwise(pl.lit("N")),
        REASON=why,
        **_source(),
    )
