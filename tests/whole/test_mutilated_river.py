"""Bad data never crash: a rehearsed trial with columns and domains lost, words garbled and rows doubled is still built."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from trialwright import pipeline
from trialwright.simulate import doors
from trialwright.simulate.rehearse import rehearse
from trialwright.standards.errors import InputError
from trialwright.study import load

STUDY = load.folder("tarlanec")
GARBAGE = ("", "x", "NaN", "2026-13-45", "9999", "-1", "<5", "2026", "--02-13", "ÿé", "0", "1e400", "Y")
NUMBERS = (None, -1.0, 0.0, 1e9)
KEPT = ("STUDYID", "USUBJID")


@pytest.fixture(scope="module")
def domains() -> Mapping[str, pl.DataFrame]:
    study = load.load(STUDY)
    return rehearse(study, doors.scenario(study), 30, 3)


def _mutilated(domains: Mapping[str, pl.DataFrame], chance: random.Random) -> dict[str, pl.DataFrame]:
    hurt = dict(domains)
    for _ in range(chance.randint(1, 6)):
        name = chance.choice(list(hurt))
        frame = hurt[name]
        column = chance.choice([c for c in frame.columns if c not in KEPT])
        some = pl.Series([chance.random() < 0.3 for _ in range(frame.height)], dtype=pl.Boolean)
        said = pl.lit(chance.choice(NUMBERS if frame.schema[column].is_numeric() else GARBAGE))
        match chance.randint(0, 5):
            case 0 if name != "DM":
                del hurt[name]
            case 1:
                hurt[name] = frame.drop(column)
            case 2 if name != "DM":
                hurt[name] = frame.clear()
            case 3:
                hurt[name] = pl.concat([frame, frame.head(5)])
            case 4:
                hurt[name] = frame.with_columns(
                    pl.col(column).cast(pl.String).shuffle(seed=chance.randint(0, 99))
                )
            case _:
                spoiled = pl.when(some).then(said.cast(pl.String)).otherwise(pl.col(column).cast(pl.String))
                hurt[name] = frame.with_columns(spoiled.alias(column))
    return hurt


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_a_mutilated_trial_is_built_or_refused_in_a_sentence(
    domains: Mapping[str, pl.DataFrame], tmp_path: Path, seed: int
) -> None:
    for name, frame in _mutilated(domains, random.Random(seed)).items():
        frame.write_parquet(tmp_path / f"{name.lower()}.parquet")
    built = _built(tmp_path)
    if isinstance(built, InputError):
        assert str(built)
    else:
        assert built.results.filter(pl.col("value").is_null() & pl.col("note").is_null()).height == 0
        assert len(built.report) > 10_000


def _built(folder: Path) -> pipeline.Built | InputError:
    try:
        return pipeline.build(pipeline.Inputs(STUDY, folder), dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    except InputError as refused:
        return refused
