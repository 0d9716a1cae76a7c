"""`trialwright simulate --dask`: worker processes of their own, one of them killed in the middle.

Nothing lost, nothing counted twice: the bytes are those of one process here.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trialwright.simulate import cluster, repeat
from trialwright.simulate.chunks import Run
from trialwright.simulate.design import read
from trialwright.standards.errors import InputError
from trialwright.study.load import folder, load

pytest.importorskip("distributed")
ENVIRONMENT = {
    **os.environ,
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__GIL__ENABLED": "false",
}


def program(*words, **options):
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, words)], stderr=subprocess.DEVNULL, env=ENVIRONMENT, **options
    )


def worker(address, folder):
    return program(
        "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard",
        "--local-directory", folder, "--host", "127.0.0.1",
    )  # fmt: skip


@pytest.fixture
def cluster_of(tmp_path):
    """A scheduler and so many workers, each a process; all gone at the end."""
    with contextlib.ExitStack() as stack, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()

        def ended(process):
            process.kill()
            process.wait()

        def make(workers):
            address = f"tcp://127.0.0.1:{port}"
            words = (
                "distributed.cli.dask_scheduler",
                "--host",
                "127.0.0.1",
                "--port",
                port,
                "--no-dashboard",
            )
            stack.callback(ended, program(*words))
            crew = [worker(address, tmp_path / f"w{i}") for i in range(workers)]
            for process in crew:
                stack.callback(ended, process)
            return address, crew

        yield make


def simulate(out, *more):
    command = [Path(sys.executable).parent / "trialwright", "simulate", "tarlanec", "--scenario", "moderate",
               "--seed", "3", "--out", out, *map(str, more)]  # fmt: skip
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle(cluster_of, tmp_path):
    address, crew = cluster_of(2)
    trials = 40_000
    going = simulate(tmp_path / "far", "--trials", trials, "--dask", address)
    unfinished = tmp_path / "far.unfinished"
    while not unfinished.exists() and going.poll() is None:
        time.sleep(0.02)
    assert unfinished.exists(), going.communicate()
    counted = json.loads(unfinished.read_text("utf-8"))["done"]
    assert sum(stop - start for start, stop in counted) < trials, "it is in the middle"
    crew[0].send_signal(signal.SIGKILL)
    said, wrong = going.communicate(timeout=120)
    assert (going.returncode, wrong) == (0, "")
    assert said.startswith(f"{trials:,} trials: power of logrank_stratified"), said
    assert crew[1].poll() is None, "the other one did the rest"
    near = simulate(tmp_path / "near", "--trials", trials, "--workers", 1)
    near.communicate(timeout=120)
    for name in ("results.parquet", "simulation.html", "tally.json"):
        assert (tmp_path / "far" / name).read_bytes() == (tmp_path / "near" / name).read_bytes(), name


HURRIED = """
import sys
from trialwright import cli
from trialwright.simulate import cluster

cluster._PATIENCE = "1s"
cli.main()
"""


def hurried(*words):
    command = [sys.executable, "-c", HURRIED, "simulate", "tarlanec", "--scenario", "null", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_nobody_there(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = hurried("--out", tmp_path / "o", "--dask", f"tcp://127.0.0.1:{port}")
    assert done.returncode == 2
    assert done.stderr == f"error: no Dask scheduler answers at tcp://127.0.0.1:{port}\n"


@pytest.mark.parametrize(
    "address", ["nonsense", "here:8786", "tcp://here", "tcp://", "ftp://here:21", "tcp://a b:1"]
)
def test_an_address_that_is_none_is_told_at_once(address):
    """Nobody is asked: asking keeps a half-made client alive for many seconds."""
    with pytest.raises(InputError) as refused, cluster.hands(address):
        pass
    assert refused.value.lines == (f"--dask is an address like tcp://HOST:PORT, not {address!r}",)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tls://node-7.cluster:1", "tcp://[::1]:8786"])
def test_addresses(address, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match="needs the extra"), cluster.hands(address):
        pass


def test_no_workers(tmp_path, cluster_of):
    address, _ = cluster_of(0)
    for _ in range(20):  # until the scheduler is there
        done = hurried("--out", tmp_path / "o", "--dask", address)
        if "answers" not in done.stderr:
            break
    assert done.returncode == 2
    assert done.stderr == f"error: the Dask scheduler at {address} has no workers\n"


def test_a_piece_has_one_key():
    """Of the same question, whoever asks; of another seed, range or design another."""
    design = read(load(folder("tarlanec")), "moderate")
    piece = Run(design, 100, 5, first=300)
    others = [
        Run(design, 100, 6, first=300),
        Run(design, 100, 5, first=400),
        Run(design, 101, 5, first=300),
        Run(design.model_copy(update={"patients": 130}), 100, 5, first=300),
    ]
    keys = [cluster.key_of(repeat.sent(one)) for one in (piece, *others)]
    assert cluster.key_of(repeat.sent(Run(design, 100, 5, first=300))) == keys[0]
    assert len(set(keys)) == 5
    assert re.fullmatch(r"trialwright-[0-9a-f]{16}-300-100", keys[0])


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match='needs the extra "cluster"'), cluster.hands("tcp://127.0.0.1:1"):
        pass


def test_the_command_line_does_not_load_it():
    words = "import sys, trialwright.cli, trialwright.simulate.operate; print('distributed' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
