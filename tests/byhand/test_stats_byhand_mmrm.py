"""Repeated measures where the answer is known without a program, and at the edges."""

import numpy as np
import pytest
from scipy.special import stdtr

from trialwright.stats.errors import NotEstimable
from trialwright.stats.mmrm import adjusted_covariance, contrast, mmrm
from trialwright.stats.repeated import least_squares_means


def near(value, rel=1e-7):
    return pytest.approx(value, rel=rel)


# eight patients, two visits, arm 1 are the last four
BEFORE = [3, 5, 4, 8, 6, 7, 9, 10]
AFTER = [4, 4, 6, 9, 9, 8, 13, 12]
PATIENT = [*range(8), *range(8)]
VISIT = [1] * 8 + [2] * 8
ARM = [0, 0, 0, 0, 1, 1, 1, 1] * 2


class TestCompleteAndUnstructured:
    """With nobody missing and a free covariance, each visit is a two-sample t test on N - 2 = 6."""

    @pytest.mark.parametrize("freedom", ["satterthwaite", "kenward-roger"])
    def test_t_test_at_each_visit(self, freedom):
        _, means = least_squares_means(BEFORE + AFTER, PATIENT, VISIT, ARM, freedom=freedom)
        for found, values in zip(means, (BEFORE, AFTER), strict=True):
            a, b = np.array(values[:4]), np.array(values[4:])
            pooled = (((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum()) / 6
            error = np.sqrt(pooled / 2)
            assert found.difference.estimate == near(b.mean() - a.mean())
            assert found.difference.std_error == near(error)
            assert found.difference.df == near(6)
            assert found.difference.p_value == near(2 * stdtr(6, -abs(b.mean() - a.mean()) / error))
            assert found.mean_0.estimate == near(a.mean())

    def test_covariance_is_that_of_the_residuals(self):
        fit, _ = least_squares_means(BEFORE + AFTER, PATIENT, VISIT, ARM)
        x, y = np.array(BEFORE, float), np.array(AFTER, float)
        for half in (slice(0, 4), slice(4, 8)):
            x[half] -= x[half].mean()
            y[half] -= y[half].mean()
        assert fit.sigma.ravel().tolist() == near([x @ x / 6, x @ y / 6, x @ y / 6, y @ y / 6])


class TestCompoundSymmetryIsAnalysisOfVariance:
    def test_variances(self):
        # a random patient: residual = interaction mean square, patient = (between - residual)/2
        fit, means = least_squares_means(
            BEFORE + AFTER, PATIENT, VISIT, ARM, structures=["compound-symmetry"]
        )
        table = np.array([BEFORE, AFTER], float).T
        for half in (slice(0, 4), slice(4, 8)):
            table[half] -= table[half].mean(axis=0)
        between = 2 * (table.mean(axis=1) ** 2).sum() / 6
        within = ((table - table.mean(axis=1, keepdims=True)) ** 2).sum() / 6
        assert fit.sigma[0, 1] == near((between - within) / 2)
        assert fit.sigma[0, 0] == near((between + within) / 2)
        # Satterthwaite's own formula for the sum of two mean squares
        df = (between + within) ** 2 / ((between**2 + within**2) / 6)
        assert means[0].difference.df == near(df)


class TestMissingVisits:
    def test_who_missed_a_visit_still_counts_at_the_other(self):
        _, means = least_squares_means((BEFORE + AFTER)[:-1], PATIENT[:-1], VISIT[:-1], ARM[:-1])
        assert (means[1].patients_0, means[1].patients_1) == (4, 3)
        assert means[0].mean_1.estimate == near(np.mean(BEFORE[4:]))
        # the missing value is read off the regression on the visit seen
        fit, _ = least_squares_means((BEFORE + AFTER)[:-1], PATIENT[:-1], VISIT[:-1], ARM[:-1])
        slope = fit.sigma[0, 1] / fit.sigma[0, 0]
        expected = np.mean(AFTER[4:7]) + slope * (np.mean(BEFORE[4:]) - np.mean(BEFORE[4:7]))
        assert means[1].mean_1.estimate == near(expected)

    def test_kenward_roger_is_more_careful(self):
        fit, _ = least_squares_means((BEFORE + AFTER)[:-1], PATIENT[:-1], VISIT[:-1], ARM[:-1])
        assert (np.diag(adjusted_covariance(fit)) >= np.diag(fit.covariance) - 1e-12).all()

    def test_row_order_is_irrelevant(self):
        order = np.random.default_rng(3).permutation(15)
        rows = [np.array(c[:-1])[order] for c in (BEFORE + AFTER, PATIENT, VISIT, ARM)]
        fit, _ = least_squares_means(*rows)
        straight, _ = least_squares_means((BEFORE + AFTER)[:-1], PATIENT[:-1], VISIT[:-1], ARM[:-1])
        assert fit.loglik == near(straight.loglik)


def test_a_covariate_is_held_at_its_mean():
    baseline = np.tile([1.0, 2, 3, 4, 3, 4, 5, 6], 2)
    fit, means = least_squares_means(BEFORE + AFTER, PATIENT, VISIT, ARM, baseline)
    # analysis of covariance of the first visit, with nobody missing
    X = np.c_[np.repeat([1, 0], 4), np.repeat([0, 1], 4), baseline[:8] - baseline[:8].mean()]
    beta = np.linalg.lstsq(X, np.array(BEFORE, float), rcond=None)[0]
    assert (means[0].mean_0.estimate, means[0].mean_1.estimate) == near((beta[0], beta[1]))
    assert means[0].difference.df == near(5)
    assert fit.patients == 8


def test_the_next_structure_takes_over_and_says_why():
    # as many visits as patients
    rng = np.random.default_rng(1)
    patient, visit = np.repeat(range(4), 4), np.tile(range(4), 4)
    y = rng.normal(size=16) + np.repeat(rng.normal(size=4), 4)
    fit = mmrm(y, patient, visit, np.ones((16, 1)))
    assert fit.structure != "unstructured"
    assert fit.passed_over[0] == ("unstructured", "no more patients than visits")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (
            lambda: mmrm([1, 2, 3], [1, 2, 3], [1, 1, 1], np.ones((3, 3))),
            "the columns of X determine each other",
        ),
        (
            lambda: mmrm([1, 2, 3], [1, 2, 3], [1, 1, 2], np.ones((3, 1)), structures=["unstructured"]),
            "no patient was seen",
        ),
        (lambda: least_squares_means([1, 2, 3], [1, 2, 3], [1, 1, 1], [0, 0, 0]), "an arm was not seen"),
        (lambda: mmrm([1, 2], [1, 2], [1, 1], np.ones((2, 1)), structures=[]), "no structure named"),
    ],
)
def test_reasons(call, reason):
    with pytest.raises(NotEstimable, match=reason):
        call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mmrm([1, 2, 3], [1, 1, 3], [1, 1, 1], np.ones((3, 1))), "two values at one visit"),
        (lambda: mmrm([1, 2, 3], [1, 2, 3], [1, 1, 1], np.ones((2, 1))), r"X must be \(3, p\)"),
        (lambda: mmrm([1, np.nan, 3], [1, 2, 3], [1, 1, 1], np.ones((3, 1))), "y has a missing"),
        (
            lambda: mmrm([1, 2, 3], [1, 2, 3], [1, 1, 1], np.ones((3, 1)), structures=["banded"]),
            "a structure must be",
        ),
    ],
)
def test_misuse(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_contrast_misuse():
    fit, _ = least_squares_means(BEFORE + AFTER, PATIENT, VISIT, ARM)
    with pytest.raises(ValueError, match="freedom must be"):
        contrast(fit, [1, 0, 0, 0], freedom="between-within")
    with pytest.raises(ValueError, match="weights must have 4 elements"):
        contrast(fit, [1, 0])
