"""What is wrong with a site's data, as findings. Nothing is changed, nothing raises: rows stay as they are.

Each check takes a domain's name and frame and gives its faults; it looks only at variables that are there.
The tables of `standards` say which codes, limits and variables; a domain they do not know is still searched
for duplicate keys, orphans, impossible dates and ends before starts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import polars as pl

from trialwright.standards import dates, findings
from trialwright.standards.variables import Dataset, Limit, answers, codelist, datasets, limits


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """Rows that break a rule in one variable, the value to show of each, and what is done."""

    rows: pl.DataFrame
    variable: str
    rule: str
    value: pl.Expr
    action: str = "kept"


def check(sdtm: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """All findings of all domains, in order of domain, check and row.

    A row is named by subject and sequence number, or by whatever else is its dataset's key. Supplemental
    datasets are judged where they are merged, by `read`.
    """
    found: list[pl.DataFrame] = []
    for name in sorted(name for name in sdtm if not name.startswith("SUPP")):
        frame = sdtm[name]
        found.extend(_absent(name, frame))
        found.extend(_findings(name, fault) for one in _CHECKS for fault in one(name, frame))
        found.extend(_findings(name, fault) for fault in _orphans(frame, sdtm["DM"]))
    return findings.concat(found)


def _absent(domain: str, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for variable in _definition(domain).variables:
        if variable.required and variable.name not in frame.columns:
            rule = "required variable absent"
            yield findings.whole(domain, variable=variable.name, rule=rule, value="", action="kept")


def _orphans(frame: pl.DataFrame, dm: pl.DataFrame) -> Iterator[Fault]:
    if "USUBJID" in frame.columns and "USUBJID" in dm.columns:
        named = frame.filter(pl.col("USUBJID").is_not_null())
        orphans = named.join(dm, on="USUBJID", how="anti", maintain_order="left")
        action = "kept, ignored in derivation"
        yield Fault(orphans, "USUBJID", "subject is not in DM", pl.col("USUBJID"), action)


def _duplicate_keys(domain: str, frame: pl.DataFrame) -> Iterator[Fault]:
    key = _key(domain, frame)
    if key and key == list(_definition(domain).keys):
        action = "kept; the first row of the subject is used" if domain == "DM" else "kept"
        again = frame.filter(~pl.struct(key).is_first_distinct())
        yield Fault(again, key[-1], "duplicate key", pl.col(key[-1]), action)


def _other_domains(domain: str, frame: pl.DataFrame) -> Iterator[Fault]:
    if "DOMAIN" in frame.columns:
        yield Fault(
            frame.filter(pl.col("DOMAIN") != domain), "DOMAIN", "row of another domain", pl.col("DOMAIN")
        )


def _missing_values(domain: str, frame: pl.DataFrame) -> Iterator[Fault]:
    for variable in _definition(domain).variables:
        if variable.required and variable.name in frame.columns:
            silent = frame.filter(pl.col(variable.name).is_null())
            yield Fault(silent, variable.name, "missing required value", pl.lit(""))


def _missing_results(domain: str, frame: pl.DataFrame) -> Iterator[Fault]:
    """A finding without a result must say that it was not done."""
    names = [f"{domain}{suffix}" for suffix in ("ORRES", "STRESC", "STRESN", "STAT")]
    there = [name for name in names if name in frame.columns]
    if f"{domain}TESTCD" in frame.columns and there:
        silent = frame.filter(pl.all_horizontal(pl.col(there).is_null()))
        yield Fault(silent, f"{domain}STRESC", "no result, and not marked as not done", pl.lit(""))


def _impossible_dates(_: str, frame: pl.DataFrame) -> Iterator[Fault]:
    for name in (name for name in frame.columns if name.endswith("DTC")):
        text = pl.col(name)
        wrong = frame.filter(~dates.is_valid(text))
        no_day = dates.earliest(text).is_null()
        yield Fault(wrong.filter(no_day), name, "impossible date", text, "kept as text; read as missing")
        yield Fault(wrong.filter(~no_day), name, "impossible time", text, "kept as text; its day is used")


def _ends_before_starts(_: str, frame: pl.DataFrame) -> Iterator[Fault]:
    """Only where no reading of a partial date puts the end on or after the start."""
    for name in (name for name in frame.columns if name.endswith("STDTC")):
        other = f"{name.removesuffix('STDTC')}ENDTC"
        if other in frame.columns:
            start, end = pl.col(name), pl.col(other)
            by_day = dates.latest(end) < dates.earliest(start)
            by_time = dates.datetime(end) < dates.datetime(start)
            early = frame.filter(by_day | by_time)
            yield Fault(early, other, "end before start", pl.format("{} < {}", end, start))


def _unknown_codes(domain: str, frame: pl.DataFrame) -> Iterator[Fault]:
    for variable in _definition(domain).variables:
        if variable.codelist and variable.name in frame.columns:
            yield _outside(frame, variable.name, variable.codelist)
    test, result = f"{domain}TESTCD", f"{domain}STRESC"
    if test in frame.columns and result in frame.columns:
        for code, name in answers(domain).items():
            yield _outside(frame.filter((pl.col(test) == code) & _recist(domain, frame)), result, name)


def _outside(frame: pl.DataFrame, variable: str, name: str) -> Fault:
    text = pl.col(variable).cast(pl.String)
    return Fault(frame.filter(~text.is_in(codelist(name))), variable, f"unknown code (codelist {name})", text)


def _recist(domain: str, frame: pl.DataFrame) -> pl.Expr:
    """RS holds responses by many criteria; the answers we know are those of RECIST."""
    criteria = f"{domain}CAT"
    if domain != "RS" or criteria not in frame.columns:
        return pl.lit(True)
    return pl.col(criteria).cast(pl.String).str.contains("RECIST").fill_null(True)


def _outside_limits(domain: str, frame: pl.DataFrame) -> Iterator[Fault]:
    test, result = f"{domain}TESTCD", f"{domain}STRESN"
    if test in frame.columns and result in frame.columns:
        for limit in limits(domain):
            number = pl.col(result).cast(pl.Float64, strict=False)
            wrong = frame.filter(_under(limit, domain, frame) & ~_within(limit, number))
            yield Fault(wrong, result, f"outside {limit.words}", pl.col(result))


def _not_numbers(domain: str, frame: pl.DataFrame) -> Iterator[Fault]:
    """Text where the test has numbers, here or by nature; ``<5`` and ``>90`` are readings, not faults."""
    test, text, number = (f"{domain}{suffix}" for suffix in ("TESTCD", "STRESC", "STRESN"))
    if not {test, text, number} <= set(frame.columns):
        return
    said = pl.col(text).cast(pl.String)
    wordy = pl.col(number).is_null() & said.is_not_null() & ~said.str.contains(r"^\s*[<>]")
    mostly_numbers = pl.col(number).is_not_null().mean().over(test) > 0.5
    for limit in limits(domain):
        wrong = frame.filter(_under(limit, domain, frame) & wordy & (mostly_numbers | limit.whole))
        yield Fault(wrong, number, "number expected", said)


def _read_twice(domain: str, frame: pl.DataFrame) -> Iterator[Fault]:
    """A reader says one thing of a lesion, or of the response, on a day."""
    what = [f"{domain}{suffix}" for suffix in _ONE_READING.get(domain, ())]
    if not what or not {"USUBJID", *what} <= set(frame.columns):
        return
    reader = [name for name in (f"{domain}CAT", f"{domain}EVAL", f"{domain}EVALID") if name in frame.columns]
    again = ~pl.struct("USUBJID", *what, *reader).is_first_distinct()
    named = pl.all_horizontal(pl.col(what).is_not_null())
    rows = frame.filter(named & again)
    result = next((name for name in (f"{domain}STRESC", f"{domain}ORRES") if name in frame.columns), what[0])
    yield Fault(rows, result, "more than one reading of a day", pl.col(result))


def _under(limit: Limit, domain: str, frame: pl.DataFrame) -> pl.Expr:
    """Whether a row's test is one the limit speaks of."""
    code = pl.col(f"{domain}TESTCD").cast(pl.String)
    tests = code.str.contains(limit.testcd) & ~code.str.contains(limit.excepted)
    if not limit.category:
        return tests
    category = f"{domain}CAT"
    if category not in frame.columns:
        return pl.lit(False)
    return tests & pl.col(category).cast(pl.String).str.contains(limit.category, literal=True)


def _within(limit: Limit, number: pl.Expr) -> pl.Expr:
    low = pl.lit(True) if limit.low is None else number >= limit.low
    high = pl.lit(True) if limit.high is None else number <= limit.high
    whole = number == number.round() if limit.whole else pl.lit(True)
    return low & high & whole


_CHECKS: Final[tuple[Callable[[str, pl.DataFrame], Iterator[Fault]], ...]] = (
    _duplicate_keys,
    _other_domains,
    _missing_values,
    _missing_results,
    _impossible_dates,
    _ends_before_starts,
    _unknown_codes,
    _outside_limits,
    _not_numbers,
    _read_twice,
)
_ONE_READING: Final[Mapping[str, tuple[str, ...]]] = {
    "TR": ("TESTCD", "LNKID", "DTC"),
    "RS": ("TESTCD", "DTC"),
}


def _definition(domain: str) -> Dataset:
    """What the dictionary says; of an unknown domain, that subject and sequence number are its key."""
    return datasets("sdtm").get(domain) or Dataset(domain, "", ("USUBJID", f"{domain}SEQ"), ())


def _key(domain: str, frame: pl.DataFrame) -> list[str]:
    return [name for name in _definition(domain).keys if name in frame.columns]


def _findings(domain: str, fault: Fault) -> pl.DataFrame:
    if fault.rows.is_empty():
        return findings.empty()
    return findings.findings(
        fault.rows,
        dataset=domain,
        key=_key(domain, fault.rows) or fault.rows.columns[:1],
        variable=fault.variable,
        rule=fault.rule,
        value=fault.value,
        action=fault.action,
    )
