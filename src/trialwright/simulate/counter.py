"""Chance by address: the generator Philox4x32-10, which has no state.

Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011. The counter is (subject,
stream, replicate), the key is the seed: whoever asks for a number gets the same one, in any chunk, on any
machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_BLOCK = 12_000  # counters at a time, so that all stays in the cache


def philox(counter: tuple[npt.ArrayLike, ...], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Four random words of 32 bits for each counter of four such words; the counters broadcast together."""
    given = (np.asarray(word, dtype=np.uint64) for word in counter)
    c0, c1, c2, c3 = (word.copy() for word in np.broadcast_arrays(*given))
    k0, k1 = key
    first, second = np.empty_like(c0), np.empty_like(c0)
    for _ in range(_ROUNDS):
        np.multiply(c0, _MULTIPLIERS[0], out=first)
        np.multiply(c2, _MULTIPLIERS[1], out=second)
        np.right_shift(second, _32, out=c0)
        c0 ^= c1
        c0 ^= np.uint64(k0)
        np.right_shift(first, _32, out=c2)
        c2 ^= c3
        c2 ^= np.uint64(k1)
        np.bitwise_and(second, _LOW, out=c1)
        np.bitwise_and(first, _LOW, out=c3)
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def key_of(seed: int) -> tuple[int, int]:
    if not 0 <= seed < 2**64:
        raise ValueError(f"a seed lies between 0 and 2^64 - 1, not {seed}")
    return seed & 0xFFFFFFFF, seed >> 32


def quad(seed: int, stream: int, replicate: npt.ArrayLike, subjects: int) -> tuple[Floats, ...]:
    """Four uniform numbers for each replicate and subject: arrays (replicates, subjects), never 0 or 1.

    The middles of 2^32 equal steps: as times to an event a hundred times finer than the near-ties of
    ``stats.ties``.
    """
    which = np.asarray(replicate, dtype=np.uint64)[:, None]
    subject, key = np.arange(subjects, dtype=np.uint64), key_of(seed)
    found = np.empty((4, len(which), subjects))
    rows = max(_BLOCK // max(subjects, 1), 1)
    for start in range(0, len(which), rows):
        here = slice(start, start + rows)
        words = philox((subject, stream, which[here] & _LOW, which[here] >> _32), key)
        for numbers, word in zip(found, words, strict=True):
            np.add(word, 0.5, out=numbers[here])
    found *= 2.0**-32
    return tuple(found)
