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


EVIDENCE = """
    subject | target | non_target | new | rule
    A       | PD     | CR         | no  | target_pd
    B       | PD     | PD         | no  | target_pd
    C       | PD     | CR         | yes | target_pd
    D       | SD     | PD         | yes | non_target_pd
    E       | PD     | PD         | yes | target_pd
    F       | SD     | CR         | yes | new_lesion
"""


@pytest.mark.parametrize("dated", [True, False])
def test_of_several_kinds_of_progression_on_one_day_the_first_of_the_table_is_told(dated):
    """And where no scan that shows it has a day, none is the earlier either."""
    drawn = framed(EVIDENCE)
    target, non_target = parts(drawn)
    new = target.filter(pl.col("rule") == "later").join(
        drawn.filter(pl.col("new") == "yes").select("subject"), on="subject", how="semi"
    )
    new = new.select(
        "subject", "assessor", "assessment", "day", lesion=pl.lit("X"), status=pl.lit("UNEQUIVOCAL")
    )
    if not dated:
        nowhere = pl.lit(None, dtype=pl.Int64)
        target = target.with_columns(sum_day=nowhere)
        non_target = non_target.with_columns(pd_day=nowhere)
        new = new.with_columns(day=nowhere)
    found = recist.time_points(target, non_target, new)
    assert found["rule"].to_list() == drawn["rule"].to_list()
    assert found["pd_day"].to_list() == [42] * 6


def test_a_lesion_equivocal_at_first_is_backdated_to_the_scan_that_first_showed_it_only():
    drawn = framed(
        """
        subject | assessment | day | lesion | status
        Z       | 1          | 42  | X1     | EQUIVOCAL
        Z       | 2          | 84  | X1     | EQUIVOCAL
        Z       | 3          | 126 | X1     | UNEQUIVOCAL
        """
    ).with_columns(assessor=pl.lit("INV"))
    target, non_target = parts(framed("subject | target | non_target\nZ | SD | NA"))
    found = recist.time_points(target, non_target, drawn)
    assert found["rule"].to_list() == ["new_lesion_backdated", "new_lesion", "new_lesion"]


def test_a_progression_of_the_targets_seen_before_a_backdated_lesion_is_what_is_told():
    lesions = framed(
        "subject | assessment | day | lesion | status\nZ | 1 | 43 | X | EQUIVOCAL\nZ | 2 | 84 | X | UNEQUIVOCAL"
    ).with_columns(assessor=pl.lit("INV"))
    target, non_target = parts(framed("subject | target | non_target\nZ | PD | NA"))
    found = recist.time_points(target, non_target, lesions)
    assert found.select("day", "rule").rows() == [(42, "target_pd"), (84, "new_lesion")]


@pytest.mark.parametrize(
    ("word", "scans", "day"),
    [
        pytest.param({"tp_date": "first"}, (45, 44, 43), 43, id="a new lesion first"),
        pytest.param({"tp_date": "first"}, (45, 43, 44), 43, id="a non-target first"),
        pytest.param({"pd_date": "earliest"}, (45, 44, 43), 43, id="a new lesion earliest"),
        pytest.param({"pd_date": "last_scan"}, (45, 44, 43), 45, id="the targets last"),
        pytest.param({"pd_date": "last_scan"}, (43, 45, 44), 45, id="the non-targets last"),
        pytest.param({"pd_date": "last_scan"}, (43, 44, 45), 45, id="a new lesion last"),
    ],
)
def test_the_first_and_the_last_scan_are_sought_in_all_that_was_seen(word, scans, day):
    of_target, of_non_target, of_new = scans
    target, non_target = parts(framed("subject | target | non_target\nZ | SD | CR"))
    target = target.with_columns(
        pl.when(pl.col("assessment") == 1).then(of_target).otherwise("day").alias("day")
    )
    target = target.with_columns(first_day="day", sum_day="day")
    status = "UNEQUIVOCAL" if "pd_date" in word else "EQUIVOCAL"
    new = [("Z", "INV", 1, of_new, "X", status)]
    if status == "EQUIVOCAL":
        new.append(("Z", "INV", 2, 84, "X", "UNEQUIVOCAL"))
    lesions = pl.DataFrame(new, schema={**KINDS, "lesion": pl.String, "status": pl.String}, orient="row")
    policy = recist.Policy(**{"pd_date": "earliest", **word})
    found = recist.time_points(target, non_target.with_columns(day=pl.lit(of_non_target)), lesions, policy)
    assert found["day"][0] == day


def test_of_a_sites_own_responses_na_is_no_disease_and_any_other_word_is_some():
    """What is not reported later is then not evaluable, or not there."""
    drawn = framed(
        """
        subject | non_target    | next
        A       | NA            | NA
        B       | CR            | NE
        C       | NON-CR/NON-PD | NE
        D       | NE            | NE
        """
    )
    target, non_target = parts(drawn.with_columns(target=pl.lit("SD")))
    later = target.filter(pl.col("rule") == "later").with_columns(assessment=pl.lit(2), day=pl.lit(84))
    later = later.with_columns(first_day="day", sum_day="day").select(
        pl.col(name).cast(kind) for name, kind in target.schema.items()
    )
    found = recist.time_points(pl.concat([target, later]), non_target)
    assert found.filter(pl.col("assessment") == 2)["non_target_response"].to_list() == drawn["next"].to_list()


def test_two_assessments_of_one_day_stand_in_their_order():
    subjects = [f"S{k:02d}" for k in range(30)]
    seen = [(subject, "INV", visit, 42) for subject in subjects for visit in (1, 2, 3)]
    non_target = pl.DataFrame(seen, schema=KINDS, orient="row").with_columns(non_target_response=pl.lit("CR"))
    nothing = parts(framed("subject | target | non_target\nZ | SD | NA"))[0].clear()
    for given in (non_target, non_target.reverse()):
        found = recist.time_points(nothing, given)
        assert found.select("subject", "assessment").rows() == [(s, visit) for s, _, visit, _ in seen]
