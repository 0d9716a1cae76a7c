"""Supporting analyses, subgroups and competing risks through the whole analysis: ADSL and ADTTE in, R's numbers out.

Program: tests/reference/r/analysis_supporting.R, output analysis_supporting.txt (versions in its first line).
Data: veteran (arm B is treatment 2, the strata are cell types) and mgus2 (arm B
are men, death competes with progression). Tolerance 1e-7 relative: both solve the same equations, R to 1e-12.
"""

import math

import numpy as np
import polars as pl
import pytest

from analysis_frames import adsl, number, with_analyses
from small import small_study
from stats_reference import data, numbers
from trialwright.analysis.run import run
from trialwright.stats.maxcombo import maxcombo, modestly_weighted
from trialwright.stats.penalised import firth_cox, profile_limits
from trialwright.stats.restricted import rmst_difference
from trialwright.study.model import BaselineCharacteristic, Factor

R = numbers("analysis_supporting.txt")
CLOSE = 1e-7
OS = {"population": "ITT", "endpoint": "OS", "strata": ["SITE1"]}
TESTS = [
    "logrank",
    "fleming_harrington_1_0",
    "unstratified",
    "adjusted",
    "proportional_hazards",
    "piecewise_hazard_ratio",
    "profile",
    "maxcombo",
    "modestly_weighted",
    "rmst",
    "firth",
]


def frames(time, happened, arm, stratum, more=None):
    """ADSL and ADTTE of arrays; ``happened``: 0 censored, 1 the event, 2 death."""
    ids = [f"P{i}" for i in range(len(time))]
    lines = [f"{i} | {'B' if a else 'A'} | S{int(s)}" for i, a, s in zip(ids, arm, stratum, strict=True)]
    people = adsl("\n".join(["USUBJID | TRT01P | SITE1", *lines])).with_columns(**(more or {}))
    kinds = {0: (1, None, "ALIVE"), 1: (0, "PROGRESSION", None), 2: (0, "DEATH", None)}
    found = [kinds[int(k)] for k in happened]
    times = pl.DataFrame(
        {
            "USUBJID": ids,
            "PARAMCD": "OS",
            "AVAL": np.asarray(time, dtype=float),
            "CNSR": [k[0] for k in found],
            "EVNTDESC": [k[1] for k in found],
            "CNSDTDSC": [k[2] for k in found],
        },
        schema_overrides={"EVNTDESC": pl.String, "CNSDTDSC": pl.String},
    )
    return {"ADSL": people.reverse(), "ADTTE": times}


@pytest.fixture(scope="module")
def veteran():
    v = data("veteran")
    study = small_study()
    study = study.model_copy(
        update={
            "baseline": (
                BaselineCharacteristic.model_validate(
                    {"id": "KARNO", "label": "Karnofsky", "kind": "number"}
                ),
            ),
            "factors": (
                Factor.model_validate(
                    {
                        "id": "FIT",
                        "label": "Fit",
                        "variable": "KARNO",
                        "bins": [60],
                        "levels": [{"id": "<60", "label": "no"}, {"id": ">=60", "label": "yes"}],
                    }
                ),
            ),
        }
    )
    study = with_analyses(
        study,
        OS | {"id": "S", "method": "supporting", "tests": TESTS, "covariates": ["SITE1", "KARNO"]}
        | {"pieces_months": [1, 3], "weights_until_months": 3, "rmst_months": [3]},
        OS | {"id": "G", "method": "subgroups", "factors": ["SITE1", "FIT"]},
    )  # fmt: skip
    adam = frames(v["time"], v["event"], v["group"], v["stratum"], {"KARNO": pl.Series(v["x"])})
    return run(study, adam)


def hazard(results, level, p="p_wald", **address):
    names = ("hazard_ratio", "hazard_ratio_lower", "hazard_ratio_upper", *([p] if p else []))
    return [number(results, name, "B vs A", level, **address) for name in names]


@pytest.mark.parametrize("word", ["unstratified", "adjusted"])
def test_hazard_ratios_beside_the_main_one(veteran, word):
    assert hazard(veteran, word, analysis="S") == pytest.approx(R[word], rel=CLOSE)


@pytest.mark.parametrize("word", ["logrank", "fleming_harrington_1_0", "unstratified"])
def test_tests_of_the_log_rank_family(veteran, word):
    z = number(veteran, "z", "B vs A", word, analysis="S")
    assert z**2 == pytest.approx(R[f"{word}.chi2"][0], rel=CLOSE)
    assert number(veteran, "p_value", "B vs A", word, analysis="S") == pytest.approx(
        math.erfc(abs(z) / math.sqrt(2))
    )


def test_proportional_hazards(veteran):
    found = number(veteran, "chi2", "B vs A", "proportional_hazards", analysis="S")
    assert found == pytest.approx(R["proportional_hazards.chi2"][0], rel=CLOSE)


@pytest.mark.parametrize(
    ("piece", "words"), [(1, "0 to 1 months"), (2, "1 to 3 months"), (3, "after 3 months")]
)
def test_pieces_of_time(veteran, piece, words):
    level = f"piecewise_hazard_ratio | {words}"
    assert hazard(veteran, level, analysis="S") == pytest.approx(R[f"piece.{piece}"], rel=CLOSE)


def test_the_others_are_their_estimators_in_the_strata(veteran):
    """Those have numbers of R of their own; here only that time, event, arm and strata reach them."""
    v = data("veteran")
    sides, day = (v["time"], v["event"], v["group"]), 3 * 30.4375
    best, modest = maxcombo(*sides, v["stratum"]), modestly_weighted(*sides, day, v["stratum"])
    means, firth = rmst_difference(*sides, day, strata=v["stratum"]), firth_cox(*sides, v["stratum"])
    ends = profile_limits(*sides, v["stratum"])
    expected = {
        ("maxcombo", "z"): best.z_min,
        ("maxcombo", "p_value"): best.p_value,
        ("modestly_weighted", "z"): modest.z,
        ("rmst | 3 months", "rmst_difference"): means.difference.estimate,
        ("rmst | 3 months", "rmst_difference_upper"): means.difference.upper,
        ("rmst | 3 months", "p_value"): means.difference.p_value,
        ("rmst | 3 months", "rmst_ratio_lower"): means.ratio.lower,
        ("firth", "hazard_ratio"): firth.hazard_ratio[0],
        ("firth", "hazard_ratio_lower"): firth.lower[0],
        ("firth", "p_lrt"): firth.p_value[0],
        ("profile", "hazard_ratio_lower"): ends.lower[0],
        ("profile", "hazard_ratio_upper"): ends.upper[0],
    }
    found = {(level, s): number(veteran, s, "B vs A", level, analysis="S") for level, s in expected}
    assert found == pytest.approx(expected, rel=1e-9)


def test_every_event_is_in_one_piece(veteran):
    pieces = ["0 to 1 months", "1 to 3 months", "after 3 months"]
    for arm in "AB":
        events = [
            number(veteran, "events", arm, f"piecewise_hazard_ratio | {p}", analysis="S") for p in pieces
        ]
        assert sum(events) == number(veteran, "events", arm, "all", analysis="G")


@pytest.mark.parametrize("cell", [1, 2, 3, 4])
def test_subgroups_of_a_stratum(veteran, cell):
    found = hazard(veteran, f"SITE1: S{cell}", None, analysis="G")
    assert found == pytest.approx(R[f"cell.{cell}"][:3], rel=CLOSE)


@pytest.mark.parametrize(("level", "key"), [("<60", "fit.FALSE"), (">=60", "fit.TRUE")])
def test_subgroups_of_a_number_cut(veteran, level, key):
    assert hazard(veteran, f"FIT: {level}", None, analysis="G") == pytest.approx(R[key][:3], rel=CLOSE)


def test_the_ratio_of_everybody_is_the_unstratified_one(veteran):
    assert hazard(veteran, "all", None, analysis="G") == pytest.approx(R["unstratified"][:3], rel=CLOSE)


@pytest.mark.parametrize(("factor", "key"), [("SITE1", "cell.interaction"), ("FIT", "fit.interaction")])
def test_interaction(veteran, factor, key):
    names = ("chi2_interaction", "df_interaction", "p_interaction")
    found = [number(veteran, name, "B vs A", factor, analysis="G") for name in names]
    assert found == pytest.approx(R[key], rel=CLOSE)


@pytest.fixture(scope="module")
def mgus2():
    m = data("mgus2")
    keep = m["etime"] > 0
    time, why, man, age = m["etime"][keep], m["why"][keep], (m["sex"] == "M")[keep], m["age"][keep]
    months = 120 / 30.4375  # the data are in months already: 120 of them
    common = {
        "method": "competing_risks",
        "population": "ITT",
        "endpoint": "PFS",
        "landmarks_months": [months],
    }
    study = with_analyses(
        small_study(), common | {"id": "PLAIN"}, common | {"id": "STRATA", "strata": ["SITE1"]}
    )
    adam = frames(time, why, man, age >= 70)
    adam["ADTTE"] = adam["ADTTE"].with_columns(PARAMCD=pl.lit("PFS"))
    return run(study, adam)


@pytest.mark.parametrize(("analysis", "key"), [("PLAIN", "gray"), ("STRATA", "gray.stratified")])
def test_gray(mgus2, analysis, key):
    found = [number(mgus2, name, "B vs A", analysis=analysis) for name in ("chi2_gray", "p_gray")]
    assert found == pytest.approx(R[key], rel=CLOSE)


@pytest.mark.parametrize(("arm", "key"), [("A", "incidence.0"), ("B", "incidence.1")])
def test_incidences(mgus2, arm, key):
    level = f"{120 / 30.4375:g} months"
    names = ("incidence", "incidence_competing")
    found = [number(mgus2, name, arm, level, analysis="PLAIN") for name in names]
    assert found == pytest.approx(R[key], rel=CLOSE)


def test_both_hazard_ratios(mgus2):
    for analysis in ("PLAIN", "STRATA"):
        names = [f"subdistribution_hazard_ratio{end}" for end in ("", "_lower", "_upper")]
        found = [number(mgus2, name, "B vs A", analysis=analysis) for name in names]
        assert found == pytest.approx(R["subdistribution"], rel=CLOSE)
    names = [*(f"cause_specific_hazard_ratio{end}" for end in ("", "_lower", "_upper")), "p_cause_specific"]
    found = [number(mgus2, name, "B vs A", analysis="STRATA") for name in names]
    assert found == pytest.approx(R["cause_specific"], rel=CLOSE)
