"""Target lesions: from diameters to the sum, its nadir and the target response (RECIST 1.1, section 4)."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from trialwright.medicine._frame import (
    Sentence,
    placed,
    require,
    require_words,
    result_of,
    so_far,
    told,
    word_of,
)
from trialwright.medicine.recist.policy import (
    DEFAULT,
    NORMAL_NODE_MM,
    PD_ABSOLUTE_MM,
    PD_INCREASE,
    PR_DECREASE,
    Policy,
)

PATIENT: Final = ["subject", "assessor"]
ASSESSMENT: Final = [*PATIENT, "assessment"]
LESION_STATES: Final = ("too_small", "gone", "split", "coalesced", "treated", "not_evaluable")
_COLUMNS: Final = (*ASSESSMENT, "day", "lesion", "diameter_mm", "nodal", "state", "baseline")
_DECIMALS: Final = (
    6  # sums are compared to a millionth of a mm: 0.7 x 70 is 49 exactly, and 33.6128 stays itself
)


def target_response(
    sum_mm: pl.Expr,
    baseline_mm: pl.Expr,
    nadir_mm: pl.Expr,
    all_gone: pl.Expr,
    complete: pl.Expr,
    *,
    policy: Policy = DEFAULT,
) -> pl.Expr:
    """CR, PR, SD, PD or NE of the target lesions at one assessment, PD first (RECIST 1.1, section 4.3.1).

    ``sum_mm`` adds what was measured, ``nadir_mm`` is the smallest complete sum before it, baseline included.
    ``all_gone``: each measured lesion is at 0 mm or, for a node, below 10 mm. ``complete``: all were
    measured; if not, only PD can be told.
    """
    return result_of(_target_sentences(sum_mm, baseline_mm, nadir_mm, all_gone, complete, policy=policy))


def target_rule(
    sum_mm: pl.Expr,
    baseline_mm: pl.Expr,
    nadir_mm: pl.Expr,
    all_gone: pl.Expr,
    complete: pl.Expr,
    *,
    policy: Policy = DEFAULT,
) -> pl.Expr:
    """The word of the sentence that gave ``target_response``."""
    return word_of(_target_sentences(sum_mm, baseline_mm, nadir_mm, all_gone, complete, policy=policy))


def _target_sentences(
    sum_mm: pl.Expr,
    baseline_mm: pl.Expr,
    nadir_mm: pl.Expr,
    all_gone: pl.Expr,
    complete: pl.Expr,
    *,
    policy: Policy,
) -> list[Sentence]:
    grown_mm = (sum_mm - nadir_mm).round(_DECIMALS)
    grown = (sum_mm.round(_DECIMALS) >= (nadir_mm * (1 + PD_INCREASE)).round(_DECIMALS)) & (
        grown_mm >= PD_ABSOLUTE_MM
    )
    back = (nadir_mm == 0) & sum_mm.is_not_null() & ~all_gone & (policy.reappearance_after_zero == "pd")
    gone = complete & all_gone
    shrunk = sum_mm.round(_DECIMALS) <= (baseline_mm * (1 - PR_DECREASE)).round(_DECIMALS)
    return [
        Sentence("only_normal_nodes", "CR", gone & (policy.normal_nodes == "cr")),
        Sentence("reappeared", "PD", back),
        Sentence("sum_increased", "PD", grown),
        Sentence("not_all_measured", "NE", ~complete),
        Sentence("all_gone", "CR", gone),
        Sentence("no_baseline_sum", "NE", baseline_mm.is_null()),
        Sentence("sum_decreased", "PR", shrunk),
        Sentence("neither", "SD", complete),
    ]


def target_course(measurements: pl.DataFrame, policy: Policy = DEFAULT) -> pl.DataFrame:
    """The target lesions of each patient as each assessor saw them, in order.

    Takes one row per measurement: subject, assessor, assessment (a key: the scans of one visit share it),
    day (from randomisation, day 0), lesion, diameter_mm (longest diameter, of a node the short axis; null:
    not measured), nodal, state (null or a word of LESION_STATES; a number given beside it wins) and baseline.
    The lesions of the baseline assessment are the targets. A lesion measured twice in an assessment counts as
    last measured (``n_repeated`` tells), the parts of a ``split`` one are added. Scans flagged baseline are
    one assessment, whatever their keys.

    Gives one row per subject, assessor and assessment: baseline, first_day, day (last scan), sum_day (last
    scan that the sum needs), sum_mm (of the lesions measured), n_measured, n_expected, n_unexpected (lesions
    without baseline, left out), n_repeated, complete, all_gone (of those measured), baseline_mm, nadir_mm,
    change_mm, percent_change, change_from_nadir_mm, percent_change_from_nadir (of complete sums),
    target_response (null at baseline, before it, or without a day) and rule.
    """
    require(measurements, _COLUMNS, "measurements")
    require_words(measurements, "state", LESION_STATES, "measurements")
    rows = _numbered(_one_baseline(measurements.select(_COLUMNS)))
    lesions = _with_target(_one_row_per_lesion(_with_value(rows, policy)))
    return _with_response(_with_references(_sums(lesions)), policy)


def _one_baseline(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds ``p``, which numbers the patients as one assessor saw them."""
    rows = rows.with_columns(pl.col("baseline").fill_null(False), placed(rows, PATIENT).alias("p"))
    last = (
        rows.filter("baseline")
        .sort("day", "assessment")
        .group_by("p")
        .agg(pl.col("assessment").last().alias("_baseline"))
    )
    return rows.join(last, on="p", how="left").with_columns(
        pl.when("baseline").then("_baseline").otherwise("assessment").alias("assessment")
    )


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds ``a`` and ``l``, which number the assessments and the lesions of all patients."""
    return rows.with_columns(
        placed(rows, ["assessment"], within=rows["p"]).alias("a"),
        placed(rows, ["lesion"], within=rows["p"]).alias("l"),
    )


def _with_value(rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """A diameter that cannot be one (negative, not finite) is a lesion not measured."""
    given = pl.col("diameter_mm").cast(pl.Float64).round(_DECIMALS)
    given = pl.when(given.is_finite() & (given >= 0)).then(given)
    state, treated = pl.col("state"), rows.filter(pl.col("state") == "treated")
    since = treated.group_by("l").agg(pl.col("day").min().alias("_treated"))
    barred = (pl.col("day") >= pl.col("_treated")).fill_null(state == "treated") & (
        policy.treated_lesion != "keep"
    )
    return rows.join(since, on="l", how="left").with_columns(
        pl.when(barred | (state == "not_evaluable"))
        .then(None)
        .when(state == "too_small")
        .then(pl.coalesce(given, pl.lit(policy.too_small_mm)))
        .when(state.is_in(["gone", "coalesced"]))
        .then(pl.coalesce(given, pl.lit(0.0)))
        .otherwise(given)
        .alias("value_mm")
    )


def _one_row_per_lesion(rows: pl.DataFrame) -> pl.DataFrame:
    """The last measurement in an assessment, of two on a day the larger; the parts of a split added."""
    several = placed(rows, ["l"], within=rows["a"]).is_duplicated()
    keys = ["a", "l", "p", *ASSESSMENT]
    alone = rows.filter(~several).select(
        *keys,
        "value_mm",
        "baseline",
        "nodal",
        pl.col("day").alias("first_day"),
        "day",
        pl.col("day").alias("sum_day"),
        pl.lit(False).alias("repeated"),
    )
    value, split = pl.col("value_mm"), (pl.col("state") == "split").fill_null(False)
    together = (
        rows.filter(several)
        .with_columns(_measured=value.is_not_null(), _split=split)
        .sort("_measured", "day", "value_mm")
        .group_by(keys, maintain_order=True)
        .agg(
            pl.when(~pl.col("_split").any())
            .then(value.last())
            .when(pl.col("_measured").all())
            .then(value.sum())
            .alias("value_mm"),
            pl.col("baseline").any(),
            pl.col("nodal").any(),
            pl.col("day").min().alias("first_day"),
            pl.col("day").max().alias("day"),
            pl.col("day").last().alias("sum_day"),
            (~pl.col("_split").any()).alias("repeated"),
        )
    )
    return pl.concat([alone, together])


def _with_target(lesions: pl.DataFrame) -> pl.DataFrame:
    """Only what was a target at baseline enters the sum; whether it is a node was decided there."""
    targets = lesions.filter("baseline").select("p", "l", "nodal", target=pl.lit(True))
    expected = targets.group_by("p").agg(pl.len().cast(pl.Int64).alias("n_expected"))
    return (
        lesions.drop("nodal")
        .join(targets.drop("p"), on="l", how="left")
        .join(expected, on="p", how="left")
        .with_columns(pl.col("target", "nodal").fill_null(False), pl.col("n_expected").fill_null(0))
    )


def _sums(lesions: pl.DataFrame) -> pl.DataFrame:
    value = pl.when("target").then("value_mm")
    counted = value.is_not_null()
    diseased = pl.when("nodal").then(value >= NORMAL_NODE_MM).otherwise(value > 0)
    return (
        lesions.with_columns(
            _value=value,
            _diseased=diseased,
            _first=pl.when("target").then("first_day"),
            _last=pl.when("target").then("day"),
            _sum_day=pl.when(counted).then("sum_day"),
        )
        .group_by("a")
        .agg(
            pl.col("p", *ASSESSMENT).first(),
            pl.col("baseline").any(),
            pl.col("_first", "first_day").min(),
            pl.col("_last", "day", "_sum_day").max(),
            pl.col("_value").sum().alias("sum_mm"),
            pl.col("_value").count().cast(pl.Int64).alias("n_measured"),
            pl.col("n_expected").first(),
            (~pl.col("target")).sum().cast(pl.Int64).alias("n_unexpected"),
            pl.col("repeated").sum().cast(pl.Int64).alias("n_repeated"),
            pl.col("_diseased").any(),
        )
        .with_columns(
            first_day=pl.coalesce("_first", "first_day"),
            day=pl.coalesce("_last", "day"),
            sum_day="_sum_day",
            sum_mm=pl.when(pl.col("n_measured") > 0).then(pl.col("sum_mm").round(_DECIMALS)),
            all_gone=~pl.col("_diseased") & (pl.col("n_measured") > 0),
            complete=(pl.col("n_measured") == pl.col("n_expected")) & (pl.col("n_expected") > 0),
        )
    )


def _with_references(sums: pl.DataFrame) -> pl.DataFrame:
    """Baseline sum, and the nadir: the smallest complete sum from baseline up to, not including, this one."""
    baseline = sums.filter("baseline").select(
        "p", _baseline_day="day", baseline_mm=pl.when("complete").then("sum_mm")
    )
    after = (pl.col("day") >= pl.col("_baseline_day")).fill_null(pl.col("day").is_not_null())
    usable = pl.when(pl.col("complete") & (pl.col("baseline") | after)).then("sum_mm")
    course = (
        sums.join(baseline, on="p", how="left")
        .with_columns(unplaced=~pl.col("baseline") & ~after, later=~pl.col("baseline"))
        .sort("p", ~pl.col("unplaced"), "later", "day", "a")
    )
    smallest = so_far(course.select(usable.alias("_smallest")).to_series(), course["p"], np.fmin)
    same = pl.col("p") == pl.col("p").shift()
    before = pl.when(same).then(pl.col("_smallest").shift())
    return course.with_columns(smallest.fill_nan(None)).with_columns(nadir_mm=before)


def _with_response(course: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    measures = [pl.col(name) for name in ("sum_mm", "baseline_mm", "nadir_mm", "all_gone", "complete")]
    never = (
        pl.when("baseline")
        .then(pl.lit("baseline"))
        .when("unplaced")
        .then(pl.when(pl.col("day").is_null()).then(pl.lit("no_day")).otherwise(pl.lit("before_baseline")))
        .otherwise(None)
    )
    no_baseline = pl.col("n_expected") == 0
    course = told(
        course,
        target_response=pl.when(never.is_null()).then(
            pl.when(no_baseline).then(pl.lit("NE")).otherwise(target_response(*measures, policy=policy))
        ),
        rule=pl.coalesce(
            never, pl.when(no_baseline).then(pl.lit("no_baseline")), target_rule(*measures, policy=policy)
        ),
    )
    return _carry_pr(course, policy).select(
        *ASSESSMENT,
        "baseline",
        "first_day",
        "day",
        "sum_day",
        "sum_mm",
        "n_measured",
        "n_expected",
        "n_unexpected",
        "n_repeated",
        "complete",
        "all_gone",
        "baseline_mm",
        "nadir_mm",
        *_change("baseline_mm", "change_mm", "percent_change"),
        *_change("nadir_mm", "change_from_nadir_mm", "percent_change_from_nadir"),
        "target_response",
        "rule",
    )


def _change(reference: str, change: str, percent: str) -> list[pl.Expr]:
    """Change of a complete sum after baseline, in mm and in per cent of the reference (null if that is 0)."""
    later = pl.col("complete") & pl.col("target_response").is_not_null()
    moved = pl.when(later).then((pl.col("sum_mm") - pl.col(reference)).round(_DECIMALS))
    return [
        moved.alias(change),
        pl.when(pl.col(reference) > 0).then(100 * moved / pl.col(reference)).alias(percent),
    ]


def _carry_pr(course: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """EORTC's answer to small regrowth: once a PR, a sum between is shown as PR until progression."""
    if not policy.pr_sticky:
        return course
    response = pl.col("target_response")
    seen = {
        word: response.is_in(words).fill_null(False).cum_max().over("p")
        for word, words in (("response", ["CR", "PR"]), ("progression", ["PD"]))
    }
    carried = (response == "SD").fill_null(False) & seen["response"] & ~seen["progression"]
    return course.with_columns(
        target_response=pl.when(carried).then(pl.lit("PR")).otherwise(response),
        rule=pl.when(carried).then(pl.lit("pr_carried")).otherwise("rule"),
    )
