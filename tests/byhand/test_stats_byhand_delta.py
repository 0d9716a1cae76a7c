"""Those lost to follow-up, had they fared worse: Lipkovich, Ratitch and O'Kelly, Pharm Stat 2016;15:216."""

import math

import numpy as np
import pytest

from trialwright.stats.cox import cox
from trialwright.stats.delta_adjusted import Lost, delta_adjusted
from trialwright.stats.errors import NotEstimable

# control: deaths at 1, 3, 5, 7; experimental: deaths at 2, 4, 6, 8, one lost at 3, who would have been seen until 7
TIME = np.array([1, 3, 5, 7, 2, 4, 6, 8, 3.0])
EVENT = np.array([1, 1, 1, 1, 1, 1, 1, 1, 0])
GROUP = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
LOST = Lost(np.arange(9) == 8, np.where(np.arange(9) == 8, 7, TIME))


def imputed(delta: float, imputations: int = 200):
    return delta_adjusted(TIME, EVENT, GROUP, LOST, delta, imputations=imputations)


def fitted(time: float, event: int) -> float:
    return float(cox(np.append(TIME[:8], time), np.append(EVENT[:8], event), GROUP).hazard_ratio[0])


@pytest.mark.parametrize("delta", [0.5, 1, 2])
def test_the_chance_of_an_event_is_that_of_the_curve_to_the_power_of_delta(delta):
    """After 3 the experimental curve falls from 4/5 to 4/5 x 2/3 at 4 and to half of that at 6: 1/3 is left at 7."""
    assert imputed(delta, 2_000).more_events == pytest.approx(1 - (1 / 3) ** delta, abs=0.03)


def test_beyond_the_last_follow_up_the_hazard_of_the_arm_goes_on():
    """Experimental: four deaths in 2 + 4 + 6 + 8 + 9 days; the last one lost on day 9 and due until 30."""
    time, event = np.append(TIME[:8], 9.0), EVENT
    lost = Lost(np.arange(9) == 8, np.where(np.arange(9) == 8, 30, time))
    found = delta_adjusted(time, event, GROUP, lost, 2, imputations=4_000)
    assert found.more_events == pytest.approx(1 - math.exp(-2 * 4 / 29 * (30 - 9)), abs=0.02)


def test_hardly_any_hazard_is_to_be_seen_alive_until_the_end():
    found = imputed(1e-9)
    assert found.more_events == 0
    assert found.hazard_ratio == pytest.approx(fitted(7, 0), rel=1e-12)


def test_a_huge_hazard_is_the_next_death_of_the_arm():
    found = imputed(1e6)
    assert found.more_events == 1
    assert found.hazard_ratio == pytest.approx(fitted(4, 1), rel=1e-12)


def test_pooled_by_rubin():
    """At delta 1 a third each dies at 4, dies at 6, lives to 7."""
    ends = [(4, 1), (6, 1), (7, 0)]
    fits = [cox(np.append(TIME[:8], t), np.append(EVENT[:8], e), GROUP) for t, e in ends]
    logs = np.array([fit.coef[0] for fit in fits])
    within = np.mean([fit.std_error[0] ** 2 for fit in fits])
    total = math.sqrt(within + logs.var())  # many imputations: a third each
    found = imputed(1, 3_000)
    assert math.log(found.hazard_ratio) == pytest.approx(logs.mean(), abs=0.01)  # 3 times its own error
    assert math.log(found.upper / found.lower) / (2 * 1.959964) == pytest.approx(total, rel=0.01)


def test_more_hazard_in_the_experimental_arm_is_a_larger_ratio():
    ratios = [imputed(delta).hazard_ratio for delta in (0.25, 1, 2, 5)]
    assert ratios == sorted(ratios)


def test_the_same_answer_every_time_and_in_any_order_of_rows():
    time, event = np.append(TIME, [2, 5.0]), np.append(EVENT, [0, 0])
    group, who = np.append(GROUP, [1, 0]), np.append(np.arange(9) == 8, [True, True])
    until, order = np.where(who, 8, time), np.random.default_rng(1).permutation(11)

    def found(rows: np.ndarray):
        return delta_adjusted(time[rows], event[rows], group[rows], Lost(who[rows], until[rows]), 2)

    again = found(order)
    assert found(np.arange(11)) == found(np.arange(11))
    assert again.more_events == found(np.arange(11)).more_events
    assert again.hazard_ratio == pytest.approx(found(np.arange(11)).hazard_ratio, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"delta": 0}, "delta must be positive, not 0"),
        ({"imputations": 1}, "imputations must be at least 2"),
        ({"lost": Lost(np.ones(9), TIME)}, "lost at row 0, but with the event"),
        ({"lost": Lost(np.arange(9) == 8, np.ones(9))}, "lost.until is before the time"),
        ({"lost": Lost(np.arange(9) == 8, [1.0])}, "lost.until has 1 rows, but there are 9 times"),
    ],
)
def test_what_cannot_be_meant(changes, words):
    asked = {"lost": LOST, "delta": 1} | changes
    with pytest.raises(ValueError, match=words):
        delta_adjusted(TIME, EVENT, GROUP, **asked)


def test_nobody_lost():
    with pytest.raises(NotEstimable, match="nobody was lost"):
        delta_adjusted(TIME, EVENT, GROUP, Lost(np.zeros(9), TIME), 1)
