"""Doses against the restart table of their regimen (project rules 2.4): what was due, and what was given."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.medicine.dosing import at_place, is_amount, is_dose, next_dose
from trialwright.standards.findings import findings
from trialwright.study.model import Regimen

_OF_DRUG: Final = ["USUBJID", "DRUG", "UNIT"]
_NEW: Final = pl.Schema(
    {
        "due": pl.Float64(),
        "since": pl.Int64(),
        "place": pl.Int64(),
        "listed": pl.Int64(),
        "in_step": pl.Int64(),
        "deviates": pl.Boolean(),
    }
)


def with_due(planned: pl.DataFrame, regimens: tuple[Regimen, ...]) -> pl.DataFrame:
    """The doses in their order, with ``due`` (null without a restart table), ``since`` (days from the last
    dose that counts), ``place`` of that dose in its step-up sequence, whether the amount ``deviates``, and
    ``in_step``: how many of the doses ``listed`` were given one after another, each at its amount.
    """
    numbered = planned.with_row_index("row")
    parts = [
        _of_regimen(numbered.filter(pl.col("regimen") == number), regimen)
        for number, regimen in enumerate(regimens)
    ]
    rest = numbered.filter(pl.col("regimen").is_null()).with_columns(
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in _NEW.items()
    )
    return pl.concat([*parts, rest], how="vertical").sort("row").drop("row")


def _of_regimen(doses: pl.DataFrame, regimen: Regimen) -> pl.DataFrame:
    sequence = [*_OF_DRUG, "STEPSEQ"]
    counts = is_dose(pl.col("AMOUNT"), pl.col("planned"))
    in_step = is_amount(pl.col("AMOUNT"), pl.col("planned")).fill_null(False)
    followed = (
        doses.with_columns(_counts=counts, _so_far=counts.cast(pl.Int64).cum_sum().over(sequence))
        .with_columns(
            place=_of_last_dose("_so_far"),
            since=(pl.col("ASTDT") - _of_last_dose("ASTDT")).dt.total_days(),
            listed=pl.lit(len(regimen.doses), dtype=pl.Int64),
            in_step=in_step.cast(pl.Int64).cum_prod().cum_sum().over(sequence),
        )
        .with_columns(due=_due(regimen))
        .with_columns(deviates=~is_amount(pl.col("AMOUNT"), pl.col("due")))
    )
    return followed.select(*doses.columns, *_NEW.names()).match_to_schema(
        {**doses.schema, **_NEW}, integer_cast="upcast"
    )


def _of_last_dose(column: str) -> pl.Expr:
    return pl.when("_counts").then(column).forward_fill().shift(1).over(_OF_DRUG)


def _due(regimen: Regimen) -> pl.Expr:
    """The first dose of the regimen first; then by the restart table, if there is one."""
    if not regimen.restart_after_days:
        return pl.lit(None, dtype=pl.Float64)
    gap = pl.col("since")
    if regimen.gap_basis == "days_past_schedule":
        gap = gap - at_place(pl.col("place"), _gaps(regimen))
    due = next_dose(pl.col("place"), gap, regimen.doses, regimen.restart_after_days)
    first = pl.int_range(pl.len()).over(_OF_DRUG) == 0
    return pl.when(first).then(pl.lit(float(regimen.doses[0]))).otherwise(due)


def _gaps(regimen: Regimen) -> list[float]:
    listed = [later - day for day, later in zip(regimen.days, regimen.days[1:], strict=False)]
    return [*listed, regimen.interval_days]


def deviations(planned: pl.DataFrame) -> pl.DataFrame:
    """Rows of ADEX: one for each dose that is not the one due."""
    return planned.filter("deviates").select(
        "USUBJID",
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
        planned.filter("deviates").rename({"SRCSEQ": "EXSEQ"}),
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
