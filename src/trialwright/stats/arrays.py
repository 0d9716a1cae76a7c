"""What every estimator asks of its input, asked once, at the top.

Times are days (any unit will do) and must be finite and not negative. Zero is allowed on purpose: a
patient randomised and censored on the same day was at risk at time 0 and leaves then, and an event at
time 0 makes the survival curve start below 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[Any]  # whole numbers where nobody is weighted, else float64


def vector(values: npt.ArrayLike, name: str) -> Floats:
    """A one-dimensional float64 array without NaN or infinity."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers only") from error
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {array.ndim}")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} has a missing or infinite value at row {int(np.argmin(np.isfinite(array)))}"
        )
    return array


def times(values: npt.ArrayLike, name: str = "time") -> Floats:
    array = vector(values, name)
    if array.size and array.min() < 0:
        raise ValueError(f"{name} is negative at row {int(np.argmin(array))}: {array.min():g}")
    return array


def zero_one(values: npt.ArrayLike, name: str, size: int) -> Bools:
    array = np.asarray(values)
    if array.dtype != np.bool_:
        numbers = vector(array, name)
        array = numbers == 1
        if not (array | (numbers == 0)).all():
            raise ValueError(f"{name} must be 0 or 1")
    return same_length(array, name, size)


def codes(values: npt.ArrayLike | None, name: str, size: int) -> tuple[Ints, int]:
    """Labels as 0, 1, … in sorted order, and how many there are."""
    if values is None:
        return np.zeros(size, dtype=np.int64), 1
    array = np.asarray(values)
    same_length(array, name, size)
    if array.dtype.kind in "iub" and array.size and array.min() >= 0 and array.max() < 64:
        present = np.bincount(array.astype(np.int64)) > 0  # few small codes: no sort
        return (np.cumsum(present) - 1)[array.astype(np.int64)], int(present.sum())
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{name} has a missing value")
    try:
        labels, index = np.unique(array, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"{name} mixes kinds of labels or has a missing one") from error
    return index.astype(np.int64, copy=False), len(labels)


def entry_before(values: npt.ArrayLike, leave: Floats) -> Floats:
    """When each patient came under observation: any finite time before that of leaving."""
    enter = np.asarray(same_length(vector(values, "entry"), "entry", leave.size), dtype=np.float64)
    if (enter >= leave).any():
        row = int(np.argmax(enter >= leave))
        raise ValueError(f"entry must be before time, but row {row} has {enter[row]:g} and {leave[row]:g}")
    return enter


def weight(values: npt.ArrayLike | None, size: int) -> Floats | None:
    if values is None:
        return None
    array = same_length(vector(values, "weights"), "weights", size)
    if array.size and array.min() < 0:
        raise ValueError("weights must not be negative")
    return array


def same_length(array: npt.NDArray[Any], name: str, size: int) -> npt.NDArray[Any]:
    if array.shape != (size,):
        raise ValueError(f"{name} has shape {array.shape}, but there are {size} times")
    return array


def probability(value: float, name: str = "confidence") -> float:
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, not {value!r}")
    return float(value)
