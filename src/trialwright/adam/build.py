"""SDTM in, every analysis dataset out, and the findings made on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from trialwright.adam import adae, adex, adlb, adqs, adrs, adsl, adtr, adtte, response_endpoints
from trialwright.adam.adrs import Responses
from trialwright.adam.lesions import Lesions, lesions
from trialwright.adam.safety_common import Sdtm
from trialwright.adam.safety_reconcile import reconciled
from trialwright.standards import variables
from trialwright.standards.findings import concat
from trialwright.study.model import Study

ORDER = ("ADSL", "ADTR", "ADRS", "ADTTE", "ADTTEA", "ADAE", "ADLB", "ADQS", "ADEX")


@dataclass(frozen=True, slots=True)
class Derived:
    """What one derivation makes: the datasets and findings, and the lesions and responses behind them."""

    datasets: dict[str, pl.DataFrame]
    findings: pl.DataFrame
    seen: Lesions
    responses: Responses


def build(
    study: Study, sdtm: Sdtm, cutoff: date, dictionaries: Mapping[str, pl.DataFrame] | None = None
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The datasets by name, and the findings: ``derive`` for who needs no more."""
    derived = derive(study, sdtm, cutoff, dictionaries)
    return derived.datasets, derived.findings


def derive(
    study: Study, sdtm: Sdtm, cutoff: date, dictionaries: Mapping[str, pl.DataFrame] | None = None
) -> Derived:
    """The datasets by name, keys enforced and columns in the order of the standard; and the findings.

    ``dictionaries``: the user's CTCAE and MedDRA, as ``standards.dictionaries`` reads them.
    """
    subjects, found = adsl.build(study, sdtm, cutoff)
    seen, odd_lesions = lesions(study, sdtm, subjects, cutoff)
    responses_data, responses, odd_responses = adrs.build(study, sdtm, subjects, seen, cutoff)
    questionnaires, odd_forms = adqs.build(study, sdtm, subjects, cutoff)
    subjects = adsl.with_derived_flags(study, subjects, _members(study, seen, responses, questionnaires))
    clocks, odd_clocks = adtte.build(study, subjects, responses, questionnaires)
    others, odd_others = adtte.of_others(study, subjects, responses)
    clocks_of = {study.response.assessor: clocks} | {
        assessor: others.filter(pl.col("PARQUAL") == assessor) for assessor in responses.others
    }
    lasting = [
        response_endpoints.lasting_rows(study, subjects, frame, assessor)
        for assessor, frame in clocks_of.items()
    ]
    responses_data = pl.concat([responses_data, *lasting], how="vertical_relaxed")
    events, odd_events = adae.build(study, sdtm, subjects, cutoff, dictionaries or {})
    values, odd_values = adlb.build(study, sdtm, subjects, cutoff)
    laboratory, unreported = reconciled(study, values, events)
    exposure, odd_doses = adex.build(study, sdtm, subjects, cutoff)
    datasets = {
        "ADSL": subjects,
        "ADTR": adtr.build(study, seen, subjects),
        "ADRS": responses_data,
        "ADTTE": clocks,
        "ADAE": events,
        "ADLB": laboratory,
        "ADQS": questionnaires,
        "ADEX": exposure,
    }
    if others.height:
        datasets["ADTTEA"] = others
    shaped = {name: variables.keyed(datasets[name], name) for name in ORDER if name in datasets}
    faults = [found, odd_lesions, odd_responses, odd_forms, odd_clocks, odd_events, odd_values]
    faults += [unreported, odd_doses, odd_others]
    return Derived(shaped, concat(faults).unique(maintain_order=True), seen, responses)


def _members(
    study: Study, seen: Lesions, responses: Responses, questionnaires: pl.DataFrame
) -> dict[str, pl.Series]:
    """Who belongs to the populations that lesions, responses and questionnaires decide."""
    measurable = seen.course.filter(pl.col("baseline") & (pl.col("n_measured") > 0))
    best = responses.best[study.response.headline].filter(pl.col("best_response").is_in(["CR", "PR"]))
    scored = pl.col("AVAL").is_not_null()
    first = pl.col("ABLFL") == "Y"
    before = questionnaires.filter(scored & first).select("USUBJID").unique()
    after = questionnaires.filter(scored & pl.col("ABLFL").is_null() & (pl.col("ADY") > 0)).select("USUBJID")
    return {
        "randomised_measurable": measurable.get_column("subject").unique(),
        "responders": best.get_column("subject").unique(),
        "pro_evaluable": before.join(after, on="USUBJID", how="semi").get_column("USUBJID"),
    }
