"""Records of adverse events rolled into episodes (project rules 3.3; grade changes, 4.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import polars as pl

from trialwright.adam.safety_common import only

_NEVER: Final = datetime(9999, 12, 31)
_OVER: Final = r"^(RECOVERED|RESOLVED|RECOVERED/RESOLVED.*|FATAL)$"


def with_episodes(records: pl.DataFrame, gap_hours: float) -> pl.DataFrame:
    """The records with EPISODE, its number within subject and term, and EPISFL on its first record.

    A record belongs to the episode before it where the gap between them may be shorter than ``gap_hours``: a
    start without a time is the beginning of its day, an end without a time the end of its day. What is said
    to go on has no gap after it; an end that is missing otherwise is the start. A record without a start is
    an episode without a number, and so is one without a term.
    """
    begins = pl.coalesce("ASTDTM", pl.col("ASTDT").cast(pl.Datetime("us")))
    term = pl.coalesce("AEDECOD", "AETERM").str.strip_chars().str.to_uppercase()
    course = ["USUBJID", "_term"]
    placed = records.with_columns(_term=term, _begins=begins, _ends=_ends()).sort(
        *course, "_begins", "AESEQ", nulls_last=True
    )
    before = pl.col("_ends").cum_max().shift(1).over(course)
    gap = (pl.col("_begins") - before).dt.total_microseconds() / 3.6e9
    numbered = pl.col("_begins").is_not_null() & pl.col("_term").is_not_null()
    return (
        placed.with_columns(_new=(gap >= gap_hours).fill_null(True))
        .with_columns(
            EPISODE=pl.when(numbered).then(pl.col("_new").cast(pl.Int64).cum_sum().over(course)),
            EPISFL=only(pl.col("_new") | ~numbered),
        )
        .drop("_term", "_begins", "_ends", "_new")
    )


def _ends() -> pl.Expr:
    over = pl.col("AEOUT").str.strip_chars().str.to_uppercase().str.contains(_OVER)
    goes_on = pl.col("AENDT").is_null() & pl.col("AEOUT").is_not_null() & ~over
    day = pl.coalesce("AENDT", "ASTDT").cast(pl.Datetime("us")) + pl.duration(days=1)
    known = pl.coalesce("AENDTM", pl.when(pl.col("AENDT").is_null()).then("ASTDTM"), day)
    return pl.when(goes_on).then(pl.lit(_NEVER)).otherwise(known)
