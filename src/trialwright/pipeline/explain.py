"""One patient's story from SDTM: the datasets and their trace, and the trace in words."""

from __future__ import annotations

import difflib

import polars as pl

from trialwright.adam import build as adam
from trialwright.adam import trace
from trialwright.pipeline import Inputs, definition, made
from trialwright.report import explain as words
from trialwright.report.explain_words import teller
from trialwright.sdtm import checks, read
from trialwright.standards import findings
from trialwright.standards.errors import InputError
from trialwright.study.model import Study


def explain(inputs: Inputs, subject: str, endpoint: str | None = None) -> str:
    """The story as text. ``subject`` is a USUBJID, or a SUBJID that only one subject has.

    Raises ``InputError`` for a subject or an endpoint that is not there, naming what is.
    """
    study = definition.checked(inputs.study)
    wanted = _endpoint(study, endpoint)
    domains, misread = read.read(inputs.sdtm)
    cutoff = inputs.cutoff or study.cutoff or made.latest_date(domains)
    derived = adam.derive(study, domains, cutoff, {})
    found = findings.concat([misread, checks.check(domains), derived.findings])
    mine = pl.col("USUBJID") == known(derived.datasets["ADSL"], subject)
    traced = trace.build(study, domains, derived, cutoff).filter(mine)
    return words.plain(words.tell(teller(study), traced, found, wanted))


def known(subjects: pl.DataFrame, subject: str) -> str:
    """The USUBJID meant. Raises ``InputError`` naming subjects that are written alike."""
    ids = subjects["USUBJID"].to_list()
    if subject in ids:
        return subject
    short = subjects.filter(pl.col("SUBJID") == subject)["USUBJID"].to_list()
    if len(short) == 1:
        return str(short[0])
    alike = short or _alike(subject, ids)
    raise InputError(f"there is no subject {subject!r}; {_perhaps(alike, ids, 'subjects')}")


def _alike(word: str, words_: list[str]) -> list[str]:
    """Written alike, or ending in what was given."""
    ending = [other for other in words_ if other.lower().endswith(word.lower())]
    return ending[:5] or difflib.get_close_matches(word, words_, n=5, cutoff=0.6)


def _perhaps(alike: list[str], all_: list[str], what: str) -> str:
    if alike:
        return f"perhaps {', '.join(alike)}"
    return (
        f"the data hold {len(all_)} {what}, such as {', '.join(all_[:3])}"
        if all_
        else f"the data hold no {what}"
    )


def _endpoint(study: Study, endpoint: str | None) -> str | None:
    """Raises ``InputError`` with the study's endpoints for one that is none of them."""
    there = words.endpoints(study)
    if endpoint is None or endpoint in there:
        return endpoint
    if endpoint.upper() in there:
        return endpoint.upper()
    raise InputError(f"{study.study.id} has no endpoint {endpoint!r}; it has {', '.join(there)}")
