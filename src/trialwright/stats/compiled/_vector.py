"""Exponential and logarithm without a branch: in a loop the compiler then takes several numbers at a time."""

from __future__ import annotations

import math

import numpy as np

from trialwright.stats.compiled._numba import kernel

_ROUND = 6755399441055744.0  # 3 * 2**51: added, it leaves the whole number in the last bits
_ROUND_BITS = int(np.float64(_ROUND).view(np.int64))
_PER_LN2 = 1 / math.log(2)
_LN2_HIGH = float.fromhex("0x1.62e42fefa3800p-1")  # its last bits are 0: times a whole number it is exact
_LN2_LOW = float.fromhex("0x1.ef35793c76730p-45")
_LEAST, _MOST = -707.0, 709.0
_EXPONENT = 52  # where its bits begin
_HALF_ROOT = int(np.float64(math.sqrt(0.5)).view(np.int64))


@kernel
def exp(x: float) -> float:
    """To within an ulp; what would be below 1e-307 is 0.

    exp(x) is 2^k exp(r) with |r| at most half the logarithm of 2: thirteen terms of the series, and k added
    to the exponent's bits.
    """
    rounded = min(max(x, _LEAST), _MOST) * _PER_LN2 + _ROUND
    k = rounded - _ROUND
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    s = 1 / 479001600 + r / 6227020800
    s = 1 / 39916800 + r * s
    s = 1 / 3628800 + r * s
    s = 1 / 362880 + r * s
    s = 1 / 40320 + r * s
    s = 1 / 5040 + r * s
    s = 1 / 720 + r * s
    s = 1 / 120 + r * s
    s = 1 / 24 + r * s
    s = 1 / 6 + r * s
    s = 0.5 + r * s
    bits = np.float64(1 + (r + r * r * s)).view(np.int64) + (np.float64(rounded).view(np.int64) << _EXPONENT)
    found = 0.0 if x < _LEAST else np.int64(bits).view(np.float64)
    found = math.inf if x > _MOST else found
    return x if math.isnan(x) else found


@kernel
def log(x: float) -> float:
    """To within two ulps, from 1e-307 to 1e307; of 0 minus infinity.

    x is 2^k m with m about 1, and log m is twice the area tangent of (m - 1)/(m + 1), twelve terms.
    """
    bits = np.float64(x).view(np.int64)
    above = (bits - _HALF_ROOT) >> _EXPONENT
    k = np.int64(above + _ROUND_BITS).view(np.float64) - _ROUND
    f = np.int64(bits - (above << _EXPONENT)).view(np.float64) - 1
    s = f / (2 + f)
    q = s * s
    t = 1 / 21 + q / 23
    t = 1 / 19 + q * t
    t = 1 / 17 + q * t
    t = 1 / 15 + q * t
    t = 1 / 13 + q * t
    t = 1 / 11 + q * t
    t = 1 / 9 + q * t
    t = 1 / 7 + q * t
    t = 1 / 5 + q * t
    t = 1 / 3 + q * t
    found = k * _LN2_HIGH + (k * _LN2_LOW + 2 * (s + s * q * t))
    return -math.inf if x == 0 else found
