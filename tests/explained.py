"""A drawn trial of a few patients, its trace, and their stories.

Day 0 is randomisation, 1 January 2026; scans are planned every 42 days (window 7).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl

from drawn import table
from small import small_sources, small_study
from trialwright.adam import build, trace
from trialwright.report import explain
from trialwright.report.explain_words import Story, teller
from trialwright.study.model import Study

DAY0 = dt.date(2026, 1, 1)
CUTOFF = 600
PFS = {"events": ["progression", "death"], "censor_at": "last_adequate_assessment"}
CLOCKS: list[dict[str, Any]] = [
    {"id": "OS", "label": "Overall survival", "events": ["death"], "censor_at": "last_known_alive"},
    {"id": "PFSE", "label": "Progression-free survival", "rules": "EMA_ITT", **PFS},
    {"id": "PFSF", "label": "Progression-free survival, censored", "rules": "FDA_CENSOR", **PFS},
    {"id": "DOR", "label": "Duration of response", "origin": "response", "rules": "EMA_ITT", **PFS},
]
BEST = [{"id": "ORR", "label": "Response", "confirmation": "confirmed", "success": ["CR", "PR"]}]
READERS = [
    {"id": "INV", "label": "Investigator", "where": {"EVAL": "INVESTIGATOR"}},
    {"id": "IRC", "label": "Review", "where": {"EVAL": "INDEPENDENT ASSESSOR"}, "accepted": True},
]
TTD = [{"id": "TTD", "label": "Deterioration", "instrument": "QLQ-C30", "scales": ["FA", "PA"]}]


def study(**changes: Any) -> Study:
    visits = [{"id": f"W{6 * i}", "day": 42 * i, "window": 7} for i in range(1, 15)]
    visits = [{"id": "BASELINE", "day": 0, "window": 7}, *visits]
    days = tuple(v["id"] for v in visits)
    endpoints = {"time_to_event": CLOCKS, "best_response": BEST, "deterioration": TTD}
    whole: dict[str, Any] = {
        "endpoints": endpoints,
        "schedule": {"visits": visits, "activities": {"TUMOUR": days, "PRO": days}},
        "sources": small_sources(assessors=READERS),
        "cutoff": None,
    }
    return small_study(**(whole | changes))


def day(number: int) -> str:
    return (DAY0 + dt.timedelta(days=number)).isoformat()


@dataclass(frozen=True)
class Told:
    study: Study
    trace: pl.DataFrame
    findings: pl.DataFrame

    def rows(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        frame = self.trace.filter(pl.col("KIND") == kind)
        return frame.filter(*(pl.col(name) == value for name, value in wanted.items())).to_dicts()

    def story(self, subject: str = "X", endpoint: str | None = None) -> Story:
        mine = self.trace.filter(pl.col("USUBJID") == subject)
        return explain.tell(teller(self.study), mine, self.findings, endpoint)

    def text(self, subject: str = "X", endpoint: str | None = None) -> str:
        """The story in one line, so that a test need not know where it wraps."""
        return " ".join(explain.plain(self.story(subject, endpoint)).split())


def told(
    scans: str = "",
    *,
    death: int | str | None = None,
    therapy: int | None = None,
    randomised: bool = True,
    cutoff: int = CUTOFF,
    scores: str = "",
    readings: str = "",
    **changes: Any,
) -> Told:
    """One patient X: lesions (``visit | day | lesion | value``), reported responses, fatigue by day."""
    promise = study(**changes)
    dead = day(death) if isinstance(death, int) else death
    dm = {"USUBJID": "X", "SUBJID": "7", "ARMCD": "B" if randomised else "SCRNFAIL", "SITE1": "LUNG"}
    dm |= {"ACTARMCD": dm["ARMCD"], "DTHDTC": dead, "DTHFL": "Y" if dead else None, "RFICDTC": day(-5)}
    sdtm = {
        "DM": pl.DataFrame([dm], schema_overrides={"DTHDTC": pl.String, "DTHFL": pl.String}),
        "DS": _ds(randomised),
        "VS": pl.DataFrame({"USUBJID": ["X"], "VSSEQ": [1], "VSDTC": [day(30)]}),
        "CM": _cm(therapy),
    }
    if scans:
        sdtm["TR"] = _tr(scans)
    if readings:
        sdtm["RS"] = _rs(readings)
    if scores:
        sdtm["QS"] = _qs(scores)
    last = DAY0 + dt.timedelta(days=cutoff)
    derived = build.derive(promise, sdtm, last)
    return Told(promise, trace.build(promise, sdtm, derived, last), derived.findings)


def _ds(randomised: bool) -> pl.DataFrame:
    words = [("ELIGIBILITY CRITERIA MET", -1), ("RANDOMIZED", 0)] if randomised else [("SCREEN FAILURE", -1)]
    return pl.DataFrame(
        [
            {"USUBJID": "X", "DSSEQ": i, "DSDECOD": word, "DSSCAT": None, "DSSTDTC": day(at)}
            for i, (word, at) in enumerate(words, start=1)
        ],
        schema_overrides={"DSSCAT": pl.String},
    )


def _cm(therapy: int | None) -> pl.DataFrame:
    rows = [("X", 1, "NEW ANTICANCER THERAPY", day(therapy))] if therapy is not None else []
    schema = {"USUBJID": pl.String, "CMSEQ": pl.Int64, "CMCAT": pl.String, "CMSTDTC": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _tr(drawn: str) -> pl.DataFrame:
    rows = []
    for i, row in enumerate(table(drawn).to_dicts(), start=1):
        lesion, value = str(row["lesion"]), None if row["value"] is None else str(row["value"])
        group = "NEW" if lesion.startswith("NEW") else "NON-TARGET" if lesion.startswith("NT") else "TARGET"
        eval_, _, evalid = str(row.get("reader") or "INVESTIGATOR").partition("/")
        rows.append(
            {
                "USUBJID": "X",
                "TRSEQ": i,
                "TRGRPID": group,
                "TRLNKID": lesion,
                "TRTESTCD": "LDIAM" if group == "TARGET" else "TUMSTATE",
                "TRSTRESC": value,
                "TRSTRESN": float(value) if value and value.replace(".", "").isdigit() else None,
                "TRSTAT": None if value else "NOT DONE",
                "TRLOC": "LIVER",
                "TREVAL": eval_,
                "TREVALID": evalid or None,
                "TRACPTFL": row.get("accepted"),
                "VISIT": row["visit"],
                "TRDTC": day(row["day"]),
            }
        )
    words = dict.fromkeys(("TRSTRESC", "TRSTAT", "TREVALID", "TRACPTFL"), pl.String)
    return pl.DataFrame(rows, schema_overrides={"TRSTRESN": pl.Float64, **words})


def _rs(drawn: str) -> pl.DataFrame:
    """``visit | day | response``, and where wanted ``reader`` and ``accepted``."""
    rows = []
    for i, row in enumerate(table(drawn).to_dicts(), start=1):
        eval_, _, evalid = str(row.get("reader") or "INVESTIGATOR").partition("/")
        said = {
            "RSTESTCD": "OVRLRESP",
            "RSSTRESC": row["response"],
            "RSEVAL": eval_,
            "RSEVALID": evalid or None,
        }
        where = {"RSACPTFL": row.get("accepted"), "VISIT": row["visit"], "RSDTC": day(row["day"])}
        rows.append({"USUBJID": "X", "RSSEQ": i, **said, **where})
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(("RSEVALID", "RSACPTFL"), pl.String))


def _qs(drawn: str) -> pl.DataFrame:
    """``0 1, 42 3``: on each day the same answer to the three items of fatigue."""
    rows = []
    for form in drawn.split(","):
        at, answer = form.split()
        for item in (10, 12, 18):
            rows.append(
                {
                    "USUBJID": "X",
                    "QSSEQ": len(rows) + 1,
                    "QSCAT": "EORTC QLQ-C30 V3.0",
                    "QSTESTCD": f"QLQ{item}",
                    "QSSTRESN": float(answer),
                    "QSDTC": day(int(at)),
                }
            )
    return pl.DataFrame(rows)
