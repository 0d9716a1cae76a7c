"""Trial simulation beside its floor and its peer: medians of rounds on one core, as ratios in one run.

    python bench/simulate.py [--rounds 3] [--markdown FILE]

Designs A, B, S and M (tests/simulate_designs.py): 129 patients, one look; 600 patients, a delayed effect,
three looks; strata; MaxCombo. Ours computes log-rank and the exact Cox estimate at every look of every trial
(S stratified, M MaxCombo's decision too) and adds up the operating characteristics. The floor (floor.c)
draws, takes logarithms and sorts, no more. rpact computes the log-rank test alone and stops a trial at its
first rejection. Time is processor time of one process kept to the first core; of two workers, the clock's.
"""

from __future__ import annotations

import os  # isort: split

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

# ruff: noqa: E402
from simulate_designs import A, B, M, S, design
from trialwright.simulate.chunks import Form, Run, simulate
from trialwright.simulate.repeat import processes, run
from trialwright.simulate.tally import Tally

DESIGNS = {name: design(raw) for name, raw in (("A", A), ("B", B), ("S", S), ("M", M))}
TRIALS: dict[Form, dict[str, int]] = {
    "compiled": {"A": 131_072, "B": 24_576, "S": 32_768, "M": 16_384},
    "array": {"A": 14_000, "B": 1_500, "S": 1_500, "M": 1_000},
}
R_TRIALS = {"A": 6_000, "B": 1_000}
FAR = 10**7
"""Replicates so far on that pieces are as large as they become."""
MEMORY = {"array": (20_000, 200_000), "compiled": (20_000, 2_000_000)}
"""Trials of A; a form that is asked for is used, or the run raises."""

KNOWN = {
    ("A", "logrank"): (0.6512, 0.0005),
    ("B", "logrank"): (0.8615, 0.0003),
    ("S", "logrank"): (0.8619, 0.0005),
    ("M", "logrank"): (0.8722, 0.0005),
    ("M", "maxcombo"): (0.9237, 0.0005),
}
"""Power by a prototype that shares no code with this, 10^6 trials each, and its Monte Carlo error."""

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def ours(name: str, form: Form, seed: int) -> tuple[float, Tally]:
    """Microseconds a trial, and what was counted."""
    trials = TRIALS[form][name]
    start = time.process_time()
    found = simulate(Run(DESIGNS[name], trials, seed, form=form))
    return (time.process_time() - start) / trials * 1e6, found


def floor(folder: Path) -> dict[str, float]:
    """Microseconds a trial of each design; empty where there is no C compiler."""
    binary, compiler = folder / "floor", shutil.which("cc")
    if compiler is None:
        return {}
    if not binary.exists():
        subprocess.run([compiler, "-O3", "-march=native", "-o", binary, HERE / "floor.c"], check=True)
    said = subprocess.run([binary], capture_output=True, text=True, check=True).stdout
    return {line.split()[0]: float(line.split()[-1]) for line in said.splitlines()}


def rpact(what: str, trials: int = 0) -> str | None:
    if not shutil.which("Rscript"):
        return None
    words = ["Rscript", str(HERE / "simulate.R"), what, str(trials)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def power(found: Tally, name: str, test: str) -> float:
    looks = range(len(DESIGNS[name].looks))
    return sum(found["rejected", test, str(k + 1)] for k in looks) / found["trials",]


def measured(rounds: int) -> tuple[list[str], list[str]]:
    times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    counted: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as folder:
        for what in DESIGNS.values():
            simulate(Run(what, 1000, 0, form="compiled"))  # compiled, or read from the disk
        for turn in range(rounds):
            for name, value in floor(Path(folder)).items():
                times["floor"][name].append(value)
            for name in DESIGNS:
                for form in ("compiled", "array"):
                    spent, found = ours(name, form, 10 * turn + 1)
                    times[form][name].append(spent)
                    if form == "compiled":
                        counted.setdefault(name, Tally()).update(found)
                peer = rpact(name, R_TRIALS[name]) if name in R_TRIALS else None
                if peer:
                    times["rpact"][name].append(float(peer) * 1e6)
    return _table(times), _checked(counted)


def _table(times: dict[str, dict[str, list[float]]]) -> list[str]:
    words = ["floor, µs", "compiled, µs", "arrays, µs", "rpact, µs"]
    words += ["compiled / floor", "rpact / compiled", "rpact / arrays", "floor against rpact"]
    lines = ["| design | " + " | ".join(words) + " |", "| --- |" + " ---: |" * len(words)]
    for name in DESIGNS:
        each = {
            who: median(times[who][name]) if times[who][name] else None
            for who in ("floor", "compiled", "array", "rpact")
        }
        ratios = [("compiled", "floor"), ("rpact", "compiled"), ("rpact", "array"), ("rpact", "floor")]
        cells = [f"{value:.2f}" if value else "" for value in each.values()]
        cells += [f"{each[a] / each[b]:.2f}" if each[a] and each[b] else "" for a, b in ratios]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _checked(counted: dict[str, Tally]) -> list[str]:
    lines = ["", "| design | test | power | standard error | known | apart, in standard errors |"]
    lines += ["| --- | --- | ---: | ---: | ---: | ---: |"]
    for (name, test), (known, error) in KNOWN.items():
        found = power(counted[name], name, test)
        own = (found * (1 - found) / counted[name]["trials",]) ** 0.5
        apart = abs(found - known) / (own**2 + error**2) ** 0.5
        if apart > 4.5:
            raise SystemExit(f"{name}, {test}: power {found:.4f} is not the known {known:.4f}")
        lines.append(f"| {name} | {test} | {found:.4f} | {own:.4f} | {known:.4f} | {apart:.1f} |")
    return lines


def others() -> list[str]:
    """Two workers, a cold start, memory."""
    lines = ["", "| | |", "| --- | ---: |"]
    one, two = (_spent(workers) for workers in (1, 2))
    lines.append(
        "| two workers, once started, times one, by the clock (B, compiled; both cores must be idle) "
        f"| {one / two:.2f} |"
    )
    cold = [_cold() for _ in range(3)]
    for k, words in enumerate(("first answer", "whole answer")):
        lines.append(
            f"| cold start: {words} to TARLANEC's target, 10,000 trials, processor seconds "
            f"| {median(c[k] for c in cold):.2f} |"
        )
    for form, sizes in MEMORY.items() if Path("/proc/self/status").exists() else ():
        for trials in sizes:
            lines.append(
                f"| memory at most, {form} form, {trials:,} trials of A, MB | {_memory(form, trials)} |"
            )
    return lines


def _spent(workers: int) -> float:
    """Seconds by the clock: a fork server's workers are not our children, whose time we could read."""
    with processes(workers) as hands:
        run(Run(DESIGNS["B"], 30_000, 2, first=FAR, form="compiled"), hands=hands)  # all have started
        start = time.perf_counter()
        run(Run(DESIGNS["B"], 300_000, 1, first=FAR, form="compiled"), hands=hands)
        return time.perf_counter() - start


_COLD = """
import time
from trialwright.simulate.chunks import Run
from trialwright.simulate.design import read
from trialwright.simulate.repeat import run
from trialwright.study.load import folder, load
heard = []
run(Run(read(load(folder("tarlanec")), "target"), 10_000, 1), say=lambda _: heard.append(time.process_time()))
print(heard[0], heard[-1])
"""


def _cold() -> tuple[float, ...]:
    done = subprocess.run([sys.executable, "-c", _COLD], capture_output=True, text=True, check=True)
    return tuple(map(float, done.stdout.split()))


_MEMORY = """
import sys
sys.path.insert(0, sys.argv[3])
from simulate_designs import A, design
from trialwright.simulate.chunks import Run
from trialwright.simulate.repeat import run
run(Run(design(A), int(sys.argv[2]), 1, form=sys.argv[1]))
most = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(round(int(most[0].split()[1]) / 1024))
"""


def _memory(form: str, trials: int) -> str:
    words = [sys.executable, "-c", _MEMORY, form, str(trials), str(HERE.parent / "tests")]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", type=Path)
    asked = parser.parse_args()
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if cores:
        os.sched_setaffinity(0, {min(cores)})
    table, checked = measured(asked.rounds)
    if cores:
        os.sched_setaffinity(0, cores)
    found = [
        f"One core of {os.cpu_count()} ({platform.machine()}, {platform.system()}); Python "
        f"{platform.python_version()}; NumPy {version('numpy')}; numba {version('numba')}; "
        f"rpact {rpact('version') or 'absent'} (R).",
        "",
        *table,
        *checked,
        *others(),
    ]
    text = "\n".join(found)
    print(text)
    if asked.markdown:
        page = asked.markdown.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        asked.markdown.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
