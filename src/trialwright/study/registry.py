"""The registered record: read as published, and compared with the definition.

Two published forms are read: the export of ClinicalTrials.gov (CSV; outcomes joined by ``|``, each
"measure, description, time frame") and its JSON, version 2 of the registry's interface.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialwright.study.record import Record, RegisteredOutcome
from trialwright.study.words import OutcomeType, ReadingRule

if TYPE_CHECKING:
    from trialwright.study.model import Study

_COLUMNS: Mapping[OutcomeType, str] = {
    "primary": "Primary Outcome Measures",
    "secondary": "Secondary Outcome Measures",
    "other": "Other Outcome Measures",
}
_MODULES: Mapping[OutcomeType, str] = {
    "primary": "primaryOutcomes",
    "secondary": "secondaryOutcomes",
    "other": "otherOutcomes",
}
_MEASURE = re.compile(r"(?P<measure>.+?)(?:,\s+(?=[A-Z])(?P<description>.*))?$", re.DOTALL)
_ORIGINS = (
    "randomisation",
    "randomization",
    "inclusion",
    "enrolment",
    "enrollment",
    "registration",
    "consent",
)
_SAME = {"randomization": "randomisation", "enrollment": "enrolment"}
_FROM = re.compile(r"\bfrom\s+(?:the\s+)?(?:date\s+of\s+)?(?:the\s+)?(\w+)", re.IGNORECASE)
_SCALES = re.compile(
    r"\b(fatigue|pain|nausea|dyspn\w+|insomnia|appetite|functioning|global health)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One sentence of the record at fault: where, the words, why, and what the study decided."""

    id: str
    rule: ReadingRule
    outcomes: tuple[tuple[OutcomeType, int], ...]
    quote: str
    says: str
    decision: str = ""


def read(file: Path) -> Record:
    """The record of a CSV export or a JSON v2 file. Raises ``ValueError`` saying what is missing."""
    text = file.read_text(encoding="utf-8-sig")
    return from_json(json.loads(text)) if file.suffix.lower() == ".json" else from_csv(text)


def from_csv(text: str) -> Record:
    """The first row of the registry's export."""
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    if not rows:
        raise ValueError("the export has a header and no row")
    row = rows[0]
    missing = [name for name in ("NCT Number", *list(_COLUMNS.values())[:2]) if row.get(name) is None]
    if missing:
        raise ValueError(f"the export has no column {missing[0]!r}")
    return Record(
        registry_id=row["NCT Number"],
        title=row.get("Study Title") or "",
        summary=row.get("Brief Summary") or "",
        interventions=tuple(filter(None, (row.get("Interventions") or "").split("|"))),
        outcomes=tuple(
            _outcome(type_, number, cell)
            for type_, column in _COLUMNS.items()
            for number, cell in enumerate(filter(None, (row.get(column) or "").split("|")), start=1)
        ),
        source="registry export (CSV)",
    )


def _outcome(type_: OutcomeType, number: int, cell: str) -> RegisteredOutcome:
    """Split at the last comma for the time frame, at the first comma before a capital for the description."""
    body, _, time_frame = cell.strip().rpartition(", ")
    parts = _MEASURE.match(body or time_frame)
    assert parts is not None  # the pattern matches any text
    return RegisteredOutcome(
        type=type_,
        number=number,
        measure=parts["measure"].strip(),
        description=(parts["description"] or "").strip(),
        time_frame=time_frame.strip() if body else "",
    )


def from_json(document: Mapping[str, Any]) -> Record:
    """A study of the registry's JSON, version 2."""
    if "protocolSection" not in document:
        raise ValueError("not a registry record: no protocolSection")
    protocol = document["protocolSection"]
    named, outcomes = protocol["identificationModule"], protocol.get("outcomesModule", {})
    arms = protocol.get("armsInterventionsModule", {})
    return Record(
        registry_id=named["nctId"],
        title=named.get("briefTitle", ""),
        summary=protocol.get("descriptionModule", {}).get("briefSummary", ""),
        interventions=tuple(f"{i['type']}: {i['name']}" for i in arms.get("interventions", ())),
        outcomes=tuple(
            RegisteredOutcome(
                type=type_,
                number=number,
                measure=item["measure"].strip(),
                description=item.get("description", "").strip(),
                time_frame=item.get("timeFrame", "").strip(),
            )
            for type_, key in _MODULES.items()
            for number, item in enumerate(outcomes.get(key, ()), start=1)
        ),
        source="registry record (JSON v2)",
    )


def contradictions(study: Study) -> tuple[Contradiction, ...]:
    """Where the record contradicts itself or the definition, in the order of its outcomes.

    What the rules below find takes its decision from the study's ``[[reading]]`` of the same rule and
    outcome; a reading that no rule finds stands for itself.
    """
    if study.record is None:
        return ()
    found = [c for rule in _RULES for c in rule(study, study.record)]
    places = {outcome.id: (outcome.type, outcome.number) for outcome in study.outcomes}
    used: set[int] = set()
    decided: list[Contradiction] = []
    for item in found:
        match = next(
            (
                i
                for i, reading in enumerate(study.reading)
                if reading.rule == item.rule
                and (reading.outcome is None or places[reading.outcome] in item.outcomes)
            ),
            None,
        )
        decision = "" if match is None else study.text(study.reading[match].decision)
        used |= set() if match is None else {match}
        decided.append(Contradiction(item.id, item.rule, item.outcomes, item.quote, item.says, decision))
    for i, reading in enumerate(study.reading):
        if i not in used:
            where = () if reading.outcome is None else (places[reading.outcome],)
            text, decision = study.text(reading.says), study.text(reading.decision)
            decided.append(
                Contradiction(_id(reading.rule, where, i), reading.rule, where, reading.quote, text, decision)
            )
    order = {(o.type, o.number): i for i, o in enumerate(study.record.outcomes)}
    return tuple(sorted(decided, key=lambda c: (order[c.outcomes[0]] if c.outcomes else -1, c.id)))


def _id(rule: str, where: tuple[tuple[str, int], ...], extra: int | str = "") -> str:
    place = "+".join(f"{type_}-{number}" for type_, number in where) or "record"
    suffix = f".{extra}" if rule == "other" or (isinstance(extra, str) and extra) else ""
    return f"{place}.{rule}{suffix}"


def _drugs(study: Study, record: Record) -> Iterator[Contradiction]:
    given = {drug.casefold() for arm in study.arms for drug in arm.drugs}
    for outcome in record.outcomes:
        for word in dict.fromkeys(re.findall(r"[A-Za-z]+", f"{outcome.measure} {outcome.description}")):
            if _is_drug(word.casefold()) and word.casefold() not in given:
                yield Contradiction(
                    _id("drug_not_given", ((outcome.type, outcome.number),), word.casefold()),
                    "drug_not_given",
                    ((outcome.type, outcome.number),),
                    word,
                    f"{word} is given in no arm of this study.",
                )


@lru_cache(maxsize=1)
def _stems() -> tuple[str, ...]:
    table = (resources.files("trialwright.study") / "tables" / "inn_stems.csv").read_text(encoding="utf-8")
    return tuple(row["stem"] for row in csv.DictReader(table.splitlines()))


def _is_drug(word: str) -> bool:
    return any(word.endswith(stem) and len(word) > len(stem) + 2 for stem in _stems())


def _repeats(_: Study, record: Record) -> Iterator[Contradiction]:
    for one, other in combinations(record.outcomes, 2):
        if (
            one.type == other.type
            and one.description
            and _plain(one.description) == _plain(other.description)
        ):
            where = ((one.type, one.number), (other.type, other.number))
            yield Contradiction(
                _id("repeats_outcome", where),
                "repeats_outcome",
                where,
                one.description,
                f"“{one.measure}” and “{other.measure}” have the same definition.",
            )


def _both_types(_: Study, record: Record) -> Iterator[Contradiction]:
    for one, other in combinations(record.outcomes, 2):
        if {one.type, other.type} == {"primary", "secondary"} and _subject(one) == _subject(other):
            where = ((one.type, one.number), (other.type, other.number))
            yield Contradiction(
                _id("primary_and_secondary", where),
                "primary_and_secondary",
                where,
                other.measure,
                f"Listed as primary (“{one.measure}”) and as secondary (“{other.measure}”).",
            )


def _subject(outcome: RegisteredOutcome) -> str:
    """What is measured: the abbreviation in brackets, else the whole measure."""
    short = re.search(r"\(([A-Z][A-Za-z0-9-]{1,9})\)", outcome.measure)
    return short[1] if short else _plain(outcome.measure)


def _plain(text: str) -> str:
    sentences = re.split(r"[.\n]+", text.casefold())
    return " ".join(dict.fromkeys(" ".join(re.findall(r"\w+", s)) for s in sentences if s.strip()))


def _origins(_: Study, record: Record) -> Iterator[Contradiction]:
    clocks: dict[str, list[tuple[RegisteredOutcome, str]]] = {}
    for outcome in record.outcomes:
        for match in _FROM.finditer(outcome.description):
            close = get_close_matches(match[1].casefold(), _ORIGINS, n=1, cutoff=0.8)
            if close:
                clocks.setdefault(_SAME.get(str(close[0]), str(close[0])), []).append((outcome, match[0]))
                break
    if len(clocks) > 1:
        everyone = [pair for pairs in clocks.values() for pair in pairs]
        where = tuple((outcome.type, outcome.number) for outcome, _ in everyone)
        counted = "; ".join(
            f"{origin}: {', '.join(_subject(outcome) for outcome, _ in pairs)}"
            for origin, pairs in clocks.items()
        )
        quote = " / ".join(dict.fromkeys(words for _, words in everyone))
        yield Contradiction(
            _id("origins_differ", where[:1]),
            "origins_differ",
            where,
            quote,
            f"The clocks start differently: {counted}.",
        )


def _each(
    record: Record, rule: ReadingRule, measure: str, fault: re.Pattern[str] | None, says: str
) -> Iterator[Contradiction]:
    """Outcomes whose measure matches and whose description has the fault; with no pattern, lacks death."""
    for outcome in record.outcomes:
        if not re.search(measure, outcome.measure, re.IGNORECASE):
            continue
        hit = fault.search(outcome.description) if fault else None
        lacks = (
            fault is None
            and outcome.description
            and not re.search(r"\bdeath|\bdied", outcome.description, re.I)
        )
        if hit or lacks:
            where = ((outcome.type, outcome.number),)
            yield Contradiction(_id(rule, where), rule, where, hit[0] if hit else outcome.description, says)


def _response_with_stable_disease(_: Study, record: Record) -> Iterator[Contradiction]:
    yield from _each(
        record,
        "response_counts_stable_disease",
        r"\bresponse rate|objective response",
        re.compile(r"stable disease(?: \(SD\))?|\bSD\b"),
        "A response rate that counts stable disease is a disease control rate.",
    )


def _duration_without_death(_: Study, record: Record) -> Iterator[Contradiction]:
    yield from _each(
        record,
        "duration_ignores_death",
        r"duration of (?:\w+ )?response",
        None,
        "Ends at progression only: a response that ends by death would be counted as still going on.",
    )


def _population(_: Study, record: Record) -> Iterator[Contradiction]:
    yield from (
        Contradiction(
            _id("population_after_randomisation", ((outcome.type, outcome.number),)),
            "population_after_randomisation",
            ((outcome.type, outcome.number),),
            hit[0],
            "Restricts a comparison between arms to patients known only after randomisation.",
        )
        for outcome in record.outcomes
        if (
            hit := re.search(
                r"\b(?:who )?received (?:at least )?(?:one|a|1) dose[\w ]*", outcome.measure, re.I
            )
        )
    )


def _deterioration(_: Study, record: Record) -> Iterator[Contradiction]:
    for outcome in record.outcomes:
        whole = f"{outcome.measure} {outcome.description}"
        if not (hit := re.search(r"time to [\w ]*(?:deterioration|worsening)", whole, re.IGNORECASE)):
            continue
        lacks = [
            name
            for name, pattern in (
                ("scale", _SCALES),
                ("threshold", r"\d+\s*(?:-?\s*points?|%)"),
                ("rule for death", r"\bdeath"),
            )
            if not re.search(pattern, whole)
        ]
        if lacks:
            where = ((outcome.type, outcome.number),)
            says = f"Names no {', no '.join(lacks)}: not computable as written."
            yield Contradiction(
                _id("deterioration_undefined", where), "deterioration_undefined", where, hit[0], says
            )


_RULES = (
    _population,
    _drugs,
    _repeats,
    _both_types,
    _origins,
    _response_with_stable_disease,
    _duration_without_death,
    _deterioration,
)
