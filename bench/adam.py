"""All analysis datasets of many rehearsed TARLANEC patients on one core: seconds and peak memory.

    python bench/adam.py [--patients 10000] [--copies 1 3] [--folder DIR] [--stages] [--blocks]

Rehearses the patients once (SDTM as Parquet in the folder, a temporary one unless given), then builds each
number of copies of them in a process of its own with one thread; copies are the same patients under new ids.
Prints processor seconds, the clock's, peak memory with the SDTM in it, and the rows of the largest datasets.
``--blocks`` builds one copy after the other and writes each, so that memory does not grow with the number.
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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

CUTOFF = dt.date(2030, 3, 1)
SEED = 7


def rehearsed(folder: Path, patients: int) -> None:
    from trialwright.simulate import doors
    from trialwright.simulate.rehearse import rehearse
    from trialwright.study import load

    study = load.load(load.folder("tarlanec"))
    folder.mkdir(parents=True, exist_ok=True)
    doors.write(folder, rehearse(study, doors.scenario(study), patients, SEED), "parquet")


def built(folder: Path, copies: int, stages: bool, blocks: bool) -> None:
    from trialwright.sdtm import read

    domains, _ = read.read(folder)
    timed = watched() if stages else {}
    whole = [[copy] for copy in range(copies)] if blocks else [list(range(copies))]
    clock, cpu, rows = 0.0, 0.0, dict.fromkeys(("patients", "ADLB", "ADQS", "ADAE", "ADTTE", "ADRS"), 0)
    with tempfile.TemporaryDirectory() as out:
        for block in whole:
            renamed = domains if copies == 1 else _renamed(domains, block)
            start = time.perf_counter(), time.process_time()
            datasets = _one_build(renamed, Path(out) if blocks else None)
            clock, cpu = clock + time.perf_counter() - start[0], cpu + time.process_time() - start[1]
            for name, height in datasets.items():
                rows[name] += height
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    said = "in blocks, written, " if blocks else ""
    print(
        f"{rows.pop('patients'):,} patients: {said}{cpu:.1f} s of processor, {clock:.1f} s by the clock,",
        end=" ",
    )
    print(f"peak {peak:.1f} GiB\n  " + ", ".join(f"{name} {height:,}" for name, height in rows.items()))
    for name, seconds in timed.items():
        print(f"  {name:8s}{seconds:8.2f} s")


def _renamed(domains: Mapping[str, pl.DataFrame], copies: list[int]) -> dict[str, pl.DataFrame]:
    """The same patients under new ids, once for each copy."""
    ids = {copy: pl.concat_str("USUBJID", pl.lit(f"-{copy}")) for copy in copies}
    return {
        name: pl.concat([frame.with_columns(ids[copy].alias("USUBJID")) for copy in copies])
        for name, frame in domains.items()
    }


def _one_build(domains: Mapping[str, pl.DataFrame], out: Path | None) -> dict[str, int]:
    """Rows of the largest datasets, and the patients; written where a folder is given, then forgotten."""
    from trialwright.adam import build
    from trialwright.study import load

    datasets, _ = build.build(load.load(load.folder("tarlanec")), domains, CUTOFF)
    for name, frame in datasets.items() if out else ():
        frame.write_parquet(out / f"{name}.parquet")
    patients = datasets["ADSL"].filter(pl.col("ITTFL") == "Y").height
    return {"patients": patients} | {
        name: datasets[name].height for name in ("ADLB", "ADQS", "ADAE", "ADTTE", "ADRS")
    }


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
    words.add_argument("--copies", type=int, nargs="+", default=[1, 3])
    words.add_argument("--folder", type=Path)
    words.add_argument("--stages", action="store_true")
    words.add_argument("--blocks", action="store_true")
    words.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.one:
        built(given.folder, given.one, given.stages, given.blocks)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not any(folder.glob("*.parquet")):
            rehearsed(folder, given.patients)
        for copies in given.copies:
            command = [sys.executable, __file__, "--one", str(copies), "--folder", str(folder)]
            one_thread = os.environ | {"POLARS_MAX_THREADS": "1"}
            flags = ["--stages"] * given.stages + ["--blocks"] * given.blocks
            subprocess.run([*command, *flags], env=one_thread, check=True)


if __name__ == "__main__":
    main()
