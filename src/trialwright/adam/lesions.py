"""From TU and TR to the plain frames that the response rules take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from trialwright.adam import lesion_findings, policies
from trialwright.adam.facts import sequence
from trialwright.adam.safety_common import Sdtm, text
from trialwright.adam.visits import apart, named, used_twice, visit_key
from trialwright.medicine import recist
from trialwright.medicine._frame import placed
from trialwright.standards import dates
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Study
from trialwright.study.sources import Tumour

TARGET_STATES = {
    "TOO SMALL TO MEASURE": "too_small",
    "ABSENT": "gone",
    "NOT EVALUABLE": "not_evaluable",
    "NOT ASSESSABLE": "not_evaluable",
    "COALESCED": "coalesced",
    "SPLIT": "split",
    "TREATED": "treated",
    "RESECTED": "treated",
    "IRRADIATED": "treated",
    "ABLATED": "treated",
}
NON_TARGET_STATES = {
    "ABSENT": "absent",
    "PRESENT": "present",
    "UNEQUIVOCAL": "progression",
    "UNEQUIVOCAL PROGRESSION": "progression",
    "NOT EVALUABLE": "not_evaluated",
    "NOT ASSESSABLE": "not_evaluated",
    "TREATED": "not_evaluated",
    "RESECTED": "not_evaluated",
    "IRRADIATED": "not_evaluated",
    "ABLATED": "not_evaluated",
}
NEW_STATES = {
    "EQUIVOCAL": "EQUIVOCAL",
    "UNEQUIVOCAL": "UNEQUIVOCAL",
    "PRESENT": "UNEQUIVOCAL",
    "RETRACTED": "RETRACTED",
    "ABSENT": "RETRACTED",
}
"""Words of SDTM to the words of ``medicine.recist``; a study adds its own under ``[tumour.states]``."""

_VISIT = ["USUBJID", "reader", "assessment"]


@dataclass(frozen=True, slots=True)
class Lesions:
    """What each reader saw: ``subject`` is USUBJID, ``assessor`` the reader, ``day`` is from randomisation.

    targets                     the diameters that ``course`` is made of, with SRCSEQ; ``here_mm``, if another
                                diameter is wanted by the place that the scan itself writes
    course                      ``recist.target_course`` of the study's policy
    non_targets, new            rows for ``recist.non_target_course`` and ``time_points``, with SRCSEQ
    points                      ``recist.time_points`` of all that
    visits                      one row per subject, reader and assessment: AVISIT, first SRCSEQ, accepted
    baseline                    subject and assessor: whom each reader saw at baseline, by TR or by TU
    apart                       visits that are several assessments, in the shape of ``visits.APART``
    """

    targets: pl.DataFrame
    course: pl.DataFrame
    non_targets: pl.DataFrame
    new: pl.DataFrame
    points: pl.DataFrame
    visits: pl.DataFrame
    baseline: pl.DataFrame
    apart: pl.DataFrame


def reader(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Who read the images: --EVAL and, where there are several, --EVALID."""
    who = text(frame, f"{domain}EVAL").fill_null("NOT STATED")
    return pl.concat_str(who, text(frame, f"{domain}EVALID"), separator="|", ignore_nulls=True)


def lesions(study: Study, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date) -> tuple[Lesions, pl.DataFrame]:
    """The lesions of randomised subjects up to the cutoff, and the findings.

    Baseline is what was seen up to randomisation; of a subject with nothing so early, up to the first dose.
    An assessment dated only to the month takes the first complete date of the same visit, else the earliest
    day possible; that is a finding. Words that no rule knows make a lesion not evaluable; that is one too.
    A new lesion of TU about which TR says nothing is unequivocal, on the day of TU.
    """
    words = study.sources.tumour
    tr = _records(sdtm, adsl, cutoff)
    tr = pl.concat([tr, _only_identified(words, sdtm, adsl, cutoff, tr)])
    tr = _numbered(tr.with_columns(_complete=dates.complete(pl.col("DTC"))))
    scans = tr.select("USUBJID", "assessment", date="_complete", visit="_visit")
    far = apart(study, sdtm, scans, adsl, cutoff)
    if not far.is_empty():
        tr = _numbered(named(tr, far, pl.col("_complete")))
    tr, undated = _days(tr)
    visits, first = _visits(tr), _at_baseline(tr, sdtm, words)
    tr = _classified(tr, sdtm, words).drop(_OF_VISITS)
    targets, odd_targets = _targets(tr, words)
    others, odd_others = _states(tr, "NON-TARGET", NON_TARGET_STATES | dict(words.states))
    new, odd_new = _states(tr, "NEW", NEW_STATES | dict(words.states))
    names = {"USUBJID": "subject", "reader": "assessor"}
    measured, others = targets.rename(names), others.rename(names)
    new = new.rename(names | {"state": "status"}).drop("baseline")
    policy = policies.response(study)
    course = recist.target_course(measured, policy)
    points = time_points(course, recist.non_target_course(others), new, policy)
    seen = Lesions(measured, course, others, new, points, visits.rename(names), first.rename(names), far)
    chosen = lesion_findings.of_baseline(measured)
    return seen, concat(
        [
            undated,
            used_twice(far),
            odd_targets,
            odd_others,
            odd_new,
            chosen,
            lesion_findings.of_course(course),
        ]
    )


def _visits(tr: pl.DataFrame) -> pl.DataFrame:
    """One row per subject, reader and assessment; its first record is TR's, where TR has one."""
    in_tr = pl.col("SRCDOM") == "TR"
    return (
        tr.with_columns(_in_tr=pl.when(in_tr).then("SRCSEQ"), _accepted=pl.col("ACPTFL") == "Y")
        .group_by("_visit")
        .agg(
            pl.col(_VISIT).first(),
            pl.col("VISIT").drop_nulls().first().alias("AVISIT"),
            pl.col("SRCDOM").min(),
            pl.when(pl.col("SRCDOM").min() == "TR")
            .then(pl.col("_in_tr").min())
            .otherwise(pl.col("SRCSEQ").min())
            .alias("SRCSEQ"),
            pl.col("_accepted").any().alias("accepted"),
            pl.col("day").min().alias("first_day"),
        )
        .drop("_visit")
    )


_OF_VISITS = ("GRPID", "ACPTFL", "DTC", "VISIT", "SRCDOM", "RANDDT", "TRTSDT", "date", "_who")
"""What lesions and visits are known by, and no lesion needs any more."""
_PARTS = ("GRPID", "LNKID", "TESTCD", "STRESC", "ORRES", "STAT", "LOC", "ACPTFL", "DTC")


def _at_baseline(tr: pl.DataFrame, sdtm: Sdtm, words: Tumour) -> pl.DataFrame:
    """Whoever has a baseline record in TR, or a target or non-target lesion in TU: these are chosen then."""
    tu = sdtm.get("TU", pl.DataFrame(schema={"USUBJID": pl.String}))
    chosen = tu.filter(text(tu, "TUSTRESC").is_in([*words.target, *words.non_target]))
    identified = chosen.select("USUBJID", reader(chosen, "TU").alias("reader"))
    seen = tr.filter("baseline").unique("_who").select("USUBJID", "reader")
    return pl.concat([seen, identified]).unique()


def time_points(
    course: pl.DataFrame, non_targets: pl.DataFrame, new: pl.DataFrame, policy: recist.Policy
) -> pl.DataFrame:
    """The overall responses of each reader, of both courses; a lesion is new only after randomisation."""
    return recist.time_points(course, non_targets, new.filter(pl.col("day") > 0), policy)


def _records(sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    tr = sdtm.get("TR", pl.DataFrame(schema={"USUBJID": pl.String}))
    return _of_randomised(_plain(tr, "TR"), adsl, cutoff)


def _plain(frame: pl.DataFrame, domain: str) -> pl.DataFrame:
    return frame.select(
        "USUBJID",
        reader(frame, domain).alias("reader"),
        visit_key(frame, domain).alias("assessment"),
        *(text(frame, f"{domain}{name}").alias(name) for name in _PARTS),
        _number(frame, f"{domain}STRESN").alias("number"),
        text(frame, "VISIT").alias("VISIT"),
        pl.lit(domain).alias("SRCDOM"),
        sequence(frame, domain),
    )


def _number(frame: pl.DataFrame, column: str) -> pl.Expr:
    return (pl.col(column) if column in frame.columns else pl.lit(None)).cast(pl.Float64, strict=False)


def _numbered(tr: pl.DataFrame) -> pl.DataFrame:
    """Adds ``_who`` and ``_visit``, which number the subjects of each reader and their assessments."""
    who = placed(tr, ["USUBJID", "reader"])
    return tr.with_columns(who.alias("_who"), placed(tr, ["assessment"], within=who).alias("_visit"))


def _of_randomised(frame: pl.DataFrame, adsl: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    origin = adsl.filter(pl.col("RANDDT").is_not_null()).select("USUBJID", "RANDDT", "TRTSDT")
    frame = frame.join(origin, on="USUBJID", how="inner", maintain_order="left")
    frame = frame.with_columns(_earliest=dates.earliest(pl.col("DTC")))
    return frame.filter((pl.col("_earliest") <= cutoff).fill_null(True))


def _only_identified(
    words: Tumour, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date, tr: pl.DataFrame
) -> pl.DataFrame:
    """New lesions that TU identifies and TR never mentions, as if TR called them unequivocal."""
    tu = sdtm.get("TU", pl.DataFrame(schema={"USUBJID": pl.String}))
    new = _plain(tu.filter(text(tu, "TUSTRESC").is_in(list(words.new))), "TU")
    spoken_of = tr.filter(pl.col("LNKID").is_in(new.get_column("LNKID").unique().implode()))
    silent = new.join(spoken_of, on=["USUBJID", "reader", "LNKID"], how="anti").with_columns(
        GRPID=pl.lit(words.new[0]), STRESC=pl.lit("UNEQUIVOCAL")
    )
    return _of_randomised(silent, adsl, cutoff)


def _days(tr: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each record's day from randomisation; dates that are not complete as ``lesions`` says."""
    if tr.get_column("_complete").null_count():
        same_reader = pl.col("_complete").min().over("_visit")
        any_reader = pl.col("_complete").min().over("USUBJID", "assessment")
        tr = tr.with_columns(date=pl.coalesce("_complete", same_reader, any_reader, "_earliest"))
    else:
        tr = tr.with_columns(date="_complete")
    imprecise = tr.filter(pl.col("_complete").is_null())
    found = concat(
        findings(
            rows.unique([*_VISIT, "DTC"], maintain_order=True).rename({"SRCSEQ": "TRSEQ"}),
            dataset="TR",
            key=["USUBJID", "TRSEQ"],
            variable="TRDTC",
            rule="an imaging date not known to the day",
            value="DTC",
            action=action,
        )
        for rows, action in (
            (
                imprecise.filter(pl.col("date").is_not_null()),
                "dated from its visit, else the earliest day possible",
            ),
            (imprecise.filter(pl.col("date").is_null()), "assessment left out"),
        )
    )
    tr = tr.filter(pl.col("date").is_not_null()).drop("_complete", "_earliest")
    day = (pl.col("date") - pl.col("RANDDT")).dt.total_days()
    early = (day <= 0).any().over("_who")
    dosed = (pl.col("TRTSDT") - pl.col("RANDDT")).dt.total_days().fill_null(0)
    baseline = day <= pl.when(early).then(0).otherwise(dosed)
    return tr.with_columns(day=day.cast(pl.Int64), baseline=baseline), found


def _classified(tr: pl.DataFrame, sdtm: Sdtm, words: Tumour) -> pl.DataFrame:
    """Target, non-target or new, and the place: as TR says, else as TU identified the lesion."""
    tu = sdtm.get("TU", pl.DataFrame(schema={"USUBJID": pl.String}))
    identified = (
        tu.select(
            "USUBJID",
            reader(tu, "TU").alias("reader"),
            text(tu, "TULNKID").alias("LNKID"),
            text(tu, "TUSTRESC").alias("_kind"),
            text(tu, "TULOC").alias("_place"),
        )
        .drop_nulls("LNKID")
        .unique(["USUBJID", "reader", "LNKID"], keep="first", maintain_order=True)
    )
    kinds = {word: kind for kind, given in _kinds(words).items() for word in given}
    tr = tr.join(identified, on=["USUBJID", "reader", "LNKID"], how="left", maintain_order="left")
    said = pl.col("GRPID").replace_strict(kinds, default=None, return_dtype=pl.String)
    known = pl.col("_kind").replace_strict(kinds, default=None, return_dtype=pl.String)
    organ = pl.coalesce("_place", "LOC")
    nodal, here = (
        place.is_in(list(words.nodal_locations)).fill_null(False)
        for place in (organ, pl.coalesce("LOC", "_place"))
    )
    return tr.with_columns(kind=pl.coalesce(said, known), organ=organ, nodal=nodal, _nodal_here=here).drop(
        "_kind", "_place", "LOC"
    )


def _kinds(words: Tumour) -> dict[str, tuple[str, ...]]:
    return {"TARGET": words.target, "NON-TARGET": words.non_target, "NEW": words.new}


def _targets(tr: pl.DataFrame, words: Tumour) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The diameters of the target lesions: of several tests of one day the one that the rules want.

    A state written in a row of its own (too small, split, treated …) goes with the diameters of that visit,
    or stands for them. The parts of a split lesion are rows of one test: all are kept.
    """
    spoken = pl.coalesce("STRESC", "ORRES").str.to_uppercase()
    state = spoken.replace_strict({**TARGET_STATES, **words.states}, default=None, return_dtype=pl.String)
    said = pl.col("TESTCD").is_in(list(words.state))
    rows = tr.filter((pl.col("kind") == "TARGET") & pl.col("LNKID").is_not_null()).with_columns(
        state=pl.when(pl.col("STAT") == "NOT DONE").then(pl.lit("not_evaluable")).otherwise(state),
        _rank=pl.coalesce(
            _rank("nodal", words), pl.when(said).then(len(words.diameter) + len(words.nodal_diameter))
        ),
        _said=said.fill_null(False),
    )
    rows = rows.with_columns(placed(rows, ["LNKID"], within=rows["_visit"]).alias("_lesion"))
    here = _chosen_here(rows, words)
    rows = rows.filter(pl.col("_rank").is_not_null())
    best = rows.filter(pl.col("_rank") == pl.col("_rank").min().over("_lesion", "day"))
    spoken_apart = (
        rows.filter(pl.col("_said")).group_by("_lesion").agg(_apart=pl.col("state").drop_nulls().min())
    )
    best = (
        best.join(spoken_apart, on="_lesion", how="left", maintain_order="left")
        .join(here, on=["_lesion", "day"], how="left", maintain_order="left")
        .with_columns(state=pl.coalesce("state", "_apart"))
    )
    odd = best.filter(
        (pl.col("number").is_null() & pl.col("state").is_null()) | (pl.col("number") < 0).fill_null(False)
    )
    frame = best.select(
        *_VISIT, "day", "LNKID", "number", "nodal", "organ", "state", "baseline", "SRCSEQ", "here_mm"
    ).rename({"LNKID": "lesion", "number": "diameter_mm"})
    return frame, _odd(odd, "a target lesion without a usable diameter")


def _rank(nodal: str, words: Tumour) -> pl.Expr:
    """The place of a row's test among those that the rules want of a node, or of what is none."""
    of_node, of_other = (
        pl.col("TESTCD").replace_strict(
            {test: i for i, test in enumerate(tests)}, default=None, return_dtype=pl.Int64
        )
        for tests in (words.nodal_diameter, words.diameter)
    )
    return pl.when(nodal).then(of_node).otherwise(of_other)


def _chosen_here(rows: pl.DataFrame, words: Tumour) -> pl.DataFrame:
    """``here_mm``: the diameter for the place that the scan writes, where that makes or unmakes a node."""
    moved = rows.filter(pl.col("nodal") != pl.col("_nodal_here")).with_columns(
        _rank=_rank("_nodal_here", words)
    )
    return (
        moved.drop_nulls("_rank")
        .sort("_rank", "SRCSEQ")
        .unique(["_lesion", "day"], keep="first", maintain_order=True)
        .select("_lesion", "day", here_mm="number")
    )


def _states(tr: pl.DataFrame, kind: str, words: dict[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row per lesion and scan, its state in the rules' words; an unknown word is a finding and null."""
    spoken = pl.coalesce("STRESC", "ORRES").str.to_uppercase()
    rows = tr.filter(pl.col("kind") == kind).with_columns(
        state=pl.when(pl.col("STAT").ne_missing("NOT DONE")).then(
            spoken.replace_strict(words, default=None, return_dtype=pl.String)
        ),
        spoken=spoken,
    )
    if kind == "NEW":
        rows = rows.with_columns(state=_new_state())
    odd = rows.filter(pl.col("state").is_null() & pl.col("STAT").ne_missing("NOT DONE"))
    if kind == "NEW":
        rows = rows.with_columns(state=pl.col("state").fill_null("EQUIVOCAL"))
    frame = rows.select(*_VISIT, "day", pl.col("LNKID").alias("lesion"), "state", "baseline", "SRCSEQ")
    return frame, _odd(odd, f"a {kind.lower()} lesion in a state that no rule knows")


def _new_state() -> pl.Expr:
    """A new lesion that has a size is there; one that was unequivocal and has gone was new all the same."""
    measured = pl.when(pl.col("number") > 0).then(pl.lit("UNEQUIVOCAL"))
    state = pl.coalesce("state", measured)
    seen = pl.col("day").filter(state == "UNEQUIVOCAL").min().over("USUBJID", "reader", "LNKID")
    gone = (pl.col("spoken") == "ABSENT") & (pl.col("day") > seen) & pl.col("LNKID").is_not_null()
    return pl.when(gone).then(pl.lit("UNEQUIVOCAL")).otherwise(state)


def _odd(rows: pl.DataFrame, rule: str) -> pl.DataFrame:
    return findings(
        rows.rename({"SRCSEQ": "TRSEQ"}),
        dataset="TR",
        key=["USUBJID", "TRSEQ"],
        variable="TRSTRESC",
        rule=rule,
        value=pl.coalesce("STRESC", "ORRES"),
        action="not evaluable at this assessment",
    )
