"""How many events, and patients, a scenario needs: search on the simulation itself.

It begins at Schoenfeld's number where hazards are proportional, else at the scenario's own, and takes power
to grow with the events. The trials of all candidates are drawn from the same random numbers, so that what
differs between two candidates is the candidates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import ValidationError

from trialwright.simulate.characteristics import no_closed_form, schoenfeld
from trialwright.simulate.chunks import Run
from trialwright.simulate.design import Accrual, Design, Level, Look, faults
from trialwright.simulate.design_entry import when
from trialwright.simulate.repeat import Hands, here, run
from trialwright.simulate.tally import mean
from trialwright.standards.errors import InputError
from trialwright.stats.normal import quantile
from trialwright.stats.sample_size import deaths_needed

MOST = 10_000
"""Patients: a scenario that needs more is no question for one trial."""
FEWEST = 10
"""Events: below, no asymptotic test means anything."""
_ALONG = (0.5, 0.65, 0.8, 0.9, 1.1, 1.25, 1.5)
"""The curve, in shares of the events found."""
CURVE = 4
"""So much fewer trials than candidates get the points of the curve that are none."""
_PROBE = 4_000
_CONFIDENT = quantile(0.975)


@dataclass(frozen=True, slots=True)
class Wish:
    """``power`` of the first test; each candidate is judged by so many ``trials``.

    ``patients``: so many and no more, the events alone are sought. None: events and patients grow together,
    in the scenario's proportion, at the scenario's rate of accrual.
    """

    power: float
    trials: int
    seed: int
    patients: int | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One candidate, simulated. Months and patients are those of the design; ``reached``: trials that came to
    have the events."""

    design: Design
    trials: int
    rejected: int
    month: float
    month_error: float
    reached: float

    @property
    def events(self) -> int:
        return planned(self.design)

    @property
    def power(self) -> float:
        return self.rejected / self.trials

    @property
    def error(self) -> float:
        return math.sqrt(self.power * (1 - self.power) / self.trials)


@dataclass(frozen=True, slots=True)
class Found:
    """``answer`` has the fewest events with the power; ``lower`` … ``upper`` are the events at which the true
    power may reach it, at 95 %. ``curve`` is all that was simulated with enough trials, by events."""

    wish: Wish
    answer: Point
    lower: int
    upper: int
    curve: tuple[Point, ...]
    closed: float | None
    """Schoenfeld's number, where there is one."""
    gap: str
    """Why there is none."""
    months: tuple[str, ...]
    """Of the scenario's looks, in words: the search does not obey them."""


def search(
    design: Design, wish: Wish, *, hands: Hands = here, say: Callable[[str], None] = lambda _: None
) -> Found:
    """The smallest number of events whose power reaches the wish.

    Raises InputError where no number does, or none below ``MOST`` patients, or a look has no events.
    """
    _sensible(design, wish)
    begin = needed(design, wish.power)
    seek = _Search(design, wish, hands, say)
    answer = seek.answer(seek.probe(begin or planned(design)))
    for share in _ALONG:
        seek.at(seek.within(answer.events * share), max(wish.trials // CURVE, 1))
    lower, upper = (seek.moved(answer, by) for by in (_CONFIDENT, -_CONFIDENT))
    curve = tuple(seek.seen[e] for e in sorted(seek.seen))
    closed, gap = closed_number(design, wish.power)
    return Found(wish, answer, math.floor(lower), math.ceil(upper), curve, closed, gap, _months(design))


def sized(design: Design, events: int, patients: int | None = None) -> Design:
    """The design with so many events at the last look, the others in proportion, and as many patients.

    Accrual goes on at its rate; a look's month no longer limits it: the analysis waits for its events.
    """
    if events == planned(design) and patients in (None, design.patients) and not _limited(design):
        return judged_by(design, None)
    scale = events / planned(design)
    many = patients or math.ceil(design.patients * scale - 1e-9)
    of_search = {"month": None, "whichever": "first", "source": "of the search"}
    looks = tuple(
        look.model_copy(update={"events": count, **of_search})
        for look, count in zip(design.looks, _counts(design, events), strict=True)
    )
    level = _of_test(design.level, design.tests[0].id)
    if level.planned:
        level = level.model_copy(update={"planned": max(round(level.planned * scale), 1)})
    return changed(
        design,
        patients=max(many, events),
        looks=looks,
        accrual=_longer(design.accrual, many / design.patients),
        level=level,
        tests=design.tests[:1],
    )


def _counts(design: Design, events: int) -> list[int]:
    """Events of each look, in the scenario's proportions, and growing where these round to the same."""
    scale, counts = events / planned(design), [events]
    for k, look in reversed(list(enumerate(design.looks[:-1]))):
        counts.append(max(min(round((look.events or 0) * scale), counts[-1] - 1), k + 1))
    return counts[::-1]


def _longer(accrual: Accrual, times: float) -> Accrual:
    """At the same rate, until there are so many times as many patients."""
    months = accrual.months * times
    if accrual.rate or accrual.sites:
        months = float(when(np.array([times / accrual.scale]), *accrual.pace)[0])
    source = "; ".join(filter(None, ("at the scenario's rate", accrual.source)))
    return accrual.model_copy(update={"months": months, "source": source})


def _limited(design: Design) -> bool:
    return any(look.month is not None for look in design.looks)


def _months(design: Design) -> tuple[str, ...]:
    def words(k: int, look: Look) -> str:
        which = "analysis" if k == len(design.looks) else f"look {k}"
        end = "latest" if look.whichever == "first" else "earliest"
        return f"{which} in month {look.month:g} at the {end}"

    return tuple(words(k, look) for k, look in enumerate(design.looks, 1) if look.month is not None)


def judged_by(design: Design, test: str | None) -> Design:
    """The design with this test alone, the first of its own by default."""
    chosen = [t for t in design.tests if test is None or t.id == test][:1]
    if not chosen:
        raise InputError(f"no test {test!r} (there is {', '.join(t.id for t in design.tests)})")
    return changed(design, tests=tuple(chosen), level=_of_test(design.level, chosen[0].id))


def _of_test(level: Level, test: str) -> Level:
    """Without the bounds of others."""
    if level.bounds.keys() <= {test}:
        return level
    bounds = {name: z for name, z in level.bounds.items() if name == test}
    return Level.model_validate(level.model_dump() | {"bounds": bounds})


def changed(design: Design, **parts: Any) -> Design:
    """Another design, checked as from a file: a copy would keep what the old one has computed."""
    try:
        return Design(**{name: getattr(design, name) for name in Design.model_fields} | parts)
    except ValidationError as error:
        raise InputError(f"the scenario, changed for the search: {'; '.join(faults(error))}") from error


def planned(design: Design) -> int:
    """Events of the last look."""
    return design.looks[-1].events or 0


def _sensible(design: Design, wish: Wish) -> None:
    if any(look.events is None for look in design.looks):
        raise InputError("a search for events needs looks at numbers of events; one of the scenario has none")
    if not design.level.alpha < wish.power < 1:
        raise InputError(f"power lies between the level {design.level.alpha:g} and 1, not {wish.power:g}")
    if wish.patients is not None and wish.patients < FEWEST:
        raise InputError(f"patients: {wish.patients} are fewer than {FEWEST}")


@dataclass(slots=True)
class _Search:
    design: Design
    wish: Wish
    hands: Hands
    say: Callable[[str], None]
    seen: dict[int, Point] = field(default_factory=dict)

    def at(self, events: int, trials: int) -> Point:
        """Simulated once, with so many trials at least."""
        known = self.seen.get(events)
        if known is not None and known.trials >= trials:
            return known
        self.say(f"{events} events: simulating {trials:,} trials")
        point = self._simulated(events, trials)
        self.seen[events] = point
        self.say(f"{events} events: power {point.power:.4f} ± {point.error:.4f}")
        return point

    def _simulated(self, events: int, trials: int) -> Point:
        design = sized(self.design, events, self.wish.patients)
        found = run(Run(design, trials, self.wish.seed), hands=self.hands)
        test, last = design.tests[0].id, str(len(design.looks))
        rejected = sum(found["rejected", test, str(k + 1)] for k in range(len(design.looks)))
        return Point(design, trials, rejected, *mean(found, "month", "stop"), mean(found, "reached", last)[0])

    def within(self, events: float) -> int:
        return min(max(round(events), FEWEST, len(self.design.looks)), self._most())

    def _most(self) -> int:
        return self.wish.patients or math.floor(MOST * planned(self.design) / self.design.patients)

    def probe(self, events: float) -> int:
        """Nearer, by few trials: twice the step of a straight line through the probits."""
        few = min(_PROBE, self.wish.trials)
        for _ in range(2):
            point = self._simulated(self.within(events), few)
            self.say(f"about {point.events} events: power {point.power:.3f}")
            events = self.moved(point, 0)
        return self.within(events)

    def moved(self, point: Point, errors: float) -> float:
        """Events at which power should be that wished, were it here so many Monte Carlo errors higher.

        The normal quantile of power is, nearly, a straight line in the root of the events that leaves from
        that of the level (Schoenfeld, Biometrics 1983;39:499): one point tells its slope.
        """
        p = (point.rejected + 0.5) / (point.trials + 1)
        y = quantile(p)
        density = math.exp(-y * y / 2) / math.sqrt(2 * math.pi)
        y += errors * math.sqrt(p * (1 - p) / point.trials) / density
        floor = quantile(self.design.level.alpha)
        if y - floor <= 0.02:
            if point.events >= self._most():
                raise self._never(point)
            return 4 * point.events
        return point.events * ((quantile(self.wish.power) - floor) / (y - floor)) ** 2

    def answer(self, guess: int) -> Point:
        """Bisection, each step where the straight line points, until two neighbours hold the wish between."""
        low, high = max(FEWEST, len(self.design.looks)) - 1, self._most() + 1
        last = None
        while high - low > 1:
            last = point = self.at(min(max(guess, low + 1), high - 1), self.wish.trials)
            if point.power < self.wish.power:
                low = point.events
            else:
                high = point.events
            guess = self.within(self.moved(point, 0))
            guess = max(guess, low + 1) if point.events == low else min(guess, high - 1)
        if high > self._most():
            assert last is not None
            raise self._never(last)
        return self.at(high, self.wish.trials)

    def _never(self, point: Point) -> InputError:
        what = f"{self.wish.patients or MOST:,} patients"
        return InputError(
            f"power {self.wish.power:g} is not reached with {what}: "
            f"it is {point.power:.3f} ± {point.error:.3f} at {point.events} events"
        )


def needed(design: Design, power: float) -> float | None:
    """Where to begin: Schoenfeld's number of events, where hazards are proportional, whatever the test."""
    ratio, _ = design.proportional()
    if ratio is None or design.allocation is None:
        return None
    if ratio >= 1:
        raise InputError(f"hazard ratio {ratio:g}: there is no benefit, so no number of events gives power")
    return deaths_needed(ratio, alpha=design.level.alpha, power=power, share=design.allocation.share)


def closed_number(design: Design, power: float) -> tuple[float | None, str]:
    """Schoenfeld's number of events for the designs that are tried, or None and why it is none of them."""
    tried = sized(design, planned(design))
    gap, bound = no_closed_form(tried), tried.level.bounds.get(tried.tests[0].id)
    if gap or bound is None:
        return (None, gap) if gap else (needed(design, power), "")
    (ratio, _), (z,), allocation = tried.proportional(), bound, tried.allocation
    assert ratio is not None
    assert allocation is not None
    root = (z + quantile(power)) / -math.log(ratio)
    if not 0 < root < math.inf:
        return None, f"with a bound of {z:g} no number of events has just that power"
    return root**2 / (allocation.share * (1 - allocation.share)), ""


def closed_power(design: Design, events: int) -> float | None:
    """Power with so many events by Schoenfeld's form, where there is one."""
    return schoenfeld(sized(design, events))
