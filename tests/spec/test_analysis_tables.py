"""Exposure, laboratory, baseline and flow: small tables in, rows out."""

import datetime as dt

import polars as pl
import pytest

from analysis_frames import adsl, note, number, rows, with_analyses
from drawn import table
from small import small_study
from trialwright.analysis.run import run

FIVE = adsl(
    """
    USUBJID | TRT01P
    a1      | A
    a2      | A
    b1      | B
    b2      | B
    b3      | B
    """
)


def one(study_analysis: dict, **adam: pl.DataFrame) -> pl.DataFrame:
    study = with_analyses(small_study(), study_analysis)
    return rows(run(study, {"ADSL": FIVE, **adam}), analysis=study_analysis["id"])


# ---- exposure


EXPOSURE = {"id": "EX", "method": "exposure", "population": "SAFETY"}
ADEX = table(
    """
    USUBJID | PARAMCD  | PARCAT1 | AVAL | AVALC      | AVALU | RULE
    a1      | NDOSE    |         | 4    |            | DOSES |
    a2      | NDOSE    |         | 6    |            | DOSES |
    b1      | NDOSE    |         | 1    |            | DOSES |
    b2      | NDOSE    |         | 2    |            | DOSES |
    b3      | NDOSE    |         | 6    |            | DOSES |
    b1      | DOSE     | TARLA   | 1    |            | mg    |
    b1      | FDOSE    |         |      | 2027-01-01 |       |
    b1      | CUMDOSE  | TARLA   | 1    |            | mg    |
    b2      | CUMDOSE  | TARLA   | 11   |            | mg    |
    a1      | CUMDOSE  | DOCE    | 150  |            | mg    |
    a2      | CUMDOSE  | DOCE    | 75   |            | mg/m2 |
    b1      | STEPUPFL | TARLA   |      | Y          |       |
    b2      | STEPUPFL | TARLA   |      | Y          |       |
    b3      | STEPUPFL | TARLA   |      | N          |       |
    a1      | RDI      | DOCE    |      |            |       | no plan
    """.replace("|\n", "| |\n")
).with_columns(pl.col("AVAL").cast(pl.Float64))


def test_exposure_is_described_by_arm_and_drug():
    found = one(EXPOSURE, ADEX=ADEX)
    names = ("n", "mean", "median", "min", "max")
    assert [number(found, s, "B", "NDOSE") for s in names] == [3, 3, 2, 1, 6]
    assert note(found, "median", "B", "NDOSE") == "DOSES"
    assert number(found, "mean", "B", "CUMDOSE: TARLA") == 6
    assert rows(found, group="A", level="CUMDOSE: TARLA").is_empty()
    assert not rows(found, level="DOSE: TARLA").height + rows(found, level="FDOSE").height


def test_amounts_in_two_units_are_never_put_together():
    found = one(EXPOSURE, ADEX=ADEX)
    assert number(found, "mean", "A", "CUMDOSE: DOCE (mg)") == 150
    assert number(found, "mean", "A", "CUMDOSE: DOCE (mg/m2)") == 75


def test_words_are_counted_and_what_has_no_value_says_why():
    found = one(EXPOSURE, ADEX=ADEX)
    assert number(found, "n", "B", "STEPUPFL: TARLA = Y") == 2
    assert number(found, "percent", "B", "STEPUPFL: TARLA = Y") == pytest.approx(200 / 3)
    assert number(found, "n", "B", "STEPUPFL: TARLA = N") == 1
    assert (number(found, "n_missing", "A", "RDI: DOCE"), note(found, "n_missing", "A", "RDI: DOCE")) == (
        1,
        "no plan",
    )


# ---- laboratory


LABORATORY = {"id": "LB", "method": "laboratory", "population": "SAFETY"}
ADLB = table(
    """
    USUBJID | PARAMCD | AVAL | ABLFL | ONTRTFL | BTOXGRH | ATOXGRH | WORSTHFL | RULE
    a1      | ALT     | 20   | Y     |         | 0       | 0       |          |
    a1      | ALT     | 50   |       | Y       | 0       | 1       |          |
    a1      | ALT     | 300  |       | Y       | 0       | 3       | Y        |
    a2      | ALT     | 60   |       | Y       |         | 1       | Y        |
    b1      | ALT     | 25   | Y     |         | 0       | 0       |          |
    b1      | ALT     | 22   |       | Y       | 0       | 0       | Y        |
    b2      | ALT     | 30   | Y     |         | 0       | 0       |          |
    b2      | SODIUM  | 140  |       | Y       |         |         |          | no limits
    """.replace("|\n", "| |\n")
).with_columns(
    pl.col("AVAL").cast(pl.Float64),
    pl.col("BTOXGRH", "ATOXGRH").cast(pl.Int8),
    AVALU=pl.lit("U/L"),
    ADT=pl.lit(dt.date(2027, 2, 1)) + pl.duration(days=pl.int_range(pl.len())),
    ANRHI=pl.lit(40.0),
    AEFL=pl.when(pl.col("ATOXGRH") >= 3).then(pl.lit("N")),
    BTOXGRL=pl.lit(None, pl.Int8),
    ATOXGRL=pl.lit(None, pl.Int8),
    WORSTLFL=pl.lit(None, pl.String),
)


def test_worst_grade_and_shift():
    found = one(LABORATORY, ADLB=ADLB)
    assert [number(found, f"n_grade_{k}", "A", "ALT high") for k in range(5)] == [0, 1, 0, 1, 0]
    assert number(found, "n", "A", "ALT high") == 2
    assert number(found, "n", "B", "ALT high") == 1  # b2 has no value on treatment, b3 none at all
    assert number(found, "percent_grade>=3", "A", "ALT high") == 50
    assert number(found, "percent_grade>=3", "B", "ALT high") == 0
    shifts = {
        level: number(found, "n", "A", f"ALT high: {level}") for level in ("0 -> 3", "missing -> 1", "0 -> 0")
    }
    assert shifts == {"0 -> 3": 1, "missing -> 1": 1, "0 -> 0": 0}
    assert number(found, "n", "B", "ALT high: 0 -> 0") == 1


def test_severe_values_without_an_event_near_them():
    """a1's ALT of 300 is told by nobody; where an event is near, nobody is counted."""
    level = "ALT high: grade>=3 without an event"
    found = one(LABORATORY, ADLB=ADLB)
    assert [number(found, "n", group, level) for group in ("A", "B")] == [1, 0]
    assert number(found, "percent", "A", level) == 50
    told = one(LABORATORY, ADLB=ADLB.with_columns(AEFL=pl.col("AEFL").str.replace("N", "Y")))
    assert number(told, "n", "A", level) == 0


LIVER = table(
    """
    USUBJID | PARAMCD | day        | AVAL | ANRHI
    a1      | ALT     | 2027-02-01 | 120  | 40
    a1      | BILI    | 2027-03-03 | 40   | 20
    a1      | ALP     | 2027-03-03 | 100  | 120
    a2      | AST     | 2027-02-01 | 119  | 40
    a2      | BILI    | 2027-02-01 | 40   | 20
    b1      | ALT     | 2027-02-01 | 120  | 40
    b1      | BILI    | 2027-03-04 | 40   | 20
    b2      | ALT     | 2027-02-01 | 120  | 40
    """
)


def test_hys_law_and_the_zones_of_the_peaks():
    """3 x and 2 x ULN, at most 30 days apart: a1. b1's lie 31 days apart, though in the zone; b2 and b3 lack
    bilirubin."""
    values = LIVER.with_columns(
        pl.col("AVAL", "ANRHI").cast(pl.Float64),
        ADT="day",
        ONTRTFL=pl.lit("Y"),
        **{
            name: pl.lit(None, pl.String)
            for name in ("ABLFL", "AEFL", "RULE", "WORSTLFL", "WORSTHFL", "AVALU")
        },
        **{name: pl.lit(None, pl.Int8) for name in ("BTOXGRL", "BTOXGRH", "ATOXGRL", "ATOXGRH")},
    )
    found = one(LABORATORY, ADLB=values)
    by = {level: [number(found, "n", g, level) for g in ("A", "B")] for level in found["level"].unique()
          if level.startswith(("Hy's", "eDISH"))}  # fmt: skip
    assert by == {
        "Hy's law": [1, 0],
        "Hy's law, alkaline phosphatase below 2 x ULN": [1, 0],
        "eDISH: Hy's law range": [1, 1],
        "eDISH: hyperbilirubinaemia": [1, 0],
        "eDISH: not measured": [0, 2],
    }


def test_values_in_their_unit():
    found = one(LABORATORY, ADLB=ADLB)
    assert number(found, "median", "A", "ALT highest") == 180
    assert number(found, "median", "A", "ALT lowest") == 55
    assert number(found, "n", "B", "ALT baseline") == 2
    assert note(found, "median", "B", "ALT baseline") == "U/L"


def test_a_test_without_grades_says_why():
    found = one(LABORATORY, ADLB=ADLB)
    assert (number(found, "n_graded", level="SODIUM"), note(found, "n_graded", level="SODIUM")) == (
        0,
        "no limits",
    )
    assert rows(found, level="SODIUM high").is_empty()


# ---- baseline


def test_baseline_counts_against_the_column_and_shows_the_missing():
    study = small_study(
        baseline=[
            {"id": "AGE", "label": "Age", "kind": "number"},
            {
                "id": "SEX",
                "label": "Sex",
                "kind": "category",
                "levels": [{"id": "F", "label": "F"}, {"id": "M", "label": "M"}],
            },
        ]
    )
    people = adsl(
        """
        USUBJID | TRT01P | AGE | SEX | SITE1
        a1      | A      | 50  | F   | LUNG
        a2      | A      | 70  |     | LUNG
        b1      | B      | 61  | F   | GEP
        b2      | B      |     | U   | LUNG
        b3      | B      | 64  | F   | LUNG
        s1      |        | 99  | M   | GEP
        """
    ).with_columns(pl.col("AGE").cast(pl.Float64))
    found = rows(run(study, {"ADSL": people}), analysis="BASELINE")
    assert [number(found, "n", g, "population") for g in ("A", "B", "Total")] == [2, 3, 5]
    assert [number(found, s, "A", "AGE") for s in ("n", "mean", "min", "max", "missing")] == [
        2,
        60,
        50,
        70,
        0,
    ]
    assert [number(found, s, "Total", "AGE") for s in ("n", "median", "missing")] == [4, 62.5, 1]
    assert number(found, "percent", "A", "SEX: F") == 50  # of two, not of the one known
    assert number(found, "missing", "A", "SEX") == 1
    assert number(found, "n", "A", "SEX: M") == 0
    assert number(found, "n", "B", "SEX: U") == 1  # not a level of the study, and yet not lost
    assert number(found, "percent", "Total", "SITE1: LUNG") == 80
    assert rows(found, level="SEX: M", group="Total")["value"].to_list() == [0, 0]


# ---- flow


@pytest.fixture(scope="module")
def flow() -> pl.DataFrame:
    people = adsl(
        """
        USUBJID | TRT01P | TRT01A | ITTFL | SCRNFL | RANDDT     | TRTSDT     | EOTDT      | EOTREAS   | EOSDT      | EOSREAS           | NTRTREAS | SCRFREAS
        1       | A      | A      | Y     | Y      | 2027-01-01 | 2027-01-02 | 2027-05-01 | COMPLETED |            |                   |          |
        2       | A      |        | Y     | Y      | 2027-01-01 |            |            |           | 2027-01-09 | WITHDRAWAL        | REFUSED  |
        3       | B      | B      | Y     | Y      | 2027-01-01 | 2027-01-02 |            |           |            |                   |          |
        4       | B      | B      | Y     | Y      | 2027-01-01 | 2027-01-02 | 2027-03-01 |           | 2027-06-01 | DEATH             |          |
        5       | B      | A      | N     | Y      | 2027-01-01 | 2027-01-02 | 2027-03-01 | TOXICITY  | 2027-06-01 | LOST TO FOLLOW-UP |          |
        6       |        |        | N     | Y      |            |            |            |           |            |                   |          | DLL3 < 1 %
        7       |        |        | N     | Y      |            |            |            |           |            |                   |          |
        """.replace("|\n", "| |\n")
    )
    return rows(run(small_study(), {"ADSL": people}), analysis="FLOW")


def test_the_boxes_of_the_flow(flow):
    wanted = {
        "assessed": (2, 3, 7),
        "excluded": (0, 0, 2),
        "excluded: DLL3 < 1 %": (0, 0, 1),
        "excluded: no reason given": (0, 0, 1),
        "randomised": (2, 3, 5),
        "treated": (1, 3, 4),
        "treated with another arm": (0, 1, 1),
        "treated with another arm: A": (0, 1, 1),
        "not treated": (1, 0, 1),
        "not treated: REFUSED": (1, 0, 1),
        "treatment ongoing": (0, 1, 1),
        "completed treatment": (1, 0, 1),
        "discontinued treatment": (0, 2, 2),
        "discontinued treatment: no reason given": (0, 1, 1),  # the later death is not taken for it
        "discontinued treatment: TOXICITY": (0, 1, 1),
        "study ongoing": (1, 1, 2),
        "discontinued study": (1, 2, 3),
        "discontinued study: LOST TO FOLLOW-UP": (0, 1, 1),
        "analysed": (2, 2, 4),
        "not analysed": (0, 1, 1),
        "population: SAFETY": (2, 2, 4),  # as treated,
    }
    found = {level: tuple(number(flow, "n", g, level) for g in ("A", "B", "Total")) for level in wanted}
    assert found == wanted
    screened = flow.filter(pl.col("level") == "population: SCREENED").select("group", "value").rows()
    assert screened == [("Total", 7.0)]  # most of the screened have no arm


def test_the_dead_are_not_in_the_study_though_nobody_wrote_its_end():
    dead = adsl(
        """
        USUBJID | TRT01P | RANDDT     | TRTSDT     | DTHDT      | DTHFL
        1       | A      | 2027-01-01 | 2027-01-02 | 2027-03-01 | Y
        2       | A      | 2027-01-01 | 2027-01-02 |            | N
        """
    )
    found = run(small_study(), {"ADSL": dead})
    assert number(found, "n", "A", "study ongoing", analysis="FLOW") == 1
    assert number(found, "n", "A", "discontinued study: DEATH", analysis="FLOW") == 1
    assert number(found, "n", "A", "treatment ongoing", analysis="FLOW") == 1
    assert number(found, "n", "A", "discontinued treatment: no reason given", analysis="FLOW") == 1


@pytest.mark.parametrize("group", ["A", "B", "Total"])
def test_the_flow_adds_up(flow, group):
    boxes = flow.filter(~pl.col("level").str.starts_with("population: "))["level"].unique()
    n = {level: number(flow, "n", group, level) for level in boxes}
    assert n["assessed"] == n["excluded"] + n["randomised"]
    assert n["randomised"] == n["treated"] + n["not treated"] == n["analysed"] + n["not analysed"]
    assert n["treated"] == n["treatment ongoing"] + n["completed treatment"] + n["discontinued treatment"]
    assert n["randomised"] == n["study ongoing"] + n["completed study"] + n["discontinued study"]
    for box in ("excluded", "not treated", "discontinued treatment", "discontinued study"):
        assert n[box] == sum(v for level, v in n.items() if level.startswith(f"{box}: "))
