"""Philox4x32-10 against the known answers that its authors publish with Random123 (file kat_vectors).

The three vectors are: all zero, all ones, and the digits of pi. NumPy's own Philox is of another width (4x64) and no
oracle for this one.
"""

import numpy as np
import pytest

from trialwright.simulate.counter import key_of, philox, quad

KNOWN = {
    "zeros": ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    "ones": ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    "pi": (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(name):
    counter, key, expected = KNOWN[name]
    assert tuple(int(word) for word in philox(counter, key)) == expected


def test_arrays_are_the_same_numbers_one_by_one():
    counters = [KNOWN[name][0] for name in KNOWN]
    together = np.array(philox(tuple(np.array(counters).T), (5, 7))).T
    for counter, words in zip(counters, together, strict=True):
        assert [int(w) for w in philox(counter, (5, 7))] == words.tolist()


def test_the_same_address_the_same_number():
    """However the replicates are cut, and far beyond 32 bits."""
    start = 2**32 - 3
    whole = quad(11, 2, np.arange(start, start + 9), 40)
    for a, b in ((0, 1), (1, 6), (6, 9)):
        part = quad(11, 2, np.arange(start + a, start + b), 25)
        for some, every in zip(part, whole, strict=True):
            np.testing.assert_array_equal(some, every[a:b, :25])


def test_seed_stream_replicate_and_subject_each_matter():
    found = [quad(*address)[0].ravel()[-1] for address in ((1, 0, [0], 1), (2, 0, [0], 1), (1 + 2**32, 0, [0], 1),
             (1, 1, [0], 1), (1, 0, [1], 1), (1, 0, [2**32], 1), (1, 0, [0], 2))]  # fmt: skip
    assert len(set(found)) == len(found)


def test_uniform_and_open():
    """The mean of half a million, its variance, and no correlation of neighbours, within 4 standard errors."""
    four = quad(3, 0, np.arange(1000), 500)
    for k, u in enumerate(four):
        assert 0 < u.min() < u.max() < 1
        assert abs(u.mean() - 0.5) < 4 * np.sqrt(1 / 12 / u.size)
        assert abs(u.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / u.size)
        for x, y in ((u[:, 1:], u[:, :-1]), (u[1:], u[:-1]), (u, four[k - 1])):
            assert abs(np.corrcoef(x.ravel(), y.ravel())[0, 1]) < 4 / np.sqrt(x.size)


def test_extremes_stay_inside():
    assert key_of(2**64 - 1) == (0xFFFFFFFF, 0xFFFFFFFF)
    with pytest.raises(ValueError, match="seed"):
        key_of(-1)
    with pytest.raises(ValueError, match="seed"):
        key_of(2**64)
