"""When patients come, and to which site: (trials, patients), in the order in which they come."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.simulate.allocate import Chance
from trialwright.simulate.design import Accrual
from trialwright.simulate.design_entry import when
from trialwright.stats.elementary import minus_log

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Sites = npt.NDArray[np.uint16]

_SITE_STREAM = 3  # one number for each site
_CHOICE_STREAM = 4  # and one for each patient


def entries(accrual: Accrual, u: Floats, chance: Chance) -> tuple[Floats, Sites | None]:
    """Months of entry, and sites numbered as ``accrual.opening`` has them. ``u`` is uniform and used up."""
    if accrual.sites:
        return _by_site(accrual, u, chance)
    if not accrual.rate:
        return _steady(accrual.model, u, accrual.months), None
    # even in expected patients, then on the calendar
    return when(_steady(accrual.model, u, 1 / accrual.scale), *accrual.pace), None


def _steady(model: str, u: Floats, until: float) -> Floats:
    patients = u.shape[1]
    if model == "even":
        return np.broadcast_to(np.arange(1, patients + 1) * (until / patients), u.shape)
    if model == "poisson":
        return np.cumsum(minus_log(u) * (until / patients), axis=1)
    u.sort(axis=1)
    u *= until
    return u


def _by_site(accrual: Accrual, u: Floats, chance: Chance) -> tuple[Floats, Sites]:
    """One stream of all sites together; each patient is of an open site, as often as its rate says."""
    patients = u.shape[1]
    opening = np.array(accrual.opening)
    together = np.cumsum(_rates(accrual, chance), axis=1)
    start = np.unique(np.append(0.0, opening))
    opened = np.searchsorted(opening, start, side="right")
    pace = np.concatenate((np.zeros((len(together), 1)), together), axis=1)[:, opened]
    grown = np.zeros(pace.shape)
    np.cumsum(pace[:, :-1] * np.diff(start), axis=1, out=grown[:, 1:])
    total = np.cumsum(minus_log(u) * (1 / (accrual.scale * patients)), axis=1)
    place = np.zeros(u.shape, dtype=np.int64)
    for begins in grown[:, 1:].T:
        place += total > begins[:, None]
    rate = _at(pace, place)
    entry = start[place] + (total - _at(grown, place)) / rate
    choice, *_ = chance.quad(_CHOICE_STREAM, patients)
    site = np.zeros(u.shape, dtype=np.uint16)
    for until in together[:, :-1].T:
        site += choice * rate > until[:, None]
    return entry, np.minimum(site, opened[place] - 1).astype(np.uint16)


def _rates(accrual: Accrual, chance: Chance) -> Floats:
    """Patients a month of each site: (trials, sites), or one row for all."""
    mean = np.array(accrual.site_rate)[None]
    if accrual.spread is None:
        return mean
    from scipy.special import gammaincinv

    shape = accrual.spread**-2
    u, *_ = chance.quad(_SITE_STREAM, mean.size)
    return np.asarray(mean * gammaincinv(shape, u) / shape)


def _at(rows: Floats, place: Ints) -> Floats:
    """Each row's values at places of its own; one row serves for all."""
    return rows[0][place] if len(rows) == 1 else np.take_along_axis(rows, place, axis=1)
