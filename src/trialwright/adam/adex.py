"""ADEX: exposure. What was given, how long, how much of what the plan said.

Key USUBJID, PARAMCD, SRCSEQ. Dose rows (``DOSE``) are records of EX. Rows of a subject (``FDOSE``, ``LDOSE``,
``TRTDURD``, ``TRTDURW``, ``NDOSE``) and of a subject's drug (PARCAT1: ``CUMDOSE``, ``PLANDOSE``, ``RDI``,
``STEPUPFL``, ``STEPCOMP``, ``NSTEPUP``, ``NDELAY``, ``NSKIP``, ``NDOSEDEV``) carry the SRCSEQ of the first
record of the subject or drug (``LDOSE``: of the last). The plan is ``study.regimens``, dose by dose; of
several for a drug the one whose first dose is nearest the first given. Where it has none for an arm and drug,
or in another unit, the value is null and RULE says so. Where a regimen has a restart table, dose rows carry
the amount DUE and the days since the dose before, and each dose that is not the one due has a row DOSEDEV.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from trialwright.adam import restarts
from trialwright.adam.safety_common import Sdtm, because, doses, flag, in_order, sum_since
from trialwright.medicine._frame import numbered_by
from trialwright.medicine.dosing import is_amount
from trialwright.standards import dates, variables
from trialwright.standards.findings import concat
from trialwright.study.model import Regimen, Study

SCHEMA: Final = variables.dataset("ADEX").schema

PARAMS: Final = {
    "DOSE": "Dose",
    "FDOSE": "First dose",
    "LDOSE": "Last dose",
    "TRTDURD": "Days from the first to the last dose",
    "TRTDURW": "Weeks of treatment, the last interval included",
    "NDOSE": "Number of doses",
    "CUMDOSE": "Cumulative dose",
    "PLANDOSE": "Planned cumulative dose of as many doses",
    "RDI": "Relative dose intensity",
    "STEPUPFL": "Began with the step-up dose",
    "STEPCOMP": "Completed the step-up: every dose listed, at its amount",
    "NSTEPUP": "Number of step-up doses",
    "NDELAY": "Number of delayed doses",
    "NSKIP": "Number of doses late by a whole interval or more",
    "DOSEDEV": "Dose that is not the one due",
    "NDOSEDEV": "Number of doses that were not the ones due",
}

DELAYED_AFTER_DAYS: Final = 3
_NO_PLAN: Final = "the plan is not defined for this arm, drug and unit"
_OF_DRUG: Final = ["USUBJID", "DRUG", "UNIT"]
_PARAMCD: Final = pl.Enum(sorted(PARAMS))


def build(study: Study, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Exposure up to the cutoff, one row per subject, parameter and record; and what was wrong in EX."""
    given, found = doses(study, sdtm, adsl, cutoff)
    numbered = given.with_columns(who=pl.col("USUBJID").rle_id()).with_row_index("row")
    planned = restarts.with_due(_against_plan(numbered, study.regimens), study.regimens)
    parts = [
        _dose_rows(planned),
        restarts.deviations(planned),
        *_subject_rows(planned, study.study.day_offset),
        *_drug_rows(planned),
    ]
    rows = in_order(
        pl.concat(parts, how="diagonal").cast({"PARAMCD": _PARAMCD}), [], ["who", "PARAMCD", "SRCSEQ"]
    )
    subjects = (
        given.select("USUBJID")
        .unique(maintain_order=True)
        .join(adsl.select("USUBJID", "TRT01A", "TRTSDT"), on="USUBJID", how="left", maintain_order="left")
    )
    frame = (
        rows.hstack(subjects[rows["who"]])
        .with_columns(
            STUDYID=pl.lit(study.study.id),
            SAFFL=flag(pl.col("TRTSDT").is_not_null()),
            PARAM=pl.col("PARAMCD").replace_strict(PARAMS, return_dtype=pl.String),
            ADY=dates.study_day(pl.col("ADT"), pl.col("TRTSDT")),
            SRCDOM=pl.lit("EX"),
        )
        .cast({"PARAMCD": pl.String})
        .match_to_schema(SCHEMA, missing_columns="insert", extra_columns="ignore")
    )
    return frame, concat([found, restarts.not_due(planned)])


def _plan(regimens: tuple[Regimen, ...], longest: int) -> pl.DataFrame:
    """One row per regimen and administration: its amount, day, sum so far and gap to the next."""
    rows = [
        (number, k, *_nth(regimen, k))
        for number, regimen in enumerate(regimens)
        for k in range(1, longest + 1)
    ]
    kinds = (pl.Int64, pl.Int64, pl.Float64, pl.Int64, pl.Int64)
    names = ("regimen", "position", "planned", "day", "gap")
    plan = pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")
    return plan.with_columns(planned_sum=pl.col("planned").cum_sum().over("regimen"))


def _nth(regimen: Regimen, k: int) -> tuple[float, int, int]:
    """Amount, day and gap to the next of the k-th dose (from 1)."""
    amount = regimen.doses[min(k, len(regimen.doses)) - 1]
    return amount, _day(regimen, k), _day(regimen, k + 1) - _day(regimen, k)


def _regimens(regimens: tuple[Regimen, ...]) -> pl.DataFrame:
    """One row per regimen: whose it is, its number, interval, first dose, and step-up dose if it has one."""
    rows = [
        (r.arm, r.drug.upper(), r.unit.upper(), number, r.interval_days, r.doses[0],
         r.doses[0] if r.doses[0] < r.doses[-1] else None)
        for number, r in enumerate(regimens)
    ]  # fmt: skip
    names = ("TRT01A", "drug", "unit", "regimen", "interval", "begins", "step_up")
    kinds = (pl.String, pl.String, pl.String, pl.Int64, pl.Int64, pl.Float64, pl.Float64)
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


def _followed(drugs: pl.DataFrame, regimens: tuple[Regimen, ...]) -> pl.DataFrame:
    """The regimen of each subject's drug: of several that whose first dose is nearest the first given."""
    named = drugs.with_columns(drug=pl.col("DRUG").str.to_uppercase(), unit=pl.col("UNIT").str.to_uppercase())
    nearest = (pl.col("AMOUNT") - pl.col("begins")).abs()
    return (
        named.join(_regimens(regimens), on=["TRT01A", "drug", "unit"])
        .sort(nearest, "regimen", nulls_last=True)
        .unique("course", keep="first", maintain_order=True)
        .select("course", "regimen", "interval", "step_up")
    )


def _day(regimen: Regimen, k: int) -> int:
    beyond = max(0, k - len(regimen.days))
    return regimen.days[min(k, len(regimen.days)) - 1] + beyond * regimen.interval_days


def _against_plan(given: pl.DataFrame, regimens: tuple[Regimen, ...]) -> pl.DataFrame:
    """The doses, each with its place in the plan, its step-up sequence and how late it came.

    A step-up dose begins a sequence anew (label, restart after a missed dose); delay is the gap to the dose
    before less the planned gap at that dose's place.
    """
    course, keys = numbered_by(given, _OF_DRUG, "course")
    doses = given.with_columns(course).sort("course", maintain_order=True)
    drugs = keys.join(
        doses.group_by("course").agg(pl.col("TRT01A", "AMOUNT").first(), total=pl.col("GIVEN").sum()),
        on="course",
        how="left",
        maintain_order="left",
    )
    plan = _plan(regimens, int(drugs["total"].max() or 1))  # type: ignore[arg-type]
    upto = plan.select("regimen", "day", "planned_sum", total="position")
    of_drug = (
        drugs.select("course", "total")
        .join(_followed(drugs, regimens), on="course", how="left")
        .join(upto, on=["regimen", "total"], how="left")
    )
    at = plan.select("regimen", "position", "planned", "gap")
    another = pl.col("course").ne_missing(pl.col("course").shift(1))
    anew = another | pl.col("STEPSEQ").ne_missing(pl.col("STEPSEQ").shift(1))
    return (
        doses.join(of_drug, on="course", how="left", maintain_order="left")
        .with_columns(STEP=_is_step_up())
        .with_columns(
            STEPSEQ=pl.when(pl.col("step_up").is_not_null()).then(sum_since(pl.col("STEP"), another))
        )
        .with_columns(position=sum_since(pl.col("GIVEN"), anew) - pl.col("GIVEN") + 1)
        .join(at, on=["regimen", "position"], how="left", maintain_order="left")
        .with_columns(
            gap_before=pl.when(~another).then(pl.col("gap").shift(1)),
            since_last=pl.when(~another).then((pl.col("ASTDT") - pl.col("ASTDT").shift(1)).dt.total_days()),
        )
        .with_columns(late=pl.col("since_last") - pl.col("gap_before"))
    )


def _is_step_up() -> pl.Expr:
    return is_amount(pl.col("AMOUNT"), pl.col("step_up")).fill_null(False).cast(pl.Int64)


def _dose_rows(planned: pl.DataFrame) -> pl.DataFrame:
    off = ~is_amount(pl.col("AMOUNT"), pl.col("planned"))
    return planned.select(
        "who",
        "DOSENUM",
        "STEPSEQ",
        "SRCSEQ",
        PARAMCD=pl.lit("DOSE"),
        PARCAT1="DRUG",
        ADT="ASTDT",
        ADTM="ASTDTM",
        AVAL="AMOUNT",
        AVALU="UNIT",
        PLANNED="planned",
        DUE="due",
        GAP="since",
        DELAY="late",
        SRCVAR=pl.lit("EXDOSE"),
        RULE=because(
            pl.when(pl.col("planned").is_null()).then(pl.lit(_NO_PLAN)),
            pl.when(off).then(pl.lit("more than a tenth from the planned amount")),
            pl.when(pl.col("late") > DELAYED_AFTER_DAYS).then(pl.lit("delayed")),
            pl.when(pl.col("GIVEN") > 1).then(pl.format("{} administrations of this amount", "GIVEN")),
        ),
    )


def _subject_rows(planned: pl.DataFrame, day_offset: int) -> list[pl.DataFrame]:
    ended = pl.col("AENDT").is_not_null()
    columns = ("row", "who", "SRCSEQ", "GIVEN", "ASTDT", "ASTDTM", "AENDT", "interval")
    of = (
        planned.select(columns)
        .filter(pl.col("ASTDT").is_not_null())
        .sort("row")
        .with_columns(
            end=pl.coalesce("AENDT", "ASTDT"),
            variable=pl.when(ended).then(pl.lit("EXENDTC")).otherwise(pl.lit("EXSTDTC")),
        )
    )
    per_day = of.group_by("who", "ASTDT").agg(pl.col("GIVEN").max()).group_by("who")
    one = of.group_by("who", maintain_order=True).agg(
        SRCSEQ=pl.col("SRCSEQ").first(),
        first=pl.col("ASTDT").first(),
        first_time=pl.col("ASTDTM").first(),
        last=pl.col("end").max(),
        last_time=pl.col("ASTDTM").filter(pl.col("end") == pl.col("end").max()).last(),
        last_seq=pl.col("SRCSEQ").sort_by("end", "SRCSEQ").last(),
        last_variable=pl.col("variable").sort_by("end", "SRCSEQ").last(),
        interval=pl.col("interval").max(),
    )
    one = one.join(per_day.agg(n=pl.col("GIVEN").sum()), on="who", how="left", maintain_order="left")
    span = (pl.col("last") - pl.col("first")).dt.total_days()
    return [
        _row(one, "FDOSE", "EXSTDTC", ADT="first", ADTM="first_time", AVALC=pl.col("first").cast(pl.String)),
        _row(one, "LDOSE", "EXENDTC", ADT="last", ADTM="last_time", AVALC=pl.col("last").cast(pl.String))
        .with_columns(SRCSEQ=one["last_seq"], SRCVAR=one["last_variable"]),
        _row(
            one, "TRTDURD", "EXSTDTC", AVAL=span + day_offset, AVALU=pl.lit("DAYS"),
            RULE=pl.lit(f"last dose - first dose + {day_offset}"),
        ),
        _row(
            one, "TRTDURW", "EXSTDTC", AVAL=(span + pl.col("interval")) / 7, AVALU=pl.lit("WEEKS"),
            RULE=_if_planned(pl.col("interval"), "(last dose - first dose + planned interval) / 7"),
        ),
        _row(
            one, "NDOSE", "EXSTDTC", AVAL="n", AVALU=pl.lit("DOSES"),
            RULE=pl.lit("days on which dosing starts; a span of daily dosing counts each administration"),
        ),
    ]  # fmt: skip


def _drug_rows(doses: pl.DataFrame) -> list[pl.DataFrame]:
    one = doses.group_by("course", maintain_order=True).agg(
        pl.col("who", "DRUG", "UNIT").first(),
        SRCSEQ=pl.col("SRCSEQ").first(),
        total=pl.when(pl.col("AMOUNT").count() > 0).then((pl.col("AMOUNT") * pl.col("GIVEN")).sum()),
        unknown=pl.col("AMOUNT").is_null().sum(),
        span=(pl.max_horizontal(pl.col("ASTDT").max(), pl.col("AENDT").max()) - pl.col("ASTDT").min()),
        planned_sum=pl.col("planned_sum").first(),
        planned_days=pl.col("day").first() - 1 + pl.col("interval").first(),
        interval=pl.col("interval").first(),
        step_up=pl.col("step_up").first(),
        began=pl.col("STEP").first(),
        steps=pl.col("STEP").sum(),
        completed=(pl.col("in_step") >= pl.col("listed")).any(),
        deviating=pl.col("deviates").sum(),
        ruled=pl.col("due").is_not_null().any(),
        delayed=(pl.col("late") > DELAYED_AFTER_DAYS).sum(),
        skipped=(pl.col("late") >= pl.col("gap_before")).sum(),
    )
    amount = pl.col("UNIT")
    days = pl.col("span").dt.total_days() + pl.col("interval")
    intensity = 100 * (pl.col("total") / days) / (pl.col("planned_sum") / pl.col("planned_days"))
    unknown = pl.when(pl.col("unknown") > 0).then(pl.format("{} doses of unknown amount", "unknown"))
    planned, stepped = pl.col("interval").is_not_null(), pl.col("step_up").is_not_null()
    return [
        _row(
            one, "CUMDOSE", "EXDOSE", AVAL="total", AVALU=amount,
            RULE=because(pl.lit("sum of amounts"), unknown),
        ),
        _row(
            one, "PLANDOSE", "EXDOSE", AVAL="planned_sum", AVALU=amount,
            RULE=_if_planned(pl.col("interval"), "sum of the planned amounts of as many doses"),
        ),
        _row(
            one, "RDI", "EXDOSE", AVAL=intensity, AVALU=pl.lit("%"),
            RULE=because(
                _if_planned(pl.col("interval"), "given a day / planned a day, both with the last interval"),
                unknown,
            ),
        ),
        _row(one.filter(stepped), "STEPUPFL", "EXDOSE", AVALC=flag(pl.col("began") == 1)),
        _row(
            one.filter(stepped), "STEPCOMP", "EXDOSE", AVALC=flag(pl.col("completed")),
            RULE=pl.lit("Y: the doses listed in the regimen, one after another, each within a tenth"),
        ),
        _row(
            one.filter("ruled"), "NDOSEDEV", "EXDOSE", AVAL="deviating",
            RULE=pl.lit("more than a tenth from the amount due by the restart table"),
        ),
        _row(one.filter(stepped), "NSTEPUP", "EXDOSE", AVAL="steps"),
        _row(
            one.filter(planned), "NDELAY", "EXSTDTC", AVAL="delayed",
            RULE=pl.lit(f"more than {DELAYED_AFTER_DAYS} days late"),
        ),
        _row(
            one.filter(planned), "NSKIP", "EXSTDTC", AVAL="skipped",
            RULE=pl.lit("late by the planned interval or more"),
        ),
    ]  # fmt: skip


def _if_planned(plan: pl.Expr, rule: str) -> pl.Expr:
    return pl.when(plan.is_null()).then(pl.lit(_NO_PLAN)).otherwise(pl.lit(rule))


def _row(one: pl.DataFrame, paramcd: str, variable: str, **columns: str | pl.Expr) -> pl.DataFrame:
    drug = {"PARCAT1": "DRUG"} if "DRUG" in one.columns else {}
    named = {name: pl.col(c) if isinstance(c, str) else c for name, c in (drug | columns).items()}
    if "AVAL" in named:
        named["AVAL"] = named["AVAL"].cast(pl.Float64)
    return one.select("who", "SRCSEQ", PARAMCD=pl.lit(paramcd), SRCVAR=pl.lit(variable), **named)
