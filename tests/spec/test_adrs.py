"""ADTR and ADRS: from lesions as sites write them to sums, responses and the best response.

Day 0 is randomisation, 1 January 2026. One drawn row of TR per lesion and scan: LDIAM, or LPERP for a node.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, get_args, get_type_hints

import polars as pl
import pytest

from drawn import table
from small import small_sources, small_study
from trialwright.adam import adrs, adtr, disagreement, response_endpoints
from trialwright.adam.lesions import lesions
from trialwright.medicine import recist
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
        test = row.get("test") or test
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
    tr: str,
    *,
    rs: pl.DataFrame | None = None,
    study: Study | None = None,
    adsl: pl.DataFrame | None = None,
    domains: dict[str, pl.DataFrame] | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    study, adsl = study or _study(), _adsl() if adsl is None else adsl
    sdtm = {"TR": _tr(tr)} | ({} if rs is None else {"RS": rs}) | (domains or {})
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
    assert found.count("not a response of RECIST 1.1") == 1


def _measured(tr: str) -> tuple[list[float | None], list[str], list[str]]:
    sums, built, found = _built(tr)
    return sums["AVAL"].to_list(), _said(built, "OVRLC"), found


SPLIT = """
 visit    | day | test     | value | lesion
 BASELINE | -10 |          | 60    | T01
 W6       |  42 |          | 20    | T01
 W6       |  42 |          | 30    | T01
 W6       |  42 | TUMSTATE | SPLIT | T01
"""


def test_the_parts_of_a_lesion_that_split_are_added_under_its_name() -> None:
    assert _measured(SPLIT)[:2] == ([60.0, 50.0], ["SD"])


#: A state in a row of its own, beside a diameter or alone (the project's rules, 5.3).
STATES = table("""
 state                | beside | sum | response
 TOO SMALL TO MEASURE |        |   5 | PR
 TOO SMALL TO MEASURE | 3      |   3 | PR
 ABSENT               |        |   0 | CR
 TREATED              | 20     |     | NE
 RESECTED             |        |     | NE
 NOT EVALUABLE        |        |     | NE
""")


@pytest.mark.parametrize("case", STATES.to_dicts(), ids=lambda case: f"{case['state']} {case['beside']}")
def test_the_state_of_a_target_lesion_may_stand_in_a_row_of_its_own(case: dict[str, Any]) -> None:
    drawn = f"""
 visit    | day | test     | value | lesion
 BASELINE | -10 |          | 60    | T01
 W6       |  42 | TUMSTATE | {case["state"]} | T01
"""
    if case["beside"] is not None:
        drawn += f" W6 | 42 | | {case['beside']} | T01\n"
    sums, said, found = _measured(drawn)
    assert (sums[1], said) == (case["sum"], [case["response"]])
    assert found == []


def test_a_target_treated_locally_is_not_evaluable_from_then_on() -> None:
    drawn = """
 visit    | day | test     | value   | lesion
 BASELINE | -10 |          | 60      | T01
 W6       |  42 | TUMSTATE | TREATED | T01
 W12      |  84 |          | 10      | T01
"""
    assert _measured(drawn)[1] == ["NE", "NE"]


def _tu(lesion: str | None = "NEW01", day: int = 50) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "USUBJID": ["X"],
            "TUSEQ": [77],
            "TULNKID": [lesion],
            "TUSTRESC": ["NEW"],
            "TUEVAL": ["INVESTIGATOR"],
            "VISIT": ["W6"],
            "TUDTC": [(DAY0 + dt.timedelta(days=day)).isoformat()],
        },
        schema_overrides={"TULNKID": pl.String},
    )


STABLE = """
 visit    | day | lesion | value
 BASELINE | -10 | T01    | 60
 W6       |  42 | T01    | 60
"""


@pytest.mark.parametrize("lesion", ["NEW01", None])
def test_a_new_lesion_that_only_tu_names_is_progression_on_its_day(lesion: str | None) -> None:
    _, built, _ = _built(STABLE, domains={"TU": _tu(lesion)})
    row = built.row(by_predicate=pl.col("PARAMCD") == "OVRLC", named=True)
    assert (row["AVALC"], row["ADY"], row["RULE"]) == ("PD", 51, "new_lesion")
    assert (row["SRCDOM"], row["SRCSEQ"]) == ("TR", 2)


def test_a_visit_that_only_tu_knows_names_tu_as_its_source() -> None:
    tu = _tu().with_columns(VISIT=pl.lit("UNSCHEDULED"))
    _, built, _ = _built(STABLE, domains={"TU": tu})
    rows = built.filter(pl.col("PARAMCD") == "OVRLC").select("AVALC", "SRCDOM", "SRCVAR", "SRCSEQ").rows()
    assert rows == [("SD", "TR", "TRSTRESC", 2), ("PD", "TU", "TUSTRESC", 77)]


def test_what_tr_says_of_a_new_lesion_goes_before_tu() -> None:
    _, built, _ = _built(STABLE + " W6 | 42 | NEW01 | EQUIVOCAL\n", domains={"TU": _tu()})
    assert _said(built, "OVRLC") == ["SD"]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("EQUIVOCAL ABSENT", ["SD", "SD"]),
        ("UNEQUIVOCAL ABSENT", ["PD", "PD"]),
        ("UNEQUIVOCAL RETRACTED", ["SD", "SD"]),
        ("12 14", ["PD", "PD"]),
    ],
)
def test_a_new_lesion_that_was_real_stays_progression_when_it_has_gone(
    history: str, expected: list[str]
) -> None:
    first, second = history.split()
    drawn = STABLE + f" W6 | 42 | NEW01 | {first}\n W12 | 84 | T01 | 60\n W12 | 84 | NEW01 | {second}\n"
    assert _measured(drawn)[1] == expected


def test_what_is_odd_about_the_targets_is_a_row_and_changes_nothing() -> None:
    drawn = """
 visit    | day | lesion | value
 BASELINE | -10 | T01    | 8
 BASELINE | -10 | N01    | 12
 W6       |  42 | T01    | 8
 W6       |  43 | T01    | 9
 W6       |  42 | N01    | 12
 W6       |  42 | T09    | 30
"""
    sums, said, found = _measured(drawn)
    assert (sums, said) == ([20.0, 21.0], ["SD"])
    assert sorted(found) == [
        "a target lesion below 10 mm at baseline",
        "a target lymph node with a short axis below 15 mm at baseline",
        "target lesions measured more than once at an assessment",
        "target lesions that baseline does not have",
    ]


def test_a_baseline_too_long_ago_and_too_many_targets_are_rows() -> None:
    lesions_ = "".join(f" BASELINE | -9 | T0{i} | 30\n" for i in range(6))
    _, _, found = _built(" visit | day | lesion | value\n" + lesions_)
    assert set(found) == {"more than five target lesions", "more than two target lesions in one organ"}
    _, _, found = _built(" visit | day | lesion | value\n BASELINE | -40 | T01 | 30\n")
    assert found == ["baseline imaging more than 28 days before randomisation"]


def test_of_different_responses_on_one_day_the_least_favourable_counts_and_a_row_says_so() -> None:
    rs = _rs(("W6", 42, "PR"), ("UNS", 42, "SD"), ("W12", 84, "PR"))
    study = _study(response={"assessor": "INV", "basis": "reported"})
    _, built, found = _built(" visit | day | lesion | value\n B | -3 | T01 | 30", rs=rs, study=study)
    assert _said(built, "BORU") == ["PR"]
    assert built.row(by_predicate=pl.col("PARAMCD") == "BORU", named=True)["ADY"] == 85
    assert found.count("different responses of one reader on one day") == 1


def test_two_reports_of_one_visit_keep_a_row_each() -> None:
    rs = _rs(("W6", 42, "SD"), ("W6", 44, "PD"))
    study = _study(response={"assessor": "INV", "basis": "reported"})
    _, built, _ = _built(STABLE, rs=rs, study=study)
    assert (_said(built, "OVRLRESP"), _said(built, "OVRLR")) == (["SD", "PD"], ["SD", "PD"])


def test_two_reports_of_one_visit_and_day_stand_in_the_order_of_their_numbers() -> None:
    rs = _rs(("W6", 42, "SD"), ("W6", 42, "PD"))
    study = _study(response={"assessor": "INV", "basis": "reported"})
    for rows in (rs, rs.reverse()):
        _, built, _ = _built(STABLE, rs=rows, study=study)
        told = built.filter(PARAMCD="OVRLR").sort("AVISITN").select("AVALC", "SRCSEQ").rows()
        assert told == [("SD", 1), ("PD", 2)]


def test_the_analysis_flag_ends_with_the_first_progression() -> None:
    after = COURSE + " W24 | 168 | T01 | 30\n W24 | 168 | N02 | 9\n W24 | 168 | NT01 | ABSENT\n"
    sums, built, _ = _built(after)
    rows = built.filter(pl.col("PARAMCD") == "OVRLRESP").sort("AVISITN")
    assert rows.select("AVALC", "ANL01FL").rows() == [("PR", "Y"), ("CR", "Y"), ("PD", "Y"), ("PD", None)]
    assert sums["ANL01FL"].to_list() == ["Y", "Y", "Y", "Y", None]


def test_a_partial_response_carried_forward_is_shown_and_not_counted() -> None:
    """EORTC's reading: 60, 40, 45 mm is PR, PR; neither it nor the table confirms the first PR."""
    drawn = """
 visit    | day | lesion | value
 BASELINE | -10 | T01    | 60
 W6       |  42 | T01    | 40
 W12      |  84 | T01    | 45
"""
    for sticky, shown in ((True, ["PR", "PR"]), (False, ["PR", "SD"])):
        study = _study(response={"assessor": "INV", "policy": {"pr_sticky": sticky}})
        _, built, _ = _built(drawn, study=study)
        assert (_said(built, "OVRLRESP"), _said(built, "BORC")) == (shown, ["SD"])


#: One target of 50 mm, then of 30, then ``mm``; what was reported; which reading gives that (5.2 to 5.7).
REASONS = table("""
 reported | mm   | other   | reason
 SD       | 36   | PRESENT | growth compared with the baseline, not with the smallest sum
 PD       | 33   | PRESENT | no rule explains it
 CR       |      | ABSENT  | lesions that were not measured counted as 0 mm, growth over the baseline
 NE       | 0    |         | as under cr_with_ne_non_target = ne
 SD       | 34   | PRESENT | no rule explains it
 PR       | 30   | UNEQUIVOCAL PROGRESSION | non-target lesions left aside
""")


@pytest.mark.parametrize("case", REASONS.to_dicts(), ids=lambda case: f"{case['mm']} {case['reported']}")
def test_a_reported_response_that_differs_is_a_row_with_the_rule_that_explains_it(
    case: dict[str, Any],
) -> None:
    before = "ABSENT" if case["other"] == "ABSENT" else "PRESENT"
    drawn = f"""
 visit    | day | value    | lesion
 BASELINE | -10 | 50       | T01
 BASELINE | -10 | {before} | NT01
 W6       |  42 | 30       | T01
 W6       |  42 | {before} | NT01
 W12      |  84 | {"" if case["mm"] is None else case["mm"]} | T01
 W12      |  84 | {case["other"] or ""} | NT01
"""
    _, built, found = _built(drawn, rs=_rs(("W6", 42, "PR"), ("W12", 84, case["reported"])))
    told = f"the response reported is not the one computed: {case['reason']}"
    assert [rule for rule in found if rule.startswith("the response reported")] == [told]
    note = built.filter(pl.col("PARAMCD") == "OVRLR").sort("AVISITN")["NOTE"].to_list()
    assert note[0] is None
    assert note[1].endswith(case["reason"])


def test_a_reader_who_could_not_know_of_a_later_finding_is_explained_so() -> None:
    new = " W6 | 42 | NEW01 | EQUIVOCAL\n W12 | 84 | T01 | 60\n W12 | 84 | NEW01 | UNEQUIVOCAL\n"
    _, _, found = _built(STABLE + new, rs=_rs(("W6", 42, "SD"), ("W12", 84, "PD")))
    assert [rule.partition(": ")[2] for rule in found] == [
        "a lesion equivocal at this visit was found to be new later"
    ]


def test_a_visit_on_one_side_only_is_a_row() -> None:
    _, _, found = _built(COURSE, rs=_rs(("W6", 42, "PR"), ("W12", 84, "CR"), ("W24", 168, "PD")))
    assert found == ["a reported response without lesions", "lesions without a reported response"]


#: Disease control at 12 weeks: day 84, window 14 (the project's rules, 6.5).
AT_WEEK_12 = table("""
 answer | rule                     | death | therapy | scans
 Y      | controlled               |       |         | 42 SD, 84 SD
 Y      | controlled               |       |         | 42 SD, 98 PR
 N      | no_assessment_in_window  |       |         | 42 SD, 99 SD
 N      | not_controlled_in_window |       |         | 42 SD, 84 NE
 N      | progression_before       |       |         | 42 SD, 84 PD
 N      | progression_before       |       |         | 42 SD, 75 SD, 84 PD
 Y      | controlled               |       |         | 42 SD, 75 SD, 98 PD
 N      | death_before             |    84 |         | 42 SD, 75 SD
 Y      | controlled               |    85 |         | 42 SD, 75 SD
 N      | death_before             |    60 |         | 42 SD
 N      | no_assessment_in_window  |       |      60 | 42 SD, 84 SD
 N      | not_controlled_in_window |       |         | 42 SD, 84 NON-CR/NON-PD
 N      | no_assessment_in_window  |       |         | none
""")


@pytest.mark.parametrize("case", AT_WEEK_12.to_dicts(), ids=lambda case: str(case["scans"]))
def test_disease_control_at_twelve_weeks(case: dict[str, Any]) -> None:
    endpoint = {
        "id": "DCR12",
        "label": "Disease control at 12 weeks",
        "confirmation": "unconfirmed",
        "success": ["CR", "PR", "SD"],
        "at_day": 84,
    }
    study = _study(
        response={"assessor": "INV", "basis": "reported"},
        endpoints={"best_response": [endpoint]},
        analyses=[{"id": "S", "label": "S", "method": "toxicity", "population": "ITT"}],
    )
    rows = [(f"V{entry}", int(entry.split()[0]), entry.split()[1]) for entry in _entries(case["scans"])]
    days = {"DTHDT": case["death"], "NACTDT": case["therapy"]}
    adsl = _adsl(**{k: None if v is None else DAY0 + dt.timedelta(days=v) for k, v in days.items()})
    _, built, _ = _built(STABLE, rs=_rs(*rows) if rows else None, study=study, adsl=adsl)
    row = built.row(by_predicate=pl.col("PARAMCD") == "DCR12", named=True)
    assert (row["AVALC"], row["RULE"]) == (case["answer"], case["rule"])


def _entries(scans: str) -> list[str]:
    return [entry.strip() for entry in scans.removeprefix("none").split(",") if entry.strip()]


@pytest.mark.parametrize(
    ("days", "cnsr", "answer", "rule"),
    [
        (183, 1, "Y", "lasted"),
        (182, 0, "N", "ended_before"),
        (182, 1, "N", "censored_before"),
        (None, None, "N", "no_response"),
    ],
)
def test_a_durable_response_lasts_six_months(
    days: int | None, cnsr: int | None, answer: str, rule: str
) -> None:
    """Six months are 182.6 days; whoever was censored before has not been seen to respond so long."""
    endpoint = {
        "id": "DURR",
        "label": "Durable response",
        "confirmation": "confirmed",
        "success": ["CR", "PR"],
        "lasting_months": 6,
        "duration": "DOR",
    }
    study = _study(endpoints={"best_response": [endpoint], "time_to_event": [DOR]}, analyses=[SAFETY])
    adtte = pl.DataFrame(
        {"USUBJID": ["X"], "PARAMCD": ["DOR"], "AVAL": [days], "CNSR": [cnsr], "ADT": [DAY0]},
        schema_overrides={"AVAL": pl.Float64, "CNSR": pl.Int64},
    ).filter(pl.col("AVAL").is_not_null())
    row = response_endpoints.lasting_rows(study, _adsl(), adtte, "INV").row(0, named=True)
    assert (row["AVALC"], row["RULE"], row["PARQUAL"]) == (answer, rule, "INV")


SAFETY = {"id": "S", "label": "S", "method": "toxicity", "population": "ITT"}
DOR = {
    "id": "DOR",
    "label": "Duration",
    "origin": "response",
    "events": ["progression", "death"],
    "censor_at": "last_adequate_assessment",
    "rules": "EMA_ITT",
}


def _baseline(tr: str, tu: pl.DataFrame | None = None) -> list[str] | None:
    study, sdtm = _study(), {"TR": _tr(tr)} | ({} if tu is None else {"TU": tu})
    seen, _ = lesions(study, sdtm, _adsl(), CUTOFF)
    _, responses, _ = adrs.build(study, sdtm, _adsl(), seen, CUTOFF)
    return None if responses.baseline is None else responses.baseline.to_list()


def test_a_baseline_assessment_stands_in_tr_or_in_tu() -> None:
    """Someone else's baseline shows that baselines are recorded; X has a scan on day 42 only."""
    late = " visit | day | lesion | value\n W6 | 42 | T01 | 60\n"
    target = _tu("T01", -5).with_columns(TUSTRESC=pl.lit("TARGET"))
    other = target.with_columns(USUBJID=pl.lit("Y"))
    assert _baseline(STABLE) == ["X"]
    assert _baseline(late) is None
    assert _baseline(late, other) == ["Y"]
    assert sorted(_baseline(late, pl.concat([target, other])) or []) == ["X", "Y"]


#: One visit number, the second scan so many days after the first: how many assessments that are.
APART = table("""
 days | assessments | limit | why
 21   | 1           |       | half the shortest interval between scheduled scans (42 days)
 22   | 2           |       | nearer to the next visit than to this one
 10   | 1           | 10    | as the study says
 11   | 2           | 10    | as the study says
 1    | 2           | 0     | each day by itself
""")


@pytest.mark.parametrize("case", APART.to_dicts(), ids=lambda case: f"{case['limit']} {case['days']}")
def test_scans_too_far_apart_are_two_assessments_though_the_visit_is_one(case: dict[str, Any]) -> None:
    """Visit 9 was used twice: the sum of 40 mm and that of 70 mm are both judged, and a row says so."""
    response: dict[str, Any] = {"assessor": "INV", "assessment_gap_days": case["limit"]}
    drawn = f"""
 visit    | day | lesion | value
 BASELINE | -10 | T01    | 50
 V9       |  84 | T01    | 40
 V9       | {84 + case["days"]} | T01 | 70
"""
    study = _study(response=response)
    sums, built, found = _built(drawn, study=study)
    two = case["assessments"] == 2
    assert sums["AVAL"].to_list() == ([50.0, 40.0, 70.0] if two else [50.0, 70.0])
    assert sums["AVISIT"].to_list()[1:] == ["V9"] * case["assessments"]
    assert _said(built, "OVRLRESP") == (["SD", "PD"] if two else ["PD"])
    said_so = "one visit for scans too far apart to be one assessment"
    again = "target lesions measured more than once at an assessment"
    assert [rule for rule in found if rule in (said_so, again)] == [said_so if two else again]


def test_where_nothing_is_scheduled_three_weeks_are_one_assessment() -> None:
    for days, sums_of in ((21, [50.0, 70.0]), (22, [50.0, 40.0, 70.0])):
        drawn = f"""
 visit    | day | lesion | value
 BASELINE | -10 | T01    | 50
 V9       |  84 | T01    | 40
 V9       | {84 + days} | T01 | 70
"""
        sums, _, _ = _built(drawn, study=_study(schedule={}))
        assert sums["AVAL"].to_list() == sums_of


def test_a_response_belongs_to_the_assessment_that_it_was_given_in() -> None:
    """SD and PD were reported under one visit; each stands beside the sum of its own scan."""
    drawn = """
 visit    | day | lesion | value
 BASELINE | -10 | T01    | 50
 V9       |  84 | T01    | 40
 V9       | 176 | T01    | 70
"""
    rs = _rs(("V9", 85, "SD"), ("V9", 174, "PD"))
    _, built, found = _built(drawn, rs=rs)
    assert _said(built, "OVRLR") == ["SD", "PD"]
    assert built.filter(pl.col("PARAMCD") == "OVRLR")["NOTE"].to_list() == [None, None]
    assert found == ["one visit for scans too far apart to be one assessment"]


def test_a_scan_without_its_day_stays_with_the_first_of_the_visit() -> None:
    drawn = """
 visit    | day | date    | lesion | value
 BASELINE | -10 |         | T01    | 50
 BASELINE | -10 |         | T02    | 50
 V9       |  84 |         | T01    | 40
 V9       |  84 | 2026-03 | T02    | 40
 V9       | 176 |         | T01    | 70
"""
    sums, _, found = _built(drawn)
    assert sums.select("AVAL", "COMPLFL").rows() == [(100.0, "Y"), (80.0, "Y"), (70.0, "N")]
    assert found.count("an imaging date not known to the day") == 1


def test_baseline_scans_are_one_assessment_however_far_apart() -> None:
    drawn = """
 visit  | day | lesion | value
 SCREEN | -27 | T01    | 50
 SCREEN |  -2 | T02    | 30
 W6     |  42 | T01    | 40
 W6     |  42 | T02    | 30
"""
    sums, _, found = _built(drawn)
    assert (sums["AVAL"].to_list(), found) == ([80.0, 70.0], [])
    assert sums["SRCSEQ"].to_list() == [1, 3], "the first record of the sum"


def test_a_visit_of_baseline_used_again_later_is_an_assessment_of_its_own() -> None:
    drawn = """
 visit  | day | lesion | value
 SCREEN | -27 | T01    | 50
 SCREEN |  -2 | T02    | 30
 SCREEN |  42 | T01    | 40
 SCREEN |  42 | T02    | 30
"""
    sums, _, found = _built(drawn)
    assert sums.select("AVAL", "SRCSEQ").rows() == [(80.0, 1), (70.0, 3)]
    assert found == ["one visit for scans too far apart to be one assessment"]


#: A target of the liver of 50 mm, whose scans call it a node: its longest diameter, its short axis, what the
#: reader reported. The longest diameter counts, for at baseline it was no node.
MOVED = table("""
 first | short | second | then | reported | computed | reason
 36    | 34    | 36     | 34   | PR       | SD       | nodes by the place written at the scan, not at baseline
 20    | 18    | 36     | 34   | PR       | PD       | nodes by the place written at the scan, not at baseline, and growth compared with the baseline
""")


@pytest.mark.parametrize("case", MOVED.to_dicts(), ids=lambda case: f"{case['first']} {case['reported']}")
def test_a_target_that_scans_call_a_node_explains_a_response(case: dict[str, Any]) -> None:
    drawn = f"""
 visit    | day | lesion | test  | value
 BASELINE | -10 | T01    | LDIAM | 50
 W6       |  42 | T01    | LDIAM | {case["first"]}
 W6       |  42 | T01    | LPERP | {case["short"]}
 W12      |  84 | T01    | LDIAM | {case["second"]}
 W12      |  84 | T01    | LPERP | {case["then"]}
"""
    tu = {"USUBJID": "X", "TUSEQ": 1, "TULNKID": "T01", "TUSTRESC": "TARGET", "TULOC": "LIVER"}
    domains = {"TU": pl.DataFrame([tu | {"TUEVAL": "INVESTIGATOR"}])}
    rs = _rs(("W12", 84, case["reported"]))
    _, built, found = _built(drawn, rs=rs, domains=domains)
    assert _said(built, "OVRLC")[-1] == case["computed"]
    assert f"the response reported is not the one computed: {case['reason']}" in found


def test_the_words_of_the_target_course_say_nothing_more_at_the_time_point() -> None:
    """Readings of one course are told together under the study's own policy: that may change nothing."""
    seen, _ = lesions(_study(), {"TR": _tr(COURSE)}, _adsl(), CUTOFF)
    others, plain = recist.non_target_course(seen.non_targets), recist.Policy()
    for name in disagreement._TARGET_WORDS:
        for word in get_args(get_type_hints(recist.Policy)[name]) or (False, True):
            changed = replace(plain, **{name: word})
            course = recist.target_course(seen.targets, changed)
            told = [recist.time_points(course, others, seen.new, policy) for policy in (changed, plain)]
            assert told[0].equals(told[1])
