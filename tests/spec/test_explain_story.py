"""One patient's story in words: the rule, its numbers, its source, and what was passed over."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Any

import pytest

from explained import BEST, CLOCKS, told
from trialwright.medicine import recist
from trialwright.report import explain
from trialwright.report.explain_words import Chapter, Grid, Line, Said, Story, story_words
from trialwright.report.words import words

SOURCE = Path(explain.__file__).parent
FRENCH = {"study": {"id": "PETIT", "title": "Une petite étude", "language": "fr"}}
RESPONDER = """
visit    | day | lesion | value
BASELINE | -3  | T1     | 100
W6       | 42  | T1     | 60
W12      | 84  | T1     | 50
W18      | 126 | T1     | 70
"""


def test_a_progression_says_its_sum_the_smallest_sum_and_the_rule() -> None:
    text = told(RESPONDER).text()
    assert "127 2026-05-07 W18 70 −30.0% +20 mm (+40.0%) over 50 PD" in text
    assert f"Target: {recist.SENTENCES['sum_increased']} [sum_increased]" in text
    assert "RECIST 1.1 (Eisenhauer 2009): target lesions 4.3.1" in text


def test_a_response_says_when_it_began_and_what_confirmed_it() -> None:
    text = told(RESPONDER).text()
    assert "Confirmed. Partial response (PR), day 43 (2026-02-12)." in text
    assert "Response from day 43 (2026-02-12); PR confirmed on day 85 (2026-03-26)." in text
    assert "Met: ORR." in text


def test_an_unconfirmed_response_says_why() -> None:
    text = told(RESPONDER.replace("84 ", "60 ").replace("126", "68 ")).text()
    assert "PR on day 43 (2026-02-12) was not confirmed: the later response came less than 28 days" in text
    assert "Not met: ORR." in text


def test_a_gap_is_told_with_its_scans_under_each_rule_set() -> None:
    text = told(RESPONDER.replace("126", "294"), death=400).text()
    assert "Event on day 295 (2026-10-22): progression (TR.TRSTRESC #4). 295 days (9.7 months)" in text
    assert "Rule P8: Progression after two or more missed assessments counts all the same. (EMA" in text
    assert (
        "Censored on day 85 (2026-03-26): last adequate tumour assessment before two or more missed" in text
    )
    assert "Rule P8: Progression after two or more missed assessments does not count" in text
    assert "no adequate assessment at W18, W24, W30, W36" in text


def test_reported_and_computed_are_told_apart() -> None:
    seen = told(RESPONDER, readings="visit | day | response\nW6 | 42 | SD\nW12 | 84 | PR")
    assert "Reported SD, computed from the lesions PR; this study uses what was computed." in seen.text()


def test_survival_alone_needs_no_images() -> None:
    text = told(RESPONDER, death=400).text(endpoint="OS")
    assert "Overall survival (OS) Event on day 401" in text
    assert not re.search("Scans|Best overall|Progression-free|Questionnaires", text)
    assert "Scans: Investigator" in told(RESPONDER).text(endpoint="PFSE")
    assert "Overall survival" not in told(RESPONDER).text(endpoint="PFSE")


def test_questionnaires_alone() -> None:
    text = told(RESPONDER, scores="0 1, 42 3, 126 2").text(endpoint="TTDFA")
    assert "Fatigue (FA) day 43 (W6), +66.7 0; W6 66.7; W12 –; W18 33.3" in text
    assert "Worse by 10 points or more against the baseline: first deterioration." in text
    assert not re.search("Scans|Clocks|Pain", text)
    assert "Pain (PA)" in told(RESPONDER, scores="0 1, 42 3").text(endpoint="TTD")


def test_nobody_randomised_has_no_clock() -> None:
    text = told(randomised=False).text()
    assert "Not randomised. No endpoint is computed for a patient who was not randomised." in text
    assert not re.search("Scans|Clocks|Questionnaires|Best", text)


def test_no_questionnaire_at_all() -> None:
    assert "No form of this patient was scored." in told(RESPONDER).text()


def test_the_findings_are_this_patient_s() -> None:
    seen = told(RESPONDER, death="2026-09")
    assert "date of death not known to the day" in seen.text()
    assert "(known to the month only, so the day is imputed)" in seen.text()
    assert seen.findings.filter(explain.explain_subject.of_subject("X")).height > 0
    assert seen.findings.filter(explain.explain_subject.of_subject("X1")).is_empty()


def test_a_clock_that_runs_backwards_says_so() -> None:
    text = told(RESPONDER, death=-3).text()
    assert "The clock would stop before it starts" in text


def test_text_and_page_come_from_one_value_and_every_word_is_escaped() -> None:
    grid = Grid(("A", "B"), (Line(("<1", "2"), ("under <it>",)),))
    story = Story("S<1>", ("Lead & more.",), (Chapter("Title <t>", (grid, Said("said", "Label"))),))
    page, text = str(explain.markup(story)), explain.plain(story)
    assert "<1" in text
    assert "under <it>" in text
    for raw in ("<1<", "under <it>", "<t>", "& more"):
        assert raw not in page
    for escaped in ("&lt;1", "under &lt;it&gt;", "Title &lt;t&gt;", "Lead &amp; more.", "<b>Label</b> said"):
        assert escaped in page


def test_what_is_true_of_all_is_said_once_on_a_page() -> None:
    story = told(RESPONDER).story()
    assert "Eisenhauer" in explain.plain(story)
    assert "Eisenhauer" not in explain.markup(story)
    assert len(explain.shared([story, story])) == len(explain.shared([story]))


def test_lines_keep_to_the_width() -> None:
    story = told(RESPONDER, death=400, scores="0 1, 42 3").story()
    grids = [line for c in story.chapters for b in c.blocks if isinstance(b, Grid) for line in b.lines]
    widest = max(len("  ".join(line.cells)) for line in grids) + 60
    assert max(len(line) for line in explain.plain(story, 80).splitlines()) <= widest
    said = [line for line in explain.plain(story, 80).splitlines() if "Rule" in line]
    assert all(len(line) <= 80 for line in said)


def test_french_has_the_words_that_english_has_and_the_sentences_of_medicine() -> None:
    def parts(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    english, french = story_words("en"), dict(story_words("fr"))
    sentences = {key.removeprefix("sentence:") for key in french if key.startswith("sentence:")}
    assert sentences == set(recist.SENTENCES)
    others = {key: text for key, text in french.items() if not key.startswith("sentence:")}
    assert others.keys() == english.keys()
    assert {k: parts(v) for k, v in english.items()} == {k: parts(v) for k, v in others.items()}
    numbers = {"decimal", "percent_sign", "to", "ci", "months_of_year"}
    assert numbers <= words("en").keys()
    assert not english.keys() & numbers


def test_every_word_is_asked_for() -> None:
    source = "".join(f.read_text(encoding="utf-8") for f in SOURCE.glob("*.py"))
    plain = {key for key in story_words("en") if ":" not in key}
    asked = {key for key in plain if re.search(rf"[\"']{key}[\"']", source)}
    assert plain - asked - {f"column_{name}" for name in ("day", "date", "what", "record")} == set()


def test_a_story_in_french() -> None:
    text = told(RESPONDER.replace("126", "294"), death=400, **FRENCH).text()
    for said in ("Dates clés", "Événement, jour 295", "Règle P8", "Cibles : La somme dépasse"):
        assert said in text
    assert not re.search(
        r"\b(the|was|with|progression counts)\b", text.split("Anomalies")[0].replace("X", "")
    )


CASES = [f"P{i}" for i in range(1, 21)]


@pytest.mark.parametrize("code", ["en", "fr"])
def test_every_case_of_both_rule_sets_has_words(code: str) -> None:
    known = story_words(code)
    for rules in ("EMA_ITT", "FDA_CENSOR"):
        assert f"rules:{rules}" in known
        assert all(f"case:{rules}:{case}" in known or f"case:{case}" in known for case in CASES)


def test_an_endpoint_with_a_day_or_a_duration_says_its_rule() -> None:
    narrow: dict[str, Any] = {"id": "DCR12", "label": "Control", "confirmation": "unconfirmed", "at_day": 84}
    endpoints = {"time_to_event": CLOCKS, "best_response": [*BEST, {**narrow, "success": ["CR", "PR", "SD"]}]}
    text = told(RESPONDER, endpoints=endpoints, instruments=[]).text()
    assert "DCR12 (A response that counts lies in the window of that day)" in text
