"""Numbers and sentences as a reader of one language expects them.

Rounding is half away from zero on the decimal representation (R and Python round half to even), a minus is
a minus sign, and a number that is not there is never printed.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from trialwright.report.words import LANGUAGES, sentences, words

MINUS = "\u2212"
NARROW = "\u202f"  # narrow no-break space
FIXED = "\u00a0"  # no-break space


def rounded(value: float, decimals: int) -> Decimal:
    """The decimal representation, rounded half away from zero: 2.675 at 2 decimals is 2.68."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language; ``confidence`` is a part of many of them (95% CI)."""

    code: str
    words: Mapping[str, str]
    confidence: float = 0.95

    def __call__(self, key: str, **parts: object) -> str:
        """The words for ``key``; KeyError where there are none: a mistake of ours."""
        said = self.words[key]
        return said.format(**parts) if parts else said

    def known(self, key: str, otherwise: str) -> str:
        """The words for a key that may come from data, else ``otherwise``."""
        return self.words.get(key, otherwise)

    def finding(self, text: str) -> str:
        """A sentence of a finding in this language; as it is where there is none."""
        known = sentences(self.code)
        if text in known:
            return known[text]
        for pattern, said in _patterns(self.code):
            if found := pattern.fullmatch(text):
                return said.format(*(self.finding(part) for part in found.groups()))
        return text

    def described(self, text: str) -> str:
        """The words of ADTTE and of disposition for a reason, in a sentence; unknown ones in plain case."""
        if f"desc:{text}" in self.words:
            return self.words[f"desc:{text}"]
        return ", ".join(
            self.known(f"desc:{part}", in_a_sentence(plain_case(part))) for part in text.split(", ")
        )

    def number(self, value: float, decimals: int = 0) -> str:
        exact = rounded(value, decimals)
        whole, _, part = f"{abs(exact):f}".partition(".")
        sign = MINUS if exact < 0 else ""
        return sign + _thousands(whole) + (self.words["decimal"] + part if part else "")

    def percent(self, value: float, decimals: int = 1) -> str:
        """``value`` is already a percentage."""
        return self.number(value, decimals) + self.words["percent_sign"]

    def p(self, value: float) -> str:
        """The number alone: ``0.0213`` or ``<0.0001``."""
        return "<" + self.number(0.0001, 4) if value < 0.0001 else self.number(value, 4)

    def p_equals(self, value: float) -> str:
        """With its sign: ``p = 0.0213`` or ``p < 0.0001``."""
        sign = "<" if value < 0.0001 else "="
        return f"p{FIXED}{sign}{FIXED}{self.p(value).lstrip('<')}"

    def interval(self, lower: str, upper: str) -> str:
        return f"{lower} {self.words['to']} {upper}"

    @property
    def ci(self) -> str:
        level = self.number(self.confidence * 100, 0 if math.isclose(self.confidence * 100 % 1, 0) else 1)
        return self.words["ci"].format(level=level)

    def date(self, value: str | dt.date | None) -> str:
        """A date in words; a text that is no ISO date stays as it is."""
        if value is None:
            return ""
        try:
            day = value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value)[:10])
        except ValueError:
            return str(value)
        number = self.words["first_of_month"] if day.day == 1 else day.day
        return f"{number}{FIXED}{self.words['months_of_year'].split()[day.month - 1]}{FIXED}{day.year}"


@cache
def _patterns(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Sentences with parts that change, the longest first: the most particular."""
    changing = sorted((key for key in sentences(code) if "{}" in key), key=len, reverse=True)
    return tuple(
        (re.compile("(.+)".join(re.escape(piece) for piece in key.split("{}"))), sentences(code)[key])
        for key in changing
    )


def _thousands(whole: str) -> str:
    return f"{int(whole):,}".replace(",", NARROW) if len(whole) > 4 else whole


def speak(code: str, confidence: float = 0.95) -> Language:
    """The language with this code; English for one that has no words here yet."""
    known = code if code in LANGUAGES else LANGUAGES[0]
    return Language(known, words(known), confidence)


def in_a_sentence(label: str) -> str:
    """``Standard of care`` becomes ``standard of care``; ``FOLFIRI`` and ``Arm B`` stay."""
    first = label.split(" ", 1)[0]
    return label if len(first) < 2 or first[1:] != first[1:].lower() else label[0].lower() + label[1:]


def capitalised(text: str) -> str:
    """The first letter large, the others as they are."""
    return text[:1].upper() + text[1:]


def plain_case(text: str) -> str:
    """A term in capitals, as CDISC writes them, as a sentence has it; a word with a figure in it stays."""
    if not text.isupper():
        return text
    words = [w if any(c.isdigit() for c in w) else w.lower() for w in text.split(" ")]
    return capitalised(" ".join(words))
