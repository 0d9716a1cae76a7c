"""Who the patient is: arm, strata, populations, key dates, and the findings in the patient's data."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from trialwright.report.explain_words import Chapter, Grid, Line, Row, Rows, Said, Teller
from trialwright.report.language import in_a_sentence


def lead(told: Teller, rows: Rows) -> Iterator[str]:
    """A few sentences: arm, treatment, strata, site, populations."""
    facts = {row["NAME"]: row["VALUE"] for row in rows if row["KIND"] == "subject"}
    yield from _arm(told, facts)
    strata = [_stratum(told, row) for row in rows if row["KIND"] == "stratum"]
    if strata:
        yield told.joined(strata) + "."
    if {"SITEID", "COUNTRY", "AGE", "SEX"} <= facts.keys():
        sex = told.known(f"sex:{facts['SEX']}", facts["SEX"])
        age = facts["AGE"].removesuffix(".0")
        yield told("who", site=facts["SITEID"], country=facts["COUNTRY"], age=age, sex=sex)
    yield from _populations(told, rows)


def _arm(told: Teller, facts: dict[str, str]) -> Iterator[str]:
    planned, actual = facts.get("TRT01P"), facts.get("TRT01A")
    if planned is None:
        why = facts.get("SCRFREAS")
        yield told("not_randomised_why", reason=told.described(why)) if why else told("not_randomised")
        yield told("no_clock")
        return
    if actual == planned:
        yield told("randomised_and_treated", arm=told.arm(planned))
        return
    yield told("randomised_to", arm=told.arm(planned))
    if actual is None:
        why = facts.get("NTRTREAS")
        yield told("never_treated_why", reason=told.described(why)) if why else told("never_treated")
    else:
        yield told("treated_otherwise", arm=told.arm(actual))


def _stratum(told: Teller, row: Row) -> str:
    stratum = next(s for s in told.study.strata if s.id == row["NAME"])
    level = next((told.study.text(x.label) for x in stratum.levels if x.id == row["VALUE"]), row["VALUE"])
    return f"{told.study.text(stratum.label)}{told('colon')}{in_a_sentence(level or '–')}"


def _populations(told: Teller, rows: Rows) -> Iterator[str]:
    labels = {p.id: in_a_sentence(told.study.text(p.label)) for p in told.study.populations}
    members = {row["NAME"]: row["USED"] == "Y" for row in rows if row["KIND"] == "population"}
    inside = [label for id_, label in labels.items() if members.get(id_)]
    outside = [label for id_, label in labels.items() if members.get(id_) is False]
    if inside and not outside:
        yield told("counted_everywhere")
    elif len(inside) > len(outside):
        yield told("counted_but", names=", ".join(outside))
    elif inside:
        yield told("counted_in", names=", ".join(inside))


def dates(told: Teller, rows: Rows) -> Chapter:
    """The named dates in their order, each with the record it stands in."""
    found = sorted(
        (row for row in rows if row["KIND"] == "date" and row["DATE"] is not None),
        key=lambda row: (row["DATE"], row["ORDER"]),
    )
    lines = tuple(
        Line((told.day(row), row["DATE"].isoformat(), _named(told, row), told.record(row))) for row in found
    )
    heads = tuple(told(f"column_{name}") for name in ("day", "date", "what", "record"))
    blocks: list[Said | Grid] = [Grid(heads, lines)] if lines else []
    if any(row["KIND"] == "date" and row["REASON"] == "no_date" for row in rows):
        blocks.append(Said(told("death_undated")))
    return Chapter(told("key_dates"), tuple(blocks))


def _named(told: Teller, row: Row) -> str:
    said = told(f"date:{row['NAME']}")
    if row["VALUE"]:
        said += f"{told('colon')}{told.described(row['VALUE'])}"
    if row["WORD"]:
        flag = row["WORD"].removeprefix("imputed_")
        said += f" ({told.known(f'imputed:{flag}', told('imputed:other'))})"
    return f"{said} ({told('hidden')})" if row["USED"] == "N" else said


def about(told: Teller, findings: pl.DataFrame, subject: str) -> Chapter:
    """The findings whose row is this subject's."""
    mine = findings.filter(of_subject(subject))
    blocks = [
        Said(
            told(
                "done",
                rule=told.language.finding(row["rule"]),
                value=row["value"] or "–",
                action=told.language.finding(row["action"]),
            ),
            f"{row['dataset']}.{row['variable']}, {row['key']}".replace(f"USUBJID={subject}, ", "").replace(
                f", USUBJID={subject}", ""
            ),
        )
        for row in mine.iter_rows(named=True)
    ]
    return Chapter(told("findings"), tuple(blocks) or (Said(told("no_finding")),))


def of_subject(subject: str) -> pl.Expr:
    """Whether the key of a finding names this subject, and not one whose name begins alike."""
    key = pl.col("key") + ","
    return key.str.contains(f"USUBJID={subject},", literal=True)
