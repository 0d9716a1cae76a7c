"""Every subject whose best response or progression date needed a judgement, and the rule that decided.

    python scripts/judgements.py STUDY SDTM [--counts] [--cutoff 2015-12-31]

STUDY is a folder or a bundled name. Each assessor is taken in turn, with responses as reported and as
computed from the lesions. A plain course (one reading, nothing unconfirmed, nothing missed) has no line.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

import polars as pl

from trialwright.adam import build
from trialwright.medicine.recist import SENTENCES
from trialwright.sdtm import read
from trialwright.study import load
from trialwright.study.model import Study

PLAIN = ("confirmed_cr", "confirmed_pr", "stable", "progression", "non_target_left", "early_death")
SILENT = ("no_assessment",)
LINE = ["assessor", "basis", "subject", "question", "answer", "rule", "why"]


def judgements(study: Study, sdtm: dict[str, pl.DataFrame], cutoff: dt.date) -> pl.DataFrame:
    """One row per subject, assessor, basis and question: what was answered and which rule decided."""
    parts = []
    for assessor in study.sources.assessors:
        for basis in ("reported", "computed"):
            changed = study.response.model_copy(update={"assessor": assessor.id, "basis": basis})
            datasets, found = build.build(study.model_copy(update={"response": changed}), sdtm, cutoff)
            adrs = datasets["ADRS"].filter(pl.col("PARQUAL") == assessor.id)
            rows = [
                _best(adrs),
                _progression(adrs),
                _after_progression(adrs),
                _missed(datasets["ADTTE"], adrs),
            ]
            rows.append(_imprecise(found, adrs))
            if basis == "computed":
                rows.append(_between(adrs))
            parts += [row.with_columns(assessor=pl.lit(assessor.id), basis=pl.lit(basis)) for row in rows]
    return pl.concat([part.select(LINE) for part in parts]).unique(maintain_order=True).sort(LINE[:4])


def _line(frame: pl.DataFrame, question: str, answer: pl.Expr, rule: pl.Expr, why: pl.Expr) -> pl.DataFrame:
    return frame.select(subject="USUBJID", question=pl.lit(question), answer=answer, rule=rule, why=why).cast(
        pl.String
    )


def _sentence(rule: str) -> pl.Expr:
    return pl.col(rule).replace_strict(SENTENCES, default=pl.col(rule), return_dtype=pl.String)


def _best(adrs: pl.DataFrame) -> pl.DataFrame:
    best = adrs.filter(pl.col("PARAMCD") == "BORC")
    odd = best.filter(~pl.col("RULE").is_in([*PLAIN, *SILENT]) | (pl.col("NOTE") == "CR_THEN_PR"))
    corrected = pl.lit("a partial response was recorded after a complete one: the first was partial")
    why = pl.when(pl.col("NOTE") == "CR_THEN_PR").then(corrected).otherwise(_sentence("RULE"))
    return _line(odd, "best response", pl.col("AVALC"), pl.col("RULE"), why)


def _progression(adrs: pl.DataFrame) -> pl.DataFrame:
    """A first progression dated back, or shown by other than the sum of the targets."""
    first = _first_progression(adrs)
    odd = first.filter(pl.col("RULE").is_in(["new_lesion_backdated", "non_target_pd", "new_lesion"]))
    return _line(odd, "progression date", pl.col("ADT"), pl.col("RULE"), _sentence("RULE"))


def _first_progression(adrs: pl.DataFrame, paramcd: str = "OVRLRESP") -> pl.DataFrame:
    shown = adrs.filter((pl.col("PARAMCD") == paramcd) & (pl.col("AVALC") == "PD"))
    return shown.sort("ADT").unique("USUBJID", keep="first", maintain_order=True)


def _after_progression(adrs: pl.DataFrame) -> pl.DataFrame:
    """Something better than progression was recorded after it and does not count."""
    first = _first_progression(adrs).select("USUBJID", first="ADT")
    later = (
        adrs.filter(pl.col("PARAMCD") == "OVRLRESP")
        .join(first, on="USUBJID")
        .filter((pl.col("ADT") > pl.col("first")) & pl.col("AVALC").is_in(["CR", "PR", "SD"]))
        .group_by("USUBJID", "first")
        .agg(words=pl.col("AVALC").unique().sort().str.join(", "))
    )
    why = pl.format("{} recorded after the first progression, not counted", "words")
    return _line(later, "progression date", pl.col("first"), pl.lit("first_progression"), why)


def _missed(adtte: pl.DataFrame, adrs: pl.DataFrame) -> pl.DataFrame:
    """Cases of the project rules 6.4 other than the plain ones, of those who were assessed at all."""
    assessed = adrs.filter(pl.col("AVISITN") > 0).select("USUBJID").unique()
    odd = adtte.join(assessed, on="USUBJID", how="semi").filter(
        (pl.col("PARCAT1") == "PFS") & pl.col("RULE").str.contains(r":(P1|P2|P5|P8|P10|P11|P13|P16|P18|P19)$")
    )
    why = pl.coalesce("EVNTDESC", "CNSDTDSC")
    return _line(odd, "progression-free survival", pl.col("ADT"), pl.col("RULE"), why)


def _imprecise(found: pl.DataFrame, adrs: pl.DataFrame) -> pl.DataFrame:
    rules = ("an imaging date not known to the day", "different responses of one reader on one day")
    odd = found.filter(pl.col("rule").is_in(rules)).with_columns(
        USUBJID=pl.col("key").str.extract(r"USUBJID=([^,]+)")
    )
    odd = odd.join(adrs.select("USUBJID").unique(), on="USUBJID", how="semi")
    return _line(odd, "date", pl.col("value"), pl.col("rule"), pl.col("action")).unique(maintain_order=True)


def _between(adrs: pl.DataFrame) -> pl.DataFrame:
    """Reported and computed responses that lead to another first progression, and what explains it."""
    reported, computed = (
        _first_progression(adrs, name).select("USUBJID", ADT=pl.col("ADT")) for name in ("OVRLR", "OVRLC")
    )
    notes = (
        adrs.filter((pl.col("PARAMCD") == "OVRLR") & pl.col("NOTE").is_not_null())
        .sort("ADT")
        .unique("USUBJID", keep="first", maintain_order=True)
        .select("USUBJID", "NOTE")
    )
    said = adrs.filter(pl.col("PARAMCD") == "OVRLR").select("USUBJID").unique()
    both = (
        reported.join(computed, on="USUBJID", how="full", coalesce=True, suffix="_computed")
        .join(said, on="USUBJID", how="semi")
        .filter(pl.col("ADT").ne_missing(pl.col("ADT_computed")))
        .join(notes, on="USUBJID", how="left")
    )
    none = pl.lit("none")
    answer = pl.format(
        "reported {}, computed {}",
        pl.col("ADT").cast(pl.String).fill_null(none),
        pl.col("ADT_computed").cast(pl.String).fill_null(none),
    )
    why = pl.col("NOTE").fill_null("the same response, dated by the scan that shows it")
    return _line(both, "progression date", answer, pl.lit("reported_or_computed"), why)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("study")
    words.add_argument("sdtm", type=Path)
    words.add_argument("--cutoff", type=dt.date.fromisoformat, default=dt.date(2099, 12, 31))
    words.add_argument("--counts", action="store_true", help="numbers of subjects instead of lines")
    given = words.parse_args()
    domains, _ = read.read(given.sdtm)
    found = judgements(load.load(load.folder(given.study)), dict(domains), given.cutoff)
    if given.counts:
        grouped = found.group_by(["assessor", "basis", "question", "rule"]).agg(
            subjects=pl.col("subject").n_unique()
        )
        found = grouped.sort("assessor", "basis", "question", "rule")
    sys.stdout.write(found.write_csv(separator="\t"))


if __name__ == "__main__":
    main()
