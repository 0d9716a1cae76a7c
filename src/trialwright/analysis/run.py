"""Walk the study's analyses in order; one implementation for each word of a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from trialwright.analysis.baseline import ANALYSIS as BASELINE
from trialwright.analysis.baseline import baseline
from trialwright.analysis.competing import competing_risks
from trialwright.analysis.exposure import exposure
from trialwright.analysis.flow import ANALYSIS as FLOW
from trialwright.analysis.flow import flow
from trialwright.analysis.interim import interim
from trialwright.analysis.laboratory import laboratory
from trialwright.analysis.population import members
from trialwright.analysis.quality_of_life import questionnaire
from trialwright.analysis.repeated import change_over_visits
from trialwright.analysis.response import proportion
from trialwright.analysis.rows import Adam, Address
from trialwright.analysis.subgroups import subgroups
from trialwright.analysis.supporting import supporting
from trialwright.analysis.time_to_event import duration, time_to_event
from trialwright.analysis.toxicity import toxicity
from trialwright.standards import results
from trialwright.standards.results import Result, rows_to_frame
from trialwright.study.model import Analysis, Study


@dataclass(frozen=True, slots=True)
class Method:
    dataset: str
    compute: Callable[[Study, Adam, Analysis], pl.DataFrame]


METHODS: Final[Mapping[str, Method]] = {
    "time_to_event": Method("ADTTE", time_to_event),
    "duration": Method("ADTTE", duration),
    "proportion": Method("ADRS", proportion),
    "toxicity": Method("ADAE", toxicity),
    "questionnaire": Method("ADQS", questionnaire),
    "mmrm": Method("ADQS", change_over_visits),
    "exposure": Method("ADEX", exposure),
    "laboratory": Method("ADLB", laboratory),
    "supporting": Method("ADTTE", supporting),
    "subgroups": Method("ADTTE", subgroups),
    "competing_risks": Method("ADTTE", competing_risks),
    "interim": Method("ADTTE", interim),
}


def run(study: Study, adam: Adam) -> pl.DataFrame:
    """All results of the study, one row per number; then BASELINE and FLOW.

    ``adam``: the analysis datasets by name. One that an analysis needs and that is absent or empty becomes
    a row that says so. Raises ValueError where an analysis does not fit its method.
    """
    parts = [_analysis(study, adam, analysis) for analysis in study.analyses]
    for name, table in ((BASELINE, baseline), (FLOW, flow)):
        missing = _missing(adam, "ADSL")
        parts.append(_gap(Address(name), missing) if missing else table(study, adam))
    return results.concat(parts)


def _analysis(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    method = METHODS[analysis.method]
    adam = _as_read(adam, analysis)
    address = Address(analysis.id, analysis.population, analysis.endpoint or "")
    missing = _missing(adam, "ADSL") or _missing(adam, method.dataset)
    if missing:
        whose = f" as {analysis.assessor} read it" if analysis.assessor else ""
        return _gap(address, missing + whose)
    return results.concat(
        [method.compute(study, adam, analysis), rows_to_frame(_without_arm(study, adam, address))]
    )


def _as_read(adam: Adam, analysis: Analysis) -> Adam:
    """With the clocks of the analysis's assessor in place of the study's, where it names one."""
    if analysis.assessor is None or "ADTTE" not in adam:
        return adam
    theirs = adam.get("ADTTEA", adam["ADTTE"].clear().with_columns(PARQUAL=pl.lit(None, dtype=pl.String)))
    return {**adam, "ADTTE": theirs.filter(pl.col("PARQUAL") == analysis.assessor)}


def _missing(adam: Adam, dataset: str) -> str:
    if dataset not in adam:
        return f"{dataset} is absent"
    return f"{dataset} has no rows" if adam[dataset].is_empty() else ""


def _gap(address: Address, why: str) -> pl.DataFrame:
    return rows_to_frame([address.number("n", None, note=why)])


def _without_arm(study: Study, adam: Adam, address: Address) -> list[Result]:
    """Members of the population who are in no column, counted."""
    n = members(study, adam, address.population)["group"].null_count()
    note = "in the population, but their arm is not one of the study's: in no column"
    return [address.number("n_without_arm", n, note=note)] if n else []
