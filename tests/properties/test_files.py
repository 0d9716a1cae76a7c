"""What was written comes back, in every format; the same frame is the same bytes; what cannot be held is refused."""

from __future__ import annotations

import datetime as dt
import json
import string
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from trialwright.standards import files

LABELS = {"USUBJID": "Unique Subject Identifier", "AESEQ": "Sequence Number"}

Writer = Callable[[pl.DataFrame, Path], None]
WRITERS: dict[str, tuple[str, Writer]] = {
    "xpt v5": (".xpt", lambda f, p: files.write_xpt(f, p, "AE", "Adverse Events", LABELS)),
    "xpt v8": (".XPT", lambda f, p: files.write_xpt(f, p, "AE", "Adverse Events", LABELS, version=8)),
    "parquet": (".parquet", files.write_parquet),
    "dataset-json": (".json", lambda f, p: files.write_dataset_json(f, p, "AE", "Adverse Events", LABELS)),
    "ndjson": (".ndjson", lambda f, p: files.write_dataset_json(f, p, "AE", "Adverse Events", LABELS)),
}
FORMATS = list(WRITERS)

AE = pl.DataFrame(
    {
        "USUBJID": ["01", "02", None],
        "AESEQ": [1, 2, 3],
        "VISITNUM": [1.5, None, 2.0],
        "AETERM": ["a", " b", None],
        "AELLTCD": [None, None, None],
        "ASTDT": [dt.date(2014, 2, 13), None, dt.date(1959, 12, 31)],
        "ASTDTM": [dt.datetime(2014, 2, 13, 11, 45), None, None],
    },
    schema={
        "USUBJID": pl.String,
        "AESEQ": pl.Int64,
        "VISITNUM": pl.Float64,
        "AETERM": pl.String,
        "AELLTCD": pl.Float64,
        "ASTDT": pl.Date,
        "ASTDTM": pl.Datetime("us"),
    },
)


def write(form: str, frame: pl.DataFrame, folder: Path, name: str = "ae") -> Path:
    suffix, writer = WRITERS[form]
    path = folder / f"{name}{suffix}"
    writer(frame, path)
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_a_frame_comes_back(form: str, tmp_path: Path):
    assert_frame_equal(files.read_any(write(form, AE, tmp_path)), AE)


@pytest.mark.parametrize("form", FORMATS)
def test_a_frame_without_rows_comes_back(form: str, tmp_path: Path):
    text_and_numbers = AE.select("USUBJID", "VISITNUM", "AETERM").clear()
    assert_frame_equal(files.read_any(write(form, text_and_numbers, tmp_path)), text_and_numbers)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_frame_is_the_same_bytes(form: str, tmp_path: Path):
    first, second = (write(form, AE, tmp_path, name) for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size > 0


def test_a_transport_header_does_not_hold_the_clock(tmp_path: Path):
    head = write("xpt v5", AE, tmp_path).read_bytes()[:560]
    assert head.count(b"01JAN70:00:00:00") == 4
    assert head.count(b":00:00:00") == 4


# What a v5 transport file can hold: printable ASCII, no trailing blank, IBM floating point numbers.
text = st.none() | st.text(string.printable[:95], min_size=1, max_size=30).filter(
    lambda t: t == t.rstrip(" ")
)
number = st.none() | st.floats(-1e70, 1e70, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-70)
rows = st.lists(st.tuples(st.text("01-", min_size=1, max_size=8), text, number), min_size=1, max_size=8)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=40, deadline=None)
@given(rows=rows)
def test_any_frame_comes_back(
    form: str, rows: list[tuple[object, ...]], tmp_path_factory: pytest.TempPathFactory
):
    schema = {"USUBJID": pl.String, "AETERM": pl.String, "AEDUR": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    back = files.read_any(write(form, frame, tmp_path_factory.mktemp("any")))
    assert_frame_equal(back, frame, check_exact=not form.startswith("xpt"), rel_tol=1e-15, abs_tol=0)


def test_csv_is_text(tmp_path: Path):
    path = tmp_path / "dm.CSV"
    path.write_bytes(b'\xef\xbb\xbfusubjid,SITEID,age\r\n"01, a",007,63\r\n02,,  \r\n\r\n')
    expected = pl.DataFrame({"USUBJID": ["01, a", "02"], "SITEID": ["007", None], "AGE": ["63", None]})
    assert_frame_equal(files.read_any(path), expected)


def test_csv_may_use_semicolons(tmp_path: Path):
    path = tmp_path / "dm.csv"
    path.write_text("USUBJID;AGE\n01;63,5\n")
    assert files.read_any(path).rows() == [("01", "63,5")]


@pytest.mark.parametrize(("byte", "character"), [(b"\xe9", "é"), (b"\x92", "’"), (b"\x81", "\x81")])
def test_text_of_old_code_pages_survives(byte: bytes, character: str, tmp_path: Path):
    xpt = tmp_path / "ae.xpt"
    files.write_xpt(pl.DataFrame({"AETERM": ["a#c", "z"]}), xpt, "AE")
    xpt.write_bytes(xpt.read_bytes().replace(b"a#c", b"a" + byte + b"c"))
    csv = tmp_path / "ae.csv"
    csv.write_bytes(b"AETERM\na" + byte + b"c\nz\n")
    for path in (xpt, csv):
        assert files.read_any(path)["AETERM"].to_list() == [f"a{character}c", "z"]


@pytest.mark.parametrize("form", ["xpt v5", "parquet"])
def test_blanks_become_null_and_names_upper_case(form: str, tmp_path: Path):
    if form == "parquet":
        path = tmp_path / "ae.parquet"
        pl.DataFrame(
            {
                "usubjid": ["01  ", " 02"],
                "AESEQ": [1.0, 2.0],
                "AeTerm": ["", "   "],
                "VISITNUM": [float("nan"), 1.0],
            }
        ).write_parquet(path)
    else:
        frame = pl.DataFrame(
            {"USUBJID": ["01  ", " 02"], "AESEQ": [1, 2], "AETERM": ["", "   "], "VISITNUM": [None, 1]}
        )
        path = write(form, frame, tmp_path)
    assert files.read_any(path).rows() == [("01", 1, None, None), (" 02", 2, None, 1.0)]


def test_types_no_clinical_format_has_are_made_plain(tmp_path: Path):
    path = tmp_path / "ae.parquet"
    pl.DataFrame(
        {
            "A": pl.Series(["x", "y"], dtype=pl.Categorical),
            "B": pl.Series([1, 2], dtype=pl.Int8),
            "C": pl.Series([1.5, 2.5], dtype=pl.Float32),
            "D": pl.Series([None, None]),
            "AESEQ": [1.5, 2.0],
        }
    ).write_parquet(path)
    assert files.read_any(path).dtypes == [pl.String, pl.Int64, pl.Float64, pl.String, pl.Float64]


def test_dataset_json_of_others_is_read(tmp_path: Path):
    """Decimals travel as text, SDTM dates as text that may be partial, ADaM dates with a numeric target."""
    columns = [
        {"itemOID": "1", "name": "USUBJID", "label": "", "dataType": "string"},
        {"itemOID": "2", "name": "AEDOSE", "label": "", "dataType": "decimal", "targetDataType": "decimal"},
        {"itemOID": "3", "name": "AESTDTC", "label": "", "dataType": "date"},
        {"itemOID": "4", "name": "ASTDT", "label": "", "dataType": "date", "targetDataType": "integer"},
        {"itemOID": "5", "name": "AESEQ", "label": "", "dataType": "integer"},
    ]
    meta = {"datasetJSONVersion": "1.1.0", "name": "AE", "records": 2, "columns": columns}
    rows = [["01", "0.1", "2014-02", "2014-02-13", 1], ["02", None, "", None, 2]]
    whole, lines = tmp_path / "ae.json", tmp_path / "ae.ndjson"
    whole.write_text(json.dumps({**meta, "rows": rows}))
    lines.write_text("\n".join(json.dumps(line) for line in (meta, *rows)))
    for path in (whole, lines):
        assert files.read_any(path).rows() == [
            ("01", 0.1, "2014-02", dt.date(2014, 2, 13), 1),
            ("02", None, None, None, 2),
        ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ae.xpt", b"not a transport file"),
        ("ae.xpt", b""),
        ("ae.parquet", b"PAR1"),
        ("ae.csv", b""),
        ("ae.csv", b"USUBJID,AETERM\n1,2,3\n"),
        ("ae.csv", b"AETERM,aeterm\n1,2\n"),
        ("ae.json", b"{}"),
        ("ae.json", b"[1, 2]"),
        ("ae.json", b'{"columns": [{"name": "A", "dataType": "integer"}], "rows": [["x"]]}'),
        ("ae.json", b'{"columns": [{"name": "A", "dataType": "string"}], "rows": [["x", "y"]]}'),
        ("ae.ndjson", b""),
        ("ae.ndjson", b"{"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(name: str, content: bytes, tmp_path: Path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{name} cannot be read: .+"):
        files.read_any(path)


def test_a_missing_file_and_an_unknown_format_are_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"^ae\.xpt: there is no such file"):
        files.read_any(tmp_path / "ae.xpt")
    with pytest.raises(ValueError, match=r"^ae\.sas7bdat: \.sas7bdat is none of \.xpt, "):
        files.read_any(tmp_path / "ae.sas7bdat")


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"TOOLONGNAME": ["x"]}, "name 'TOOLONGNAME'"),
        ({"aeterm": ["x"]}, "name 'aeterm'"),
        ({"1AE": ["x"]}, "name '1AE'"),
        ({"AETERM": ["é"]}, "AETERM: text that is not ASCII"),
        ({"AETERM": ["x" * 201]}, "AETERM: text of more than 200 bytes"),
        ({"AEDUR": [float("nan")]}, "AEDUR: a number that is NaN"),
        ({"AEDUR": [1e76]}, "AEDUR: a number that is NaN or beyond"),
        ({"AEDUR": [float("inf")]}, "AEDUR: a number that is NaN or beyond"),
        ({"AEDUR": [True]}, "AEDUR: Boolean"),
        ({"AETERM": ["x", " "]}, "the last row is blank"),
    ],
)
def test_version_5_refuses_what_it_would_spoil(frame: dict[str, list[object]], words: str, tmp_path: Path):
    path = tmp_path / "ae.xpt"
    with pytest.raises(ValueError, match=f"ae.xpt cannot be a version 5 transport file: {words}"):
        files.write_xpt(pl.DataFrame(frame), path, "AE")
    assert not path.exists()


def test_version_5_refuses_names_and_labels(tmp_path: Path):
    frame, path = pl.DataFrame({"AETERM": ["x"]}), tmp_path / "ae.xpt"
    for name, label, labels, words in (
        ("ae", "", {}, "name 'ae'"),
        ("AE", "x" * 41, {}, "label 'x+' .at most 40 ASCII characters"),
        ("AE", "", {"AETERM": "x" * 41}, "label 'x+' .at most 40"),
        ("AE", "", {"AETERM": "é"}, "label 'é'"),
    ):
        with pytest.raises(ValueError, match=words):
            files.write_xpt(frame, path, name, label, labels)
    files.write_xpt(frame, path, "AE", "x" * 40, {"AETERM": "y" * 40})


def test_version_8_holds_what_version_5_cannot(tmp_path: Path):
    frame = pl.DataFrame({"AVeryLongNameOfAVariable": ["é" * 300, "b"]})
    path = tmp_path / "ae.xpt"
    files.write_xpt(frame, path, "AE", version=8)
    assert files.read_any(path).rows() == frame.rows()
    with pytest.raises(ValueError, match="version 8 transport file: name"):
        files.write_xpt(pl.DataFrame({"x" * 33: ["x"]}), path, "AE", version=8)


def test_dataset_json_refuses_what_json_has_no_word_for(tmp_path: Path):
    with pytest.raises(ValueError, match="JSON compliant"):
        files.write_dataset_json(pl.DataFrame({"AEDUR": [float("nan")]}), tmp_path / "ae.json", "AE")
    with pytest.raises(ValueError, match="A: Dataset-JSON has no type for List"):
        files.write_dataset_json(pl.DataFrame({"A": [[1]]}), tmp_path / "ae.json", "AE")


def test_writing_changes_nothing(tmp_path: Path):
    before = AE.clone()
    for form in FORMATS:
        write(form, AE, tmp_path)
    assert_frame_equal(AE, before)
