"""The patients one by one: a row each, which opens its story (``explain``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl
from markupsafe import Markup

from trialwright.report import explain
from trialwright.report.explain_words import Row, Rows, Story, Teller, teller
from trialwright.report.sections import Prose, Section
from trialwright.study.model import Study

MOST: Final = 500
"""With more randomised patients than this the page would be too heavy, and the stories are not printed."""

_ROW: Final = Markup(
    "<details><summary><span>{}</span><span>{}</span><span>{}</span><span>{}</span><span>{}</span></summary>"
    "<div class=story>{}</div></details>"
)
_HEAD: Final = Markup(
    "<p class=head><span>{}</span><span>{}</span><span>{}</span><span>{}</span><span>{}</span></p>"
)


@dataclass(frozen=True, slots=True)
class Patients:
    html: Markup
    kind: str = "patients"


def patients(study: Study, trace: pl.DataFrame | None, findings: pl.DataFrame) -> Section | None:
    """The section; None without a trace or without anybody randomised."""
    if trace is None:
        return None
    told = teller(study, brief=True)
    randomised = trace.filter((pl.col("KIND") == "date") & (pl.col("NAME") == "randomisation"))
    ids = randomised["USUBJID"].unique().sort()
    if ids.is_empty():
        return None
    title = told("patients")
    if ids.len() > MOST:
        return Section("patients", title, (Prose(told("patients_many", n=told.language.number(ids.len()))),))
    mine = trace.filter(pl.col("USUBJID").is_in(ids.implode()))
    traces = mine.partition_by("USUBJID", maintain_order=True)
    stories = [explain.tell(told, one, findings) for one in traces]
    rows = [_row(told, one.to_dicts(), story) for one, story in zip(traces, stories, strict=True)]
    head = _HEAD.format(told("patient"), told("arm"), *_heads(told), told("best_of"))
    notes = [explain.said_html(said) for said in explain.shared(stories)]
    html = Markup("<div class=patients>{}\n{}<div class=story><h4>{}</h4>{}</div></div>").format(
        head, Markup("\n").join(rows), told("patients_notes"), Markup("\n").join(notes)
    )
    return Section("patients", title, (Prose(told("patients_lead")), Patients(html)))


def _clocks(study: Study) -> tuple[str | None, str | None]:
    """Survival, and the first clock that progression stops."""
    known = [clock for clock in study.endpoints.time_to_event if clock.origin != "response"]
    survival = next((c.id for c in known if c.events == ("death",)), None)
    free = next((c.id for c in known if "progression" in c.events), None)
    return survival, free


def _heads(told: Teller) -> tuple[str, str]:
    labels = {clock.id: told.study.text(clock.label) for clock in told.study.endpoints.time_to_event}
    survival, free = _clocks(told.study)
    return labels.get(survival or "", ""), labels.get(free or "", "")


def _row(told: Teller, rows: Rows, story: Story) -> Markup:
    facts = {row["NAME"]: row["VALUE"] for row in rows if row["KIND"] == "subject"}
    survival, free = (_stopped(told, rows, clock) for clock in _clocks(told.study))
    code = "BORC" if told.study.response.headline == "confirmed" else "BORU"
    best = [
        row["VALUE"] for row in rows if row["KIND"] == "best" and row["NAME"] == code and _counts(told, row)
    ]
    return _ROW.format(
        story.subject,
        told.arm(facts.get("TRT01P", "")),
        survival,
        free,
        "".join(best[:1]),
        explain.markup(story),
    )


def _counts(told: Teller, row: Row) -> bool:
    return bool(row["PARQUAL"] == told.study.response.assessor)


def _stopped(told: Teller, rows: Rows, clock: str | None) -> str:
    """``7.3 months, death``; with a ``+`` where the clock was censored, and why."""
    stop = next((row for row in rows if row["KIND"] == "stop" and row["ENDPOINT"] == clock), None)
    if stop is None or stop["AVAL"] is None:
        return "–"
    months = told.language.number(stop["AVAL"] / told.study.study.days_per_month, 1)
    open_ended = "" if stop["NAME"] == "event" else "+"
    return f"{told('months', months=months + open_ended)}, {told.described(stop['VALUE'])}"
