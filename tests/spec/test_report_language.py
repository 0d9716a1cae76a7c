"""Numbers as they are printed (project rules 8.15), and words in two languages."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest

import trialwright.report
from trialwright.report.language import in_a_sentence, plain_case, speak
from trialwright.report.words import LANGUAGES, words

SOURCE = Path(trialwright.report.__path__[0])

ROUNDED = [
    # value, decimals, English, French
    (2.675, 2, "2.68", "2,68"),
    (0.125, 2, "0.13", "0,13"),
    (2.5, 0, "3", "3"),
    (1.005, 2, "1.01", "1,01"),
    (-0.15, 1, "−0.2", "−0,2"),
    (-0.04, 1, "0.0", "0,0"),
    (1234, 0, "1234", "1234"),
]


@pytest.mark.parametrize(("value", "decimals", "english", "french"), ROUNDED)
def test_half_is_rounded_away_from_zero_on_the_decimal_representation(value, decimals, english, french):
    assert speak("en").number(value, decimals) == english
    assert speak("fr").number(value, decimals) == french


def test_many_figures_are_parted_by_a_narrow_space():
    assert speak("en").number(1234567) == "1\u202f234\u202f567"


@pytest.mark.parametrize(
    ("p", "shown"), [(0.00004, "<0.0001"), (0.0001, "0.0001"), (0.02125, "0.0213"), (1.0, "1.0000")]
)
def test_p_has_four_decimals(p, shown):
    assert speak("en").p(p) == shown


def test_percent_and_interval_in_french():
    french = speak("fr")
    assert french.percent(34.95) == "35,0\u202f%"
    assert french.interval("0,41", "0,93") == "0,41 à 0,93"
    assert french.ci == "IC à 95\u202f%"
    assert french.date("2029-03-01") == "1er\u00a0mars\u00a02029"


def test_an_unknown_language_is_english():
    assert speak("xx").code == "en"


def test_labels_and_terms_within_a_sentence():
    assert [in_a_sentence(x) for x in ("Standard of care", "FOLFIRI", "B")] == [
        "standard of care",
        "FOLFIRI",
        "B",
    ]
    assert plain_case("DLL3 < 1 %") == "DLL3 < 1 %"
    assert plain_case("LOST TO FOLLOW-UP") == "Lost to follow-up"
    assert plain_case("Kept as written") == "Kept as written"


def test_both_languages_have_the_same_words_and_the_same_parts():
    def parts(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    assert words("en").keys() == words("fr").keys()
    assert {k: parts(v) for k, v in words("en").items()} == {k: parts(v) for k, v in words("fr").items()}
    assert not [k for code in LANGUAGES for k, v in words(code).items() if not v.strip()]


def test_every_word_the_source_asks_for_is_there_and_none_is_left_over():
    source = "".join(
        f.read_text(encoding="utf-8") for f in [*SOURCE.glob("*.py"), *SOURCE.glob("templates/*.html")]
    )
    asked = set(re.findall(r"\bsay\(\s*[\"']([a-z_:]+)[\"']", source))
    assert asked
    assert asked <= words("en").keys()
    # a key with a colon may be put together from data; any other stands in the source as it is
    assert not [key for key in words("en") if ":" not in key and not re.search(rf"[\"']{key}[\"']", source)]


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_word_stands_in_both_files_of_a_language(code):
    folder = SOURCE / "languages"
    files = [
        tomllib.loads((folder / f"{part}{code}.toml").read_text("utf-8")) for part in ("", "supporting.")
    ]
    assert not files[0].keys() & files[1].keys()
