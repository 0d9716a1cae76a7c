"""The bundled scenario against the published numbers it was fitted to (project rules 9.3 and 9.4).

20,000 control and 40,000 tarlatamab patients, so that chance is small beside every tolerance: the standard error
of a median survival is about 0.08 months, of a proportion at most 0.35 points. What the tolerances allow is the
difference of the models: scans are jittered and missed, nodes do not vanish, hazards differ between patients,
some are never treated or stop their scans, while 9.3 has none of that. Nothing here says that the trial will
be like this.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from trialwright.simulate import doors, engager, questionnaires, safety
from trialwright.simulate.draw import MINUTES, NEVER
from trialwright.simulate.imaging import CR, NE, PD, PR, SD
from trialwright.simulate.rehearse import happen
from trialwright.stats.survival import kaplan_meier
from trialwright.study.load import folder, load

pytestmark = pytest.mark.slow

MONTH = 30.4375
STUDY = load(folder("tarlanec"))
SCENARIO = doors.scenario(STUDY)
TERMS = {"CRS": ("CRS", "Immune system disorders"), "ICANS": ("ICANS", "Nervous system disorders")}


@pytest.fixture(scope="module")
def trial():
    return happen(STUDY, SCENARIO, 60_000, 11)


@pytest.fixture(scope="module")
def courses(trial):
    """Per patient: times in months and their events, best response. Progression is what the site saw."""
    lives, scans = trial.lives, trial.scans
    later = scans.seen.copy()
    later[:, 0] = False
    adequate = np.where(later & (scans.overall != NE), scans.day, -1).max(axis=1)
    event = np.minimum(scans.progression, lives.known_death)
    progressed = later & (scans.overall == PD)
    before = np.cumsum(progressed, axis=1) == 0
    counts = {
        word: later & before & (scans.overall == code) for word, code in (("CR", CR), ("PR", PR), ("SD", SD))
    }
    response = counts["CR"] | counts["PR"]
    return {
        "os": (lives.until - lives.start + 1) / MONTH,
        "died": lives.known_death < NEVER,
        "pfs": (np.where(event < NEVER, event, np.maximum(adequate, lives.start)) - lives.start + 1) / MONTH,
        "failed": event < NEVER,
        "response": response.any(axis=1),
        "confirmed": _confirmed(response, counts["SD"], scans.day),
        "control": (response | counts["SD"]).any(axis=1),
    }


def _confirmed(response, stable, day):
    """Another response at least 28 days later, with at most one scan between that is neither."""
    found = np.zeros(len(response), dtype=bool)
    for gap in (1, 2):
        ahead = response[:, :-gap] & response[:, gap:] & (day[:, gap:] - day[:, :-gap] >= 28)
        found |= ahead.any(axis=1)
    return found


def of(trial, arm):
    return trial.people.arm == arm


# The medians and rates of 9.3: OS "control base" 7.5 and "tarlatamab moderate" 11.0 months (illness-death: 60, 28
# and 73, 46 % at 6 and 12 months); PFS, ORR, confirmed ORR and DCR of the growth generator, control and
# tarlatamab base. PFS medians land on the scan grid: one scan more or less would move them by 1.4 months.
@pytest.mark.parametrize(
    ("arm", "os", "os6", "os12", "pfs", "pfs6", "pfs12"),
    [("A", 7.5, 60, 28, 2.8, 20, 6), ("B", 11.0, 73, 46, 4.1, 30, 14)],
)
def test_survival(trial, courses, arm, os, os6, os12, pfs, pfs6, pfs12):
    mask = of(trial, arm)
    curve = kaplan_meier(courses["os"][mask], courses["died"][mask])
    assert curve.median.estimate == pytest.approx(os, abs=0.3)
    assert 100 * curve.at([6, 12])[0] == pytest.approx([os6, os12], abs=3)
    curve = kaplan_meier(courses["pfs"][mask], courses["failed"][mask])
    assert curve.median.estimate == pytest.approx(pfs, abs=0.25)
    assert 100 * curve.at([6, 12])[0] == pytest.approx([pfs6, pfs12], abs=2.5)


@pytest.mark.parametrize(("arm", "orr", "confirmed", "dcr"), [("A", 17.8, 13.9, 69), ("B", 31.8, 27.0, 72)])
def test_response(trial, courses, arm, orr, confirmed, dcr):
    mask = of(trial, arm)
    assert 100 * courses["response"][mask].mean() == pytest.approx(orr, abs=2.5)
    assert 100 * courses["confirmed"][mask].mean() == pytest.approx(confirmed, abs=2.5)
    assert 100 * courses["control"][mask].mean() == pytest.approx(dcr, abs=4)


def test_a_short_platinum_free_interval_is_worse(trial, courses):
    """Control medians 6.0 and 10.5 months (9.3, mixture control), here with other hazards beside it: within 0.6."""
    days = trial.people.traits["PFIDAYS"].astype(float)
    for interval, median in ((days < 90, 6.0), (days >= 90, 10.5)):
        mask = interval & of(trial, "A")
        assert kaplan_meier(courses["os"][mask], courses["died"][mask]).median.estimate == pytest.approx(
            median, abs=0.6
        )


@pytest.fixture(scope="module")
def release(trial):
    """Episodes of cytokine release: who, onset and end (minutes), grade, and the dose before."""
    context = engager._Context(SCENARIO.engagers[0], trial.lives, trial.treatment, trial.stream("engager 0"))
    found = engager._release(context, of(trial, "B") & trial.treatment.treated)
    dose = (trial.treatment.starts[found.who] <= found.onset[:, None]).sum(axis=1)
    hours = (found.onset - trial.treatment.starts[found.who, dose - 1]) / 60
    days = (found.end - found.onset) / MINUTES
    return pl.DataFrame({"who": found.who, "grade": found.grade, "dose": dose, "hours": hours, "days": days})


def test_cytokine_release(trial, release):
    """9.4: any 57 %, worst grade 1 in 39, 2 in 15, 3 in 1.7, 4 in 0.2 % of the treated; 41, 34 and 8.5 % after doses
    1, 2 and later; grade 2 or more after them in 24, 8, 2.5 % of those with the event; recurrence 24 %; onset
    16 h, 3 days to resolution. The published parts do not add up exactly (55.9 of 56.7 %): 2.5 points."""
    treated = (of(trial, "B") & trial.treatment.treated).sum()
    worst = release.group_by("who").agg(pl.max("grade"), pl.len())
    share = {g: 100 * worst.filter(grade=g).height / treated for g in (1, 2, 3, 4)}
    assert sum(share.values()) == pytest.approx(57, abs=1.5)
    assert [share[1], share[2]] == pytest.approx([39, 15], abs=2.5)
    assert share[3] == pytest.approx(1.7, abs=0.5)
    assert share[4] == pytest.approx(0.2, abs=0.15)
    turn = release.with_columns(dose=pl.col("dose").clip(upper_bound=3))
    after = [100 * turn.filter(dose=d)["who"].n_unique() / treated for d in (1, 2, 3)]
    assert after == pytest.approx([41, 34, 8.5], abs=1.5)
    severe = [
        100 * turn.filter(pl.col("grade") >= 2, dose=d)["who"].n_unique() / worst.height for d in (1, 2, 3)
    ]
    assert severe == pytest.approx([24, 8, 2.5], abs=1.5)
    assert 100 * worst.filter(pl.col("len") > 1).height / treated == pytest.approx(24, abs=3)
    assert release["hours"].median() == pytest.approx(16, abs=0.7)
    assert release["days"].median() == pytest.approx(3, abs=0.1)


@pytest.fixture(scope="module")
def reactions(trial):
    return engager.toxicity(trial, TERMS)


def test_treatment_of_cytokine_release_and_neurotoxicity(trial, reactions):
    """9.4: a steroid in 31, tocilizumab in 10 % of those with the event; ICANS in 6 to 8 %, grade 3 in under 2 %."""
    events, facts = reactions
    struck = events.filter(AEDECOD="CRS")["who"].n_unique()
    given = facts.filter(FASTRESC="Y").group_by("FATESTCD").agg(pl.col("who").n_unique() / struck)
    share = dict(given.iter_rows())
    assert 100 * share["STEROID"] == pytest.approx(31, abs=5)
    assert 100 * share["TOCI"] == pytest.approx(10, abs=1.5)
    treated = (of(trial, "B") & trial.treatment.treated).sum()
    icans = events.filter(AEDECOD="ICANS")
    assert 6 <= 100 * icans["who"].n_unique() / treated <= 8
    assert 100 * icans.filter(pl.col("AETOXGR") >= "3")["who"].n_unique() / treated < 2


def test_other_events(trial, reactions):
    """9.1 and 9.4: severe related events in 27 % of tarlatamab (DeLLphi-304); of chemotherapy 62 % there, severe
    events 52 to 55 % in NET-02: between them. Given up for a related event 3 and 6 %, orders of magnitude."""
    arm = pl.Series(values=trial.people.arm.tolist(), dtype=pl.String)
    events = pl.concat([safety.events(trial), reactions[0]])
    events = events.with_columns(arm=arm.gather(events["who"].cast(pl.UInt32))).filter(AEREL="RELATED")
    for name, low, high, stopped in (("A", 50, 62, 6), ("B", 24, 31, 3)):
        treated = (of(trial, name) & trial.treatment.treated).sum()
        own = events.filter(arm=name)
        assert low < 100 * own.filter(pl.col("AETOXGR") >= "3")["who"].n_unique() / treated < high
        given_up = 100 * own.filter(AEACN="DRUG WITHDRAWN")["who"].n_unique() / treated
        assert given_up == pytest.approx(stopped, abs=2)
    taste = events.filter(arm="B", AEDECOD="Dysgeusia")["who"].n_unique()
    assert 100 * taste / (of(trial, "B") & trial.treatment.treated).sum() == pytest.approx(33, abs=2)


@pytest.fixture(scope="module")
def forms():
    trial = happen(STUDY, SCENARIO, 6_000, 12)
    return trial, questionnaires.answers(trial)


def test_missing_forms_and_items(forms):
    """The scenario's own numbers come back: 5 % of baseline forms, 1.2 % of items (standard errors 0.3 and 0.02
    points). Later forms are a guess: of those alive at week 6, 75 to 90 % answer, and fewer each time."""
    trial, qs = forms
    lives = trial.lives
    assert 100 * qs["QSSTRESN"].null_count() / len(qs) == pytest.approx(1.2, abs=0.1)
    back = {}
    for visit in STUDY.schedule.days("QLQ-C30")[:4]:
        alive = (lives.start + visit.day <= lives.until).sum()
        back[visit.id] = 100 * qs.filter(VISIT=visit.id)["who"].n_unique() / alive
    assert back["BASELINE"] == pytest.approx(95, abs=1)
    assert 75 < back["W6"] < 90
    assert back["W6"] > back["W12"] > back["W18"]


def test_dyspnoea_differs_as_published(forms):
    """7.4, DeLLphi-304: change -7.2 of tarlatamab v +1.9, a difference of 9.1 of 100 points; at week 6 within 4."""
    trial, qs = forms
    arm = pl.Series(values=trial.people.arm.tolist(), dtype=pl.String)
    item = qs.filter(QSTESTCD="EOR0108").select("who", "VISIT", score=(pl.col("QSSTRESN") - 1) / 3 * 100)
    base = item.filter(VISIT="BASELINE").select("who", base="score")
    change = (
        item.filter(VISIT="W6").join(base, on="who").with_columns(change=pl.col("score") - pl.col("base"))
    )
    means = dict(
        change.with_columns(arm=arm.gather(change["who"].cast(pl.UInt32)))
        .group_by("arm")
        .agg(pl.mean("change"))
        .iter_rows()
    )
    assert means["A"] - means["B"] == pytest.approx(9.1, abs=4)
