"""Mixed models for repeated measures against SAS PROC MIXED, nlme, lmerTest and pbkrtest.

SAS: listings and tables kept in design/SAS, design/KR and design/ddfm_covtype of the repository of the R
package mmrm (2022 to 2024; PROC MIXED, ``MODEL FEV1 = ... / ddfm=satterthwaite | kr | kr(linear)``, ``REPEATED AVISIT /
subject=USUBJID type=...``) on its artificial data set of 537 lung function measurements, data/fev.csv. The copy here
has the five decimals that the package's manual prints (the original has more: 1e-7 of the estimates), and SAS
stops when a step would add 1e-8 of the log-likelihood (4e-5), which leaves variances open in the fourth
digit where the surface is flat. Hence 2e-4 relative for estimates and errors, 5e-4 for degrees of freedom, and
half a unit of the last digit where the listing is rounded.

R: tests/reference/r/stats_mmrm.R, output stats_mmrm.txt (versions in its first line). gls stops up to 2e-8
below the top of its log-likelihood, which leaves coefficients 1e-5 of a standard error and errors 1e-5 of their
size open; lmer's errors are right to 3e-8, and lmerTest differentiates numerically (1e-7).
"""

import numpy as np
import pytest

from stats_reference import data, numbers
from trialwright.stats.errors import NotEstimable
from trialwright.stats.mmrm import mmrm
from trialwright.stats.visit_means import Covariates, visit_means

R = numbers("stats_mmrm.txt")
FEV = data("fev")
VISITS = np.arange(1, 5)


def fev(name):
    """A column of the patients, once for each of the four visits."""
    return np.repeat(FEV[name], 4)


SUBJECT, VISIT = fev("subject"), np.tile(VISITS, FEV["subject"].size)
Y = np.column_stack([FEV[f"visit{v}"] for v in VISITS]).ravel()
TREATED = (fev("arm") == "T").astype(float)
BY_ARM = np.column_stack((np.ones(Y.size), TREATED))
AT = (VISIT[:, None] == VISITS[1:]).astype(float)
FULL = np.column_stack(
    (
        BY_ARM,
        AT,
        AT * TREATED[:, None],
        fev("race") == "B",
        fev("race") == "W",
        fev("sex") == "F",
    )
)

# structure, degrees of freedom: estimate, standard error, DF of TRT - PBO
SAS = {
    ("ar1", "kenward-roger"): (4.22574315817874, 0.95865439662225, 188.46934887972),
    ("ar1", "kenward-roger-linear"): (4.22574315817874, 0.96058142305176, 188.46934887972),
    ("ar1-heterogeneous", "kenward-roger"): (3.72674356244499, 0.7590316099633, 188.225339095373),
    ("ar1-heterogeneous", "kenward-roger-linear"): (3.72674356244499, 0.75924807546934, 188.225339095373),
    ("compound-symmetry", "kenward-roger"): (4.19663617897035, 0.7964696053595, 177.038485931223),
    ("compound-symmetry-heterogeneous", "kenward-roger"): (
        3.77090812499029,
        0.67414806011886,
        190.737701349941,
    ),
    ("compound-symmetry-heterogeneous", "kenward-roger-linear"): (
        3.77090812499029,
        0.67403858183242,
        190.737701349941,
    ),
    ("toeplitz", "kenward-roger"): (4.47051860580552, 0.87839805519623, 160.027408337368),
    ("toeplitz-heterogeneous", "kenward-roger"): (3.92287746213894, 0.72543828853831, 180.062730071701),
    ("toeplitz-heterogeneous", "kenward-roger-linear"): (
        3.92287746213894,
        0.72537324518435,
        180.062730071701,
    ),
    ("unstructured", "kenward-roger"): (3.81972492174648, 0.66124382270307, 160.733266403768),
}


@pytest.mark.parametrize(("structure", "df"), SAS)
def test_sas_kenward_roger(structure, df):
    found = mmrm(Y, SUBJECT, VISIT, BY_ARM, structures=[structure], df=df).contrast([0, 1])
    estimate, std_error, freedom = SAS[structure, df]
    np.testing.assert_allclose([found.estimate[0], found.std_error[0]], [estimate, std_error], rtol=2e-4)
    np.testing.assert_allclose(found.df[0], freedom, rtol=5e-4)


def test_the_second_order_is_what_sas_has_and_not_the_first():
    # where the surface is steep SAS has settled: six digits, and the two forms differ in the third
    first, second = (
        mmrm(Y, SUBJECT, VISIT, BY_ARM, structures=["ar1"], df=df).contrast([0, 1]).std_error[0]
        for df in ("kenward-roger-linear", "kenward-roger")
    )
    np.testing.assert_allclose([second, first], [0.95865439662225, 0.96058142305176], rtol=2e-6)


def test_sas_satterthwaite_autoregressive():
    fit = mmrm(Y, SUBJECT, VISIT, BY_ARM, structures=["ar1"])
    assert -2 * fit.loglik == pytest.approx(3855.12433951, abs=1e-4)
    assert dict(fit.parameters) == pytest.approx(
        {"variance": 84.4289, "correlation of neighbours": 0.3904}, abs=1e-4
    )
    found = fit.contrast([[1, 0], [0, 1], [1, 1]])
    assert found.estimate == pytest.approx([40.2881, 4.2257, 44.5139], abs=1e-4)
    assert found.std_error == pytest.approx([0.6659, 0.9599, 0.6913], abs=1e-4)
    assert np.round(found.df).tolist() == [194, 188, 183]
    assert found.lower == pytest.approx([38.9748, 2.3323, 43.1499], abs=1e-4)
    assert found.upper == pytest.approx([41.6014, 6.1192, 45.8778], abs=1e-4)


class TestSasUnstructured:
    """design/SAS/sas_log_reml.txt; its contrasts of visits and arms have PBO and VIS1 as reference."""

    fit = mmrm(Y, SUBJECT, VISIT, FULL)

    def test_likelihood_and_covariance(self):
        assert (self.fit.structure, self.fit.passed_over) == ("unstructured", ())
        assert (self.fit.n_subjects, self.fit.n_observations, self.fit.n_missing) == (197, 537, 251)
        assert -2 * self.fit.loglik == pytest.approx(3386.44987722, abs=1e-4)
        listed = [  # visits 2, 3, 4, 1
            [26.5692, 2.7851, 7.4790, 14.3982],
            [2.7851, 14.8970, 0.9017, 4.9744],
            [7.4790, 0.9017, 95.5528, 13.3731],
            [14.3982, 4.9744, 13.3731, 40.5509],
        ]
        order = np.ix_([1, 2, 3, 0], [1, 2, 3, 0])
        assert self.fit.sigma[order] == pytest.approx(np.array(listed), abs=6e-3)

    def test_coefficients(self):
        found = self.fit.contrast(np.eye(11))
        estimate = [30.7774, 3.7745, 4.8396, 10.3422, 15.0537, -0.04231, -0.6939, 0.6240, 1.5305, 5.6436]
        assert found.estimate == pytest.approx([*estimate, 0.3262], abs=3e-4)
        error = [0.8865, 1.0741, 0.8016, 0.8227, 1.3129, 1.1292, 1.1876, 1.8510, 0.6244, 0.6656, 0.5319]
        assert found.std_error == pytest.approx(error, abs=2e-4)
        freedom = [219, 146, 144, 156, 138, 139, 158, 130, 169, 157, 166]
        assert np.round(found.df).tolist() == freedom
        assert found.p_value[[1, 5, 8, 10]] == pytest.approx([0.0006, 0.9702, 0.0153, 0.5406], abs=2e-4)

    def test_type_3(self):
        race = self.fit.joint(np.eye(11)[[8, 9]])
        assert (race.df_numerator, round(race.df_denominator)) == (2, 166)
        assert race.f == pytest.approx(36.92, abs=0.01)
        interaction = self.fit.joint(np.eye(11)[[5, 6, 7]])
        assert (interaction.df_numerator, round(interaction.df_denominator)) == (3, 148)
        assert [interaction.f, interaction.p_value] == pytest.approx([0.26, 0.8555], abs=5e-3)
        # the arm at the mean of the visits, the visits at the mean of the arms
        arm = np.zeros(11)
        arm[1], arm[[5, 6, 7]] = 1, 1 / 4
        assert self.fit.joint(arm).f == pytest.approx(31.67, abs=0.01)
        visits = np.zeros((3, 11))
        visits[range(3), range(2, 5)], visits[range(3), range(5, 8)] = 1, 1 / 2
        found = self.fit.joint(visits)
        assert (found.f, round(found.df_denominator)) == (pytest.approx(142.11, abs=0.03), 148)

    def test_least_squares_means_need_no_arithmetic(self):
        found = visit_means(Y, SUBJECT, VISIT, fev("arm"), Covariates(factors=[fev("race"), fev("sex")]))
        assert found.model.loglik == pytest.approx(self.fit.loglik, abs=1e-8)
        middle = [0.0] * 8 + [1 / 3, 1 / 3, 1 / 2]  # equal shares of race and sex
        at_visit_1 = self.fit.contrast([[1, 0, *[0] * 6, *middle[8:]], [1, 1, *[0] * 6, *middle[8:]]])
        np.testing.assert_allclose(found.means.estimate[[0, 4]], at_visit_1.estimate, rtol=1e-9)
        np.testing.assert_allclose(found.means.df[[0, 4]], at_visit_1.df, rtol=1e-6)
        np.testing.assert_allclose(found.differences.estimate[0], self.fit.coef[1], rtol=1e-9)
        over = self.fit.contrast([0, 1, 0, 0, 0, 1 / 4, 1 / 4, 1 / 4, 0, 0, 0])
        np.testing.assert_allclose(found.over_visits.std_error, over.std_error, rtol=1e-9)


def test_sas_joint_test_of_kenward_and_roger():
    # the R package mmrm 0.2 to 0.3 (its snapshot kenwardroger.md, h_df_md_kr): 188.6484
    found = mmrm(Y, SUBJECT, VISIT, BY_ARM, structures=["ar1"], df="kenward-roger").joint(np.eye(2))
    assert found.df_denominator == pytest.approx(188.6484, rel=1e-5)


# --- R ----------------------------------------------------------------------------------------------------


def trial(name):
    """y, subject, visit and the design of the R programs: intercept, visits, group, visits by group."""
    if name == "fev":
        y, subject, visit, group = Y, SUBJECT, VISIT, TREATED
    else:
        d = data(name)
        y, subject, visit, group = d["y"], d["subject"], d["visit"], d["group"]
    at = (visit[:, None] == np.unique(visit)[1:]).astype(float)
    X = np.column_stack((np.ones(y.size), at, group, at * group[:, None]))
    return y, subject, visit, X


@pytest.mark.parametrize("key", [key for key in R if key.endswith(".loglik")])
def test_gls(key):
    name, structure, _ = key.split(".")
    fit = mmrm(*trial(name), structures=[structure])
    assert -1e-10 < fit.loglik - R[key][0] < 5e-8  # gls stops below the top, never above it
    std_error = fit.contrast(np.eye(fit.coef.size)).std_error
    in_errors = (fit.coef - R[f"{name}.{structure}.coef"]) / std_error
    np.testing.assert_allclose(in_errors, 0, atol=3e-5)
    np.testing.assert_allclose(std_error, R[f"{name}.{structure}.se"], rtol=3e-5)


@pytest.mark.parametrize("name", ["fev", "orthodont", "orthodont_gaps", "bodyweight", "chickweight"])
def test_random_intercept(name):
    y, subject, visit, X = trial(name)
    p, k = X.shape[1], X.shape[1] // 2
    last = np.eye(p)[k + 1 :]
    plain = mmrm(y, subject, visit, X, structures=["compound-symmetry"])
    each = plain.contrast(np.eye(p))
    np.testing.assert_allclose(each.std_error, R[f"{name}.random.se"], rtol=1e-7)
    np.testing.assert_allclose(each.df, R[f"{name}.random.satterthwaite"], rtol=5e-7)
    joint = plain.joint(last)
    f, df, p_value = R[f"{name}.random.joint"]
    np.testing.assert_allclose([joint.f, joint.df_denominator, joint.p_value], [f, df, p_value], rtol=5e-7)
    corrected = mmrm(
        y, subject, visit, X, structures=["compound-symmetry"], df="kenward-roger", information="expected"
    )
    each = corrected.contrast(np.eye(p))
    np.testing.assert_allclose(each.std_error, R[f"{name}.random.kr.se"], rtol=1e-7)
    np.testing.assert_allclose(each.df, R[f"{name}.random.kr.df"], rtol=1e-7)
    joint = corrected.joint(last)
    f, df, p_value = R[f"{name}.random.kr.joint"]
    np.testing.assert_allclose([joint.f, joint.df_denominator, joint.p_value], [f, df, p_value], rtol=5e-7)


def test_fewer_rats_than_a_structure_needs():
    y, subject, visit, X = trial("bodyweight")
    few = np.isin(subject, [1, 2, 9, 10])
    with pytest.raises(NotEstimable, match="unstructured: the covariance matrix became singular"):
        mmrm(y[few], subject[few], visit[few], X[few], structures=["unstructured"])
    fit = mmrm(y[few], subject[few], visit[few], X[few])  # two degrees of freedom for five variances
    assert fit.structure == "ar1-heterogeneous"
    assert [name for name, _ in fit.passed_over] == ["unstructured"]
