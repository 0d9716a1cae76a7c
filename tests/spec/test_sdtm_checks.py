"""Every fault of a site's data becomes a row that names it; no row is lost and nothing is changed."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from drawn import table
from trialwright.sdtm.checks import check
from trialwright.standards import findings

DM = table("""
    | STUDYID | DOMAIN | USUBJID | SUBJID | SITEID | SEX | BRTHDTC    |
    | ST      | DM     | A1      | 1      | S      | F   | 1950-12-26 |
    | ST      | DM     | A2      | 2      | S      | M   | 1950       |
""").with_columns(pl.col("SUBJID").cast(pl.String))


def found(domain: str, text: str, **also: pl.DataFrame) -> list[tuple[str, ...]]:
    """Rule, key, variable and value of the findings of one drawn domain, absent variables aside."""
    frame = table(text)
    frame = frame.with_columns(pl.col(name).cast(pl.String) for name in frame.columns if name.endswith("DTC"))
    rows = check({"DM": DM, domain: frame} | also).filter(pl.col("dataset") == domain)
    return rows.filter(pl.col("rule") != "required variable absent").select(
        "rule", "key", "variable", "value"
    ).rows()  # fmt: skip


def test_clean_data_have_no_findings():
    assert_frame_equal(check({"DM": DM}), findings.empty())


def test_a_key_used_twice():
    assert found(
        "SV",
        """
        | USUBJID | VISITNUM | SVSTDTC    |
        | A1      | 1        | 2014-02-13 |
        | A2      | 1        | 2014-02-13 |
        | A1      | 1        | 2014-02-14 |
    """,
    ) == [("duplicate key", "USUBJID=A1, VISITNUM=1", "VISITNUM", "1")]


def test_of_a_subject_twice_in_dm_the_first_row_is_used():
    rows = check({"DM": pl.concat([DM, DM.head(1)])})
    assert rows.select("key", "rule", "action").rows() == [
        ("USUBJID=A1", "duplicate key", "kept; the first row of the subject is used")
    ]


def test_a_subject_that_is_not_in_dm():
    rows = check({"DM": DM, "ZZ": table("| USUBJID | ZZSEQ |\n| A9 | 1 |\n| A1 | 1 |\n|  | 2 |")})
    assert rows.select("key", "rule", "action").rows() == [
        ("USUBJID=A9, ZZSEQ=1", "subject is not in DM", "kept, ignored in derivation")
    ]


def test_dates_that_cannot_be():
    assert found(
        "ZZ",
        """
        | USUBJID | ZZSEQ | ZZDTC            |
        | A1      | 1     | 2014-02-30       |
        | A1      | 2     | 2014-02          |
        | A1      | 3     | 2014-02-13T25:00 |
        | A1      | 4     | --02-13          |
        | A1      | 5     |                  |
        | A1      | 6     | 13FEB2014        |
    """,
    ) == [
        ("impossible date", "USUBJID=A1, ZZSEQ=1", "ZZDTC", "2014-02-30"),
        ("impossible date", "USUBJID=A1, ZZSEQ=6", "ZZDTC", "13FEB2014"),
        ("impossible time", "USUBJID=A1, ZZSEQ=3", "ZZDTC", "2014-02-13T25:00"),
    ]


def test_an_end_before_its_start_whatever_the_missing_days_were():
    assert found(
        "ZZ",
        """
        | USUBJID | ZZSEQ | ZZSTDTC          | ZZENDTC          |
        | A1      | 1     | 2014-02-13       | 2014-02-12       |
        | A1      | 2     | 2014-02-13       | 2014-02          |
        | A1      | 3     | 2014-02          | 2014-01          |
        | A1      | 4     | 2014             | 2013-12-31       |
        | A1      | 5     | 2014-02-13T12:00 | 2014-02-13T11:00 |
        | A1      | 6     | 2014-02-13T12:00 | 2014-02-13       |
        | A1      | 7     | 2014-02-13       |                  |
        | A1      | 8     | 2014-02-30       | 2014-01-01       |
    """,
    )[1:] == [
        ("end before start", "USUBJID=A1, ZZSEQ=1", "ZZENDTC", "2014-02-12 < 2014-02-13"),
        ("end before start", "USUBJID=A1, ZZSEQ=3", "ZZENDTC", "2014-01 < 2014-02"),
        ("end before start", "USUBJID=A1, ZZSEQ=4", "ZZENDTC", "2013-12-31 < 2014"),
        ("end before start", "USUBJID=A1, ZZSEQ=5", "ZZENDTC", "2014-02-13T11:00 < 2014-02-13T12:00"),
    ]


def test_codes_the_standard_does_not_know():
    dm = DM.with_columns(pl.Series("SEX", ["X", "F"]))
    assert check({"DM": dm}).select("key", "variable", "rule", "value", "action").rows() == [
        ("USUBJID=A1", "SEX", "unknown code (codelist SEX)", "X", "kept")
    ]


def test_responses_that_are_none():
    assert found(
        "RS",
        """
        | USUBJID | RSSEQ | RSCAT      | RSTESTCD | RSTEST | RSSTRESC |
        | A1      | 1     | RECIST 1.1 | OVRLRESP | o      | CHECK    |
        | A1      | 2     | RECIST 1.1 | OVRLRESP | o      | PR       |
        | A1      | 3     | LUGANO     | OVRLRESP | o      | CMR      |
        | A1      | 4     |            | TRGRESP  | o      | pr       |
        | A1      | 5     | RECIST 1.1 | NTRGRESP | o      | SD       |
        | A1      | 6     | RECIST 1.1 | OTHER    | o      | SD?      |
    """,
    ) == [
        ("unknown code (codelist TRGRESP)", "USUBJID=A1, RSSEQ=4", "RSSTRESC", "pr"),
        ("unknown code (codelist NTRGRESP)", "USUBJID=A1, RSSEQ=5", "RSSTRESC", "SD"),
        ("unknown code (codelist OVRLRESP)", "USUBJID=A1, RSSEQ=1", "RSSTRESC", "CHECK"),
    ]


@pytest.mark.parametrize("stem", ["EOR01", "Q", "QLQ_"])
def test_answers_outside_the_questionnaire_s_scale(stem: str):
    """Items 1 to 28 have the answers 1 to 4, items 29 and 30 have 1 to 7; scales are not items."""
    answer = {"01": 4, "02": 5, "28": 0, "29": 7, "30": 8, "10": 2.5, "20": 4, "09": None, "19": 7}
    frame = pl.DataFrame(
        {
            "USUBJID": "A1",
            "QSSEQ": range(1, len(answer) + 3),
            "QSCAT": "EORTC QLQ-C30 V3.0",
            "QSTESTCD": [*(stem + item for item in answer), "QL2", "PF2"],
            "QSSTRESN": [*answer.values(), 66.7, 80.0],
            "QSSTRESC": "text",
        },
        strict=False,
    )
    other = frame.with_columns(QSCAT=pl.lit("EQ-5D"), QSSEQ=pl.col("QSSEQ") + 100)
    rows = check({"DM": DM, "QS": pl.concat([frame, other])}).filter(
        pl.col("rule").str.contains("outside|number")
    )
    assert rows.select("rule", "key", "value").rows() == [
        ("outside 1 to 4", "USUBJID=A1, QSSEQ=2", "5"),
        ("outside 1 to 4", "USUBJID=A1, QSSEQ=3", "0"),
        ("outside 1 to 4", "USUBJID=A1, QSSEQ=6", "2.5"),
        ("outside 1 to 4", "USUBJID=A1, QSSEQ=9", "7"),
        ("outside 1 to 7", "USUBJID=A1, QSSEQ=5", "8"),
        ("number expected", "USUBJID=A1, QSSEQ=8", "text"),
    ]


def test_sizes_and_concentrations_are_not_negative():
    assert found(
        "TR",
        """
        | USUBJID | TRSEQ | TRTESTCD | TRTEST | TRSTRESC | TRSTRESN |
        | A1      | 1     | LDIAM    | d      | -1       | -1       |
        | A1      | 2     | LDIAM    | d      | 0        | 0        |
        | A1      | 3     | CHGNAD   | d      | -5       | -5       |
        | A1      | 4     | LDIAM    | d      | large    |          |
        | A1      | 5     | LDIAM    | d      | 12       | 12       |
        | A1      | 6     | LDIAM    | d      | <5       |          |
    """,
    ) == [
        ("outside 0 or more", "USUBJID=A1, TRSEQ=1", "TRSTRESN", "-1"),
        ("number expected", "USUBJID=A1, TRSEQ=4", "TRSTRESN", "large"),
    ]
    assert found(
        "LB",
        """
        | USUBJID | LBSEQ | LBTESTCD | LBTEST | LBSTRESC | LBSTRESN |
        | A1      | 1     | NEUT     | n      | -0.1     | -0.1     |
        | A1      | 2     | BASEEXC  | n      | -3       | -3       |
        | A1      | 3     | COLOR    | n      | YELLOW   |          |
    """,
    ) == [("outside 0 or more", "USUBJID=A1, LBSEQ=1", "LBSTRESN", "-0.1")]


def test_a_reader_reads_a_lesion_once_a_day():
    assert found(
        "TR",
        """
        | USUBJID | TRSEQ | TRTESTCD | TRTEST | TRLNKID | TREVALID | TRDTC      | TRSTRESC |
        | A1      | 1     | TUMSTATE | s      | NT01    | R1       | 2014-02-13 | PRESENT  |
        | A1      | 2     | TUMSTATE | s      | NT01    | R2       | 2014-02-13 | PRESENT  |
        | A1      | 3     | TUMSTATE | s      | NT02    | R1       | 2014-02-13 | PRESENT  |
        | A1      | 4     | TUMSTATE | s      | NT01    | R1       | 2014-02-14 | PRESENT  |
        | A1      | 5     | TUMSTATE | s      | NT01    | R1       | 2014-02-13 | ABSENT   |
        | A1      | 6     | TUMSTATE | s      |         | R1       | 2014-02-13 | PRESENT  |
        | A1      | 7     | TUMSTATE | s      |         | R1       | 2014-02-13 | PRESENT  |
        | A2      | 1     | TUMSTATE | s      | NT01    | R1       | 2014-02-13 | PRESENT  |
    """,
    ) == [("more than one reading of a day", "USUBJID=A1, TRSEQ=5", "TRSTRESC", "ABSENT")]
    assert found(
        "RS",
        """
        | USUBJID | RSSEQ | RSTESTCD | RSTEST | RSDTC      | RSSTRESC |
        | A1      | 1     | OVRLRESP | o      | 2014-02-13 | PR       |
        | A1      | 2     | OVRLRESP | o      | 2014-02-13 | SD       |
        | A1      | 3     | TRGRESP  | o      | 2014-02-13 | SD       |
    """,
    ) == [("more than one reading of a day", "USUBJID=A1, RSSEQ=2", "RSSTRESC", "SD")]


def test_a_result_is_there_or_marked_as_not_done():
    assert found(
        "VS",
        """
        | USUBJID | VSSEQ | VSTESTCD | VSTEST | VSORRES | VSSTRESC | VSSTAT   |
        | A1      | 1     | TEMP     | t      |         |          |          |
        | A1      | 2     | TEMP     | t      |         |          | NOT DONE |
        | A1      | 3     | TEMP     | t      | 37      | 37       |          |
    """,
    ) == [("no result, and not marked as not done", "USUBJID=A1, VSSEQ=1", "VSSTRESC", "")]


def test_what_is_required_is_missed_by_row_or_as_a_whole():
    rows = check(
        {
            "DM": DM,
            "CM": table("| STUDYID | DOMAIN | USUBJID | CMTRT |\n| ST | CM | A1 | x |\n| ST | AE | A2 |  |"),
        }
    )
    assert rows.select("key", "variable", "rule", "value").rows() == [
        ("", "CMSEQ", "required variable absent", ""),
        ("USUBJID=A2", "DOMAIN", "row of another domain", "AE"),
        ("USUBJID=A2", "CMTRT", "missing required value", ""),
    ]


def test_nothing_is_changed():
    frames = {"DM": DM, "SV": table("| USUBJID | VISITNUM |\n| A9 | 1 |\n| A9 | 1 |")}
    before = {name: frame.clone() for name, frame in frames.items()}
    assert check(frames)["rule"].value_counts(sort=True)["count"].to_list() == [2, 2, 1]
    for name, frame in frames.items():
        assert_frame_equal(frame, before[name])
