"""Cox's model of ``cox``, compiled: Efron's and Breslow's ties, strata, any number of covariates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.stats import cox as array_form
from trialwright.stats.arrays import Bools, Floats, Ints
from trialwright.stats.compiled._given import INT, counted_labels, flags, numbers
from trialwright.stats.compiled._groups import keys_of_groups, risk_rows
from trialwright.stats.compiled._newton import DEATHS, ROWS, SCALARS, Answer, maximise
from trialwright.stats.compiled._numba import kernel
from trialwright.stats.compiled._order import UNFIT, UNSORTED, Scale, pack_rows
from trialwright.stats.compiled._points import Model, for_each_death
from trialwright.stats.compiled._rows import lay_out
from trialwright.stats.cox import Cox, Ties
from trialwright.stats.normal import z_of


def cox(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    robust: bool = False,
    cluster: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    timefix: bool = True,
) -> Cox:
    """As ``stats.cox.cox``, which takes the call here too where ties are exact, or for ``entry``,
    ``weights``, ``robust`` or ``cluster``."""
    plain = entry is None and weights is None and not robust and cluster is None
    if plain and ties in ("efron", "breslow") and 0 < confidence < 1:
        fit = _fit(time, event, covariates, strata, ties == "breslow", confidence, timefix)
        if fit is not None:
            return fit
    return array_form.cox(
        time,
        event,
        covariates,
        strata,
        ties=ties,
        entry=entry,
        weights=weights,
        robust=robust,
        cluster=cluster,
        confidence=confidence,
        timefix=timefix,
    )


def _fit(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.ArrayLike,
    strata: npt.ArrayLike | None,
    breslow: bool,
    confidence: float,
    timefix: bool,
) -> Cox | None:
    x = np.asarray(covariates)
    if x.ndim not in (1, 2) or not x.size or x.dtype.kind not in "biuf":
        return None
    p = 1 if x.ndim == 1 else x.shape[1]
    answer = np.empty((ROWS, p)), np.empty((p, p)), np.empty(SCALARS)
    z = z_of(confidence)
    keys = keys_of_groups(time, event, x if x.ndim == 1 else x[:, 0], strata) if p == 1 else None
    if keys is not None:
        found = _arms(*keys, timefix, breslow, z, *answer)
    else:
        rows = _sorted_rows(time, event, x, strata)
        found = rows is not None and _rows(*rows, timefix, breslow, z, *answer)
    return _summary(*answer, p, len(x), confidence) if found else None


def _summary(each: Floats, covariance: Floats, whole: Floats, p: int, n: int, confidence: float) -> Cox:
    lrt, wald, score, p_lrt, p_wald, p_score, loglik, null, steps, deaths = whole.tolist()
    return Cox(
        each[0],
        each[1],
        each[2],
        each[3],
        each[4],
        each[5],
        each[6],
        covariance,
        lrt,
        wald,
        score,
        p,
        p_lrt,
        p_wald,
        p_score,
        loglik,
        null,
        int(steps),
        n,
        int(deaths),
        confidence,
        False,
    )


_Rows = tuple[Floats, Bools, Floats, Ints, int, Ints]


def _sorted_rows(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.NDArray[np.generic],
    strata: npt.ArrayLike | None,
) -> _Rows | None:
    """Times, deaths, covariates (n, p), strata and how many there are, and keys for ``in_order``."""
    t = numbers(time)
    if t is None or len(covariates) != t.size:
        return None
    dead, label = flags(event, t.size), counted_labels(strata, t.size)
    if dead is None or label is None:
        return None
    X = np.asarray(covariates, dtype=np.float64, order="C").reshape(t.size, -1)
    keys = np.empty(t.size, INT)
    made = pack_rows(t, keys)
    if made == UNFIT:
        return None
    if made == UNSORTED:
        keys.sort()
    return t, dead, X if X.flags.carray else X.copy(), label[0], label[1], keys


@kernel
def _arms(
    keys: Ints,
    width: int,
    scale: Scale,
    timefix: bool,
    breslow: bool,
    z: float,
    each: Floats,
    covariance: Floats,
    whole: Floats,
) -> bool:
    ones = 0
    for i in range(keys.size):
        ones += keys[i] >> 1 & 1
    rows = risk_rows(keys, width, scale, timefix)
    events, events_1 = rows[2].sum(), rows[3].sum()
    if not 0 < events_1 < events:
        return False
    share = ones / keys.size
    left, times = for_each_death(rows, breslow)
    died, spread = np.full(1, events_1), np.full(1, events * share * (1 - share))
    whole[DEATHS] = events
    none = np.empty(0, dtype=np.int8)
    return maximise(Model(True, left, none, times, died, spread, breslow), z, Answer(each, covariance, whole))


@kernel
def _rows(
    time: Floats,
    dead: Bools,
    X: Floats,
    stratum: Ints,
    strata: int,
    keys: Ints,
    timefix: bool,
    breslow: bool,
    z: float,
    each: Floats,
    covariance: Floats,
    whole: Floats,
) -> bool:
    some, Z, marks, died, spread, deaths = lay_out(time, dead, X, stratum, strata, keys, timefix)
    if not some:
        return False
    whole[DEATHS] = deaths
    return maximise(
        Model(False, Z, marks, np.empty(0), died, spread, breslow), z, Answer(each, covariance, whole)
    )
