"""A build with the user's dictionaries: they are used, and hashed in the record of the build."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import polars as pl

from trialwright import pipeline
from trialwright.simulate import doors
from trialwright.simulate.rehearse import rehearse
from trialwright.study import load

CREATED = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
STUDY = load.folder("tarlanec")


def test_the_dictionaries_of_a_build_are_used_and_hashed(tmp_path: Path) -> None:
    study = load.load(STUDY)
    sdtm, own = tmp_path / "sdtm", tmp_path / "own"
    for folder in (sdtm, own):
        folder.mkdir()
    doors.write(sdtm, rehearse(study, doors.scenario(study), 24, 3), "parquet")
    table = own / "terms.csv"
    table.write_text(
        "Term,SOC,Grade 1,Grade 2,Grade 3,Grade 4,Grade 5\n"
        "Fatigue,Tired disorders,x,-,-,-,-\nNausea,Gastrointestinal disorders,x,x,x,x,x\n",
        encoding="utf-8",
    )
    plain = pipeline.build(pipeline.Inputs(STUDY, sdtm), CREATED)
    built = pipeline.build(pipeline.Inputs(STUDY, sdtm, dictionary=own), CREATED)
    assert plain.made["dictionaries"] == {}
    assert built.made["dictionaries"] == {"terms.csv": hashlib.sha256(table.read_bytes()).hexdigest()}
    more = built.findings.join(plain.findings, on=built.findings.columns, how="anti", nulls_equal=True)
    assert more.filter(pl.col("rule") == "the class is not the dictionary's").height > 0
    assert more["value"].str.contains("Fatigue").all()
    assert built.results.equals(plain.results), "what was reported stays"
