"""Operating characteristics: what the tally says, as results rows, each with its Monte Carlo error.

``analysis`` is the scenario, ``group`` the test, ``level`` the look ("1", "2", …) or "stop": the look at
which the first test stops the trial, the last one if it never does; "stop, futility obeyed": the same where a
look that is futile stops it too. A statistic with ``_se`` is the error of
the one without. Hazard ratios are of the Cox model that goes with the first test, averaged on the log scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import polars as pl

from trialwright.simulate.design import Design, Test
from trialwright.simulate.looks import bounds
from trialwright.simulate.tally import (
    ALLOCATION,
    CONFIDENCE,
    STOP,
    STOP_OBEYED,
    Tally,
    bound_at,
    mean,
    proportion,
)
from trialwright.standards.results import Result, result, rows_to_frame
from trialwright.stats.normal import below, quantile, z_of

__all__ = ["PER_LOOK", "STOP", "STOP_OBEYED", "characteristics", "no_closed_form", "rejects", "schoenfeld"]

PER_LOOK = ("month", "events", "enrolled", "reached", "std_error")


def characteristics(design: Design, name: str, found: Tally) -> pl.DataFrame:
    """One row per number; ``name`` is the scenario's."""
    return rows_to_frame(_rows(design, name, found))


def rejects(design: Design) -> str:
    """What a rejection is: power, or an error where there is no effect."""
    return "type_i_error" if design.proportional()[0] == 1 else "power"


def _rows(design: Design, name: str, found: Tally) -> Iterator[Result]:
    yield result(name, "trials", found["trials",])
    yield result(name, "patients", design.patients)
    truth, why = design.proportional()
    yield result(name, "true_hazard_ratio", truth, note=why)
    for test in design.tests:
        yield from _of_test(design, name, found, test)
    if design.predictability:
        yield from _predictability(design, name, found)
    if "futility" in design.features:
        yield from _futility(design, name, found)
    stops = (STOP, STOP_OBEYED) if "futility" in design.features else (STOP,)
    for level in (*(str(k + 1) for k in range(len(design.looks))), *stops):
        for statistic in PER_LOOK:
            yield from _with_error(name, statistic, *mean(found, statistic, level), level=level)
        yield from _hazard_ratio(name, found, level, truth, why)


def _of_test(design: Design, name: str, found: Tally, test: Test) -> Iterator[Result]:
    trials, looks = found["trials",], [str(k + 1) for k in range(len(design.looks))]
    counts = [found["rejected", test.id, look] for look in looks]
    yield from _with_error(name, rejects(design), *proportion(sum(counts), trials), group=test.id)
    for look, count in zip(looks, counts, strict=True):
        yield from _with_error(name, "stops", *proportion(count, trials), group=test.id, level=look)
        gaps = found["no_z", test.id, look]
        yield result(name, "not_estimable", gaps, group=test.id, level=look, note="trials without a value")
        if test.months is not None:
            there = mean(found, f"difference {test.id}", look)
            yield from _with_error(name, f"{test.kind}_difference", *there, group=test.id, level=look)
    if design.level.calibrate:
        yield from _calibrated(design, name, found, test)
    if test == design.tests[0]:
        note = no_closed_form(design) or "Schoenfeld, Biometrics 1983;39:499"
        yield result(name, "power_closed_form", schoenfeld(design), group=test.id, note=note)


def _predictability(design: Design, name: str, found: Tally) -> Iterator[Result]:
    """Shares of arms that can be guessed: by who sees the list they are from, or the patients of a site."""
    told = {
        "convergence": ("guessed_by_convergence", "list"),
        "best": ("guessed_at_best", "list"),
        "certain": ("known_for_certain", "list"),
        "site": ("guessed_by_convergence", "site"),
    }
    for number, (statistic, level) in told.items():
        if number != "site" or design.accrual.sites:
            yield from _with_error(name, statistic, *mean(found, number, ALLOCATION), level=level)


def _futility(design: Design, name: str, found: Tally) -> Iterator[Result]:
    """How often the first test's trial ends as futile, and what that costs."""
    first, trials = design.tests[0].id, found["trials",]
    counts = {str(k + 1): found["futile", first, str(k + 1)] for k in range(len(design.looks))}
    for look, count in {**counts, "": sum(counts.values())}.items():
        yield from _with_error(
            name, "stops_for_futility", *proportion(count, trials), group=first, level=look
        )
    obeying = proportion(found["rejected_obeying", first, ""], trials)
    yield from _with_error(name, f"{rejects(design)}_futility_obeyed", *obeying, group=first)


def _calibrated(design: Design, name: str, found: Tally, test: Test) -> Iterator[Result]:
    """The bounds at which the simulated level is that promised, with the limits of simulation, beside those
    of the normal approximation. With several looks all bounds are moved by as much.
    """
    alpha, trials = design.level.alpha, found["trials",]
    spread = z_of(CONFIDENCE) * math.sqrt(trials * alpha * (1 - alpha))
    near = {"": 0.0, "_lower": spread, "_upper": -spread}
    for look, bound, gap in _planned(design, test):
        yield result(name, "bound", bound, group=test.id, level=look, note=gap)
        for end, more in near.items():
            z = bound_at(found, test.id, alpha * trials + more)
            told = math.nan if bound is None and len(design.looks) > 1 else z
            if bound is not None:
                told = bound + (z + quantile(alpha))
            note = (gap or "too few trials") if math.isnan(told) else ""
            yield result(name, f"bound_at_level{end}", told, group=test.id, level=look, note=note)


def _planned(design: Design, test: Test) -> Iterator[tuple[str, float | None, str]]:
    """Of each look the bound of spending at the planned events, or why there is none."""
    if test.kind == "maxcombo":
        yield "1", None, "of each trial its own: the correlation of its weights"
        return
    events = [look.events or 0 for look in design.looks]
    if len(events) == 1:
        yield "1", -quantile(design.level.alpha), ""
        return
    if not design.looks[-1].events and design.planned:
        events[-1] = design.planned
    for k, bound in enumerate(bounds(design, np.array([events]))[0].tolist()):
        known = bound if math.isfinite(bound) else None
        yield str(k + 1), known, "" if known is not None else "nothing is spent, or no events are planned"


def no_closed_form(design: Design) -> str:
    """Why the first test has none, or nothing: it is of a log-rank test of proportional hazards, at one look,
    after so many events and whatever the month.
    """
    test, look = design.tests[0], design.looks[0]
    truth, why = design.proportional()
    if test.kind != "logrank":
        return "the closed form is of the log-rank test"
    if len(design.looks) > 1:
        return "the closed form is of one look"
    if look.events is None or look.month is not None:
        return "the closed form is of a look that waits for its events, whatever the month"
    if design.allocation is None:
        return "the design has no allocation"
    return why if truth is None else ""


def schoenfeld(design: Design) -> float | None:
    """Power of the first test by the closed form, where there is one."""
    truth, _ = design.proportional()
    events = design.looks[0].events
    if no_closed_form(design) or truth is None or events is None or design.allocation is None:
        return None
    share = design.allocation.share
    drift = -math.log(truth) * math.sqrt(events * share * (1 - share))
    bound = design.level.bounds.get(design.tests[0].id, (-quantile(design.level.alpha),))[0]
    return below(drift - bound)


def _hazard_ratio(name: str, found: Tally, level: str, truth: float | None, why: str) -> Iterator[Result]:
    log_hr, error = mean(found, "log_hr", level)
    gaps = found["trials",] - found["n", "log_hr", level]
    note = f"{gaps} trials without an estimate are left out" if gaps else ""
    ratio = math.exp(log_hr)
    yield from _with_error(name, "hazard_ratio", ratio, ratio * error, level=level, note=note)
    bias = math.nan if truth is None else log_hr - math.log(truth)
    yield from _with_error(name, "bias_log_hazard_ratio", bias, error, level=level, gap=why, note=note)
    yield from _with_error(name, "coverage", *mean(found, "covered", level), level=level, gap=why, note=note)


def _with_error(
    name: str,
    statistic: str,
    value: float,
    error: float,
    *,
    group: str = "",
    level: str = "",
    note: str = "",
    gap: str = "",
) -> Iterator[Result]:
    words = note if not math.isnan(value) else gap or "no trial has an estimate"
    yield result(name, statistic, value, group=group, level=level, note=words)
    gone = math.isnan(value) or math.isnan(error)
    words = (words if math.isnan(value) else "one trial has no spread") if gone else ""
    error = math.nan if gone else error
    yield result(name, f"{statistic}_se", error, group=group, level=level, note=words)
