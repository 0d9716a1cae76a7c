"""Estimators side by side with their peers: medians of repeated runs on one core, as ratios in one session.

    python bench/stats.py [--rows 200 1000 100000 1000000] [--markdown FILE]

Peers are used where they are installed: statsmodels and lifelines from the test environment, R's survival
through Rscript. Rates differ from machine to machine and from hour to hour; only the ratios of one run mean
anything. Time is processor time of one thread, which a busy neighbour lengthens less than the clock's.
statsmodels draws its curve without limits; lifelines and R with.
"""

from __future__ import annotations

import argparse
import importlib.util
import os  # isort: split

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core means one thread

import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from trialwright.stats.cox import cox
from trialwright.stats.logrank import logrank
from trialwright.stats.survival import kaplan_meier, rmst

R_PROGRAM = r"""
suppressMessages(library(survival)); a <- commandArgs(TRUE); n <- as.integer(a[2]); budget <- as.numeric(a[3])
v <- function(name) readBin(file.path(a[1], name), "double", n)
d <- data.frame(time = v("time"), event = v("event"), arm = v("arm"), age = v("age"), sex = v("sex"),
                s = v("stratum"))
tasks <- list(
  km = function() survfit(Surv(time, event) ~ arm, d, conf.type = "log-log"),
  logrank = function() survdiff(Surv(time, event) ~ arm, d),
  logrank_strata = function() survdiff(Surv(time, event) ~ arm + strata(s), d),
  cox1 = function() coxph(Surv(time, event) ~ arm, d),
  cox3_strata = function() coxph(Surv(time, event) ~ arm + age + sex + strata(s), d),
  rmst = function() summary(survfit(Surv(time, event) ~ arm, d), rmean = 300))
for (name in names(tasks)) {
  f <- tasks[[name]]; f(); t <- numeric(0)
  k <- max(1, round(20000 / n))  # proc.time counts in milliseconds
  while (length(t) < 5 || (sum(t) < budget / k && length(t) < 50)) {
    s <- sum(proc.time()[1:2]); for (i in 1:k) f()
    t <- c(t, (sum(proc.time()[1:2]) - s) / k); if (sum(t) > 10 * budget) break
  }
  cat(name, median(t), "\n")
}
"""


class Trial:
    """A two-arm trial of n patients; whole days (tied) or not."""

    def __init__(self, n: int, whole_days: bool) -> None:
        rng = np.random.default_rng(20)
        self.n = n
        self.arm = rng.random(n) < 0.5
        event = rng.exponential(np.where(self.arm, 460, 300))
        censor = rng.uniform(100, 1500, n)
        observed = np.minimum(event, censor)
        self.time = np.ceil(observed) if whole_days else observed
        self.event = event <= censor
        self.age = rng.integers(40, 80, n).astype(float)
        self.sex = (rng.random(n) < 0.4).astype(float)
        self.stratum = rng.integers(0, 4, n)
        self.X = np.column_stack([self.arm, self.age, self.sex])


def ours(t: Trial) -> dict[str, Callable[[], object]]:
    one, nought = t.arm, ~t.arm
    return {
        "km": lambda: [kaplan_meier(t.time[who], t.event[who]) for who in (nought, one)],
        "logrank": lambda: logrank(t.time, t.event, t.arm),
        "logrank_strata": lambda: logrank(t.time, t.event, t.arm, t.stratum),
        "cox1": lambda: cox(t.time, t.event, t.arm),
        "cox3_strata": lambda: cox(t.time, t.event, t.X, t.stratum),
        "rmst": lambda: [rmst(t.time[who], t.event[who], 300) for who in (nought, one)],
    }


def statsmodels(t: Trial) -> dict[str, Callable[[], object]]:
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

    event = t.event.astype(int)
    tasks: dict[str, Callable[[], object]] = {
        "km": lambda: [SurvfuncRight(t.time[who], event[who]) for who in (~t.arm, t.arm)],
        "logrank": lambda: survdiff(t.time, event, t.arm),
        "logrank_strata": lambda: survdiff(t.time, event, t.arm, strata=t.stratum),
    }
    if t.n <= 1000:
        tasks["cox3_strata"] = lambda: PHReg(t.time, t.X, status=event, strata=t.stratum, ties="efron").fit()
    return tasks


def lifelines(t: Trial) -> dict[str, Callable[[], object]]:
    import pandas as pd
    from lifelines import CoxPHFitter, KaplanMeierFitter
    from lifelines.statistics import logrank_test

    frame = pd.DataFrame(t.X.astype(float), columns=["arm", "age", "sex"])
    frame = frame.assign(time=t.time, event=t.event, stratum=t.stratum)
    tasks: dict[str, Callable[[], object]] = {
        "km": lambda: [KaplanMeierFitter().fit(t.time[who], t.event[who]) for who in (~t.arm, t.arm)],
        "logrank": lambda: logrank_test(t.time[t.arm], t.time[~t.arm], t.event[t.arm], t.event[~t.arm]),
    }
    if t.n <= 100_000:
        tasks["cox3_strata"] = lambda: CoxPHFitter(strata=["stratum"]).fit(frame, "time", "event")
    return tasks


def timed(task: Callable[[], object], budget: float) -> float:
    """Median seconds of a call, within about ``budget`` seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        task()
        seconds: list[float] = []
        while len(seconds) < 5 or (sum(seconds) < budget and len(seconds) < 500):
            start = time.process_time()
            task()
            seconds.append(time.process_time() - start)
            if sum(seconds) > 10 * budget:
                break
    return median(seconds)


def in_r(t: Trial, budget: float) -> dict[str, float]:
    rscript = shutil.which("Rscript")
    if rscript is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("time", "event", "arm", "age", "sex", "stratum"):
            np.asarray(getattr(t, name), dtype=np.float64).tofile(Path(folder) / name)
        program = Path(folder) / "bench.R"
        program.write_text(R_PROGRAM)
        command = [rscript, str(program), folder, str(t.n), str(budget)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (line.split() for line in done.stdout.splitlines())
    return {words[0]: float(words[1]) for words in lines if len(words) == 2}


def peers(t: Trial, budget: float, without: list[str]) -> dict[str, dict[str, float]]:
    found = {"ours": {name: timed(task, budget) for name, task in ours(t).items()}}
    for name, tasks in (("statsmodels", statsmodels), ("lifelines", lifelines)):
        if name not in without and importlib.util.find_spec(name):
            found[name] = {word: timed(task, budget) for word, task in tasks(t).items()}
    found["R survival"] = in_r(t, budget)
    # ours once more, so that a neighbour who came or went in between shows
    again = {name: timed(task, budget) for name, task in ours(t).items()}
    found["ours"] = {name: (found["ours"][name] + again[name]) / 2 for name in again}
    return found


def table(rows: list[int], budget: float, without: list[str]) -> str:
    names = ["statsmodels", "lifelines", "R survival"]
    lines = [
        f"| rows | kind | task | ours, ms | {' | '.join(names)} |",
        "| ---: | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for n in rows:
        for kind in ("days", "cont"):
            found = peers(Trial(n, kind == "days"), budget, without)
            for task, seconds in found["ours"].items():
                others = [found.get(name, {}).get(task) for name in names]
                ratios = ["" if other is None else f"{other / seconds:.1f}" for other in others]
                lines.append(f"| {n} | {kind} | {task} | {1000 * seconds:.3g} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 1000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=0.5, help="about how long to repeat each task")
    parser.add_argument("--without", nargs="*", default=[], help="peers to leave out")
    parser.add_argument("--markdown", type=Path, help="also write the table here")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    text = table(given.rows, given.seconds, given.without)
    print("Times of ours in milliseconds; for each peer, how many times longer it takes.\n")
    print(text)
    if given.markdown:
        given.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
