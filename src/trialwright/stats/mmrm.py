"""The mixed model for repeated measures: means by visit, patients correlated with themselves.

Restricted maximum likelihood (reml.py); visits that were missed are missing at random and need no
filling in. Degrees of freedom: Satterthwaite, Biometrics 1946;2:110, with several contrasts at once as Fai
and Cornelius, J Stat Comput Simul 1996;54:363; or Kenward and Roger, Biometrics 1997;53:983, which also
corrects the standard errors (its first-order form is that of Prasad, Rao, Harville and Jeske).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, codes, same_length, vector
from trialwright.stats.covariance_structures import Structure, family
from trialwright.stats.errors import NotEstimable
from trialwright.stats.kenward_roger import adjusted_covariance, kenward_roger_f
from trialwright.stats.reml import Repeated, Top, first_that_climbs, repeated, unpaired
from trialwright.stats.student import f_above, t_of, two_sided_t

DegreesOfFreedom = Literal["satterthwaite", "kenward-roger", "kenward-roger-linear"]
Information = Literal["observed", "expected"]
FALLBACK: tuple[Structure, ...] = ("unstructured", "ar1-heterogeneous", "ar1", "compound-symmetry")


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """One element for each contrast; t tests against 0."""

    estimate: Floats
    std_error: Floats
    df: Floats
    lower: Floats
    upper: Floats
    t: Floats
    p_value: Floats


@dataclass(frozen=True, slots=True)
class JointTest:
    """Several contrasts are 0 at once."""

    f: float
    df_numerator: int
    df_denominator: float
    p_value: float


@dataclass(frozen=True, slots=True, eq=False)
class MMRM:
    """A fitted model: p coefficients, T visits, q covariance parameters.

    ``covariance`` is that of the coefficients, corrected where ``df`` says Kenward-Roger;
    ``model_covariance`` is not. ``passed_over`` are the structures tried before, each with the reason why it
    has no estimate.
    """

    coef: Floats  # (p,)
    covariance: Floats  # (p, p)
    model_covariance: Floats  # (p, p)
    visits: npt.NDArray[np.generic]  # (T,) labels in order
    sigma: Floats  # (T, T) covariance of a patient's visits
    structure: str
    parameters: tuple[tuple[str, float], ...]
    passed_over: tuple[tuple[str, str], ...]
    loglik: float  # restricted
    df: DegreesOfFreedom
    n_subjects: int
    n_observations: int
    n_missing: int  # rows without y
    steps: int
    gradient: Floats  # (q, p, p) of model_covariance, by the parameters
    parameter_covariance: Floats  # (q, q)

    def contrast(self, L: npt.ArrayLike, *, confidence: float = 0.95) -> Estimates:
        """Each row of L, (m, p) or (p,), times the coefficients."""
        rows = _contrasts(L, self.coef.size)
        estimate = rows @ self.coef
        std_error = np.sqrt(np.einsum("mi,ij,mj->m", rows, self.covariance, rows))
        df = _satterthwaite(self, rows)
        half = t_of(confidence, df) * std_error
        t = estimate / std_error
        return Estimates(estimate, std_error, df, estimate - half, estimate + half, t, two_sided_t(t, df))

    def joint(self, L: npt.ArrayLike) -> JointTest:
        """All rows of L, (m, p), are 0: an F test. Rows that follow from others are not counted."""
        rows = _independent(_contrasts(L, self.coef.size))
        if self.df == "satterthwaite":
            f, df = _fai_cornelius(self, rows)
        else:
            f, df = kenward_roger_f(self.model_covariance, self.gradient, self.parameter_covariance, rows)
            f *= _wald(self, rows)
        return JointTest(float(f), len(rows), df, f_above(f, len(rows), df))


def mmrm(
    y: npt.ArrayLike,
    subject: npt.ArrayLike,
    visit: npt.ArrayLike,
    X: npt.ArrayLike,
    *,
    structures: Sequence[Structure] = FALLBACK,
    df: DegreesOfFreedom = "satterthwaite",
    information: Information = "observed",
) -> MMRM:
    """Fit N rows, one for each visit of each patient, with the design X (N, p).

    ``y`` is NaN, or the row is absent, where the visit was missed. Labels of ``subject`` and ``visit``
    are of any sort; visits are in sorted order, and neighbours in it are one step apart. The first of
    ``structures`` with an estimate is used. ``information`` is where the uncertainty of the
    covariance parameters comes from: SAS takes the observed, the R package pbkrtest the expected.

    Raises ``NotEstimable`` where no structure has an estimate, with each reason, and where columns of X
    determine each other.
    """
    _known(structures, df, information)
    outcome, X, subject, visit, missing = _rows(y, subject, visit, X)
    who, _ = codes(subject, "subject", outcome.size)
    when, n_visits = codes(visit, "visit", outcome.size)
    if np.unique(who * n_visits + when).size < outcome.size:
        raise ValueError("a patient has two rows for one visit")
    model = repeated(outcome, who, when, X, n_visits)
    labels = np.unique(visit)
    passed = _impossible(model, structures, labels)
    shapes = [(name, family(name, n_visits)) for name in structures if name not in dict(passed)]
    if not shapes:
        raise NotEstimable(passed[0][1])
    name, shape, top, more = first_that_climbs(model, shapes)
    fit = _in_given_columns(model, top, df, information)
    return MMRM(
        **fit,
        visits=labels,
        sigma=top.covariance.matrix,
        structure=name,
        parameters=tuple(zip(shape.names, top.theta.tolist(), strict=True)),
        passed_over=(*passed, *more),
        loglik=top.level.loglik,
        df=df,
        n_subjects=model.patients,
        n_observations=model.rows,
        n_missing=missing,
        steps=top.steps,
    )


def _known(structures: Sequence[str], df: str, information: str) -> None:
    if not structures:
        raise ValueError("structures must name at least one")
    for value, kind, name in ((df, DegreesOfFreedom, "df"), (information, Information, "information")):
        if value not in get_args(kind):
            raise ValueError(f"{name} must be one of {', '.join(get_args(kind))}, not {value!r}")
    for structure in structures:
        family(structure, 2)  # type: ignore[arg-type]


def _rows(
    y: npt.ArrayLike, subject: npt.ArrayLike, visit: npt.ArrayLike, X: npt.ArrayLike
) -> tuple[Floats, Floats, npt.NDArray[np.generic], npt.NDArray[np.generic], int]:
    """The rows with an outcome."""
    outcome = np.asarray(y, dtype=np.float64)
    if outcome.ndim != 1:
        raise ValueError(f"y must have one dimension, not {outcome.ndim}")
    seen = ~np.isnan(outcome)
    who, when = (
        same_length(np.asarray(a), n, outcome.size) for a, n in ((subject, "subject"), (visit, "visit"))
    )
    design = np.asarray(X, dtype=np.float64)
    if design.ndim != 2 or len(design) != outcome.size or not design.shape[1]:
        raise ValueError(f"X must have one row for each of the {outcome.size} of y, not shape {design.shape}")
    if not seen.any():
        raise NotEstimable("no observations")
    if not np.isfinite(design[seen]).all():
        raise ValueError("X has a missing or infinite value where y has none")
    return vector(outcome[seen], "y"), design[seen], who[seen], when[seen], int((~seen).sum())


def _impossible(
    model: Repeated, structures: Sequence[str], labels: npt.NDArray[np.generic]
) -> tuple[tuple[str, str], ...]:
    pair = unpaired(model)
    if pair is None or "unstructured" not in structures:
        return ()
    first, second = (labels[i] for i in pair)
    return (("unstructured", f"nobody was seen at both visit {first} and visit {second}"),)


def _in_given_columns(
    model: Repeated, top: Top, df: DegreesOfFreedom, information: Information
) -> dict[str, Floats]:
    """Back from the orthonormal columns to those of the caller."""
    back = np.linalg.inv(model.R)
    phi = top.level.phi
    weight = np.linalg.inv(getattr(top.slopes, information))
    corrected = (
        phi
        if df == "satterthwaite"
        else adjusted_covariance(model, top, weight, linear=df.endswith("linear"))
    )
    return {
        "coef": model.b + back @ top.level.beta,
        "covariance": back @ corrected @ back.T,
        "model_covariance": back @ phi @ back.T,
        "gradient": -back @ (phi @ top.slopes.P @ phi) @ back.T,
        "parameter_covariance": weight,
    }


def _contrasts(L: npt.ArrayLike, p: int) -> Floats:
    rows = np.atleast_2d(np.asarray(L, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] != p:
        raise ValueError(f"a contrast must have {p} coefficients, not shape {rows.shape}")
    if not np.isfinite(rows).all() or not rows.any(axis=1).all():
        raise ValueError("a contrast has a missing value or no coefficient other than 0")
    return rows


def _independent(rows: Floats) -> Floats:
    """An orthonormal basis of what the rows span: the F test is the same."""
    _, size, basis = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(basis[size > 1e-10 * size[0]], dtype=np.float64)


def _satterthwaite(fit: MMRM, rows: Floats) -> Floats:
    """2 v² / Var(v), where v = l' Phi l moves with the covariance parameters."""
    v = np.einsum("mi,ij,mj->m", rows, fit.model_covariance, rows)
    g = np.einsum("mi,qij,mj->mq", rows, fit.gradient, rows)
    return np.asarray(2 * v**2 / np.einsum("mq,qr,mr->m", g, fit.parameter_covariance, g), dtype=np.float64)


def _wald(fit: MMRM, rows: Floats) -> float:
    """L b against its covariance, for each contrast."""
    Lb = rows @ fit.coef
    return float(Lb @ np.linalg.solve(rows @ fit.covariance @ rows.T, Lb)) / len(rows)


def _fai_cornelius(fit: MMRM, rows: Floats) -> tuple[float, float]:
    """F, and the degrees of freedom with which it has the mean of the sum of the squared t."""
    _, turn = np.linalg.eigh(rows @ fit.model_covariance @ rows.T)
    df = _satterthwaite(fit, turn.T @ rows)
    m = df.size
    if np.ptp(df) < 1e-8 * df.min():
        return _wald(fit, rows), float(df.mean())
    if df.min() <= 2:
        return _wald(fit, rows), 2.0
    mean = float((df / (df - 2)).sum())
    return _wald(fit, rows), 2 * mean / (mean - m)
