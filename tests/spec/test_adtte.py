"""ADTTE: where a clock starts, what stops it, and the reason in words.

Day 0 is randomisation, 1 January 2026; the cutoff is day 600. Scans are planned every 42 days (window 7).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from drawn import table
from small import small_sources, small_study
from trialwright.adam import adrs, adtte
from trialwright.adam.adrs import TIME_POINT, Responses
from trialwright.adam.lesions import lesions
from trialwright.study import check
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


def study(clocks: list[dict[str, Any]] | None = None, **changes: Any) -> Study:
    schedule = {"visits": VISITS, "activities": {"TUMOUR": tuple(v["id"] for v in VISITS)}}
    plain = {"endpoints": {"time_to_event": clocks or CLOCKS}, "schedule": schedule, "analyses": SAFETY}
    return small_study(**{**plain, "outcomes": [], **changes})


DURABLE = {
    "id": "DURR",
    "label": "Durable",
    "confirmation": "confirmed",
    "success": ["CR", "PR"],
    "lasting_months": 6,
    "duration": "DOR",
}
SAFETY = [{"id": "SAFETY", "label": "Safety", "method": "toxicity", "population": "ITT"}]


def _date(day: float | None) -> dt.date | None:
    return None if day is None else DAY0 + dt.timedelta(days=int(day))


def _adsl(**given: Any) -> pl.DataFrame:
    """One randomised subject; days from randomisation."""
    nothing = dict.fromkeys(("death", "therapy", "dthfl", "eos", "eot", "clinical", "contact", "dthdtf"))
    said = {"inclusion": -5, "alive": 0, **nothing} | given
    died = said["death"] is not None
    return pl.DataFrame(
        {
            "USUBJID": ["X"],
            "TRT01P": ["A"],
            "RANDDT": [DAY0],
            "INCLDT": [_date(said["inclusion"])],
            "TRTSDT": [DAY0],
            "DTHDT": [_date(said["death"])],
            "DTHDTF": [said["dthdtf"]],
            "DTHFL": [said["dthfl"] or ("Y" if died else "N")],
            "DTHSEQ": [1],
            "LSTALVDT": [_date(said["alive"])],
            "LSTALVDM": ["VS"],
            "LSTALVVR": ["VSDTC"],
            "LSTALVSQ": [9],
            "NACTDT": [_date(said["therapy"])],
            "NACTDTF": [None],
            "NACTDOM": ["CM"],
            "NACTVAR": ["CMSTDTC"],
            "NACTSEQ": [3],
            "CLPDDT": [_date(said["clinical"])],
            "CLPDDOM": ["CE"],
            "CLPDVAR": ["CESTDTC"],
            "CLPDSEQ": [4],
            "CONTACDT": [_date(said["contact"])],
            "EOTREAS": [said["eot"]],
            "EOSREAS": [said["eos"]],
            "CUTOFFDT": [CUTOFF],
        },
        schema_overrides={
            **dict.fromkeys(("INCLDT", "DTHDT", "NACTDT", "LSTALVDT", "CLPDDT", "CONTACDT"), pl.Date),
            **dict.fromkeys(("DTHDTF", "EOSREAS", "EOTREAS", "NACTDTF"), pl.String),
        },
    )


def _responses(scans: str, response_day: int | None = None, *, baseline: bool = True) -> Responses:
    """``42 SD, 84 PD``: the overall responses by day; ``84 PD*``: dated back."""
    rows = [entry.split() for entry in scans.split(",") if entry.strip()]
    points = pl.DataFrame(
        {
            "subject": ["X"] * len(rows),
            "assessor": ["INV"] * len(rows),
            "assessment": [day for day, _ in rows],
            "AVISIT": [day for day, _ in rows],
            "day": [int(day) for day, _ in rows],
            "pd_day": [int(day) if word.startswith("PD") else None for day, word in rows],
            "response": [word.strip("*") for _, word in rows],
            "literal": [word.strip("*") for _, word in rows],
            "rule": ["new_lesion_backdated" if word.endswith("*") else "drawn" for _, word in rows],
            "note": [None] * len(rows),
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
    seen = pl.Series(["X"] if baseline else [], dtype=pl.String)
    return Responses(points, {"confirmed": best, "unconfirmed": best}, seen)


NO_FORMS = pl.DataFrame(
    schema={
        **dict.fromkeys(("USUBJID", "PARAMCD", "PARCAT1", "ANL01FL", "ABLFL"), pl.String),
        "AVISITN": pl.Int64,
        "ADT": pl.Date,
        "AVAL": pl.Float64,
    }
)


def _row(
    paramcd: str,
    scans: str = "",
    response_day: int | None = None,
    *,
    of: Study | None = None,
    baseline: bool = True,
    **subject: Any,
) -> dict[str, Any] | None:
    responses = _responses(scans, response_day, baseline=baseline)
    built, _ = adtte.build(of or study(), _adsl(**subject), responses, NO_FORMS)
    rows = built.filter(pl.col("PARAMCD") == paramcd).to_dicts()
    return rows[0] if rows else None


def _of(*args: Any, **subject: Any) -> dict[str, Any]:
    row = _row(*args, **subject)
    assert row is not None
    return row


#: The cases of the project's rules, 6.4. ``ema`` and ``fda``: E at a day, or C(ensored) at a day, and the case that
#: decided. Days are from randomisation; ``therapy``, ``clinical`` (progression), ``eot`` and ``eos`` as they happen.
CASES = table("""
 case | ema          | fda        | death | therapy | clinical | eot           | eos               | scans
 P1   | C 0 P1       | C 0 P1     |       |         |          |               |                   | no baseline, 42 SD, 84 PD
 P2   | E 80 P2      | E 80 P2    |    80 |         |          |               |                   | no baseline, 42 SD
 P2b  | E 200 P2     | C 0 P2     |   200 |         |          |               |                   | no baseline, 42 SD
 P2c  | E 80 P2      | E 80 P2    |    80 |         |          |               |                   | no baseline, 42 PD
 P3   | C 0 P3       | C 0 P3     |       |         |          |               |                   | none
 P4   | E 80 P4      | E 80 P4    |    80 |         |          |               |                   | none
 P5   | E 200 P5     | C 0 P5     |   200 |         |          |               |                   | none
 P6   | E 126 P6     | E 126 P6   |       |         |          |               |                   | 42 SD, 84 SD, 126 PD
 P6b  | E 126 P6     | E 126 P6   |       |         |          |               |                   | 42 SD, 126 PD
 P7   | E 60 P7      | E 60 P7    |       |         |          |               |                   | 42 SD, 60 PD
 P8   | E 210 P8     | C 42 P8    |       |         |          |               |                   | 42 SD, 210 PD
 P8b  | E 210 P8     | C 0 P8     |       |         |          |               |                   | 42 NE, 210 PD
 P9   | E 120 P9     | E 120 P9   |   120 |         |          |               |                   | 42 SD, 84 SD
 P9b  | E 120 P9     | E 120 P9   |   120 |         |          |               |                   | 42 SD
 P10  | E 300 P10    | C 84 P10   |   300 |         |          |               |                   | 42 SD, 84 SD
 P11  | E 126 P6     | C 84 P11   |       |     100 |          |               |                   | 42 SD, 84 SD, 126 PD
 P11b | C 126 P15    | C 84 P11   |       |     100 |          |               |                   | 42 SD, 84 SD, 126 SD
 P11c | E 126 P6     | C 84 P11   |       |      84 |          |               |                   | 42 SD, 84 SD, 126 PD
 P11d | E 200 P5     | C 0 P11    |   200 |      20 |          |               |                   | none
 P12  | C 84 P12     | C 84 P12   |       |         |          | ADVERSE EVENT |                   | 42 SD, 84 SD
 P12b | E 126 P6     | E 126 P6   |       |         |          | ADVERSE EVENT |                   | 42 SD, 84 SD, 126 PD
 P13  | E 126 P6     | C 84 P13   |       |         |      100 |               |                   | 42 SD, 84 SD, 126 PD
 P13b | C 126 P15    | C 84 P13   |       |         |      100 |               |                   | 42 SD, 84 SD, 126 SD
 P13c | E 84 P6      | E 84 P6    |       |         |       84 |               |                   | 42 SD, 84 PD
 P13d | E 126 P6     | C 84 P11   |       |      90 |      100 |               |                   | 42 SD, 84 SD, 126 PD
 P13e | E 126 P6     | C 42 P13   |       |      90 |       80 |               |                   | 42 SD, 84 SD, 126 PD
 P12c | C 84 P15     | C 84 P15   |       |         |          | PROGRESSIVE DISEASE |             | 42 SD, 84 SD
 P14  | C 84 P14     | C 84 P14   |       |         |          |               | LOST TO FOLLOW-UP | 42 SD, 84 SD
 P14b | C 84 P14     | C 84 P14   |       |         |          | ADVERSE EVENT | WITHDRAWAL BY SUBJECT | 42 SD, 84 SD
 P15  | C 126 P15    | C 126 P15  |       |         |          | COMPLETED     |                   | 42 SD, 84 SD, 126 SD
 P15b | C 42 P15     | C 42 P15   |       |         |          |               |                   | 42 SD, 84 NE
 P16  | E 84 P16     | E 84 P16   |       |      84 |          |               |                   | 42 SD, 84 PD
 P18  | C 0 P18      | C 0 P18    |       |         |          |               |                   | 42 NE, 84 NE
 P18b | E 80 P4      | E 80 P4    |    80 |         |          |               |                   | 42 NE
 P18c | E 200 P5     | C 0 P5     |   200 |         |          |               |                   | 42 NE
 P19  | E 84 P19     | E 84 P19   |       |         |          |               |                   | 42 SD, 84 PD*, 126 PD
 P19b | E 210 P8     | C 42 P8    |       |         |          |               |                   | 42 SD, 210 PD*
 tie  | E 84 P6      | E 84 P6    |    84 |         |          |               |                   | 42 SD, 84 PD
""")


@pytest.mark.parametrize("case", CASES.to_dicts(), ids=CASES["case"].to_list())
@pytest.mark.parametrize(("rules", "paramcd"), [("ema", "PFSE"), ("fda", "PFSF")])
def test_progression_free_survival_under_both_rule_sets(
    case: dict[str, Any], rules: str, paramcd: str
) -> None:
    baseline = not case["scans"].startswith("no baseline")
    scans = case["scans"].removeprefix("no baseline,").removeprefix("none")
    subject = {name: case[name] for name in ("death", "therapy", "clinical", "eot", "eos")}
    row = _of(paramcd, scans, baseline=baseline, **subject)
    kind, day, why = case[rules].split()
    assert (row["CNSR"], row["ADT"]) == (int(kind == "C"), _date(int(day)))
    assert row["AVAL"] == int(day) + 1
    assert row["RULE"] == f"{'EMA_ITT' if rules == 'ema' else 'FDA_CENSOR'}:{why}"
    assert (row["EVNTDESC"] is None) == (row["CNSR"] == 1) == (row["CNSDTDSC"] is not None)


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ({"clinical": 100}, "LAST ADEQUATE TUMOUR ASSESSMENT BEFORE CLINICAL PROGRESSION"),
        ({"therapy": 100}, "LAST ADEQUATE TUMOUR ASSESSMENT BEFORE NEW ANTICANCER THERAPY"),
        ({"eos": "LOST TO FOLLOW-UP"}, "LAST ADEQUATE TUMOUR ASSESSMENT, LOST TO FOLLOW-UP"),
        ({"eos": "COMPLETED"}, "LAST ADEQUATE TUMOUR ASSESSMENT"),
        ({"baseline": False}, "NO BASELINE ASSESSMENT"),
    ],
)
def test_a_censored_row_says_why(subject: dict[str, Any], why: str) -> None:
    assert _of("PFSF", "42 SD, 84 SD, 126 SD", **subject)["CNSDTDSC"] == why


def test_a_progression_without_a_baseline_is_a_finding() -> None:
    _, found = adtte.build(study(), _adsl(), _responses("42 PD", baseline=False), NO_FORMS)
    assert found["rule"].to_list() == ["a progression without a baseline assessment"]


def test_where_no_lesions_are_recorded_at_all_a_reported_progression_counts() -> None:
    responses = _responses("42 SD, 84 PD")
    unknown = Responses(responses.points, responses.best, None)
    built, found = adtte.build(study(), _adsl(), unknown, NO_FORMS)
    assert built.row(by_predicate=pl.col("PARAMCD") == "PFSE", named=True)["CNSR"] == 0
    assert found.height == 0


def test_p17_what_happens_after_the_cutoff_has_not_happened() -> None:
    """The scan of the day after the cutoff shows progression; neither it nor the later death is seen."""
    day = CUTOFF - DAY0
    tr = pl.DataFrame(
        {
            "USUBJID": ["X"] * 3,
            "TRSEQ": [1, 2, 3],
            "TRGRPID": ["TARGET"] * 3,
            "TRLNKID": ["T1"] * 3,
            "TRTESTCD": ["LDIAM"] * 3,
            "TRSTRESN": [50.0, 50.0, 90.0],
            "TREVAL": ["INVESTIGATOR"] * 3,
            "VISIT": ["B", "W6", "W90"],
            "TRDTC": [str(DAY0 + dt.timedelta(days=n)) for n in (-3, 42, day.days + 1)],
        }
    )
    subject = _adsl()
    seen, _ = lesions(study(), {"TR": tr}, subject, CUTOFF)
    _, responses, _ = adrs.build(study(), {"TR": tr}, subject, seen, CUTOFF)
    built, _ = adtte.build(study(), subject, responses, NO_FORMS)
    row = built.row(by_predicate=pl.col("PARAMCD") == "PFSE", named=True)
    assert (row["CNSR"], row["ADT"], row["RULE"]) == (1, _date(42), "EMA_ITT:P15")


#: Missed by count and by days (42-day interval, window 7: more than 98 days), from the last adequate scan.
MISSED = table("""
 last | death | count | days
   42 |   133 | E     | E
   42 |   134 | C     | E
   42 |   140 | C     | E
   42 |   141 | C     | C
   49 |   134 | C     | E
   49 |   147 | C     | E
   49 |   148 | C     | C
    0 |    91 | E     | E
    0 |    92 | C     | E
    0 |    98 | C     | E
    0 |    99 | C     | C
""")


@pytest.mark.parametrize("case", MISSED.to_dicts(), ids=lambda case: f"{case['last']}-{case['death']}")
@pytest.mark.parametrize("word", ["count", "days"])
def test_two_missed_scans_are_counted_or_measured_in_days(case: dict[str, Any], word: str) -> None:
    of = study(response={"assessor": "INV", "missed": word})
    row = _of("PFSF", f"{case['last']} SD" if case["last"] else "", of=of, death=case["death"])
    assert {0: "E", 1: "C"}[row["CNSR"]] == case[word]


def test_after_the_schedule_changes_its_interval_the_new_one_is_in_force() -> None:
    """From day 336 on every 84 days (window 14): 2 x 84 + 2 x 14 = 196 days from there, 98 before."""
    visits = VISITS[:9] + [{"id": f"L{d}", "day": d, "window": 14} for d in (420, 504, 588)]
    schedule = {"visits": visits, "activities": {"TUMOUR": tuple(v["id"] for v in visits)}}
    of = study(response={"assessor": "INV", "missed": "days"}, schedule=schedule)
    ends = [(336, 532), (336, 533), (335, 433), (335, 434)]
    got = [_of("PFSF", f"42 SD, {last} SD", of=of, death=death)["CNSR"] for last, death in ends]
    assert got == [0, 1, 0, 1]


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


def test_the_duration_of_an_unconfirmed_response_starts_with_it() -> None:
    """Unconfirmed on day 42, confirmed only from day 84; progression on day 168."""
    responses = _responses("42 PR, 84 PR, 126 PR, 168 PD", 84)
    early = responses.best["confirmed"].with_columns(response_day=pl.lit(42, dtype=pl.Int64))
    both = Responses(responses.points, {**responses.best, "unconfirmed": early}, responses.baseline)
    clock = {"origin": "response", "rules": "EMA_ITT"}
    of = study(
        [
            _clock(id=id_, confirmation=word, **clock)
            for id_, word in (("C", "confirmed"), ("U", "unconfirmed"))
        ]
    )
    built, _ = adtte.build(of, _adsl(), both, NO_FORMS)
    assert dict(built.select("PARAMCD", "AVAL").iter_rows()) == {"C": 85, "U": 127}
    assert built["EVNTDESC"].unique().to_list() == ["DISEASE PROGRESSION"]


def test_only_responders_have_a_duration_of_response() -> None:
    assert _row("DOR", "42 SD, 84 PD") is None


#: The study's assessor sees a response and its end; the other one only a stable disease that ends later.
OTHERS = table("""
 paramcd | IRC   | INV
 OS      |       | C 600
 OSI     |       | C 605
 PFSE    | E 168 | E 126
 PFSF    | E 168 | E 126
 DOR     |       | E 84
 DORP    |       | E 84
""")


@pytest.mark.parametrize("case", OTHERS.to_dicts(), ids=lambda case: case["paramcd"])
def test_the_reading_of_another_assessor_is_never_met_in_adtte(case: dict[str, Any]) -> None:
    """What images can start or stop is built for each assessor present: the study's own in ADTTE, the others
    in ADTTEA. Survival is nobody's reading.
    """
    own = _responses("42 PR, 84 PR, 126 PD", 42)
    other = _responses("42 SD, 84 SD, 126 SD, 168 PD")
    both = Responses(own.points, own.best, own.baseline, {"IRC": other})
    adtte_, _ = adtte.build(study(), _adsl(alive=600), both, NO_FORMS)
    others, found = adtte.of_others(study(), _adsl(alive=600), both)
    assert "PARQUAL" not in adtte_.columns
    assert others["PARQUAL"].unique().to_list() == ["IRC"]
    assert found.is_empty()
    for frame, drawn in ((adtte_, case["INV"]), (others, case["IRC"])):
        rows = frame.filter(pl.col("PARAMCD") == case["paramcd"]).select("CNSR", "AVAL").rows()
        said = [f"{'C' if censored else 'E'} {days - 1:g}" for censored, days in rows]
        assert said == ([drawn] if drawn else [])


def test_a_progression_of_another_assessor_without_its_baseline_names_the_assessor() -> None:
    own = _responses("42 SD, 84 SD")
    other = _responses("42 PD", baseline=False)
    both = Responses(own.points, own.best, own.baseline, {"IRC": other})
    _, found = adtte.of_others(study(), _adsl(), both)
    assert found.select("dataset", "key").rows() == [("ADTTEA", "USUBJID=X, PARQUAL=IRC")]


def _clock(**changes: Any) -> dict[str, Any]:
    plain = {
        "id": "X",
        "label": "X",
        "events": ["progression", "death"],
        "censor_at": "last_adequate_assessment",
        "rules": "EMA_ITT",
    }
    return plain | changes


@pytest.mark.parametrize(
    ("events", "rules", "expected"),
    [
        (["progression", "death", "new_therapy"], "EMA_ITT", (0, 90, "NEW ANTICANCER THERAPY", "CM", 3)),
        (["progression", "death", "new_therapy"], "FDA_CENSOR", (0, 90, "NEW ANTICANCER THERAPY", "CM", 3)),
        (
            ["progression", "death", "clinical_progression"],
            "EMA_ITT",
            (0, 100, "CLINICAL PROGRESSION", "CE", 4),
        ),
        (["progression", "death", "clinical_progression"], "FDA_CENSOR", (1, 84, None, "TR", 2)),
    ],
)
def test_s3_and_s4_another_therapy_or_clinical_progression_may_be_an_event(
    events: list[str], rules: str, expected: tuple[Any, ...]
) -> None:
    """Therapy on day 90, clinical progression on day 100: under FDA the therapy comes first and censors."""
    row = _of(
        "X", "42 SD, 84 SD, 126 PD", of=study([_clock(events=events, rules=rules)]), therapy=90, clinical=100
    )
    assert (row["CNSR"], row["ADT"]) == (expected[0], _date(expected[1]))
    assert (row["EVNTDESC"], row["SRCDOM"], row["SRCSEQ"]) == expected[2:]


#: Progression moved to the next scheduled scan (S2), not past death or the cutoff (day 600).
MOVED = table("""
 seen | death | moved | case
   60 |       |    84 | P7
   84 |       |    84 | P6
   85 |       |   126 | P6
   60 |    70 |    70 | P7
  590 |       |   590 | P8
  210 |       |   210 | P8
""")


@pytest.mark.parametrize("case", MOVED.to_dicts(), ids=lambda case: f"{case['seen']} {case['death']}")
def test_s2_a_progression_may_count_from_the_next_scheduled_scan(case: dict[str, Any]) -> None:
    of = study([_clock(progression_date="next_scheduled")])
    row = _of("X", f"42 SD, {case['seen']} PD", of=of, death=case["death"])
    assert (row["CNSR"], row["ADT"], row["RULE"]) == (0, _date(case["moved"]), f"EMA_ITT:{case['case']}")


def test_s2_does_not_count_the_scan_of_the_progression_as_the_one_before_it() -> None:
    of = study([_clock(progression_date="next_scheduled", rules="FDA_CENSOR")])
    row = _of("X", "42 SD, 205 PD", of=of)
    assert (row["CNSR"], row["ADT"], row["RULE"]) == (1, _date(42), "FDA_CENSOR:P8")


TTR = {"id": "TTR", "label": "TTR", "events": ["response"], "censor_at": "last_adequate_assessment"}


@pytest.mark.parametrize(
    ("among", "response_day", "expected"),
    [
        ("responders", 42, (0, 43, "FIRST RESPONSE, CONFIRMED", "TTR")),
        ("responders", None, None),
        ("randomised", 42, (0, 43, "FIRST RESPONSE, CONFIRMED", "TTR")),
        ("randomised", None, (1, 85, None, "TTR")),
    ],
)
def test_time_to_response_runs_for_responders_or_for_everyone(
    among: str, response_day: int | None, expected: tuple[Any, ...] | None
) -> None:
    row = _row("TTR", "42 PR, 84 PR", response_day, of=study([TTR | {"among": among}]))
    got = row and tuple(row[name] for name in ("CNSR", "AVAL", "EVNTDESC", "PARCAT1"))
    assert got == expected


@pytest.mark.parametrize(
    ("contact", "alive", "months", "end", "why"),
    [
        (None, 300, 3, 300, "LAST KNOWN ALIVE BEFORE CUTOFF"),
        (691, 300, 3, 600, "ALIVE AT CUTOFF"),
        (692, 300, 3, 300, "LAST KNOWN ALIVE BEFORE CUTOFF"),
        (692, 300, 4, 600, "ALIVE AT CUTOFF"),
    ],
)
def test_whoever_was_seen_soon_after_the_cutoff_was_alive_at_it(
    contact: int | None, alive: int, months: int, end: int, why: str
) -> None:
    """The cutoff is day 600; three months are 91 days."""
    clock = {
        "id": "OS",
        "label": "OS",
        "events": ["death"],
        "censor_at": "cutoff_if_contact",
        "contact_months": months,
    }
    row = _of("OS", of=study([clock]), alive=alive, contact=contact)
    assert (row["CNSR"], row["ADT"], row["CNSDTDSC"]) == (1, _date(end), why)


@pytest.mark.parametrize(
    ("word", "alive", "expected"),
    [
        ("censor", 90, (2, 90, None)),
        ("event_next_day", 90, (0, 91, "Y")),
        ("event_next_day", 600, (0, 600, "Y")),
    ],
)
def test_a_death_without_a_date_is_censored_or_an_event_the_next_day(
    word: str, alive: int, expected: tuple[int, int, str | None]
) -> None:
    clock = {
        "id": "OS",
        "label": "OS",
        "events": ["death"],
        "censor_at": "last_known_alive",
        "undated_death": word,
    }
    row = _of("OS", of=study([clock]), alive=alive, dthfl="Y")
    assert (row["CNSR"], row["ADT"], row["ADTF"]) == (expected[0], _date(expected[1]), expected[2])


def test_an_imputed_death_keeps_its_flag() -> None:
    assert (_of("OS", death=100, dthdtf="D")["ADTF"], _of("PFSE", death=80, dthdtf="D")["ADTF"]) == ("D", "D")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"endpoints": {"time_to_event": [_clock(events=["clinical_progression"])]}},
            ("sources.toml", "facts", "'clinical_progression' is not defined"),
        ),
        (
            {"response": {"assessor": "INV", "rt_is_nact": True}},
            ("sources.toml", "facts", "'palliative_radiotherapy' is not defined"),
        ),
        (
            {"endpoints": {"best_response": [DURABLE | {"duration": "OS"}], "time_to_event": CLOCKS}},
            ("study.toml", "endpoints.DURR.duration", "'OS' is not defined (there is: DOR, DORP)"),
        ),
        (
            {"endpoints": {"best_response": [DURABLE | {"at_day": 84}], "time_to_event": CLOCKS}},
            ("study.toml", "endpoints.DURR", "at_day and lasting_months are two questions"),
        ),
    ],
)
def test_what_an_endpoint_asks_for_must_be_there(
    changes: dict[str, Any], fault: tuple[str, str, str]
) -> None:
    faults = check.references(study(**changes))
    assert any(found[:2] == fault[:2] and found[2].startswith(fault[2]) for found in faults), faults


TWO = small_sources(
    assessors=[
        {"id": "INV", "label": "Investigator", "where": {"EVAL": "INVESTIGATOR"}},
        {"id": "IRC", "label": "Review", "where": {"EVAL": "INDEPENDENT ASSESSOR"}},
    ]
)


@pytest.mark.parametrize(
    ("endpoint", "assessor", "sentence"),
    [
        ("PFSE", "IRC", None),
        ("DOR", "IRC", None),
        ("PFSE", "INV", "'INV' is not defined (there is: IRC)"),
        ("PFSE", "XX", "'XX' is not defined (there is: IRC)"),
        ("OS", "IRC", "no assessor reads the endpoint 'OS'"),
    ],
)
def test_only_what_images_decide_has_the_reading_of_another_assessor(
    endpoint: str, assessor: str, sentence: str | None
) -> None:
    one = {"id": "A", "label": "A", "method": "time_to_event", "population": "ITT"}
    asked = study(analyses=[one | {"endpoint": endpoint, "assessor": assessor}], sources=TWO)
    faults = [fault for fault in check.references(asked) if fault[1] == "analyses.A.assessor"]
    assert faults == ([("study.toml", "analyses.A.assessor", sentence)] if sentence else [])
