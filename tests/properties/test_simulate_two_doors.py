"""Both doors give the same ADTTE for the same lives: the arrays of the fast one, and SDTM through ADaM."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.adam.build import build
from trialwright.simulate.cohort import NEVER, enrol
from trialwright.simulate.design import parse, read
from trialwright.simulate.written import days, domains
from trialwright.standards.findings import SCHEMA as FINDINGS
from trialwright.study.load import folder, load

STUDY = load(folder("tarlanec"))
START = date(2025, 6, 1)
STATES = {"progression": 0.19, "death": 0.04, "death_after_progression": 0.17}
TARGET = {"progression": 0.15, "death": 0.02, "death_after_progression": 0.09}
FAST = {"progression": 9.0, "death": 9.0, "death_after_progression": 9.0}  # within days
TIMES = [
    {"control": {"median": 7.5}, "hazard_ratio": [{"value": 1}, {"start": 2, "value": 0.5}]},
    {"control": {"median": 0.05, "shape": 0.7}, "hazard_ratio": [{"value": 0.5}]},
    {"control": {"median": 5, "cured": 0.4}, "hazard_ratio": [{"value": 0.5}]},
    {"control": {"states": STATES}, "experimental": {"states": TARGET}},
    {"control": {"states": STATES}, "experimental": {"states": FAST}},
    {"control": {"states": STATES}, "experimental": {"states": TARGET}, "scans": [{"value": 1.38}]},
]


@st.composite
def designs(draw):
    raw = read(STUDY, "target").model_dump()
    del raw["hazard_ratio"]
    raw |= draw(st.sampled_from(TIMES)) | {"patients": draw(st.integers(2, 40))}
    raw["dropout"] = {"per_year": draw(st.sampled_from([0, 0.1, 0.9]))}
    raw["accrual"] = {"months": draw(st.sampled_from([0.5, 20]))}
    return parse(raw | {"looks": [{"month": 40}], "level": {"planned": 2}}, "two doors")


CUTS = st.sampled_from([0, 10, 200, 800, 3000])


@settings(max_examples=10, deadline=None)
@given(designs(), st.integers(0, 10**6), CUTS)
def test_the_same_clocks(design, seed, after):
    through_both_doors(design, seed, after)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(designs(), st.integers(0, 10**6), CUTS)
def test_the_same_clocks_often(design, seed, after):
    through_both_doors(design, seed, after)


def through_both_doors(design, seed, after):
    cohort = enrol(design, seed, np.arange(3))
    cutoff = START + timedelta(days=after)
    adam, found = build(STUDY, domains(STUDY, design, days(STUDY, cohort, 1, START), cutoff), cutoff)
    slow = adam["ADTTE"].filter(pl.col("PARAMCD").is_in(["OS", "PFSE"]))
    told = adam["ADSL"].select("USUBJID", "PRIMSITE", "PFIGR")
    month = (after + 1 - 1e-9) / STUDY.study.days_per_month  # the last moment of that day
    here = np.flatnonzero(cohort.entry[1] <= month)
    for endpoint, clock in (("OS", "OS"), ("PFS", "PFSE")):
        if endpoint == "PFS" and cohort.progression is None:
            continue
        rows = slow.filter(PARAMCD=clock).join(told, on="USUBJID", maintain_order="left").sort("USUBJID")
        assert [int(name.split("-")[1]) - 1 for name in rows["USUBJID"]] == here.tolist()
        assert (rows["TRT01P"] == "B").to_list() == cohort.experimental[1][here].tolist()
        levels = [design.strata[s] for s in cohort.stratum[1][here]]
        assert rows.select("PFIGR", "PRIMSITE").rows() == levels
        time, event = expected(cohort, endpoint, here, after)
        np.testing.assert_array_equal(rows["AVAL"].to_numpy(), time)
        np.testing.assert_array_equal(rows["CNSR"].to_numpy() == 0, event)
        near(cohort, endpoint, here, month, time, event)
    unexpected = found.filter(pl.col("rule") != "an arm without a date of randomisation")
    assert unexpected.is_empty(), unexpected
    assert unexpected.schema == FINDINGS


def expected(cohort, endpoint, here, after):
    """Whole days, by whole numbers: a day is that of the month counted from the first; both ends count."""
    entry, death = whole(cohort.entry[1][here]), cohort.event_at[1][here]
    died = np.where(death < NEVER, whole(np.where(death < NEVER, death, 0)), 10**6)
    gone = cohort.entry[1][here] + np.where(cohort.leaves[1][here] < NEVER, cohort.leaves[1][here], 0)
    lost = np.where((death >= NEVER) & (cohort.leaves[1][here] < NEVER), whole(gone), 10**6)
    end = died
    if endpoint == "PFS":
        first = cohort.clock("PFS")
        grows = (first.leaves[1] < cohort.leaves[1])[here] & (first.event_at[1][here] < NEVER)
        seen = np.maximum(whole(np.where(grows, first.event_at[1][here], 0)), entry + 1)
        end = np.where(grows & (seen <= lost), np.minimum(seen, died), died)
    known = np.minimum(np.minimum(end, lost), after)
    return known - entry + STUDY.study.day_offset, end == known


def whole(months):
    return np.floor(months * STUDY.study.days_per_month).astype(int)


def near(cohort, endpoint, here, month, time, event):
    """Against the fast door's own rule at a look: the same events, times within a day.

    But for a progression on the day of randomisation, which no scan can show before the next.
    """
    clock = cohort.clock(endpoint)
    dead = (clock.event_at[1] <= month)[here]
    months = np.minimum(month - cohort.entry[1], clock.leaves[1])[here]
    late = np.zeros(here.size, dtype=bool)
    if endpoint == "PFS":
        late = whole(clock.event_at[1][here].clip(max=10**5)) == whole(cohort.entry[1][here])
    assert (event == dead)[~late].all()
    off = time - STUDY.study.day_offset - months * STUDY.study.days_per_month
    assert np.abs(off[~late]).max(initial=0) < 1 + 1e-6
    assert np.abs(off[late]).max(initial=0) < 2 + 1e-6


def test_it_can_fail():
    """A patient who dies a day later is told a day later."""
    design = parse(read(STUDY, "target").model_dump(), "x")
    lives = days(STUDY, enrol(design, 3, np.arange(1)), 0, START)
    cutoff = START + timedelta(days=3000)
    first = build(STUDY, domains(STUDY, design, lives, cutoff), cutoff)[0]["ADTTE"].filter(PARAMCD="OS")
    lives.died[4] += 1
    second = build(STUDY, domains(STUDY, design, lives, cutoff), cutoff)[0]["ADTTE"].filter(PARAMCD="OS")
    off = second.sort("USUBJID")["AVAL"] - first.sort("USUBJID")["AVAL"]
    assert off.to_list() == [1.0 if i == 4 else 0.0 for i in range(129)]


@pytest.mark.parametrize(("factor", "value"), [("PFIGR", 89.0), ("PRIMSITE", "LUNG")])
def test_strata_are_written_as_the_study_reads_them(factor, value):
    """Under 90 days: a number below the cut point, in the variable that the study names."""
    design = read(STUDY, "target")
    lives = days(STUDY, enrol(design, 3, np.arange(1)), 0, START)
    dm = domains(STUDY, design, lives, START)["DM"]
    first = [
        i for i, levels in enumerate(design.strata) if ("<90" if factor == "PFIGR" else "LUNG") in levels
    ]
    column = dm[STUDY.sources.strata[factor].variable]
    assert set(column.filter(pl.Series(np.isin(lives.stratum, first)))) == {value}
