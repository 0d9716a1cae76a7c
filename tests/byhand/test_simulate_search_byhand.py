"""Searching events: what a candidate looks like, where the search begins and ends, what it refuses."""

import math

import pytest

from simulate_designs import A, B, M, design
from trialwright.simulate import search as module
from trialwright.simulate.characteristics import characteristics, no_closed_form, schoenfeld
from trialwright.simulate.chunks import Run, simulate
from trialwright.simulate.design import Design, Piece
from trialwright.simulate.search import (
    Wish,
    changed,
    closed_number,
    closed_power,
    judged_by,
    search,
    sized,
)
from trialwright.simulate.search_page import told
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

    def test_looks_that_round_to_the_same_number_grow(self):
        """60, 61 and 420 are, of 42 events, 6, 6.1 and 42: 5, 6 and 42. Of 12: 1.7, 1.7 and 12."""
        near = design(B, looks=[{"events": 60}, {"events": 61}, {"events": 420}])
        assert looks(sized(near, 42)) == [(5, None), (6, None), (42, None)]
        assert looks(sized(near, 12)) == [(1, None), (2, None), (12, None)]

    def test_whichever_comes_last_is_events(self):
        both = design(A, looks=[{"events": 90, "month": 40, "whichever": "last"}])
        alone = sized(both, 60)
        assert looks(alone) == [(60, None)]
        assert Design.model_validate_json(alone.model_dump_json()) == alone

    def test_bounds_of_other_tests_stay_behind(self):
        stated = design(M, level={"bounds": {"logrank": [2], "maxcombo": [2.3]}})
        assert dict(judged_by(stated, "maxcombo").level.bounds) == {"maxcombo": (2.3,)}
        assert dict(judged_by(stated, None).level.bounds) == {"logrank": (2.0,)}
        assert dict(sized(stated, 300).level.bounds) == {"logrank": (2.0,)}

    def test_what_cannot_be_is_a_sentence(self):
        with pytest.raises(InputError, match="changed for the search: patients: Input should be less"):
            changed(design(A), patients=10**9)

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


class TestWhereTheClosedFormHolds:
    PLAIN = B | {"hazard_ratio": [{"value": 0.7}], "looks": [{"events": 300}]}

    def test_of_one_look_at_events(self):
        """(1.95996 + 0.84162)^2 / (log 0.7)^2 x 4 = 246.8 events (Schoenfeld)."""
        assert closed_number(design(self.PLAIN), 0.8) == (pytest.approx(246.8, abs=0.05), "")

    def test_the_month_is_not_obeyed_by_a_search(self):
        """But in the scenario itself it is."""
        limited = design(self.PLAIN, looks=[{"events": 300, "month": 20}])
        assert closed_number(limited, 0.8)[0] == pytest.approx(246.8, abs=0.05)
        assert schoenfeld(limited) is None
        assert "whatever the month" in no_closed_form(limited)
        assert schoenfeld(design(self.PLAIN)) is not None

    def test_at_a_stated_bound(self):
        """2.2 in place of 1.96: (2.2 + 0.84162)^2 / (log 0.7)^2 x 4 = 290.9."""
        stated = design(self.PLAIN, level={"bounds": {"logrank": [2.2]}})
        assert closed_number(stated, 0.8) == (pytest.approx(290.9, abs=0.05), "")
        never = design(self.PLAIN, level={"bounds": {"logrank": [math.inf]}})
        assert closed_number(never, 0.8) == (
            None,
            "with a bound of inf no number of events has just that power",
        )

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"looks": B["looks"]}, "of one look"),
            ({"tests": [{"id": "w", "kind": "cox"}]}, "of the log-rank test"),
            ({"tests": [{"id": "l", "kind": "fleming-harrington", "gamma": 1}]}, "of the log-rank test"),
            ({"hazard_ratio": B["hazard_ratio"]}, "not the same for all and at all times"),
        ],
    )
    def test_nowhere_else(self, change, why):
        what = design(self.PLAIN, **change)
        number, gap = closed_number(what, 0.8)
        assert number is None
        assert why in gap
        (row,) = (
            characteristics(what, "x", simulate(Run(what, 20, 1)))
            .filter(statistic="power_closed_form")
            .rows(named=True)
        )
        assert row["value"] is None
        assert why in row["note"]


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

    def test_a_month_is_told_as_it_is(self, formula):
        """The interim look had one at the earliest, the analysis one at the latest; neither is obeyed."""
        both = [{"events": 45, "month": 20, "whichever": "last"}, {"events": 90, "month": 54}]
        found = search(design(A, looks=both), Wish(0.8, 10**4, 1))
        assert found.months == ("look 1 in month 20 at the earliest", "analysis in month 54 at the latest")
        first, *rest = told("x", found).splitlines()[1:4]
        assert first == "There is no closed form beside it: the closed form is of one look."
        assert [line.split(" was not applied")[0] for line in rest] == [
            f"The scenario's {month}" for month in found.months
        ]

    def test_points_of_the_curve_get_a_quarter(self, formula):
        found = search(design(A), Wish(0.8, 10_000, seed=7))
        assert {p.trials for p in found.curve} == {10_000, 2_500}

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
