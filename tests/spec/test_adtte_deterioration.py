"""ADTTE of questionnaires: each alternative of the project's rules, 7.4 is a word of the study.

Day 0 is randomisation, 1 January 2026. Forms are due every 42 days (window 7); fatigue: higher is worse.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import polars as pl
import pytest

from drawn import table
from small import small_study
from trialwright.adam import adtte
from trialwright.adam.adrs import TIME_POINT, Responses
from trialwright.study import check, words
from trialwright.study.model import Study

DAY0 = dt.date(2026, 1, 1)
VISITS = [{"id": "BASELINE", "day": 0, "window": 7}] + [
    {"id": f"W{6 * i}", "day": 42 * i, "window": 7} for i in range(1, 9)
]
SAFETY = [{"id": "SAFETY", "label": "Safety", "method": "toxicity", "population": "ITT"}]


def _study(**family: Any) -> Study:
    plain = {"id": "TTD", "label": "Deterioration", "instrument": "QLQ-C30", "scales": ["FA"]}
    every = tuple(v["id"] for v in VISITS)
    return small_study(
        endpoints={"deterioration": [plain | family]},
        schedule={"visits": VISITS, "activities": {"TUMOUR": every, "PRO": every}},
        analyses=SAFETY,
        outcomes=[],
    )


def _date(day: int | None) -> dt.date | None:
    return None if day is None else DAY0 + dt.timedelta(days=day)


def _adsl(death: int | None, therapy: int | None) -> pl.DataFrame:
    dates = {
        "RANDDT": DAY0,
        "INCLDT": _date(-5),
        "TRTSDT": _date(2),
        "DTHDT": _date(death),
        "NACTDT": _date(therapy),
        "CLPDDT": None,
        "CONTACDT": None,
        "LSTALVDT": _date(0),
        "CUTOFFDT": _date(600),
    }
    texts = ("DTHDTF", "DTHFL", "EOTREAS", "EOSREAS", "LSTALVDM", "LSTALVVR")
    return pl.DataFrame(
        {"USUBJID": ["X"], "TRT01P": ["A"], "DTHSEQ": [7], "LSTALVSQ": [1]}
        | {name: [day] for name, day in dates.items()}
        | {name: [None] for name in texts},
        schema_overrides=dict.fromkeys(dates, pl.Date) | dict.fromkeys(texts, pl.String),
    )


def _adqs(forms: str) -> pl.DataFrame:
    """``FA: -3 20, 42 30``: day and score of each form; the first before day 1 is the baseline."""
    rows = []
    for part in forms.split(";"):
        scale, _, scores = part.partition(":")
        for entry in (e.split() for e in scores.split(",") if e.strip()):
            day = int(entry[0])
            rows.append(
                {
                    "USUBJID": "X",
                    "PARAMCD": scale.strip(),
                    "PARCAT1": "QLQ-C30",
                    "ADT": _date(day),
                    "AVAL": float(entry[1]),
                    "AVISITN": max(0, round(day / 42) * 42),
                    "ABLFL": "Y" if day <= 0 else None,
                    "ANL01FL": "Y",
                    "SRCSEQ": 100 + day,
                }
            )
    schema = {
        **dict.fromkeys(("USUBJID", "PARAMCD", "PARCAT1", "ABLFL", "ANL01FL"), pl.String),
        "ADT": pl.Date,
        "AVAL": pl.Float64,
        "AVISITN": pl.Int64,
        "SRCSEQ": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema)


def _responses(progression: int | None) -> Responses:
    one = {
        "subject": "X",
        "assessor": "INV",
        "assessment": "1",
        "day": progression,
        "pd_day": progression,
        "response": "PD",
        "rule": "drawn",
    }
    points = pl.DataFrame([] if progression is None else [one], schema=TIME_POINT)
    best = pl.DataFrame(
        schema={"subject": pl.String, "best_response": pl.String, "response_day": pl.Int64, "rule": pl.String}
    )
    return Responses(points, {"confirmed": best, "unconfirmed": best})


def _row(
    forms: str,
    *,
    death: int | None = None,
    therapy: int | None = None,
    progression: int | None = None,
    paramcd: str = "TTDFA",
    **family: Any,
) -> dict[str, Any] | None:
    built, _ = adtte.build(_study(**family), _adsl(death, therapy), _responses(progression), _adqs(forms))
    rows = built.filter(pl.col("PARAMCD") == paramcd).to_dicts()
    return rows[0] if rows else None


def _told(*args: Any, **given: Any) -> tuple[int, int, str] | None:
    """CNSR, the day, and the reason in words."""
    row = _row(*args, **given)
    return row and (row["CNSR"], (row["ADT"] - DAY0).days, row["EVNTDESC"] or row["CNSDTDSC"])


def test_the_first_form_ten_points_worse_is_the_event_and_names_its_record() -> None:
    row = _row("FA: -3 20, 42 25, 84 30, 126 20")
    assert row is not None
    assert (row["CNSR"], row["AVAL"], row["EVNTDESC"]) == (0, 85, "DETERIORATION")
    assert (row["SRCDOM"], row["SRCSEQ"], row["PARCAT1"]) == ("ADQS", 184, "TTD")


#: Death on the drawn day; the last form is on day 42 (2 x 42 + 2 x 7 = 98 days later is day 140).
DEATHS = table("""
 censor_last_form | event   | event_within_two_intervals | competing | death
 C 42             | C 42    | C 42                       | C 42      | none
 C 42             | E 140   | E 140                      | R 140     | 140
 C 42             | E 141   | C 42                       | R 141     | 141
""")


@pytest.mark.parametrize("case", DEATHS.to_dicts(), ids=lambda case: str(case["death"]))
@pytest.mark.parametrize("word", get_args(words.DeathInDeterioration))
def test_death_without_deterioration(case: dict[str, Any], word: str) -> None:
    death = None if case["death"] == "none" else int(case["death"])
    built, _ = adtte.build(
        _study(death=word), _adsl(death, None), _responses(None), _adqs("FA: -3 20, 42 25")
    )
    got = built.row(0, named=True)
    kind, day = case[word].split()
    assert ({0: "E", 1: "C", 2: "R"}[got["CNSR"]], got["ADT"]) == (kind, _date(int(day)))
    assert (got["SRCDOM"] == "DM") == (kind in "ER")


def test_a_death_after_deterioration_changes_nothing() -> None:
    for word in get_args(words.DeathInDeterioration):
        built, _ = adtte.build(
            _study(death=word), _adsl(90, None), _responses(None), _adqs("FA: -3 20, 42 40")
        )
        assert built.select("CNSR", "EVNTDESC").row(0) == (0, "DETERIORATION")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("censor", (1, 0, "NO BASELINE SCORE")),
        ("event", (0, 0, "NO BASELINE SCORE")),
        ("exclude", None),
    ],
)
def test_no_baseline_form(word: str, expected: tuple[int, int, str] | None) -> None:
    assert _told("FA: 42 20, 84 50", no_baseline=word) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("censor", (1, 0, "NO SCORE AFTER BASELINE")), ("event", (0, 0, "NO SCORE AFTER BASELINE"))],
)
def test_no_form_after_baseline(word: str, expected: tuple[int, int, str]) -> None:
    assert _told("FA: -3 20", no_later_form=word) == expected


@pytest.mark.parametrize(("word", "rows"), [("keep", 1), ("exclude", 0)])
@pytest.mark.parametrize(("baseline", "flag"), [(88.9, None), (95.0, "Y")])
def test_a_baseline_that_leaves_no_room_is_flagged_and_may_be_excluded(
    word: str, rows: int, baseline: float, flag: str | None
) -> None:
    row = _row(f"FA: -3 {baseline}, 42 20", cannot_worsen=word)
    if flag is None:
        assert row is not None
        assert row["CNWRSFL"] is None
    else:
        assert (row is not None) == (rows == 1)
        assert row is None or row["CNWRSFL"] == "Y"


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ([], (0, 126, "DETERIORATION")),
        (["progression"], (1, 84, "LAST FORM BEFORE PROGRESSION")),
        (["new_therapy"], (1, 42, "LAST FORM BEFORE NEW ANTICANCER THERAPY")),
        (["progression", "new_therapy"], (1, 42, "LAST FORM BEFORE NEW ANTICANCER THERAPY")),
    ],
)
def test_forms_may_stop_counting_at_progression_or_another_therapy(
    until: list[str], expected: tuple[int, int, str]
) -> None:
    """Therapy on day 50, progression on day 84: the form of that very day still counts."""
    forms = "FA: -3 20, 42 20, 84 20, 126 50"
    assert _told(forms, therapy=50, progression=84, forms_until=until) == expected


def test_a_death_after_forms_stopped_counting_is_no_event() -> None:
    study = _study(forms_until=["progression"], death="event")
    for day, cnsr in ((83, 0), (85, 1)):
        built, _ = adtte.build(study, _adsl(day, None), _responses(84), _adqs("FA: -3 20, 42 20"))
        assert built["CNSR"].to_list() == [cnsr]


@pytest.mark.parametrize(
    ("origin", "start"), [("randomisation", 0), ("inclusion", -5), ("first_dose", 2), ("baseline_form", -3)]
)
def test_the_clock_may_start_elsewhere(origin: str, start: int) -> None:
    row = _row("FA: -3 20, 42 50", origin=origin)
    assert row is not None
    assert (row["STARTDT"], row["AVAL"]) == (_date(start), 42 - start + 1)


def test_without_its_origin_a_clock_has_no_row_and_a_finding() -> None:
    built, found = adtte.build(
        _study(origin="baseline_form"), _adsl(None, None), _responses(None), _adqs("FA: 42 20")
    )
    assert built.height == 0
    assert found["rule"].to_list() == ["no date of baseline_form, where the clock TTD starts"]


@pytest.mark.parametrize(
    ("forms", "expected", "rule"),
    [
        ("FA: -3 20, 42 20, 84 50; PA: -3 0, 42 40", (0, 42, "DETERIORATION"), "PA"),
        ("FA: -3 20, 42 20, 84 20; PA: -3 0, 42 0", (1, 84, "LAST FORM WITHOUT DETERIORATION"), "FA"),
        ("FA: 42 20; PA: -3 0, 42 0", (1, 42, "LAST FORM WITHOUT DETERIORATION"), "PA"),
    ],
)
def test_the_first_of_any_scale_is_a_row_of_its_own(
    forms: str, expected: tuple[int, int, str], rule: str
) -> None:
    given: dict[str, Any] = {"scales": ["FA", "PA"], "composite": True, "paramcd": "TTDANY"}
    assert _told(forms, **given) == expected
    row = _row(forms, **given)
    assert row is not None
    assert row["RULE"].startswith(f"first of any scale: {rule}: ")


def test_two_families_that_read_alike_do_not_mix_their_words() -> None:
    families = [
        {"id": name, "label": name, "instrument": "QLQ-C30", "scales": ["FA"], "death": death}
        for name, death in (("TTD", "censor_last_form"), ("TDE", "event"))
    ]
    every = tuple(v["id"] for v in VISITS)
    study = small_study(
        endpoints={"deterioration": families},
        schedule={"visits": VISITS, "activities": {"TUMOUR": every, "PRO": every}},
        analyses=SAFETY,
        outcomes=[],
    )
    built, _ = adtte.build(study, _adsl(90, None), _responses(None), _adqs("FA: -3 20, 42 20"))
    assert dict(built.select("PARAMCD", "CNSR").iter_rows()) == {"TTDFA": 1, "TDEFA": 0}


def test_a_composite_needs_room_in_its_code() -> None:
    faults = check.references(_study(id="DETERI", composite=True))
    assert ("study.toml", "endpoints.DETERI.id", "with composite = true at most 5 characters") in faults
