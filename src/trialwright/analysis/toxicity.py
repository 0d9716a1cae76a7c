"""Adverse events in those treated, under the arm the population says (§4.2, §8.12).

A patient is counted once in each row, at the worst grade of the row's records; the records are counted as
``events``. Percentages have the column's N below the line, whoever had the event. Levels are the five sets
(``any TEAE``, ``TRAE``, ``serious``, ``grade>=3``, ``fatal``), then ``SOC: x`` and ``PT: soc | pt`` within
each, with the set's name before it where it is not all emergent events (``TRAE PT: …``). All sets are
emergent: a serious event before the first dose is in none of them. A record is an event: changes of grade
are not yet rolled into episodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from trialwright.analysis.astct import syndromes
from trialwright.analysis.population import columns, placed, with_total
from trialwright.analysis.rows import Adam, Address
from trialwright.analysis.summary import grid, tabulate
from trialwright.standards import results
from trialwright.standards.results import rows_to_frame
from trialwright.study.model import Analysis, Study

ANY: Final = "any TEAE"
NOT_CODED: Final = "not coded"

_RELATED = pl.col("AREL").eq_missing("Y")
_SERIOUS = pl.col("ASER").eq_missing("Y")
_SEVERE = pl.col("ATOXGRN") >= 3
_FATAL = pl.col("AEOUT").eq_missing("FATAL") | pl.col("ATOXGRN").eq_missing(5)

SETS: Final[Mapping[str, pl.Expr]] = {
    ANY: pl.lit(True),
    "TRAE": _RELATED,
    "serious": _SERIOUS,
    "grade>=3": _SEVERE,
    "fatal": _FATAL,
}
"""Sets shown in all and by SOC and PT."""

OVERVIEW: Final[Mapping[str, pl.Expr]] = {
    "serious TRAE": _SERIOUS & _RELATED,
    "grade>=3 TRAE": _SEVERE & _RELATED,
    "fatal TRAE": _FATAL & _RELATED,
    "drug withdrawn": pl.col("AEACN").eq_missing("DRUG WITHDRAWN"),
    "dose reduced": pl.col("AEACN").eq_missing("DOSE REDUCED"),
    "drug interrupted": pl.col("AEACN").eq_missing("DRUG INTERRUPTED"),
}
"""Sets shown in all only."""

ACTIONS: Final = ("drug withdrawn", "dose reduced", "drug interrupted")
"""Sets that only AEACN can tell."""


def toxicity(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Every set, SOC and PT in every arm and in total; CRS and ICANS; deaths."""
    people = placed(study, adam, analysis.population)
    address = Address(analysis.id, analysis.population)
    sizes = columns(study, people)
    emergent = _emergent(adam, people)
    untold = ACTIONS if emergent["AEACN"].null_count() == emergent.height > 0 else ()
    sets = [name for name in (*SETS, *OVERVIEW) if name not in untold]
    why = "AEACN is not recorded for any emergent event"
    parts = (
        sizes.select("group", level=pl.lit("population"), statistic=pl.lit("n"), value="N"),
        _counted(with_total(_levels(emergent, sets)), sizes, sets, study.adverse_events.grades),
        _unknown_seriousness(emergent),
        _deaths(study, people, sizes),
    )
    return results.concat(
        [
            *(address.frame(part) for part in parts),
            rows_to_frame(
                address.number("n", None, group=group, level=name, note=why)
                for name in untold
                for group in sizes["group"]
            ),
            syndromes(study, adam, people, emergent, address),
        ]
    )


def _emergent(adam: Adam, people: pl.DataFrame) -> pl.DataFrame:
    """Emergent records of the population, with ``group``, ``soc`` and ``pt``."""
    return (
        adam["ADAE"]
        .filter(pl.col("TRTEMFL") == "Y")
        .join(people.select("USUBJID", "group"), on="USUBJID", how="inner", maintain_order="left")
        .with_columns(
            soc=pl.col("AEBODSYS").fill_null(NOT_CODED),
            pt=pl.coalesce("AEDECOD", pl.format("{} ({})", "AETERM", pl.lit(NOT_CODED)), pl.lit(NOT_CODED)),
        )
    )


def _levels(emergent: pl.DataFrame, sets: Sequence[str]) -> pl.DataFrame:
    """Each record once under every level it counts in."""
    parts = []
    for name in sets:
        mine = emergent.filter(SETS[name] if name in SETS else OVERVIEW[name])
        before = "" if name == ANY else f"{name} "
        labels = [pl.lit(name)]
        if name in SETS:
            labels += [
                pl.format(before + "SOC: {}", "soc"),
                pl.format(before + "PT: {} | {}", "soc", "pt"),
            ]
        parts += [mine.select("USUBJID", "group", "ATOXGRN", level=label) for label in labels]
    return pl.concat(parts)


def _counted(
    records: pl.DataFrame, sizes: pl.DataFrame, sets: Sequence[str], grades: tuple[str, ...]
) -> pl.DataFrame:
    """Patients, events, and patients by worst grade, called by its word where it is not its number."""
    worst = records.group_by("level", "group", "USUBJID").agg(events=pl.len(), grade=pl.col("ATOXGRN").max())
    steps = range(1, len(grades) + 1)
    found = worst.group_by("level", "group").agg(
        pl.len().alias("n"),
        pl.col("events").sum(),
        *((pl.col("grade") == k).sum().alias(f"n_grade_{k}") for k in steps),
        pl.col("grade").is_null().sum().alias("n_grade_missing"),
    )
    others = found["level"].unique().sort()
    cells = grid(sizes["group"], [*sets, *others.filter(~others.is_in([*sets]))])
    words = {f"n_grade_{k}": word for k, word in enumerate(grades, 1) if word != str(k)}
    called = pl.col("statistic").replace_strict(words, default=pl.col("note"), return_dtype=pl.String)
    counted = tabulate(found, cells, sizes, found.columns[2:]).with_columns(note=called)
    if "n_grade_3" not in words:
        return counted
    severe = pl.col("level").str.starts_with("grade>=3") & (pl.col("note") == "")
    return counted.with_columns(
        note=pl.when(severe).then(pl.lit(f"{words['n_grade_3']} or worse")).otherwise("note")
    )


def _unknown_seriousness(emergent: pl.DataFrame) -> pl.DataFrame:
    unknown = emergent["AESER"].null_count()
    row = {
        "group": "Total",
        "level": "serious",
        "statistic": "events_seriousness_missing",
        "value": float(unknown),
        "note": "events without a word on seriousness, counted as serious",
    }
    return pl.DataFrame(
        [row] if unknown else [], schema=dict.fromkeys(row, pl.String()) | {"value": pl.Float64()}
    )


def _deaths(study: Study, people: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Deaths up to the cutoff, and those within the safety window of the last dose."""
    window = study.adverse_events.window_days
    died = pl.col("DTHFL").eq_missing("Y")
    after = (pl.col("DTHDT") - pl.col("TRTEDT")).dt.total_days()
    levels = {"death": died, f"death within {window} days of last dose": died & (after <= window)}
    counts = pl.concat(
        with_total(people).group_by("group", level=pl.lit(level)).agg(n=condition.fill_null(False).sum())
        for level, condition in levels.items()
    )
    return tabulate(counts, grid(sizes["group"], levels), sizes)
