"""What a story is made of: its value, and the one who tells it in the language of the study."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from trialwright.medicine import recist
from trialwright.report.language import Language, speak
from trialwright.study.model import Study

Row = Mapping[str, Any]
Rows = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Said:
    """A paragraph; ``label`` stands before it, ``more`` are lines of their own after it.

    ``shared``: true of every patient of the study, so a page of many says it once.
    """

    text: str
    label: str = ""
    more: tuple[str, ...] = ()
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a grid, and what is said about it beneath."""

    cells: tuple[str, ...]
    beneath: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """``aside``: on a page there is room for what is beneath a line in a last column of that head."""

    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    title: str
    blocks: tuple[Said | Grid, ...]


@dataclass(frozen=True, slots=True)
class Story:
    subject: str
    lead: tuple[str, ...]
    chapters: tuple[Chapter, ...]


@dataclass(frozen=True, slots=True)
class Teller:
    """The study and the language in which its patients' stories are told.

    ``brief``, for a page of many: of the assessors who do not count in this study only the responses, and
    not what is no event of a clock.
    """

    study: Study
    language: Language
    brief: bool = False

    def __call__(self, key: str, **parts: object) -> str:
        return self.language(key, **parts)

    def known(self, key: str, otherwise: str) -> str:
        return self.language.known(key, otherwise)

    def described(self, text: str | None) -> str:
        """What the datasets say of an event, a censoring or a leaving, in a sentence."""
        return self.language.described(text) if text else "–"

    def sentence(self, word: str | None) -> str:
        """The sentence of a rule word of RECIST with its name; a word without one stays as it is."""
        if not word:
            return ""
        said = self.known(f"sentence:{word}", recist.SENTENCES.get(word, ""))
        return f"{said} [{word}]" if said else word

    def when(self, row: Row) -> str:
        """``day 43 (2026-09-01)``; the date alone without a randomisation."""
        if row["DATE"] is None:
            return ""
        date = row["DATE"].isoformat()
        if row["DAY"] is None:
            return self("no_day", date=date)
        return self("on_day", day=self.language.number(row["DAY"]), date=date)

    def day(self, row: Row) -> str:
        return "" if row["DAY"] is None else self.language.number(row["DAY"])

    def record(self, row: Row) -> str:
        """Where it stands: ``DM.DTHDTC`` or ``TR.TRSTRESC, record 45``."""
        if not row["SRCDOM"]:
            return ""
        named = {"domain": row["SRCDOM"], "variable": row["SRCVAR"]}
        n = row["SRCSEQ"]
        return self("record", **named) if n is None else self("record_n", n=n, **named)

    def joined(self, parts: Iterable[str]) -> str:
        return self("and_more").join(parts)

    def assessor(self, id_: str) -> str:
        found = next((a for a in self.study.sources.assessors if a.id == id_), None)
        return self.study.text(found.label) if found else id_

    def arm(self, id_: str) -> str:
        return next((self.study.text(a.label) for a in self.study.arms if a.id == id_), id_)


@cache
def story_words(code: str) -> Mapping[str, str]:
    """The words of the stories in one language: ``languages/story.<code>.toml``."""
    folder = files("trialwright.report").joinpath("languages")
    text = folder.joinpath(f"story.{code}.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


def teller(study: Study, *, brief: bool = False) -> Teller:
    """In the language of the study, else in English."""
    language = speak(study.study.language, study.study.confidence)
    return Teller(study, replace(language, words={**language.words, **story_words(language.code)}), brief)
