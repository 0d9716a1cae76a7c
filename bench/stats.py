"""Estimators side by side with their peers: medians of repeated runs on one core, as ratios in one session.

    python bench/stats.py [--rows 200 1000 100000 1000000] [--seconds 0.5] [--markdown FILE]

Peers are taken from the interpreter that runs this (statsmodels, lifelines, survival, the Rust package on
PyPI) and from Rscript (survival, the R package); one that is absent says so. Rates differ from machine to
machine and from hour to hour; only the ratios of one run mean anything. Time is processor time, which a busy
neighbour lengthens less than the clock's. Each task's numbers are compared with ours in the same run. Our own
come in two forms, arrays and compiled (numba); compiling is timed apart, in a process of its own.
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
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np

from trialwright.stats.cox import cox
from trialwright.stats.logrank import logrank
from trialwright.stats.restricted import two_curves
from trialwright.stats.survival import rmst_difference

TAU = 300.0
TASKS = {
    "km": "Kaplan–Meier, both arms, log-log limits",
    "logrank": "log-rank",
    "logrank_strata": "log-rank, four strata",
    "cox1": "Cox, arm",
    "cox3_strata": "Cox, three covariates, four strata, Efron",
    "rmst": "restricted means and their difference",
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
    """A call to be timed, and the numbers to be read off its value; where there is another way to the same,
    the faster one counts."""

    call: Callable[[], Any]
    read: Callable[[Any], Any]
    other: Callable[[], Any] | None = None


Tasks = dict[str, Task]


def ours(t: Trial, form: SimpleNamespace) -> Tasks:
    def curve(fits: tuple[Any, ...]) -> list[float]:
        at = [fit.at(TAU) for fit in fits]
        return [float(x[i]) for i in (0, 1) for x in at]

    return {
        "km": Task(lambda: form.two_curves(t.time, t.event, t.arm), curve),
        "logrank": Task(lambda: form.logrank(t.time, t.event, t.arm), lambda f: f.chi2),
        "logrank_strata": Task(lambda: form.logrank(t.time, t.event, t.arm, t.stratum), lambda f: f.chi2),
        "cox1": Task(lambda: form.cox(t.time, t.event, t.arm), lambda f: f.coef),
        "cox3_strata": Task(lambda: form.cox(t.time, t.event, t.X, t.stratum), lambda f: f.coef),
        "rmst": Task(
            lambda: form.rmst_difference(t.time, t.event, t.arm, TAU),
            lambda f: [f.group_0.estimate, f.group_1.estimate],
        ),
    }


def forms() -> dict[str, SimpleNamespace]:
    """Ours over arrays, and compiled where numba is installed."""
    found = {
        "arrays": SimpleNamespace(
            cox=cox, logrank=logrank, two_curves=two_curves, rmst_difference=rmst_difference
        )
    }
    if importlib.util.find_spec("numba"):
        from trialwright.stats import compiled

        found["compiled"] = SimpleNamespace(**{name: getattr(compiled, name) for name in compiled.__all__})
    return found


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
            lambda: surv_analysis.survfitkm(t.time, event, strata=arm, conf_type="log-log"),
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
        seconds = timed(task.call, budget)
        if task.other:
            seconds = min(seconds, timed(task.other, budget))
    return Measured(seconds, numbers)


def timed(call: Callable[[], Any], budget: float) -> float:
    """Median over rounds of calls; a round is at least a millisecond, beside which the clock is nothing."""
    start = time.process_time()
    call()
    calls = max(1, round(1e-3 / max(time.process_time() - start, 1e-6)))
    rounds: list[float] = []
    while len(rounds) < 5 or (sum(rounds) < budget and len(rounds) < 500):
        start = time.process_time()
        for _ in range(calls):
            call()
        rounds.append(time.process_time() - start)
        if sum(rounds) > 10 * budget:
            break
    return median(rounds) / calls


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
    mine = {form: ours(t, names) for form, names in forms().items()}
    found = {form: {name: measured(task, budget) for name, task in mine[form].items()} for form in mine}
    for peer in peers:
        if peer == "R":
            found[peer] = in_r(t, budget)
        else:
            found[peer] = {name: measured(task, budget) for name, task in IN_PYTHON[peer](t).items()}
    # ours once more, so that a neighbour who came or went in between shows
    for form, tasks in mine.items():
        for name, task in tasks.items():
            before = found[form][name]
            after = measured(task, budget).seconds
            found[form][name] = Measured((before.seconds + after) / 2, before.numbers)
    return found


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest relative difference of those numbers that both give."""
    both = min(ours.size, theirs.size)
    return float(np.max(np.abs(ours[:both] / theirs[:both] - 1)))


def times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"


def lines(rows: list[int], budget: float, without: list[str]) -> Iterator[str]:
    here = [peer for peer in PEERS if peer not in without and installed(peer)]
    mine = list(forms())
    others = [name for name in (*mine, *here) if name != "arrays"]
    worst = {(other, kind): 0.0 for other in others for kind in KINDS}
    yield f"| rows | times | task | {' | '.join(f'{f}, ms' for f in mine)} | {' | '.join(PEERS.values())} |"
    yield f"| ---: | --- | --- |{' ---: |' * (len(mine) + len(PEERS))}"
    for n in rows:
        for kind, words in KINDS.items():
            found = side_by_side(Trial(n, kind == "days"), budget, here)
            for task, us in found["arrays"].items():
                own = [found[form][task].seconds for form in mine]
                cells = [f"{1000 * seconds:.3g}" for seconds in own]
                for peer in PEERS:
                    them = found.get(peer, {}).get(task)
                    absent = "" if peer in here else "not installed"
                    cells.append(" · ".join(times(them.seconds / s) for s in own) if them else absent)
                yield f"| {n:,} | {words} | {TASKS[task]} | {' | '.join(cells)} |"
                for other in others:
                    if them := found[other].get(task):
                        worst[other, kind] = max(worst[other, kind], apart(us.numbers, them.numbers))
    yield ""
    yield "Largest relative difference from our array form over all rows and tasks of the same run:"
    yield ""
    yield f"| | {' | '.join(KINDS.values())} |"
    yield "| --- | ---: | ---: |"
    for other in others:
        name = PEERS.get(other, "our compiled form")
        yield f"| {name} | {' | '.join(f'{worst[other, kind]:.0e}' for kind in KINDS)} |"
    if "compiled" in mine:
        yield ""
        yield compiling()


FIRST_CALLS = r"""
import time; import numpy as np; start = time.process_time(); from trialwright.stats import compiled as c
t, e = np.arange(1.0, 41), np.arange(40) % 3 > 0; g, s, x = t % 2 == 0, np.arange(40) // 10, np.sin(t)
c.logrank(t, e, g, s); c.two_curves(t, e, g); c.kaplan_meier(t, e); c.rmst_difference(t, e, g, 30.0)
c.cox(t, e, g); c.cox(t, e, np.column_stack([g, x]), s); print(time.process_time() - start)
"""


def compiling() -> str:
    """How long the first calls take in a new process, where nothing is compiled yet and where it is."""
    with tempfile.TemporaryDirectory() as folder:
        here = {**os.environ, "NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-c", FIRST_CALLS]
        first, again = (
            float(subprocess.run(command, env=here, capture_output=True, text=True, check=True).stdout)
            for _ in range(2)
        )
    return (
        f"Compiling all of these tasks took {first:.0f} s; a new process that finds them compiled spends "
        f"{again:.1f} s on its first calls, numba's import included. Neither is in the times above."
    )


def machine(without: list[str]) -> str:
    versions = [f"Python {platform.python_version()}", f"NumPy {np.__version__}"]
    for peer in ("numba", "statsmodels", "lifelines", "survival"):
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
    print("Ours in milliseconds; for each peer, how many times longer it takes than each form of ours.\n")
    print(said[0], end="\n\n")
    for line in lines(given.rows, given.seconds, given.without):
        print(line, flush=True)
        said.append(line)
    if given.markdown:
        into(given.markdown, "\n".join(said))


if __name__ == "__main__":
    main()
