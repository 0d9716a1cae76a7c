"""A number's bits, and back; the logarithm and exponential of ``elementary`` for one number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

from trialwright.stats.compiled._numba import inlined, inner
from trialwright.stats.elementary import (
    EXP_LIMIT,
    EXP_SERIES,
    LN2,
    LN2_HIGH,
    LN2_LOW,
    LOG_SERIES,
    MANTISSA,
    ROOT_HALF,
)

_P6, _P5, _P4, _P3, _P2, _P1, _P0 = LOG_SERIES
_SERIES = np.array(EXP_SERIES)
_PER_LN2 = 1 / LN2


def _bits_of(_: Any, x: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.bitcast(given[0], ir.IntType(64))

    return types.int64(types.float64), code


def _float_of(_: Any, bits: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.bitcast(given[0], ir.DoubleType())

    return types.float64(types.int64), code


bits_of: Any = intrinsic(_bits_of)
float_of: Any = intrinsic(_float_of)


@inlined
def minus_log(u: float) -> float:
    """``elementary.minus_log``: no branch, so that a loop over it does several numbers to an instruction."""
    bits = bits_of(u)
    k = (bits - ROOT_HALF) >> MANTISSA
    m = float_of(bits - (k << MANTISSA))
    s = (m - 1) / (m + 1)
    z = s * s
    p = (((((z * _P6 + _P5) * z + _P4) * z + _P3) * z + _P2) * z + _P1) * z + _P0
    s += s
    return float(-((p * z * s + s) + k * LN2))


@inner
def exp(x: float) -> float:
    """``elementary.exp``."""
    x = min(max(x, -EXP_LIMIT), EXP_LIMIT)
    k = np.rint(x * _PER_LN2)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = _SERIES[0]
    for c in _SERIES[1:]:
        p = p * r + c
    return math.ldexp(p, int(k))
