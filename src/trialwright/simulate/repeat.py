"""The same trial many times: chunks that fit the cache, on as many processes as asked, added up exactly.

The tally is the same to the last bit for any chunk, any number of workers and any order in which they end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trialwright.simulate.chunks import Run, simulate
from trialwright.simulate.design import Design
from trialwright.simulate.tally import Tally

_FIRST = 1_000
_PIECE = 3_000_000
"""Patients in a piece of work: the first answer is early, the others cost little to hand over."""

Say = Callable[[Tally], None]


def run(run: Run, *, workers: int = 1, say: Say = lambda _: None) -> Tally:
    """The tally of all trials; ``say`` hears of it as it grows."""
    pieces = _pieces(run)
    found: Tally = Tally()
    for part in map(simulate, pieces) if workers == 1 else _spread(pieces, workers):
        found.update(part)
        say(found)
    return found


def _pieces(run: Run) -> Iterator[Run]:
    start, end = run.first, run.first + run.trials
    size = _FIRST
    while start < end:
        size = min(size, end - start)
        yield Run(run.design, size, run.seed, start, run.chunk)
        start, size = start + size, max(_PIECE // run.design.patients, 1)


def _spread(pieces: Iterator[Run], workers: int) -> Iterator[Tally]:
    """On processes; never more pieces out than twice the workers: memory does not grow with the trials."""
    from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
    from multiprocessing import get_context

    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        out: set[Future[Tally]] = set()
        for piece in pieces:
            out.add(pool.submit(_remote, _sent(piece)))
            if len(out) >= 2 * workers:
                done, out = wait(out, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while out:
            done, out = wait(out, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


def _sent(piece: Run) -> tuple[str, int, int, int, int]:
    """Frozen mappings cannot travel between processes; JSON can, and gives every float back as it was."""
    return piece.design.model_dump_json(), piece.trials, piece.seed, piece.first, piece.chunk


def _remote(sent: tuple[str, int, int, int, int]) -> Tally:
    design, *numbers = sent
    return simulate(Run(Design.model_validate_json(design), *numbers))
