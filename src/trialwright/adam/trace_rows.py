"""The rows of the trace: their shape, and the world that they are read from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from trialwright.adam.adrs import Responses
from trialwright.adam.lesions import Lesions

SCHEMA: Final = pl.Schema(
    {
        "USUBJID": pl.String(),
        "ORDER": pl.Int64(),
        "ENDPOINT": pl.String(),
        "KIND": pl.String(),
        "NAME": pl.String(),
        "PARQUAL": pl.String(),
        "READER": pl.String(),
        "ASSESSMENT": pl.String(),
        "AVISIT": pl.String(),
        "DATE": pl.Date(),
        "DAY": pl.Int64(),
        "VALUE": pl.String(),
        "AVAL": pl.Float64(),
        "BASE": pl.Float64(),
        "NADIR": pl.Float64(),
        "CHG": pl.Float64(),
        "PCHG": pl.Float64(),
        "CHGNAD": pl.Float64(),
        "PCHGNAD": pl.Float64(),
        "WORD": pl.String(),
        "USED": pl.String(),
        "REASON": pl.String(),
        "NOTE": pl.String(),
        "SRCDOM": pl.String(),
        "SRCVAR": pl.String(),
        "SRCSEQ": pl.Int64(),
    }
)
"""One row per fact. ENDPOINT is a PARAMCD, or empty where the fact belongs to no single endpoint; KIND and
NAME say what it is; DAY is the study day (randomisation is 1); WORD is the rule that fired; USED is Y, or N
for the REASON given; NOTE is what the dataset itself remarks. PARQUAL is an assessor of the study, READER who
read the images."""

KINDS: Final = (
    "subject",
    "stratum",
    "population",
    "date",
    "sum",
    "target",
    "non_target",
    "new",
    "response",
    "not_accepted",
    "best",
    "confirmed_by",
    "responds_from",
    "not_confirmed",
    "start",
    "candidate",
    "assessment",
    "stop",
    "absent",
    "form",
)
"""What a row of the trace may be, in the order of a story."""


@dataclass(frozen=True, slots=True)
class World:
    """What was known at a cutoff: the datasets and what they were made of."""

    adsl: pl.DataFrame
    adrs: pl.DataFrame
    adqs: pl.DataFrame
    seen: Lesions
    responses: Responses


def rows(frame: pl.DataFrame, kind: str, **columns: pl.Expr | str | None) -> pl.DataFrame:
    """Rows of the trace; a word given as text is a constant, and what is not given is null or used."""
    given: dict[str, pl.Expr] = {"USUBJID": pl.col("USUBJID"), "KIND": pl.lit(kind)}
    given |= {"USED": pl.lit("Y"), "ENDPOINT": pl.lit("")}
    given |= {
        n: pl.lit(c, dtype=pl.String) if c is None or isinstance(c, str) else c for n, c in columns.items()
    }
    return frame.select(
        given.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in SCHEMA.items()
    )


def stack(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])
