"""ADTTE: where a clock starts, what stops it, and the reason in words.

Day 0 is randomisation, 1 January 2026; the cutoff is day 600. Scans are planned every 42 days (window 7).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from drawn import table
from small import small_study
from trialwright.adam import adtte
from trialwright.adam.adrs import TIME_POINT, Responses
from trialwright.study.model import Study

DAY0 = dt.date(2026, 1, 1)
CUTOFF = DAY0 + dt.timedelta(days=600)
VISITS = [{"id": "BASELINE", "day": 0, "window": 7}] + [
    {"id": f"W{6 * i}", "day": 42 * i, "window": 7} for i in range(1, 15)
]
CLOCKS: list[dict[str, Any]] = [
    {"id": "OS", "label": "Overall survival", "events": ["death"], "censor_at": "last_known_alive"},
    {
        "id": "OSI",
        "label": "From inclusion",
        "origin": "inclusion",
        "events": ["death"],
        "censor_at": "last_known_alive",
    },
    *(
        {
            "id": id_,
            "label": id_,
            "events": ["progression", "death"],
            "censor_at": "last_adequate_assessment",
            "rules": rules,
        }
        for id_, rules in (("PFSE", "EMA_ITT"), ("PFSF", "FDA_CENSOR"))
    ),
    {
        "id": "DOR",
        "label": "Duration of response",
        "origin": "response",
        "events": ["progression", "death"],
        "censor_at": "last_adequate_assessment",
        "rules": "EMA_ITT",
    },
    {
        "id": "DORP",
        "label": "Duration of response, deaths censored",
        "origin": "response",
        "events": ["progression"],
        "censor_at": "last_adequate_assessment",
        "rules": "EMA_ITT",
    },
]


def study() -> Study:
    schedule = {"visits": VISITS, "activities": {"TUMOUR": tuple(v["id"] for v in VISITS)}}
    return small_study(endpoints={"time_to_event": CLOCKS}, schedule=schedule, analyses=SAFETY, outcomes=[])


SAFETY = [{"id": "SAFETY", "label": "Safety", "method": "toxicity", "population": "ITT"}]


def _date(day: float | None) -> dt.date | None:
    return None if day is None else DAY0 + dt.timedelta(days=int(day))


def _adsl(**given: Any) -> pl.DataFrame:
    """One randomised subject; days from randomisation."""
    said = {"inclusion": -5, "alive": 0, "death": None, "therapy": None, "dthfl": None, "eos": None} | given
    died = said["death"] is not None
    return pl.DataFrame(
        {
            "USUBJID": ["X"],
            "TRT01P": ["A"],
            "RANDDT": [DAY0],
            "INCLDT": [_date(said["inclusion"])],
            "TRTSDT": [DAY0],
            "DTHDT": [_date(said["death"])],
            "DTHDTF": [None],
            "DTHFL": [said["dthfl"] or ("Y" if died else "N")],
            "DTHSEQ": [1],
            "LSTALVDT": [_date(said["alive"])],
            "LSTALVDM": ["VS"],
            "LSTALVVR": ["VSDTC"],
            "LSTALVSQ": [9],
            "NACTDT": [_date(said["therapy"])],
            "EOSREAS": [said["eos"]],
            "CUTOFFDT": [CUTOFF],
        },
        schema_overrides={
            **dict.fromkeys(("INCLDT", "DTHDT", "NACTDT", "LSTALVDT"), pl.Date),
            **dict.fromkeys(("DTHDTF", "EOSREAS"), pl.String),
        },
    )


def _responses(scans: str, response_day: int | None = None) -> Responses:
    """``42 SD, 84 PD``: the overall responses by day."""
    rows = [entry.split() for entry in scans.split(",") if entry.strip()]
    points = pl.DataFrame(
        {
            "subject": ["X"] * len(rows),
            "assessor": ["INV"] * len(rows),
            "assessment": [day for day, _ in rows],
            "AVISIT": [day for day, _ in rows],
            "day": [int(day) for day, _ in rows],
            "pd_day": [int(day) if word == "PD" else None for day, word in rows],
            "response": [word for _, word in rows],
            "rule": ["drawn"] * len(rows),
            "SRCDOM": ["TR"] * len(rows),
            "SRCVAR": ["TRSTRESC"] * len(rows),
            "SRCSEQ": list(range(1, len(rows) + 1)),
            "accepted": [False] * len(rows),
        },
        schema=TIME_POINT,
    )
    best = pl.DataFrame(
        {
            "subject": ["X"],
            "assessor": ["INV"],
            "best_response": ["PR" if response_day is not None else "SD"],
            "day": [0],
            "confirm_day": [None],
            "response_day": [response_day],
            "rule": ["drawn"],
            "finding": [None],
        },
        schema_overrides={"response_day": pl.Int64, "confirm_day": pl.Int64, "finding": pl.String},
    )
    return Responses(points, {"confirmed": best, "unconfirmed": best})


NO_FORMS = pl.DataFrame(
    schema={
        **dict.fromkeys(("USUBJID", "PARAMCD", "PARCAT1", "ANL01FL", "ABLFL"), pl.String),
        "AVISITN": pl.Int64,
        "ADT": pl.Date,
        "AVAL": pl.Float64,
    }
)


def _row(
    paramcd: str, scans: str = "", response_day: int | None = None, **subject: Any
) -> dict[str, Any] | None:
    built, _ = adtte.build(study(), _adsl(**subject), _responses(scans, response_day), NO_FORMS)
    rows = built.filter(pl.col("PARAMCD") == paramcd).to_dicts()
    return rows[0] if rows else None


#: Cases of trial-and-rules 6.4. ``end`` is the day of event or censoring, from randomisation.
CASES = table("""
 case | scans                          | death | therapy | ema_cnsr | ema_end | fda_cnsr | fda_end
 P3   |                                |       |         |        1 |       0 |        1 |       0
 P4   |                                |    80 |         |        0 |      80 |        0 |      80
 P5   |                                |   200 |         |        0 |     200 |        1 |       0
 P6   | 42 SD, 84 SD, 126 PD           |       |         |        0 |     126 |        0 |     126
 P6b  | 42 SD, 126 PD                  |       |         |        0 |     126 |        0 |     126
 P7   | 42 SD, 60 PD                   |       |         |        0 |      60 |        0 |      60
 P8   | 42 SD, 210 PD                  |       |         |        0 |     210 |        1 |      42
 P9   | 42 SD, 84 SD                   |   120 |         |        0 |     120 |        0 |     120
 P9b  | 42 SD                          |   120 |         |        0 |     120 |        0 |     120
 P10  | 42 SD, 84 SD                   |   300 |         |        0 |     300 |        1 |      84
 P11  | 42 SD, 84 SD, 126 PD           |       |     100 |        0 |     126 |        1 |      84
 P11b | 42 SD, 84 SD, 126 SD           |       |     100 |        1 |     126 |        1 |      84
 P11c | 42 SD, 84 SD, 126 PD           |       |      84 |        0 |     126 |        1 |      84
 P15  | 42 SD, 84 SD, 126 SD           |       |         |        1 |     126 |        1 |     126
 P16  | 42 SD, 84 PD                   |       |      84 |        0 |      84 |        0 |      84
 P18  | 42 NE, 84 NE                   |       |         |        1 |       0 |        1 |       0
 P18b | 42 NE                          |    80 |         |        0 |      80 |        0 |      80
 tie  | 42 SD, 84 PD                   |    84 |         |        0 |      84 |        0 |      84
 ne   | 42 SD, 84 NE                   |       |         |        1 |      42 |        1 |      42
""")


@pytest.mark.parametrize("case", CASES.to_dicts(), ids=CASES["case"].to_list())
@pytest.mark.parametrize(("rules", "paramcd"), [("ema", "PFSE"), ("fda", "PFSF")])
def test_progression_free_survival_under_both_rule_sets(
    case: dict[str, Any], rules: str, paramcd: str
) -> None:
    row = _row(paramcd, case["scans"] or "", death=case["death"], therapy=case["therapy"])
    assert row is not None
    assert (row["CNSR"], row["ADT"]) == (case[f"{rules}_cnsr"], _date(case[f"{rules}_end"]))
    assert row["AVAL"] == case[f"{rules}_end"] + 1
    assert (row["EVNTDESC"] is None) == (row["CNSR"] == 1) == (row["CNSDTDSC"] is not None)


def test_two_windows_must_lie_whole_between_the_last_scan_and_the_event() -> None:
    """Windows [77, 91] and [119, 133] after a scan on day 42: a death on day 133 is not after two missed scans."""
    at_the_edge, after = (_row("PFSF", "42 SD", death=day) for day in (133, 134))
    assert at_the_edge is not None
    assert after is not None
    assert (at_the_edge["CNSR"], after["CNSR"]) == (0, 1)
    assert after["CNSDTDSC"] == "LAST ADEQUATE TUMOUR ASSESSMENT BEFORE TWO OR MORE MISSED SCANS AND DEATH"
    assert after["RULE"] == "FDA_CENSOR:P10"


def test_progression_and_death_on_one_day_is_the_event_that_the_study_names_first() -> None:
    row = _row("PFSE", "42 SD, 84 PD", death=84)
    assert row is not None
    assert (row["EVNTDESC"], row["SRCDOM"], row["SRCSEQ"]) == ("DISEASE PROGRESSION", "TR", 2)


@pytest.mark.parametrize(
    ("subject", "cnsr", "end", "why"),
    [
        ({"death": 100}, 0, 100, "DEATH"),
        ({"alive": 600}, 1, 600, "ALIVE AT CUTOFF"),
        ({"alive": 300}, 1, 300, "LAST KNOWN ALIVE BEFORE CUTOFF"),
        ({"alive": 300, "eos": "LOST TO FOLLOW-UP"}, 1, 300, "LOST TO FOLLOW-UP, LAST KNOWN ALIVE"),
        ({"alive": 90, "dthfl": "Y"}, 2, 90, "DEATH WITHOUT A DATE, LAST KNOWN ALIVE"),
        ({"alive": None}, 1, 0, "LAST KNOWN ALIVE BEFORE CUTOFF"),
        ({"death": 100, "therapy": 20}, 0, 100, "DEATH"),
    ],
)
def test_overall_survival(subject: dict[str, Any], cnsr: int, end: int, why: str) -> None:
    row = _row("OS", **subject)
    assert row is not None
    assert (row["CNSR"], row["ADT"], row["AVAL"]) == (cnsr, _date(end), end + 1)
    assert (row["EVNTDESC"] or row["CNSDTDSC"]) == why


def test_survival_from_inclusion_is_longer_by_the_gap() -> None:
    row, from_inclusion = _row("OS", death=100), _row("OSI", death=100)
    assert row is not None
    assert from_inclusion is not None
    assert from_inclusion["AVAL"] - row["AVAL"] == 5


def test_without_the_date_of_its_origin_a_clock_has_no_row_and_a_finding() -> None:
    built, found = adtte.build(study(), _adsl(inclusion=None, death=9), _responses(""), NO_FORMS)
    assert "OSI" not in built["PARAMCD"].to_list()
    assert found["rule"].to_list() == ["no date of inclusion, where the clock OSI starts"]


def test_a_clock_that_would_stop_before_it_starts_has_no_time_and_a_finding() -> None:
    built, found = adtte.build(study(), _adsl(death=-3), _responses(""), NO_FORMS)
    row = built.row(by_predicate=pl.col("PARAMCD") == "OS", named=True)
    assert (row["AVAL"], row["RULE"]) == (None, "stops before it starts")
    assert "the clock stops before it starts" in found["rule"].to_list()


@pytest.mark.parametrize(
    ("scans", "death", "dor", "dorp"),
    [
        ("42 PR, 84 PR, 126 PD", None, (0, 84), (0, 84)),
        ("42 PR, 84 PR, 126 SD", 200, (0, 158), (1, 84)),
        ("42 PR, 84 PR", None, (1, 42), (1, 42)),
    ],
)
def test_a_response_ends_by_progression_or_death_or_by_progression_only(
    scans: str, death: int | None, dor: tuple[int, int], dorp: tuple[int, int]
) -> None:
    """The clock starts on day 42; times are end − start + 1."""
    for paramcd, (cnsr, days) in (("DOR", dor), ("DORP", dorp)):
        row = _row(paramcd, scans, 42, death=death)
        assert row is not None
        assert (row["CNSR"], row["AVAL"]) == (cnsr, days + 1), paramcd


def test_only_responders_have_a_duration_of_response() -> None:
    assert _row("DOR", "42 SD, 84 PD") is None
