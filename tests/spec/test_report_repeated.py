"""The mixed model of a questionnaire as a reader sees it: from results to cells."""

from __future__ import annotations

from analysis_frames import with_analyses
from small import small_study
from trialwright.report import repeated_tables, sections
from trialwright.report.addresses import Results
from trialwright.report.context import Context
from trialwright.report.language import speak
from trialwright.standards.results import result, rows_to_frame

MODEL = {"id": "M", "method": "mmrm", "population": "ITT", "endpoint": "TTD"}


def say(statistic: str, value: float | None, level: str, group: str = "", note: str = ""):
    return result(
        "M", statistic, value, note=note, endpoint="TTD", population="ITT", group=group, level=level
    )


def three(name: str, level: str, group: str, *values: float):
    return [say(name + end, v, level, group) for end, v in zip(("", "_lower", "_upper"), values, strict=True)]


ROWS = [
    say("structure", 3, "FA", note="unstructured"),
    say("n", 31, "FA | W6", "A"),
    say("n", 68, "FA | W6", "B"),
    *three("lsmean", "FA | W6", "A", 2.0, -1.0, 5.0),
    *three("lsmean", "FA | W6", "B", -4.25, -7.0, -1.5),
    *three("difference", "FA | W6", "B vs A", -6.25, -10.0, -2.5),
    say("p_value", 0.0012, "FA | W6", "B vs A"),
    *three("difference", "FA | all visits", "B vs A", -5.0, -9.0, -1.0),
    say("p_value", 0.0149, "FA | all visits", "B vs A"),
    say("structure", 2, "PA", note="ar1-heterogeneous (not unstructured: the matrix became singular)"),
    *three("difference", "PA | all visits", "B vs A", 1.0, -3.0, 5.0),
    say("p_value", 0.6241, "PA | all visits", "B vs A"),
    say("structure", None, "DY", note="no visit has 5 changes in every arm"),
]


def made(rows=ROWS, language: str = "en"):
    study = with_analyses(small_study(), MODEL)
    context = Context(study, Results.of(rows_to_frame(rows)), {}, speak(language))
    return context, study.analyses[0]


def test_every_scale_has_a_line_and_a_scale_without_a_model_says_why():
    table = repeated_tables.over_visits(*made())
    assert table is not None
    shown = {row.label: [(c.text, c.sub) for c in row.cells] for row in table.rows}
    assert shown == {
        "Fatigue": [("−5.0", "−9.0 to −1.0"), ("0.0149", "")],
        "Pain": [("1.0", "−3.0 to 5.0"), ("0.6241", "")],
        "Dyspnoea": [("NE", ""), ("NE", "")],
    }
    assert dict(table.footnotes) == {
        "a": "autoregressive, a variance for each visit (unstructured: the matrix became singular)",
        "b": "no visit has 5 changes in every arm",
    }


def test_one_scale_is_shown_visit_by_visit():
    table = repeated_tables.by_visit(*made())
    assert table is not None
    assert table.caption.startswith("Fatigue")
    (row,) = table.rows
    assert row.label == "W6"
    assert [c.text for c in row.cells] == ["31", "2.0", "68", "−4.3", "−6.3", "0.0012"]


def test_in_french():
    table = repeated_tables.by_visit(*made(language="fr"))
    assert table is not None
    assert [c.text for c in table.rows[0].cells] == ["31", "2,0", "68", "−4,3", "−6,3", "0,0012"]


def test_without_results_there_is_no_table_and_the_section_says_why():
    context, analysis = made(rows=[])
    assert repeated_tables.over_visits(context, analysis) is None
    assert repeated_tables.by_visit(context, analysis) is None
    section = sections.supporting(sections.Book(context))
    assert section is not None
    assert len(section.parts[0].blocks) == 1
