"""Bad data never crash and are never dropped: a small SDTM folder, mutilated at random, is read and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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

junk = st.sampled_from(
    [
        "",
        " ",
        "2014-02-30",
        "2014",
        "--02-13",
        "T10:00",
        "nan",
        "-inf",
        "1e999",
        "-3",
        "2.5",
        "x" * 250,
        "é",
        "\x92",
        "A1",
    ]
) | st.text(max_size=8)
Mutation = Callable[[st.DataObject, pl.DataFrame], pl.DataFrame]


def spoil_cells(data: st.DataObject, frame: pl.DataFrame) -> pl.DataFrame:
    name = data.draw(st.sampled_from(frame.columns))
    cells = data.draw(st.lists(st.none() | junk, min_size=frame.height, max_size=frame.height))
    return frame.with_columns(pl.Series(name, cells, dtype=pl.String))


def spoil_type(data: st.DataObject, frame: pl.DataFrame) -> pl.DataFrame:
    name = data.draw(st.sampled_from(frame.columns))
    kind = data.draw(
        st.sampled_from([pl.Float64, pl.Int8, pl.Boolean, pl.Date, pl.Datetime("us"), pl.Time, pl.Null])
    )
    number = data.draw(st.sampled_from([0, 1, 100]))
    return frame.with_columns(pl.lit(number).cast(pl.Int32).cast(kind, strict=False).alias(name))


def drop_column(data: st.DataObject, frame: pl.DataFrame) -> pl.DataFrame:
    names = [name for name in frame.columns if name not in IDENTITY]
    return frame.drop(data.draw(st.sampled_from(names))) if names else frame


def nothing_known(data: st.DataObject, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.lit(None).alias(data.draw(st.sampled_from(frame.columns))))


def repeat_rows(data: st.DataObject, frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame]).sample(fraction=1, shuffle=True, seed=data.draw(st.integers(0, 9)))


def no_rows(_: st.DataObject, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.clear()


MUTATIONS: list[Mutation] = [
    spoil_cells,
    spoil_cells,
    spoil_type,
    drop_column,
    nothing_known,
    repeat_rows,
    no_rows,
]


def mutilated(data: st.DataObject, frame: pl.DataFrame) -> pl.DataFrame:
    for mutation in data.draw(st.lists(st.sampled_from(MUTATIONS), max_size=4)):
        frame = mutation(data, frame)
    return frame


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_mutilated_folder_is_read_and_checked(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
):
    folder = tmp_path_factory.mktemp("sdtm")
    heights = {}
    for name, text in FOLDER.items():
        frame = mutilated(data, table(text))
        heights[name.upper()] = frame.height
        as_text = data.draw(st.booleans())
        if as_text and frame.height:
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
