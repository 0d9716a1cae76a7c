"""The investigator's record of the scans: TU, TR and RS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trialwright.simulate.draw import Bools, Floats, Ints, Texts, iso
from trialwright.simulate.imaging import PR, RESPONSES, SD, Scans
from trialwright.simulate.tables import domain, number, same, text
from trialwright.simulate.trial import Trial

_METHOD = "CT SCAN"
_TESTS = {"LDIAM": "Longest Diameter", "LPERP": "Longest Perpendicular", "TUMSTATE": "Tumor State"}


@dataclass(frozen=True, slots=True)
class _Marks:
    """One entry per row: which subject at which scan, and which of its lesions (from 0) of which kind."""

    who: Ints
    visit: Ints
    lesion: Ints
    kind: str

    @property
    def link(self) -> pl.Series:
        stem = {"TARGET": "T", "NON-TARGET": "NT", "NEW": "NEW"}[self.kind]
        return text(np.array([f"{stem}{n + 1:02d}" for n in self.lesion], dtype=object))


def domains(trial: Trial) -> dict[str, pl.DataFrame]:
    """TU, TR and RS."""
    rng = trial.stream("readings")
    parts = [_targets(trial), _non_targets(trial, rng), _new(trial, rng)]
    return {
        "TU": domain(trial, "TU", pl.concat([found for found, _ in parts]), ("TUDTC", "TULNKID")),
        "TR": domain(trial, "TR", pl.concat([state for _, state in parts]), ("TRDTC", "TRLNKID")),
        "RS": domain(trial, "RS", _responses(trial, rng), ("RSDTC",)),
    }


def _targets(trial: Trial) -> tuple[pl.DataFrame, pl.DataFrame]:
    scans = trial.scans
    who, lesion = np.nonzero(scans.target)
    found = _identified(trial, _Marks(who, np.zeros_like(who), lesion, "TARGET"), scans.organ[who, lesion])
    who, visit, lesion = np.nonzero(scans.seen[:, :, None] & scans.target[:, None, :])
    marks = _Marks(who, visit, lesion, "TARGET")
    return found, _measured(trial, marks, scans.diameter[who, visit, lesion], scans.nodal[who, lesion])


def _non_targets(trial: Trial, rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """States in words: there, gone, or one that grew beyond doubt."""
    scans, imaging = trial.scans, trial.scenario.imaging
    has = np.arange(max(len(imaging.non_targets) - 1, 1))[None, :] < scans.non_targets[:, None]
    organ = rng.integers(0, len(imaging.organs), has.shape)
    who, lesion = np.nonzero(has)
    found = _identified(trial, _Marks(who, np.zeros_like(who), lesion, "NON-TARGET"), organ[who, lesion])
    who, visit, lesion = np.nonzero(scans.seen[:, :, None] & has[:, None, :])
    worse = (lesion == 0) & (scans.worse_at[who] >= 0) & (visit >= scans.worse_at[who])
    deep = scans.vanished(scans.target_response, np.arange(len(scans.visits)))[who, visit]
    missed = (rng.random(len(who)) < imaging.missed_lesion) & (visit > 0)
    state = np.select([worse, missed, deep], ["UNEQUIVOCAL PROGRESSION", "", "ABSENT"], "PRESENT")
    return found, _described(trial, _Marks(who, visit, lesion, "NON-TARGET"), state.astype(object))


def _new(trial: Trial, rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    scans = trial.scans
    organ = rng.integers(0, len(trial.scenario.imaging.organs), len(scans.new_at))
    shows = (scans.new_at[:, None] >= 0) & (np.arange(len(scans.visits)) >= scans.new_at[:, None])
    shows &= scans.seen
    who = np.flatnonzero(shows.any(axis=1))
    first = shows.argmax(axis=1)[who]
    found = _identified(trial, _Marks(who, first, np.zeros_like(who), "NEW"), organ[who])
    who, visit = np.nonzero(shows)
    doubt = scans.equivocal[who] & (visit == scans.new_at[who])
    state = np.where(doubt, "EQUIVOCAL", "UNEQUIVOCAL").astype(object)
    return found, _described(trial, _Marks(who, visit, np.zeros_like(who), "NEW"), state)


def _scan(prefix: str, trial: Trial, who: Ints, visit: Ints) -> dict[str, pl.Series]:
    scans: Scans = trial.scans
    names = np.array([v.id for v in scans.visits], dtype=object)
    numbers = np.array([trial.setting.visit_number(v.id) for v in scans.visits])
    return {
        f"{prefix}EVAL": same("INVESTIGATOR", len(who)),
        "VISITNUM": number(numbers[visit]),
        "VISIT": text(names[visit]),
        f"{prefix}DTC": iso(scans.day[who, visit]),
    }


def _identified(trial: Trial, marks: _Marks, organ: Ints) -> pl.DataFrame:
    organs = np.array([o.name for o in trial.scenario.imaging.organs], dtype=object)
    n = len(marks.who)
    return pl.DataFrame(
        {
            "who": pl.Series(values=marks.who, dtype=pl.Int64),
            "TULNKID": marks.link,
            "TUTESTCD": same("TUMIDENT", n),
            "TUTEST": same("Tumor Identification", n),
            "TUORRES": same(marks.kind, n),
            "TUSTRESC": same(marks.kind, n),
            "TULOC": text(organs[organ]),
            "TUMETHOD": same(_METHOD, n),
            **_scan("TU", trial, marks.who, marks.visit),
        }
    )


def _measured(trial: Trial, marks: _Marks, mm: Floats, nodal: Bools) -> pl.DataFrame:
    """Longest diameters, of a node the short axis; not done where the lesion could not be measured."""
    shown = np.array([None if np.isnan(d) else f"{d:.0f}" for d in mm], dtype=object)
    unit = np.array([None if np.isnan(d) else "mm" for d in mm], dtype=object)
    test = np.where(nodal, "LPERP", "LDIAM").astype(object)
    return _results(trial, marks, test, shown).with_columns(
        TRORRESU=text(unit), TRSTRESN=number(mm), TRSTRESU=text(unit)
    )


def _described(trial: Trial, marks: _Marks, state: Texts) -> pl.DataFrame:
    """States in words; not done where there is none."""
    test = np.full(len(state), "TUMSTATE", dtype=object)
    return _results(trial, marks, test, np.array([s or None for s in state], dtype=object))


def _results(trial: Trial, marks: _Marks, test: Texts, shown: Texts) -> pl.DataFrame:
    n, result = len(marks.who), text(shown)
    blank = result.is_null()
    return pl.DataFrame(
        {
            "who": pl.Series(values=marks.who, dtype=pl.Int64),
            "TRGRPID": same(marks.kind, n),
            "TRLNKID": marks.link,
            "TRTESTCD": text(test),
            "TRTEST": text(np.array([_TESTS[t] for t in test], dtype=object)),
            "TRORRES": result,
            "TRORRESU": same(None, n),
            "TRSTRESC": result,
            "TRSTRESN": pl.Series(values=[None] * n, dtype=pl.Float64),
            "TRSTRESU": same(None, n),
            "TRSTAT": same("NOT DONE", n).set(~blank, None),
            "TRREASND": same("NOT EVALUABLE", n).set(~blank, None),
            "TRMETHOD": same(_METHOD, n),
            **_scan("TR", trial, marks.who, marks.visit),
        }
    )


def _responses(trial: Trial, rng: np.random.Generator) -> pl.DataFrame:
    """The site's overall response at each scan after baseline; a few misread PR for SD or SD for PR."""
    after = trial.scans.seen.copy()
    after[:, 0] = False
    who, visit = np.nonzero(after)
    said = trial.scans.overall[who, visit]
    slip = rng.random(len(who)) < trial.scenario.imaging.misread
    said = np.where(slip & (said == PR), SD, np.where(slip & (said == SD), PR, said))
    return pl.DataFrame(
        {
            "who": pl.Series(values=who, dtype=pl.Int64),
            "RSTESTCD": same("OVRLRESP", len(who)),
            "RSTEST": same("Overall Response", len(who)),
            "RSCAT": same("RECIST 1.1", len(who)),
            "RSORRES": text(RESPONSES[said]),
            "RSSTRESC": text(RESPONSES[said]),
            **_scan("RS", trial, who, visit),
        }
    )
