"""Log-rank and Cox for many two-arm trials at once: a leading axis of trials, NumPy only.

The numbers are those of ``logrank``, ``cox`` and ``maxcombo`` (a property test holds them together),
near-ties and Efron's correction included. What these raise as ``NotEstimable`` is NaN here, with a reason
for that trial. No trial's number depends, to the last bit, on which other trials stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, Ints
from trialwright.stats.batch_tables import BatchTables, Part, per_trial
from trialwright.stats.elementary import exp

STEPS = 60
SETTLED = 1e-12  # squared step in units of the standard error: the next would be its cube
FARTHEST = 3.0  # of a Newton step: a hazard ratio of 20


class Reason(IntEnum):
    """Why a trial has no number; 0 where it has one."""

    NONE = 0
    NO_PATIENTS = 1
    EMPTY_GROUP = 2
    NO_EVENTS = 3
    NOT_APART = 4
    MONOTONE = 5

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Reason.NONE: "",
    Reason.NO_PATIENTS: "no patients",
    Reason.EMPTY_GROUP: "no patients in one group",
    Reason.NO_EVENTS: "no events",
    Reason.NOT_APART: "no event tells the groups apart",
    Reason.MONOTONE: "monotone likelihood: the hazard ratio is 0 or infinite",
}


@dataclass(frozen=True, slots=True, eq=False)
class BatchLogRank:
    """Each of shape (trials,). A negative ``z`` favours group 1; ``reason`` holds codes of ``Reason``."""

    statistic: Floats
    variance: Floats
    z: Floats
    reason: Ints


@dataclass(frozen=True, slots=True, eq=False)
class BatchCox:
    """Each of shape (trials,). ``coef`` is the log hazard ratio of group 1 to group 0."""

    coef: Floats
    std_error: Floats
    reason: Ints


@dataclass(frozen=True, slots=True, eq=False)
class BatchCombo:
    """``z`` is (trials, weights), ``correlation`` (trials, weights, weights) under no difference."""

    z: Floats
    correlation: Floats
    reason: Ints


def logrank(tables: BatchTables, *, rho: float = 0, gamma: float = 0) -> BatchLogRank:
    """The test of Mantel, weighted by S(t-)^rho (1 - S(t-))^gamma of each trial's stratum if asked."""
    known(rho, gamma)
    U, V = np.zeros(tables.trials), np.zeros(tables.trials)
    for part in tables.parts:
        surprise, variance = _surprise(part), _variance(part)
        if rho or gamma:
            w = _weights(part, rho, gamma)
            surprise, variance = w * surprise, w * w * variance
        U[part.trial] += per_trial(part, surprise)
        V[part.trial] += per_trial(part, variance)
    told = V > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(told, U / np.sqrt(V), np.nan)
    blank = np.where(told, 1.0, np.nan)
    return BatchLogRank(U * blank, V * blank, z, _reason(tables, told, Reason.NOT_APART))


def combo(tables: BatchTables, weights: tuple[tuple[float, float], ...]) -> BatchCombo:
    """Several Fleming–Harrington tests of the same data and how they go together, as ``maxcombo`` needs."""
    for pair in weights:
        known(*pair)
    many = len(weights)
    U = np.zeros((tables.trials, many))
    V = np.zeros((tables.trials, many, many))
    for part in tables.parts:
        surprise, variance = _surprise(part), _variance(part)
        w = [_weights(part, rho, gamma) for rho, gamma in weights]
        for i in range(many):
            U[part.trial, i] += per_trial(part, w[i] * surprise)
            for j in range(i + 1):
                V[part.trial, i, j] += per_trial(part, w[i] * w[j] * variance)
    for i in range(many):
        V[:, i, i + 1 :] = V[:, i + 1 :, i]
    found = combo_of(U, V)
    return BatchCombo(found.z, found.correlation, _reason(tables, found.reason == 0, Reason.NOT_APART))


def combo_of(U: Floats, V: Floats) -> BatchCombo:
    """From statistics (trials, weights) and covariances; where there is no number the reason is NOT_APART."""
    own = np.einsum("tii->ti", V)
    told = (own > 0).all(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(told[:, None], np.sqrt(own), np.nan)
        correlation = V / (error[:, :, None] * error[:, None, :])
        z = U / error
    return BatchCombo(z, correlation, np.where(told, 0, np.int64(Reason.NOT_APART)))


def cox(tables: BatchTables) -> BatchCox:
    """The arm as the only covariate, Efron's ties, Halley's steps from 0 inside a bracket.

    The last step is added to the coefficient, and what it changes of the information to that.
    """
    odds = [_odds(part) for part in tables.parts]
    ones, surely, perhaps = (np.zeros(tables.trials) for _ in range(3))
    for part, rows in zip(tables.parts, odds, strict=True):
        ones[part.trial] += per_trial(part, part.d1)
        surely[rows.trial] += per_trial(rows, rows.n0 == 0)
        perhaps[rows.trial] += per_trial(rows, rows.n1 > 0)
    finite = (surely < ones) & (ones < perhaps)
    coef, std_error = np.full(tables.trials, np.nan), np.full(tables.trials, np.nan)
    going = np.flatnonzero(finite)
    beta, low, high = (np.full(tables.trials, v) for v in (0.0, -np.inf, np.inf))
    odds = [rows.of(finite) for rows in odds]
    for _ in range(STEPS):
        if not going.size:
            break
        share, information, bend = (sums[going] for sums in _at(odds, beta))
        score = ones[going] - share
        step = halley(score, information, bend)
        done = step * step * information < SETTLED
        out = going[done]
        coef[out] = beta[out] + step[done]
        std_error[out] = 1 / np.sqrt(information[done] + step[done] * bend[done])
        beta[going] = _next(beta[going], step, score, (low, high), going)
        if done.any():
            going = going[~done]
            left = np.zeros(tables.trials, dtype=bool)
            left[going] = True
            odds = [rows.of(left) for rows in odds]
    std_error[going], coef[going] = np.nan, np.nan
    return BatchCox(coef, std_error, _reason(tables, np.isfinite(coef), Reason.MONOTONE))


def known(rho: float, gamma: float) -> None:
    if rho < 0 or gamma < 0:
        raise ValueError(f"rho and gamma must not be negative, not {rho!r} and {gamma!r}")


@dataclass(frozen=True, slots=True, eq=False)
class _Odds:
    """Patients at risk in either group, one row per death."""

    trial: Ints
    start: Ints
    count: Ints
    n1: Floats
    n0: Floats

    def of(self, wanted: npt.NDArray[np.bool_]) -> _Odds:
        """The rows of the wanted trials only."""
        keep = wanted[self.trial]
        if keep.all():
            return self
        count = self.count[keep]
        rows = np.repeat(keep, self.count)
        return _Odds(self.trial[keep], np.cumsum(count) - count, count, self.n1[rows], self.n0[rows])


def _odds(part: Part) -> _Odds:
    n1, n0, count = part.n1, part.n - part.n1, part.count
    if part.d is not None:
        # Efron: the k-th of d tied deaths leaves the share k/d of all d behind
        d = part.d.astype(np.int64)
        first = np.cumsum(d) - d
        f = (np.arange(int(d.sum())) - np.repeat(first, d)) / np.repeat(part.d, d)
        n1 = np.repeat(n1, d) - f * np.repeat(part.d1, d)
        n0 = np.repeat(n0, d) - f * np.repeat(part.d - part.d1, d)
        count = np.add.reduceat(d, part.start) if part.start.size else count
    return _Odds(part.trial, np.cumsum(count) - count, count, n1, n0)


def _at(odds: list[_Odds], beta: Floats) -> tuple[Floats, Floats, Floats]:
    """Expected deaths of group 1, their variance, and its slope, at each trial's coefficient."""
    share, information, bend = np.zeros(beta.size), np.zeros(beta.size), np.zeros(beta.size)
    for rows in odds:
        p = np.repeat(exp(-beta[rows.trial]), rows.count)
        p *= rows.n0
        p += rows.n1
        np.divide(rows.n1, p, out=p)
        power = p * p
        first, second = per_trial(rows, p), per_trial(rows, power)
        power *= p
        share[rows.trial] += first
        information[rows.trial] += first - second
        bend[rows.trial] += first - 3 * second + 2 * per_trial(rows, power)
    return share, information, bend


def halley(score: Floats, information: Floats, bend: Floats) -> Floats:
    """The step to where the score is 0, its curve taken into account; Newton's where that is a long way."""
    with np.errstate(divide="ignore", invalid="ignore"):
        newton = score / information
        bent = newton / (1 + newton * bend / (2 * information))
    return np.where(np.abs(newton) <= 1, bent, newton)


def _next(beta: Floats, step: Floats, score: Floats, ends: tuple[Floats, Floats], going: Ints) -> Floats:
    """The step, no farther than a limit; the middle of the bracket where it would leave that."""
    low, high = ends
    low[going] = np.where(score > 0, beta, low[going])
    high[going] = np.where(score < 0, beta, high[going])
    found = beta + np.clip(step, -FARTHEST, FARTHEST)
    outside = (found <= low[going]) | (found >= high[going])
    with np.errstate(invalid="ignore"):
        return np.where(outside, (low[going] + high[going]) / 2, found)


def _surprise(part: Part) -> Floats:
    """Deaths of group 1 less those expected, at each row."""
    share = part.n1 / part.n
    return part.d1 - (share if part.d is None else part.d * share)


def _variance(part: Part) -> Floats:
    share = part.n1 / part.n
    single = share * (1 - share)
    if part.d is None:
        return single
    return part.d * single * (part.n - part.d) / np.maximum(part.n - 1, 1)


def _weights(part: Part, rho: float, gamma: float) -> Floats:
    if rho == 0 and gamma == 0:
        return np.ones(part.n.size)
    S = _pooled_before(part)
    with np.errstate(invalid="ignore"):
        return np.asarray((S if rho == 1 else S**rho) * (1 if gamma == 0 else (1 - S) ** gamma))


def _pooled_before(part: Part) -> Floats:
    """S(t-) of both groups together, trial by trial."""
    steps = 1 - (1 if part.d is None else part.d) / part.n
    S = np.ones((part.count.size, int(part.count.max(initial=0)) + 1))
    inside = np.arange(S.shape[1] - 1) < part.count[:, None]
    S[:, 1:][inside] = steps
    np.cumprod(S, axis=1, out=S)
    return S[:, :-1][inside]


def _reason(tables: BatchTables, told: npt.NDArray[np.bool_], otherwise: Reason) -> Ints:
    reason = np.zeros(tables.trials, dtype=np.int64)
    for trial in _indices(~told):
        zero, one, events = tables.counts(trial)
        reason[trial] = (
            Reason.NO_PATIENTS
            if not zero + one
            else Reason.EMPTY_GROUP
            if not (zero and one)
            else Reason.NO_EVENTS
            if not events
            else otherwise
        )
    return reason


def _indices(flags: npt.NDArray[np.bool_]) -> Iterator[int]:
    yield from np.flatnonzero(flags).tolist()
