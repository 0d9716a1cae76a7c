"""Every numeric limit of the CTCAE laboratory criteria, typed by hand from the printed text, not from the tables.

One line is one situation; its steps are read from normal outwards: ``1.5>2`` means that a value beyond 1.5 is grade 2
and 1.5 itself is not; ``240=1`` means that 240 itself already is. Numbers are in SI units. ULN, LLN and baseline
are chosen round, so that each step can be checked in the head (3 x ULN 40 is 120).
"""

from __future__ import annotations

import polars as pl

from drawn import table
from trialwright.medicine.ctcae import Policy, grade_labs

SAME = """
| test   | side | lln | uln | baseline | yes | steps                           |
| HGB    | L    | 130 |     |          |     | 130>1 100>2 80>3                |
| WBC    | L    | 4   |     |          |     | 4>1 3>2 2>3 1>4                 |
| WBC    | H    |     |     |          |     | 100>3                           |
| LYM    | H    |     |     |          |     | 4>2 20>3                        |
| CD4    | L    | 0.6 |     |          |     | 0.6>1 0.5>2 0.2>3 0.05>4        |
| HAPTOG | L    | 0.3 |     |          |     | 0.3>1                           |
| APTT   | H    |     | 40  |          |     | 40>1 60>2 100>3                 |
| SODIUM | H    |     | 145 |          |     | 145>1 150>2 155>3 160>4         |
| K      | H    |     | 5   |          |     | 5>1 5.5>2 6>3 7>4               |
| K      | L    | 3.5 |     |          |     | 3.5>1 3>3 2.5>4                 |
| K      | L    | 3.5 |     |          | symptomatic | 3.5>2 3>3 2.5>4         |
| CA     | H    |     | 2.6 |          |     | 2.6>1 2.9>2 3.1>3 3.4>4         |
| CA     | L    | 2.2 |     |          |     | 2.2>1 2>2 1.75>3 1.5>4          |
| CACORR | H    |     | 2.6 |          |     | 2.6>1 2.9>2 3.1>3 3.4>4         |
| CACORR | L    | 2.2 |     |          |     | 2.2>1 2>2 1.75>3 1.5>4          |
| CAION  | H    |     | 1.3 |          |     | 1.3>1 1.5>2 1.6>3 1.8>4         |
| CAION  | L    | 1.1 |     |          |     | 1.1>1 1>2 0.9>3 0.8>4           |
| MG     | H    |     | 1.1 |          |     | 1.1>1 1.23>3 3.3>4              |
| MG     | L    | 0.7 |     |          |     | 0.7>1 0.5>2 0.4>3 0.3>4         |
| GLUC   | L    | 4   |     |          |     | 4>1 3>2 2.2>3 1.7>4             |
| ALB    | L    | 35  |     |          |     | 35>1 30>2 20>3                  |
| CHOL   | H    |     | 5   |          |     | 5>1 7.75>2 10.34>3 12.92>4      |
| TRIG   | H    |     | 1.5 |          |     | 1.71=1 3.42>2 5.7>3 11.4>4      |
| CREAT  | H    |     | 100 |          |     | 100>1 150>2 300>3 600>4         |
| FIBRINO | L   | 4   |     |          |     | 4>1 3>2 2>3 1>4                 |
| FIBRINO | L   | 1   |     |          |     | 1>1 0.75>2 0.5>4                |
"""

V5 = """
| test   | side | lln | uln | baseline | yes | steps                           |
| NEUT   | L    | 2   |     |          |     | 2>1 1.5>2 1>3 0.5>4             |
| LYM    | L    | 1.1 |     |          |     | 1.1>1 0.8>2 0.5>3 0.2>4         |
| PLAT   | L    | 150 |     |          |     | 150>1 75>2 50>3 25>4            |
| HGB    | H    |     | 170 |          |     | 170>1 190>2 210>3               |
| HGB    | H    |     | 170 | 180      |     | 170>1 190>2 210>3               |
| ALT    | H    |     | 40  | 10       |     | 40>1 120>2 200>3 800>4          |
| ALT    | H    |     | 40  | 50       |     | 75=1 150>2 250>3 1000>4         |
| AST    | H    |     | 40  | 10       |     | 40>1 120>2 200>3 800>4          |
| AST    | H    |     | 40  | 50       |     | 75=1 150>2 250>3 1000>4         |
| ALP    | H    |     | 100 | 30       |     | 100>1 250>2 500>3 2000>4        |
| ALP    | H    |     | 100 | 120      |     | 240=1 300>2 600>3 2400>4        |
| GGT    | H    |     | 100 | 30       |     | 100>1 250>2 500>3 2000>4        |
| GGT    | H    |     | 100 | 120      |     | 240=1 300>2 600>3 2400>4        |
| BILI   | H    |     | 20  | 5        |     | 20>1 30>2 60>3 200>4            |
| BILI   | H    |     | 20  | 30       |     | 30>1 45>2 90>3 300>4            |
| CREAT  | H    |     | 100 | 50       |     | 75>2 150>3 600>4                |
| CREAT  | H    |     | 100 | 250      |     | 100>1 150>2 300>3 600>4         |
| FIBRINO | L   | 4   |     | 3.9      |     | 4>1 3>2 2>3 1>4                 |
| LIPASE | H    |     | 100 |          |     | 100>1 150>2 500>3               |
| LIPASE | H    |     | 100 |          | symptomatic | 100>1 150>2 200>3 500>4 |
| AMYLASE | H   |     | 100 |          |     | 100>1 150>2 500>3               |
| AMYLASE | H   |     | 100 |          | symptomatic | 100>1 150>2 200>3 500>4 |
| INR    | H    |     |     | 0.5      |     | 1.2>1 1.5>2 2.5>3               |
| INR    | H    |     |     | 0.8      | on_anticoagulant | 0.8>1 1.2>2 2>3    |
| SODIUM | L    | 135 |     |          |     | 135>1 130>2 125>3 120>4         |
| SODIUM | L    | 135 |     |          | symptomatic | 135>1 130>3 120>4       |
| URATE  | H    |     | 400 |          |     | 400>1                           |
| URATE  | H    |     | 400 |          | symptomatic | 400>3                   |
| CK     | H    |     | 200 |          |     | 200>1 500>2 1000>3 2000>4       |
| LDH    | H    |     | 250 |          |     | 250>1                           |
"""

V4 = """
| test   | side | lln | uln | baseline | yes | steps                           |
| NEUT   | L    | 2   |     |          |     | 2>1 1.5>2 1>3 0.5>4             |
| LYM    | L    | 1.1 |     |          |     | 1.1>1 0.8>2 0.5>3 0.2>4         |
| PLAT   | L    | 150 |     |          |     | 150>1 75>2 50>3 25>4            |
| HGB    | H    |     | 170 | 100      |     | 170>1 190>2 210>3               |
| HGB    | H    |     | 170 | 180      |     | 180>1 200>2 220>3               |
| ALT    | H    |     | 40  | 10       |     | 40>1 120>2 200>3 800>4          |
| AST    | H    |     | 40  | 10       |     | 40>1 120>2 200>3 800>4          |
| ALP    | H    |     | 100 | 30       |     | 100>1 250>2 500>3 2000>4        |
| GGT    | H    |     | 100 | 30       |     | 100>1 250>2 500>3 2000>4        |
| BILI   | H    |     | 20  | 5        |     | 20>1 30>2 60>3 200>4            |
| ALT    | H    |     | 40  | 50       |     | 40>1 120>2 200>3 800>4          |
| AST    | H    |     | 40  | 50       |     | 40>1 120>2 200>3 800>4          |
| ALP    | H    |     | 100 | 120      |     | 100>1 250>2 500>3 2000>4        |
| GGT    | H    |     | 100 | 120      |     | 100>1 250>2 500>3 2000>4        |
| BILI   | H    |     | 20  | 30       |     | 20>1 30>2 60>3 200>4            |
| CREAT  | H    |     | 100 | 50       |     | 50>1 75>2 150>3 600>4           |
| CREAT  | H    |     | 100 | 250      |     | 100>1 150>2 300>3 600>4         |
| FIBRINO | L   | 1   |     | 8        |     | 8>1 6=2 4=3 2=4                 |
| FIBRINO | L   | 4   |     | 3.9      |     | 4>1 3>2 2>3 1>4                 |
| LIPASE | H    |     | 100 |          |     | 100>1 150>2 200>3 500>4         |
| AMYLASE | H   |     | 100 |          |     | 100>1 150>2 200>3 500>4         |
| INR    | H    |     | 1.1 | 0.5      |     | 1.1>1 1.65>2 2.75>3             |
| INR    | H    |     | 1.1 | 2        |     | 1.1>1 1.65>2 2.75>3             |
| INR    | H    |     | 1.1 | 0.8      | on_anticoagulant | 0.8>1 1.2>2 2>3    |
| SODIUM | L    | 135 |     |          |     | 135>1 130>3 120>4               |
| URATE  | H    |     | 400 |          |     | 400>1 590>4                     |
| URATE  | H    |     | 400 |          | symptomatic | 400>3 590>4             |
| GLUC   | H    |     | 6   |          | fasting | 6>1 8.9>2 13.9>3 27.8>4     |
| GLUC   | H    |     | 6   |          |     | 13.9>3 27.8>4                   |
| CK     | H    |     | 200 |          |     | 200>1 500>2 1000>3 2000>4       |
| PHOS   | L    | 0.9 |     |          |     | 0.9>1 0.8>2 0.6>3 0.3>4         |
"""

V6 = """
| test   | side | lln | uln | baseline | yes | steps                           |
| NEUT   | L    |     |     |          |     | 1.5>1 1>2 0.5>3 0.1>4           |
| PLAT   | L    | 150 |     |          |     | 150>1 75>2 50>3 10>4            |
| HGB    | H    |     | 170 | 100      |     | 170>1 190>2 210>3               |
| HGB    | H    |     | 170 | 180      |     | 170>1 190>2 210>3               |
| FIBRINO | L   | 4   |     | 3.9      |     | 4>1 3>2 2>3 1>4                 |
| ALT    | H    |     | 40  | 10       |     | 40>1 120>2 200>3 800>4          |
| ALT    | H    |     | 40  | 50       |     | 50=1 75>2 100>3 200>4           |
| ALT    | H    |     | 40  | 240      |     | 240=1 360>2 480>3 960>4         |
| AST    | H    |     | 40  | 10       |     | 40>1 120>2 200>3 800>4          |
| AST    | H    |     | 40  | 50       |     | 50=1 75>2 100>3 200>4           |
| AST    | H    |     | 40  | 240      |     | 240=1 360>2 480>3 960>4         |
| ALP    | H    |     | 100 | 90       |     | 100>1                           |
| ALP    | H    |     | 100 | 120      |     | 120>1                           |
| GGT    | H    |     | 100 | 30       |     | 100>1 250>2 500>3 2000>4        |
| GGT    | H    |     | 100 | 120      |     | 120=1 180>2 360>3 1200>4        |
| GGT    | H    |     | 100 | 300      |     | 300=1 450>2 900>3 3000>4        |
| BILI   | H    |     | 20  | 5        |     | 20>1 30>2 60>3 200>4            |
| BILI   | H    |     | 20  | 30       |     | 30=1 45>2 75>3 300>4            |
| CREAT  | H    | 60  | 100 | 70       |     | 100>1 150>2 300>3 600>4         |
| CREAT  | H    | 60  | 100 | 50       |     | 75>2 150>3 600>4                |
| CREAT  | H    | 60  | 100 | 250      |     | 100>1 150>2 300>3 600>4         |
| LIPASE | H    |     | 100 |          |     | 100>1 150>2 500>3               |
| LIPASE | H    |     | 100 |          | symptomatic | 100>1 150>2 300>3 500>4 |
| AMYLASE | H   |     | 100 |          |     | 100>1 150>2 500>3               |
| AMYLASE | H   |     | 100 |          | symptomatic | 100>1 150>2 200>3 500>4 |
| INR    | H    |     |     | 0.5      |     | 1.2>1 1.5>2 2.5>3               |
| INR    | H    |     |     | 0.8      | on_anticoagulant | 0.8>1 1.2>2 2>3    |
| SODIUM | L    | 135 |     |          |     | 135>1 130>2 125>3 120>4         |
| SODIUM | L    | 135 |     |          | symptomatic | 135>1 130>3 120>4       |
| URATE  | H    |     | 400 |          |     | 400>1                           |
| URATE  | H    |     | 400 |          | symptomatic | 400>3                   |
| GLUC   | H    |     | 6   |          | fasting | 6>1 8.9>2 13.9>3 27.8>4     |
| GLUC   | H    |     | 6   |          |     | 13.9>3 27.8>4                   |
| LDH    | H    |     | 250 |          |     | 250>1                           |
| HDL    | L    | 1   |     |          |     | 1>1                             |
| LDL    | H    |     | 3   |          |     | 3>1                             |
"""

# Where the limits at baseline were others than today's, each branch shows alone.
THEN = """
| test    | side | lln | uln | baseline | baseline_lln | baseline_uln | yes | steps            |
| FIBRINO | L    | 1   |     | 8        | 9            |              |     | 6=2 4=3 2=4      |
| FIBRINO | L    | 1   |     | 8        | 7            |              |     | 1>1 0.75>2 0.5>4 |
| FIBRINO | L    | 0.4 |     | 0.55     | 1            |              |     | 0.5>4            |
"""
THEN_V4 = """
| test    | side | lln | uln | baseline | baseline_lln | baseline_uln | yes | steps            |
| CREAT   | H    |     | 100 | 50       |              | 40           |     | 50>1 75>2 150>3 600>4 |
| FIBRINO | L    | 1   |     | 8        | 7            |              |     | 8>1 6=2 4=3 2=4  |
| FIBRINO | L    | 1   |     | 8        | 9            |              |     | 8>1 6=2 4=3 2=4  |
| FIBRINO | L    | 0.4 |     | 0.55     | 1            |              |     | 0.55>1 0.5>4     |
"""
THEN_V5 = """
| test    | side | lln | uln | baseline | baseline_lln | baseline_uln | yes | steps            |
| CREAT   | H    |     | 100 | 50       |              | 40           |     | 75>2 150>3 600>4 |
"""
THEN_V6 = """
| test    | side | lln | uln | baseline | baseline_lln | baseline_uln | yes | steps            |
| CREAT   | H    |     | 100 | 50       | 60           | 70           |     | 75>2 150>3 600>4 |
"""

ALL = {
    "5.0": (SAME, V5, THEN, THEN_V5),
    "4.03": (SAME, V4, THEN_V4),
    "6.0": (SAME, V6, THEN, THEN_V6),
}

# A fall counted by the value instead of the baseline (Policy.fibrinogen_abnormal); the baseline is normal.
BY_VALUE = """
| test    | side | lln | uln | baseline | yes | steps                    |
| FIBRINO | L    | 4   |     | 5        |     | 4>1 3.75=2 2.5=3 1.25=4  |
| FIBRINO | L    | 4   |     | 12       |     | 4>3 3=4                  |
"""

SI = {
    **dict.fromkeys(("NEUT", "LYM", "WBC", "PLAT", "CD4"), "10^9/L"),
    **dict.fromkeys(("ALT", "AST", "ALP", "GGT", "LDH", "CK", "LIPASE", "AMYLASE"), "U/L"),
    **dict.fromkeys(("HGB", "ALB", "FIBRINO", "HAPTOG"), "g/L"),
    **dict.fromkeys(("BILI", "CREAT", "URATE"), "umol/L"),
    "INR": "1",
    "APTT": "s",
}
_HAIR = 1e-9  # relative: far above 15 digits, far below any reported decimal


def situations(version: str) -> list[dict[str, object]]:
    return [row for drawn in ALL[version] for row in table(drawn).iter_rows(named=True)]


def _with_any_baseline(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Where no baseline is drawn for a test it must not matter: the same steps from a normal and an abnormal one."""
    matters = {(row["test"], row["side"]) for row in rows if row["baseline"] is not None}
    free = [row for row in rows if (row["test"], row["side"]) not in matters]
    limits = [(row, float(str(row["uln"] or row["lln"] or 1))) for row in free]
    return [*rows, *(row | {"baseline": limit * part} for row, limit in limits for part in (0.5, 2.0))]


def _points(situation: dict[str, object]) -> list[tuple[float, int]]:
    """(value, expected grade) just before, at and just beyond each step, from normal outwards."""
    outwards = 1 if situation["side"] == "H" else -1
    points, grade = [], 0
    for step in str(situation["steps"]).split():
        inclusive = "=" in step
        limit, beyond = step.split("=" if inclusive else ">")
        at = float(limit)
        points.append((at * (1 - outwards * _HAIR), grade))
        points.append((at, int(beyond) if inclusive else grade))
        grade = int(beyond)
        points.append((at * (1 + outwards * _HAIR), grade))
    return points


def expected(situations: list[dict[str, object]]) -> pl.DataFrame:
    """Rows for ``grade_labs`` with the column ``expected``."""
    numbers = ("lln", "uln", "baseline", "baseline_lln", "baseline_uln")
    rows = [
        {
            "subject": f"{number}",
            "test": situation["test"],
            "side": situation["side"],
            "value": value,
            "unit": SI.get(str(situation["test"]), "mmol/L"),
            "is_baseline": False,
            "expected": grade,
            **{n: situation.get(n) and float(str(situation[n])) for n in numbers},
            **{w: situation["yes"] == w for w in ("symptomatic", "on_anticoagulant", "fasting")},
        }
        for number, situation in enumerate(situations)
        for value, grade in _points(situation)
    ]
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(numbers, pl.Float64), infer_schema_length=None)


def wrong(version: str, criteria: pl.DataFrame, test: str | None = None) -> pl.DataFrame:
    """The rows (of one test) whose grade is not the expected one: empty if the criteria are right."""
    usual = _with_any_baseline(situations(version))
    by_value = table(BY_VALUE).rows(named=True) if version != "4.03" else []
    return pl.concat(
        [
            _wrong([row for row in rows if test in (None, row["test"])], criteria, policy)
            for rows, policy in ((usual, Policy()), (by_value, Policy(fibrinogen_abnormal="value")))
            if any(test in (None, row["test"]) for row in rows)
        ]
    )


def _wrong(rows: list[dict[str, object]], criteria: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    graded = grade_labs(expected(rows), criteria, policy)
    found = pl.when(pl.col("side") == "L").then(pl.col("grade_low")).otherwise(pl.col("grade_high"))
    return graded.with_columns(found=found).filter(pl.col("found").ne_missing(pl.col("expected")))
