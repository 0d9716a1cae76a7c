"""All combinations of the CRS and ICANS inputs against oracles written from the tables, cell by cell.

The oracles share nothing with the package: they look each grade up from the top row of the published table downwards.
"""

from itertools import product

import polars as pl
import pytest

from trialwright.medicine import astct


def crs_oracle(temp, other, low, pressors, vasopressin, device, flow, airway, masked):
    """Grade of the second of two assessments; the first was a fever of 38.5 C four hours before."""
    fever = temp is not None and temp >= 38 and not other
    if airway:
        device = "NONE"
    rows = {
        4: pressors >= 2 or device in ("CPAP", "BIPAP", "INTUB"),
        3: pressors == 1
        or vasopressin
        or device in ("HFNC", "FACEMASK", "NRB", "VENTURI")
        or (device == "NC" and flow == 8),
        2: low or device in ("NC", "BLOWBY"),
    }
    met = [grade for grade, holds in rows.items() if holds]
    if met:
        return met[0] if fever or masked else 0
    return 1 if fever or masked else 0


def test_crs_after_a_fever():
    axes = {
        "temp_c": [37.9, 38.0, None],
        "fever_other_cause": [True, False],
        "hypotension": [True, False],
        "n_pressors": [0, 1, 2, 3],
        "vasopressin": [True, False],
        "o2_device": ["NONE", "NC", "BLOWBY", "HFNC", "FACEMASK", "NRB", "VENTURI", "CPAP", "BIPAP", "INTUB"],
        "o2_flow": [6.0, 8.0, None],
        "o2_for_airway": [True, False],
        "steroid": [True, False],
    }
    lattice = list(product(*axes.values()))
    second = pl.DataFrame(lattice, schema=list(axes), orient="row", infer_schema_length=None).with_row_index(
        "subject"
    )
    first = second.select("subject", hours=pl.lit(0.0), temp_c=pl.lit(38.5))
    course = astct.crs_course(
        pl.concat([second.with_columns(hours=pl.lit(4.0)), first], how="diagonal")
    ).filter(pl.col("hours") == 4)
    assert len(lattice) == 11520
    assert course["grade"].to_list() == [crs_oracle(*values) for values in lattice]


def walk(patient, policy):
    """Grades of one patient's (hours, temperature, hypotension, treated), one after the other."""
    in_episode, masked, sign, fever, grades = False, False, None, None, []
    for hours, temp, low, treated in patient:
        if in_episode and hours - sign >= policy.new_episode_gap_h:
            in_episode, masked = False, False
        if temp >= 38:
            in_episode = True
        if not in_episode:
            grades.append(0)
            continue
        masked = masked or treated
        if temp >= 38:
            grade, fever = (2 if low else 1), hours
        elif low:
            grade = 2 if masked or policy.afebrile_unmasked == "open_episode" else 0
        else:
            grade = 1 if masked and hours - fever < policy.fever_memory_h else 0
        if grade:
            sign = hours
        grades.append(grade)
    return grades


@pytest.mark.parametrize("word", ["query", "open_episode"])
def test_crs_over_four_assessments(word):
    """All courses of fever, low pressure, both or neither, treated or not, 12 or 24 hours apart."""
    policy = astct.Policy(afebrile_unmasked=word)
    signs = list(product([37.0, 39.0], [True, False], [True, False]))
    patients = []
    for gaps in product([12, 24], repeat=3):
        hours = [0, gaps[0], gaps[0] + gaps[1], sum(gaps)]
        for four in product(signs, repeat=4):
            patients.append([(h, *sign) for h, sign in zip(hours, four, strict=True)])
    assert len(patients) == 32768
    rows = [(n, *assessment) for n, patient in enumerate(patients) for assessment in patient]
    columns = ["subject", "hours", "temp_c", "hypotension", "antipyretic"]
    seen = astct.crs_course(pl.DataFrame(rows, schema=columns, orient="row"), policy)
    assert seen["grade"].to_list() == [grade for patient in patients for grade in walk(patient, policy)]


def icans_oracle(ice, consciousness, seizure, motor, pressure):
    down = {"VIGOROUS", "UNAROUSABLE", "COMA"}
    if consciousness in down or motor == "DEEP_FOCAL" or seizure in {"PROLONGED", "REPEATED"}:
        return 4
    if pressure not in (None, "NONE", "FOCAL"):
        return 4
    if consciousness == "TOUCH" or seizure in {"RESOLVED", "EEG_ONLY"} or pressure == "FOCAL":
        return 3
    if ice in (0, 1, 2):
        return 3
    if consciousness == "VOICE" or ice in (3, 4, 5, 6):
        return 2
    if consciousness == "SPONT" or ice in (7, 8, 9):
        return 1
    return 0 if ice == 10 or consciousness == "ALERT" else None


def test_icans():
    axes = {
        "ice": [None, *range(11)],
        "consciousness": [None, "NOT_ASSESSABLE", *astct.CONSCIOUSNESS],
        "seizure": [None, *astct.SEIZURE],
        "motor": [None, *astct.MOTOR],
        "pressure": [None, *astct.PRESSURE],
    }
    lattice = list(product(*axes.values()))
    patients = pl.DataFrame(
        lattice, schema=list(axes), orient="row", infer_schema_length=None
    ).with_row_index("subject")
    seen = astct.icans_course(patients.with_columns(hours=pl.lit(0.0)))
    assert len(lattice) == 15552
    assert seen["grade"].to_list() == [icans_oracle(*values) for values in lattice]
