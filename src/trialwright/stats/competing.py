"""Several kinds of event, of which the first to come ends the wait: cumulative incidence and Gray's test.

Aalen and Johansen, Scand J Stat 1978;5:141. Variance: Marubini and Valsecchi, Analysing Survival Data 1995,
§10.2. Gray, Ann Stat 1988;16:1141. The cause-specific hazard ratio is ``cox`` with the other causes
censored; one minus Kaplan–Meier is not a cumulative incidence and is not offered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats, Ints, codes, probability, same_length, times, vector
from trialwright.stats.errors import NotEstimable
from trialwright.stats.normal import chi2_above, z_of
from trialwright.stats.ties import distinct


@dataclass(frozen=True, slots=True, eq=False)
class CumulativeIncidence:
    """Arrays run over the distinct observed times; ``incidence`` and its companions are (causes, times).

    Limits are log(-log), NaN where the incidence is 0 or 1. ``survival`` is free of every cause.
    """

    time: Floats
    n_risk: Ints
    n_event: Ints
    incidence: Floats
    std_error: Floats
    lower: Floats
    upper: Floats
    survival: Floats
    confidence: float

    def at(self, t: npt.ArrayLike, cause: int = 1) -> tuple[Floats, Floats, Floats]:
        """Incidence of ``cause`` at t with limits; NaN beyond the last time while somebody is still free."""
        asked = np.asarray(t, dtype=np.float64)
        index = np.searchsorted(self.time, asked, side="right")
        beyond = (asked > self.time[-1]) & (self.survival[-1] > 0)
        return tuple(  # type: ignore[return-value]
            np.where(beyond, np.nan, np.concatenate(([start], values[cause - 1]))[index])[()]
            for start, values in ((0.0, self.incidence), (np.nan, self.lower), (np.nan, self.upper))
        )


def aalen_johansen(
    time: npt.ArrayLike,
    status: npt.ArrayLike,
    *,
    causes: int | None = None,
    confidence: float = 0.95,
    timefix: bool = True,
) -> CumulativeIncidence:
    """``status`` is 0 for censored and k for cause k = 1 … ``causes`` (by default the largest seen)."""
    leave = times(time)
    why, K = _status(status, leave.size, causes)
    if not leave.size:
        raise NotEstimable("no patients")
    moment, index = distinct(leave, timefix=timefix)
    leaving = np.bincount(index * (K + 1) + why, minlength=moment.size * (K + 1)).reshape(-1, K + 1).T
    n = np.cumsum(leaving.sum(axis=0)[::-1])[::-1]
    each = leaving[1:]
    d = each.sum(axis=0)
    S = np.asarray(np.cumprod((n - d) / n), dtype=np.float64)
    before = np.concatenate(([1.0], S[:-1]))
    incidence = np.cumsum(before * each / n, axis=1)
    error = np.sqrt(_variance(incidence, before, n.astype(np.float64), d, each))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        theta = np.exp(z_of(probability(confidence)) * error / (incidence * np.log(incidence)))
        lower, upper = incidence ** (1 / theta), incidence**theta
    undefined = (incidence == 0) | (incidence > 1 - 1e-12) | (error == 0)
    lower[undefined] = upper[undefined] = np.nan
    return CumulativeIncidence(moment, n, each, incidence, error, lower, upper, S, confidence)


def _status(values: npt.ArrayLike, size: int, causes: int | None) -> tuple[Ints, int]:
    numbers = same_length(vector(values, "status"), "status", size)
    why = numbers.astype(np.int64)
    if (why != numbers).any() or (why < 0).any():
        raise ValueError("status must be 0 for censored or the whole number of a cause")
    largest = int(why.max(initial=1))
    if causes is not None and causes < largest:
        raise ValueError(f"status names cause {largest}, but there are {causes} causes")
    return why, causes or largest


def _variance(incidence: Floats, before: Floats, n: Floats, d: Ints, each: Ints) -> Floats:
    """Of each cause at each time, from running sums of (F(t) - F(t_i))^2, its cross term and F's own."""
    hazard = np.zeros_like(n)
    np.divide(d, n * (n - d), out=hazard, where=n > d)
    own = before**2 * (n - each) * each / n**3
    cross = before * each / n**2
    g0, g1, g2 = (np.cumsum(hazard * incidence**k, axis=-1) for k in range(3))
    square = incidence**2 * g0 - 2 * incidence * g1 + g2
    product = incidence * np.cumsum(cross, axis=1) - np.cumsum(cross * incidence, axis=1)
    return np.maximum(square + np.cumsum(own, axis=1) - 2 * product, 0)


@dataclass(frozen=True, slots=True)
class Gray:
    """``score`` is of groups 1, 2, … (all but the first); chi-square on as many degrees of freedom."""

    score: tuple[float, ...]
    chi2: float
    df: int
    p_value: float


def gray(
    time: npt.ArrayLike,
    status: npt.ArrayLike,
    group: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    cause: int = 1,
    rho: float = 0,
    timefix: bool = True,
) -> Gray:
    """Equality of the cumulative incidence of ``cause`` among groups, given strata. ``group`` are labels.

    Raises ``NotEstimable`` with one group, without events of the cause, or where the pooled incidence comes
    to 1 before the last event (cmprsk fails there).
    """
    leave = times(time)
    why, _ = _status(status, leave.size, None)
    member, groups = codes(group, "group", leave.size)
    stratum, n_strata = codes(strata, "strata", leave.size)
    if groups < 2:
        raise NotEstimable("no patients" if not leave.size else "one group only")
    kind = np.where(why == 0, 0, np.where(why == cause, 1, 2))
    if not (kind == 1).any():
        raise NotEstimable(f"no events of cause {cause}")
    moment, index = distinct(leave, timefix=timefix)
    score, covariance = np.zeros(groups), np.zeros((groups, groups))
    for label in range(n_strata):  # strata
        who = stratum == label
        cell = (index[who] * groups + member[who]) * 3 + kind[who]
        counts = np.bincount(cell, minlength=moment.size * groups * 3).reshape(-1, groups, 3)
        s, v = _gray_stratum(counts[counts.sum(axis=(1, 2)) > 0], rho)
        score, covariance = score + s, covariance + v
    U, V = score[1:], covariance[1:, 1:]
    if np.linalg.matrix_rank(V) < groups - 1:
        raise NotEstimable("no event tells the groups apart")
    chi2 = float(U @ np.linalg.solve(V, U))
    return Gray(tuple(float(u) for u in U), chi2, groups - 1, chi2_above(chi2, groups - 1))


def _gray_stratum(counts: Ints, rho: float) -> tuple[Floats, Floats]:
    """Score and covariance of one stratum from counts (times, groups, censored / cause / other).

    With S_k the survival free of any event and F_k the incidence in group k, both just before t, group k
    counts R_k = n_k (1 - F_k) / S_k and G_k = n_k / S_k; the pooled incidence F rises by d / sum G_k.
    """
    n = np.cumsum(counts.sum(axis=2)[::-1], axis=0)[::-1].astype(np.float64)
    own, other = counts[:, :, 1].astype(np.float64), counts[:, :, 2].astype(np.float64)
    there = n > 0
    n_safe = np.where(there, n, 1)
    after = np.cumprod(1 - (own + other) / n_safe, axis=0)
    S = np.concatenate((np.ones((1, n.shape[1])), after[:-1]))
    F_rise = S * own / n_safe
    F_own = np.cumsum(F_rise, axis=0) - F_rise
    S_safe = np.where(there, S, 1)
    G = np.where(there, n / S_safe, 0)
    R = G * (1 - F_own)
    d, total, G_total = own.sum(axis=1), R.sum(axis=1), G.sum(axis=1)
    F_after = np.cumsum(d / G_total)
    F = F_after - d / G_total
    if (F[d > 0] > 1 - 1e-12).any():
        raise NotEstimable("a group was used up by its events before the last event of the other")
    w = np.maximum(1 - F, 0) ** rho
    score = (w[:, None] * (own - (d / total)[:, None] * R)).sum(axis=0)

    # a_ik: what a rise in group k adds to the score of group i; c_ik its share carried to later times
    groups = n.shape[1]
    a = w[:, None, None] * (
        np.eye(groups) * G[:, :, None] - G[:, :, None] * G[:, None, :] / G_total[:, None, None]
    )
    rise = np.divide(d, G_total * (1 - F), out=np.zeros_like(F), where=d > 0)
    c = np.cumsum(a * rise[:, None, None], axis=0)
    to_come = c[-1] - c
    gone = np.where(after > 0, (1 - F_after)[:, None] / np.where(after > 0, after, 1), 0)
    t4 = np.where(after > 0, 1 - gone, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t5 = np.where(d[:, None] > 1, 1 - (d[:, None] - 1) / (G_total[:, None] * S - 1), 1)
        t5_other = np.where(other > 1, 1 - (other - 1) / (n - 1), 1)
    t3 = np.where(there, t5 * S * d[:, None] / (G_total[:, None] * n_safe), 0)
    t3_other = np.where(there, t5_other * S**2 * other / n_safe**2, 0)
    first = a + t4[:, None, :] * to_come
    second = gone[:, None, :] * to_come
    covariance = np.einsum("tik,tjk,tk->ij", first, first, t3) + np.einsum(
        "tik,tjk,tk->ij", second, second, t3_other
    )
    return score, covariance
