"""Every subject whose best response or progression date needed a judgement, and the rule that decided.

    python scripts/judgements.py STUDY SDTM [--grouped | --counts] [--cutoff 2015-12-31]

STUDY is a folder or a bundled name. Each assessor is taken in turn, with responses as reported and as
computed from the lesions. A plain course (one reading, nothing unconfirmed, nothing missed) has no line.
``--grouped``: under each rule its subjects, those of the same readings together.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Iterator
from itertools import takewhile
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
BASES = ("reported", "computed")
QUESTIONS = ("best response", "progression date", "progression-free survival", "date")
SAID = {
    "cr_then_pr": "A partial response was recorded after a complete one: the first was partial.",
    "pr_after_confirmed_cr": "A partial response was recorded after a confirmed complete one, which stands.",
    "first_progression": "Something better was recorded after the first progression; it does not count.",
    "reported_or_computed": "The lesions give another first progression than was reported",
    "P1": "no baseline assessment and no death",
    "P2": "no baseline assessment, and death",
    "P5": "death after two or more missed scans, with no assessment before",
    "P8": "progression after two or more missed scans",
    "P10": "death after two or more missed scans",
    "P11": "another anticancer therapy before progression",
    "P13": "clinical progression before progression by imaging",
    "P16": "another anticancer therapy on the day of progression",
    "P18": "only assessments that could not be evaluated",
    "P19": "progression dated back to a lesion then equivocal",
}
"""What the rule words and cases (project rules 6.4) mean that ``medicine.recist`` does not say."""


def judgements(study: Study, sdtm: dict[str, pl.DataFrame], cutoff: dt.date) -> pl.DataFrame:
    """One row per subject, assessor, basis and question: what was answered and which rule decided."""
    parts = []
    for assessor in study.sources.assessors:
        for basis in BASES:
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
    twice, stands = pl.col("NOTE") == "CR_THEN_PR", pl.col("RULE") == "confirmed_cr"
    rule = (
        pl.when(twice & stands)
        .then(pl.lit("pr_after_confirmed_cr"))
        .when(twice)
        .then(pl.lit("cr_then_pr"))
        .otherwise("RULE")
    )
    why = rule.replace_strict(SAID, default=_sentence("RULE"), return_dtype=pl.String)
    return _line(odd, "best response", pl.col("AVALC"), rule, why)


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
    rules = (
        "an imaging date not known to the day",
        "different responses of one reader on one day",
        "one visit for scans too far apart to be one assessment",
    )
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


def by_rule(found: pl.DataFrame) -> Iterator[str]:
    """Lines of text: question, rule and number of subjects; then the subjects, by who judged."""
    short = _short(found["subject"].unique().to_list())
    readings = found.select("assessor", "basis").unique().rows()
    for question in QUESTIONS:
        asked = found.filter(pl.col("question") == question).with_columns(said=_said())
        rules = asked.group_by("rule", "said").agg(n=pl.col("subject").n_unique())
        for rule, said, n in rules.sort("n", "rule", "said", descending=[True, False, False]).rows():
            yield f"{question}: {said} [{rule}] ({n})"
            mine = asked.filter((pl.col("rule") == rule) & (pl.col("said") == said))
            by = mine.group_by("subject").agg(pl.struct("assessor", "basis").unique()).rows()
            whose: dict[str, list[str]] = {}
            for subject, those in sorted(by):
                who = _readings([(each["assessor"], each["basis"]) for each in those], readings)
                whose.setdefault(who, []).append(short[subject])
            yield from (f"  {who}: {' '.join(whose[who])}" for who in sorted(whose))


def _said() -> pl.Expr:
    """The sentence of the rule: its own, or that of its case, or what the line says."""
    case = pl.col("rule").str.extract(r":(P\d+)$")
    own = pl.coalesce(
        pl.col("rule").replace_strict(SAID, default=None, return_dtype=pl.String),
        case.replace_strict(SAID, default=None, return_dtype=pl.String),
        "why",
    )
    reason = pl.col("why").str.extract(r"^\S+ computed \(\w+\): (.*)$").fill_null(pl.col("why"))
    differ = pl.col("rule") == "reported_or_computed"
    return pl.when(differ).then(pl.format("{}: {}", own, reason)).otherwise(own)


def _readings(those: list[tuple[str, str]], every: list[tuple[str, str]]) -> str:
    """``INV IRC, IRC1 reported``: the assessors, with their basis where it is not both."""
    if set(those) == set(every):
        return "all"
    of = {who: [basis for name, basis in those if name == who] for who, _ in sorted(those)}
    both = [who for who, bases in of.items() if len(bases) == len(BASES)]
    one = [(basis, [who for who, bases in of.items() if bases == [basis]]) for basis in BASES]
    return ", ".join([" ".join(both)] * bool(both) + [f"{' '.join(w)} {b}" for b, w in one if w])


def _short(subjects: list[str]) -> dict[str, str]:
    """Without what all ids begin with, up to a hyphen."""
    parts = [subject.split("-") for subject in subjects]
    same = sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, zip(*parts, strict=False)))
    return {subject: "-".join(part[same:]) or subject for subject, part in zip(subjects, parts, strict=True)}


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("study")
    words.add_argument("sdtm", type=Path)
    words.add_argument("--cutoff", type=dt.date.fromisoformat, default=dt.date(2099, 12, 31))
    words.add_argument("--counts", action="store_true", help="numbers of subjects instead of lines")
    words.add_argument("--grouped", action="store_true", help="the subjects under each rule")
    given = words.parse_args()
    domains, _ = read.read(given.sdtm)
    found = judgements(load.load(load.folder(given.study)), dict(domains), given.cutoff)
    if given.grouped:
        sys.stdout.write("\n".join(by_rule(found)) + "\n")
        return
    if given.counts:
        grouped = found.group_by(["assessor", "basis", "question", "rule"]).agg(
            subjects=pl.col("subject").n_unique()
        )
        found = grouped.sort("assessor", "basis", "question", "rule")
    sys.stdout.write(found.write_csv(separator="\t"))


if __name__ == "__main__":
    main()
