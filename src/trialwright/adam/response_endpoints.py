"""The rows of ADRS that each subject has once: best responses, and the questions answered Y or N."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.adam.adtr import study_day
from trialwright.standards import variables
from trialwright.study.model import BestResponse, Study

BEST: Final = {
    "BORC": ("confirmed", "Best overall response, confirmed"),
    "BORU": ("unconfirmed", "Best overall response, unconfirmed"),
}
_ADRS: Final = variables.dataset("ADRS").schema


def shaped(study: Study, frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of ADRS; what a row does not have is null."""
    frame = frame.with_columns(STUDYID=pl.lit(study.study.id))
    return frame.select(
        pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in _ADRS.items()
    )


def everyone(adsl: pl.DataFrame) -> pl.DataFrame:
    """Whoever was randomised: the denominator of every response endpoint."""
    return adsl.filter(pl.col("RANDDT").is_not_null()).select("USUBJID", "RANDDT", "DTHDT")


def best_rows(people: pl.DataFrame, best: pl.DataFrame, assessor: str, code: str, param: str) -> pl.DataFrame:
    """Everyone has a row: without an assessment the best response is NE, for a stated reason."""
    mine = best.filter(pl.col("assessor") == assessor)
    frame = people.join(mine, left_on="USUBJID", right_on="subject", how="left", maintain_order="left")
    none = pl.col("best_response").is_null()
    early = pl.col("DTHDT").is_not_null()
    reason = pl.when(early).then(pl.lit("early_death")).otherwise(pl.lit("no_assessment"))
    return frame.select(
        "USUBJID",
        PARQUAL=pl.lit(assessor),
        PARAMCD=pl.lit(code),
        PARAM=pl.lit(param),
        ADT=pl.col("RANDDT") + pl.duration(days=pl.col("day")),
        ADY=study_day(),
        AVISITN=pl.lit(-1),
        AVALC=pl.col("best_response").fill_null("NE"),
        ANL01FL=pl.lit("Y"),
        SRCDOM=pl.when(~none).then(pl.lit("ADRS")),
        SRCVAR=pl.when(~none).then(pl.lit("OVRLRESP")),
        RULE=pl.when(none).then(reason).otherwise("rule"),
        NOTE="finding",
    )


def success_rows(
    study: Study, people: pl.DataFrame, best: pl.DataFrame, assessor: str, endpoint: BestResponse
) -> pl.DataFrame:
    """Y where the best response is one that the endpoint counts."""
    rows = best_rows(people, best, assessor, endpoint.id, study.text(endpoint.label))
    met = pl.col("AVALC").is_in(list(endpoint.success))
    return rows.with_columns(NOTE=pl.format("best response {}", "AVALC"), **_answer(met))


def at_day_rows(
    study: Study, people: pl.DataFrame, counted: pl.DataFrame, assessor: str, endpoint: BestResponse
) -> pl.DataFrame:
    """Y where a response that counts lies in the window of the day, neither progression nor death by then."""
    target = endpoint.at_day or 0
    inside = pl.col("day").is_between(target - endpoint.window_days, target + endpoint.window_days)
    success = inside & pl.col("response").is_in(list(endpoint.success))
    mine = (
        counted.filter(pl.col("assessor") == assessor)
        .group_by("subject")
        .agg(
            pl.col("day").filter(success).max().alias("day"),
            pl.col("pd_day").min().alias("pd"),
            pl.col("response").filter(inside).is_not_null().any().alias("_seen"),
        )
    )
    frame = people.join(mine, left_on="USUBJID", right_on="subject", how="left", maintain_order="left")
    until = pl.max_horizontal(pl.lit(target), "day")
    death = (pl.col("DTHDT") - pl.col("RANDDT")).dt.total_days()
    rule = (
        pl.when((pl.col("pd") <= until).fill_null(False))
        .then(pl.lit("progression_before"))
        .when((death <= until).fill_null(False))
        .then(pl.lit("death_before"))
        .when(pl.col("day").is_not_null())
        .then(pl.lit("controlled"))
        .when(pl.col("_seen").fill_null(False))
        .then(pl.lit("not_controlled_in_window"))
        .otherwise(pl.lit("no_assessment_in_window"))
    )
    return _rows(study, frame.with_columns(RULE=rule), assessor, endpoint, "controlled").with_columns(
        ADT=pl.col("RANDDT") + pl.duration(days=pl.col("day")), ADY=study_day()
    )


def lasting_rows(study: Study, adsl: pl.DataFrame, adtte: pl.DataFrame, assessor: str) -> pl.DataFrame:
    """Y where the response lasted so many months on the endpoint's clock; a censored shorter one is N.

    In the shape of ADRS, for the assessor whose clocks ``adtte`` holds; the rows to add once it is there.
    """
    people, parts = everyone(adsl), [pl.DataFrame(schema=_ADRS)]
    for endpoint in study.endpoints.best_response:
        if endpoint.lasting_months is None:
            continue
        least = endpoint.lasting_months * study.study.days_per_month
        clock = adtte.filter(pl.col("PARAMCD") == endpoint.duration).select(
            "USUBJID", "AVAL", "CNSR", end="ADT"
        )
        frame = people.join(clock, on="USUBJID", how="left", maintain_order="left")
        rule = (
            pl.when(pl.col("AVAL").is_null())
            .then(pl.lit("no_response"))
            .when(pl.col("AVAL") >= least)
            .then(pl.lit("lasted"))
            .when(pl.col("CNSR") == 0)
            .then(pl.lit("ended_before"))
            .otherwise(pl.lit("censored_before"))
        )
        rows = _rows(study, frame.with_columns(RULE=rule), assessor, endpoint, "lasted")
        parts.append(
            shaped(study, rows.with_columns(ADT="end", SRCDOM=pl.lit("ADTTE"), SRCVAR=pl.lit("AVAL")))
        )
    return pl.concat(parts)


def _rows(study: Study, frame: pl.DataFrame, assessor: str, endpoint: BestResponse, met: str) -> pl.DataFrame:
    return frame.with_columns(
        PARQUAL=pl.lit(assessor),
        PARAMCD=pl.lit(endpoint.id),
        PARAM=pl.lit(study.text(endpoint.label)),
        AVISITN=pl.lit(-1),
        ANL01FL=pl.lit("Y"),
        SRCDOM=pl.lit("ADRS"),
        SRCVAR=pl.lit("OVRLRESP"),
        **_answer(pl.col("RULE") == met),
    )


def _answer(met: pl.Expr) -> dict[str, pl.Expr]:
    return {"AVAL": met.cast(pl.Float64), "AVALC": pl.when(met).then(pl.lit("Y")).otherwise(pl.lit("N"))}
