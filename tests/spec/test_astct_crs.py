"""Cytokine release syndrome by the ASTCT consensus of 2019. C1 to C18 are the cases of the project rules, section 3.1."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recist_frames import framed
from trialwright.medicine import astct


def course(text: str, **words: object) -> pl.DataFrame:
    """One patient, an assessment every 4 hours unless hours are drawn."""
    drawn = framed(text)
    if "hours" not in drawn.columns:
        drawn = drawn.with_row_index("hours").with_columns(4 * pl.col("hours").cast(pl.Int64))
    if "subject" not in drawn.columns:
        drawn = drawn.with_columns(subject=pl.lit("1"))
    return astct.crs_course(drawn, astct.Policy(**words))


def grades(text: str, **words: object) -> list[int]:
    return course(text, **words)["grade"].to_list()


def test_the_grade_is_the_worse_of_two_columns():
    """Each row a patient with fever."""
    expected = framed(
        """
        temp_c | hypotension | n_pressors | vasopressin | o2_device | o2_flow | grade | case
        38.0   |             |            |             |           |         | 1     | fever alone
        39.5   | true        | 1          |             | NC        | 4       | 3     | C1 the worse column wins
        38.5   | true        | 0          |             |           |         | 2     | C2 answered by fluid
        38.2   | true        | 1          | true        |           |         | 3     | C3 one vasopressor and vasopressin
        38.2   | true        | 2          |             |           |         | 4     | C4 two vasopressors
        38.2   | true        | 0          | true        |           |         | 3     | C5 vasopressin alone
        38.2   | true        | 2          | true        |           |         | 4     | two and vasopressin
        38.2   | false       | 1          |             |           |         | 3     | a running vasopressor is hypotension
        38.2   | false       | 0          | true        |           |         | 3     | and so is vasopressin
        38.2   |             |            |             | FACEMASK  | 4       | 3     | C12 the device decides
        38.2   |             |            |             | NC        | 8       | 3     | C13 nasal cannula, high flow
        38.2   |             |            |             | NC        | 6       | 2     | 6 L/min is low flow
        38.2   |             |            |             | NC        | 6.01    | 3     | above it is not
        38.2   |             |            |             | NC        |         | 2     | C15 flow unknown: low
        38.2   |             |            |             | BLOWBY    | 10      | 2     | blow-by
        38.2   |             |            |             | HFNC      | 5       | 3     | high-flow device
        38.2   |             |            |             | NRB       |         | 3     | non-rebreather
        38.2   |             |            |             | VENTURI   |         | 3     | Venturi
        38.2   |             |            |             | CPAP      |         | 4     | positive pressure
        38.2   |             |            |             | BIPAP     |         | 4     | positive pressure
        38.2   |             |            |             | INTUB     |         | 4     | ventilated
        38.2   |             |            |             | NONE      |         | 1     | room air
        38.2   | true        |            |             | CPAP      |         | 4     | the worse column wins
        38.2   | true        | 2          |             | NC        | 2       | 4     | the worse column wins
        """
    )
    patients = expected.with_row_index("subject").with_columns(hours=pl.lit(0))
    assert_frame_equal(astct.crs_course(patients).select("grade"), expected.select("grade"))


@pytest.mark.parametrize(("word", "grade"), [(3, 3), (2, 2)])
def test_c5_vasopressin_alone_is_a_word_of_the_policy(word, grade):
    one = "temp_c | n_pressors | vasopressin\n38.2 | 0 | true"
    two = "temp_c | n_pressors | vasopressin\n38.2 | 1 | true"
    assert grades(one, vasopressin_alone=word) == [grade]
    assert grades(two, vasopressin_alone=word) == [3]


@pytest.mark.parametrize("given", ["antipyretic", "anticytokine", "steroid"])
def test_c6_once_fever_is_masked_it_is_no_longer_needed(given):
    assert grades(f"temp_c | hypotension | {given}\n39.0 | | true\n37.2 | true | ") == [1, 2]
    assert grades(f"temp_c | hypotension | {given}\n39.0 | | \n37.2 | true | true") == [1, 2]


def test_c7_without_fever_there_is_no_crs_but_a_query():
    seen = course("temp_c | hypotension\n37.0 | true\n37.1 | false")
    assert seen["grade"].to_list() == [0, 0]
    assert seen["query"].to_list() == ["NO_FEVER", None]
    assert seen["episode"].to_list() == [None, None]


def test_c7_premedication_does_not_stand_for_fever():
    seen = course("temp_c | hypotension | steroid\n37.0 | | true\n37.0 | true | ")
    assert seen["grade"].to_list() == [0, 0]
    assert seen["query"].to_list() == [None, "NO_FEVER"]


def test_c8_intubated_only_to_protect_the_airway():
    assert grades("temp_c | o2_device | o2_for_airway\n38.5 | INTUB | true\n38.5 | INTUB | false") == [1, 4]


def test_c9_only_more_than_at_home_counts():
    expected = framed(
        """
        home_o2_device | home_o2_flow | o2_device | o2_flow | grade
        NC             | 2            | NC        | 2       | 1
        NC             | 2            | NC        | 1       | 1
        NC             | 2            | NC        | 3       | 2
        NC             | 2            | NC        | 8       | 3
        NC             | 2            | NC        |         | 1
        NC             | 2            | FACEMASK  |         | 3
        CPAP           |              | CPAP      |         | 1
        CPAP           |              | BIPAP     |         | 4
        CPAP           |              | INTUB     |         | 4
        CPAP           |              | NC        | 8       | 1
        NONE           |              | NC        | 2       | 2
                       |              | NC        | 2       | 2
                       |              | BLOWBY    |         | 2
        """
    )
    patients = expected.with_row_index("subject").with_columns(hours=pl.lit(0), temp_c=pl.lit(38.5))
    assert_frame_equal(astct.crs_course(patients).select("grade"), expected.select("grade"))


def test_c10_fever_from_another_cause():
    seen = course("temp_c | hypotension | fever_other_cause\n39.0 | | true\n39.0 | true | true")
    assert seen["grade"].to_list() == [0, 0]
    assert seen["query"].to_list() == [None, "NO_FEVER"]


@pytest.mark.parametrize(("word", "grade"), [("crs", 1), ("other", 0)])
def test_c10_both_causes_are_plausible(word, grade):
    seen = course("temp_c | both_causes | fever_other_cause\n39.0 | true | true", both_causes=word)
    assert seen["grade"].to_list() == [grade]
    assert seen["both_causes"].to_list() == [True]
    assert grades("temp_c | both_causes\n39.0 | true", both_causes=word) == [grade]


def test_c11_organ_toxicity_does_not_change_the_grade():
    assert grades("temp_c | alt_grade | creatinine_grade\n38.5 | 4 | 4") == [1]


def test_c14_an_inotrope_is_no_vasopressor():
    drugs = pl.DataFrame({"drug": ["milrinone", "Dobutamine", "Norepinephrine", "vasopressin", None]})
    counted = drugs.select(astct.is_vasopressor(pl.col("drug")))["drug"].to_list()
    assert counted == [False, False, True, False, None]


@pytest.mark.parametrize("drug", astct.VASOPRESSORS)
def test_each_vasopressor_counts(drug):
    assert pl.select(astct.is_vasopressor(pl.lit(f" {drug.lower()}"))).item()


def test_the_vasopressors():
    assert set(astct.VASOPRESSORS) == {
        "NOREPINEPHRINE", "NORADRENALINE", "EPINEPHRINE", "ADRENALINE", "PHENYLEPHRINE", "DOPAMINE",
        "METARAMINOL", "EPHEDRINE", "ANGIOTENSIN II",
    }  # fmt: skip


def test_c15_a_flow_taken_as_low_is_flagged():
    seen = course("temp_c | o2_device | o2_flow\n38.5 | NC | \n38.5 | NC | 3\n38.5 | FACEMASK | \n38.5 | | ")
    assert seen["o2_flow_assumed"].to_list() == [True, False, False, False]


def test_c16_fever_is_not_rounded_up():
    assert grades("temp_c\n37.96") == [0]
    assert grades("temp_c\n38.0") == [1]
    fahrenheit = pl.DataFrame({"f": [100.4, 100.3]}).select(temp_c=astct.celsius(pl.col("f")))
    assert fahrenheit["temp_c"][0] == 38.0
    assert fahrenheit["temp_c"][1] < 38.0


def test_fever_is_compared_to_a_millionth_of_a_degree():
    temperatures = pl.DataFrame({"temp_c": [37.9999996, 37.999999, None, 39.0]})
    seen = temperatures.select(astct.is_fever(pl.col("temp_c"), pl.lit(None, dtype=pl.Boolean)))
    assert seen.to_series().to_list() == [True, False, False, True]


def test_without_signs_each_column_is_0():
    row = pl.select(
        pressure=astct.hypotension_grade(
            *(pl.lit(None, dtype=kind) for kind in (pl.Boolean, pl.Int64, pl.Boolean))
        ),
        oxygen=astct.hypoxia_grade(pl.lit("NONE"), pl.lit(None, dtype=pl.Float64)),
    )
    assert row.row(0) == (0, 0)


def test_c17_fever_back_within_24_hours_is_the_same_episode():
    expected = framed(
        """
        hours | temp_c | grade | episode
        0     | 38.5   | 1     | 1
        4     | 37.0   | 0     |
        23.9  | 38.5   | 1     | 1
        47.9  | 38.5   | 1     | 2
        60    | 37.0   | 0     |
        """
    )
    seen = astct.crs_course(expected.select("hours", "temp_c", subject=pl.lit("1")))
    assert_frame_equal(seen.select("hours", "grade", "episode"), expected.drop("temp_c"))


def test_c17_the_gap_is_a_number_of_the_policy():
    text = "hours | temp_c\n0 | 38.5\n24 | 38.5"
    assert course(text)["episode"].to_list() == [1, 2]
    assert course(text, new_episode_gap_h=48)["episode"].to_list() == [1, 1]


def test_c17_hours_are_compared_as_written():
    """A clock gives 23.999999999 h or 24.000000001 h for the same 24 hours."""
    for hours in (23.9999999999, 24.0000000001):
        assert course(f"hours | temp_c\n0 | 38.5\n{hours} | 38.5")["episode"].to_list() == [1, 2]


def test_c18_death_is_grade_5_when_crs_is_its_principal_cause():
    seen = course("hours | temp_c | n_pressors | crs_death\n0 | 39 | 2 | \n60 | | | true")
    assert seen["grade"].to_list() == [4, 5]
    assert seen["episode"].to_list() == [1, 1]
    assert seen["query"].to_list() == [None, None]
    never = course("temp_c | crs_death\n37 | true")
    assert never["episode"].to_list() == [None]
    assert astct.episodes(never).is_empty()
    assert (never["grade"].to_list(), never["query"].to_list()) == ([5], ["NO_FEVER"])


# Between fevers.


def test_signs_without_fever_that_nothing_masks_are_queried():
    text = "temp_c | hypotension\n38.5 | \n37.2 | true\n37.2 | true"
    strict = course(text)
    assert strict["grade"].to_list() == [1, 0, 0]
    assert strict["query"].to_list() == [None, "AFEBRILE_UNMASKED", "AFEBRILE_UNMASKED"]
    assert strict["episode"].to_list() == [1, 1, 1]
    kept = course(text, afebrile_unmasked="open_episode")
    assert kept["grade"].to_list() == [1, 2, 2]
    assert kept["query"].to_list() == strict["query"].to_list()


def test_a_masked_fever_keeps_grade_1_for_24_hours_from_the_last():
    text = "hours | temp_c | antipyretic\n0 | 38.5 | true\n12 | 37 | \n23.9 | 37 | \n24 | 37 | "
    assert grades(text) == [1, 1, 1, 0]
    assert grades(text, fever_memory_h=12) == [1, 0, 0, 0]
    assert grades(text.replace("true", "")) == [1, 0, 0, 0]


def test_what_masked_one_episode_does_not_mask_the_next():
    text = "hours | temp_c | hypotension | antipyretic\n0 | 38.5 | | true\n80 | 38.5 | | \n84 | 37 | true | "
    assert grades(text) == [1, 1, 0]


def test_a_sign_that_is_queried_does_not_keep_the_episode_open():
    text = "hours | temp_c | hypotension\n0 | 38.5 | \n20 | 37 | true\n30 | 37 | true"
    assert course(text)["query"].to_list() == [None, "AFEBRILE_UNMASKED", "NO_FEVER"]
    assert grades(text, afebrile_unmasked="open_episode") == [1, 2, 2]


def test_a_temperature_not_taken_is_no_fever():
    assert grades("temp_c | hypotension | antipyretic\n38.5 | | true\n | true | ") == [1, 2]


def test_an_assessment_without_a_time_is_kept_and_not_graded():
    seen = course("hours | temp_c\n | 39\n0 | 38.5")
    assert seen["grade"].to_list() == [1, None]
    assert seen["query"].to_list() == [None, "NO_TIME"]


def test_of_two_assessments_at_one_time_fever_and_treatment_come_first():
    for rows in (["37 | true | ", "38.5 | | "], ["38.5 | | ", "37 | true | "]):
        text = "\n".join(["hours | temp_c | hypotension | antipyretic", *(f"0 | {row}" for row in rows)])
        assert course(text)["query"].to_list() == [None, "AFEBRILE_UNMASKED"]
    for rows in (["37 | true | ", "37 | | true"], ["37 | | true", "37 | true | "]):
        text = "\n".join(
            ["hours | temp_c | hypotension | antipyretic", "0 | 38.5 | | ", *(f"4 | {row}" for row in rows)]
        )
        assert grades(text) == [1, 1, 2]


def test_patients_do_not_touch_each_other():
    seen = course("subject | hours | temp_c | hypotension\nB | 4 | 37 | true\nA | 0 | 38.5 | \nB | 0 | 37 | ")
    assert seen["subject"].to_list() == ["A", "B", "B"]
    assert seen["grade"].to_list() == [1, 0, 0]
    assert seen["query"].to_list() == [None, None, "NO_FEVER"]


def test_no_rows_in_no_rows_out():
    assert course("temp_c\n38.5").height == 1
    assert astct.crs_course(pl.DataFrame(schema={"subject": pl.String, "hours": pl.Float64})).is_empty()


def test_unknown_words_are_named():
    with pytest.raises(ValueError, match=r"o2_device knows NONE, .*, not TENT"):
        course("temp_c | o2_device\n38.5 | TENT")
    with pytest.raises(ValueError, match=r"home_o2_device knows NONE, .*, not TENT"):
        course("temp_c | home_o2_device\n38.5 | TENT")
    with pytest.raises(ValueError, match="assessments lacks the columns subject"):
        astct.crs_course(pl.DataFrame({"hours": [1]}))
    with pytest.raises(ValueError, match="astct vasopressin_alone is one of 2, 3, not 4"):
        astct.Policy(vasopressin_alone=4)
    with pytest.raises(ValueError, match="astct new_episode_gap_h is a number of hours above 0, not 0"):
        astct.Policy(new_episode_gap_h=0)
    with pytest.raises(ValueError, match="astct fever_memory_h is a number of hours above 0, not -1"):
        astct.Policy(fever_memory_h=-1)
    assert astct.Policy(fever_memory_h=0.5).fever_memory_h == 0.5
    with pytest.raises(ValueError, match="assessments lacks the columns hours"):
        astct.crs_course(pl.DataFrame({"subject": ["1"]}))
