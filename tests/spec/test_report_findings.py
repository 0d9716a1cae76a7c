"""Findings are written in English, as data are; a report in another language says them in its own."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import trialwright
from small import CUTOFF, small_study
from trialwright.adam import disagreement, lesions
from trialwright.report.language import speak

ROOT = Path(trialwright.__file__).parent
FILE = ROOT / "report" / "languages" / "findings.fr.toml"


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("end before start", "fin avant le début"),
        ("unknown code (codelist OUT)", "code inconnu (liste OUT)"),
        ("not a grade of CTCAE v5.0", "n’est pas un grade de CTCAE v5.0"),
        (
            "the response reported is not the one computed: no rule explains it",
            "la réponse rapportée n’est pas celle calculée\u00a0: aucune règle ne l’explique",
        ),
        (
            "imputed: the first day possible, or the last day known alive if later; flagged",
            "imputée\u00a0: le premier jour possible, ou le dernier jour connu vivant s’il est plus tardif\u202f; signalée",
        ),
        (
            "the response reported is not the one computed: "
            "nodes by the place written at the scan, not at baseline, and growth compared with the baseline",
            "la réponse rapportée n’est pas celle calculée\u00a0: ganglions selon le site noté à l’examen, "
            "non à l’inclusion, et croissance comparée à l’inclusion",
        ),
        ("the original result is analysed", "le résultat d’origine est analysé"),
        ("the standard result is analysed", "le résultat standard est analysé"),
        ("a sentence nobody has written yet", "a sentence nobody has written yet"),
    ],
)
def test_a_finding_in_french(english, french):
    assert speak("fr").finding(english) == french
    assert speak("en").finding(english) == english


def _written(path: Path) -> Iterator[str]:
    """The sentences given as rule or action to a finding, with braces for what is put into them."""
    for call in (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)):
        for word in call.keywords:
            if word.arg in ("rule", "action"):
                yield from _sentence(word.value)


def _sentence(said: ast.expr) -> Iterator[str]:
    if isinstance(said, ast.Constant) and isinstance(said.value, str):
        yield said.value
    if isinstance(said, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in said.values)


def test_every_reading_that_may_explain_a_reported_response_has_its_french():
    nobody = pl.DataFrame(schema={"USUBJID": pl.String, "RANDDT": pl.Date, "TRTSDT": pl.Date})
    seen, _ = lesions.lesions(small_study(), {}, nobody, CUTOFF)
    said = [reading.words for reading in disagreement._readings(small_study(), seen)]
    assert len(said) > 12
    assert [words for words in said if speak("fr").finding(words) == words] == []


def test_every_plain_sentence_of_a_finding_has_its_french():
    known = tomllib.loads(FILE.read_text())
    said = {s for room in ("sdtm", "adam") for path in (ROOT / room).glob("*.py") for s in _written(path)}
    assert len(said) > 40
    assert not {s for s in said if s not in known and s not in ("rule", "action")}


def test_no_french_sentence_is_left_without_its_english():
    source = " ".join(
        p.read_text() for room in ("sdtm", "adam", "medicine") for p in (ROOT / room).rglob("*.py")
    )
    parts = ("first", "last", "middle", "kept", "negative", "computed", "reported", "original")
    for key in tomllib.loads(FILE.read_text()):
        longest = max(key.split("{}"), key=len)
        assert key in parts or longest.strip(" :;,(") in source, key


def test_both_have_the_same_changing_parts():
    for key, said in tomllib.loads(FILE.read_text()).items():
        assert key.count("{}") == said.count("{}"), key
