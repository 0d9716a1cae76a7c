"""Tail probability of the largest of several correlated normal values, by quadrature and never by chance.

With eigenvectors as axes, the axis of the largest eigenvalue is integrated in closed form and the others
by Gauss–Legendre panels cut wherever two or three of the bounds meet, so that every panel is smooth. Two axes
remain for the usual four Fleming–Harrington weights, because 1 = S + (1 - S) leaves three dimensions.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np

from trialwright.stats.arrays import Floats

_leggauss = lru_cache(np.polynomial.legendre.leggauss)
_EDGE = 9.0  # a normal value is beyond this once in 10^18
_PANELS = np.array([-_EDGE, -5.0, -2.5, 0.0, 2.5, 5.0, _EDGE])
_NOTHING = 1e-10  # eigenvalues below this are rounding


def any_above(correlation: Floats, bound: float, *, nodes: int = 20) -> float:
    """P(max Z > bound) for normal Z with the given correlation matrix.

    For up to four variables, or any number that span at most three dimensions. Of Fleming–Harrington tests,
    that go together closely, to 1e-15, even with 12 ``nodes`` a panel (500 small trials against 40 nodes); of
    matrices at random 20 are good to 1e-5 only, as panels are cut at the corners of the bounds alone.
    """
    values, vectors = np.linalg.eigh(correlation)
    kept = values > _NOTHING
    loading = vectors[:, kept] * np.sqrt(values[kept])  # last column: the largest eigenvalue
    rank = loading.shape[1]
    if rank > 4:
        raise ValueError(f"at most four independent weights can be combined, not {rank}")
    return float(_outside(loading, np.full(len(loading), float(bound)), nodes))


def _outside(loading: Floats, bounds: Floats, nodes: int) -> float:
    """P(not all rows satisfy loading @ x <= bounds), x standard normal."""
    rank = loading.shape[1]
    if rank <= 2:
        columns = bounds[:, None]
        return float(
            (_outside_line(loading, columns) if rank == 1 else _outside_plane(loading, columns, nodes))[0]
        )
    x, weight = _panels(_kinks(loading, bounds)[None], nodes)
    left = bounds[:, None] - loading[:, :1] * x
    if rank == 3:
        return float((weight @ _outside_plane(loading[:, 1:], left, nodes))[0])
    return float((weight @ np.array([_outside(loading[:, 1:], column, nodes) for column in left.T]))[0])


def _outside_plane(loading: Floats, bounds: Floats, nodes: int) -> Floats:
    """The same in two dimensions, for each column of ``bounds``."""
    first, second = np.array(list(combinations(range(len(loading)), 2)), dtype=int).reshape(-1, 2).T
    turn = loading[first, 0] * loading[second, 1] - loading[second, 0] * loading[first, 1]
    meet = np.abs(turn) > _NOTHING
    first, second, turn = first[meet], second[meet], turn[meet]
    kinks = bounds[first] * loading[second, 1:] - bounds[second] * loading[first, 1:]
    x, weight = _panels((kinks / turn[:, None]).T, nodes)
    left = bounds[:, :, None] - loading[:, :1, None] * x
    tail = _outside_line(loading[:, 1:], left.reshape(len(loading), -1)).reshape(x.shape)
    return np.asarray((weight * tail).sum(axis=1))


def _outside_line(loading: Floats, bounds: Floats) -> Floats:
    """And in one."""
    from scipy.special import ndtr

    slope = loading[:, 0]
    up, down = slope > 1e-14, slope < -1e-14
    high = np.min(bounds[up] / slope[up, None], axis=0, initial=np.inf)
    low = np.max(bounds[down] / slope[down, None], axis=0, initial=-np.inf)
    broken = np.min(bounds[~up & ~down], axis=0, initial=np.inf) < 0
    return np.where(broken | (low >= high), 1.0, np.minimum(ndtr(-high) + ndtr(low), 1))


def _kinks(loading: Floats, bounds: Floats) -> Floats:
    """First coordinates of the points where as many bounds meet as there are dimensions."""
    rank, found = loading.shape[1], []
    for rows in combinations(range(len(loading)), rank):
        square = loading[list(rows)]
        if abs(np.linalg.det(square)) > _NOTHING:
            found.append(np.linalg.solve(square, bounds[list(rows)])[0])
    return np.array(found)


def _panels(kinks: Floats, nodes: int) -> tuple[Floats, Floats]:
    """Nodes and normal weights, cut at each row of ``kinks``: (rows, nodes) of each."""
    node, its_weight = _leggauss(nodes)
    cuts = np.concatenate((np.tile(_PANELS, (len(kinks), 1)), kinks), axis=1)
    edges = np.sort(np.clip(cuts, -_EDGE, _EDGE), axis=1)
    half, middle = np.diff(edges)[:, :, None] / 2, (edges[:, 1:] + edges[:, :-1])[:, :, None] / 2
    x = (middle + half * node).reshape(len(kinks), -1)
    weight = (half * its_weight).reshape(x.shape) * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return x, weight
