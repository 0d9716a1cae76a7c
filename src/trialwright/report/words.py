"""Every word of the report that comes neither from the study nor from the data: ``languages/<code>.toml``.

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
def words(code: str) -> Mapping[str, str]:
    """The words of a language by key; English for a language that has no file here."""
    known = code if code in LANGUAGES else LANGUAGES[0]
    text = files("trialwright.report").joinpath("languages", f"{known}.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))
