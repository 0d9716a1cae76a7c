"""A ledger of pieces: whatever comes, in any order and however often, each replicate counts once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate_designs import A, design
from trialwright.simulate.chunks import Run
from trialwright.simulate.ledger import Ledger
from trialwright.simulate.repeat import here, run
from trialwright.simulate.tally import Tally


def part(first, trials):
    return Tally({("trials",): trials, ("sum",): sum(range(first, first + trials))})


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.data())
def test_every_replicate_once(sizes, data):
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    pieces = list(zip(starts, sizes, strict=True))
    order = data.draw(st.lists(st.sampled_from(pieces), max_size=20))
    ledger, seen = Ledger(), set()
    for piece in order:
        assert ledger.add(*piece, part(*piece)) == (piece not in seen)
        seen.add(piece)
    counted = {r for start, stop in ledger.done for r in range(start, stop)}
    assert counted == {r for first, trials in order for r in range(first, first + trials)}
    assert ledger.tally["trials",] == len(counted)
    assert ledger.tally["sum",] == sum(counted)
    missing = [r for start, stop in ledger.missing(0, sum(sizes)) for r in range(start, stop)]
    assert sorted({*missing, *counted}) == list(range(sum(sizes)))
    assert len(missing) + len(counted) == sum(sizes)


def test_ranges_drawn():
    ledger = Ledger(done=[(0, 10), (20, 30)])
    assert list(ledger.missing(0, 50)) == [(10, 20), (30, 50)]
    assert list(ledger.missing(5, 25)) == [(10, 20)]
    assert list(ledger.missing(0, 15)) == [(10, 15)]
    assert list(ledger.missing(22, 28)) == []
    ledger.add(10, 10, part(10, 10))
    assert ledger.done == [(0, 30)]


@pytest.mark.parametrize(("first", "trials"), [(5, 10), (0, 11), (9, 5)])
def test_a_piece_cut_otherwise_is_our_mistake(first, trials):
    with pytest.raises(ValueError, match="in part counted already"):
        Ledger(done=[(0, 10), (20, 30)]).add(first, trials, part(first, trials))


def test_hands_that_do_a_piece_twice_and_backwards(monkeypatch):
    """As a cluster may: the tally is that of one process."""
    from trialwright.simulate import repeat

    monkeypatch.setattr(repeat, "_PIECE", 129 * 40)
    monkeypatch.setattr(repeat, "_FIRST", 10)
    asked = Run(design(A), 203, seed=5)

    def twice(pieces):
        done = list(here(pieces))
        return iter([*reversed(done), *done])

    heard = []
    assert run(asked, hands=twice, say=lambda t: heard.append(t["trials",])) == run(asked)
    assert heard[-1] == 203
    assert len(heard) == 6


def test_what_is_known_is_not_done_again():
    first = Ledger()
    first.add(0, 100, run(Run(design(A), 100, seed=5)))
    asked = []

    def hands(pieces):
        for piece in pieces:
            asked.append((piece.first, piece.trials))
            yield from here(iter([piece]))

    assert run(Run(design(A), 203, seed=5), hands=hands, ledger=first) == run(Run(design(A), 203, seed=5))
    assert asked == [(100, 103)]
