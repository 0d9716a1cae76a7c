"""The doors of the simulator: a scenario out of a study folder, and SDTM into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import ValidationError

from trialwright.simulate.scenario import Scenario
from trialwright.standards import variables
from trialwright.standards.errors import InputError
from trialwright.standards.files import write_dataset_json, write_parquet, write_xpt
from trialwright.study.model import Study

Format = Literal["xpt", "parquet", "json"]


def scenario(study: Study, name: str = "rehearsal") -> Scenario:
    """The scenario of that name. Raises InputError naming those there are, or every key at fault."""
    if name not in study.scenarios:
        known = ", ".join(sorted(study.scenarios)) or "none"
        raise InputError(f"study {study.study.id} has no scenario {name!r} (there is: {known})")
    try:
        return Scenario.model_validate(study.scenarios[name])
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise InputError(f"scenarios/{name}.toml: {'; '.join(faults)}") from error


def write(folder: Path, domains: Mapping[str, pl.DataFrame], format: Format = "xpt") -> tuple[Path, ...]:
    """One file per domain, lower-case names; the same frames give the same bytes. The folder must exist."""
    written = []
    for name, frame in domains.items():
        path = folder / f"{name.lower()}.{format}"
        dictionary = variables.dataset(name)
        labels = {column: dictionary.labels.get(column, column) for column in frame.columns}
        if format == "xpt":
            write_xpt(frame, path, name, dictionary.label, labels)
        elif format == "parquet":
            write_parquet(frame, path)
        else:
            write_dataset_json(frame, path, name, dictionary.label, labels)
        written.append(path)
    return tuple(written)
