"""Episodes and the dose before them: the project rules, section 3.3. Hours from a common origin."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recist_frames import framed
from trialwright.medicine import astct


def crs(text: str) -> pl.DataFrame:
    return astct.crs_course(framed(text).with_columns(subject=pl.lit("1")))


def doses(**hours: float) -> pl.DataFrame:
    given = list(hours.items())
    return pl.DataFrame({"subject": "1", "dose": [d for d, _ in given], "hours": [h for _, h in given]})


TWO = crs(
    """
    hours | temp_c | n_pressors | antipyretic
    10    | 38.5   |            |
    14    | 39.5   | 1          | true
    20    | 37.5   | 1          |
    30    | 37.0   |            |
    50    | 37.0   |            |
    180   | 38.2   |            |
    184   | 37.0   |            |
    """
)


def test_one_row_per_episode():
    expected = framed(
        """
        subject | episode | onset_h | last_h | resolved_h | max_grade | max_h
        1       | 1       | 10.0    | 30.0   | 50.0       | 3         | 14.0
        1       | 2       | 180.0   | 180.0  | 184.0      | 1         | 180.0
        """
    ).with_columns(pl.col("subject").cast(pl.String))
    assert_frame_equal(astct.episodes(TWO), expected)


def test_an_episode_not_seen_to_end_is_not_resolved():
    assert astct.episodes(crs("hours | temp_c\n0 | 38.5"))["resolved_h"].to_list() == [None]


def test_a_query_is_no_resolution():
    seen = crs("hours | temp_c | hypotension\n0 | 38.5 | \n4 | 37 | true\n8 | 37 | ")
    assert astct.episodes(seen).select("last_h", "resolved_h").row(0) == (0, 8)


def test_an_episode_of_grade_4_may_resolve():
    seen = crs("hours | temp_c | n_pressors\n0 | 38.5 | 2\n4 | 37 | ")
    assert astct.episodes(seen).select("max_grade", "resolved_h").row(0) == (4, 4)


def test_a_fatal_episode_does_not_resolve():
    seen = crs("hours | temp_c | crs_death\n0 | 38.5 | \n4 | 37 | true\n8 | 37 | ")
    assert astct.episodes(seen).select("max_grade", "resolved_h").row(0) == (5, None)


def test_the_dose_is_the_most_recent_one_started_before_onset():
    attached = astct.attach_dose(astct.episodes(TWO), doses(D1=0, D8=168, D15=336))
    expected = framed(
        """
        episode | dose | dose_h | hours_from_dose | no_dose_between
        1       | D1   | 0.0    | 10.0            | false
        2       | D8   | 168.0  | 12.0            | false
        """
    )
    assert_frame_equal(attached.select(expected.columns), expected)


def test_an_episode_that_returns_without_a_dose_between_is_flagged():
    attached = astct.attach_dose(astct.episodes(TWO), doses(D1=0, D15=336))
    assert attached["dose"].to_list() == ["D1", "D1"]
    assert attached["no_dose_between"].to_list() == [False, True]


def test_a_dose_that_starts_at_onset_is_not_before_it():
    attached = astct.attach_dose(astct.episodes(TWO), doses(D1=10, D8=168))
    assert attached["dose"].to_list() == [None, "D8"]
    assert attached["no_dose_between"].to_list() == [False, False]


def test_two_episodes_before_any_dose_are_not_returns():
    attached = astct.attach_dose(astct.episodes(TWO), doses(D1=500))
    assert attached["dose"].to_list() == [None, None]
    assert attached["no_dose_between"].to_list() == [False, False]


def test_hours_of_a_clock_are_exact():
    found = astct.episodes(TWO)
    attached = astct.attach_dose(found, doses(D1=9.9999996))
    assert attached["dose"].to_list() == [None, "D1"]
    assert astct.attach_dose(found, doses(D1=9.999999))["dose"].to_list() == ["D1", "D1"]


def test_missing_columns_are_named():
    found = astct.episodes(TWO)
    for column in ("subject", "episode", "onset_h"):
        with pytest.raises(ValueError, match=f"episodes lacks the columns {column}"):
            astct.attach_dose(found.drop(column), doses(D1=0))
    for column in ("subject", "dose", "hours"):
        with pytest.raises(ValueError, match=f"doses lacks the columns {column}"):
            astct.attach_dose(found, doses(D1=0).drop(column))
    for column in ("subject", "hours", "grade", "episode"):
        with pytest.raises(ValueError, match=f"course lacks the columns {column}"):
            astct.episodes(TWO.drop(column))


def test_patients_keep_their_own_doses():
    other = doses(D1=0, D8=168).with_columns(subject=pl.lit("2"))
    attached = astct.attach_dose(astct.episodes(TWO), other)
    assert attached["dose"].to_list() == [None, None]


def test_icans_has_episodes_too():
    seen = astct.icans_course(framed("hours | ice\n5 | 8\n9 | 4\n13 | 10").with_columns(subject=pl.lit("1")))
    row = astct.episodes(seen).row(0, named=True)
    assert (row["onset_h"], row["max_h"], row["max_grade"], row["resolved_h"]) == (5, 9, 2, 13)
