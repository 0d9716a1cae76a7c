"""What the values of a study share: frozen models, ids, labels in several languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

Id = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.\-]*$")]
Paramcd = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,7}$")]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


def _as_languages(value: object) -> object:
    return {"en": value} if isinstance(value, str) else value


def _frozen_mapping(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(value))


def _listed(value: object) -> object:
    """A single word stands for a list of one."""
    return (value,) if isinstance(value, str | int | float) else value


Label = Annotated[
    Mapping[str, str],
    BeforeValidator(_as_languages),
    AfterValidator(_frozen_mapping),
    PlainSerializer(dict),
]
"""Words by language; a bare text is English."""

Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Where = Annotated[Mapping[str, Words], AfterValidator(_frozen_mapping), PlainSerializer(dict)]
Texts = Annotated[Mapping[str, str], AfterValidator(_frozen_mapping), PlainSerializer(dict)]
