"""What a build writes."""

from __future__ import annotations

import json
from pathlib import Path

from trialwright.pipeline import Built, made
from trialwright.standards import files, folders

MARK = "manifest.json"
"""The file that tells an earlier output."""


def write(built: Built, out: Path) -> None:
    """``adam/*.parquet``, ``trace.parquet``, ``results.parquet``, ``findings.csv``, ``report.html`` and
    ``manifest.json``.

    The folder is whole or not there. Raises ``InputError`` where ``out`` is something else.
    """
    folders.whole(out, lambda folder: _fill(built, folder), mark=MARK)


def _fill(built: Built, folder: Path) -> None:
    (folder / "adam").mkdir()
    for name, frame in built.datasets.items():
        files.write_parquet(frame, folder / "adam" / f"{name.lower()}.parquet")
    files.write_parquet(built.trace, folder / "trace.parquet")
    files.write_parquet(built.results, folder / "results.parquet")
    built.findings.write_csv(folder / "findings.csv")
    (folder / "report.html").write_text(built.report, encoding="utf-8")
    manifest = {**built.made, "outputs": made.hashes(folder)}
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / MARK).write_text(text + "\n", encoding="utf-8")
