"""Laboratory values made ready for criteria: numbers, SI units, usable limits, the baseline that counts."""

from __future__ import annotations

import polars as pl

from trialwright.medicine.units import to_si

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


def ready_to_grade(labs: pl.DataFrame, *, baseline_by_itself: bool) -> pl.DataFrame:
    """What the criteria look at, in SI units: v, limits, baseline, conditions; ``bad`` says why v is null."""
    frame = _numbers(_needed(labs))
    frame = to_si(frame, ("number", "lln", "uln", "baseline", "baseline_lln", "baseline_uln"))
    frame = frame.with_columns(
        bad=pl.col("bad") + pl.when(pl.col("si_unit").is_null()).then(REASONS["unit unknown"]).otherwise(0),
        si_value=pl.col("si_number"),
    )
    calcium, known = pl.col("test") == "CA", pl.col("albumin").is_not_null()
    frame = frame.with_columns(
        graded_value=pl.when(calcium & known)
        .then(corrected_calcium(pl.col("si_value"), pl.col("albumin")))
        .otherwise(pl.col("si_value")),
        flags=pl.col("flags") + pl.when(calcium & ~known).then(REASONS["calcium not corrected"]).otherwise(0),
    )
    return frame.select(
        "row", "test", "si_value", "si_unit", "graded_value", "bad", "flags", "symptomatic",
        "on_anticoagulant", "fasting", "is_baseline",
        v=rounded(pl.when(pl.col("bad") == 0).then(pl.col("graded_value"))),
        **_limits("si_lln", "si_uln", "lln", "uln"),
        **_limits("si_baseline_lln", "si_baseline_uln", "base_lln", "base_uln"),
        base=rounded(_baseline(baseline_by_itself)),
    ).with_columns(
        base_lln=pl.coalesce("base_lln", "lln"), base_uln=pl.coalesce("base_uln", "uln")
    )  # fmt: skip


def _needed(labs: pl.DataFrame) -> pl.DataFrame:
    """The columns that grading looks at, in their types; an optional one that is absent is null."""
    missing = [c for c in _NEEDED if c not in labs.columns]
    if missing:
        raise ValueError(f"laboratory values need the columns {', '.join(missing)}")
    absent = [pl.lit(None, dtype=t).alias(c) for c, t in _OPTIONAL.items() if c not in labs.columns]
    value = pl.String if labs.schema["value"] == pl.String else pl.Float64
    return (
        labs.with_columns(absent)
        .select(
            *(pl.col(c).cast(pl.String) for c in ("test", "unit")),
            *(pl.col(c).cast(pl.Float64) for c in ("lln", "uln", "baseline")),
            *(pl.col(c).cast(t) for c, t in _OPTIONAL.items()),
            pl.col("value").cast(value),
            pl.col("is_baseline").fill_null(False),
        )
        .with_row_index("row")
    )


def _numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """``number`` from value; ``bad`` and ``flags`` as reason bits. ``<5`` counts as 5."""
    text = frame.schema["value"] == pl.String
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
    return frame.with_columns(number=number, bad=bad.cast(pl.Int32), flags=flags.cast(pl.Int32))


def _limits(low: str, high: str, as_low: str, as_high: str) -> dict[str, pl.Expr]:
    """Limits that can be limits: none negative, an upper one above zero, in order; else null."""
    lln, uln = pl.col(low), pl.col(high)
    upright = (lln <= uln).fill_null(True)
    return {
        as_low: rounded(pl.when(upright & (lln >= 0)).then(lln)),
        as_high: rounded(pl.when(upright & (uln > 0)).then(uln)),
    }


def _baseline(by_itself: bool) -> pl.Expr:
    given = pl.when(pl.col("si_baseline") > 0).then(pl.col("si_baseline"))
    own = pl.coalesce(given, "si_value") if by_itself else pl.lit(None, dtype=pl.Float64)
    return pl.when("is_baseline").then(own).otherwise(given)


def rounded(number: pl.Expr) -> pl.Expr:
    """15 significant digits: what a decimal survives in binary, so that 3 x 0.1 equals 0.3."""
    return number.round_sig_figs(15)
