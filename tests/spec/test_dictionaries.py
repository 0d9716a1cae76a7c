"""The user's dictionaries, read from tiny invented files: no term or code here is MedDRA's."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from drawn import table
from small import CUTOFF, small_study
from trialwright.adam import adae
from trialwright.standards import dictionaries
from trialwright.standards.errors import InputError

ADSL = pl.DataFrame({"USUBJID": ["1"], "TRT01A": ["B"]}).with_columns(
    TRTSDT=pl.lit(dt.date(2026, 1, 10)),
    TRTEDT=pl.lit(dt.date(2026, 3, 1)),
    TRTSDTM=pl.lit(None, dtype=pl.Datetime("us")),
    **{name: pl.lit(None, dtype=pl.Date) for name in ("EOTDT", "EOSDT", "NACTDT", "DTHDT")},
)
LLT = """10$Sour mood$1$$$$$$$Y$$
11$Grey mood$1$$$$$$$N$$
12$Green nose$2$$$$$$$Y$$
"""
HIERARCHY = """1$5$6$7$Sour mood$A$B$Mood disorders$Mood$$7$N$
1$5$6$8$Sour mood$A$B$Inner disorders$Inner$$8$Y$
2$5$6$9$Green nose$A$B$Nose disorders$Nose$$9$Y$
"""
CTCAE = """MedDRA Code,MedDRA SOC,CTCAE Term,Grade 1   ,Grade 2,Grade 3,Grade 4,Grade 5,Definition
10,Inner disorders,Sour mood,a little,more,-, -,\u2013,"a mood, sour"
12,Nose disorders,Green nose,-,-,all of it,worse,death,a nose
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def both(tmp_path: Path) -> Path:
    return write(tmp_path, MedAscii__llt_asc=LLT, MedAscii__mdhier_asc=HIERARCHY, CTCAE_csv=CTCAE)


def test_meddra_gives_the_primary_class_of_each_term(both: Path) -> None:
    found = dictionaries.read(both)
    assert found.frames["MEDDRA"].rows() == [
        ("Sour mood", "Sour mood", "Inner disorders", True),
        ("Grey mood", "Sour mood", "Inner disorders", False),
        ("Green nose", "Green nose", "Nose disorders", True),
    ]
    assert [path.name for path in found.files] == ["CTCAE.csv", "llt.asc", "mdhier.asc"]


def test_a_dash_or_a_blank_is_a_grade_that_does_not_exist(both: Path) -> None:
    assert dictionaries.read(both).frames["CTCAE"].rows() == [
        ("Sour mood", "Inner disorders", "12"),
        ("Green nose", "Nose disorders", "345"),
    ]


@pytest.mark.parametrize(
    "headings",
    [
        "Term\tSystem Organ Class\tGrade 1\tGrade 2\tGrade 3\tGrade 4\tGrade 5",
        "CTCAE v5.0 Term\tCTCAE v5.0 SOC\tG1\tG2\tG3\tG4\tG5",
        "TERM_NAME\tSOC\tGrade1 Text\tGrade2 Text\tGrade3 Text\tGrade4 Text\tGrade5 Text",
    ],
)
def test_the_headings_may_be_written_in_other_ways(tmp_path: Path, headings: str) -> None:
    write(tmp_path, terms_tsv=f"{headings}\nSour mood\tInner disorders\tx\t\t\t\t\n")
    assert dictionaries.read(tmp_path).frames["CTCAE"].rows() == [("Sour mood", "Inner disorders", "1")]


def test_an_old_code_page_is_read(tmp_path: Path) -> None:
    (tmp_path / "llt.asc").write_bytes(LLT.replace("Sour", "S\u00f6ur").encode("cp1252"))
    (tmp_path / "mdhier.asc").write_text(HIERARCHY, encoding="utf-8")
    assert dictionaries.read(tmp_path).frames["MEDDRA"]["llt"][0] == "S\u00f6ur mood"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "neither a CTCAE table"),
        ({"notes_txt": "Term\nNothing here\n"}, "neither a CTCAE table"),
        ({"llt_asc": LLT}, "MedDRA needs one mdhier.asc, and there are 0"),
        ({"llt_asc": "1$two\n", "mdhier_asc": HIERARCHY}, "llt.asc has 2 fields"),
        ({"a_csv": CTCAE, "b_csv": CTCAE}, "two CTCAE tables, a.csv and b.csv"),
    ],
)
def test_a_folder_that_will_not_do_says_why(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        dictionaries.read(write(tmp_path, **files))
    with pytest.raises(InputError, match="there is no such folder"):
        dictionaries.read(tmp_path / "nowhere")


EVENTS = """
    USUBJID | AESEQ | AELLT     | AEDECOD    | AEBODSYS        | AETOXGR | AESTDTC    | AESER
    1       | 1     |           | Sour mood  |                 | 2       | 2026-02-01 | N
    1       | 2     |           | SOUR MOOD  | INNER DISORDERS | 3       | 2026-02-01 | N
    1       | 3     |           | Green nose | Mood disorders  | 5       | 2026-02-01 | N
    1       | 4     | Grey mood | Sour mood  | Inner disorders | 4       | 2026-02-01 | N
    1       | 5     |           | Blue ear   | Ear disorders   | 1       | 2026-02-01 | N
    1       | 6     |           |            |                 | 1       | 2026-02-01 | N
"""


def build(drawn: str, frames: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    frame = table(drawn)
    ae = frame.with_columns(pl.col([c for c in frame.columns if c != "AESEQ"]).cast(pl.String))
    return adae.build(small_study(), {"AE": ae}, ADSL, CUTOFF, frames)


def test_classes_are_filled_and_compared_and_grades_must_exist(both: Path) -> None:
    frame, found = build(EVENTS, dict(dictionaries.read(both).frames))
    assert frame["AEBODSYS"].to_list() == [
        *("Inner disorders", "INNER DISORDERS", "Mood disorders", "Inner disorders", "Ear disorders", None),
    ]
    assert [rule.endswith("class from the dictionary") for rule in frame["RULE"]] == [True] + [False] * 5
    assert found.select("key", "rule", "value").rows() == [
        (
            "USUBJID=1, AESEQ=3",
            "the class is not the dictionary's",
            "Green nose: reported Mood disorders, dictionary Nose disorders",
        ),
        ("USUBJID=1, AESEQ=5", "the term is not in the dictionary", "Blue ear"),
        (
            "USUBJID=1, AESEQ=2",
            "the term has no such grade in CTCAE v5.0",
            "SOUR MOOD: grade 3, and it has 1, 2",
        ),
        (
            "USUBJID=1, AESEQ=4",
            "the term has no such grade in CTCAE v5.0",
            "Sour mood: grade 4, and it has 1, 2",
        ),
    ]


def test_a_term_of_ctcae_is_known_by_its_preferred_term(both: Path) -> None:
    """CTCAE speaks of a grey mood, which the dictionary codes as a sour one; another event says neither."""
    frames = dict(dictionaries.read(both).frames)
    own = pl.DataFrame({"term": ["Grey mood"], "soc": ["Inner disorders"], "grades": ["13"]})
    _, found = build(
        """
        USUBJID | AESEQ | AEDECOD    | AEBODSYS        | AETOXGR | AESTDTC    | AESER
        1       | 1     | Sour mood  | Inner disorders | 2       | 2026-02-01 | N
        1       | 2     | Sour mood  | Inner disorders | 3       | 2026-02-01 | N
        1       | 3     | Green nose | Nose disorders  | 2       | 2026-02-01 | N
        """,
        frames | {"CTCAE": own},
    )
    assert found["value"].to_list() == ["Sour mood: grade 2, and it has 1, 3"]


def test_without_a_dictionary_only_the_grades_that_are_carried_are_judged() -> None:
    frame, found = build(
        """
        USUBJID | AESEQ | AEDECOD                            | AETOXGR | AESTDTC    | AESER
        1       | 1     | Alanine aminotransferase increased | 5       | 2026-02-01 | N
        1       | 2     | Febrile neutropenia                | 2       | 2026-02-01 | N
        1       | 3     | Anaemia                            | 5       | 2026-02-01 | N
        1       | 4     | Alopecia                           | 3       | 2026-02-01 | N
        1       | 5     | Sour mood                          | 5       | 2026-02-01 | N
        """,
        {},
    )
    assert found["key"].to_list() == [f"USUBJID=1, AESEQ={k}" for k in (1, 2, 4)]
    assert found["value"][1] == "Febrile neutropenia: grade 2, and it has 3, 4, 5"
    assert frame["AEBODSYS"].null_count() == 5
    assert frame["ATOXGRN"].to_list() == [5, 2, 5, 3, 5], "what was reported stays"


def test_a_trial_on_another_scale_is_not_judged() -> None:
    ae = table("USUBJID | AESEQ | AEDECOD | AETOXGR | AESTDTC | AESER\n1 | 1 | Alopecia | 3 | 2026-02-01 | N")
    ae = ae.with_columns(pl.col("USUBJID", "AETOXGR", "AESTDTC").cast(pl.String))
    for scale in ("severity", "CTCAE v4.03"):
        _, found = adae.build(small_study(adverse_events={"scale": scale}), {"AE": ae}, ADSL, CUTOFF)
        assert found.is_empty()
