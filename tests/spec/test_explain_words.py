"""Every word that a clock can write into ADTTE has a sentence, whatever the trial holds.

The words are read off the source of the clocks: a new one without a sentence in each language fails here.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from explained import told
from trialwright.adam import adtte, deterioration, events, progression
from trialwright.medicine import qlq_c30, recist
from trialwright.report.explain_words import story_words
from trialwright.report.language import speak
from trialwright.report.words import LANGUAGES, words
from trialwright.study.sources import Sources

CLOCKS = (adtte, deterioration, events, progression)
LEFT = ("LAST ADEQUATE", "NO ADEQUATE", "NO BASELINE ASSESSMENT")
REASONS = (*Sources.model_fields["lost"].default, "COMPLETED", "OTHER", "PHYSICIAN DECISION")
FILLED = {
    "FIRST RESPONSE, {}": ("CONFIRMED", "UNCONFIRMED"),
    "{} deterioration": ("first", "definitive", "confirmed"),
    "{}, LAST KNOWN ALIVE": REASONS,
    ", {}": REASONS,
}
"""What the places of a word that is put together may hold; one that is not here fails."""
NOT_WORDS = {"{}:{}", "{} to {}", "first of any scale: {}: {}"}


def _said(module: ModuleType) -> set[str]:
    """The texts that become values: what ``pl.lit`` and ``pl.format`` are given, and what tables hold.

    But for the domains and variables of a row's source.
    """
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    found: set[str] = set()
    for call in _calls(tree):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("lit", "format") and call.args:
            found.update(_text(call.args[0]))
    for statement in tree.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Dict):
            found.update(text for value in statement.value.values for text in _text(value) if " " in text)
    return found


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.keyword) and child.arg in ("SRCDOM", "SRCVAR"):
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from _calls(child)


def _text(argument: ast.expr) -> Iterator[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    if isinstance(argument, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in argument.values)


def _whole(said: set[str]) -> set[str]:
    """Words with their places filled, and each head of a censoring with each of its tails."""
    places = {text for text in said if "{}" in text} - NOT_WORDS
    filled = {text.format(part) for text in places for part in FILLED[text]}
    every = {text for text in said if "{}" not in text} | filled
    tails = {text for text in every if text.startswith((" BEFORE", ", "))}
    heads = {text for text in every if text.startswith(LEFT)}
    assert len(heads) == len(LEFT)
    return (every - tails) | {head + tail for head, tail in itertools.product(heads, tails)}


def _descriptions() -> set[str]:
    said = _whole(set().union(*(_said(module) for module in CLOCKS)))
    return {text for text in said if text.isupper() and re.fullmatch(r"[A-Z][A-Z, -]{3,}", text)}


def _rules() -> set[str]:
    said = _whole(set().union(*(_said(module) for module in (*CLOCKS, qlq_c30))))
    return {text for text in said if " " in text and text == text.lower()}


def test_the_source_is_read() -> None:
    """The test below would say nothing of a word that the reading does not find."""
    assert {
        "DEATH",
        "DETERIORATION",
        "NO BASELINE ASSESSMENT BEFORE TWO OR MORE MISSED SCANS AND DEATH",
        "LAST ADEQUATE TUMOUR ASSESSMENT, LOST TO FOLLOW-UP",
        "FIRST RESPONSE, UNCONFIRMED",
        "LAST FORM BEFORE PROGRESSION",
        "ALIVE AT CUTOFF",
    } <= _descriptions()
    assert {"last day known alive", "definitive deterioration", "death counted as deterioration"} <= _rules()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_event_and_censoring_has_words(code: str) -> None:
    known = {key.removeprefix("desc:") for key in words(code) if key.startswith("desc:")}
    without = [
        text for text in sorted(_descriptions()) if text not in known and not set(text.split(", ")) <= known
    ]
    assert not without


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_rule_has_words(code: str) -> None:
    known = story_words(code)
    assert not [rule for rule in sorted(_rules()) if f"word:{rule}" not in known]
    cases = {text for text in _said(progression) if re.fullmatch(r"P\d+", text)}
    assert len(cases) > 15
    for rules in ("EMA_ITT", "FDA_CENSOR"):
        assert not [c for c in cases if f"case:{rules}:{c}" not in known and f"case:{c}" not in known]


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_response_says_the_rule_of_its_reader(code: str) -> None:
    """Where a response or a progression is itself the event, RULE is the word of ADRS."""
    assert "word:reported" in story_words(code)
    sentences = {key.removeprefix("sentence:") for key in story_words(code)} | (
        set(recist.SENTENCES) if code == "en" else set()
    )
    assert set(recist.SENTENCES) <= sentences


def _worse(**family: object) -> dict[str, object]:
    ttd = {"id": "TTD", "label": "Deterioration", "instrument": "QLQ-C30", "scales": ["FA"], **family}
    return {"endpoints": {"deterioration": [ttd]}}


def test_a_death_that_competes_with_deterioration_is_told() -> None:
    seen = told(scores="0 1, 42 1", death=100, **_worse(death="competing"))
    assert "Fatigue (FA) censored day 101, death before deterioration" in seen.text()
    (death,) = seen.rows("candidate", ENDPOINT="TTDFA")
    assert (death["USED"], death["REASON"]) == ("Y", "stops_the_count")


def test_forms_that_no_longer_count_after_another_therapy_are_told() -> None:
    seen = told(scores="0 1, 42 1, 84 4", therapy=60, **_worse(forms_until=["new_therapy"]))
    assert "Fatigue (FA) censored day 43, last form before another anticancer therapy" in seen.text()


def test_a_reason_is_told_in_the_language_of_the_study() -> None:
    french, english = speak("fr"), speak("en")
    lost = "LAST ADEQUATE TUMOUR ASSESSMENT, LOST TO FOLLOW-UP"
    assert french.described(lost) == "dernière évaluation tumorale adéquate, perdu de vue"
    assert french.described("PROGRESSIVE DISEASE") == "progression de la maladie"
    assert english.described("MOVED ABROAD, LAST KNOWN ALIVE") == "moved abroad, last known alive"
