"""Deterioration of a QLQ-C30 scale over a patient's forms, one drawn course per rule."""

from __future__ import annotations

import polars as pl
import pytest

from drawn import table
from trialwright.medicine.qlq_c30 import Deterioration, deterioration


def course(
    scores: str, baseline: float | None = 30, scale: str = "FA", died: bool | None = None
) -> pl.DataFrame:
    """``40 - 50``: forms 1, 2, 3 … on days 28, 56, 84 …; ``-`` was not filled in."""
    cells = [None if cell == "-" else float(cell) for cell in scores.split()]
    visits = list(range(1, len(cells) + 1))
    return pl.DataFrame(
        {
            "subject": ["1"] * len(cells),
            "scale": [scale] * len(cells),
            "visit": visits,
            "day": [28 * v for v in visits],
            "score": cells,
            "baseline": [baseline] * len(cells),
            "died": [died] * len(cells),
        },
        schema_overrides={"score": pl.Float64, "baseline": pl.Float64, "died": pl.Boolean},
    )


def told(
    scores: str, baseline: float | None = 30, scale: str = "FA", died: bool | None = None, **policy: object
) -> dict[str, object]:
    return deterioration(course(scores, baseline, scale, died), Deterioration(**policy)).row(0, named=True)


@pytest.mark.parametrize(
    ("scale", "scores", "day"),
    [
        ("FA", "39 40 50", 56),
        ("FA", "20 10 0", None),
        ("QL", "21 20 40", 56),
        ("PF", "40 50 60", None),
        ("SUMMARY", "30 20", 56),
        ("FI", "40", 28),
        ("DY", "39.99", None),
    ],
)
def test_ten_points_in_the_worse_direction_count(scale: str, scores: str, day: int | None) -> None:
    """Symptoms worsen upwards; functions, global and summary downwards; ten points exactly are enough."""
    result = told(scores, scale=scale)
    assert result["event"] is (day is not None)
    assert result["first_day"] == day


def test_a_hair_below_ten_by_binary_arithmetic_is_ten() -> None:
    """66.6667 - 56.6667 in thirds and sixtieths; a real 9.999 is not ten."""
    assert told(f"{200 / 3}", baseline=200 / 3 - 10 + 1e-9)["event"] is True
    assert told(f"{200 / 3}", baseline=200 / 3 - 10 + 1e-3)["event"] is False


def test_threshold_for_all_and_for_one_scale() -> None:
    assert told("35", threshold=5)["event"] is True
    assert told("35", threshold=5, thresholds={"FA": 6})["event"] is False
    assert told("35", thresholds={"PA": 5})["event"] is False


def test_what_an_event_says() -> None:
    result = told("35 45 50")
    wanted = {
        "event": True,
        "day": 56,
        "visit": 2,
        "score": 45,
        "change": 15,
        "rule": "first deterioration",
        "n_forms": 3,
    }
    assert {k: result[k] for k in wanted} == wanted


def test_change_is_towards_worse_for_functions_too() -> None:
    assert told("30", baseline=45, scale="PF")["change"] == 15


def test_without_an_event_the_last_form_counts() -> None:
    result = told("35 - 30 -")
    wanted = {"event": False, "day": 84, "visit": None, "rule": "no deterioration", "n_forms": 2}
    assert {k: result[k] for k in wanted} == wanted


def test_no_baseline_and_no_later_form() -> None:
    """Both are censored at the start: day is null, and the rule says why."""
    lost = told("90 90", baseline=None)
    assert (lost["event"], lost["day"], lost["rule"], lost["n_forms"]) == (False, None, "no baseline", 2)
    gone = told("- -")
    assert (gone["event"], gone["day"], gone["rule"], gone["n_forms"]) == (False, None, "no later form", 0)


@pytest.mark.parametrize(
    ("reference", "scores", "day"),
    [
        ("baseline", "20 34 44", 84),
        ("best", "20 34 44", 56),
        ("best", "20 29 38 39.9 25 30", 84),
        ("previous", "20 29 38 39 49", 140),
        ("previous", "40 20", 28),
        ("best", "40 20", 28),
        ("best", "39", None),
    ],
)
def test_reference(reference: str, scores: str, day: int | None) -> None:
    """Baseline 30. ``best`` is the lowest of all before, the baseline included; ``previous`` is the form before."""
    assert told(scores, reference=reference)["first_day"] == day


@pytest.mark.parametrize(
    ("definitive", "scores", "day"),
    [
        ("def2", "45 50 40", 28),
        ("def2", "45 39 50", 84),
        ("def2", "45 50 39", None),
        ("def1", "45 39 21", 28),
        ("def1", "45 39 20", None),
        ("def1", "45 20 45", 84),
        ("def3", "45 36 50", 28),
        ("def3", "45 35 50", 84),
        ("def3", "60 45 40", 56),
    ],
)
def test_definitive(definitive: str, scores: str, day: int | None) -> None:
    """Baseline 30, ten points. def2: at least 40 at all later forms. def1: never 20 or better later. def3: never
    ten better than the deteriorated score."""
    result = told(scores, pattern="definitive", definitive=definitive)
    assert (result["definitive_day"], result["event"]) == (day, day is not None)
    assert result["rule"] == ("definitive deterioration" if day else "no deterioration")


def test_definitive_where_improvement_must_exceed_the_threshold() -> None:
    """One R package (QoLR) cancels only on more than the threshold; ten exactly then do not cancel."""
    assert (
        told("45 39 20", pattern="definitive", definitive="def1", improved_by="more_than")["definitive_day"]
        == 28
    )
    assert (
        told("45 35 50", pattern="definitive", definitive="def3", improved_by="more_than")["definitive_day"]
        == 28
    )
    assert (
        told("45 34.9 50", pattern="definitive", definitive="def3", improved_by="more_than")["definitive_day"]
        == 84
    )


def test_definitive_at_the_last_form() -> None:
    assert told("30 45", pattern="definitive")["definitive_day"] == 56
    assert told("30 45", pattern="definitive", last_form_definitive=False)["definitive_day"] is None


def test_definitive_against_the_reference_of_that_time() -> None:
    """Previous form 50: 60 is worse by ten, and 61 stays worse than 50, though not than 60."""
    assert told("50 60 61", baseline=45, reference="previous", pattern="definitive")["definitive_day"] == 56


@pytest.mark.parametrize(
    ("scores", "died", "day"),
    [
        ("45 40 30", None, 28),
        ("45 39 50 50", None, 84),
        ("45 39", None, None),
        ("30 45", None, None),
        ("30 45", True, 56),
        ("30 45", False, None),
        ("45 30", True, None),
        ("45 - 45", None, 28),
    ],
)
def test_confirmed(scores: str, died: bool | None, day: int | None) -> None:
    """At the next form that exists, against the same reference, or by death before another form."""
    result = told(scores, died=died, pattern="confirmed")
    assert (result["confirmed_day"], result["event"]) == (day, day is not None)


@pytest.mark.parametrize(
    ("scores", "event", "day", "rule"),
    [
        ("30 - 45", True, 84, "first deterioration"),
        ("30 - - 45", False, 28, "deterioration after missed forms"),
        ("- - 45", False, None, "deterioration after missed forms"),
        ("- 45", True, 56, "first deterioration"),
        ("30 - - 30 45", True, 140, "first deterioration"),
        ("45 - - 50", True, 28, "first deterioration"),
    ],
)
def test_two_missed_forms_before_a_deterioration(
    scores: str, event: bool, day: int | None, rule: str
) -> None:
    """Censored at the last form before the gap (null: at the start); a quiet form after a gap ends the doubt."""
    result = told(scores)
    assert (result["event"], result["day"], result["rule"]) == (event, day, rule)


@pytest.mark.parametrize(
    ("scores", "form"),
    [("30 45 30", 102), ("30 - - 45", 101), ("- - 45", None), ("30 35 -", 102), ("-", None)],
)
def test_the_form_of_the_day_is_told(scores: str, form: int | None) -> None:
    """Of the event, else of the last form before censoring; forms are numbered 101, 102 …"""
    numbered = course(scores).with_columns(form=100 + pl.col("visit"))
    assert deterioration(numbered).item(0, "form") == form


def test_a_form_of_no_scheduled_visit_is_after_no_gap() -> None:
    unknown = course("45").with_columns(visit=pl.lit(None, dtype=pl.Int64))
    assert deterioration(unknown).item(0, "event") is True


def test_without_the_column_died_nobody_is_taken_for_dead() -> None:
    alone = course("30 45").drop("died")
    assert deterioration(alone, Deterioration(pattern="confirmed")).item(0, "event") is False


def test_missed_forms_may_be_ignored_or_counted_otherwise() -> None:
    assert told("30 - - 45", missed_forms=None)["day"] == 112
    assert told("30 - - 45", missed_forms=3)["event"] is True
    assert told("30 - 45", missed_forms=1)["event"] is False


@pytest.mark.parametrize(
    ("scale", "baseline", "cannot"),
    [("FA", 90, False), ("FA", 90.1, True), ("QL", 10, False), ("QL", 9.9, True), ("FA", None, None)],
)
def test_a_baseline_that_leaves_no_room(scale: str, baseline: float | None, cannot: bool | None) -> None:
    assert told("50", scale=scale, baseline=baseline)["cannot_worsen"] is cannot


def test_subjects_and_scales_apart() -> None:
    scores = table("""
        | subject | scale | visit | day | score | baseline |
        | 2       | FA    | 2     | 60  | 50    | 30       |
        | 1       | PF    | 1     | 30  | 90    | 100      |
        | 1       | FA    | 1     | 30  | 30    | 30       |
        | 2       | FA    | 1     | 31  | 30    | 30       |
        | 1       | FA    | 2     | 61  | 20    | 30       |
    """)
    found = deterioration(scores).select("subject", "scale", "event", "day")
    assert found.rows() == [(2, "FA", True, 60), (1, "PF", True, 30), (1, "FA", False, 61)]


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match="reference is 'worst'"):
        Deterioration(reference="worst")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="above zero"):
        Deterioration(threshold=0)
    with pytest.raises(ValueError, match="above zero"):
        Deterioration(thresholds={"FA": 0})
    assert Deterioration(threshold=0.5, thresholds={"FA": 0.5}).threshold == 0.5
    with pytest.raises(ValueError, match="do not exist: ZZ"):
        Deterioration(thresholds={"ZZ": 5})
    with pytest.raises(ValueError, match="do not exist: XX"):
        deterioration(course("30", scale="XX"))
