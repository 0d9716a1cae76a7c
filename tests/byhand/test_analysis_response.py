"""Response in sixteen patients of two strata, worked on paper.

LUNG: A 1 of 4, B 3 of 4.  GEP: A 1 of 3 (one without a record), B 2 of 5.
"""

import math

import polars as pl
import pytest

from analysis_frames import adsl, note, number, rows, with_analyses
from drawn import table
from small import small_study
from trialwright.analysis.run import run

CELLS = {
    ("A", "LUNG"): "PR SD PD NE",
    ("B", "LUNG"): "CR PR PR SD",
    ("A", "GEP"): "PR SD -",
    ("B", "GEP"): "PR PR SD PD NE",
}
ORR = {"id": "ORR", "method": "proportion", "population": "ITT", "endpoint": "ORR"}


def drawn() -> tuple[pl.DataFrame, pl.DataFrame]:
    subjects, records = ["USUBJID | TRT01P | SITE1"], ["USUBJID | PARQUAL | PARAMCD | AVALC | RULE | NOTE"]
    for (arm, site), bests in CELLS.items():
        for i, best in enumerate(bests.split()):
            subjects.append(f"{arm}{site}{i} | {arm} | {site}")
            if best != "-":
                answer = "Y" if best in ("CR", "PR") else "N"
                records.append(
                    f"{arm}{site}{i} | INV | ORR | {answer} | no_assessment | best response {best}"
                )
                records.append(f"{arm}{site}{i} | IRC | ORR | Y | x | best response CR")
                records.append(f"{arm}{site}{i} | INV | BORC | {best} | | |")
    return adsl("\n".join(subjects)), table("\n".join(records))


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    subjects, records = drawn()
    study = with_analyses(small_study(), ORR | {"strata": ["SITE1"]}, ORR | {"id": "ORR-PLAIN"})
    return run(study, {"ADSL": subjects, "ADRS": records})


def test_everybody_is_in_the_denominator(results):
    assert [number(results, s, "A", analysis="ORR") for s in ("x", "n")] == [2, 7]
    assert [number(results, s, "B", analysis="ORR") for s in ("x", "n")] == [5, 9]
    assert number(results, "proportion", "A", analysis="ORR") == pytest.approx(2 / 7)
    assert number(results, "n_missing", "A", analysis="ORR") == 1
    assert "not responding" in note(results, "n_missing", "A", analysis="ORR")


def test_clopper_pearson_by_its_equation(results):
    """At the lower limit 5 or more of 9 have probability 0.025; at the upper, 5 or fewer."""

    def tail(p: float, ks: range) -> float:
        return sum(math.comb(9, k) * p**k * (1 - p) ** (9 - k) for k in ks)

    lower = number(results, "proportion_lower", "B", analysis="ORR")
    upper = number(results, "proportion_upper", "B", analysis="ORR")
    assert tail(lower, range(5, 10)) == pytest.approx(0.025)
    assert tail(upper, range(6)) == pytest.approx(0.025)


def test_the_difference_is_not_stratified(results):
    assert number(results, "difference", "B vs A", analysis="ORR") == pytest.approx(5 / 9 - 2 / 7)
    assert note(results, "difference", "B vs A", analysis="ORR") == "not stratified"
    lower, upper = (
        number(results, f"difference_{end}", "B vs A", analysis="ORR") for end in ("lower", "upper")
    )
    assert lower < 5 / 9 - 2 / 7 < upper


def test_cochran_mantel_haenszel_by_hand(results):
    """LUNG: x1 3, expected 4*4/8 = 2, variance 4*4*4*4/(64*7).  GEP: x1 2, expected 5*3/8, variance 5*3*3*5/(64*7)."""
    surplus = (3 - 2) + (2 - 15 / 8)
    chi2 = surplus**2 / (256 / 448 + 225 / 448)
    assert number(results, "p_cmh", "B vs A", analysis="ORR") == pytest.approx(math.erfc(math.sqrt(chi2 / 2)))
    assert "expected count is under 5" in note(results, "p_cmh", "B vs A", analysis="ORR")
    # LUNG ad/n = 3*3/8, bc/n = 1*1/8; GEP ad/n = 2*2/8, bc/n = 3*1/8
    assert number(results, "odds_ratio", "B vs A", analysis="ORR") == pytest.approx(
        (9 / 8 + 4 / 8) / (1 / 8 + 3 / 8)
    )
    # without strata: 5*5 / (4*2)
    assert number(results, "odds_ratio", "B vs A", analysis="ORR-PLAIN") == pytest.approx(25 / 8)
    assert note(results, "strata", "B vs A", analysis="ORR") == "stratified by SITE1: GEP, LUNG"


def test_the_difference_over_the_strata_by_hand(results):
    """Weights 4*4/8 and 5*3/8; differences 3/4 - 1/4 and 2/5 - 1/3."""
    by_hand = (2 * 1 / 2 + 15 / 8 * 1 / 15) / (2 + 15 / 8)
    assert number(results, "difference_stratified", "B vs A", analysis="ORR") == pytest.approx(by_hand)
    lower, upper = (
        number(results, f"difference_stratified_{end}", "B vs A", analysis="ORR")
        for end in ("lower", "upper")
    )
    assert lower < by_hand < upper
    assert rows(results, statistic="difference_stratified", analysis="ORR-PLAIN").is_empty()


def test_the_exact_test_by_hand(results):
    """All tables with 4 responders in LUNG (4 and 4 patients) and 3 in GEP (5 and 3), as rare as that seen."""
    lung = {x: math.comb(4, x) * math.comb(4, 4 - x) / math.comb(8, 4) for x in range(5)}
    gep = {x: math.comb(5, x) * math.comb(3, 3 - x) / math.comb(8, 3) for x in range(4)}
    sums = {
        total: sum(p * q for x, p in lung.items() for y, q in gep.items() if x + y == total)
        for total in range(8)
    }
    p = sum(chance for chance in sums.values() if chance <= sums[5] * (1 + 1e-9))
    assert number(results, "p_exact", "B vs A", analysis="ORR") == pytest.approx(p)


def test_best_responses_add_up_to_everybody(results):
    level = "best response: "
    found = {
        b: number(results, "n_best", "A", level + b, analysis="ORR") for b in ("CR", "PR", "SD", "PD", "NE")
    }
    assert found == {"CR": 0, "PR": 2, "SD": 2, "PD": 1, "NE": 1}
    assert number(results, "n_best", "A", level + "no record", analysis="ORR") == 1
    assert number(results, "n_best", "B", level + "NON-CR/NON-PD", analysis="ORR") == 0
    assert number(results, "n_best", "B", level + "NE: no assessment", analysis="ORR") == 1


def test_nobody_read_by_the_studys_assessor_is_not_a_rate_of_zero():
    subjects, records = drawn()
    others = records.filter(pl.col("PARQUAL") == "IRC")
    found = rows(run(with_analyses(small_study(), ORR), {"ADSL": subjects, "ADRS": others}), analysis="ORR")
    assert found.select("statistic", "value", "note").rows() == [
        ("proportion", None, "ADRS has no ORR by INV")
    ]


def test_an_empty_arm_and_nobody_responding():
    subjects, records = drawn()
    only_a = subjects.filter(pl.col("TRT01P") == "A")
    nobody = records.with_columns(AVALC=pl.lit("N"))
    found = rows(run(with_analyses(small_study(), ORR), {"ADSL": only_a, "ADRS": nobody}), analysis="ORR")
    assert number(found, "proportion", "A") == 0
    assert number(found, "proportion_lower", "A") == 0
    for statistic, group in (
        ("proportion", "B"),
        ("difference", "B vs A"),
        ("p_cmh", "B vs A"),
        ("odds_ratio", "B vs A"),
    ):
        assert note(found, statistic, group) == "no patients in arm B"
    both = rows(run(with_analyses(small_study(), ORR), {"ADSL": subjects, "ADRS": nobody}), analysis="ORR")
    assert number(both, "difference", "B vs A") == 0
    assert note(both, "p_cmh", "B vs A") == "everybody in each stratum had the same outcome"
