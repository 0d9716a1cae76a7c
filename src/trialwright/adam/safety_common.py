"""What the safety and questionnaire datasets share: columns that may be absent, subjects, flags, doses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import polars as pl

from trialwright.standards import dates
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study

Sdtm = Mapping[str, pl.DataFrame]

#: Administrations a day, where a record spans several days (CDISC terminology FREQ).
PER_DAY: Final = {"QD": 1, "BID": 2, "TID": 3, "QID": 4}

_EX: Final = pl.Schema(
    {
        "USUBJID": pl.String(),
        "EXSEQ": pl.Int64(),
        "EXTRT": pl.String(),
        "EXDOSE": pl.Float64(),
        "EXDOSU": pl.String(),
        "EXDOSFRQ": pl.String(),
        "EXOCCUR": pl.String(),
        "EXSTDTC": pl.String(),
        "EXENDTC": pl.String(),
    }
)


def domain(sdtm: Sdtm, name: str, wanted: pl.Schema) -> pl.DataFrame:
    """The wanted columns of a domain; a column or a domain that is absent is null or empty."""
    there = sdtm.get(name, pl.DataFrame(schema=wanted))
    return there.select(
        text(there, column) if dtype == pl.String else _number(there, column, dtype)
        for column, dtype in wanted.items()
    )


def text(frame: pl.DataFrame, column: str) -> pl.Expr:
    """A column as text, null where absent; a whole number loses its ``.0``."""
    if column not in frame.columns:
        return pl.lit(None, dtype=pl.String).alias(column)
    said = pl.col(column).cast(pl.String)
    return said.str.strip_suffix(".0") if frame.schema[column].is_float() else said


def _number(frame: pl.DataFrame, column: str, dtype: pl.DataType) -> pl.Expr:
    if column not in frame.columns:
        return pl.lit(None, dtype=dtype).alias(column)
    number = pl.col(column).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number).cast(dtype).alias(column)


def of_subjects(
    records: pl.DataFrame, adsl: pl.DataFrame, names: Sequence[str], dataset: str, sequence: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records with these columns of ADSL; a record of a subject whom ADSL does not know is a finding."""
    subjects = adsl.select("USUBJID", *names, known=pl.lit(True))
    joined = records.join(subjects, on="USUBJID", how="left", maintain_order="left")
    strangers = findings(
        joined.filter(pl.col("known").is_null()),
        dataset=dataset,
        key=["USUBJID", sequence],
        variable="USUBJID",
        rule="the subject is not in ADSL",
        value="USUBJID",
        action="record left out",
    )
    known = joined if strangers.is_empty() else joined.filter("known")
    return known.drop("known"), strangers


def flag(condition: pl.Expr) -> pl.Expr:
    """Y where it holds, N where it does not or cannot be said."""
    return pl.when(condition).then(pl.lit("Y")).otherwise(pl.lit("N"))


def only(condition: pl.Expr) -> pl.Expr:
    """Y where it holds, otherwise null: the flag of one chosen row."""
    return pl.when(condition).then(pl.lit("Y"))


def goes_on(study: Study) -> pl.Expr:
    """Whether treatment goes on, as far as is known: begun, its end not reported, nor death or end of study.

    Never where the study's sources do not say where the end of treatment stands. Needs TRTSDT, EOTDT, EOSDT
    and DTHDT.
    """
    told = "treatment_end" in study.sources.facts
    open_ = pl.all_horizontal(pl.col("EOTDT", "EOSDT", "DTHDT").is_null())
    return pl.col("TRTSDT").is_not_null() & open_ & pl.lit(told)


def because(*parts: pl.Expr) -> pl.Expr:
    """The reasons that apply, in one sentence; null if none does."""
    said = pl.concat_str(parts, separator="; ", ignore_nulls=True)
    return pl.when(said != "").then(said)


def doses(study: Study, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What was given: one row per record of EX up to the cutoff, with findings.

    Columns USUBJID, TRT01A, SRCSEQ, DRUG, AMOUNT (of one administration), UNIT, GIVEN (administrations: the
    days of a span times the daily frequency, else 1), ASTDT, ASTDTM (null without a time), AENDT (of a span;
    cut at the cutoff) and DOSENUM: the 1st, 2nd … day on which this subject's dosing starts. Whether a
    record of amount 0 is a dose is said by ``sources.dose_given``. Dates are never imputed: without its day a
    dose keeps its amount and has no number.
    """
    known, strangers = of_subjects(domain(sdtm, "EX", _EX), adsl, ["TRT01A"], "EX", "EXSEQ")
    records = known.filter(
        _was_given(study), (dates.earliest(pl.col("EXSTDTC")) <= cutoff).fill_null(True)
    ).with_columns(
        ASTDT=dates.complete(pl.col("EXSTDTC")),
        ASTDTM=dates.datetime(pl.col("EXSTDTC")),
        AENDT=dates.complete(pl.col("EXENDTC")).clip(upper_bound=cutoff),
    )
    backwards = (pl.col("AENDT") < pl.col("ASTDT")).fill_null(False)
    spanning = pl.col("EXDOSFRQ").is_in(list(PER_DAY))
    openended = spanning & (pl.col("EXENDTC").is_null())
    found = concat(
        [
            strangers,
            _dose_finding(records, pl.col("ASTDT").is_null(), "EXSTDTC", "the day of the dose is not known"),
            _dose_finding(records, backwards, "EXENDTC", "end before start"),
            _dose_finding(records, openended, "EXENDTC", "no end of a daily dosing"),
            _dose_finding(records, pl.col("EXDOSE").is_null(), "EXDOSE", "the amount is not known"),
        ]
    )
    given = records.select(
        "USUBJID",
        "TRT01A",
        SRCSEQ="EXSEQ",
        DRUG="EXTRT",
        AMOUNT="EXDOSE",
        UNIT="EXDOSU",
        GIVEN=_administrations(backwards),
        ASTDT="ASTDT",
        ASTDTM="ASTDTM",
        AENDT=pl.when(~backwards).then("AENDT"),
    )
    return _numbered_days(in_order(given, ["USUBJID"], ["ASTDT", "ASTDTM", "SRCSEQ"])), found


def _numbered_days(given: pl.DataFrame) -> pl.DataFrame:
    """DOSENUM of doses in order."""
    who, day = pl.col("USUBJID").rle_id(), pl.col("ASTDT")
    another = pl.col("_who").ne_missing(pl.col("_who").shift(1))
    new = (another | day.ne_missing(day.shift(1))) & day.is_not_null()
    return (
        given.with_columns(_who=who)
        .with_columns(DOSENUM=pl.when(day.is_not_null()).then(count_since(new, another)))
        .drop("_who")
    )


def count_since(counted: pl.Expr, begins: pl.Expr) -> pl.Expr:
    """How many rows are counted from the last row that begins a group up to each row."""
    return sum_since(counted.cast(pl.Int64), begins)


def sum_since(number: pl.Expr, begins: pl.Expr) -> pl.Expr:
    """The sum of whole numbers from the last row that begins a group up to each row."""
    so_far = number.cum_sum()
    return so_far - pl.when(begins).then(so_far - number).forward_fill()


def _was_given(study: Study) -> pl.Expr:
    none = (pl.col("EXDOSE") == 0).fill_null(False) & pl.lit(study.sources.dose_given == "positive")
    return ~none & (pl.col("EXOCCUR") != "N").fill_null(True)


def _administrations(backwards: pl.Expr) -> pl.Expr:
    a_day = pl.col("EXDOSFRQ").replace_strict(PER_DAY, default=None, return_dtype=pl.Int64)
    days = pl.when(~backwards).then((pl.col("AENDT") - pl.col("ASTDT")).dt.total_days() + 1)
    return (a_day * days).fill_null(1)


_DOSE_ACTION: Final = {
    "the day of the dose is not known": "amount counted, dates not",
    "end before start": "end not used",
    "no end of a daily dosing": "counted as one administration",
    "the amount is not known": "dose counted, amount not",
}


def _dose_finding(records: pl.DataFrame, where: pl.Expr, variable: str, rule: str) -> pl.DataFrame:
    return findings(
        records.filter(where),
        dataset="EX",
        key=["USUBJID", "EXSEQ"],
        variable=variable,
        rule=rule,
        value=variable,
        action=_DOSE_ACTION[rule],
    )


def numbered(texts: pl.Series) -> pl.Series:
    """Each text by its place in the alphabet: texts are compared once, then only whole numbers."""
    return texts.cast(pl.Enum(texts.unique().drop_nulls().sort())).to_physical()


def in_order(frame: pl.DataFrame, names: Sequence[str], then: Sequence[str]) -> pl.DataFrame:
    """Sorted by text columns, then by dates and whole numbers, nulls last; ties stay as they were."""
    numbers = [numbered(frame[name]) for name in names] + [frame[name].to_physical() for name in then]
    keys = pl.DataFrame([key.alias(f"_{i}") for i, key in enumerate(numbers)])
    if keys.select(_ascending(keys.columns)).to_series().all():
        return frame
    keys = _as_one(keys)
    return frame.hstack(keys).sort(keys.columns, nulls_last=True, maintain_order=True).drop(keys.columns)


def _ascending(keys: Sequence[str]) -> pl.Expr:
    """Whether each row comes after the row before it, or has the same keys; nulls come last."""
    after = pl.lit(True)
    for key in reversed(keys):
        now, before = pl.col(key), pl.col(key).shift(1)
        later = (now > before).fill_null(now.is_null() & before.is_not_null())
        after = later | (now.eq_missing(before) & after)
    return after | (pl.int_range(pl.len()) == 0)


def _as_one(keys: pl.DataFrame) -> pl.DataFrame:
    """The keys as one whole number in the same order, which sorts faster; as they are if it is too large."""
    size, one = 1, pl.lit(0, dtype=pl.Int64)
    for key in keys:
        low = int(key.min() or 0)  # type: ignore[arg-type]
        span = int(key.max() or 0) - low + 2  # type: ignore[arg-type]
        one = one * span + (pl.col(key.name).cast(pl.Int64) - low).fill_null(span - 1)
        size *= span
    return keys.select(_one=one) if size < 2**63 else keys
