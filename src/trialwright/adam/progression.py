"""Clocks read at the last adequate assessment: what missed scans, other therapies and drop-out do to them.

Two published rule sets count differently: ``EMA_ITT`` counts every progression and death
(EMA/CHMP/27994/2008, appendix 1), ``FDA_CENSOR`` censors at the last adequate assessment (FDA, Clinical Trial
Endpoints, 2018, appendix 3). RULE names the set and the case, P1 to P20 (project rules 6.4): the situation
that decided, under either set.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.adam import events
from trialwright.study.model import Study, TimeToEvent

_LAST: Final = {"at": "date", "dom": "dom", "var": "var", "seq": "seq"}
_TIMES: Final = ("before", "stop")
_CASED: Final = ("progression", "death")
"""The events that the rule sets speak of."""
_NOT_STOPPED: Final = ("COMPLETED", "PROGRESSIVE DISEASE", "DEATH")
"""Ends of treatment that are not a stop for toxicity or another reason (P12)."""


def until_last_assessment(
    study: Study, clock: TimeToEvent, frame: pl.DataFrame, assessments: pl.DataFrame
) -> pl.DataFrame:
    """The event, or the last adequate assessment of those that the rule set lets count.

    ``frame``: one row per subject with STARTDT, the first event (null if none; SEENDT is its date before any
    shift to the schedule, NAME the study's word) and what ADSL says; ``assessments``: adequate ones, by date.
    """
    frame = _with_stop(clock, frame)
    seen = _since_start(frame, assessments)
    for name, condition in (
        ("any", pl.col("at") <= pl.col("CUTOFFDT")),
        ("before", pl.col("at") < pl.col("SEENDT")),
        ("stop", pl.col("at") <= pl.col("stop")),
    ):
        frame = frame.join(_last_that(seen, condition, name), on="USUBJID", how="left", maintain_order="left")
    happened = pl.col("ADT").is_not_null()
    strict = pl.lit(clock.rules == "FDA_CENSOR")
    cased = pl.col("NAME").is_in(_CASED)
    gap = (happened & cased & events.missed_two(study, _last_before(), _day("SEENDT"))).fill_null(False)
    frame = frame.with_columns(_happened=happened, _gap=gap, _stopped=strict & pl.col("stop").is_not_null())
    counts = pl.col("_happened") & ~pl.col("_stopped") & ~(strict & pl.col("_gap"))
    which = (
        pl.when(pl.col("_stopped"))
        .then(pl.lit("stop"))
        .when(pl.col("_happened") & ~counts)
        .then(pl.lit("before"))
        .otherwise(pl.lit("any"))
    )
    frame = frame.with_columns(_counts=counts, _which=which)
    return frame.with_columns(
        ADT=pl.when("_counts").then("ADT").otherwise(pl.coalesce(_last("date"), "STARTDT")),
        CNSR=pl.when("_counts").then(0).otherwise(1),
        EVNTDESC=pl.when("_counts").then("DESC"),
        CNSDTDSC=pl.when(~pl.col("_counts")).then(_why_censored()),
        SRCDOM=pl.when("_counts").then("SRCDOM").otherwise(_last("dom")),
        SRCVAR=pl.when("_counts").then("SRCVAR").otherwise(_last("var")),
        SRCSEQ=pl.when("_counts").then("SRCSEQ").otherwise(_last("seq")),
        RULE=_rule(study, clock),
        ADTF=pl.when("_counts").then("ADTF"),
    )


def _day(column: str) -> pl.Expr:
    return (pl.col(column) - pl.col("RANDDT")).dt.total_days()


def _last_before() -> pl.Expr:
    """The day from which scans could be missed: the last adequate assessment, else the start."""
    return pl.coalesce(_day("before_date"), _day("STARTDT"))


def _with_stop(clock: TimeToEvent, frame: pl.DataFrame) -> pl.DataFrame:
    """``stop``: another therapy (P11) or clinical progression (P13) strictly before the event, if any.

    What is itself an event of the clock stops nothing; on one day the event comes first (P16). ``stop_by`` is
    the study's word of the earlier of the two.
    """
    named = {"new_therapy": "NACTDT", "clinical_progression": "CLPDDT"}
    day = {
        word: pl.when((pl.col(column) < pl.col("SEENDT")).fill_null(True)).then(column)
        for word, column in named.items()
        if word not in clock.events
    }
    first = pl.min_horizontal(pl.lit(None, dtype=pl.Date), *day.values())
    by = pl.lit(None, dtype=pl.String)
    for word, when in reversed(day.items()):
        by = pl.when(when == first).then(pl.lit(word)).otherwise(by)
    return frame.with_columns(stop=first, stop_by=by)


def _since_start(frame: pl.DataFrame, assessments: pl.DataFrame) -> pl.DataFrame:
    """The adequate assessments from the start of the clock on, subject by subject and by date."""
    seen = assessments.select("USUBJID", at="ADT", dom="SRCDOM", var="SRCVAR", seq="SRCSEQ")
    return (
        frame.select("USUBJID", "STARTDT", "SEENDT", "CUTOFFDT", "stop")
        .join(seen, on="USUBJID", how="inner", maintain_order="left_right")
        .filter(pl.col("at") >= pl.col("STARTDT"))
    )


def _last_that(seen: pl.DataFrame, condition: pl.Expr, name: str) -> pl.DataFrame:
    """The last assessment of each subject that meets the condition."""
    return (
        seen.filter(condition)
        .filter(pl.col("USUBJID").ne_missing(pl.col("USUBJID").shift(-1)))
        .select("USUBJID", *(pl.col(old).alias(f"{name}_{new}") for old, new in _LAST.items()))
    )


def _last(part: str) -> pl.Expr:
    """The part of the last assessment that ``_which`` names."""
    value = pl.col(f"any_{part}")
    for name in _TIMES:
        value = pl.when(pl.col("_which") == name).then(f"{name}_{part}").otherwise(value)
    return value


def _why_censored() -> pl.Expr:
    where = (
        pl.when(~pl.col("baseline"))
        .then(pl.lit("NO BASELINE ASSESSMENT"))
        .when(_last("date").is_null())
        .then(pl.lit("NO ADEQUATE ASSESSMENT AFTER THE START"))
        .otherwise(pl.lit("LAST ADEQUATE TUMOUR ASSESSMENT"))
    )
    missed = pl.col("_which") == "before"
    why = (
        pl.when(pl.col("_which") == "stop")
        .then(
            pl.when(pl.col("stop_by") == "new_therapy")
            .then(pl.lit(" BEFORE NEW ANTICANCER THERAPY"))
            .otherwise(pl.lit(" BEFORE CLINICAL PROGRESSION"))
        )
        .when(missed & (pl.col("NAME") == "death"))
        .then(pl.lit(" BEFORE TWO OR MORE MISSED SCANS AND DEATH"))
        .when(missed)
        .then(pl.lit(" BEFORE TWO OR MORE MISSED SCANS AND PROGRESSION"))
        .when(pl.col("lost"))
        .then(pl.format(", {}", "EOSREAS"))
        .otherwise(pl.lit(""))
    )
    return where + why


def _rule(study: Study, clock: TimeToEvent) -> pl.Expr:
    case = pl.format("{}:{}", pl.lit(clock.rules or "EMA_ITT"), _case(study))
    other = pl.col("_counts") & ~pl.col("NAME").is_in(_CASED)
    return pl.when(other).then("RULE").otherwise(case)


def _case(study: Study) -> pl.Expr:
    """The situation that decided (project rules 6.4)."""
    death, none = pl.col("NAME") == "death", pl.col("before_date").is_null()
    stopped = pl.when(pl.col("stop_by") == "new_therapy").then(pl.lit("P11")).otherwise(pl.lit("P13"))
    dead = (
        pl.when(none & pl.col("_gap"))
        .then(pl.lit("P5"))
        .when(none)
        .then(pl.lit("P4"))
        .when(pl.col("_gap"))
        .then(pl.lit("P10"))
        .otherwise(pl.lit("P9"))
    )
    progressed = (
        pl.when(pl.col("_gap"))
        .then(pl.lit("P8"))
        .when((pl.col("NACTDT") == pl.col("SEENDT")).fill_null(False))
        .then(pl.lit("P16"))
        .when(pl.col("RULE") == "new_lesion_backdated")
        .then(pl.lit("P19"))
        .when(events.off_schedule(study, _day("SEENDT")))
        .then(pl.lit("P7"))
        .otherwise(pl.lit("P6"))
    )
    unseen = pl.when(pl.col("not_evaluable")).then(pl.lit("P18")).otherwise(pl.lit("P3"))
    followed = (
        pl.when(pl.col("any_date").is_null())
        .then(unseen)
        .when(pl.col("lost"))
        .then(pl.lit("P14"))
        .when((~pl.col("EOTREAS").is_in(_NOT_STOPPED)).fill_null(False))
        .then(pl.lit("P12"))
        .otherwise(pl.lit("P15"))
    )
    without = pl.when(pl.col("_happened") & death).then(pl.lit("P2")).otherwise(pl.lit("P1"))
    return (
        pl.when(pl.col("_stopped"))
        .then(stopped)
        .when(~pl.col("baseline"))
        .then(without)
        .when(pl.col("_happened") & death)
        .then(dead)
        .when(pl.col("_happened"))
        .then(progressed)
        .otherwise(followed)
    )
