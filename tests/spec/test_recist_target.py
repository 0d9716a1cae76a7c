"""Target lesions: RECIST 1.1, sections 4.1 to 4.4. Diameters in mm; assessment 0 is the baseline."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recist_frames import MEASURED, framed, measured, of_sums
from trialwright.medicine import recist


def last_response(measurements: pl.DataFrame, policy: recist.Policy = recist.DEFAULT) -> str:
    return recist.target_course(measurements, policy)["target_response"][-1]


def responses(measurements: pl.DataFrame, policy: recist.Policy = recist.DEFAULT) -> list[str]:
    return recist.target_course(measurements, policy)["target_response"][1:].to_list()


# The published arithmetic. Numbers (1) to (11) are those of the project rules, section 5.10.


@pytest.mark.parametrize(
    ("sums", "response"),
    [
        pytest.param((100, 69), "PR", id="(1) 31 % below baseline"),
        pytest.param((100, 70), "PR", id="(2) exactly 30 % below baseline"),
        pytest.param((100, 71), "SD", id="(3) 29 % below baseline"),
        pytest.param((100, 60, 72), "PD", id="(4) 20 % and 12 mm over the nadir, below baseline"),
        pytest.param((20, 11, 15), "SD", id="(5) 36 % over the nadir but only 4 mm"),
        pytest.param((20, 10, 15), "PD", id="(6) 50 % and exactly 5 mm over the nadir"),
        pytest.param((50, 59.9), "SD", id="(7) just short of 20 %"),
        pytest.param((50, 60), "PD", id="(8) exactly 20 %"),
        pytest.param((30, 0, 4), "PD", id="(11) seen again after 0 mm"),
        pytest.param((100, 40, 52), "PD", id="PD over the nadir beats PR below baseline"),
        pytest.param((20, 20, 24), "SD", id="20 % alone is not enough"),
        pytest.param((100, 105), "SD", id="5 mm alone is not enough"),
        pytest.param((24.9, 29.9), "PD", id="exactly 5 mm in decimals"),
        pytest.param((70, 49), "PR", id="exactly 30 % in binary fractions"),
        pytest.param((33.6128, 23.52896), "PR", id="exactly 30 % of four decimals"),
        pytest.param((33.6128, 23.529), "SD", id="not rounded to tenths"),
        pytest.param((33.6128, 40.33536), "PD", id="exactly 20 % of four decimals"),
        pytest.param((33.6128, 40.3353), "SD", id="a hair below 20 %"),
        pytest.param((33.6128, 40.335359), "SD", id="a millionth of a mm below 20 %"),
        pytest.param((33.6128, 40.3353596), "PD", id="less than a millionth is nothing"),
        pytest.param((30, 0, 0.5), "PD", id="seen again, however small"),
        pytest.param((100, 0), "CR", id="gone"),
    ],
)
def test_one_lesion(sums, response):
    assert last_response(of_sums(*sums)) == response


def test_9_a_node_below_10_mm_is_normal_but_stays_in_the_sum():
    course = recist.target_course(
        measured(
            """
            assessment | lesion | nodal | diameter_mm
            0          | T1     | false | 12
            0          | T2     | true  | 16
            1          | T1     | false | 0
            1          | T2     | true  | 9
            """
        )
    )
    assert course["target_response"].to_list() == [None, "CR"]
    assert course["sum_mm"].to_list() == [28, 9]
    assert course["rule"].to_list() == ["baseline", "all_gone"]


def test_10_a_node_that_grows_back_progresses_by_the_sum():
    course = recist.target_course(
        measured(
            """
            assessment | lesion | nodal | diameter_mm
            0          | T1     | true  | 16
            1          | T1     | true  | 9
            2          | T1     | true  | 15
            """
        )
    )
    assert course["target_response"].to_list() == [None, "CR", "PD"]
    assert course["nadir_mm"].to_list() == [None, 16, 9]
    assert course["change_from_nadir_mm"].to_list() == [None, -7, 6]
    assert course["percent_change_from_nadir"][2] == pytest.approx(66.6667, abs=1e-4)


@pytest.mark.parametrize(("short_axis", "response"), [(9.9, "CR"), (10, "PR")])
def test_a_node_of_10_mm_is_not_normal(short_axis, response):
    node = of_sums(20, short_axis).with_columns(nodal=pl.lit(True))
    assert last_response(node) == response


def test_all_must_be_gone():
    course = recist.target_course(
        measured("assessment | lesion | diameter_mm\n0 | T1 | 20\n0 | T2 | 20\n1 | T1 | 0\n1 | T2 | 10")
    )
    assert course["target_response"].to_list() == [None, "PR"]
    assert course["all_gone"].to_list() == [False, False]


def test_a_lesion_elsewhere_must_be_gone():
    assert last_response(of_sums(20, 0.5)) == "PR"


# Sums, baseline and nadir.


def test_sum_nadir_and_change_at_each_assessment():
    course = recist.target_course(
        measured(
            """
            assessment | lesion | diameter_mm
            0          | T1     | 60
            0          | T2     | 40
            1          | T1     | 30
            1          | T2     | 30
            2          | T1     | 35
            2          | T2     | 35
            3          | T1     | 40
            3          | T2     | 40
            """
        )
    )
    expected = framed(
        """
        assessment | sum_mm | baseline_mm | nadir_mm | change_mm | percent_change | change_from_nadir_mm | target_response | rule
        0          | 100.0  | 100.0       |          |           |                |                      |                 | baseline
        1          | 60.0   | 100.0       | 100.0    | -40.0     | -40.0          | -40.0                | PR              | sum_decreased
        2          | 70.0   | 100.0       | 60.0     | -30.0     | -30.0          | 10.0                 | PR              | sum_decreased
        3          | 80.0   | 100.0       | 60.0     | -20.0     | -20.0          | 20.0                 | PD              | sum_increased
        """
    )
    assert_frame_equal(course.select(expected.columns), expected)


def test_there_is_no_per_cent_of_a_sum_of_0():
    course = recist.target_course(of_sums(30, 0.5, 0, 4))
    assert course["percent_change_from_nadir"].to_list()[2:] == [-100, None]
    assert course["change_from_nadir_mm"].to_list()[2:] == [-0.5, 4]
    assert recist.target_course(of_sums(0, 0))["percent_change"].to_list() == [None, None]


def test_the_nadir_includes_the_baseline():
    assert responses(of_sums(50, 55, 60)) == ["SD", "PD"]


def test_an_incomplete_sum_is_no_nadir():
    course = recist.target_course(
        measured(
            """
            assessment | lesion | diameter_mm
            0          | T1     | 50
            0          | T2     | 50
            1          | T1     | 20
            1          | T2     |
            2          | T1     | 50
            2          | T2     | 40
            """
        )
    )
    assert course["target_response"].to_list() == [None, "NE", "SD"]
    assert course["nadir_mm"].to_list() == [None, 100, 100]
    assert course["complete"].to_list() == [True, False, True]
    assert course["percent_change"].to_list() == [None, None, -10]


# Missing lesions.


def test_pd_by_the_lesions_measured_stands():
    """Baseline and nadir 50 mm with three lesions; two of them measure 80 mm."""
    course = recist.target_course(
        measured(
            """
            assessment | lesion | diameter_mm
            0          | T1     | 20
            0          | T2     | 20
            0          | T3     | 10
            1          | T1     | 40
            1          | T2     | 40
            1          | T3     |
            """
        )
    )
    assert course["target_response"][-1] == "PD"
    assert course["rule"][-1] == "sum_increased"
    assert (course["n_measured"][-1], course["n_expected"][-1]) == (2, 3)


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param("1 | T2 | | ", id="not measured"),
        pytest.param("1 | T2 | 0 | not_evaluable", id="not evaluable, whatever is written"),
        pytest.param("1 | T2 | -0.5 | ", id="a diameter that cannot be one"),
        pytest.param("1 | T9 | 0 | ", id="no row at all, and a lesion nobody saw at baseline"),
    ],
)
def test_a_missing_target_allows_neither_cr_nor_pr_nor_sd(missing):
    course = recist.target_course(
        measured(
            f"""
            assessment | lesion | diameter_mm | state
            0          | T1     | 50          |
            0          | T2     | 10          |
            1          | T1     | 0           |
            {missing}
            """
        )
    )
    assert course["target_response"][-1] == "NE"
    assert course["rule"][-1] == "not_all_measured"


def test_a_lesion_without_baseline_is_left_out_and_counted():
    course = recist.target_course(
        measured(
            """
            assessment | lesion | diameter_mm
            0          | T1     | 50
            1          | T1     | 50
            1          | T9     | 40
            """
        )
    )
    assert course["sum_mm"].to_list() == [50, 50]
    assert course["n_unexpected"].to_list() == [0, 1]
    assert course["target_response"][-1] == "SD"


def test_nothing_measured_is_no_sum_and_nothing_gone():
    course = recist.target_course(of_sums(30, 0, None))
    assert course["sum_mm"].to_list() == [30, 0, None]
    assert course["all_gone"].to_list() == [False, True, False]
    assert course["target_response"].to_list() == [None, "CR", "NE"]


def test_without_baseline_nothing_can_be_judged():
    lesions = measured("assessment | day | lesion | diameter_mm\n1 | 42 | T1 | 0\n1 | 44 | T2 | 0")
    course = recist.target_course(lesions)
    assert course.select("first_day", "day", "complete", "n_expected").row(0) == (42, 44, False, 0)
    assert course["target_response"].to_list() == ["NE"]
    assert course["rule"].to_list() == ["no_baseline"]


def test_a_target_not_measured_at_baseline_leaves_progression_and_cr():
    course = recist.target_course(
        measured(
            """
            assessment | lesion | diameter_mm
            0          | T1     | 50
            0          | T2     |
            1          | T1     | 20
            1          | T2     | 20
            2          | T1     | 30
            2          | T2     | 20
            3          | T1     | 0
            3          | T2     | 0
            """
        )
    )
    assert course["target_response"].to_list() == [None, "NE", "PD", "CR"]
    assert course["rule"].to_list() == ["baseline", "no_baseline_sum", "sum_increased", "all_gone"]


# Special measurements.


@pytest.mark.parametrize(
    ("state", "diameter", "value"),
    [
        pytest.param("too_small", None, 5, id="too small to measure"),
        pytest.param("too_small", 3, 3, id="too small, but the radiologist gives a value"),
        pytest.param("gone", None, 0, id="believed gone"),
        pytest.param("gone", 3, 3, id="believed gone, but measured"),
        pytest.param("coalesced", None, 0, id="merged into another lesion"),
        pytest.param("coalesced", 7, 7, id="merged, but a plane separates"),
        pytest.param(None, 8, 8, id="as measured"),
    ],
)
def test_value_used(state, diameter, value):
    lesion = of_sums(20, 20).with_columns(
        diameter_mm=pl.Series([20.0, diameter], dtype=pl.Float64), state=pl.Series([None, state])
    )
    assert recist.target_course(lesion)["sum_mm"][-1] == value


def test_too_small_is_a_size_of_the_policy():
    lesion = of_sums(20, 20).with_columns(
        diameter_mm=pl.Series([20.0, None]), state=pl.Series([None, "too_small"])
    )
    assert recist.target_course(lesion, recist.Policy(too_small_mm=2.5))["sum_mm"][-1] == 2.5


def test_the_parts_of_a_split_lesion_are_added():
    course = recist.target_course(
        measured(
            """
            assessment | lesion | diameter_mm | state
            0          | T1     | 30          |
            1          | T1     | 12          | split
            1          | T1     | 14          | split
            2          | T1     | 12          | split
            2          | T1     |             | split
            3          | T1     | 12          |
            3          | T1     | 15          | split
            """
        )
    )
    assert course["sum_mm"].to_list() == [30, 26, None, 27]
    assert course["n_repeated"].to_list() == [0, 0, 0, 0]


def test_a_lesion_measured_twice_counts_as_last_measured():
    course = recist.target_course(
        measured(
            """
            assessment | day | lesion | diameter_mm
            0          | -7  | T1     | 30
            1          | 40  | T1     | 36
            1          | 42  | T1     | 33
            1          | 44  | T1     |
            2          | 84  | T1     | 31
            2          | 84  | T1     | 32
            """
        )
    )
    assert course["sum_mm"].to_list() == [30, 33, 32]
    assert course["first_day"].to_list() == [-7, 40, 84]
    assert course["day"].to_list() == [-7, 44, 84]
    assert course["sum_day"].to_list() == [-7, 42, 84]
    assert course["n_repeated"].to_list() == [0, 1, 1]


TREATED = """
    assessment | lesion | diameter_mm | state
    0          | T1     | 50          |
    0          | T2     | 50          |
    1          | T1     | 20          |
    1          | T2     | 20          | treated
    2          | T1     | 20          |
    2          | T2     | 20          |
    """


@pytest.mark.parametrize(("word", "seen"), [("not_evaluable", ["NE", "NE"]), ("keep", ["PR", "PR"])])
def test_a_target_treated_locally_is_not_evaluable_from_then_on(word, seen):
    assert responses(measured(TREATED), recist.Policy(treated_lesion=word)) == seen


def test_only_the_lesion_treated_is_not_evaluable_and_since_it_was_first_treated():
    course = recist.target_course(
        measured(
            """
            assessment | lesion | diameter_mm | state
            0          | T1     | 50          |
            0          | T2     | 50          |
            1          | T1     | 50          |
            1          | T2     | 50          | treated
            2          | T1     | 50          |
            2          | T2     | 50          |
            3          | T1     | 50          |
            3          | T2     | 50          | treated
            """
        ).with_columns(assessor=pl.lit(None, dtype=pl.String))
    )
    assert course["assessment"].to_list() == [0, 1, 2, 3]
    assert course["n_measured"].to_list() == [2, 1, 1, 1]
    assert course["n_expected"].to_list() == [2, 2, 2, 2]
    assert course["baseline_mm"].to_list() == [100, 100, 100, 100]
    assert course["target_response"].to_list() == [None, "NE", "NE", "NE"]


# Words of the policy.


@pytest.mark.parametrize(("word", "sizes"), [("pd", {4: "PD", 5: "PD"}), ("pd_if_5mm", {4: "PR", 5: "PD"})])
def test_reappearance_after_zero(word, sizes):
    policy = recist.Policy(reappearance_after_zero=word)
    assert {size: last_response(of_sums(30, 0, size), policy) for size in sizes} == sizes


def test_a_node_still_normal_has_not_reappeared():
    node = of_sums(16, 0, 4).with_columns(nodal=pl.lit(True))
    assert responses(node) == ["CR", "CR"]


@pytest.mark.parametrize(("word", "response"), [("pd_by_sum", "PD"), ("cr", "CR")])
def test_a_normal_node_that_grows_within_normal(word, response):
    """4 mm to 9.5 mm is more than 20 % and 5 mm, though the node is normal at both."""
    node = of_sums(16, 4, 9.5).with_columns(nodal=pl.lit(True))
    assert last_response(node, recist.Policy(normal_nodes=word)) == response


@pytest.mark.parametrize(
    ("sticky", "seen"), [(False, ["PR", "SD", "PD", "SD"]), (True, ["PR", "PR", "PD", "SD"])]
)
def test_small_regrowth_after_pr(sticky, seen):
    """65 is 35 % below baseline; 75 is 15 % above that nadir; 78 is 20 % above it."""
    assert responses(of_sums(100, 65, 75, 78, 75), recist.Policy(pr_sticky=sticky)) == seen


def test_regrowth_after_cr_is_carried_as_pr():
    """A node of 16 mm at baseline, then 9 mm; 12 mm is 25 % below baseline and 3 mm over the nadir."""
    node = of_sums(16, 9, 12).with_columns(nodal=pl.lit(True))
    assert responses(node) == ["CR", "SD"]
    assert responses(node, recist.Policy(pr_sticky=True)) == ["CR", "PR"]


def test_sd_before_any_response_is_not_carried():
    first = recist.target_course(of_sums(100, 75), recist.Policy(pr_sticky=True))
    assert first["target_response"].to_list() == [None, "SD"]
    assert responses(of_sums(100, 75, 65), recist.Policy(pr_sticky=True)) == ["SD", "PR"]


# Assessments.


def test_scans_of_one_assessment_are_one_row_dated_by_the_last():
    course = recist.target_course(
        measured(
            """
            assessment | day | lesion | diameter_mm | baseline
            0          | -9  | T1     | 30          | true
            0          | -5  | T2     | 30          | true
            1          | 84  | T1     | 30          | false
            1          | 86  | T2     | 30          | false
            1          | 90  | T3     | 10          | false
            2          | 126 | T1     | 80          | false
            2          | 128 | T2     |             | false
            """
        )
    )
    assert course["first_day"].to_list() == [-9, 84, 126]
    assert course["day"].to_list() == [-5, 86, 128]
    assert course["sum_day"].to_list() == [-5, 86, 126]
    assert course["target_response"].to_list() == [None, "SD", "PD"]


def test_baseline_scans_under_several_keys_are_one_assessment():
    course = recist.target_course(
        measured(
            """
            assessment | day | lesion | diameter_mm | baseline
            0          | -20 | T1     | 30          | true
            1          | -5  | T2     | 40          | true
            1          | -5  | T1     | 35          | true
            2          | 42  | T1     | 35          | false
            2          | 42  | T2     | 40          | false
            """
        )
    )
    assert course["assessment"].to_list() == [1, 2]
    assert course["baseline_mm"].to_list() == [75, 75]
    assert course["n_repeated"].to_list() == [1, 0]


def test_one_flag_makes_the_assessment_the_baseline_and_its_flagged_lesions_the_targets():
    course = recist.target_course(
        measured(
            """
            assessment | lesion | diameter_mm | nodal | baseline
            0          | T1     | 16          | true  | true
            0          | T1     | 16          | false | false
            0          | T9     | 30          | false |
            1          | T1     | 9           | false |
            1          | T9     | 30          | false |
            """
        )
    )
    assert course["rule"].to_list() == ["baseline", "all_gone"]
    assert course["sum_mm"].to_list() == [16, 9]
    assert course["n_unexpected"].to_list() == [1, 1]


def test_a_second_scan_on_the_day_of_the_baseline_is_judged():
    course = recist.target_course(
        measured("assessment | day | diameter_mm | baseline\n0 | 0 | 50 | true\n1 | 0 | 50 | false")
    )
    assert course["rule"].to_list() == ["baseline", "neither"]


def test_a_scan_before_baseline_is_neither_judged_nor_nadir():
    course = recist.target_course(
        measured(
            """
            assessment | day | lesion | diameter_mm | baseline
            0          | -40 | T1     | 20          | false
            1          | -5  | T1     | 30          | true
            2          | 42  | T1     | 30          | false
            """
        )
    )
    assert course["rule"].to_list() == ["before_baseline", "baseline", "neither"]
    assert course["nadir_mm"].to_list() == [None, None, 30]


def test_a_scan_without_a_day_is_not_judged_and_no_nadir():
    course = recist.target_course(
        measured(
            """
            assessment | day | lesion | diameter_mm | baseline
            1          | 0   | T1     | 50          | true
            2          |     | T1     | 20          | false
            3          | 84  | T1     | 45          | false
            """
        )
    )
    assert course["rule"].to_list() == ["no_day", "baseline", "neither"]
    assert course["target_response"].to_list() == [None, None, "SD"]


def test_a_baseline_without_a_day_is_still_the_reference():
    course = recist.target_course(
        measured("assessment | day | diameter_mm | baseline\n0 | | 50 | true\n1 | 42 | 30 | false")
    )
    assert course["target_response"].to_list() == [None, "PR"]


def test_a_lesion_treated_on_an_unknown_day_is_not_evaluable_then():
    course = recist.target_course(
        measured(
            """
            assessment | day | lesion | diameter_mm | state   | baseline
            0          | 0   | T1     | 50          |         | true
            0          | 0   | T2     | 50          |         | true
            1          | 42  | T1     | 50          |         | false
            1          |     | T2     | 50          | treated | false
            """
        )
    )
    assert course["target_response"].to_list() == [None, "NE"]


def test_each_assessor_has_his_own_lesions_and_nadir():
    first, second = of_sums(50, 40, 49), of_sums(50, 50, 49)
    both = pl.concat([second.with_columns(assessor=pl.lit("BICR")), first])
    course = recist.target_course(both)
    assert course["assessor"].to_list() == ["BICR"] * 3 + ["INV"] * 3
    assert course["target_response"].to_list() == [None, "SD", "SD", None, "SD", "PD"]


def test_the_answer_has_rows_only_for_what_was_given():
    assert recist.target_course(of_sums(50).clear()).is_empty()


def test_a_missing_column_or_an_unknown_word_is_named():
    with pytest.raises(ValueError, match="measurements lacks the columns nodal"):
        recist.target_course(of_sums(50).drop("nodal"))
    with pytest.raises(ValueError, match=r"state knows too_small, .*, not vanished"):
        recist.target_course(of_sums(50).with_columns(state=pl.lit("vanished")))
    with pytest.raises(ValueError, match="recist cr_then_pr is one of pr, sd_at_cr, sd_any, not 'sd'"):
        recist.Policy(cr_then_pr="sd")
    with pytest.raises(ValueError, match="recist max_ne is not negative, not -1"):
        recist.Policy(max_ne=-1)


@pytest.mark.parametrize("column", sorted(MEASURED))
def test_each_column_is_needed(column):
    with pytest.raises(ValueError, match=f"measurements lacks the columns {column}"):
        recist.target_course(of_sums(50).drop(column))
