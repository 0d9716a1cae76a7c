"""ADRS: time-point responses of each assessor, and each subject's best response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from trialwright.adam import response_endpoints
from trialwright.adam.adtr import study_day
from trialwright.adam.disagreement import disagreements
from trialwright.adam.facts import matching, sequence
from trialwright.adam.lesions import Lesions, reader
from trialwright.adam.policies import response as policy
from trialwright.adam.safety_common import Sdtm, text
from trialwright.adam.visits import named, visit_key
from trialwright.medicine import recist
from trialwright.medicine._frame import placed
from trialwright.standards import dates
from trialwright.standards.errors import InputError
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study
from trialwright.study.sources import Assessor

TIME_POINT = pl.Schema(
    {
        "subject": pl.String(),
        "assessor": pl.String(),
        "assessment": pl.String(),
        "AVISIT": pl.String(),
        "day": pl.Int64(),
        "pd_day": pl.Int64(),
        "response": pl.String(),
        "literal": pl.String(),
        "rule": pl.String(),
        "SRCDOM": pl.String(),
        "SRCVAR": pl.String(),
        "SRCSEQ": pl.Int64(),
        "accepted": pl.Boolean(),
        "note": pl.String(),
    }
)
"""One assessment of one reader. ``literal`` counts for the best response: no PR is carried forward in it."""
_NAMES = {
    "TRGRESP": "Target response",
    "NTRGRESP": "Non-target response",
    "NEWLESN": "New lesion",
    "OVRLC": "Overall response, computed from lesions",
    "OVRLR": "Overall response, as reported",
    "OVRLRESP": "Overall response",
}
_PARTS = {"TRGRESP": "target_response", "NTRGRESP": "non_target_response", "NEWLESN": "new_lesion"}


@dataclass(frozen=True, slots=True)
class Responses:
    """Overall responses after baseline; ``assessor`` is the id of the study's assessor.

    points    all time points of the study's assessor and basis; shape ``TIME_POINT``
    best      word (confirmed, unconfirmed) to ``recist.best_response`` of the study's assessor
    baseline  the subjects whom that assessor saw at baseline; None where no lesions were recorded at all
    others    the same of each other assessor with responses, by id, in the order of the study's sources
    """

    points: pl.DataFrame
    best: dict[str, pl.DataFrame]
    baseline: pl.Series | None = None
    others: Mapping[str, Responses] = field(default_factory=dict)


def build(
    study: Study, sdtm: Sdtm, adsl: pl.DataFrame, seen: Lesions, cutoff: date
) -> tuple[pl.DataFrame, Responses, pl.DataFrame]:
    """ADRS, the responses that the time-to-event endpoints need, and the findings."""
    computed = _computed(seen)
    reported, found = _reported(study, sdtm, adsl, seen, cutoff)
    reported, differences = disagreements(study, seen, computed, reported)
    of_assessors = {
        name: _in_order(_of_assessors(study, points), adsl)
        for name, points in (("OVRLC", computed), ("OVRLR", reported))
    }
    basis = _counting(of_assessors["OVRLC" if study.response.basis == "computed" else "OVRLR"])
    counted = basis.filter("counts")
    rows = [_rows(points, name) for name, points in of_assessors.items()]
    rows += [_rows(of_assessors["OVRLC"], name, column) for name, column in _PARTS.items()]
    rows.append(_rows(basis, "OVRLRESP"))
    of_policy = _best_by_policy(study, counted)
    once = _once(study, of_policy, counted, adsl)
    adrs = pl.concat([response_endpoints.shaped(study, frame) for frame in (*rows, *once)])
    present = [a.id for a in study.sources.assessors if a.id in set(basis.get_column("assessor"))]
    of = {
        assessor: _responses(study, seen, basis, of_policy, assessor)
        for assessor in (study.response.assessor, *present)
    }
    responses = replace(of.pop(study.response.assessor), others=of)
    same_day = concat(_on_one_day(points) for points in (computed, reported))
    return adrs, responses, concat([found, differences, same_day, _cr_then_pr(responses.best["confirmed"])])


def _responses(
    study: Study,
    seen: Lesions,
    basis: pl.DataFrame,
    of_policy: Mapping[tuple[recist.Policy, str], pl.DataFrame],
    assessor: str,
) -> Responses:
    mine = pl.col("assessor") == assessor
    best = {word: of_policy[policy(study), word].filter(mine) for word in ("confirmed", "unconfirmed")}
    return Responses(basis.filter(mine).select(*TIME_POINT), best, _with_baseline(study, seen, assessor))


def _computed(seen: Lesions) -> pl.DataFrame:
    """The overall response from the lesions of each reader, with its three parts."""
    points = seen.points.join(
        seen.visits, on=["subject", "assessor", "assessment"], how="left", maintain_order="left"
    )
    points = points.with_columns(
        SRCVAR=pl.format("{}STRESC", "SRCDOM"),
        response="overall_response",
        literal="response",
        note=pl.lit(None, dtype=pl.String),
        new_lesion=pl.when("new_lesion").then(pl.lit("Y")).otherwise(pl.lit("N")),
    )
    parts = dict.fromkeys(_PARTS.values(), pl.String())
    return points.select(*TIME_POINT, *parts).match_to_schema({**TIME_POINT, **parts})


def _with_baseline(study: Study, seen: Lesions, who: str) -> pl.Series | None:
    """Whom an assessor saw at baseline; None where no lesion of that reader is recorded at all."""
    assessor = next(a for a in study.sources.assessors if a.id == who)
    fitting = [name for name in seen.baseline.get_column("assessor").unique() if _fits(assessor, name)]
    mine = seen.baseline.filter(pl.col("assessor").is_in(fitting))
    return mine.get_column("subject").unique() if mine.height else None


def _reported(
    study: Study, sdtm: Sdtm, adsl: pl.DataFrame, seen: Lesions, cutoff: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The overall response as RS states it; a word that is no response is a finding and left out."""
    rs = matching(sdtm, "RS", {"RSTESTCD": study.sources.tumour.overall})
    frame = rs.select(
        "USUBJID",
        reader(rs, "RS").alias("assessor"),
        visit_key(rs, "RS").alias("assessment"),
        text(rs, "VISIT").alias("AVISIT"),
        pl.coalesce(text(rs, "RSSTRESC"), text(rs, "RSORRES")).alias("response"),
        text(rs, "RSDTC").alias("RSDTC"),
        pl.lit("reported").alias("rule"),
        pl.lit(None, dtype=pl.String).alias("note"),
        pl.lit("RS").alias("SRCDOM"),
        pl.lit("RSSTRESC").alias("SRCVAR"),
        sequence(rs, "RS"),
        (text(rs, "RSACPTFL") == "Y").fill_null(False).alias("accepted"),
    )
    origin = adsl.filter(pl.col("RANDDT").is_not_null()).select("RANDDT", subject="USUBJID")
    day = dates.earliest(pl.col("RSDTC"))
    frame = (
        named(frame, seen.apart, dates.complete(pl.col("RSDTC")))
        .rename({"USUBJID": "subject"})
        .join(origin, on="subject", how="inner", maintain_order="left")
        .with_columns(day=(day - pl.col("RANDDT")).dt.total_days())
        .filter((day <= cutoff).fill_null(True))
    )
    odd = frame.filter(~pl.col("response").is_in(list(recist.RESPONSES)).fill_null(False))
    undated = frame.filter(pl.col("day").is_null())
    found = concat(
        findings(
            rows.rename({"subject": "USUBJID", "SRCSEQ": "RSSEQ"}),
            dataset="RS",
            key=["USUBJID", "RSSEQ"],
            variable=variable,
            rule=rule,
            value=value,
            action="not used",
        )
        for rows, variable, rule, value in (
            (odd, "RSSTRESC", "not a response of RECIST 1.1", "response"),
            (undated, "RSDTC", "a reported response without a date", "RSDTC"),
        )
    )
    good = frame.join(odd, on=["subject", "SRCSEQ"], how="anti").filter(pl.col("day") > 0)
    good = good.with_columns(pd_day=pl.when(pl.col("response") == "PD").then("day"), literal="response")
    return good.select(*TIME_POINT).match_to_schema(TIME_POINT), found


def _of_assessors(study: Study, points: pl.DataFrame) -> pl.DataFrame:
    """The time points under the ids of the study's assessors.

    Raises ``InputError`` where an assessor fits several readers and does not say which is accepted.
    """
    readers = points.get_column("assessor").unique().sort().to_list()
    parts = [points.clear()]
    for assessor in study.sources.assessors:
        fitting = [name for name in readers if _fits(assessor, name)]
        if len(fitting) > 1 and not assessor.accepted:
            raise InputError(
                f"sources.toml: assessors.{assessor.id}: fits {', '.join(fitting)}; "
                "name one, or take the accepted one with accepted = true"
            )
        mine = points.filter(pl.col("assessor").is_in(fitting))
        if assessor.accepted:
            mine = mine.filter(pl.col("accepted"))
        parts.append(mine.with_columns(assessor=pl.lit(assessor.id)))
    return pl.concat(parts)


def _fits(assessor: Assessor, name: str) -> bool:
    """Whether a reader (``EVAL|EVALID``) passes the assessor's filters."""
    eval_, _, evalid = name.partition("|")
    said = {"EVAL": eval_, "EVALID": evalid}
    return all(said.get(suffix, "") in words for suffix, words in assessor.where.items())


def _in_order(points: pl.DataFrame, adsl: pl.DataFrame) -> pl.DataFrame:
    """By subject, assessor (``p`` numbers them), day and assessment, with the date and number of each."""
    when = adsl.select("RANDDT", "NACTDT", subject="USUBJID")
    return (
        points.join(when, on="subject", how="left", maintain_order="left")
        .with_columns(placed(points, ["subject", "assessor"]).alias("p"))
        .sort("p", "day", "assessment", "SRCSEQ")
        .with_columns(
            ADT=pl.col("RANDDT") + pl.duration(days=pl.col("day")),
            ADY=study_day(),
            AVISITN=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("p"),
        )
    )


def _counting(points: pl.DataFrame) -> pl.DataFrame:
    """Adds ``counts``: the assessment is on or before the start of another anticancer therapy."""
    therapy = (pl.col("NACTDT") - pl.col("RANDDT")).dt.total_days()
    return points.with_columns(counts=(pl.col("day") <= therapy).fill_null(True))


def _rows(points: pl.DataFrame, paramcd: str, response: str = "response") -> pl.DataFrame:
    """Rows of ADRS, one per time point of points in order."""
    return points.select(
        USUBJID="subject",
        PARQUAL="assessor",
        PARAMCD=pl.lit(paramcd),
        PARAM=pl.lit(_NAMES[paramcd]),
        assessment="assessment",
        ADT="ADT",
        ADY="ADY",
        AVISIT="AVISIT",
        AVISITN="AVISITN",
        AVALC=response,
        ANL01FL=_first_to_progress() if "counts" in points.columns else pl.lit(None, dtype=pl.String),
        SRCDOM="SRCDOM",
        SRCVAR="SRCVAR",
        SRCSEQ="SRCSEQ",
        RULE="rule",
        NOTE="note",
    )


def _first_to_progress() -> pl.Expr:
    """Y for what counts, up to and including the first progression that does."""
    progressed = pl.when((pl.col("response") == "PD") & pl.col("counts")).then("p")
    before = progressed.forward_fill().shift().eq_missing(pl.col("p"))
    return pl.when(pl.col("counts") & ~before).then(pl.lit("Y"))


def _best_by_policy(study: Study, counted: pl.DataFrame) -> dict[tuple[recist.Policy, str], pl.DataFrame]:
    """The best response under each policy that an endpoint asks for, confirmed and unconfirmed."""
    wanted = {(policy(study), word) for word in ("confirmed", "unconfirmed")}
    wanted |= {(policy(study, e.policy), e.confirmation) for e in study.endpoints.best_response}
    points = counted.select("subject", "assessor", "day", response="literal")
    return {
        (rules, word): recist.best_response(points, rules, confirmed=word == "confirmed")
        for rules, word in wanted
    }


def _once(
    study: Study,
    of_policy: dict[tuple[recist.Policy, str], pl.DataFrame],
    counted: pl.DataFrame,
    adsl: pl.DataFrame,
) -> list[pl.DataFrame]:
    """Best responses and yes-or-no endpoints: a row per randomised subject and assessor who saw anyone."""
    people, plain = response_endpoints.everyone(adsl), policy(study)
    saw = {*of_policy[plain, "confirmed"].get_column("assessor").to_list(), study.response.assessor}
    frames = []
    for assessor in (a.id for a in study.sources.assessors if a.id in saw):
        for code, (word, param) in response_endpoints.BEST.items():
            best = of_policy[plain, word]
            frames.append(response_endpoints.best_rows(people, best, assessor, code, param))
        for endpoint in study.endpoints.best_response:
            best = of_policy[policy(study, endpoint.policy), endpoint.confirmation]
            if endpoint.at_day is not None:
                frames.append(response_endpoints.at_day_rows(study, people, counted, assessor, endpoint))
            elif endpoint.lasting_months is None:
                frames.append(response_endpoints.success_rows(study, people, best, assessor, endpoint))
    return frames


def _on_one_day(points: pl.DataFrame) -> pl.DataFrame:
    """Several assessments of a reader on one day with different responses: the least favourable counts."""
    day = ["subject", "assessor", "day"]
    apart = points.filter(pl.col("response").n_unique().over(day) > 1)
    return concat(
        findings(
            rows.sort(*day, "SRCSEQ")
            .unique(day, keep="first", maintain_order=True)
            .rename({"subject": "USUBJID", "assessor": "READER"}),
            dataset=str(domain),
            key=["USUBJID", "READER", "assessment"],
            variable=f"{domain}DTC",
            rule="different responses of one reader on one day",
            value="response",
            action="the least favourable that could be evaluated counts",
        )
        for (domain,), rows in apart.partition_by("SRCDOM", as_dict=True).items()
    )


def _cr_then_pr(best: pl.DataFrame) -> pl.DataFrame:
    return findings(
        best.filter(pl.col("finding") == "CR_THEN_PR").rename({"subject": "USUBJID"}),
        dataset="RS",
        key=["USUBJID"],
        variable="RSSTRESC",
        rule="a partial response recorded after a complete one",
        value="best_response",
        action="as the response policy says (cr_then_pr)",
    )
