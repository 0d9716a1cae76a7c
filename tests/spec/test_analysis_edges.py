"""What an analysis says when the data are thin: a row with a reason, never a blank and never a crash."""

import typing

import polars as pl
import pytest

from analysis_frames import adsl, adtte, note, number, rows, with_analyses
from small import small_study
from trialwright.analysis.run import METHODS, run
from trialwright.standards import results as results_rows
from trialwright.study import words
from trialwright.study.model import Arm

OS = {
    "id": "OS",
    "method": "time_to_event",
    "population": "ITT",
    "endpoint": "OS",
    "landmarks_months": [1],
    "rmst_months": [1],
}
FOUR = adsl(
    """
    USUBJID | TRT01P
    1       | A
    2       | A
    3       | B
    4       | B
    """
)


def test_every_method_word_has_one_implementation():
    assert set(METHODS) == set(typing.get_args(words.Method))


def test_an_analysis_may_take_the_reading_of_another_assessor():
    """ADTTE holds the study's own reading; the others stand in ADTTEA, and one is taken where it is named."""
    pfs = OS | {"id": "PFS", "endpoint": "PFS"}
    study = with_analyses(small_study(), pfs, pfs | {"id": "PFS.IRC", "assessor": "IRC"})
    own = adtte("USUBJID | AVAL | CNSR\n1 | 10 | 0\n2 | 20 | 0\n3 | 30 | 0\n4 | 40 | 1", "PFS")
    other = own.with_columns(PARQUAL=pl.lit("IRC"), CNSR=1)
    both = pl.concat([other, other.with_columns(PARQUAL=pl.lit("IRC2"), AVAL=pl.lit(1.0))])
    found = run(study, {"ADSL": FOUR, "ADTTE": own, "ADTTEA": both})
    assert number(found, "events", "Total", analysis="PFS") == 3
    assert number(found, "n", "Total", analysis="PFS.IRC") == 4
    assert number(found, "events", "Total", analysis="PFS.IRC") == 0
    without = rows(run(study, {"ADSL": FOUR, "ADTTE": own}), analysis="PFS.IRC")
    assert without.select("statistic", "note").rows() == [("n", "ADTTE has no rows as IRC read it")]


@pytest.mark.parametrize("method", typing.get_args(words.Method))
def test_an_absent_or_empty_dataset_is_a_row(method: str):
    one = {"id": "X", "method": method, "population": "ITT", "endpoint": "OS"}
    study = with_analyses(small_study(), one)
    dataset = METHODS[method].dataset
    absent = rows(run(study, {"ADSL": FOUR}), analysis="X")
    assert absent.select("endpoint", "population", "statistic", "value", "note").rows() == [
        ("OS", "ITT", "n", None, f"{dataset} is absent")
    ]
    empty = rows(run(study, {"ADSL": FOUR, dataset: pl.DataFrame()}), analysis="X")
    assert empty["note"].to_list() == [f"{dataset} has no rows"]


def test_without_adsl_every_analysis_says_so():
    found = run(with_analyses(small_study(), OS), {})
    assert found.select("analysis", "note").rows() == [
        ("OS", "ADSL is absent"),
        ("BASELINE", "ADSL is absent"),
        ("FLOW", "ADSL is absent"),
    ]


def test_an_empty_arm():
    only_b = FOUR.filter(pl.col("TRT01P") == "B")
    times = adtte(
        """
        USUBJID | AVAL | CNSR
        3       | 40   | 0
        4       | 50   | 1
        """
    )
    found = run(with_analyses(small_study(), OS), {"ADSL": only_b, "ADTTE": times})
    assert number(found, "n", "A", analysis="OS") == 0
    assert number(found, "events", "A", analysis="OS") == 0
    assert number(found, "median", "B") == 45  # one half on the whole of [40, 50]
    for statistic, group, level in (
        ("median", "A", ""),
        ("survival", "A", "1 months"),
        ("rmst", "A", "1 months"),
        ("hazard_ratio", "B vs A", ""),
        ("p_logrank", "B vs A", ""),
        ("survival_difference", "B vs A", "1 months"),
        ("rmst_difference", "B vs A", "1 months"),
        ("median_difference", "B vs A", ""),
    ):
        assert number(found, statistic, group, level, analysis="OS") is None
        assert note(found, statistic, group, level, analysis="OS") == "no patients in arm A"


def test_nobody_had_the_event():
    times = adtte(
        """
        USUBJID | AVAL | CNSR
        1       | 40   | 1
        2       | 50   | 1
        3       | 60   | 1
        4       | 70   | 1
        """
    )
    found = run(with_analyses(small_study(), OS), {"ADSL": FOUR, "ADTTE": times})
    assert note(found, "median", "A") == "not reached"
    assert number(found, "survival", "A", "1 months") == 1
    words = "the limits are not defined where the curve is at 1 or 0"
    assert note(found, "survival_lower", "A", "1 months") == words
    assert note(found, "hazard_ratio", "B vs A") == note(found, "p_logrank", "B vs A") == "no events"


def test_nobody_in_one_arm_had_the_event():
    times = adtte(
        """
        USUBJID | AVAL | CNSR
        1       | 40   | 0
        2       | 50   | 0
        3       | 60   | 1
        4       | 70   | 1
        """
    )
    found = run(with_analyses(small_study(), OS), {"ADSL": FOUR, "ADTTE": times})
    assert note(found, "hazard_ratio", "B vs A") == "no events in arm B"
    assert number(found, "p_logrank", "B vs A") is not None


def test_two_experimental_arms_are_each_compared_with_control():
    study = with_analyses(small_study(), OS)
    study = study.model_copy(
        update={"arms": (*study.arms, Arm(id="C", role="experimental", label={"en": "C"}))}
    )
    six = adsl(
        """
        USUBJID | TRT01P
        1       | A
        2       | A
        3       | B
        4       | B
        5       | C
        6       | C
        """
    )
    times = adtte(
        """
        USUBJID | AVAL | CNSR
        1       | 10   | 0
        2       | 30   | 0
        3       | 20   | 0
        4       | 40   | 0
        5       | 5    | 0
        6       | 15   | 0
        """
    )
    found = run(study, {"ADSL": six, "ADTTE": times})
    assert number(found, "z_logrank", "B vs A") < 0 < number(found, "z_logrank", "C vs A")
    assert rows(found, statistic="hazard_ratio")["group"].to_list() == ["B vs A", "C vs A"]
    two_arms = run(with_analyses(small_study(), OS), {"ADSL": six[:4], "ADTTE": times})
    assert number(found, "hazard_ratio", "B vs A") == number(two_arms, "hazard_ratio", "B vs A")


def test_a_family_of_deteriorations_is_one_analysis_with_a_row_for_each_scale():
    study = with_analyses(small_study(), OS | {"id": "TTD", "endpoint": "TTD"})
    times = adtte(
        """
        USUBJID | PARAMCD | AVAL | CNSR
        1       | TTDFA   | 40   | 0
        2       | TTDFA   | 50   | 0
        3       | TTDFA   | 60   | 0
        4       | TTDFA   | 70   | 0
        1       | TTDPA   | 11   | 0
        2       | TTDPA   | 11   | 0
        """
    )
    found = run(study, {"ADSL": FOUR, "ADTTE": times})
    assert rows(found, analysis="TTD")["endpoint"].unique().sort().to_list() == ["TTDFA", "TTDPA"]
    assert number(found, "median", "A", endpoint="TTDFA") == 45
    assert number(found, "median", "A", endpoint="TTDPA") == 11
    assert number(found, "n_missing", "B", endpoint="TTDPA") == 2


def test_a_time_that_cannot_be_is_counted_and_left_out():
    times = adtte(
        """
        USUBJID | AVAL | CNSR
        1       | 40   | 0
        2       | -3   | 0
        3       | 60   |      |
        4       | 70   | 1
        """
    )
    found = run(with_analyses(small_study(), OS), {"ADSL": FOUR, "ADTTE": times})
    for group in ("A", "B"):
        assert number(found, "n", group, analysis="OS") == 1
        assert number(found, "n_excluded", group) == 1
    assert number(found, "n_excluded", "Total") == 2


def test_a_member_whose_arm_the_study_does_not_know_is_counted():
    odd = adsl(
        """
        USUBJID | TRT01P | TRT01A
        1       | A      | A
        2       | A      | Z
        3       | B      | B
        4       | B      | A
        """
    )
    study = with_analyses(small_study(), OS | {"population": "SAFETY"})
    times = adtte("USUBJID | AVAL | CNSR\n1 | 10 | 0\n2 | 20 | 0\n3 | 30 | 0\n4 | 40 | 0")
    found = run(study, {"ADSL": odd, "ADTTE": times})
    assert number(found, "n", "A", analysis="OS") == 2  # as treated: 1 and 4
    assert number(found, "n", "B", analysis="OS") == 1
    assert number(found, "n_without_arm") == 1


def test_results_have_one_shape_and_the_order_of_rows_does_not_matter():
    times = adtte("USUBJID | AVAL | CNSR\n1 | 10 | 0\n2 | 20 | 0\n3 | 30 | 0\n4 | 40 | 1")
    study = with_analyses(small_study(), OS)
    found = run(study, {"ADSL": FOUR, "ADTTE": times})
    assert found.schema == results_rows.SCHEMA
    backwards = run(study, {"ADSL": FOUR[::-1], "ADTTE": times[::-1]})
    assert found.equals(backwards)


def test_a_wrong_analysis_is_our_mistake_and_raises():
    adam = {
        "ADSL": FOUR,
        "ADTTE": adtte("USUBJID | AVAL | CNSR\n1 | 10 | 0"),
        "ADQS": pl.DataFrame({"A": [1]}),
    }
    with pytest.raises(ValueError, match="needs an endpoint"):
        run(with_analyses(small_study(), OS | {"endpoint": None}), adam)
    lost = {"id": "Q", "method": "questionnaire", "population": "ITT", "instrument": "OTHER"}
    with pytest.raises(ValueError, match="'OTHER' is not an instrument"):
        run(with_analyses(small_study(), lost), adam)


def test_a_duration_has_a_range_and_no_contrast():
    study = with_analyses(
        small_study(), OS | {"id": "DOR", "method": "duration", "endpoint": "DOR", "population": "RESPONDERS"}
    )
    times = adtte(
        """
        USUBJID | AVAL | CNSR
        1       | 40   | 0
        2       | 90   | 1
        3       | 30   | 1
        4       | 60   | 0
        """,
        "DOR",
    )
    found = rows(run(study, {"ADSL": FOUR, "ADTTE": times}), analysis="DOR")
    assert not [g for g in found["group"].unique() if " vs " in g]
    assert (number(found, "min", "A"), note(found, "min", "A")) == (40, "")
    assert (number(found, "max", "A"), note(found, "max", "A")) == (90, "censored")
    assert (number(found, "min", "B"), note(found, "min", "B")) == (30, "censored")
    none = rows(run(study, {"ADSL": FOUR[:2], "ADTTE": times}), analysis="DOR")
    assert note(none, "max", "B") == "no patients in arm B"
