"""All small cases, against a second implementation that loops over one patient with exact fractions."""

from itertools import product

import polars as pl
import pytest

import recist_naive as naive
from recist_frames import COURSE, MEASURED
from trialwright.medicine import recist

# Target lesions: a lesion of the liver and a node, at baseline, at one visit that may set the nadir, and at the next.

LIVER = {"baseline": [10, 20.1, 50, None], "later": [None, 0, 0.1, 5, 7, 10, 12, 14.1, 24.1, 35, 60]}
NODE = {"baseline": [15, 20], "later": [None, 0, 4, 9.9, 10, 15, 24]}


def lattice() -> list[tuple[tuple[float | None, ...], ...]]:
    first = product(LIVER["baseline"], NODE["baseline"])
    later = list(product(LIVER["later"], NODE["later"]))
    return list(product(first, later, later))


def lesions(courses: list) -> pl.DataFrame:
    n = len(courses)
    flat = [mm for visits in courses for visit in visits for mm in visit]
    return (
        pl.DataFrame(
            {
                "subject": [i for i in range(n) for _ in range(6)],
                "assessment": [0, 0, 1, 1, 2, 2] * n,
                "lesion": ["liver", "node"] * (3 * n),
                "diameter_mm": pl.Series(flat, dtype=pl.Float64, strict=False),
                "nodal": [False, True] * (3 * n),
            }
        )
        .with_columns(
            pl.col("subject").cast(pl.String).str.zfill(6),
            assessor=pl.lit("INV"),
            day=42 * pl.col("assessment"),
            state=pl.lit(None, dtype=pl.String),
            baseline=pl.col("assessment") == 0,
        )
        .select(pl.col(name).cast(kind) for name, kind in MEASURED.items())
    )


@pytest.mark.parametrize("reappearance", ["pd", "pd_if_5mm"])
@pytest.mark.parametrize("normal_nodes", ["pd_by_sum", "cr"])
def test_target_response_over_sizes_and_nadirs(reappearance, normal_nodes):
    courses = lattice()
    assert len(courses) == 47432
    policy = recist.Policy(reappearance_after_zero=reappearance, normal_nodes=normal_nodes)
    seen = recist.target_course(lesions(courses), policy).filter(~pl.col("baseline"))
    expected = [
        answer
        for visits in courses
        for answer in naive.target_responses(
            visits, [False, True], reappearance=reappearance, normal_nodes=normal_nodes
        )
    ]
    assert seen["target_response"].to_list() == expected
    assert set(expected) == {"CR", "PR", "SD", "PD", "NE"}


def test_overall_response_over_target_non_target_and_new_lesion():
    cells = list(
        product(
            ["CR", "PR", "SD", "PD", "NE", "NA"], ["CR", "NON-CR/NON-PD", "PD", "NE", "NA"], [True, False]
        )
    )
    frame = pl.DataFrame(cells, schema=["target", "non_target", "new"], orient="row")
    seen = frame.select(recist.overall_response(pl.col("target"), pl.col("non_target"), pl.col("new")))
    assert seen.to_series().to_list() == [naive.overall(*cell) for cell in cells]


# Sequences of overall responses: up to four visits, 27, 28 or 29 days apart, the first before or after the
# minimum duration of stable disease.

WORDS = ["CR", "PR", "SD", "NE", "PD", "NON-CR/NON-PD"]
POLICIES = {
    "sd_at_cr": {"cr_then_pr": "sd_at_cr"},
    "sd_any": {"cr_then_pr": "sd_any"},
    "nothing between": {"max_ne": 0, "max_sd": 0},
    "two between": {"max_ne": 2, "max_sd": 2, "cr_then_pr": "sd_any"},
    "next only": {"confirming": "next"},
    "long stable disease": {"sd_min_days": 84, "sd_day_counting": "study_day", "cr_then_pr": "sd_at_cr"},
    "late progression": {"bor_pd_max_days": 60, "non_cr_non_pd_min": "none"},
}


def sequences(gaps_seen: tuple[int, ...]) -> list[list[tuple[int, str]]]:
    found = []
    for n in range(1, 5):
        for words in product(WORDS, repeat=n):
            if "PD" in words[:-2]:
                continue  # what follows a progression by one visit says as much as what follows by two
            for first in (28, 35):
                for gaps in product(gaps_seen, repeat=n - 1):
                    days = [first + sum(gaps[:k]) for k in range(n)]
                    found.append(list(zip(days, words, strict=True)))
    return found


def assert_agree(courses: list[list[tuple[int, str]]], policy: recist.Policy, *, confirmed: bool) -> None:
    rows = [(f"{i:06d}", "INV", *visit) for i, course in enumerate(courses) for visit in course]
    seen = recist.best_response(
        pl.DataFrame(rows, schema=COURSE, orient="row"), policy, confirmed=confirmed
    ).select("best_response", "response_day")
    expected = [naive.best(course, policy, confirmed=confirmed) for course in courses]
    wrong = [case for case in zip(courses, seen.iter_rows(), expected, strict=True) if case[1] != case[2]]
    assert wrong[:5] == []


@pytest.mark.parametrize("confirmed", [True, False])
def test_best_response_over_sequences(confirmed):
    assert_agree(sequences((27, 28, 29)), recist.DEFAULT, confirmed=confirmed)


@pytest.mark.parametrize("words", POLICIES.values(), ids=POLICIES)
def test_best_response_over_sequences_with_other_words(words):
    assert_agree(sequences((27, 28)), recist.Policy(**words), confirmed=True)


def test_unconfirmed_best_response_with_other_words():
    assert_agree(sequences((28,)), recist.Policy(**POLICIES["late progression"]), confirmed=False)
