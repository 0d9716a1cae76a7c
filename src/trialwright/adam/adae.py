"""ADAE: adverse events. When they began, how bad they were, whether treatment may have caused them.

Key USUBJID, AESEQ. Dates are imputed and flagged (D day, M month and day, Y all). An event is emergent from
the first dose to ``window_days`` after the last (to the cutoff while treatment goes on), unless it is
unrelated and began when another anticancer therapy had begun. RULE says why it is or is not emergent and what
was assumed. AESER and AEREL stay as reported; ASER and AREL are what the missing rules make of them, and
RELDRUGS names the drugs where the relation is asked of each.

Every record stays a row. EPISODE numbers the episodes of a subject's term, EPISFL marks the first record of
each. An event from before the first dose that worsens later is emergent where the worsening is a record of
its own: one of the same episode, or linked by AEGRPID, counts only if its grade is higher.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

import polars as pl

from trialwright.adam import policies, safety_astct, safety_terms
from trialwright.adam.safety_common import (
    Sdtm,
    because,
    domain,
    doses,
    flag,
    goes_on,
    in_order,
    of_subjects,
    only,
)
from trialwright.adam.safety_episodes import with_episodes
from trialwright.standards import dates, variables
from trialwright.standards.findings import concat, findings
from trialwright.study.model import AdverseEvents, Study

SCHEMA: Final = variables.dataset("ADAE").schema

_TEXT: Final = (
    *("USUBJID", "AETERM", "AEDECOD", "AEBODSYS", "AESTDTC", "AEENDTC", "AESER", "AEREL", "AEACN"),
    *("AEOUT", "AESDTH", "AEGRPID", "AELLT"),
)
_AE: Final = pl.Schema({"AESEQ": pl.Int64()} | {name: pl.String() for name in _TEXT})
_OF_ADSL: Final = ["TRT01A", "TRTSDT", "TRTSDTM", "TRTEDT", "EOTDT", "EOSDT", "NACTDT", "DTHDT"]

_EMERGENT: Final = "emergent: from the first dose on, within the window after the last"
_NOT_TREATED: Final = "not emergent: not treated"
_NO_START: Final = "not emergent: start unknown, over before the first dose"
_BEFORE: Final = "not emergent: before the first dose"
_AFTER: Final = "not emergent: after the window that follows the last dose"
_NEW_THERAPY: Final = "not emergent: unrelated, and another anticancer therapy had begun"
_CONTINUED: Final = "not emergent: continues an event from before the first dose, no worse"


def build(
    study: Study,
    sdtm: Sdtm,
    adsl: pl.DataFrame,
    cutoff: date,
    dictionaries: Mapping[str, pl.DataFrame] = MappingProxyType({}),
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events that began by the cutoff, one row each; and what was wrong in AE.

    ``dictionaries``: the user's ``CTCAE`` and ``MEDDRA`` (``standards.dictionaries``), where there are any.
    """
    rules = study.adverse_events
    told, strangers = _reported(study, sdtm, adsl, cutoff)
    reported, classes = safety_terms.classed(told, dictionaries)
    dated, reversals = _dated(reported, cutoff)
    graded, unknown_grades = _graded(rules, dated)
    by_astct, disagreements = safety_astct.regraded(study, sdtm, graded, cutoff, policies.syndromes(study))
    given, _ = doses(study, sdtm, adsl, cutoff)
    placed = with_episodes(_after_dose(by_astct, given), rules.episode_gap_hours)
    reasoned = placed.with_columns(_related(study)).with_columns(WHY=_why(study))
    emergent = reasoned.with_columns(TRTEMFL=flag(pl.col("WHY") == _EMERGENT))
    frame = (
        _worst(emergent)
        .with_columns(
            STUDYID=pl.lit(study.study.id),
            SAFFL=flag(pl.col("TRTSDT").is_not_null()),
            ASTDY=dates.study_day(pl.col("ASTDT"), pl.col("TRTSDT")),
            AENDY=dates.study_day(pl.col("AENDT"), pl.col("TRTSDT")),
            ASER=flag((pl.col("AESER") != "N").fill_null(True)),
            PREFL=flag(pl.col("ASTDT") < pl.col("TRTSDT")),
            SRCDOM=pl.lit("AE"),
            SRCVAR=pl.lit("AESTDTC"),
            SRCSEQ="AESEQ",
            RULE=_rule(study, cutoff),
        )
        .match_to_schema(SCHEMA, extra_columns="ignore", integer_cast="upcast")
    )
    impossible = safety_terms.impossible_grades(study, graded, dictionaries)
    found = concat(
        [strangers, classes, reversals, unknown_grades, impossible, disagreements, _not_serious(reported)]
    )
    return in_order(frame, ["USUBJID"], ["AESEQ"]), found


def _reported(
    study: Study, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    grade, by_drug = study.sources.adverse_event_grade, study.sources.adverse_event_relationship
    wanted = pl.Schema({**_AE, grade: pl.String(), **dict.fromkeys(by_drug.values(), pl.String())})
    records = domain(sdtm, "AE", wanted).with_columns(AETOXGR=grade)
    known, strangers = of_subjects(records, adsl, _OF_ADSL, "AE", "AESEQ")
    begun = (dates.earliest(pl.col("AESTDTC")) <= cutoff).fill_null(True)
    return known.filter(begun), strangers


def _dated(records: pl.DataFrame, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The dates of section 6.7: a start that may be the first dose is the first dose; an end is as late as
    death and cutoff allow. An end before its start is not used and is a finding; one after the cutoff is not
    known yet.
    """
    bounds = records.with_columns(
        start_from=dates.earliest(pl.col("AESTDTC")),
        start_to=dates.latest(pl.col("AESTDTC")),
        end_from=dates.earliest(pl.col("AEENDTC")),
        end_to=dates.latest(pl.col("AEENDTC")),
        ASTDTM=dates.datetime(pl.col("AESTDTC")),
        AENDTM=dates.datetime(pl.col("AEENDTC")),
    )
    started = bounds.with_columns(ASTDT=_start()).with_columns(
        ASTDTF=_imputed("start", "ASTDT"), reversed=_reversed().fill_null(False)
    )
    over = ~pl.col("reversed") & (pl.col("end_from") <= cutoff)
    dated = started.with_columns(AENDT=pl.when(over).then(_end(cutoff))).with_columns(
        AENDTF=_imputed("end", "AENDT"), AENDTM=pl.when(over).then("AENDTM")
    )
    wrong = findings(
        dated.filter("reversed"),
        dataset="AE",
        key=["USUBJID", "AESEQ"],
        variable="AEENDTC",
        rule="end before start",
        value=pl.format("{} .. {}", "AESTDTC", "AEENDTC"),
        action="end not used",
    )
    return dated, wrong


def _start() -> pl.Expr:
    first_dose = pl.col("TRTSDT")
    over_before = (pl.col("end_to") < first_dose).fill_null(False)
    may_be = first_dose.is_between("start_from", "start_to").fill_null(False)
    partial = pl.when(may_be & ~over_before).then(first_dose).otherwise("start_from")
    missing = pl.when(~over_before).then(first_dose)
    return (
        pl.when(pl.col("start_from").is_null())
        .then(missing)
        .when(pl.col("start_from") == pl.col("start_to"))
        .then("start_from")
        .otherwise(partial)
    )


def _reversed() -> pl.Expr:
    return (pl.col("end_to") < pl.col("ASTDT")) | (pl.col("AENDTM") < pl.col("ASTDTM")).fill_null(False)


def _end(cutoff: date) -> pl.Expr:
    latest = pl.min_horizontal("end_to", "DTHDT", pl.lit(cutoff))
    partial = pl.max_horizontal(latest, "ASTDT")
    return pl.when(pl.col("end_from") == pl.col("end_to")).then("end_from").otherwise(partial)


def _imputed(event: str, used: str) -> pl.Expr:
    """D, M or Y where the date used says more than the text; null where the text has its day."""
    first, last = pl.col(f"{event}_from"), pl.col(f"{event}_to")
    how = (
        pl.when(first.is_null())
        .then(pl.lit("Y"))
        .when(first.dt.month() != last.dt.month())
        .then(pl.lit("M"))
        .when(first != last)
        .then(pl.lit("D"))
    )
    return pl.when(pl.col(used).is_not_null()).then(how)


def _graded(rules: AdverseEvents, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """ATOXGRN: the position of the reported word among the study's grades."""
    position = {word.upper(): n for n, word in enumerate(rules.grades, start=1)}
    names = dict(enumerate(rules.grades, start=1))
    said = pl.col("AETOXGR").str.strip_chars().str.to_uppercase()
    graded = records.with_columns(
        ATOXGRN=said.replace_strict(position, default=None, return_dtype=pl.Int8),
        GRADESRC=pl.lit(f"{rules.scale} reported"),
        AESICAT=_of_interest(rules),
    ).with_columns(ATOXGR=pl.col("ATOXGRN").replace_strict(names, default=None, return_dtype=pl.String))
    unknown = findings(
        graded.filter(pl.col("AETOXGR").is_not_null(), pl.col("ATOXGRN").is_null()),
        dataset="AE",
        key=["USUBJID", "AESEQ"],
        variable="AETOXGR",
        rule=f"not a grade of {rules.scale}",
        value="AETOXGR",
        action="grade missing",
    )
    return graded, unknown


def _of_interest(rules: AdverseEvents) -> pl.Expr:
    category = {term.upper(): name for name, terms in rules.astct.items() for term in terms}
    return pl.col("AEDECOD").str.to_uppercase().replace_strict(category, default=None, return_dtype=pl.String)


def _related(study: Study) -> list[pl.Expr]:
    """AERELN, AREL, RELDRUGS: related to any drug is related; missing is what is said of none."""
    rules, by_drug = study.adverse_events, study.sources.adverse_event_relationship
    words = [word.upper() for word in rules.related]
    each = {
        name: pl.col(name).str.strip_chars().str.to_uppercase().is_in(words)
        for name in ("AEREL", *by_drug.values())
    }
    said = pl.max_horizontal(related.cast(pl.Int8) for related in each.values())
    named = [pl.when(each[variable]).then(pl.lit(drug)) for drug, variable in by_drug.items()]
    drugs = pl.concat_str(named or [pl.lit(None, dtype=pl.String)], separator=", ", ignore_nulls=True)
    return [
        said.alias("AERELN"),
        flag((said == 1).fill_null(rules.missing_is_related)).alias("AREL"),
        pl.when(drugs != "").then(drugs).alias("RELDRUGS"),
    ]


def _after_dose(records: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """The last dosing day that began before the onset. On the day itself only times can show the contrary."""
    day = pl.struct("USUBJID", "DOSENUM")  # in order: the first record of a day has its earliest time
    days = (
        given.filter(pl.col("DOSENUM").is_not_null() & day.ne_missing(day.shift(1)))
        .select("USUBJID", "DOSENUM", LDOSEDT="ASTDT", LDOSEDTM="ASTDTM")
        .with_columns(moment=pl.coalesce("LDOSEDTM", pl.col("LDOSEDT").cast(pl.Datetime("us"))))
        .sort("moment")
    )
    end_of_day = pl.col("ASTDT").cast(pl.Datetime("us")) + pl.duration(days=1, microseconds=-1)
    after = (
        records.select("USUBJID", moment=pl.coalesce("ASTDTM", end_of_day))
        .with_row_index("_row")
        .filter(records["ASTDT"].is_not_null())
        .sort("moment")
        .join_asof(
            days,
            on="moment",
            by="USUBJID",
            strategy="backward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .select("_row", "DOSENUM", "LDOSEDT", "LDOSEDTM")
    )
    return (
        records.with_row_index("_row").join(after, on="_row", how="left", maintain_order="left").drop("_row")
    )


def _why(study: Study) -> pl.Expr:
    """Why an event is emergent or not (section 4.2), the first reason that applies."""
    rules = study.adverse_events
    both_timed = pl.col("ASTDTM").is_not_null() & pl.col("TRTSDTM").is_not_null()
    before = (
        pl.when(both_timed)
        .then(pl.col("ASTDTM") < pl.col("TRTSDTM"))
        .otherwise(pl.col("ASTDT") < pl.col("TRTSDT"))
    )
    last = pl.col("TRTEDT") + pl.duration(days=rules.window_days)
    elsewhere = (
        (pl.col("ASTDT") >= pl.col("NACTDT")) & (pl.col("AREL") == "N") & pl.lit(rules.stop_at_new_therapy)
    )
    return (
        pl.when(pl.col("TRTSDT").is_null())
        .then(pl.lit(_NOT_TREATED))
        .when(pl.col("ASTDT").is_null())
        .then(pl.lit(_NO_START))
        .when(before)
        .then(pl.lit(_BEFORE))
        .when((pl.col("ASTDT") > last) & ~goes_on(study))
        .then(pl.lit(_AFTER))
        .when(elsewhere)
        .then(pl.lit(_NEW_THERAPY))
        .when(_no_worse(before))
        .then(pl.lit(_CONTINUED))
        .otherwise(pl.lit(_EMERGENT))
    )


def _no_worse(before: pl.Expr) -> pl.Expr:
    """In one episode with, or linked (AEGRPID) to, a record from before the first dose of its grade."""

    def linked(name: str) -> pl.Expr:
        worst_before = pl.col("ATOXGRN").filter(before).max().over("USUBJID", name, "AEDECOD")
        return (pl.col(name).is_not_null() & (pl.col("ATOXGRN") <= worst_before)).fill_null(False)

    return linked("AEGRPID") | (linked("EPISODE") & pl.col("AEDECOD").is_not_null())


def _worst(records: pl.DataFrame) -> pl.DataFrame:
    """Y on one emergent record each: the first of the worst grade, per subject, class and term."""
    scopes = {
        "AOCCFL": ["USUBJID"],
        "AOCCSFL": ["USUBJID", "AEBODSYS"],
        "AOCCPFL": ["USUBJID", "AEBODSYS", "AEDECOD"],
    }
    emergent = pl.col("TRTEMFL") == "Y"
    worst_first = (
        records.select("USUBJID", "AEBODSYS", "AEDECOD", "TRTEMFL", "ATOXGRN", "ASTDT", "AESEQ")
        .with_row_index("_row")
        .sort("ATOXGRN", "ASTDT", "AESEQ", descending=[True, False, False], nulls_last=True)
        .with_columns(
            only(emergent & pl.struct("TRTEMFL", *scope).is_first_distinct()).alias(name)
            for name, scope in scopes.items()
        )
    )
    return records.hstack(worst_first.sort("_row").select(*scopes))


def _rule(study: Study, cutoff: date) -> pl.Expr:
    past = pl.col("ASTDT") > pl.col("TRTEDT") + pl.duration(days=study.adverse_events.window_days)
    later = (pl.col("end_from") > cutoff).fill_null(False)
    return because(
        pl.col("WHY"),
        pl.when(past & (pl.col("WHY") == _EMERGENT)).then(pl.lit("treatment goes on: the window is open")),
        pl.when(pl.col("EPISFL").is_null()).then(pl.format("episode {} of this term goes on", "EPISODE")),
        pl.when(pl.col("ASTDTF").is_not_null() & (pl.col("ASTDT") == pl.col("TRTSDT")))
        .then(pl.lit("start may be the first dose, and is taken to be"))
        .when(pl.col("ASTDTF").is_not_null())
        .then(pl.lit("start imputed as early as can be")),
        pl.when(pl.col("AENDTF").is_not_null()).then(pl.lit("end imputed as late as can be")),
        pl.when(later).then(pl.lit("going on at the cutoff")),
        pl.when(pl.col("AERELN").is_null()).then(pl.lit("relationship missing")),
        pl.when(pl.col("ATOXGRN").is_null()).then(pl.lit("grade missing")),
        pl.col("SOCSRC"),
    )


def _not_serious(records: pl.DataFrame) -> pl.DataFrame:
    return findings(
        records.filter(pl.col("AESER").is_null()),
        dataset="AE",
        key=["USUBJID", "AESEQ"],
        variable="AESER",
        rule="seriousness is missing",
        value="AESER",
        action="counted as serious",
    )
