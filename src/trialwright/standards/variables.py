"""The dictionary of datasets: their variables in order, labels, types, keys (the grain) and codelists.

The tables beside this file are the dictionary; nothing here knows a variable by name. Of SDTM they hold
what the domains of an oncology trial commonly carry, not all that SDTMIG 3.4 allows, and of the codelists
only what the standard fixes and our checks use.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from importlib.resources import files as resources
from typing import Final

import polars as pl

DTYPES: Final[Mapping[str, pl.DataType]] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """``key`` is the place in the dataset's key, None outside it; ``length`` is in bytes."""

    name: str
    label: str
    type: str
    key: int | None = None
    codelist: str | None = None
    length: int | None = None
    required: bool = False

    @property
    def dtype(self) -> pl.DataType:
        return DTYPES[self.type]


@dataclasses.dataclass(frozen=True, slots=True)
class Dataset:
    """One row per combination of ``keys``."""

    name: str
    label: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]

    @property
    def labels(self) -> dict[str, str]:
        """Label by variable, as a transport file wants them."""
        return {variable.name: variable.label for variable in self.variables}

    @property
    def schema(self) -> pl.Schema:
        return pl.Schema({variable.name: variable.dtype for variable in self.variables})


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """What the numeric results of some tests may be, bounds included; ``whole``: whole numbers only.

    Tests are told by patterns over the test code, and by a part of the category's name where there is one.
    """

    category: str
    testcd: str
    excepted: str
    low: float | None
    high: float | None
    whole: bool

    @property
    def words(self) -> str:
        most = "" if self.high is None else f" to {self.high:g}"
        return f"{'' if self.low is None else f'{self.low:g}'}{most or ' or more'}"


@cache
def datasets(standard: str) -> Mapping[str, Dataset]:
    """All datasets of ``sdtm`` or ``adam`` by name; every supplemental one is the one called ``SUPP``."""
    rows = _table(standard).partition_by("dataset", as_dict=True, maintain_order=True)
    labels = dict(_table("datasets").filter(standard=standard).select("dataset", "label").iter_rows())
    return {str(name): _dataset(str(name), labels[str(name)], part) for (name,), part in rows.items()}


def dataset(name: str) -> Dataset:
    """The dataset of that name in either standard. Raises KeyError where the dictionary has none."""
    for standard in ("sdtm", "adam"):
        if found := datasets(standard).get("SUPP" if name.startswith("SUPP") else name):
            return dataclasses.replace(found, name=name)
    raise KeyError(f"the dictionary has no dataset {name}")


@cache
def codelist(name: str) -> tuple[str, ...]:
    """The submission values of a codelist. Raises KeyError where the dictionary has none."""
    values = tuple(_table("codelists").filter(codelist=name)["value"])
    if not values:
        raise KeyError(f"the dictionary has no codelist {name}")
    return values


@cache
def answers(domain: str) -> Mapping[str, str]:
    """Codelist of the standardised result by test code, for the tests of a domain whose answers are fixed."""
    return dict(_table("answers").filter(dataset=domain).select("testcd", "codelist").iter_rows())


@cache
def limits(domain: str) -> tuple[Limit, ...]:
    """Limits of a domain's numeric results; none for most."""
    return tuple(_limit(row) for row in _table("limits").filter(dataset=domain).iter_rows(named=True))


def keyed(frame: pl.DataFrame, definition: Dataset | str) -> pl.DataFrame:
    """The frame with its grain proved, types cast and columns in the dictionary's order; others come last.

    Rows keep their order. Raises ValueError for a missing key column, a key used twice, or a value its type
    cannot hold: our mistakes.
    """
    definition = dataset(definition) if isinstance(definition, str) else definition
    if missing := [key for key in definition.keys if key not in frame.columns]:
        raise ValueError(f"{definition.name} has no {', '.join(missing)}, part of its key")
    if not _surely_unique(frame, definition.keys):
        twice = frame.filter(pl.struct(definition.keys).is_duplicated())
        if twice.height:
            first = ", ".join(f"{key}={twice.item(0, key)}" for key in definition.keys)
            raise ValueError(f"{definition.name} has more than one row of {first} ({twice.height} such rows)")
    known = [variable for variable in definition.variables if variable.name in frame.columns]
    cast = pl.DataFrame([_cast(frame[variable.name], variable, definition.name) for variable in known])
    return cast.hstack(frame.drop(cast.columns).get_columns())


def _surely_unique(frame: pl.DataFrame, keys: tuple[str, ...]) -> bool:
    """Rows of different hashes are different, and hashes are compared in a quarter of the time."""
    if not keys:
        return True
    hashes = frame.select(pl.sum_horizontal(pl.col(key).hash(place) for place, key in enumerate(keys)))
    return hashes.to_series().n_unique() == frame.height


def _cast(values: pl.Series, variable: Variable, dataset: str) -> pl.Series:
    try:
        cast = values.cast(variable.dtype)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{dataset}.{variable.name} has a value that is no {variable.type}") from error
    if variable.type == "integer" and values.dtype.is_float() and (cast != values).any():
        raise ValueError(f"{dataset}.{variable.name} has a value that is no {variable.type}")
    return cast


def _table(name: str) -> pl.DataFrame:
    text = (resources("trialwright.standards") / "tables" / f"{name}.csv").read_bytes()
    return pl.read_csv(text, infer_schema=False)


def _dataset(name: str, label: str, rows: pl.DataFrame) -> Dataset:
    variables = tuple(_variable(row) for row in rows.iter_rows(named=True))
    keys = sorted((variable.key, variable.name) for variable in variables if variable.key)
    return Dataset(name, label, tuple(key for _, key in keys), variables)


def _variable(row: Mapping[str, str | None]) -> Variable:
    key, length = row["key"], row.get("length")
    return Variable(
        name=row["variable"] or "",
        label=row["label"] or "",
        type=row["type"] or "",
        key=int(key) if key else None,
        codelist=row["codelist"],
        length=int(length) if length else None,
        required=row.get("core") == "req",
    )


def _limit(row: Mapping[str, str | None]) -> Limit:
    low, high = row["low"], row["high"]
    return Limit(
        category=row["category"] or "",
        testcd=row["testcd"] or "",
        excepted=row["except"] or "$^",
        low=float(low) if low else None,
        high=float(high) if high else None,
        whole=row["whole"] == "Y",
    )
