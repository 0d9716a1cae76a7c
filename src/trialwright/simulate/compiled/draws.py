"""Philox4x32-10 compiled: bit by bit that of ``simulate.counter``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.simulate.counter import MULTIPLIERS, ROUNDS, WEYL
from trialwright.stats.compiled._numba import inlined

Words = npt.NDArray[np.uint64]

UNIT = 2.0**-32
_M0, _M1 = MULTIPLIERS
_W0, _W1 = np.uint64(WEYL[0]), np.uint64(WEYL[1])
_32, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


@inlined
def word_of(
    subject: np.uint64, stream: np.uint64, replicate: np.uint64, key: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    c0, c1, c2, c3 = subject, stream, replicate & _LOW, replicate >> _32
    k0, k1 = key & _LOW, key >> _32
    for _ in range(ROUNDS):
        first, second = c0 * _M0, c2 * _M1
        c0, c1 = (second >> _32) ^ c1 ^ k0, second & _LOW
        c2, c3 = (first >> _32) ^ c3 ^ k1, first & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3
