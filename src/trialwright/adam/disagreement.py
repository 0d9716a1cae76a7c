"""Where a reported response is not the one that the same reader's lesions give, and what explains it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, get_args, get_type_hints

import polars as pl

from trialwright.adam import policies
from trialwright.adam.lesions import Lesions, time_points
from trialwright.medicine import recist
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study

_JOIN: Final = ["subject", "assessor", "assessment"]
_TARGET_WORDS: Final = ("reappearance_after_zero", "normal_nodes", "treated_lesion", "pr_sticky")
_OVERALL_WORDS: Final = ("cr_with_ne_non_target",)
"""The words of the response policy that change the response at a time point: of the targets, and overall."""
UNEXPLAINED: Final = "no rule explains it"
BACKDATED: Final = "a lesion equivocal at this visit was found to be new later"


def disagreements(
    study: Study, seen: Lesions, computed: pl.DataFrame, reported: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The reported time points with a note where they differ from those computed; and the findings.

    Both frames in the shape of ``adrs.TIME_POINT``, by reader. Each differing response is tried under every
    other word of the policy, then under common departures from the rules; the first that gives what was
    reported is the reason. What nothing gives is said to be unexplained.
    """
    own = computed.select(*_JOIN, _computed="response", _rule="rule").unique(_JOIN, keep="first")
    both = reported.join(own, on=_JOIN, how="left", maintain_order="left")
    differ = both.filter(pl.col("_computed").is_not_null() & (pl.col("_computed") != pl.col("response")))
    explained = _explained(study, seen, differ)
    notes = explained.select(
        *_JOIN, "SRCSEQ", _note=pl.format("{} computed ({}): {}", "_computed", "_rule", "reason")
    )
    noted = reported.join(notes, on=[*_JOIN, "SRCSEQ"], how="left", nulls_equal=True, maintain_order="left")
    noted = noted.with_columns(note=pl.coalesce("note", "_note")).drop("_note")
    return noted, concat([_differing(study, explained), *_one_sided(computed, both)])


@dataclass(frozen=True, slots=True)
class _Reading:
    """One other way to read the lesions: what it is called, and what it takes into account."""

    words: str
    course: pl.DataFrame
    non_targets: bool = True
    new: bool = True
    policy: recist.Policy | None = None


def _explained(study: Study, seen: Lesions, differ: pl.DataFrame) -> pl.DataFrame:
    """The differing rows with ``reason``: the first reading that gives what was reported."""
    reason = pl.when(pl.col("_rule") == "new_lesion_backdated").then(pl.lit(BACKDATED))
    differ = differ.with_row_index("_row")
    if differ.is_empty():
        return differ.with_columns(reason=reason)
    seen = _of(seen, differ.select("subject", "assessor").unique())
    readings = list(_readings(study, seen))
    names = pl.DataFrame({"_words": [reading.words for reading in readings]}).with_row_index("_reading")
    gives = (
        _time_points(study, seen, readings)
        .join(differ.select(*_JOIN, "_row", "response"), on=_JOIN)
        .filter(pl.col("_other") == pl.col("response"))
        .group_by("_row")
        .agg(pl.col("_reading").min())
        .join(names, on="_reading")
    )
    return differ.join(gives, on="_row", how="left", maintain_order="left").with_columns(
        reason=pl.coalesce(reason, "_words", pl.lit(UNEXPLAINED))
    )


def _of(seen: Lesions, people: pl.DataFrame) -> Lesions:
    keys = ["subject", "assessor"]
    parts = ("targets", "course", "non_targets", "new")
    return replace(seen, **{name: getattr(seen, name).join(people, on=keys, how="semi") for name in parts})


def _readings(study: Study, seen: Lesions) -> Iterator[_Reading]:
    """Every other word of the policy, then the common departures from the rules."""
    plain = policies.response(study)
    kinds = get_type_hints(recist.Policy)
    for name in (*_TARGET_WORDS[:2], *_OVERALL_WORDS, *_TARGET_WORDS[2:]):
        for word in get_args(kinds[name]) or (False, True):
            if word != getattr(plain, name):
                words, changed = f"as under {name} = {str(word).lower()}", replace(plain, **{name: word})
                if name in _OVERALL_WORDS:
                    yield _Reading(words, seen.course, policy=changed)
                else:
                    yield _Reading(words, recist.target_course(seen.targets, changed))
    baseline, nadir = pl.col("baseline_mm"), pl.col("nadir_mm")
    later = pl.col("target_response").is_not_null()
    for words, target in (
        ("growth compared with the baseline, not with the smallest sum", _target(plain, baseline)),
        ("growth of 20 % counted without the 5 mm", _twenty_per_cent(plain, nadir)),
        ("growth of 20 % over the baseline, without the 5 mm", _twenty_per_cent(plain, baseline)),
        ("lesions that were not measured left aside", _as_if_measured(plain, nadir)),
        ("lesions that were not measured counted as 0 mm, growth over the baseline", _as_if_gone(plain)),
    ):
        yield _Reading(words, seen.course.with_columns(target_response=pl.when(later).then(target)))
    here = pl.coalesce("here_mm", "diameter_mm")
    course = recist.target_course(seen.targets.with_columns(diameter_mm=here), plain)
    words = "nodes by the place written at the scan, not at baseline"
    yield _Reading(words, course)
    without_nadir = pl.when(later).then(_target(plain, baseline))
    yield _Reading(
        f"{words}, and growth compared with the baseline",
        course.with_columns(target_response=without_nadir),
    )
    yield _Reading("new lesions left aside", seen.course, new=False)
    yield _Reading("non-target lesions left aside", seen.course, non_targets=False)
    yield _Reading("target lesions taken alone", seen.course, non_targets=False, new=False)


def _time_points(study: Study, seen: Lesions, readings: list[_Reading]) -> pl.DataFrame:
    """The time points under each reading, as ``_reading``, its place in the list.

    The readings of one policy are taken together, as if each were an assessor of its own.
    """
    plain, non_targets = policies.response(study), recist.non_target_course(seen.non_targets)
    parts = []
    for policy in dict.fromkeys(reading.policy or plain for reading in readings):
        placed = [(i, r) for i, r in enumerate(readings) if (r.policy or plain) == policy]
        points = time_points(
            pl.concat([_by(i, r.course) for i, r in placed]),
            pl.concat([_by(i, non_targets if r.non_targets else non_targets.clear()) for i, r in placed]),
            pl.concat([_by(i, seen.new if r.new else seen.new.clear()) for i, r in placed]),
            policy,
        )
        parts.append(points)
    reading = pl.col("assessor").str.splitn(" ", 2)
    return pl.concat(parts).select(
        "subject",
        reading.struct[1].alias("assessor"),
        "assessment",
        reading.struct[0].cast(pl.UInt32).alias("_reading"),
        pl.col("overall_response").alias("_other"),
    )


def _by(reading: int, frame: pl.DataFrame) -> pl.DataFrame:
    # The rules know subjects and assessors only; a reading's number goes before its assessor, who may have
    # blanks in the name, and is taken off again at the first blank.
    return frame.with_columns(assessor=pl.format("{} {}", pl.lit(reading), "assessor"))


def _target(plain: recist.Policy, reference: pl.Expr) -> pl.Expr:
    told = ("all_gone", "complete")
    return recist.target_response(
        pl.col("sum_mm"), pl.col("baseline_mm"), reference, *(pl.col(name) for name in told), policy=plain
    )


def _as_if_measured(plain: recist.Policy, reference: pl.Expr) -> pl.Expr:
    some = pl.col("n_measured") > 0
    return recist.target_response(
        pl.col("sum_mm"), pl.col("baseline_mm"), reference, pl.col("all_gone"), some, policy=plain
    )


def _as_if_gone(plain: recist.Policy) -> pl.Expr:
    none, baseline = pl.col("n_measured") == 0, pl.col("baseline_mm")
    sum_mm, gone = pl.col("sum_mm").fill_null(0.0), pl.col("all_gone") | none
    return recist.target_response(sum_mm, baseline, baseline, gone, pl.lit(True), policy=plain)


def _twenty_per_cent(plain: recist.Policy, reference: pl.Expr) -> pl.Expr:
    grown = pl.col("complete") & (pl.col("sum_mm") >= 1.2 * reference) & (pl.col("sum_mm") > 0)
    return pl.when(grown).then(pl.lit("PD")).otherwise(_target(plain, reference))


def _differing(study: Study, explained: pl.DataFrame) -> pl.DataFrame:
    counted = "reported" if study.response.basis == "reported" else "computed"
    return concat(
        findings(
            rows.rename({"subject": "USUBJID", "SRCSEQ": "RSSEQ"}),
            dataset="RS",
            key=["USUBJID", "RSSEQ"],
            variable="RSSTRESC",
            rule=f"the response reported is not the one computed: {reason}",
            value=pl.format("{} reported, {} computed ({})", "response", "_computed", "_rule"),
            action=f"the study counts the {counted} one",
        )
        for (reason,), rows in explained.sort("reason", *_JOIN, "SRCSEQ")
        .partition_by("reason", as_dict=True, maintain_order=True)
        .items()
    )


def _one_sided(computed: pl.DataFrame, both: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Responses without lesions, and lesions without a response, of readers who give both elsewhere."""
    for frame, other, dataset, rule in (
        (both.filter(pl.col("_computed").is_null()), computed, "RS", "a reported response without lesions"),
        (computed.join(both, on=_JOIN, how="anti"), both, "TR", "lesions without a reported response"),
    ):
        readers = other.select("assessor").unique()
        yield findings(
            frame.join(readers, on="assessor", how="semi")
            .sort(*_JOIN)
            .rename({"subject": "USUBJID", "assessor": "READER"}),
            dataset=dataset,
            key=["USUBJID", "READER", "assessment"],
            variable=f"{dataset}STRESC",
            rule=rule,
            value="response",
            action="not compared at this visit",
        )
