"""The scans of each assessor in words, and the best response that came of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from trialwright.medicine import recist
from trialwright.report.explain_words import Chapter, Grid, Line, Row, Rows, Said, Teller
from trialwright.report.language import in_a_sentence

_COLUMNS = (
    *("column_day", "column_date", "column_visit", "column_sum", "column_baseline", "column_smallest"),
    *("column_target", "column_non_target", "column_new", "column_overall"),
)
_NONE = "–"
_AS_TARGET = ("target_pd", "target_ne", "target_pr", "target_sd")
"""Rules of the overall response that only repeat the target response."""


def scans(told: Teller, rows: Rows) -> list[Chapter]:
    """A chapter for each assessor who saw the patient, first the one who counts."""
    images = [
        row
        for row in rows
        if row["KIND"] in ("target", "non_target", "new", "sum", "response", "not_accepted")
    ]
    seen = list(dict.fromkeys(row["PARQUAL"] for row in images))
    chapters: list[Chapter] = []
    told_of: dict[frozenset[tuple[str, ...]], str] = {}
    for id_ in seen:
        mine = [row for row in images if row["PARQUAL"] == id_]
        if told.brief and id_ != told.study.response.assessor:
            chapters += _responses_only(told, id_, mine)
            continue
        same = told_of.setdefault(_readings(mine), id_)
        if same == id_:
            chapters.append(_assessor(told, id_, mine))
        else:
            title = told("scans_of", assessor=told.assessor(id_))
            chapters.append(Chapter(title, (Said(told("same_readings", assessor=told.assessor(same))),)))
    if not chapters and any(row["KIND"] == "date" and row["NAME"] == "randomisation" for row in rows):
        title = told("scans_of", assessor=told.assessor(told.study.response.assessor))
        return [Chapter(title, (Said(told("no_scan_at_all")),))]
    return chapters


def _responses_only(told: Teller, id_: str, rows: Rows) -> Iterator[Chapter]:
    said = [_brief(told, row) for row in rows if row["KIND"] == "response" and row["NAME"] == "OVRLRESP"]
    if said:
        title = told("scans_of", assessor=told.assessor(id_))
        yield Chapter(title, (Said(told.joined(said)),))


def _readings(rows: Rows) -> frozenset[tuple[str, ...]]:
    """What was read, whoever's it is called."""
    return frozenset(
        (row["READER"], row["ASSESSMENT"], row["NAME"] or row["KIND"], row["VALUE"] or str(row["AVAL"]))
        for row in rows
        if row["KIND"] != "not_accepted"
    )


def _assessor(told: Teller, id_: str, rows: Rows) -> Chapter:
    title = told("scans_of", assessor=told.assessor(id_))
    mine = id_ == told.study.response.assessor
    if mine and len(told.study.sources.assessors) > 1:
        title += f" ({told('counts_here')})"
    hidden = [row for row in rows if row["REASON"] == "after_cutoff"]
    passed = [row for row in rows if row["KIND"] == "not_accepted"]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row not in hidden and row not in passed:
            groups.setdefault((row["READER"], row["ASSESSMENT"]), []).append(row)
    lines = _lines(told, sorted(groups.values(), key=_order))
    blocks: list[Said | Grid] = [*_readers(told, id_, rows)]
    if lines:
        blocks.append(Grid(tuple(told(key) for key in _COLUMNS), lines))
    if not any(row["KIND"] == "response" for row in rows):
        blocks.append(Said(told("no_scan")))
    if hidden:
        blocks.append(Said(told("scans_hidden", list=told.joined(_brief(told, row) for row in hidden))))
    for reader in dict.fromkeys(row["READER"] for row in passed):
        theirs = told.joined(_brief(told, row) for row in passed if row["READER"] == reader)
        blocks.append(Said(told("readings_passed", reader=_reader(reader), list=theirs)))
    if mine and lines:
        blocks.append(Said(told("sources_recist"), told("source"), shared=True))
    return Chapter(title, tuple(blocks))


def _lines(told: Teller, scans_: list[list[Row]]) -> tuple[Line, ...]:
    """One line a scan; rules that are word for word those of the scan before are not said again."""
    lines, before = [], ""
    for group in scans_:
        line, rules = _scan(told, group)
        if rules and rules == before:
            line = replace(line, beneath=tuple(told("as_before") if x == rules else x for x in line.beneath))
        lines.append(line)
        before = rules
    return tuple(lines)


def _order(group: Rows) -> tuple[str, int]:
    """A baseline before the rest of its day."""
    dates = [row["DATE"].isoformat() for row in group if row["DATE"] is not None]
    return min(dates, default=""), min(row["ORDER"] for row in group)


def _readers(told: Teller, id_: str, rows: Rows) -> Iterator[Said]:
    if any(a.id == id_ and a.accepted for a in told.study.sources.assessors):
        taken = {row["READER"] for row in rows if row["KIND"] != "not_accepted" and row["READER"]}
        for reader in sorted(taken):
            yield Said(told("accepted_reader", reader=_reader(reader)))


def _reader(name: str) -> str:
    return (name.partition("|")[2] or name).capitalize()


def _brief(told: Teller, row: Row) -> str:
    visit = row["AVISIT"] or row["ASSESSMENT"] or ""
    return f"{visit} {told('day', day=told.day(row))} {row['VALUE'] or ''}".strip()


def _scan(told: Teller, group: Rows) -> tuple[Line, str]:
    """One scan: its numbers, and beneath them its lesions and the rules that fired; and those rules alone."""
    part = {row["NAME"]: row for row in group if row["KIND"] == "response"}
    total = next((row for row in group if row["KIND"] == "sum"), None)
    dated = total or part.get("OVRLRESP") or group[0]
    visit = next((row["AVISIT"] for row in group if row["AVISIT"]), None)
    values = {name: row["VALUE"] for name, row in part.items()}
    new = {"Y": told("yes"), "N": told("no")}
    cells = (
        told.day(dated),
        dated["DATE"].isoformat() if dated["DATE"] else _NONE,
        visit or dated["ASSESSMENT"] or _NONE,
        *_sums(told, total),
        values.get("TRGRESP", _NONE),
        values.get("NTRGRESP", _NONE),
        new.get(values.get("NEWLESN", ""), _NONE),
        values.get("OVRLRESP", _NONE),
    )
    rules = _rules(told, part, total)
    beneath = [*_lesions(told, group), *([rules] if rules else []), *_remarks(told, part)]
    return Line(cells, tuple(beneath)), rules


def _sums(told: Teller, total: Row | None) -> tuple[str, str, str]:
    if total is None or total["AVAL"] is None:
        return _NONE, _NONE, _NONE
    whole = _mm(told, total["AVAL"])
    if total["USED"] == "N":
        return f"({whole})", _NONE, _NONE
    if total["VALUE"] == "baseline":
        return whole, told("baseline"), _NONE
    percent = _NONE if total["PCHG"] is None else _signed(told, total["PCHG"], percent=True)
    return whole, percent, _over_smallest(told, total)


def _over_smallest(told: Teller, total: Row) -> str:
    """``+26.0 mm (+72.2%) over 36.0``; a smallest sum of zero has no percentage."""
    if total["CHGNAD"] is None:
        return _NONE
    mm = _signed(told, total["CHGNAD"])
    if total["PCHGNAD"] is None:
        return told("over_zero", mm=mm)
    percent = _signed(told, total["PCHGNAD"], percent=True)
    return told("of_smallest", mm=mm, percent=percent, smallest=_mm(told, total["NADIR"]))


def _mm(told: Teller, value: float) -> str:
    """Tenths of a millimetre, where there are any."""
    return told.language.number(value, 0 if round(value, 1).is_integer() else 1)


def _signed(told: Teller, value: float, *, percent: bool = False) -> str:
    said = told.language.percent(value) if percent else _mm(told, value)
    return f"+{said}" if value > 0 else said


def _lesions(told: Teller, group: Rows) -> Iterator[str]:
    lesions = [
        told(key, lesions=", ".join(said))
        for key, said in (
            ("target_lesions", [_target(told, row) for row in group if row["KIND"] == "target"]),
            ("non_target_lesions", _states(told, [row for row in group if row["KIND"] == "non_target"])),
            ("new_lesions", [_state(told, row) for row in group if row["KIND"] == "new"]),
        )
        if said
    ]
    if lesions:
        yield " ".join(lesions)


def _rules(told: Teller, part: dict[str, Row], total: Row | None) -> str:
    """The sentence of each part that was judged; a part that does not apply has none."""
    said = []
    if total is not None and total["VALUE"] != "baseline":
        said.append(("target_rule", told.sentence(total["WORD"])))
    non_target = part.get("NTRGRESP")
    if non_target is not None and non_target["VALUE"] != "NA":
        said.append(("non_target_rule", told.sentence(non_target["WORD"])))
    computed, reported = part.get("OVRLC"), part.get("OVRLR")
    if computed is not None:
        as_target = said and computed["WORD"] in _AS_TARGET
        word = computed["WORD"]
        said.append(("overall_rule", told("as_target", word=word) if as_target else told.sentence(word)))
    elif reported is not None:
        said.append(("overall_rule", told("reported_word") + "."))
    return " ".join(f"{told(key)}{told('colon')}{sentence}" for key, sentence in said if sentence)


def _remarks(told: Teller, part: dict[str, Row]) -> Iterator[str]:
    """Where report and lesions disagree, and why an assessment does not count."""
    computed, reported = part.get("OVRLC"), part.get("OVRLR")
    if computed is not None and reported is not None and computed["VALUE"] != reported["VALUE"]:
        basis = told(f"basis:{told.study.response.basis}")
        said = told("states_disagree", reported=reported["VALUE"], computed=computed["VALUE"], basis=basis)
        why = (reported["NOTE"] or "").rpartition(": ")[2]
        yield f"{said} {told('disagreement_why', why=why)}" if why else said
    counted = part.get("OVRLRESP")
    if counted is not None and counted["REASON"]:
        yield told(f"passed:{counted['REASON']}")


def _target(told: Teller, row: Row) -> str:
    words = [told("node")] if row["WORD"] == "node" else []
    if row["VALUE"]:
        words.append(told.known(f"state:{row['VALUE']}", row["VALUE"]))
    elif row["AVAL"] is None:
        words.append(told("state:none"))
    if row["REASON"] == "no_target_at_baseline":
        words.append(told("passed:no_target_at_baseline"))
    size = "" if row["AVAL"] is None else f" {_mm(told, row['AVAL'])}"
    return f"{row['NAME'] or '?'}{size}" + (f" ({', '.join(words)})" if words else "")


def _states(told: Teller, rows: Rows) -> list[str]:
    """The lesions by state; the most frequent state without their names."""
    by_state: dict[str, list[str]] = {}
    for row in rows:
        by_state.setdefault(row["VALUE"] or "not_evaluated", []).append(row["NAME"] or "?")
    if not by_state:
        return []
    named = {state: told.known(f"state:{state}", state) for state in by_state}
    if len(by_state) == 1 and len(rows) > 2:
        state = next(iter(by_state))
        return [told("all_of_them", n=len(rows), state=named[state])]
    return [f"{', '.join(names)} {named[state]}" for state, names in by_state.items()]


def _state(told: Teller, row: Row) -> str:
    said = f"{row['NAME'] or '?'} {told.known('state:' + row['VALUE'], row['VALUE'])}"
    return f"{said} ({told('passed:' + row['REASON'])})" if row["REASON"] else said


def best(told: Teller, rows: Rows, codes: frozenset[str] | None) -> Chapter:
    """Confirmed and unconfirmed: the assessment that decided, what confirmed it or stood in the way."""
    found = [row for row in rows if row["KIND"] == "best"]
    mine = [row for row in found if row["PARQUAL"] == told.study.response.assessor]
    if not mine:
        return Chapter(told("best_of"), ())
    blocks = [
        *_both(told, mine),
        *_confirmation(told, rows),
        *_met(told, mine, codes),
        *_elsewhere(told, found),
    ]
    return Chapter(told("best_of"), (*blocks, *_choices(told, codes)))


def _both(told: Teller, mine: Rows) -> Iterator[Said]:
    """Confirmed and unconfirmed, in one where they are the same."""
    said = {row["NAME"]: _best(told, row) for row in mine if row["NAME"] in ("BORC", "BORU")}
    if len(said) == 2 and len(set(said.values())) == 1:
        yield Said(next(iter(said.values())), told("both"))
        return
    for name, text in said.items():
        yield Said(text, told(f"best:{name}"))


def _best(told: Teller, row: Row) -> str:
    where = told("best_at", when=told.when(row)) if row["DATE"] else ""
    label = told.known(f"BOR:{row['VALUE']}", row["VALUE"])
    rule = told.known(f"best_rule:{row['WORD']}", "") or told.sentence(row["WORD"])
    return f"{label} ({row['VALUE']}){where}. {rule}"


def _met(told: Teller, mine: Rows, codes: frozenset[str] | None) -> Iterator[Said]:
    """Which endpoints the best response meets."""
    known = {e.id for e in told.study.endpoints.best_response}
    shown = [row for row in mine if row["NAME"] in known and _asked(row["NAME"], codes)]
    answers = []
    for answer, key in (("Y", "counts_as"), ("N", "counts_not_as")):
        names = [_with_rule(told, row) for row in shown if row["VALUE"] == answer]
        if names:
            answers.append(told(key, list=", ".join(names)))
    if answers:
        yield Said(" ".join(answers))


def _with_rule(told: Teller, row: Row) -> str:
    """The endpoint; with its rule where it is more than the best response."""
    endpoint = next(e for e in told.study.endpoints.best_response if e.id == row["NAME"])
    if endpoint.at_day is None and endpoint.lasting_months is None:
        return str(row["NAME"])
    rule = told.known(f"best_rule:{row['WORD']}", row["WORD"] or "").rstrip(".")
    return f"{row['NAME']} ({in_a_sentence(rule)})"


def _asked(name: str, codes: frozenset[str] | None) -> bool:
    return codes is None or name in codes or "BORC" in codes


def _choices(told: Teller, codes: frozenset[str] | None) -> Iterator[Said]:
    """What the study chose, and what its endpoints are called: true of every patient."""
    policy = _policy(told)
    limits = {"days": policy.confirmation_days, "ne": policy.max_ne, "sd": policy.max_sd}
    line = told("policy_line", **limits, stable=policy.sd_min_days)
    yield Said(f"{line} {told('sources_best')}", told("rule"), shared=True)
    named = [e for e in told.study.endpoints.best_response if _asked(e.id, codes)]
    said = " ".join(told("endpoint_is", id=e.id, label=told.study.text(e.label)) for e in named)
    if said:
        yield Said(said, shared=True)


def _policy(told: Teller) -> recist.Policy:
    return recist.Policy(**told.study.response.policy)  # type: ignore[arg-type]


def _confirmation(told: Teller, rows: Rows) -> Iterator[Said]:
    policy = _policy(told)
    first = next((row for row in rows if row["KIND"] == "responds_from"), None)
    confirmed = next((row for row in rows if row["KIND"] == "confirmed_by"), None)
    if first is not None and confirmed is not None:
        yield Said(
            told(
                "first_response",
                response=first["NAME"],
                first=told.when(first),
                confirmed=told.when(confirmed),
            )
        )
    for row in (row for row in rows if row["KIND"] == "not_confirmed"):
        limits = {"days": policy.confirmation_days, "ne": policy.max_ne, "sd": policy.max_sd}
        why = told(f"why:{row['REASON']}").format(**limits)
        yield Said(told("not_confirmed", response=row["NAME"], when=told.when(row), why=why))
    if any(row["KIND"] == "best" and row["NOTE"] == "CR_THEN_PR" for row in rows):
        yield Said(told("cr_then_pr", policy=policy.cr_then_pr))


def _elsewhere(told: Teller, found: Rows) -> Iterator[Said]:
    mine = told.study.response.assessor
    others = dict.fromkeys(row["PARQUAL"] for row in found if row["PARQUAL"] != mine)
    for id_ in others:
        words = {row["NAME"]: row["VALUE"] for row in found if row["PARQUAL"] == id_}
        yield Said(
            told(
                "best_elsewhere",
                assessor=told.assessor(id_),
                confirmed=words.get("BORC", _NONE),
                unconfirmed=words.get("BORU", _NONE),
            )
        )
