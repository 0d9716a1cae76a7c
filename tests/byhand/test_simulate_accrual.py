"""Accrual that changes by month, and sites that open: who comes when, and where."""

import numpy as np
import pytest

from simulate_designs import A, design
from trialwright.simulate.chunks import Run, simulate
from trialwright.simulate.cohort import enrol
from trialwright.simulate.design_entry import Accrual, when
from trialwright.simulate.tally import mean
from trialwright.stats.sample_size import Design as Closed
from trialwright.stats.sample_size import Piecewise, constant, expected_events

RISING = [
    {"start": 0, "value": 2},
    {"start": 6, "value": 5},
    {"start": 12, "value": 0},
    {"start": 15, "value": 3},
]
SITES = [{"count": 3, "rate": 1.0}, {"count": 2, "opens": 4, "rate": 2.0}]


def entries(accrual, patients=60, trials=400, **change):
    return enrol(
        design(A, patients=patients, accrual=accrual, looks=[{"events": 2}], **change), 3, np.arange(trials)
    )


def test_when_a_rate_has_brought_so_many():
    """2 a month for 6 months, 5 for the next 6, none for 3, then 3: 42 by month 12, 45 by month 16."""
    start, rate = Accrual(months=1, rate=RISING).pace
    np.testing.assert_allclose(when(np.array([1, 12, 17, 42, 45.0]), start, rate), [0.5, 6, 7, 12, 16])


def test_rates_alone_say_how_long_it_takes():
    """60 patients: 42 by month 12, 18 more by month 21."""
    assert design(A, patients=60, accrual={"rate": RISING}, looks=[{"events": 2}]).accrual.months == 21
    sites = design(
        A, patients=40, accrual={"model": "poisson", "sites": SITES}, looks=[{"events": 2}]
    ).accrual
    assert sites.months == pytest.approx(4 + (40 - 12) / 7)
    assert sites.scale == pytest.approx(1 / 40)


def test_beside_months_rates_are_relative():
    """Ten times the rates in as many months: the same patients, the same days."""
    tenfold = [piece | {"value": 10 * piece["value"]} for piece in RISING]
    for model in ("uniform", "even", "poisson"):
        one, other = (
            entries({"model": model, "months": 21, "rate": rate}).entry for rate in (RISING, tenfold)
        )
        np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("model", ["uniform", "even", "poisson"])
def test_shares_by_month(model):
    """Of 60 patients 12 by month 6 and 42 by month 12, nobody until month 15; in order."""
    entry = entries({"model": model, "rate": RISING}, trials=2000).entry
    assert (np.diff(entry, axis=1) >= 0).all()
    for month, expected in ((6, 12), (12, 42), (15, 42)):
        many = (entry <= month + 1e-9).sum(axis=1)
        assert abs(many.mean() - expected) < 4 * max(many.std(), 1e-9) / np.sqrt(2000) + 1e-9
    if model == "even":
        np.testing.assert_allclose(entry[0, [11, 41, 59]], [6, 12, 21])
    else:
        assert entry.max() > 15
        assert not ((entry > 12) & (entry < 15)).any()


def test_expected_events_by_month():
    """Against the integral over accrual and follow-up (stats.sample_size), within 4.5 standard errors."""
    rate = Piecewise((0.0, 6.0, 12.0, 15.0, 21.0), (2.0, 5.0, 0.0, 3.0, 0.0))
    hazards = constant(0.1), constant(0.06)
    for month in (8, 20, 30):
        what = design(A, patients=60, accrual={"rate": RISING}, control={"hazard": [{"value": 0.1}]},
                      looks=[{"month": month}], level={"planned": 30})  # fmt: skip
        found, error = mean(simulate(Run(what, 3000, 3)), "events", "1")
        closed = expected_events(Closed(*hazards, rate, share=2 / 3), month)
        assert abs(found - closed.sum()) < 4.5 * error


def test_a_flat_rate_is_no_rate():
    for model in ("uniform", "even", "poisson"):
        plain, rate = (
            entries({"model": model, "months": 20} | more).entry for more in ({}, {"rate": [{"value": 3}]})
        )
        np.testing.assert_allclose(plain, rate)


def test_sites_open_and_enrol():
    """Three sites with 1 a month from the start, two with 2 a month from month 4: nobody comes to a closed site, and
    each site has its Poisson number by month 8."""
    found = entries({"model": "poisson", "sites": SITES}, patients=120, trials=1500)
    late = found.site >= 3
    assert found.entry[late].min() >= 4
    assert set(np.unique(found.site)) == {0, 1, 2, 3, 4}
    for site, expected in ((0, 8), (2, 8), (3, 8), (4, 8)):
        many = ((found.site == site) & (found.entry <= 8)).sum(axis=1)
        assert abs(many.mean() - expected) < 4 * np.sqrt(expected / 1500)
        assert many.var() == pytest.approx(expected, rel=0.2)


def test_rates_that_differ_between_sites():
    """Gamma with coefficient of variation 0.8: a site's number by month 8 has mean 8 and variance 8 + (0.8 · 8)²."""
    found = entries({"model": "poisson", "sites": SITES, "spread": 0.8}, patients=250, trials=3000)
    assert found.entry[:, -1].min() > 8, "else the number is cut"
    many = ((found.site == 1) & (found.entry <= 8)).sum(axis=1)
    truth = 8 + (0.8 * 8) ** 2
    assert abs(many.mean() - 8) < 4 * np.sqrt(truth / 3000)
    assert many.var() == pytest.approx(truth, rel=0.2)
    other = ((found.site == 2) & (found.entry <= 8)).sum(axis=1)
    assert abs(np.corrcoef(many, other)[0, 1]) < 4 / np.sqrt(3000)


def test_sites_that_open_late_wait():
    found = entries({"model": "poisson", "sites": [{"opens": 3, "rate": 2}]}, patients=20, trials=200)
    assert found.entry.min() >= 3
    assert (found.site == 0).all()


def test_blocks_within_sites_keep_the_ratio():
    """R8 within sites: two thirds at each position of a site's list; every full block is two to one."""
    allocation = {"method": "permuted_blocks", "experimental": 2, "block_sizes": [3], "by_site": True}
    found = entries({"model": "poisson", "sites": SITES}, patients=60, trials=4000, allocation=allocation)
    one = np.broadcast_to(found.experimental, found.site.shape)
    for site in (0, 4):
        first = [arms[at == site][:6] for arms, at in zip(one, found.site, strict=True)]
        full = np.array([a for a in first if len(a) == 6])
        assert (full[:, :3].sum(axis=1) == 2).all()
        assert np.abs(full.mean(axis=0) - 2 / 3).max() < 4.5 * np.sqrt(2 / 9 / len(full))


def test_blocks_within_strata_and_sites():
    """Each stratum of each site has a list of its own."""
    groups = [{"id": f"G{i}", "share": 0.5, "levels": {"S": str(i)}} for i in range(2)]
    allocation = {"method": "permuted_blocks", "block_sizes": [2], "by_site": True, "stratified": True}
    found = entries({"model": "poisson", "sites": SITES}, trials=50, allocation=allocation, groups=groups)
    for trial in range(50):
        for site in range(5):
            for stratum in range(2):
                arms = found.experimental[trial][
                    (found.site[trial] == site) & (found.stratum[trial] == stratum)
                ]
                assert abs(np.where(arms, 1, -1).cumsum()).max(initial=0) <= 1


def test_any_chunk_the_same_sites():
    accrual = {"model": "poisson", "sites": SITES, "spread": 0.5}
    what = design(A, patients=30, accrual=accrual, looks=[{"events": 2}])
    whole = enrol(what, 3, np.arange(50))
    alone = enrol(what, 3, np.arange(17, 18))
    np.testing.assert_array_equal(alone.entry[0], whole.entry[17])
    np.testing.assert_array_equal(alone.site[0], whole.site[17])
