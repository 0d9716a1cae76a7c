"""The answer in sentences: the primary outcome by its headline reading, and by every other beside it."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.report.context import Context
from trialwright.report.curves import median_text
from trialwright.report.language import in_a_sentence
from trialwright.study.model import Analysis, Outcome, Reading


@dataclass(frozen=True, slots=True)
class Fact:
    """A number to be read at a glance, and what it is."""

    name: str
    value: str
    sub: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One reading: its name, its sentence, its facts."""

    label: str
    sentences: tuple[str, ...]
    facts: tuple[Fact, ...]
    assumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """``headline`` first, then the same outcome read otherwise."""

    title: str
    headline: Said
    beside: tuple[Said, ...]
    analysis: Analysis | None
    kind: str = "answer"


def primary(context: Context) -> Outcome | None:
    """The registered primary outcome with the smallest number, if there is one."""
    found = [o for o in context.study.outcomes if o.type == "primary"]
    return min(found, key=lambda o: o.number, default=None)


def answer(context: Context) -> Answer:
    """Of the primary outcome; of the first analysis in a study that registers none."""
    outcome = primary(context)
    if outcome is None:
        analysis = context.study.analyses[0]
        return Answer(context.study.text(analysis.label), _said(context, analysis, None), (), analysis)
    readings = sorted(outcome.readings, key=lambda r: not r.headline)
    said = [_said(context, _first(context, r), r) for r in readings]
    return Answer(context.study.text(outcome.title), said[0], tuple(said[1:]), _first(context, readings[0]))


def _first(context: Context, reading: Reading) -> Analysis:
    return context.study.analysis(reading.analyses[0])


def _said(context: Context, analysis: Analysis, reading: Reading | None) -> Said:
    label = context.study.text(reading.label if reading else analysis.label)
    assumes = (*(reading.assumes if reading else ()), *analysis.assumes)
    if not context.results.has(analysis.id):
        reason = context.results.gap(analysis.id)
        told = f"{context.endpoint_label(analysis)}{context.language('colon')}{context.reason(reason)}."
        return Said(label, (told if reason else context.language("no_answer"),), (), assumes)
    ways = {"time_to_event": _time, "proportion": _proportion}
    way = ways.get(analysis.method)
    sentences, facts = way(context, analysis) if way else ([context.language("see_tables")], [])
    return Said(label, tuple(sentences), tuple(facts), tuple(dict.fromkeys(assumes)))


def _names(context: Context, arm: str) -> dict[str, str]:
    return {
        "experimental": in_a_sentence(context.label(arm)),
        "control": in_a_sentence(context.label(context.control)),
    }


def _time(context: Context, analysis: Analysis) -> tuple[list[str], list[Fact]]:
    say = context.language
    sentences: list[str] = []
    facts: list[Fact] = []
    for arm in context.study.experimental:
        sentences.append(_verdict(context, analysis, arm.id, ("longer", "shorter")))
        facts += _hazard(context, analysis, arm.id)
    for arm in context.arms:
        middle, bracket, rest = median_text(context, analysis, arm.id).partition(" (")
        sub = f"{say.ci} {rest.rstrip(')')}" if bracket else ""
        facts.append(Fact(f"{say('median')}, {in_a_sentence(context.label(arm.id))}", middle, sub))
    return sentences, facts


def _hazard(context: Context, analysis: Analysis, arm: str) -> list[Fact]:
    """The ratio with its limits, and the p value of the log-rank test."""
    say, get, group = context.language, context.results.get, context.versus(arm)
    ratio, p = get(analysis.id, "hazard_ratio", group), get(analysis.id, "p_logrank", group)
    name = _of(context, say("hazard_ratio"), arm)
    if ratio is None or ratio.value is None:
        return [
            Fact(name, say("not_estimable"), context.reason(ratio.note) if ratio else say("not_computed"))
        ]
    ends = [get(analysis.id, f"hazard_ratio_{end}", group) for end in ("lower", "upper")]
    shown = say.interval(
        *(say.number(x.value, 2) if x and x.value is not None else say("not_estimable") for x in ends)
    )
    facts = [Fact(name, say.number(ratio.value, 2), f"{say.ci} {shown}")]
    if p is not None and p.value is not None:
        test = say("p_logrank_stratified" if analysis.strata else "p_logrank")
        facts.append(Fact(_of(context, test, arm), say.p(p.value), say("two_sided")))
    return facts


def _of(context: Context, name: str, arm: str) -> str:
    return name if len(context.study.experimental) == 1 else f"{name}, {in_a_sentence(context.label(arm))}"


def _verdict(context: Context, analysis: Analysis, arm: str, words: tuple[str, str]) -> str:
    """The sentence of a comparison: which way, by the log-rank test and the side of 1 of the hazard ratio."""
    say, get = context.language, context.results.get
    outcome, names = context.endpoint_label(analysis), _names(context, arm)
    group = context.versus(arm)
    ratio, p = get(analysis.id, "hazard_ratio", group), get(analysis.id, "p_logrank", group)
    if ratio is None or ratio.value is None:
        reason = (context.reason(ratio.note) if ratio else "") or say("not_computed")
        return say("not_compared", outcome=outcome, reason=reason, **names)
    if p is None or p.value is None or p.value >= 1 - say.confidence:
        return say("no_difference", outcome=outcome, **names)
    return say(words[0] if ratio.value < 1 else words[1], outcome=outcome, **names)


def _proportion(context: Context, analysis: Analysis) -> tuple[list[str], list[Fact]]:
    say, get = context.language, context.results.get
    sentences, facts = [], []
    for arm in context.study.experimental:
        group = context.versus(arm.id)
        middle, lower, upper = (
            get(analysis.id, f"difference{end}", group) for end in ("", "_lower", "_upper")
        )
        outcome, names = context.endpoint_label(analysis), _names(context, arm.id)
        if middle is None or middle.value is None:
            reason = (context.reason(middle.note) if middle else "") or say("not_computed")
            sentences.append(say("not_compared", outcome=outcome, reason=reason, **names))
            continue
        ends = [x.value if x else None for x in (lower, upper)]
        shown = say.interval(*(say("not_estimable") if x is None else say.number(100 * x, 1) for x in ends))
        sentences.append(say(_way(middle.value, ends), outcome=outcome, **names))
        p = get(analysis.id, "p_cmh", group)
        tail = f", {say.p_equals(p.value)}" if p and p.value is not None else ""
        facts.append(
            Fact(
                _of(context, say("difference"), arm.id),
                say.number(100 * middle.value, 1),
                f"{say.ci} {shown}{tail}",
            )
        )
    for arm in context.arms:
        rate = get(analysis.id, "proportion", arm.id)
        if rate is not None:
            text = say("not_estimable") if rate.value is None else say.percent(100 * rate.value)
            facts.append(Fact(context.label(arm.id), text, rate.note if rate.value is None else ""))
    return sentences, facts


def _way(difference: float, ends: list[float | None]) -> str:
    lower, upper = ends
    if lower is None or upper is None or lower <= 0 <= upper:
        return "no_difference"
    return "more_often" if difference > 0 else "less_often"
