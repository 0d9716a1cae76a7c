"""RECIST 1.1: each published number a hair before and at its limit, and what a policy may not say."""

import polars as pl
import pytest

from recist_frames import framed, measured, of_sums
from trialwright.medicine import recist


@pytest.mark.parametrize(
    ("sums", "response"),
    [
        pytest.param((20, 24.999), "SD", id="a quarter more, but a hair less than 5 mm"),
        pytest.param((20, 25), "PD", id="a quarter more and 5 mm"),
        pytest.param((100, 119.99), "SD", id="a hair less than 20 %"),
        pytest.param((100, 120), "PD", id="20 %"),
        pytest.param((100, 70.01), "SD", id="a hair less than 30 % smaller"),
        pytest.param((100, 70), "PR", id="30 % smaller"),
    ],
)
def test_the_limits_of_the_sum(sums, response):
    assert recist.target_course(of_sums(*sums))["target_response"][-1] == response


@pytest.mark.parametrize(("short_axis", "response"), [(9.99, "CR"), (10, "PR")])
def test_the_limit_of_a_node(short_axis, response):
    course = measured(
        f"assessment | lesion | nodal | diameter_mm\n0 | T1 | true | 20\n1 | T1 | true | {short_axis}"
    )
    assert recist.target_course(course)["target_response"][-1] == response


@pytest.mark.parametrize(
    "number", [{"too_small_mm": -0.1}, {"confirmation_days": -1}, {"bor_pd_max_days": -1}]
)
def test_a_number_below_zero_is_refused(number):
    name = next(iter(number))
    with pytest.raises(ValueError, match=f"^recist {name} is not negative"):
        recist.Policy(**number)


def test_faults_at_baseline_stand_by_patient_assessor_rule_and_lesion():
    """A lesion of which nobody says that it is a node is none."""
    drawn = framed(
        """
        subject | assessor | lesion | diameter_mm | nodal | rule
        1       | BICR     | T2     | 9.99        | false | not_measurable
        1       | INV      | T1     | 9.99        |       | not_measurable
        1       | INV      | T2     | 9           | false | not_measurable
        1       | INV      | T3     | 14.99       | true  | node_not_measurable
        2       | BICR     | T1     | 9           | false | not_measurable
        """
    ).sort("subject", "assessor", "rule", "lesion")
    targets = drawn.drop("rule").with_columns(day=pl.lit(-7), organ="lesion")
    for given in (targets, targets.reverse()):
        found = recist.baseline_faults(given)
        assert found.select("subject", "assessor", "lesion", "rule").rows() == (
            drawn.select("subject", "assessor", "lesion", "rule").rows()
        )
