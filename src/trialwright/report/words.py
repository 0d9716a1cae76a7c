"""Every word of the report that comes neither from the study nor from the data: ``languages/<code>.toml``,
and ``supporting.<code>.toml`` for what stands beside the registered outcomes. Findings are written in
English, as data are; ``findings.<code>.toml`` says them in another language.

All languages have the same keys, and the same parts in braces behind each; a test demands it. Words a data
set may bring (a response, a level of the flow) have keys that begin with the name of their list and a colon.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

LANGUAGES: Final = ("en", "fr")


@cache
def sentences(code: str) -> Mapping[str, str]:
    """What findings say, by the English sentence; none where the language is English or has no such file."""
    part = files("trialwright.report").joinpath("languages", f"findings.{code}.toml")
    found = tomllib.loads(part.read_text(encoding="utf-8")) if part.is_file() else {}
    return MappingProxyType(found)


@cache
def words(code: str) -> Mapping[str, str]:
    """The words of a language by key; English for a language that has no file here."""
    known = code if code in LANGUAGES else LANGUAGES[0]
    folder = files("trialwright.report").joinpath("languages")
    parts = (folder.joinpath(f"{part}{known}.toml") for part in ("", "supporting."))
    found = [tomllib.loads(part.read_text(encoding="utf-8")) for part in parts]
    return MappingProxyType(found[0] | found[1])
