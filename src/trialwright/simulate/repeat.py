"""The same trial many times: pieces of work on as many hands as there are, added up exactly.

The tally is the same to the last bit for any chunk, any number of workers and any order in which they end. A
piece is known by its range of replicates, so that one done twice counts once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import fields, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from trialwright.simulate.chunks import WORTH, Run, simulate
from trialwright.simulate.design import Design
from trialwright.simulate.ledger import Ledger
from trialwright.simulate.tally import Tally

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

_FIRST = 1_000
_PIECE = 1_000_000
"""Patients in a piece of work: the first answer is early, the others cost little to hand over."""
_LARGEST = 30_000_000
"""Bytes: the threshold grows no further than 32 MiB."""
_WORTH = 1_000_000
"""Patients, for each worker, below which a pool costs more than it brings."""

Say = Callable[[Tally], None]
Done = tuple[Run, Tally]
Hands = Callable[[Iterator[Run]], Iterator[Done]]
"""Whoever does pieces of work, in any order, never asking for many more than are being done."""


def run(
    run: Run,
    *,
    workers: int = 1,
    say: Say = lambda _: None,
    hands: Hands | None = None,
    ledger: Ledger | None = None,
) -> Tally:
    """The tally of all trials; ``say`` hears of it as it grows.

    ``hands`` do the pieces, by default so many ``workers``; ``ledger`` may know some pieces already, and is
    told of each that is done.
    """
    with nullcontext(hands) if hands else processes(workers) as who:
        return _gathered(run, who, ledger or Ledger(), say)


def _gathered(run: Run, hands: Hands, ledger: Ledger, say: Say) -> Tally:
    _roomy()
    if ledger.tally:
        say(ledger.tally)
    for piece, part in hands(_pieces(run, ledger)):
        if ledger.add(piece.first, piece.trials, part):
            say(ledger.tally)
    return ledger.tally


def _pieces(run: Run, ledger: Ledger) -> Iterator[Run]:
    first = not ledger.tally
    for start, end in ledger.missing(run.first, run.first + run.trials):
        here = start
        while here < end:
            trials = min(_FIRST if first else _size(run.design.patients, here), end - here)
            yield replace(run, trials=trials, first=here)
            here, first = here + trials, False


def _size(patients: int, here: int) -> int:
    """Trials of a piece: more where the compiled form is at work, so that handing over stays cheap."""
    return max((_PIECE if here * patients < WORTH else 4 * _PIECE) // patients, 1)


def cores() -> int:
    """Those this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def here(pieces: Iterator[Run]) -> Iterator[Done]:
    """In this process, one after the other."""
    return ((piece, simulate(piece)) for piece in pieces)


@contextmanager
def processes(workers: int) -> Iterator[Hands]:
    """Hands on so many processes; the pool starts when there is work for it and serves till the end.

    Processes, not threads: the array form spends its time in short NumPy calls between which threads wait
    for each other (two threads were no faster than one, two processes nearly twice).
    """
    if workers == 1:
        yield here
        return
    pools: list[ProcessPoolExecutor] = []
    try:
        yield lambda pieces: _spread(pieces, workers, pools)
    finally:
        for pool in pools:
            pool.shutdown(cancel_futures=True)


def _spread(pieces: Iterator[Run], workers: int, pools: list[ProcessPoolExecutor]) -> Iterator[Done]:
    """Never more pieces out than twice the workers: memory does not grow with the trials.

    The first piece is done here while the workers start: the early answer does not wait for them.
    """
    from concurrent.futures import FIRST_COMPLETED, Future, wait

    ahead = list(islice(pieces, 2 * workers))
    if not pools and sum(piece.trials * piece.design.patients for piece in ahead) < _WORTH * workers:
        yield from here(chain(ahead, pieces))
        return
    if not pools:
        pools.append(_pool(workers))
    out: dict[Future[Tally], Run] = {pools[0].submit(remote, sent(piece)): piece for piece in ahead[1:]}
    yield from here(iter(ahead[:1]))
    for piece in pieces:
        out[pools[0].submit(remote, sent(piece))] = piece
        if len(out) >= 2 * workers:
            done, _ = wait(out, return_when=FIRST_COMPLETED)
            yield from ((out.pop(future), future.result()) for future in done)
    while out:
        done, _ = wait(out, return_when=FIRST_COMPLETED)
        yield from ((out.pop(future), future.result()) for future in done)


def _pool(workers: int) -> ProcessPoolExecutor:
    """Where there is a fork server it imports once for all workers."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_all_start_methods, get_context

    how = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
    context = get_context(how)
    if how == "forkserver":
        context.set_forkserver_preload([simulate.__module__])
    return ProcessPoolExecutor(workers, context, initializer=_deaf)


def _deaf() -> None:
    """An interruption is for who asked: a worker ends with the pool."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


Sent = tuple[str, dict[str, Any]]


def sent(piece: Run) -> Sent:
    """Frozen mappings cannot travel between processes; JSON can, and gives every float back as it was."""
    rest = {field.name: getattr(piece, field.name) for field in fields(piece) if field.name != "design"}
    return piece.design.model_dump_json(), rest


def remote(sent: Sent) -> Tally:
    _roomy()
    design, rest = sent
    return simulate(Run(Design.model_validate_json(design), **rest))


def _roomy() -> None:
    """Let the allocator keep what a chunk gives back, for the next one.

    glibc returns arrays of more than 128 KiB to the system and fetches them again, page by page, until one
    as large as this has been freed (mallopt(3), M_MMAP_THRESHOLD): without it a quarter of the time of small
    trials went there. Elsewhere it does nothing.
    """
    np.empty(_LARGEST, dtype=np.uint8)
