"""Repeated measures on paper. Where nothing is missing the model is a textbook's t test or analysis of variance."""

from math import log, pi, sqrt

import numpy as np
import pytest

from trialwright.stats.errors import NotEstimable
from trialwright.stats.kenward_roger import kenward_roger_f
from trialwright.stats.mmrm import mmrm
from trialwright.stats.visit_means import Covariates, visit_means

NAN = float("nan")
METHODS = ["satterthwaite", "kenward-roger", "kenward-roger-linear"]


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def means(visit):
    """One mean for each visit."""
    return (np.asarray(visit)[:, None] == np.unique(visit)).astype(float)


class TestPairedT:
    """Three patients twice, rows in no order: (1, 3), (2, 6), (3, 6). Differences 2, 4, 3.

    | visit | mean | deviations | variance |
    | 1     | 2    | -1, 0, 1   | 1        |
    | 2     | 5    | -2, 1, 1   | 3        |

    covariance (2 + 0 + 1)/2 = 3/2; determinant 3 - 9/4 = 3/4
    """

    y = [6, 1, 3, 2, 3, 6]
    subject = ["c", "a", "c", "b", "a", "b"]
    visit = [2, 1, 1, 1, 2, 2]

    @pytest.mark.parametrize("df", METHODS)
    def test_change(self, df):
        fit = mmrm(self.y, self.subject, self.visit, means(self.visit), df=df)
        assert fit.sigma.ravel().tolist() == near([1, 3 / 2, 3 / 2, 3])
        assert fit.coef.tolist() == near([2, 5])
        change = fit.contrast([-1, 1])
        assert change.estimate[0] == near(3)
        assert change.std_error[0] == near(1 / sqrt(3))  # the differences have variance 1
        assert change.df[0] == near(2)
        assert change.t[0] == near(3 * sqrt(3))
        # two-sided tail of t on 2 degrees of freedom: 1 - t/sqrt(2 + t²)
        assert change.p_value[0] == near(1 - sqrt(27 / 29))
        assert change.upper[0] - 3 == near(4.302652729749464 / sqrt(3))
        assert 3 - change.lower[0] == near(4.302652729749464 / sqrt(3))

    def test_restricted_likelihood(self):
        fit = mmrm(self.y, self.subject, self.visit, means(self.visit))
        # log|V| = 3 log 3/4; X'V⁻¹X = 3 S⁻¹, of determinant 9/(3/4); squares (n - 1) 2 = 4; N - p = 4
        assert -2 * fit.loglik == near(3 * log(3 / 4) + log(12) + 4 + 4 * log(2 * pi))

    def test_value(self):
        fit = mmrm(self.y, self.subject, self.visit, means(self.visit))
        assert (fit.n_subjects, fit.n_observations, fit.n_missing) == (3, 6, 0)
        assert fit.visits.tolist() == [1, 2]
        assert dict(fit.parameters) == near({"covariance 1,1": 1, "covariance 1,2": 1.5, "covariance 2,2": 3})


class TestAnalysisOfVariance:
    """Three patients thrice under compound symmetry.

    | patient | 1 | 2 | 3 | mean |
    | a       | 1 | 3 | 5 | 3    |
    | b       | 2 | 6 | 4 | 4    |
    | c       | 3 | 6 | 6 | 5    |
    | mean    | 2 | 5 | 5 | 4    |

    squares: total 28 (9+1+1 + 4+4+0 + 1+4+4), visits 3 (4 + 1 + 1) = 18, patients 3 (1 + 0 + 1) = 6, rest 4
    mean squares: visits 9 on 2, patients 3 on 2, rest 1 on 4; F = 9
    variance between patients (3 - 1)/3 = 2/3, within 1
    """

    y = [1, 3, 5, 2, 6, 4, 3, 6, 6]
    subject = np.repeat(["a", "b", "c"], 3)
    visit = np.tile([1, 2, 3], 3)

    @pytest.mark.parametrize("df", METHODS)
    def test_visits(self, df):
        fit = mmrm(
            self.y, self.subject, self.visit, means(self.visit), structures=["compound-symmetry"], df=df
        )
        assert dict(fit.parameters) == near(
            {"covariance between visits": 2 / 3, "variance within a visit": 1}
        )
        joint = fit.joint([[-1, 1, 0], [-1, 0, 1], [0, -1, 1]])  # the third follows from the others
        assert (joint.f, joint.df_numerator, joint.df_denominator) == near((9, 2, 4))
        assert joint.p_value == near((1 + 9 * 2 / 4) ** -2)  # F on 2 and 4
        change = fit.contrast([[-1, 1, 0], [1, 1, 1]])
        assert change.std_error[0] == near(sqrt(2 / 3))
        assert change.df.tolist() == near([4, 2])  # within patients, between patients
        assert change.std_error[1] == near(3 * sqrt(3 / 9))  # all nine: patients' mean square / 9

    def test_satterthwaite_of_one_visit(self):
        """(MS between + 2 MS within)/9: 2 (5/9)² / (2 (3/9)²/2 + 2 (2/9)²/4) = 25/(9/2 + 1)."""
        fit = mmrm(self.y, self.subject, self.visit, means(self.visit), structures=["compound-symmetry"])
        one = fit.contrast([1, 0, 0])
        assert one.std_error[0] == near(sqrt(5) / 3)
        assert one.df[0] == near(50 / 11)


@pytest.mark.parametrize("df", METHODS)
def test_two_arms_at_one_of_two_visits_are_a_two_sample_t(df):
    """Nothing missing, unstructured: at each visit the pooled variance on 3 + 3 - 2.

    visit 2: control 1, 2, 3, treated 4, 6, 8: 6 - 2 = 4, pooled variance (2 + 8)/4, error sqrt(5/2 2/3)
    """
    y = [0, 1, 5, 2, 2, 3, 1, 4, 3, 6, 1, 8]
    subject, visit, arm = np.repeat(range(6), 2), np.tile([1, 2], 6), np.repeat(["A", "B"], 6)
    found = visit_means(y, subject, visit, arm, df=df)
    assert found.means.estimate.tolist() == near([7 / 3, 2, 5 / 3, 6])
    assert found.differences.estimate.tolist() == near([5 / 3 - 7 / 3, 4])
    assert found.differences.std_error[1] == near(sqrt(5 / 3))
    assert found.differences.df.tolist() == near([4, 4])
    # over both visits: each patient's mean is compared: 0.5, 3.5, 2.5 with 2.5, 4.5, 4.5
    assert found.over_visits.estimate[0] == near(23 / 6 - 13 / 6)
    squares = sum((x - 13 / 6) ** 2 for x in (0.5, 3.5, 2.5)) + sum(
        (x - 23 / 6) ** 2 for x in (2.5, 4.5, 4.5)
    )
    assert found.over_visits.std_error[0] == near(sqrt(squares / 4 * 2 / 3))
    turned = visit_means(y, subject, visit, arm, reference="B", df=df)
    assert turned.arms.tolist() == ["B", "A"]
    assert turned.differences.estimate.tolist() == near([7 / 3 - 5 / 3, -4])


class TestDropOut:
    """Four patients, the last two not seen at visit 2 (once as NaN, once without a row).

    | patient | 1 | 2 |
    | a       | 1 | 2 |
    | b       | 3 | 8 |
    | c       | 4 | 6 |
    | d       | 6 | . |
    | e       | 6 | . |

    visit 1: mean 4, squares 9 + 1 + 0 + 4 + 4 = 18, variance 18/4. The three seen twice have means 8/3 and 16/3,
    deviations (-5, 1, 4)/3 and (-10, 8, 2)/3, squares 14/3 and 56/3, products 22/3, slope 22/3 / (14/3) = 11/7:
    at visit 2 the five would have had 16/3 + 11/7 (4 - 8/3).
    """

    y = [1, 2, 3, 8, 4, 6, 6, NAN, 6]
    subject = list("aabbccdde")
    visit = [1, 2, 1, 2, 1, 2, 1, 2, 1]

    def test_missing_at_random(self):
        fit = mmrm(self.y, self.subject, self.visit, means(self.visit))
        assert (fit.n_observations, fit.n_missing, fit.n_subjects) == (8, 1, 5)
        slope = 11 / 7
        assert fit.coef.tolist() == near([4, 16 / 3 + slope * (4 - 8 / 3)])
        # about the line: squares 56/3 - slope 22/3 = 50/7, on 3 - 1 (the slope is a covariance parameter)
        rest = (56 / 3 - slope * 22 / 3) / 2
        assert fit.sigma.ravel().tolist() == near([4.5, slope * 4.5, slope * 4.5, rest + slope**2 * 4.5])

    def test_the_mean_of_those_who_stayed_is_something_else(self):
        assert mmrm(self.y, self.subject, self.visit, means(self.visit)).coef[1] > 16 / 3


class TestStructures:
    @pytest.mark.parametrize(
        ("structure", "parameters", "matrix"),
        [
            ("compound-symmetry", [1, 2], [[3, 1, 1], [1, 3, 1], [1, 1, 3]]),
            ("toeplitz", [4, 2, 1], [[4, 2, 1], [2, 4, 2], [1, 2, 4]]),
            ("ar1", [4, 0.5], [[4, 2, 1], [2, 4, 2], [1, 2, 4]]),
            ("ar1", [4, -0.5], [[4, -2, 1], [-2, 4, -2], [1, -2, 4]]),
            ("ar1-heterogeneous", [1, 4, 9, 0.5], [[1, 1, 0.75], [1, 4, 3], [0.75, 3, 9]]),
            ("compound-symmetry-heterogeneous", [1, 4, 9, 0.5], [[1, 1, 1.5], [1, 4, 3], [1.5, 3, 9]]),
            ("toeplitz-heterogeneous", [1, 4, 9, 0.5, 0.1], [[1, 1, 0.3], [1, 4, 3], [0.3, 3, 9]]),
            ("unstructured", [1, 2, 5, 3, 4, 6], [[1, 2, 3], [2, 5, 4], [3, 4, 6]]),
        ],
    )
    def test_matrix(self, structure, parameters, matrix):
        from trialwright.stats.covariance_structures import family

        shape = family(structure, 3)
        assert len(shape.names) == len(parameters)
        theta = np.array(parameters, dtype=float)
        at = shape.at(theta)
        assert at.matrix.tolist() == [near(row) for row in matrix]
        assert shape.start(at.matrix).tolist() == near(parameters)  # the rough matrix gives them back
        step = 1e-5
        for k in range(theta.size):
            move = step * np.eye(theta.size)[k]
            up, down = shape.at(theta + move), shape.at(theta - move)
            slope = (up.matrix - down.matrix) / (2 * step)
            np.testing.assert_allclose(at.first[k], slope, atol=1e-8)
            bend = (up.first - down.first) / (2 * step)
            np.testing.assert_allclose(0 if at.second is None else at.second[k], bend, atol=1e-8)


def test_kenward_roger_of_one_contrast_is_satterthwaite():
    phi, gradient, W = np.eye(2), np.array([[[0.5, 0.1], [0.1, 0.2]]]), np.array([[0.3]])
    factor, df = kenward_roger_f(phi, gradient, W, np.array([[1.0, 0.0]]))
    assert (factor, df) == near((1, 2 / (0.5**2 * 0.3)))


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: mmrm([NAN], [1], [1], [[1]]), "no observations"),
        (lambda: mmrm([1, 2], [1, 2], [1, 1], np.eye(2)), "2 observations do not determine 2 coefficients"),
        (
            lambda: mmrm([1, 2, 4], [1, 2, 3], [1, 1, 1], [[1, 2]] * 3),
            "column 1 of X follows from those before it",
        ),
        (lambda: mmrm([1, 1, 1], [1, 2, 3], [1, 1, 1], [[1]] * 3), "nothing varies about the fitted means"),
        (
            lambda: mmrm([1, 2, 3, 5], [1, 2, 3, 4], [1, 1, 2, 2], [[1]] * 4, structures=["unstructured"]),
            "nobody was seen at both visit 1 and visit 2",
        ),
        (
            lambda: mmrm([1, 2, 4], [1, 2, 3], [1, 1, 1], [[1]] * 3, structures=["ar1"]),
            "ar1: the data do not determine every covariance parameter",
        ),
        (
            lambda: visit_means([1, 2, 3, 4], [1, 2, 3, 3], [1, 1, 1, 2], ["A", "A", "B", "B"]),
            "nobody of arm A was seen at visit 2",
        ),
        (lambda: visit_means([1, 2], [1, 2], [1, 1], ["A", "A"]), "one arm only"),
    ],
)
def test_reasons(call, reason):
    with pytest.raises(NotEstimable) as caught:
        call()
    assert caught.value.reason == reason


def test_never_seen_together_falls_back():
    # visits 1 and 3 share no patient: autoregression still joins them through visit 2
    y = [1, 2, 2, 4, 4, 5, 1, 3, 2, 2, 3, 5]
    subject = np.repeat(range(6), 2)
    visit = [1, 2] * 3 + [2, 3] * 3
    fit = mmrm(y, subject, visit, np.ones((12, 1)), structures=["unstructured", "ar1"])
    assert fit.structure == "ar1"
    assert fit.passed_over == (("unstructured", "nobody was seen at both visit 1 and visit 3"),)


def test_one_visit_is_least_squares():
    fit = mmrm([1, 2, 6], [1, 2, 3], ["V1"] * 3, [[1]] * 3)
    assert fit.sigma[0, 0] == near(7)
    assert fit.contrast([1]).df[0] == near(2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mmrm([1, 2], [1, 1], [1, 1], [[1], [1]]), "a patient has two rows for one visit"),
        (lambda: mmrm([1, 2], [1], [1, 2], [[1], [1]]), "subject has shape"),
        (lambda: mmrm([1, 2], [1, 1], [1, 2], [1, 1]), "X must have one row for each of the 2 of y"),
        (lambda: mmrm([1, 2], [1, 1], [1, 2], [[1], [NAN]]), "X has a missing or infinite value"),
        (lambda: mmrm([1, float("inf")], [1, 1], [1, 2], [[1], [1]]), "y has a missing or infinite"),
        (lambda: mmrm([[1]], [1], [1], [[1]]), "y must have one dimension"),
        (lambda: mmrm([1], [1], [1], [[1]], structures=[]), "structures must name at least one"),
        (lambda: mmrm([1], [1], [1], [[1]], structures=["un"]), "structure must be one of"),
        (lambda: mmrm([1], [1], [1], [[1]], df="kr"), "df must be one of"),
        (lambda: mmrm([1], [1], [1], [[1]], information="fisher"), "information must be one of"),
        (lambda: fitted().contrast([1, 2, 3]), "a contrast must have 2 coefficients"),
        (lambda: fitted().contrast([0, 0]), "no coefficient other than 0"),
        (lambda: visit_means([1, 2], [1, 2], [1, 1], ["A", "B"], reference="C"), "'C' is not an arm: A, B"),
        (
            lambda: visit_means([1, 2], [1, 2], [1, 1], ["A", "B"], Covariates([NAN, 1])),
            "by_visit has a missing",
        ),
        (
            lambda: visit_means([1, 2], [1, 2], [1, 1], ["A", "B"], Covariates([1])),
            "by_visit must have one row",
        ),
        (
            lambda: visit_means([1, 2], [1, 2], [1, 1], ["A", "B"], Covariates(margins="om")),
            "margins must be one of",
        ),
    ],
)
def test_misuse(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def fitted():
    return mmrm(TestPairedT.y, TestPairedT.subject, TestPairedT.visit, means(TestPairedT.visit))


def test_baseline_and_strata_stand_at_their_means():
    """One visit, so that it is a regression, and the means are its value at chosen covariates.

    | arm | stratum | baseline | y |
    | A   | s       | 0        | 1 |
    | A   | s       | 2        | 3 |
    | A   | t       | 4        | 9 |
    | B   | s       | 0        | 4 |
    | B   | t       | 2        | 8 |
    | B   | t       | 4        | 11 |
    """
    y, arm = np.array([1.0, 3, 9, 4, 8, 11]), list("AAABBB")
    stratum, baseline = list("sststt"), np.array([0.0, 2, 4, 0, 2, 4])
    X = np.column_stack(
        ([a == "A" for a in arm], [a == "B" for a in arm], baseline, [s == "t" for s in stratum])
    )
    b = np.linalg.lstsq(X.astype(float), y)[0]
    for margins, share in (("equal", 1 / 2), ("observed", 3 / 6)):
        covariates = Covariates(baseline, [stratum, ["one"] * 6], margins)
        found = visit_means(y, range(6), ["V1"] * 6, arm, covariates)
        expected = b[:2] + 2 * b[2] + share * b[3]  # the mean baseline is 2
        assert found.means.estimate.tolist() == near(expected.tolist())
    covariates = Covariates(baseline[:5], [stratum[:5]], "observed")
    found = visit_means(y[:5], range(5), ["V1"] * 5, arm[:5], covariates)
    b = np.linalg.lstsq(X[:5].astype(float), y[:5])[0]
    assert found.means.estimate.tolist() == near((b[:2] + 8 / 5 * b[2] + 2 / 5 * b[3]).tolist())
