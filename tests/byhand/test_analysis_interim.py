"""A look at a trial under way: bounds of project rules 8.10 and the powers from their formulas."""

import math

import pytest
from scipy.special import ndtr

from analysis_frames import adsl, adtte, note, number, with_analyses
from small import small_study
from trialwright.analysis.run import run
from trialwright.report import interim_tables
from trialwright.report.addresses import Results
from trialwright.report.context import Context
from trialwright.report.language import speak
from trialwright.stats.logrank import logrank
from trialwright.stats.sequential import stage_wise

LOOK = {"id": "L", "method": "interim", "population": "ITT", "endpoint": "OS"}


def trial(events: int, step: int):
    """Arms of 50. The first half of the events in A on days 1, 2, 3 …, the other in B on days ``step``, 2 step …"""
    people, times = ["USUBJID | TRT01P"], ["USUBJID | AVAL | CNSR"]
    for arm, days in (("A", 1), ("B", step)):
        for i in range(50):
            people.append(f"{arm}{i} | {arm}")
            dead = i < events // 2
            times.append(f"{arm}{i} | {days * (i + 1) if dead else 400} | {int(not dead)}")
    return adsl("\n".join(people)), adtte("\n".join(times))


def looked(events: int = 60, step: int = 1, **plan: object):
    subjects, times = trial(events, step)
    study = with_analyses(small_study(), LOOK | {"interim": {"planned_events": 80} | plan})
    return run(study, {"ADSL": subjects, "ADTTE": times}), times


def value(results, statistic: str) -> float:
    found = number(results, statistic, "B vs A")
    assert found is not None, note(results, statistic, "B vs A")
    return found


@pytest.mark.parametrize(
    ("plan", "bound", "p", "final"),
    [  # project rules 8.10: at 0.75 after no look, and after one at 0.5
        ({}, 2.340, 0.0193, 2.012),
        ({"looked_at": [40]}, 2.359, 0.0183, 2.014),
    ],
)
def test_the_bound_at_the_events_there_are(plan, bound, p, final):
    results, _ = looked(60, **plan)
    assert value(results, "information_fraction") == 0.75
    assert value(results, "bound_z") == pytest.approx(bound, abs=5e-4)
    assert value(results, "bound_p") == pytest.approx(p, abs=5e-5)
    assert value(results, "final_bound_z") == pytest.approx(final, abs=5e-4)
    assert value(results, "alpha_spent") == pytest.approx(
        2 * (1 - ndtr(2.2414027 / math.sqrt(0.75))), abs=1e-7
    )


def test_z_is_large_where_the_experimental_arm_does_better():
    results, times = looked(60, step=2)
    time, event = times["AVAL"].to_numpy(), times["CNSR"].to_numpy() == 0
    z = -logrank(time, event, times["USUBJID"].str.starts_with("B").to_numpy()).z
    assert z > 0
    assert value(results, "z") == pytest.approx(z)
    assert value(results, "bound_crossed") == float(z >= 2.340)


def test_what_may_still_come():
    """Given z at 3/4 of the way: the trend expects z / sqrt(t) at the end, the design -log(0.6) sqrt(80 / 4)."""
    results, _ = looked(60, step=2, design_hazard_ratio=0.6)
    z, bound, t = value(results, "z"), value(results, "final_bound_z"), 0.75
    trend = ndtr((z / math.sqrt(t) - bound) / math.sqrt(1 - t))
    assert value(results, "conditional_power_trend") == pytest.approx(trend)
    drift = -math.log(0.6) * math.sqrt(80 / 4)
    design = ndtr((z * math.sqrt(t) + drift * (1 - t) - bound) / math.sqrt(1 - t))
    assert value(results, "conditional_power_design") == pytest.approx(design)
    predictive = ndtr((z - bound * math.sqrt(t)) / math.sqrt(1 - t))
    assert value(results, "predictive_power") == pytest.approx(predictive)


def test_repeated_limits_have_the_bound_for_their_quantile():
    results, _ = looked(60, step=2)
    ratio, low = value(results, "hazard_ratio"), value(results, "hazard_ratio_lower")
    error = math.log(ratio / low) / 1.959964
    wide = value(results, "hazard_ratio_repeated_lower")
    assert math.log(ratio / wide) / error == pytest.approx(value(results, "bound_z"), rel=1e-5)


def test_limits_by_stage_wait_for_the_end():
    assert note(looked(60)[0], "hazard_ratio_stage_wise", "B vs A").startswith("the trial goes on")
    results, _ = looked(60, step=2, looked_at=[40], final=True)
    found = stage_wise([10, 15], [2.963, 0], value(results, "z"))
    assert value(results, "hazard_ratio_stage_wise") == pytest.approx(
        math.exp(-found.drift.estimate), rel=1e-3
    )
    assert value(results, "p_stage_wise_one_sided") == pytest.approx(found.p_one_sided, rel=1e-3)
    assert note(results, "predictive_power", "B vs A").startswith("nothing is to come")
    assert (
        value(results, "alpha_spent") == 0.025
    )  # fewer events than planned, but the study says it is the last


def test_a_second_look_without_a_new_event_is_no_look():
    results, _ = looked(60, looked_at=[40, 60])
    assert note(results, "bound_z", "B vs A") == "60 events are no more than the 60 of the look before"


def test_a_look_too_early_has_no_bound():
    results, _ = looked(4, planned_events=4_000)
    assert note(results, "bound_z", "B vs A").startswith("hardly any level")


def test_an_empty_arm():
    subjects, times = trial(60, 1)
    study = with_analyses(small_study(), LOOK | {"interim": {"planned_events": 80}})
    only = run(study, {"ADSL": subjects.filter(subjects["TRT01P"] == "B"), "ADTTE": times})
    for statistic in ("bound_z", "z", "hazard_ratio_repeated_lower", "predictive_power"):
        assert note(only, statistic, "B vs A") == "no patients in arm A"


def test_the_table():
    results, _ = looked(60, step=2)
    study = with_analyses(small_study(), LOOK | {"interim": {"planned_events": 80}})
    table = interim_tables.looked(Context(study, Results.of(results), {}, speak("en")), study.analyses[0])
    assert table is not None
    shown = {row.label: row.cells[0].text for row in table.rows}
    assert (shown["Events"], shown["Information"], shown["Bound of z"]) == ("60", "75.0%", "2.340")
    assert shown["Bound crossed"] in ("yes", "no")
    assert shown["Conditional power, the effect of the design"] == "NE"
    assert len(shown) == 17
