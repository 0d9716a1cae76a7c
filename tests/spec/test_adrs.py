"""ADTR and ADRS: from lesions as sites write them to sums, responses and the best response.

Day 0 is randomisation, 1 January 2026. One drawn row of TR per lesion and scan: LDIAM, or LPERP for a node.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from drawn import table
from small import small_sources, small_study
from trialwright.adam import adrs, adtr
from trialwright.adam.lesions import lesions
from trialwright.standards.errors import InputError
from trialwright.study.model import Study

DAY0 = dt.date(2026, 1, 1)
CUTOFF = DAY0 + dt.timedelta(days=600)
READERS = [
    {"id": "INV", "label": "Investigator", "where": {"EVAL": "INVESTIGATOR"}},
    {"id": "IRC", "label": "Accepted", "where": {"EVAL": "INDEPENDENT ASSESSOR"}, "accepted": True},
]


def _study(**changes: Any) -> Study:
    return small_study(sources=small_sources(assessors=READERS), **changes)


def _adsl(**given: dt.date | None) -> pl.DataFrame:
    return pl.DataFrame(
        {"USUBJID": ["X"], "RANDDT": [DAY0], "TRTSDT": [DAY0], "NACTDT": [None], "DTHDT": [None]}
        | {k: [v] for k, v in given.items()},
        schema={"USUBJID": pl.String, **dict.fromkeys(("RANDDT", "TRTSDT", "NACTDT", "DTHDT"), pl.Date)},
    )


def _tr(drawn: str) -> pl.DataFrame:
    """Columns visit, day, lesion, mm or state, and where wanted reader, accepted, date."""
    rows = []
    for i, row in enumerate(table(drawn).to_dicts(), start=1):
        lesion, value = str(row["lesion"]), row["value"]
        group = "NEW" if lesion.startswith("NEW") else "NON-TARGET" if lesion.startswith("NT") else "TARGET"
        number = None if value is None or not str(value).replace(".", "").isdigit() else float(value)
        test = "TUMSTATE" if group != "TARGET" else "LPERP" if lesion.startswith("N") else "LDIAM"
        eval_, _, evalid = str(row.get("reader") or "INVESTIGATOR").partition("/")
        rows.append(
            {
                "USUBJID": "X",
                "TRSEQ": i,
                "TRGRPID": group,
                "TRLNKID": lesion,
                "TRTESTCD": test,
                "TRSTRESC": None if value is None else str(value),
                "TRSTRESN": number,
                "TRSTAT": "NOT DONE" if value is None else None,
                "TRLOC": "LYMPH NODE" if test == "LPERP" else "LIVER",
                "TREVAL": eval_,
                "TREVALID": evalid or None,
                "TRACPTFL": row.get("accepted"),
                "VISIT": row["visit"],
                "TRDTC": row.get("date") or (DAY0 + dt.timedelta(days=row["day"])).isoformat(),
            }
        )
    return pl.DataFrame(
        rows,
        schema_overrides={
            "TRSTRESN": pl.Float64,
            "TREVALID": pl.String,
            "TRACPTFL": pl.String,
            "TRSTAT": pl.String,
        },
    )


def _built(
    tr: str, *, rs: pl.DataFrame | None = None, study: Study | None = None, adsl: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    study, adsl = study or _study(), _adsl() if adsl is None else adsl
    sdtm = {"TR": _tr(tr)} | ({} if rs is None else {"RS": rs})
    seen, odd = lesions(study, sdtm, adsl, CUTOFF)
    built, _, found = adrs.build(study, sdtm, adsl, seen, CUTOFF)
    return adtr.build(study, seen, adsl), built, [*odd["rule"], *found["rule"]]


def _said(frame: pl.DataFrame, paramcd: str, assessor: str = "INV") -> list[str]:
    rows = frame.filter((pl.col("PARAMCD") == paramcd) & (pl.col("PARQUAL") == assessor))
    return rows.sort("AVISITN")["AVALC"].to_list()


COURSE = """
 visit    | day | lesion | value
 BASELINE | -10 | T01    | 60
 BASELINE | -10 | N02    | 20
 BASELINE | -10 | NT01   | PRESENT
 W6       |  42 | T01    | 30
 W6       |  42 | N02    | 12
 W6       |  42 | NT01   | PRESENT
 W12      |  84 | T01    | 0
 W12      |  84 | N02    | 9
 W12      |  84 | NT01   | ABSENT
 W18      | 126 | T01    | 10
 W18      | 126 | N02    | 9
 W18      | 126 | NT01   | ABSENT
"""


def test_the_sum_adds_the_longest_diameter_and_the_short_axis_of_a_node() -> None:
    sums, _, found = _built(COURSE)
    assert sums.select("AVISITN", "AVAL", "BASE", "NADIR", "CHG", "ABLFL").rows() == [
        (0, 80.0, 80.0, None, None, "Y"),
        (1, 42.0, 80.0, 80.0, -38.0, None),
        (2, 9.0, 80.0, 42.0, -71.0, None),
        (3, 19.0, 80.0, 9.0, -61.0, None),
    ]
    assert sums["ADY"].to_list() == [-10, 43, 85, 127]
    assert found == []


def test_the_time_points_follow_the_tables_and_name_their_source() -> None:
    _, built, _ = _built(COURSE)
    assert _said(built, "TRGRESP") == ["PR", "CR", "PD"]
    assert _said(built, "NTRGRESP") == ["NON-CR/NON-PD", "CR", "CR"]
    assert _said(built, "OVRLC") == _said(built, "OVRLRESP") == ["PR", "CR", "PD"]
    row = built.filter(pl.col("PARAMCD") == "OVRLC").row(0, named=True)
    assert (row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"], row["RULE"]) == ("TR", "TRSTRESC", 4, "target_pr")


def test_the_best_response_and_the_endpoint_have_a_row_each() -> None:
    _, built, _ = _built(COURSE)
    assert (_said(built, "BORC"), _said(built, "BORU"), _said(built, "ORR")) == (["PR"], ["CR"], ["Y"])


def test_everyone_randomised_has_a_best_response_even_without_a_scan() -> None:
    none = (
        COURSE.replace("T01", "NT09").replace("N02", "NT08")[:0]
        + " visit | day | lesion | value\n B | -3 | T01 | 30"
    )
    _, built, _ = _built(none)
    _, dead, _ = _built(none, adsl=_adsl(DTHDT=DAY0 + dt.timedelta(days=20)))
    assert [(f["AVALC"][0], f["RULE"][0]) for f in (_bor(built), _bor(dead))] == [
        ("NE", "no_assessment"),
        ("NE", "early_death"),
    ]
    assert _said(built, "ORR") == ["N"]


def _bor(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("PARAMCD") == "BORC")


def test_a_target_not_measured_makes_the_assessment_not_evaluable() -> None:
    sums, built, found = _built(
        COURSE.replace("W6       |  42 | N02    | 12", "W6       |  42 | N02    | SMUDGED")
    )
    assert _said(built, "OVRLC")[0] == "NE"
    assert sums["COMPLFL"].to_list()[1] == "N"
    assert found == ["a target lesion without a usable diameter"]


def test_a_word_that_no_rule_knows_is_a_finding_and_not_evaluable() -> None:
    _, built, found = _built(
        COURSE.replace("W12      |  84 | NT01   | ABSENT", "W12      |  84 | NT01   | MAYBE")
    )
    assert _said(built, "NTRGRESP")[1] == "NE"
    assert found == ["a non-target lesion in a state that no rule knows"]


def test_an_equivocal_new_lesion_later_confirmed_dates_the_progression_back() -> None:
    new = " W6 | 42 | NEW01 | EQUIVOCAL\n W12 | 84 | NEW01 | UNEQUIVOCAL\n"
    _, built, _ = _built(COURSE + new)
    assert _said(built, "OVRLC") == ["PD", "PD", "PD"]
    first = built.filter(pl.col("PARAMCD") == "OVRLC").sort("AVISITN").row(0, named=True)
    assert (first["ADY"], first["RULE"]) == (43, "new_lesion_backdated")


def test_an_imaging_date_known_to_the_month_is_a_finding_and_keeps_its_place() -> None:
    drawn = """
 visit    | day | lesion | date       | value
 BASELINE | -10 | T01    | 2025-12-22 | 60
 W6       |   0 | T01    | 2026-02    | 60
 W12      |   0 | T01    | 2026-03-26 | 30
"""
    sums, built, found = _built(drawn)
    assert _said(built, "OVRLC") == ["SD", "PR"]
    assert sums["ADT"].to_list()[1] == dt.date(2026, 2, 1)
    assert found == ["an imaging date not known to the day"]


def test_assessments_after_a_new_therapy_do_not_count_for_the_best_response() -> None:
    _, built, _ = _built(COURSE, adsl=_adsl(NACTDT=DAY0 + dt.timedelta(days=50)))
    assert _said(built, "OVRLRESP") == ["PR", "CR", "PD"]
    assert (_said(built, "BORC"), _said(built, "BORU")) == (["SD"], ["PR"])


TWO_READERS = """
 visit    | day | lesion | reader                 | accepted | value
 BASELINE | -10 | T01    | INDEPENDENT ASSESSOR/1 | Y        | 50
 BASELINE | -10 | T01    | INDEPENDENT ASSESSOR/2 |          | 80
 W6       |  42 | T01    | INDEPENDENT ASSESSOR/1 |          | 50
 W6       |  42 | T01    | INDEPENDENT ASSESSOR/2 | Y        | 50
"""


def test_the_accepted_reader_of_a_visit_is_compared_with_that_reader_s_own_baseline() -> None:
    """Reader 2 saw 80 → 50 mm (PR); against the accepted baseline of reader 1 it would have been SD."""
    _, built, _ = _built(TWO_READERS)
    assert _said(built, "OVRLC", "IRC") == ["PR"]


def test_an_assessor_that_fits_two_readers_must_say_which_is_accepted() -> None:
    loose = [READERS[0], {"id": "IRC", "label": "Any", "where": {"EVAL": "INDEPENDENT ASSESSOR"}}]
    with pytest.raises(
        InputError, match=r"assessors.IRC: fits INDEPENDENT ASSESSOR\|1, INDEPENDENT ASSESSOR\|2"
    ):
        _built(TWO_READERS, study=small_study(sources=small_sources(assessors=loose)))


def _rs(*rows: tuple[str, int, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "USUBJID": "X",
                "RSSEQ": i,
                "RSTESTCD": "OVRLRESP",
                "RSSTRESC": word,
                "RSEVAL": "INVESTIGATOR",
                "VISIT": visit,
                "RSDTC": (DAY0 + dt.timedelta(days=day)).isoformat(),
            }
            for i, (visit, day, word) in enumerate(rows, start=1)
        ]
    )


def test_computed_and_reported_stand_side_by_side_and_the_study_says_which_counts() -> None:
    rs = _rs(("W6", 42, "SD"), ("W12", 84, "PR"), ("W18", 126, "PR"))
    reported = _study(response={"assessor": "INV", "basis": "reported"})
    for study, expected in ((_study(), ["PR", "CR", "PD"]), (reported, ["SD", "PR", "PR"])):
        _, built, _ = _built(COURSE, rs=rs, study=study)
        assert _said(built, "OVRLC") == ["PR", "CR", "PD"]
        assert _said(built, "OVRLR") == ["SD", "PR", "PR"]
        assert _said(built, "OVRLRESP") == expected


def test_a_reported_word_that_is_no_response_is_a_finding_and_left_out() -> None:
    _, built, found = _built(COURSE, rs=_rs(("W6", 42, "CHECK"), ("W12", 84, "PR")))
    assert _said(built, "OVRLR") == ["PR"]
    assert found == ["not a response of RECIST 1.1"]
