"""Overall response of RECIST 1.1: the sentence that is told beside each response, and each patient by himself."""

import polars as pl
import pytest

from recist_frames import framed
from trialwright.medicine import recist

TABLE = """
    subject | target | non_target    | response      | rule
    P01     | PD     | CR            | PD            | target_pd
    P02     | SD     | PD            | PD            | non_target_pd
    P03     | NE     | CR            | NE            | target_ne
    P04     | CR     | CR            | CR            | all_cr
    P05     | CR     | NA            | CR            | all_cr
    P06     | CR     | NON-CR/NON-PD | PR            | target_cr_non_target_left
    P07     | CR     | NE            | PR            | target_cr_non_target_ne
    P08     | PR     | NON-CR/NON-PD | PR            | target_pr
    P09     | PR     | NE            | PR            | target_pr
    P10     | SD     | CR            | SD            | target_sd
    P11     | SD     | NE            | SD            | target_sd
    P12     | NA     | CR            | CR            | non_target_cr
    P13     | NA     | NON-CR/NON-PD | NON-CR/NON-PD | non_target_left
    P14     | NA     | NE            | NE            | non_target_ne
    P15     | NA     | NA            | NED           | no_disease
    P16     | PD     | PD            | PD            | target_pd
"""
KINDS = {"subject": pl.String, "assessor": pl.String, "assessment": pl.Int64, "day": pl.Int64}


def parts(drawn: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Target and non-target course of each patient: a baseline and one later scan on day 42."""
    drawn = drawn.with_columns(pl.col("subject").cast(pl.String), assessor=pl.lit("INV"))
    keys = drawn.select("subject", "assessor", assessment=pl.lit(1), day=pl.lit(42))
    later = keys.with_columns(
        target_response=drawn["target"], rule=pl.lit("later"), first_day=pl.lit(42), sum_day=pl.lit(42)
    ).filter(pl.col("target_response") != "NA")
    first = later.with_columns(
        assessment=pl.lit(0),
        day=pl.lit(0),
        target_response=pl.lit(None, dtype=pl.String),
        rule=pl.lit("baseline"),
    )
    target = pl.concat([first, later]).with_columns(pl.col("assessment", "day").cast(pl.Int64))
    non_target = keys.with_columns(non_target_response=drawn["non_target"]).with_columns(
        pl.col("assessment", "day").cast(pl.Int64)
    )
    return target, non_target


@pytest.mark.parametrize("turned", [False, True])
def test_the_sentence_beside_each_overall_response(turned):
    drawn = framed(TABLE).with_columns(pl.col("subject").cast(pl.String))
    given = drawn.reverse() if turned else drawn
    found = recist.time_points(*parts(given))
    assert found["overall_response"].to_list() == drawn["response"].to_list()
    assert found["rule"].to_list() == drawn["rule"].to_list()


def test_a_non_target_lesion_not_evaluated_beside_target_cr_is_told_alike_under_either_word():
    drawn = framed("subject | target | non_target\nA | CR | NE")
    found = recist.time_points(*parts(drawn), policy=recist.Policy(cr_with_ne_non_target="ne"))
    assert found.select("overall_response", "rule").rows() == [("NE", "target_cr_non_target_ne")]


LESIONS = """
    subject | assessment | day | lesion | status
    A       | 2          | 42  | X1     | EQUIVOCAL
    A       | 1          | 84  | X1     | UNEQUIVOCAL
    B       | 1          | 50  | X1     | EQUIVOCAL
    B       | 2          | 90  | X1     | RETRACTED
    C       | 1          | 40  | X1     | UNEQUIVOCAL
    D       | 1          | 60  | X1     | EQUIVOCAL
    D       | 2          | 95  | X1     | UNEQUIVOCAL
"""
SEEN = [
    ("A", 2, 42, "PD", "new_lesion_backdated"),
    ("A", 1, 84, "PD", "new_lesion"),
    ("C", 1, 40, "PD", "new_lesion"),
    ("D", 1, 60, "PD", "new_lesion_backdated"),
    ("D", 2, 95, "PD", "new_lesion"),
]


@pytest.mark.parametrize("turned", [False, True])
def test_a_new_lesion_is_that_of_its_patient_though_others_have_one_of_its_name(turned):
    drawn = framed(LESIONS).with_columns(assessor=pl.lit("INV"))
    given = drawn.reverse() if turned else drawn
    target, non_target = parts(framed("subject | target | non_target\nZ | SD | NA"))
    found = recist.time_points(target, non_target, given).filter(pl.col("subject") != "Z")
    assert found.select("subject", "assessment", "day", "overall_response", "rule").rows() == SEEN


def test_non_target_courses_stand_by_patient_day_and_scan():
    drawn = framed(
        """
        subject | assessment | day | lesion | state    | baseline
        A       | 9          | 0   | N1     | present  | true
        A       | 3          | 42  | N1     | present  |
        A       | 4          | 42  | N1     | absent   |
        A       | 2          | 84  | N1     | absent   |
        B       | 9          | 0   | N1     | present  | true
        B       | 1          | 42  | N1     | absent   |
        """
    ).with_columns(assessor=pl.lit("INV"))
    for given in (drawn, drawn.reverse(), drawn.sort("lesion", "assessment")):
        found = recist.non_target_course(given)
        assert found.select("subject", "assessment").rows() == drawn.select("subject", "assessment").rows()
        assert found["non_target_response"].to_list() == [
            *(None, "NON-CR/NON-PD", "CR", "CR"),
            *(None, "CR"),
        ]
