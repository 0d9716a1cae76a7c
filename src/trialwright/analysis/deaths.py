"""Deaths of those treated: in all, soon after the last dose, and of what (project rules 4.2)."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.analysis.population import with_total
from trialwright.analysis.summary import grid, tabulate
from trialwright.study.model import Study

NO_EVENT: Final = "no fatal adverse event"
RELATED: Final = "fatal adverse event related to treatment"


def deaths(study: Study, people: pl.DataFrame, emergent: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Levels ``death`` and ``death within 30 days of last dose``, each also with ``: cause``.

    The cause is ADSL's DTHCAUS where there is one, else the fatal emergent event (of several the one that
    began last), else that there is none. ``: fatal adverse event related to treatment`` stands beside the
    causes. Emergent has ``group``, ``pt`` and the columns of ADAE.
    """
    window = study.adverse_events.window_days
    died = people.filter(pl.col("DTHFL").eq_missing("Y")).join(
        _fatal(emergent), on="USUBJID", how="left", maintain_order="left"
    )
    told = pl.col("DTHCAUS") if "DTHCAUS" in people.columns else pl.lit(None, dtype=pl.String)
    died = died.with_columns(cause=pl.coalesce(told, "fatal", pl.lit(NO_EVENT)))
    after = (pl.col("DTHDT") - pl.col("TRTEDT")).dt.total_days()
    sets = {"death": died, f"death within {window} days of last dose": died.filter(after <= window)}
    counts = pl.concat(_counts(name, those) for name, those in sets.items())
    others = counts["level"].unique().sort()
    levels = [*sets, *others.filter(~others.is_in([*sets]))]
    return tabulate(counts, grid(sizes["group"], levels), sizes)


def _fatal(emergent: pl.DataFrame) -> pl.DataFrame:
    killed = pl.col("AEOUT").eq_missing("FATAL") | pl.col("ATOXGRN").eq_missing(5)
    return (
        emergent.filter(killed)
        .sort("ASTDT", "AESEQ")
        .group_by("USUBJID", maintain_order=True)
        .agg(fatal=pl.col("pt").last(), related=(pl.col("AREL") == "Y").any())
    )


def _counts(name: str, those: pl.DataFrame) -> pl.DataFrame:
    whole = those.select("group", level=pl.lit(name))
    causes = those.select("group", level=pl.format("{}: {}", pl.lit(name), "cause"))
    related = those.filter("related").select("group", level=pl.lit(f"{name}: {RELATED}"))
    return with_total(pl.concat([whole, causes, related])).group_by("group", "level").agg(n=pl.len())
