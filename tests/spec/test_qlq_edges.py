"""QLQ-C30 where forms, patients and answers meet, and what a policy may not say."""

from __future__ import annotations

import polars as pl
import pytest

from recist_frames import framed as table
from trialwright.medicine import qlq_c30
from trialwright.medicine.qlq_c30 import Deterioration, deterioration

ANSWERS = """
    subject | visit | item | value | reason
    1       | 0     | q9   | 2     |
    2       | 0     | q9   | 4     |
    1       | 0     | q19  | 3     | answered twice alike
    1       | 0     | q19  | 3     |
    2       | 0     | q19  | 1     | answered twice differently
    2       | 0     | q19  | 2     | answered twice differently
    1       | 1     | q9   | 1     |
    1       | 0     | q3   | 2     |
    2       | 0     | q3   | 4     |
    2       | 1     | q3   | 3     | answered twice alike
    2       | 1     | q3   | 3     |
    2       | 1     | q19  | 1     | answered twice alike
    2       | 1     | q19  | 1     |
    1       | 1     | q19  |       |
    1       | 1     | q19  | 1     |
    1       | 0     | q12x | 1     | not an item of the QLQ-C30
    1       | 0     | q12x | two   | not an item of the QLQ-C30
    1       | 0     | q10  | two   | not a number
    1       | 0     | q11  | 0     | not an answer of the item
    1       | 0     | q13  | -1    | not an answer of the item
    1       | 0     | q14  |       |
"""


def test_the_answers_of_each_form_are_its_own() -> None:
    """Pain is items 9 and 19; what cannot be used is told with its form, and nothing else is."""
    drawn = table(ANSWERS)
    given = drawn.select("subject", "visit", "item", "value")
    for rows in (given, given.reverse()):
        scores, invalid = qlq_c30.score(rows, ["subject", "visit"])
        pain = scores.filter(pl.col("scale") == "PA").sort("subject", "visit")
        assert pain.select("subject", "visit", "score", "n_answered").rows() == [
            (1, 0, 50.0, 2),
            (1, 1, 0.0, 2),
            (2, 0, 100.0, 1),
            (2, 1, 0.0, 1),
        ]
        told = invalid.select("subject", "visit", "item", "reason")
        expected = drawn.drop_nulls("reason").select("subject", "visit", "item", "reason")
        assert sorted(told.rows()) == sorted(expected.rows())


def test_forms_are_the_same_wherever_their_answers_stand() -> None:
    """Answers of one form need not stand together; the form comes where its first answer stood."""
    drawn = table("""
        subject | visit | item | value
        2       | 0     | q29  | 7
        1       | 0     | q29  | 1
        2       | 0     | q30  | 7
        1       | 0     | q30  | 1
    """)
    scores, _ = qlq_c30.score(drawn, ["subject", "visit"])
    quality = scores.filter(pl.col("scale") == "QL")
    assert quality.select("subject", "score", "n_answered").rows() == [(2, 100.0, 2), (1, 0.0, 2)]


COURSES = """
    subject | scale | visit | day | score | baseline | died
    1       | FA    | 3     | 84  | 60    |          |
    1       | FA    | 1     | 28  | 30    | 30       | true
    1       | FA    | 2     | 56  | 20    | 30       | false
    2       | FA    | 2     | 30  | 50    | 30       | false
    2       | FA    | 1     | 31  | 30    | 30       |
    3       | QL    | 1     | 28  | 30    | 30       |
    3       | FA    | 1     | 28  | 30    | 30       |
    3       | QL    | 2     |     | 10    | 30       |
    4       | FA    | 1     | 28  |       | 30       |
"""


def courses(**policy: object) -> pl.DataFrame:
    return deterioration(table(COURSES), Deterioration(**policy))  # type: ignore[arg-type]


def test_each_course_is_read_in_the_order_of_its_visits() -> None:
    """A score without a day is not a form; a death is a death on whatever row it is told."""
    told = courses(pattern="confirmed").sort("subject", "scale")
    assert told.select("subject", "scale", "event", "day", "first_day", "n_forms", "rule").rows() == [
        (1, "FA", True, 84, 84, 3, "confirmed deterioration"),
        (2, "FA", False, 30, 30, 2, "no deterioration"),
        (3, "FA", False, 28, None, 1, "no deterioration"),
        (3, "QL", False, 28, None, 1, "no deterioration"),
        (4, "FA", False, None, None, 0, "no later form"),
    ]


def test_two_forms_of_one_visit_are_read_by_day() -> None:
    drawn = table("""
        subject | scale | visit | day | score | baseline
        1       | FA    | 1     | 30  | 30    | 30
        1       | FA    | 1     | 28  | 45    | 30
    """)
    for rows in (drawn, drawn.reverse()):
        told = deterioration(rows, Deterioration(pattern="definitive")).row(0, named=True)
        assert (told["event"], told["first_day"], told["day"]) == (False, 28, 30)


def test_the_first_baseline_that_is_given_counts() -> None:
    drawn = table("""
        subject | scale | visit | day | score | baseline
        1       | FA    | 1     | 28  | 45    |
        1       | FA    | 2     | 56  | 45    | 30
        1       | FA    | 3     | 84  | 45    | 40
    """)
    assert deterioration(drawn).row(0, named=True)["baseline"] == 30


@pytest.mark.parametrize("choice", ["reference", "pattern", "definitive", "improved_by"])
def test_a_word_that_is_no_choice_is_refused(choice: str) -> None:
    with pytest.raises(ValueError, match=f"^{choice} is 'perhaps'; it must be one of "):
        Deterioration(**{choice: "perhaps"})


@pytest.mark.parametrize("reference", ["baseline", "best", "previous"])
def test_what_another_patient_or_scale_scored_is_no_reference(reference: str) -> None:
    drawn = table("""
        subject | scale | visit | day | score | baseline
        1       | FA    | 1     | 28  | 10    | 30
        1       | PA    | 1     | 28  | 30    | 30
        2       | FA    | 1     | 28  | 30    | 30
        2       | FA    | 2     | 56  | 45    | 30
        2       | FA    | 3     | 84  | 60    | 30
    """)
    told = deterioration(drawn, Deterioration(reference=reference))  # type: ignore[arg-type]
    assert told.select("subject", "scale", "event", "day").rows() == [
        (1, "FA", False, 28),
        (1, "PA", False, 28),
        (2, "FA", True, 56),
    ]
