"""How the visits of one patient vary together: a covariance matrix as a function of few parameters.

Parameters are those of SAS PROC MIXED, because the second-order term of Kenward and Roger depends on the
choice: elements of the matrix where it is linear in them (unstructured, compound symmetry, Toeplitz), else
variances and correlations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from trialwright.stats.arrays import Floats

Structure = Literal[
    "unstructured",
    "toeplitz-heterogeneous",
    "ar1-heterogeneous",
    "compound-symmetry-heterogeneous",
    "toeplitz",
    "ar1",
    "compound-symmetry",
]


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """The (T, T) matrix at some parameters, its first derivatives (q, T, T) and second (q, q, T, T).

    ``second`` is None where the matrix is linear in the parameters.
    """

    matrix: Floats
    first: Floats
    second: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A structure for T visits. ``start`` guesses parameters from a rough covariance matrix."""

    names: tuple[str, ...]
    start: Callable[[Floats], Floats]
    at: Callable[[Floats], Covariance]


def family(structure: Structure, visits: int) -> Family:
    if structure not in get_args(Structure):
        raise ValueError(f"structure must be one of {', '.join(get_args(Structure))}, not {structure!r}")
    if structure == "unstructured":
        return _linear(_elements(visits), _element_names(visits))
    if structure == "toeplitz":
        return _linear(_bands(visits, 0), tuple(f"covariance at lag {k}" for k in range(visits)))
    if structure == "compound-symmetry":
        basis = np.array([np.ones((visits, visits)), np.eye(visits)])
        return _linear(basis, ("covariance between visits", "variance within a visit"))
    names, start, shape = _CORRELATIONS[structure.removesuffix("-heterogeneous")](visits)
    if structure.endswith("-heterogeneous"):
        return _heterogeneous(visits, names, start, shape)
    return _homogeneous(names, start, shape)


# --- linear in the parameters ---------------------------------------------------------------------------


def _linear(basis: Floats, names: tuple[str, ...]) -> Family:
    flat = basis.reshape(len(basis), -1)

    def start(rough: Floats) -> Floats:
        return np.asarray(np.linalg.lstsq(flat.T, rough.ravel())[0], dtype=np.float64)

    return Family(names, start, lambda theta: Covariance(np.tensordot(theta, basis, 1), basis))


def _elements(visits: int) -> Floats:
    rows, columns = np.tril_indices(visits)
    basis = np.zeros((rows.size, visits, visits))
    basis[np.arange(rows.size), rows, columns] = 1
    basis[np.arange(rows.size), columns, rows] = 1
    return basis


def _element_names(visits: int) -> tuple[str, ...]:
    return tuple(f"covariance {j + 1},{i + 1}" for i, j in zip(*np.tril_indices(visits), strict=True))


def _bands(visits: int, first: int) -> Floats:
    lag = _lags(visits)
    return np.array([lag == k for k in range(first, visits)], dtype=np.float64).reshape(-1, visits, visits)


def _lags(visits: int) -> Floats:
    visit = np.arange(visits, dtype=np.float64)
    return np.abs(visit[:, None] - visit)


# --- variances and correlations -------------------------------------------------------------------------

Correlation = Callable[[Floats], Covariance]  # of its own k parameters
Correlations = tuple[tuple[str, ...], Callable[[Floats], Floats], Correlation]


def _ar1(visits: int) -> Correlations:
    lag = _lags(visits)

    def start(rough: Floats) -> Floats:
        return np.array([np.diag(rough, 1).mean() if visits > 1 else 0.0])

    def at(rho: Floats) -> Covariance:
        r = float(rho[0])
        once = lag * r ** np.maximum(lag - 1, 0)
        twice = lag * (lag - 1) * r ** np.maximum(lag - 2, 0)
        return Covariance(r**lag, once[None], twice[None, None])

    return ("correlation of neighbours",), start, at


def _compound(visits: int) -> Correlations:
    band = np.array([1 - np.eye(visits)])
    return ("correlation",), _mean_of_bands(band), _banded(band)


def _toeplitz(visits: int) -> Correlations:
    bands = _bands(visits, 1)
    names = tuple(f"correlation at lag {k}" for k in range(1, visits))
    return names, _mean_of_bands(bands), _banded(bands)


def _mean_of_bands(bands: Floats) -> Callable[[Floats], Floats]:
    size = np.maximum(bands.sum(axis=(1, 2)), 1)
    return lambda rough: np.tensordot(bands, rough, 2) / size


def _banded(bands: Floats) -> Correlation:
    k, visits = len(bands), bands.shape[1]
    nothing = np.zeros((k, k, visits, visits))
    return lambda rho: Covariance(np.eye(visits) + np.tensordot(rho, bands, 1), bands, nothing)


_CORRELATIONS: dict[str, Callable[[int], Correlations]] = {
    "ar1": _ar1,
    "compound-symmetry": _compound,
    "toeplitz": _toeplitz,
}


def _homogeneous(names: tuple[str, ...], start: Callable[[Floats], Floats], shape: Correlation) -> Family:
    """One variance v for all visits: v R(rho)."""

    def guess(rough: Floats) -> Floats:
        return np.concatenate(([np.diag(rough).mean()], start(_correlation(rough))))

    def at(theta: Floats) -> Covariance:
        v, R = theta[0], shape(theta[1:])
        assert R.second is not None
        k, T = R.first.shape[:2]
        second = np.zeros((k + 1, k + 1, T, T))
        second[0, 1:] = second[1:, 0] = R.first
        second[1:, 1:] = v * R.second
        return Covariance(v * R.matrix, np.concatenate((R.matrix[None], v * R.first)), second)

    return Family(("variance", *names), guess, at)


def _heterogeneous(
    visits: int, names: tuple[str, ...], start: Callable[[Floats], Floats], shape: Correlation
) -> Family:
    """A variance v for each visit: sqrt(v_i v_j) R_ij(rho)."""
    touch = np.eye(visits)[:, :, None] + np.eye(visits)[:, None, :]  # how often v_k stands under the root

    def guess(rough: Floats) -> Floats:
        return np.concatenate((np.diag(rough), start(_correlation(rough))))

    def at(theta: Floats) -> Covariance:
        v, R = theta[:visits], shape(theta[visits:])
        assert R.second is not None
        with np.errstate(invalid="ignore"):
            s = np.sqrt(v)
        D = np.outer(s, s)
        share = touch / (2 * v[:, None, None])
        matrix = D * R.matrix
        first = np.concatenate((matrix * share, D * R.first))
        second = np.zeros((len(first), len(first), visits, visits))
        second[:visits, :visits] = matrix * share[:, None] * share[None]
        for k in range(visits):
            second[k, k] -= matrix * share[k] / v[k]
        second[:visits, visits:] = share[:, None] * (D * R.first)[None]
        second[visits:, :visits] = second[:visits, visits:].transpose(1, 0, 2, 3)
        second[visits:, visits:] = D * R.second
        return Covariance(matrix, first, second)

    return Family((*(f"variance {k + 1}" for k in range(visits)), *names), guess, at)


def _correlation(rough: Floats) -> Floats:
    s = np.sqrt(np.diag(rough))
    return np.asarray(rough / np.outer(s, s), dtype=np.float64)
