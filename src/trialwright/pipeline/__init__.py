"""The only place where the stages meet: a study folder and an SDTM folder in, a whole build out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from trialwright.adam import build as adam
from trialwright.adam import trace
from trialwright.analysis import run as analysis
from trialwright.pipeline import definition, made
from trialwright.report import html
from trialwright.sdtm import checks, read
from trialwright.standards import dictionaries, findings

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Inputs:
    """``cutoff`` None: the study's, else the latest complete date. ``command``: for the record."""

    study: Path
    sdtm: Path
    cutoff: date | None = None
    command: str = ""
    dictionary: Path | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """Everything that one build makes, before any of it is written."""

    datasets: Mapping[str, pl.DataFrame]
    results: pl.DataFrame
    findings: pl.DataFrame
    made: Mapping[str, Any]
    report: str
    trace: pl.DataFrame
    """Every fact that the datasets used or passed over, per subject (``adam.trace``)."""


def build(inputs: Inputs, created: datetime, say: Progress = lambda _: None) -> Built:
    """SDTM to report. Raises ``StudyError`` or ``ValueError`` in words where an input is unusable."""
    say("Reading the study")
    study = definition.checked(inputs.study)
    say("Reading SDTM")
    domains, misread = read.read(inputs.sdtm)
    checked = checks.check(domains)
    cutoff = inputs.cutoff or study.cutoff
    day = cutoff or made.latest_date(domains)
    say("Deriving the analysis datasets")
    own = dictionaries.read(inputs.dictionary) if inputs.dictionary else dictionaries.Dictionaries({}, ())
    derived = adam.derive(study, domains, day, own.frames)
    datasets, traced = derived.datasets, trace.build(study, domains, derived, day)
    say("Estimating")
    results = analysis.run(study, datasets)
    found = findings.concat([misread, checked, derived.findings])
    how = {
        **made.versions(created),
        "study": study.study.id,
        "cutoff": day.isoformat(),
        "cutoff_source": "given" if cutoff else "the latest complete date in the data",
        "inputs": made.inputs(inputs.sdtm, {name: frame.height for name, frame in domains.items()}),
        "study_files": made.hashes(inputs.study),
        "dictionaries": {path.name: made.sha256(path) for path in own.files},
        **made.of_the_definition(study),
        "notice": made.notice(study, domains["DM"]),
        "command": inputs.command,
    }
    say("Writing the report")
    page = html.render(study, results, datasets, found, how, traced)
    return Built(datasets, results, found, how, page, traced)
