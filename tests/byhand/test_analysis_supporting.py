"""Beside the main analysis, on a dozen patients: who is in, which way, and what is said where nothing can be said."""

import datetime as dt
import math

import polars as pl
import pytest

from analysis_frames import adsl, adtte, note, number, rows, with_analyses
from small import small_study
from trialwright.analysis.run import run
from trialwright.analysis.supporting import TESTS
from trialwright.stats.rank_preserving import rank_preserving
from trialwright.study.model import Arm, Factor

START = dt.date(2027, 1, 1)
SUBJECTS = adsl(
    """
    USUBJID | TRT01P | SITE1
    A1      | A      | LUNG
    A2      | A      | GEP
    A3      | A      | LUNG
    A4      | A      | GEP
    B1      | B      | LUNG
    B2      | B      | GEP
    B3      | B      | LUNG
    B4      | B      | GEP
    """
)
TIMES = adtte(
    """
    USUBJID | AVAL | CNSR
    A1      | 10   | 0
    A2      | 20   | 0
    A3      | 30   | 0
    A4      | 40   | 1
    B1      | 25   | 0
    B2      | 50   | 1
    B3      | 60   | 0
    B4      | 70   | 1
    """
)
BESIDE = {"id": "S", "method": "supporting", "population": "ITT", "endpoint": "OS"}


def beside(tests, subjects=SUBJECTS, times=TIMES, study=None, **more):
    asked = BESIDE | {"tests": tests} | more
    return run(with_analyses(study or small_study(), asked), {"ADSL": subjects, "ADTTE": times})


def test_fewer_deaths_in_b_are_a_negative_z_and_a_ratio_below_one():
    results = beside(list(TESTS), rmst_months=[1], covariates=["SITE1"])
    levels = ["logrank", "fleming_harrington_1_0", "fleming_harrington_0_1", "fleming_harrington_1_1"]
    for level in [*levels, "maxcombo", "modestly_weighted", "unstratified"]:
        assert number(results, "z", "B vs A", level) < 0, level
    for level in ("unstratified", "adjusted", "firth", "profile"):
        assert number(results, "hazard_ratio", "B vs A", level) < 1, level
    assert number(results, "rmst_difference", "B vs A", "rmst | 1 months") > 0
    assert number(results, "rmst_ratio", "B vs A", "rmst | 1 months") > 1


def test_the_log_rank_test_by_hand():
    """Deaths: 10 (4 of 8 in B), 20 (4/7), 25 (4/6, in B), 30 (3/5), 60 (2/2, in B)."""
    shares = [4 / 8, 4 / 7, 4 / 6, 3 / 5, 1]
    z = (2 - sum(shares)) / math.sqrt(sum(p * (1 - p) for p in shares))
    results = beside(["logrank"])
    assert number(results, "z", "B vs A", "logrank") == pytest.approx(z)


def test_weights_by_hand():
    """The pooled curve before each death: 1, 7/8, 6/8, 5/8, then 4/8 (B2's and A4's censoring fall between)."""
    shares, S = [4 / 8, 4 / 7, 4 / 6, 3 / 5, 1], [1, 7 / 8, 6 / 8, 5 / 8, 4 / 8]
    own = [0, 0, 1, 0, 1]

    def z(weights: list[float]) -> float:
        U = sum(w * (d - p) for w, d, p in zip(weights, own, shares, strict=True))
        return U / math.sqrt(sum(w * w * p * (1 - p) for w, p in zip(weights, shares, strict=True)))

    results = beside(["fleming_harrington_0_1", "modestly_weighted"], weights_until_months=22 / 30.4375)
    late = number(results, "z", "B vs A", "fleming_harrington_0_1")
    assert late == pytest.approx(z([1 - s for s in S]))
    # until day 22 the curve has come down to 6/8
    modest = number(results, "z", "B vs A", "modestly_weighted")
    assert modest == pytest.approx(z([1 / max(s, 6 / 8) for s in S]))


def test_a_restricted_mean_by_hand():
    """To day 30.4375. A: 10 + 7.5 + 5, then 0.4375 with 1 of 4; B: 25, then 5.4375 with 3 of 4."""
    results = beside(["rmst"], rmst_months=[1])
    a, b = 10 + 7.5 + 5 + 0.4375 / 4, 25 + 5.4375 * 3 / 4
    assert number(results, "rmst_difference", "B vs A", "rmst | 1 months") == pytest.approx(b - a)
    assert number(results, "rmst_ratio", "B vs A", "rmst | 1 months") == pytest.approx(b / a)


def test_a_stratified_restricted_mean_needs_both_arms_of_each_stratum_to_come_so_far():
    """In GEP nobody of arm A is followed beyond day 20; in LUNG they are."""
    adam = many(8, 8)
    short = (pl.col("USUBJID").str.starts_with("GEPA")) & (pl.col("AVAL") > 20)
    adam["ADTTE"] = adam["ADTTE"].with_columns(
        AVAL=pl.when(short).then(20.0).otherwise("AVAL"), CNSR=pl.when(short).then(1).otherwise("CNSR")
    )
    asked = BESIDE | {"tests": ["rmst"], "rmst_months": [1], "strata": ["SITE1"]}
    results = run(with_analyses(small_study(), asked), adam)
    said = note(results, "rmst_difference", "B vs A", "rmst | 1 months")
    assert said == "in stratum GEP an arm was followed for 20 days only"


def test_without_an_event_in_an_arm_firth_has_a_ratio_and_the_others_say_why():
    alive = TIMES.with_columns(CNSR=pl.when(pl.col("USUBJID").str.starts_with("B")).then(1).otherwise("CNSR"))
    results = beside(["unstratified", "profile", "firth", "proportional_hazards"], times=alive)
    for level, statistic in (
        ("unstratified", "hazard_ratio"),
        ("profile", "hazard_ratio"),
        ("proportional_hazards", "chi2"),
    ):
        assert note(results, statistic, "B vs A", level) == "no events in arm B"
    assert 0 < number(results, "hazard_ratio", "B vs A", "firth") < 1
    assert number(results, "z", "B vs A", "unstratified") < 0


def test_an_empty_arm_is_a_reason_under_every_word():
    only_b = SUBJECTS.filter(pl.col("TRT01P") == "B").with_columns(
        NACTDT=pl.lit(None, dtype=pl.Date), CUTOFFDT=pl.lit(dt.date(2027, 12, 31))
    )
    started = TIMES.with_columns(STARTDT=pl.lit(START))
    results = beside(
        list(TESTS), subjects=only_b, times=started, rmst_months=[1], covariates=["SITE1"], pieces_months=[1]
    )
    silent = rows(results, analysis="S", group="B vs A").filter(pl.col("value").is_not_null())
    assert silent["statistic"].to_list() == ["strata"]
    said = rows(results, analysis="S", group="B vs A").filter(pl.col("value").is_null())
    assert set(said["note"]) == {"no patients in arm A"}
    assert {level.split(" | ")[0] for level in said["level"]} == set(TESTS)


def test_who_lacks_a_number_to_adjust_for_is_left_out_and_counted():
    from trialwright.study.model import BaselineCharacteristic

    study = small_study()
    age = BaselineCharacteristic.model_validate({"id": "AGE", "label": "Age", "kind": "number"})
    study = study.model_copy(update={"baseline": (age,)})
    known = SUBJECTS.with_columns(AGE=pl.Series([50.0, 60, 70, 55, 65, 75, 52, None]))
    results = beside(["adjusted", "unstratified"], known, study=study, covariates=["AGE"])
    assert [number(results, "n_excluded", arm, "adjusted") for arm in "AB"] == [0, 1]
    without = beside(["adjusted"], known.filter(pl.col("AGE").is_not_null()), study=study, covariates=["AGE"])
    for name in ("hazard_ratio", "hazard_ratio_upper"):
        assert number(results, name, "B vs A", "adjusted") == pytest.approx(
            number(without, name, "B vs A", "adjusted")
        )
    assert note(results, "hazard_ratio", "B vs A", "adjusted") == "adjusted for AGE; not stratified"


def test_a_covariate_that_tells_nothing_is_named():
    same = SUBJECTS.with_columns(SITE1=pl.col("TRT01P"))
    results = beside(["adjusted"], same, covariates=["SITE1"])
    assert note(results, "hazard_ratio", "B vs A", "adjusted") == "covariates determine each other"


def test_follow_up_may_end_with_another_therapy():
    """B1 dies on day 25; another therapy on day 25 is no earlier. A3 dies on day 30 after one on day 12."""
    days = {"A3": 12, "B1": 25, "B2": 40}
    subjects = SUBJECTS.with_columns(
        NACTDT=pl.col("USUBJID").replace_strict(
            {k: START + dt.timedelta(d - 1) for k, d in days.items()}, default=None, return_dtype=pl.Date
        )
    )
    results = beside(["censored_at_new_therapy"], subjects, TIMES.with_columns(STARTDT=pl.lit(START)))
    level = "censored_at_new_therapy"
    assert [number(results, "n_changed", arm, level) for arm in "AB"] == [1, 1]
    # deaths left: 10 (4 of 8 in B), 20 (4/6), 25 (4/5, in B), 60 (2/2, in B)
    shares = [4 / 8, 4 / 6, 4 / 5, 1]
    z = (2 - sum(shares)) / math.sqrt(sum(p * (1 - p) for p in shares))
    assert number(results, "z", "B vs A", level) == pytest.approx(z)


def test_the_worst_case_of_those_lost():
    """Cutoff on day 100. Censored over a month before: A4 (day 40) lives to it, B2 (day 50) has the event."""
    subjects = SUBJECTS.with_columns(CUTOFFDT=pl.lit(START + dt.timedelta(99)))
    started = TIMES.with_columns(STARTDT=pl.lit(START))
    results = beside(["worst_case"], subjects, started, lost_after_months=1)
    assert [number(results, "n_changed", arm, "worst_case") for arm in "AB"] == [1, 1]
    # deaths: 10 (4 of 8 in B), 20 (4/7), 25 (4/6, B), 30 (3/5), 50 (3/4, B), 60 (2/3, B)
    shares = [4 / 8, 4 / 7, 4 / 6, 3 / 5, 3 / 4, 2 / 3]
    z = (3 - sum(shares)) / math.sqrt(sum(p * (1 - p) for p in shares))
    assert number(results, "z", "B vs A", "worst_case") == pytest.approx(z)


def long_trial(lost: int = 4):
    """Forty in each arm: in A one death a day from day 1, in B one every third day; the last of B lost on day 2."""
    people, times = ["USUBJID | TRT01P | SITE1 | SITEID"], ["USUBJID | AVAL | CNSR"]
    for arm, step in (("A", 1), ("B", 3)):
        for i in range(40):
            gone = arm == "B" and i >= 40 - lost
            people.append(f"{arm}{i} | {arm} | LUNG | S{i % 4}")
            times.append(f"{arm}{i} | {2 if gone else step * (i + 1)} | {int(gone)}")
    started = {"STARTDT": pl.lit(START)}
    subjects = adsl("\n".join(people)).with_columns(CUTOFFDT=pl.lit(START + dt.timedelta(199)))
    return subjects, adtte("\n".join(times)).with_columns(**started)


def test_the_tipping_point_of_those_lost_from_the_experimental_arm():
    subjects, times = long_trial()
    deltas = (1, 5, 50)
    results = beside(
        ["tipping_point"], subjects, times, lost_after_months=1, tipping_deltas=deltas, imputations=20
    )
    assert [number(results, "n_changed", arm, "tipping_point") for arm in "AB"] == [0, 4]
    ratios = [number(results, "hazard_ratio", "B vs A", f"tipping_point | hazard x {d}") for d in deltas]
    assert ratios == sorted(ratios)
    assert ratios[0] < 1
    assert note(results, "tipping_delta", "B vs A", "tipping_point") == "p is 0.05 or less at every factor"


def test_with_half_of_the_arm_lost_p_tips():
    subjects, times = long_trial(lost=20)
    results = beside(
        ["tipping_point"],
        subjects,
        times,
        lost_after_months=1,
        tipping_deltas=(1, 3, 100),
        imputations=20,
    )
    p = [number(results, "p_wald", "B vs A", f"tipping_point | hazard x {d}") for d in (1, 3, 100)]
    found = number(results, "tipping_delta", "B vs A", "tipping_point")
    assert found == next(d for d, value in zip((1, 3, 100), p, strict=True) if value > 0.05)
    assert found > 1


def test_nothing_tips_where_p_is_above_already():
    started = TIMES.with_columns(STARTDT=pl.lit(START))
    results = beside(["tipping_point"], SUBJECTS, started, lost_after_months=1, imputations=5)
    said = note(results, "tipping_delta", "B vs A", "tipping_point")
    assert said == "p is above 0.05 before anything is imputed"


def test_a_therapy_before_the_start_ends_follow_up_at_once():
    """Whichever day before: nothing of such a patient is without the therapy."""
    for before in (1, 40):
        subjects = SUBJECTS.with_columns(
            NACTDT=pl.when(pl.col("USUBJID") == "A1").then(pl.lit(START - dt.timedelta(before)))
        )
        started = TIMES.with_columns(STARTDT=pl.lit(START))
        results = beside(["censored_at_new_therapy"], subjects, started)
        assert number(results, "n_changed", "A", "censored_at_new_therapy") == 1
        # deaths: 20 (4 of 7 in B), 25 (4/6, B), 30 (3/5), 60 (2/2, B)
        shares = [4 / 7, 4 / 6, 3 / 5, 1]
        z = (2 - sum(shares)) / math.sqrt(sum(p * (1 - p) for p in shares))
        assert number(results, "z", "B vs A", "censored_at_new_therapy") == pytest.approx(z)


def test_control_patients_who_were_given_the_experimental_treatment():
    """A3 (30 days, dead) switched on day 12, A4 (40, alive) on day 50, after the end; B1's date changes nothing."""
    days = {"A3": 11, "A4": 49, "B1": 5}
    switched = SUBJECTS.with_columns(
        SWITCHDT=pl.col("USUBJID").replace_strict(
            {k: START + dt.timedelta(v) for k, v in days.items()}, default=None, return_dtype=pl.Date()
        ),
        CUTOFFDT=pl.lit(START + dt.timedelta(99)),
    )
    started = TIMES.with_columns(STARTDT=pl.lit(START))
    results = beside(["censored_at_switch", "rank_preserving"], switched, started)
    for word in ("censored_at_switch", "rank_preserving"):
        assert [number(results, "n_changed", arm, word) for arm in "AB"] == [1, 0]
    # deaths: 10 (4 of 8 in B), 20 (4/6: A3 is gone), 25 (4/5, B), 60 (2/2, B)
    shares = [4 / 8, 4 / 6, 4 / 5, 1]
    z = (2 - sum(shares)) / math.sqrt(sum(p * (1 - p) for p in shares))
    assert number(results, "z", "B vs A", "censored_at_switch") == pytest.approx(z)
    whole = rank_preserving(
        [10, 20, 30, 40, 25, 50, 60, 70],
        [1, 1, 1, 0, 1, 0, 1, 0],
        [0, 0, 0, 0, 1, 1, 1, 1],
        [0, 0, 18, 0, 25, 50, 60, 70],
        [100] * 8,
    )
    assert number(results, "psi", "B vs A", "rank_preserving") == pytest.approx(whole.psi.estimate)
    assert number(results, "p_value", "B vs A", "rank_preserving") == pytest.approx(whole.p_value)
    ratio = number(results, "hazard_ratio", "B vs A", "rank_preserving")
    assert ratio == pytest.approx(whole.hazard_ratio().estimate)
    nobody = beside(["rank_preserving"], switched.with_columns(SWITCHDT=pl.lit(None, pl.Date())), started)
    said = note(nobody, "hazard_ratio", "B vs A", "rank_preserving")
    assert said == "nobody of the control arm switched"


def test_a_frailty_for_each_centre():
    subjects, times = long_trial()
    sides = beside(["centre_frailty", "unstratified"], subjects, times)
    assert note(sides, "hazard_ratio", "B vs A", "centre_frailty") == "4 centres"
    assert (
        number(sides, "frailty_variance", "B vs A", "centre_frailty") == 0
    )  # every centre has the same days
    plain = number(sides, "hazard_ratio", "B vs A", "unstratified")
    assert number(sides, "hazard_ratio", "B vs A", "centre_frailty") == pytest.approx(plain)
    one = beside(["centre_frailty"], subjects.with_columns(SITEID=pl.lit("S1")), times)
    assert note(one, "hazard_ratio", "B vs A", "centre_frailty") == "one cluster only"
    none = beside(["centre_frailty"], subjects.drop("SITEID"), times)
    assert note(none, "hazard_ratio", "B vs A", "centre_frailty").startswith("the data do not say")


def test_an_event_on_an_edge_is_in_the_piece_that_ends_there():
    """Two months are 60.875 days."""
    times = TIMES.with_columns(AVAL=pl.when(pl.col("USUBJID") == "B3").then(60.875).otherwise("AVAL"))
    results = beside(["piecewise_hazard_ratio"], times=times, pieces_months=[2])
    for words, events in (("0 to 2 months", [3, 2]), ("after 2 months", [0, 0])):
        level = f"piecewise_hazard_ratio | {words}"
        assert [number(results, "events", arm, level) for arm in "AB"] == events


def test_without_the_dates_it_says_so():
    words = ["censored_at_new_therapy", "worst_case", "tipping_point"]
    unknown = beside(["censored_at_switch", "rank_preserving"])
    for level in ("censored_at_switch", "rank_preserving"):
        assert note(unknown, "hazard_ratio", "B vs A", level).startswith("the data do not say who switched")
    results = beside(words)
    for level in words:
        assert note(results, "hazard_ratio", "B vs A", level).endswith("is not in the data")


def test_each_experimental_arm_has_its_contrast_and_control_is_counted_once():
    study = small_study()
    study = study.model_copy(
        update={"arms": (*study.arms, Arm(id="C", role="experimental", label={"en": "C"}))}
    )
    third = SUBJECTS.filter(pl.col("TRT01P") == "B").with_columns(
        pl.col("USUBJID").str.replace("B", "C"), TRT01P=pl.lit("C")
    )
    times = pl.concat(
        [
            TIMES,
            TIMES.filter(pl.col("USUBJID").str.starts_with("B")).with_columns(
                pl.col("USUBJID").str.replace("B", "C")
            ),
        ]
    )
    both = pl.concat([SUBJECTS, third])
    results = beside(["unstratified", "piecewise_hazard_ratio"], both, times, study, pieces_months=[1])
    assert results.select("analysis", "group", "level", "statistic").is_duplicated().sum() == 0
    for name in ("z", "hazard_ratio"):
        found = [number(results, name, f"{arm} vs A", "unstratified") for arm in "BC"]
        assert found[0] == found[1]
    events = [number(results, "events", arm, "piecewise_hazard_ratio | 0 to 1 months") for arm in "ABC"]
    assert events == [3, 1, 1]


def many(deaths_a: int, deaths_b: int, per_arm: int = 8):
    """Two sites; in LUNG so many die, in GEP all. ADSL and ADTTE."""
    people, times = [], []
    for site, (a, b) in {"LUNG": (deaths_a, deaths_b), "GEP": (per_arm, per_arm)}.items():
        for arm, deaths in (("A", a), ("B", b)):
            for i in range(per_arm):
                id_ = f"{site}{arm}{i}"
                people.append(f"{id_} | {arm} | {site}")
                day = 10 * i + (7 if arm == "B" else 4) + (i % 3) * (20 if arm == "B" else 8)
                times.append(f"{id_} | {day} | {0 if i < deaths else 1}")
    return {
        "ADSL": adsl("\n".join(["USUBJID | TRT01P | SITE1", *people])),
        "ADTTE": adtte("\n".join(["USUBJID | AVAL | CNSR", *times])),
    }


GROUPS = {"id": "G", "method": "subgroups", "population": "ITT", "endpoint": "OS", "factors": ["SITE1"]}


@pytest.mark.parametrize(
    ("deaths_a", "deaths_b", "said"),
    [
        (4, 8, "fewer than 5 events in arm A"),
        (8, 4, "fewer than 5 events in arm B"),
        (5, 5, ""),
    ],
)
def test_a_ratio_on_few_events_is_not_shown(deaths_a, deaths_b, said):
    results = run(with_analyses(small_study(), GROUPS), many(deaths_a, deaths_b))
    assert note(results, "hazard_ratio", "B vs A", "SITE1: LUNG") == said
    assert (number(results, "hazard_ratio", "B vs A", "SITE1: LUNG") is None) == bool(said)
    assert [number(results, "events", arm, "SITE1: LUNG") for arm in "AB"] == [deaths_a, deaths_b]
    assert number(results, "p_interaction", "B vs A", "SITE1") is not None


def test_a_level_without_events_in_an_arm_is_not_in_the_test_and_one_level_is_no_test():
    results = run(with_analyses(small_study(), GROUPS), many(0, 8))
    said = "fewer than two levels with events in both arms"
    assert note(results, "p_interaction", "B vs A", "SITE1") == said
    assert note(results, "hazard_ratio", "B vs A", "SITE1: LUNG") == "fewer than 5 events in arm A"
    assert note(results, "median", "A", "SITE1: LUNG") == "not reached"


def test_levels_without_patients_and_patients_without_a_level():
    adam = many(8, 8)
    adam["ADSL"] = adam["ADSL"].with_columns(SITE1=pl.when(pl.col("SITE1") == "GEP").then(pl.lit("GEP")))
    results = run(with_analyses(small_study(), GROUPS), adam)
    assert [number(results, "n", arm, "SITE1: LUNG", analysis="G") for arm in "AB"] == [0, 0]
    assert note(results, "hazard_ratio", "B vs A", "SITE1: LUNG") == "no patients in arm B"
    assert [number(results, "n", arm, "SITE1: missing", analysis="G") for arm in "AB"] == [8, 8]
    assert [number(results, "events", arm, "SITE1: missing") for arm in "AB"] == [8, 8]
    assert number(results, "n", "A", "all") == 16


def test_each_experimental_arm_has_its_subgroups():
    study = small_study()
    arms = (*study.arms, Arm(id="C", role="experimental", label={"en": "C"}))
    two = many(8, 8)
    third = pl.col("TRT01P") == "B"
    as_c = pl.col("USUBJID").str.replace("B", "C")
    adam = {
        "ADSL": pl.concat([two["ADSL"], two["ADSL"].filter(third).with_columns(as_c, TRT01P=pl.lit("C"))]),
        "ADTTE": pl.concat(
            [two["ADTTE"], two["ADTTE"].filter(pl.col("USUBJID").str.contains("B")).with_columns(as_c)]
        ),
    }
    results = run(with_analyses(study.model_copy(update={"arms": arms}), GROUPS), adam)
    assert results.select("analysis", "group", "level", "statistic").is_duplicated().sum() == 0
    for statistic, level in (("hazard_ratio", "SITE1: LUNG"), ("p_interaction", "SITE1")):
        b, c = (number(results, statistic, f"{arm} vs A", level) for arm in "BC")
        assert b == c is not None


def test_a_deterioration_family_is_asked_scale_by_scale():
    times = pl.concat([TIMES.with_columns(PARAMCD=pl.lit(code)) for code in ("TTDFA", "TTDPA")])
    results = beside(["logrank"], times=times, endpoint="TTD")
    found = [number(results, "z", "B vs A", "logrank", endpoint=code) for code in ("TTDFA", "TTDPA")]
    assert found[0] == found[1] is not None


@pytest.mark.parametrize(("includes", "expected"), [("lower", [0, 2]), ("upper", [1, 1])])
def test_the_edge_of_a_bin(includes, expected):
    from trialwright.study.model import BaselineCharacteristic

    age = BaselineCharacteristic.model_validate({"id": "AGE", "label": "Age", "kind": "number"})
    levels = [{"id": "young", "label": "young"}, {"id": "old", "label": "old"}]
    cut = {
        "id": "AGE65",
        "label": "Age",
        "variable": "AGE",
        "bins": [65],
        "includes": includes,
        "levels": levels,
    }
    study = small_study().model_copy(update={"baseline": (age,), "factors": (Factor.model_validate(cut),)})
    known = SUBJECTS.with_columns(AGE=pl.Series([65.0, 66, None, None, 64, 80, None, None]))
    asked = GROUPS | {"factors": ["AGE65"]}
    results = run(with_analyses(study, asked), {"ADSL": known, "ADTTE": TIMES})
    assert [number(results, "n", "A", f"AGE65: {level}") for level in ("young", "old")] == expected
    assert [number(results, "n", "B", f"AGE65: {level}") for level in ("young", "old")] == [1, 1]
    assert number(results, "n", "A", "AGE65: missing") == 2


DETERIORATION = adtte(
    """
    USUBJID | AVAL | CNSR | EVNTDESC      | CNSDTDSC
    A1      | 10   | 0    | DETERIORATION |    |
    A2      | 20   | 2    |               | DEATH BEFORE DETERIORATION
    A3      | 30   | 0    | DETERIORATION |    |
    A4      | 40   | 1    |               | LAST FORM WITHOUT DETERIORATION
    B1      | 25   | 2    |               | DEATH BEFORE DETERIORATION
    B2      | 50   | 1    |               | LAST FORM WITHOUT DETERIORATION
    B3      | 28   | 0    | DETERIORATION |    |
    B4      | 70   | 1    |               | LAST FORM WITHOUT DETERIORATION
    """,
    "TTDFA",
)
COMPETING = {
    "id": "C",
    "method": "competing_risks",
    "population": "ITT",
    "endpoint": "TTDFA",
    "landmarks_months": [0.8, 1, 3],
}


def test_death_before_deterioration_competes():
    """To day 30.4. A: 1/4, then one of the two left of four; B: one of the three left of four."""
    results = run(with_analyses(small_study(), COMPETING), {"ADSL": SUBJECTS, "ADTTE": DETERIORATION})
    for arm, counts in (("A", [4, 2, 1, 1]), ("B", [4, 1, 1, 2])):
        assert [number(results, s, arm) for s in ("n", "events", "competing", "censored")] == counts
    assert number(results, "incidence", "A", "1 months") == pytest.approx(1 / 4 + 1 / 2 * 1 / 2)
    assert number(results, "incidence_competing", "A", "1 months") == pytest.approx(1 / 4)
    assert number(results, "incidence", "B", "1 months") == pytest.approx(1 / 4)
    assert number(results, "incidence", "B", "0.8 months") == 0
    assert (
        note(results, "incidence_lower", "B", "0.8 months")
        == "the limits are not defined where the incidence is 0 or 1"
    )
    assert note(results, "incidence", "A", "3 months") == "nobody of arm A was followed to 3 months"
    assert number(results, "subdistribution_hazard_ratio", "B vs A") < 1
    assert number(results, "cause_specific_hazard_ratio", "B vs A") < 1


def test_the_cause_specific_ratio_is_cox_with_deaths_censored():
    plain = {"id": "P", "method": "time_to_event", "population": "ITT", "endpoint": "TTDFA"}
    results = run(with_analyses(small_study(), COMPETING, plain), {"ADSL": SUBJECTS, "ADTTE": DETERIORATION})
    for end in ("", "_lower", "_upper"):
        assert number(results, f"cause_specific_hazard_ratio{end}", "B vs A", analysis="C") == pytest.approx(
            number(results, f"hazard_ratio{end}", "B vs A", analysis="P")
        )


def test_competing_risks_without_the_event_or_without_an_arm():
    dead = DETERIORATION.filter(pl.col("CNSR") != 0)
    results = run(with_analyses(small_study(), COMPETING), {"ADSL": SUBJECTS, "ADTTE": dead})
    assert note(results, "p_gray", "B vs A") == "no events"
    assert note(results, "subdistribution_hazard_ratio", "B vs A") == "no events"
    assert [number(results, "n_missing", arm) for arm in "AB"] == [2, 1]
    only_b = SUBJECTS.filter(pl.col("TRT01P") == "B")
    results = run(with_analyses(small_study(), COMPETING), {"ADSL": only_b, "ADTTE": DETERIORATION})
    for statistic, group, level in (("p_gray", "B vs A", ""), ("incidence", "A", "1 months")):
        assert note(results, statistic, group, level) == "no patients in arm A"


def test_a_time_of_no_days_is_counted_but_not_weighted():
    at_once = DETERIORATION.with_columns(AVAL=pl.when(pl.col("USUBJID") == "A4").then(0.0).otherwise("AVAL"))
    results = run(with_analyses(small_study(), COMPETING), {"ADSL": SUBJECTS, "ADTTE": at_once})
    assert note(results, "p_subdistribution", "B vs A") == "a time of 0 days cannot be weighted"
    assert number(results, "p_gray", "B vs A") is not None
    assert number(results, "n", "A") == 4
