"""The records of LB as ADLB takes them: of known subjects, dated, in the order of the key, in SI units.

A million records hold few different texts. Subjects and tests are therefore compared as whole numbers (the
places of an Enum in alphabetical order), dates and units are read once for each different text, and what
belongs to a subject is gathered by the subject's place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final, get_args

import polars as pl

from trialwright.adam.safety_common import Sdtm, domain, flag, goes_on
from trialwright.medicine.units import coded, conversions, to_si
from trialwright.standards import dates
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study
from trialwright.study.words import LaboratoryResult

_TEXT: Final = (
    *("USUBJID", "LBTESTCD", "LBTEST", "LBCAT", "LBSPEC", "LBORRES", "LBORRESU", "LBSTRESC", "LBSTRESU"),
    *("LBORNRLO", "LBORNRHI", "LBFAST", "LBDTC", "VISIT"),
)
_NUMBERS: Final = ("LBSTRESN", "LBSTNRLO", "LBSTNRHI")
_LB: Final = pl.Schema(
    {"LBSEQ": pl.Int64()} | {name: pl.String() for name in _TEXT} | {name: pl.Float64() for name in _NUMBERS}
)

_OWN: Final = {"own": "LBORRES", "own_low": "LBORNRLO", "own_high": "LBORNRHI"}
_CONVERSION: Final = 0.01
"""How far apart two conversions of one result may lie, as a part of it."""
_DAYS: Final = 2**22
"""More than the days of the years 0 to 9999."""


def records(study: Study, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """LB up to the cutoff in the order of ADLB's key; findings about subjects and results that disagree.

    Adds ``row``, ``series`` (subject and test), ADT, ADTM, what ``_in_si`` and ``_placed`` say. USUBJID and
    PARAMCD are Enums.
    """
    there = domain(sdtm, "LB", _LB)
    subjects = adsl.drop_nulls("USUBJID").unique("USUBJID").sort("USUBJID")
    named = there.with_columns(
        pl.col("USUBJID").cast(pl.Enum(subjects["USUBJID"]), strict=False),
        _alphabetical(there["LBTESTCD"]).alias("PARAMCD"),
    )
    strangers = _strangers(there.filter(named["USUBJID"].is_null()))
    dated = named.drop("LBTESTCD").hstack(_once(there["LBDTC"], _dates).get_columns())
    kept = dated.filter(pl.col("USUBJID").is_not_null(), (pl.col("earliest") <= cutoff).fill_null(True))
    chosen = kept.drop("earliest").with_columns(_chosen(kept, study.laboratory.result))
    found = concat([strangers, _disagreeing(chosen)])
    return _placed(_in_order(_in_si(chosen)), subjects, study), found


def words(column: pl.Series) -> pl.Series:
    """The texts of an Enum: gathered, which is several times as fast as its cast."""
    return _categories(column).gather(column.to_physical()).alias(column.name)


def places(column: pl.Series) -> int:
    """How many texts an Enum has, and one place more for null."""
    return _categories(column).len() + 1


def _categories(column: pl.Series) -> pl.Series:
    if not isinstance(column.dtype, pl.Enum):
        raise TypeError(f"{column.name} is {column.dtype}, not an Enum")
    return column.dtype.categories


def _alphabetical(texts: pl.Series) -> pl.Series:
    return texts.cast(pl.Enum(texts.unique().drop_nulls().sort()))


def _once(texts: pl.Series, read: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    """What is read from each different text, spread over the column."""
    place, different = coded(texts)
    return read(different).select(pl.all().gather(place))


def _dates(texts: pl.Series) -> pl.DataFrame:
    text = pl.col("LBDTC")
    return (
        texts.alias("LBDTC")
        .to_frame()
        .select(ADT=dates.complete(text), ADTM=dates.datetime(text), earliest=dates.earliest(text))
    )


def _strangers(unknown: pl.DataFrame) -> pl.DataFrame:
    return findings(
        unknown,
        dataset="LB",
        key=["USUBJID", "LBSEQ"],
        variable="USUBJID",
        rule="the subject is not in ADSL",
        value="USUBJID",
        action="record left out",
    )


def _chosen(records: pl.DataFrame, result: LaboratoryResult) -> list[pl.Series]:
    """``original``: the result as it was collected is analysed. With its number and limits, in its own unit.

    Standard results are rounded: 11.5 g/dL of haemoglobin and a limit of 11.5 may stand as 7.1369 and 7.14
    mmol/L, and the value is then below its limit. A value and its limits are therefore of one side. Where
    the original side lacks a number, a known unit or a limit that the standard side has, the standard result
    is analysed, if there is one.
    """
    own = [_once(records[said], _plain).to_series().alias(name) for name, said in _OWN.items()]
    number, low, high = own
    pair, factors = conversions(records["PARAMCD"], records["LBORRESU"])
    whole = pl.all_horizontal(
        number.is_not_null(),
        factors["si_unit"].is_not_null().gather(pair),
        pl.col("LBSTNRLO").is_null() | low.is_not_null(),
        pl.col("LBSTNRHI").is_null() | high.is_not_null(),
    )
    alone = pl.col("LBSTRESN").is_null() & pl.col("LBSTRESC").is_null()
    return [records.select(original=alone | (whole & (result == "original"))).to_series(), *own]


def _disagreeing(records: pl.DataFrame) -> pl.DataFrame:
    """A finding where the standard result is not the original one in another unit, rounded.

    Allowed are half of its last digit, and ``_CONVERSION`` for another molar mass.
    """
    same = pl.col("own").eq_missing(pl.col("LBSTRESN")) & pl.col("LBORRESU").eq_missing(pl.col("LBSTRESU"))
    asked = records.filter(~same, pl.col("own").is_not_null(), pl.col("LBSTRESN").is_not_null()).with_columns(
        pl.col("PARAMCD").cast(pl.String).alias("test")
    )
    original = to_si(asked.with_columns(unit="LBORRESU"), ("own",))["si_own"]
    shown = pl.coalesce("LBSTRESC", pl.col("LBSTRESN").cast(pl.String).str.strip_suffix(".0"))
    decimals = shown.str.extract(r"\.(\d+)").str.len_chars().fill_null(0)
    standard = to_si(
        asked.with_columns(unit="LBSTRESU", half=0.5 * pl.lit(0.1).pow(decimals)), ("LBSTRESN", "half")
    )
    apart = (pl.col("si_LBSTRESN") - original).abs()
    allowed = pl.max_horizontal(pl.col("si_half") * (1 + _CONVERSION), original.abs() * _CONVERSION)
    odd = standard.filter(apart > allowed)
    return concat(
        findings(
            odd.filter(pl.col("original") == (used == "original")),
            dataset="LB",
            key=["USUBJID", "LBSEQ"],
            variable="LBSTRESN",
            rule="the standard result is not the original one in another unit",
            value=pl.format("{}{}, {}{}", "LBORRES", _unit("LBORRESU"), shown, _unit("LBSTRESU")),
            action=f"the {used} result is analysed",
        )
        for used in get_args(LaboratoryResult)
    )


def _unit(column: str) -> pl.Expr:
    return pl.format(" {}", column).fill_null("")


def _in_si(records: pl.DataFrame) -> pl.DataFrame:
    """AVAL, AVALU, ANRLO and ANRHI in SI units, of the result that is analysed.

    ``<5`` is 5 and marked ``censored``; a text without a number is ``worded``; an unknown unit leaves the
    numbers as they are, marked ``foreign``.
    """

    def of(original: str, standard: str) -> pl.Expr:
        return pl.when("original").then(original).otherwise(standard)

    number = of("own", "LBSTRESN")
    told = records.select(
        said=pl.when(number.is_null()).then(of("LBORRES", "LBSTRESC")), unit=of("LBORRESU", "LBSTRESU")
    )
    read = _once(told["said"], _number)
    pair, factors = conversions(records["PARAMCD"], told["unit"])
    known = factors.select(
        pl.col("times", "over").fill_null(1),
        foreign=pl.col("si_unit").is_null(),
        AVALU=pl.coalesce("si_unit", "unit"),
    )
    unit = known.with_columns(_alphabetical(known["AVALU"])).select(pl.all().gather(pair))

    def si(number: pl.Expr) -> pl.Expr:
        return number * unit["times"] / unit["over"]

    value = pl.coalesce(number, read["number"])
    return records.select(
        *("USUBJID", "PARAMCD", "LBSEQ", "LBTEST", "LBCAT", "VISIT", "LBDTC", "ADT", "ADTM"),
        told["said"],
        read["censored"],
        unit["foreign"],
        unit["AVALU"],
        value=value,
        worded=value.is_null() & told["said"].is_not_null(),
        urine=pl.col("LBSPEC").eq_missing("URINE") | pl.col("LBCAT").eq_missing("URINALYSIS"),
        undated=pl.col("ADT").is_null(),
        fasting=pl.col("LBFAST") == "Y",
        AVAL=si(value),
        ANRLO=si(of("own_low", "LBSTNRLO")),
        ANRHI=si(of("own_high", "LBSTNRHI")),
        SRCVAR=pl.when("original")
        .then(pl.lit("LBORRES"))
        .when(pl.col("LBSTRESN").is_null())
        .then(pl.lit("LBSTRESC"))
        .otherwise(pl.lit("LBSTRESN")),
    )


def _number(texts: pl.Series) -> pl.DataFrame:
    """The number in a text such as ``5`` or ``<5``, and whether it is only a bound."""
    spoken = pl.col("said").str.strip_chars()
    read = spoken.str.replace(r"^[<>]=?\s*", "").cast(pl.Float64, strict=False)
    number = pl.when(read.is_finite()).then(read)
    return (
        texts.alias("said")
        .to_frame()
        .select(
            number=number,
            censored=spoken.str.contains("^[<>]").fill_null(False) & number.is_not_null(),
        )
    )


def _plain(texts: pl.Series) -> pl.DataFrame:
    """The number that a text is; null for a bound or a word."""
    number = texts.str.strip_chars().cast(pl.Float64, strict=False)
    return number.set(~number.is_finite(), None).to_frame()


def _in_order(records: pl.DataFrame) -> pl.DataFrame:
    """In the order of the key, numbered by ``row``, with ``series``: one number for subject and test.

    Subject, test and day make one whole number, so that one column is sorted instead of four. LBSEQ is left
    to the order of the file, which commonly has it within each subject; where it has not, both are sorted.
    """
    subject = pl.col("USUBJID").to_physical().cast(pl.Int64)
    tests = places(records["PARAMCD"])
    day = pl.col("ADT").to_physical().cast(pl.Int64) + _DAYS // 4
    numbered = records.with_columns(
        series=subject * tests + pl.col("PARAMCD").to_physical().cast(pl.Int64).fill_null(tests - 1)
    ).with_columns(key=pl.col("series") * _DAYS + day.fill_null(_DAYS - 1))
    ordered = numbered.sort("key", maintain_order=True)
    sequence, key = pl.col("LBSEQ"), pl.col("key")
    in_sequence = (sequence >= sequence.shift()) | (key != key.shift())
    if not ordered.select(in_sequence.fill_null(False).slice(1).all()).item():
        ordered = ordered.sort("key", "LBSEQ", nulls_last=True, maintain_order=True)
    return ordered.drop("key").with_columns(pl.col("series").set_sorted()).with_row_index("row")


def _placed(values: pl.DataFrame, subjects: pl.DataFrame, study: Study) -> pl.DataFrame:
    """With TRT01A, SAFFL and TRTSDT; ``after`` the first dose or not, and on treatment or not.

    A day without a time is before its dose.
    """
    last = pl.col("TRTEDT") + pl.duration(days=study.adverse_events.window_days)
    of_subject = subjects.select(
        "TRT01A",
        "TRTSDT",
        "TRTSDTM",
        SAFFL=flag(pl.col("TRTSDT").is_not_null()),
        until=pl.when(~goes_on(study)).then(last),
    )
    dated = values.hstack(of_subject.select(pl.all().gather(values["USUBJID"].to_physical())).get_columns())
    both_timed = pl.col("ADTM").is_not_null() & pl.col("TRTSDTM").is_not_null()
    after = (
        pl.when(both_timed)
        .then(pl.col("ADTM") > pl.col("TRTSDTM"))
        .otherwise(pl.col("ADT") > pl.col("TRTSDT"))
    )
    within = (pl.col("ADT") <= pl.col("until")).fill_null(True)
    return (
        dated.with_columns(after=after)
        .with_columns(ONTRTFL=flag(pl.col("after") & within))
        .drop("TRTSDTM", "until")
    )
