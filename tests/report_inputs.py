"""A small trial's results and datasets, written by hand, for the tests of the report."""

from __future__ import annotations

from typing import Any

import polars as pl

from drawn import table
from small import small_study
from trialwright.standards import results
from trialwright.study.model import Study

DAYS = 30.4375

READINGS = [
    {"id": "all", "label": "All randomised", "headline": True, "analyses": ["OS-ITT"], "assumes": ["A-01"]},
    {"id": "treated", "label": "As registered: treated", "analyses": ["OS-MITT"]},
]
OUTCOMES = [
    {
        "id": "OS",
        "type": "primary",
        "number": 1,
        "title": {"en": "Survival", "fr": "Survie"},
        "registered": "Overall survival",
        "readings": READINGS,
    },
    {
        "id": "RESPONSE",
        "type": "secondary",
        "number": 1,
        "title": "Response rate",
        "registered": "Response",
        "readings": [{"id": "one", "label": "Confirmed", "headline": True, "analyses": ["ORR-ITT"]}],
    },
    {
        "id": "HARM",
        "type": "secondary",
        "number": 2,
        "title": "Safety",
        "registered": "Safety",
        "readings": [{"id": "one", "label": "Treated", "headline": True, "analyses": ["AE"]}],
    },
]
ANALYSES = [
    {
        "id": "OS-ITT",
        "label": "Survival, all",
        "method": "time_to_event",
        "population": "ITT",
        "endpoint": "OS",
        "strata": ["SITE1"],
        "landmarks_months": [12],
    },
    {
        "id": "OS-MITT",
        "label": "Survival, treated",
        "method": "time_to_event",
        "population": "MITT",
        "endpoint": "OS",
    },
    {"id": "ORR-ITT", "label": "Response", "method": "proportion", "population": "ITT", "endpoint": "ORR"},
    {"id": "AE", "label": "Adverse events", "method": "toxicity", "population": "SAFETY"},
]
ASSUMPTIONS = [
    {"id": "A-01", "unknown": "The ratio", "default": "Two to one", "reason": "It fits"},
    {"id": "A-02", "unknown": "The strata", "default": "Primary site", "reason": "Nobody said"},
]

SURVIVAL = """
analysis | group  | level     | value   | note               | statistic
OS-ITT   | A      |           | 4       |                    | n
OS-ITT   | A      |           | 3       |                    | events
OS-ITT   | A      |           | 1       |                    | censored
OS-ITT   | A      |           | 243.5   |                    | median
OS-ITT   | A      |           | 121.75  |                    | median_lower
OS-ITT   | A      |           |         | not reached        | median_upper
OS-ITT   | A      | 12 months | 0.25    |                    | survival
OS-ITT   | A      | 12 months | 0.009   |                    | survival_lower
OS-ITT   | A      | 12 months | 0.665   |                    | survival_upper
OS-ITT   | B      |           | 5       |                    | n
OS-ITT   | B      |           | 1       |                    | events
OS-ITT   | B      |           | 4       |                    | censored
OS-ITT   | B      |           |         | not reached        | median
OS-ITT   | B      | 12 months | 0.8     |                    | survival
OS-ITT   | B      | DEATH     | 1       | event              | n_reason
OS-ITT   | A      | DEATH     | 3       | event              | n_reason
OS-ITT   | B vs A |           | 0.215   |                    | hazard_ratio
OS-ITT   | B vs A |           | 0.021   |                    | hazard_ratio_lower
OS-ITT   | B vs A |           | 0.945   |                    | hazard_ratio_upper
OS-ITT   | B vs A |           | 0.00004 |                    | p_logrank
OS-ITT   | Total  |           | 365.25  |                    | followup_median
OS-MITT  | A      |           | 3       |                    | n
OS-MITT  | A      |           | 0       |                    | events
OS-MITT  | A      |           | 3       |                    | censored
OS-MITT  | A      |           |         | not reached        | median
OS-MITT  | B      |           | 5       |                    | n
OS-MITT  | B      |           | 1       |                    | events
OS-MITT  | B      |           | 4       |                    | censored
OS-MITT  | B      |           |         | not reached        | median
OS-MITT  | B vs A |           |         | no events in arm A | hazard_ratio
OS-MITT  | B vs A |           | 0.4386  |                    | p_logrank
"""
RESPONSE = """
analysis | group  | level             | value | note                           | statistic
ORR-ITT  | A      |                   | 4     |                                | n
ORR-ITT  | A      |                   | 1     |                                | x
ORR-ITT  | A      |                   | 0.25  |                                | proportion
ORR-ITT  | A      |                   | 0.006 |                                | proportion_lower
ORR-ITT  | A      |                   | 0.806 |                                | proportion_upper
ORR-ITT  | A      | best response: PR | 1     |                                | n_best
ORR-ITT  | B      |                   | 5     |                                | n
ORR-ITT  | B      |                   | 2     |                                | x
ORR-ITT  | B      |                   | 0.4   |                                | proportion
ORR-ITT  | B      |                   | 0.053 |                                | proportion_lower
ORR-ITT  | B      |                   | 0.853 |                                | proportion_upper
ORR-ITT  | B      | best response: PR | 2     |                                | n_best
ORR-ITT  | B vs A |                   | 0.15  |                                | difference
ORR-ITT  | B vs A |                   | -0.46 |                                | difference_lower
ORR-ITT  | B vs A |                   | 0.65  |                                | difference_upper
ORR-ITT  | B vs A |                   | 0.65  |                                | p_cmh
ORR-ITT  | B vs A |                   |       | not defined with an empty cell | odds_ratio
"""
HARM = """
analysis | group | level                              | value | note | statistic
AE       | A     | population                         | 3     |      | n
AE       | B     | population                         | 5     |      | n
AE       | A     | any TEAE                           | 2     |      | n
AE       | B     | any TEAE                           | 5     |      | n
AE       | B     | SOC: Gastrointestinal              | 2     |      | n
AE       | A     | PT: Gastrointestinal \u2223 Nausea | 1     |      | n
AE       | B     | PT: Gastrointestinal \u2223 Nausea | 2     |      | n
AE       | B     | PT: Gastrointestinal \u2223 Nausea | 1     |      | n_grade_3
AE       | B     | CRS                                | 3     |      | n
AE       | B     | CRS                                | 2     |      | n_grade_1
AE       | A     | CRS                                | 0     |      | n
AE       | B     | death within 30 days of last dose  | 1     |      | n
"""
FLOW = """
analysis | group | level                | value | note     | statistic
FLOW     | Total | assessed             | 12    |          | n
FLOW     | Total | excluded             | 3     |          | n
FLOW     | Total | excluded: NO CONSENT | 3     |          | n
FLOW     | Total | randomised           | 9     |          | n
FLOW     | A     | randomised           | 4     |          | n
FLOW     | B     | randomised           | 5     |          | n
FLOW     | A     | treated              | 3     |          | n
FLOW     | B     | treated              | 5     |          | n
FLOW     | A     | not treated          | 1     |          | n
FLOW     | A     | not treated: DEATH   | 1     |          | n
FLOW     | A     | analysed             | 4     |          | n
FLOW     | B     | analysed             | 5     |          | n
BASELINE | A     | AGE                  | 61.5  |          | median
BASELINE | A     | AGE                  | 60    |          | q1
BASELINE | A     | AGE                  | 63.25 |          | q3
BASELINE | B     | AGE                  |       | no value | median
BASELINE | A     | SITE1: LUNG          | 4     |          | n
BASELINE | A     | SITE1: LUNG          | 100   |          | percent
BASELINE | B     | SITE1: LUNG          | 0     |          | n
BASELINE | B     | SITE1: LUNG          | 0     |          | percent
"""
TIMES = """
USUBJID | arm | AVAL | CNSR | MITTFL
A1      | A   | 100  | 0    | Y
A2      | A   | 200  | 0    | Y
A3      | A   | 243  | 0    | Y
A4      | A   | 400  | 1    | N
B1      | B   | 150  | 0    | Y
B2      | B   | 300  | 1    | Y
B3      | B   | 350  | 1    | Y
B4      | B   | 420  | 1    | Y
B5      | B   | 430  | 1    | Y
"""


def study(**changes: Any) -> Study:
    plain: dict[str, Any] = {"analyses": ANALYSES, "outcomes": OUTCOMES, "assumptions": ASSUMPTIONS}
    return small_study(**{**plain, **changes})


def written(*texts: str) -> pl.DataFrame:
    """Results from drawn tables without endpoint and population; a divides sign stands for a bar in a level."""
    rows = pl.concat([table(text) for text in texts], how="vertical_relaxed")
    blank = pl.col("group", "level", "note").cast(pl.String).fill_null("").str.replace_all("\u2223", "|")
    frame = rows.with_columns(
        blank, pl.col("value").cast(pl.Float64), endpoint=pl.lit(""), population=pl.lit("")
    )
    return frame.select(results.SCHEMA.names()).cast(dict(results.SCHEMA))


def everything() -> pl.DataFrame:
    return written(SURVIVAL, RESPONSE, HARM, FLOW)


def datasets(text: str = TIMES) -> dict[str, pl.DataFrame]:
    """ADSL and ADTTE of the drawn times."""
    drawn = table(text)
    adsl = drawn.select(
        "USUBJID",
        "MITTFL",
        TRT01P=pl.col("arm"),
        TRT01A=pl.col("arm"),
        ITTFL=pl.lit("Y"),
        SAFFL=pl.col("MITTFL"),
    )
    adtte = drawn.select("USUBJID", "AVAL", "CNSR", PARAMCD=pl.lit("OS"))
    return {"ADSL": adsl, "ADTTE": adtte}


def made(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "version": "0.1.0",
        "python": "3.11",
        "packages": {"polars": "2.1.0"},
        "created": "2027-01-31T12:00:00",
        "cutoff": "2027-01-01",
        "inputs": [{"file": "dm.xpt", "sha256": "ab" * 32, "rows": 12}],
        "study_files": {"study.toml": "cd" * 32},
        "contradictions": [
            {
                "id": "primary-1.other",
                "rule": "other",
                "quote": "at least one dose",
                "says": "Known only later.",
                "decision": "All randomised.",
                "lines": ["primary 1"],
            }
        ],
        "assumptions_used": ["A-01"],
        "command": "trialwright build small",
    }
    return plain | changes
