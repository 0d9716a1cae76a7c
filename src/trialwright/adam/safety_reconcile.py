"""Laboratory values against the events that sites report (project rules 4.4, 12 and end).

Two sources, never made one of the other: what does not agree is a finding for the site.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from trialwright.medicine.ctcae_course import hys_law
from trialwright.medicine.ctcae_terms import lab_events, term_key, term_keys
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study

SEVERE: Final = 3
_SIDES: Final = {"L": ("low", "ATOXGRL"), "H": ("high", "ATOXGRH")}
_SERIES: Final = ["USUBJID", "PARAMCD", "side"]


def reconciled(study: Study, adlb: pl.DataFrame, adae: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """ADLB with AEFL, and findings.

    AEFL: on a value of grade 3 or more on treatment, whether an event of one of its terms lies within so many
    days (Y, N); null elsewhere. One finding for each subject, test and direction without an event, and one
    for each subject in the range of Hy's law.
    """
    numbered = adlb.with_row_index("row")
    severe = _severe(numbered, study)
    told = _told(severe, adae, study.laboratory.events_within_days)
    silent = severe.filter(~pl.col("row").is_in(told.implode()))
    flag = pl.repeat(None, adlb.height, dtype=pl.String, eager=True)
    flag = flag.scatter(silent["row"], "N").scatter(told, "Y").alias("AEFL")
    return adlb.with_columns(flag), concat([_unreported(silent), _liver(adlb)])


def _severe(adlb: pl.DataFrame, study: Study) -> pl.DataFrame:
    """On-treatment values of grade 3 or more whose test and direction have terms, with the list of them."""
    extra = [(*key.split(" "), term_) for key, terms in study.laboratory.events.items() for term_ in terms]
    own = pl.DataFrame(extra, schema={"test": pl.String, "side": pl.String, "term": pl.String}, orient="row")
    version: Any = study.laboratory.criteria
    sides = {letter: side for letter, (side, _) in _SIDES.items()}
    shipped = lab_events(version).with_columns(side=pl.col("direction").replace_strict(sides))
    known = (
        pl.concat([shipped.select("test", "side", "term"), own])
        .group_by("test", "side")
        .agg(terms=term_key(pl.col("term")))
    )
    values = pl.concat(
        adlb.lazy()
        .filter(pl.col(grade) >= SEVERE, pl.col("ONTRTFL") == "Y")
        .select("row", "USUBJID", "PARAMCD", "ADT", "SRCSEQ", grade=pl.col(grade), side=pl.lit(side))
        .collect()
        for side, grade in _SIDES.values()
    )
    return values.join(known, left_on=["PARAMCD", "side"], right_on=["test", "side"], how="inner")


def _told(severe: pl.DataFrame, adae: pl.DataFrame, days: int) -> pl.Series:
    """The rows whose day lies in an event of one of their terms, or within so many days of it."""
    reach = pl.duration(days=days)
    dated = adae.filter(pl.col("ASTDT").is_not_null())
    events = dated.select(
        "USUBJID",
        begins=pl.col("ASTDT") - reach,
        ends=pl.col("AENDT") + reach,
        event=pl.concat_list(term_keys(dated["AEDECOD"]), term_keys(dated["AETERM"])),
    )
    inside = pl.col("ADT").is_between("begins", pl.coalesce("ends", "ADT"))
    named = pl.col("terms").list.set_intersection("event").list.len() > 0
    return severe.join(events, on="USUBJID").filter(inside & named)["row"].unique()


def _unreported(silent: pl.DataFrame) -> pl.DataFrame:
    one = silent.sort("ADT", "SRCSEQ").group_by(_SERIES, maintain_order=True).agg(
        pl.col("ADT").first(), pl.col("grade").max(), n=pl.len(), LBSEQ=pl.col("SRCSEQ").first()
    )  # fmt: skip
    return findings(
        one.sort(*_SERIES),
        dataset="LB",
        key=["USUBJID", "LBSEQ"],
        variable="LBSTRESN",
        rule=f"grade {SEVERE} or more by its value, and no adverse event near it",
        value=pl.format("{} {}: {} values, worst grade {}, first {}", "PARAMCD", "side", "n", "grade", "ADT"),
        action="no event made of it",
    )


def _liver_values(adlb: pl.DataFrame) -> pl.DataFrame:
    """On-treatment values in the shape that ``hys_law`` takes."""
    liver = pl.col("PARAMCD").is_in(["ALT", "AST", "BILI", "ALP"])
    return (
        adlb.lazy()
        .filter(liver, pl.col("ONTRTFL") == "Y", pl.col("ADT").is_not_null())
        .select(
            subject="USUBJID",
            day=pl.col("ADT").to_physical().cast(pl.Int64),
            test="PARAMCD",
            value="AVAL",
            uln="ANRHI",
        )
        .collect()
    )


def _liver(adlb: pl.DataFrame) -> pl.DataFrame:
    pairs = hys_law(_liver_values(adlb)).filter("hys_law").sort("subject")
    low = pl.col("alp_low").replace_strict(
        {True: "alkaline phosphatase below 2 x ULN", False: "alkaline phosphatase not below 2 x ULN"},
        default="alkaline phosphatase not measured",
        return_dtype=pl.String,
    )
    return findings(
        pairs.rename({"subject": "USUBJID"}),
        dataset="LB",
        key=["USUBJID"],
        variable="LBSTRESN",
        rule="ALT or AST at 3 x ULN and bilirubin at 2 x ULN within 30 days (Hy's law)",
        value=pl.format(
            "{} on {}", low, pl.max_horizontal("transaminase_day", "bilirubin_day").cast(pl.Date)
        ),
        action="for medical review",
    )
