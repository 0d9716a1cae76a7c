"""Change by visit in a trial: least-squares means of each arm, and differences from the reference arm.

The model of the protocol: arm, visit, arm by visit, baseline, baseline by visit, and factors such as the
strata. Columns are laid out so that the first A·T coefficients *are* the least-squares means: baseline is
centred on its mean over the rows used, factors on equal shares of their levels (or their observed shares).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints, codes, same_length
from trialwright.stats.covariance_structures import Structure
from trialwright.stats.errors import NotEstimable
from trialwright.stats.mmrm import FALLBACK, MMRM, DegreesOfFreedom, Estimates, mmrm

Margins = Literal["equal", "observed"]
Labels = npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Beside arm and visit. ``by_visit`` has a slope of its own at every visit (baseline); ``factors`` are
    label arrays with one effect for all visits (strata)."""

    by_visit: npt.ArrayLike | None = None  # (N,) or (N, k)
    factors: Sequence[npt.ArrayLike] = ()
    margins: Margins = "equal"


@dataclass(frozen=True, slots=True, eq=False)
class VisitMeans:
    """``means`` has one element for each arm and visit, arm by arm; ``differences`` for each other arm and
    visit; ``over_visits`` the mean of an arm's differences, all visits alike.
    """

    model: MMRM
    arms: Labels  # (A,) the reference first
    visits: Labels  # (T,)
    observed: npt.NDArray[np.int64]  # (A, T) rows
    means: Estimates
    differences: Estimates
    over_visits: Estimates


def visit_means(
    y: npt.ArrayLike,
    subject: npt.ArrayLike,
    visit: npt.ArrayLike,
    arm: npt.ArrayLike,
    covariates: Covariates | None = None,
    *,
    reference: object = None,
    structures: Sequence[Structure] = FALLBACK,
    df: DegreesOfFreedom = "satterthwaite",
    confidence: float = 0.95,
) -> VisitMeans:
    """N rows of a patient at a visit; ``y`` is NaN where it was missed.

    ``reference`` is the arm to compare with, the first in sorted order unless said. Raises ``NotEstimable``
    where an arm was not seen at a visit, or the model has no estimate.
    """
    outcome = np.asarray(y, dtype=np.float64)
    seen = ~np.isnan(outcome)
    where, when = (
        same_length(np.asarray(a), n, outcome.size)[seen] for a, n in ((arm, "arm"), (visit, "visit"))
    )
    arms, visits = _reference_first(np.unique(where), reference), np.unique(when)
    arm_index = np.argmax(where[:, None] == arms, axis=1)
    place = arm_index * visits.size + codes(when, "visit", when.size)[0]
    observed = np.bincount(place, minlength=arms.size * visits.size).reshape(arms.size, visits.size)
    _everywhere(observed, arms, visits)
    cells = np.eye(observed.size)[place]
    more = _columns(covariates or Covariates(), seen, (when[:, None] == visits).astype(np.float64))
    design = np.hstack((cells, *more))
    who = same_length(np.asarray(subject), "subject", outcome.size)[seen]
    model = mmrm(outcome[seen], who, when, design, structures=structures, df=df)
    wanted = _contrasts(arms.size, visits.size, design.shape[1])
    return VisitMeans(
        replace(model, n_missing=int((~seen).sum())),
        arms,
        visits,
        observed,
        *(model.contrast(L, confidence=confidence) for L in wanted),
    )


def _reference_first(arms: Labels, reference: object) -> Labels:
    if reference is None:
        return arms
    if reference not in arms.tolist():
        raise ValueError(f"reference {reference!r} is not an arm: {', '.join(map(str, arms))}")
    return np.concatenate((arms[arms == reference], arms[arms != reference]))


def _everywhere(observed: npt.NDArray[np.int64], arms: Labels, visits: Labels) -> None:
    if len(arms) < 2:
        raise NotEstimable("one arm only")
    if not observed.all():
        a, v = np.argwhere(observed == 0)[0]
        raise NotEstimable(f"nobody of arm {arms[a]} was seen at visit {visits[v]}")


def _columns(covariates: Covariates, seen: Bools, at: Floats) -> list[Floats]:
    """Columns that are 0 at the point for which the means are meant. ``at`` (n, T) marks the visit."""
    if covariates.margins not in get_args(Margins):
        raise ValueError(f"margins must be one of {', '.join(get_args(Margins))}, not {covariates.margins!r}")
    found = []
    if covariates.by_visit is not None:
        values = np.asarray(covariates.by_visit, dtype=np.float64)
        if values.shape[:1] != seen.shape or values.ndim > 2:
            raise ValueError(f"by_visit must have one row for each of the {seen.size} of y")
        values = values.reshape(seen.size, -1)[seen]
        if not np.isfinite(values).all():
            raise ValueError("by_visit has a missing or infinite value where y has none")
        centred = values - values.mean(axis=0)
        found.append((centred[:, :, None] * at[:, None, :]).reshape(len(values), -1))
    for labels in covariates.factors:
        index, levels = codes(
            same_length(np.asarray(labels), "factor", seen.size)[seen], "factor", int(seen.sum())
        )
        if levels > 1:
            found.append(_effects(index, levels, covariates.margins))
    return found


def _effects(index: Ints, levels: int, margins: Margins) -> Floats:
    """Indicators of all levels but the last, less the share at which the means are meant."""
    indicators = np.eye(levels)[index]
    shares = indicators.mean(axis=0) if margins == "observed" else np.full(levels, 1 / levels)
    return np.asarray((indicators - shares)[:, :-1], dtype=np.float64)


def _contrasts(arms: int, visits: int, columns: int) -> tuple[Floats, Floats, Floats]:
    cells = np.eye(arms * visits, columns)
    by_arm = cells.reshape(arms, visits, columns)
    differences = by_arm[1:] - by_arm[:1]
    return cells, differences.reshape(-1, columns), differences.mean(axis=1)
