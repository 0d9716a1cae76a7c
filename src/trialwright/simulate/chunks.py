"""One piece of work: the trials of a range of replicates, in chunks that fit the cache.

There are two forms of it, in arrays and compiled (the extra ``fast``). They draw the same numbers and give
the same number of every trial to the last bit, so that which of them did a piece is a question of time alone:
no result says it, workers with and without numba may share a question, and its bytes stay the same. A
property test holds them together on any design.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import numpy as np

from trialwright.simulate.cohort import enrol
from trialwright.simulate.design import Design
from trialwright.simulate.looks import Seen, look_at
from trialwright.simulate.tally import Tally, tally

CHUNK = 60_000
"""Patients drawn at a time."""

Form = Literal["auto", "array", "compiled"]

WORTH = 20_000_000
"""Patients looked at in a question before ``auto`` takes the compiled form: it has to be loaded, half a
second, and on a machine where it never ran to be compiled, many seconds. Until then arrays are as far."""
_MOST = 8192
"""Trials whose numbers are held at a time."""


@dataclass(frozen=True, slots=True)
class Run:
    """Replicates ``first`` … ``first + trials - 1`` of a design under a seed."""

    design: Design
    trials: int
    seed: int
    first: int = 0
    chunk: int = CHUNK
    form: Form = "auto"
    """``compiled`` raises where numba is missing or the design asks for what only arrays know."""


def simulate(piece: Run) -> Tally:
    """The trials of one piece of work, chunk by chunk, in this process."""
    found: Tally = Tally()
    for seen in _compiled(piece) if compiles(piece) else _arrays(piece):
        found.update(tally(piece.design, seen))
    return found


def compiles(piece: Run) -> bool:
    """Whether the compiled form does this piece.

    ``auto`` goes by how far the question has come, which each worker can tell from its piece alone.
    """
    if piece.form == "array":
        return False
    if piece.form == "auto":
        done = piece.first * piece.design.patients * len(piece.design.looks)
        if done < WORTH or find_spec("numba") is None:
            return False
    from trialwright.simulate.compiled.forms import knows

    known = knows(piece.design)
    if not known and piece.form == "compiled":
        raise ValueError("only the array form knows what this design asks for")
    return known


def _arrays(piece: Run) -> Iterator[tuple[Seen, ...]]:
    size = max(piece.chunk // piece.design.patients, 1)
    for start in range(piece.first, piece.first + piece.trials, size):
        end = min(start + size, piece.first + piece.trials)
        yield look_at(piece.design, enrol(piece.design, piece.seed, np.arange(start, end)))


def _compiled(piece: Run) -> Iterator[tuple[Seen, ...]]:
    from trialwright.simulate.compiled.forms import Trials

    trials = Trials(piece.design, min(_MOST, piece.trials))
    for start in range(piece.first, piece.first + piece.trials, trials.most):
        yield trials.seen(piece.seed, start, min(trials.most, piece.first + piece.trials - start))
