"""The named dates that a clock may use. Each is one row per subject (or per assessment) in one shape."""

from __future__ import annotations

import polars as pl

from trialwright.adam.adrs import Responses
from trialwright.study.model import Study

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


def deaths(adsl: pl.DataFrame) -> pl.DataFrame:
    """Deaths up to the cutoff that have a date."""
    return _event(
        adsl.filter(pl.col("DTHDT").is_not_null()),
        ADT=pl.col("DTHDT"),
        DESC=pl.lit("DEATH"),
        SRCDOM=pl.lit("DM"),
        SRCVAR=pl.lit("DTHDTC"),
        SRCSEQ=pl.col("DTHSEQ"),
        RULE=pl.lit("death from any cause"),
        ADTF=pl.col("DTHDTF"),
    )


def new_therapies(adsl: pl.DataFrame) -> pl.DataFrame:
    """Starts of another anticancer therapy."""
    return _event(
        adsl.filter(pl.col("NACTDT").is_not_null()),
        ADT=pl.col("NACTDT"),
        DESC=pl.lit("NEW ANTICANCER THERAPY"),
        SRCDOM=pl.lit("ADSL"),
        SRCVAR=pl.lit("NACTDT"),
        RULE=pl.lit("start of another anticancer therapy"),
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
