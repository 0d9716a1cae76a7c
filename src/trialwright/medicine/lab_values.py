"""Laboratory values made ready for criteria: numbers, SI units, usable limits, the baseline that counts."""

from __future__ import annotations

import polars as pl

from trialwright.medicine.units import conversions

_NEEDED = ("subject", "test", "value", "unit", "lln", "uln", "baseline", "is_baseline")
_OPTIONAL = {
    "albumin": pl.Float64,
    "on_anticoagulant": pl.Boolean,
    "symptomatic": pl.Boolean,
    "fasting": pl.Boolean,
    "baseline_lln": pl.Float64,
    "baseline_uln": pl.Float64,
}
# One bit per reason: a million rows carry whole numbers, and only the few combinations are spelled out.
REASONS = {
    "value missing": 1,
    "value is not a number": 2,
    "value is negative": 4,
    "unit unknown": 8,
    "no criteria": 16,
    "clinical grading only": 32,
    "LLN missing": 64,
    "ULN missing": 128,
    "fasting state unknown": 256,
    "CENS": 512,
    "baseline missing: limits used": 1024,
    "symptoms unknown": 2048,
    "anticoagulation unknown": 4096,
    "calcium not corrected": 8192,
    "at least this grade": 16384,
    "limits of v4.03": 32768,
    "below LLN": 65536,
    "above ULN": 131072,
}


def corrected_calcium(calcium: pl.Expr, albumin: pl.Expr) -> pl.Expr:
    """Calcium in mmol/L corrected for albumin in g/L: ``Ca + 0.02 x (40 - albumin)`` (Payne 1973)."""
    return calcium + 0.02 * (40 - albumin)


def ready_to_grade(labs: pl.DataFrame) -> pl.DataFrame:
    """The columns that grading looks at, in their types; an optional one that is absent is null.

    With ``si_unit`` and the factors ``times`` and ``over`` of each row's unit, null where it is not known.
    """
    missing = [c for c in _NEEDED if c not in labs.columns]
    if missing:
        raise ValueError(f"laboratory values need the columns {', '.join(missing)}")
    absent = [pl.lit(None, dtype=t).alias(c) for c, t in _OPTIONAL.items() if c not in labs.columns]
    value = pl.String if labs.schema["value"] == pl.String else pl.Float64
    pair, factors = conversions(labs["test"], labs["unit"])
    return labs.with_columns(absent).select(
        *(pl.col(c).cast(pl.Float64) for c in ("lln", "uln", "baseline")),
        *(pl.col(c).cast(t) for c, t in _OPTIONAL.items()),
        *(factors[c].gather(pair) for c in ("si_unit", "times", "over")),
        pl.col("value").cast(value),
        pl.col("is_baseline").fill_null(False),
    )


def compared(part: pl.LazyFrame, *, corrected: bool, baseline_by_itself: bool) -> pl.LazyFrame:
    """v, lln, uln, base, base_lln and base_uln: what the criteria compare of one test of ``ready_to_grade``.

    In SI units, rounded. ``bad`` says why v is null and ``flags`` what was assumed, as sums of ``REASONS``.
    ``corrected``: for albumin, where it is known.
    """
    told = _numbers(part).with_columns(si_value=_si("number"))
    flags, graded = pl.col("flags"), pl.col("si_value")
    if corrected:
        known = pl.col("albumin").is_not_null()
        flags = flags + pl.when(~known).then(REASONS["calcium not corrected"]).otherwise(0)
        graded = pl.when(known).then(corrected_calcium(graded, pl.col("albumin"))).otherwise(graded)
    unknown = pl.when(pl.col("times").is_null()).then(REASONS["unit unknown"]).otherwise(0)
    return (
        told.with_columns(
            bad=pl.col("bad") + unknown, flags=flags, graded_value=graded, base=_baseline(baseline_by_itself)
        )
        .with_columns(
            _limits("lln", "uln") + _limits("baseline_lln", "baseline_uln"),
            v=rounded(pl.when(pl.col("bad") == 0).then(pl.col("graded_value"))),
            base=rounded_runs(pl.col("base")),
        )
        .with_columns(
            base_lln=pl.coalesce("baseline_lln", "lln"), base_uln=pl.coalesce("baseline_uln", "uln")
        )
    )


def _si(column: str) -> pl.Expr:
    return pl.col(column) * pl.col("times") / pl.col("over")


def _numbers(part: pl.LazyFrame) -> pl.LazyFrame:
    """``number`` from value; ``bad`` and ``flags`` as reason bits. ``<5`` counts as 5."""
    text = part.collect_schema()["value"] == pl.String
    value = pl.col("value").str.strip_chars() if text else pl.col("value")
    censored = value.str.contains(r"^[<>]") if text else pl.lit(False)
    bare = value.str.replace(r"^[<>]=?\s*", "").cast(pl.Float64, strict=False) if text else value
    number = pl.when(bare.is_finite()).then(bare)
    empty = value.is_null() | (value == "") if text else value.is_null()
    bad = (
        pl.when(empty)
        .then(REASONS["value missing"])
        .when(number.is_null())
        .then(REASONS["value is not a number"])
        .when(number < 0)
        .then(REASONS["value is negative"])
        .otherwise(0)
    )
    flags = pl.when(censored).then(REASONS["CENS"]).otherwise(0)
    return part.with_columns(number=number, bad=bad.cast(pl.Int32), flags=flags.cast(pl.Int32))


def _limits(low: str, high: str) -> list[pl.Expr]:
    """Limits that can be limits: none negative, an upper one above zero, in order; else null."""
    lln, uln = _si(low), _si(high)
    upright = (lln <= uln).fill_null(True)
    return [
        rounded_runs(pl.when(upright & (lln >= 0)).then(lln)).alias(low),
        rounded_runs(pl.when(upright & (uln > 0)).then(uln)).alias(high),
    ]


def _baseline(by_itself: bool) -> pl.Expr:
    base = _si("baseline")
    given = pl.when(base > 0).then(base)
    own = pl.coalesce(given, "si_value") if by_itself else pl.lit(None, dtype=pl.Float64)
    return pl.when("is_baseline").then(own).otherwise(given)


def rounded(number: pl.Expr) -> pl.Expr:
    """15 significant digits: what a decimal survives in binary, so that 3 x 0.1 equals 0.3."""
    return number.round_sig_figs(15)


def rounded_runs(number: pl.Expr) -> pl.Expr:
    """``rounded`` for what stays the same from row to row, such as limits: each run of equal numbers once."""
    return rounded(number.rle().struct.field("value")).gather(number.rle_id())
