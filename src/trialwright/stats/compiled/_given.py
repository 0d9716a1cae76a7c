"""What the caller gave, as the few kinds of arrays that the kernels are compiled for.

None stands for anything else, right or wrong: the array form then takes the call, and has the words.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Bools, Floats, Ints, codes
from trialwright.stats.compiled._numba import kernel

INT = np.dtype(np.int64)  # NumPy looks a type up longer than it takes to make a small array of it
_BOOL = np.dtype(np.bool_)
_FLOAT = np.dtype(np.float64)
_NONE: Ints = np.zeros(0, dtype=np.int64)
MANY = 64  # labels from 0 to here are counted by, any others sorted first


def numbers(values: npt.ArrayLike) -> Floats | None:
    """One dimension of float64; not yet looked at."""
    if type(values) is not np.ndarray or values.dtype is not _FLOAT:
        try:
            values = np.asarray(values, dtype=_FLOAT)
        except (TypeError, ValueError):
            return None
    if values.ndim != 1:
        return None
    return values if values.flags.carray else values.copy()


def flags(values: npt.ArrayLike, size: int) -> Bools | None:
    """Yes or no for each of ``size``."""
    if type(values) is not np.ndarray or values.dtype is not _BOOL:
        return _as_flags(values, size)
    if values.shape != (size,):
        return None
    return values if values.flags.carray else values.copy()


def _as_flags(values: npt.ArrayLike, size: int) -> Bools | None:
    array = np.asarray(values)
    if array.dtype is _BOOL:
        return flags(array, size)
    found = numbers(array)
    if found is None or found.size != size:
        return None
    yes = np.empty(size, dtype=np.bool_)
    return yes if _zero_one(found, yes) else None


@kernel
def _zero_one(values: Floats, yes: Bools) -> bool:
    known = True
    for i in range(values.size):
        yes[i] = values[i] == 1
        known &= values[i] == 1 or values[i] == 0
    return known


def labels(values: npt.ArrayLike | None, size: int) -> tuple[Ints, int] | None:
    """Each patient's stratum and how many there are: 1 without strata, 0 where the kernel is to count."""
    if values is None:
        return _NONE, 1
    array = np.asarray(values)
    if array.shape != (size,):
        return None
    return (array, 0) if array.dtype is INT and array.flags.carray else relabelled(array)


def counted_labels(values: npt.ArrayLike | None, size: int) -> tuple[Ints, int] | None:
    """The same, counted."""
    found = labels(values, size)
    if found is None or found[1]:
        return found
    bound = label_bound(found[0])
    return (found[0], bound) if bound else relabelled(found[0])


def relabelled(values: npt.ArrayLike) -> tuple[Ints, int] | None:
    """Labels of any sort as 0, 1, …"""
    try:
        return codes(values, "strata", np.size(values))
    except ValueError:
        return None


@kernel
def label_bound(values: Ints) -> int:
    """One more than the largest; 0 where one is negative or too large to count by."""
    low, high = 0, 0
    for i in range(values.size):
        low, high = min(low, values[i]), max(high, values[i])
    return high + 1 if low == 0 and high < MANY else 0
