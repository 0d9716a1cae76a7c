"""Trial simulation side by side with rpact: medians of repeated runs on one core, as ratios in one session.

    taskset -c 0 python bench/simulate.py [--runs 5] [--markdown FILE]

Designs A, B, S and M: 129 patients, one look; 600 patients, a delayed effect, three looks; strata; MaxCombo.
Ours computes log-rank and the exact Cox estimate at every look of every trial (S stratified, M MaxCombo's
decision too); rpact computes log-rank alone and stops a trial at its first rejection. It knows neither strata
nor MaxCombo: there R's survival, in a loop over ready data, stands in on S (log-rank alone, nothing drawn),
and M has no peer. Rates differ from machine to machine and hour to hour; only the ratios of one run count.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from simulate_designs import A, B, M, S, design
from trialwright.simulate.chunks import Run
from trialwright.simulate.repeat import run

TRIALS = {"A": 20_000, "B": 3_000, "S": 3_000, "M": 2_000}
DESIGNS = {"A": A, "B": B, "S": S, "M": M}

R_TRIALS = {"A": 4_000, "B": 600, "S": 100}


def ours(name: str, seed: int) -> float:
    """Seconds a trial."""
    start = time.perf_counter()
    run(Run(design(DESIGNS[name]), TRIALS[name], seed))
    return (time.perf_counter() - start) / TRIALS[name]


def theirs(name: str) -> float | None:
    if name not in R_TRIALS or not shutil.which("Rscript"):
        return None
    words = ["Rscript", str(Path(__file__).with_suffix(".R")), name, str(R_TRIALS[name])]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--markdown", type=Path)
    asked = parser.parse_args()
    lines = ["| design | ours, µs a trial | peer, µs a trial | peer / ours |", "| --- | ---: | ---: | ---: |"]
    for name in DESIGNS:
        ours(name, 0)
        pairs = [(ours(name, i + 1), theirs(name)) for i in range(asked.runs)]
        own = median(a for a, _ in pairs) * 1e6
        peers = [b for _, b in pairs if b is not None]
        if not peers:
            lines.append(f"| {name} | {own:.1f} | none | |")
            continue
        ratio = median(b / a for a, b in pairs if b is not None)
        peer = "survival (R loop)" if name == "S" else "rpact"
        lines.append(f"| {name} | {own:.1f} | {median(peers) * 1e6:.0f} ({peer}) | {ratio:.1f} |")
    table = "\n".join(lines)
    print(table)
    if asked.markdown:
        asked.markdown.write_text(table + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
