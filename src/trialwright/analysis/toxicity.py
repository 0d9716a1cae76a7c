"""Adverse events in those treated, under the arm the population says (§4.2, §8.12).

A patient is counted once in each row, at the worst grade of the row's records; episodes, not records, are
counted as ``events``. Percentages have the column's N below the line, whoever had the event. Levels are the
five sets (``any TEAE``, ``TRAE``, ``serious``, ``grade>=3``, ``fatal``), then ``SOC: x`` and ``PT: soc | pt``
within each, with the set's name before it where it is not all emergent events (``TRAE PT: …``). All sets are
emergent: a serious event before the first dose is in none of them. ``eair`` and ``eaer`` are rates
per 100 patient-years; deaths are listed with their cause.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import polars as pl

from trialwright.analysis.astct import syndromes
from trialwright.analysis.deaths import deaths
from trialwright.analysis.exposed import incidence_rates
from trialwright.analysis.population import columns, placed, with_total
from trialwright.analysis.rows import Adam, Address
from trialwright.analysis.summary import grid, tabulate
from trialwright.standards import results
from trialwright.standards.results import rows_to_frame
from trialwright.study.model import Analysis, Study

ANY: Final = "any TEAE"
NOT_CODED: Final = "not coded"
EARLY_DAYS: Final = 28
"""The days of the step-up (project rules 8.12)."""

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
    f"begun in the first {EARLY_DAYS} days": pl.col("ASTDY") <= EARLY_DAYS,
    f"begun after day {EARLY_DAYS}": pl.col("ASTDY") > EARLY_DAYS,
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
    drugs = study.sources.adverse_event_relationship
    untold = ACTIONS if emergent["AEACN"].null_count() == emergent.height > 0 else ()
    sets = [name for name in (*SETS, *OVERVIEW) if name not in untold]
    why = "AEACN is not recorded for any emergent event"
    parts = (
        sizes.select("group", level=pl.lit("population"), statistic=pl.lit("n"), value="N"),
        _counted(with_total(_levels(emergent, sets)), sizes, sets, study.adverse_events.grades),
        *(_of_drug(emergent, drug, sizes) for drug in drugs),
        _unknown_seriousness(emergent),
        deaths(study, people, emergent, sizes),
        incidence_rates(study, people, _levels(emergent, [*SETS], of_terms=[ANY]), sizes),
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
    """Emergent records of the population, with ``group``, ``soc``, ``pt`` and the number of their episode."""
    events = adam["ADAE"]
    number = pl.coalesce("EPISODE", -pl.col("AESEQ")) if "EPISODE" in events.columns else pl.col("AESEQ")
    return (
        events.filter(pl.col("TRTEMFL") == "Y")
        .join(people.select("USUBJID", "group"), on="USUBJID", how="inner", maintain_order="left")
        .with_columns(
            soc=pl.col("AEBODSYS").fill_null(NOT_CODED),
            pt=pl.coalesce("AEDECOD", pl.format("{} ({})", "AETERM", pl.lit(NOT_CODED)), pl.lit(NOT_CODED)),
        )
        .with_columns(episode=pl.struct("USUBJID", pl.col("pt").str.to_uppercase(), number).rank("dense"))
    )


def _levels(
    emergent: pl.DataFrame, sets: Sequence[str], *, of_terms: Collection[str] = tuple(SETS)
) -> pl.DataFrame:
    """Each record once under every level it counts in; SOC and PT within the sets of ``of_terms``."""
    parts = []
    for name in sets:
        mine = emergent.filter(SETS[name] if name in SETS else OVERVIEW[name])
        before = "" if name == ANY else f"{name} "
        labels = [pl.lit(name)]
        if name in of_terms:
            labels += [
                pl.format(before + "SOC: {}", "soc"),
                pl.format(before + "PT: {} | {}", "soc", "pt"),
            ]
        parts += [
            mine.select("USUBJID", "group", "ATOXGRN", "episode", "ASTDT", level=label) for label in labels
        ]
    return pl.concat(parts)


def _counted(
    records: pl.DataFrame, sizes: pl.DataFrame, sets: Sequence[str], grades: tuple[str, ...]
) -> pl.DataFrame:
    """Patients, events, and patients by worst grade, called by its word where it is not its number."""
    worst = records.group_by("level", "group", "USUBJID").agg(
        events=pl.col("episode").n_unique(), grade=pl.col("ATOXGRN").max()
    )
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


def _of_drug(emergent: pl.DataFrame, drug: str, sizes: pl.DataFrame) -> pl.DataFrame:
    """Patients with an event related to one drug, where the relation is asked of each."""
    level = f"TRAE of {drug}"
    related = emergent.filter(pl.col("RELDRUGS").str.split(", ").list.contains(drug).fill_null(False))
    counts = with_total(related).group_by("group", level=pl.lit(level)).agg(n=pl.col("USUBJID").n_unique())
    return tabulate(counts, grid(sizes["group"], [level]), sizes)


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
