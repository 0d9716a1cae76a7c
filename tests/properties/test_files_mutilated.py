"""Bad data never crash and are never dropped: a small SDTM folder, mutilated at random, is read and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawn import table
from trialwright.sdtm.checks import check
from trialwright.sdtm.read import read
from trialwright.standards import files, findings

FOLDER = {
    "dm": """
        | STUDYID | DOMAIN | USUBJID | SUBJID | SITEID | SEX | RFSTDTC    | DTHDTC  | AGE |
        | ST      | DM     | A1      | 1      | S      | F   | 2014-02-13 |         | 63  |
        | ST      | DM     | A2      | 2      | S      | M   | 2014-02-14 | 2014-05 | 64  |
    """,
    "ae": """
        | STUDYID | DOMAIN | USUBJID | AESEQ | AETERM | AEDECOD | AESER | AETOXGR | AESTDTC          | AEENDTC    |
        | ST      | AE     | A1      | 1     | RASH   | Rash    | N     | 1       | 2014-02-14       | 2014-03    |
        | ST      | AE     | A1      | 2     | FEVER  | Pyrexia | Y     | 3       | 2014-02-15T10:00 |            |
        | ST      | AE     | A2      | 1     | RASH   | Rash    | N     | 2       | 2014             | 2014-06-01 |
    """,
    "suppae": """
        | STUDYID | RDOMAIN | USUBJID | IDVAR | IDVARVAL | QNAM    | QLABEL | QVAL |
        | ST      | AE      | A1      | AESEQ | 1        | AETRTEM | t      | Y    |
        | ST      | AE      | A2      | AESEQ | 1        | AETRTEM | t      | N    |
        | ST      | AE      | A2      |       |          | AESTRAT | t      | low  |
    """,
    "tr": """
        | STUDYID | DOMAIN | USUBJID | TRSEQ | TRTESTCD | TRTEST | TRORRES | TRSTRESC | TRSTRESN | TRSTAT | VISITNUM | TRDTC      |
        | ST      | TR     | A1      | 1     | LDIAM    | d      | 10      | 10       | 10       |        | 1        | 2014-02-10 |
        | ST      | TR     | A1      | 2     | TUMSTATE | s      | PRESENT | PRESENT  |          |        | 2.5      | 2014-02    |
    """,
    "qs": """
        | STUDYID | DOMAIN | USUBJID | QSSEQ | QSTESTCD | QSTEST | QSCAT             | QSSTRESC | QSSTRESN | QSDTC      |
        | ST      | QS     | A1      | 1     | EOR0101  | i      | EORTC QLQ-C30 V3.0 | 1       | 1        | 2014-02-10 |
        | ST      | QS     | A2      | 1     | EOR0130  | i      | EORTC QLQ-C30 V3.0 | 7       | 7        | 2014-02-10 |
    """,
    "rs": """
        | STUDYID | DOMAIN | USUBJID | RSSEQ | RSTESTCD | RSTEST | RSCAT      | RSSTRESC | RSDTC      |
        | ST      | RS     | A1      | 1     | OVRLRESP | o      | RECIST 1.1 | PR       | 2014-04-10 |
    """,
    "sv": """
        | STUDYID | DOMAIN | USUBJID | VISITNUM | SVSTDTC    | SVENDTC    |
        | ST      | SV     | A1      | 1        | 2014-02-10 | 2014-02-10 |
    """,
}
IDENTITY = {"STUDYID", "USUBJID", "QNAM", "QVAL"}  # without these variables a file is no SDTM, which raises

JUNK = (
    None,
    "",
    " ",
    "nan",
    "-inf",
    "1e999",
    "-3",
    "2.5",
    "007",
    "x" * 250,
    "é",
    "\x92",
    "\t",
    "A1",
    "AESEQ",
    "NOT DONE",
)
Mutation = Callable[[Random, pl.DataFrame], pl.DataFrame]


def spoilt_date(chance: Random) -> str:
    year, month, day = (chance.randrange(limit) for limit in (2100, 14, 33))
    parts = (
        f"{year:04}",
        f"{month:02}",
        f"{day:02}",
        f"T{chance.randrange(26):02}:{chance.randrange(62):02}",
    )
    whole = "-".join(parts[:3]) + parts[3]
    return chance.choice([whole, whole[:10], whole[:7], whole[:4], f"{parts[0]}---{parts[2]}", whole[4:10]])


def spoil_cells(chance: Random, frame: pl.DataFrame) -> pl.DataFrame:
    """Some cells of one column, as text, become junk or a date that may not exist."""
    name = chance.choice(frame.columns)
    cells = frame[name].cast(pl.String).to_list()
    spoilt = [chance.choice([cell, chance.choice(JUNK), spoilt_date(chance)]) for cell in cells]
    return frame.with_columns(pl.Series(name, spoilt, dtype=pl.String))


def spoil_dates(chance: Random, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.Series(name, [spoilt_date(chance) for _ in range(frame.height)], dtype=pl.String)
        for name in frame.columns
        if name.endswith("DTC")
    )


def spoil_type(chance: Random, frame: pl.DataFrame) -> pl.DataFrame:
    kind = chance.choice([pl.Float64, pl.Int8, pl.Boolean, pl.Date, pl.Datetime("us"), pl.Time, pl.Null])
    number = pl.lit(chance.choice([0, 1, 100])).cast(pl.Int32)
    return frame.with_columns(number.cast(kind, strict=False).alias(chance.choice(frame.columns)))


def drop_column(chance: Random, frame: pl.DataFrame) -> pl.DataFrame:
    names = [name for name in frame.columns if name not in IDENTITY]
    return frame.drop(chance.choice(names)) if names else frame


def nothing_known(chance: Random, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.lit(None).alias(chance.choice(frame.columns)))


def repeat_rows(chance: Random, frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame]).sample(fraction=1, shuffle=True, seed=chance.randrange(100))


def no_rows(_: Random, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.clear()


MUTATIONS: tuple[Mutation, ...] = (
    spoil_cells,
    spoil_cells,
    spoil_cells,
    spoil_dates,
    spoil_type,
    drop_column,
    nothing_known,
    repeat_rows,
    no_rows,
)


def mutilated(chance: Random, frame: pl.DataFrame) -> pl.DataFrame:
    for mutation in chance.choices(MUTATIONS, k=chance.randrange(5)):
        frame = mutation(chance, frame)
    return frame


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_mutilated_folder_is_read_and_checked(seed: int, tmp_path_factory: pytest.TempPathFactory):
    chance = Random(seed)  # not data drawn cell by cell: those would nearly always be the simplest
    folder = tmp_path_factory.mktemp("sdtm")
    heights = {}
    for name, text in FOLDER.items():
        frame = mutilated(chance, table(text))
        heights[name.upper()] = frame.height
        if frame.height and chance.random() < 0.5:
            frame.write_csv(folder / f"{name}.csv")
        else:
            files.write_parquet(frame, folder / f"{name}.parquet")
    domains, read_findings = read(folder)
    checked = check(domains)
    assert {name: frame.height for name, frame in domains.items()} == heights
    assert read_findings.schema == checked.schema == findings.SCHEMA
    for name in ("AE", "TR", "QS", "RS"):
        assert not domains[name].select("USUBJID", f"{name}SEQ").is_duplicated().any()
        assert domains[name][f"{name}SEQ"].dtype == pl.Int64


def test_the_folder_itself_is_clean(tmp_path: Path):
    for name, text in FOLDER.items():
        files.write_parquet(table(text), tmp_path / f"{name}.parquet")
    domains, found = read(tmp_path)
    assert found.is_empty()
    assert check(domains).is_empty()
