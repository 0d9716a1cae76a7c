"""Charts of numbers that stand in ``results``, and the waterfall of ADTR."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from trialwright.report.charts import ForestRow, Share, Waterfall, dots, forest, shares, waterfall
from trialwright.report.context import Context, first_note
from trialwright.report.figures import Figure, Key
from trialwright.report.language import in_a_sentence
from trialwright.report.palette import Look, looks
from trialwright.report.safety_tables import denominator
from trialwright.report.tables import Column
from trialwright.study.model import Analysis

_FIRST, _SECOND = Look("#124f86", (), "s"), Look("#5b6670", (), "o")
_MOST_TERMS = 15
_MOST_BARS = 600
_LONG = 25


def forest_figure(
    context: Context, caption: str, columns: Sequence[Column], arm: str, prefix: str
) -> Figure | None:
    """Hazard ratios of every scale; the first two readings share a scale's place, one under the other."""
    say = context.language
    pair = columns[:2]
    order = dict.fromkeys(scale for c in pair for scale, _ in context.family(c.analysis))
    rows: list[ForestRow] = []
    for scale in order:
        label = say.known(f"scale:{scale}", scale)
        for series, column in enumerate(pair):
            endpoint = dict(context.family(column.analysis)).get(scale)
            if endpoint is not None:
                rows.append(_ratio(context, column.analysis, endpoint, arm, label=label, series=series))
                label = ""
    if not any(row.estimate is not None for row in rows):
        return None
    ends = (
        say("favours", arm=in_a_sentence(context.label(arm))),
        say("favours", arm=in_a_sentence(context.label(context.control))),
    )
    names = [context.study.text(c.reading.label if c.reading else c.analysis.label) for c in pair]
    return Figure(
        caption=caption,
        svg=forest(
            rows, ends, prefix, say("alt:forest", n=len(rows), outcome=caption), looks=(_FIRST, _SECOND)
        ),
        keys=tuple(Key(name, look=look) for name, look in zip(names, (_FIRST, _SECOND), strict=False)),
        notes=(say("note:forest_one", ci=say.ci),),
        style="marks hollow",
    )


def _ratio(
    context: Context, analysis: Analysis, endpoint: str, arm: str, *, label: str, series: int
) -> ForestRow:
    say, group = context.language, context.versus(arm)
    numbers = [
        context.results.get(analysis.id, f"hazard_ratio{end}", group, endpoint=endpoint)
        for end in ("", "_lower", "_upper")
    ]
    middle, lower, upper = (n.value if n else None for n in numbers)
    if middle is None:
        return ForestRow(label, f"{say('not_estimable')}*", None, None, None, series)
    ends = [say("not_estimable") if x is None else say.number(x, 2) for x in (lower, upper)]
    return ForestRow(label, f"{say.number(middle, 2)} ({say.interval(*ends)})", middle, lower, upper, series)


def shares_figure(context: Context, caption: str, columns: Sequence[Column], prefix: str) -> Figure | None:
    """Proportions of every reading, arm by arm."""
    say, look = context.language, looks(context.study)
    rows: list[Share] = []
    for column in columns:
        head = context.study.text(column.reading.label if column.reading else column.analysis.label)
        for arm in context.arms:
            rows.append(_share(context, column, arm.id, look[arm.id], head))
            head = ""
    if not any(row.value is not None for row in rows):
        return None
    return Figure(
        caption=caption,
        svg=shares(rows, say("patients_percent"), prefix, say("alt:proportions", outcome=caption)),
        notes=(say("note:forest_one", ci=say.ci),),
    )


def _share(context: Context, column: Column, arm: str, look: Look, head: str) -> Share:
    say = context.language
    numbers = [
        context.results.get(column.analysis.id, f"proportion{end}", arm, endpoint=column.endpoint)
        for end in ("", "_lower", "_upper")
    ]
    middle, lower, upper = (n.value if n else None for n in numbers)
    if middle is None:
        return Share(context.label(arm), look, None, None, None, say("not_estimable"), head)
    ends = [say("not_estimable") if x is None else say.number(100 * x, 1) for x in (lower, upper)]
    shown = f"{say.percent(100 * middle)} ({say.interval(*ends)})"
    return Share(context.label(arm), look, middle, lower, upper, shown, head)


def waterfall_figure(context: Context, analysis: Analysis, prefix: str) -> Figure | None:
    """Best change of each patient of the population who has one."""
    say, look = context.language, looks(context.study)
    best, reader = _best_changes(context, analysis)
    if best.is_empty():
        return None
    every = -(-best.height // _MOST_BARS)
    panels = [
        Waterfall(context.label(a.id), look[a.id], changes.to_numpy()[::every])
        for a in context.arms
        if (changes := best.filter(pl.col("arm") == a.id)["change"].sort(descending=True)).len()
    ]
    shrunk = best.filter(pl.col("change") <= -30).height
    return Figure(
        caption=say("caption:waterfall"),
        svg=waterfall(
            panels, say("change_percent"), prefix, say("alt:waterfall", shrunk=shrunk, n=best.height)
        ),
        notes=(
            say("note:population", population=context.population(analysis.population)),
            say("note:waterfall", reader=reader),
            *([say("note:waterfall_thinned", n=every)] if every > 1 else []),
        ),
    )


def _best_changes(context: Context, analysis: Analysis) -> tuple[pl.DataFrame, str]:
    """``arm`` and ``change`` (percent), one row per patient, by the study's reader; and who that is."""
    nobody = pl.DataFrame(schema={"arm": pl.String, "change": pl.Float64})
    adsl, adtr = context.datasets.get("ADSL"), context.datasets.get("ADTR")
    population = context.study.population(analysis.population)
    arm = "TRT01P" if population.grouped_by == "planned" else "TRT01A"
    if adsl is None or adtr is None or adtr.is_empty() or not {population.flag, arm} <= set(adsl.columns):
        return nobody, ""
    reader, label = _reader(context, adtr)
    members = adsl.filter(pl.col(population.flag) == "Y").select("USUBJID", arm=pl.col(arm))
    changes = (
        adtr.filter(
            pl.col("PARQUAL") == reader,
            pl.col("PARAMCD") == "SUMTGT",
            pl.col("ANL01FL") == "Y",
            pl.col("AVISITN") > 0,
            pl.col("PCHG").is_not_null(),
        )
        .group_by("USUBJID", maintain_order=True)
        .agg(change=pl.col("PCHG").min().cast(pl.Float64))
    )
    return changes.join(members, on="USUBJID", how="inner", maintain_order="left").select(
        "arm", "change"
    ), label


def _reader(context: Context, adtr: pl.DataFrame) -> tuple[str, str]:
    """The study's assessor as ADTR names its reader, and a label.

    Where several readers fit (the accepted one changes by visit) the first by name; where none fits, the
    most frequent. The label then is the reader's own name.
    """
    names = adtr["PARQUAL"].drop_nulls().value_counts().sort("count", "PARQUAL", descending=[True, False])
    known = names["PARQUAL"].to_list()
    wanted = context.study.response.assessor
    assessor = next((a for a in context.study.sources.assessors if a.id == wanted), None)
    label = context.study.text(assessor.label) if assessor else wanted
    if wanted in known:
        return wanted, label
    values = {v for words in (assessor.where.values() if assessor else ()) for v in words}
    match = sorted(name for name in known if values and values <= set(name.split("|")))
    if len(match) == 1:
        return match[0], label
    chosen = next(iter(match or known), "")
    return chosen, chosen.replace("|", ", ").capitalize()


def frequent_figure(context: Context, analysis: Analysis, prefix: str) -> Figure | None:
    """The preferred terms with the highest percentage in any arm."""
    say, results = context.language, context.results
    levels = [level for level in results.levels(analysis.id) if level.startswith("PT: ")]
    sizes = {a.id: denominator(context, analysis, a.id) or 0 for a in context.arms}
    shown = {
        level: [
            100 * (results.value(analysis.id, "n", a.id, level) or 0) / sizes[a.id] if sizes[a.id] else 0.0
            for a in context.arms
        ]
        for level in levels
    }
    top = sorted(shown, key=lambda level: (-max(shown[level]), level))[:_MOST_TERMS]
    if not top:
        return None
    names = [_short(level.rpartition(" | ")[2]) for level in top]
    percent = {a.id: [shown[level][i] for level in top] for i, a in enumerate(context.arms)}
    look = looks(context.study)
    return Figure(
        caption=say("caption:frequent"),
        svg=dots(names, percent, look, say("patients_percent"), prefix, alt=say("alt:frequent", n=len(top))),
        keys=tuple(Key(context.label(a.id), look=look[a.id]) for a in context.arms),
        notes=(
            say("note:population", population=context.population(analysis.population)),
            say("note:frequent", n=len(top)),
        ),
        style="marks",
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONG else name[: _LONG - 1].rstrip() + "…"


def unestimated(context: Context, columns: Sequence[Column], arm: str) -> list[str]:
    """Why some ratios of a forest are not there, once for each reason."""
    reasons = dict.fromkeys(
        first_note([found], "")
        for c in columns[:2]
        for _, endpoint in context.family(c.analysis)
        if (
            found := context.results.get(
                c.analysis.id, "hazard_ratio", context.versus(arm), endpoint=endpoint
            )
        )
    )
    return [f"* {context.reason(reason)}" for reason in reasons if reason]
