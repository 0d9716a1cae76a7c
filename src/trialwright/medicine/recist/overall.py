"""Non-target lesions, new lesions and the overall response at a time point (RECIST 1.1, section 4.3)."""

from __future__ import annotations

import itertools
from typing import Final

import polars as pl

from trialwright.medicine._frame import Sentence, placed, require, require_words, result_of, word_of
from trialwright.medicine.recist.policy import DEFAULT, NORMAL_NODE_MM, Policy
from trialwright.medicine.recist.target import ASSESSMENT, PATIENT

NON_TARGET_STATES: Final = ("absent", "present", "progression", "not_evaluated")
NON_TARGET_RESPONSES: Final = ("CR", "NON-CR/NON-PD", "PD", "NE", "NA")
NEW_LESION_STATES: Final = ("EQUIVOCAL", "UNEQUIVOCAL", "RETRACTED")
_NUMBERED: Final = ["p", "a", *ASSESSMENT]


def non_target_response(
    n_expected: pl.Expr, n_assessed: pl.Expr, n_present: pl.Expr, n_progressing: pl.Expr
) -> pl.Expr:
    """CR, NON-CR/NON-PD, PD or NE of the non-target lesions (RECIST 1.1, section 4.3.3).

    ``n_expected`` at baseline, ``n_present`` not gone (a node below 10 mm is gone), ``n_progressing`` with
    unequivocal progression.
    """
    return result_of(_non_target_sentences(n_expected, n_assessed, n_present, n_progressing))


def _non_target_sentences(
    n_expected: pl.Expr, n_assessed: pl.Expr, n_present: pl.Expr, n_progressing: pl.Expr
) -> list[Sentence]:
    return [
        Sentence("unequivocal_progression", "PD", n_progressing > 0),
        Sentence("not_all_assessed", "NE", (n_assessed < n_expected) | (n_expected == 0)),
        Sentence("some_present", "NON-CR/NON-PD", n_present > 0),
        Sentence("all_gone", "CR", n_present == 0),
    ]


def non_target_course(states: pl.DataFrame) -> pl.DataFrame:
    """The non-target response of each assessment.

    Takes one row per lesion and assessment: subject, assessor, assessment, day, lesion, state (a word of
    NON_TARGET_STATES, null: not evaluated), baseline, and for nodes nodal and diameter_mm (short axis). A
    tumour marker used for response is one more lesion, present while abnormal.

    Gives one row per subject, assessor and assessment: baseline, first_day, day (last scan), pd_day (first
    scan with unequivocal progression), n_expected, n_assessed, n_present, n_progressing, non_target_response
    (null at baseline) and rule.
    """
    require(states, [*ASSESSMENT, "day", "lesion", "state", "baseline"], "states")
    require_words(states, "state", NON_TARGET_STATES, "states")
    counts = [pl.col(name) for name in ("n_expected", "n_assessed", "n_present", "n_progressing")]
    sentences = _non_target_sentences(*counts)
    later = ~pl.col("baseline")
    return (
        _non_target_counts(states)
        .with_columns(
            non_target_response=pl.when(later).then(non_target_response(*counts)),
            rule=pl.when(later).then(word_of(sentences)).otherwise(pl.lit("baseline")),
        )
        .sort("p", "day", "a")
        .drop("p", "a")
    )


def _non_target_counts(states: pl.DataFrame) -> pl.DataFrame:
    """One row per assessment; ``p`` and ``a`` number the patients of each assessor and their assessments."""
    if "nodal" not in states.columns:
        states = states.with_columns(nodal=pl.lit(False), diameter_mm=pl.lit(None, dtype=pl.Float64))
    short_axis = pl.when("nodal").then(pl.col("diameter_mm").cast(pl.Float64))
    state = pl.col("state")
    by_size = pl.when(short_axis < NORMAL_NODE_MM).then(pl.lit("absent")).when(short_axis.is_not_null())
    judged = (
        pl.when(state == "progression")
        .then(state)
        .when(state == "not_evaluated")
        .then(None)
        .otherwise(pl.coalesce(by_size.then(pl.lit("present")), state))
    )
    patient = placed(states, PATIENT)
    assessment = placed(states, ["assessment"], within=patient)
    progressing = pl.col("judged") == "progression"
    rows = states.with_columns(
        pl.col("baseline").fill_null(False),
        patient.alias("p"),
        assessment.alias("a"),
        placed(states, ["lesion"], within=assessment).alias("l"),
        judged=judged,
    ).with_columns(
        pd_day=pl.when(progressing).then("day"),
        assessed=pl.col("judged").is_not_null(),
        present=pl.col("judged").is_in(["present", "progression"]),
        progressing=progressing,
    )
    expected = (
        rows.filter("baseline")
        .group_by("p")
        .agg(pl.col("lesion").n_unique().cast(pl.Int64).alias("n_expected"))
    )
    seen = ("assessed", "present", "progressing")
    return (
        rows.group_by("l")
        .agg(
            pl.col("a", "p", *ASSESSMENT).first(),
            pl.col("baseline").any(),
            pl.col("day").min().alias("first_day"),
            pl.col("day").max().alias("day"),
            pl.col("pd_day").min(),
            pl.col(seen).any(),
        )
        .group_by("a")
        .agg(
            pl.col("p", *ASSESSMENT).first(),
            pl.col("baseline").any(),
            pl.col("first_day").min(),
            pl.col("day").max(),
            pl.col("pd_day").min(),
            *(pl.col(name).sum().cast(pl.Int64).alias(f"n_{name}") for name in seen),
        )
        .join(expected, on="p", how="left")
        .with_columns(pl.col("n_expected").fill_null(0))
    )


def overall_response(
    target: pl.Expr, non_target: pl.Expr, new_lesion: pl.Expr, *, policy: Policy = DEFAULT
) -> pl.Expr:
    """CR, PR, SD, NON-CR/NON-PD, PD, NE or NED: the overall response (RECIST 1.1, section 4.4).

    ``target`` and ``non_target`` are null or NA where the patient has none at baseline; ``new_lesion`` is
    true only for an unequivocal one. NED: no evidence of disease, neither at baseline nor since.
    """
    return result_of(_overall_sentences(target, non_target, new_lesion, policy))


def _overall_sentences(
    target: pl.Expr, non_target: pl.Expr, new_lesion: pl.Expr, policy: Policy
) -> list[Sentence]:
    target, non_target = target.fill_null("NA"), non_target.fill_null("NA")
    only_non_target = target == "NA"
    unseen = (target == "CR") & (non_target == "NE")
    return [
        Sentence("target_pd", "PD", target == "PD"),
        Sentence("non_target_pd", "PD", non_target == "PD"),
        Sentence("new_lesion", "PD", new_lesion),
        Sentence("target_ne", "NE", target == "NE"),
        Sentence("all_cr", "CR", (target == "CR") & non_target.is_in(["CR", "NA"])),
        Sentence("target_cr_non_target_left", "PR", (target == "CR") & (non_target == "NON-CR/NON-PD")),
        Sentence("target_cr_non_target_ne", "PR", unseen & (policy.cr_with_ne_non_target == "pr")),
        Sentence("target_cr_non_target_ne", "NE", unseen),
        Sentence("target_pr", "PR", target == "PR"),
        Sentence("target_sd", "SD", target == "SD"),
        Sentence("non_target_cr", "CR", only_non_target & (non_target == "CR")),
        Sentence("non_target_left", "NON-CR/NON-PD", only_non_target & (non_target == "NON-CR/NON-PD")),
        Sentence("non_target_ne", "NE", only_non_target & (non_target == "NE")),
        Sentence("no_disease", "NED", only_non_target & (non_target == "NA")),
    ]


def time_points(
    target: pl.DataFrame,
    non_target: pl.DataFrame | None = None,
    new_lesions: pl.DataFrame | None = None,
    policy: Policy = DEFAULT,
) -> pl.DataFrame:
    """The overall response of each assessment after baseline, with the day that it bears.

    ``target`` is a ``target_course``; ``non_target`` a ``non_target_course`` or any frame of subject,
    assessor, assessment, day and non_target_response; ``new_lesions`` has subject, assessor, assessment, day,
    lesion and status (EQUIVOCAL, UNEQUIVOCAL, RETRACTED), a row each time it was judged. An equivocal lesion
    later found true progressed when first seen; a retracted one never did (section 4.3.5).

    Gives one row per subject, assessor and assessment: day (that dates the response), target_response and
    non_target_response (NA: none at baseline), new_lesion, overall_response, response (the same without a
    PR carried forward: what counts for the best response), pd_day (null unless PD) and rule. What has no
    day is no time point.
    """
    return (
        _judged(_assessments(_parts(target, non_target, new_lesions)), policy)
        .with_columns(response_day=_response_day(policy), rule=_rule())
        .with_columns(
            pd_day=pl.when(pl.col("overall_response") == "PD").then(
                pl.coalesce(_pd_day(policy), "response_day")
            )
        )
        .with_columns(day=pl.coalesce("pd_day", "response_day"))
        .filter(pl.col("day").is_not_null())
        .sort("p", "day", "a")
        .select(
            *ASSESSMENT,
            "day",
            "target_response",
            "non_target_response",
            "new_lesion",
            "overall_response",
            "response",
            "pd_day",
            "rule",
        )
    )


def _judged(frame: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Adds overall_response, response and ``_evidence``; what comes together many times is judged once."""
    together = ["target_response", "non_target_response", "new_lesion", "target_rule"]
    target, rest = pl.col("target_response"), (pl.col("non_target_response"), pl.col("new_lesion"))
    literal = pl.when(pl.col("target_rule") == "pr_carried").then(pl.lit("SD")).otherwise(target)
    judged = (
        frame.select(together)
        .unique()
        .with_columns(
            overall_response=overall_response(target, *rest, policy=policy),
            response=overall_response(literal, *rest, policy=policy),
            _evidence=word_of(_overall_sentences(target, *rest, policy)),
        )
    )
    return frame.join(judged, on=together, how="left", nulls_equal=True)


def _parts(
    target: pl.DataFrame, non_target: pl.DataFrame | None, new_lesions: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The three sources with one row per assessment; without a source, no rows."""
    require(target, [*ASSESSMENT, "first_day", "day", "sum_day", "target_response", "rule"], "target")
    keys = {name: target.schema[name] for name in ASSESSMENT}
    if non_target is None:
        non_target = pl.DataFrame(schema={**keys, "day": pl.Int64, "non_target_response": pl.String})
    if new_lesions is None:
        new_lesions = pl.DataFrame(schema={**keys, "day": pl.Int64, "lesion": pl.String, "status": pl.String})
    require(non_target, [*ASSESSMENT, "day", "non_target_response"], "non_target")
    require_words(non_target, "non_target_response", NON_TARGET_RESPONSES, "non_target")
    require(new_lesions, [*ASSESSMENT, "day", "lesion", "status"], "new_lesions")
    require_words(new_lesions, "status", NEW_LESION_STATES, "new_lesions")
    known = "baseline" if "baseline" in non_target.columns else pl.col("non_target_response").ne_missing("NA")
    non_target = non_target.with_columns(known=known)
    for name in ("first_day", "pd_day"):
        if name not in non_target.columns:
            non_target = non_target.with_columns(pl.col("day").alias(name))
    return target, non_target, _new_lesions(new_lesions)


def _new_lesions(judged: pl.DataFrame) -> pl.DataFrame:
    """One row per assessment that shows a new lesion that counts, from the day it was first seen.

    What was judged before a retraction is void; a lesion without a name stands for itself.
    """
    lesion = [*PATIENT, "lesion"]
    judged = judged.with_columns(
        pl.coalesce(pl.col("lesion").cast(pl.String), "row " + pl.int_range(pl.len()).cast(pl.String)).alias(
            "lesion"
        )
    )
    status = pl.col("status")
    retracted = pl.col("day").filter(status == "RETRACTED").max().over(lesion)
    valid = judged.filter((pl.col("day") > retracted).fill_null(True))
    real = valid.filter((status == "UNEQUIVOCAL").any().over(lesion))
    first_seen = pl.col("day") == pl.col("day").min().over(lesion)
    return (
        real.with_columns(backdated=first_seen & (status == "EQUIVOCAL"))
        .group_by(ASSESSMENT)
        .agg(
            pl.col("day").min().alias("new_day"),
            pl.col("day").max().alias("new_last"),
            pl.col("backdated").all(),
            new_lesion=pl.lit(True),
        )
    )


def _assessments(parts: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    """All assessments after baseline side by side; what is missing of a disease known at baseline is NE."""
    target, non_target, new = _numbered(parts)
    known = (
        (target.filter(pl.col("rule") == "baseline"), "has_target"),
        (non_target.filter("known"), "has_non_target"),
    )
    has = [part.select("p").unique().with_columns(pl.lit(True).alias(name)) for part, name in known]
    target = target.filter(pl.col("target_response").is_not_null()).select(
        *_NUMBERED,
        "target_response",
        "sum_day",
        target_rule="rule",
        target_first="first_day",
        target_last="day",
    )
    non_target = non_target.filter(pl.col("non_target_response").is_not_null()).select(
        *_NUMBERED,
        "non_target_response",
        non_target_pd="pd_day",
        non_target_first="first_day",
        non_target_last="day",
    )
    frame = pl.concat([part.select(_NUMBERED) for part in (target, non_target, new)]).unique("a")
    for part in (target, non_target, new):
        frame = frame.join(part.drop(*ASSESSMENT, "p"), on="a", how="left")
    for part in has:
        frame = frame.join(part, on="p", how="left")
    return frame.with_columns(
        *(
            pl.coalesce(
                f"{kind}_response",
                pl.when(f"has_{kind}").then(pl.lit("NE")).otherwise(pl.lit("NA")),
            ).alias(f"{kind}_response")
            for kind in ("target", "non_target")
        ),
        pl.col("new_lesion").fill_null(False),
    )


def _numbered(parts: tuple[pl.DataFrame, ...]) -> list[pl.DataFrame]:
    """Adds ``p`` and ``a``, which number the patients of each assessor and their assessments."""
    keys = pl.concat([part.select(ASSESSMENT) for part in parts])
    patient = placed(keys, PATIENT)
    numbers = pl.DataFrame({"p": patient, "a": placed(keys, ["assessment"], within=patient)})
    starts = itertools.accumulate((part.height for part in parts), initial=0)
    return [
        part.hstack(numbers.slice(start, part.height)) for part, start in zip(parts, starts, strict=False)
    ]


_PROGRESSION: Final = (
    ("target_pd", pl.col("target_response") == "PD", "sum_day"),
    ("non_target_pd", pl.col("non_target_response") == "PD", "non_target_pd"),
    ("new_lesion", pl.col("new_lesion"), "new_day"),
)


def _pd_day(policy: Policy) -> pl.Expr:
    """Progression is dated by the earliest scan that shows it."""
    shown = pl.min_horizontal(pl.when(met).then(day) for _, met, day in _PROGRESSION)
    if policy.pd_date == "shown":
        return shown
    return _first_scan() if policy.pd_date == "earliest" else _last_scan()


def _first_scan() -> pl.Expr:
    return pl.min_horizontal("target_first", "non_target_first", "new_day")


def _last_scan() -> pl.Expr:
    return pl.max_horizontal("target_last", "non_target_last", "new_last")


def _response_day(policy: Policy) -> pl.Expr:
    """Response and stable disease bear the last scan that the sum needs; without targets the last scan."""
    if policy.tp_date == "first":
        return _first_scan()
    return pl.coalesce("target_last", _last_scan())


def _rule() -> pl.Expr:
    """The sentence of the table; of several kinds of progression the one seen first."""
    shown = pl.min_horizontal(pl.when(met).then(day) for _, met, day in _PROGRESSION)
    first = pl.lit(None, dtype=pl.String)
    for word, met, day in reversed(_PROGRESSION):
        first = pl.when(met & (pl.col(day) == shown)).then(pl.lit(word)).otherwise(first)
    first = (
        pl.when((first == "new_lesion") & pl.col("backdated"))
        .then(pl.lit("new_lesion_backdated"))
        .otherwise(first)
    )
    return pl.coalesce(first, "_evidence")
