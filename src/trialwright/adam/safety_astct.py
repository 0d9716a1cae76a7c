"""CRS and ICANS graded by ASTCT 2019 from their recorded components, joined to the reported event by time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, time
from typing import Final

import numpy as np
import polars as pl

from trialwright.adam.facts import sequence
from trialwright.adam.safety_common import Sdtm, in_order, text
from trialwright.medicine import astct
from trialwright.medicine._frame import steps
from trialwright.medicine.astct.icans import DOMAINS
from trialwright.medicine.astct.policy import DECIMALS
from trialwright.standards import dates
from trialwright.standards.findings import concat, findings
from trialwright.study.model import AdverseEvents, Study
from trialwright.study.sources import Component

_NUMBERS: Final = {
    "CRS": ("temp_c", "n_pressors", "o2_flow", "home_o2_flow"),
    "ICANS": ("ice", "ice_baseline"),
}
_WORDS: Final[dict[str, dict[str, Iterable[str]]]] = {
    "CRS": {"o2_device": astct.O2_DEVICES, "home_o2_device": astct.O2_DEVICES},
    "ICANS": {
        "consciousness": (*astct.CONSCIOUSNESS, "NOT_ASSESSABLE"),
        "seizure": astct.SEIZURE,
        "motor": astct.MOTOR,
        "pressure": astct.PRESSURE,
    },
}
_SIGNS: Final = {
    "CRS": (
        *("hypotension", "vasopressin", "antipyretic", "anticytokine", "steroid"),
        *("fever_other_cause", "both_causes", "o2_for_airway"),
    ),
    "ICANS": tuple(f"{domain}_other_cause" for domain in DOMAINS),
}
_OF_PATIENT: Final = ("home_o2_device", "home_o2_flow", "ice_baseline")
"""Recorded once, true of every assessment."""
COMPONENTS: Final = {
    category: (*_NUMBERS[category], *_WORDS[category], *_SIGNS[category]) for category in _SIGNS
}
"""The names that ``[crs]`` and ``[icans]`` of sources.toml may use."""

_YES: Final = {"Y": True, "YES": True, "1": True, "TRUE": True}
_NO: Final = {"N": False, "NO": False, "0": False, "FALSE": False}

Parts = Mapping[tuple[object, ...], pl.DataFrame]
Timed = Mapping[tuple[str, str, tuple[str, ...]], Parts]
"""A domain by its name, its variable of time and the variables that say what a record is about; of these
each combination is a part. Records have ``when`` (text) and ``moment``."""

_TREATED: Final = pl.Schema(
    {
        "antipyretic": pl.Boolean(),
        "o2_device": pl.String(),
        "n_pressors": pl.Float64(),
        "vasopressin": pl.Boolean(),
        "steroid": pl.Boolean(),
        "anticytokine": pl.Boolean(),
    }
)
_TREATMENTS: Final = {
    "antipyretic": pl.col("antipyretic"),
    "oxygen": pl.col("o2_device") != "NONE",
    "vasopressor": (pl.col("n_pressors") > 0) | pl.col("vasopressin"),
    "steroid": pl.col("steroid"),
    "anticytokine": pl.col("anticytokine"),
}
"""What AESITRT may name, and what shows it (project rules 3.3)."""
_COURSE: Final = pl.Schema(
    {
        "USUBJID": pl.String(),
        "hours": pl.Float64(),
        "grade": pl.Int64(),
        "query": pl.String(),
        **dict.fromkeys(_TREATMENTS, pl.Boolean()),
    }
)


def regraded(
    study: Study, sdtm: Sdtm, events: pl.DataFrame, cutoff: date, policy: astct.Policy
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events, with ATOXGRN, ATOXGR, GRADESRC and AESITRT by ASTCT 2019 where AESICAT is CRS or ICANS.

    The grade is the highest of the assessments during the event (of its days, if its times show none), and 5
    if it was fatal. Where they show none the reported grade stands: attribution is the investigator's.
    AESITRT names what was given during it. A disagreement, signs without fever, and a component that cannot
    be read are findings.
    """
    numbered = events.with_row_index("event")
    shown, found = [], []
    timed = _timed(sdtm, [*study.sources.crs.values(), *study.sources.icans.values()])
    for category, components in (("CRS", study.sources.crs), ("ICANS", study.sources.icans)):
        written, unreadable = _recorded(category, components, timed, cutoff)
        assessed = _assessments(written, study.adverse_events.assessment_hours)
        mine = numbered.filter(pl.col("AESICAT") == category)
        shown.append(_during(mine, _course(category, assessed, policy), cutoff))
        found.append(unreadable)
    joined = numbered.join(pl.concat(shown), on="event", how="left", maintain_order="left")
    graded = _chosen(joined, study.adverse_events)
    kept = graded.drop("event", "computed", "assessed", "queries", "as_reported").with_columns(
        AESITRT=pl.when(pl.col("AESITRT") != "").then("AESITRT")
    )
    return kept, concat([*found, *_findings(graded)])


def _recorded(
    category: str, components: Mapping[str, Component], timed: Timed, cutoff: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row per subject and moment, and a column per component of the study."""
    base = pl.DataFrame(schema={"USUBJID": pl.String(), "moment": pl.Datetime("us")})
    found = []
    for name in sorted(components, key=lambda name: name in _OF_PATIENT):
        values = _said(components[name], timed, cutoff).with_columns(_read(category, name).alias(name))
        over = ["USUBJID"] if name in _OF_PATIENT else ["USUBJID", "moment"]
        there = values.filter(pl.col(name).is_not_null(), pl.col("moment").is_not_null())
        if name in _OF_PATIENT:
            there = there.sort("moment", maintain_order=True)
        column = there.select(*over, name).unique(over, keep="first", maintain_order=True)
        if column.height < values.height:
            found += _faults(values, name, components[name].domain, over)
        base = base.join(column, on=over, how="left" if name in _OF_PATIENT else "full", coalesce=True)
    return base, concat(found)


def _assessments(written: pl.DataFrame, within_hours: float) -> pl.DataFrame:
    """One row per assessment: subject, hours of its first component, and the components.

    What is written within so many hours of the first belongs together, until a component comes again. Times
    count to the minute; a day without a time is an assessment of its own.
    """
    components = [c for c in written.columns if c not in ("USUBJID", "moment", *_OF_PATIENT)]
    rows = written.sort("USUBJID", "moment")
    first = pl.col("moment").first()
    return (
        rows.with_columns(assessment=_together(rows, components, within_hours))
        .group_by("USUBJID", "assessment", maintain_order=True)
        .agg(first, pl.exclude("USUBJID", "assessment", "moment").drop_nulls().first())
        .with_columns(subject="USUBJID", hours=_hours(pl.col("moment")).round(DECIMALS))
    )


def _together(rows: pl.DataFrame, components: list[str], within_hours: float) -> pl.Series:
    """The number of the assessment that each moment belongs to; walks all subjects at once."""
    who = rows["USUBJID"].rle_id().to_numpy()
    hours = rows.select(_hours(pl.col("moment")).round(DECIMALS)).to_series().to_numpy()
    timed = rows.select(pl.col("moment").dt.time() != time()).to_series().to_numpy()
    held = rows.select(pl.col(components).is_not_null()).to_numpy().reshape(rows.height, len(components))
    subjects = rows["USUBJID"].n_unique()
    began, open_, number = (
        np.full(subjects, -np.inf),
        np.zeros(subjects, np.bool_),
        np.zeros(subjects, np.int64),
    )
    seen, which = np.zeros((subjects, len(components)), np.bool_), np.zeros(rows.height, np.int64)
    for step in steps(rows["USUBJID"]):
        one, now = who[step], held[step]
        near = (hours[step] - began[one] <= within_hours) & timed[step] & open_[one]
        joins = near & ~(seen[one] & now).any(axis=1)
        number[one] += ~joins
        began[one] = np.where(joins, began[one], hours[step])
        open_[one] = timed[step]
        seen[one] = np.where(joins[:, None], seen[one] | now, now)
        which[step] = number[one]
    return pl.Series(which)


def _timed(sdtm: Sdtm, components: Collection[Component]) -> Timed:
    """Each variable of time read once; a day is its midnight. The records of a subject are in their order."""
    return {
        (domain, variable, about): _parts(sdtm, domain, variable, about, {one.value for one in components})
        for domain, variable, about in {_kind(one) for one in components}
    }


def _kind(component: Component) -> tuple[str, str, tuple[str, ...]]:
    return component.domain, component.datetime, tuple(component.where)


def _parts(sdtm: Sdtm, domain: str, variable: str, about: tuple[str, ...], values: set[str]) -> Parts:
    rows = sdtm.get(domain, pl.DataFrame(schema={"USUBJID": pl.String}))
    when = text(rows, variable)
    moment = pl.coalesce(dates.datetime(when), dates.complete(when).cast(pl.Datetime("us")))
    told = rows.select(
        "USUBJID",
        sequence(rows, domain),
        when.alias("when"),
        moment.alias("moment"),
        *(text(rows, value) for value in sorted(values - set(about))),
        *(text(rows, name) for name in about),
    )
    ordered = in_order(told, ["USUBJID"], ["SRCSEQ"])
    if ordered.is_empty():
        return {("",) * len(about): ordered}
    return ordered.partition_by(about, as_dict=True, maintain_order=True) if about else {(): ordered}


def _said(component: Component, timed: Timed, cutoff: date) -> pl.DataFrame:
    """What was written of one component up to the cutoff, each subject's records in their order."""
    parts = timed[_kind(component)]
    wanted = [
        part
        for said, part in parts.items()
        if all(word in words for word, words in zip(said, component.where.values(), strict=True))
    ]
    rows = pl.concat(wanted) if wanted else next(iter(parts.values())).clear()
    if len(wanted) > 1:
        rows = in_order(rows, ["USUBJID"], ["SRCSEQ"])
    return rows.select("USUBJID", "SRCSEQ", "when", "moment", said=component.value).filter(
        pl.col("said").is_not_null(), (pl.col("moment").dt.date() <= cutoff).fill_null(True)
    )


def _read(category: str, name: str) -> pl.Expr:
    said = pl.col("said").str.strip_chars().str.to_uppercase()
    if name in _NUMBERS[category]:
        return said.cast(pl.Float64, strict=False)
    if name in _WORDS[category]:
        return pl.when(said.is_in(list(_WORDS[category][name]))).then(said)
    return said.replace_strict(_YES | _NO, default=None, return_dtype=pl.Boolean)


def _faults(values: pl.DataFrame, name: str, domain: str, over: list[str]) -> list[pl.DataFrame]:
    unreadable, undated = pl.col(name).is_null(), pl.col("moment").is_null()
    differs = ~undated & (pl.col(name) != pl.col(name).drop_nulls().first().over(over))
    cases = (
        (unreadable, "not a value of this ASTCT component", "taken as not recorded"),
        (undated, "the day is not known", "not used"),
        (differs, "recorded twice differently", "the first is used"),
    )
    return [
        findings(
            values.filter(where).sort("SRCSEQ", maintain_order=True),
            dataset=domain,
            key=["USUBJID", "when"],
            variable=name,
            rule=rule,
            value="said",
            action=action,
        )
        for where, rule, action in cases
    ]


def _course(category: str, assessed: pl.DataFrame, policy: astct.Policy) -> pl.DataFrame:
    """Grades and queries by subject and hours, with the treatments written there."""
    if category == "CRS":
        course = astct.crs_course(assessed, policy)
    else:
        course = astct.icans_course(assessed, policy).with_columns(query=pl.lit(None, dtype=pl.String))
    joined = course.join(_given(category, assessed), on=["subject", "hours"], how="left")
    return joined.rename({"subject": "USUBJID"}).match_to_schema(
        _COURSE, integer_cast="upcast", extra_columns="ignore"
    )


def _given(category: str, assessed: pl.DataFrame) -> pl.DataFrame:
    """The treatments that each assessment of CRS shows; ICANS has no such component."""
    whole = pl.concat([assessed, pl.DataFrame(schema=_TREATED)], how="diagonal")
    none = pl.lit(False)
    shown = {word: sign if category == "CRS" else none for word, sign in _TREATMENTS.items()}
    return whole.select("subject", "hours", **shown)


def _during(events: pl.DataFrame, course: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    """One row per event with assessments: the highest grade in its times, else in its days; queries."""
    day, end_of = pl.duration(days=1, microseconds=-1), pl.coalesce("AENDT", pl.lit(cutoff))
    from_day = pl.col("ASTDT").cast(pl.Datetime("us"))
    to_day = end_of.cast(pl.Datetime("us")) + day
    spans = events.select(
        "event",
        "USUBJID",
        from_day=_hours(from_day),
        to_day=_hours(to_day),
        begins=_hours(pl.coalesce("ASTDTM", from_day)),
        ends=_hours(pl.coalesce("AENDTM", to_day)),
    )
    within = spans.join(course, on="USUBJID").filter(pl.col("hours").is_between("from_day", "to_day"))
    strictly = pl.col("hours").is_between("begins", "ends")
    shown = within.with_columns(
        in_time=pl.when(strictly & (pl.col("grade") > 0)).then("grade"),
        **{word: pl.col(word) & strictly for word in _TREATMENTS},
    )
    found = shown.group_by("event").agg(
        pl.col("grade", "in_time").max(), pl.col(*_TREATMENTS).any(), assessed=pl.lit(True)
    )
    words = [pl.when(word).then(pl.lit(word)) for word in sorted(_TREATMENTS)]
    return found.join(_queries(within), on="event", how="left").select(
        "event",
        "assessed",
        computed=pl.coalesce("in_time", "grade"),
        queries=pl.col("queries").fill_null(""),
        AESITRT=pl.concat_str(words, separator=", ", ignore_nulls=True),
    )


def _queries(within: pl.DataFrame) -> pl.DataFrame:
    asked = within.filter(pl.col("query").is_not_null()).group_by("event")
    return asked.agg(queries=pl.col("query").unique().sort().str.join(", "))


def _hours(moment: pl.Expr) -> pl.Expr:
    return moment.dt.epoch("us") / 3.6e9


def _chosen(events: pl.DataFrame, rules: AdverseEvents) -> pl.DataFrame:
    words = dict(enumerate(rules.grades, start=1))
    fatal = (pl.col("AEOUT").str.to_uppercase() == "FATAL") | (pl.col("AESDTH") == "Y")
    seen = (pl.col("computed") > 0).fill_null(False)
    ours = pl.col("AESICAT").is_in(["CRS", "ICANS"]).fill_null(False)
    return events.with_columns(
        as_reported="ATOXGRN",
        computed=pl.when(seen & fatal.fill_null(False)).then(5).otherwise("computed").cast(pl.Int8),
        GRADESRC=pl.when(seen)
        .then(pl.lit("ASTCT 2019 computed"))
        .when(ours)
        .then(pl.lit("ASTCT 2019 reported"))
        .otherwise("GRADESRC"),
    ).with_columns(
        ATOXGRN=pl.when(seen).then("computed").otherwise("ATOXGRN"),
        ATOXGR=pl.when(seen)
        .then(
            pl.col("computed").replace_strict(
                words, default=pl.col("computed").cast(pl.String), return_dtype=pl.String
            )
        )
        .otherwise("ATOXGR"),
    )


def _findings(events: pl.DataFrame) -> list[pl.DataFrame]:
    seen = pl.col("computed") > 0
    compared = pl.format("reported {}, computed {}", pl.col("AETOXGR").fill_null("none"), "computed")
    cases = (
        (
            seen & pl.col("as_reported").ne_missing(pl.col("computed")),
            ("the reported grade is not that of ASTCT 2019", compared, "computed grade used"),
        ),
        (
            pl.col("assessed") & ~seen.fill_null(False),
            (
                "the components show no such event by ASTCT 2019",
                pl.col("AETOXGR"),
                "reported grade used",
            ),
        ),
        (
            pl.col("queries") != "",
            ("signs without fever by ASTCT 2019", pl.col("queries"), "signs not graded"),
        ),
    )
    return [
        findings(
            events.filter(where),
            dataset="AE",
            key=["USUBJID", "AESEQ"],
            variable="AETOXGR",
            rule=rule,
            value=value,
            action=action,
        )
        for where, (rule, value, action) in cases
    ]
