"""A folder of SDTM, however mixed, becomes one frame per domain; what had to be mended is told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from drawn import table
from trialwright.sdtm.read import read
from trialwright.standards import files

DM = table("""
    | STUDYID | USUBJID | SEX |
    | ST      | A1      | F   |
    | ST      | A2      | M   |
""")
AE = table("""
    | STUDYID | USUBJID | AESEQ | AESPID | AETERM   |
    | ST      | A1      | 1     | E01    | FATIGUE  |
    | ST      | A1      | 2     | E02    | PNEUMONIA |
    | ST      | A2      | 1     | E01    | RASH     |
""")


def folder_of(folder: Path, **frames: pl.DataFrame) -> Path:
    """Each frame as Parquet, named as the argument."""
    for name, frame in frames.items():
        files.write_parquet(frame, folder / f"{name}.parquet")
    return folder


def rules(found: pl.DataFrame) -> list[tuple[str, str, str, str]]:
    return found.select("dataset", "key", "rule", "value").rows()


def test_any_mix_of_formats_and_cases(tmp_path: Path):
    files.write_xpt(DM, tmp_path / "DM.XPT", "DM")
    files.write_parquet(AE.rename(str.lower), tmp_path / "ae.parquet")
    (tmp_path / "Ex.csv").write_text("studyid,usubjid,exseq,exdose,exstdtc\nST,A1,1,10,2014-02-13\n")
    files.write_dataset_json(DM.select("STUDYID", "USUBJID"), tmp_path / "rs.json", "RS")
    files.write_dataset_json(DM.select("STUDYID", "USUBJID"), tmp_path / "vs.NDJSON", "VS")
    domains, _ = read(tmp_path)
    assert sorted(domains) == ["AE", "DM", "EX", "RS", "VS"]
    assert domains["AE"].columns == AE.columns
    assert domains["EX"].row(0) == ("ST", "A1", 1, 10.0, "2014-02-13")


def test_types_are_the_dictionary_s_whatever_the_file_says(tmp_path: Path):
    ex = pl.DataFrame(
        {
            "STUDYID": [7.0],
            "USUBJID": [1015.0],
            "EXSEQ": ["1"],
            "EXDOSE": [" 10.5"],
            "EXSTDTC": [dt.date(2014, 2, 13)],
            "EXENDTC": [dt.datetime(2014, 2, 13, 11, 45)],
            "VISITNUM": [3],
            "SPONSOR": [1.5],
        }
    )
    domains, found = read(folder_of(tmp_path, dm=DM, ex=ex))
    assert domains["EX"].row(0) == ("7", "1015", 1, 10.5, "2014-02-13", "2014-02-13T11:45:00", 3.0, 1.5)
    assert found.is_empty()


def test_a_domain_outside_the_dictionary_is_typed_by_its_endings(tmp_path: Path):
    (tmp_path / "eg.csv").write_text(
        "STUDYID,USUBJID,EGSEQ,EGTESTCD,EGSTRESN,VISITNUM\nST,A1,1,QTC,400,1.5\n"
    )
    domains, _ = read(folder_of(tmp_path, dm=DM))
    assert domains["EG"].row(0) == ("ST", "A1", 1, "QTC", 400.0, 1.5)


def test_what_is_no_number_is_read_as_missing_and_told(tmp_path: Path):
    (tmp_path / "lb.csv").write_text(
        'STUDYID,USUBJID,LBSEQ,LBSTRESN\nST,A1,1,12\nST,A1,2,"63,5"\nST,A1,3,nan\nST,A2,1,inf\nST,A2,2.5,\n'
    )
    domains, found = read(folder_of(tmp_path, dm=DM))
    assert domains["LB"]["LBSTRESN"].to_list() == [12, None, None, None, None]
    assert rules(found) == [
        ("LB", "USUBJID=A2, LBSEQ=2.5", "number expected", "2.5"),
        ("LB", "USUBJID=A1, LBSEQ=2", "number expected", "63,5"),
        ("LB", "USUBJID=A1, LBSEQ=3", "number expected", "nan"),
        ("LB", "USUBJID=A2, LBSEQ=1", "number expected", "inf"),
        ("LB", "USUBJID=A2, LBSEQ=2", "sequence number missing", None),
    ]


def test_rows_of_one_number_are_kept_and_told_apart(tmp_path: Path):
    ae = table("""
        | STUDYID | USUBJID | AESEQ | AETERM |
        | ST      | A1      | 1     | a      |
        | ST      | A1      | 7     | b      |
        | ST      | A2      | 1     | c      |
        | ST      | A1      | 1     | d      |
        | ST      | A1      |       | e      |
        | ST      | A2      | 2     | f      |
    """)
    domains, found = read(folder_of(tmp_path, dm=DM, ae=ae))
    assert domains["AE"]["AETERM"].to_list() == ["a", "b", "c", "d", "e", "f"]
    assert domains["AE"]["AESEQ"].to_list() == [1, 7, 1, 8, 9, 2]
    assert rules(found) == [
        ("AE", "USUBJID=A1, AESEQ=8", "duplicate key", "1"),
        ("AE", "USUBJID=A1, AESEQ=9", "sequence number missing", None),
    ]


def test_rows_without_numbers_are_numbered_in_file_order(tmp_path: Path):
    domains, found = read(
        folder_of(tmp_path, dm=DM, ae=AE.drop("AESEQ").sample(fraction=1, shuffle=True, seed=1))
    )
    assert domains["AE"].sort("USUBJID", "AESEQ")["AESEQ"].to_list() == [1, 2, 1]
    assert rules(found) == [("AE", "", "sequence number absent", "")]


def test_supplemental_qualifiers_stand_beside_their_rows(tmp_path: Path):
    suppae = table("""
        | STUDYID | RDOMAIN | USUBJID | IDVAR | IDVARVAL | QNAM     | QVAL | QLABEL |
        | ST      | AE      | A1      | AESEQ | 2        | AETRTEM  | Y    | x      |
        | ST      | AE      | A1      | AESEQ | 1.0      | AETRTEM  | N    | x      |
        | ST      | AE      | A2      | AESPID | E01     | AETRTEM  | Y    | x      |
        | ST      | AE      | A2      | AESPID | E01     | AEWHY    | drug | x      |
        | ST      | AE      | A1      |       |          | AESTRAT  | low  | x      |
    """)
    domains, found = read(folder_of(tmp_path, dm=DM, ae=AE, suppae=suppae))
    assert domains["AE"].select("USUBJID", "AESEQ", "AETRTEM", "AEWHY", "AESTRAT").rows() == [
        ("A1", 1, "N", None, "low"),
        ("A1", 2, "Y", None, "low"),
        ("A2", 1, "Y", "drug", None),
    ]
    assert domains["SUPPAE"].height == 5
    assert found.is_empty()


def test_supplemental_rows_that_cannot_be_merged_are_told(tmp_path: Path):
    suppae = table("""
        | STUDYID | RDOMAIN | USUBJID | IDVAR  | IDVARVAL | QNAM    | QVAL    |
        | ST      | AE      | A1      | AESEQ  | 9        | AETRTEM | Y       |
        | ST      | AE      | A1      | AESEQ  | 1        | AETERM  | other   |
        | ST      | AE      | A1      | AEXX   | 1        | AETRTEM | Y       |
        | ST      | AE      | A2      | AESEQ  | 1        | AETRTEM | Y       |
        | ST      | AE      | A2      | AESEQ  | 1        | AETRTEM | N       |
        | ST      | CM      | A2      | AESEQ  | 1        | AECM    | N       |
        | ST      | AE      | A2      | AESEQ  | 1        |         | N       |
        | ST      | AE      | A2      | AESEQ  | 1        | AENONE  |         |
    """)
    domains, found = read(folder_of(tmp_path, dm=DM, ae=AE, suppae=suppae, suppzz=suppae))
    assert domains["AE"]["AETERM"].to_list() == AE["AETERM"].to_list()
    assert domains["AE"]["AETRTEM"].to_list() == [None, None, "Y"]
    assert "AECM" not in domains["AE"].columns
    assert rules(found.filter(pl.col("dataset") == "SUPPAE")) == [
        ("SUPPAE", "USUBJID=A2, IDVAR=AESEQ, IDVARVAL=1, QNAM=AECM", "row of another domain", "CM"),
        ("SUPPAE", "USUBJID=A2, IDVAR=AESEQ, IDVARVAL=1, QNAM=", "missing required value", None),
        ("SUPPAE", "USUBJID=A1, IDVAR=AEXX, IDVARVAL=1, QNAM=AETRTEM", "identifying variable is not in the parent", "AEXX"),
        ("SUPPAE", "USUBJID=A2, IDVAR=AESEQ, IDVARVAL=1, QNAM=AETRTEM", "duplicate key", "N"),
        ("SUPPAE", "USUBJID=A1, IDVAR=AESEQ, IDVARVAL=1, QNAM=AETERM", "qualifier is named as a variable of its parent", "AETERM"),
        ("SUPPAE", "QNAM=AENONE", "missing required value", "1 rows"),
        ("SUPPAE", "USUBJID=A1, IDVAR=AESEQ, IDVARVAL=9, QNAM=AETRTEM", "no parent record", "Y"),
    ]  # fmt: skip
    assert rules(found.filter(pl.col("dataset") == "SUPPZZ")) == [
        ("SUPPZZ", "", "no parent dataset", "8 rows")
    ]


def test_a_number_we_gave_identifies_nothing(tmp_path: Path):
    """Numbers made in file order are not those a supplemental dataset speaks of."""
    suppae = table("""
        | STUDYID | RDOMAIN | USUBJID | IDVAR | IDVARVAL | QNAM    | QVAL |
        | ST      | AE      | A1      | AESEQ | 1        | AETRTEM | Y    |
    """)
    domains, found = read(folder_of(tmp_path, dm=DM, ae=AE.drop("AESEQ"), suppae=suppae))
    assert "AETRTEM" not in domains["AE"].columns
    assert "identifying variable is not in the parent" in found["rule"]


def test_split_domains_are_put_together_and_strangers_are_told(tmp_path: Path):
    part = table("""
        | STUDYID | DOMAIN | USUBJID | QSSEQ | QSTESTCD |
        | ST      | QS     | A1      | 1     | X1       |
    """)
    adsl = DM.with_columns(DOMAIN=None)
    (tmp_path / "define.xml").write_text("<x/>")
    (tmp_path / "notes-of-2014.csv").write_text("a,b\n1,2\n")
    two = part.with_columns(QSSEQ=pl.lit(2), QSCAT=pl.lit("c"))
    domains, found = read(folder_of(tmp_path, dm=DM, qsab=part, qscd=two, adsl=adsl))
    assert domains["QS"].select("QSSEQ", "QSCAT").rows() == [(1, None), (2, "c")]
    assert sorted(rules(found)) == [
        ("", "", "file is no SDTM domain", "adsl.parquet"),
        ("", "", "file is no SDTM domain", "notes-of-2014.csv"),
    ]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"ae": AE}, "has no dataset DM, the list of subjects"),
        ({"dm": DM.drop("USUBJID")}, r"dm\.parquet has no USUBJID: it is no SDTM dataset"),
        ({"dm": DM.drop("USUBJID", "STUDYID")}, r"dm\.parquet has no STUDYID and no USUBJID"),
        ({"dm": DM, "suppae": DM}, r"suppae\.parquet has no QNAM and no QVAL"),
        (
            {
                "dm": DM,
                "qs": DM.with_columns(DOMAIN=pl.lit("QS")),
                "qsab": DM.with_columns(DOMAIN=pl.lit("QS")),
            },
            r"QS is in qs\.parquet and qsab\.parquet: either whole or split",
        ),
    ],
)
def test_a_folder_that_is_no_sdtm_is_our_mistake(names: dict[str, pl.DataFrame], words: str, tmp_path: Path):
    with pytest.raises(ValueError, match=words):
        read(folder_of(tmp_path, **names))


def test_one_domain_in_two_formats_is_our_mistake(tmp_path: Path):
    folder_of(tmp_path, dm=DM, ae=AE)
    files.write_xpt(AE, tmp_path / "AE.xpt", "AE")
    with pytest.raises(ValueError, match=r"AE is in two files, AE\.xpt and ae\.parquet: keep one"):
        read(tmp_path)


def test_no_folder_is_our_mistake(tmp_path: Path):
    with pytest.raises(ValueError, match="there is no folder"):
        read(tmp_path / "nowhere")


def test_the_trial_s_own_datasets_have_no_subjects(tmp_path: Path):
    domains, found = read(
        folder_of(tmp_path, dm=DM, ts=pl.DataFrame({"STUDYID": ["ST"], "TSPARMCD": ["AGEMIN"]}))
    )
    assert domains["TS"].columns == ["STUDYID", "TSPARMCD"]
    assert found.is_empty()
