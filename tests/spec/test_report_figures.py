"""Figures: where a curve ends, whose lesions a waterfall shows, what a forest says where it has no number."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

from drawn import table
from report_inputs import datasets, study, written
from small import small_study
from trialwright.report import estimates
from trialwright.report.addresses import Results
from trialwright.report.context import Context
from trialwright.report.curves import curve_figure
from trialwright.report.figures import tick_step
from trialwright.report.language import speak
from trialwright.report.palette import looks
from trialwright.report.plain_tables import levels, shifts
from trialwright.report.questionnaire_tables import change, completion
from trialwright.report.tables import Column, Table
from trialwright.study.model import Study


def context(definition: Study, numbers: str = "", frames: dict[str, pl.DataFrame] | None = None) -> Context:
    empty = "analysis | group | level | value | note | statistic"
    found = written(numbers or empty + "\nNONE | | | 1 | | n")
    return Context(definition, Results.of(found), frames or {}, speak("en"))


def cells(made: Table | None) -> dict[str, list[str]]:
    assert made is not None
    return {row.label: [f"{c.text} {c.sub}".strip() for c in row.cells] for row in made.rows}


@pytest.mark.parametrize(
    ("longest", "step"), [(2, 0.5), (9, 1), (14.1, 2), (27, 3), (28, 4), (60, 12), (900, 120)]
)
def test_a_time_axis_has_at_most_nine_usual_steps(longest, step):
    assert tick_step(longest) == step


def test_a_curve_ends_where_fewer_than_five_and_fewer_than_a_tenth_are_at_risk():
    # 60 patients, one event each day: five are at risk on day 56, six (a tenth) on day 55
    days = pl.DataFrame(
        {"arm": ["A"] * 60, "USUBJID": [f"{i}" for i in range(60)], "AVAL": np.arange(1.0, 61)}
    )
    frames = {
        "ADSL": days.select("USUBJID", TRT01P="arm", ITTFL=pl.lit("Y")),
        "ADTTE": days.select("USUBJID", "AVAL", PARAMCD=pl.lit("OS"), CNSR=pl.lit(0)),
    }
    definition = study(study={"id": "SMALL", "title": "x", "days_per_month": 1.0})
    made = curve_figure(context(definition, frames=frames), definition.analysis("OS-ITT"), "x", "f1")
    assert made is not None
    colour = looks(definition)["A"].colour
    step = re.search(rf'<path d="([^"]*)"[^>]*stroke: {colour}; stroke-width: 1.6', made.svg)
    assert step is not None
    bottom = float(re.findall(r"L ([\d.]+) ([\d.]+)", step[1])[-1][1])
    # the plot is 200 units high from 22: after 56 of 60 events 4/60 survive
    assert bottom == pytest.approx(22 + 200 * 56 / 60, abs=0.02)


def test_a_large_trial_draws_no_more_than_the_eye_can_part():
    n = 20_000
    days = pl.DataFrame({"USUBJID": [f"{i}" for i in range(n)], "AVAL": np.arange(1.0, n + 1)})
    days = days.with_columns(arm=pl.lit("A"), CNSR=(pl.int_range(pl.len()) % 2))
    frames = {
        "ADSL": days.select("USUBJID", TRT01P="arm", ITTFL=pl.lit("Y")),
        "ADTTE": days.select("USUBJID", "AVAL", "CNSR", PARAMCD=pl.lit("OS")),
        "ADTR": days.select(
            "USUBJID",
            PARQUAL=pl.lit("INVESTIGATOR"),
            PARAMCD=pl.lit("SUMTGT"),
            AVISITN=1,
            PCHG=-pl.col("AVAL") / 300,
            ANL01FL=pl.lit("Y"),
        ),
    }
    told = context(study(), frames=frames)
    curve = curve_figure(told, study().analysis("OS-ITT"), "x", "f1")
    bars = estimates.waterfall_figure(told, study().analysis("ORR-ITT"), "f2")
    assert curve is not None
    assert bars is not None
    assert len(curve.svg) < 300_000
    assert len(bars.svg) < 150_000
    assert "One bar stands for 34 patients." in bars.notes


LESIONS = """
USUBJID | PARQUAL                    | PARAMCD | AVISITN | PCHG  | ANL01FL
A1      | INVESTIGATOR               | SUMTGT  | 0       |       | Y
A1      | INVESTIGATOR               | SUMTGT  | 1       | -20   | Y
A1      | INVESTIGATOR               | SUMTGT  | 2       | -45   | Y
A1      | INVESTIGATOR               | SUMTGT  | 3       | -90   | N
B1      | INVESTIGATOR               | SUMTGT  | 1       | 130   | Y
B2      | INVESTIGATOR               | SUMTGT  | 1       | -30   | Y
A1      | INDEPENDENT ASSESSOR\u2223R 1    | SUMTGT  | 1       | 10    | Y
"""


def test_the_waterfall_shows_the_best_change_by_the_reader_of_the_study():
    lesions = table(LESIONS.strip()).with_columns(pl.col("PARQUAL").str.replace_all("\u2223", "|"))
    frames = datasets() | {"ADTR": lesions}
    made = estimates.waterfall_figure(context(study(), frames=frames), study().analysis("ORR-ITT"), "f1")
    assert made is not None
    # 2 of 3: −45 (not the unflagged −90) and −30 itself; the independent reader is not counted
    assert "2 of 3 patients had a reduction of at least 30%" in made.svg
    assert any("Reader: Investigator." in note for note in made.notes)


def test_no_lesions_no_waterfall():
    assert (
        estimates.waterfall_figure(context(study(), frames=datasets()), study().analysis("ORR-ITT"), "f1")
        is None
    )


FAMILY = {
    "id": "TTD",
    "label": "Deterioration",
    "method": "time_to_event",
    "population": "ITT",
    "endpoint": "TTD",
}


def test_a_forest_says_why_a_scale_has_no_ratio():
    numbers = written(
        """
        analysis | group  | level | value | note               | statistic
        TTD      | B vs A |       | 0.7   |                    | hazard_ratio
        TTD      | B vs A |       | 0.5   |                    | hazard_ratio_lower
        TTD      | B vs A |       | 0.98  |                    | hazard_ratio_upper
        """
    ).with_columns(endpoint=pl.lit("TTDFA"))
    gap = written(
        """
        analysis | group  | level | value | note               | statistic
        TTD      | B vs A |       |       | no events in arm A | hazard_ratio
        """
    ).with_columns(endpoint=pl.lit("TTDPA"))
    definition = small_study(analyses=[FAMILY])
    told = Context(definition, Results.of(pl.concat([numbers, gap])), {}, speak("en"))
    columns = [Column(definition.analysis("TTD"))]
    made = estimates.forest_figure(told, "x", columns, "B", "f1")
    assert made is not None
    assert re.findall(r">(Fatigue|Pain|NE\*|0\.70 \(0\.50 to 0\.98\))<", made.svg) == [
        "Fatigue",
        "0.70 (0.50 to 0.98)",
        "Pain",
        "NE*",
    ]
    assert estimates.unestimated(told, columns, "B") == ["* no events in Chemotherapy"]


def test_laboratory_counts_those_who_worsened():
    definition = small_study(
        analyses=[{"id": "LAB", "label": "Laboratory", "method": "laboratory", "population": "SAFETY"}]
    )
    numbers = """
        analysis | group | level                  | value | note | statistic
        LAB      | A     | ALT high: 0 -> 0       | 5     |      | n
        LAB      | A     | ALT high: 0 -> 1       | 2     |      | n
        LAB      | A     | ALT high: 1 -> 3       | 1     |      | n
        LAB      | A     | ALT high: 2 -> 1       | 4     |      | n
        LAB      | A     | ALT high: missing -> 4 | 1     |      | n
        LAB      | B     | ALT high: 0 -> 0       | 9     |      | n
        LAB      | B     | K low: 0 -> 0          | 9     |      | n
    """
    names = {"ADLB": pl.DataFrame({"PARAMCD": ["ALT"], "PARAM": ["Alanine aminotransferase"]})}
    made = shifts(context(definition, numbers, names), definition.analysis("LAB"))
    assert cells(made) == {"Alanine aminotransferase, high": ["3", "1", "0", "0"]}


def test_exposure_shows_each_row_as_it_has_it():
    definition = small_study(
        analyses=[{"id": "EX", "label": "Exposure", "method": "exposure", "population": "SAFETY"}]
    )
    numbers = """
        analysis | group | level           | value | note     | statistic
        EX       | B     | population      | 7     |          | n
        EX       | B     | RDI: TARLATAMAB | 7     | %        | n
        EX       | B     | RDI: TARLATAMAB | 97.55 | %        | median
        EX       | B     | RDI: TARLATAMAB | 90    | %        | q1
        EX       | B     | RDI: TARLATAMAB | 100   | %        | q3
        EX       | B     | STEPUPFL: X = Y | 6     |          | n
        EX       | B     | STEPUPFL: X = Y | 85.7  |          | percent
        EX       | A     | NDOSE           |       | no value | median
        EX       | B     | NDOSE           | 4     |          | median
    """
    made = levels(context(definition, numbers), definition.analysis("EX"))
    shown = {k: [c.replace("\u00a0", " ") for c in v] for k, v in cells(made).items()}
    assert shown == {
        "Relative dose intensity, tarlatamab (%)": ["–", "97.6 (90.0 to 100.0) n = 7"],
        "Began with the step-up dose, x": ["–", "6 (85.7%)"],
        "Doses": ["NE", "4.0 (NE to NE)"],
    }


QUESTIONS = {
    "id": "QLQ",
    "label": "Quality of life",
    "method": "questionnaire",
    "population": "ITT",
    "instrument": "QLQ-C30",
}


def test_questionnaires_by_visit():
    numbers = """
        analysis | group | level               | value | note           | statistic
        QLQ      | A     | completion \u2223 BASELINE | 4     |                | due
        QLQ      | A     | completion \u2223 BASELINE | 3     |                | completed
        QLQ      | A     | completion \u2223 BASELINE | 75    |                | completion_percent
        QLQ      | A     | completion \u2223 BASELINE | 60    |                | available_percent
        QLQ      | B     | completion \u2223 BASELINE | 0     |                | due
        QLQ      | B     | completion \u2223 BASELINE | 0     |                | completed
        QLQ      | B     | completion \u2223 BASELINE |       | nobody was due | completion_percent
        QLQ      | B     | completion \u2223 BASELINE | 0     |                | available_percent
        QLQ      | A     | QL \u2223 BASELINE         | 3     |                | n
        QLQ      | A     | QL \u2223 BASELINE         | 66.65 |                | mean
        QLQ      | A     | QL \u2223 BASELINE         |       | one value only | sd
    """
    definition = small_study(analyses=[QUESTIONS])
    told, analysis = context(definition, numbers), definition.analysis("QLQ")
    done = completion(told, analysis)
    assert cells(done) == {"BASELINE": ["4", "3\u00a0(75.0%)", "60.0%", "0", "0", "0.0%"]}
    changed = change(told, analysis)
    assert cells(changed)["BASELINE"][:2] == ["3", "66.7\u00a0(NE)"]
    assert changed is not None
    assert changed.caption.startswith("Global health status")
