"""Errors of the sites, on purpose and counted by the scenario: findings must have something to find."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from trialwright.simulate.draw import stream
from trialwright.simulate.scenario import Mistakes

Domains = dict[str, pl.DataFrame]


def spoiled(domains: Mapping[str, pl.DataFrame], mistakes: Mistakes, seed: int) -> Domains:
    """The same domains with as many errors of each kind as the scenario says, where there are such rows."""
    found = dict(domains)
    for kind, (name, spoil) in _KINDS.items():
        count = getattr(mistakes, kind)
        if count and name in found:
            found[name] = spoil(found, count, stream(seed, f"mistake {kind}"))
    return found


def _rows(rng: np.random.Generator, frame: pl.DataFrame, mask: pl.Expr, count: int) -> list[int]:
    """Positions of ``count`` different rows that satisfy ``mask``, or of as many as there are."""
    there = frame.with_row_index("position").filter(mask)["position"].to_numpy()
    return sorted(rng.choice(there, min(count, len(there)), replace=False).tolist())


def _set(frame: pl.DataFrame, rows: list[int], **values: pl.Expr | str | float) -> pl.DataFrame:
    chosen = pl.int_range(pl.len()).is_in(rows)
    said = {
        name: v if isinstance(v, pl.Expr) else pl.lit(v, frame.schema[name]) for name, v in values.items()
    }
    return frame.with_columns(**{name: pl.when(chosen).then(v).otherwise(name) for name, v in said.items()})


def _duplicate_key(domains: Domains, count: int, rng: np.random.Generator) -> pl.DataFrame:
    ae = domains["AE"]
    rows = _rows(rng, ae, pl.lit(True), count)
    return pl.concat([ae, ae[rows]]).sort("USUBJID", "AESEQ", maintain_order=True)


def _orphan_subject(domains: Domains, count: int, rng: np.random.Generator) -> pl.DataFrame:
    vs = domains["VS"]
    rows = _rows(rng, vs, pl.lit(True), count)
    return _set(vs, rows, USUBJID=pl.col("USUBJID") + "X")


def _end_before_start(domains: Domains, count: int, rng: np.random.Generator) -> pl.DataFrame:
    ae = domains["AE"]
    whole = (pl.col("AESTDTC").str.len_chars() == 10) & (pl.col("AEENDTC").str.len_chars() == 10)
    rows = _rows(rng, ae, whole & (pl.col("AEOUT") != "FATAL"), count)
    start = pl.col("AESTDTC").str.to_date("%Y-%m-%d", strict=False)
    return _set(ae, rows, AEENDTC=start.dt.offset_by("-9d").dt.strftime("%Y-%m-%d"))


def _unknown_code(domains: Domains, count: int, rng: np.random.Generator) -> pl.DataFrame:
    ae = domains["AE"]
    rows = _rows(rng, ae, pl.col("AEOUT") != "FATAL", count)
    return _set(ae, rows, AEOUT="BETTER")


def _impossible_date(domains: Domains, count: int, rng: np.random.Generator) -> pl.DataFrame:
    ae = domains["AE"]
    whole = (pl.col("AEENDTC").str.len_chars() == 10) & (pl.col("AESTDTC") <= pl.col("AEENDTC"))
    rows = _rows(rng, ae, whole & (pl.col("AEOUT") != "FATAL"), count)
    return _set(ae, rows, AEENDTC=pl.col("AEENDTC").str.head(4) + "-02-30")


def _item_out_of_range(domains: Domains, count: int, rng: np.random.Generator) -> pl.DataFrame:
    qs = domains["QS"]
    rows = _rows(rng, qs, pl.col("QSSTRESN").is_not_null(), count)
    return _set(qs, rows, QSORRES="9", QSSTRESC="9", QSSTRESN=9.0)


def _form_after_death(domains: Domains, count: int, rng: np.random.Generator) -> pl.DataFrame:
    """The last form of a subject who died, moved to twenty days after the death."""
    qs = domains["QS"]
    late = pl.col("DTHDTC").str.to_date("%Y-%m-%d", strict=False).dt.offset_by("20d").dt.strftime("%Y-%m-%d")
    died = domains["DM"].select("USUBJID", late=late).filter(pl.col("late") <= domains["SS"]["SSDTC"].max())
    last = qs.join(died, on="USUBJID").group_by("USUBJID").agg(pl.max("QSDTC"), pl.first("late"))
    moved = last.sort("USUBJID")[_rows(rng, last, pl.lit(True), count)]
    found = qs.join(moved, on=["USUBJID", "QSDTC"], how="left", maintain_order="left")
    return found.with_columns(QSDTC=pl.coalesce("late", "QSDTC")).drop("late")


_KINDS: Mapping[str, tuple[str, Callable[[Domains, int, np.random.Generator], pl.DataFrame]]] = {
    "end_before_start": ("AE", _end_before_start),
    "unknown_code": ("AE", _unknown_code),
    "impossible_date": ("AE", _impossible_date),
    "item_out_of_range": ("QS", _item_out_of_range),
    "form_after_death": ("QS", _form_after_death),
    "orphan_subject": ("VS", _orphan_subject),
    "duplicate_key": ("AE", _duplicate_key),
}
