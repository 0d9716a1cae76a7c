"""The sequence number that, with its subject, names a row of a domain."""

from __future__ import annotations

import polars as pl

from trialwright.standards import findings

_WAS = "number in the file"
_AGAIN = "needs a number"


def sequenced(domain: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The domain with a ``--SEQ`` that is unique within its subject, and findings.

    Rows keep their place. Where the variable is absent, rows are numbered in file order. A row without a
    number, or with one that an earlier row of the subject has, is given the next free one, after the largest.
    """
    name = f"{domain}SEQ"
    if name not in frame.columns:
        numbered = frame.with_columns(_count().over("USUBJID").alias(name))
        absent = "sequence number absent"
        action = "rows kept, numbered in file order"
        return numbered, findings.whole(domain, variable=name, rule=absent, value="", action=action)
    missing = pl.col(name).is_null()
    again = missing | ~pl.struct("USUBJID", name).is_first_distinct()
    marked = frame.with_columns(pl.col(name).alias(_WAS), again.alias(_AGAIN))
    if not marked[_AGAIN].any():
        return frame, findings.empty()
    largest = pl.col(name).max().over("USUBJID").fill_null(0)
    next_free = largest + pl.col(_AGAIN).cast(pl.Int64).cum_sum().over("USUBJID")
    numbered = marked.with_columns(pl.when(_AGAIN).then(next_free).otherwise(name).alias(name))
    return numbered.drop(_WAS, _AGAIN), _renumbered(domain, name, numbered.filter(_AGAIN))


def _count() -> pl.Expr:
    return pl.int_range(1, pl.len() + 1, dtype=pl.Int64)


def _renumbered(domain: str, name: str, rows: pl.DataFrame) -> pl.DataFrame:
    missing = pl.col(_WAS).is_null()
    return findings.concat(
        findings.findings(
            rows.filter(which),
            dataset=domain,
            key=["USUBJID", name],
            variable=name,
            rule=rule,
            value=_WAS,
            action="kept; the key names the number it was given",
        )
        for rule, which in (("duplicate key", ~missing), ("sequence number missing", missing))
    )
