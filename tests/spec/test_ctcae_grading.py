"""CTCAE v5.0 laboratory grading: the edge notes and the algorithm of the rules, one drawn table each."""

from __future__ import annotations

import polars as pl
import pytest

from drawn import table
from trialwright.medicine.ctcae import Policy, criteria, grade_bits, grade_labs, in_words
from trialwright.medicine.lab_values import rounded, rounded_runs

SHAPE = {
    "subject": pl.String,
    "test": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "lln": pl.Float64,
    "uln": pl.Float64,
    "baseline": pl.Float64,
    "is_baseline": pl.Boolean,
}
UNITS = {
    **dict.fromkeys(("NEUT", "LYM", "WBC", "PLAT", "CD4"), "10^9/L"),
    **dict.fromkeys(("ALT", "AST", "ALP", "GGT", "LDH", "CK", "LIPASE", "AMYLASE"), "U/L"),
    **dict.fromkeys(("HGB", "ALB", "FIBRINO", "HAPTOG"), "g/L"),
    **dict.fromkeys(("BILI", "CREAT", "URATE"), "umol/L"),
    "INR": None,
    "APTT": "s",
}


def labs(drawn: str) -> pl.DataFrame:
    """The drawn rows with the columns they do not speak of; units are SI unless drawn."""
    frame = table(drawn)
    absent = [pl.lit(None, dtype=t).alias(c) for c, t in SHAPE.items() if c not in frame.columns]
    frame = frame.with_columns(absent).with_columns(
        pl.col("subject").fill_null("1"), pl.col("is_baseline").fill_null(False)
    )
    if frame["unit"].null_count() == frame.height:
        si = pl.col("test").replace_strict(UNITS, default="mmol/L", return_dtype=pl.String)
        frame = frame.with_columns(unit=si)
    return frame.with_columns(
        pl.col(c).cast(t) for c, t in SHAPE.items() if c != "value" or frame[c].dtype != pl.String
    )


def graded(drawn: str, version: str = "5.0", **policy: object) -> pl.DataFrame:
    return grade_labs(labs(drawn), criteria(version), Policy(**policy))


def agrees(drawn: str, version: str = "5.0", **policy: object) -> None:
    """Drawn columns low and high are the expected grades; low_why and high_why the reasons."""
    frame = table(drawn)
    found = graded(drawn, version, **policy)
    names = {"low": "grade_low", "high": "grade_high", "low_why": "reason_low", "high_why": "reason_high"}
    for said, column in names.items():
        if said in frame.columns:
            assert found[column].to_list() == frame[said].to_list(), f"{column}\n{found}"


def test_each_value_has_two_grades() -> None:
    """Rule 3: never merged; where one side has no criteria its grade is missing, not 0."""
    agrees("""
        | test   | value | lln | uln | low | high | low_why     | high_why    |
        | K      | 2.4   | 3.5 | 5.0 | 4   | 0    |             |             |
        | K      | 5.1   | 3.5 | 5.0 | 0   | 1    |             |             |
        | K      | 4.0   | 3.5 | 5.0 | 0   | 0    |             |             |
        | LDH    | 300   | 100 | 250 |     | 1    | no criteria |             |
        | NEUT   | 0.4   | 2.0 | 7.5 | 4   |      |             | no criteria |
        | XYZ    | 0.4   | 2.0 | 7.5 |     |      | no criteria | no criteria |
    """)


def test_a_value_on_a_limit_takes_the_milder_grade() -> None:
    agrees("""
        | test | value | lln | low |
        | NEUT | 2.0   | 2.0 | 0   |
        | NEUT | 1.5   | 2.0 | 1   |
        | NEUT | 1.0   | 2.0 | 2   |
        | NEUT | 0.5   | 2.0 | 3   |
        | NEUT | 0.499 | 2.0 | 4   |
    """)


def test_the_absolute_limit_wins_where_the_normal_range_reaches_below_it() -> None:
    """LLN 1.3 below 1.5: grade 1 cannot occur; 1.4 is inside the normal range and still grade 2."""
    agrees("""
        | test | value | lln | low |
        | NEUT | 1.6   | 1.3 | 0   |
        | NEUT | 1.4   | 1.3 | 2   |
        | NEUT | 1.3   | 1.3 | 2   |
        | HGB  | 99    | 95  | 2   |
    """)


def test_a_needed_limit_that_is_missing_makes_the_grade_missing() -> None:
    """Rule 4: grades 2 to 4 of a count need no LLN; grade 0 and 1 cannot be told apart without it."""
    agrees("""
        | test  | value | lln | uln | low | high | low_why     | high_why    |
        | PLAT  | 74    |     | 400 | 2   |      |             | no criteria |
        | PLAT  | 75    |     | 400 |     |      | LLN missing | no criteria |
        | ALT   | 500   | 10  |     |     |      | no criteria | ULN missing |
        | SODIUM | 140  | 135 |     | 0   |      |             | ULN missing |
        | SODIUM | 151  | 135 |     | 0   | 2    |             |             |
        | SODIUM | 161  |     |     |     | 4    | LLN missing |             |
        | TRIG  | 1.0   |     |     |     | 0    | no criteria |             |
        | LYM   | 4.0   | 1.0 |     | 0   | 0    |             |             |
    """)


def test_limits_that_cannot_be_limits_are_missing() -> None:
    agrees("""
        | test   | value | lln | uln | low | high | low_why     | high_why    |
        | CK     | 50    |     | 0   |     |      | no criteria | ULN missing |
        | SODIUM | 140   | 145 | 135 |     |      | LLN missing | ULN missing |
        | SODIUM | 140   | -1  | 145 |     | 0    | LLN missing |             |
        | SODIUM | 140   | 140 | 140 | 0   | 0    |             |             |
        | CD4    | 0.6   | 0   |     | 0   |      |             | no criteria |
    """)


def test_a_value_that_cannot_be_graded() -> None:
    agrees("""
        | test | value | unit | uln | high | high_why |
        | ALT  |       | U/L  | 40  |      | value missing |
        | ALT  | 50    | foo  | 40  |      | unit unknown  |
        | ALT  | 50    |      | 40  |      | unit unknown  |
        | ALT  | -5    | U/L  | 40  |      | value is negative |
        | ALT  | hemolysed | U/L | 40 |    | value is not a number |
        | ALT  | nan   | U/L  | 40  |      | value is not a number |
        | CK   | 0     | U/L  | 40  | 0    |                       |
    """)


def test_out_of_range_results_count_as_their_limit() -> None:
    """Rule 6."""
    agrees("""
        | test | value  | unit   | lln | uln | baseline | low | high | low_why     | high_why    |
        | ALT  | >400   | U/L    | 10  | 40  | 20       |     | 3    | no criteria | CENS        |
        | ALT  | >=801  | U/L    | 10  | 40  | 20       |     | 4    | no criteria | CENS        |
        | ALT  | 41     | U/L    | 10  | 40  | 20       |     | 1    | no criteria |             |
        | NEUT | <0.5   | 10^9/L | 2   | 7   |          | 3   |      | CENS        | no criteria |
        | NEUT | < 0.4  | 10^9/L | 2   | 7   |          | 4   |      | CENS        | no criteria |
        | NEUT | 0.4    | 10^9/L | 2   | 7   |          | 4   |      |             | no criteria |
    """)


def test_fifteen_significant_digits() -> None:
    """Rule 5: 3 x 0.1 is 0.30000000000000004 in binary; it must not lift a value over its limit, nor hide one."""
    agrees("""
        | test | value | uln | high |
        | APTT | 0.15  | 0.1 | 1    |
        | CK   | 0.5   | 0.2 | 1    |
        | CK   | 0.501 | 0.2 | 2    |
    """)
    exact = labs("| test | value | lln | uln |\n| BILI | 1 | 0 | 1 |").with_columns(
        value=pl.lit(0.1 * 3), uln=pl.lit(0.3)
    )
    assert grade_labs(exact, criteria()).item(0, "grade_high") == 0


def test_normal_baseline_is_graded_by_multiples_of_the_limit() -> None:
    """ULN 40, baseline 30 (or 40, which is not above it)."""
    agrees("""
        | test | value | uln | baseline | high |
        | ALT  | 40    | 40  | 30       | 0    |
        | ALT  | 41    | 40  | 30       | 1    |
        | ALT  | 120   | 40  | 40       | 1    |
        | ALT  | 121   | 40  | 40       | 2    |
        | ALT  | 50    | 40  | 40       | 1    |
        | AST  | 201   | 40  | 30       | 3    |
        | AST  | 801   | 40  | 30       | 4    |
    """)


def test_abnormal_baseline_is_graded_by_multiples_of_itself() -> None:
    """Rule 11, the trap: 4 x ULN at baseline and 4.4 x ULN later is grade 0, though the ULN branch says 2."""
    agrees("""
        | test | value | uln | baseline | high | high_why |
        | ALT  | 176   | 40  | 160      | 0    |          |
        | ALT  | 239   | 40  | 160      | 0    |          |
        | ALT  | 240   | 40  | 160      | 1    |          |
        | ALT  | 480   | 40  | 160      | 1    |          |
        | ALT  | 481   | 40  | 160      | 2    |          |
        | ALT  | 801   | 40  | 160      | 3    |          |
        | ALT  | 3201  | 40  | 160      | 4    |          |
        | ALP  | 399   | 100 | 200      | 0    |          |
        | ALP  | 400   | 100 | 200      | 1    |          |
        | GGT  | 400   | 100 | 200      | 1    |          |
        | GGT  | 501   | 100 | 200      | 2    |          |
        | BILI | 40    | 20  | 40       | 0    |          |
        | BILI | 41    | 20  | 40       | 1    |          |
        | BILI | 61    | 20  | 40       | 2    |          |
    """)


def test_the_sensitivity_by_limits_only() -> None:
    """No branch for an abnormal baseline in any version; the rise of creatinine from any baseline stays."""
    agrees(
        """
        | test    | value | lln | uln | baseline | baseline_lln | low | high | high_why |
        | ALT     | 176   |     | 40  | 160      |              |     | 2    |          |
        | ALT     | 176   |     | 40  |          |              |     | 2    |          |
        | BILI    | 40    |     | 20  | 40       |              |     | 2    |          |
        | CREAT   | 90    |     | 100 | 50       |              |     | 2    |          |
        | CREAT   | 90    |     | 100 |          |              |     | 0    | baseline missing: limits used |
        | FIBRINO | 2     | 1   |     | 8        | 9            | 0   |      | no criteria |
        """,
        baseline_rule="uln_only",
    )
    agrees(
        """
        | test  | value | lln | uln | baseline | high |
        | ALT   | 210   |     | 40  | 50       | 3    |
        | CREAT | 80    | 60  | 100 | 50       | 0    |
        | ALP   | 110   |     | 100 | 120      | 1    |
        """,
        "6.0",
        baseline_rule="uln_only",
    )


def test_version_6_where_it_reads_the_baseline_otherwise() -> None:
    """ALT by smaller multiples; creatinine only from a baseline below the LLN; ALP above both baseline and ULN."""
    agrees(
        """
        | test  | value | lln | uln | baseline | high | high_why                      |
        | ALT   | 210   |     | 40  | 50       | 4    |                               |
        | CREAT | 80    | 60  | 100 | 50       | 2    |                               |
        | CREAT | 95    | 60  | 100 | 60       | 0    |                               |
        | CREAT | 80    |     | 100 | 50       |      | LLN missing                   |
        | CREAT | 70    |     | 100 | 50       | 0    |                               |
        | ALP   | 110   |     | 100 | 120      | 0    |                               |
        | ALP   | 110   |     | 100 |          | 1    | baseline missing: limits used |
        """,
        "6.0",
    )


def test_without_a_baseline_the_limits_are_used_and_it_is_said() -> None:
    """Rule 8."""
    agrees("""
        | test  | value | uln | baseline | high | high_why                      |
        | ALT   | 176   | 40  |          | 2    | baseline missing: limits used |
        | BILI  | 31    | 20  |          | 2    | baseline missing: limits used |
        | CREAT | 160   | 100 |          | 2    | baseline missing: limits used |
        | ALT   | 41    | 40  | 0        | 1    | baseline missing: limits used |
        | CK    | 501   | 100 |          | 3    |                               |
    """)


def test_the_baseline_itself() -> None:
    """Rule 7: its own branches cannot apply to it; it is graded by the limits, unless the policy says by itself."""
    drawn = """
        | test  | value | uln | baseline | is_baseline | high | high_why |
        | ALT   | 160   | 40  | 160      | true        | 2    |          |
        | BILI  | 40    | 20  | 40       | true        | 2    |          |
        | CREAT | 90    | 100 | 90       | true        | 0    |          |
        | ALT   | 160   | 40  |          | true        | 2    |          |
        | ALT   | 176   | 40  | 160      | false       | 0    |          |
    """
    agrees(drawn)
    agrees(drawn.replace("| 2    |", "| 0    |"), baseline_graded_by="itself")


def test_a_row_of_which_nobody_says_that_it_is_the_baseline_is_none() -> None:
    row = labs("| test | value | uln | baseline |\n| ALT | 176 | 40 | 160 |")
    unsaid = row.with_columns(is_baseline=pl.lit(None, dtype=pl.Boolean))
    assert grade_labs(unsaid, criteria()).item(0, "grade_high") == 0


def test_limits_of_the_baseline_where_they_differ() -> None:
    """Another laboratory, another ULN: the baseline was normal by its own limit, 60, and is above today's, 40."""
    agrees("""
        | test | value | uln | baseline | baseline_uln | high |
        | ALT  | 81    | 40  | 50       | 60           | 1    |
        | ALT  | 81    | 40  | 50       | 40           | 1    |
        | ALT  | 74    | 40  | 50       | 60           | 1    |
        | ALT  | 74    | 40  | 50       | 40           | 0    |
        | ALT  | 74    | 40  | 50       |              | 0    |
    """)


def test_creatinine_takes_the_higher_of_baseline_and_limit() -> None:
    """ULN 100: a rise from 50 to 80 is inside the normal range and still grade 2."""
    agrees("""
        | test  | value | uln | baseline | high | high_why |
        | CREAT | 75    | 100 | 50       | 0    |          |
        | CREAT | 76    | 100 | 50       | 2    |          |
        | CREAT | 151   | 100 | 50       | 3    |          |
        | CREAT | 101   | 100 | 90       | 1    |          |
        | CREAT | 301   | 100 | 250      | 3    |          |
        | CREAT | 601   | 100 | 590      | 4    |          |
        | CREAT | 151   |     | 50       | 3    | at least this grade |
        | CREAT | 70    |     | 50       |      | ULN missing |
    """)


def test_hyponatraemia_between_the_whole_numbers() -> None:
    """Printed 125-129 and 120-124; 129.5 is treated as below 130, 124.5 as below 125."""
    agrees("""
        | test   | value | lln | symptomatic | low | low_why          |
        | SODIUM | 135   | 135 |             | 0   |                  |
        | SODIUM | 130   | 135 |             | 1   |                  |
        | SODIUM | 129.5 | 135 | false       | 2   |                  |
        | SODIUM | 129.5 | 135 | true        | 3   |                  |
        | SODIUM | 129   | 135 |             | 2   | symptoms unknown |
        | SODIUM | 125   | 135 | false       | 2   |                  |
        | SODIUM | 124.5 | 135 | false       | 3   |                  |
        | SODIUM | 120   | 135 |             | 3   |                  |
        | SODIUM | 119   | 135 |             | 4   |                  |
    """)


def test_symptoms_decide_and_unknown_ones_are_flagged() -> None:
    drawn = """
        | test    | value | lln | uln | symptomatic | low | high | low_why          | high_why         |
        | K       | 3.2   | 3.5 | 5   |             | 1   | 0    | symptoms unknown |                  |
        | K       | 3.2   | 3.5 | 5   | true        | 2   | 0    |                  |                  |
        | K       | 3.2   | 3.5 | 5   | false       | 1   | 0    |                  |                  |
        | K       | 2.9   | 3.5 | 5   |             | 3   | 0    |                  |                  |
        | LIPASE  | 150   | 10  | 100 |             |     | 1    | no criteria      |                  |
        | LIPASE  | 160   | 10  | 100 |             |     | 2    | no criteria      |                  |
        | LIPASE  | 210   | 10  | 100 |             |     | 2    | no criteria      | symptoms unknown |
        | LIPASE  | 210   | 10  | 100 | true        |     | 3    | no criteria      |                  |
        | LIPASE  | 510   | 10  | 100 | false       |     | 3    | no criteria      |                  |
        | AMYLASE | 510   | 10  | 100 | true        |     | 4    | no criteria      |                  |
        | URATE   | 500   | 100 | 400 |             |     | 1    | no criteria      | symptoms unknown |
        | URATE   | 500   | 100 | 400 | true        |     | 3    | no criteria      |                  |
    """
    agrees(drawn)
    agrees(
        """
        | test   | value | lln | uln | symptomatic | low | high | low_why          |
        | K      | 3.2   | 3.5 | 5   |             | 2   | 0    | symptoms unknown |
        | K      | 3.2   | 3.5 | 5   | false       | 1   | 0    |                  |
        | SODIUM | 129   | 135 | 145 |             | 3   | 0    | symptoms unknown |
        """,
        symptom_missing="worse",
    )


def test_inr_has_a_baseline_branch_only_on_anticoagulants() -> None:
    agrees("""
        | test | value | baseline | on_anticoagulant | high | high_why                |
        | INR  | 1.2   | 1.0      | false            | 0    |                         |
        | INR  | 1.21  | 1.0      | false            | 1    |                         |
        | INR  | 1.6   | 1.0      | false            | 2    |                         |
        | INR  | 2.6   | 1.0      | false            | 3    |                         |
        | INR  | 1.2   | 1.0      | true             | 1    |                         |
        | INR  | 1.2   | 0.7      | true             | 2    |                         |
        | INR  | 1.2   | 1.0      |                  | 0    | anticoagulation unknown |
        | INR  | 1.6   | 1.5      |                  | 2    |                         |
        | INR  | 1.1   |          | true             | 0    | baseline missing: limits used |
        | INR  | 1.1   |          |                  | 0    |                         |
    """)


def test_fibrinogen_falls_count_where_the_baseline_was_abnormal() -> None:
    """LLN 2.0. Below 0.5 g/L is grade 4 whatever the LLN."""
    agrees("""
        | test    | value | lln | baseline | low |
        | FIBRINO | 1.9   | 2.0 | 4.0      | 1   |
        | FIBRINO | 1.4   | 2.0 | 4.0      | 2   |
        | FIBRINO | 0.9   | 2.0 | 4.0      | 3   |
        | FIBRINO | 0.49  | 2.0 | 4.0      | 4   |
        | FIBRINO | 1.2   | 2.0 | 1.6      | 2   |
        | FIBRINO | 0.8   | 2.0 | 1.6      | 3   |
        | FIBRINO | 0.75  | 1.0 | 3.2      | 1   |
        | FIBRINO | 0.6   | 1.0 | 0.8      | 2   |
        | FIBRINO | 0.49  |     | 4.0      | 4   |
        | FIBRINO | 1.5   | 2.0 | 2.0      | 1   |
    """)
    agrees(
        """
        | test    | value | lln | baseline | low |
        | FIBRINO | 1.9   | 2.0 | 4.0      | 3   |
        | FIBRINO | 2.1   | 2.0 | 9.0      | 0   |
        | FIBRINO | 1.9   | 2.0 | 1.9      | 1   |
        """,
        fibrinogen_abnormal="value",
    )


def test_grades_that_are_clinical_only() -> None:
    """v5.0 has no numbers for hyperglycaemia and phosphate: shown as abnormal, never graded by v4 silently."""
    agrees("""
        | test | value | lln | uln | low | high | low_why                         | high_why                          |
        | GLUC | 30    | 4   | 6   | 0   |      |                                 | clinical grading only; above ULN  |
        | GLUC | 6     | 4   | 6   | 0   |      |                                 | clinical grading only             |
        | PHOS | 0.8   | 0.8 | 1.5 |     |      | clinical grading only           | clinical grading only             |
        | PHOS | 0.2   | 0.8 | 1.5 |     |      | clinical grading only; below LLN | clinical grading only            |
        | ALB  | 10    | 35  | 50  | 3   |      |                                 | no criteria                       |
        | HGB  | 40    | 130 | 170 | 3   | 0    |                                 |                                   |
        | WBC  | 101   | 4   | 10  | 0   | 3    |                                 |                                   |
    """)


def test_the_numbers_of_v4_only_by_word() -> None:
    agrees(
        """
        | test | value | lln | uln | fasting | low | high | high_why                               |
        | GLUC | 6.1   | 4   | 6   | true    | 0   | 1    | limits of v4.03                        |
        | GLUC | 9     | 4   | 6   | true    | 0   | 2    | limits of v4.03                        |
        | GLUC | 9     | 4   | 6   | false   | 0   | 0    | limits of v4.03                        |
        | GLUC | 9     | 4   | 6   |         | 0   |      | fasting state unknown                  |
        | GLUC | 5     | 4   | 6   |         | 0   | 0    | limits of v4.03                        |
        | GLUC | 14    | 4   | 6   |         | 0   | 3    | limits of v4.03                        |
        | GLUC | 28    | 4   | 6   |         | 0   | 4    | limits of v4.03                        |
        | K    | 5.2   | 4   | 5   |         | 0   | 1    |                                        |
        """,
        hyperglycaemia_v4=True,
    )
    agrees(
        """
        | test | value | lln | uln | low | low_why         |
        | PHOS | 0.5   | 0.8 | 1.5 | 3   | limits of v4.03 |
        | GLUC | 28    | 4   | 6   | 0   |                 |
        """,
        hypophosphataemia_v4=True,
    )


def test_hypertriglyceridaemia_starts_at_its_number_whatever_the_limit() -> None:
    agrees("""
        | test | value | uln | high |
        | TRIG | 1.70  | 1.0 | 0    |
        | TRIG | 1.71  | 3.0 | 1    |
        | TRIG | 3.42  | 1.0 | 1    |
        | TRIG | 3.43  | 1.0 | 2    |
    """)


def test_magnesium_has_no_grade_two_and_haemoglobin_adds_to_its_limit() -> None:
    agrees("""
        | test | value | uln  | high |
        | MG   | 1.2   | 1.05 | 1    |
        | MG   | 1.24  | 1.05 | 3    |
        | MG   | 3.31  | 1.05 | 4    |
        | HGB  | 170   | 170  | 0    |
        | HGB  | 190   | 170  | 1    |
        | HGB  | 191   | 170  | 2    |
        | HGB  | 211   | 170  | 3    |
    """)


def test_calcium_is_corrected_for_albumin() -> None:
    """Rule 2: + 0.02 mmol/L for each g/L below 40. 2.75 at albumin 30 is 2.95: grade 2. Without albumin: said so."""
    agrees("""
        | test   | value | lln | uln | albumin | low | high | high_why              |
        | CA     | 2.75  | 2.2 | 2.6 | 30      | 0   | 2    |                       |
        | CA     | 2.75  | 2.2 | 2.6 | 40      | 0   | 1    |                       |
        | CA     | 2.75  | 2.2 | 2.6 |         | 0   | 1    | calcium not corrected |
        | CA     | 1.9   | 2.2 | 2.6 | 25      | 0   | 0    |                       |
        | CACORR | 2.95  | 2.2 | 2.6 | 30      | 0   | 2    |                       |
        | CAION  | 1.55  | 1.1 | 1.3 | 30      | 0   | 2    |                       |
    """)
    us = graded("| test | value | unit | lln | uln | albumin |\n| CA | 11.022 | mg/dL | 8.8 | 10.4 | 30 |")
    assert us.item(0, "si_value") == pytest.approx(2.75)
    assert us.item(0, "graded_value") == pytest.approx(2.95)


def test_us_units_are_converted_with_their_limits_and_baseline() -> None:
    agrees("""
        | test  | value | unit    | lln | uln | baseline | low | high |
        | HGB   | 7.9   | g/dL    | 13  | 17  |          | 3   | 0    |
        | HGB   | 8.0   | g/dL    | 13  | 17  |          | 2   | 0    |
        | PLAT  | 49    | THOU/uL | 150 | 400 |          | 3   |      |
        | PLAT  | 49000 | /mm3    | 150000 | 400000 |    | 3   |      |
        | CREAT | 1.6   | mg/dL   | 0.5 | 2.0 | 1.0      |     | 2    |
        | K     | 6.1   | mEq/L   | 3.5 | 5   |          | 0   | 3    |
        | GLUC  | 50    | mg/dL   | 70  | 110 |          | 2   |      |
    """)


def test_row_order_other_columns_and_input_are_kept() -> None:
    frame = labs("""
        | test | value | lln | uln | mark |
        | K    | 2.4   | 3.5 | 5.0 | a    |
        | NEUT | 0.4   | 2.0 | 7.5 | b    |
        | K    | 5.1   | 3.5 | 5.0 | c    |
    """)
    before = frame.clone()
    found = grade_labs(frame, criteria())
    assert frame.equals(before)
    assert found.select(frame.columns).equals(frame)
    assert found["grade_low"].to_list() == [4, 4, 0]
    assert found.schema["grade_low"] == pl.Int8
    assert found.schema["grade_high"] == pl.Int8


def test_nothing_in_nothing_out() -> None:
    full = labs("| test | value |\n| K | 2 |")
    found = grade_labs(full.clear(), criteria())
    assert found.schema == grade_labs(full, criteria()).schema
    assert found.height == 0


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match=r"need the columns .*uln"):
        grade_labs(labs("| test | value |\n| K | 2 |").drop("uln"), criteria())
    with pytest.raises(ValueError, match=r"version is '3\.0'"):
        criteria("3.0")  # type: ignore[arg-type]
    for word in ("symptom_missing", "baseline_rule", "baseline_graded_by", "fibrinogen_abnormal"):
        with pytest.raises(ValueError, match=f"{word} is 'so so'"):
            Policy(**{word: "so so"})


def test_bits_are_the_words() -> None:
    frame = labs("""
        | test | value | lln | uln |
        | CA   | 2.4   |     | 2.6 |
        | XYZ  | 5.1   | 3.5 | 5.0 |
        | K    |       | 3.5 | 5.0 |
        | K    | 4     | 3.5 | 5.0 |
    """)
    words, bits = grade_labs(frame, criteria()), grade_bits(frame, criteria())
    assert bits.select("grade_low", "grade_high").equals(words.select("grade_low", "grade_high"))
    for side in ("reason_low", "reason_high"):
        assert in_words(bits[side]).to_list() == words[side].to_list()
        assert bits.schema[side] == pl.Int32
    assert words["reason_high"].to_list() == ["calcium not corrected", "no criteria", "value missing", None]


def test_runs_are_rounded_like_each_number() -> None:
    numbers = pl.DataFrame({"x": [0.1 * 3, 0.1 * 3, None, None, 0.0, 2 / 3, 0.1 * 3, -1.5]})
    found = numbers.select(runs=rounded_runs(pl.col("x")), each=rounded(pl.col("x")))
    assert found["runs"].equals(found["each"])
    assert found["runs"].to_list()[0] == 0.3
