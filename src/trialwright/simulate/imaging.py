"""What the scans show: attendance, lesions, and what the site makes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trialwright.simulate.draw import NEVER, Bools, Floats, Ints, pick
from trialwright.simulate.latent import Lives
from trialwright.simulate.people import People
from trialwright.simulate.scenario import Imaging
from trialwright.simulate.setting import Setting
from trialwright.standards.errors import InputError
from trialwright.study.model import Study, Visit

RESPONSES = np.array(["CR", "PR", "SD", "PD", "NE"], dtype=object)
CR, PR, SD, PD, NE = range(5)
_NODE_FLOOR, _NODE_NORMAL = 5.0, 10.0
_VANISHING = 0.4
_LARGEST = 6.0
"""Times the baseline; nobody scans a tumour beyond."""
_UNSEEN, _FAINT = 2.5, 5.0
"""A lesion this small is not seen; a faint one is written as 5 mm (RECIST 1.1, 3.1)."""


@dataclass(frozen=True, slots=True)
class Scans:
    """Subjects by visits (baseline first), lesions third."""

    visits: tuple[Visit, ...]
    day: Ints
    seen: Bools
    target: Bools
    """Subjects by lesions: does the patient have this many?"""
    organ: Ints
    nodal: Bools
    diameter: Floats
    """mm; NaN if this lesion was not measured."""
    non_targets: Ints
    vanishing: Bools
    """The non-target lesions go once the targets respond."""
    new_at: Ints
    """Visit that first shows a new lesion, or -1; likewise ``worse_at`` for a non-target lesion."""
    worse_at: Ints
    equivocal: Bools
    target_response: Ints
    overall: Ints

    def vanished(self, target: Ints, visit: Ints | int) -> Bools:
        """Whether the non-target lesions are gone, by the target response; not yet at the first scan."""
        gone: Bools = np.isin(target, (CR, PR)) & (np.asarray(visit) > 1)
        vanishing = self.vanishing if target.ndim == 1 else self.vanishing[:, None]
        return gone & vanishing

    @property
    def progression(self) -> Ints:
        """The day the site saw progression."""
        shows = self.seen & (self.overall == PD)
        days: Ints = np.where(shows, self.day, NEVER).min(axis=1)
        return days


def scan(setting: Setting, people: People, lives: Lives) -> Scans:
    """All scans until the site sees progression."""
    imaging, rng = setting.scenario.imaging, setting.stream("imaging")
    visits = _visits(setting.study)
    day = _days(rng, imaging, people, visits)
    count = 1 + pick(rng, imaging.targets, len(people))
    count = np.minimum(count, np.maximum((lives.sum0 // 18).astype(np.int64), 1))
    target = np.arange(len(imaging.targets))[None, :] < count[:, None]
    organ = _organs(rng, imaging, len(people))
    nodal = np.array([o.nodal for o in imaging.organs])[organ]
    start = _start(rng, lives, target, nodal)
    attended = rng.random(day.shape) >= imaging.missed_scan
    attended[:, 0] = True
    seen = attended & (day <= lives.until[:, None])
    growth = lives.size(day)[:, :, None] * _noise(rng, imaging, (*day.shape, target.shape[1]))
    diameter = _measured(rng, imaging, start, growth, nodal)
    non_targets = pick(rng, imaging.non_targets, len(people))
    in_non_target = (rng.random(len(people)) < imaging.non_target_share) & (non_targets > 0)
    first = _first_visit(seen & (day >= lives.other_event[:, None]))
    scans = Scans(
        visits=visits,
        day=day,
        seen=seen,
        target=target,
        organ=organ,
        nodal=nodal,
        diameter=diameter,
        non_targets=non_targets,
        vanishing=rng.random(len(people)) < _VANISHING,
        new_at=np.where(in_non_target, -1, first),
        worse_at=np.where(in_non_target, first, -1),
        equivocal=rng.random(len(people)) < imaging.equivocal,
        target_response=np.full(day.shape, NE),
        overall=np.full(day.shape, NE),
    )
    return _stop_at_progression(_evaluated(scans), rng.random(len(people)) < imaging.scan_after_progression)


def stopped(scans: Scans, last: Ints) -> Scans:
    """Without the scans after the day ``last``."""
    return replace(scans, seen=scans.seen & (scans.day <= last[:, None]))


def _visits(study: Study) -> tuple[Visit, ...]:
    planned = study.schedule.days(study.tumour_activity)
    baseline = [v for v in planned if v.day <= 0]
    if not baseline:
        raise InputError(f"the schedule has no baseline visit for {study.tumour_activity}")
    return (baseline[-1], *(v for v in planned if v.day > 0))


def _days(rng: np.random.Generator, imaging: Imaging, people: People, visits: tuple[Visit, ...]) -> Ints:
    planned = np.array([v.day for v in visits])
    window = np.array([v.window for v in visits])
    drift = np.rint(rng.normal(0, imaging.jitter_sd, (len(people), len(visits)))).astype(np.int64)
    day: Ints = people.randomisation[:, None] + planned + np.clip(drift, -window, window)
    earliest = np.maximum(people.consent, people.randomisation - 27)
    span = np.maximum(people.randomisation - earliest, 0)
    day[:, 0] = people.randomisation - rng.integers(0, span + 1)
    return day


def _organs(rng: np.random.Generator, imaging: Imaging, n: int) -> Ints:
    """At most two targets in an organ (RECIST 1.1, 4.1): the organs in a random order, each of them twice."""
    weights = np.array([o.weight for o in imaging.organs])
    twice = np.concatenate([np.log(weights), np.log(weights / 3)])
    keys = twice + rng.gumbel(size=(n, len(twice)))
    return np.argsort(-keys, axis=1)[:, : len(imaging.targets)] % len(weights)


def _start(rng: np.random.Generator, lives: Lives, target: Bools, nodal: Bools) -> Floats:
    """Baseline diameters that add up to the sum, all measurable; NaN where there is no lesion."""
    least = np.where(nodal, 15.0, 10.0) * target
    share = rng.standard_exponential(target.shape) * target
    spare = np.maximum(lives.sum0 - least.sum(axis=1), 0)
    start = least + share / share.sum(axis=1, keepdims=True) * spare[:, None]
    return np.where(target, start, np.nan)


def _noise(rng: np.random.Generator, imaging: Imaging, shape: tuple[int, ...]) -> Floats:
    common, own = imaging.noise
    together = common * rng.standard_normal((*shape[:2], 1))
    noise: Floats = np.exp(together + own * rng.standard_normal(shape))
    return noise


def _measured(
    rng: np.random.Generator, imaging: Imaging, start: Floats, growth: Floats, nodal: Bools
) -> Floats:
    """Whole mm, subjects by visits by lesions; a node shrinks to a normal node, another lesion to nothing."""
    floor = (_NODE_FLOOR * nodal)[:, None, :]
    size = np.rint(floor + (start[:, None, :] - floor) * np.minimum(growth, _LARGEST))
    size[:, 0, :] = np.maximum(size[:, 0, :], np.where(nodal, 15.0, 10.0))
    faint = (size < _FAINT) & ~nodal[:, None, :]
    size = np.where(faint, np.where(size < _UNSEEN, 0.0, _FAINT), size)
    missed = rng.random(size.shape) < imaging.missed_lesion
    missed[:, 0, :] = False
    return np.where(missed, np.nan, size)


def _first_visit(mask: Bools) -> Ints:
    return np.where(mask.any(axis=1), mask.argmax(axis=1), -1)


def _evaluated(scans: Scans) -> Scans:
    """Target and overall response by the plain table (RECIST 1.1, tables 1 to 3), visit by visit.

    The site's reading, not the analysis: an equivocal new lesion counts from the next scan on.
    """
    nadir = np.nansum(scans.diameter[:, 0], axis=1)
    base, target, overall = nadir, scans.target_response.copy(), scans.overall.copy()
    shown = np.where(scans.equivocal & (scans.new_at >= 0), _next_visit(scans), scans.new_at)
    for v in range(1, len(scans.visits)):
        mm = scans.diameter[:, v]
        total: Floats = np.nansum(mm, axis=1)
        complete: Bools = np.all(~np.isnan(mm) | ~scans.target, axis=1)
        grown = (10 * total >= 12 * nadir) & (total - nadir >= 5)
        small = np.where(10 * total <= 7 * base, PR, SD)
        small = np.where(_gone(mm, scans.nodal), CR, small)
        target[:, v] = np.where(grown, PD, np.where(complete, small, NE))
        other = ((shown >= 0) & (v >= shown)) | ((scans.worse_at >= 0) & (v >= scans.worse_at))
        stay = (scans.non_targets > 0) & ~scans.vanished(target[:, v], v)
        whole = np.where((target[:, v] == CR) & stay, PR, target[:, v])
        overall[:, v] = np.where(other, PD, whole)
        counts = scans.seen[:, v] & complete
        nadir = np.where(counts, np.minimum(nadir, total), nadir)
    return replace(scans, target_response=target, overall=overall)


def _gone(mm: Floats, nodal: Bools) -> Bools:
    gone: Bools = np.all(np.where(nodal, mm < _NODE_NORMAL, mm == 0) | np.isnan(mm), axis=1)
    return gone


def _next_visit(scans: Scans) -> Ints:
    """The first attended visit after the new lesion was first seen, or -1."""
    later = scans.seen & (np.arange(len(scans.visits))[None, :] > scans.new_at[:, None])
    return _first_visit(later)


def _stop_at_progression(scans: Scans, once_more: Bools) -> Scans:
    shows = scans.seen & (scans.overall == PD)
    known = np.cumsum(shows, axis=1) - shows > 0
    more = known & scans.seen & once_more[:, None]
    again = more & (np.cumsum(more, axis=1) == 1)
    return replace(scans, seen=scans.seen & (~known | again))
