"""The clocks in words: where each started and stopped, under which rule, and what was passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialwright.medicine import qlq_c30
from trialwright.report.explain_words import Chapter, Grid, Line, Row, Rows, Said, Teller
from trialwright.study.model import Deterioration, TimeToEvent

_NONE = "–"
_STOPPED = (
    "DEATH BEFORE DETERIORATION",
    "LAST FORM BEFORE PROGRESSION",
    "LAST FORM BEFORE NEW ANTICANCER THERAPY",
)
"""Why a clock of deterioration was read where its rule alone does not say it."""


def clocks(told: Teller, rows: Rows, codes: frozenset[str] | None) -> Chapter:
    """Every clock but those of questionnaires; those that never started for one reason stand together."""
    said: list[Said] = []
    told_of: dict[tuple[str, ...], str] = {}
    for clock in told.study.endpoints.time_to_event:
        mine = [row for row in rows if row["ENDPOINT"] == clock.id]
        if mine and (codes is None or clock.id in codes):
            first, *more = _clock(told, clock, mine)
            label = f"{told.study.text(clock.label)} ({clock.id})"
            if said and not more and said[-1].text == first:
                label = told.joined((said.pop().label, label))
            first, more = _shortened(told, told_of, clock.id, first, more)
            said.append(Said(first, label, tuple(more)))
    return Chapter(told("clocks"), tuple(said))


def _shortened(
    told: Teller, told_of: dict[tuple[str, ...], str], clock: str, first: str, more: list[str]
) -> tuple[str, list[str]]:
    """What an earlier clock said word for word is not said again: all of it, or all but the rule."""
    same, same_but_rule = (
        told_of.setdefault((key, *more[i:]), clock) for i, key in enumerate(("", "passed"))
    )
    if more and same != clock:
        return f"{first} {told('otherwise_as', id=same)}", []
    if len(more) > 2 and same_but_rule != clock:
        return first, [more[0], told("otherwise_as", id=same_but_rule)]
    return first, more


def _clock(told: Teller, clock: TimeToEvent, rows: Rows) -> Iterator[str]:
    stop = next((row for row in rows if row["KIND"] == "stop"), None)
    start = next((row for row in rows if row["KIND"] == "start"), None)
    if stop is None or start is None:
        reason = next((row["REASON"] for row in rows if row["KIND"] == "absent"), "other")
        yield told.known(f"absent:{reason}", told("absent:other"))
        return
    key = "clock_event" if stop["NAME"] == "event" else "clock_censored"
    what, record = told.described(stop["VALUE"]), told.record(stop)
    if record:
        what = told("from_record", what=what, record=record)
    yield f"{told(key, when=told.when(stop), what=what)} {_time(told, start, stop)}"
    yield from _ruled(told, stop["WORD"])
    yield from _considered(told, rows, stop)


def _time(told: Teller, start: Row, stop: Row) -> str:
    origin, begun = told(f"origin:{start['NAME']}"), start["DATE"].isoformat()
    if stop["AVAL"] is None:
        return told("clock_backwards", origin=origin, start=begun)
    if start["NAME"] != "randomisation":
        origin = told("origin_on", origin=origin, start=begun)
    if stop["AVAL"] == 1:
        return told("clock_time_one", origin=origin)
    months = told.language.number(stop["AVAL"] / told.study.study.days_per_month, 1)
    return told("clock_time", days=told.language.number(stop["AVAL"]), months=months, origin=origin)


def _ruled(told: Teller, word: str | None) -> Iterator[str]:
    """The rule in words, with its case; a rule set by its name and source."""
    if not word:
        return
    rules, _, rest = word.partition(":")
    cases = re.findall(r"P\d+", rest)
    if not cases:
        yield told.known(f"word:{word}", f"{told('clock_rule')}{told('colon')}{told.sentence(word)}")
        return
    said = [told.known(f"case:{rules}:{c}", told.known(f"case:{c}", c)) for c in cases]
    source = told.known(f"rules:{rules}", rules)
    yield f"{told('clock_rule')} {', '.join(cases)}{told('colon')}{' '.join(said)} ({source})"


def _considered(told: Teller, rows: Rows, stop: Row) -> Iterator[str]:
    """Candidates that the rule judged, those that it does not know, and assessments after the stop."""
    candidates = [row for row in rows if row["KIND"] == "candidate"]
    ignored = [row for row in candidates if row["REASON"] in ("no_event_of_clock", "before_start")]
    judged = [row for row in candidates if row not in ignored and row["REASON"]]
    if judged:
        yield told("considered", list=told.joined(_candidate(told, row) for row in judged))
    if ignored and not told.brief:
        yield told("no_events", list=told.joined(_brief(told, row) for row in ignored))
    later = [row for row in rows if row["KIND"] == "assessment"]
    if later:
        said = [
            f"{row['AVISIT'] or ''} {told('day', day=told.day(row))} {row['VALUE']}".strip() for row in later
        ]
        yield told("later_scans", list=told.joined(said))


def _brief(told: Teller, row: Row) -> str:
    said = f"{told.known('candidate:' + row['NAME'], row['NAME'])}, {told('day', day=told.day(row))}"
    if row["NAME"] == "treatment_end" and row["WORD"]:
        said += f", {told.described(row['WORD'])}"
    return said


def _candidate(told: Teller, row: Row) -> str:
    """``progression, day 127 (2026-11-24): passed over by the rule above, 3 scheduled scans …``."""
    judged = told(f"judged:{row['REASON']}")
    said = f"{_brief(told, row)}{told('colon')}{judged}"
    if row["REASON"] == "by_case" and row["VALUE"]:
        said += f" ({told('missed_between', visits=row['VALUE'])})"
    return said


def questionnaires(told: Teller, rows: Rows, codes: frozenset[str] | None) -> Iterator[Chapter]:
    """A chapter for each instrument that a clock of deterioration uses: a line for each scale."""
    families = [
        f
        for f in told.study.endpoints.deterioration
        if codes is None or any(f.paramcd(s) in codes for s in (*f.scales, "ANY"))
    ]
    if not any(row["KIND"] == "date" and row["NAME"] == "randomisation" for row in rows):
        return
    for id_ in dict.fromkeys(family.instrument for family in families):
        mine = [family for family in families if family.instrument == id_]
        instrument = next((i for i in told.study.instruments if i.id == id_), None)
        label = told.study.text(instrument.label) if instrument else id_
        forms = [row for row in rows if row["KIND"] == "form" and row["ASSESSMENT"] == id_]
        blocks: list[Said | Grid] = [_scales(told, rows, forms, mine, codes)]
        if not forms:
            blocks.append(Said(told("no_form")))
        blocks += [
            Said(_policy(told, family), f"{told.study.text(family.label)} ({family.id})", shared=True)
            for family in mine
        ]
        blocks += _passed(told, forms)
        yield Chapter(told("questionnaires", instrument=label), tuple(blocks))


def _scales(
    told: Teller, rows: Rows, forms: Rows, families: list[Deterioration], codes: frozenset[str] | None
) -> Grid:
    every = [scale for f in families for scale in (*f.scales, *(["ANY"] if f.composite else []))]
    scales = dict.fromkeys(s for s in every if codes is None or any(f.paramcd(s) in codes for f in families))
    stops = {row["ENDPOINT"]: row for row in rows if row["KIND"] == "stop"}
    visits = _visits(told, families[0], forms)
    lines = []
    for scale in scales:
        mine = [row for row in forms if row["NAME"] == scale and row["USED"] == "Y"]
        results = [_result(told, stops.get(f.paramcd(scale)), mine) for f in families]
        results[1:] = [told("same") if result == results[0] else result for result in results[1:]]
        label = told("any_scale") if scale == "ANY" else told.known(f"scale:{scale}", scale)
        course = "" if scale == "ANY" else _course(told, mine, visits)
        lines.append(Line((f"{label} ({scale})", *results), (course,)))
    heads = (told("column_scale"), *(f.id for f in families))
    return Grid(heads, tuple(lines), aside=told("column_scores"))


def _visits(told: Teller, family: Deterioration, forms: Rows) -> list[str]:
    """The visits with a form planned, up to the last one that the patient answered."""
    instrument = next((i for i in told.study.instruments if i.id == family.instrument), None)
    planned = told.study.schedule.days(instrument.activity) if instrument else ()
    later = [visit.id for visit in planned if visit.day > 0]
    there = [i for i, visit in enumerate(later) if any(row["AVISIT"] == visit for row in forms)]
    return later[: max(there) + 1] if there else []


def _course(told: Teller, forms: Rows, visits: list[str]) -> str:
    """``33.3; W6 –; W12 22.2``: the baseline, then visit by visit; a dash where there is no score."""
    scores = {"" if row["VALUE"] == "baseline" else row["AVISIT"]: _score(told, row["AVAL"]) for row in forms}
    first = scores.get("") or told("no_baseline_score")
    return told.joined([first, *(f"{visit} {scores.get(visit, _NONE)}" for visit in visits)])


def _worded(told: Teller, stop: Row) -> str:
    """The rule; of a composite the scale that decided before it."""
    of_any, _, rest = (stop["WORD"] or "").partition("first of any scale: ")[::1]
    scale, _, rule = rest.partition(": ")
    said = told.known(f"word:{rule or of_any}", rule or of_any)
    said = f"{said} ({scale})" if scale else said
    return f"{said}, {told('cannot_worsen')}" if stop["NOTE"] == "cannot_worsen" else said


def _score(told: Teller, value: float) -> str:
    return told.language.number(value, 0 if round(value, 1).is_integer() else 1)


def _result(told: Teller, stop: Row | None, forms: Rows) -> str:
    """``day 169 (W24), +33.3`` where the form of that day is the event."""
    if stop is None:
        return _NONE
    when = told("day", day=told.day(stop))
    word = _worded(told, stop)
    if stop["NAME"] != "event":
        why = told.described(stop["VALUE"]) if stop["VALUE"] in _STOPPED else word
        return told("course_censored", when=when, why=why)
    at = next((row for row in forms if row["DATE"] == stop["DATE"] and row["CHG"] is not None), None)
    if at is None or stop["VALUE"] == "DEATH":
        return told("course_event", when=when, change=word)
    change = ("+" if at["CHG"] > 0 else "") + told.language.number(at["CHG"], 1)
    return told("course_event", when=f"{when} ({at['AVISIT']})", change=change)


def _policy(told: Teller, family: Deterioration) -> str:
    policy = qlq_c30.Deterioration(**family.policy)  # type: ignore[arg-type]
    return told(
        "scale_rule",
        threshold=told.language.number(policy.threshold),
        reference=told(f"reference:{policy.reference}"),
        pattern=told(f"pattern:{policy.pattern}"),
        death=told.known(f"death:{family.death}", family.death),
    )


def _passed(told: Teller, forms: Rows) -> Iterator[Said]:
    """Forms that no clock used, each once with the scales that it is about."""
    passed: dict[tuple[str, str], list[str]] = {}
    for row in forms:
        if row["USED"] == "N":
            passed.setdefault((told.when(row), row["REASON"]), []).append(row["NAME"])
    if passed:
        scales = {row["NAME"] for row in forms}
        said = [
            f"{when}{'' if set(names) == scales else ' ' + ', '.join(names)}: {told(f'passed:{why}')}"
            for (when, why), names in passed.items()
        ]
        yield Said(told("forms_passed", list=told.joined(said)))
