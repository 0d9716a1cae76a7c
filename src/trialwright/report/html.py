"""The report as one HTML file that needs nothing else: no network, no fonts, no script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from trialwright.report import sections, sources
from trialwright.report.addresses import Results
from trialwright.report.context import Context
from trialwright.report.language import Language, speak
from trialwright.report.patients import patients
from trialwright.report.sections import Book, Section
from trialwright.study.model import Study


def render(  # noqa: PLR0917 - what a page is made of
    study: Study,
    results: pl.DataFrame,
    datasets: Mapping[str, pl.DataFrame],
    findings: pl.DataFrame,
    made: Mapping[str, Any],
    trace: pl.DataFrame | None = None,
) -> str:
    """The whole page. The same arguments give the same bytes.

    ``datasets`` are the ADaM frames by name: ADSL and ADTTE for curves, ADTR for the waterfall; every other
    number is a row of ``results``. ``made``: version, python, packages, created, cutoff, inputs,
    study_sha256, contradictions, assumptions_used, command; ``notice``, where given, stands at the top.
    ``trace`` (``adam.trace``) tells the story of each patient; without it there is no such section.
    """
    language = speak(study.study.language, study.study.confidence)
    context = Context(study, Results.of(results), datasets, language)
    parts = _sections(Book(context), findings, made, patients(study, trace, findings))
    return _template().render(
        study=study,
        say=language,
        text=study.text,
        sections=parts,
        arms=sections.arm_styles(context),
        css=Markup(_css()),
        facts=_facts(context, made),
        notice=made.get("notice") or "",
        known={a.id for a in study.assumptions} & {str(a) for a in made.get("assumptions_used") or ()},
    )


def _sections(
    book: Book, findings: pl.DataFrame, made: Mapping[str, Any], stories: Section | None
) -> list[Section]:
    """In reading order; the order also numbers figures and tables."""
    found = [
        sections.opening(book),
        sections.participants(book),
        sections.outcomes(book),
        sections.further(book),
        sections.supporting(book),
        sections.safety(book),
        sources.record(book, made),
        sources.assumptions(book, made),
        stories,
        sources.findings(book, findings),
        sources.making(book, made),
    ]
    return [section for section in found if section is not None]


def _facts(context: Context, made: Mapping[str, Any]) -> list[str]:
    """The line under the title: phase, patients, follow-up, cutoff."""
    say, identity = context.language, context.study.study
    randomised = context.results.value("FLOW", "n", "Total", "randomised")
    cutoff = say.date(made.get("cutoff"))
    return [
        *([say("phase", phase=identity.phase)] if identity.phase else []),
        *([say("patients_randomised", n=say.number(randomised))] if randomised is not None else []),
        *_followup(context, say),
        say("cutoff_of", date=cutoff) if cutoff else say("no_cutoff"),
    ]


def _followup(context: Context, say: Language) -> list[str]:
    for analysis in context.study.analyses:
        days = context.results.value(analysis.id, "followup_median", "Total")
        if days is not None:
            return [say("median_followup", months=context.months(days))]
    return []


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("trialwright.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


@cache
def _css() -> str:
    folder = files("trialwright.report").joinpath("templates")
    return "".join(
        folder.joinpath(f"{name}.css").read_text(encoding="utf-8") for name in ("report", "patients")
    )
