"""What happens to the randomised, whether or not anybody sees it: tumours, deaths, losses.

The tumour model is that of the calibration (project rules 9.3): a sum ``y0 (exp(-kd t) + exp(kg t) - 1)``,
new lesions and deaths at constant rates by kind of tumour, and another rate of death once it has grown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialwright.simulate.draw import (
    NEVER,
    Bools,
    Floats,
    Ints,
    day,
    even,
    lognormal,
    pick,
    waiting,
    working_day,
)
from trialwright.simulate.people import People
from trialwright.simulate.scenario import DAYS_PER_MONTH, Course, Scenario
from trialwright.simulate.setting import Setting

_BISECTIONS = 40


@dataclass(frozen=True, slots=True)
class Lives:
    """One entry per randomised subject; days since 1970 unless said otherwise."""

    start: Ints
    """The day of randomisation."""
    sum0: Floats
    """Baseline sum of diameters, mm."""
    shrink: Floats
    grow: Floats
    other_event: Ints
    """A new lesion, or a non-target lesion that grows beyond doubt."""
    progression: Ints
    """The tumour has grown by 20 % and 5 mm over its smallest, or the other event; seen or not."""
    death: Ints
    lost: Ints
    withdrawn: Ints
    first_dose: Ints
    """NEVER for those who are never treated."""
    toxicity: Ints
    """The day treatment would stop for an adverse event; likewise ``choice``."""
    choice: Ints
    cutoff: int

    @property
    def until(self) -> Ints:
        """The last day anything can be known of a subject."""
        gone = np.minimum(self.lost, self.withdrawn)
        return np.minimum(np.minimum(self.death, gone), self.cutoff)

    @property
    def known_death(self) -> Ints:
        return np.where(self.death <= self.until, self.death, NEVER)

    def size(self, days: Ints) -> Floats:
        """The sum on those days as a fraction of the baseline sum; shape of ``days``, subjects first."""
        extra = (1,) * (days.ndim - 1)
        months = np.clip(days - self.start.reshape(-1, *extra), 0, None) / DAYS_PER_MONTH
        return _relative(months, self.shrink.reshape(-1, *extra), self.grow.reshape(-1, *extra))


def live(setting: Setting, people: People) -> Lives:
    """The lives of ``people``, who are all randomised."""
    scenario = setting.scenario
    n, rng = len(people), setting.stream("lives")
    sum0 = np.clip(lognormal(rng, scenario.imaging.baseline_sum, n), 22, 260)
    shrink, grow, lesion, mortality = _tumours(rng, scenario, people)
    after = people.risk({c.arm: c.death_after_progression for c in scenario.courses})
    other = _month_days(waiting(rng, lesion, n))
    grown = np.minimum(_days_to_growth(sum0, shrink, grow), other)
    before = _month_days(waiting(rng, mortality * people.hazard, n))
    later = grown + _month_days(waiting(rng, after * people.hazard, n))
    death = np.where(before <= grown, before, later)
    chance = setting.stream("losses")
    rates = scenario.follow_up
    return Lives(
        start=people.randomisation,
        sum0=sum0,
        shrink=shrink,
        grow=grow,
        other_event=_date(people, other),
        progression=_date(people, grown),
        death=_date(people, np.maximum(death, 1)),
        lost=_date(people, _month_days(waiting(chance, np.full(n, rates.lost_per_year / 12), n))),
        withdrawn=_date(people, _month_days(waiting(chance, np.full(n, rates.withdrawn_per_year / 12), n))),
        cutoff=day(scenario.accrual.cutoff),
        **_treatment(setting.stream("treatment"), scenario, people),
    )


def _treatment(rng: np.random.Generator, scenario: Scenario, people: People) -> dict[str, Ints]:
    n = len(people)
    by_arm = {c.arm: c for c in scenario.courses}
    first = working_day(people.randomisation + even(rng, scenario.accrual.randomisation_to_dose, n))
    untreated = rng.random(n) < people.risk({arm: c.never_treated for arm, c in by_arm.items()})
    toxic = waiting(rng, people.risk({arm: c.stop_for_toxicity for arm, c in by_arm.items()}), n)
    choice = waiting(rng, people.risk({arm: c.stop_by_choice for arm, c in by_arm.items()}), n)
    return {
        "first_dose": np.where(untreated, NEVER, first),
        "toxicity": _date(people, 3 + _month_days(toxic)),
        "choice": _date(people, 3 + _month_days(choice)),
    }


def _tumours(
    rng: np.random.Generator, scenario: Scenario, people: People
) -> tuple[Floats, Floats, Floats, Floats]:
    """Shrinkage, growth, rate of new lesions and rate of death before progression, all per month."""
    found = np.zeros((4, len(people)))
    for course in scenario.courses:
        mask = people.arm == course.arm
        found[:, mask] = _of_course(rng, course, mask)
    return found[0], found[1], found[2], found[3]


def _of_course(rng: np.random.Generator, course: Course, mask: Bools) -> Floats:
    n = int(mask.sum())
    kind = pick(rng, tuple(g.weight for g in course.growth), n)
    median = np.array([[g.shrink[0], g.grow[0], g.new_lesion, g.death] for g in course.growth])[kind].T
    spread = np.array([[g.shrink[1], g.grow[1], 0, 0] for g in course.growth])[kind].T
    rates: Floats = median * np.exp(spread * rng.standard_normal((4, n)))
    return rates


def _relative(months: Floats, shrink: Floats, grow: Floats) -> Floats:
    with np.errstate(over="ignore"):
        size: Floats = np.exp(-shrink * months) + np.exp(np.minimum(grow * months, 50)) - 1
    return size


def _days_to_growth(sum0: Floats, shrink: Floats, grow: Floats) -> Floats:
    """Days until the sum exceeds its least by 20 % and 5 mm, by bisection: from there on it only rises."""
    low = np.maximum(np.log(shrink / grow), 0) / (shrink + grow)
    nadir = _relative(low, shrink, grow)
    threshold = np.maximum(1.2 * nadir, nadir + 5 / sum0)
    high = np.maximum(np.log(threshold + 1) / grow, low)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = _relative(middle, shrink, grow) >= threshold
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    days: Floats = np.minimum(high * DAYS_PER_MONTH, NEVER)
    return days


def _month_days(months: Floats) -> Floats:
    return np.minimum(months * DAYS_PER_MONTH, NEVER)


def _date(people: People, days: Floats) -> Ints:
    """The day so many days after randomisation; NEVER where it is beyond any trial."""
    near = days < 50_000
    return np.where(near, people.randomisation + np.where(near, days, 0).astype(np.int64), NEVER)
