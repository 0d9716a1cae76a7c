"""The same trial by another road: NumPy's generator, the real allocation, a loop over patients, the single forms."""

import numpy as np

from trialwright.conduct.randomise import sequence
from trialwright.simulate.chunks import Run
from trialwright.simulate.design import read
from trialwright.simulate.repeat import run
from trialwright.simulate.tally import mean
from trialwright.stats.cox import cox
from trialwright.stats.logrank import logrank
from trialwright.study.load import folder, load

STUDY = load(folder("tarlanec"))
TRIALS = 1200


def one_trial(rng):
    """The target scenario, as its file says it: (rejects, month, log hazard ratio)."""
    n = 129
    site = np.where(rng.random(n) < 0.35, "LUNG", "GEP")
    interval = np.where(rng.random(n) < 0.6, "<90", ">=90")
    stratum = [(site[i], interval[i]) for i in range(n)]
    key = rng.bytes(16)
    lists = {s: sequence(STUDY.allocation, key, s) for s in set(stratum)}
    arm = np.array([next(lists[s]) == "B" for s in stratum])
    entry = np.sort(rng.uniform(0, 30, n))
    hazard = np.log(2) / np.where(interval == "<90", 6, 10.5)
    death = rng.exponential(1 / hazard)
    death = np.where(arm & (death > 2), 2 + (death - 2) / 0.5, death)
    lost = rng.exponential(-12 / np.log(0.97), n)
    known = np.where(death <= lost, entry + death, np.inf)
    month = min(np.sort(known)[104], 54)
    dead, here = known <= month, entry <= month
    time = np.minimum(np.minimum(death, lost), month - entry)
    strata = np.array([2 * (a == "GEP") + (b == "<90") for a, b in stratum])
    data = (time[here], dead[here], arm[here], strata[here])
    return logrank(*data).z <= -1.959964, month, cox(*data).coef[0]


def test_both_roads_lead_to_the_same_place():
    rng = np.random.default_rng(8)
    slow = np.array([one_trial(rng) for _ in range(TRIALS)], dtype=float)
    fast = run(Run(read(STUDY, "target"), 5000, seed=8))
    share = fast["rejected", "logrank_stratified", "1"] / 5000
    pairs = [
        (share, np.sqrt(share * (1 - share) / 5000)),
        mean(fast, "month", "1"),
        mean(fast, "log_hr", "1"),
    ]
    for column, (value, error) in zip(slow.T, pairs, strict=True):
        own = column.std(ddof=1) / np.sqrt(TRIALS)
        assert abs(column.mean() - value) < 4 * np.hypot(own, error)
