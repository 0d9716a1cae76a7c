"""QLQ-C30 version 3: the scoring rules, drawn. Numbers by hand from the formulas of the scoring manual (3rd ed.)."""

from __future__ import annotations

import polars as pl
import pytest

from drawn import table
from trialwright.medicine import qlq_c30

KEYS = ["subject", "visit"]


def answers(drawn: str) -> pl.DataFrame:
    """``PF: 2 3 - - 1`` style lines are easier to read than thirty columns: items by number, one form."""
    cells = [cell.split("=") for cell in drawn.split()]
    return pl.DataFrame(
        {
            "subject": ["1"] * len(cells),
            "visit": [0] * len(cells),
            "item": [item for item, _ in cells],
            "value": [None if value == "-" else float(value) for _, value in cells],
        },
        schema={"subject": pl.String, "visit": pl.Int64, "item": pl.String, "value": pl.Float64},
    )


def scored(drawn: str) -> dict[str, float | None]:
    scores, invalid = qlq_c30.score(answers(drawn), KEYS)
    assert invalid.is_empty()
    return dict(scores.select("scale", "score").iter_rows())


def whole_form(to_28: int, last_two: int) -> str:
    return " ".join([f"q{i}={to_28}" for i in range(1, 29)] + [f"q29={last_two}", f"q30={last_two}"])


FUNCTIONS = ("PF", "RF", "EF", "CF", "SF")
SYMPTOMS = ("FA", "NV", "PA", "DY", "SL", "AP", "CO", "DI", "FI")


def test_the_table_of_scales() -> None:
    """Typed again from the scoring manual's table, not read from the package."""
    drawn = table("""
        | scale | code | items       | highest | kind     |
        | QL    | QL2  | 29 30       | 7       | global   |
        | PF    | PF2  | 1 2 3 4 5   | 4       | function |
        | RF    | RF2  | 6 7         | 4       | function |
        | EF    | EF   | 21 22 23 24 | 4       | function |
        | CF    | CF   | 20 25       | 4       | function |
        | SF    | SF   | 26 27       | 4       | function |
        | FA    | FA   | 10 12 18    | 4       | symptom  |
        | NV    | NV   | 14 15       | 4       | symptom  |
        | PA    | PA   | 9 19        | 4       | symptom  |
        | DY    | DY   | 8           | 4       | symptom  |
        | SL    | SL   | 11          | 4       | symptom  |
        | AP    | AP   | 13          | 4       | symptom  |
        | CO    | CO   | 16          | 4       | symptom  |
        | DI    | DI   | 17          | 4       | symptom  |
        | FI    | FI   | 28          | 4       | symptom  |
    """)
    kept = qlq_c30.scales().with_columns(
        pl.col("items").list.eval(pl.element().str.strip_chars("q")).list.join(" ")
    )
    assert kept.drop("label").rows() == drawn.rows()
    assert (*drawn["scale"], "SUMMARY") == qlq_c30.SCALES


def test_every_item_belongs_to_one_scale() -> None:
    items = qlq_c30.scales()["items"].explode().to_list()
    assert sorted(items, key=lambda q: int(q[1:])) == list(qlq_c30.ITEMS)


def test_the_best_answers() -> None:
    """All 1, and 7 twice: functions 100, symptoms 0, global 100, summary 100."""
    score = scored(whole_form(1, 7))
    assert {s: score[s] for s in FUNCTIONS} == dict.fromkeys(FUNCTIONS, 100)
    assert {s: score[s] for s in SYMPTOMS} == dict.fromkeys(SYMPTOMS, 0)
    assert (score["QL"], score["SUMMARY"]) == (100, 100)


def test_the_worst_answers() -> None:
    """All 4, and 1 twice: functions 0, symptoms 100, global 0, summary 0."""
    score = scored(whole_form(4, 1))
    assert {s: score[s] for s in FUNCTIONS} == dict.fromkeys(FUNCTIONS, 0)
    assert {s: score[s] for s in SYMPTOMS} == dict.fromkeys(SYMPTOMS, 100)
    assert (score["QL"], score["SUMMARY"]) == (0, 0)


@pytest.mark.parametrize(
    ("drawn", "scale", "expected"),
    [
        ("q1=2 q2=3 q3=- q4=- q5=1", "PF", 66.667),
        ("q1=2 q2=3 q3=- q4=- q5=-", "PF", None),
        ("q10=3 q12=- q18=-", "FA", None),
        ("q10=3 q12=2 q18=-", "FA", 50),
        ("q29=5 q30=-", "QL", 66.667),
        ("q21=1 q22=2 q23=- q24=-", "EF", 83.333),
        ("q29=5 q30=6", "QL", 75),
        ("q8=2", "DY", 33.333),
        ("q28=3", "FI", 66.667),
        ("q6=4 q7=-", "RF", 0),
        ("q1=1", "DY", None),
    ],
)
def test_half_of_the_items_decide(drawn: str, scale: str, expected: float | None) -> None:
    score = scored(drawn)[scale]
    assert score is None if expected is None else score == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("code", [row["scale"] for row in qlq_c30.scales().iter_rows(named=True)])
def test_smallest_step_of_each_scale(code: str) -> None:
    """One item, one grade: 33.3 of a single item, 16.7 of two, 11.1 of three, 8.3 of four and global, 6.7 of five."""
    steps = {"QL": 8.333, "PF": 6.667, "EF": 8.333, "FA": 11.111} | dict.fromkeys(
        ("RF", "CF", "SF", "NV", "PA"), 16.667
    )
    before, after = whole_form(2, 2), whole_form(2, 2)
    first = qlq_c30.scales().filter(scale=code)["items"][0][0]
    after = after.replace(f"{first}=2 ", f"{first}=3 ").replace(
        "q29=2", "q29=3" if first == "q29" else "q29=2"
    )
    change = scored(after)[code] - scored(before)[code]
    sign = -1 if code in FUNCTIONS else 1
    assert change == pytest.approx(sign * steps.get(code, 33.333), abs=5e-4)


def test_summary_is_the_mean_of_thirteen_turned_to_good() -> None:
    """By hand: q1 to q28 all 2: each function 66.667, each symptom 33.333, turned 66.667; QL and FI are left out."""
    assert scored(whole_form(2, 1))["SUMMARY"] == pytest.approx(200 / 3)
    assert scored(whole_form(2, 7))["SUMMARY"] == pytest.approx(200 / 3)
    one_worse = whole_form(2, 1).replace("q8=2 ", "q8=4 ")
    assert scored(one_worse)["SUMMARY"] == pytest.approx(200 / 3 - (200 / 3) / 13)


def test_summary_needs_all_thirteen_but_neither_global_nor_finances() -> None:
    form = whole_form(2, 3)
    assert scored(form.replace("q16=2 ", "q16=- "))["SUMMARY"] is None
    without = form.replace("q28=2", "q28=-").replace("q29=3", "q29=-").replace("q30=3", "q30=-")
    assert scored(without)["SUMMARY"] == pytest.approx(200 / 3)
    assert scored(without)["QL"] is None


def test_how_many_items_were_answered() -> None:
    scores, _ = qlq_c30.score(answers("q1=2 q2=3 q3=- q8=1"), KEYS)
    counted = scores.filter(pl.col("scale").is_in(["PF", "DY", "QL", "SUMMARY"]))
    drawn = table("""
        | scale   | n_answered | n_items |
        | QL      | 0          | 2       |
        | PF      | 2          | 5       |
        | DY      | 1          | 1       |
        | SUMMARY | 1          | 13      |
    """)
    assert counted.select(drawn.columns).rows() == drawn.rows()


@pytest.mark.parametrize(
    ("item", "value", "reason"),
    [
        ("q1", "0", "not an answer of the item"),
        ("q1", "5", "not an answer of the item"),
        ("q1", "2.5", "not an answer of the item"),
        ("q1", "-1", "not an answer of the item"),
        ("q28", "7", "not an answer of the item"),
        ("q29", "8", "not an answer of the item"),
        ("q30", "0", "not an answer of the item"),
        ("q1", "a lot", "not a number"),
        ("q1", "NaN", "not a number"),
        ("q31", "1", "not an item of the QLQ-C30"),
        ("q0", "1", "not an item of the QLQ-C30"),
        ("EORTC1", "1", "not an item of the QLQ-C30"),
    ],
)
def test_an_answer_that_is_none_is_missing_and_reported(item: str, value: str, reason: str) -> None:
    form = pl.DataFrame({"subject": ["1", "1"], "visit": [0, 0], "item": [item, "q2"], "value": [value, "1"]})
    scores, invalid = qlq_c30.score(form, KEYS)
    assert invalid.select("subject", "visit", "item", "reason").rows() == [("1", 0, item, reason)]
    assert scores.filter(pl.col("n_answered") > 0)["scale"].to_list() == ["PF"]
    assert scores.filter(scale="PF")["n_answered"].to_list() == [1]


def test_a_form_of_nothing_but_a_wrong_answer_is_reported() -> None:
    scores, invalid = qlq_c30.score(answers("q1=9"), KEYS)
    assert invalid["item"].to_list() == ["q1"]
    assert scores["n_answered"].sum() == 0


def test_the_extreme_answers_are_answers() -> None:
    scores, invalid = qlq_c30.score(answers("q1=1 q2=4 q29=1 q30=7"), KEYS)
    assert invalid.is_empty()
    assert scores.filter(scale="QL")["score"].to_list() == [50]


def test_an_item_answered_twice() -> None:
    """Alike: it counts once. Differently: nobody can say which, so it is missing. Both are reported."""
    scores, invalid = qlq_c30.score(answers("q8=2 q8=2 q11=1 q11=3 q13=4"), KEYS)
    assert dict(scores.drop_nulls("score").select("scale", "score").iter_rows()) == pytest.approx(
        {"DY": 100 / 3, "AP": 100.0}
    )
    assert sorted(invalid.select("item", "reason").rows()) == [
        ("q11", "answered twice differently"),
        ("q11", "answered twice differently"),
        ("q8", "answered twice alike"),
    ]


def test_items_may_be_numbers_or_capitals() -> None:
    by_number = pl.DataFrame({"subject": ["1"], "visit": [0], "item": [8], "value": [2]})
    by_capital = pl.DataFrame({"subject": ["1"], "visit": [0], "item": [" Q8 "], "value": ["2"]})
    for form in (by_number, by_capital):
        scores, invalid = qlq_c30.score(form, KEYS)
        assert invalid.is_empty()
        assert scores.filter(scale="DY")["score"].to_list() == pytest.approx([100 / 3])


def test_a_form_without_a_single_answer_stays() -> None:
    """It is a form that was given back empty, and counts in the completion table."""
    scores, _ = qlq_c30.score(answers("q1=-"), KEYS)
    assert scores.height == 16
    assert scores["score"].null_count() == 16


def test_wide_and_long_agree() -> None:
    long = answers(whole_form(3, 5).replace("q5=3", "q5=9"))
    wide = long.pivot("item", index=KEYS, values="value")
    from_long, bad_long = qlq_c30.score(long, KEYS)
    from_wide, bad_wide = qlq_c30.score_wide(wide, KEYS)
    assert from_wide.columns == [*KEYS, *qlq_c30.SCALES]
    assert from_wide.row(0)[2:] == tuple(from_long["score"])
    assert bad_long.equals(bad_wide)
    assert bad_wide["item"].to_list() == ["q5"]


def test_many_forms_come_back_in_the_order_given() -> None:
    """Forty forms of items 1 and 2: none is taken for another's double."""
    visits = [(7 * i) % 40 for i in range(40)]
    forms = pl.DataFrame(
        {"subject": ["1"] * 80, "visit": visits * 2, "item": [1] * 40 + [2] * 40, "value": [1] * 80}
    )
    scores, invalid = qlq_c30.score(forms, KEYS)
    assert invalid.is_empty()
    assert scores.filter(scale="PF").select("visit", "n_answered").rows() == [(visit, 2) for visit in visits]


def test_no_forms() -> None:
    scores, invalid = qlq_c30.score(answers("q1=1").clear(), KEYS)
    assert (scores.height, invalid.height) == (0, 0)
    assert scores.columns == [*KEYS, "scale", "score", "n_answered", "n_items"]


def test_items_may_stand_behind_a_prefix() -> None:
    named = answers("q8=2 q11=5 q11=3").with_columns(item="EOR01" + pl.col("item"))
    plain, bad = qlq_c30.score(answers("q8=2 q11=5 q11=3"), KEYS)
    scores, invalid = qlq_c30.score(named, KEYS, "EOR01")
    assert scores.equals(plain)
    assert invalid.equals(bad)
    unknown, strange = qlq_c30.score(named, KEYS)
    assert unknown["score"].null_count() == unknown.height
    assert strange["reason"].unique().to_list() == ["not an item of the QLQ-C30"]
