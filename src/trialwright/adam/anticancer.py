"""What else was done or seen: the first new anticancer therapy, and progression without imaging."""

from __future__ import annotations

from datetime import date

import polars as pl

from trialwright.adam import facts
from trialwright.adam.safety_common import Sdtm, text
from trialwright.standards import dates
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study
from trialwright.study.sources import Source

_THERAPY = pl.Schema(
    {
        "USUBJID": pl.String(),
        "NACTDT": pl.Date(),
        "NACTDTF": pl.String(),
        "NACTDOM": pl.String(),
        "NACTVAR": pl.String(),
        "NACTSEQ": pl.Int64(),
    }
)


def first_therapy(
    study: Study, sdtm: Sdtm, doses: pl.DataFrame, cutoff: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The first start of another anticancer therapy up to the cutoff: NACTDT, its flag and origin.

    A day not known (flag D; month and day: M) is the later of the first possible and the day after the last
    dose of the study (TRTEDT of ``doses``), unless that is later than the text allows (project rules 6.7).
    Palliative radiotherapy counts only where the study says so (``rt_is_nact``, case P20).
    """
    sources = [source for name in _names(study) if (source := study.sources.facts.get(name)) is not None]
    if not sources:
        return pl.DataFrame(schema=_THERAPY), concat([])
    starts = pl.concat([facts.rows(sdtm, source).match_to_schema(facts.PICKED) for source in sources])
    value = pl.col("value")
    dated = starts.join(doses.select("USUBJID", "TRTEDT"), on="USUBJID", how="left").with_columns(
        _first=dates.earliest(value), _latest=dates.latest(value), _precision=dates.precision(value)
    )
    after_dose = pl.col("TRTEDT") + pl.duration(days=1)
    fits = (after_dose <= pl.col("_latest")).fill_null(False)
    known = pl.col("_precision").is_in(["day", "time"])
    imputed = pl.max_horizontal("_first", pl.when(fits).then(after_dose))
    dated = dated.with_columns(
        NACTDT=pl.when(known).then("_first").otherwise(imputed),
        NACTDTF=pl.when(pl.col("_precision") == "month")
        .then(pl.lit("D"))
        .when(pl.col("_precision") == "year")
        .then(pl.lit("M")),
    )
    first = (
        dated.filter(pl.col("NACTDT") <= cutoff)
        .sort("NACTDT", "NACTDTF", "SRCDOM", "SRCVAR", "SRCSEQ", nulls_last=False)
        .unique("USUBJID", keep="first", maintain_order=True)
        .rename({"SRCDOM": "NACTDOM", "SRCVAR": "NACTVAR", "SRCSEQ": "NACTSEQ"})
        .select(_THERAPY.names())
        .match_to_schema(_THERAPY)
    )
    return first, concat([_imputed(first), *(_undated(sdtm, source) for source in sources)])


def _names(study: Study) -> tuple[str, ...]:
    return ("new_therapy", "palliative_radiotherapy") if study.response.rt_is_nact else ("new_therapy",)


def _imputed(first: pl.DataFrame) -> pl.DataFrame:
    return findings(
        first.filter(pl.col("NACTDTF").is_not_null()),
        dataset="ADSL",
        key=["USUBJID"],
        variable="NACTDT",
        rule="start of a new anticancer therapy not known to the day",
        value="NACTDT",
        action="imputed: the later of the first day possible and the day after the last dose; flagged",
    )


def _undated(sdtm: Sdtm, source: Source) -> pl.DataFrame:
    frame = facts.matching(sdtm, source.domain, source.where)
    dateless = frame.filter(dates.earliest(text(frame, source.variable)).is_null())
    return findings(
        dateless.with_columns(facts.sequence(dateless, source.domain)),
        dataset=source.domain,
        key=["USUBJID", "SRCSEQ"],
        variable=source.variable,
        rule="a new anticancer therapy without a date",
        value=text(dateless, source.variable),
        action="not used",
    )


def clinical_progression(study: Study, sdtm: Sdtm, cutoff: date) -> pl.DataFrame:
    """Progression judged without imaging, up to the cutoff: CLPDDT and its origin; an optional fact."""
    picked = facts.pick(sdtm, study.sources.facts.get("clinical_progression"))
    return picked.select(
        "USUBJID",
        CLPDDT=dates.earliest(pl.col("value")),
        CLPDDOM="SRCDOM",
        CLPDVAR="SRCVAR",
        CLPDSEQ="SRCSEQ",
    ).filter(pl.col("CLPDDT") <= cutoff)
