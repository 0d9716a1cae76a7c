"""The report as a reader meets it: what stands where, in which words, for any trial."""

from __future__ import annotations

import html as escaping
import re
import subprocess
import sys

import polars as pl
import pytest

from report_inputs import FLOW, HARM, RESPONSE, SURVIVAL, datasets, everything, made, study, written
from trialwright.report.html import render
from trialwright.report.sections import SHELLS
from trialwright.standards import findings, results
from trialwright.study import words


def page(definition=None, numbers=None, frames=None, found=None, how=None) -> str:
    return render(
        definition or study(),
        everything() if numbers is None else numbers,
        datasets() if frames is None else frames,
        findings.empty() if found is None else found,
        made() if how is None else how,
    )


def text(shown: str) -> str:
    """The words of a page without its tags, spaces made plain."""
    bare = re.sub(r"<(style|svg).*?</\1>", " ", shown, flags=re.S)
    return re.sub(r"[\s\u00a0\u202f]+", " ", escaping.unescape(re.sub(r"<[^>]+>", " ", bare)))


def row(shown: str, label: str) -> list[str]:
    """The cells of the first table row with this label."""
    for found in re.findall(r"<tr[^>]*>.*?</tr>", shown, flags=re.S):
        head = re.search(r'<th scope="row">(.*?)</th>', found, flags=re.S)
        if head and head[1] == label:
            return [text(cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", found, flags=re.S)]
    raise AssertionError(f"no row {label!r}")


@pytest.fixture(scope="module")
def whole() -> str:
    return page()


def test_it_opens_with_the_answer(whole):
    said = text(whole)
    assert "Overall survival was longer with tarlatamab than with chemotherapy." in said
    # half away from zero: 0.215 is 0.22, 0.945 is 0.95; 243.5 days are 8.0 months
    assert "Hazard ratio 0.22 95% CI 0.02 to 0.95" in said
    assert "Stratified log-rank p <0.0001 two-sided" in said
    assert "Median, chemotherapy 8.0 months 95% CI 4.0 to NE" in said
    assert "Median, tarlatamab not reached" in said
    assert whole.index('id="answer"') < whole.index('id="participants"') < whole.index('id="outcomes"')


def test_the_registered_reading_stands_beside_with_the_reason_it_has_no_ratio(whole):
    said = text(whole)
    assert (
        "As registered: treated Overall survival: tarlatamab and chemotherapy could not be compared" in said
    )
    assert "(no events in Chemotherapy)" in said


def test_both_readings_share_one_table_and_the_contrast_spans_the_arms(whole):
    assert row(whole, "With an event") == ["3 (75.0%)", "1 (20.0%)", "0 (0.0%)", "1 (20.0%)"]
    assert row(whole, "Hazard ratio, stratified") == ["0.22 0.02 to 0.95", "NE c"]
    assert row(whole, "Stratified log-rank p") == ["<0.0001", "0.4386"]
    assert row(whole, "Death") == ["3 (75.0%)", "1 (20.0%)", "0 (0.0%)", "0 (0.0%)"]


def test_what_cannot_be_estimated_shows_its_reason_and_nothing_is_blank(whole):
    assert row(whole, "Median, months")[1] == "NE a"
    assert "a not reached" in text(whole)
    assert row(whole, "Odds ratio") == ["NE a"]
    assert "not defined with an empty cell" in text(whole)
    assert not re.findall(r"<td[^>]*>\s*</td>", whole)


def test_months_a_reading_does_not_ask_for_are_no_gap(whole):
    assert row(whole, "Event-free at 12 months") == ["25.0% 0.9 to 66.5", "80.0%", "– b", "– b"]
    assert "b not asked for in this reading" in text(whole)


def test_the_curve_has_its_numbers_at_risk(whole):
    figure = whole[whole.index('id="figure-1"') : whole.index("</figure>")]
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", figure)
    start = texts.index("Number at risk")
    # every second month to 16; A leaves at 3.3, 6.6, 8.0 and 13.1 months, B at 4.9, 9.9, 11.5, 13.8 and 14.1
    assert texts[start + 1 : start + 11] == ["Chemotherapy", *"443311100"]
    assert texts[start + 11 :] == ["Tarlatamab", *"555443210"]
    assert "3 of 4 with an event" in text(figure)


def test_a_curve_is_drawn_once_and_pointed_to_afterwards(whole):
    assert whole.count("Kaplan–Meier curves of") == 2
    assert '<a href="#figure-1">The curve of “Survival, all” is Figure 1.</a>' in whole


def test_proportions(whole):
    assert row(whole, "With the outcome") == ["1 (25.0%)", "2 (40.0%)"]
    assert row(whole, "Partial response") == ["1 (25.0%)", "2 (40.0%)"]
    assert row(whole, "Difference, points") == ["15.0 −46.0 to 65.0"]


def test_safety(whole):
    assert row(whole, "Any emergent adverse event") == ["2 (66.7%)", "5 (100.0%)"]
    assert row(whole, "Nausea") == ["1 (33.3%)", *"00000", "2 (40.0%)", *"00100"]
    assert row(whole, "Gastrointestinal")[0] == "0"
    assert row(whole, "Patients affected") == ["0 (0.0%)", "3 (60.0%)"]
    assert row(whole, "Death within 30 days of the last dose") == ["– a", "1 (20.0%)"]


def test_participants(whole):
    flow = whole[whole.index('class="flow"') : whole.index('id="table-1"')]
    for words_ in (
        "Assessed for eligibility (n\u00a0=\u00a012)",
        "No consent (n\u00a0=\u00a03)",
        "Death (n\u00a0=\u00a01)",
    ):
        assert words_ in flow
    assert row(whole, "Median (Q1 to Q3)") == ["61.5 60.0 to 63.3", "NE a", "– b"]
    assert row(whole, "Lung") == ["4 (100.0%)", "0 (0.0%)", "– b"]


def test_record_assumptions_and_making(whole):
    said = text(whole)
    assert "at least one dose Known only later. What was done All randomised." in said
    assert "Primary outcome 1 · primary-1.other" in said
    assert row(whole, "A-01") == ["The ratio", "Two to one", "It fits", "assumed"]
    assert "Nobody said" not in said  # A-02 was not used
    assert "ab" * 32 in whole
    assert "1 January 2027" in said


def test_an_assumption_is_a_link_to_its_row(whole):
    assert '<a href="#A-01">A-01</a>' in whole
    assert whole.count('id="A-01"') == 1


def test_findings_are_capped_and_say_so():
    found = pl.DataFrame(
        {
            "dataset": ["AE"] * 8 + ["DM"],
            "key": [f"AESEQ={i}" for i in range(8)] + ["USUBJID=1"],
            "variable": ["AEENDTC"] * 8 + ["DTHDTC"],
            "rule": ["end before start"] * 8 + ["month only"],
            "value": ["x"] * 9,
            "action": ["kept"] * 8 + [None],
        },
        schema=findings.SCHEMA,
    )
    shown = page(found=found)
    assert row(shown, "end before start") == ["AE", "kept", "8"]
    assert "6 of 9 findings are shown, 3 are not; the whole list is in findings.csv." in text(shown)
    assert "AESEQ=4" in shown
    assert "AESEQ=5" not in shown


def test_text_of_others_is_escaped_everywhere():
    bad = "<script>alert('$x_1$')</script>"
    found = pl.DataFrame([["DM", bad, bad, bad, bad, bad]], schema=findings.SCHEMA, orient="row")
    spoilt = study(
        study={"id": "SMALL", "title": bad, "sponsor": bad},
        arms=[
            {"id": "A", "role": "control", "label": bad},
            {"id": "B", "role": "experimental", "label": "R & D $2"},
        ],
    )
    numbers = everything().with_columns(pl.col("note").replace({"not reached": bad}))
    contradiction = dict.fromkeys(("id", "rule", "quote", "says", "decision"), bad) | {"lines": [bad]}
    how = made(contradictions=[contradiction], command=bad, notice=bad, packages={bad: bad}, cutoff=bad)
    shown = page(spoilt, numbers, found=found, how=how)
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "R &amp; D $2" in shown


def test_one_file_that_needs_nothing_else(whole):
    assert not re.findall(r"(?:src|href)=[\"'](?!#)", whole)
    assert "<script" not in whole
    assert "@import" not in whole
    assert not re.findall(r"url\((?!#)", whole)


def test_ids_are_unique_and_every_reference_has_one(whole):
    ids = re.findall(r'\bid="([^"]+)"', whole)
    assert sorted(ids) == sorted(set(ids))
    wanted = {*re.findall(r'href="#([^"]+)"', whole), *re.findall(r"url\(#([^)]+)\)", whole)}
    wanted |= set(re.findall(r'aria-labelledby="([^"]+)"', whole))
    assert wanted <= set(ids)


def test_the_same_arguments_give_the_same_bytes(whole):
    assert page() == whole


def test_figures_and_tables_are_numbered_in_order_and_have_words(whole):
    for kind in ("Figure", "Table"):
        numbers = [int(n) for n in re.findall(rf"<b>{kind}&nbsp;(\d+)</b>", whole)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert numbers
    assert not re.findall(r'aria-label="\s*"', whole)
    assert whole.count('role="img"') == len(re.findall(r"<figure ", whole)) + 1  # the flow has two widths


def test_french():
    shown = page(study(study={"id": "SMALL", "title": {"en": "Small", "fr": "Petite"}, "language": "fr"}))
    said = text(shown)
    assert '<html lang="fr">' in shown
    assert "Overall survival : durée plus longue sous tarlatamab que sous chemotherapy." in said
    assert "0,22 IC à 95 % 0,02 à 0,95" in said
    assert "1er janvier 2027" in said


THREE_ARMS = [
    {"id": "A", "role": "control", "label": "Placebo"},
    {"id": "B", "role": "experimental", "label": "Low dose"},
    {"id": "C", "role": "experimental", "label": "High dose"},
]


def test_three_arms_have_each_contrast_in_its_column():
    more = """
        analysis | group  | level | value | note               | statistic
        OS-ITT   | C      |       | 2     |                    | n
        OS-ITT   | C      |       | 0     |                    | events
        OS-ITT   | C      |       |       | not reached        | median
        OS-ITT   | C vs A |       |       | no events in arm C | hazard_ratio
    """
    shown = page(
        study(arms=THREE_ARMS, allocation={"method": "simple", "ratio": {"A": 1, "B": 1, "C": 1}}),
        written(SURVIVAL, more),
    )
    assert row(shown, "Hazard ratio, stratified")[:3] == ["reference", "0.22 0.02 to 0.95", "NE d"]
    assert "Overall survival: high dose and placebo could not be compared (no events in High dose)." in text(
        shown
    )
    assert "No curve for High dose: no patients." in text(shown)


def test_a_study_without_outcomes_or_record_shows_its_analyses():
    shown = page(study(outcomes=[]), how=made(contradictions=[], assumptions_used=[], inputs=[]))
    said = text(shown)
    assert "Overall survival was longer with tarlatamab than with chemotherapy." in said
    assert 'id="analysis-ORR-ITT"' in shown
    assert "This study folder holds no registered record." in said
    assert "No assumption was used." in said


def test_empty_everything_still_says_what_is_missing():
    nothing = pl.DataFrame(schema=results.SCHEMA)
    said = text(page(numbers=nothing, frames={}, how={}))
    assert "The results hold no number for the primary outcome." in said
    assert "Survival, treated: The results hold no number for this analysis." in said
    assert "The results hold no counts for the flow diagram." in said
    assert "The data gave no finding." in said


def test_an_absent_dataset_is_a_sentence_not_a_crash():
    empty = {name: frame.clear() for name, frame in datasets().items()}
    said = text(page(frames=empty))
    assert "Survival, all: no curve, because nobody has a time." in said


def test_an_analysis_that_only_says_why_it_is_not_there():
    gap = """
        analysis | group | level | value | note              | statistic
        OS-ITT   |       |       |       | ADTTE has no rows | n
        AE       |       |       |       | ADAE is absent    | n
    """
    assert "ADTTE has no rows" in text(page(numbers=written(gap)))


def test_a_rehearsal_can_be_marked():
    assert "Notice Simulated data." in text(page(how=made(notice="Simulated data.")))


def test_every_method_a_study_may_name_has_a_shell():
    assert set(SHELLS) == set(words.Method.__args__)


def test_parts_of_the_results_can_be_missing():
    for present in ([SURVIVAL], [RESPONSE], [HARM], [FLOW]):
        assert page(numbers=written(*present)).startswith("<!doctype html>")


def test_matplotlib_is_not_imported_before_something_is_drawn():
    code = "import sys, trialwright.report.html; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
