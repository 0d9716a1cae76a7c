"""A finding is a row that names the row at fault, the rule, the value and what was done."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from drawn import table
from trialwright.standards import findings

AE = table("""
    | USUBJID | AESEQ | AESTDTC |
    | 01      | 1     | 2014-13 |
    | 02      |       |         |
""").with_columns(pl.col("USUBJID").cast(pl.String), pl.col("AESEQ").cast(pl.Float64))


def test_each_row_becomes_a_finding_that_names_it():
    found = findings.findings(
        AE,
        dataset="AE",
        key=["USUBJID", "AESEQ"],
        variable="AESTDTC",
        rule="impossible date",
        value="AESTDTC",
        action="kept; read as missing",
    )
    expected = table("""
        | dataset | key                | variable | rule            | value      | action                |
        | AE      | USUBJID=1, AESEQ=1 | AESTDTC  | impossible date | 2014-13    | kept; read as missing |
        | AE      | USUBJID=2, AESEQ=  | AESTDTC  | impossible date |            | kept; read as missing |
    """).with_columns(pl.all().cast(pl.String))
    assert_frame_equal(found, expected)


def test_numbers_are_written_as_a_reader_expects_them():
    frame = pl.DataFrame({"VISITNUM": [3.0, 9.2, None]})
    found = findings.findings(
        frame, dataset="SV", key=["VISITNUM"], variable="", rule="", value=pl.lit(1.0), action=""
    )
    assert found["key"].to_list() == ["VISITNUM=3", "VISITNUM=9.2", "VISITNUM="]
    assert found["value"].to_list() == ["1", "1", "1"]


def test_no_rows_are_no_findings_and_all_findings_fit_together():
    none = findings.findings(
        AE.clear(), dataset="AE", key=["USUBJID"], variable="X", rule="r", value="AESEQ", action="a"
    )
    one = findings.whole("DM", variable="SEX", rule="absent", value="", action="none")
    assert none.schema == one.schema == findings.SCHEMA
    assert findings.concat([none, one, findings.empty()]).height == 1
    assert_frame_equal(findings.concat([]), findings.empty())


def test_a_finding_without_a_key_is_our_mistake():
    with pytest.raises(ValueError, match="needs the columns that name a row"):
        findings.findings(AE, dataset="AE", key=[], variable="X", rule="r", value="AESEQ", action="a")
