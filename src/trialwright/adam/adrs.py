"""ADRS: time-point responses of each assessor, and each subject's best response."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from trialwright.adam.adtr import study_day
from trialwright.adam.facts import matching, sequence
from trialwright.adam.lesions import Lesions, reader, visit_key
from trialwright.adam.policies import response as policy
from trialwright.adam.safety_common import Sdtm, text
from trialwright.medicine import recist
from trialwright.standards import dates
from trialwright.standards.errors import InputError
from trialwright.standards.findings import concat, findings
from trialwright.study.model import BestResponse, Study
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
        "rule": pl.String(),
        "SRCDOM": pl.String(),
        "SRCVAR": pl.String(),
        "SRCSEQ": pl.Int64(),
        "accepted": pl.Boolean(),
    }
)
_NAMES = {
    "TRGRESP": "Target response",
    "NTRGRESP": "Non-target response",
    "NEWLESN": "New lesion",
    "OVRLC": "Overall response, computed from lesions",
    "OVRLR": "Overall response, as reported",
    "OVRLRESP": "Overall response",
    "BORC": "Best overall response, confirmed",
    "BORU": "Best overall response, unconfirmed",
}


@dataclass(frozen=True, slots=True)
class Responses:
    """Overall responses after baseline; ``assessor`` is the id of the study's assessor.

    points    all time points of the study's assessor and basis; shape ``TIME_POINT``
    best      word (confirmed, unconfirmed) to ``recist.best_response`` of the study's assessor
    """

    points: pl.DataFrame
    best: dict[str, pl.DataFrame]


def build(
    study: Study, sdtm: Sdtm, adsl: pl.DataFrame, seen: Lesions, cutoff: date
) -> tuple[pl.DataFrame, Responses, pl.DataFrame]:
    """ADRS, the responses that the time-to-event endpoints need, and the findings."""
    computed, parts = _computed(study, seen)
    reported, found = _reported(study, sdtm, adsl, cutoff)
    by_assessor = {
        "OVRLC": _of_assessors(study, computed),
        "OVRLR": _of_assessors(study, reported),
    }
    basis = by_assessor["OVRLC" if study.response.basis == "computed" else "OVRLR"]
    counted = _before_new_therapy(basis, adsl)
    rows = [_rows(by_assessor[name], name, adsl) for name in by_assessor]
    rows += [_rows(_of_assessors(study, part), name, adsl) for name, part in parts.items()]
    rows.append(
        _rows(basis, "OVRLRESP", adsl).join(
            counted.select("assessor", "assessment", USUBJID="subject", ANL01FL=pl.lit("Y")).rename(
                {"assessor": "PARQUAL"}
            ),
            on=["USUBJID", "PARQUAL", "assessment"],
            how="left",
            maintain_order="left",
        )
    )
    visits = pl.concat([_shaped(frame) for frame in rows])
    of_policy = _best_by_policy(study, counted)
    adrs = pl.concat([visits, _best(study, of_policy, adsl)]).select(
        pl.lit(study.study.id).alias("STUDYID"), pl.all()
    )
    mine = pl.col("assessor") == study.response.assessor
    best = {word: of_policy[policy(study), word].filter(mine) for word in ("confirmed", "unconfirmed")}
    return adrs, Responses(basis.filter(mine), best), concat([found, _cr_then_pr(best["confirmed"])])


def _computed(study: Study, seen: Lesions) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """The overall response from the lesions of each reader, and its three parts."""
    points = recist.time_points(
        seen.course, recist.non_target_course(seen.non_targets), _new(seen), policy(study)
    ).join(seen.visits, on=["subject", "assessor", "assessment"], how="left", maintain_order="left")
    points = points.with_columns(SRCDOM=pl.lit("TR"), SRCVAR=pl.lit("TRSTRESC"))
    whole = points.select(
        *("subject", "assessor", "assessment", "AVISIT", "day", "pd_day"),
        pl.col("overall_response").alias("response"),
        *("rule", "SRCDOM", "SRCVAR", "SRCSEQ", "accepted"),
    ).match_to_schema(TIME_POINT)
    new = pl.when("new_lesion").then(pl.lit("Y")).otherwise(pl.lit("N"))
    parts = {
        "TRGRESP": pl.col("target_response"),
        "NTRGRESP": pl.col("non_target_response"),
        "NEWLESN": new,
    }
    return whole, {
        name: points.select(
            *("subject", "assessor", "assessment", "AVISIT", "day", "pd_day"),
            value.alias("response"),
            *("rule", "SRCDOM", "SRCVAR", "SRCSEQ", "accepted"),
        ).match_to_schema(TIME_POINT)
        for name, value in parts.items()
    }


def _new(seen: Lesions) -> pl.DataFrame:
    return seen.new.filter(pl.col("day") > 0)


def _reported(
    study: Study, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The overall response as RS states it; a word that is no response is a finding and left out."""
    rs = matching(sdtm, "RS", {"RSTESTCD": study.sources.tumour.overall})
    frame = rs.select(
        pl.col("USUBJID").alias("subject"),
        reader(rs, "RS").alias("assessor"),
        visit_key(rs, "RS").alias("assessment"),
        text(rs, "VISIT").alias("AVISIT"),
        pl.coalesce(text(rs, "RSSTRESC"), text(rs, "RSORRES")).alias("response"),
        text(rs, "RSDTC").alias("RSDTC"),
        pl.lit("reported").alias("rule"),
        pl.lit("RS").alias("SRCDOM"),
        pl.lit("RSSTRESC").alias("SRCVAR"),
        sequence(rs, "RS"),
        (text(rs, "RSACPTFL") == "Y").fill_null(False).alias("accepted"),
    )
    origin = adsl.filter(pl.col("RANDDT").is_not_null()).select(subject="USUBJID", RANDDT="RANDDT")
    day = dates.earliest(pl.col("RSDTC"))
    frame = (
        frame.join(origin, on="subject", how="inner", maintain_order="left")
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
    good = good.with_columns(pd_day=pl.when(pl.col("response") == "PD").then("day"))
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


def _before_new_therapy(points: pl.DataFrame, adsl: pl.DataFrame) -> pl.DataFrame:
    """Assessments on or before the start of another anticancer therapy."""
    origin = adsl.select(subject="USUBJID", _therapy=(pl.col("NACTDT") - pl.col("RANDDT")).dt.total_days())
    return (
        points.join(origin, on="subject", how="left", maintain_order="left")
        .filter((pl.col("day") <= pl.col("_therapy")).fill_null(True))
        .drop("_therapy")
    )


def _rows(points: pl.DataFrame, paramcd: str, adsl: pl.DataFrame) -> pl.DataFrame:
    origin = adsl.select(subject="USUBJID", RANDDT="RANDDT")
    ordered = points.join(origin, on="subject", how="left", maintain_order="left").sort(
        "subject", "assessor", "day", "assessment"
    )
    return ordered.select(
        USUBJID="subject",
        PARQUAL="assessor",
        PARAMCD=pl.lit(paramcd),
        PARAM=pl.lit(_NAMES[paramcd]),
        assessment="assessment",
        ADT=pl.col("RANDDT") + pl.duration(days=pl.col("day")),
        ADY=study_day(),
        AVISIT="AVISIT",
        AVISITN=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("subject", "assessor"),
        AVALC="response",
        SRCDOM="SRCDOM",
        SRCVAR="SRCVAR",
        SRCSEQ="SRCSEQ",
        RULE="rule",
    )


_ADRS = pl.Schema(
    {
        "USUBJID": pl.String(),
        "PARQUAL": pl.String(),
        "PARAMCD": pl.String(),
        "PARAM": pl.String(),
        "ADT": pl.Date(),
        "ADY": pl.Int64(),
        "AVISIT": pl.String(),
        "AVISITN": pl.Int64(),
        "AVALC": pl.String(),
        "AVAL": pl.Float64(),
        "ANL01FL": pl.String(),
        "SRCDOM": pl.String(),
        "SRCVAR": pl.String(),
        "SRCSEQ": pl.Int64(),
        "RULE": pl.String(),
        "NOTE": pl.String(),
    }
)


def _shaped(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of ADRS; what a row does not have is null."""
    return frame.select(
        pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in _ADRS.items()
    )


def _best_by_policy(study: Study, counted: pl.DataFrame) -> dict[tuple[recist.Policy, str], pl.DataFrame]:
    """The best response under each policy that an endpoint asks for, confirmed and unconfirmed."""
    wanted = {(policy(study), word) for word in ("confirmed", "unconfirmed")}
    wanted |= {(policy(study, e.policy), e.confirmation) for e in study.endpoints.best_response}
    points = counted.select("subject", "assessor", "day", "response")
    return {
        (rules, word): recist.best_response(points, rules, confirmed=word == "confirmed")
        for rules, word in wanted
    }


def _best(
    study: Study, of_policy: dict[tuple[recist.Policy, str], pl.DataFrame], adsl: pl.DataFrame
) -> pl.DataFrame:
    """Best responses and yes-or-no endpoints: a row per randomised subject and assessor who saw anyone."""
    everyone = adsl.filter(pl.col("RANDDT").is_not_null()).select(
        "USUBJID", "RANDDT", _early=pl.col("DTHDT").is_not_null()
    )
    plain = policy(study)
    saw = set(of_policy[plain, "confirmed"].get_column("assessor").to_list()) | {study.response.assessor}
    frames = []
    for assessor in (a.id for a in study.sources.assessors if a.id in saw):
        for code, word in (("BORC", "confirmed"), ("BORU", "unconfirmed")):
            frames.append(_best_rows(of_policy[plain, word], everyone, assessor, code, _NAMES[code]))
        for endpoint in study.endpoints.best_response:
            best = of_policy[policy(study, endpoint.policy), endpoint.confirmation]
            frames.append(_endpoint_rows(study, best, everyone, assessor, endpoint))
    return pl.concat([_shaped(frame) for frame in frames])


def _best_rows(
    best: pl.DataFrame, everyone: pl.DataFrame, assessor: str, paramcd: str, param: str
) -> pl.DataFrame:
    """Everyone randomised has a row: without an assessment the best response is NE, for a stated reason."""
    mine = best.filter(pl.col("assessor") == assessor)
    frame = everyone.join(mine, left_on="USUBJID", right_on="subject", how="left", maintain_order="left")
    none = pl.col("best_response").is_null()
    reason = pl.when(pl.col("_early")).then(pl.lit("early_death")).otherwise(pl.lit("no_assessment"))
    return frame.select(
        "USUBJID",
        PARQUAL=pl.lit(assessor),
        PARAMCD=pl.lit(paramcd),
        PARAM=pl.lit(param),
        ADT=pl.col("RANDDT") + pl.duration(days=pl.col("day")),
        ADY=study_day(),
        AVISITN=pl.lit(-1),
        AVALC=pl.col("best_response").fill_null("NE"),
        ANL01FL=pl.lit("Y"),
        SRCDOM=pl.when(~none).then(pl.lit("ADRS")),
        SRCVAR=pl.when(~none).then(pl.lit("OVRLRESP")),
        RULE=pl.when(none).then(reason).otherwise("rule"),
        NOTE="finding",
    )


def _endpoint_rows(
    study: Study, best: pl.DataFrame, everyone: pl.DataFrame, assessor: str, endpoint: BestResponse
) -> pl.DataFrame:
    rows = _best_rows(best, everyone, assessor, endpoint.id, study.text(endpoint.label))
    met = pl.col("AVALC").is_in(list(endpoint.success))
    return rows.with_columns(
        NOTE=pl.format("best response {}", "AVALC"),
        AVAL=met.cast(pl.Float64),
        AVALC=pl.when(met).then(pl.lit("Y")).otherwise(pl.lit("N")),
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
