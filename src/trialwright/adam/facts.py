"""Named facts: where the study says one stands, read from SDTM with its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import polars as pl

from trialwright.adam.safety_common import Sdtm, text
from trialwright.standards import dates
from trialwright.study.sources import Source

PICKED = pl.Schema(
    {
        "USUBJID": pl.String(),
        "value": pl.String(),
        "SRCDOM": pl.String(),
        "SRCVAR": pl.String(),
        "SRCSEQ": pl.Int64(),
    }
)
"""One row per subject who has the fact; the value as text, the row it came from."""


def matching(sdtm: Sdtm, domain: str, where: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """The rows of a domain whose variables hold one of the given words; none where the domain is absent."""
    frame = sdtm.get(domain, pl.DataFrame(schema={"USUBJID": pl.String}))
    for variable, words in where.items():
        frame = frame.filter(text(frame, variable).is_in(list(words)))
    return frame


def sequence(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """The --SEQ of a domain as a whole number; null where it has none."""
    name = f"{domain}SEQ"
    if name not in frame.columns:
        return pl.lit(None, dtype=pl.Int64).alias("SRCSEQ")
    return pl.col(name).cast(pl.Float64, strict=False).cast(pl.Int64).alias("SRCSEQ")


def rows(sdtm: Sdtm, source: Source) -> pl.DataFrame:
    """Every row that states the fact, in the shape of ``PICKED``, blank values left out."""
    frame = matching(sdtm, source.domain, source.where)
    return frame.select(
        "USUBJID",
        text(frame, source.variable).alias("value"),
        pl.lit(source.domain).alias("SRCDOM"),
        pl.lit(source.variable).alias("SRCVAR"),
        sequence(frame, source.domain),
    ).filter(pl.col("value").is_not_null())


def pick(sdtm: Sdtm, source: Source | None) -> pl.DataFrame:
    """The fact of each subject, in the shape of ``PICKED``, mapped to the study's words.

    Of several rows the first or the last: by date where the variable is one, otherwise by sequence. A date
    that cannot exist is none.
    """
    if source is None:
        return pl.DataFrame(schema=PICKED)
    found = rows(sdtm, source)
    if source.variable.endswith("DTC"):
        found = found.with_columns(order=dates.earliest(pl.col("value"))).filter(
            pl.col("order").is_not_null()
        )
    else:
        found = found.with_columns(order="SRCSEQ")
    keep: Literal["first", "last"] = "last" if source.pick == "last" else "first"
    one = found
    if found.get_column("USUBJID").n_unique() < found.height:
        one = found.sort("order", "SRCSEQ", nulls_last=True, maintain_order=True).unique(
            "USUBJID", keep=keep, maintain_order=True
        )
    return one.select("USUBJID", _words(source).alias("value"), "SRCDOM", "SRCVAR", "SRCSEQ").match_to_schema(
        PICKED
    )


def _words(source: Source) -> pl.Expr:
    value = pl.col("value")
    if source.bins:
        return _binned(value.cast(pl.Float64, strict=False), source)
    if source.map:
        return value.replace_strict(dict(source.map), default=None, return_dtype=pl.String)
    return value


def _binned(number: pl.Expr, source: Source) -> pl.Expr:
    """The word of the interval a number falls in; equal to a cut point, it falls above."""
    word: pl.Expr = pl.when(number.is_not_null()).then(pl.lit(source.bin_words[0]))
    for point, name in zip(source.bins, source.bin_words[1:], strict=True):
        word = pl.when(number >= point).then(pl.lit(name)).otherwise(word)
    return word


def unmapped(sdtm: Sdtm, source: Source) -> pl.DataFrame:
    """The rows whose value the source's map or bins do not know."""
    found = rows(sdtm, source)
    if source.bins:
        return found.filter(pl.col("value").cast(pl.Float64, strict=False).is_null())
    return found.filter(~pl.col("value").is_in(list(source.map))) if source.map else found.clear()
