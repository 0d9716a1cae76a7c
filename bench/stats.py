"""Estimators side by side with their peers: medians of repeated runs on one core, as ratios in one session.

    python bench/stats.py [--rows 200 1000 100000 1000000] [--seconds 0.5] [--markdown FILE]

Peers are taken from the interpreter that runs this (statsmodels, lifelines, survival, the Rust package on
PyPI) and from Rscript (survival, the R package); one that is absent says so. Rates differ from machine to
machine and from hour to hour; only the ratios of one run mean anything. Time is processor time, which a busy
neighbour lengthens less than the clock's. Each task's numbers are compared with ours in the same run.
"""

from __future__ import annotations

import os  # isort: split

# one core means one thread, for the peers too
os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS"), "1"))

import argparse
import importlib.util
import platform
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from trialwright.stats.cox import cox
from trialwright.stats.logrank import logrank
from trialwright.stats.survival import kaplan_meier, rmst

TAU = 300.0
TASKS = {
    "km": "Kaplan–Meier, both arms, log-log limits",
    "logrank": "log-rank",
    "logrank_strata": "log-rank, four strata",
    "cox1": "Cox, arm",
    "cox3_strata": "Cox, three covariates, four strata, Efron",
    "rmst": "restricted mean, both arms",
}
KINDS = {"days": "whole days", "cont": "untied"}
PEERS = {
    "R": "R survival",
    "rust": "survival (Rust)",
    "rust_core": "its core fit",
    "statsmodels": "statsmodels",
    "lifelines": "lifelines",
}

R_PROGRAM = r"""
suppressMessages(library(survival)); a <- commandArgs(TRUE)
n <- as.integer(a[2]); budget <- as.numeric(a[3]); tau <- as.numeric(a[4])
v <- function(name) readBin(file.path(a[1], name), "double", n)
d <- data.frame(time = v("time"), event = v("event"), arm = v("arm"), age = v("age"), sex = v("sex"),
                s = v("stratum"))
tasks <- list(
  km = function() survfit(Surv(time, event) ~ arm, d, conf.type = "log-log"),
  logrank = function() survdiff(Surv(time, event) ~ arm, d),
  logrank_strata = function() survdiff(Surv(time, event) ~ arm + strata(s), d),
  cox1 = function() coxph(Surv(time, event) ~ arm, d),
  cox3_strata = function() coxph(Surv(time, event) ~ arm + age + sex + strata(s), d),
  rmst = function() summary(survfit(Surv(time, event) ~ arm, d), rmean = tau))
km <- function(f) { s <- summary(f, times = tau); c(s$surv, s$lower) }
read <- list(km = km, logrank = function(f) f$chisq, logrank_strata = function(f) f$chisq,
             cox1 = coef, cox3_strata = coef, rmst = function(f) f$table[, "rmean"])
cat("version", as.character(packageVersion("survival")), "\n")
for (name in names(tasks)) {
  f <- tasks[[name]]; cat("number", name, sprintf("%.17g", read[[name]](f())), "\n"); t <- numeric(0)
  k <- max(1, round(20000 / n))  # proc.time counts in milliseconds
  while (length(t) < 5 || (sum(t) < budget / k && length(t) < 50)) {
    s <- sum(proc.time()[1:2]); for (i in 1:k) f()
    t <- c(t, (sum(proc.time()[1:2]) - s) / k); if (sum(t) > 10 * budget) break
  }
  cat("seconds", name, median(t), "\n")
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
        self.arms = (~self.arm, self.arm)


@dataclass(frozen=True, slots=True)
class Task:
    """A call to be timed, and the numbers to be read off its value."""

    call: Callable[[], Any]
    read: Callable[[Any], Any]


Tasks = dict[str, Task]


def ours(t: Trial) -> Tasks:
    def curve(fits: list[Any]) -> list[float]:
        at = [fit.at(TAU) for fit in fits]
        return [float(x[i]) for i in (0, 1) for x in at]

    return {
        "km": Task(lambda: [kaplan_meier(t.time[who], t.event[who]) for who in t.arms], curve),
        "logrank": Task(lambda: logrank(t.time, t.event, t.arm), lambda f: f.chi2),
        "logrank_strata": Task(lambda: logrank(t.time, t.event, t.arm, t.stratum), lambda f: f.chi2),
        "cox1": Task(lambda: cox(t.time, t.event, t.arm), lambda f: f.coef),
        "cox3_strata": Task(lambda: cox(t.time, t.event, t.X, t.stratum), lambda f: f.coef),
        "rmst": Task(
            lambda: [rmst(t.time[who], t.event[who], TAU) for who in t.arms],
            lambda fits: [f.estimate for f in fits],
        ),
    }


def last(time: Any, values: Any) -> float:
    """A step function at ``TAU``."""
    return float(np.asarray(values)[np.searchsorted(np.asarray(time), TAU, side="right") - 1])


def rust(t: Trial) -> Tasks:
    from survival import regression, surv_analysis, validation

    event, arm, stratum = (x.astype(np.int32) for x in (t.event, t.arm, t.stratum))
    x1 = t.X[:, :1]
    fit = regression.coxph_fit

    def curves(f: list[Any]) -> list[float]:
        return [
            last(k.time, values) for which in ("surv", "lower") for k in f for values in [getattr(k, which)]
        ]

    return {
        "km": Task(
            lambda: [surv_analysis.survfitkm(t.time[who], event[who], conf_type="log-log") for who in t.arms],
            curves,
        ),
        "logrank": Task(lambda: validation.logrank_test(t.time, event, arm), lambda f: f.statistic),
        "logrank_strata": Task(
            lambda: validation.logrank_test(t.time, event, arm, strata=stratum), lambda f: f.statistic
        ),
        "cox1": Task(lambda: fit(t.time, event, x1), lambda f: f.coefficients),
        "cox3_strata": Task(lambda: fit(t.time, event, t.X, strata=stratum), lambda f: f.coefficients),
        "rmst": Task(
            lambda: validation.rmst_comparison(t.time, event, arm, TAU), lambda f: [g.rmean for g in f.groups]
        ),
    }


def rust_core(t: Trial) -> Tasks:
    """The Cox fit without residuals and without the object around it."""
    from survival import regression

    event, stratum = t.event.astype(np.int32), t.stratum.astype(np.int32)
    x1 = t.X[:, :1]
    fit = regression.coxph_fit_raw
    return {
        "cox1": Task(lambda: fit(t.time, event, x1, resid=False), lambda f: f.coefficients),
        "cox3_strata": Task(
            lambda: fit(t.time, event, t.X, strata=stratum, resid=False), lambda f: f.coefficients
        ),
    }


def statsmodels(t: Trial) -> Tasks:
    """Curves without limits: it draws none. Its Cox takes minutes from 100,000 untied rows on."""
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

    event = t.event.astype(int)
    tasks = {
        "km": Task(
            lambda: [SurvfuncRight(t.time[who], event[who]) for who in t.arms],
            lambda fits: [last(f.surv_times, f.surv_prob) for f in fits],
        ),
        "logrank": Task(lambda: survdiff(t.time, event, t.arm), lambda f: f[0]),
        "logrank_strata": Task(lambda: survdiff(t.time, event, t.arm, strata=t.stratum), lambda f: f[0]),
    }
    if t.n <= 1000:
        x1 = t.X[:, :1]
        tasks["cox1"] = Task(lambda: PHReg(t.time, x1, status=event, ties="efron").fit(), lambda f: f.params)
        tasks["cox3_strata"] = Task(
            lambda: PHReg(t.time, t.X, status=event, strata=t.stratum, ties="efron").fit(), lambda f: f.params
        )
    return tasks


def lifelines(t: Trial) -> Tasks:
    """No stratified log-rank test; Cox of a million rows takes half a minute or more."""
    import pandas as pd
    from lifelines import CoxPHFitter, KaplanMeierFitter
    from lifelines.statistics import logrank_test
    from lifelines.utils import restricted_mean_survival_time

    frame = pd.DataFrame(t.X.astype(float), columns=["arm", "age", "sex"])
    frame = frame.assign(time=t.time, event=t.event, stratum=t.stratum)
    one = frame[["arm", "time", "event"]]

    def curves() -> list[Any]:
        return [KaplanMeierFitter().fit(t.time[who], t.event[who]) for who in t.arms]

    def read(fits: list[Any]) -> list[float]:
        return [float(f.survival_function_at_times(TAU).iloc[0]) for f in fits]

    tasks = {
        "km": Task(curves, read),
        "logrank": Task(
            lambda: logrank_test(t.time[t.arm], t.time[~t.arm], t.event[t.arm], t.event[~t.arm]),
            lambda f: f.test_statistic,
        ),
    }
    if t.n <= 1000:  # walks the curve step by step
        tasks["rmst"] = Task(lambda: [restricted_mean_survival_time(k, TAU) for k in curves()], lambda f: f)
    if t.n <= 100_000:
        tasks["cox1"] = Task(lambda: CoxPHFitter().fit(one, "time", "event"), lambda f: f.params_)
        tasks["cox3_strata"] = Task(
            lambda: CoxPHFitter(strata=["stratum"]).fit(frame, "time", "event"), lambda f: f.params_
        )
    return tasks


@dataclass(frozen=True, slots=True)
class Measured:
    seconds: float
    numbers: np.ndarray


def measured(task: Task, budget: float) -> Measured:
    """Median seconds of a call, within about ``budget`` seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        numbers = np.atleast_1d(np.asarray(task.read(task.call()), dtype=float))
        seconds: list[float] = []
        while len(seconds) < 5 or (sum(seconds) < budget and len(seconds) < 500):
            start = time.process_time()
            task.call()
            seconds.append(time.process_time() - start)
            if sum(seconds) > 10 * budget:
                break
    return Measured(median(seconds), numbers)


def in_r(t: Trial, budget: float) -> dict[str, Measured]:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("time", "event", "arm", "age", "sex", "stratum"):
            np.asarray(getattr(t, name), dtype=np.float64).tofile(Path(folder) / name)
        program = Path(folder) / "bench.R"
        program.write_text(R_PROGRAM)
        command = ["Rscript", str(program), folder, str(t.n), str(budget), str(TAU)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = [line.split() for line in done.stdout.splitlines()]
    numbers = {words[1]: np.array(words[2:], dtype=float) for words in said if words[0] == "number"}
    return {w[1]: Measured(float(w[2]), numbers[w[1]]) for w in said if w[0] == "seconds"}


IN_PYTHON = {"rust": rust, "rust_core": rust_core, "statsmodels": statsmodels, "lifelines": lifelines}


def installed(peer: str) -> bool:
    if peer == "R":
        return shutil.which("Rscript") is not None
    return importlib.util.find_spec("survival" if peer.startswith("rust") else peer) is not None


def side_by_side(t: Trial, budget: float, peers: list[str]) -> dict[str, dict[str, Measured]]:
    found = {"ours": {name: measured(task, budget) for name, task in ours(t).items()}}
    for peer in peers:
        if peer == "R":
            found[peer] = in_r(t, budget)
        else:
            found[peer] = {name: measured(task, budget) for name, task in IN_PYTHON[peer](t).items()}
    # ours once more, so that a neighbour who came or went in between shows
    for name, task in ours(t).items():
        before = found["ours"][name]
        after = measured(task, budget).seconds
        found["ours"][name] = Measured((before.seconds + after) / 2, before.numbers)
    return found


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest relative difference of those numbers that both give."""
    both = min(ours.size, theirs.size)
    return float(np.max(np.abs(ours[:both] / theirs[:both] - 1)))


def times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"


def lines(rows: list[int], budget: float, without: list[str]) -> Iterator[str]:
    here = [peer for peer in PEERS if peer not in without and installed(peer)]
    worst = {(peer, kind): 0.0 for peer in here for kind in KINDS}
    yield f"| rows | times | task | ours, ms | {' | '.join(PEERS.values())} |"
    yield f"| ---: | --- | --- | ---: |{' ---: |' * len(PEERS)}"
    for n in rows:
        for kind, words in KINDS.items():
            found = side_by_side(Trial(n, kind == "days"), budget, here)
            for task, us in found["ours"].items():
                cells = []
                for peer in PEERS:
                    them = found.get(peer, {}).get(task)
                    absent = "" if peer in here else "not installed"
                    cells.append(times(them.seconds / us.seconds) if them else absent)
                    if them:
                        worst[peer, kind] = max(worst[peer, kind], apart(us.numbers, them.numbers))
                yield f"| {n:,} | {words} | {TASKS[task]} | {1000 * us.seconds:.3g} | {' | '.join(cells)} |"
    yield ""
    yield "Largest relative difference from ours over all rows and tasks of the same run:"
    yield ""
    yield f"| | {' | '.join(KINDS.values())} |"
    yield "| --- | ---: | ---: |"
    for peer in here:
        yield f"| {PEERS[peer]} | {' | '.join(f'{worst[peer, kind]:.0e}' for kind in KINDS)} |"


def machine(without: list[str]) -> str:
    versions = [f"Python {platform.python_version()}", f"NumPy {np.__version__}"]
    for peer in ("statsmodels", "lifelines", "survival"):
        if peer not in without and importlib.util.find_spec(peer):
            versions.append(f"{peer} {version(peer)} (PyPI)")
    if "R" not in without and installed("R"):
        ask = "cat(R.version$major, '.', R.version$minor, ', survival ', sep='');"
        ask += "cat(as.character(packageVersion('survival')))"
        said = subprocess.run(["Rscript", "-e", ask], capture_output=True, text=True, check=True)
        versions.append(f"R {said.stdout.strip()} (R)")
    return f"One core of {os.cpu_count()} ({platform.machine()}, {platform.system()}); {'; '.join(versions)}."


BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def into(page: Path, text: str) -> None:
    """Between the marks of a page, whose other words stay; or as a page of its own."""
    before, after = BEGIN, END
    if page.exists() and BEGIN in (old := page.read_text()):
        before, rest = old.split(BEGIN)
        before, after = before + BEGIN, END + rest.split(END)[1]
    page.write_text(f"{before}\n{text}\n\n{after}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 1000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=0.5, help="about how long to repeat each task")
    parser.add_argument("--without", nargs="*", default=[], choices=list(PEERS), help="peers to leave out")
    parser.add_argument("--markdown", type=Path, help="write the tables between the marks of this page")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    said = [machine(given.without), ""]
    print("Times of ours in milliseconds; for each peer, how many times longer it takes.\n")
    print(said[0], end="\n\n")
    for line in lines(given.rows, given.seconds, given.without):
        print(line, flush=True)
        said.append(line)
    if given.markdown:
        into(given.markdown, "\n".join(said))


if __name__ == "__main__":
    main()
