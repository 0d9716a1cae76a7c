"""ADSL: who was randomised and treated, when they died, and until when they were known alive."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from drawn import table
from small import small_sources, small_study
from trialwright.adam import adsl

CUTOFF = dt.date(2027, 6, 30)
DM = """
 USUBJID | ARMCD | ACTARMCD | SITE1 | DTHDTC     | AGE | SEX
 X       | A     | A        | LUNG  |            |  61 | F
"""
DS = """
 USUBJID | DSSEQ | DSDECOD                   | DSSTDTC
 X       |     1 | INFORMED CONSENT OBTAINED | 2026-01-01
 X       |     2 | ELIGIBILITY CRITERIA MET  | 2026-01-05
 X       |     3 | RANDOMIZED                | 2026-01-08
"""


def _text(drawn: str) -> pl.DataFrame:
    """SDTM is text but for sequence numbers."""
    frame = table(drawn)
    return frame.with_columns(pl.exclude("^.*SEQ$").cast(pl.String))


def _study(**changes: Any) -> Any:
    facts = small_sources()["facts"] | {
        "first_dose": {"domain": "EX", "variable": "EXSTDTC"},
        "last_dose": {"domain": "EX", "variable": "EXENDTC", "pick": "last"},
        "clinical_progression": {
            "domain": "CE",
            "variable": "CESTDTC",
            "where": {"CETERM": "CLINICAL PROGRESSION"},
        },
        "palliative_radiotherapy": {
            "domain": "PR",
            "variable": "PRSTDTC",
            "where": {"PRCAT": "PALLIATIVE RADIOTHERAPY"},
        },
    }
    return small_study(sources=small_sources(facts=facts), **changes)


def _subject(
    dm: str = DM, ds: str = DS, study: Any = None, **others: str
) -> tuple[dict[str, Any], list[str]]:
    sdtm = {"DM": _text(dm), "DS": _text(ds)} | {name: _text(drawn) for name, drawn in others.items()}
    frame, found = adsl.build(study or _study(), sdtm, CUTOFF)
    return frame.row(0, named=True), found["rule"].to_list()


def test_the_named_dates_stand_apart_and_none_is_derived_from_another() -> None:
    row, found = _subject()
    assert (row["RFICDT"], row["INCLDT"], row["RANDDT"]) == tuple(dt.date(2026, 1, d) for d in (1, 5, 8))
    assert (row["TRT01P"], row["TRT01A"], row["ITTFL"], row["SAFFL"]) == ("A", None, "Y", "N")
    assert found == []


def test_whoever_was_given_another_arm_first_is_analysed_for_safety_as_treated() -> None:
    dm = DM.replace("| A     | A        |", "| A     | B        |")
    row, _ = _subject(
        dm, EX="USUBJID | EXSEQ | EXDOSE | EXSTDTC | EXENDTC\n X | 1 | 1 | 2026-01-10 | 2026-01-10"
    )
    assert (row["TRT01P"], row["TRT01A"], row["MITTFL"], row["SAFFL"]) == ("A", "B", "Y", "Y")


def test_the_day_on_which_the_control_arm_was_given_the_experimental_treatment() -> None:
    """A column where the study names the fact; what comes after the cutoff has not happened."""
    fact = {"domain": "CM", "variable": "CMSTDTC", "where": {"CMTRT": "TARLATAMAB"}}
    facts = small_sources()["facts"] | {"switch": fact}
    study = small_study(sources=small_sources(facts=facts))
    cm = """
 USUBJID | CMSEQ | CMTRT      | CMSTDTC
 X       |     1 | TARLATAMAB | {}
 X       |     2 | OTHER      | 2026-02-01
"""
    assert _subject(study=study, CM=cm.format("2026-05-02"))[0]["SWITCHDT"] == dt.date(2026, 5, 2)
    assert _subject(study=study, CM=cm.format("2027-07-01"))[0]["SWITCHDT"] is None
    assert "SWITCHDT" not in _subject(CM=cm.format("2026-05-02"))[0]


def test_a_dose_of_zero_is_no_dose_and_treatment_runs_from_the_first_to_the_last() -> None:
    row, _ = _subject(
        EX="""
 USUBJID | EXSEQ | EXDOSE | EXENDTC    | EXSTDTC
 X       |     1 |      0 | 2026-01-09 | 2026-01-09
 X       |     2 |      1 | 2026-01-10 | 2026-01-10T09:30
 X       |     3 |     10 |            | 2026-02-01
"""
    )
    assert (row["TRTSDT"], row["TRTEDT"]) == (dt.date(2026, 1, 10), dt.date(2026, 2, 1))
    assert row["TRTSDTM"] == dt.datetime(2026, 1, 10, 9, 30)


def test_a_screen_failure_has_a_row_and_is_not_randomised() -> None:
    row, found = _subject(
        DM.replace("| A     | A        |", "| SF    | SF       |"), DS.replace("RANDOMIZED", "SCREEN FAILURE")
    )
    assert (row["SCRNFL"], row["ITTFL"], row["TRT01P"], row["RANDDT"]) == ("Y", "N", None, None)
    assert found == []


@pytest.mark.parametrize(
    ("dm", "ds", "rule"),
    [
        (DM, DS.replace("RANDOMIZED", "OTHER"), "an arm without a date of randomisation"),
        (DM.replace("| A     |", "| Z     |"), DS, "a date of randomisation without an arm of the study"),
    ],
)
def test_half_a_randomisation_is_a_finding_and_does_not_count(dm: str, ds: str, rule: str) -> None:
    row, found = _subject(dm, ds)
    assert (row["ITTFL"], row["RANDDT"], row["TRT01P"]) == ("N", None, None)
    assert found == [rule]


#: The last sign of life is a vital sign; death as DM states it (the project's rules, 6.7).
DEATHS = table("""
 death      | alive      | dthdt      | flag | lstalvdt
 no         | 2026-09-20 |            |      | 2026-09-20
 2026-10-02 | 2026-09-20 | 2026-10-02 |      | 2026-09-20
 2026-10    | 2026-09-20 | 2026-10-01 | D    | 2026-09-20
 2026-09    | 2026-09-20 | 2026-09-20 | D    | 2026-09-20
 2026       | 2026-09-20 | 2026-09-20 | M    | 2026-09-20
 2027-07-01 | 2026-09-20 |            |      | 2026-09-20
 2027-07    | 2026-09-20 |            |      | 2026-09-20
""")


@pytest.mark.parametrize("case", DEATHS.to_dicts(), ids=lambda case: str(case["death"]))
def test_a_death_known_to_the_month_or_year_is_dated_as_the_rules_say_and_flagged(
    case: dict[str, Any],
) -> None:
    dm = DM.replace("|            |  61", f"| {case['death'].removeprefix('no')} |  61")
    row, found = _subject(dm, VS=f"USUBJID | VSSEQ | VSDTC\n X | 1 | {case['alive']}")
    assert row["DTHDT"] == (case["dthdt"] and dt.date.fromisoformat(str(case["dthdt"])))
    assert (row["DTHDTF"], str(row["LSTALVDT"])) == (case["flag"], str(case["lstalvdt"]))
    assert row["DTHFL"] == ("Y" if case["dthdt"] else "N")
    assert ("date of death not known to the day" in found) == (case["flag"] is not None)


def test_a_death_without_a_date_makes_no_date_up() -> None:
    row, found = _subject(DM.replace("SITE1 |", "SITE1 | DTHFL |").replace("LUNG  |", "LUNG | Y |"))
    assert (row["DTHFL"], row["DTHDT"]) == ("Y", None)
    assert found == ["death without a date"]


def test_a_sign_of_life_after_death_is_kept_as_a_finding_and_not_used() -> None:
    dm = DM.replace("|            |  61", "| 2026-03-01 |  61")
    row, found = _subject(dm, VS="USUBJID | VSSEQ | VSDTC\n X | 1 | 2026-02-20\n X | 2 | 2026-04-01")
    assert row["LSTALVDT"] == dt.date(2026, 2, 20)
    assert found == ["a sign of life after the date of death"]


def test_the_last_sign_of_life_is_the_record_that_has_a_number() -> None:
    row, _ = _subject(
        VS="USUBJID | VSSEQ | VSDTC\n X | | 2026-02-20\n X | 4 | 2026-02-20\n X | 5 | 2026-02-20"
    )
    assert (str(row["LSTALVDT"]), row["LSTALVVR"], row["LSTALVSQ"]) == ("2026-02-20", "VSDTC", 4)


def test_what_happened_after_the_cutoff_has_not_happened() -> None:
    row, _ = _subject(VS="USUBJID | VSSEQ | VSDTC\n X | 1 | 2026-02-20\n X | 2 | 2027-07-01")
    assert row["LSTALVDT"] == dt.date(2026, 2, 20)
    late, _ = _subject(ds=DS.replace("2026-01-08", "2027-07-08"))
    assert (late["ITTFL"], late["RANDDT"]) == ("N", None)


def test_a_partial_sign_of_life_counts_from_its_earliest_day() -> None:
    row, _ = _subject(VS="USUBJID | VSSEQ | VSDTC\n X | 1 | 2026-05")
    assert (row["LSTALVDT"], row["LSTALVDM"], row["LSTALVVR"]) == (dt.date(2026, 5, 1), "VS", "VSDTC")


def test_a_stratum_word_that_the_study_does_not_know_is_null_and_a_finding() -> None:
    row, found = _subject(DM.replace("LUNG", "LIVR"))
    assert (row["SITE1"], found) == (None, ["a value that the study does not define"])


def test_dates_in_the_wrong_order_are_a_query_and_not_corrected() -> None:
    row, found = _subject(ds=DS.replace("2026-01-01", "2026-01-09"))
    assert row["RFICDT"] == dt.date(2026, 1, 9)
    assert found == ["RFICDT is after RANDDT"]


#: The last dose is on 10 March 2026 (the project's rules, 6.7).
THERAPIES = table("""
 flag | written    | start
 no   | 2026-04-02 | 2026-04-02
 D    | 2026-04    | 2026-04-01
 D    | 2026-03    | 2026-03-11
 M    | 2026       | 2026-03-11
 D    | 2026-02    | 2026-02-01
 M    | 2027       | 2027-01-01
 no   | 2027-07    | none
""")


@pytest.mark.parametrize("case", THERAPIES.to_dicts(), ids=lambda case: str(case["written"]))
def test_a_new_therapy_not_known_to_the_day_starts_after_the_last_dose_and_is_flagged(
    case: dict[str, Any],
) -> None:
    row, found = _subject(
        EX="USUBJID | EXSEQ | EXDOSE | EXSTDTC | EXENDTC\n X | 1 | 1 | 2026-03-10 | 2026-03-10",
        CM=f"USUBJID | CMSEQ | CMCAT | CMSTDTC\n X | 4 | NEW ANTICANCER THERAPY | {case['written']}",
    )
    assert str(row["NACTDT"]).replace("None", "none") == case["start"]
    imputed = case["flag"] != "no"
    assert row["NACTDTF"] == (case["flag"] if imputed else None)
    told = "start of a new anticancer therapy not known to the day"
    assert found == ([told] if imputed else [])
    if row["NACTDT"]:
        assert (row["NACTDOM"], row["NACTVAR"], row["NACTSEQ"]) == ("CM", "CMSTDTC", 4)


def test_a_new_therapy_without_a_date_is_a_query_and_the_first_that_has_one_counts() -> None:
    row, found = _subject(
        CM="""
 USUBJID | CMSEQ | CMSTDTC    | CMCAT
 X       |     1 |            | NEW ANTICANCER THERAPY
 X       |     2 | 2026-06-10 | NEW ANTICANCER THERAPY
 X       |     3 | 2026-05-10 | NEW ANTICANCER THERAPY
 X       |     4 | 2026-01-10 | ANTIEMETIC
"""
    )
    assert (row["NACTDT"], row["NACTSEQ"]) == (dt.date(2026, 5, 10), 3)
    assert found == ["a new anticancer therapy without a date"]


@pytest.mark.parametrize(("counts", "start"), [(False, dt.date(2026, 5, 10)), (True, dt.date(2026, 4, 1))])
def test_p20_palliative_radiotherapy_is_a_new_therapy_only_where_the_study_says_so(
    counts: bool, start: dt.date
) -> None:
    row, _ = _subject(
        study=_study(response={"assessor": "INV", "rt_is_nact": counts}),
        CM="USUBJID | CMSEQ | CMCAT | CMSTDTC\n X | 1 | NEW ANTICANCER THERAPY | 2026-05-10",
        PR="USUBJID | PRSEQ | PRCAT | PRSTDTC\n X | 1 | PALLIATIVE RADIOTHERAPY | 2026-04-01",
    )
    assert row["NACTDT"] == start


def test_clinical_progression_is_an_optional_fact() -> None:
    row, _ = _subject(CE="USUBJID | CESEQ | CETERM | CESTDTC\n X | 2 | CLINICAL PROGRESSION | 2026-05-10")
    assert (row["CLPDDT"], row["CLPDDOM"], row["CLPDSEQ"]) == (dt.date(2026, 5, 10), "CE", 2)
    assert _subject()[0]["CLPDDT"] is None


#: Death known to October 2026, last sign of life as drawn, by the study's word.
DEATH_DAYS = table("""
 word   | alive      | death   | dthdt
 first  | 2026-09-20 | 2026-10 | 2026-10-01
 middle | 2026-09-20 | 2026-10 | 2026-10-15
 last   | 2026-09-20 | 2026-10 | 2026-10-31
 middle | 2026-10-20 | 2026-10 | 2026-10-20
 middle | 2026-05-20 | 2026   | 2026-07-01
 last   | 2026-05-20 | 2026   | 2026-12-31
""")


@pytest.mark.parametrize("case", DEATH_DAYS.to_dicts(), ids=lambda c: f"{c['word']} {c['alive']}")
def test_the_day_of_a_death_not_known_to_the_day_is_the_study_s_choice(case: dict[str, Any]) -> None:
    dm = DM.replace("|            |  61", f"| {case['death']} |  61")
    row, _ = _subject(
        dm, study=_study(death_day=case["word"]), VS=f"USUBJID | VSSEQ | VSDTC\n X | 1 | {case['alive']}"
    )
    assert row["DTHDT"] == case["dthdt"]


def test_a_sign_of_life_after_the_cutoff_places_a_death_of_that_month_after_it_too() -> None:
    dm = DM.replace("|            |  61", "| 2027-07 |  61").replace("2027-07", "2027-06")
    vs = "USUBJID | VSSEQ | VSDTC\n X | 1 | 2027-05-01\n X | 2 | {}"
    early = adsl.build(_study(), _sdtm(dm, vs.format("2027-06-05")), dt.date(2027, 6, 10))[0]
    late = adsl.build(_study(), _sdtm(dm, vs.format("2027-06-20")), dt.date(2027, 6, 10))[0]
    assert early.select("DTHDT", "LSTALVDT").row(0) == (dt.date(2027, 6, 5), dt.date(2027, 6, 5))
    assert late.select("DTHDT", "DTHFL", "LSTALVDT").row(0) == (None, "N", dt.date(2027, 5, 1))


def _sdtm(dm: str, vs: str) -> dict[str, pl.DataFrame]:
    return {"DM": _text(dm), "DS": _text(DS), "VS": _text(vs)}


def test_a_contact_after_the_cutoff_is_kept_only_where_a_clock_asks_for_it() -> None:
    clock = {"id": "OS", "label": "OS", "events": ["death"], "censor_at": "cutoff_if_contact"}
    asks = _study(
        endpoints={"time_to_event": [clock]},
        analyses=[{"id": "S", "label": "S", "method": "toxicity", "population": "ITT"}],
    )
    vs = "USUBJID | VSSEQ | VSDTC\n X | 1 | 2026-02-20\n X | 2 | 2027-08-01\n X | 3 | 2027-07-05"
    assert _subject(study=asks, VS=vs)[0]["CONTACDT"] == dt.date(2027, 7, 5)
    assert _subject(VS=vs)[0]["CONTACDT"] is None
    dead = DM.replace("|            |  61", "| 2027-07-02 |  61")
    assert _subject(dead, study=asks)[0]["CONTACDT"] == dt.date(2027, 7, 2)


def test_a_reason_given_after_the_cutoff_has_not_been_given() -> None:
    ds = """
 USUBJID | DSSEQ | DSSCAT    | DSSTDTC    | DSDECOD
 X       |     3 |           | 2026-01-08 | RANDOMIZED
 X       |     4 | TREATMENT | 2027-06-01 | ADVERSE EVENT
 X       |     5 | STUDY     | 2027-07-01 | LOST TO FOLLOW-UP
"""
    row, _ = _subject(ds=ds)
    assert (row["EOTREAS"], row["EOSREAS"], row["EOSDT"]) == ("ADVERSE EVENT", None, None)


def test_a_date_that_must_not_be_imputed_is_a_query() -> None:
    row, found = _subject(ds=DS.replace("2026-01-08", "2026-01"))
    assert (row["ITTFL"], row["RANDDT"]) == ("Y", dt.date(2026, 1, 1))
    assert "randomisation not known to the day" in found
