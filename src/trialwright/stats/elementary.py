"""Logarithm and exponential from the four operations alone: the same bits on every machine.

What a library calls ``log`` differs in the last bit from processor to processor, and with it a simulated
trial. These are correctly rounded but for the last place or two. The compiled forms read the same
coefficients, in the same order.
"""

from __future__ import annotations

import math

import numpy as np

from trialwright.stats.arrays import Floats

MANTISSA = 52
ROOT_HALF = 0x3FE6A09E667F3BCD  # the bits of the square root of 1/2
LN2 = math.log(2)
LOG_SERIES = (
    0.07308294012106745,
    0.07665855179219852,
    0.09091444732650857,
    0.11111105565049145,
    0.14285714313002223,
    0.1999999999994972,
    0.3333333333333335,
)
"""With s = (m - 1)/(m + 1), z = s^2 and m from the root of 1/2 to that of 2, log(m) = 2s + 2s z P(z): P by
Chebyshev interpolation, highest power first, 5e-18 of log(m) off."""

LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")
EXP_SERIES = tuple(1 / math.factorial(k) for k in range(13, -1, -1))
"""Of Taylor: on half the logarithm of 2 either way, 4e-18 off."""
EXP_LIMIT = 700.0
"""Beyond it either way the exponential is that of the limit."""

_BLOCK = 4096  # the passes over a block stay in the first cache


def minus_log(u: Floats) -> Floats:
    """-log of normal positive numbers, in an array of its own."""
    found = np.empty(u.shape)
    flat, out = u.reshape(-1), found.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        _minus_log(flat[start : start + _BLOCK], out[start : start + _BLOCK])
    return found


def _minus_log(u: Floats, out: Floats) -> None:
    bits = u.view(np.int64)
    k = bits - ROOT_HALF
    k >>= MANTISSA
    exponent = k.astype(np.float64)
    k <<= MANTISSA
    s = np.subtract(bits, k, out=k).view(np.float64)
    np.add(s, 1, out=out)
    s -= 1
    s /= out
    z = s * s
    p = np.multiply(z, LOG_SERIES[0], out=out)
    for c in LOG_SERIES[1:]:
        p += c
        p *= z
    s += s
    p *= s
    p += s
    exponent *= LN2
    p += exponent
    np.negative(p, out=p)


def exp(x: Floats) -> Floats:
    """Of finite numbers."""
    x = np.clip(x, -EXP_LIMIT, EXP_LIMIT)
    k = np.rint(x * (1 / LN2))
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = np.full(r.shape, EXP_SERIES[0])
    for c in EXP_SERIES[1:]:
        p = p * r + c
    return np.asarray(np.ldexp(p, k.astype(np.int32)))
