"""The named dates that a clock may use. Each is one row per subject (or per assessment) in one shape."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from trialwright.adam.adrs import Responses
from trialwright.study.model import Study, Visit

EVENT = pl.Schema(
    {
        "USUBJID": pl.String(),
        "ADT": pl.Date(),
        "DESC": pl.String(),
        "SRCDOM": pl.String(),
        "SRCVAR": pl.String(),
        "SRCSEQ": pl.Int64(),
        "RULE": pl.String(),
        "ADTF": pl.String(),
    }
)
"""A date, what happened, where it stands, the rule that said so, and which part of it was imputed."""


def deaths(adsl: pl.DataFrame, undated: str = "censor") -> pl.DataFrame:
    """Deaths up to the cutoff that have a date; those without too, where the word gives them the next day."""
    dated = _event(
        adsl.filter(pl.col("DTHDT").is_not_null()),
        ADT=pl.col("DTHDT"),
        DESC=pl.lit("DEATH"),
        SRCDOM=pl.lit("DM"),
        SRCVAR=pl.lit("DTHDTC"),
        SRCSEQ=pl.col("DTHSEQ"),
        RULE=pl.lit("death from any cause"),
        ADTF=pl.col("DTHDTF"),
    )
    if undated != "event_next_day":
        return dated
    dateless = adsl.filter((pl.col("DTHFL") == "Y") & pl.col("DTHDT").is_null())
    next_day = _event(
        dateless,
        ADT=pl.min_horizontal(pl.col("LSTALVDT") + pl.duration(days=1), "CUTOFFDT"),
        DESC=pl.lit("DEATH"),
        SRCDOM=pl.lit("DM"),
        SRCVAR=pl.lit("DTHFL"),
        RULE=pl.lit("death without a date: the day after the last day known alive"),
        ADTF=pl.lit("Y"),
    )
    return pl.concat([dated, next_day])


def new_therapies(adsl: pl.DataFrame) -> pl.DataFrame:
    """Starts of another anticancer therapy."""
    return _event(
        adsl.filter(pl.col("NACTDT").is_not_null()),
        ADT=pl.col("NACTDT"),
        DESC=pl.lit("NEW ANTICANCER THERAPY"),
        SRCDOM=pl.col("NACTDOM"),
        SRCVAR=pl.col("NACTVAR"),
        SRCSEQ=pl.col("NACTSEQ"),
        RULE=pl.lit("start of another anticancer therapy"),
        ADTF=pl.col("NACTDTF"),
    )


def clinical_progressions(adsl: pl.DataFrame) -> pl.DataFrame:
    """Progressions judged without imaging."""
    return _event(
        adsl.filter(pl.col("CLPDDT").is_not_null()),
        ADT=pl.col("CLPDDT"),
        DESC=pl.lit("CLINICAL PROGRESSION"),
        SRCDOM=pl.col("CLPDDOM"),
        SRCVAR=pl.col("CLPDVAR"),
        SRCSEQ=pl.col("CLPDSEQ"),
        RULE=pl.lit("progression without imaging"),
    )


def progressions(responses: Responses, adsl: pl.DataFrame) -> pl.DataFrame:
    """The first progression of each subject, as the study's assessor and basis have it."""
    first = (
        _dated(responses.points, adsl, "pd_day")
        .sort("ADT", "SRCSEQ")
        .unique("USUBJID", keep="first", maintain_order=True)
    )
    return _event(first, DESC=pl.lit("DISEASE PROGRESSION"), **_origin())


def adequate_assessments(responses: Responses, adsl: pl.DataFrame) -> pl.DataFrame:
    """Every assessment after baseline with an overall response other than NE."""
    adequate = responses.points.filter(pl.col("response") != "NE")
    return _event(_dated(adequate, adsl, "day"), DESC=pl.lit("LAST ADEQUATE TUMOUR ASSESSMENT"), **_origin())


def responses_from(responses: Responses, adsl: pl.DataFrame, confirmation: str) -> pl.DataFrame:
    """The start of response of each responder."""
    best = responses.best[confirmation].filter(pl.col("best_response").is_in(["CR", "PR"]))
    return _event(
        _dated(best, adsl, "response_day"),
        DESC=pl.lit(f"FIRST RESPONSE, {confirmation.upper()}"),
        SRCDOM=pl.lit("ADRS"),
        SRCVAR=pl.lit("ADT"),
        RULE=pl.col("rule"),
    )


def scheduled_between(study: Study, after: pl.Expr, before: pl.Expr) -> pl.Expr:
    """How many scheduled scans have their whole window strictly between two days from randomisation."""
    visits = [visit for visit in study.schedule.days(study.tumour_activity) if visit.day > 0]
    inside = [
        ((pl.lit(v.day - v.window) > after) & (pl.lit(v.day + v.window) < before)).fill_null(False)
        for v in visits
    ]
    return pl.sum_horizontal(pl.lit(0), *(one.cast(pl.Int64) for one in inside))


def missed_two(study: Study, after: pl.Expr, before: pl.Expr) -> pl.Expr:
    """Whether two scheduled scans in a row were missed between two days, as the study counts them.

    ``count``: at least two lie between with their whole window. ``days``: more than twice the interval and
    twice the window of the scan that is due next after the first day.
    """
    if study.response.missed == "count":
        return scheduled_between(study, after, before) >= 2
    visits = study.schedule.days(study.tumour_activity)
    return ((before - after) > two_intervals(visits, after)).fill_null(False)


def two_intervals(visits: Sequence[Visit], day: pl.Expr) -> pl.Expr:
    """Twice the interval and the window of the visit due next after a day; null without a schedule."""
    later = sorted((v for v in visits if v.day > 0), key=lambda v: v.day)
    if not later:
        return pl.lit(None, dtype=pl.Int64)
    starts = [0, *(v.day for v in later)]
    spans = [2 * (v.day - start) + 2 * v.window for start, v in zip(starts, later, strict=False)]
    steps = zip(starts[1:-1], spans, spans[1:], strict=False)
    grown = ((day >= start).cast(pl.Int64) * (new - old) for start, old, new in steps)
    return pl.sum_horizontal(pl.lit(spans[0]), *grown)


def next_scheduled(study: Study, day: pl.Expr) -> pl.Expr:
    """The day of the scheduled scan on or after a day; the day itself after the last one."""
    days = [visit.day for visit in study.schedule.days(study.tumour_activity) if visit.day > 0]
    due = pl.min_horizontal(pl.when(day <= scan).then(scan) for scan in days)
    return pl.coalesce(due, day) if days else day


def off_schedule(study: Study, day: pl.Expr) -> pl.Expr:
    """Whether a day lies in the window of no scheduled scan."""
    visits = study.schedule.days(study.tumour_activity)
    return ~pl.any_horizontal(
        pl.lit(False), *(day.is_between(v.day - v.window, v.day + v.window) for v in visits)
    )


def _dated(rows: pl.DataFrame, adsl: pl.DataFrame, day: str) -> pl.DataFrame:
    origin = adsl.select(subject="USUBJID", _origin="RANDDT")
    return (
        rows.filter(pl.col(day).is_not_null())
        .join(origin, on="subject", how="inner", maintain_order="left")
        .with_columns(ADT=pl.col("_origin") + pl.duration(days=pl.col(day)), USUBJID=pl.col("subject"))
    )


def _origin() -> dict[str, pl.Expr]:
    return {
        "SRCDOM": pl.col("SRCDOM"),
        "SRCVAR": pl.col("SRCVAR"),
        "SRCSEQ": pl.col("SRCSEQ"),
        "RULE": pl.col("rule"),
    }


def _event(rows: pl.DataFrame, **columns: pl.Expr) -> pl.DataFrame:
    filled = {name: pl.lit(None, dtype=dtype) for name, dtype in EVENT.items()}
    given = {"USUBJID": pl.col("USUBJID"), "ADT": pl.col("ADT") if "ADT" in rows.columns else pl.lit(None)}
    whole = filled | given | columns
    return rows.select(whole[name].cast(dtype).alias(name) for name, dtype in EVENT.items())
