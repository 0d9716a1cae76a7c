"""ADQS: questionnaire scales by form and scheduled visit, with their change from baseline.

Key USUBJID, PARAMCD, ADT, SRCSEQ: one row per form and scale; SRCSEQ is the form's first record. A form is
what a subject answered of an instrument in a day. Baseline is the last valid form on or before randomisation
and at most ``baseline_days_before`` earlier; failing that the last before the first dose, as RULE says. A
form belongs to the nearest visit of the schedule, within half the interval to its neighbours; of several the
closest to the day, then the earlier; the others are UNSCHEDULED. Days count from randomisation, not from the
first dose, so that the arms compare. Dates are never imputed. A form without a single scale is not valid and
has no visit.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import polars as pl

from trialwright.adam.facts import matching, sequence
from trialwright.adam.safety_common import Sdtm, because, in_order, of_subjects, only, text
from trialwright.medicine import qlq_c30
from trialwright.standards import dates, variables
from trialwright.standards.findings import concat, findings
from trialwright.study.model import Instrument, Study, Visit
from trialwright.study.sources import InstrumentSource

SCHEMA: Final = variables.dataset("ADQS").schema

UNSCHEDULED: Final = "UNSCHEDULED"
SUMMARY: Final = "SUM"

_FORM: Final = ["USUBJID", "ADT"]
_LATE_BASELINE: Final = "baseline: last form before the first dose, for none was in time before randomisation"

_TOO_FEW: Final = "fewer than half of the items answered"
_NO_SUM: Final = "not every scale of the sum is known"


def build(study: Study, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scales of the forms dated up to the cutoff; and the answers and dates that could not be used."""
    parts, found = [pl.DataFrame(schema=SCHEMA)], []
    for instrument in study.instruments:
        frame, wrong = _instrument(study, instrument, sdtm, adsl, cutoff)
        parts.append(frame)
        found.append(wrong)
    frame = pl.concat(parts)  # each instrument's rows are in order
    if len(study.instruments) > 1:
        frame = in_order(frame, ["USUBJID", "PARAMCD"], ["ADT", "SRCSEQ"])
    return frame, concat(found)


def _answers(sdtm: Sdtm, source: InstrumentSource) -> pl.DataFrame:
    """One row per answered item: USUBJID, SEQ, item, value and when; and its run.

    A run is what stands together of one subject and time: its texts are compared and read once.
    """
    rows = matching(sdtm, source.domain, source.where)
    value = pl.col(source.value) if source.value in rows.columns else pl.lit(None, dtype=pl.String)
    return (
        rows.select(
            "USUBJID",
            sequence(rows, source.domain).alias("SEQ"),
            text(rows, source.item_variable).alias("item"),
            value.alias("value"),
            text(rows, source.date).alias("when"),
        )
        .rechunk()  # once, instead of in each step that follows
        .drop_nulls("value")
        .with_columns(run=pl.struct("USUBJID", "when").rle_id())
    )


def _instrument(
    study: Study, instrument: Instrument, sdtm: Sdtm, adsl: pl.DataFrame, cutoff: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    source = study.sources.instruments[instrument.id]
    answers = _answers(sdtm, source)
    runs = _runs(answers)
    known, strange = of_subjects(runs, adsl, ["TRT01P", "RANDDT", "TRTSDT", "TRTSDTM"], source.domain, "SEQ")
    if strange.height:
        _, strange = of_subjects(answers, adsl, [], source.domain, "SEQ")
    dated = known.filter((dates.earliest(pl.col("when")) <= cutoff).fill_null(True)).with_columns(
        ADT=dates.complete(pl.col("when")), moment=dates.datetime(pl.col("when"))
    )
    forms, of_form = _forms(dated.filter(pl.col("ADT").is_not_null()), answers)
    scores, invalid = qlq_c30.score(of_form, ["form"], source.item_prefix)
    valid = scores.group_by("form").agg(valid=pl.col("score").is_not_null().any())
    placed = _placed(study, instrument, forms.join(valid, on="form", how="left", maintain_order="left"))
    frame = _scales(scores, placed, instrument, source)
    shaped = frame.with_columns(STUDYID=pl.lit(study.study.id)).select(
        pl.col(name).cast(kind) for name, kind in SCHEMA.items()
    )
    whose = invalid.join(forms, on="form", how="left", maintain_order="left").with_columns(
        pl.col("item").str.strip_prefix(source.item_prefix)
    )
    return shaped, concat([strange, _undated(dated, source), _unusable(whose, source)])


def _runs(answers: pl.DataFrame) -> pl.DataFrame:
    """The first answer of each run; ``first``: the lowest SEQ in it."""
    lowest = answers.select(pl.col("run").set_sorted(), first="SEQ").group_by("run", maintain_order=True)
    starts = answers.filter(pl.col("run").ne_missing(pl.col("run").shift(1)))
    return starts.hstack(lowest.agg(pl.col("first").min()).select("first"))


def _forms(runs: pl.DataFrame, answers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row per form, numbered as they come; and the answers of each: form, item, value."""
    forms = (
        runs.group_by(_FORM, maintain_order=True)
        .agg(pl.col("first", "moment").min(), pl.col("TRT01P", "RANDDT", "TRTSDT", "TRTSDTM").first())
        .with_row_index("form")
    )
    used = runs.select("run", *_FORM).join(forms.select("form", *_FORM), on=_FORM).select("run", "form")
    last = pl.col("run").max().cast(pl.Int64).fill_null(-1)
    all_runs = answers.select(pl.int_range(last + 1, dtype=pl.UInt32).alias("run"))
    of_run = all_runs.join(used, on="run", how="left", maintain_order="left")["form"]
    of_form = answers.select("item", "value", form=of_run.gather(answers["run"])).drop_nulls("form")
    return forms, of_form


def _placed(study: Study, instrument: Instrument, forms: pl.DataFrame) -> pl.DataFrame:
    """The forms with ABLFL, AVISIT and AVISITN, ``baseline_form`` and ``late_baseline``."""
    visits = study.schedule.days(instrument.activity)
    chosen = _baseline(forms, instrument.baseline_days_before)
    later = [visit for visit in visits if visit.day > 0]
    first = [visit for visit in visits if visit.day <= 0][-1:] or [Visit(id="BASELINE", day=0, window=0)]
    at_baseline = pl.col("ABLFL") == "Y"
    visited = _closest(chosen, first[0], later)
    return visited.with_columns(
        AVISIT=pl.when(at_baseline)
        .then(pl.lit(first[0].id))
        .otherwise(pl.col("AVISIT").fill_null(UNSCHEDULED)),
        AVISITN=pl.when(at_baseline).then(pl.lit(first[0].day)).otherwise("AVISITN").cast(pl.Int64),
    )


def _baseline(forms: pl.DataFrame, days_before: int) -> pl.DataFrame:
    """ABLFL (section 7.3). On the day of the first dose a form answered after it is no baseline, and one that
    is later than randomisation is only if its time shows that it came before.
    """
    after_dose = (pl.col("moment") >= pl.col("TRTSDTM")) & (pl.col("ADT") == pl.col("TRTSDT"))
    day = _day_after_randomisation()
    in_time = day.is_between(-days_before, 0) & ~after_dose.fill_null(False)
    shown_before = (pl.col("ADT") == pl.col("TRTSDT")) & (pl.col("moment") < pl.col("TRTSDTM"))
    before_dose = (pl.col("ADT") < pl.col("TRTSDT")) | shown_before.fill_null(False)
    rank = pl.when(~pl.col("valid")).then(None).when(in_time).then(2).when(before_dose).then(1)
    best = (
        forms.select("USUBJID", "ADT", baseline_form="form", rank=rank)
        .filter(pl.col("rank").is_not_null())
        .sort("rank", "ADT")
        .unique("USUBJID", keep="last")
        .select("USUBJID", "baseline_form", baseline_day="ADT", late=pl.col("rank") == 1)
    )
    chosen = (pl.col("form") == pl.col("baseline_form")).fill_null(False)
    return forms.join(best, on="USUBJID", how="left", maintain_order="left").with_columns(
        ABLFL=only(chosen), late_baseline=chosen & pl.col("late")
    )


def _day_after_randomisation() -> pl.Expr:
    return (pl.col("ADT") - pl.col("RANDDT")).dt.total_days()


def _closest(forms: pl.DataFrame, baseline: Visit, later: list[Visit]) -> pl.DataFrame:
    """AVISIT and AVISITN of the later forms, where they are the one form of their visit."""
    if not later:
        return forms.with_columns(AVISIT=pl.lit(None, dtype=pl.String), AVISITN=pl.lit(None, dtype=pl.Int64))
    days = np.array([baseline.day, *(visit.day for visit in later)], dtype=np.float64)
    edges = [*(days[:-1] + days[1:]) / 2, days[-1] + (days[-1] - days[-2]) / 2]
    names = {i: visit.id for i, visit in enumerate(later, start=1)}
    numbers = {i: visit.day for i, visit in enumerate(later, start=1)}
    day = _day_after_randomisation()
    eligible = pl.col("valid") & (day > 0) & (pl.col("ADT") > pl.col("baseline_day")).fill_null(True)
    nth = pl.lit(pl.Series(edges)).search_sorted(day, side="left")
    number = pl.col("nth").replace_strict(numbers, default=None, return_dtype=pl.Int64)
    order = (
        forms.with_columns(nth=pl.when(eligible).then(nth))
        .with_columns(number=number, far=(day - number).abs())
        .sort("far", "ADT", nulls_last=True)
    )
    one = pl.col("number").is_not_null() & pl.struct("USUBJID", "nth").is_first_distinct()
    return order.with_columns(
        AVISIT=pl.when(one).then(pl.col("nth").replace_strict(names, default=None, return_dtype=pl.String)),
        AVISITN=pl.when(one).then("number"),
    ).sort("form")


def _scales(
    scores: pl.DataFrame, forms: pl.DataFrame, instrument: Instrument, source: InstrumentSource
) -> pl.DataFrame:
    """One row per form and scale, in the order of the dataset.

    ``scores`` has the scales of form 0, then of form 1 and so on: a score is found by its place.
    """
    rows = _arranged(forms)
    form, place, n_scales = rows["form"], rows["place"], len(qlq_c30.SCALES)
    its_own = scores[form * n_scales + place]
    of_form = forms.select(
        *("TRT01P", "ADT", "AVISIT", "AVISITN", "ABLFL", "baseline_form"),
        ADY=dates.study_day(pl.col("ADT"), pl.col("RANDDT")),
        ANL01FL=only(pl.col("AVISIT") != UNSCHEDULED),
        SRCSEQ="first",
        since=pl.col("ADT") > pl.col("baseline_day"),
        late=pl.col("late_baseline").cast(pl.UInt8),
    )[form]
    base = scores["score"].gather(of_form["baseline_form"] * n_scales + place)
    too_few = pl.col("AVAL").is_null().cast(pl.UInt8)
    of_sum = pl.col("PARAMCD") == SUMMARY
    return (
        rows.hstack(of_form)
        .hstack(its_own.select(AVAL="score", NITEMS="n_items", NANSWER="n_answered"))
        .with_columns(
            BASE=base,
            PARCAT1=pl.lit(instrument.id),
            SRCDOM=pl.lit(source.domain),
            SRCVAR=pl.lit(source.value),
            RULE=pl.lit(_reasons()).gather(
                3 * pl.col("late") + pl.when(of_sum).then(2 * too_few).otherwise(too_few)
            ),
        )
        .with_columns(CHG=pl.when("since").then(pl.col("AVAL") - pl.col("BASE")))
    )


def _reasons() -> pl.Series:
    """What RULE may say: each word on the baseline with each word on the score."""
    late = pl.DataFrame({"late": [None, _LATE_BASELINE]}, schema={"late": pl.String})
    few = pl.DataFrame({"few": [None, _TOO_FEW, _NO_SUM]}, schema={"few": pl.String})
    both = late.join(few, how="cross", maintain_order="left_right")
    return both.select(because(pl.col("late"), pl.col("few"))).to_series()


def _arranged(forms: pl.DataFrame) -> pl.DataFrame:
    """Each scale of each form, by subject, scale and day, with the place of the scale in ``SCALES``."""
    labels = dict(qlq_c30.scales().select("scale", "label").iter_rows()) | {"SUMMARY": "Summary score"}
    scale = pl.DataFrame({"scale": qlq_c30.SCALES}, schema={"scale": pl.String}).with_row_index("place")
    named = scale.select(
        "place",
        PARAMCD=pl.col("scale").replace({"SUMMARY": SUMMARY}),
        PARAM=pl.col("scale").replace_strict(labels, return_dtype=pl.String),
    ).sort("PARAMCD")
    of_subject = forms.sort("USUBJID", "ADT").group_by("USUBJID", maintain_order=True).agg("form")
    return of_subject.join(named, how="cross", maintain_order="left_right").explode("form")


def _undated(answers: pl.DataFrame, source: InstrumentSource) -> pl.DataFrame:
    of_form = answers.filter(pl.col("ADT").is_null()).group_by("USUBJID", "when", maintain_order=True)
    forms = of_form.agg(SEQ=pl.col("first").min())
    return findings(
        forms,
        dataset=source.domain,
        key=["USUBJID", "SEQ"],
        variable=source.date,
        rule="the day of the form is not known",
        value="when",
        action="form not used",
    )


def _unusable(invalid: pl.DataFrame, source: InstrumentSource) -> pl.DataFrame:
    return concat(
        findings(
            rows,
            dataset=source.domain,
            key=[*_FORM, "item"],
            variable=source.value,
            rule=str(reason),
            value=pl.col("value").str.strip_suffix(".0"),
            action="taken once" if reason == "answered twice alike" else "taken as not answered",
        )
        for (reason,), rows in invalid.partition_by("reason", as_dict=True, maintain_order=True).items()
    )
