"""Best overall response: RECIST 1.1, sections 4.4 and 4.6, table 3. Days from randomisation, day 0."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recist_frames import COURSE, course, framed, of_sums
from trialwright.medicine import recist


def best(text: str, *, confirmed: bool = True, **words: object) -> dict[str, object]:
    answer = recist.best_response(course(text), recist.Policy(**words), confirmed=confirmed)
    assert answer.height == 1
    return answer.row(0, named=True)


def word(text: str, *, confirmed: bool = True, **words: object) -> object:
    return best(text, confirmed=confirmed, **words)["best_response"]


# Numbers (12) to (18) are those of the project rules, section 5.10.


def test_12_a_gap_of_27_days_does_not_confirm_but_a_later_response_does():
    assert word("PR 42, PR 69") == "SD"
    answer = best("PR 42, PR 69, PR 84")
    assert answer["best_response"] == "PR"
    assert (answer["response_day"], answer["day"], answer["confirm_day"]) == (42, 42, 84)


def test_13_one_ne_between_confirms():
    assert best("PR 42, NE 84, PR 126")["response_day"] == 42


def test_14_two_ne_between_do_not():
    assert word("PR 42, NE 84, NE 98, PR 126") == "SD"
    assert word("PR 42, NE 84, NE 98, PR 126", max_ne=2) == "PR"


def test_15_one_sd_between_confirms_if_accepted():
    answer = best("PR 42, SD 84, PR 126")
    assert (answer["best_response"], answer["response_day"]) == ("PR", 42)
    assert word("PR 42, SD 84, PR 126", max_sd=0) == "SD"


def test_16_a_cr_not_confirmed_is_sd_from_its_own_day():
    answer = best("CR 42, PD 84")
    assert (answer["best_response"], answer["day"], answer["rule"]) == ("SD", 42, "unconfirmed_cr")


def test_17_sd_too_early_is_ne():
    answer = best("SD 28")
    assert (answer["best_response"], answer["rule"]) == ("NE", "too_early")


def test_18_without_an_assessment_there_is_no_row():
    """NE for want of an assessment is the caller's to say: only he knows who was randomised."""
    for confirmed in (False, True):
        assert recist.best_response(course(""), confirmed=confirmed).is_empty()


# Table 3 of the paper: a first response and what follows at least 28 days later.


def test_confirmed_response():
    """`min` is whether the first response was seen after the minimum duration of SD (35 days)."""
    expected = framed(
        """
        first | later | min | best
        CR    | CR    | yes | CR
        CR    | CR    | no  | CR
        CR    | PR    | yes | PR
        CR    | PR    | no  | PR
        CR    | SD    | yes | SD
        CR    | PD    | yes | SD
        CR    | PD    | no  | PD
        CR    | NE    | yes | SD
        CR    | NE    | no  | NE
        PR    | CR    | yes | PR
        PR    | CR    | no  | PR
        PR    | PR    | yes | PR
        PR    | PR    | no  | PR
        PR    | SD    | yes | SD
        PR    | PD    | yes | SD
        PR    | PD    | no  | PD
        PR    | NE    | yes | SD
        PR    | NE    | no  | NE
        NE    | NE    | yes | NE
        NE    | NE    | no  | NE
        """
    )
    days = {"yes": (42, 84), "no": (28, 56)}
    seen = [
        word(f"{first} {days[late][0]}, {later} {days[late][1]}")
        for first, later, late, _ in expected.iter_rows()
    ]
    assert expected.with_columns(best=pl.Series(seen)).equals(expected)


def test_cr_then_sd_before_the_minimum_duration_is_pd():
    answer = best("CR 14, SD 28, NE 84")
    assert (answer["best_response"], answer["day"], answer["rule"]) == ("PD", 28, "disease_after_cr")
    assert word("CR 14, SD 42") == "SD"
    assert word("SD 14, CR 28") == "NE"


def test_pr_then_cr_is_cr_if_a_later_cr_confirms_it():
    answer = best("PR 42, CR 84, CR 126")
    assert (answer["best_response"], answer["day"], answer["confirm_day"]) == ("CR", 84, 126)
    assert answer["response_day"] == 42


# What may lie between a response and its confirmation.


def test_between():
    expected = framed(
        """
        course                            | best
        CR 42, NE 63, CR 84               | CR
        CR 42, NE 56, NE 63, CR 84        | SD
        CR 42, SD 63, CR 84               | SD
        CR 42, CR 63, CR 84               | CR
        PR 42, PR 63, PR 84               | PR
        PR 42, SD 63, PR 84               | PR
        PR 42, SD 56, SD 63, PR 84        | SD
        PR 42, SD 56, NE 63, PR 84        | PR
        PR 42, SD 63, CR 84               | PR
        PR 42, CR 63, PR 84               | PR
        PR 42, NON-CR/NON-PD 63, PR 84    | SD
        PR 42, NED 63, PR 84              | SD
        PR 42, PD 63, PR 84               | SD
        """
    )
    seen = [word(text) for text in expected["course"]]
    assert expected.with_columns(best=pl.Series(seen)).equals(expected)


@pytest.mark.parametrize("response", ["CR", "PR"])
@pytest.mark.parametrize(("gap", "confirmed"), [(27, False), (28, True), (29, True)])
def test_the_interval(response, gap, confirmed):
    assert word(f"{response} 42, {response} {42 + gap}") == (response if confirmed else "SD")


def test_the_interval_is_a_number_of_the_policy():
    assert word("PR 42, PR 69", confirmation_days=27) == "PR"
    assert word("PR 42, PR 43", confirmation_days=0) == "PR"
    assert word("PR 42", confirmation_days=0) == "SD"


@pytest.mark.parametrize(("text", "any_later", "only_next"), [
    ("PR 42, PR 84", "PR", "PR"),
    ("PR 42, PR 69, PR 84", "PR", "SD"),
    ("PR 42, SD 84, PR 126", "PR", "SD"),
    ("CR 42, NE 84, CR 126", "CR", "SD"),
])  # fmt: skip
def test_the_next_assessment_or_any_later(text, any_later, only_next):
    assert word(text) == any_later
    assert word(text, confirming="next") == only_next


# CR followed by PR: the note under table 3.


def test_cr_then_pr():
    expected = framed(
        """
        course                      | pr | sd_at_cr | sd_any
        CR 42, PR 84                | PR | SD       | SD
        CR 28, PR 56                | PR | PD       | SD
        CR 14, PR 28                | NE | PD       | PD
        CR 42, PR 63                | SD | SD       | SD
        CR 42, SD 84, PR 126        | PR | SD       | SD
        CR 28, SD 56, PR 70         | PR | PD       | SD
        CR 28, CR 42, PR 63         | PR | SD       | SD
        PR 42, CR 63, PR 84         | PR | SD       | SD
        PR 42, CR 84, PR 126        | PR | PR       | PR
        CR 42, PR 84, PR 126        | PR | PR       | PR
        CR 42, CR 84, PR 126        | CR | CR       | CR
        CR 42, PR 84, CR 126        | PR | PR       | PR
        CR 42, PR 63, CR 84, CR 112 | CR | CR       | CR
        PR 42, CR 56, PR 63, CR 84  | PR | SD       | SD
        SD 42                       | SD | SD       | SD
        """
    )
    for choice in ("pr", "sd_at_cr", "sd_any"):
        seen = [word(text, cr_then_pr=choice) for text in expected["course"]]
        assert expected.with_columns(pl.Series(choice, seen)).equals(expected)


def test_cr_then_pr_is_a_finding_whatever_is_made_of_it():
    for confirmed in (False, True):
        assert best("CR 42, PR 84", confirmed=confirmed)["finding"] == "CR_THEN_PR"
        assert best("CR 42, SD 63, PR 84", confirmed=confirmed)["finding"] == "CR_THEN_PR"
        assert best("PR 42, CR 84", confirmed=confirmed)["finding"] is None
        assert best("CR 42, PD 84, PR 126", confirmed=confirmed)["finding"] is None


def test_a_cr_that_was_a_pr_dates_the_response():
    answer = best("CR 42, PR 84")
    assert (answer["day"], answer["response_day"], answer["confirm_day"]) == (42, 42, 84)


def test_a_cr_that_confirmed_another_still_confirms_the_pr_before_both():
    """The CR of day 91 confirms that of day 63, and both stand: the PR of day 98 changes no day of the response."""
    assert best("PR 42, CR 63, CR 91")["response_day"] == 42
    answer = best("PR 42, CR 63, CR 91, PR 98")
    assert (answer["best_response"], answer["response_day"], answer["confirm_day"]) == ("CR", 42, 91)


# Unconfirmed.


def test_unconfirmed_is_the_best_before_progression():
    expected = framed(
        """
        course                     | best          | day | response_day | rule
        PR 42, CR 84               | CR            | 84  | 42           | first_cr
        CR 42, PR 84               | CR            | 42  | 42           | first_cr
        SD 42, PR 84, SD 126       | PR            | 84  | 84           | first_pr
        PR 14                      | PR            | 14  | 14           | first_pr
        SD 28, SD 42, SD 84        | SD            | 42  |              | stable
        SD 28, PD 42               | PD            | 42  |              | progression
        SD 28, NE 42               | NE            | 28  |              | too_early
        NE 14, NE 42               | NE            | 14  |              | not_evaluable
        NE 42, PD 84, PR 126       | PD            | 84  |              | progression
        SD 42, PD 84, CR 126       | SD            | 42  |              | stable
        NON-CR/NON-PD 42, PD 84    | NON-CR/NON-PD | 42  |              | non_target_left
        NON-CR/NON-PD 42, SD 84    | SD            | 84  |              | stable
        NED 42, PD 84              | NED           | 42  |              | no_disease
        PD 14                      | PD            | 14  |              | progression
        PD 42, SD 84, CR 126       | PD            | 42  |              | progression
        NE 14, SD 28               | NE            | 28  |              | too_early
        """
    )
    columns = ["best_response", "day", "response_day", "rule"]
    seen = [[best(text, confirmed=False)[column] for column in columns] for text in expected["course"]]
    assert_frame_equal(
        pl.DataFrame(seen, schema=expected.drop("course").schema, orient="row"), expected.drop("course")
    )


def test_unconfirmed_gives_no_day_of_confirmation():
    assert best("PR 42, PR 84", confirmed=False)["confirm_day"] is None


# Minimum duration of stable disease.


@pytest.mark.parametrize(
    ("day", "counting", "answer"),
    [(34, "offset", "NE"), (35, "offset", "SD"), (33, "study_day", "NE"), (34, "study_day", "SD")],
)
def test_minimum_duration_as_offset_or_study_day(day, counting, answer):
    for confirmed in (False, True):
        assert word(f"SD {day}", confirmed=confirmed, sd_day_counting=counting) == answer


def test_minimum_duration_is_a_number_of_the_policy():
    assert word("SD 42", sd_min_days=43) == "NE"
    assert word("PR 42, PD 84", sd_min_days=43) == "PD"


@pytest.mark.parametrize(("choice", "answer"), [("as_sd", "NE"), ("none", "NON-CR/NON-PD")])
def test_minimum_duration_of_non_cr_non_pd(choice, answer):
    assert word("NON-CR/NON-PD 28", non_cr_non_pd_min=choice) == answer
    assert word("NON-CR/NON-PD 42", non_cr_non_pd_min=choice) == "NON-CR/NON-PD"


# A late first progression.


@pytest.mark.parametrize(("text", "answer"), [("PD 91", "PD"), ("PD 92", "NE"), ("NE 42, PD 92", "NE"), ("SD 42, PD 92", "SD")])  # fmt: skip
def test_a_first_pd_later_than_the_trial_allows_is_ne(text, answer):
    for confirmed in (False, True):
        assert word(text, confirmed=confirmed, bor_pd_max_days=91) == answer
        assert best("PD 92", confirmed=confirmed, bor_pd_max_days=91)["rule"] == "pd_too_late"
        assert best("NE 92", confirmed=confirmed, bor_pd_max_days=91)["rule"] == "not_evaluable"
    assert word("PD 900") == "PD"


# Rows.


def test_of_several_on_one_day_the_least_favourable_evaluable_stands():
    assert word("PR 42, SD 42", confirmed=False) == "SD"
    assert word("PR 42, NE 42", confirmed=False) == "PR"
    assert word("SD 42, PD 42", confirmed=False) == "PD"


def test_a_row_without_day_or_response_is_no_assessment():
    rows = [("1", "INV", 42, "SD"), ("1", "INV", None, "PR"), ("1", "INV", 84, None)]
    answer = recist.best_response(pl.DataFrame(rows, schema=COURSE, orient="row"), confirmed=False)
    assert answer["best_response"].to_list() == ["SD"]
    nothing = pl.DataFrame(rows[1:], schema=COURSE, orient="row")
    assert recist.best_response(nothing, confirmed=True).is_empty()


def test_each_subject_and_assessor_has_one_row():
    one, two = course("PR 42, PR 84"), course("SD 42, PD 84")
    frame = pl.concat(
        [
            two.with_columns(subject=pl.lit("2")),
            one,
            two.with_columns(assessor=pl.lit("BICR")),
        ]
    )
    answer = recist.best_response(frame, confirmed=True)
    assert_frame_equal(
        answer.select("subject", "assessor", "best_response"),
        pl.DataFrame(
            {
                "subject": ["1", "1", "2"],
                "assessor": ["BICR", "INV", "INV"],
                "best_response": ["SD", "PR", "SD"],
            }
        ),
    )


READINGS = """
    subject | assessor | course              | best | rule           | confirm_day
    1       | BICR     | PR 42               | SD   | unconfirmed_pr |
    1       | INV      | PR 42, SD 84        | SD   | unconfirmed_pr |
    2       | BICR     | PR 84, PR 126       | PR   | confirmed_pr   | 126
    2       | INV      | PR 42, CR 84        | PR   | confirmed_pr   | 84
    3       | BICR     | CR 42, PR 126       | SD   | unconfirmed_cr |
    3       | INV      | SD 42               | SD   | stable         |
    4       | BICR     | SD 42, CR 84        | SD   | stable         |
    4       | INV      | CR 42, NE 63, CR 84 | CR   | confirmed_cr   | 84
"""


def read_together(drawn: pl.DataFrame, *, earlier: int = 0) -> pl.DataFrame:
    named = drawn.select("subject", "assessor", "course").iter_rows()
    courses = [
        course(text).with_columns(subject=pl.lit(str(subject)), assessor=pl.lit(assessor))
        for subject, assessor, text in named
    ]
    together = pl.concat(courses).with_columns(pl.col("day") - earlier)
    return recist.best_response(together, recist.Policy(cr_then_pr="sd_at_cr"), confirmed=True)


def test_each_reading_is_judged_as_if_it_were_alone():
    drawn = framed(READINGS)
    answer = read_together(drawn)
    assert answer["best_response"].to_list() == drawn["best"].to_list()
    assert answer["rule"].to_list() == drawn["rule"].to_list()
    assert answer["confirm_day"].to_list() == drawn["confirm_day"].to_list()


@pytest.mark.parametrize("earlier", [100, 400])
def test_what_confirms_does_not_hang_on_which_day_is_day_0(earlier):
    drawn = framed(READINGS)
    answer = read_together(drawn, earlier=earlier)
    confirmed = drawn["confirm_day"].is_not_null()
    assert (answer["confirm_day"] + earlier).filter(confirmed).to_list() == [126, 84, 84]
    assert answer["best_response"].is_in(["CR", "PR"]).to_list() == confirmed.to_list()


@pytest.mark.parametrize("often", ["SD", "NED", "NON-CR/NON-PD"])
def test_the_earliest_of_the_best_stands_in_many_patients_with_many_assessments(often):
    text = ", ".join(f"{often if visit % 2 else 'NE'} {42 * visit}" for visit in range(1, 21))
    many = pl.concat([course(text).with_columns(subject=pl.lit(f"{k:03d}")) for k in range(150)])
    answer = recist.best_response(many, confirmed=True)
    assert answer["best_response"].to_list() == [often] * 150
    assert answer["day"].to_list() == [42] * 150


def test_an_assessor_without_a_name_is_one_too():
    frame = course("PR 42, PR 84").with_columns(assessor=pl.lit(None, dtype=pl.String))
    answer = recist.best_response(frame, confirmed=True)
    assert answer["best_response"].to_list() == ["PR"]
    assert answer["response_day"].to_list() == [42]


def test_a_word_that_is_no_response_is_named():
    with pytest.raises(ValueError, match=r"response knows CR, PR, .* not CHECK"):
        recist.best_response(course("CHECK 42"), confirmed=True)
    for column in COURSE:
        with pytest.raises(ValueError, match=f"time_points lacks the columns {column}"):
            recist.best_response(pl.DataFrame(schema=COURSE).drop(column), confirmed=True)


def test_from_lesions_to_best_response():
    points = recist.time_points(recist.target_course(of_sums(100, 60, 65, 80)))
    answer = recist.best_response(points, confirmed=True).row(0, named=True)
    assert (answer["best_response"], answer["response_day"], answer["confirm_day"]) == ("PR", 42, 84)


def test_every_rule_word_has_its_sentence():
    answers = {best(text)["rule"] for text in ("PR 42", "SD 42", "SD 14", "NE 42", "PD 42", "NED 42")}
    assert answers <= set(recist.SENTENCES)
