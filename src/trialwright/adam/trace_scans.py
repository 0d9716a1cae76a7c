"""The trace of the images: lesions, sums, responses of each assessor, and the best response."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from trialwright.adam import policies
from trialwright.adam.facts import matching, sequence
from trialwright.adam.lesions import reader
from trialwright.adam.safety_common import Sdtm, text
from trialwright.adam.trace_rows import World, rows
from trialwright.adam.visits import named, visit_key
from trialwright.medicine import recist
from trialwright.standards import dates
from trialwright.study.model import Study

_SCAN = ["USUBJID", "READER", "ASSESSMENT"]
_PARTS = ("TRGRESP", "NTRGRESP", "NEWLESN", "OVRLC", "OVRLR", "OVRLRESP")


def scans(
    study: Study, sdtm: Sdtm, now: World, adtr: pl.DataFrame, later: World | None
) -> list[pl.DataFrame]:
    """Every scan of every assessor: what was measured, the sums, the responses, the readings not accepted."""
    visits, responses = _visits(now), _with_reader(study, sdtm, now)
    bridge = _bridge(visits, responses)
    parts = [
        *_lesions(now, bridge, responses),
        _sums(adtr, visits, bridge),
        *_responses(study, now, responses),
    ]
    parts.append(_not_accepted(study, sdtm, now, responses))
    if later is not None:
        after = _with_reader(study, sdtm, later).filter(pl.col("PARAMCD") == "OVRLRESP")
        hidden = after.join(now.adsl.select("USUBJID", "CUTOFFDT"), on="USUBJID", maintain_order="left")
        parts.append(
            _response_rows(hidden.filter(pl.col("ADT") > pl.col("CUTOFFDT")), USED="N", REASON="after_cutoff")
        )
    return parts


def _visits(now: World) -> pl.DataFrame:
    names = {"subject": "USUBJID", "assessor": "READER", "assessment": "ASSESSMENT"}
    return now.seen.visits.select(
        pl.col("subject", "assessor", "assessment", "AVISIT", "SRCDOM", "SRCSEQ")
    ).rename(names)


def _readings(study: Study, sdtm: Sdtm, world: World) -> pl.DataFrame:
    """The reader and assessment of each reported overall response, by its record."""
    rs = matching(sdtm, "RS", {"RSTESTCD": study.sources.tumour.overall})
    rs = rs.with_columns(visit_key(rs, "RS").alias("assessment"))
    rs = named(rs, world.seen.apart, dates.complete(text(rs, "RSDTC")))
    return rs.select(
        "USUBJID",
        sequence(rs, "RS"),
        reader(rs, "RS").alias("READER"),
        pl.col("assessment").alias("ASSESSMENT"),
        text(rs, "VISIT").alias("AVISIT"),
        pl.coalesce(text(rs, "RSSTRESC"), text(rs, "RSORRES")).alias("response"),
        dates.earliest(text(rs, "RSDTC")).alias("ADT"),
    )


def _with_reader(study: Study, sdtm: Sdtm, world: World) -> pl.DataFrame:
    """The visit rows of ADRS, each with the reader and visit of the record that it comes from."""
    visits = _visits(world).select(*_SCAN, "SRCSEQ", "SRCDOM")
    read = _readings(study, sdtm, world).select(*_SCAN, "SRCSEQ", SRCDOM=pl.lit("RS"))
    known = pl.concat([visits, read]).unique(
        ["USUBJID", "SRCDOM", "SRCSEQ"], keep="first", maintain_order=True
    )
    return world.adrs.filter(pl.col("PARAMCD").is_in(_PARTS)).join(
        known, on=["USUBJID", "SRCDOM", "SRCSEQ"], how="left", maintain_order="left"
    )


def _bridge(visits: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """Whose scan it was: those of an assessor's responses, and the other scans of the readers taken.

    A baseline has no response; nor has anything of a patient seen at baseline only, whose reader is the one
    that the assessor takes elsewhere.
    """
    taken = responses.select("PARQUAL", *_SCAN).drop_nulls().unique()
    subjects = visits.select("USUBJID").unique()
    everywhere = subjects.join(taken.select("PARQUAL", "READER").unique(), how="cross")
    known = taken.select("PARQUAL", "USUBJID", "READER").unique()
    unseen = everywhere.join(known, on=["PARQUAL", "USUBJID"], how="anti")
    whose = pl.concat([known, unseen.select(known.columns)])
    rest = visits.select(_SCAN).join(responses.select(*_SCAN).unique(), on=_SCAN, how="anti")
    return pl.concat([taken, rest.join(whose, on=["USUBJID", "READER"]).select(taken.columns)])


def _lesions(now: World, bridge: pl.DataFrame, responses: pl.DataFrame) -> list[pl.DataFrame]:
    """Target diameters, states of non-target lesions, new lesions."""
    names = {"subject": "USUBJID", "assessor": "READER", "assessment": "ASSESSMENT"}
    origin = now.adsl.select("USUBJID", "RANDDT")
    frames = {"target": now.seen.targets, "non_target": now.seen.non_targets, "new": now.seen.new}
    said = {"target": "state", "non_target": "state", "new": "status"}
    shown = responses.filter(pl.col("PARAMCD") == "NEWLESN").select("PARQUAL", *_SCAN, "AVALC")
    parts = []
    for kind, frame in frames.items():
        whose = frame.rename(names).join(bridge, on=_SCAN, how="inner", maintain_order="left")
        dated = whose.join(origin, on="USUBJID", how="left", maintain_order="left")
        dated = dated.with_columns(ADT=pl.col("RANDDT") + pl.duration(days=pl.col("day")))
        extra: dict[str, pl.Expr | str | None] = {}
        if kind == "target":
            extra = _of_targets()
        elif kind == "new":
            dated = dated.join(shown, on=["PARQUAL", *_SCAN], how="left", maintain_order="left")
            extra = _of_new()
        parts.append(
            rows(
                dated,
                kind,
                NAME=pl.col("lesion"),
                PARQUAL=pl.col("PARQUAL"),
                READER=pl.col("READER"),
                ASSESSMENT=pl.col("ASSESSMENT"),
                DATE=pl.col("ADT"),
                VALUE=pl.col(said[kind]),
                SRCDOM="TR",
                SRCVAR="TRSTRESC",
                SRCSEQ=pl.col("SRCSEQ"),
                **extra,
            )
        )
    return parts


def _of_targets() -> dict[str, pl.Expr | str | None]:
    at_baseline = pl.col("baseline").any().over("USUBJID", "PARQUAL", "READER", "lesion")
    unmeasured = pl.col("diameter_mm").is_null() & pl.col("state").is_in(
        ["not_evaluable", "treated"]
    ).fill_null(True)
    return {
        "AVAL": pl.col("diameter_mm"),
        "WORD": pl.when("nodal").then(pl.lit("node")),
        "USED": pl.when(at_baseline & ~unmeasured).then(pl.lit("Y")).otherwise(pl.lit("N")),
        "REASON": pl.when(~at_baseline)
        .then(pl.lit("no_target_at_baseline"))
        .when(unmeasured)
        .then(pl.lit("not_measured")),
    }


def _of_new() -> dict[str, pl.Expr | str | None]:
    counts = (pl.col("AVALC") == "Y").fill_null(False)
    equivocal = pl.col("status") == "EQUIVOCAL"
    return {
        "USED": pl.when(counts).then(pl.lit("Y")).otherwise(pl.lit("N")),
        "REASON": pl.when(counts & equivocal)
        .then(pl.lit("backdated"))
        .when(equivocal)
        .then(pl.lit("equivocal"))
        .when(pl.col("status") == "RETRACTED")
        .then(pl.lit("retracted")),
    }


def _sums(adtr: pl.DataFrame, visits: pl.DataFrame, bridge: pl.DataFrame) -> pl.DataFrame:
    key = visits.drop("AVISIT", "SRCDOM")
    whose = (
        adtr.rename({"PARQUAL": "READER"})
        .join(key, on=["USUBJID", "READER", "SRCSEQ"], how="inner", maintain_order="left")
        .join(bridge, on=_SCAN, how="inner", maintain_order="left")
    )
    whole = pl.col("COMPLFL") == "Y"
    figures = ("AVAL", "BASE", "NADIR", "CHG", "PCHG", "CHGNAD", "PCHGNAD")
    return rows(
        whose,
        "sum",
        PARQUAL=pl.col("PARQUAL"),
        READER=pl.col("READER"),
        ASSESSMENT=pl.col("ASSESSMENT"),
        AVISIT=pl.col("AVISIT"),
        DATE=pl.col("ADT"),
        VALUE=pl.when(pl.col("ABLFL") == "Y").then(pl.lit("baseline")),
        WORD=pl.col("RULE"),
        USED=pl.when(whole).then(pl.lit("Y")).otherwise(pl.lit("N")),
        REASON=pl.when(~whole).then(pl.lit("not_all_measured")),
        **{name: pl.col(name) for name in figures},
        **_source(),
    )


def _responses(study: Study, now: World, responses: pl.DataFrame) -> list[pl.DataFrame]:
    """The parts of each response; whether a visit counts for the best response, and why not."""
    non_target = recist.non_target_course(now.seen.non_targets).select(
        USUBJID="subject", READER="assessor", ASSESSMENT="assessment", own="rule"
    )
    parts = responses.filter(pl.col("PARAMCD") != "OVRLRESP")
    of_non_target = pl.col("PARAMCD") == "NTRGRESP"
    parts = parts.join(non_target, on=_SCAN, how="left", maintain_order="left").with_columns(
        RULE=pl.when(of_non_target).then("own").otherwise("RULE")
    )
    mine = "OVRLC" if study.response.basis == "computed" else "OVRLR"
    other_basis = pl.col("PARAMCD").is_in({"OVRLC", "OVRLR"} - {mine})
    shown = _response_rows(
        parts,
        USED=pl.when(other_basis).then(pl.lit("N")).otherwise(pl.lit("Y")),
        REASON=pl.when(other_basis).then(pl.lit("other_basis")),
    )
    whole = responses.filter(pl.col("PARAMCD") == "OVRLRESP")
    progressed = pl.col("ADT").filter(pl.col("AVALC") == "PD").min().over("USUBJID", "PARQUAL")
    why = (
        pl.when((pl.col("ADT") > progressed).fill_null(False))
        .then(pl.lit("after_progression"))
        .when(pl.col("ANL01FL").is_null())
        .then(pl.lit("after_new_therapy"))
        .when(pl.col("AVALC") == "NE")
        .then(pl.lit("not_evaluable"))
    )
    whole = whole.with_columns(_why=why)
    used = pl.when(pl.col("_why").is_null()).then(pl.lit("Y")).otherwise(pl.lit("N"))
    return [shown, _response_rows(whole, USED=used, REASON=pl.col("_why"))]


def _response_rows(frame: pl.DataFrame, **more: pl.Expr | str | None) -> pl.DataFrame:
    return rows(
        frame,
        "response",
        NAME=pl.col("PARAMCD"),
        PARQUAL=pl.col("PARQUAL"),
        READER=pl.col("READER"),
        ASSESSMENT=pl.col("ASSESSMENT"),
        AVISIT=pl.col("AVISIT"),
        DATE=pl.col("ADT"),
        VALUE=pl.col("AVALC"),
        WORD=pl.col("RULE"),
        NOTE=pl.col("NOTE"),
        **more,
        **_source(),
    )


def _not_accepted(study: Study, sdtm: Sdtm, now: World, responses: pl.DataFrame) -> pl.DataFrame:
    """Readings of the same kind of review as the accepted ones, by a reader who was not the accepted one."""
    accepted = [a.id for a in study.sources.assessors if a.accepted]
    review = pl.col("READER").str.split("|").list.first().alias("_review")
    taken = responses.filter(pl.col("PARQUAL").is_in(accepted) & pl.col("READER").is_not_null())
    whose = taken.select("PARQUAL", "USUBJID", review).unique()
    known = now.adsl.select("USUBJID", "CUTOFFDT")
    readings = _readings(study, sdtm, now).join(known, on="USUBJID", how="inner", maintain_order="left")
    passed = (
        readings.filter((pl.col("ADT") <= pl.col("CUTOFFDT")).fill_null(False))
        .with_columns(review)
        .join(whose, on=["USUBJID", "_review"], how="inner", maintain_order="left")
        .join(taken.select("PARQUAL", *_SCAN), on=["PARQUAL", *_SCAN], how="anti", maintain_order="left")
    )
    return rows(
        passed,
        "not_accepted",
        PARQUAL=pl.col("PARQUAL"),
        READER=pl.col("READER"),
        ASSESSMENT=pl.col("ASSESSMENT"),
        AVISIT=pl.col("AVISIT"),
        DATE=pl.col("ADT"),
        VALUE=pl.col("response"),
        USED="N",
        REASON="not_accepted_reader",
        SRCDOM="RS",
        SRCVAR="RSSTRESC",
        SRCSEQ=pl.col("SRCSEQ"),
    )


def _source() -> dict[str, pl.Expr]:
    return {name: pl.col(name) for name in ("SRCDOM", "SRCVAR", "SRCSEQ")}


def best(study: Study, now: World) -> list[pl.DataFrame]:
    """The best responses with the assessment that decided, what confirmed it, and if nothing did, why not."""
    visits = {*_PARTS}
    whole = now.adrs.filter(~pl.col("PARAMCD").is_in(visits))
    parts = [
        rows(
            whole,
            "best",
            ENDPOINT=pl.col("PARAMCD"),
            NAME=pl.col("PARAMCD"),
            PARQUAL=pl.col("PARQUAL"),
            DATE=pl.col("ADT"),
            VALUE=pl.col("AVALC"),
            WORD=pl.col("RULE"),
            NOTE=pl.col("NOTE"),
            **_source(),
        )
    ]
    origin = now.adsl.select(subject="USUBJID", RANDDT="RANDDT")
    told = now.responses.best["confirmed"].join(origin, on="subject", maintain_order="left")
    for kind, column in (("responds_from", "response_day"), ("confirmed_by", "confirm_day")):
        with_day = told.filter(pl.col(column).is_not_null()).rename({"subject": "USUBJID"})
        parts.append(
            rows(
                with_day,
                kind,
                ENDPOINT="BORC",
                NAME=pl.col("best_response"),
                PARQUAL=study.response.assessor,
                DATE=pl.col("RANDDT") + pl.duration(days=pl.col(column)),
            )
        )
    return [*parts, _not_confirmed(study, now)]


def _not_confirmed(study: Study, now: World) -> pl.DataFrame:
    """Responders unconfirmed only, and what stood in the way: the same rule asked again, one limit lifted."""
    points = now.responses.points.select("subject", "assessor", "day", "response")
    counted = now.adrs.filter(
        (pl.col("PARAMCD") == "OVRLRESP")
        & (pl.col("PARQUAL") == study.response.assessor)
        & (pl.col("ANL01FL") == "Y")
    ).join(now.adsl.select("USUBJID", "RANDDT"), on="USUBJID", maintain_order="left")
    counted = counted.select(
        subject="USUBJID",
        assessor="PARQUAL",
        day=(pl.col("ADT") - pl.col("RANDDT")).dt.total_days(),
        response="AVALC",
    )
    policy = policies.response(study)
    no_wait, any_between = {"confirmation_days": 1}, {"max_ne": 999, "max_sd": 999}
    lifted = {
        "interval": (counted, replace(policy, confirmation_days=1)),
        "too_many_ne": (counted, replace(policy, max_ne=999)),
        "too_many_sd": (counted, replace(policy, max_sd=999)),
        "not_the_next": (counted, replace(policy, confirming="any_later")),
        "interval_and_between": (counted, replace(policy, **no_wait, **any_between, confirming="any_later")),  # type: ignore[arg-type]
        "after_new_therapy": (points, policy),
    }
    responds = pl.col("best_response").is_in(["CR", "PR"])
    confirmed = now.responses.best["confirmed"].filter(responds)
    first = now.responses.best["unconfirmed"].filter(responds).join(confirmed, on="subject", how="anti")
    reason = pl.lit("none_later")
    for word, (given, rules) in reversed(lifted.items()):
        then = recist.best_response(given, rules, confirmed=True).filter(responds)
        reason = (
            pl.when(pl.col("subject").is_in(then["subject"].implode())).then(pl.lit(word)).otherwise(reason)
        )
    told = first.with_columns(_why=reason).join(
        now.adsl.select(subject="USUBJID", RANDDT="RANDDT"), on="subject", maintain_order="left"
    )
    return rows(
        told.rename({"subject": "USUBJID"}),
        "not_confirmed",
        ENDPOINT="BORC",
        NAME=pl.col("best_response"),
        PARQUAL=study.response.assessor,
        DATE=pl.col("RANDDT") + pl.duration(days=pl.col("response_day")),
        USED="N",
        REASON=pl.col("_why"),
    )
