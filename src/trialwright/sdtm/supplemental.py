"""Supplemental qualifiers (SUPP--) beside the rows they qualify (SDTMIG 8.4)."""

from __future__ import annotations

import polars as pl

from trialwright.standards import findings

_ALONE = "kept in the supplemental dataset, not merged"
_ID = "identifying value"
_KEY = ("USUBJID", "IDVAR", "IDVARVAL", "QNAM")


def merged(
    domain: str, parent: pl.DataFrame, supplemental: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The parent with one text column per QNAM, and findings. Rows and their order are the parent's.

    A qualifier without IDVAR belongs to every row of its subject. Identifying values of a numeric variable
    are compared as numbers, so ``1`` finds ``1.0``. Rows that share such a value share its qualifiers.
    """
    usable, found = _usable(domain, parent, supplemental)
    found.append(_without_value(domain, supplemental))
    for part in usable.partition_by("IDVAR", maintain_order=True):
        parent, more = _joined(domain, parent, part)
        found.append(more)
    return parent, findings.concat(found)


def _usable(domain: str, parent: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Rows that can be merged: named, of a known identifying variable, not taken by the parent, once."""
    rows = rows.with_columns(
        pl.lit(None, pl.String).alias(name)
        for name in ("RDOMAIN", "IDVAR", "IDVARVAL")
        if name not in rows.columns
    ).with_columns(pl.col("QNAM", "IDVAR").str.strip_chars().str.to_uppercase())
    other = pl.col("RDOMAIN").fill_null(domain) != domain
    nameless = pl.col("QNAM").is_null()
    unknown = pl.col("IDVAR").is_not_null() & ~pl.col("IDVAR").is_in(parent.columns)
    taken = pl.col("QNAM").is_in([*parent.columns, _ID])
    again = ~pl.struct(_KEY).is_first_distinct()
    found = []
    for rule, variable, wrong, action in (
        ("row of another domain", "RDOMAIN", other, _ALONE),
        ("missing required value", "QNAM", nameless, _ALONE),
        ("identifying variable is not in the parent", "IDVAR", unknown, _ALONE),
        ("duplicate key", "QVAL", again, "kept; the first is merged"),
    ):
        found.append(_finding(domain, rows.filter(wrong), rule, variable, action))
        rows = rows.filter(~wrong)
    collisions = rows.filter(taken).unique("QNAM", keep="first", maintain_order=True)
    action = "the parent's value is used; the supplemental dataset keeps the other"
    found.append(
        _finding(domain, collisions, "qualifier is named as a variable of its parent", "QNAM", action)
    )
    return rows.filter(~taken), found


def _without_value(domain: str, rows: pl.DataFrame) -> pl.DataFrame:
    """One finding for each qualifier: a row without a value says nothing, and there may be thousands."""
    silent = rows.filter(pl.col("QVAL").is_null()).group_by("QNAM", maintain_order=True).len("rows")
    return findings.findings(
        silent,
        dataset=f"SUPP{domain}",
        key=["QNAM"],
        variable="QVAL",
        rule="missing required value",
        value=pl.format("{} rows", "rows"),
        action="kept; nothing to merge",
    )


def _joined(domain: str, parent: pl.DataFrame, part: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The parent with the qualifiers of one identifying variable."""
    by = part["IDVAR"][0]
    number = by is not None and parent.schema[by].is_numeric()
    part = part.with_columns(_value(pl.col("IDVARVAL") if by else None, number).alias(_ID))
    keyed = parent.with_columns(_value(pl.col(by) if by else None, number).alias(_ID))
    on = ["USUBJID", _ID]
    orphans = part.join(keyed, on=on, how="anti", maintain_order="left")
    found = _finding(
        domain, orphans, "no parent record", "QVAL", "kept in the supplemental dataset, not merged"
    )
    wide = part.pivot(on="QNAM", index=on, values="QVAL", aggregate_function="first", maintain_order=True)
    return _beside(keyed, wide, on).drop(_ID), found


def _value(value: pl.Expr | None, number: bool) -> pl.Expr:
    """What is compared: the number, or the text without blanks about it; no variable: the subject alone."""
    if value is None:
        return pl.lit("")
    text = value.cast(pl.String).str.strip_chars()
    return text.cast(pl.Float64, strict=False) if number else text


def _beside(parent: pl.DataFrame, wide: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """A qualifier that came by another identifying variable before gives way only where it is null."""
    known = [name for name in wide.columns if name in parent.columns and name not in on]
    joined = parent.join(wide, on=on, how="left", maintain_order="left", suffix=" again")
    filled = joined.with_columns(pl.coalesce(name, f"{name} again").alias(name) for name in known)
    return filled.drop(f"{name} again" for name in known)


def _finding(domain: str, rows: pl.DataFrame, rule: str, variable: str, action: str) -> pl.DataFrame:
    return findings.findings(
        rows, dataset=f"SUPP{domain}", key=_KEY, variable=variable, rule=rule, value=variable, action=action
    )
