"""Records of adverse events rolled into episodes (project rules 3.3; grade changes, 4.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np
import polars as pl

from trialwright.adam.safety_common import count_since, only
from trialwright.medicine._frame import so_far

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
    kept = records.select("USUBJID", "AESEQ", _term=term, _begins=begins, _ends=_ends()).with_row_index(
        "_row"
    )
    placed = kept.select(
        *("_row", "AESEQ", "_begins", "_ends"),
        _numbered=pl.col("_begins").is_not_null() & pl.col("_term").is_not_null(),
        _course=pl.struct("USUBJID", "_term").rank("dense"),
    ).sort("_course", "_begins", "AESEQ", nulls_last=True)
    return records.hstack(_numbers(placed, gap_hours).sort("_row").select("EPISODE", "EPISFL"))


def _numbers(placed: pl.DataFrame, gap_hours: float) -> pl.DataFrame:
    """EPISODE and EPISFL of records in order, course by course."""
    never_yet = pl.col("_ends").to_physical().fill_null(np.iinfo(np.int64).min)
    ended = so_far(placed.select(never_yet).to_series(), placed["_course"], np.maximum)
    first = pl.col("_course").ne_missing(pl.col("_course").shift(1))
    gap = (pl.col("_begins").to_physical() - pl.col("_ended").shift(1)) / 3.6e9
    return (
        placed.with_columns(_ended=ended)
        .with_columns(_new=first | (gap >= gap_hours).fill_null(True))
        .with_columns(
            EPISODE=pl.when("_numbered").then(count_since(pl.col("_new"), first)),
            EPISFL=only(pl.col("_new") | ~pl.col("_numbered")),
        )
    )


def _ends() -> pl.Expr:
    over = pl.col("AEOUT").str.strip_chars().str.to_uppercase().str.contains(_OVER)
    goes_on = pl.col("AENDT").is_null() & pl.col("AEOUT").is_not_null() & ~over
    day = pl.coalesce("AENDT", "ASTDT").cast(pl.Datetime("us")) + pl.duration(days=1)
    known = pl.coalesce("AENDTM", pl.when(pl.col("AENDT").is_null()).then("ASTDTM"), day)
    return pl.when(goes_on).then(pl.lit(_NEVER)).otherwise(known)
