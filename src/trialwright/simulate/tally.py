"""What is kept of many trials: counts and sums, exact, so that they add up to the same in any order.

A number of a trial is rounded once, to a multiple of 2^-32, and then only whole numbers are added.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from trialwright.simulate.design import Design
from trialwright.simulate.looks import Seen, stopped
from trialwright.simulate.stops import exceeding, futile
from trialwright.standards.errors import InputError
from trialwright.stats.normal import z_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BITS = 32
_UNIT = 2.0**_BITS
_LIMIT = 2.0**31
_Z_STEPS = 1024
_Z_MOST = 8
STOP = "stop"
ALLOCATION = "allocation"
STOP_OBEYED = "stop, futility obeyed"
CONFIDENCE = 0.95

Tally = Counter[tuple[str, ...]]
"""Whole numbers by name: ``(quantity, test or number, look or stop or place)``."""


def tally(design: Design, seen: tuple[Seen, ...]) -> Tally:
    """The sums of one chunk."""
    found: Tally = Counter()
    found["trials",] = len(seen[0].month)
    when = stopped(design, seen)
    for test, stops in zip(design.tests, when, strict=True):
        counts = np.bincount(stops, minlength=len(seen) + 1).tolist()
        for k, count in enumerate(counts[:-1]):
            found["rejected", test.id, str(k + 1)] = count
    for i, test in enumerate(design.tests):
        for k, look in enumerate(seen):
            found["no_z", test.id, str(k + 1)] = int(np.isnan(look.z[i]).sum())
    columns = [_columns(design, look) for look in seen]
    for k, column in enumerate(columns):
        _add(found, column, str(k + 1))
    last = np.minimum(when[0], len(seen) - 1)
    if len(seen) == 1:
        for name in columns[0]:
            for what in ("n", "sum", "squares"):
                found[what, name, STOP] = found[what, name, "1"]
    else:
        _add(found, _chosen(columns, last), STOP)
    if seen[0].guessed is not None:
        _add(found, seen[0].guessed, ALLOCATION)
    if "futility" in design.features:
        _futility(found, design, seen, when[0], columns)
    if design.level.calibrate:
        _exceeding(found, design, seen)
    return found


def _chosen(columns: list[dict[str, Floats]], look: Ints) -> dict[str, Floats]:
    """The numbers of each trial at a look of its own."""
    return {name: np.choose(look, [c[name] for c in columns]) for name in columns[0]}


def _futility(
    found: Tally, design: Design, seen: tuple[Seen, ...], when: Ints, columns: list[dict[str, Floats]]
) -> None:
    """Where trials end that obey the limits of futility: a look that rejects is not futile."""
    vain = futile(design, seen)
    stops = vain < when
    for k in range(len(seen)):
        found["futile", design.tests[0].id, str(k + 1)] = int((stops & (vain == k)).sum())
    found["rejected_obeying", design.tests[0].id, ""] = int((~stops & (when < len(seen))).sum())
    end = np.minimum(np.where(stops, vain, when), len(seen) - 1)
    _add(found, _chosen(columns, end), STOP_OBEYED)


def _exceeding(found: Tally, design: Design, seen: tuple[Seen, ...]) -> None:
    """How many trials lie in each step of 1/1024 of z, from 0 on."""
    for test, z in zip(design.tests, exceeding(design, seen), strict=True):
        steps = (np.minimum(z[z >= 0], _Z_MOST) * _Z_STEPS).astype(np.int64)
        for step, count in zip(*np.unique(steps, return_counts=True), strict=True):
            found["exceeding", test.id, str(step)] = int(count)


def bound_at(found: Tally, test: str, most: float) -> float:
    """The least z, in whole steps, that at most so many trials reach; NaN where more are beyond all steps."""
    beyond = 0
    for step in range(_Z_MOST * _Z_STEPS, -1, -1):
        beyond += found["exceeding", test, str(step)]
        if beyond > most:
            return (step + 1) / _Z_STEPS if step < _Z_MOST * _Z_STEPS else math.nan
    return 0.0


def _columns(design: Design, look: Seen) -> dict[str, Floats]:
    columns: dict[str, Floats] = {
        "month": look.month,
        "events": look.events.astype(np.float64),
        "enrolled": look.enrolled.astype(np.float64),
        "reached": look.reached.astype(np.float64),
        "log_hr": look.log_hr,
        "std_error": look.std_error,
    }
    columns |= {f"difference {test}": values for test, values in look.difference.items()}
    truth, _ = design.proportional()
    if truth is not None:
        off = np.abs(look.log_hr - math.log(truth))
        covered = (off <= z_of(CONFIDENCE) * look.std_error).astype(np.float64)
        columns["covered"] = np.where(np.isnan(look.log_hr), np.nan, covered)
    return columns


def _add(found: Tally, columns: Mapping[str, Floats], look: str) -> None:
    for name, values in columns.items():
        known = values[~np.isnan(values)]
        found["n", name, look] = known.size
        found["sum", name, look] = _exact(known)
        found["squares", name, look] = _exact(known * known)


def _exact(values: Floats) -> int:
    most = float(np.abs(values).max(initial=0))
    if most >= _LIMIT:
        raise InputError(
            f"a number of a trial is {most:g}, too large to be added up: "
            "are events so rare that it lasts for ever?"
        )
    fixed = np.rint(values * _UNIT).astype(np.int64)
    if most * values.size < _LIMIT / 2:
        return int(fixed.sum())
    return (int((fixed >> _BITS).sum()) << _BITS) + int((fixed & ((1 << _BITS) - 1)).sum())


def mean(found: Tally, name: str, look: str) -> tuple[float, float]:
    """Mean and its Monte Carlo standard error; NaN where no trial, or only one, has the number."""
    n = found["n", name, look]
    if not n:
        return math.nan, math.nan
    total, squares = found["sum", name, look], found["squares", name, look]
    average = total / (n * _UNIT)
    if n < 2:
        return average, math.nan
    # n Σx² − (Σx)² in whole numbers, in units of 2^-64
    spread = n * squares * int(_UNIT) - total * total
    return average, math.sqrt(max(spread, 0) / (n * n * (n - 1))) / _UNIT


def proportion(count: int, trials: int) -> tuple[float, float]:
    p = count / trials
    return p, math.sqrt(p * (1 - p) / trials)
