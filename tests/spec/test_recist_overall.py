"""Non-target and new lesions, and the overall response of a time point: RECIST 1.1, section 4.3, tables 1 and 2."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recist_frames import MEASURED, NEW, STATES, drawn_as, framed, measured
from trialwright.medicine import recist

# The two tables of the paper; `any` stands for each word, `not PD` for each but PD.

TARGETS = ["CR", "PR", "SD", "NE", "PD"]
NON_TARGETS = ["CR", "NON-CR/NON-PD", "NE", "NA", "PD"]


def answers(rows: pl.DataFrame, policy: recist.Policy = recist.DEFAULT) -> list[str]:
    return rows.select(
        recist.overall_response(
            pl.col("target"), pl.col("non_target"), pl.col("new").fill_null("no") == "yes", policy=policy
        ).alias("overall")
    )["overall"].to_list()


def test_with_target_lesions():
    expected = framed(
        """
        target | non_target    | new | overall
        CR     | CR            | no  | CR
        CR     | NA            | no  | CR
        CR     | NON-CR/NON-PD | no  | PR
        CR     | NE            | no  | PR
        PR     | CR            | no  | PR
        PR     | NON-CR/NON-PD | no  | PR
        PR     | NE            | no  | PR
        PR     | NA            | no  | PR
        SD     | CR            | no  | SD
        SD     | NON-CR/NON-PD | no  | SD
        SD     | NE            | no  | SD
        SD     | NA            | no  | SD
        NE     | CR            | no  | NE
        NE     | NON-CR/NON-PD | no  | NE
        NE     | NE            | no  | NE
        NE     | NA            | no  | NE
        """
    )
    assert answers(expected) == expected["overall"].to_list()


@pytest.mark.parametrize("non_target", NON_TARGETS)
@pytest.mark.parametrize("target", [*TARGETS, "NA"])
def test_any_progression_is_progression(target, non_target):
    rows = pl.DataFrame({"target": target, "non_target": non_target, "new": ["yes", "no"]})
    new, none = answers(rows)
    assert new == "PD"
    assert (none == "PD") == ("PD" in (target, non_target))


def test_without_target_lesions():
    expected = framed(
        """
        target | non_target    | new | overall
        NA     | CR            | no  | CR
        NA     | NON-CR/NON-PD | no  | NON-CR/NON-PD
        NA     | NE            | no  | NE
        NA     | PD            | no  | PD
        NA     | PD            | yes | PD
        NA     | CR            | yes | PD
        NA     | NON-CR/NON-PD | yes | PD
        NA     | NE            | yes | PD
        NA     | NA            | no  | NED
        NA     | NA            | yes | PD
               |               | no  | NED
               | CR            | no  | CR
        """
    )
    assert answers(expected) == expected["overall"].to_list()


def test_target_cr_with_non_target_not_evaluated_is_a_word_of_the_policy():
    row = pl.DataFrame({"target": ["CR", "PR"], "non_target": ["NE", "NE"], "new": ["no", "no"]})
    assert answers(row, recist.Policy(cr_with_ne_non_target="ne")) == ["NE", "PR"]


# Non-target lesions.


def non_target(text: str) -> pl.DataFrame:
    return recist.non_target_course(drawn_as(text, STATES))


def test_non_target_response():
    seen = non_target(
        """
        assessment | lesion | state
        0          | N1     | present
        0          | N2     | present
        1          | N1     | absent
        1          | N2     | present
        2          | N1     | absent
        2          | N2     | absent
        3          | N1     | absent
        4          | N1     | present
        4          | N2     | not_evaluated
        5          | N1     | progression
        5          | N2     | not_evaluated
        6          | N1     |
        6          | N2     |
        """
    )
    expected = framed(
        """
        assessment | n_expected | n_assessed | n_present | n_progressing | non_target_response | rule
        0          | 2          | 2          | 2         | 0             |                     | baseline
        1          | 2          | 2          | 1         | 0             | NON-CR/NON-PD       | some_present
        2          | 2          | 2          | 0         | 0             | CR                  | all_gone
        3          | 2          | 1          | 0         | 0             | NE                  | not_all_assessed
        4          | 2          | 1          | 1         | 0             | NE                  | not_all_assessed
        5          | 2          | 1          | 1         | 1             | PD                  | unequivocal_progression
        6          | 2          | 0          | 0         | 0             | NE                  | not_all_assessed
        """
    )
    assert_frame_equal(seen.select(expected.columns), expected)


def test_a_non_target_lesion_seen_twice_in_an_assessment():
    seen = non_target(
        """
        assessment | day | baseline | state
        0          | -8  | true     | present
        0          | -7  |          | present
        1          | 84  | false    | not_evaluated
        1          | 86  | false    | progression
        1          | 87  | false    | progression
        1          | 88  | false    | present
        """
    )
    expected = framed(
        """
        baseline | first_day | day | pd_day | n_expected | n_assessed | n_present | n_progressing
        true     | -8        | -7  |        | 1          | 1          | 1         | 0
        false    | 84        | 88  | 86     | 1          | 1          | 1         | 1
        """
    )
    assert_frame_equal(seen.select(expected.columns), expected)


def test_of_two_non_target_lesions_the_first_to_progress_dates_and_one_flag_makes_the_baseline():
    seen = non_target(
        """
        assessment | day | baseline | lesion | state
        0          | -8  | true     | N1     | present
        0          | -8  | true     | N2     | present
        0          | -8  | false    | N3     | present
        1          | 84  | false    | N1     | progression
        1          | 86  | false    | N2     | progression
        """
    )
    assert seen["baseline"].to_list() == [True, False]
    assert seen["pd_day"].to_list() == [None, 84]
    assert seen["n_expected"].to_list() == [2, 2]


def test_non_target_lesions_nobody_saw_at_baseline_are_not_evaluable():
    seen = non_target("assessment | baseline | state\n1 | false | absent\n2 | | present")
    assert seen["n_expected"].to_list() == [0, 0]
    assert seen["non_target_response"].to_list() == ["NE", "NE"]


@pytest.mark.parametrize(
    ("state", "short_axis", "response"),
    [
        pytest.param("present", 9.9, "CR", id="a node below 10 mm is normal"),
        pytest.param("present", 10, "NON-CR/NON-PD", id="of 10 mm it is not"),
        pytest.param("absent", 12, "NON-CR/NON-PD", id="nor when called absent"),
        pytest.param("absent", None, "CR", id="not measured, it is what it is called"),
        pytest.param("progression", 9, "PD", id="unequivocal progression whatever the size"),
        pytest.param("not_evaluated", 9, "NE", id="not evaluated whatever the size"),
    ],
)
def test_a_non_target_node(state, short_axis, response):
    node = drawn_as("assessment\n0\n1", STATES).with_columns(
        state=pl.Series(["present", state]),
        diameter_mm=pl.Series([12, short_axis], dtype=pl.Float64),
        nodal=pl.lit(True),
    )
    assert recist.non_target_course(node)["non_target_response"].to_list() == [None, response]


# Time points.

NO_TARGET = recist.target_course(pl.DataFrame(schema=MEASURED))
STABLE = recist.target_course(
    measured(
        """
        assessment | day | lesion | diameter_mm
        0          | -7  | T1     | 50
        1          | 42  | T1     | 50
        2          | 84  | T1     | 50
        3          | 126 | T1     | 50
        """
    )
)


def new(text: str) -> pl.DataFrame:
    return drawn_as(text, NEW)


def overall(*parts: pl.DataFrame | None, policy: recist.Policy = recist.DEFAULT) -> dict[int, str]:
    points = recist.time_points(*parts, policy=policy)
    return dict(points.select("day", "overall_response").iter_rows())


def test_each_assessment_after_baseline_is_one_row():
    points = recist.time_points(STABLE)
    assert_frame_equal(
        points,
        pl.DataFrame(
            {
                "subject": "1",
                "assessor": "INV",
                "assessment": [1, 2, 3],
                "day": [42, 84, 126],
                "target_response": "SD",
                "non_target_response": "NA",
                "new_lesion": False,
                "overall_response": "SD",
                "response": "SD",
                "pd_day": pl.Series([None] * 3, dtype=pl.Int64),
                "rule": "target_sd",
            }
        ),
    )


def test_non_target_not_seen_where_the_patient_has_some_is_not_evaluated():
    seen = non_target(
        """
        assessment | state
        0          | present
        1          | present
        """
    )
    points = recist.time_points(STABLE, seen)
    assert points["non_target_response"].to_list() == ["NON-CR/NON-PD", "NE", "NE"]
    assert points["overall_response"].to_list() == ["SD", "SD", "SD"]


def test_a_target_not_seen_where_the_patient_has_some_is_not_evaluated():
    seen = non_target("assessment | day | state\n0 | -7 | present\n4 | 168 | present")
    points = recist.time_points(STABLE, seen)
    assert points.row(-1, named=True)["target_response"] == "NE"
    assert overall(STABLE, seen)[168] == "NE"


def test_what_is_known_at_baseline_decides_what_is_missing_later():
    """A later assessment, with lesions that nobody saw at baseline, does not change an earlier one."""
    late = non_target("assessment | baseline | state\n2 | false | present")
    assert recist.time_points(STABLE, late)["non_target_response"].to_list() == ["NA", "NE", "NA"]
    seen = non_target("assessment | state\n0 | present\n1 | present\n2 | present")
    no_baseline = recist.target_course(measured("assessment | baseline | diameter_mm\n2 | false | 50"))
    assert recist.time_points(no_baseline, seen)["target_response"].to_list() == ["NA", "NE"]


def test_non_target_disease_only():
    seen = non_target("assessment | state\n0 | present\n1 | present\n2 | absent\n3 | progression")
    assert overall(NO_TARGET, seen) == {42: "NON-CR/NON-PD", 84: "CR", 126: "PD"}


def test_neither_stays_without_disease_until_a_new_lesion():
    seen = pl.DataFrame(
        {
            "subject": "1",
            "assessor": "INV",
            "assessment": [1, 2],
            "day": [42, 84],
            "non_target_response": "NA",
        }
    )
    lesions = new("assessment | status\n2 | UNEQUIVOCAL")
    assert overall(NO_TARGET, seen) == {42: "NED", 84: "NED"}
    assert overall(NO_TARGET, seen, lesions) == {42: "NED", 84: "PD"}


# New lesions: statuses in the order in which they were judged.


@pytest.mark.parametrize(
    ("history", "responses"),
    [
        pytest.param({1: "UNEQUIVOCAL"}, ["PD", "SD", "SD"], id="unequivocal at once"),
        pytest.param({1: "EQUIVOCAL"}, ["SD", "SD", "SD"], id="equivocal is no new lesion"),
        pytest.param({1: "EQUIVOCAL", 3: "UNEQUIVOCAL"}, ["PD", "SD", "PD"], id="confirmed later: backdated"),
        pytest.param({1: "EQUIVOCAL", 2: "RETRACTED"}, ["SD", "SD", "SD"], id="judged not real"),
        pytest.param({1: "UNEQUIVOCAL", 2: "RETRACTED"}, ["SD", "SD", "SD"], id="retracted"),
        pytest.param(
            {1: "EQUIVOCAL", 2: "RETRACTED", 3: "UNEQUIVOCAL"}, ["SD", "SD", "PD"], id="retracted, then real"
        ),
        pytest.param(
            {1: "RETRACTED", 2: "UNEQUIVOCAL", 3: "RETRACTED"}, ["SD", "SD", "SD"], id="retracted twice"
        ),
        pytest.param({2: "EQUIVOCAL", 3: "EQUIVOCAL"}, ["SD", "SD", "SD"], id="never confirmed"),
    ],
)
def test_a_new_lesion(history, responses):
    rows = "\n".join(f"{assessment} | {status}" for assessment, status in history.items())
    assert list(overall(STABLE, None, new(f"assessment | status\n{rows}")).values()) == responses


def test_only_the_lesion_that_was_confirmed_is_backdated():
    lesions = new(
        """
        assessment | lesion | status
        1          | A      | EQUIVOCAL
        2          | B      | EQUIVOCAL
        3          | B      | UNEQUIVOCAL
        """
    )
    points = recist.time_points(STABLE, None, lesions)
    assert points["overall_response"].to_list() == ["SD", "PD", "PD"]
    assert points["rule"].to_list() == ["target_sd", "new_lesion_backdated", "new_lesion"]
    assert points["pd_day"].to_list() == [None, 84, 126]


def test_an_assessment_with_another_unequivocal_lesion_is_not_backdated():
    lesions = new(
        """
        assessment | day | lesion | status
        2          | 85  | A      | EQUIVOCAL
        2          | 84  | B      | UNEQUIVOCAL
        3          | 126 | A      | UNEQUIVOCAL
        """
    )
    points = recist.time_points(STABLE, None, lesions)
    assert points["rule"].to_list() == ["target_sd", "new_lesion", "new_lesion"]
    assert points["pd_day"].to_list() == [None, 84, 126]


@pytest.mark.parametrize(("word", "day"), [("shown", 84), ("last_scan", 88)])
def test_the_scans_of_two_new_lesions(word, day):
    lesions = new(
        """
        assessment | day | lesion | status
        2          | 84  | A      | UNEQUIVOCAL
        2          | 88  | B      | UNEQUIVOCAL
        """
    )
    points = recist.time_points(STABLE, None, lesions, recist.Policy(pd_date=word))
    assert points["pd_day"].to_list() == [None, day, None]


def test_lesions_without_a_name_are_not_one_lesion():
    lesions = new("assessment | status\n1 | EQUIVOCAL\n2 | UNEQUIVOCAL").with_columns(
        lesion=pl.lit(None, dtype=pl.String)
    )
    assert list(overall(STABLE, None, lesions).values()) == ["SD", "PD", "SD"]


# Which day dates a time point whose scans lie on several days.

SPREAD = recist.target_course(
    measured(
        """
        assessment | day | lesion | diameter_mm
        0          | -7  | T1     | 50
        0          | -7  | T2     | 50
        1          | 84  | T1     | 50
        1          | 86  | T2     | 50
        2          | 126 | T1     | 90
        2          | 128 | T2     | 50
        """
    )
)
SPREAD_NON_TARGET = non_target(
    """
    assessment | day | lesion | state
    0          | -7  | N1     | present
    0          | -7  | N2     | present
    1          | 83  | N1     | present
    1          | 90  | N2     | present
    2          | 127 | N1     | progression
    2          | 130 | N2     | present
    """
)


def test_stable_disease_is_dated_by_the_last_scan_of_the_sum_and_pd_by_the_scan_that_shows_it():
    points = recist.time_points(SPREAD, SPREAD_NON_TARGET)
    assert points["day"].to_list() == [86, 127]
    assert points["pd_day"].to_list() == [None, 127]
    assert points["rule"].to_list() == ["target_sd", "non_target_pd"]


def test_pd_by_the_sum_alone_is_dated_by_its_last_scan():
    points = recist.time_points(SPREAD)
    assert points["pd_day"].to_list() == [None, 128]
    assert points["rule"].to_list() == ["target_sd", "target_pd"]


def test_of_two_progressions_the_earlier_scan_dates():
    lesions = new("assessment | day | status\n2 | 125 | UNEQUIVOCAL")
    points = recist.time_points(SPREAD, SPREAD_NON_TARGET, lesions)
    assert points["pd_day"].to_list() == [None, 125]
    assert points["rule"].to_list() == ["target_sd", "new_lesion"]


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ({}, [86, 127]),
        ({"tp_date": "first"}, [83, 127]),
        ({"pd_date": "earliest"}, [86, 126]),
        ({"pd_date": "last_scan"}, [86, 130]),
    ],
)
def test_words_for_the_day(words, days):
    points = recist.time_points(SPREAD, SPREAD_NON_TARGET, policy=recist.Policy(**words))
    assert points["day"].to_list() == days


def test_without_targets_the_last_scan_dates():
    points = recist.time_points(NO_TARGET, SPREAD_NON_TARGET)
    assert points["day"].to_list() == [90, 127]


def test_evidence_of_progression_without_a_day_bears_that_of_its_assessment():
    dayless = pl.lit(None, dtype=pl.Int64)
    lesions = new("assessment | status\n2 | UNEQUIVOCAL").with_columns(day=dayless)
    others = non_target("assessment | state\n0 | present\n3 | progression").with_columns(
        day=dayless, pd_day=dayless, first_day=dayless
    )
    points = recist.time_points(STABLE, others, lesions)
    assert points["overall_response"].to_list() == ["SD", "PD", "PD"]
    assert points["pd_day"].to_list() == [None, 84, 126]
    assert points["rule"].to_list() == ["target_sd", "new_lesion", "non_target_pd"]


def test_what_has_no_day_is_no_time_point():
    lesions = new("assessment | day | status\n4 | | UNEQUIVOCAL\n5 | 210 | UNEQUIVOCAL")
    assert recist.time_points(STABLE, None, lesions)["assessment"].to_list() == [1, 2, 3, 5]


def test_a_pr_carried_forward_is_shown_but_does_not_count_for_the_best_response():
    policy = recist.Policy(pr_sticky=True)
    regrown = measured("assessment | diameter_mm\n0 | 100\n1 | 65\n2 | 75")
    points = recist.time_points(recist.target_course(regrown, policy), policy=policy)
    assert points["overall_response"].to_list() == ["PR", "PR"]
    assert points["response"].to_list() == ["PR", "SD"]


def test_an_assessor_without_a_name_is_one_too():
    def nameless(frame):
        return frame.with_columns(assessor=pl.lit(None, dtype=pl.String))

    target = recist.target_course(nameless(measured("assessment | diameter_mm\n0 | 50\n1 | 30\n2 | 30")))
    assert target["target_response"].to_list() == [None, "PR", "PR"]
    states = drawn_as("assessment | state\n0 | present\n1 | present\n2 | progression\n3 | present", STATES)
    others = recist.non_target_course(nameless(states))
    assert others["n_expected"].to_list() == [1, 1, 1, 1]
    points = recist.time_points(target, others, nameless(new("assessment | status\n1 | EQUIVOCAL")))
    assert points["overall_response"].to_list() == ["PR", "PD", "NE"]


def test_a_sites_own_non_target_responses_will_do():
    words = ["NE", "CR", "NON-CR/NON-PD"]
    site = STABLE.filter(~pl.col("baseline")).select("subject", "assessor", "assessment", "day")
    points = recist.time_points(STABLE, site.with_columns(non_target_response=pl.Series(words)))
    assert points["non_target_response"].to_list() == words


@pytest.mark.parametrize(
    ("name", "frame", "ask"),
    [
        ("states", drawn_as("assessment\n0", STATES), recist.non_target_course),
        (
            "new_lesions",
            new("assessment | status\n1 | EQUIVOCAL"),
            lambda f: recist.time_points(STABLE, None, f),
        ),
        (
            "non_target",
            STABLE.select("subject", "assessor", "assessment", "day", non_target_response=pl.lit("CR")),
            lambda f: recist.time_points(STABLE, f),
        ),
        (
            "target",
            STABLE.select(
                "subject", "assessor", "assessment", "first_day", "day", "sum_day", "target_response", "rule"
            ),
            recist.time_points,
        ),
    ],
)
def test_each_column_is_needed(name, frame, ask):
    for column in frame.columns:
        with pytest.raises(ValueError, match=f"{name} lacks the columns {column}"):
            ask(frame.drop(column))


def test_unknown_words_are_named():
    with pytest.raises(ValueError, match="status knows EQUIVOCAL, UNEQUIVOCAL, RETRACTED, not MAYBE"):
        recist.time_points(STABLE, None, new("assessment | status\n1 | MAYBE"))
    with pytest.raises(ValueError, match=r"states: state knows absent, present, .* not GONE"):
        non_target("assessment | state\n0 | GONE")
    with pytest.raises(ValueError, match=r"non_target_response knows CR, .* not SD"):
        recist.time_points(STABLE, STABLE.with_columns(non_target_response=pl.lit("SD")))
    with pytest.raises(ValueError, match="new_lesions lacks the columns status"):
        recist.time_points(STABLE, None, new("assessment | status\n1 | EQUIVOCAL").drop("status"))
