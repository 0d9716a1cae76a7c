"""Supporting analyses, subgroups and competing risks as a reader sees them: from results to cells."""

from __future__ import annotations

import polars as pl
import pytest

from analysis_frames import adsl, adtte, with_analyses
from small import small_study
from trialwright.analysis.run import run
from trialwright.report import sections, supporting_tables
from trialwright.report.addresses import Results
from trialwright.report.context import Context
from trialwright.report.language import speak
from trialwright.report.tables import Table
from trialwright.study.model import Study

OS = {"population": "ITT", "endpoint": "OS"}
TESTS = ["unstratified", "rmst", "piecewise_hazard_ratio", "maxcombo", "firth", "adjusted"]
BESIDE = (
    OS
    | {"id": "S", "method": "supporting", "tests": TESTS, "rmst_months": [1], "pieces_months": [1]}
    | {"covariates": ["SITE1"]}
)
GROUPS = OS | {"id": "G", "method": "subgroups", "factors": ["SITE1"]}
PFS = {
    "id": "C",
    "method": "competing_risks",
    "population": "ITT",
    "endpoint": "PFS",
    "landmarks_months": [1],
}


def context(study: Study, language: str = "en") -> Context:
    """Ten patients in each arm and site; in LUNG only the first four of arm A have the event."""
    people, times = ["USUBJID | TRT01P | SITE1"], ["USUBJID | AVAL | CNSR"]
    for site in ("LUNG", "GEP"):
        for arm in "AB":
            happened = 4 if (arm, site) == ("A", "LUNG") else 8
            for i in range(10):
                people.append(f"{site}{arm}{i} | {arm} | {site}")
                day = 6 * i + (9 if arm == "B" else 4) + (i % 3) * 11
                times.append(f"{site}{arm}{i} | {day} | {int(i >= happened)}")
    subjects, survival = adsl("\n".join(people)), adtte("\n".join(times))
    last = pl.col("USUBJID").str.tail(1).cast(pl.Int64) % 4 == 3
    why = pl.when(last).then(pl.lit("DEATH")).otherwise(pl.lit("DISEASE PROGRESSION"))
    progress = survival.with_columns(PARAMCD=pl.lit("PFS"), EVNTDESC=pl.when(pl.col("CNSR") == 0).then(why))
    results = run(study, {"ADSL": subjects, "ADTTE": pl.concat([survival, progress])})
    return Context(study, Results.of(results), {}, speak(language))


def cells(table: Table | None) -> dict[str, list[str]]:
    assert table is not None
    return {row.label: [c.text for c in row.cells] for row in table.rows}


def test_each_test_is_a_line_with_its_estimate_or_its_p():
    study = with_analyses(small_study(), BESIDE)
    shown = cells(supporting_tables.tests(context(study), study.analyses[0]))
    assert list(shown) == [
        "Unstratified, log-rank",
        "Unstratified, hazard ratio",
        "Restricted mean, to 1 months, difference in months",
        "Restricted mean, to 1 months, ratio",
        "Hazard ratio, 0 to 1 months",
        "Hazard ratio, after 1 months",
        "MaxCombo",
        "Hazard ratio, Firth’s penalty",
        "Adjusted hazard ratio",
    ]
    assert shown["MaxCombo"][0] == ""
    assert 0 < float(shown["MaxCombo"][1]) <= 1
    assert shown["Restricted mean, to 1 months, ratio"][1] == ""
    ratio, p = (float(x) for x in shown["Unstratified, hazard ratio"])
    assert ratio > 0
    assert 0 < p < 1


def test_in_french():
    study = with_analyses(small_study(), BESIDE)
    shown = cells(supporting_tables.tests(context(study, "fr"), study.analyses[0]))
    assert "Rapport des risques, 0 à 1 mois" in shown
    assert "Rapport des risques, après 1 mois" in shown


def test_subgroups_have_arms_ratio_and_interaction_and_say_why_a_ratio_is_not_shown():
    study = with_analyses(small_study(), GROUPS)
    ready = context(study)
    table = supporting_tables.subgroups(ready, study.analyses[0])
    shown = cells(table)
    assert list(shown) == ["All", "Primary site", "Lung", "Digestive"]
    assert [shown["Lung"][i] for i in (0, 2)] == ["4/10", "8/10"]
    assert shown["Lung"][4] == "NE"
    assert [why for _, why in table.footnotes if "fewer" in why] == ["fewer than 5 events in Chemotherapy"]
    assert float(shown["Digestive"][4]) > 0
    assert shown["Primary site"][:5] == [""] * 5
    assert 0 < float(shown["Primary site"][5]) <= 1
    assert [row.depth for row in table.rows] == [0, 0, 1, 1]


def test_the_forest_has_a_line_for_each_level():
    study = with_analyses(small_study(), GROUPS)
    figure = supporting_tables.subgroup_forest(context(study), study.analyses[0], "B", "f")
    assert figure is not None
    for label in ("All", "Primary site", "Lung", "Digestive", "NE*"):
        assert f">{label}<" in figure.svg


def test_competing_risks_show_both_incidences_and_the_contrast():
    study = with_analyses(small_study(), PFS)
    shown = cells(supporting_tables.competing(context(study), study.analyses[0]))
    assert shown["With the event"][:2] == ["9\u00a0(45.0%)", "12\u00a0(60.0%)"]
    assert shown["Died before it"][:2] == ["3\u00a0(15.0%)", "4\u00a0(20.0%)"]
    assert shown["Incidence at 1 months"][0].endswith("%")
    assert shown["Gray’s test p"][:2] == ["", ""]
    assert float(shown["Subdistribution hazard ratio (Fine–Gray)"][2]) > 0


@pytest.mark.parametrize("analysis", [BESIDE, GROUPS, PFS])
def test_the_section_has_a_part_for_each_and_further_analyses_do_not_repeat_it(analysis):
    book = sections.Book(context(with_analyses(small_study(), analysis)))
    section = sections.supporting(book)
    assert section is not None
    assert [part.id for part in section.parts] == [f"analysis-{analysis['id']}"]
    assert section.parts[0].blocks
    assert sections.further(book) is None


def test_without_data_the_part_says_why():
    study = with_analyses(small_study(), GROUPS)
    empty = Context(study, Results.of(run(study, {})), {}, speak("en"))
    section = sections.supporting(sections.Book(empty))
    assert section is not None
    (block,) = section.parts[0].blocks
    assert block.text.endswith("ADSL is absent.")
