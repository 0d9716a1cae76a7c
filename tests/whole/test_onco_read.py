"""Two real-shaped SDTM folders that this project did not make, read and checked; what was found stands here."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from trialwright.sdtm.checks import check
from trialwright.sdtm.read import Domains, read

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "onco"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the shared data are not at {DATA}")


@pytest.fixture(scope="module")
def large() -> tuple[Domains, pl.DataFrame]:
    return read(DATA / "large")


@pytest.fixture(scope="module")
def small() -> tuple[Domains, pl.DataFrame]:
    return read(DATA / "small")


def test_every_file_is_a_domain(large: tuple[Domains, pl.DataFrame]):
    domains, _ = large
    assert {name.upper() for name in domains} == {path.stem.upper() for path in (DATA / "large").iterdir()}
    assert {name: domains[name].height for name in ("DM", "TU", "TR", "RS", "AE", "LB", "SUPPTR")} == {
        "DM": 306,
        "TU": 7734,
        "TR": 55995,
        "RS": 5808,
        "AE": 1191,
        "LB": 59580,
        "SUPPTR": 55995,
    }


def test_the_types_are_the_dictionary_s(large: tuple[Domains, pl.DataFrame]):
    domains, _ = large
    for name in ("AE", "TR", "RS", "TU", "LB"):
        assert domains[name][f"{name}SEQ"].dtype == pl.Int64
        assert domains[name]["VISITNUM"].dtype == pl.Float64 if "VISITNUM" in domains[name].columns else True
    assert domains["AE"]["AELLTCD"].dtype == pl.Float64
    assert not any(
        (frame[name] == "").any()
        for frame in domains.values()
        for name in frame.columns
        if frame[name].dtype == pl.String
    )


def test_qualifiers_stand_beside_their_rows(large: tuple[Domains, pl.DataFrame]):
    domains, _ = large
    assert domains["TR"]["TRLOC"].null_count() == domains["SUPPTR"]["QVAL"].null_count() == 16080
    flags = domains["SUPPAE"].group_by("QVAL").len().sort("QVAL").rows()
    assert domains["AE"].group_by("AETRTEM").len().sort("AETRTEM").rows() == flags
    flagged = domains["SUPPDM"].filter(QNAM="ITT")["USUBJID"].to_list()
    assert sorted(domains["DM"].filter(ITT="Y")["USUBJID"]) == sorted(flagged)
    assert domains["DS"]["ENTCRIT"].drop_nulls().len() == 3


def test_the_findings_of_the_large_folder(large: tuple[Domains, pl.DataFrame]):
    domains, found = large
    assert found.select("dataset", "key", "rule", "value").rows() == [
        ("SUPPTR", "QNAM=TRLOC", "missing required value", "16080 rows")
    ]
    checked = check(domains)
    assert checked["rule"].unique().to_list() == ["unknown code (codelist OVRLRESP)"]
    assert checked["value"].to_list() == ["CHECK"] * 3
    assert checked["key"].str.extract("USUBJID=([^,]+)").unique().to_list() == ["01-711-1143"]


def test_the_findings_of_the_small_folder(small: tuple[Domains, pl.DataFrame]):
    """Thirty-nine states of non-target lesions stand there twice, each time with the same answer."""
    domains, found = small
    assert found.is_empty()
    checked = check(domains)
    assert checked.select("dataset", "variable", "rule").unique().rows() == [
        ("TR", "TRSTRESC", "more than one reading of a day")
    ]
    assert set(checked["value"]) == {"PRESENT", "ABSENT"}
    assert checked.height == 39
    assert domains["RS"].filter(RSTESTCD="OVRLRESP")["USUBJID"].n_unique() == 8


def test_faults_planted_in_real_data_are_all_found(small: tuple[Domains, pl.DataFrame]):
    """A check that finds nothing in clean data must be seen to find something."""
    domains = dict(small[0])
    ae = domains["AE"].with_row_index("row")
    ae = ae.with_columns(
        pl.when(row=0).then(pl.lit("2014-02-30")).otherwise("AESTDTC").alias("AESTDTC"),
        pl.when(row=1).then(pl.lit("1999-01-01")).otherwise("AEENDTC").alias("AEENDTC"),
        pl.when(row=2).then(pl.lit("01-999-9999")).otherwise("USUBJID").alias("USUBJID"),
        pl.when(row=3).then(pl.lit("MAYBE")).otherwise("AESER").alias("AESER"),
        pl.when(row=4).then(pl.lit(None)).otherwise("AETERM").alias("AETERM"),
    ).drop("row")
    domains["AE"] = pl.concat([ae, ae.tail(1)])
    tr = domains["TR"].with_row_index("row")
    first = tr.filter(TRTESTCD="LDIAM")["row"][0]
    domains["TR"] = tr.with_columns(
        pl.when(row=first).then(-5.0).otherwise("TRSTRESN").alias("TRSTRESN")
    ).drop("row")
    assert sorted(check(domains).filter(pl.col("rule") != "more than one reading of a day")["rule"]) == [
        "duplicate key",
        "end before start",
        "impossible date",
        "missing required value",
        "outside 0 or more",
        "subject is not in DM",
        "unknown code (codelist NY)",
    ]
