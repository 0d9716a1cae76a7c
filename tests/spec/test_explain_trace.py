"""The trace: what was used, what was passed over and why, read off what the datasets decided."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from explained import CUTOFF, DAY0, Told, told
from trialwright.adam.trace_rows import KINDS, SCHEMA

BASELINE = "visit | day | lesion | value\nBASELINE | -3 | T1 | 100\n"


def scans(*given: str) -> str:
    """``42 60`` a scan of T1 on day 42 with 60 mm; ``42 -`` one where it was not measured."""
    lines = []
    for scan in given:
        day, size = scan.split()
        lines.append(f"D{day} | {day} | T1 | {'NOT EVALUABLE' if size == '-' else size}")
    return BASELINE + "\n".join(lines)


def _candidates(seen: Told, clock: str) -> dict[str, tuple[str, str | None]]:
    return {r["NAME"]: (r["USED"], r["REASON"]) for r in seen.rows("candidate", ENDPOINT=clock)}


def test_the_shape_is_promised() -> None:
    trace = told(scans("42 60")).trace
    assert trace.schema == SCHEMA
    assert set(trace["KIND"]) <= set(KINDS)
    assert trace["ORDER"].to_list() == list(range(1, trace.height + 1))
    assert (
        trace.filter((pl.col("USED") == "N") & (pl.col("KIND") != "population"))["REASON"].null_count() == 0
    )


def test_a_scan_has_its_records_its_sum_and_the_rule_that_fired() -> None:
    seen = told(scans("42 60", "84 61"))
    (sum_,) = seen.rows("sum", AVISIT="D84")
    assert (sum_["AVAL"], sum_["BASE"], sum_["NADIR"], sum_["WORD"]) == (61, 100, 60, "sum_decreased")
    (lesion,) = seen.rows("target", ASSESSMENT="D84")
    assert (lesion["NAME"], lesion["AVAL"], lesion["SRCDOM"], lesion["SRCSEQ"]) == ("T1", 61, "TR", 3)
    assert (lesion["DATE"], lesion["DAY"]) == (DAY0 + dt.timedelta(days=84), 85)


CONFIRMATION = {
    "a gap of 27 days": ((["42 60", "69 60", "126 100"]), {}, "interval"),
    "a gap of 28 days": ((["42 60", "70 60"]), {}, None),
    "two NE between": ((["42 60", "84 -", "126 -", "168 60"]), {}, "too_many_ne"),
    "two SD between": ((["42 65", "84 75", "126 75", "168 65", "210 100"]), {}, "too_many_sd"),
    "no later response": ((["42 60", "84 100"]), {}, "none_later"),
    "only after another therapy": ((["42 60", "84 60"]), {"therapy": 60}, "after_new_therapy"),
    "too soon, with two NE between": (
        ["42 60", "50 -", "56 -", "60 60", "84 100"],
        {},
        "interval_and_between",
    ),
}


@pytest.mark.parametrize("name", CONFIRMATION)
def test_what_stood_in_the_way_of_a_confirmation(name: str) -> None:
    given, more, reason = CONFIRMATION[name]
    seen = told(scans(*given), **more)
    assert [row["REASON"] for row in seen.rows("not_confirmed")] == ([reason] if reason else [])
    assert len(seen.rows("confirmed_by")) == (0 if reason else 1)


def test_two_missed_scans_pass_over_a_progression_in_one_reading_only() -> None:
    seen = told(scans("42 60", "210 100"), death=300)
    assert _candidates(seen, "PFSE") == {"progression": ("Y", None), "death": ("N", "later_than_event")}
    assert _candidates(seen, "PFSF") == {"progression": ("N", "by_case"), "death": ("N", "by_case")}
    (missed,) = seen.rows("candidate", ENDPOINT="PFSF", NAME="progression")
    assert missed["VALUE"] == "W12, W18, W24"
    assert [row["VALUE"] for row in seen.rows("assessment", ENDPOINT="PFSF")] == ["PD"]


def test_another_therapy_stops_the_count_in_one_reading_only() -> None:
    seen = told(scans("42 80", "84 85", "126 130"), therapy=100)
    assert _candidates(seen, "PFSE")["new_therapy"] == ("N", "no_event_of_clock")
    assert _candidates(seen, "PFSF")["new_therapy"] == ("Y", "stops_the_count")
    assert _candidates(seen, "PFSF")["progression"] == ("N", "by_case")
    (late,) = seen.rows("response", NAME="OVRLRESP", AVISIT="D126")
    assert (late["USED"], late["REASON"]) == ("N", "after_new_therapy")


def test_what_follows_a_progression_is_after_it_and_not_after_another_therapy() -> None:
    seen = told(scans("42 130", "84 131"), therapy=70)
    (late,) = seen.rows("response", NAME="OVRLRESP", AVISIT="D84")
    assert (late["USED"], late["REASON"]) == ("N", "after_progression")


def test_what_lies_after_the_cutoff_is_named_and_not_used() -> None:
    seen = told(scans("42 80", "84 130"), death=120, cutoff=70)
    assert _candidates(seen, "PFSE") == {"progression": ("N", "after_cutoff"), "death": ("N", "after_cutoff")}
    assert _candidates(seen, "OS") == {"death": ("N", "after_cutoff")}
    (death,) = seen.rows("date", NAME="death")
    assert (death["USED"], death["REASON"]) == ("N", "after_cutoff")
    (scan,) = seen.rows("response", REASON="after_cutoff")
    assert (scan["VALUE"], scan["DAY"]) == ("PD", 85)
    assert not told(scans("42 80", "84 130"), death=120, cutoff=CUTOFF).rows(
        "response", REASON="after_cutoff"
    )


def test_a_death_with_part_of_a_date_and_one_without() -> None:
    (partial,) = told(scans("42 80"), death="2026-06").rows("date", NAME="death")
    assert partial["WORD"] == "imputed_D"


def test_the_clock_of_a_response_starts_for_responders_only() -> None:
    (absent,) = told(scans("42 80")).rows("absent")
    assert (absent["ENDPOINT"], absent["REASON"]) == ("DOR", "no_response")
    (start,) = told(scans("42 60", "84 60")).rows("start", ENDPOINT="DOR")
    assert start["DAY"] == 43


LESIONS = {
    "equivocal, then true": ("EQUIVOCAL", "UNEQUIVOCAL", ("Y", "backdated")),
    "equivocal for ever": ("EQUIVOCAL", "EQUIVOCAL", ("N", "equivocal")),
    "equivocal, then not real": ("EQUIVOCAL", "ABSENT", ("N", "equivocal")),
    "true at once": ("UNEQUIVOCAL", "UNEQUIVOCAL", ("Y", None)),
}


@pytest.mark.parametrize("name", LESIONS)
def test_a_new_lesion_says_whether_it_counts(name: str) -> None:
    first, then, expected = LESIONS[name]
    drawn = scans("42 80", "84 80") + f"\nD42 | 42 | NEW1 | {first}\nD84 | 84 | NEW1 | {then}"
    lesion = told(drawn).rows("new", ASSESSMENT="D42")[0]
    assert (lesion["USED"], lesion["REASON"]) == expected


def test_a_lesion_that_was_no_target_at_baseline_stays_out_of_the_sum() -> None:
    (stranger,) = told(scans("42 80") + "\nD42 | 42 | T2 | 30").rows("target", NAME="T2")
    assert (stranger["USED"], stranger["REASON"]) == ("N", "no_target_at_baseline")


def test_the_reader_who_was_not_accepted_is_named() -> None:
    drawn = """
    visit | day | response | reader                              | accepted
    W6    | 42  | SD       | INDEPENDENT ASSESSOR/RADIOLOGIST 1  | Y
    W6    | 42  | PD       | INDEPENDENT ASSESSOR/RADIOLOGIST 2  | N
    W12   | 700 | PD       | INDEPENDENT ASSESSOR/RADIOLOGIST 2  | N
    """
    response: dict[str, Any] = {"assessor": "IRC", "basis": "reported"}
    seen = told(readings=drawn, response=response)
    (passed,) = seen.rows("not_accepted")
    assert (passed["READER"], passed["VALUE"]) == ("INDEPENDENT ASSESSOR|RADIOLOGIST 2", "PD")
    assert [row["VALUE"] for row in seen.rows("response", NAME="OVRLRESP", USED="Y")] == ["SD"]


def test_forms_say_why_they_were_passed_over() -> None:
    seen = told(scores="-20 1, 0 1, 42 3, 46 4, 700 4")
    said = {row["DAY"]: (row["USED"], row["REASON"]) for row in seen.rows("form", NAME="FA")}
    assert said == {
        -20: ("N", "before_baseline"),
        1: ("Y", None),
        43: ("Y", None),
        47: ("N", "unscheduled"),
        701: ("N", "after_cutoff"),
    }


def test_a_screen_failure_has_dates_and_nothing_else() -> None:
    seen = told(randomised=False)
    assert set(seen.trace["KIND"]) == {"date", "population"}


def test_each_clock_has_one_stop_and_an_event_one_cause() -> None:
    seen = told(scans("42 60", "84 60", "126 100"), death=300, scores="0 1, 42 3")
    stops = seen.trace.filter(pl.col("KIND") == "stop")
    assert stops["ENDPOINT"].n_unique() == stops.height == 6
    for stop in stops.filter(
        (pl.col("NAME") == "event") & ~pl.col("ENDPOINT").str.starts_with("TTD")
    ).to_dicts():
        causes = seen.rows("candidate", ENDPOINT=stop["ENDPOINT"], USED="Y")
        assert [cause["DATE"] for cause in causes] == [stop["DATE"]]
