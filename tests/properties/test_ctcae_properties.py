"""CTCAE laboratory grades on random values: worse is never milder, order and units do not matter."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.medicine.ctcae import Policy, criteria, grade_labs
from trialwright.medicine.units import units

VERSIONS = ("5.0", "4.03", "6.0")
TESTS = sorted(set(criteria("5.0")["test"]))
SI = dict(units().select("test", "si_unit").unique().iter_rows())
SCHEMA = {
    "subject": pl.String,
    "test": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "lln": pl.Float64,
    "uln": pl.Float64,
    "baseline": pl.Float64,
    "is_baseline": pl.Boolean,
    "albumin": pl.Float64,
    "on_anticoagulant": pl.Boolean,
    "symptomatic": pl.Boolean,
    "fasting": pl.Boolean,
}

number = st.floats(0.01, 2000).map(lambda x: float(f"{x:.3g}"))
perhaps = st.one_of(st.none(), number)
known = st.one_of(st.none(), st.booleans())
policies = st.builds(
    Policy,
    symptom_missing=st.sampled_from(["milder", "worse"]),
    baseline_rule=st.sampled_from(["v5", "uln_only"]),
    baseline_graded_by=st.sampled_from(["limits", "itself"]),
    hyperglycaemia_v4=st.booleans(),
    hypophosphataemia_v4=st.booleans(),
    fibrinogen_abnormal=st.sampled_from(["baseline", "value"]),
)


@st.composite
def one_lab(draw: st.DrawFn) -> dict[str, object]:
    test = draw(st.sampled_from(TESTS))
    limits = sorted((draw(number), draw(number)))
    return {
        "subject": draw(st.sampled_from("ab")),
        "test": test,
        "value": draw(perhaps),
        "unit": SI[test],
        "lln": draw(st.one_of(st.none(), st.just(limits[0]))),
        "uln": draw(st.one_of(st.none(), st.just(limits[1]))),
        "baseline": draw(perhaps),
        "is_baseline": draw(st.booleans()),
        "albumin": draw(st.one_of(st.none(), st.floats(10, 60))),
        "on_anticoagulant": draw(known),
        "symptomatic": draw(known),
        "fasting": draw(known),
    }


labs = st.lists(one_lab(), min_size=1, max_size=8).map(lambda rows: pl.DataFrame(rows, schema=SCHEMA))
GRADES = ["grade_low", "grade_high"]


@settings(max_examples=40, deadline=None)
@given(labs, st.lists(number, min_size=2, max_size=6), policies, st.sampled_from(VERSIONS))
def test_a_worse_value_never_gets_a_milder_grade(
    rows: pl.DataFrame, values: list[float], policy: Policy, version: str
) -> None:
    """Everything else fixed: grade_high never falls as the value rises, grade_low never rises."""
    course = rows.with_row_index("situation").drop("value").join(pl.DataFrame({"value": values}), how="cross")
    course = course.filter(~pl.col("is_baseline") | (policy.baseline_graded_by == "limits"))
    graded = grade_labs(course, criteria(version), policy)  # type: ignore[arg-type]
    for _, same in graded.sort("value").group_by("situation"):
        high = same["grade_high"].drop_nulls().to_list()
        low = same["grade_low"].drop_nulls().to_list()
        assert high == sorted(high)
        assert low == sorted(low, reverse=True)


@settings(max_examples=25, deadline=None)
@given(labs, st.randoms(use_true_random=False), policies)
def test_rows_are_graded_one_by_one(rows: pl.DataFrame, random: object, policy: Policy) -> None:
    """Order is irrelevant, and no row knows of another."""
    order = list(range(rows.height))
    random.shuffle(order)  # type: ignore[attr-defined]
    together = grade_labs(rows, criteria(), policy)
    assert grade_labs(rows[order], criteria(), policy).equals(together[order])
    assert pl.concat([grade_labs(rows[i], criteria(), policy) for i in order[:2]]).equals(together[order[:2]])


@settings(max_examples=25, deadline=None)
@given(labs, policies, st.sampled_from(VERSIONS))
def test_a_null_grade_says_why_and_a_grade_is_one_that_exists(
    rows: pl.DataFrame, policy: Policy, version: str
) -> None:
    graded = grade_labs(rows, criteria(version), policy)  # type: ignore[arg-type]
    numeric = pl.concat([criteria(version), criteria("4.03")]).filter(pl.col("basis") != "clinical")  # type: ignore[arg-type]
    for side, direction in (("low", "L"), ("high", "H")):
        assert graded.filter(
            pl.col(f"grade_{side}").is_null() & pl.col(f"reason_{side}").is_null()
        ).is_empty()
        possible = set(numeric.filter(direction=direction).select("test", "grade").iter_rows())
        found = graded.filter(pl.col(f"grade_{side}") > 0).select("test", f"grade_{side}")
        assert set(found.iter_rows()) <= possible


@settings(max_examples=25, deadline=None)
@given(labs, policies)
def test_what_is_missing_never_makes_a_grade_zero(rows: pl.DataFrame, policy: Policy) -> None:
    """Without the limits a grade is the same, or null, or at least the same and marked; never a milder certainty."""
    full = grade_labs(rows, criteria(), policy)
    bare = grade_labs(
        rows.with_columns(lln=pl.lit(None, pl.Float64), uln=pl.lit(None, pl.Float64)), criteria(), policy
    )
    for side in ("low", "high"):
        for knew, lacks, why in zip(
            full[f"grade_{side}"], bare[f"grade_{side}"], bare[f"reason_{side}"], strict=True
        ):
            if knew is not None and lacks is not None:
                assert lacks == knew or (lacks < knew and lacks > 0 and "at least this grade" in why)


@settings(max_examples=25, deadline=None)
@given(labs, policies)
def test_symptoms_known_lie_between_the_two_readings(rows: pl.DataFrame, policy: Policy) -> None:
    def with_symptoms(value: bool) -> pl.DataFrame:
        return grade_labs(rows.with_columns(symptomatic=pl.lit(value)), criteria(), policy)

    unknown = grade_labs(rows.with_columns(symptomatic=pl.lit(None, pl.Boolean)), criteria(), policy)
    same = with_symptoms(policy.symptom_missing == "worse")
    assert unknown.select(GRADES).equals(same.select(GRADES))
    for grade in GRADES:
        pairs = zip(with_symptoms(False)[grade], with_symptoms(True)[grade], strict=True)
        assert all(no <= yes for no, yes in pairs if no is not None and yes is not None)


FACTORS = {"NEUT": ("THOU/uL", 1.0), "HGB": ("g/dL", 10.0), "CREAT": ("mg/dL", 88.4), "PLAT": ("/uL", 0.001)}


@settings(max_examples=25, deadline=None)
@given(labs.map(lambda rows: rows.filter(pl.col("test").is_in(list(FACTORS)))), policies)
def test_a_grade_does_not_depend_on_the_unit(rows: pl.DataFrame, policy: Policy) -> None:
    """Values that three digits tell apart from every limit, in SI and in another unit."""
    unit = {test: unit for test, (unit, _) in FACTORS.items()}
    factor = pl.col("test").replace_strict({t: f for t, (_, f) in FACTORS.items()}, return_dtype=pl.Float64)
    other = rows.with_columns(
        *(pl.col(c) / factor for c in ("value", "lln", "uln", "baseline")),
        unit=pl.col("test").replace_strict(unit, return_dtype=pl.String),
    )
    found, expected = (grade_labs(frame, criteria(), policy) for frame in (other, rows))
    assert found.select(GRADES).equals(expected.select(GRADES))
