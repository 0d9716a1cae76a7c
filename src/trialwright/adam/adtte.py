"""ADTTE: one row per subject and clock. CNSR 0 is an event; a censored row says in words why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from trialwright.adam import deterioration, events
from trialwright.adam.adrs import Responses
from trialwright.adam.progression import until_last_assessment
from trialwright.standards import variables
from trialwright.standards.findings import concat, findings
from trialwright.study.check import of_images
from trialwright.study.model import Deterioration, Study, TimeToEvent

ORIGINS: Final = {"randomisation": "RANDDT", "inclusion": "INCLDT", "first_dose": "TRTSDT"}
CATEGORY: Final = {"last_known_alive": "OS", "cutoff_if_contact": "OS", "last_adequate_assessment": "PFS"}
"""PARCAT1 by the word that says where a clock is read when no event stopped it."""
_ADTTE: Final = variables.dataset("ADTTE").schema
_ADTTEA: Final = variables.dataset("ADTTEA").schema
_SUBJECT: Final = (
    *("USUBJID", "TRT01P", "RANDDT", "INCLDT", "TRTSDT", "DTHDT", "DTHFL", "CUTOFFDT", "NACTDT", "CLPDDT"),
    *("EOTREAS", "EOSREAS", "LSTALVDT", "LSTALVDM", "LSTALVVR", "LSTALVSQ", "CONTACDT"),
)


@dataclass(frozen=True, slots=True)
class Dates:
    """The named dates of all randomised subjects, computed once for all clocks.

    Progressions and assessments (by date) are those of subjects with a baseline assessment: without one
    nothing can be compared (cases P1, P2). ``not_evaluable``: who was assessed, though never adequately
    (P18).
    """

    adsl: pl.DataFrame
    responses: Responses
    progressions: pl.DataFrame
    assessments: pl.DataFrame
    baseline: pl.Expr
    not_evaluable: pl.Expr


def _dates(adsl: pl.DataFrame, responses: Responses) -> Dates:
    seen, baseline = pl.lit(True), pl.lit(True)
    if responses.baseline is not None:
        seen = pl.col("USUBJID").is_in(responses.baseline.implode())
        baseline = seen
    assessed = responses.points.get_column("subject").unique()
    return Dates(
        adsl,
        responses,
        events.progressions(responses, adsl).filter(seen),
        events.adequate_assessments(responses, adsl).filter(seen).sort("ADT", "SRCSEQ"),
        baseline,
        pl.col("USUBJID").is_in(assessed.implode()),
    )


def _progressions(study: Study, clock: TimeToEvent, dates: Dates) -> pl.DataFrame:
    """On the day that showed it, or moved to the next scheduled scan, but not past death or cutoff (S2)."""
    found = dates.progressions
    if clock.progression_date == "as_seen":
        return found
    bounds = dates.adsl.select("USUBJID", "RANDDT", "DTHDT", "CUTOFFDT")
    day = (pl.col("ADT") - pl.col("RANDDT")).dt.total_days()
    due = pl.col("RANDDT") + pl.duration(days=events.next_scheduled(study, day))
    return found.join(bounds, on="USUBJID", how="left", maintain_order="left").select(
        "USUBJID",
        pl.max_horizontal("ADT", pl.min_horizontal(due, "DTHDT", "CUTOFFDT")).alias("ADT"),
        *(name for name in events.EVENT if name not in ("USUBJID", "ADT")),
        SEENDT="ADT",
    )


EVENTS: Final[Mapping[str, Callable[[Study, TimeToEvent, Dates], pl.DataFrame]]] = {
    "death": lambda _, clock, dates: events.deaths(dates.adsl, clock.undated_death),
    "progression": _progressions,
    "clinical_progression": lambda _, __, dates: events.clinical_progressions(dates.adsl),
    "new_therapy": lambda _, __, dates: events.new_therapies(dates.adsl),
    "response": lambda _, clock, dates: events.responses_from(
        dates.responses, dates.adsl, clock.confirmation
    ),
}
"""What may stop a clock, by the study's word."""


def build(
    study: Study, adsl: pl.DataFrame, responses: Responses, adqs: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every clock of the study, and the findings."""
    randomised = adsl.filter(pl.col("RANDDT").is_not_null())
    dates = _dates(randomised, responses)
    frames = [_clock(study, clock, dates) for clock in study.endpoints.time_to_event]
    worsening, no_forms = _deteriorations(study, dates, adqs)
    frames += worsening
    adtte, backwards = _with_times(study, pl.concat([pl.DataFrame(schema=_ADTTE), *frames]), "ADTTE")
    starts = [
        _no_start(clock.id, clock.origin, randomised.filter(pl.col(ORIGINS[clock.origin]).is_null()))
        for clock in study.endpoints.time_to_event
        if clock.origin != "response"
    ]
    return adtte, concat([backwards, *starts, *no_forms, _without_baseline(dates)])


def of_others(study: Study, adsl: pl.DataFrame, responses: Responses) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The clocks that tumour assessments can stop or start, as every other assessor read them.

    In the shape of ADTTE with PARQUAL, the assessor: a dataset of its own (ADTTEA), so that no reading but
    the study's is ever met in ADTTE.
    """
    randomised = adsl.filter(pl.col("RANDDT").is_not_null())
    clocks = [clock for clock in study.endpoints.time_to_event if of_images(clock)]
    frames, found = [pl.DataFrame(schema=_ADTTEA)], []
    for assessor, theirs in responses.others.items():
        dates = _dates(randomised, theirs)
        whose = pl.lit(assessor).alias("PARQUAL")
        frames += [_clock(study, clock, dates).with_columns(whose) for clock in clocks]
        found.append(_without_baseline(dates, assessor))
    timed, backwards = _with_times(study, pl.concat(frames, how="diagonal"), "ADTTEA")
    return timed, concat([backwards, *found])


def _no_start(clock: str, origin: str, rows: pl.DataFrame) -> pl.DataFrame:
    return findings(
        rows,
        dataset="ADTTE",
        key=["USUBJID"],
        variable=ORIGINS.get(origin, "ADT"),
        rule=f"no date of {origin}, where the clock {clock} starts",
        value=pl.lit(None, dtype=pl.String),
        action="no row in ADTTE",
    )


def _without_baseline(dates: Dates, other: str | None = None) -> pl.DataFrame:
    """``other``: the assessor, where it is not the study's."""
    everyone = events.progressions(dates.responses, dates.adsl)
    return findings(
        everyone.join(dates.progressions, on="USUBJID", how="anti").with_columns(PARQUAL=pl.lit(other)),
        dataset="ADTTEA" if other else "ADTTE",
        key=["USUBJID", "PARQUAL"] if other else ["USUBJID"],
        variable="ADT",
        rule="a progression without a baseline assessment",
        value="ADT",
        action="not an event (cases P1 and P2)",
    )


def _clock(study: Study, clock: TimeToEvent, dates: Dates) -> pl.DataFrame:
    lost = pl.col("EOSREAS").is_in(list(study.sources.lost)).fill_null(False)
    starts = _starts(clock, dates).with_columns(
        baseline=dates.baseline, not_evaluable=dates.not_evaluable, lost=lost
    )
    frame = starts.join(_first_event(study, clock, dates), on="USUBJID", how="left", maintain_order="left")
    if clock.censor_at == "last_adequate_assessment":
        frame = until_last_assessment(study, clock, frame, dates.assessments)
    else:
        frame = _until_last_known_alive(study, clock, frame)
    return _shaped(study, frame, pl.lit(clock.id), pl.lit(study.text(clock.label)), _category(clock))


def _category(clock: TimeToEvent) -> str:
    if clock.origin == "response":
        return "DOR"
    return "TTR" if "response" in clock.events else CATEGORY[clock.censor_at]


def _starts(clock: TimeToEvent, dates: Dates) -> pl.DataFrame:
    """Those whose clock starts, with the start and what the censoring rules need."""
    kept = dates.adsl.select(_SUBJECT)
    if clock.origin == "response" or clock.among == "responders":
        began = events.responses_from(dates.responses, dates.adsl, clock.confirmation)
        kept = kept.join(
            began.select("USUBJID", _began="ADT"), on="USUBJID", how="inner", maintain_order="left"
        )
    if clock.origin == "response":
        return kept.rename({"_began": "STARTDT"})
    return kept.with_columns(STARTDT=pl.col(ORIGINS[clock.origin])).filter(pl.col("STARTDT").is_not_null())


def _first_event(study: Study, clock: TimeToEvent, dates: Dates) -> pl.DataFrame:
    """The earliest of the clock's events; on one day the one that the study names first."""
    found = [
        EVENTS[word](study, clock, dates).with_columns(NAME=pl.lit(word), _order=pl.lit(i))
        for i, word in enumerate(clock.events)
    ]
    moved = pl.DataFrame(schema={"SEENDT": pl.Date})
    return (
        pl.concat([*found, moved], how="diagonal")
        .with_columns(SEENDT=pl.coalesce("SEENDT", "ADT"))
        .sort("ADT", "_order")
        .unique("USUBJID", keep="first", maintain_order=True)
        .drop("_order")
    )


def _until_last_known_alive(study: Study, clock: TimeToEvent, frame: pl.DataFrame) -> pl.DataFrame:
    """Censored at the last day known alive; a death without a date is censored too, and says so.

    With ``cutoff_if_contact`` whoever is known to have lived soon after the cutoff was alive at it.
    """
    happened = pl.col("ADT").is_not_null()
    undated = (pl.col("DTHFL") == "Y") & ~happened
    soon = pl.duration(days=round(clock.contact_months * study.study.days_per_month))
    reached = (pl.col("CONTACDT") <= pl.col("CUTOFFDT") + soon).fill_null(False)
    reached = reached & ~undated & (clock.censor_at == "cutoff_if_contact")
    last = pl.when(reached).then("CUTOFFDT").otherwise(pl.max_horizontal("LSTALVDT", "STARTDT"))
    at_cutoff = reached | (pl.col("LSTALVDT") == pl.col("CUTOFFDT")).fill_null(False)
    why = (
        pl.when(undated)
        .then(pl.lit("DEATH WITHOUT A DATE, LAST KNOWN ALIVE"))
        .when(reached)
        .then(pl.lit("ALIVE AT CUTOFF"))
        .when(pl.col("EOSREAS").is_not_null() & (pl.col("EOSREAS") != "DEATH"))
        .then(pl.format("{}, LAST KNOWN ALIVE", "EOSREAS"))
        .when(at_cutoff)
        .then(pl.lit("ALIVE AT CUTOFF"))
        .otherwise(pl.lit("LAST KNOWN ALIVE BEFORE CUTOFF"))
    )
    read = pl.when(reached).then(pl.lit("alive at the cutoff: seen soon after it"))
    return frame.with_columns(
        ADT=pl.when(happened).then("ADT").otherwise(last),
        CNSR=pl.when(happened).then(0).when(undated).then(2).otherwise(1),
        EVNTDESC=pl.when(happened).then("DESC"),
        CNSDTDSC=pl.when(~happened).then(why),
        SRCDOM=pl.when(happened).then("SRCDOM").otherwise("LSTALVDM"),
        SRCVAR=pl.when(happened).then("SRCVAR").otherwise("LSTALVVR"),
        SRCSEQ=pl.when(happened).then("SRCSEQ").otherwise("LSTALVSQ"),
        RULE=pl.when(happened).then("RULE").otherwise(read.otherwise(pl.lit("last day known alive"))),
    )


def _deteriorations(
    study: Study, dates: Dates, adqs: pl.DataFrame
) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
    """The rows of every family, and the findings; families that read their forms alike share the reading."""
    stops = dates.adsl.select("USUBJID", new_therapy="NACTDT").join(
        dates.progressions.select("USUBJID", progression="ADT"),
        on="USUBJID",
        how="left",
        maintain_order="left",
    )
    alike: dict[str, list[Deterioration]] = {}
    for family in study.endpoints.deterioration:
        alike.setdefault(_reading(family), []).append(family)
    told = {
        reading: deterioration.scales(study, _together(families), dates.adsl, adqs, stops)
        for reading, families in alike.items()
    }
    frames, found = [], []
    for family in study.endpoints.deterioration:
        rows = deterioration.clocks(study, family, told[_reading(family)])
        without = rows.filter(pl.col("STARTDT").is_null()).unique("USUBJID", maintain_order=True)
        found.append(_no_start(family.id, family.origin, without))
        frames.append(_family(study, family, rows.filter(pl.col("STARTDT").is_not_null())))
    return frames, found


def _reading(family: Deterioration) -> str:
    """What the reading of forms depends on, as text: as a key, True and 1 would be the same policy."""
    return repr((family.instrument, family.forms_until, sorted(family.policy.items())))


def _together(families: list[Deterioration]) -> Deterioration:
    """One family with the scales of all."""
    scales = dict.fromkeys(scale for family in families for scale in family.scales)
    return families[0].model_copy(update={"scales": tuple(scales)})


def _family(study: Study, family: Deterioration, rows: pl.DataFrame) -> pl.DataFrame:
    label = study.text(family.label)
    place = {code: i for i, code in enumerate((*family.scales, "ANY"))}
    if family.composite:
        rows = pl.concat([rows, deterioration.any_scale(rows)])
    code = pl.col("PARAMCD")
    param = pl.concat_str(pl.lit(label), code, separator=": ")
    shaped = _shaped(study, rows, family.id + code, param, "TTD")
    nth = rows.select(code.replace_strict(place, return_dtype=pl.Int64)).to_series()
    if nth.is_sorted():
        return shaped
    return shaped.hstack([nth.alias("nth")]).sort("nth", maintain_order=True).drop("nth")


def _shaped(
    study: Study, frame: pl.DataFrame, paramcd: pl.Expr, param: pl.Expr, category: str
) -> pl.DataFrame:
    constant = {"STUDYID": study.study.id, "PARCAT1": category, "AVALU": "DAYS"}
    given = {name: pl.lit(value) for name, value in constant.items()} | {"PARAMCD": paramcd, "PARAM": param}
    return frame.select(
        (given.get(name, pl.col(name) if name in frame.columns else pl.lit(None))).cast(dtype).alias(name)
        for name, dtype in _ADTTE.items()
    )


def _with_times(study: Study, adtte: pl.DataFrame, dataset: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """AVAL in days. A clock that would stop before it started has no time: a finding, never clipped."""
    days = (pl.col("ADT") - pl.col("STARTDT")).dt.total_days()
    backwards = days < 0
    found = findings(
        adtte.filter(backwards.fill_null(False)),
        dataset=dataset,
        key=variables.dataset(dataset).keys,
        variable="ADT",
        rule="the clock stops before it starts",
        value=pl.format("{} to {}", "STARTDT", "ADT"),
        action="row kept without a time; left out of the estimates, which say so",
    )
    timed = adtte.with_columns(
        AVAL=pl.when(~backwards).then((days + study.study.day_offset).cast(pl.Float64)),
        RULE=pl.when(backwards).then(pl.lit("stops before it starts")).otherwise("RULE"),
    )
    return timed, concat([found])
