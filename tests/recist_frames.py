"""Drawn tables of lesions: what is not drawn is one patient, one reader, no node, a scan every 42 days."""

from __future__ import annotations

import polars as pl

from drawn import table

MEASURED = {
    "subject": pl.String,
    "assessor": pl.String,
    "assessment": pl.Int64,
    "day": pl.Int64,
    "lesion": pl.String,
    "diameter_mm": pl.Float64,
    "nodal": pl.Boolean,
    "state": pl.String,
    "baseline": pl.Boolean,
}
STATES = {name: kind for name, kind in MEASURED.items() if name not in ("diameter_mm", "nodal")}
NEW = {name: MEASURED[name] for name in ("subject", "assessor", "assessment", "day", "lesion")} | {
    "status": pl.String
}
COURSE = {"subject": pl.String, "assessor": pl.String, "day": pl.Int64, "response": pl.String}
_USUAL = {
    "subject": pl.lit("1"),
    "assessor": pl.lit("INV"),
    "day": 42 * pl.col("assessment"),
    "lesion": pl.lit("1"),
    "nodal": pl.lit(False),
    "state": pl.lit(None),
    "baseline": pl.col("assessment") == 0,
}


def framed(text: str) -> pl.DataFrame:
    """A drawn table whose last cells may be empty."""
    return table("\n".join(f"| {line} |" for line in text.strip().splitlines()))


def drawn_as(text: str, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    drawn = framed(text)
    missing = {name: _USUAL[name] for name in schema if name not in drawn.columns}
    return drawn.with_columns(**missing).select(pl.col(name).cast(kind) for name, kind in schema.items())


def measured(text: str) -> pl.DataFrame:
    return drawn_as(text, MEASURED)


def of_sums(*sums: float | None) -> pl.DataFrame:
    """One lesion measured at baseline and at each assessment."""
    cells = "\n".join(f"{visit} | {'' if mm is None else mm}" for visit, mm in enumerate(sums))
    return measured(f"assessment | diameter_mm\n{cells}")


def course(text: str) -> pl.DataFrame:
    """Responses of one patient: ``PR 42, NE 84`` is PR on day 42 and NE on day 84."""
    seen = [entry.rsplit(" ", 1) for entry in text.split(", ")] if text else []
    return pl.DataFrame(
        [("1", "INV", int(day), response) for response, day in seen], schema=COURSE, orient="row"
    )
