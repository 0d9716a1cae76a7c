"""Doses against the restart table of their regimen (project rules 2.4): what was due, and what was given."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.adam.safety_common import count_since
from trialwright.medicine.dosing import at_place, is_amount, is_dose, next_dose
from trialwright.standards.findings import findings
from trialwright.study.model import Regimen

_STATE: Final = ("due", "since", "place", "listed", "in_step", "deviates")


def with_due(planned: pl.DataFrame, regimens: tuple[Regimen, ...]) -> pl.DataFrame:
    """The doses of each ``course`` in their order, with ``due`` (null without a restart table), ``since``
    (days from the last dose that counts), ``place`` of that dose in its step-up sequence, whether the amount
    ``deviates``, and ``in_step``: how many of the doses ``listed`` were given one after another, each at its
    amount. Null without a regimen.
    """
    listed = {number: len(regimen.doses) for number, regimen in enumerate(regimens)}
    another = pl.col("course").ne_missing(pl.col("course").shift(1))
    begins = another | pl.col("STEPSEQ").ne_missing(pl.col("STEPSEQ").shift(1))
    counts = is_dose(pl.col("AMOUNT"), pl.col("planned"))
    in_step = is_amount(pl.col("AMOUNT"), pl.col("planned")).fill_null(False)
    followed = pl.col("regimen").is_not_null()
    nth = pl.int_range(pl.len())
    last = pl.when(counts).then(nth).forward_fill().shift(1)
    return (
        planned.with_columns(
            _first=another,
            _last=pl.when(last >= pl.when(another).then(nth).forward_fill()).then(last),
            _so_far=count_since(counts, begins),
            _in_step=in_step & (count_since(~in_step, begins) == 0),
        )
        .with_columns(
            place=pl.when(followed).then(pl.col("_so_far").gather("_last")),
            since=pl.when(followed).then((pl.col("ASTDT") - pl.col("ASTDT").gather("_last")).dt.total_days()),
            listed=pl.col("regimen").replace_strict(listed, default=None, return_dtype=pl.Int64),
            in_step=pl.when(followed).then(count_since(pl.col("_in_step"), begins)),
        )
        .with_columns(due=_due_of_any(regimens))
        .with_columns(deviates=~is_amount(pl.col("AMOUNT"), pl.col("due")))
        .select(*planned.columns, *_STATE)
    )


def _due_of_any(regimens: tuple[Regimen, ...]) -> pl.Expr:
    due = pl.lit(None, dtype=pl.Float64)
    for number, regimen in enumerate(regimens):
        if regimen.restart_after_days:
            due = pl.when(pl.col("regimen") == number).then(_due(regimen)).otherwise(due)
    return due


def _due(regimen: Regimen) -> pl.Expr:
    """The first dose of the regimen first; then by the restart table."""
    gap = pl.col("since")
    if regimen.gap_basis == "days_past_schedule":
        gap = gap - at_place(pl.col("place"), _gaps(regimen))
    due = next_dose(pl.col("place"), gap, regimen.doses, regimen.restart_after_days)
    return pl.when("_first").then(pl.lit(float(regimen.doses[0]))).otherwise(due)


def _gaps(regimen: Regimen) -> list[float]:
    listed = [later - day for day, later in zip(regimen.days, regimen.days[1:], strict=False)]
    return [*listed, regimen.interval_days]


def deviations(planned: pl.DataFrame) -> pl.DataFrame:
    """Rows of ADEX: one for each dose that is not the one due."""
    return planned.filter("deviates").select(
        "who",
        "DOSENUM",
        "STEPSEQ",
        "SRCSEQ",
        PARAMCD=pl.lit("DOSEDEV"),
        PARCAT1="DRUG",
        ADT="ASTDT",
        ADTM="ASTDTM",
        AVAL="AMOUNT",
        AVALC=_given_and_due(),
        AVALU="UNIT",
        PLANNED="planned",
        DUE="due",
        GAP="since",
        SRCVAR=pl.lit("EXDOSE"),
        RULE=_why(),
    )


def not_due(planned: pl.DataFrame) -> pl.DataFrame:
    """The same as findings."""
    return findings(
        planned.filter("deviates").sort("row").rename({"SRCSEQ": "EXSEQ"}),
        dataset="EX",
        key=["USUBJID", "EXSEQ"],
        variable="EXDOSE",
        rule="not the dose due by the restart table",
        value=pl.format("{}; {}", _given_and_due(), _why()),
        action="as given",
    )


def _given_and_due() -> pl.Expr:
    return pl.format("{} {} given, {} due", _plain("AMOUNT"), "UNIT", _plain("due"))


def _why() -> pl.Expr:
    later = pl.format("{} days after the dose at place {} of its sequence", "since", "place")
    return pl.coalesce(later, pl.lit("the first dose"))


def _plain(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_suffix(".0")
