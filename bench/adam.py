"""All analysis datasets of many rehearsed TARLANEC patients on one core: seconds and peak memory.

    python bench/adam.py [--patients 10000] [--copies 1 10] [--folder DIR] [--stages]

Rehearses the patients once (SDTM as Parquet in the folder, a temporary one unless given), then builds each
number of copies of them in a process of its own with one thread; copies are the same patients under new ids.
Prints processor seconds, the clock's, peak memory with the SDTM in it, and the rows of the largest datasets.
``--stages`` times each dataset. A busy neighbour lengthens everything: compare only within one run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CUTOFF = dt.date(2030, 3, 1)
SEED = 7


def rehearsed(folder: Path, patients: int) -> None:
    from trialwright.simulate import doors
    from trialwright.simulate.rehearse import rehearse
    from trialwright.study import load

    study = load.load(load.folder("tarlanec"))
    folder.mkdir(parents=True, exist_ok=True)
    doors.write(folder, rehearse(study, doors.scenario(study), patients, SEED), "parquet")


def built(folder: Path, copies: int, stages: bool) -> None:
    import polars as pl

    from trialwright.adam import build
    from trialwright.sdtm import read
    from trialwright.study import load

    domains, _ = read.read(folder)
    for name in list(domains):
        frame = domains.pop(name)
        new_id = pl.col("USUBJID") + "-" + pl.col("copy").cast(pl.String)
        parts = [
            frame.with_columns(copy=pl.lit(i)).with_columns(USUBJID=new_id).drop("copy")
            for i in range(copies)
        ]
        domains[name] = pl.concat(parts) if copies > 1 else frame
    study = load.load(load.folder("tarlanec"))
    timed = watched() if stages else {}
    clock, cpu = time.perf_counter(), time.process_time()
    datasets, _ = build.build(study, domains, CUTOFF)
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    patients = datasets["ADSL"].filter(pl.col("ITTFL") == "Y").height
    rows = ", ".join(
        f"{name} {datasets[name].height:,}" for name in ("ADLB", "ADQS", "ADAE", "ADTTE", "ADRS")
    )
    print(f"{patients:,} patients: {cpu:.1f} s of processor, {clock:.1f} s by the clock, peak {peak:.1f} GiB")
    print(f"  {rows}")
    for name, seconds in timed.items():
        print(f"  {name:8s}{seconds:8.2f} s")


def watched() -> dict[str, float]:
    """Processor seconds by stage, filled while ``build`` runs."""
    from trialwright.adam import build

    timed: dict[str, float] = {}
    for stage in ("adsl", "adtr", "adrs", "adtte", "adae", "adlb", "adqs", "adex"):
        module = getattr(build, stage)
        module.build = _timing(stage, module.build, timed)
    build.lesions = _timing("lesions", build.lesions, timed)
    return timed


def _timing(name, function, timed):  # type: ignore[no-untyped-def]
    def timing(*args, **given):  # type: ignore[no-untyped-def]
        with _clocked(name, timed):
            return function(*args, **given)

    return timing


@contextmanager
def _clocked(name: str, timed: dict[str, float]) -> Iterator[None]:
    start = time.process_time()
    yield
    timed[name] = timed.get(name, 0.0) + time.process_time() - start


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--patients", type=int, default=10_000)
    words.add_argument("--copies", type=int, nargs="+", default=[1, 10])
    words.add_argument("--folder", type=Path)
    words.add_argument("--stages", action="store_true")
    words.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.one:
        built(given.folder, given.one, given.stages)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not any(folder.glob("*.parquet")):
            rehearsed(folder, given.patients)
        for copies in given.copies:
            command = [sys.executable, __file__, "--one", str(copies), "--folder", str(folder)]
            one_thread = os.environ | {"POLARS_MAX_THREADS": "1"}
            subprocess.run([*command, *["--stages"] * given.stages], env=one_thread, check=True)


if __name__ == "__main__":
    main()
