"""EORTC QLQ-C30 version 3: fifteen scales, the summary score, and deterioration over time.

Scoring: Fayers et al., The EORTC QLQ-C30 Scoring Manual, 3rd edition (2001). Summary score: Giesinger et
al., J Clin Epidemiol 2016;69:79-88. Deterioration: Bonnetain et al., Eur J Cancer 2010;46:2753-62; Anota
et al., Qual Life Res 2015;24:5-18. The wording of the questionnaire belongs to the EORTC and is not here:
items are q1 to q30. Versions 1 and 2 ask q1 to q7 as yes or no; their answers look like valid ones and
must be kept away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from importlib import resources
from operator import add
from typing import Literal

import numpy as np
import polars as pl

from trialwright.medicine._frame import numbered_by, so_far

ITEMS = tuple(f"q{i}" for i in range(1, 31))
SCALES = (
    *("QL", "PF", "RF", "EF", "CF", "SF", "FA", "NV", "PA", "DY", "SL", "AP", "CO", "DI", "FI"),
    "SUMMARY",
)
_NOT_SUMMED = ("QL", "FI")
_TOLERANCE = 1e-6
_PATTERNS = ("first", "definitive", "confirmed")


@lru_cache
def scales() -> pl.DataFrame:
    """One row per scale: scale, code (version 3), label, items, highest (answer; the lowest is 1), kind."""
    with resources.files("trialwright.medicine").joinpath("tables/qlq_c30.csv").open("rb") as file:
        table = pl.read_csv(file, schema_overrides={"items": pl.String, "highest": pl.Int64})
    return table.with_columns(items=pl.col("items").str.split(" ").list.eval("q" + pl.element()))


def score(items: pl.DataFrame, keys: Sequence[str], prefix: str = "") -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scores of long answers, and the answers that could not be used.

    ``items``: the ``keys`` of a form (subject, visit …), item (q1 … q30, or 1 … 30, behind ``prefix``) and
    value. Scores:
    one row per form and scale with scale, score (0 to 100, null if missing), n_answered, n_items; SUMMARY
    counts the scales it rests on. Invalid: keys, item, value, reason; such an answer is treated as
    missing, but for an item answered twice alike.
    """
    form, forms = numbered_by(items, keys, "_form")
    numbered, strange = _numbered(items.with_columns(form), keys, prefix)
    once, doubled = _once(numbered, forms, keys)
    cells = np.full((forms.height, len(ITEMS)), np.nan)
    cells[once["_form"].to_numpy(), once["number"].to_numpy() - 1] = once["value"].to_numpy()
    answered = pl.DataFrame(cells, schema=dict.fromkeys(ITEMS, pl.Float64), nan_to_null=True)
    answers, invalid = _valid(pl.concat([forms.select(keys), answered], how="horizontal"), keys)
    return _long(answers, keys), pl.concat([strange, doubled, invalid])


def score_wide(forms: pl.DataFrame, keys: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """As ``score``, of one row per form with columns q1 … q30 (those absent count as unanswered).

    Scores come as one row per form: keys and a column per scale and SUMMARY.
    """
    answers, invalid = _valid(forms, keys)
    return answers.select(*keys, **_scores()), invalid


def _numbered(items: pl.DataFrame, keys: Sequence[str], prefix: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """_form, number (of the item) and value of the answers; and those that are no item or no number."""
    rows = items.with_columns(
        pl.col("item").cast(pl.String),
        number=_number(items["item"].cast(pl.String), prefix),
        value=pl.col("value").cast(pl.Float64, strict=False),
        said="value",
    )
    known, number = pl.col("number").is_not_null(), pl.col("value").is_finite().fill_null(False)
    garbled = rows.filter(known & ~number & pl.col("said").is_not_null())
    strange = [
        _invalid(rows.filter(~known), keys, "said", "not an item of the QLQ-C30"),
        _invalid(garbled, keys, "said", "not a number"),
    ]
    usable = rows.select("_form", "number", "value").filter(known & number)
    return usable, pl.concat(strange)


def _number(item: pl.Series, prefix: str) -> pl.Series:
    """1 to 30, null for what is no item; each different text is read once."""
    coded = item.cast(pl.Categorical(texts := pl.Categories.random()))
    bare = pl.col("text").str.strip_prefix(prefix).str.strip_chars().str.to_lowercase().str.strip_prefix("q")
    number = bare.cast(pl.Int64, strict=False)
    read = texts.to_series().to_frame("text").select(pl.when(number.is_between(1, 30)).then(number))
    return read.to_series().gather(coded.to_physical())


def _invalid(rows: pl.DataFrame, keys: Sequence[str], value: str, reason: str) -> pl.DataFrame:
    return rows.select(*keys, "item", value=pl.col(value).cast(pl.String), reason=pl.lit(reason))


def _once(
    answers: pl.DataFrame, forms: pl.DataFrame, keys: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One answer per form and item: equal doubles become one, different ones none. Both are reported."""
    cell = answers["_form"].to_numpy().astype(np.int64) * len(ITEMS) + answers["number"].to_numpy() - 1
    again = pl.Series((np.bincount(cell) > 1)[cell], dtype=pl.Boolean)
    doubled = answers.filter(again).with_columns(
        alike=pl.col("value").n_unique().over("_form", "number") == 1,
        item="q" + pl.col("number").cast(pl.String),
    )
    kept = doubled.filter("alike").unique(["_form", "number"], keep="first", maintain_order=True)
    reports = [
        _invalid(rows.join(forms, on="_form", how="left", maintain_order="left"), keys, "value", reason)
        for rows, reason in (
            (kept, "answered twice alike"),
            (doubled.filter(~pl.col("alike")), "answered twice differently"),
        )
    ]
    return pl.concat([answers.filter(~again), kept.select(answers.columns)]), pl.concat(reports)


def _valid(forms: pl.DataFrame, keys: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Answers out of range or between the grades become null and a row of the second frame."""
    absent = [pl.lit(None, dtype=pl.Float64).alias(q) for q in ITEMS if q not in forms.columns]
    raw = forms.with_columns(absent).select(*keys, *(pl.col(q).cast(pl.Float64) for q in ITEMS))
    highest = _highest()
    usable = {q: pl.col(q).is_between(1, highest[q]) & (pl.col(q).round() == pl.col(q)) for q in ITEMS}
    clean = raw.with_columns(pl.when(usable[q]).then(pl.col(q)).alias(q) for q in ITEMS)
    lost = raw.select(pl.any_horizontal(~usable[q] for q in ITEMS))[:, 0]
    suspects = raw.filter(lost).with_columns(pl.when(~usable[q]).then(pl.col(q)).alias(q) for q in ITEMS)
    invalid = suspects.unpivot(ITEMS, index=list(keys), variable_name="item").filter(
        pl.col("value").is_not_null()
    )
    return clean, _invalid(invalid, keys, "value", "not an answer of the item")


def _highest() -> dict[str, int]:
    table = scales().explode("items")
    return dict(zip(table["items"], table["highest"], strict=True))


def _scores() -> dict[str, pl.Expr]:
    """A column expression per scale over q1 … q30, in the order of ``SCALES``."""
    scored = {
        row["scale"]: _score(row["items"], row["highest"], row["kind"])
        for row in scales().iter_rows(named=True)
    }
    kinds = dict(scales().select("scale", "kind").iter_rows())
    good = [
        (100 - scored[scale]) if kinds[scale] == "symptom" else scored[scale]
        for scale in scored
        if scale not in _NOT_SUMMED
    ]
    in_order = reduce(add, good)  # a horizontal sum of many threads is not the same to the last digit
    return scored | {"SUMMARY": in_order / len(good)}


def _score(items: Sequence[str], highest: int, kind: str) -> pl.Expr:
    """RS = mean of the answered items if at least half are; (RS - 1) / range, turned round for functions."""
    answered = _answered(items)
    raw = pl.when(2 * answered >= len(items)).then(pl.sum_horizontal(items) / answered)
    part = (raw - 1) / (highest - 1)
    return (1 - part) * 100 if kind == "function" else part * 100


def _answered(items: Sequence[str]) -> pl.Expr:
    return pl.sum_horizontal(pl.col(q).is_not_null().cast(pl.Int32) for q in items)


def _long(answers: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    items = dict(scales().select("scale", "items").iter_rows())
    summed = [s for s in items if s not in _NOT_SUMMED]
    scored = answers.select(**_scores())
    answered = answers.select(_answered(q).alias(s) for s, q in items.items()).with_columns(
        SUMMARY=scored.select(_answered(summed)).to_series()
    )
    sizes = [len(q) for q in items.values()] + [len(summed)]
    each = pl.DataFrame({"scale": SCALES, "n_items": sizes}, schema={"scale": pl.String, "n_items": pl.Int32})
    return (
        answers.select(keys)
        .join(each, how="cross", maintain_order="left_right")
        .select(
            *keys,
            "scale",
            score=_row_by_row(scored),
            n_answered=_row_by_row(answered),
            n_items="n_items",
        )
    )


def _row_by_row(scales: pl.DataFrame) -> pl.Series:
    """The values of a form's scales one after another, form by form."""
    return scales.select(pl.concat_arr(SCALES).explode()).to_series()


@dataclass(frozen=True, slots=True)
class Deterioration:
    """What counts as deterioration. The first word of each choice is the default.

    ``reference``: the baseline, the best score so far, or the previous one. ``threshold``: points in the
    worse direction, inclusive; ``thresholds`` overrides it for single scales. ``pattern``: the first
    deterioration, or the first that is definitive, or confirmed (at the next form, or death before one).
    ``definitive``: at all later forms, against the reference of that time, def2 it persists, def1 no
    improvement of a threshold, def3 no such improvement against the deteriorated score itself.
    ``improved_by``: an improvement needs at_least, or more_than, the threshold. ``last_form_definitive``:
    a deterioration at the last form counts. ``missed_forms``: right after so many missed scheduled forms
    it is censored before the gap; None keeps it.
    """

    reference: Literal["baseline", "best", "previous"] = "baseline"
    threshold: float = 10.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    pattern: Literal["first", "definitive", "confirmed"] = "first"
    definitive: Literal["def2", "def1", "def3"] = "def2"
    improved_by: Literal["at_least", "more_than"] = "at_least"
    last_form_definitive: bool = True
    missed_forms: int | None = 2

    def __post_init__(self) -> None:
        words = {
            "reference": ("baseline", "best", "previous"),
            "pattern": ("first", "definitive", "confirmed"),
            "definitive": ("def1", "def2", "def3"),
            "improved_by": ("at_least", "more_than"),
        }
        for name, known in words.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(known)}")
        if self.threshold <= 0 or any(t <= 0 for t in self.thresholds.values()):
            raise ValueError("a deterioration threshold must be above zero")
        if strange := set(self.thresholds) - set(SCALES):
            raise ValueError(f"thresholds name scales that do not exist: {', '.join(sorted(strange))}")


def deterioration(scores: pl.DataFrame, policy: Deterioration = Deterioration()) -> pl.DataFrame:
    """One row per subject and scale: whether and when it deteriorated, and the rule that said so.

    ``scores``: subject, scale, visit (the scheduled forms counted 1, 2, …; the baseline is 0), day, score
    and baseline (the baseline score, on every row); optional died, and form (a number of your own). Only
    scheduled forms after baseline; rows without a score are passed over, so a subject without any later form
    has one such row.

    Gives event, day (of the event, else of the last form before censoring; null means censor at the
    start), form (of that day), visit, score, change (towards worse), rule, and n_forms; first_day,
    definitive_day and confirmed_day whatever the pattern; cannot_worsen where the baseline leaves no room
    for the threshold.
    """
    course, keys = numbered_by(scores, ["subject", "scale"], "course")
    form = pl.col("form") if "form" in scores.columns else pl.lit(None, dtype=pl.Int64)
    numbered = scores.with_columns(course, form=form)
    subjects = _courses(numbered, keys, policy)
    forms = _forms(numbered, subjects, policy)
    event = [
        pl.col(c).alias(f"event_{c}")
        for c in ("day", "form", "visit", "score", "change", "previous_day", "previous_form", "missed")
    ]
    last = forms.filter(pl.col("course").ne_missing(pl.col("course").shift(-1)))
    found = [
        last.select("course", last_day="day", last_form="form"),
        *(_first(forms.filter(p)).select("course", pl.col("day").alias(f"{p}_day")) for p in _PATTERNS),
        _first(forms.filter(policy.pattern)).select("course", *event),
    ]
    for part in found:
        subjects = subjects.join(part, on="course", how="left", maintain_order="left")
    return _told(subjects, policy)


def _first(forms: pl.DataFrame) -> pl.DataFrame:
    """The first row of each course; courses stand together."""
    return forms.filter(pl.col("course").ne_missing(pl.col("course").shift(1)))


def _courses(scores: pl.DataFrame, keys: pl.DataFrame, policy: Deterioration) -> pl.DataFrame:
    """One row per subject and scale: baseline, sign (+1: a higher score is worse), threshold, died."""
    if strange := set(keys["scale"].unique()) - set(SCALES):
        raise ValueError(
            f"scores name scales that do not exist: {', '.join(map(str, sorted(strange, key=str)))}"
        )
    symptoms = set(scales().filter(pl.col("kind") == "symptom")["scale"])
    rules = pl.DataFrame(
        {
            "scale": SCALES,
            "sign": [1.0 if s in symptoms else -1.0 for s in SCALES],
            "threshold": [float(policy.thresholds.get(s, policy.threshold)) for s in SCALES],
        },
        schema={"scale": pl.String, "sign": pl.Float64, "threshold": pl.Float64},
    )
    died = pl.col("died").fill_null(False).any() if "died" in scores.columns else pl.lit(False)
    baseline = pl.col("baseline").cast(pl.Float64).first(ignore_nulls=True)
    counted = (
        (pl.col("score").cast(pl.Float64).is_finite() & pl.col("day").is_not_null()).sum().cast(pl.Int32)
    )
    of_course = scores.group_by("course").agg(baseline=baseline, died=died, n_forms=counted)
    return keys.join(rules, on="scale", how="left", maintain_order="left").join(
        of_course, on="course", how="left", maintain_order="left"
    )


def _forms(scores: pl.DataFrame, courses: pl.DataFrame, policy: Deterioration) -> pl.DataFrame:
    """Answered forms in order, with ``worse`` (a score of which more is worse), change, the patterns."""
    there = scores.select("course", "visit", "day", "form", pl.col("score").cast(pl.Float64)).filter(
        pl.col("score").is_finite() & pl.col("day").is_not_null()
    )
    known = courses.select("course", "sign", "baseline", "threshold", "died").drop_nulls("baseline")
    forms = there.join(known, on="course").sort("course", "visit", "day", maintain_order=True)
    worse, start = pl.col("sign") * pl.col("score"), pl.col("sign") * pl.col("baseline")
    forms = forms.with_columns(worse=worse, start=start)
    before = _before("worse")
    reference = {
        "baseline": pl.col("start"),
        "best": pl.min_horizontal("start", _before("best")),
        "previous": before.fill_null(pl.col("start")),
    }[policy.reference]
    backwards = so_far(forms["worse"].reverse(), forms["course"].reverse(), np.minimum)
    forms = forms.with_columns(
        best=so_far(forms["worse"], forms["course"], np.minimum), best_to_come=backwards.reverse()
    )
    forms = forms.with_columns(
        reference=reference,
        next=_after("worse"),
        later_best=_after("best_to_come"),
        previous_day=_before("day"),
        previous_form=_before("form"),
        missed=pl.col("visit") - _before("visit").fill_null(0) - 1,
    )
    return forms.with_columns(change=pl.col("worse") - pl.col("reference"), **_patterns(policy))


def _before(column: str) -> pl.Expr:
    """The value of the form before, null at the first of a course."""
    return pl.when(pl.col("course") == pl.col("course").shift(1)).then(pl.col(column).shift(1))


def _after(column: str) -> pl.Expr:
    return pl.when(pl.col("course") == pl.col("course").shift(-1)).then(pl.col(column).shift(-1))


def _patterns(policy: Deterioration) -> dict[str, pl.Expr]:
    worse, reference, later = pl.col("worse"), pl.col("reference"), pl.col("later_best")
    least = pl.col("threshold") - _TOLERANCE
    slack = _TOLERANCE if policy.improved_by == "more_than" else -_TOLERANCE

    def improved(since: pl.Expr) -> pl.Expr:
        gain = since - later
        return gain > pl.col("threshold") + slack

    first = worse - reference >= least
    held = {
        "def1": ~improved(reference),
        "def2": later - reference >= least,
        "def3": ~improved(worse),
    }[policy.definitive]
    at_next = (
        pl.when(pl.col("next").is_null()).then(pl.col("died")).otherwise(pl.col("next") - reference >= least)
    )
    return {
        "first": first,
        "definitive": first & held.fill_null(policy.last_form_definitive),
        "confirmed": first & at_next,
    }


def _told(found: pl.DataFrame, policy: Deterioration) -> pl.DataFrame:
    reached = pl.col("event_day").is_not_null()
    gap = pl.lit(False)
    if policy.missed_forms is not None:
        gap = (pl.col("event_missed") >= policy.missed_forms).fill_null(False)
    event = reached & ~gap
    rule = (
        pl.when(pl.col("baseline").is_null())
        .then(pl.lit("no baseline"))
        .when(pl.col("n_forms") == 0)
        .then(pl.lit("no later form"))
        .when(event)
        .then(pl.lit(f"{policy.pattern} deterioration"))
        .when(reached)
        .then(pl.lit("deterioration after missed forms"))
        .otherwise(pl.lit("no deterioration"))
    )
    deciding = {
        name: pl.when(event)
        .then(f"event_{name}")
        .when(reached)
        .then(f"event_previous_{name}")
        .otherwise(f"last_{name}")
        for name in ("day", "form")
    }
    room = pl.when(pl.col("sign") > 0).then(100 - pl.col("baseline")).otherwise(pl.col("baseline"))
    return found.select(
        "subject",
        "scale",
        "baseline",
        event=event,
        **deciding,
        visit=pl.when(event).then("event_visit"),
        score=pl.when(event).then("event_score"),
        change=pl.when(event).then("event_change"),
        rule=rule,
        n_forms="n_forms",
        first_day="first_day",
        definitive_day="definitive_day",
        confirmed_day="confirmed_day",
        cannot_worsen=room < pl.col("threshold") - _TOLERANCE,
    )
