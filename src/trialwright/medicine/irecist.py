"""iRECIST (Seymour et al., Lancet Oncol 2017;18:e143-e152): progression to be confirmed. Exploratory.

A second reading of the same time points: the first RECIST progression is unconfirmed (iUPD) and either
confirmed by further growth (iCPD), or set aside by shrinkage, after which progression has to come and be
confirmed anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.medicine._frame import require, require_words, steps

FURTHER_MM: Final = 5.0  # growth of a sum that confirms, of target or of measured new lesions
RESPONSES: Final = ("iCR", "iPR", "iSD", "NON-iCR/NON-iUPD", "NED", "iUPD", "iCPD", "NE")  # best first
_OF_RECIST: Final = {
    "CR": "iCR",
    "PR": "iPR",
    "SD": "iSD",
    "NON-CR/NON-PD": "NON-iCR/NON-iUPD",
    "NED": "NED",
    "NE": "NE",
    "PD": "iUPD",
}
CONFIRMING: Final = ("target_grew", "non_target_grew", "new_grew", "other_pd")
_GROWTH: Final = ("non_target_worse", "new_worse")


@dataclass(frozen=True, slots=True)
class Policy:
    """``confirm_min_days``: an assessment sooner after the first iUPD does not confirm it (four weeks)."""

    confirm_min_days: int = 28


DEFAULT: Final = Policy()


def course(time_points: pl.DataFrame, policy: Policy = DEFAULT) -> pl.DataFrame:
    """The iRECIST response of each time point, in order.

    Takes subject, assessor, day, target_response, non_target_response, new_lesion and overall_response (as
    ``recist.time_points`` gives them), sum_mm of the targets, and of what was recorded: non_target_worse
    and new_worse (unequivocally larger than at the assessment before), n_new (new lesions known by now) and
    new_sum_mm (of those measured).

    Gives one row per time point: subject, assessor, day, response (null after iCPD), iupd_day (first day of
    the iUPD that is pending or confirmed) and rule: recist (as RECIST has it), first_pd, pending (no further
    growth, or too soon), reset (an iUPD set aside), target_grew, non_target_grew, new_grew or other_pd
    (confirmed, the last by progression where there had been none), after_icpd.
    """
    needed = ["subject", "assessor", "day", "target_response", "non_target_response", "new_lesion"]
    require(time_points, [*needed, "overall_response", "sum_mm"], "time_points")
    require_words(time_points, "overall_response", _OF_RECIST, "time_points")
    rows = _recorded(time_points.filter(pl.col("day").is_not_null())).sort("subject", "assessor", "day")
    return _walk(rows, policy).select("subject", "assessor", "day", "response", "iupd_day", "rule")


def best(course: pl.DataFrame) -> pl.DataFrame:
    """The best iRECIST response (iBOR) up to iCPD and its day: one row per subject and assessor."""
    require(course, ["subject", "assessor", "day", "response"], "course")
    rank = pl.col("response").replace_strict(RESPONSES, range(len(RESPONSES)), return_dtype=pl.Int8)
    return (
        course.filter(pl.col("response").is_not_null())
        .sort("subject", "assessor", rank, "day")
        .unique(["subject", "assessor"], keep="first", maintain_order=True)
        .select("subject", "assessor", "day", best_response="response")
    )


def _recorded(time_points: pl.DataFrame) -> pl.DataFrame:
    kinds = {**dict.fromkeys(_GROWTH, pl.Boolean()), "n_new": pl.Int64(), "new_sum_mm": pl.Float64()}
    given = [
        (pl.col(name) if name in time_points.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in kinds.items()
    ]
    new = pl.col("new_lesion").fill_null(False)
    return time_points.with_columns(
        *given,
        target_pd=pl.col("target_response").eq_missing("PD"),
        non_target_pd=pl.col("non_target_response").eq_missing("PD"),
        new_pd=new,
        sum_mm=pl.col("sum_mm").cast(pl.Float64),
    ).with_columns(
        pl.col(*_GROWTH).fill_null(False),
        n_new=pl.coalesce("n_new", new.cast(pl.Int64)),
    )


@dataclass(slots=True)
class _State:
    """What is known of each patient before an assessment, one array per fact."""

    pending: npt.NDArray[np.bool_]  # an iUPD has come and was not set aside
    confirmed: npt.NDArray[np.bool_]
    since: npt.NDArray[np.int64]  # day of the first iUPD
    size: npt.NDArray[np.float64]  # sums of targets and of new lesions on that day
    n_new: npt.NDArray[np.int64]  # at the last progression
    had: npt.NDArray[np.bool_]  # which of target, non-target and new lesions have progressed

    @classmethod
    def of(cls, n: int) -> _State:
        no, zero = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.int64)
        return cls(
            no, no.copy(), zero, np.full((n, 2), np.nan), zero.copy(), np.zeros((n, 3), dtype=np.bool_)
        )


def _walk(rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Walks all patients at once, one time point of each at a time, for confirmation depends on the past."""
    facts = {
        "pd": rows.select("target_pd", "non_target_pd", "new_pd").to_numpy().astype(np.bool_),
        "size": rows.select("sum_mm", "new_sum_mm").to_numpy().astype(np.float64),
        "n_new": rows["n_new"].to_numpy(),
        "worse": rows.select(_GROWTH).to_numpy().astype(np.bool_),
        "day": rows["day"].to_numpy(),
        "evaluable": (rows["overall_response"] != "NE").to_numpy(),
    }
    patient = rows.select(p=pl.struct("subject", "assessor").rle_id())["p"]
    state, patients = _State.of(patient.n_unique()), patient.to_numpy()
    rule, first = np.empty(rows.height, dtype=object), np.empty(rows.height, dtype=np.int64)
    for step in steps(patient):
        now = {name: values[step] for name, values in facts.items()}
        rule[step], first[step] = _next(state, patients[step], now, policy)
    return rows.with_columns(
        rule=pl.Series(rule, dtype=pl.String), iupd_day=pl.Series(first).replace(-1, None)
    ).with_columns(response=_response())


def _next(
    state: _State, who: npt.NDArray[np.int64], now: dict[str, npt.NDArray[Any]], policy: Policy
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """The rule and the day of the pending iUPD (or -1) at one time point of each; moves the state on."""
    progressing, pending, over = now["pd"].any(axis=1), state.pending[who], state.confirmed[who]
    late = now["day"] - state.since[who] >= policy.confirm_min_days
    word = np.where(progressing, "first_pd", "recist").astype(object)
    word[pending & progressing] = "pending"
    word[pending & ~progressing & now["evaluable"]] = "reset"
    for reason, holds in _reasons(state, who, now):
        word[pending & late & holds] = reason
    starts, ends = word == "first_pd", np.isin(word, CONFIRMING)
    state.since[who] = np.where(starts, now["day"], state.since[who])
    state.size[who] = np.where(starts[:, None], now["size"], state.size[who])
    state.n_new[who] = np.where(progressing, now["n_new"], state.n_new[who])
    state.had[who] = now["pd"] | (state.had[who] & pending[:, None])
    state.pending[who] = (pending | starts) & (word != "reset")
    state.confirmed[who] = over | ends
    return np.where(over, "after_icpd", word), np.where(state.pending[who] & ~over, state.since[who], -1)


def _reasons(
    state: _State, who: npt.NDArray[np.int64], now: dict[str, npt.NDArray[Any]]
) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """What may confirm, the stronger last: growth of what has progressed and still does, or elsewhere."""
    again = now["pd"] & state.had[who]
    grown = np.greater_equal(np.round(now["size"] - state.size[who], 6), FURTHER_MM)
    more = now["n_new"] > state.n_new[who]
    return [
        ("other_pd", (now["pd"] & ~state.had[who]).any(axis=1)),
        ("new_grew", (grown[:, 1] | now["worse"][:, 1] | more) & again[:, 2]),
        ("non_target_grew", now["worse"][:, 0] & again[:, 1]),
        ("target_grew", grown[:, 0] & again[:, 0]),
    ]


def _response() -> pl.Expr:
    return (
        pl.when(pl.col("rule") == "after_icpd")
        .then(None)
        .when(pl.col("rule").is_in(list(CONFIRMING)))
        .then(pl.lit("iCPD"))
        .otherwise(pl.col("overall_response").replace_strict(_OF_RECIST))
    )
