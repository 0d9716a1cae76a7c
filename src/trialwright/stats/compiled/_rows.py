"""The patients of a Cox model, one row each, as sums over risk sets run: every stratum from its last time to
its first. ``coxdata`` has the same rows the other way round; here a risk set is the sum of the rows so far.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints
from trialwright.stats.compiled._numba import kernel
from trialwright.stats.compiled._order import in_order, widest_tie

Marks = npt.NDArray[np.int8]

DEAD, TIED, LAST, NEW = 1, 2, 4, 8  # died; and so did others then; last row of a moment; first of a stratum
COLUMNS = 3  # at least, of zeros where there are fewer covariates

_Laid = tuple[bool, Floats, Marks, Floats, Floats, int]


@kernel
def lay_out(
    time: Floats, dead: Bools, X: Floats, stratum: Ints, strata: int, keys: Ints, timefix: bool
) -> _Laid:
    """Is there something to fit? Covariates (m, p or 3), centred on everybody's mean; marks (m,); sum of the
    covariates of those who died; variance of each times the number of deaths; that number."""
    n, p = X.shape
    Z, marks = np.empty((n, max(p, COLUMNS))), np.zeros(n, dtype=np.int8)
    mean, died, spread = _means(X), np.zeros(p), np.zeros(p)
    ordered = np.empty(n)
    if mean.size < p or not in_order(time, keys, ordered):
        return False, Z, marks, died, spread, 0
    moment, end = np.empty(n, dtype=np.int64), np.zeros(strata, dtype=np.int64)
    rows = _by_stratum(keys, ordered, widest_tie(ordered, timefix), stratum, moment, end)
    deaths = kept = first = 0
    for s in range(strata):
        kept, d = _mark(rows, moment, first, end[s], dead, marks, kept)
        deaths += d
        first = end[s]
    for i in range(kept):
        for j in range(p):
            z = X[rows[i], j] - mean[j]
            Z[i, j] = z
            spread[j] += z * z
            if marks[i] & DEAD:
                died[j] += z
        for j in range(p, COLUMNS):
            Z[i, j] = 0.0
    for j in range(p):
        spread[j] *= deaths / max(kept, 1)
    return deaths > 0, Z[:kept], marks[:kept], died, spread, deaths


@kernel
def _means(X: Floats) -> Floats:
    """Of each covariate; of nothing where one has one value only. A value that is none leaves no mean."""
    n, p = X.shape
    mean, several = np.zeros(p), 0
    for j in range(p):
        total, first, differs = 0.0, X[0, j], False
        for i in range(n):
            total += X[i, j]
            differs |= X[i, j] != first
        mean[j] = total / n
        several += differs
    return mean if several == p else mean[:0]


@kernel
def _by_stratum(keys: Ints, ordered: Floats, tie: float, stratum: Ints, moment: Ints, end: Ints) -> Ints:
    """Rows by stratum, the last time first; fills where each stratum ends and the moment of each row."""
    n, strata = keys.size, end.size
    rows = np.empty(n, dtype=np.int64)
    place = np.zeros(strata + 1, dtype=np.int64)
    for i in range(n if strata > 1 else 0):
        place[stratum[i] + 1] += 1
    for s in range(strata):
        place[s + 1] += place[s]
    now = 0
    for i in range(n - 1, -1, -1):
        s = stratum[keys[i]] if strata > 1 else 0
        at = place[s]
        rows[at], moment[at] = keys[i], now
        place[s] = at + 1
        now += i == 0 or ordered[i] - ordered[i - 1] > tie
    for s in range(strata):
        end[s] = place[s]
    return rows


@kernel
def _mark(
    rows: Ints, moment: Ints, first: int, end: int, dead: Bools, marks: Marks, kept: int
) -> tuple[int, int]:
    """Mark the rows of a stratum and move them down to ``kept``: where the next go, and the deaths.

    Who left before the first death was never at risk at one, and is written over.
    """
    made = begin = kept
    deaths = d = 0
    for i in range(first, end):
        rows[made] = rows[i]
        marks[made] = (NEW if i == first else 0) | dead[rows[i]]
        d += dead[rows[i]]
        made += 1
        if i + 1 < end and moment[i + 1] == moment[i]:
            continue
        if d > 0:
            marks[made - 1] |= LAST
            kept = made
            deaths += d
        for k in range(begin, made if d > 1 else begin):
            marks[k] |= TIED * (marks[k] & DEAD)
        begin, d = made, 0
    return kept, deaths
