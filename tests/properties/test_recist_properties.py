"""What holds of RECIST 1.1 whatever the patients: order, independence, and a past that does not change."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from recist_frames import COURSE, MEASURED, NEW, STATES
from trialwright.medicine import recist

RANK = {word: rank for rank, word in enumerate(recist.RESPONSES)}
SUBJECTS = st.sampled_from(["1", "2"])
ASSESSORS = st.sampled_from(["INV", "BICR"])
VISITS = st.integers(0, 4)
SIZES = st.one_of(
    st.none(), st.sampled_from([0.0, 4.0, 5.0, 9.9, 10.0, 12.0, 15.0, 18.0]), st.floats(0, 100, width=32)
)

policies = st.builds(
    recist.Policy,
    confirmation_days=st.sampled_from([0, 28, 42]),
    confirming=st.sampled_from(["any_later", "next"]),
    max_ne=st.integers(0, 2),
    max_sd=st.integers(0, 2),
    cr_then_pr=st.sampled_from(["pr", "sd_at_cr", "sd_any"]),
    sd_min_days=st.sampled_from([35, 56]),
    sd_day_counting=st.sampled_from(["offset", "study_day"]),
    non_cr_non_pd_min=st.sampled_from(["as_sd", "none"]),
    bor_pd_max_days=st.sampled_from([None, 91]),
    pr_sticky=st.booleans(),
    treated_lesion=st.sampled_from(["not_evaluable", "keep"]),
    reappearance_after_zero=st.sampled_from(["pd", "pd_if_5mm"]),
    normal_nodes=st.sampled_from(["pd_by_sum", "cr"]),
    cr_with_ne_non_target=st.sampled_from(["pr", "ne"]),
    tp_date=st.sampled_from(["last", "first"]),
    pd_date=st.sampled_from(["shown", "earliest", "last_scan"]),
)


def frames(schema: dict, **columns: st.SearchStrategy) -> st.SearchStrategy[pl.DataFrame]:
    """Frames of drawn rows; an assessment takes place in the three days from 42 times its number."""
    row = st.fixed_dictionaries(
        {"subject": SUBJECTS, "assessor": ASSESSORS, "assessment": VISITS, "offset": st.integers(0, 2)}
        | columns
    )
    kinds = {**schema, "offset": pl.Int64}
    return st.lists(row, max_size=30).map(
        lambda rows: (
            pl.DataFrame(rows, schema=kinds)
            .with_columns(day=42 * pl.col("assessment") + pl.col("offset"))
            .with_columns(*([pl.col("assessment").eq(0).alias("baseline")] if "baseline" in schema else []))
            .select(list(schema))
        )
    )


LESIONS = st.sampled_from(["A", "B"])
measurements = frames(
    MEASURED,
    lesion=LESIONS,
    diameter_mm=SIZES,
    nodal=st.booleans(),
    state=st.one_of(st.none(), st.sampled_from(recist.LESION_STATES)),
)
non_targets = frames(
    STATES, lesion=LESIONS, state=st.one_of(st.none(), st.sampled_from(recist.NON_TARGET_STATES))
)
new_lesions = frames(
    NEW, lesion=st.one_of(st.none(), LESIONS), status=st.sampled_from(recist.NEW_LESION_STATES)
).map(lambda frame: frame.filter(pl.col("assessment") > 0))
courses = st.lists(
    st.fixed_dictionaries(
        {
            "subject": SUBJECTS,
            "assessor": ASSESSORS,
            "day": st.integers(1, 300),
            "response": st.sampled_from(recist.RESPONSES),
        }
    ),
    max_size=20,
).map(lambda rows: pl.DataFrame(rows, schema=COURSE))


def whatever(*strategies: st.SearchStrategy):
    """As ``given``, without a deadline: how long a machine takes is no property of RECIST."""
    return lambda test: settings(deadline=None, max_examples=50)(given(*strategies)(test))


def shuffled(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    return frame.sample(fraction=1, shuffle=True, seed=seed)


@whatever(measurements, non_targets, new_lesions, policies, st.integers(0, 99))
def test_the_order_of_rows_is_irrelevant(lesions, others, new, policy, seed):
    def points(mix):
        target = recist.target_course(mix(lesions), policy)
        other = recist.non_target_course(mix(others))
        named = mix(new).filter(pl.col("lesion").is_not_null())
        return target, other, recist.time_points(mix(target), mix(other), named, policy)

    for one, two in zip(points(lambda f: f), points(lambda f: shuffled(f, seed)), strict=True):
        assert_frame_equal(one, two)


@whatever(courses, policies, st.booleans(), st.integers(0, 99))
def test_the_order_of_assessments_is_irrelevant(course, policy, confirmed, seed):
    one = recist.best_response(course, policy, confirmed=confirmed)
    two = recist.best_response(shuffled(course, seed), policy, confirmed=confirmed)
    assert_frame_equal(one, two)


@whatever(measurements, policies, VISITS)
def test_a_later_assessment_never_changes_an_earlier_target_response(lesions, policy, last):
    known = recist.target_course(lesions.filter(pl.col("assessment") <= last), policy)
    later = recist.target_course(lesions, policy)
    assert_frame_equal(known, later.filter(pl.col("assessment") <= last))


@whatever(measurements, non_targets, new_lesions, policies, VISITS)
def test_a_later_assessment_changes_an_earlier_one_only_by_backdating(lesions, others, new, policy, last):
    """That is: a lesion seen before turns out to be new, or a new one turns out not to be real."""

    def points(known):
        parts = [part.filter(pl.col("assessment") <= known) for part in (lesions, others, new)]
        return recist.time_points(
            recist.target_course(parts[0], policy), recist.non_target_course(parts[1]), parts[2], policy
        )

    keys = ["subject", "assessor", "assessment"]
    both = points(last).join(points(4), on=keys, how="full", coalesce=True, suffix="_then")
    both = both.filter(pl.col("assessment") <= last)
    same = (pl.col("overall_response") == pl.col("overall_response_then")) & (
        pl.col("day") == pl.col("day_then")
    )
    judged_again = new.select(keys).with_columns(seen=pl.lit(True)).unique()
    changed = both.filter(~same.fill_null(False)).join(judged_again, on=keys, how="left")
    assert changed["seen"].fill_null(False).all()


@whatever(courses, policies)
def test_confirmed_is_never_better_than_unconfirmed(course, policy):
    keys = ["subject", "assessor"]
    both = recist.best_response(course, policy, confirmed=False).join(
        recist.best_response(course, policy, confirmed=True), on=keys, validate="1:1", suffix="_confirmed"
    )
    assert both.height == course.select(keys).unique().height
    ranks = both.select(
        pl.col("best_response").replace_strict(RANK),
        pl.col("best_response_confirmed").replace_strict(RANK),
    )
    assert (ranks["best_response_confirmed"] >= ranks["best_response"]).all()
    assert both.filter(pl.col("response_day_confirmed") < pl.col("response_day")).is_empty()


@whatever(courses, st.booleans(), st.integers(0, 300))
def test_a_longer_course_is_never_worse(course, confirmed, cutoff):
    """With the default words."""
    known = recist.best_response(course.filter(pl.col("day") <= cutoff), confirmed=confirmed)
    later = recist.best_response(course, confirmed=confirmed)
    both = known.join(later, on=["subject", "assessor"], validate="1:1", suffix="_later")
    ranks = both.select(pl.col("best_response", "best_response_later").replace_strict(RANK))
    assert both.height == known.height
    assert (ranks["best_response_later"] <= ranks["best_response"]).all()


@whatever(courses, policies, st.booleans())
def test_what_is_said_of_a_response_holds_together(course, policy, confirmed):
    best = recist.best_response(course, policy, confirmed=confirmed)
    responded = pl.col("best_response").is_in(["CR", "PR"])
    assert best.filter(responded != pl.col("response_day").is_not_null()).is_empty()
    assert best.filter(pl.col("response_day") > pl.col("day")).is_empty()
    assert best.filter((responded & confirmed) != pl.col("confirm_day").is_not_null()).is_empty()
    assert best.filter(pl.col("confirm_day") - pl.col("day") < policy.confirmation_days).is_empty()
    assert set(best["rule"]) <= set(recist.SENTENCES)


@whatever(measurements, courses, policies)
def test_patients_are_judged_one_by_one(lesions, course, policy):
    alone = [
        recist.target_course(lesions.filter(pl.col("subject") == subject), policy) for subject in ("1", "2")
    ]
    assert_frame_equal(recist.target_course(lesions, policy), pl.concat(alone))
    alone = [
        recist.best_response(course.filter(pl.col("subject") == subject), policy, confirmed=True)
        for subject in ("1", "2")
    ]
    assert_frame_equal(recist.best_response(course, policy, confirmed=True), pl.concat(alone))


@whatever(measurements, non_targets, new_lesions)
def test_every_time_point_has_a_word_a_day_and_a_sentence(lesions, others, new):
    target = recist.target_course(lesions)
    points = recist.time_points(target, recist.non_target_course(others), new)
    for column in ("day", "overall_response", "response", "rule", "new_lesion"):
        assert points[column].null_count() == 0
    assert points.filter((pl.col("overall_response") == "PD") != pl.col("pd_day").is_not_null()).is_empty()
    assert set(points["rule"]) | set(target["rule"]) <= set(recist.SENTENCES)
    assert points.select("subject", "assessor", "assessment").is_duplicated().sum() == 0


def test_what_was_given_is_not_changed():
    given_ = pl.DataFrame([("1", "INV", 1, "PR")], schema=COURSE, orient="row")
    before = given_.clone()
    recist.best_response(given_, confirmed=True)
    assert_frame_equal(given_, before)
    with pytest.raises(AttributeError):
        recist.DEFAULT.max_ne = 3  # type: ignore[misc]
