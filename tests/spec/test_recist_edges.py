"""RECIST 1.1: each published number a hair before and at its limit, and what a policy may not say."""

import polars as pl
import pytest

from recist_frames import MEASURED, framed, measured, of_sums
from trialwright.medicine import recist


def drawn_measurements(drawn: pl.DataFrame) -> pl.DataFrame:
    """What is not drawn is one patient, one reader, one lesion, no node, a scan every 42 days."""
    usual = {
        "subject": pl.lit("1"),
        "assessor": pl.lit("INV"),
        "day": 42 * pl.col("assessment"),
        "lesion": pl.lit("T1"),
        "nodal": pl.lit(False),
        "state": pl.lit(None),
        "baseline": pl.col("assessment") == 0,
    }
    missing = {name: value for name, value in usual.items() if name not in drawn.columns}
    return drawn.with_columns(**missing).select(pl.col(name).cast(kind) for name, kind in MEASURED.items())


@pytest.mark.parametrize(
    ("sums", "response"),
    [
        pytest.param((20, 24.999), "SD", id="a quarter more, but a hair less than 5 mm"),
        pytest.param((20, 25), "PD", id="a quarter more and 5 mm"),
        pytest.param((100, 119.99), "SD", id="a hair less than 20 %"),
        pytest.param((100, 120), "PD", id="20 %"),
        pytest.param((100, 70.01), "SD", id="a hair less than 30 % smaller"),
        pytest.param((100, 70), "PR", id="30 % smaller"),
    ],
)
def test_the_limits_of_the_sum(sums, response):
    assert recist.target_course(of_sums(*sums))["target_response"][-1] == response


@pytest.mark.parametrize(("short_axis", "response"), [(9.99, "CR"), (10, "PR")])
def test_the_limit_of_a_node(short_axis, response):
    course = measured(
        f"assessment | lesion | nodal | diameter_mm\n0 | T1 | true | 20\n1 | T1 | true | {short_axis}"
    )
    assert recist.target_course(course)["target_response"][-1] == response


@pytest.mark.parametrize(
    "number", [{"too_small_mm": -0.1}, {"confirmation_days": -1}, {"bor_pd_max_days": -1}]
)
def test_a_number_below_zero_is_refused(number):
    name = next(iter(number))
    with pytest.raises(ValueError, match=f"^recist {name} is not negative"):
        recist.Policy(**number)


def test_faults_at_baseline_stand_by_patient_assessor_rule_and_lesion():
    """A lesion of which nobody says that it is a node is none."""
    drawn = framed(
        """
        subject | assessor | lesion | diameter_mm | nodal | rule
        1       | BICR     | T2     | 9.99        | false | not_measurable
        1       | INV      | T1     | 9.99        |       | not_measurable
        1       | INV      | T2     | 9           | false | not_measurable
        1       | INV      | T3     | 14.99       | true  | node_not_measurable
        2       | BICR     | T1     | 9           | false | not_measurable
        """
    ).sort("subject", "assessor", "rule", "lesion")
    targets = drawn.drop("rule").with_columns(day=pl.lit(-7), organ="lesion")
    for given in (targets, targets.reverse()):
        found = recist.baseline_faults(given)
        assert found.select("subject", "assessor", "lesion", "rule").rows() == (
            drawn.select("subject", "assessor", "lesion", "rule").rows()
        )


@pytest.mark.parametrize(
    ("sum_mm", "baseline", "nadir", "response"),
    [
        (16.4, 11.4, 11.4, "PD"),
        (40.44, 33.7, 33.7, "PD"),
        (119.9999996, 100, 100, "PD"),
        (119.999999, 100, 100, "SD"),
        (70.0000004, 100, 100, "PR"),
        (70.000001, 100, 100, "SD"),
    ],
)
def test_sums_are_compared_to_a_millionth_of_a_millimetre(sum_mm, baseline, nadir, response):
    """16.4 - 11.4 is 4.999999999999998 in binary, and 1.2 x 33.7 is 40.440000000000005."""
    numbers = [pl.lit(float(mm)) for mm in (sum_mm, baseline, nadir)]
    told = recist.target_response(*numbers, all_gone=pl.lit(False), complete=pl.lit(True))
    assert pl.select(told).item() == response


def test_sums_and_changes_are_told_to_a_millionth():
    course = recist.target_course(
        measured(
            """
            assessment | lesion | diameter_mm
            0          | T1     | 20
            0          | T2     | 20
            1          | T1     | 10.1
            1          | T2     | 10.2
            """
        )
    )
    assert course.select("sum_mm", "change_mm").row(1) == (20.3, -19.7)
    assert recist.target_course(of_sums(12.3, 20))["change_mm"][1] == 7.7


def test_a_node_a_millionth_below_its_limit_is_normal_and_less_is_nothing():
    for short_axis, response in ((9.999999, "CR"), (9.9999996, "PR")):
        node = of_sums(20, short_axis).with_columns(nodal=pl.lit(True))
        assert recist.target_course(node)["target_response"][-1] == response


NODES = """
    assessment | lesion | nodal | diameter_mm | response | rule
    0          | T1     | true  | 20          |          | baseline
    1          | T1     | true  | 15          | SD       | neither
    2          | T1     | true  | 8           | CR       | only_normal_nodes
    3          | T1     | true  | 18          | PD       | sum_increased
"""


def test_the_sentence_that_decided_is_told():
    drawn = framed(NODES)
    course = recist.target_course(measured(NODES), recist.Policy(normal_nodes="cr"))
    assert course["target_response"].to_list() == drawn["response"].to_list()
    assert course["rule"].to_list() == drawn["rule"].to_list()
    assert recist.target_course(of_sums(30, 0, 20))["rule"].to_list() == [
        "baseline",
        "all_gone",
        "reappeared",
    ]


def test_a_normal_node_is_no_complete_response_beside_a_lesion_not_measured():
    course = measured(
        """
        assessment | lesion | nodal | diameter_mm
        0          | T1     | true  | 20
        0          | T2     | false | 20
        1          | T1     | true  | 8
        1          | T2     | false |
        """
    )
    assert recist.target_course(course, recist.Policy(normal_nodes="cr"))["target_response"][-1] == "NE"


def test_each_patient_is_read_by_day_whatever_the_keys_of_the_scans():
    drawn = framed(
        """
        subject | assessment | day | baseline | diameter_mm | response
        A       | 9          | 0   | true     | 20          |
        A       | 3          | 42  | false    | 10          | PR
        A       | 2          | 84  | false    | 14.9        | SD
        A       | 1          | 126 | false    | 15          | PD
        B       | 9          | 0   | true     | 100         |
        B       | 1          | 0   | false    | 60          | PR
        B       | 5          | 42  | false    | 75          | PD
        C       | 9          | 0   | true     | 100         |
        C       | 4          | 42  | false    | 50          | PR
        C       | 5          | 42  | false    | 60          | PD
        D       | 9          | 0   | true     | 100         |
        D       | 1          | 42  | false    | 110         | SD
        """
    )
    for given in (drawn, drawn.reverse()):
        found = recist.target_course(drawn_measurements(given))
        assert found["assessment"].to_list() == drawn["assessment"].to_list()
        assert found["target_response"].to_list() == drawn["response"].to_list()


def test_a_response_is_carried_in_its_own_patient_only():
    drawn = framed(
        """
        subject | assessment | diameter_mm | response | rule
        A       | 0          | 100         |          | baseline
        A       | 1          | 60          | PR       | sum_decreased
        A       | 2          | 71          | PR       | pr_carried
        B       | 0          | 100         |          | baseline
        B       | 1          | 90          | SD       | neither
        """
    )
    found = recist.target_course(drawn_measurements(drawn), recist.Policy(pr_sticky=True))
    assert found["target_response"].to_list() == drawn["response"].to_list()
    assert found["rule"].to_list() == drawn["rule"].to_list()


@pytest.mark.parametrize("strange", [float("inf"), float("nan"), -1.0])
def test_a_diameter_that_cannot_be_one_is_not_measured(strange):
    course = recist.target_course(of_sums(100, strange))
    assert course.select("target_response", "n_measured", "sum_mm").row(1) == ("NE", 0, None)


def test_several_baseline_scans_bear_the_key_of_the_last():
    drawn = framed(
        """
        subject | assessment | lesion | day | baseline | diameter_mm
        A       | 5          | T1     | -9  | true     | 20
        A       | 3          | T2     | -7  | true     | 20
        A       | 7          | T3     | -8  | true     | 20
        B       | 4          | T1     | -9  | true     | 20
        B       | 6          | T2     | -9  | true     | 20
        B       | 5          | T3     | -9  | true     | 20
        """
    )
    for given in (drawn, drawn.reverse(), drawn.sort("assessment"), drawn.sort("lesion")):
        found = recist.target_course(drawn_measurements(given))
        assert found.select("subject", "assessment", "sum_mm").rows() == [("A", 3, 60), ("B", 6, 60)]


def test_of_two_measurements_on_a_day_the_larger_counts():
    for first, second in ((50, 60), (60, 50)):
        text = f"assessment | lesion | diameter_mm\n0 | T1 | 100\n1 | T1 | {first}\n1 | T1 | {second}"
        assert recist.target_course(measured(text))["sum_mm"].to_list() == [100, 60]


def test_a_baseline_without_a_day_is_still_the_nadir():
    drawn = framed("assessment | day | diameter_mm\n0 |  | 50\n1 | 42 | 60")
    assert recist.target_course(drawn_measurements(drawn))["target_response"].to_list() == [None, "PD"]


def test_without_baseline_and_without_a_day_the_day_is_what_is_told():
    drawn = framed("assessment | day | baseline | diameter_mm\n1 |  | false | 50\n2 | 84 | false | 50")
    found = recist.target_course(drawn_measurements(drawn))
    assert found["rule"].to_list() == ["no_day", "no_baseline"]


def test_what_is_no_target_is_counted_and_dates_nothing():
    drawn = framed(
        """
        assessment | lesion | day | diameter_mm
        0          | T1     | 0   | 50
        1          | X1     | 40  | 9
        1          | X2     | 40  | 9
        1          | T1     | 42  | 50
        1          | T1     | 43  | 50
        2          | T1     | 84  | 50
        2          | T1     | 84  | 50
        2          | X1     | 90  | 50
        2          | X1     | 90  | 50
        """
    )
    found = recist.target_course(drawn_measurements(drawn))
    assert found.select("first_day", "day", "n_unexpected", "n_repeated").rows() == [
        (0, 0, 0, 0),
        (42, 43, 2, 1),
        (84, 84, 1, 2),
    ]


def test_a_strange_state_is_named():
    with pytest.raises(ValueError, match=r"^measurements: state knows .*, not shrunk$"):
        recist.target_course(of_sums(20, 20).with_columns(state=pl.lit("shrunk")))


NO_ROWS = {"subject": pl.String, "assessor": pl.String, "assessment": pl.Int64, "day": pl.Int64}


def test_the_frame_that_is_wrong_is_named():
    target = recist.target_course(of_sums(20, 20))
    strange = {
        "non_target": pl.DataFrame({"non_target_response": ["SD"]}),
        "new_lesions": pl.DataFrame({"lesion": ["X"], "status": ["MAYBE"]}),
    }
    for name, frame in strange.items():
        whole = frame.with_columns(
            subject=pl.lit("1"), assessor=pl.lit("INV"), assessment=pl.lit(1), day=pl.lit(42)
        )
        with pytest.raises(ValueError, match=rf"^{name}: \w+ knows"):
            recist.time_points(target, **{name: whole})
    for name in ("non_target", "new_lesions"):
        with pytest.raises(ValueError, match=rf"^{name} lacks the columns "):
            recist.time_points(target, **{name: pl.DataFrame(schema=NO_ROWS)})
    with pytest.raises(ValueError, match=r"^target lacks the columns day, target_response$"):
        recist.time_points(target.drop("day", "target_response"))
    course = pl.DataFrame({"subject": ["1"], "assessor": ["INV"], "day": [42], "response": ["CHECK"]})
    with pytest.raises(ValueError, match=r"^time_points: response knows CR, .*, not CHECK$"):
        recist.best_response(course, confirmed=True)
    with pytest.raises(ValueError, match=r"^time_points lacks the columns response$"):
        recist.best_response(course.drop("response"), confirmed=True)
    states = target.select("subject", "assessor", "assessment", "day", "baseline").with_columns(
        lesion=pl.lit("N1"), state=pl.lit("GONE")
    )
    with pytest.raises(ValueError, match=r"^states: state knows absent, .*, not GONE$"):
        recist.non_target_course(states)
    with pytest.raises(ValueError, match=r"^states lacks the columns state$"):
        recist.non_target_course(states.drop("state"))


RULE_WORDS = """
    not_measurable node_not_measurable baseline_too_early baseline_too_late too_many_targets too_many_in_organ
    baseline before_baseline no_day no_baseline reappeared sum_increased only_normal_nodes not_all_measured
    all_gone no_baseline_sum sum_decreased neither pr_carried
    unequivocal_progression not_all_assessed some_present
    target_pd non_target_pd new_lesion new_lesion_backdated target_ne all_cr target_cr_non_target_left
    target_cr_non_target_ne target_pr target_sd non_target_cr non_target_left non_target_ne no_disease
    first_cr first_pr confirmed_cr confirmed_pr stable unconfirmed_cr unconfirmed_pr disease_after_cr
    progression pd_too_late too_early not_evaluable
"""


def test_each_word_of_a_rule_has_its_sentence_and_no_other():
    assert sorted(recist.SENTENCES) == sorted(RULE_WORDS.split())
    assert all(said.endswith(".") for said in recist.SENTENCES.values())


def test_no_patient_has_the_nadir_of_the_one_before():
    drawn = framed(
        """
        subject | assessment | day | diameter_mm | nadir_mm
        A       | 0          | 0   | 50          |
        A       | 1          | 42  | 20          | 50
        B       | 0          | 0   | 100         |
        B       | 1          | 42  | 90          | 100
        C       | 8          | -9  | 70          |
        C       | 9          | 0   | 80          |
        """
    ).with_columns(baseline=pl.col("day") == 0)
    found = recist.target_course(drawn_measurements(drawn))
    assert found["nadir_mm"].to_list() == drawn["nadir_mm"].to_list()
