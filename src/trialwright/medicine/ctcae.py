"""Laboratory grades by the Common Terminology Criteria for Adverse Events (CTCAE).

National Cancer Institute, CTCAE v5.0 (27 November 2017), with v4.03 and v6.0 as two more tables. The criteria
are data (``tables/ctcae_v*_lab.csv``): one row is one way to reach a grade, ``value operator limit x basis``,
held to a condition; the rows of one grade are alternatives. The grade is the highest one reached. A limit is
strict unless the table says otherwise, so a value equal to it takes the milder grade.

Only blood specimens are meant: a urine glucose has the same test code and must be left out by the caller.
Blood pH (acidosis, alkalosis) and creatinine clearance are not carried: their codes do not tell blood from
urine. Limits are compared in SI units only: where CTCAE prints a rounded twin in conventional units
(11.5 mg/dL beside 2.9 mmol/L of calcium), the SI one decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from importlib import resources
from operator import or_
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from trialwright.medicine.lab_values import REASONS, compared, ready_to_grade, rounded_runs

Version = Literal["5.0", "4.03", "6.0"]

_FILES: dict[str, str] = {"5.0": "ctcae_v5_lab.csv", "4.03": "ctcae_v4_lab.csv", "6.0": "ctcae_v6_lab.csv"}
_SIDES = {"L": "low", "H": "high"}
_ANSWER = ("grade_low", "grade_high", "reason_low", "reason_high")
_CRITERIA_SCHEMA = {
    "term": pl.String,
    "test": pl.String,
    "direction": pl.String,
    "grade": pl.Int8,
    "basis": pl.String,
    "operator": pl.String,
    "limit": pl.Float64,
    "unit": pl.String,
    "condition": pl.String,
    "note": pl.String,
    "sure": pl.String,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The choices that CTCAE leaves to the protocol. The first word of each is the default.

    ``symptom_missing``: a grade that turns on unrecorded symptoms takes the milder or the worse reading.
    ``baseline_rule``: an abnormal baseline is graded by multiples of itself (v5) or by the limits (uln_only).
    ``baseline_graded_by``: the baseline record is graded by the limits alone, or as its own baseline.
    ``hyperglycaemia_v4``, ``hypophosphataemia_v4``: the numbers of v4.03 where v5 has only clinical words.
    ``fibrinogen_abnormal``: a fall counts if the baseline, or if the value, lies below the lower limit.
    """

    symptom_missing: Literal["milder", "worse"] = "milder"
    baseline_rule: Literal["v5", "uln_only"] = "v5"
    baseline_graded_by: Literal["limits", "itself"] = "limits"
    hyperglycaemia_v4: bool = False
    hypophosphataemia_v4: bool = False
    fibrinogen_abnormal: Literal["baseline", "value"] = "baseline"

    def __post_init__(self) -> None:
        _one_of("symptom_missing", self.symptom_missing, ("milder", "worse"))
        _one_of("baseline_rule", self.baseline_rule, ("v5", "uln_only"))
        _one_of("baseline_graded_by", self.baseline_graded_by, ("limits", "itself"))
        _one_of("fibrinogen_abnormal", self.fibrinogen_abnormal, ("baseline", "value"))


def _one_of(name: str, word: str, words: Sequence[str]) -> None:
    if word not in words:
        raise ValueError(f"{name} is {word!r}; it must be one of {', '.join(words)}")


@lru_cache
def criteria(version: Version = "5.0") -> pl.DataFrame:
    """The laboratory criteria of one CTCAE version: one row per term, test, direction, grade and alternative.

    ``basis``: absolute (in ``unit``), uln, lln, baseline (multiples), uln_plus, baseline_plus (added, in
    ``unit``), clinical (not in the value). ``condition``: null, normal_baseline, abnormal_baseline,
    low_baseline, above_baseline, abnormal (see ``Policy``), anticoagulant, symptomatic, fasting.
    ``sure``: published (seen in a public copy of the text) or recalled.
    """
    _one_of("CTCAE version", version, get_args(Version))
    with _table(_FILES[version]).open("rb") as file:
        return pl.read_csv(file, schema=_CRITERIA_SCHEMA)


def _table(name: str) -> Any:
    return resources.files("trialwright.medicine").joinpath("tables", name)


def grade_labs(labs: pl.DataFrame, criteria: pl.DataFrame, policy: Policy = Policy()) -> pl.DataFrame:
    """Grades laboratory values in both directions; one row out per row in, in the same order.

    ``labs``: subject, test (CDISC LBTESTCD), value (number, or text such as ``<5``), unit, lln, uln and
    baseline (all in that unit), is_baseline; optional albumin (g/L, for calcium), symptomatic,
    on_anticoagulant, fasting, baseline_lln and baseline_uln (the limits that held at baseline; else those
    of the row).

    Adds si_value, si_unit, graded_value (si_value, or calcium corrected), grade_low and grade_high (Int8),
    reason_low and reason_high (why the grade is null, or what was assumed). A grade is null, never 0, where
    the value or a limit that could decide is missing. Where a limit is reached while a higher one cannot be
    judged, the grade is marked ``at least this grade``.

    Values are compared after rounding both sides to 15 significant digits. ``<5`` counts as 5 and is marked
    ``CENS``. Without a baseline the limits are used and marked.
    """
    ready = ready_to_grade(labs)
    graded = _graded(labs["test"], ready, criteria, policy, ("si_value", "graded_value", *_ANSWER))
    words = {name: in_words(graded[name]) for name in ("reason_low", "reason_high")}
    return labs.with_columns(
        graded["si_value"], ready["si_unit"], *graded.drop("si_value").with_columns(**words).get_columns()
    )


def grade_bits(labs: pl.DataFrame, criteria: pl.DataFrame, policy: Policy = Policy()) -> pl.DataFrame:
    """grade_low, grade_high, reason_low and reason_high of ``grade_labs``; a reason is a sum of ``REASONS``.

    For callers with a million rows, who need a whole number more often than its words.
    """
    return _graded(labs["test"], ready_to_grade(labs), criteria, policy, _ANSWER)


def in_words(reasons: pl.Series) -> pl.Series:
    """Sums of ``REASONS`` as text, null for none."""
    masks = reasons.unique()
    said = ["; ".join(r for r, bit in REASONS.items() if (m or 0) & bit) or None for m in masks]
    return reasons.replace_strict(masks, pl.Series(said, dtype=pl.String)).cast(pl.String)


def _graded(
    tests: pl.Series, ready: pl.DataFrame, criteria: pl.DataFrame, policy: Policy, columns: Sequence[str]
) -> pl.DataFrame:
    """The columns asked, test by test, put back into the order of the rows.

    Each test is one lazy query, so that a number that none of its rules compares is never worked out.
    """
    by_test = _with_v4(criteria, policy).rows_by_key("test", named=True)
    places = tests.alias("test").to_frame().with_row_index("row")
    rows = {test: part["row"] for (test,), part in places.partition_by("test", as_dict=True).items()}
    rows = rows or {None: places["row"]}
    bare = ready.drop("si_unit")
    parts = [
        _grade_test(bare.select(pl.all().gather(own)), str(test), by_test.get(test, []), policy)
        .select(columns)
        .collect()
        for test, own in rows.items()
    ]
    place = np.empty(ready.height, np.uint32)
    place[pl.concat(rows.values())] = np.arange(ready.height, dtype=np.uint32)
    return pl.concat(parts).select(pl.all().gather(pl.Series(place)))


def _with_v4(table: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    borrowed = []
    if policy.hyperglycaemia_v4:
        borrowed.append((pl.col("test") == "GLUC") & (pl.col("direction") == "H"))
    if policy.hypophosphataemia_v4:
        borrowed.append((pl.col("test") == "PHOS") & (pl.col("direction") == "L"))
    table = table.with_columns(borrowed=pl.lit(False))
    if not borrowed:
        return table
    old = criteria("4.03").filter(reduce(or_, borrowed)).with_columns(borrowed=pl.lit(True))
    return pl.concat([table.filter(~reduce(or_, borrowed)), old])


def _grade_test(part: pl.DataFrame, test: str, rules: list[dict[str, Any]], policy: Policy) -> pl.LazyFrame:
    """One test in both directions."""
    itself = policy.baseline_graded_by == "itself"
    query = compared(part.lazy(), corrected=test == "CA", baseline_by_itself=itself)
    for direction, side in _SIDES.items():
        own = [rule for rule in rules if rule["direction"] == direction]
        query = _grade_direction(query, own, direction, policy)
        query = query.rename({"grade": f"grade_{side}", "reason": f"reason_{side}"})
    return query


def _grade_direction(
    part: pl.LazyFrame, rules: list[dict[str, Any]], direction: str, policy: Policy
) -> pl.LazyFrame:
    """With grade and reason (bits) of one test in one direction."""
    numeric = [rule for rule in rules if rule["basis"] != "clinical"]
    bad = pl.col("bad")
    if not numeric:
        clinical = REASONS["clinical grading only"] + _abnormal(direction)
        reason = pl.when(bad != 0).then(bad).otherwise(clinical)
        if not rules:
            reason = pl.lit(REASONS["no criteria"])
        return part.with_columns(grade=pl.lit(None, dtype=pl.Int8), reason=reason.cast(pl.Int32))
    given = _conditions(direction, policy)
    levels = _levels(numeric, given)
    graded = part.with_columns(levels.values()).with_columns(highest=_highest(levels))
    unsure = reduce(or_, (pl.col(c).is_null() for c in levels))
    above = reduce(or_, (pl.col(c).is_null() & (pl.col("highest") < int(c[1:])) for c in levels))
    null_reason = pl.when(bad != 0).then(bad).otherwise(_why_unsure(numeric, direction))
    flags = (
        pl.col("flags")
        + _bit("at least this grade", above)
        + _bit("limits of v4.03", pl.lit(any(rule["borrowed"] for rule in numeric)))
        + _assumed(numeric, given, direction, policy)
    )
    hidden = pl.col("v").is_null() | (unsure & (pl.col("highest") == 0))
    return graded.with_columns(
        grade=pl.when(~hidden).then(pl.col("highest")),
        reason=pl.when(hidden).then(null_reason).otherwise(flags).cast(pl.Int32),
    )


def _conditions(direction: str, policy: Policy) -> dict[str, pl.Expr]:
    """Each condition as a Boolean that is null only where a missing limit (or fasting state) hides it."""
    v, base, none = pl.col("v"), pl.col("base"), pl.col("base").is_null()
    beyond = base > pl.col("base_uln") if direction == "H" else base < pl.col("base_lln")
    ruled = pl.lit(policy.baseline_rule == "v5")
    fall = v < pl.col("lln") if policy.fibrinogen_abnormal == "value" else ruled & ~none & beyond
    return {
        "normal_baseline": ~ruled | none | ~beyond,
        "abnormal_baseline": ruled & ~none & beyond,
        "low_baseline": ruled & ~none & (base < pl.col("base_lln")),
        "above_baseline": ~ruled | none | (v > base),
        "abnormal": fall,
        "anticoagulant": pl.col("on_anticoagulant").fill_null(False),
        "symptomatic": pl.col("symptomatic").fill_null(policy.symptom_missing == "worse"),
        "fasting": pl.col("fasting"),
    }


def _met(rule: dict[str, Any], given: dict[str, pl.Expr]) -> pl.Expr:
    """Whether a value meets one row of the criteria: true, false, or null where a limit is missing."""
    limit, base = pl.lit(rule["limit"], dtype=pl.Float64), pl.col("base")
    bound = {
        "absolute": limit,
        "uln": rounded_runs(limit * pl.col("uln")),
        "lln": rounded_runs(limit * pl.col("lln")),
        "uln_plus": rounded_runs(pl.col("uln") + limit),
        "baseline": rounded_runs(limit * base),
        "baseline_plus": rounded_runs(base + limit),
    }[rule["basis"]]
    v = pl.col("v")
    met = {"<": v < bound, "<=": v <= bound, ">": v > bound, ">=": v >= bound}[rule["operator"]]
    if rule["basis"].startswith("baseline"):
        met = met.fill_null(
            False
        )  # without a baseline its branch does not apply; a missing limit stays unknown
    return met if rule["condition"] is None else met & given[rule["condition"]]


def _levels(rules: list[dict[str, Any]], given: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    """``g1`` … ``g4``: whether any alternative of the grade is met (null if that cannot be said)."""
    grades = sorted({int(rule["grade"]) for rule in rules})
    return {
        f"g{g}": reduce(or_, (_met(rule, given) for rule in rules if rule["grade"] == g)).alias(f"g{g}")
        for g in grades
    }


def _highest(levels: Iterable[str]) -> pl.Expr:
    falling = sorted(levels, reverse=True)
    return pl.coalesce(*(pl.when(pl.col(c)).then(int(c[1:])) for c in falling), pl.lit(0)).cast(pl.Int8)


def _bit(reason: str, where: pl.Expr) -> pl.Expr:
    return pl.when(where).then(REASONS[reason]).otherwise(0)


def _abnormal(direction: str) -> pl.Expr:
    if direction == "H":
        return _bit("above ULN", pl.col("v") > pl.col("uln"))
    return _bit("below LLN", pl.col("v") < pl.col("lln"))


def _why_unsure(rules: list[dict[str, Any]], direction: str) -> pl.Expr:
    conditions = {rule["condition"] for rule in rules}
    own = ("uln", "ULN missing") if direction == "H" else ("lln", "LLN missing")
    why = _bit(own[1], pl.col(own[0]).is_null())
    if "low_baseline" in conditions:
        why = why + _bit("LLN missing", pl.col("base_lln").is_null())
    if "fasting" in conditions:
        why = why + _bit("fasting state unknown", pl.col("fasting").is_null())
    return why


def _assumed(
    rules: list[dict[str, Any]], given: dict[str, pl.Expr], direction: str, policy: Policy
) -> pl.Expr:
    """Bits for what was assumed: no baseline; symptoms or anticoagulation unknown, where they matter."""
    conditions = {rule["condition"] for rule in rules}
    assumed = _bit("baseline missing: limits used", _lacks_baseline(rules, policy))
    for word, column, reason in (
        ("symptomatic", "symptomatic", "symptoms unknown"),
        ("anticoagulant", "on_anticoagulant", "anticoagulation unknown"),
    ):
        if word in conditions:
            no, yes = (_grade_if(rules, given | {word: pl.lit(known)}) for known in (False, True))
            assumed = assumed + _bit(reason, pl.col(column).is_null() & (no != yes))
    return assumed


def _grade_if(rules: list[dict[str, Any]], given: dict[str, pl.Expr]) -> pl.Expr:
    levels = _levels(rules, given)
    return pl.coalesce(
        *(pl.when(levels[c]).then(int(c[1:])) for c in sorted(levels, reverse=True)), pl.lit(0)
    )


def _lacks_baseline(rules: list[dict[str, Any]], policy: Policy) -> pl.Expr:
    relative = [rule for rule in rules if _is_relative(rule)]
    if policy.baseline_rule == "uln_only":
        relative = [rule for rule in relative if not str(rule["condition"]).endswith("baseline")]
    if not relative:
        return pl.lit(False)
    needed = pl.col("base").is_null() & ~pl.col("is_baseline")
    if {rule["condition"] for rule in relative} == {"anticoagulant"}:
        return needed & pl.col("on_anticoagulant").fill_null(False)
    return needed


def _is_relative(rule: dict[str, Any]) -> bool:
    """Whether it looks at the baseline, in its bound or in its condition."""
    return str(rule["basis"]).startswith("baseline") or str(rule["condition"]).endswith("baseline")
