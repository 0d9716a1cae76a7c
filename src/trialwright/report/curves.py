"""Kaplan–Meier figures from ADTTE: who is in the population, under which arm, and how the curve runs."""

from __future__ import annotations

import numpy as np
import polars as pl

from trialwright.report.addresses import Number
from trialwright.report.context import Context
from trialwright.report.figures import Axis, Curve, Figure, Key, km
from trialwright.report.palette import looks
from trialwright.stats.survival import KaplanMeier, kaplan_meier
from trialwright.study.model import Analysis

_LEAST, _TENTH = 5, 0.1
_BAND = 10  # patients: with fewer, a band would hide the curves and say nothing


def curve_figure(context: Context, analysis: Analysis, caption: str, prefix: str) -> Figure | None:
    """The curves of one analysis, its numbers in the legend; None where no arm has a patient."""
    times = _times(context, analysis)
    look = looks(context.study)
    curves: list[Curve] = []
    keys: list[Key] = []
    absent: list[str] = []
    for arm in context.arms:
        label = context.label(arm.id)
        mine = times.filter(pl.col("arm") == arm.id)
        if mine.is_empty():
            reason = context.language("note:no_rows")
            absent.append(context.language("note:km_no_curve", arm=label, reason=reason))
            continue
        fitted = kaplan_meier(
            mine["AVAL"].to_numpy(), mine["event"].to_numpy(), confidence=context.language.confidence
        )
        curves.append(_curve(context, fitted, label, arm.id, mine.height))
        keys.append(Key(label, _events(context, analysis, arm.id), look[arm.id]))
    if not curves:
        return None
    say = context.language
    medians = " ".join(f"{key.label}: {key.value}." for key in keys)
    axis = Axis(say("event_free_percent"), _time_axis(context, analysis), say("numbers_at_risk"))
    return Figure(
        caption=caption,
        svg=km(curves, axis, prefix, say("alt:km", outcome=caption, medians=medians)),
        keys=tuple(keys),
        says=tuple(_comparison(context, analysis)),
        notes=(
            say("note:population", population=context.population(analysis.population)),
            say("note:km", ci=say.ci),
            *absent,
        ),
    )


def _times(context: Context, analysis: Analysis) -> pl.DataFrame:
    """``arm``, AVAL in days and ``event`` of the members of the population who have a time."""
    adsl = context.datasets.get("ADSL")
    adtte = context.datasets.get("ADTTEA" if analysis.assessor else "ADTTE")
    population = context.study.population(analysis.population)
    arm = "TRT01P" if population.grouped_by == "planned" else "TRT01A"
    if adsl is None or adtte is None or not {population.flag, arm} <= set(adsl.columns):
        return pl.DataFrame(schema={"arm": pl.String, "AVAL": pl.Float64, "event": pl.Boolean})
    members = adsl.filter(pl.col(population.flag) == "Y").select("USUBJID", arm=pl.col(arm))
    if analysis.assessor:
        adtte = adtte.filter(pl.col("PARQUAL") == analysis.assessor)
    return (
        adtte.filter(
            pl.col("PARAMCD") == analysis.endpoint, pl.col("AVAL") >= 0, pl.col("CNSR").is_not_null()
        )
        .join(members, on="USUBJID", how="inner", maintain_order="left")
        .select("arm", pl.col("AVAL").cast(pl.Float64), event=pl.col("CNSR") == 0)
    )


def _curve(context: Context, fitted: KaplanMeier, label: str, arm: str, n: int) -> Curve:
    """In months, and no further than five patients or a tenth of the arm remain at risk."""
    month = context.study.study.days_per_month
    shown = (fitted.n_risk >= _LEAST) | (fitted.n_risk >= _TENTH * n)
    censored = shown & (fitted.n_censored > 0)
    median = fitted.median.estimate
    return Curve(
        label=label,
        look=looks(context.study)[arm],
        time=fitted.time[shown] / month,
        survival=fitted.survival[shown],
        lower=fitted.lower[shown] if n >= _BAND else fitted.survival[shown],
        upper=fitted.upper[shown] if n >= _BAND else fitted.survival[shown],
        ticks=fitted.time[censored] / month,
        ticks_at=fitted.survival[censored],
        median=None if np.isnan(median) else median / month,
        at_risk=lambda months: fitted.n_at_risk(months * month),
    )


def _time_axis(context: Context, analysis: Analysis) -> str:
    say = context.language
    found = next((e for e in context.study.endpoints.time_to_event if e.id == analysis.endpoint), None)
    return say("time_axis_from", origin=say(f"origin:{found.origin}")) if found else say("time_axis")


def _events(context: Context, analysis: Analysis, arm: str) -> str:
    """``30 of 43 with an event; median 8.1 months (6.2 to 10.4)``."""
    say, get = context.language, context.results.value
    n, events = (get(analysis.id, s, arm) for s in ("n", "events"))
    words = (
        [] if n is None or events is None else [say("events_of", events=say.number(events), n=say.number(n))]
    )
    middle = context.results.get(analysis.id, "median", arm)
    if middle is not None:
        words.append(say("median_short", median=median_text(context, analysis, arm)))
    return "; ".join(words)


def median_text(context: Context, analysis: Analysis, arm: str) -> str:
    """``8.1 months (6.2 to 10.4)``, or that it was not reached, or why there is none."""
    say = context.language
    middle, *limits = (
        context.results.get(analysis.id, f"median{end}", arm) for end in ("", "_lower", "_upper")
    )
    ends = [_months(context, x) for x in limits]
    interval = f" ({say.interval(*ends)})" if any(x and x.value is not None for x in limits) else ""
    if middle is None:
        return say("not_computed")
    if middle.value is None:
        return context.reason(middle.note) + interval
    return say("in_months", months=context.months(middle.value)) + interval


def _months(context: Context, found: Number | None) -> str:
    return (
        context.language("not_estimable")
        if found is None or found.value is None
        else context.months(found.value)
    )


def _comparison(context: Context, analysis: Analysis) -> list[str]:
    """A line for each experimental arm: hazard ratio, limits, p; or why there is none."""
    return [
        line
        if len(context.study.experimental) == 1
        else f"{context.label(arm.id)}{context.language('colon')}{line}"
        for arm in context.study.experimental
        if (line := hazard_text(context, analysis, context.versus(arm.id)))
    ]


def hazard_text(context: Context, analysis: Analysis, group: str) -> str:
    """``Hazard ratio 0.62 (95% CI 0.41 to 0.93), p = 0.0213``; empty where it was not asked for."""
    say, get = context.language, context.results.get
    ratio = get(analysis.id, "hazard_ratio", group)
    if ratio is None:
        return ""
    if ratio.value is None:
        return say("hazard_ratio") + say("colon") + f"{say('not_estimable')} ({context.reason(ratio.note)})"
    ends = [
        x.value if (x := get(analysis.id, f"hazard_ratio_{end}", group)) else None
        for end in ("lower", "upper")
    ]
    shown = say.interval(*(say("not_estimable") if x is None else say.number(x, 2) for x in ends))
    p = get(analysis.id, "p_logrank", group)
    tail = f", {say.p_equals(p.value)}" if p and p.value is not None else ""
    return f"{say('hazard_ratio')} {say.number(ratio.value, 2)} ({say.ci} {shown}){tail}"
