"""All analysis datasets of many rehearsed TARLANEC patients on one core: seconds and peak memory.

    python bench/adam.py [--stages] [--folder DIR] [--copies N ...] [--blocks] [--laboratory ROWS]

Rehearses 10,000 patients once (SDTM as Parquet in the folder, a temporary one unless given), then derives
them at once, again with fewer laboratory tests (the 0.8 million rows of the bound), and 100,000 in ten
blocks: each case in a process of its own with one thread. The bounds are 5 s for the second, 60 s and 6 GB
for the third. ``--laboratory`` keeps so many rows of LB at most, whole tests in the order of their names.
``--copies`` asks for other numbers of blocks of that size, at once or, with ``--blocks``, one after the
other. ``--stages`` times each part of the derivation.

Copies are the same patients under new ids, so that dates and texts repeat more than in a trial of that size.
Processor seconds are told apart: reading the SDTM, deriving (the bound), writing the datasets (blocks only).
The peak is that of the process, SDTM included. A block is derived and written before the next is read, and
memory does not grow with their number. ``trialwright build`` itself derives a study at once and not in
blocks, which no trial has needed: 100,000 patients at once need about ten times the memory of 10,000. Blocks
give the same rows, but findings that count the records of a whole domain are then counted in each.
A busy neighbour lengthens everything: compare only within one run.
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
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

CUTOFF = dt.date(2030, 3, 1)
SEED = 7
LABORATORY = 840_000


def rehearsed(folder: Path, patients: int) -> None:
    from trialwright.simulate import doors
    from trialwright.simulate.rehearse import rehearse
    from trialwright.study import load

    study = load.load(load.folder("tarlanec"))
    folder.mkdir(parents=True, exist_ok=True)
    doors.write(folder, rehearse(study, doors.scenario(study), patients, SEED), "parquet")


def derived(folder: Path, copies: int, stages: bool, blocks: bool, laboratory: int) -> None:
    """Prints what ``copies`` of the folder's patients took, at once or in blocks."""
    from trialwright.sdtm import read

    spent = dict.fromkeys(("reading", "deriving", "writing"), 0.0)
    parts = watched() if stages else {}
    rows = Counter[str]()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        for block in [[copy] for copy in range(copies)] if blocks else [list(range(copies))]:
            with _clocked("reading", spent):
                domains = _thinned(read.read(folder)[0], laboratory)
            domains = domains if copies == 1 else _renamed(domains, block)
            with _clocked("deriving", spent):
                datasets = _derived(domains)
            with _clocked("writing", spent):
                for name, frame in datasets.items() if blocks else ():
                    frame.write_parquet(Path(out) / f"{name}-{block[0]}.parquet")
            rows.update({name: frame.height for name, frame in datasets.items()})
            rows["patients"] += datasets["ADSL"].filter(pl.col("ITTFL") == "Y").height
            del domains, datasets
    _print(rows, spent, parts, f"in {copies} blocks" if blocks else "at once", time.perf_counter() - start)


def _print(
    rows: Counter[str], spent: Mapping[str, float], parts: Mapping[str, float], how: str, clock: float
) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"{rows['patients']:,} patients {how}: {spent['deriving']:.1f} s of processor, peak {peak:.1f} GB")
    print(
        "  "
        + ", ".join(f"{name} {rows[name]:,}" for name in ("ADLB", "ADQS", "ADAE", "ADTTE", "ADRS"))
        + " rows"
    )
    print(f"  reading {spent['reading']:.1f} s, writing {spent['writing']:.1f} s; {clock:.0f} s by the clock")
    rest = {"the rest": spent["deriving"] - sum(parts.values())} if parts else {}
    for name, seconds in {**parts, **rest}.items():
        print(f"  {name:12s}{seconds:8.2f} s")


def _thinned(domains: Mapping[str, pl.DataFrame], laboratory: int) -> Mapping[str, pl.DataFrame]:
    if not laboratory:
        return domains
    tests = domains["LB"].group_by("LBTESTCD").len("n").sort("LBTESTCD")
    kept = tests.filter(pl.col("n").cum_sum() <= laboratory)["LBTESTCD"]
    return {**domains, "LB": domains["LB"].filter(pl.col("LBTESTCD").is_in(kept.implode())).rechunk()}


def _renamed(domains: Mapping[str, pl.DataFrame], copies: list[int]) -> dict[str, pl.DataFrame]:
    """The same patients under new ids, once for each copy."""
    ids = {copy: pl.concat_str("USUBJID", pl.lit(f"-{copy}")) for copy in copies}
    return {
        name: pl.concat([frame.with_columns(ids[copy].alias("USUBJID")) for copy in copies])
        for name, frame in domains.items()
    }


def _derived(domains: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    from trialwright.adam import build
    from trialwright.study import load

    return build.build(load.load(load.folder("tarlanec")), domains, CUTOFF)[0]


def watched() -> dict[str, float]:
    """Processor seconds by stage, filled while ``build`` runs."""
    from trialwright.adam import build

    timed: dict[str, float] = {}
    for stage in ("adsl", "adtr", "adrs", "adtte", "adae", "adlb", "adqs", "adex"):
        module = getattr(build, stage)
        module.build = _timing(stage, module.build, timed)
    build.lesions = _timing("lesions", build.lesions, timed)
    build.reconciled = _timing("reconciled", build.reconciled, timed)
    build.variables.keyed = _timing("keys, types", build.variables.keyed, timed)
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
    words.add_argument("--patients", type=int, default=10_000, help="in a block")
    words.add_argument("--copies", type=int, nargs="+", help="other cases than the two of the bounds")
    words.add_argument("--folder", type=Path)
    words.add_argument("--stages", action="store_true")
    words.add_argument("--blocks", action="store_true")
    words.add_argument("--laboratory", type=int, default=0, metavar="ROWS", help="of LB at most; 0: all")
    words.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.one:
        derived(given.folder, given.one, given.stages, given.blocks, given.laboratory)
        return
    cases = [(copies, given.blocks, given.laboratory) for copies in given.copies or ()]
    cases = cases or [(1, False, 0), (1, False, LABORATORY), (10, True, 0)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not any(folder.glob("*.parquet")):
            rehearsed(folder, given.patients)
        for copies, blocks, laboratory in cases:
            command = [sys.executable, __file__, "--one", str(copies), "--folder", str(folder)]
            one_thread = os.environ | {"POLARS_MAX_THREADS": "1"}
            flags = ["--stages"] * given.stages + ["--blocks"] * blocks + ["--laboratory", str(laboratory)]
            subprocess.run([*command, *flags], env=one_thread, check=True)


if __name__ == "__main__":
    main()
