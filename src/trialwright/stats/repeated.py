"""Change from baseline by visit and arm: least-squares means and their difference from a mixed model.

The model has a mean for each arm at each visit and, for each covariate (the baseline value, say), a slope at
each visit. Least-squares means stand at the mean of each covariate over the rows used, as in SAS and emmeans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import vector, zero_one
from trialwright.stats.errors import NotEstimable
from trialwright.stats.mmrm import Estimate, Freedom, Mmrm, Structure, contrast, mmrm


@dataclass(frozen=True, slots=True)
class VisitMeans:
    """One visit: least-squares means of arm 0 and arm 1, their difference (1 minus 0), patients seen."""

    visit: Any
    mean_0: Estimate
    mean_1: Estimate
    difference: Estimate
    patients_0: int
    patients_1: int


def least_squares_means(
    y: npt.ArrayLike,
    patient: npt.ArrayLike,
    visit: npt.ArrayLike,
    arm: npt.ArrayLike,
    covariates: npt.ArrayLike | None = None,
    *,
    structures: Sequence[Structure] = ("unstructured", "ar1", "compound-symmetry"),
    freedom: Freedom = "satterthwaite",
    confidence: float = 0.95,
) -> tuple[Mmrm, tuple[VisitMeans, ...]]:
    """One row for each patient and visit seen; ``covariates`` are (n,) or (n, q), constant in a patient."""
    value = vector(y, "y")
    one = zero_one(arm, "arm", value.size)
    labels, index = np.unique(np.asarray(visit), return_inverse=True)
    T = labels.size
    if np.bincount(2 * index + one, minlength=2 * T).min() == 0:
        raise NotEstimable("an arm was not seen at one of the visits")
    cell = np.eye(T)[index]
    Z = np.empty((value.size, 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    Z = Z[:, None] if Z.ndim == 1 else Z
    Z = Z - Z.mean(axis=0)
    slopes = [cell * column[:, None] for column in Z.T]
    fit = mmrm(
        value,
        patient,
        visit,
        np.hstack([cell * ~one[:, None], cell * one[:, None], *slopes]),
        structures=structures,
    )

    def at(place: int, w0: float, w1: float) -> Estimate:
        weights = np.zeros(fit.coef.size)
        weights[place], weights[T + place] = w0, w1
        return contrast(fit, weights, freedom=freedom, confidence=confidence)

    return fit, tuple(
        VisitMeans(
            visit=label,
            mean_0=at(k, 1, 0),
            mean_1=at(k, 0, 1),
            difference=at(k, -1, 1),
            patients_0=int((~one[index == k]).sum()),
            patients_1=int(one[index == k].sum()),
        )
        for k, label in enumerate(labels.tolist())
    )
