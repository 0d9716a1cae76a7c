"""The n-th smallest by counting, and short rows sorted with a few put in their places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from trialwright.simulate.cohort import NEVER
from trialwright.simulate.compiled.order import nth, sort_rows
from trialwright.simulate.design import ALMOST_NEVER

months = st.one_of(
    st.floats(1e-9, 200),
    st.integers(1, 5).map(float),
    st.floats(1e-300, 1e280),
    st.just(1 / ALMOST_NEVER),
)
guesses = st.sampled_from([(0.0, 0.0), (30.0, 2.0), (1e5, 1e-9), (1e-5, 1e6), (3.0, -1.0)])


@given(st.lists(months, min_size=1, max_size=70), st.data(), guesses)
def test_nth_from_any_guess(values, data, guess):
    row = np.array(values)
    n = data.draw(st.integers(1, row.size))
    told, right = np.array(guess), np.sort(row)[n - 1]
    for _ in range(2):  # and from what the first told
        found = nth(row, row.view(np.int64), n, NEVER, told)
        assert found == right or (found > NEVER and right > NEVER)


def test_nth_among_neighbours_no_bound_can_part():
    row = np.full(40, 7.0)
    row[:13] = np.nextafter(7, 8)
    row[13] = 1e-200
    for n in range(1, 41):
        assert nth(row, row.view(np.int64), n, NEVER, np.zeros(2)) == np.sort(row)[n - 1]


@pytest.mark.parametrize("size", [1, 2, 127, 128, 129, 130, 132, 133, 200, 256, 257, 260, 261, 600])
def test_rows_sorted(size):
    rows = np.random.default_rng(size).integers(0, 2**32, (30, size), dtype=np.uint32)
    rows[1] = 2**32 - 1
    rows[2, size // 2 :] = 0
    rows[3] = rows[3, ::-1] & 3
    found = rows.copy()
    sort_rows(found)
    assert (found == np.sort(rows, axis=1)).all()
