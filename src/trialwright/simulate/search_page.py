"""What a search found, as results rows, as a page and in a few lines."""

from __future__ import annotations

import math
from collections.abc import Iterator

import polars as pl

import trialwright
from trialwright.simulate.assumed import assumed
from trialwright.simulate.design import Design
from trialwright.simulate.figure import Curve, Dot, curve
from trialwright.simulate.page import template, together
from trialwright.simulate.search import CURVE, Found, Point, closed_power
from trialwright.standards.results import Result, result, rows_to_frame
from trialwright.study.model import Study

_CLOSED = "Schoenfeld, Biometrics 1983;39:499"


def results(design: Design, name: str, found: Found) -> pl.DataFrame:
    """The answer, and one row of each number of each candidate: ``level`` is its events.

    ``analysis`` is the scenario, ``group`` the test; a statistic with ``_se`` is the Monte Carlo standard
    error of the one without.
    """
    return rows_to_frame(_rows(design, name, found))


def _rows(design: Design, name: str, found: Found) -> Iterator[Result]:
    test, answer = design.tests[0].id, found.answer
    yield result(name, "power_wished", found.wish.power, group=test)
    yield result(name, "events_needed", answer.events, group=test)
    note = "95 % interval of the search: Monte Carlo error of power, carried over to events"
    yield result(name, "events_needed_lower", found.lower, group=test, note=note)
    yield result(name, "events_needed_upper", found.upper, group=test, note=note)
    yield result(name, "patients_needed", answer.design.patients, group=test)
    yield result(name, "events_closed_form", found.closed, group=test, note=found.gap or _CLOSED)
    for point in found.curve:
        yield from _point(name, test, point)


def _point(name: str, test: str, point: Point) -> Iterator[Result]:
    level = f"{point.events} events"
    numbers = {
        "patients": point.design.patients,
        "trials": point.trials,
        "power": point.power,
        "power_se": point.error,
        "month": point.month,
        "month_se": point.month_error,
        "reached": point.reached,
    }
    for statistic, value in numbers.items():
        gap = "one trial has no spread" if math.isnan(value) else ""
        yield result(name, statistic, value, group=test, level=level, note=gap)
    closed = closed_power(point.design, point.events)
    if closed is not None:
        yield result(name, "power_closed_form", closed, group=test, level=level, note=_CLOSED)


def told(name: str, found: Found) -> str:
    """For the command line: the answer and the curve."""
    head = ("events", "patients", "power", "month")
    rows = [
        (str(p.events), str(p.design.patients), f"{p.power:.4f} ± {p.error:.4f}", f"{p.month:.1f}")
        for p in found.curve
    ]
    wide = [max(len(row[i]) for row in (head, *rows)) for i in range(4)]
    lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, wide, strict=True)) for row in (head, *rows)]
    return "\n".join([f"{name}: {_answer(found)}", *_notes(found), *lines])


def render(study: Study, design: Design, name: str, found: Found) -> str:
    """The page; the same arguments give the same bytes."""
    closed = closed_power(found.answer.design, found.answer.events) is not None
    return template("search.html").render(
        study=study,
        design=found.answer.design,
        trials=found.wish.trials,
        fewer=max(found.wish.trials // CURVE, 1),
        seed=found.wish.seed,
        answer=together(_answer(found)),
        notes=_notes(found),
        figure=_figure(found),
        test=design.tests[0].id,
        closed=closed,
        points=list(_table(found, closed)),
        found=str(found.answer.events),
        assumed=list(assumed(found.answer.design)),
        command=_command(study, name, design, found),
        version=trialwright.__version__,
    )


def _answer(found: Found) -> str:
    a = found.answer
    return (
        f"{a.design.tests[0].id} has power {found.wish.power:g} from {a.events} events on "
        f"(95 % interval {found.lower} to {found.upper}), of {a.design.patients} patients, "
        f"in month {a.month:.1f}: there it is {a.power:.4f} ± {a.error:.4f} ({a.trials:,} trials)."
    )


def _notes(found: Found) -> list[str]:
    notes = []
    if found.closed is not None:
        notes.append(f"The closed form (Schoenfeld) asks for {found.closed:.1f} events.")
    else:
        notes.append(f"There is no closed form beside it: {found.gap}.")
    for month in found.months:
        notes.append(f"The scenario's {month} was not applied: the search waits for the events.")
    if found.answer.reached < 0.995:
        notes.append(f"In {100 * (1 - found.answer.reached):.1f} % of trials the events never come.")
    return notes


def _table(found: Found, closed: bool) -> Iterator[list[str]]:
    for p in found.curve:
        formula = [f"{closed_power(p.design, p.events) or 0:.4f}"] if closed else []
        yield [
            str(p.events),
            str(p.design.patients),
            f"{p.trials:,}",
            f"{p.power:.4f} ±\N{NO-BREAK SPACE}{p.error:.4f}",
            *formula,
            f"{p.month:.1f}",
            f"{100 * p.reached:.1f} %",
        ]


def _figure(found: Found) -> str:
    dots = tuple(Dot(p.events, p.power, p.error) for p in found.curve)
    inner = found.answer.design
    line = tuple(
        (float(events), power)
        for events in range(found.curve[0].events, found.curve[-1].events + 1)
        if (power := closed_power(inner, events)) is not None
    )
    shown = _apart(found)
    drawn = Curve(
        dots,
        line,
        found.wish.power,
        Dot(found.answer.events, found.answer.power, found.answer.error),
        tuple((float(p.events), f"({p.design.patients})") for p in shown),
        "events (patients)",
    )
    words = ", ".join(f"{p.power:.3f} at {p.events}" for p in found.curve)
    alt = f"Power by events: {words}." + (" Dashed: the closed form of Schoenfeld." if line else "")
    return curve(drawn, alt)


def _apart(found: Found) -> list[Point]:
    """The answer, and those far enough from it and each other for their numbers not to touch."""
    least = (found.curve[-1].events - found.curve[0].events) / 8
    shown = [found.answer]
    for point in found.curve:
        if all(abs(point.events - other.events) >= least for other in shown):
            shown.append(point)
    return sorted(shown, key=lambda p: p.events)


def _command(study: Study, name: str, design: Design, found: Found) -> str:
    wish = found.wish
    patients = f"--patients {wish.patients} " if wish.patients else ""
    return (
        f"trialwright design {study.study.id.lower()} --scenario {name} --power {wish.power:g} "
        f"--test {design.tests[0].id} {patients}--trials {wish.trials} --seed {wish.seed} --out OUT"
    )
