"""What only some designs ask for, as tables of the page: differences, futility, bounds, guessing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from trialwright.simulate.characteristics import STOP_OBEYED, rejects
from trialwright.simulate.design import Design


class Told(Protocol):
    """The numbers of the page, by statistic, group and level."""

    def one(self, statistic: str, group: str, level: str) -> float | None: ...
    def both(self, statistic: str, group: str = "", level: str = "") -> str: ...


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    caption: str
    header: list[str]
    rows: list[list[str]]


def more(design: Design, value: Told) -> Iterator[Table]:
    looks = [str(k + 1) for k in range(len(design.looks))]
    if any(test.months is not None for test in design.tests):
        yield _differences(design, value, looks)
    if "futility" in design.features:
        yield _futility(design, value, looks)
    if design.level.calibrate:
        yield _bounds(design, value, looks)
    if design.predictability:
        yield _guesses(design, value)


def _differences(design: Design, value: Told, looks: list[str]) -> Table:
    rows = [
        [
            f"{test.id}, to month {test.months:g}"
            if test.kind == "rmst"
            else f"{test.id}, month {test.months:g}"
        ]
        + [value.both(f"{test.kind}_difference", test.id, look) for look in looks]
        for test in design.tests
        if test.months is not None
    ]
    return Table(
        "Differences",
        "Mean of the estimates, experimental less control arm: restricted mean time (months) and survival.",
        ["Test", *(f"Look {look}" if len(looks) > 1 else "Difference" for look in looks)],
        rows,
    )


def _futility(design: Design, value: Told, looks: list[str]) -> Table:
    first, word = design.tests[0].id, rejects(design)
    what = "Type I error" if word == "type_i_error" else "Power"
    rows = [
        [f"Stopped at look {look}", value.both("stops_for_futility", first, look)]
        for look, at in zip(looks, design.looks, strict=True)
        if at.futility is not None
    ]
    rows += [
        [f"{what}, futility ignored", value.both(word, first)],
        [f"{what}, futility obeyed", value.both(f"{word}_futility_obeyed", first)],
        ["Month at the stop, futility obeyed", value.both("month", level=STOP_OBEYED)],
        ["Events at the stop, futility obeyed", value.both("events", level=STOP_OBEYED)],
    ]
    caption = f"Trials whose {first} would hardly succeed any more: how often they stop, and what that costs."
    return Table("Futility", caption, ["", "Value"], rows)


def _bounds(design: Design, value: Told, looks: list[str]) -> Table:
    def three(test: str, look: str) -> list[str]:
        ends = (value.one(f"bound_at_level{end}", test, look) for end in ("", "_lower", "_upper"))
        found, low, high = ("–" if z is None else f"{z:.3f}" for z in ends)
        plain = value.one("bound", test, look)
        return ["–" if plain is None else f"{plain:.3f}", found, f"{low} to {high}"]

    rows = [
        [test.id if len(looks) == 1 else f"{test.id}, look {look}", *three(test.id, look)]
        for test in design.tests
        for look in looks
    ]
    return Table(
        "Bounds that hold the level",
        f"The z from which a test rejects: by the normal approximation, and so that {design.level.alpha:g} "
        "of these trials without effect are rejected, with 95 % limits. MaxCombo: of its largest z.",
        ["Test", "Normal", "At level", "95 % limits"],
        rows,
    )


def _guesses(design: Design, value: Told) -> Table:
    rows = [
        ["Right, by the arm that is behind", value.both("guessed_by_convergence", level="list")],
        ["Right, by the more probable arm", value.both("guessed_at_best", level="list")],
        ["Known for certain", value.both("known_for_certain", level="list")],
    ]
    if design.accrual.sites:
        at_site = value.both("guessed_by_convergence", level="site")
        rows.append(["Right, by who sees one site only and takes the arm that is behind", at_site])
    return Table(
        "Guessing the next arm",
        "Share of assignments, by who knows the scheme and sees all arms given before from the same list.",
        ["", "Share"],
        rows,
    )
