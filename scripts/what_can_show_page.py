"""The page on what 129 patients can show: its words, tables and figures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, StrictUndefined

import trialwright
from trialwright.simulate.figure import Bar, Curve, Dot, bars, curve
from trialwright.simulate.page import Values
from trialwright.simulate.search import Found
from trialwright.stats.normal import quantile

PAGE = "what-129-patients-can-show.md"
SCENARIOS = {
    "null": "no effect at all",
    "moderate": "hazard ratio 0.68 from the first day",
    "target": "no effect for two months, then hazard ratio 0.50",
    "harm-early": "hazard ratio 1.3 until month 1.5, then 0.50",
    "gep-null": "as target in lung, no effect in GEP",
    "low-dll3-null": "hazard ratio 0.50 where DLL3 is 25 % or more, no effect below",
}
TESTS = {
    "logrank_stratified": "stratified log-rank",
    "logrank": "log-rank",
    "cox": "stratified Cox (Wald)",
    "late": "late-weighted, FH(0, 1)",
    "maxcombo": "MaxCombo",
    "rmst_18": "mean survival to month 18",
    "landmark_12": "survival at month 12",
}
RATIOS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)
FIRST = "logrank_stratified"


@dataclass(frozen=True, slots=True)
class Effort:
    """``trials`` of each scenario, ``tries`` of each candidate of a search."""

    trials: int
    tries: int
    seed: int


@dataclass(frozen=True, slots=True)
class Shown:
    """Of each scenario: at the planned bounds, at those that hold the level, and what a search finds."""

    effort: Effort
    planned: dict[str, Values]
    held: dict[str, Values]
    bounds: dict[str, float]
    ratios: dict[str, list[tuple[float, float, float]]]
    """At once and after two months: (hazard ratio, power at the held bound, its error)."""
    found: dict[str, Found]


def pages(shown: Shown) -> dict[str, str]:
    """The page and its figures, by file name."""
    return {
        PAGE: page(shown),
        "power-by-scenario.svg": alone(by_scenario(shown)),
        "power-by-hazard-ratio.svg": alone(by_ratio(shown)),
        "power-by-events.svg": alone(by_events(shown.found["target"])),
    }


def alone(drawn: str) -> str:
    """A figure as a file of its own: a name space, a ground to stand on, a type."""
    drawn = str(drawn)  # Markup would escape what is added
    wide, high = map(float, drawn.split('viewBox="0 0 ')[1].split('"', maxsplit=1)[0].split())
    box = f"-10 -6 {wide + 20:g} {high + 12:g}"
    opening = '<svg xmlns="http://www.w3.org/2000/svg" style="font-family: system-ui, sans-serif" '
    ground = f'<rect x="-10" y="-6" width="{wide + 20:g}" height="{high + 12:g}" fill="#fff"/>'
    start, body = drawn.split(">", 1)
    start = start.replace("<svg ", opening, 1).replace(f"0 0 {wide:g} {high:g}", box, 1)
    return f"{start}>{ground}{body}\n"


def by_scenario(shown: Shown) -> str:
    rows = []
    for name, value in shown.held.items():
        power, error = share(value, name)
        rows.append(Bar(name, (power,), error))
    alt = ", ".join(f"{bar.name} {100 * bar.total:.1f} %" for bar in rows)
    return bars(rows, 0.025, ["1"], f"Share of trials in which the stratified log-rank rejects: {alt}.")


def by_ratio(shown: Shown) -> str:
    dots = tuple(Dot(ratio, power, error) for ratio, power, error in shown.ratios["at once"])
    line = tuple((ratio, power) for ratio, power, _ in shown.ratios["after two months"])
    ticks = tuple((r, f"({7.5 / r:.1f})") for r in RATIOS if r not in (0.45, 0.55, 0.65, 0.75))
    ratio = detectable(shown.ratios["at once"], 0.8)
    words = "hazard ratio (median months under a control median of 7.5)"
    drawn = Curve(dots, line, 0.8, Dot(ratio, 0.8, 0), ticks, words)
    return curve(drawn, "Power by hazard ratio; dots: from the first day; dashed: from month two on.")


def by_events(found: Found) -> str:
    dots = tuple(Dot(p.events, p.power, p.error) for p in found.curve)
    apart = (found.curve[-1].events - found.curve[0].events) / 8
    ticks = [found.answer]
    ticks += [p for p in found.curve if abs(p.events - found.answer.events) > apart]
    marks = tuple((float(p.events), f"({p.design.patients})") for p in sorted(ticks, key=lambda p: p.events))
    answer = Dot(found.answer.events, found.answer.power, found.answer.error)
    drawn = Curve(dots, (), found.wish.power, answer, marks, "deaths (patients)")
    return curve(drawn, "Power of the target scenario by number of deaths.")


def detectable(points: list[tuple[float, float, float]], power: float) -> float:
    """The hazard ratio with that power: a line through the probits over its logarithm."""
    for (r0, p0, _), (r1, p1, _) in pairwise(points):
        if p0 >= power > p1:
            y0, y1 = quantile(min(p0, 1 - 1e-6)), quantile(max(p1, 1e-6))
            t = (y0 - quantile(power)) / (y0 - y1)
            return math.exp(math.log(r0) + t * (math.log(r1) - math.log(r0)))
    return math.nan


def share(value: Values, name: str, test: str = FIRST) -> tuple[float, float]:
    word = "type_i_error" if name == "null" else "power"
    return value.one(word, test, "") or 0.0, value.one(f"{word}_se", test, "") or 0.0


def percent(power: float, error: float) -> str:
    return f"{100 * power:.1f} ± {100 * error:.2f}"


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def page(shown: Shown) -> str:
    """The words are in what_can_show.jinja."""
    ratio80, late80 = (detectable(points, 0.8) for points in shown.ratios.values())
    std_error = shown.held["null"].one("std_error", "", "1") or math.nan
    words = Environment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, trim_blocks=True
    ).from_string((Path(__file__).parent / "what_can_show.jinja").read_text(encoding="utf-8"))
    return words.render(
        effort=shown.effort,
        trials=f"{shown.effort.trials:,}",
        tries=f"{shown.effort.tries:,}",
        power={name: f"{100 * share(value, name)[0]:.0f}" for name, value in shown.held.items()},
        flattered=f"{100 * share(shown.planned['target'], 'target')[0]:.0f}",
        level=f"{100 * share(shown.planned['null'], 'null')[0]:.1f}",
        ratio80=ratio80,
        late80=late80,
        critical=math.exp(-shown.bounds[FIRST] * std_error),
        need=shown.found["target"].answer,
        assumptions=_assumptions(shown),
        held=_tests(shown.held),
        planned=_tests(shown.planned),
        looks=_looks(shown),
        levels=_levels(shown),
        ratios=_ratios(shown),
        detectable=_detectable(shown),
        needed=_needed(shown),
        version=trialwright.__version__,
    )


def _assumptions(shown: Shown) -> str:
    seen = {name: value.one("hazard_ratio", "", "1") or math.nan for name, value in shown.planned.items()}
    rows = ((f"`{name}`", words, f"{seen[name]:.2f}") for name, words in SCENARIOS.items())
    return table(("scenario", "what tarlatamab does", "hazard ratio seen"), rows).replace("---:", "---", 1)


def _tests(values: dict[str, Values]) -> str:
    head = ("test", *(f"`{name}`" for name in SCENARIOS))
    return table(
        head,
        (
            (words, *(percent(*share(values[name], name, test)) for name in SCENARIOS))
            for test, words in TESTS.items()
        ),
    )


def _looks(shown: Shown) -> str:
    rows = []
    for name, value in shown.planned.items():
        cells = [value.both(statistic, level="1") for statistic in ("month", "events")]
        reached, error = (value.one(statistic, "", "1") or 0.0 for statistic in ("reached", "reached_se"))
        rows.append((f"`{name}`", *cells, percent(reached, error)))
    return table(("scenario", "month", "deaths", "reached, %"), rows)


def _levels(shown: Shown) -> str:
    null, rows = shown.planned["null"], []
    for test, words in TESTS.items():
        ends = [null.one(f"bound_at_level{end}", test, "1") or math.nan for end in ("_lower", "_upper")]
        rows.append(
            (
                words,
                percent(*share(null, "null", test)),
                f"{shown.bounds[test]:.3f}",
                f"{min(ends):.3f} to {max(ends):.3f}",
                percent(*share(shown.held["null"], "null", test)),
            )
        )
    return table(("test", "as planned, %", "bound that holds 2.5 %", "limits", "level there, %"), rows)


def _ratios(shown: Shown) -> str:
    rows = (
        (f"{ratio:.2f}", f"{7.5 / ratio:.1f}", percent(power, error), percent(later, its_error))
        for (ratio, power, error), (_, later, its_error) in zip(*shown.ratios.values(), strict=True)
    )
    return table(
        ("hazard ratio", "median, months", "found, from the first day, %", "from month two on, %"), rows
    )


def _detectable(shown: Shown) -> str:
    rows = []
    for power in (0.5, 0.8, 0.9):
        one, two = (detectable(points, power) for points in shown.ratios.values())
        rows.append((f"{100 * power:.0f} of 100", f"{one:.3f}", f"{7.5 / one:.1f}", f"{two:.3f}"))
    return table(
        ("found in", "hazard ratio from the first day", "median, months", "hazard ratio from month two on"),
        rows,
    )


def _needed(shown: Shown) -> str:
    rows = []
    for name, found in shown.found.items():
        a = found.answer
        closed = "–" if found.closed is None else f"{found.closed:.0f}"
        events = f"{a.events} ({found.lower} to {found.upper})"
        power = f"{a.power:.3f} ± {a.error:.3f}"
        rows.append((f"`{name}`", events, closed, a.design.patients, f"{a.month:.0f}", power))
    return table(("scenario", "deaths", "Schoenfeld", "patients", "month", "power there"), rows)
