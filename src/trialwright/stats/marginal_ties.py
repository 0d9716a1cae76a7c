"""Tied deaths that truly came one after the other: the sum over all their orders (SAS TIES=EXACT).

Kalbfleisch and Prentice, Biometrika 1973;60:267; DeLong, Guirguis and So, Biometrika 1994;81:607: with a_j
the hazard of tied death j over that of all who survive the tie, the chance that the deaths come before
anybody else is the integral over u from 0 to 1 of the product of 1 - u^a_j. Quadrature by the double
exponential rule.
"""

from __future__ import annotations

import math

import numpy as np

from trialwright.stats.arrays import Floats
from trialwright.stats.coxdata import CoxData
from trialwright.stats.partial_likelihood import Point, Sums, moment_sums, square

_T = np.arange(-4.2, 4.2, 0.05)
_LOG_U = -np.log1p(np.exp(-np.pi * np.sinh(_T)))
_WEIGHT = 0.05 * np.pi * np.cosh(_T) * np.exp(2 * _LOG_U - np.pi * np.sinh(_T))  # u (1 - u) pi cosh t


def marginal(data: CoxData, beta: Floats) -> Point:
    if data.waits is not None or data.w is not None:
        raise ValueError("exact ties take neither entry nor weights")
    eta = beta @ data.X
    sums = moment_sums(data, eta)
    point = _alone(data, eta, sums)
    loglik, score, information = point.loglik, point.score, point.information
    for k, g in enumerate(data.tied.moment):  # tied moments
        rest = sums.risk[:, g] - sums.deaths[:, k]
        if rest[0] <= 1e-11 * sums.risk[0, g]:
            continue  # nobody survives the tie: they come first in any order
        rows = slice(int(data.start[g]), int(data.start[g] + data.d[g]))
        added = _tie(data.X[:, rows], eta[rows], rest, data.p)
        loglik += added.loglik
        score = score + added.score
        information = information + added.information
    return Point(loglik, score, information)


def _alone(data: CoxData, eta: Floats, sums: Sums) -> Point:
    """Moments with one death."""
    single = data.d == 1
    first, S = data.start[single], sums.risk[:, single]
    mean, p = S[1:] / S[0], data.p
    loglik = float(eta[first].sum() - np.log(S[0]).sum())
    score = (data.X[:, first] - mean[:p]).sum(axis=1)
    return Point(loglik, score, square(mean[p:].sum(axis=1), p) - mean[:p] @ mean[:p].T)


def _tie(X: Floats, eta: Floats, rest: Floats, p: int) -> Point:
    """One tie: covariates (p, d) of its deaths and the sums over those who survive it."""
    mean = rest[1 : 1 + p] / rest[0]
    spread = square(rest[1 + p :] / rest[0], p) - np.outer(mean, mean)
    v = np.exp(eta - math.log(rest[0]))[:, None] * _LOG_U  # a_j log u: (d, nodes)
    gone = -np.expm1(v)
    tiny = gone <= 0  # a_j log u below the smallest number: the factor is 0, and so is the node
    log_product = np.log(np.where(tiny, 1, gone)).sum(axis=0)
    weight = np.where(tiny.any(axis=0), 0, _WEIGHT * np.exp(log_product - log_product.max()))
    total = weight.sum()
    weight = weight / total
    h = np.where(tiny, 1, -v * np.exp(v) / np.where(tiny, 1, gone))  # derivative of a factor's log by log a_j
    bend = h * (1 + v - h)
    own = X - mean[:, None]
    slope = own @ h  # (p, nodes)
    gradient = slope @ weight
    curve = (own * (bend @ weight)) @ own.T - float(h.sum(axis=0) @ weight) * spread
    hessian = curve + (slope * weight) @ slope.T - np.outer(gradient, gradient)
    return Point(math.log(total) + float(log_product.max()), gradient, -hessian)
