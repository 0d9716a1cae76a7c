"""Strata of a two-arm comparison: as randomised, and merged where too thin.

Project rules 8: a stratum with fewer than five events or without patients of one arm is collapsed, and
the collapse is logged. The pre-listed order is: thin strata together into ``other``; while that is itself
thin, the stratum with the fewest events (ties by name) joins it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.analysis.rows import Address
from trialwright.standards.results import Result

LEAST_EVENTS = 5
OTHER = "other"
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Strata:
    """``labels``: one per subject, None where the comparison is unstratified."""

    labels: npt.NDArray[np.object_] | None
    names: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    missing: int = 0

    def rows(self, address: Address, group: str) -> Iterator[Result]:
        """What was done, as rows: the strata used, those merged, and subjects without a stratum."""
        how = " x ".join(self.names)
        words = f"stratified by {how}: {', '.join(self.used)}" if len(self.used) > 1 else "unstratified"
        yield address.number("strata", len(self.used) if len(self.used) > 1 else 0, group=group, note=words)
        if self.merged:
            note = f"too few events or an empty arm, merged: {', '.join(self.merged)}"
            yield address.number("strata_merged", len(self.merged), group=group, note=note)
        if self.missing:
            note = f"subjects without a value of {how}, kept as a level of their own"
            yield address.number("strata_missing", self.missing, group=group, note=note)


def strata(frame: pl.DataFrame, names: Sequence[str], *, least_events: int = LEAST_EVENTS) -> Strata:
    """The strata of a comparison.

    ``frame`` has one row per subject, with the columns named, ``one`` (True: experimental) and
    ``event`` (True or False). ``least_events`` 0 merges only strata that lack an arm.
    """
    if not names:
        return Strata(None)
    values = [pl.col(name).cast(pl.String).fill_null(MISSING) for name in names]
    labelled = frame.select("one", "event", stratum=pl.concat_str(values, separator=" / "))
    merged = _to_merge(labelled, least_events)
    kept = labelled.select(
        stratum=pl.when(pl.col("stratum").is_in(merged)).then(pl.lit(OTHER)).otherwise("stratum")
    )
    used = tuple(kept["stratum"].unique().sort())
    labels = kept["stratum"].to_numpy() if len(used) > 1 else None
    missing = frame.select(pl.any_horizontal(pl.col(*names).is_null()).sum()).item()
    return Strata(labels, tuple(names), used, tuple(merged), int(missing))


def _to_merge(labelled: pl.DataFrame, least_events: int) -> list[str]:
    cells = (
        labelled.group_by("stratum")
        .agg(events=pl.col("event").sum(), ones=pl.col("one").sum(), noughts=(~pl.col("one")).sum())
        .with_columns(thin=_thin(least_events))
        .sort(~pl.col("thin"), "events", "stratum")
    )
    size = int(cells["thin"].sum()) if cells.height > 1 else 0
    while 0 < size < cells.height and _together_thin(cells[:size], least_events):
        size += 1
    return sorted(cells["stratum"][:size])


def _together_thin(cells: pl.DataFrame, least_events: int) -> bool:
    return bool(cells.select(pl.col("events", "ones", "noughts").sum()).select(_thin(least_events)).item())


def _thin(least_events: int) -> pl.Expr:
    return (pl.col("events") < least_events) | (pl.col("ones") == 0) | (pl.col("noughts") == 0)
