"""Neurotoxicity by the ASTCT consensus of 2019. I1 to I12 are the cases of the project rules, section 3.2."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recist_frames import framed
from trialwright.medicine import astct


def course(text: str, **words: object) -> pl.DataFrame:
    """One patient, an assessment every 4 hours unless hours are drawn."""
    drawn = framed(text)
    if "hours" not in drawn.columns:
        drawn = drawn.with_row_index("hours").with_columns(4 * pl.col("hours").cast(pl.Int64))
    return astct.icans_course(drawn.with_columns(subject=pl.lit("1")), astct.Policy(**words))


def grade(text: str, **words: object) -> int | None:
    seen = course(text, **words)["grade"].to_list()
    assert len(seen) == 1
    return seen[0]


def test_the_grade_is_the_highest_domain():
    """Each row a patient; `domain` is the first that gave the grade."""
    expected = framed(
        """
        ice | consciousness  | seizure   | motor      | pressure          | grade | domain        | case
        10  |                |           |            |                   | 0     |               | full score
        9   |                |           |            |                   | 1     | ice           | 7-9
        7   |                |           |            |                   | 1     | ice           | 7-9
        6   |                |           |            |                   | 2     | ice           | 3-6
        3   |                |           |            |                   | 2     | ice           | 3-6
        2   |                |           |            |                   | 3     | ice           | 0-2
        1   |                |           |            |                   | 3     | ice           | 0-2
        0   | ALERT          |           |            |                   | 3     | ice           | I1 awake, mute
        0   |                |           |            |                   | 3     | ice           | nothing said of consciousness
        0   | UNAROUSABLE    |           |            |                   | 4     | ice           | I2 unarousable
        0   | VIGOROUS       |           |            |                   | 4     | ice           | needs vigorous touch
        0   | COMA           |           |            |                   | 4     | ice           | coma
        0   | TOUCH          |           |            |                   | 3     | ice           | wakes to touch
        8   |                | RESOLVED  |            |                   | 3     | seizure       | I3 one short seizure
        10  | SPONT          |           |            |                   | 1     | consciousness | I4 drowsy
        10  | VOICE          |           |            |                   | 2     | consciousness | wakes to voice
        10  | TOUCH          |           |            |                   | 3     | consciousness | wakes to touch
            | VIGOROUS       |           |            |                   | 4     | consciousness | vigorous touch
            | UNAROUSABLE    |           |            |                   | 4     | consciousness | unarousable
            | COMA           |           |            |                   | 4     | consciousness | coma
            | NOT_ASSESSABLE | PROLONGED |            |                   | 4     | seizure       | I5 sedated, other domains
        10  | ALERT          | EEG_ONLY  |            |                   | 3     | seizure       | on EEG only
        10  | ALERT          | REPEATED  |            |                   | 4     | seizure       | without return to baseline
        10  | ALERT          | NONE      | DEEP_FOCAL |                   | 4     | motor         | hemiparesis
        10  | ALERT          | NONE      | NONE       | FOCAL             | 3     | pressure      | focal oedema
        10  | ALERT          | NONE      | NONE       | DIFFUSE           | 4     | pressure      | diffuse oedema
        10  | ALERT          | NONE      | NONE       | POSTURING         | 4     | pressure      | posturing
        10  | ALERT          | NONE      | NONE       | SIXTH_NERVE_PALSY | 4     | pressure      | VI palsy
        10  | ALERT          | NONE      | NONE       | PAPILLOEDEMA      | 4     | pressure      | papilloedema
        10  | ALERT          | NONE      | NONE       | CUSHING           | 4     | pressure      | Cushing triad
            | ALERT          |           |            |                   | 0     |               | I11 by phone, awake
            |                |           |            |                   |       |               | I11 by phone, nothing known
            | NOT_ASSESSABLE | NONE      | NONE       | NONE              |       |               | I5 nothing to grade from
            |                |           | DEEP_FOCAL |                   | 4     | motor         | weakness alone
        """
    )
    patients = expected.with_row_index("subject").with_columns(hours=pl.lit(0))
    assert_frame_equal(
        astct.icans_course(patients).select("grade", "domain"), expected.select("grade", "domain")
    )


def test_i5_a_score_that_could_not_be_taken_is_missing_and_never_0():
    seen = course("ice | consciousness\n | NOT_ASSESSABLE\n5 | NOT_ASSESSABLE\n | ALERT")
    assert seen["grade"].to_list() == [None, 2, 0]
    assert seen["not_assessable"].to_list() == [True, False, False]


def test_i6_graded_by_the_fall_from_baseline():
    expected = framed(
        """
        ice_baseline | ice | ice_used | grade | as_it_stands
        8            | 8   | 10       | 0     | 1
        8            | 6   | 8        | 1     | 2
        8            | 9   | 10       | 0     | 1
        8            | 1   | 3        | 2     | 3
        8            | 0   | 2        | 3     | 3
        10           | 6   | 6        | 2     | 2
                     | 6   | 6        | 2     | 2
        """
    )
    patients = expected.with_row_index("subject").with_columns(hours=pl.lit(0))
    adjusted = astct.icans_course(patients)
    assert_frame_equal(
        adjusted.select("ice", "ice_used", "grade"), expected.select("ice", "ice_used", "grade")
    )
    raw = astct.icans_course(patients, astct.Policy(baseline_adjust=False))
    assert raw["grade"].to_list() == expected["as_it_stands"].to_list()
    assert raw["ice_used"].to_list() == expected["ice"].to_list()


def test_i7_tremor_and_headache_do_not_enter():
    assert grade("ice | tremor | headache\n10 | 3 | 3") == 0


@pytest.mark.parametrize(
    ("domain", "sign"),
    [
        pytest.param("pressure", "DIFFUSE", id="I8 intracranial bleeding"),
        pytest.param("seizure", "PROLONGED", id="I9 seizure from a metastasis"),
        pytest.param("motor", "DEEP_FOCAL", id="weakness from a metastasis"),
        pytest.param("consciousness", "COMA", id="sedation"),
        pytest.param("ice", 0, id="dementia"),
    ],
)
def test_a_sign_due_to_another_cause_is_not_icans(domain, sign):
    row = pl.DataFrame({"subject": "1", "hours": 0, "ice": 10, "consciousness": "SPONT"})
    row = row.with_columns(pl.lit(sign).alias(domain))
    other = row.with_columns(pl.lit(True).alias(f"{domain}_other_cause"))
    assert astct.icans_course(row)["grade"].item() >= 3
    assert astct.icans_course(other)["grade"].item() == (0 if domain == "consciousness" else 1)


def test_i10_onset_weeks_after_the_dose_is_icans():
    assert grade("hours | ice\n900 | 5") == 2


def test_i12_neurotoxicity_outside_the_five_domains_has_grade_0_and_no_episode():
    seen = course("ice | consciousness | dizziness\n10 | ALERT | 2")
    assert (seen["grade"].item(), seen["episode"].item()) == (0, None)


def test_death_due_to_icans_is_grade_5():
    seen = course("ice | icans_death\n5 | \n | true")
    assert seen["grade"].to_list() == [2, 5]
    assert seen["domain"].to_list() == ["ice", None]


def test_a_score_due_to_another_cause_alone_is_grade_0():
    assert grade("ice | ice_other_cause\n0 | true") == 0


def test_flags_are_false_where_nothing_is_known():
    seen = course("note | ice | consciousness\na | 0 | \nb | | \nc | | ALERT")
    assert seen["ice_invalid"].to_list() == [False, False, False]
    assert seen["not_assessable"].to_list() == [False, False, False]


def test_an_episode_late_in_the_course_is_one_too():
    assert course("hours | ice\n100 | 8\n110 | 8\n134 | 8")["episode"].to_list() == [1, 1, 2]


@pytest.mark.parametrize("score", [-1, 11])
def test_a_score_outside_its_scale_is_no_score(score):
    seen = course(f"ice | consciousness\n{score} | VOICE")
    assert seen["grade"].to_list() == [2]
    assert seen["ice_invalid"].to_list() == [True]
    assert course(f"ice | ice_baseline\n6 | {score}")["ice_used"].to_list() == [6]


def test_episodes_are_records_less_than_24_hours_apart():
    expected = framed(
        """
        hours | ice | grade | episode
        0     | 8   | 1     | 1
        12    | 10  | 0     |
        23.9  | 6   | 2     | 1
        30    |     |       |
        47.9  | 8   | 1     | 2
        48    | 10  | 0     |
        """
    )
    seen = astct.icans_course(expected.select("hours", "ice", subject=pl.lit("1")))
    assert_frame_equal(seen.select("hours", "grade", "episode"), expected.drop("ice"))


def test_an_assessment_without_a_time_is_graded_but_belongs_to_no_episode():
    seen = course("hours | ice\n | 5\n0 | 8")
    assert seen["grade"].to_list() == [1, 2]
    assert seen["episode"].to_list() == [1, None]


def test_unknown_words_are_named():
    for column in ("subject", "hours"):
        row = pl.DataFrame({"subject": ["1"], "hours": [0]}).drop(column)
        with pytest.raises(ValueError, match=f"assessments lacks the columns {column}"):
            astct.icans_course(row)
    with pytest.raises(ValueError, match=r"consciousness knows ALERT, .*, not ASLEEP"):
        course("consciousness\nASLEEP")
