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

MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10
_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_BLOCK = 12_000  # counters at a time, so that all stays in the cache


def philox(counter: tuple[npt.ArrayLike, ...], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Four random words of 32 bits for each counter of four such words; the counters broadcast together.

    The first rounds are of the counters as they come: what depends on the subject alone, or on the replicate
    alone, is worked out once for each of them.
    """
    c0, c1, c2, c3 = (np.asarray(word, dtype=np.uint64) for word in counter)
    shape = np.broadcast_shapes(c0.shape, c1.shape, c2.shape, c3.shape)
    keys = _keys(key)
    while keys and not c0.shape == c2.shape == shape:
        k0, k1 = keys.pop(0)
        first, second = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c2 = (second >> _32) ^ (c1 ^ k0), (first >> _32) ^ (c3 ^ k1)
        c1, c3 = second & _LOW, first & _LOW
    c0, c1, c2, c3 = (_whole(word, shape) for word in (c0, c1, c2, c3))
    first, second = np.empty(shape, dtype=np.uint64), np.empty(shape, dtype=np.uint64)
    for k0, k1 in keys:
        np.multiply(c0, MULTIPLIERS[0], out=first)
        np.multiply(c2, MULTIPLIERS[1], out=second)
        np.right_shift(second, _32, out=c0)
        c0 ^= c1
        c0 ^= k0
        np.right_shift(first, _32, out=c2)
        c2 ^= c3
        c2 ^= k1
        np.bitwise_and(second, _LOW, out=c1)
        np.bitwise_and(first, _LOW, out=c3)
    return c0, c1, c2, c3


def _keys(key: tuple[int, int]) -> list[tuple[np.uint64, np.uint64]]:
    """Of each round."""
    return [
        (np.uint64((key[0] + i * WEYL[0]) & 0xFFFFFFFF), np.uint64((key[1] + i * WEYL[1]) & 0xFFFFFFFF))
        for i in range(ROUNDS)
    ]


def _whole(word: Words, shape: tuple[int, ...]) -> Words:
    return word if word.shape == shape and word.flags.owndata else np.broadcast_to(word, shape).copy()


def key_of(seed: int) -> tuple[int, int]:
    if not 0 <= seed < 2**64:
        raise ValueError(f"a seed lies between 0 and 2^64 - 1, not {seed}")
    return seed & 0xFFFFFFFF, seed >> 32


def quad(seed: int, stream: int, replicate: npt.ArrayLike, subjects: int, numbers: int = 4) -> Floats:
    """The first of four uniform numbers for each replicate and subject: (numbers, replicates, subjects).

    Never 0 or 1: the middles of 2^32 equal steps, as times to an event a hundred times finer than the
    near-ties of ``stats.ties``.
    """
    which = np.asarray(replicate, dtype=np.uint64)[:, None]
    subject, key = np.arange(subjects, dtype=np.uint64), key_of(seed)
    found = np.empty((numbers, len(which), subjects))
    rows = max(_BLOCK // max(subjects, 1), 1)
    for start in range(0, len(which), rows):
        here = slice(start, start + rows)
        high = which[here] >> _32
        if (high == high[0]).all():
            high = high[:1]
        words = philox((subject, stream, which[here] & _LOW, high), key)
        for row, word in zip(found, words, strict=False):
            np.add(word, 0.5, out=row[here])
    found *= 2.0**-32
    return found
