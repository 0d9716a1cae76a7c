"""Twelve patients, worked on paper: every step of the time-to-event block.

Arm A: days 10, 20, 30+, 40, 50, 60+.  Arm B: days 20, 45, 70+, 80, 90+, 100+.  (+ censored)
"""

import math

import polars as pl
import pytest

from analysis_frames import adsl, adtte, note, number, rows, with_analyses
from small import small_study
from trialwright.analysis.run import run

SUBJECTS = adsl(
    """
    USUBJID | TRT01P | SITE1
    B3      | B      | LUNG
    A1      | A      | LUNG
    A2      | A      | GEP
    B1      | B      | LUNG
    A3      | A      | LUNG
    A4      | A      | GEP
    B2      | B      | GEP
    A5      | A      | LUNG
    B4      | B      | GEP
    A6      | A      | GEP
    B5      | B      | LUNG
    B6      | B      | GEP
    X1      |        |      |
    """
)
TIMES = adtte(
    """
    USUBJID | AVAL | CNSR
    A1      | 10   | 0
    A2      | 20   | 0
    A3      | 30   | 1
    A4      | 40   | 0
    A5      | 50   | 0
    A6      | 60   | 1
    B1      | 20   | 0
    B2      | 45   | 0
    B3      | 70   | 1
    B4      | 80   | 0
    B5      | 90   | 1
    B6      | 100  | 1
    """
)
STUDY = with_analyses(
    small_study(),
    {
        "id": "OS",
        "method": "time_to_event",
        "population": "ITT",
        "endpoint": "OS",
        "landmarks_months": [1.5, 3],
        "rmst_months": [1, 12],
    },
)


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    return run(STUDY, {"ADSL": SUBJECTS, "ADTTE": TIMES})


def test_counts(results):
    for group, n, events in (("A", 6, 4), ("B", 6, 3), ("Total", 12, 7)):
        assert number(results, "n", group, analysis="OS") == n
        assert number(results, "events", group, analysis="OS") == events
        assert number(results, "censored", group, analysis="OS") == n - events


def test_the_curve_of_a_by_hand(results):
    """S(10) = 5/6, S(20) = 4/6, S(40) = 4/6 * 2/3 = 4/9, S(50) = 2/9: the median is day 40."""
    assert number(results, "median", "A") == 40
    assert number(results, "q1", "A") == 20
    assert number(results, "q3", "A") == 50
    day = 1.5 * 30.4375  # 45.66
    assert 40 < day < 50
    assert number(results, "survival", "A", "1.5 months") == pytest.approx(4 / 9)
    theta = math.sqrt(1 / (6 * 5) + 1 / (5 * 4) + 1 / (3 * 2)) / abs(math.log(4 / 9))
    z = 1.959963984540054
    assert number(results, "survival_lower", "A", "1.5 months") == pytest.approx(
        (4 / 9) ** math.exp(z * theta)
    )
    assert number(results, "survival_upper", "A", "1.5 months") == pytest.approx(
        (4 / 9) ** math.exp(-z * theta)
    )
    assert number(results, "at_risk", "A", "1.5 months") == 2  # days 50 and 60+


def test_the_median_of_b_lies_at_80_and_has_no_upper_limit(results):
    """S(20) = 5/6, S(45) = 4/6, S(80) = 4/6 * 2/3 = 4/9."""
    assert number(results, "median", "B") == 80
    assert number(results, "median_upper", "B") is None
    assert note(results, "median_upper", "B") == "not reached"


def test_beyond_the_last_patient_there_is_no_rate(results):
    """Arm A ends at day 60, censored: at 3 months (day 91.3) its curve is not known."""
    assert number(results, "survival", "A", "3 months") is None
    assert note(results, "survival", "A", "3 months") == "nobody of arm A was followed to 3 months"
    assert number(results, "at_risk", "A", "3 months") == 0
    assert number(results, "survival", "B", "3 months") == pytest.approx(4 / 9)
    assert note(results, "survival_difference", "B vs A", "3 months") == "arm A was not followed to 3 months"


def test_the_difference_of_rates_by_greenwood(results):
    """At day 45.66: A 4/9, B 4/6; variance S² * sum d / (n (n - d))."""
    v_a = (4 / 9) ** 2 * (1 / 30 + 1 / 20 + 1 / 6)
    v_b = (4 / 6) ** 2 * (1 / 30 + 1 / 20)
    half = 1.959963984540054 * math.sqrt(v_a + v_b)
    assert number(results, "survival_difference", "B vs A", "1.5 months") == pytest.approx(2 / 9)
    assert number(results, "survival_difference_lower", "B vs A", "1.5 months") == pytest.approx(2 / 9 - half)
    assert number(results, "survival_difference_upper", "B vs A", "1.5 months") == pytest.approx(2 / 9 + half)


def test_the_log_rank_test_by_hand(results):
    """Day: deaths d among n at risk, of which d1 among n1 in B.

    10: 1/12, 0/6   20: 2/11, 1/6   40: 1/8, 0/5   45: 1/7, 1/5   50: 1/6, 0/4   80: 1/3, 1/3
    """
    table = [(1, 12, 0, 6), (2, 11, 1, 6), (1, 8, 0, 5), (1, 7, 1, 5), (1, 6, 0, 4), (1, 3, 1, 3)]
    u = sum(d1 - d * n1 / n for d, n, d1, n1 in table)
    v = sum(d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1) for d, n, d1, n1 in table)
    z = u / math.sqrt(v)
    assert number(results, "z_logrank", "B vs A") == pytest.approx(z)
    assert z < 0  # fewer deaths in B than expected
    assert number(results, "p_logrank", "B vs A") == pytest.approx(math.erfc(abs(z) / math.sqrt(2)))


def test_the_hazard_ratio_solves_efrons_equation(results):
    """The score of Efron's partial likelihood is 0 there; at day 20 two die, one of each arm."""
    hr = number(results, "hazard_ratio", "B vs A")

    def expected(n1: float, n: float) -> float:
        return n1 * hr / (n1 * hr + n - n1)

    day20_first = 6 * hr / (6 * hr + 5)
    day20_second = (6 * hr - 0.5 * hr) / ((6 * hr + 5) - 0.5 * (hr + 1))
    score = 3 - (
        expected(6, 12)
        + day20_first
        + day20_second
        + expected(5, 8)
        + expected(5, 7)
        + expected(4, 6)
        + expected(3, 3)
    )
    assert score == pytest.approx(0, abs=1e-8)
    assert (
        number(results, "hazard_ratio_lower", "B vs A") < hr < number(results, "hazard_ratio_upper", "B vs A")
    )
    assert rows(results, statistic="hazard_ratio_unstratified").is_empty()
    assert note(results, "strata", "B vs A") == "unstratified"


def test_restricted_means_by_hand(results):
    """One month is 30.4375 days. A: 10 + 10 * 5/6 + 10.4375 * 4/6; B: 20 + 10.4375 * 5/6."""
    a, b = 10 + 50 / 6 + 10.4375 * 4 / 6, 20 + 10.4375 * 5 / 6
    assert number(results, "rmst", "A", "1 months") == pytest.approx(a)
    assert number(results, "rmst", "B", "1 months") == pytest.approx(b)
    assert number(results, "rmst_difference", "B vs A", "1 months") == pytest.approx(b - a)
    assert note(results, "rmst", "A", "1 months") == ""


def test_a_restricted_mean_stops_where_an_arm_stops(results):
    """Twelve months were asked for; arm A was followed for 60 days."""
    words = "restricted to 60 days, the longest time that every arm reaches"
    for statistic, group in (("rmst", "A"), ("rmst", "B"), ("rmst_difference", "B vs A")):
        assert note(results, statistic, group, "12 months") == words
    a = 10 + 50 / 6 + 20 * 4 / 6 + 10 * 4 / 9 + 10 * 2 / 9
    assert number(results, "rmst", "A", "12 months") == pytest.approx(a)


def test_follow_up_is_the_reverse_curve(results):
    """A, censored at 30 and 60: 1 of 4 at risk at 30, 1 of 1 at 60: the median is day 60."""
    assert number(results, "followup_median", "A") == 60
    assert number(results, "followup_median", "B") == 90


def test_reasons_add_up(results):
    found = rows(results, statistic="n_reason", group="A")
    assert found.select("level", "value", "note").rows() == [("DEATH", 4, "event"), ("ALIVE", 2, "censored")]


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact", "exact-marginal"])
def test_the_study_says_how_events_of_one_day_are_taken(ties):
    """A2 and B1 die on day 20. Before either, 2 deaths among five of A and six of B."""
    change = {"analyses": (STUDY.analyses[0].model_copy(update={"ties": ties}),)}
    found = run(STUDY.model_copy(update=change), {"ADSL": SUBJECTS, "ADTTE": TIMES})
    beta = math.log(number(found, "hazard_ratio", "B vs A", analysis="OS"))
    r = math.exp(beta)
    # days 10, 40, 45, 50, 80: at risk in A, in B, and whether the death is of B
    others = [(6, 6, 0), (3, 5, 0), (2, 5, 1), (2, 4, 0), (0, 3, 1)]
    alone = sum(own - b * r / (a + b * r) for a, b, own in others)
    a, b = 5, 6
    if ties == "breslow":
        tied = 1 - 2 * b * r / (a + b * r)
    elif ties == "efron":
        tied = 1 - b * r / (a + b * r) - (b - 0.5) * r / (a - 0.5 + (b - 0.5) * r)
    elif ties == "exact":  # one of each arm, among all pairs
        pairs = a * (a - 1) / 2 + a * b * r + b * (b - 1) / 2 * r * r
        tied = 1 - (a * b * r + b * (b - 1) * r * r) / pairs
    else:  # A2 first or B1 first: r / (a + b r) times 1 / (what is left)
        first_a, first_b = 1 / (a - 1 + b * r), 1 / (a + (b - 1) * r)
        slopes = -b * r * first_a**2, -(b - 1) * r * first_b**2
        tied = 1 - b * r / (a + b * r) + sum(slopes) / (first_a + first_b)
    assert alone + tied == pytest.approx(0, abs=1e-9)  # the score of the partial likelihood
