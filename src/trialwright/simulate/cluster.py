"""Hands on a Dask cluster: pieces go out as (design, range of replicates), tallies come back.

A piece is known by its range and a trial by its address alone, so a piece that a dying worker leaves behind
is done again elsewhere and gives the same numbers; the ledger counts each range once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import trialwright
from trialwright.simulate.chunks import Run
from trialwright.simulate.repeat import Done, Hands, Sent, remote, sent
from trialwright.simulate.tally import Tally
from trialwright.standards.errors import InputError

_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[^\s/]+:\d{1,5}/?")
_PATIENCE = "10s"
"""Until a scheduler answers, and until it has a worker."""


@contextmanager
def hands(address: str) -> Iterator[Hands]:
    """Whoever the scheduler at this address has.

    Raises InputError where the address is none, the extra is not installed, nobody answers, no worker is
    there, or one has another version of Trialwright.
    """
    with _client(address) as client:
        yield lambda pieces: _spread(client, pieces)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    if not _ADDRESS.fullmatch(address):
        raise InputError(f"--dask is an address like tcp://HOST:PORT, not {address!r}")
    try:
        import distributed
    except ImportError as error:
        raise InputError('--dask needs the extra "cluster": pip install "trialwright[cluster]"') from error
    try:
        client: Any = _untyped(distributed).Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {address}") from error
    with client:
        _check(client, address)
        yield client


def _check(client: Any, address: str) -> None:
    """There is a worker, and all there are have this version."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
        versions = client.run(_version)
    except TimeoutError as error:
        raise InputError(f"the Dask scheduler at {address} has no workers") from error
    except ModuleNotFoundError as error:
        raise InputError(f"the workers of {address} do not have Trialwright") from error
    for worker, version in versions.items():
        if version != trialwright.__version__:
            raise InputError(f"{worker} has Trialwright {version}, here it is {trialwright.__version__}")


def _untyped(module: Any) -> Any:
    return module


def _version() -> str:
    return trialwright.__version__


def _spread(client: Any, pieces: Iterator[Run]) -> Iterator[Done]:
    """Some pieces for each thread of the cluster are out at a time, so that none waits and memory stays."""
    import distributed

    out: dict[str, Run] = {}

    def give(piece: Run) -> Any:
        packed = sent(piece)
        out[key_of(packed)] = piece
        return client.submit(remote, packed, key=key_of(packed), retries=3)

    many = 3 * max(sum(client.nthreads().values()), 1)
    waiting = _untyped(distributed).as_completed(
        [give(piece) for piece in islice(pieces, many)], loop=client.loop
    )
    for future in waiting:
        yield out.pop(future.key), _result(future)
        for piece in islice(pieces, 1):
            waiting.add(give(piece))


def key_of(packed: Sent) -> str:
    """The same piece of the same question has the same key, whoever asks."""
    digest = hashlib.sha256(repr(packed).encode()).hexdigest()[:16]
    _, rest = packed
    return f"trialwright-{digest}-{rest['first']}-{rest['trials']}"


def _result(future: Any) -> Tally:
    from distributed import KilledWorker

    try:
        return Tally(future.result())
    except KilledWorker as error:
        raise InputError(f"the piece {future.key} ended too many workers: {error}") from error
