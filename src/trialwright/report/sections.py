"""The parts of the report in their order. Each makes blocks, prose, figures and tables, for the template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from markupsafe import Markup

from trialwright.report import (
    estimates,
    flow,
    interim_tables,
    outcome_tables,
    plain_tables,
    questionnaire_tables,
    repeated_tables,
    safety_tables,
    supporting_tables,
)
from trialwright.report.answer import Answer, answer
from trialwright.report.context import Context
from trialwright.report.curves import curve_figure
from trialwright.report.figures import Figure
from trialwright.report.palette import looks
from trialwright.report.tables import Column, Table
from trialwright.study.model import Analysis, Outcome
from trialwright.study.record import RegisteredOutcome
from trialwright.study.words import Method


@dataclass(frozen=True, slots=True)
class Prose:
    text: str
    href: str = ""
    kind: str = "prose"


@dataclass(frozen=True, slots=True)
class Registered:
    """What the registry says of an outcome, and how it is read here."""

    quote: str
    description: str
    time_frame: str
    readings: tuple[tuple[str, bool, tuple[str, ...]], ...]
    kind: str = "registered"


Block = Prose | Registered | Figure | Table | Answer


@dataclass(frozen=True, slots=True)
class Section:
    """``parts`` are sections within, one level down."""

    id: str
    title: str
    blocks: tuple[object, ...] = ()
    parts: tuple[Section, ...] = ()
    kicker: str = ""


@dataclass(slots=True)
class Book:
    """Numbers figures and tables in the order in which they are added, and remembers what was drawn."""

    context: Context
    figures: int = 0
    tables: int = 0
    drawn: dict[str, int] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """Of the ids within the next figure."""
        return f"fig{self.figures + 1}"

    def figure(self, made: Figure | None) -> list[Block]:
        if made is None:
            return []
        self.figures += 1
        return [replace(made, number=self.figures)]

    def table(self, made: Table | None) -> list[Block]:
        if made is None:
            return []
        self.tables += 1
        return [replace(made, number=self.tables)]

    def curve(self, analysis: Analysis, caption: str) -> list[Block]:
        """The curve of an analysis, once: later only where it is."""
        if analysis.id in self.drawn:
            number = self.drawn[analysis.id]
            label = self.context.study.text(analysis.label)
            return [
                Prose(self.context.language("see_figure", label=label, number=number), f"#figure-{number}")
            ]
        made = self.figure(curve_figure(self.context, analysis, caption, self.prefix))
        if not made:
            text = self.context.language("note:no_curve", label=self.context.study.text(analysis.label))
            return [Prose(text)]
        self.drawn[analysis.id] = self.figures
        return made


def opening(book: Book) -> Section:
    """The answer and its curve."""
    context = book.context
    told = answer(context)
    blocks: list[Block] = [told]
    if (
        told.analysis
        and told.analysis.method in ("time_to_event", "duration")
        and not context.family(told.analysis)
    ):
        blocks += book.curve(told.analysis, f"{context.endpoint_label(told.analysis)}. {told.headline.label}")
    return Section("answer", context.language("section:answer"), tuple(blocks))


def participants(book: Book) -> Section:
    context, say = book.context, book.context.language
    blocks: list[Block] = []
    if flow.has_counts(context):
        narrow = max(350.0, 172.0 * len(context.arms))
        drawing = Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
            flow.diagram(context, max(640.0, 200.0 * len(context.arms))), flow.diagram(context, narrow)
        )
        blocks += book.figure(Figure(say("caption:flow"), drawing, style="flow"))
    else:
        blocks.append(Prose(say("note:flow_missing")))
    blocks += book.table(plain_tables.populations(context))
    blocks += book.table(plain_tables.baseline(context))
    return Section("participants", say("section:participants"), tuple(blocks))


def outcomes(book: Book) -> Section | None:
    """The registered outcomes in registered order, all readings of each side by side."""
    context = book.context
    if not context.study.outcomes:
        return None
    parts = tuple(_outcome(book, outcome) for outcome in context.study.outcomes)
    return Section("outcomes", context.language("section:outcomes"), parts=parts)


def _outcome(book: Book, outcome: Outcome) -> Section:
    context, say = book.context, book.context.language
    title = context.study.text(outcome.title)
    by_method: dict[Method, list[Column]] = {}
    for reading in outcome.readings:
        for id_ in reading.analyses:
            analysis = context.study.analysis(id_)
            by_method.setdefault(analysis.method, []).append(Column(analysis, reading))
    blocks: list[Block] = [_registered(context, outcome)]
    for method, columns in by_method.items():
        blocks += SHELLS[method](book, title, columns)
    kicker = say("outcome_number", type=say(f"type:{outcome.type}"), number=outcome.number)
    return Section(f"outcome-{outcome.id}", title, tuple(blocks), kicker=kicker)


def _registered(context: Context, outcome: Outcome) -> Registered:
    record = context.study.record
    lines: Iterable[RegisteredOutcome] = record.outcomes if record else ()
    line = next((x for x in lines if (x.type, x.number) == (outcome.type, outcome.number)), None)
    readings = tuple((context.study.text(r.label), r.headline, r.assumes) for r in outcome.readings)
    if line is None:
        return Registered(outcome.registered, "", "", readings)
    return Registered(line.measure, line.description, line.time_frame, readings)


def _present(book: Book, columns: Sequence[Column]) -> tuple[list[Column], list[Block]]:
    """The columns with numbers, and for each of the others a sentence that there are none."""
    context = book.context
    there = [c for c in columns if context.results.has(c.analysis.id)]
    absent = [c for c in columns if c not in there]
    return there, [
        Prose(
            f"{context.study.text(c.analysis.label)}{context.language('colon')}{context.gap(c.analysis.id)}"
        )
        for c in absent
    ]


def _times(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    context = book.context
    families = [c for c in columns if context.family(c.analysis)]
    plain = [c for c in columns if c not in families]
    blocks: list[Block] = []
    if plain:
        there, absent = _present(book, plain)
        for made in outcome_tables.survival(context, title, there) if there else []:
            blocks += book.table(made)
        blocks += absent
        for column in there:
            blocks += book.curve(column.analysis, _caption(context, column))
    if families:
        blocks += _scales(book, title, families)
    return blocks


def _caption(context: Context, column: Column) -> str:
    label = column.reading.label if column.reading else column.analysis.label
    endpoint, reading = context.endpoint_label(column.analysis), context.study.text(label)
    return endpoint if endpoint == reading else f"{endpoint}. {reading}"


def _scales(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    context = book.context
    there, blocks = _present(book, columns)
    if not there:
        return blocks
    for arm in context.study.experimental:
        caption = context.language("caption:forest", outcome=title)
        if len(context.study.experimental) > 1:
            caption += f" ({context.label(arm.id)})"
        made = estimates.forest_figure(context, caption, there, arm.id, book.prefix)
        if made:
            notes = (*made.notes, *estimates.unestimated(context, there, arm.id))
            blocks += book.figure(replace(made, notes=notes))
    for column in there:
        label = context.study.text(column.reading.label if column.reading else column.analysis.label)
        words = context.family(column.analysis)
        blocks += book.table(outcome_tables.scales(context, f"{title}. {label}", column, words))
    return blocks


def _proportions(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    context = book.context
    there, blocks = _present(book, columns)
    for made in outcome_tables.proportion(context, title, there) if there else []:
        blocks += book.table(made)
    if there:
        caption = context.language("caption:proportions", outcome=title)
        blocks += book.figure(estimates.shares_figure(context, caption, there, book.prefix))
        if "waterfall" not in book.drawn:
            drawn = book.figure(estimates.waterfall_figure(context, there[0].analysis, book.prefix))
            if drawn:
                book.drawn["waterfall"] = book.figures
            blocks += drawn
    return blocks


def _toxicity(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    """The overview; the rest stands in the safety section."""
    del title
    there, blocks = _present(book, columns)
    for column in there:
        blocks += _overview(book, column.analysis)
    if there:
        blocks.append(Prose(book.context.language("in_safety"), "#safety"))
    return blocks


def _overview(book: Book, analysis: Analysis) -> Iterator[Block]:
    if f"overview {analysis.id}" in book.drawn:
        return
    book.drawn[f"overview {analysis.id}"] = 1
    yield from book.table(safety_tables.overview(book.context, analysis))
    yield from book.figure(estimates.frequent_figure(book.context, analysis, book.prefix))


def _questionnaire(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    del title
    there, blocks = _present(book, columns)
    for column in there:
        blocks += book.table(questionnaire_tables.completion(book.context, column.analysis))
        blocks += book.table(questionnaire_tables.change(book.context, column.analysis))
    return blocks


def _elsewhere(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    """Shown in the safety section."""
    del book, title, columns
    return []


def _tests(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    return _tables(book, title, columns, supporting_tables.tests)


def _competing(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    return _tables(book, title, columns, supporting_tables.competing)


def _interim(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    return _tables(book, title, columns, interim_tables.looked)


def _tables(
    book: Book,
    title: str,
    columns: Sequence[Column],
    *make: Callable[[Context, Analysis], Table | None],
) -> list[Block]:
    """Each kind of table for each analysis."""
    del title
    there, blocks = _present(book, columns)
    for column in there:
        for table in make:
            blocks += book.table(table(book.context, column.analysis))
    return blocks


def _repeated(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    return _tables(book, title, columns, repeated_tables.over_visits, repeated_tables.by_visit)


def _subgroups(book: Book, title: str, columns: Sequence[Column]) -> list[Block]:
    """For each analysis a forest of each experimental arm, then the table."""
    del title
    there, blocks = _present(book, columns)
    for column in there:
        for arm in book.context.study.experimental:
            made = supporting_tables.subgroup_forest(book.context, column.analysis, arm.id, book.prefix)
            blocks += book.figure(made)
        blocks += book.table(supporting_tables.subgroups(book.context, column.analysis))
    return blocks


Shell = Callable[[Book, str, Sequence[Column]], list[Block]]
SHELLS: Final[Mapping[Method, Shell]] = {
    "time_to_event": _times,
    "duration": _times,
    "proportion": _proportions,
    "toxicity": _toxicity,
    "questionnaire": _questionnaire,
    "mmrm": _repeated,
    "exposure": _elsewhere,
    "laboratory": _elsewhere,
    "supporting": _tests,
    "subgroups": _subgroups,
    "competing_risks": _competing,
    "interim": _interim,
}
"""How the blocks of an outcome are made, by the method of its analyses."""
BESIDE: Final[frozenset[Method]] = frozenset(
    {"supporting", "subgroups", "competing_risks", "mmrm", "interim"}
)


def further(book: Book) -> Section | None:
    """Analyses that answer no registered outcome; in a study without outcomes, all of them."""
    context = book.context
    answered = {id_ for o in context.study.outcomes for r in o.readings for id_ in r.analyses}
    left = [a for a in context.study.analyses if a.id not in answered and SHELLS[a.method] is not _elsewhere]
    left = [a for a in left if a.method != "toxicity" and a.method not in BESIDE]
    if not left:
        return None
    title = context.language("section:further" if context.study.outcomes else "section:analyses")
    return Section("further", title, parts=_one_by_one(book, left))


def supporting(book: Book) -> Section | None:
    """Beside the outcomes: tests, subgroups, competing risks, mixed models. None chosen after looking."""
    answered = {id_ for o in book.context.study.outcomes for r in o.readings for id_ in r.analyses}
    left = [a for a in book.context.study.analyses if a.method in BESIDE and a.id not in answered]
    if not left:
        return None
    title = book.context.language("section:supporting")
    return Section("supporting", title, parts=_one_by_one(book, left))


def _one_by_one(book: Book, analyses: Sequence[Analysis]) -> tuple[Section, ...]:
    return tuple(
        Section(
            f"analysis-{a.id}",
            book.context.study.text(a.label),
            tuple(SHELLS[a.method](book, book.context.study.text(a.label), [Column(a)])),
        )
        for a in analyses
    )


def safety(book: Book) -> Section | None:
    """Everything of safety that is not in an outcome's own tables."""
    context = book.context
    blocks: list[Block] = []
    for analysis in context.study.analyses:
        if not context.results.has(analysis.id):
            continue
        if analysis.method == "toxicity":
            blocks += _overview(book, analysis)
            for made in (
                safety_tables.rates(context, analysis),
                safety_tables.astct(context, analysis),
                safety_tables.terms(context, analysis),
                safety_tables.terms(context, analysis, "TRAE "),
            ):
                blocks += book.table(made)
        elif analysis.method == "exposure":
            blocks += book.table(plain_tables.levels(context, analysis))
        elif analysis.method == "laboratory":
            blocks += book.table(plain_tables.shifts(context, analysis))
    return Section("safety", context.language("section:safety"), tuple(blocks)) if blocks else None


def arm_styles(context: Context) -> list[tuple[str, str, str]]:
    """(arm id, colour, dash array) for the keys in tables and legends."""
    return [
        (arm, look.colour, " ".join(f"{2 * d:g}" for d in look.dashes))
        for arm, look in looks(context.study).items()
    ]
