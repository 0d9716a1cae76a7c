"""Best overall response, unconfirmed and confirmed (RECIST 1.1, sections 4.4 and 4.6, table 3)."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.medicine._frame import Sentence, placed, require, require_words, result_of, told, word_of
from trialwright.medicine.recist.policy import DEFAULT, Policy
from trialwright.medicine.recist.target import PATIENT

RESPONSES: Final = ("CR", "PR", "SD", "NON-CR/NON-PD", "NED", "PD", "NE")  # best first
_WORST_FIRST: Final = ("PD", "SD", "NON-CR/NON-PD", "PR", "CR", "NED", "NE")  # of several on one day


def best_response(time_points: pl.DataFrame, policy: Policy = DEFAULT, *, confirmed: bool) -> pl.DataFrame:
    """The best overall response up to and including the first progression.

    Takes subject, assessor, day (from randomisation, day 0) and response; give only the assessments that
    count (not after cutoff or new anticancer therapy); without a day it is none. Of several on a day the
    least favourable evaluable one stands.

    Gives one row per subject and assessor that has an assessment: best_response, day (of the assessment that
    gave it), confirm_day, response_day (first CR or PR that counts as response, null if none), rule (the
    sentence that decided) and finding (CR_THEN_PR: a PR was recorded after a CR, so one of the two is wrong).
    """
    require(time_points, [*PATIENT, "day", "response"], "time_points")
    require_words(time_points, "response", RESPONSES, "time_points")
    course = _until_progression(time_points)
    course = _with_confirmation(course, policy) if confirmed else _as_recorded(course)
    return _best_of(course, _sentences(policy, confirmed=confirmed))


def _until_progression(time_points: pl.DataFrame) -> pl.DataFrame:
    """One row per subject, assessor and day, in order, cut after the first PD.

    ``p`` numbers the patients as one assessor saw them, ``n`` all assessments. ``pr_follows``: a CR with a PR
    after it.
    """
    worst_first = pl.col("response").replace_strict(
        _WORST_FIRST, range(len(_WORST_FIRST)), return_dtype=pl.Int8
    )
    given = time_points.select(*PATIENT, pl.col("day").cast(pl.Int64), "response").drop_nulls(
        ["day", "response"]
    )
    course = (
        given.with_columns(p=placed(given, PATIENT), _worst=worst_first)
        .sort("p", "day", "_worst")
        .filter(~(_same_as_before("p") & _same_as_before("day")))
    )
    progressed = pl.when(pl.col("response") == "PD").then("p").forward_fill().shift()
    course = course.filter(progressed.ne_missing(pl.col("p"))).with_row_index("n")
    response = pl.col("response")
    next_pr = pl.when(response == "PR").then("p").backward_fill()
    return course.with_columns(
        pl.col("n").cast(pl.Int64), pr_follows=(response == "CR") & next_pr.eq_missing(pl.col("p"))
    )


def _same_as_before(column: str) -> pl.Expr:
    return pl.col(column).eq_missing(pl.col(column).shift())


def _as_recorded(course: pl.DataFrame) -> pl.DataFrame:
    """Each CR or PR counts, confirmed or not."""
    return course.with_columns(
        counted="response",
        as_response=pl.when(pl.col("response").is_in(["CR", "PR"])).then("response"),
        confirm_day=pl.lit(None, dtype=pl.Int64),
    )


def _with_confirmation(course: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Adds as_response (CR or PR where confirmed as such) and confirm_day.

    After a true CR any disease is recurrence; a PR recorded after an unconfirmed CR tells that this was a PR.
    A confirmed one stands.
    """
    course = _confirm(course.with_columns(counted="response"), "CR", ["CR"], policy)
    if policy.cr_then_pr == "pr":
        # a confirmed CR stays one below; counted as a PR it confirms what a PR before it needs
        course = course.with_columns(counted=pl.when("pr_follows").then(pl.lit("PR")).otherwise("counted"))
    course = _confirm(course, "PR", ["CR", "PR"], policy)
    return course.with_columns(
        as_response=pl.when(pl.col("confirmed_CR").is_not_null())
        .then(pl.lit("CR"))
        .when(pl.col("confirmed_PR").is_not_null())
        .then(pl.lit("PR")),
        confirm_day=pl.coalesce("confirmed_CR", "confirmed_PR"),
    )


def _confirm(course: pl.DataFrame, response: str, by: list[str], policy: Policy) -> pl.DataFrame:
    """Adds ``confirmed_<response>``: the day on which one of ``by`` confirms it, null where none does.

    Only the earliest assessment late enough need be tried: what lies before it lies before all later ones.
    Days are counted on one line, patient after patient, far enough apart.
    """
    wait, day = max(policy.confirmation_days, 1), pl.col("day")
    line = pl.col("p") * (day.max() - day.min() + 1) + day
    told = course.with_columns(*_so_far(), line=line).with_columns(due=pl.col("line") + wait)
    confirming = told.filter(pl.col("counted").is_in(by)).select(pl.all().name.suffix("_then"))
    confirmed = (
        (pl.col("counted") == response)
        & (pl.col("p_then") == pl.col("p"))
        & _allowed_between(response, policy)
    )
    return told.join_asof(confirming, left_on="due", right_on="line_then", strategy="forward").select(
        *course.columns, pl.when(confirmed).then("day_then").alias(f"confirmed_{response}")
    )


def _so_far() -> list[pl.Expr]:
    """Running counts, whose differences tell what lies between; and the last CR that a PR has followed."""
    counted = pl.col("counted")
    last_cr = pl.when(counted == "CR").then("n").forward_fill()
    cr_before_pr = pl.when(counted == "PR").then(last_cr).forward_fill()
    kinds = {"ne": ["NE"], "sd": ["SD"], "pr": ["PR"], "other": ["NON-CR/NON-PD", "NED"]}
    counts = [counted.is_in(words).cast(pl.Int64).cum_sum().alias(kind) for kind, words in kinds.items()]
    return [*counts, cr_before_pr.alias("cr_before_pr")]


def _allowed_between(response: str, policy: Policy) -> pl.Expr:
    """Between a CR and its confirmation only CR and NE; for a PR also PR and SD, but no PR after a CR."""
    between = {kind: pl.col(f"{kind}_then") - pl.col(kind) for kind in ("ne", "sd", "pr", "other")}
    allowed = (between["ne"] <= policy.max_ne) & (between["other"] == 0)
    if policy.confirming == "next":
        allowed = allowed & (pl.col("n_then") == pl.col("n") + 1)
    if response == "CR":
        return allowed & (between["sd"] == 0) & (between["pr"] == 0)
    pr_after_cr = (pl.col("cr_before_pr_then") > pl.col("n")).fill_null(False)
    return allowed & (between["sd"] <= policy.max_sd) & ~pr_after_cr


def _sentences(policy: Policy, *, confirmed: bool) -> list[Sentence]:
    """What one assessment is worth for the best response, in the order of the rules."""
    response, counted = pl.col("response"), pl.col("counted")
    late_enough = pl.col("day") + (policy.sd_day_counting == "study_day") >= policy.sd_min_days
    stable = late_enough
    if confirmed and policy.cr_then_pr == "sd_at_cr":
        stable = late_enough & (pl.col("pr_follows") | ~pl.col("pr_follows").any().over("p"))
    had_cr = pl.when(counted == "CR").then("p").forward_fill().eq_missing(pl.col("p"))
    after_cr = had_cr & counted.is_in(["PR", "SD"])
    too_late = pl.col("day") > policy.bor_pd_max_days if policy.bor_pd_max_days is not None else pl.lit(False)
    how = "confirmed" if confirmed else "first"
    return [
        Sentence(f"{how}_cr", "CR", pl.col("as_response") == "CR"),
        Sentence(f"{how}_pr", "PR", pl.col("as_response") == "PR"),
        Sentence("stable", "SD", stable & (response == "SD")),
        Sentence("unconfirmed_cr", "SD", stable & (response == "CR")),
        Sentence("unconfirmed_pr", "SD", stable & (response == "PR")),
        Sentence(
            "non_target_left",
            "NON-CR/NON-PD",
            (response == "NON-CR/NON-PD") & (late_enough | (policy.non_cr_non_pd_min == "none")),
        ),
        Sentence("no_disease", "NED", response == "NED"),
        Sentence("disease_after_cr", "PD", after_cr & confirmed),
        Sentence("pd_too_late", "NE", (response == "PD") & too_late),
        Sentence("progression", "PD", response == "PD"),
        Sentence("too_early", "NE", response != "NE"),
        Sentence("not_evaluable", "NE", response == "NE"),
    ]


def _best_of(course: pl.DataFrame, sentences: list[Sentence]) -> pl.DataFrame:
    """The earliest of the best; a reason for NE comes before a mere NE."""
    rank = pl.col("best_response").replace_strict(RESPONSES, range(len(RESPONSES)), return_dtype=pl.Int8)
    whole = course.group_by("p").agg(
        pl.col("day").filter(pl.col("as_response").is_not_null()).min().alias("response_day"),
        pl.when(pl.col("pr_follows").any()).then(pl.lit("CR_THEN_PR")).alias("finding"),
    )
    return (
        told(course, best_response=result_of(sentences), rule=word_of(sentences))
        .sort("p", rank, pl.col("rule") == "not_evaluable", "n")
        .unique("p", keep="first", maintain_order=True)
        .join(whole, on="p", how="left", maintain_order="left")
        .select(*PATIENT, "best_response", "day", "confirm_day", "response_day", "rule", "finding")
    )
