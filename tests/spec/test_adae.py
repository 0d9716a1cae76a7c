"""ADAE: adverse events, drawn. One patient per row unless said; treated 2026-01-10 to 2026-03-01 in arm B."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from drawn import table
from small import CUTOFF, small_sources, small_study
from trialwright.adam import adae, policies, safety_astct
from trialwright.standards.errors import InputError

ADSL = """
    USUBJID | TRT01A | TRTSDT     | TRTSDTM          | TRTEDT     | EOTDT      | EOSDT | NACTDT     | DTHDT
    1       | B      | 2026-01-10 |                  | 2026-03-01 | 2026-03-02 |       |            | |
    2       | B      | 2026-01-10 | 2026-01-10T09:00 | 2026-03-01 | 2026-03-02 |       |            | |
    3       | A      | 2026-01-10 |                  | 2026-03-01 |            |       | 2026-03-10 | 2026-05-20
    4       |        |            |                  |            |            |       |            | |
    5       | B      | 2026-01-10 |                  | 2026-03-01 |            |       |            | |
"""


def adsl(drawn: str = ADSL) -> pl.DataFrame:
    dates = pl.col("TRTSDT", "TRTEDT", "EOTDT", "EOSDT", "NACTDT", "DTHDT").cast(pl.Date)
    return table(drawn).with_columns(
        pl.col("USUBJID").cast(pl.String), dates, TRTSDTM=pl.col("TRTSDTM").str.to_datetime("%Y-%m-%dT%H:%M")
    )


def records(drawn: str) -> pl.DataFrame:
    """AE as SDTM has it: text dates and grades."""
    frame = table(drawn)
    texts = [c for c in frame.columns if c != "AESEQ"]
    return frame.with_columns(pl.col(texts).cast(pl.String))


def build(ae: str, cutoff: dt.date = CUTOFF, sdtm: dict[str, Any] | None = None, **study: Any) -> Any:
    return adae.build(small_study(**study), {"AE": records(ae)} | (sdtm or {}), adsl(), cutoff)


def column(ae: str, name: str, **kwargs: Any) -> list[Any]:
    frame, _ = build(ae, **kwargs)
    return frame[name].to_list()


def test_partial_starts_are_the_first_dose_where_they_may_be() -> None:
    """§6.7: the same month (or year) as the first dose → the first dose, if the end is not before it; else the 1st."""
    frame, _ = build(
        """
        USUBJID | AESEQ | AESTDTC | AEENDTC    | meant
        1       | 1     | 2026-01 |            | 2026-01-10
        1       | 2     | 2026-01 | 2026-01-09 | 2026-01-01
        1       | 3     | 2026-01 | 2026-01-10 | 2026-01-10
        1       | 4     | 2026-02 |            | 2026-02-01
        1       | 5     | 2026    |            | 2026-01-10
        1       | 6     | 2026    | 2026-01-05 | 2026-01-01
        1       | 7     | 2025    |            | 2025-01-01
        1       | 8     |         |            | 2026-01-10
        1       | 9     |         | 2026-01-09 | |
        1       | 10    |         | 2026-01    | 2026-01-10
        4       | 11    | 2026-01 |            | 2026-01-01
        4       | 12    |         |            | |
        """
    )
    meant = [
        *("2026-01-10", "2026-01-01", "2026-01-10", "2026-02-01", "2026-01-10", "2026-01-01"),
        *("2025-01-01", "2026-01-10", None, "2026-01-10", "2026-01-01", None),
    ]
    assert frame["ASTDT"].cast(pl.String).to_list() == meant
    assert frame["ASTDTF"].to_list() == ["D", "D", "D", "D", "M", "M", "M", "Y", None, "Y", "D", None]


def test_partial_ends_are_as_late_as_death_and_cutoff_allow() -> None:
    frame, _ = build(
        """
        USUBJID | AESEQ | AESTDTC    | AEENDTC | meant
        3       | 1     | 2026-02-03 | 2026-02 | 2026-02-28
        3       | 2     | 2026-02-03 | 2026    | 2026-05-20
        3       | 3     | 2026-02-03 | 2026-05 | 2026-05-20
        1       | 4     | 2026-02-03 | 2026    | 2026-12-31
        1       | 5     | 2026-02-03 |         | |
        """
    )
    assert frame.sort("SRCSEQ")["AENDT"].cast(pl.String).to_list() == [
        *("2026-02-28", "2026-05-20", "2026-05-20", "2026-12-31", None),
    ]
    assert frame.sort("SRCSEQ")["AENDTF"].to_list() == ["D", "M", "D", "M", None]


def test_an_end_is_never_before_its_start() -> None:
    frame, found = build(
        """
        USUBJID | AESEQ | AESTDTC          | AEENDTC
        1       | 1     | 2026-02-03       | 2026-02-01
        1       | 2     | 2026-02-03       | 2026-01
        1       | 3     | 2026-02-03T10:00 | 2026-02-03T09:00
        1       | 4     | 2026-02-03       | 2026-02-03
        """
    )
    assert frame["AENDT"].to_list() == [None, None, None, dt.date(2026, 2, 3)]
    assert found.filter(pl.col("rule") == "end before start")["key"].to_list() == [
        *("USUBJID=1, AESEQ=1", "USUBJID=1, AESEQ=2", "USUBJID=1, AESEQ=3"),
    ]


def test_what_began_after_the_cutoff_is_ignored_and_what_ended_after_it_goes_on() -> None:
    frame, _ = build(
        """
        USUBJID | AESEQ | AESTDTC    | AEENDTC
        1       | 1     | 2026-02-10 | 2026-02-20
        1       | 2     | 2026-02-10 | 2026-03
        1       | 3     | 2026-02-10 | 2026-02
        1       | 4     | 2026-02-16 | |
        1       | 5     | 2026-03    | |
        1       | 6     | 2026-02    | |
        """,
        cutoff=dt.date(2026, 2, 15),
    )
    assert frame["AESEQ"].to_list() == [1, 2, 3, 6]
    assert frame["AENDT"].cast(pl.String).to_list() == [None, None, "2026-02-15", None]
    assert "going on at the cutoff" in frame["RULE"][0]


EMERGENCE = """
    USUBJID | AESEQ | AESTDTC          | AEREL       | emergent | why
    1       | 1     | 2026-01-09       | RELATED     | N        | before
    1       | 2     | 2026-01-10       | RELATED     | Y        | day 1 without a time
    2       | 3     | 2026-01-10T08:59 | RELATED     | N        | a minute before
    2       | 4     | 2026-01-10T09:00 | RELATED     | Y        | at the first dose
    2       | 5     | 2026-01-10       | RELATED     | Y        | day 1 without a time
    1       | 6     | 2026-03-31       | NOT RELATED | Y        | 30 days after the last dose
    1       | 7     | 2026-04-01       | RELATED     | N        | 31 days after
    3       | 8     | 2026-03-09       | NOT RELATED | Y        | the day before a new therapy
    3       | 9     | 2026-03-10       | NOT RELATED | N        | a new therapy has begun
    3       | 10    | 2026-03-10       | RELATED     | Y        | related: the new therapy does not matter
    3       | 11    | 2026-03-10       |             | Y        | relationship missing is related
    4       | 12    | 2026-03-10       | RELATED     | N        | never treated
    1       | 13    |                  | RELATED     | Y        | start unknown
"""


def test_emergence_row_by_row() -> None:
    """§4.2: onset from the first dose to 30 days after the last, stopped by a new therapy if unrelated."""
    frame, _ = build(EMERGENCE)
    drawn = table(EMERGENCE)
    assert frame.sort("SRCSEQ")["TRTEMFL"].to_list() == drawn["emergent"].to_list()
    assert frame.sort("SRCSEQ")["RULE"][8].startswith("not emergent: unrelated, and another anticancer")


@pytest.mark.parametrize(
    ("rules", "changed"),
    [
        ({"window_days": 60}, {7: "Y"}),
        ({"stop_at_new_therapy": False}, {9: "Y"}),
        ({"missing_is_related": False}, {11: "N"}),
    ],
)
def test_each_rule_of_the_study_changes_its_row_and_no_other(
    rules: dict[str, Any], changed: dict[int, str]
) -> None:
    frame, _ = build(EMERGENCE, adverse_events=rules)
    drawn = table(EMERGENCE)
    meant = dict(zip(drawn["AESEQ"], drawn["emergent"], strict=True)) | changed
    assert dict(frame.select("AESEQ", "TRTEMFL").iter_rows()) == meant


def test_worsening_of_an_event_from_before_the_first_dose() -> None:
    """§4.2: emergent if the grade rises. A linked record that is no worse goes on from before; without a link
    nothing says so, and it counts."""
    frame, _ = build(
        """
        USUBJID | AESEQ | AEGRPID | AEDECOD | AESTDTC    | AETOXGR
        1       | 1     | F1      | Fatigue | 2026-01-01 | 2
        1       | 2     | F1      | Fatigue | 2026-02-01 | 1
        1       | 3     | F1      | Fatigue | 2026-02-10 | 3
        1       | 4     |         | Fatigue | 2026-02-20 | 1
        """
    )
    assert frame["TRTEMFL"].to_list() == ["N", "N", "Y", "Y"]


def test_while_treatment_goes_on_the_window_does_not_close() -> None:
    """Subject 5's end of treatment is not reported; 3's is not either, but 3 has died. Without a place for the
    end of treatment in the study's sources nobody's treatment is known to go on."""
    drawn = """
        USUBJID | AESEQ | AESTDTC    | AEREL
        1       | 1     | 2026-05-01 | RELATED
        3       | 2     | 2026-05-01 | RELATED
        5       | 3     | 2026-03-31 | RELATED
        5       | 4     | 2026-05-01 | RELATED
    """
    frame, _ = build(drawn)
    assert frame["TRTEMFL"].to_list() == ["N", "N", "Y", "Y"]
    assert ["the window is open" in rule for rule in frame["RULE"]] == [False, False, False, True]
    sources = small_sources()
    sources["facts"].pop("treatment_end")
    frame, _ = build(drawn, sources=sources)
    assert frame["TRTEMFL"].to_list() == ["N", "N", "Y", "N"]


EPISODES = """
    USUBJID | AESEQ | AEDECOD | AESTDTC          | AEENDTC          | AEOUT                      | episode | first | why
    1       | 1     | Nausea  | 2026-02-01       | 2026-02-03       | NOT RECOVERED/NOT RESOLVED | 1       | Y     | the first
    1       | 2     | Nausea  | 2026-02-03       | 2026-02-05       | RECOVERED/RESOLVED         | 1       |       | grade changed on the day
    1       | 3     | Nausea  | 2026-02-06       | 2026-02-06       | RECOVERED/RESOLVED         | 1       |       | the next day: the gap may be minutes
    1       | 4     | Nausea  | 2026-02-08       | 2026-02-20       | RECOVERED/RESOLVED         | 2       | Y     | a whole day between
    1       | 5     | Nausea  | 2026-02-10       | 2026-02-11       | RECOVERED/RESOLVED         | 2       |       | within the one before
    1       | 6     | Nausea  | 2026-02-15       | 2026-02-25       | RECOVERED/RESOLVED         | 2       |       | until the longer end of record 4
    1       | 7     | Fatigue | 2026-02-15       |                  | NOT RECOVERED/NOT RESOLVED | 1       | Y     | another term
    1       | 8     | Fatigue | 2026-04-15       |                  |                            | 1       |       | the one before goes on
    1       | 9     | Rash    | 2026-02-15       |                  |                            | 1       | Y     | its end is not known
    1       | 10    | Rash    | 2026-02-17       |                  |                            | 2       | Y     | so it has none
    2       | 11    | Fever   | 2026-02-01T08:00 | 2026-02-01T20:00 | RECOVERED/RESOLVED         | 1       | Y     | times
    2       | 12    | Fever   | 2026-02-02T19:59 | 2026-02-02T20:00 | RECOVERED/RESOLVED         | 1       |       | 23 hours 59 later
    2       | 13    | FEVER   | 2026-02-03T20:00 | 2026-02-03T21:00 | RECOVERED/RESOLVED         | 2       | Y     | 24 hours later
    2       | 14    | Fever   |                  | 2026-01-02       | RECOVERED/RESOLVED         |         | Y     | start unknown
    2       | 15    |         | 2026-02-01       |                  |                            |         | Y     | no term
    2       | 16    |         | 2026-02-01       |                  |                            |         | Y     | nor here
    2       | 17    | Nausea  | 2026-02-04       | 2026-02-05       | RECOVERED/RESOLVED         | 1       | Y     | another patient's
"""


def test_records_less_than_24_hours_apart_are_one_episode() -> None:
    """§3.3, §4.2: grade changes written as rows are one episode; every row stays and the first is marked."""
    frame, _ = build(EPISODES)
    drawn = table(EPISODES)
    assert frame["AESEQ"].to_list() == drawn["AESEQ"].to_list()
    assert frame["EPISODE"].to_list() == drawn["episode"].to_list()
    assert frame["EPISFL"].to_list() == drawn["first"].to_list()
    assert frame["RULE"][1].endswith("episode 1 of this term goes on; relationship missing; grade missing")


def test_the_gap_between_episodes_is_a_number_of_the_study() -> None:
    frame, _ = build(EPISODES, adverse_events={"episode_gap_hours": 25})
    changed = dict(frame.filter(pl.col("AESEQ").is_in([4, 13])).select("AESEQ", "EPISODE").iter_rows())
    assert changed == {4: 1, 13: 1}


def test_an_episode_from_before_the_first_dose_is_emergent_where_it_worsens() -> None:
    frame, _ = build(
        """
        USUBJID | AESEQ | AEDECOD | AESTDTC    | AEENDTC    | AETOXGR | meant
        1       | 1     | Nausea  | 2026-01-05 | 2026-01-12 | 1       | N: before
        1       | 2     | Nausea  | 2026-01-12 | 2026-01-15 | 1       | N: goes on, no worse
        1       | 3     | Nausea  | 2026-01-15 | 2026-01-20 | 2       | Y: worse
        1       | 4     | Nausea  | 2026-02-01 | 2026-02-02 | 1       | Y: another episode
        """
    )
    assert frame["TRTEMFL"].to_list() == ["N", "N", "Y", "Y"]


def test_relationship_to_each_drug() -> None:
    """Related to any drug is related; missing is only what nobody answered."""
    sources = small_sources(adverse_event_relationship={"oxaliplatin": "AERELOX", "fluorouracil": "AERELFU"})
    frame, _ = build(
        """
        USUBJID | AESEQ | AESTDTC    | AEREL       | AERELOX | AERELFU
        1       | 1     | 2026-02-01 |             | RELATED | NONE
        1       | 2     | 2026-02-01 | NOT RELATED | RELATED | RELATED
        1       | 3     | 2026-02-01 |             | NONE    | |
        1       | 4     | 2026-02-01 |             |         | |
        """,
        sources=sources,
    )
    assert frame["AREL"].to_list() == ["Y", "Y", "N", "Y"]
    assert frame["AERELN"].to_list() == [1, 1, 0, None]
    assert frame["RELDRUGS"].to_list() == ["oxaliplatin", "oxaliplatin, fluorouracil", None, None]


def test_relationship_as_reported_and_as_counted() -> None:
    frame, _ = build(
        """
        USUBJID | AESEQ | AESTDTC    | AEREL
        1       | 1     | 2026-02-01 | Related
        1       | 2     | 2026-02-01 | NONE
        1       | 3     | 2026-02-01 | |
        """
    )
    assert frame["AREL"].to_list() == ["Y", "N", "Y"]
    assert frame["AERELN"].to_list() == [1, 0, None]
    assert frame["AEREL"].to_list() == ["Related", "NONE", None]


def test_missing_seriousness_counts_as_serious_and_is_a_finding() -> None:
    frame, found = build(
        """
        USUBJID | AESEQ | AESTDTC    | AESER
        1       | 1     | 2026-02-01 | N
        1       | 2     | 2026-02-01 | |
        """
    )
    assert frame["ASER"].to_list() == ["N", "Y"]
    assert found["rule"].to_list() == ["seriousness is missing"]


def test_a_word_that_is_no_grade_is_a_finding() -> None:
    frame, found = build(
        """
        USUBJID | AESEQ | AESTDTC    | AETOXGR | AESER
        1       | 1     | 2026-02-01 | 3       | N
        1       | 2     | 2026-02-01 | 6       | N
        1       | 3     | 2026-02-01 |         | N
        """
    )
    assert frame["ATOXGRN"].to_list() == [3, None, None]
    assert frame["AETOXGR"].to_list() == ["3", "6", None]
    assert frame["GRADESRC"].to_list() == ["CTCAE v5.0 reported"] * 3
    assert found.select("key", "variable", "value").rows() == [("USUBJID=1, AESEQ=2", "AETOXGR", "6")]


def test_a_grade_that_sas_wrote_as_a_number() -> None:
    ae = records("USUBJID | AESEQ | AESTDTC\n1 | 1 | 2026-02-01").with_columns(AETOXGR=pl.lit(3.0))
    frame, _ = adae.build(small_study(), {"AE": ae}, adsl(), CUTOFF)
    assert frame["ATOXGR"].to_list() == ["3"]


def test_a_trial_that_grades_by_severity_is_only_other_words() -> None:
    frame, _ = build(
        """
        USUBJID | AESEQ | AESTDTC    | AESEV    | AEREL
        1       | 1     | 2026-02-01 | MODERATE | REMOTE
        1       | 2     | 2026-02-01 | SEVERE   | PROBABLE
        """,
        adverse_events={"scale": "severity", "grades": ["MILD", "MODERATE", "SEVERE"]},
        sources=small_sources(adverse_event_grade="AESEV"),
    )
    assert frame["ATOXGRN"].to_list() == [2, 3]
    assert frame["ATOXGR"].to_list() == ["MODERATE", "SEVERE"]
    assert frame["GRADESRC"].unique().to_list() == ["severity reported"]
    assert frame["AREL"].to_list() == ["N", "Y"]


def test_the_first_of_the_worst_grade_is_flagged_per_term_class_and_subject() -> None:
    frame, _ = build(
        """
        USUBJID | AESEQ | AEBODSYS | AEDECOD  | AESTDTC    | AETOXGR
        1       | 1     | GI       | Nausea   | 2026-01-01 | 4
        1       | 2     | GI       | Nausea   | 2026-02-05 | 2
        1       | 3     | GI       | Nausea   | 2026-02-03 | 2
        1       | 4     | GI       | Nausea   | 2026-02-01 | 1
        1       | 5     | GI       | Vomiting | 2026-02-01 | 3
        1       | 6     | Blood    | Anaemia  | 2026-02-01 | |
        2       | 7     | GI       | Nausea   | 2026-02-01 | 1
        """
    )
    flagged = {name: frame.filter(pl.col(name) == "Y")["AESEQ"].to_list() for name in
               ("AOCCPFL", "AOCCSFL", "AOCCFL")}  # fmt: skip
    assert flagged == {"AOCCPFL": [3, 5, 6, 7], "AOCCSFL": [5, 6, 7], "AOCCFL": [5, 7]}


EX = """
    USUBJID | EXSEQ | EXTRT      | EXDOSE | EXDOSU | EXSTDTC
    2       | 1     | TARLATAMAB | 1      | mg     | 2026-01-10T09:00
    2       | 2     | TARLATAMAB | 10     | mg     | 2026-01-17T09:00
    2       | 3     | TARLATAMAB | 10     | mg     | 2026-01-24
"""


def test_the_dose_before_onset() -> None:
    """On a dosing day an event without a time is after the dose; with one, the times decide."""
    ex = table(EX).with_columns(pl.col("USUBJID").cast(pl.String))
    frame, _ = build(
        """
        USUBJID | AESEQ | AESTDTC
        2       | 1     | 2026-01-09
        2       | 2     | 2026-01-10
        2       | 3     | 2026-01-17T08:00
        2       | 4     | 2026-01-17T09:30
        2       | 5     | 2026-01-24T01:00
        2       | 6     | 2026-02-20
        """,
        sdtm={"EX": ex},
    )
    assert frame["DOSENUM"].to_list() == [None, 1, 1, 2, 3, 3]
    assert frame["LDOSEDTM"][3] == dt.datetime(2026, 1, 17, 9)
    assert frame["LDOSEDTM"][4] is None, "that dose has no time, and none is made up"
    assert frame["LDOSEDT"][4] == dt.date(2026, 1, 24)


def test_a_record_of_an_unknown_subject_is_a_finding() -> None:
    frame, found = build("USUBJID | AESEQ | AESTDTC | AESER\n9 | 1 | 2026-02-01 | N")
    assert frame.is_empty()
    assert found["rule"].to_list() == ["the subject is not in ADSL"]


def test_without_the_domain_there_is_an_empty_frame_of_the_same_shape() -> None:
    frame, found = adae.build(small_study(), {}, adsl(), CUTOFF)
    assert frame.schema == adae.SCHEMA
    assert frame.is_empty()
    assert found.is_empty()


def test_every_row_says_where_it_comes_from() -> None:
    frame, _ = build(EMERGENCE)
    assert frame.select("SRCDOM", "SRCVAR").unique().rows() == [("AE", "AESTDTC")]
    assert frame["SRCSEQ"].to_list() == frame["AESEQ"].to_list()
    assert frame["RULE"].null_count() == 0


def component(test: str | list[str]) -> dict[str, Any]:
    return {
        "domain": "FA",
        "where": {"FAOBJ": "CRS", "FATESTCD": test},
        "value": "FASTRESC",
        "datetime": "FADTC",
    }


CRS = small_sources(
    crs={
        "temp_c": component("TEMP"),
        "hypotension": component("HYPOTENS"),
        "o2_device": component("O2DEV"),
        "steroid": component("STEROID"),
    },
    icans={"ice": component("ICE"), "consciousness": component("LOC")},
)

FA = """
    USUBJID | FAOBJ | FATESTCD | FASTRESC | FADTC
    2       | CRS   | TEMP     | 38.6     | 2026-01-10T20:00
    2       | CRS   | HYPOTENS | N        | 2026-01-10T20:00
    2       | CRS   | TEMP     | 38.9     | 2026-01-11T02:00
    2       | CRS   | HYPOTENS | Y        | 2026-01-11T02:00
    2       | CRS   | TEMP     | 38.2     | 2026-01-18T02:00
    2       | CRS   | TEMP     | 36.8     | 2026-02-10T02:00
    2       | CRS   | O2DEV    | NC       | 2026-02-10T02:00
    2       | CRS   | ICE      | 5        | 2026-02-20T02:00
    2       | CRS   | ICE      | five     | 2026-02-20T03:00
"""

CRS_EVENTS = """
    USUBJID | AESEQ | AEDECOD                   | AESTDTC          | AEENDTC          | AETOXGR | AESER | AEOUT
    2       | 1     | Cytokine release syndrome | 2026-01-10T20:00 | 2026-01-11T10:00 | 1       | N     | |
    2       | 2     | Cytokine release syndrome | 2026-01-18       | 2026-01-19       | 1       | N     | |
    2       | 3     | Cytokine release syndrome | 2026-02-01       | 2026-02-02       | 3       | N     | |
    2       | 4     | Cytokine release syndrome | 2026-02-10       | 2026-02-12       | 2       | N     | |
    2       | 5     | Immune effector cell-associated neurotoxicity | 2026-02-20 | 2026-02-21 | 1 | Y | FATAL
    2       | 6     | Fatigue                   | 2026-01-11       | 2026-01-12       | 2       | N     | |
"""


def test_crs_and_icans_are_graded_by_astct_from_components() -> None:
    """Fever, then fever with hypotension: grade 2, whatever was reported. Only fever: 1. No assessment: as
    reported. Oxygen without fever: not CRS by ASTCT, so as reported, with a finding. Fatal: 5."""
    frame, found = build(CRS_EVENTS, sdtm={"FA": records(FA)}, sources=CRS)
    assert frame["ATOXGRN"].to_list() == [2, 1, 3, 2, 5, 2]
    assert frame["ATOXGR"].to_list() == ["2", "1", "3", "2", "5", "2"]
    assert frame["AETOXGR"].to_list() == ["1", "1", "3", "2", "1", "2"]
    assert frame["AESICAT"].to_list() == ["CRS"] * 4 + ["ICANS", None]
    assert frame["GRADESRC"].to_list() == [
        *("ASTCT 2019 computed", "ASTCT 2019 computed", "ASTCT 2019 reported", "ASTCT 2019 reported"),
        *("ASTCT 2019 computed", "CTCAE v5.0 reported"),
    ]
    assert found.select("key", "rule", "value").sort("key", "rule").rows() == [
        ("USUBJID=2, AESEQ=1", "the reported grade is not that of ASTCT 2019", "reported 1, computed 2"),
        ("USUBJID=2, AESEQ=4", "signs without fever by ASTCT 2019", "NO_FEVER"),
        ("USUBJID=2, AESEQ=4", "the components show no such event by ASTCT 2019", "2"),
        ("USUBJID=2, AESEQ=5", "the reported grade is not that of ASTCT 2019", "reported 1, computed 5"),
        ("USUBJID=2, when=2026-02-20T03:00", "not a value of this ASTCT component", "five"),
    ]


def test_without_mapped_components_crs_stays_as_reported() -> None:
    frame, found = build(CRS_EVENTS, sdtm={"FA": records(FA)})
    assert frame["ATOXGRN"].to_list() == [1, 1, 3, 2, 1, 2]
    assert set(frame["GRADESRC"]) == {"ASTCT 2019 reported", "CTCAE v5.0 reported"}
    assert found.is_empty()


def test_assessments_after_the_cutoff_do_not_grade() -> None:
    frame, _ = build(CRS_EVENTS, dt.date(2026, 1, 10), sdtm={"FA": records(FA)}, sources=CRS)
    assert frame.select("AESEQ", "ATOXGRN", "AENDT").rows() == [(1, 1, None)]


def test_a_component_that_astct_does_not_have_names_file_and_key() -> None:
    sources = small_sources(crs={"temperature": component("TEMP")})
    with pytest.raises(InputError, match=r"sources.toml: crs.temperature: ASTCT has no .* has temp_c"):
        build(CRS_EVENTS, sources=sources)
    assert policies.faults(small_study(sources=sources))[0].startswith("sources.toml: crs.temperature: ")


def test_a_word_of_the_astct_policy_that_medicine_does_not_know_names_its_key() -> None:
    rules = {"astct_policy": {"vasopressin_alone": 4}}
    assert policies.faults(small_study(adverse_events=rules))[0].startswith("adverse_events.astct_policy: ")


def test_the_astct_policy_of_the_study_is_used() -> None:
    """Signs without fever that nothing masks, in an open episode: 0 with a query, or the grade they have."""
    fa = records(
        """
        USUBJID | FAOBJ | FATESTCD | FASTRESC | FADTC
        2       | CRS   | TEMP     | 38.6     | 2026-01-10T20:00
        2       | CRS   | HYPOTENS | Y        | 2026-01-11T02:00
        """
    )
    rules = {"astct": {"CRS": "Cytokine release syndrome"}}
    strict, _ = build(CRS_EVENTS, sdtm={"FA": fa}, sources=CRS, adverse_events=rules)
    rules |= {"astct_policy": {"afebrile_unmasked": "open_episode"}}
    lenient, _ = build(CRS_EVENTS, sdtm={"FA": fa}, sources=CRS, adverse_events=rules)
    assert (strict["ATOXGRN"][0], lenient["ATOXGRN"][0]) == (1, 2)


def components(fa: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    named = small_study(sources=CRS).sources.crs
    return safety_astct._recorded("CRS", named, safety_astct._timed({"FA": fa}, named.values()), CUTOFF)


ASSESSED = """
    at    | FATESTCD | FASTRESC | assessment
    10:00 | HYPOTENS | Y        | 1: twenty minutes before the temperature
    10:20 | TEMP     | 38.6     | 1
    11:00 | STEROID  | Y        | 1: an hour after the first
    11:01 | O2DEV    | NC       | 2: more than an hour
    11:30 | TEMP     | 38.2     | 2
    11:40 | TEMP     | 37.0     | 3: a component comes again
"""


@pytest.mark.parametrize(("hours", "n"), [(1, 3), (0, 6), (0.4, 4), (24, 3)])
def test_components_minutes_apart_are_one_assessment(hours: float, n: int) -> None:
    """Within so many hours of the first component, until one comes again."""
    drawn = table(ASSESSED).with_columns(pl.col("FASTRESC").cast(pl.String))
    fa = drawn.with_columns(USUBJID=pl.lit("2"), FAOBJ=pl.lit("CRS"), FADTC=pl.format("2026-01-10T{}", "at"))
    written, _ = components(fa)
    assessed = safety_astct._assessments(written, hours)
    assert assessed.height == n
    if hours == 1:
        assert assessed["temp_c"].to_list() == [38.6, 38.2, 37.0]
        assert assessed["hypotension"].to_list() == [True, None, None]


def test_assessments_of_two_patients_and_of_days_without_a_time_stay_apart() -> None:
    fa = records(
        """
        USUBJID | FAOBJ | FATESTCD | FASTRESC | FADTC
        1       | CRS   | TEMP     | 38.6     | 2026-01-10T23:50
        2       | CRS   | HYPOTENS | Y        | 2026-01-10T23:55
        2       | CRS   | TEMP     | 38.6     | 2026-01-11
        2       | CRS   | O2DEV    | NC       | 2026-01-11T00:20
        """
    )
    written, _ = components(fa)
    assert safety_astct._assessments(written, 1).height == 4


def test_of_several_words_of_a_component_the_first_record_counts_whoever_else_was_recorded_before() -> None:
    """Records of one time under two words that both mean temperature: the one of the lower number."""
    either = {"temp_c": component(["TEMP", "TEMPAX"])}
    fa = records(
        """
        USUBJID | FASEQ | FAOBJ | FATESTCD | FASTRESC | FADTC
        1       | 1     | CRS   | TEMPAX   | 37.0     | 2026-01-10T20:00
        2       | 1     | CRS   | TEMP     | 38.6     | 2026-01-10T20:00
        2       | 2     | CRS   | TEMPAX   | 37.2     | 2026-01-10T20:00
        """
    )
    named = small_study(sources=small_sources(crs=either)).sources.crs
    for rows in (fa, fa.tail(2), fa.reverse()):
        timed = safety_astct._timed({"FA": rows}, named.values())
        written, found = safety_astct._recorded("CRS", named, timed, CUTOFF)
        assert written.filter(USUBJID="2")["temp_c"].to_list() == [38.6]
        assert found["rule"].to_list() == ["recorded twice differently"]


def test_what_was_given_during_the_event_is_named() -> None:
    fa = records(
        """
        USUBJID | FAOBJ | FATESTCD | FASTRESC | FADTC
        2       | CRS   | TEMP     | 38.6     | 2026-01-10T20:00
        2       | CRS   | STEROID  | Y        | 2026-01-10T20:00
        2       | CRS   | O2DEV    | NC       | 2026-01-11T02:00
        2       | CRS   | STEROID  | Y        | 2026-01-11T12:00
        2       | CRS   | TEMP     | 38.6     | 2026-01-18
        """
    )
    frame, _ = build(CRS_EVENTS, sdtm={"FA": fa}, sources=CRS)
    assert frame["AESITRT"].to_list() == ["oxygen, steroid", None, None, None, None, None]


def test_the_order_of_the_records_does_not_matter() -> None:
    ae, fa = records(CRS_EVENTS), records(FA)
    study = small_study(sources=CRS)
    straight, _ = adae.build(study, {"AE": ae, "FA": fa}, adsl(), CUTOFF)
    turned, _ = adae.build(study, {"AE": ae.reverse(), "FA": fa.reverse()}, adsl(), CUTOFF)
    assert straight.equals(turned)


def test_a_component_of_the_patient_counts_at_every_assessment() -> None:
    """ICE 8 with a baseline of 8 is no fall: grade 0 by ASTCT, so the reported grade stands."""
    fa = records(
        """
        USUBJID | FAOBJ | FATESTCD | FASTRESC | FADTC
        2       | CRS   | ICEBL    | 8        | 2026-01-02
        2       | CRS   | ICE      | 8        | 2026-02-20T02:00
        2       | CRS   | ICE      | 3        | 2026-02-21T02:00
        """
    )
    icans = {"ice_baseline": component("ICEBL"), "ice": component("ICE")}
    event = """
        USUBJID | AESEQ | AEDECOD                                       | AESTDTC          | AEENDTC          | AETOXGR | AESER
        2       | 1     | Immune effector cell-associated neurotoxicity | 2026-02-20T01:00 | 2026-02-20T05:00 | 1       | N
        2       | 2     | Immune effector cell-associated neurotoxicity | 2026-02-21T01:00 | 2026-02-21T05:00 | 1       | N
    """
    frame, found = build(event, sdtm={"FA": fa}, sources=small_sources(icans=icans))
    assert frame["ATOXGRN"].to_list() == [1, 2], "8 is judged as 10, and 3 as 5"
    assert found["rule"].to_list() == [
        "the reported grade is not that of ASTCT 2019",
        "the components show no such event by ASTCT 2019",
    ]


def test_components_without_a_day_or_written_twice_are_findings() -> None:
    fa = records(
        """
        USUBJID | FAOBJ | FATESTCD | FASTRESC | FADTC
        2       | CRS   | TEMP     | 38.6     | 2026-01-10T20:00
        2       | CRS   | TEMP     | 36.6     | 2026-01-10T20:00
        2       | CRS   | TEMP     | 38.6     | 2026-01
        """
    )
    _, found = build(CRS_EVENTS, sdtm={"FA": fa}, sources=CRS)
    of_components = found.filter(pl.col("dataset") == "FA").select("rule", "value", "action")
    assert of_components.rows() == [
        ("the day is not known", "38.6", "not used"),
        ("recorded twice differently", "36.6", "the first is used"),
    ]


def test_of_a_component_written_twice_the_record_with_the_lower_number_counts() -> None:
    fa = records(
        """
        USUBJID | FASEQ | FAOBJ | FATESTCD | FASTRESC | FADTC
        2       | 2     | CRS   | TEMP     | 36.6     | 2026-01-10T20:00
        2       | 1     | CRS   | TEMP     | 38.6     | 2026-01-10T20:00
        """
    )
    for rows in (fa, fa.reverse()):
        frame, found = build(CRS_EVENTS, sdtm={"FA": rows}, sources=CRS)
        assert frame["GRADESRC"][0] == "ASTCT 2019 computed"
        assert found.filter(pl.col("dataset") == "FA")["value"].to_list() == ["36.6"]


def test_an_assessment_without_a_time_belongs_to_the_events_of_its_day() -> None:
    fa = records("USUBJID | FAOBJ | FATESTCD | FASTRESC | FADTC\n2 | CRS | TEMP | 39.0 | 2026-01-10")
    frame, _ = build(CRS_EVENTS, sdtm={"FA": fa}, sources=CRS)
    assert frame["GRADESRC"].to_list()[:2] == ["ASTCT 2019 computed", "ASTCT 2019 reported"]


def test_two_events_of_one_day_are_told_apart_by_their_times() -> None:
    fa = records(
        """
        USUBJID | FAOBJ | FATESTCD | FASTRESC | FADTC
        2       | CRS   | TEMP     | 38.6     | 2026-01-12T06:00
        2       | CRS   | TEMP     | 38.6     | 2026-01-12T20:00
        2       | CRS   | HYPOTENS | Y        | 2026-01-12T20:00
        """
    )
    event = """
        USUBJID | AESEQ | AEDECOD                   | AESTDTC          | AEENDTC          | AETOXGR | AESER
        2       | 1     | Cytokine release syndrome | 2026-01-12T05:00 | 2026-01-12T09:00 | 1       | N
        2       | 2     | Cytokine release syndrome | 2026-01-12T19:00 | 2026-01-12T23:00 | 2       | N
    """
    frame, found = build(event, sdtm={"FA": fa}, sources=CRS)
    assert frame["ATOXGRN"].to_list() == [1, 2]
    assert found.is_empty()
