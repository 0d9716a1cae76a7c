"""Searching events: what a candidate looks like, where the search begins and ends, what it refuses."""

import math

import pytest

from simulate_designs import A, B, M, design
from trialwright.simulate import search as module
from trialwright.simulate.design import Piece
from trialwright.simulate.search import Wish, changed, closed_power, judged_by, search, sized
from trialwright.simulate.tally import Tally
from trialwright.standards.errors import InputError
from trialwright.stats.normal import below

NULL = [{"value": 1}]


def looks(what):
    return [(look.events, look.month) for look in what.looks]


class TestCandidates:
    def test_events_and_patients_grow_together(self):
        """45 events instead of 90: half the patients, 64.5, so 65, and in 30 x 65 / 129 months."""
        half = sized(design(A), 45)
        assert (looks(half), half.patients) == ([(45, None)], 65)
        assert half.accrual.months == pytest.approx(30 * 65 / 129)
        assert sized(design(A), 90) == design(A)

    def test_patients_as_wished(self):
        more = sized(design(A), 45, 258)
        assert (more.patients, more.accrual.months) == (258, pytest.approx(60))

    def test_looks_stay_at_their_fractions(self):
        """210, 315 and 420 are 50, 75 and 100 percent; of 101 events that is 50.5, 75.75 and 101."""
        assert looks(sized(design(B), 101)) == [(50, None), (76, None), (101, None)]
        assert sized(design(B, level={"planned": 840}), 210).level.planned == 420

    def test_the_month_is_no_limit(self):
        both = design(A, looks=[{"events": 90, "month": 40}])
        assert looks(sized(both, 60)) == [(60, None)]

    def test_rates_go_on(self):
        """4 a month, from month 10 on 8: 129 patients take 10 + 89 / 8 months, 258 take 10 + 218 / 8."""
        rates = design(A, accrual={"rate": [{"value": 4}, {"start": 10, "value": 8}]})
        assert rates.accrual.months == pytest.approx(10 + 89 / 8)
        assert sized(rates, 180).accrual.months == pytest.approx(10 + 218 / 8)

    def test_one_test(self):
        assert [t.id for t in judged_by(design(M), "maxcombo").tests] == ["maxcombo"]
        assert [t.id for t in judged_by(design(M), None).tests] == ["logrank"]
        with pytest.raises(InputError, match=r"no test 'best' .there is logrank, maxcombo"):
            judged_by(design(M), "best")


def test_what_was_computed_of_the_old_one_is_not_kept():
    old = design(A)
    assert (old.proportional()[0], old.hazards.rate[1, 0] / old.hazards.rate[0, 0]) == (
        0.6,
        pytest.approx(0.6),
    )
    new = changed(old, hazard_ratio=(Piece(value=0.5),))
    assert (new.proportional()[0], new.hazards.rate[1, 0] / new.hazards.rate[0, 0]) == (
        0.5,
        pytest.approx(0.5),
    )


def test_futility_stays():
    vain = {"conditional_power": 0.1}
    two = sized(design(A, looks=[{"events": 45, "futility": vain}, {"events": 90}]), 60)
    assert looks(two) == [(30, None), (60, None)]
    assert two.looks[0].futility.conditional_power == 0.1


def test_the_closed_form():
    """90 events, 2:1, hazard ratio 0.6: -log 0.6 x sqrt(90 x 2/9) = 2.2845; 2.2845 - 1.96 = 0.3245."""
    assert closed_power(design(A), 90) == pytest.approx(below(0.3245), abs=1e-4)
    assert closed_power(design(B), 90) is None


@pytest.fixture
def formula(monkeypatch):
    """Simulation replaced by a formula, so that the right answer is known; what was asked is kept."""
    asked = []

    def run(run, *, hands):
        events, trials = run.design.looks[-1].events, run.trials
        asked.append((events, trials, run.seed))
        power = below(0.2 * math.sqrt(events) - 1.959964)
        return Tally({
            ("trials",): trials,
            ("rejected", "logrank", "1"): round(power * trials),
            ("n", "reached", "1"): 1, ("sum", "reached", "1"): 1 << 32, ("squares", "reached", "1"): 1 << 32,
            ("n", "month", "stop"): 2, ("sum", "month", "stop"): 20 << 32, ("squares", "month", "stop"): 200 << 32,
        })  # fmt: skip

    monkeypatch.setattr(module, "run", run)
    return asked


class TestSearch:
    def test_the_smallest_number(self, formula):
        """0.2 sqrt(e) = 1.95996 + 0.84162 at e = 196.2: power is below 0.8 at 196 and above at 197."""
        found = search(design(A), Wish(0.8, 1_000_000, seed=7))
        assert found.answer.events == 197
        assert {196, 197} <= {e for e, trials, _ in formula if trials == 1_000_000}
        assert {seed for *_, seed in formula} == {7}
        assert [p.events for p in found.curve] == sorted({p.events for p in found.curve})

    def test_its_interval(self, formula):
        """Power 0.8 ± 0.004: probits ± 0.004 / 0.28 = 0.01429, so roots of events ± 1.96 x 0.01429 / 0.2."""
        found = search(design(A), Wish(0.8, 10_000, seed=7))
        root = math.sqrt(196.2)
        assert found.lower == pytest.approx((root - 0.14) ** 2, abs=2)
        assert found.upper == pytest.approx((root + 0.14) ** 2, abs=2)

    def test_from_any_beginning(self, formula):
        """The hazard ratio only says where to begin."""
        answers = {
            search(design(A, hazard_ratio=[{"value": r}]), Wish(0.8, 10**6, 1)).answer.events
            for r in (0.05, 0.4, 0.7, 0.95)
        }
        assert answers == {197}

    def test_the_fewest_and_the_most(self, formula):
        assert search(design(A), Wish(0.1, 10**6, 1)).answer.events == 12
        with pytest.raises(
            InputError, match=r"power 0.9 is not reached with 150 patients: it is 0.688 ± 0.000 at"
        ):
            search(design(A), Wish(0.9, 10**6, 1, patients=150))

    def test_patients_as_wished(self, formula):
        found = search(design(A), Wish(0.8, 10**6, 1, patients=250))
        assert (found.answer.events, found.answer.design.patients) == (197, 250)


@pytest.mark.parametrize(
    ("change", "power", "words"),
    [
        ({"hazard_ratio": NULL}, 0.8, "hazard ratio 1: there is no benefit"),
        ({"hazard_ratio": [{"value": 1.2}]}, 0.8, "hazard ratio 1.2: there is no benefit"),
        ({"looks": [{"month": 40}], "level": {"planned": 90}}, 0.8, "needs looks at numbers of events"),
        ({}, 0.025, "power lies between the level 0.025 and 1"),
        ({}, 1, "power lies between"),
    ],
)  # fmt: skip
def test_what_it_refuses(change, power, words):
    with pytest.raises(InputError, match=words):
        search(design(A, **change), Wish(power, 100, 1))


def test_harm_in_pieces_is_given_up():
    """No one hazard ratio is true, so the simulation must tell: here by its first, few trials."""
    worse = [{"value": 1.2}, {"start": 3, "value": 1.5}]
    with pytest.raises(InputError, match=r"power 0.8 is not reached with 60 patients"):
        search(design(A, hazard_ratio=worse), Wish(0.8, 200, 1, patients=60))
