"""Log partial likelihood, score and information at given coefficients: those of ``partial_likelihood``."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from trialwright.stats.arrays import Floats
from trialwright.stats.compiled._numba import kernel
from trialwright.stats.compiled._rows import COLUMNS, LAST, NEW, TIED, Marks
from trialwright.stats.compiled._three import LARGE, of_three


class Model(NamedTuple):
    """Of m rows with p covariates; or (``arms``) of two arms, without rows."""

    arms: bool
    Z: Floats  # (m, p), or (2, k): at risk without and with the one covariate, at k denominators
    marks: Marks  # (m,), or none
    times: Floats  # none, or (k,): deaths that share each denominator
    died: Floats  # (p,) sum over the deaths
    spread: Floats  # (p,) of ``CoxData``
    breslow: bool


@kernel
def point(model: Model, beta: Floats, score: Floats, information: Floats) -> float:
    """The log likelihood; fills score (p,) and information (p, p)."""
    if model.arms:
        return of_arms(model.Z, model.times, model.died, beta, score, information)
    if beta.size <= COLUMNS:
        return of_three(model.Z, model.marks, model.died, model.breslow, beta, score, information)
    return of_rows(model.Z, model.marks, model.died, model.breslow, beta, score, information)


@kernel
def of_rows(
    Z: Floats, marks: Marks, died: Floats, breslow: bool, beta: Floats, score: Floats, information: Floats
) -> float:
    p = beta.size
    S1, D1 = np.zeros(p), np.zeros(p)  # sums of r x over those at risk and over the deaths; of r x x':
    S2, D2, curve = np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p))
    S0 = D0 = loglik = 0.0
    d, product = 0, 1.0
    for j in range(p):
        score[j] = died[j]
        loglik += beta[j] * died[j]
    for i in range(marks.size):
        mark, eta = marks[i], 0.0
        if mark & NEW:
            S0, S1[:], S2[:] = 0.0, 0.0, 0.0
        for j in range(p):
            eta += beta[j] * Z[i, j]
        r = math.exp(eta)
        S0 += r
        _add(r, Z[i], S1, S2)
        if mark & TIED:
            d += 1
            D0 += r
            _add(r, Z[i], D1, D2)
        if not mark & LAST:
            continue
        a1 = a2 = b1 = b2 = c2 = 0.0
        for k in range(max(d, 1)):
            f = 0.0 if breslow or d == 0 else k / d
            left = S0 - f * D0
            one = 1 / left
            a1, a2 = a1 + one, a2 + one * one
            b1, b2, c2 = b1 + f * one, b2 + f * one * one, c2 + f * one * f * one
            product *= left  # of many, one logarithm
            if not 1 / LARGE < product < LARGE:
                loglik -= math.log(product)
                product = 1.0
        for j in range(p):
            score[j] -= a1 * S1[j] - b1 * D1[j]
            for k in range(j + 1):
                crossed = a2 * S1[j] * S1[k] - b2 * (S1[j] * D1[k] + D1[j] * S1[k]) + c2 * D1[j] * D1[k]
                curve[j, k] += a1 * S2[j, k] - b1 * D2[j, k] - crossed
        if d:
            d, D0, D1[:], D2[:] = 0, 0.0, 0.0, 0.0
    for j in range(p):
        for k in range(j + 1):
            information[j, k] = information[k, j] = curve[j, k]
    return loglik - math.log(product)


@kernel
def _add(r: float, x: Floats, first: Floats, second: Floats) -> None:
    for j in range(first.size):
        rx = r * x[j]
        first[j] += rx
        for k in range(j + 1):
            second[j, k] += rx * x[k]


@kernel
def of_arms(
    left: Floats, times: Floats, died: Floats, beta: Floats, score: Floats, information: Floats
) -> float:
    """``left`` (2, k): at risk without and with the covariate; ``times`` (k,): deaths that share them."""
    r = math.exp(beta[0])
    total = curve = log_total = 0.0
    product = 1.0
    deaths = times.sum()
    even = died[0] / deaths  # taken off each share, so that their sum stays small and is rounded little
    for i in range(times.size):
        one = left[1, i] * r
        S0 = left[0, i] + one
        share = one / S0
        total += times[i] * (share - even)
        curve += times[i] * share * (1 - share)
        if times[i] > 1:
            log_total += times[i] * math.log(S0)
            continue
        product *= S0
        if not 1 / LARGE < product < LARGE:
            log_total += math.log(product)
            product = 1.0
    score[0] = (died[0] - deaths * even) - total
    information[0, 0] = curve
    return float(beta[0] * died[0] - log_total - math.log(product))


@kernel
def for_each_death(rows: Floats, breslow: bool) -> tuple[Floats, Floats]:
    """From a risk table's rows to ``left`` and ``times`` of ``of_arms``."""
    many = rows.shape[1] if breslow else int(rows[2].sum())
    left, times = np.empty((2, many)), np.ones(many)
    at = 0
    for i in range(rows.shape[1]):
        n, n1, d, d1 = rows[0, i], rows[1, i], rows[2, i], rows[3, i]
        if breslow:
            left[0, i], left[1, i], times[i] = n - n1, n1, d
            continue
        for k in range(int(d)):
            f = k / d
            left[0, at], left[1, at] = n - n1 - f * (d - d1), n1 - f * d1
            at += 1
    return left, times
