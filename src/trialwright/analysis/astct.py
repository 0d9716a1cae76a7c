"""CRS and ICANS as trials report them (project rules 3.3): how many, how bad, how soon, how long.

Emergent episodes of the terms that ADAE names by AESICAT, in those treated: from the start of the first
record to the end of the last, at the worst grade. Onset from the dose before is in hours, over all episodes,
and only where both have a time of day. A duration in days is open at death and at the cutoff. An episode
comes back (``n_recurrent``) where it follows another dose than an earlier one. The time from onset to the
worst grade is not told: records seldom have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import polars as pl

from trialwright.analysis.population import Contrast, arms, columns, contrasts
from trialwright.analysis.rows import Adam, Address, limits
from trialwright.analysis.summary import grid, tabulate
from trialwright.standards import results
from trialwright.standards.results import Result, rows_to_frame
from trialwright.stats.errors import NotEstimable
from trialwright.stats.proportions import clopper_pearson, miettinen_nurminen
from trialwright.stats.survival import kaplan_meier
from trialwright.study.model import Study

SYNDROMES: Final = ("CRS", "ICANS")
LATER: Final = 4
"""The dose from which doses are counted together."""

UNTOLD: Final = "ADEX does not say how many doses were received"
CONSEQUENCES: Final = {
    "serious": pl.col("serious"),
    "drug withdrawn": pl.col("withdrawn"),
    "drug interrupted": pl.col("interrupted"),
}
SPREAD: Final = ("median", "q1", "q3", "min", "max")


@dataclass(frozen=True, slots=True)
class Treated:
    """An arm's patients, how many doses each received, and their episodes of one syndrome."""

    group: str
    people: pl.DataFrame
    records: pl.DataFrame
    syndrome: str

    @property
    def n(self) -> int:
        return self.people.height

    def affected(self, condition: pl.Expr | None = None) -> int:
        """Patients with an episode (of which ``condition`` holds)."""
        records = self.records if condition is None else self.records.filter(condition)
        return int(records["USUBJID"].n_unique())

    def level(self, detail: str = "") -> str:
        return f"{self.syndrome}{detail}"


def syndromes(
    study: Study, adam: Adam, people: pl.DataFrame, emergent: pl.DataFrame, address: Address
) -> pl.DataFrame:
    """Rows of both syndromes in every arm; none for a syndrome that the study's terms do not name."""
    dosed = _dosed(adam, people)
    found: list[Result] = []
    for syndrome in (s for s in SYNDROMES if s in study.adverse_events.astct):
        mine = emergent.filter(pl.col("AESICAT") == syndrome)
        records = _timed(study, _episodes(mine), people)
        sides = {
            group: Treated(
                group,
                dosed.filter(pl.col("group") == group),
                records.filter(pl.col("group") == group),
                syndrome,
            )
            for group in arms(study)
        }
        for side in sides.values():
            found += [*_how_many(study, address, side), *_how_soon(address, side)]
            found += [*_how_long(study, address, side), *_by_dose(address, side), *_what_came(address, side)]
        for contrast in contrasts(study):
            found += _difference(study, address, contrast, sides)
    return results.concat([rows_to_frame(found), address.frame(_overlap(study, people, emergent))])


def _episodes(records: pl.DataFrame) -> pl.DataFrame:
    """One row per episode: its first start and dose, its last end (null if one is), its worst grade."""
    given = pl.col("AESITRT") if "AESITRT" in records.columns else pl.lit(None, dtype=pl.String)
    ended = pl.col("AENDT").is_not_null().all()
    first = pl.col("ASTDTM", "LDOSEDTM", "DOSENUM", "ASTDT").first()
    return (
        records.with_columns(given=given.str.split(", "))
        .sort("ASTDT", "ASTDTM", "AESEQ", nulls_last=True)
        .group_by("USUBJID", "group", "episode", maintain_order=True)
        .agg(
            first,
            pl.col("ATOXGRN").max(),
            pl.col("given").list.explode(keep_nulls=False, empty_as_null=False),
            AENDT=pl.when(ended).then(pl.col("AENDT").max()),
            fatal=pl.col("AEOUT").eq_missing("FATAL").any(),
            serious=(pl.col("ASER") == "Y").any(),
            withdrawn=(pl.col("AEACN") == "DRUG WITHDRAWN").any(),
            interrupted=(pl.col("AEACN") == "DRUG INTERRUPTED").any(),
        )
    )


def _dosed(adam: Adam, people: pl.DataFrame) -> pl.DataFrame:
    """With ``doses``, how many a patient received; null where ADEX does not say."""
    adex = adam.get("ADEX")
    if adex is None or adex.is_empty():
        return people.with_columns(doses=pl.lit(None, dtype=pl.Float64))
    given = adex.filter(pl.col("PARAMCD") == "NDOSE").select("USUBJID", doses="AVAL")
    return people.join(given, on="USUBJID", how="left", maintain_order="left")


def _timed(study: Study, records: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """With ``hours`` from the dose before, ``days`` from the first dose, ``length`` in days and ``over``."""
    ends = people.select("USUBJID", "TRTSDT", "DTHDT", "CUTOFFDT")
    last_seen = pl.min_horizontal("DTHDT", "CUTOFFDT")
    return records.join(ends, on="USUBJID", how="left", maintain_order="left").with_columns(
        hours=(pl.col("ASTDTM") - pl.col("LDOSEDTM")).dt.total_minutes() / 60,
        days=(pl.col("ASTDT") - pl.col("TRTSDT")).dt.total_days().cast(pl.Float64),
        length=(pl.coalesce("AENDT", last_seen) - pl.col("ASTDT")).dt.total_days().cast(pl.Float64)
        + study.study.day_offset,
        over=pl.col("AENDT").is_not_null() & ~pl.col("fatal"),
    )


def _how_many(study: Study, address: Address, side: Treated) -> Iterator[Result]:
    grades = study.adverse_events.grades
    worst = side.records.group_by("USUBJID").agg(grade=pl.col("ATOXGRN").max())
    yield address.number("events", side.records.height, group=side.group, level=side.level())
    for k in range(1, len(grades) + 1):
        n = int((worst["grade"] == k).sum())
        yield address.number(f"n_grade_{k}", n, group=side.group, level=side.level())
    missing = worst["grade"].null_count()
    yield address.number("n_grade_missing", missing, group=side.group, level=side.level())
    at_least = {"": None, " grade>=2": pl.col("ATOXGRN") >= 2, " grade>=3": pl.col("ATOXGRN") >= 3}
    for detail, condition in at_least.items():
        yield from _share(study, address, side, detail, condition)


def _share(
    study: Study, address: Address, side: Treated, detail: str, condition: pl.Expr | None
) -> Iterator[Result]:
    x = side.affected(condition)

    def limited() -> tuple[float, float, float]:
        if not side.n:
            raise NotEstimable(f"no patients in arm {side.group}")
        found = clopper_pearson(x, side.n, study.study.confidence)
        return 100 * found.estimate, 100 * found.lower, 100 * found.upper

    yield address.number("n", x, group=side.group, level=side.level(detail))
    yield from address.estimates(limits("percent"), limited, group=side.group, level=side.level(detail))


def _how_soon(address: Address, side: Treated) -> Iterator[Result]:
    """From the dose before (hours, records); from the first dose to the first record (days, patients)."""
    first = side.records.group_by("USUBJID").agg(pl.col("days").min())
    for name, unit, values in (
        ("onset", "hours", side.records["hours"]),
        ("first_onset", "days", first["days"]),
    ):
        known = values.drop_nulls()
        at = {"group": side.group, "level": side.level()}
        yield address.number(f"{name}_n", known.len(), **at)
        if unknown := values.null_count():
            note = "without a time of day of onset or of the dose before"
            yield address.number(f"{name}_missing", unknown, note=note, **at)
        yield from address.estimates(
            [f"{name}_{statistic}_{unit}" for statistic in SPREAD],
            partial(_spread, known, side),
            **at,
        )


def _spread(values: pl.Series, side: Treated) -> tuple[float, ...]:
    if values.is_empty():
        raise NotEstimable(f"no {side.syndrome} with a known onset in arm {side.group}")
    low, high = (values.quantile(q, "linear") for q in (0.25, 0.75))
    return tuple(float(v) for v in (values.median(), low, high, values.min(), values.max()))  # type: ignore[arg-type]


def _how_long(study: Study, address: Address, side: Treated) -> Iterator[Result]:
    usable = side.records.filter(pl.col("length") >= 0)

    def median() -> tuple[float, float, float]:
        if usable.is_empty():
            raise NotEstimable(f"no {side.syndrome} with a known duration in arm {side.group}")
        curve = kaplan_meier(
            usable["length"].to_numpy(), usable["over"].to_numpy(), confidence=study.study.confidence
        )
        return curve.median.estimate, curve.median.lower, curve.median.upper

    at = {"group": side.group, "level": side.level()}
    yield address.number("unresolved", side.records.height - int(side.records["over"].sum()), **at)
    names = ("duration_median_days", "duration_median_days_lower", "duration_median_days_upper")
    yield from address.estimates(names, median, **at)


def _by_dose(address: Address, side: Treated) -> Iterator[Result]:
    """Of those who received that dose, and of all with the syndrome: both denominators, each by its name."""
    doses = side.people["doses"]
    silent = doses.null_count() == doses.len() > 0
    for number in range(1, LATER + 1):
        later = number == LATER
        x = side.affected(pl.col("DOSENUM") >= number if later else pl.col("DOSENUM") == number)
        dosed = None if silent else int((doses >= number).sum())
        at = {"group": side.group, "level": side.level(" | later doses" if later else f" | dose {number}")}
        yield address.number("n", x, **at)
        yield address.number("n_dosed", dosed, note=UNTOLD if silent else "", **at)
        for name, of, who in (
            ("percent_of_dosed", dosed, "received that dose"),
            ("percent_of_affected", side.affected(), f"had {side.syndrome}"),
        ):
            gap = UNTOLD if of is None else f"nobody in arm {side.group} {who}"
            value, note = (100 * x / of, f"of those who {who}") if of else (None, gap)
            yield address.number(name, value, note=note, **at)


def _what_came(address: Address, side: Treated) -> Iterator[Result]:
    """Recurrence after another dose, consequences, and what was given; of those affected."""
    at = {"group": side.group, "level": side.level()}
    doses = side.records.group_by("USUBJID").agg(pl.col("DOSENUM").drop_nulls().n_unique())["DOSENUM"]
    yield address.number(
        "n_recurrent", int((doses >= 2).sum()), note="patients with episodes after two doses or more", **at
    )
    for word, condition in CONSEQUENCES.items():
        yield from _of_affected(address, side, word, condition)
    told = side.records["given"].explode().drop_nulls().unique().sort()
    if told.is_empty() and side.affected():
        yield address.number("n_treatment_told", 0, note="no component says what was given", **at)
    for word in told:
        yield from _of_affected(address, side, f"treated: {word}", pl.col("given").list.contains(word))


def _of_affected(address: Address, side: Treated, word: str, condition: pl.Expr) -> Iterator[Result]:
    x, of = side.affected(condition), side.affected()
    at = {"group": side.group, "level": side.level(f" | {word}")}
    yield address.number("n", x, **at)
    if of:
        note = f"of those who had {side.syndrome}"
        yield address.number("percent_of_affected", 100 * x / of, note=note, **at)


def _overlap(study: Study, people: pl.DataFrame, emergent: pl.DataFrame) -> pl.DataFrame:
    """Patients with both syndromes, one, or neither, of the column; no rows unless the study names both."""
    if not set(SYNDROMES) <= set(study.adverse_events.astct):
        return pl.DataFrame(
            schema={
                **dict.fromkeys(("group", "level", "statistic", "note"), pl.String()),
                "value": pl.Float64(),
            }
        )
    had = [
        pl.col("USUBJID").is_in(emergent.filter(AESICAT=s)["USUBJID"].unique().implode()) for s in SYNDROMES
    ]
    cells = {"both": had[0] & had[1], "CRS only": had[0] & ~had[1], "ICANS only": ~had[0] & had[1]}
    word = pl.lit("neither")
    for name, condition in cells.items():
        word = pl.when(condition).then(pl.lit(name)).otherwise(word)
    placed = people.select("group", level=pl.format("CRS and ICANS: {}", word))
    counts = placed.group_by("group", "level").agg(n=pl.len())
    levels = [f"CRS and ICANS: {name}" for name in (*cells, "neither")]
    sizes = columns(study, people).filter(pl.col("group").is_in(list(arms(study))))
    return tabulate(counts, grid(sizes["group"], levels), sizes)


def _difference(
    study: Study, address: Address, contrast: Contrast, sides: dict[str, Treated]
) -> Iterator[Result]:
    one, nought = sides[contrast.experimental], sides[contrast.control]

    def limited() -> tuple[float, float, float]:
        for side in (one, nought):
            if not side.n:
                raise NotEstimable(f"no patients in arm {side.group}")
        found = miettinen_nurminen(one.affected(), one.n, nought.affected(), nought.n, study.study.confidence)
        return 100 * found.estimate, 100 * found.lower, 100 * found.upper

    yield from address.estimates(
        limits("percent_difference"), limited, group=contrast.name, level=one.level()
    )
