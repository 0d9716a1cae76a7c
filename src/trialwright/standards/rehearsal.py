"""The mark that simulated data carry wherever they go, so that no report of them passes for a trial's."""

from __future__ import annotations

import polars as pl

MARK = "-REHEARSAL"


def marked(studyid: str) -> str:
    """STUDYID of a rehearsal: in the data themselves, so that no copy or conversion loses it."""
    return studyid + MARK


def is_rehearsal(dm: pl.DataFrame) -> bool:
    """Whether any subject of DM is simulated."""
    return bool(dm.get_column("STUDYID").str.ends_with(MARK).any()) if "STUDYID" in dm.columns else False
