"""Weight, fever, febrile neutropenia, albumin near a calcium, shifts, Hy's law: drawn."""

from __future__ import annotations

import polars as pl
import pytest

from drawn import table
from trialwright.medicine.ctcae_course import (
    HysLaw,
    febrile_neutropenia_grade,
    fever_grade,
    hys_law,
    nearest_albumin,
    shift,
    weight_loss_grade,
)


def test_weight_loss() -> None:
    """5 to under 10 %, 10 to under 20 %, 20 % and more of the baseline; the lower bounds belong to the grade."""
    drawn = table("""
        | weight | baseline | grade |
        | 80     | 80       | 0     |
        | 90     | 80       | 0     |
        | 76.01  | 80       | 0     |
        | 76     | 80       | 1     |
        | 72.01  | 80       | 1     |
        | 72     | 80       | 2     |
        | 64.01  | 80       | 2     |
        | 64     | 80       | 3     |
        | 57     | 60       | 1     |
        | 66.5   | 70       | 1     |
        | 39.52  | 41.6     | 1     |
        | 36.27  | 40.3     | 2     |
        | 0.9    | 1        | 2     |
        |        | 80       |       |
        | 70     |          |       |
        | 70     | 0        |       |
    """)
    found = drawn.select(weight_loss_grade(pl.col("weight"), pl.col("baseline"))).to_series()
    assert found.to_list() == drawn["grade"].to_list()
    assert found.dtype == pl.Int8


def test_fever() -> None:
    drawn = table("""
        | temperature | hours | grade |
        | 37.9        |       | 0     |
        | 38.0        |       | 1     |
        | 39.0        |       | 1     |
        | 39.1        |       | 2     |
        | 40.0        | 48    | 2     |
        | 40.1        | 24    | 3     |
        | 40.1        | 24.5  | 4     |
        | 40.1        |       | 3     |
        |             | 48    |       |
    """)
    found = drawn.select(fever_grade(pl.col("temperature"), pl.col("hours"))).to_series()
    assert found.to_list() == drawn["grade"].to_list()


def test_febrile_neutropenia() -> None:
    """Below 1.0 with one reading over 38.3, or 38.0 for more than one hour; what is missing may not matter."""
    drawn = table("""
        | anc  | temperature | hours | grade |
        | 0.99 | 38.4        |       | 3     |
        | 0.99 | 38.3        | 1     | 0     |
        | 0.99 | 38.3        | 1.5   | 3     |
        | 0.99 | 38.0        | 2     | 3     |
        | 0.99 | 37.9        | 9     | 0     |
        | 1.0  | 40          | 9     | 0     |
        | 0.99 | 38.2        |       |       |
        | 0.99 | 37          |       | 0     |
        | 1.0  |             |       | 0     |
        |      | 37          | 1     | 0     |
        |      | 39          | 1     |       |
        | 0.5  |             |       |       |
    """)
    found = drawn.select(
        febrile_neutropenia_grade(pl.col("anc"), pl.col("temperature"), pl.col("hours"))
    ).to_series()
    assert found.to_list() == drawn["grade"].to_list()


def test_nearest_albumin() -> None:
    """Within seven days; on the day first, then the nearest, of two equally near the earlier."""
    calcium = table("""
        | subject | day | mark |
        | 1       | 10  | a    |
        | 1       | 20  | b    |
        | 1       | 40  | c    |
        | 2       | 10  | d    |
        | 1       |     | e    |
        | 1       | 20  | f    |
        | 1       | 56  | g    |
        | 1       | 55  | h    |
    """)
    albumin = table("""
        | subject | day | albumin |
        | 1       | 10  | 40      |
        | 1       | 9   | 39      |
        | 1       | 10  | 41      |
        | 1       | 23  | 33      |
        | 1       | 17  | 37      |
        | 1       | 48  | 48      |
        | 1       | 38  |         |
        | 1       | 33  | 30      |
    """)
    found = nearest_albumin(calcium, albumin)
    assert found["mark"].to_list() == list("abcdefgh")
    assert found["albumin"].to_list() == [40, 37, 30, None, None, 37, None, 48]
    near = nearest_albumin(calcium, albumin, days=2)["albumin"]
    assert near.to_list() == [40, *[None] * 7]


def test_nearest_albumin_in_any_order_of_the_days() -> None:
    calcium = pl.DataFrame({"subject": [2, 1, 2, 2, 2], "day": [59, 51, 54, 20, 31]})
    albumin = table("""
        | subject | day | albumin |
        | 2       | 20  | 38.0    |
        | 1       | 7   | 41.0    |
        | 1       | 47  | 42.0    |
        | 2       | 5   | 39.0    |
        | 1       | 58  | 43.0    |
        | 2       | 44  | 40.0    |
    """)
    assert nearest_albumin(calcium, albumin)["albumin"].to_list() == [None, 42, None, 38, None]
    assert nearest_albumin(calcium[::-1], albumin[::-1])["albumin"].to_list() == [None, 38, None, 42, None]


def test_shift_from_baseline_to_the_worst() -> None:
    """Rules 9 and 10: the worst of all later values; a baseline abnormal the other way is 0 on this side."""
    graded = table("""
        | subject | test | is_baseline | grade_low | grade_high | reason_low  | reason_high |
        | 1       | K    | true        | 2         | 0          |             |             |
        | 1       | K    | false       | 0         | 1          |             |             |
        | 1       | K    | false       | 1         | 0          |             |             |
        | 1       | K    | false       |           |            | LLN missing | ULN missing |
        | 1       | ALT  | true        |           | 0          | no criteria |             |
        | 1       | ALT  | false       |           | 3          | no criteria |             |
        | 2       | K    | true        | 0         |            |             | ULN missing |
        | 2       | K    | false       | 0         | 3          |             |             |
        | 3       | K    | true        | 0         | 0          |             |             |
        | 4       | K    |             | 0         | 2          |             |             |
    """)
    drawn = table("""
        | subject | test | direction | baseline_grade | worst_grade | worsened |
        | 1       | K    | L         | 2              | 1           | false    |
        | 2       | K    | L         | 0              | 0           | false    |
        | 3       | K    | L         | 0              |             |          |
        | 4       | K    | L         |                | 0           |          |
        | 1       | K    | H         | 0              | 1           | true     |
        | 1       | ALT  | H         | 0              | 3           | true     |
        | 2       | K    | H         |                | 3           |          |
        | 3       | K    | H         | 0              |             |          |
        | 4       | K    | H         |                | 2           |          |
    """)
    assert shift(graded).rows() == drawn.rows()


LABS = """
    | subject | day | test | value | uln | case                                          |
    | 1       | 1   | ALT  | 120   | 40  | both at the limit, 30 days apart              |
    | 1       | 31  | BILI | 40    | 20  |                                               |
    | 1       | 5   | ALP  | 199   | 100 |                                               |
    | 2       | 1   | AST  | 121   | 40  | 31 days apart: no pair, both peaks high       |
    | 2       | 32  | BILI | 41    | 20  |                                               |
    | 3       | 40  | ALT  | 119   | 40  | just under                                    |
    | 3       | 40  | BILI | 60    | 20  |                                               |
    | 4       | 40  | ALT  | 400   | 40  | bilirubin normal                              |
    | 4       | 40  | BILI | 20    | 20  |                                               |
    | 5       | 40  | ALT  | 400   | 40  | bilirubin never known                         |
    | 5       | 40  | BILI | 60    |     |                                               |
    | 6       | 50  | ALT  | 130   | 40  | bilirubin first; cholestatic                  |
    | 6       | 40  | BILI | 60    | 20  |                                               |
    | 6       | 45  | ALP  | 200   | 100 |                                               |
    | 7       | 1   | ALT  | 20    | 40  | nothing                                       |
    | 7       | 1   | BILI | 10    | 20  |                                               |
    | 8       | 1   | ALT  | 3     | 0.5 | in microkatal; an upper limit of 0 is none    |
    | 8       | 1   | BILI | 9     | 0   |                                               |
    | 1       | 60  | ALT  | 200   | 40  | a later pair, not the first; ALP far away     |
    | 1       | 61  | BILI | 50    | 20  |                                               |
    | 1       | 90  | ALP  | 900   | 100 |                                               |
"""


def test_hys_law() -> None:
    drawn = table("""
        | subject | transaminase_x | bilirubin_x | transaminase_day | bilirubin_day | alp_low | hys_law | zone               |
        | 1       | 5.0            | 2.5         | 1                | 31            | true    | true    | Hy's law range     |
        | 2       | 3.025          | 2.05        |                  |               |         | false   | Hy's law range     |
        | 3       | 2.975          | 3.0         |                  |               |         | false   | hyperbilirubinaemia |
        | 4       | 10.0           | 1.0         |                  |               |         | false   | Temple's corollary |
        | 5       | 10.0           |             |                  |               |         |         |                    |
        | 6       | 3.25           | 3.0         | 50               | 40            | false   | true    | Hy's law range     |
        | 7       | 0.5            | 0.5         |                  |               |         | false   | normal range       |
        | 8       | 6.0            |             |                  |               |         |         |                    |
    """)
    assert hys_law(table(LABS)).select(drawn.columns).rows() == drawn.rows()


@pytest.mark.parametrize(
    ("screen", "positive"),
    [
        (HysLaw(strict=True), [1, 6]),
        (HysLaw(days=31), [1, 2, 6]),
        (HysLaw(days=9), [1]),
        (HysLaw(transaminase=2.9), [1, 3, 6]),
        (HysLaw(bilirubin=2.6), [6]),
    ],
)
def test_hys_law_by_other_numbers(screen: HysLaw, positive: list[int]) -> None:
    found = hys_law(table(LABS), screen)
    assert found.filter(pl.col("hys_law"))["subject"].to_list() == positive


def test_hys_law_strict_needs_more_than_the_limit() -> None:
    """At 3 x and 2 x exactly the first pair of subject 1 no longer counts; the later one does."""
    first = hys_law(table(LABS), HysLaw(strict=True)).row(0, named=True)
    assert (first["transaminase_day"], first["bilirubin_day"]) == (60, 61)
    assert first["alp_low"] is False
