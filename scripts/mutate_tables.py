"""Changes every entry of the CTCAE and unit tables, one at a time, and says which no test would notice.

Run from the root: ``python scripts/mutate_tables.py``. It asks the same two hand-typed lists as the tests
(``tests/ctcae_limits.py`` and the conversions of ``tests/spec/test_ctcae_units.py``) and changes no file.
The other columns and tables, and the code, are changed by ``tests/mutate.py``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import ctcae_limits  # noqa: E402
from trialwright.medicine.ctcae import criteria  # noqa: E402
from trialwright.medicine.units import to_si, units  # noqa: E402

Row = dict[str, object]
LOOSER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
BASES = {
    "absolute": "uln",
    "uln": "lln",
    "lln": "uln",
    "baseline": "uln",
    "uln_plus": "uln",
    "baseline_plus": "uln",
}


def changes(row: Row) -> Iterator[tuple[str, Row | None]]:
    """Each change of one criterion, named; None removes it."""
    limit, grade = float(str(row["limit"])), int(str(row["grade"]))
    yield "removed", None
    yield "limit up", row | {"limit": limit * 1.001 or 0.001}
    yield "limit down", row | {"limit": limit * 0.999 or -0.001}
    yield "operator", row | {"operator": LOOSER[str(row["operator"])]}
    yield "basis", row | {"basis": BASES[str(row["basis"])]}
    yield from ((f"grade {g}", row | {"grade": g}) for g in (grade - 1, grade + 1) if 0 < g < 5)
    for word in (None, "symptomatic", "normal_baseline", "abnormal_baseline"):
        if word != row["condition"]:
            yield f"condition {word}", row | {"condition": word}


def criteria_changed(version: str) -> Iterator[tuple[str, bool]]:
    """Each change of the criteria, named, and whether a test notices it."""
    table = criteria(version)  # type: ignore[arg-type]
    rows = table.rows(named=True)
    for number, row in enumerate(rows):
        if row["basis"] == "clinical":
            continue
        for name, changed in changes(row):
            mutant = [*rows[:number], *([changed] if changed else []), *rows[number + 1 :]]
            wrong = ctcae_limits.wrong(version, pl.DataFrame(mutant, schema=table.schema), row["test"])
            said = ("test", "direction", "grade", "basis", "operator", "limit", "condition")
            yield f"CTCAE {version}: {' '.join(str(row[c]) for c in said)}: {name}", not wrong.is_empty()


def units_changed() -> Iterator[tuple[str, bool]]:
    """Each factor of each test made 0.1 % larger, and whether a test notices it."""
    spec = importlib.util.spec_from_file_location("spec_units", ROOT / "tests/spec/test_ctcae_units.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cases = module.conversions()
    packed = (
        units()
        .group_by("si_unit", "times", "over", maintain_order=True)
        .agg(pl.col("test").unique(maintain_order=True))
    )
    for factor in packed.rows(named=True):
        same = [pl.col(c) == factor[c] for c in ("si_unit", "times", "over")]
        for test in factor["test"]:
            mine = pl.all_horizontal(*same, pl.col("test") == test)
            mutant = units().with_columns(
                times=pl.when(mine).then(pl.col("times") * 1.001).otherwise("times")
            )
            found = to_si(cases, table=mutant)["si_value"]
            unmoved = ((found - cases["si"]).abs() <= 1e-9 * cases["si"]).all()
            yield f"unit: {test} x {factor['times']} / {factor['over']} {factor['si_unit']}", not unmoved


def main() -> int:
    tried = [change for version in ctcae_limits.ALL for change in criteria_changed(version)]
    tried += units_changed()
    unnoticed = [name for name, noticed in tried if not noticed]
    told = f"{len(tried)} changes: {len(tried) - len(unnoticed)} killed, {len(unnoticed)} unnoticed"
    sys.stdout.write("\n".join([*unnoticed, told, ""]))
    return bool(unnoticed)


if __name__ == "__main__":
    sys.exit(main())
