"""Treatment switching on paper."""

from math import exp, log

import numpy as np
import pytest

from trialwright.stats.errors import NotEstimable
from trialwright.stats.logistic import logistic
from trialwright.stats.logrank import logrank
from trialwright.stats.switching import (
    Search,
    censoring_weighted,
    intervals,
    rank_preserving,
    switching_weights,
)

NAN = float("nan")


def near(value):
    return pytest.approx(value, rel=1e-7, abs=1e-9, nan_ok=True)


class TestRankPreserving:
    """Treatment halves time: exp(psi) = 2 makes the arms alike.

    | arm     | time | of it treated | untreated at exp(psi) = 2 |
    | treated | 2    | 2             | 4                         |
    | treated | 4    | 4             | 8                         |
    | control | 4    | 0             | 4                         |
    | control | 5    | 3             | 2 + 2 · 3 = 8             |

    Just below psi = log 2 the treated come first at each time, U = 1/2 - 1/3 + 1/2; just above, last.
    """

    time, event, group, treated = [5, 2, 4, 4], [1, 1, 1, 1], [0, 1, 0, 1], [3, 2, 0, 4]

    def test_estimate(self):
        found = rank_preserving(self.time, self.event, self.group, self.treated)
        assert found.psi.estimate == near(log(2))
        assert found.crossings == near((log(2),))
        # with four patients Z never gets as far as 1.96
        assert np.isnan([found.psi.lower, found.psi.upper]).all()

    def test_the_test_stays_that_of_the_arms_as_randomised(self):
        found = rank_preserving(self.time, self.event, self.group, self.treated)
        assert found.p_value == logrank(self.time, self.event, self.group).p_value

    def test_limits_where_less_is_asked(self):
        found = rank_preserving(self.time, self.event, self.group, self.treated, confidence=0.2)
        assert found.psi.lower <= found.psi.estimate <= found.psi.upper

    def test_control_arm_as_it_would_have_been(self):
        found = rank_preserving(self.time, self.event, self.group, self.treated)
        assert found.time.tolist() == near([8, 2, 4, 4])
        assert found.n_switched == 1

    def test_control_censored_when_nobody_could_know_otherwise(self):
        """exp(psi) = 1/2 by the treated 8, 16 against 4 and 7 + 1/2 · 2 = 8; followed for 10 and 20.

        The second control would have been censored at 10 · 1/2 = 5, before 8: he is, at 5.
        """
        time, event, group, treated = [8, 16, 4, 9], [1, 1, 1, 1], [1, 1, 0, 0], [8, 16, 0, 2]
        censor = [20, 20, 20, 10]
        at = Search(low=log(0.5) - 0.01, high=log(0.5) + 0.01, points=3)
        free = rank_preserving(time, event, group, treated, search=at)
        assert free.psi.estimate == near(log(0.5))
        assert free.time[3] == near(8)
        assert free.n_recensored == 0
        found = rank_preserving(time, event, group, treated, censor, search=Search(-3, 3, 601))
        assert found.n_recensored == 1
        assert found.time[3] == near(10 * exp(found.psi.estimate))
        assert found.event.tolist() == [True, True, True, False]

    def test_hazard_ratio_keeps_the_evidence(self):
        time, event = [9, 8, 7, 6, 5, 4, 3, 10], [1, 1, 0, 1, 1, 1, 1, 1]
        group, treated = [1, 1, 1, 1, 0, 0, 0, 0], [9, 8, 7, 6, 0, 0, 1, 8]
        found = rank_preserving(time, event, group, treated)
        z = found.intention_to_treat.z
        ratio = found.hazard_ratio()
        assert log(ratio.upper / ratio.estimate) == near(1.959963984540054 * abs(log(ratio.estimate) / z))
        assert ratio.lower * ratio.upper == near(ratio.estimate**2)

    def test_no_crossing(self):
        # nobody was treated: no psi changes anything
        with pytest.raises(NotEstimable, match="Z does not cross 0 for psi between -1 and 1"):
            rank_preserving([1, 2, 3, 4], [1] * 4, [0, 0, 1, 1], [0] * 4, search=Search(-1, 1))

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"treated": [6, 2, 0, 4]}, "treated is more than time at row 0: 6 of 5"),
            ({"treated": [3, 2]}, "treated has 2 rows, but there are 4 times"),
            ({"censor_time": [5, 2, 4, 3]}, "censor_time is before time at row 3"),
            ({"censor_time": [5]}, "censor_time has 1 rows"),
            ({"recensor": "maybe"}, "recensor must be one of"),
            ({"strata": [1]}, "strata has shape"),
        ],
    )
    def test_misuse(self, change, words):
        given = {"time": self.time, "event": self.event, "group": self.group, "treated": self.treated}
        with pytest.raises(ValueError, match=words):
            rank_preserving(**{**given, **change})


class TestCensoringWeights:
    """Six control patients, two with a bad sign (x = 1); the end of an interval is when to decide.

    | patient | x | (0, 1]   | (1, 2] |
    | a       | 1 | switches |        |
    | b       | 1 | stays    | dies   |
    | c       | 0 | switches |        |
    | d       | 0 | stays    | stays  |
    | e       | 0 | stays    | dies   |
    | f       | 0 | stays    | stays  |

    With x = 1 one of two decisions is to switch, with x = 0 one of six (none is left to the dead). So b counts 2
    in the second interval, d, e and f 6/5 each: dead 2 + 6/5 of 2 + 3 · 6/5.
    """

    subject = list("fabbcddeefgh")
    start = [0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0]
    stop = [1, 1, 1, 2, 1, 1, 2, 1, 2, 2, 1.5, 2]
    event = [0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0]
    switch = [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    group = [0] * 10 + [1, 1]
    x = [0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1]

    def rows(self, **change):
        given = {
            name: getattr(self, name) for name in ("subject", "start", "stop", "event", "switch", "group")
        }
        return intervals(**{**given, **change})

    def weights(self):
        return switching_weights(self.rows(), np.column_stack((np.ones(12), self.x)))

    def test_a_time_at_which_nobody_switches_separates(self):
        first = np.array(self.start) == 0
        with pytest.raises(NotEstimable, match="who switches in group 0: a covariate separates"):
            switching_weights(self.rows(), np.column_stack((first, first * np.array(self.x), ~first)))

    def test_weights(self):
        w = self.weights()
        assert w[:10].tolist() == near([1, 1, 1, 2, 1, 1, 6 / 5, 1, 6 / 5, 6 / 5])
        assert w[10:].tolist() == [1, 1]  # nobody switched in the other arm

    def test_curve(self):
        found = censoring_weighted(self.rows(), self.weights())
        assert found.curves[0].at(2)[0] == near(1 - 3.2 / 5.6)
        assert found.curves[1].at(2)[0] == near(1 / 2)
        assert found.n_switched == 2

    def test_stabilised_by_the_same_covariates_is_unweighted(self):
        columns = np.column_stack((np.ones(12), self.x)).astype(float)
        assert switching_weights(self.rows(), columns, columns).tolist() == near([1] * 12)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"start": [0, 0, 0, 0.5, 0, 0, 1, 0, 1, 1, 0, 0]}, "intervals of a patient overlap"),
            ({"event": [0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0]}, "an interval after the event or the switch"),
            ({"group": [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]}, "a patient is in both groups"),
            ({"switch": [0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]}, "both the event and the switch"),
        ],
    )
    def test_misuse(self, change, words):
        with pytest.raises(ValueError, match=words):
            self.rows(**change)

    def test_covariates_for_every_interval(self):
        with pytest.raises(ValueError, match="one row for each of the 12 intervals"):
            switching_weights(self.rows(), [[1.0]])


class TestLogistic:
    def test_two_by_two(self):
        """1 of 4 without, 3 of 4 with: log odds -log 3 and a difference of 2 log 3, variances 1/1 + 1/3 each."""
        x = np.repeat([0, 1], 4)
        found = logistic([1, 0, 0, 0, 1, 1, 1, 0], np.column_stack((np.ones(8), x)))
        assert found.coef.tolist() == near([-log(3), 2 * log(3)])
        assert (found.std_error**2).tolist() == near([4 / 3, 8 / 3])
        assert found.loglik == near(2 * log(1 / 4) + 6 * log(3 / 4))
        assert found.probability([[1, 0], [1, 1]]).tolist() == near([1 / 4, 3 / 4])

    @pytest.mark.parametrize(
        ("event", "X", "reason"),
        [
            ([0, 0], [[1], [1]], "no events"),
            ([1, 1], [[1], [1]], "nobody without event"),
            ([1, 0, 1], [[1, 2], [1, 2], [1, 2]], "columns of X determine each other"),
            ([0, 0, 1, 1], [[1, 1], [1, 2], [1, 3], [1, 4]], "a covariate separates"),
        ],
    )
    def test_reasons(self, event, X, reason):
        with pytest.raises(NotEstimable, match=reason):
            logistic(event, X)

    def test_misuse(self):
        with pytest.raises(ValueError, match="without missing values"):
            logistic([1, 0], [[1], [NAN]])
