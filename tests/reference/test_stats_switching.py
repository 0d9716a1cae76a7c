"""Treatment switching against R.

Program: tests/reference/r/stats_switching.R, output stats_switching.txt (versions in its first line); the trial
is drawn there (data/switching.csv, data/switching_intervals.csv). psi is where a step function jumps: both
sides halve until 1e-12, but survdiff takes times within 1.5e-8 for tied, which moves the jump by as much. The weights come from glm, converged to 1e-14; the Cox models stop at 1e-11 of the
log-likelihood, which leaves 1e-6 of a coefficient open at worst.
"""

import numpy as np
import pytest

from stats_reference import data, numbers
from trialwright.stats.logistic import logistic
from trialwright.stats.switching import censoring_weighted, intervals, rank_preserving, switching_weights

R = numbers("stats_switching.txt")
TRIAL, ROWS = data("switching"), data("switching_intervals")


def flat(interval):
    return [interval.estimate, interval.lower, interval.upper]


@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("recensor", ["switching-arms", "all", "none"])
def test_rank_preserving(recensor, strata):
    name = f"rpsft.{recensor}{'.strata' if strata else ''}"
    found = rank_preserving(
        *(TRIAL[column] for column in ("time", "event", "group", "treated", "censor")),
        strata=TRIAL["stratum"] if strata else None,
        recensor=recensor,
    )
    np.testing.assert_allclose(flat(found.psi), R[f"{name}.psi"], atol=1e-8)
    np.testing.assert_allclose(found.crossings, R[f"{name}.crossings"], atol=1e-8)
    assert found.intention_to_treat.z == pytest.approx(R[f"{name}.z"][0], rel=1e-10)
    np.testing.assert_allclose(flat(found.hazard_ratio()), R[f"{name}.hr"], rtol=1e-8)
    assert found.n_recensored == R[f"{name}.recensored"][0]
    assert found.n_switched == ((TRIAL["group"] == 0) & (TRIAL["treated"] > 0)).sum()


def rows():
    names = ("subject", "start", "stop")
    return intervals(*(ROWS[n] for n in names), **{n: ROWS[n] for n in ("event", "switch", "group")})


ONE = np.ones(ROWS["stop"].size)
FULL = np.column_stack((ONE, ROWS["now"], ROWS["stratum"], ROWS["start"]))
BASE = np.column_stack((ONE, ROWS["marker"], ROWS["start"]))


def test_logistic():
    could = (ROWS["group"] == 0) & (ROWS["event"] == 0)
    found = logistic(ROWS["switch"][could], FULL[could])
    np.testing.assert_allclose(found.coef, R["glm.coef"], rtol=1e-9)
    np.testing.assert_allclose(found.std_error, R["glm.se"], rtol=1e-9)
    assert found.loglik == pytest.approx(R["glm.loglik"][0], rel=1e-12)


@pytest.mark.parametrize("kind", ["plain", "stable"])
def test_censoring_weights(kind):
    follow_up = rows()
    w = switching_weights(follow_up, FULL, BASE if kind == "stable" else None)
    some = w[np.flatnonzero(w > 1.05)[[0, 19, 39]]]
    np.testing.assert_allclose([w.mean(), w.max(), w @ w, *some], R[f"ipcw.{kind}.weights"], rtol=1e-8)
    for name, strata in (("", None), (".strata", ROWS["stratum"])):
        found = censoring_weighted(follow_up, w, strata)
        coef, robust, _ = R[f"ipcw.{kind}{name}.cox"]
        np.testing.assert_allclose([found.cox.coef[0], found.cox.std_error[0]], [coef, robust], rtol=1e-7)
    curves = [curve.at([6, 12, 24])[0] for curve in found.curves]
    np.testing.assert_allclose(np.concatenate(curves), R[f"ipcw.{kind}.curve"], rtol=1e-9)
    assert found.n_switched == ROWS["switch"].sum()
