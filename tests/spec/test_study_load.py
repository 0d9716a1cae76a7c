"""A study folder is one frozen value, or every fault of every file in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from trialwright.study import load
from trialwright.study.load import Fault, StudyError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled TARLANEC, to break."""
    return Path(shutil.copytree(load.folder("tarlanec"), tmp_path / "study"))


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {file.name}: the test breaks nothing"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def _faults(folder: Path) -> list[str]:
    with pytest.raises(StudyError) as caught:
        load.load(folder)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("name", load.bundled())
def test_every_bundled_study_is_sound(name: str) -> None:
    study = load.load(load.folder(name))
    assert study.control.role == "control"
    assert study.experimental


def test_tarlanec_compares_b_with_the_control_a() -> None:
    study = load.load(load.folder("tarlanec"))
    assert (study.control.id, [arm.id for arm in study.experimental]) == ("A", ["B"])


def test_tarlanec_has_the_eight_registered_outcomes_in_registered_order() -> None:
    study = load.load(load.folder("tarlanec"))
    assert study.record is not None
    assert [(o.type, o.number) for o in study.outcomes] == [(o.type, o.number) for o in study.record.outcomes]


def test_the_value_is_frozen() -> None:
    study = load.load(load.folder("tarlanec"))
    with pytest.raises(ValidationError):
        study.headline_population = "MITT"  # type: ignore[misc]


def test_a_label_falls_back_from_the_study_s_language_to_english() -> None:
    study = load.load(load.folder("tarlanec"))
    french = study.model_copy(update={"study": study.study.model_copy(update={"language": "fr"})})
    assert french.text({"en": "arm", "fr": "bras"}) == "bras"
    assert french.text({"en": "arm"}) == "arm"
    assert french.text({"de": "Arm"}) == "Arm"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("study.toml", 'role = "control"', 'role = "contorl"', "study.toml: arms[1].role: Input should be"),
        ("study.toml", 'phase = "3"', 'faze = "3"', "study.toml: study.faze: Extra inputs are not permitted"),
        ("study.toml", "day_offset = 1", "day_offset = 2", "study.toml: study.day_offset: "),
        ("study.toml", '[study]\nid = "TARLANEC"', "[study]", "study.toml: study.id: Field required"),
        (
            "study.toml",
            'headline_population = "ITT"',
            'headline_population = "IIT"',
            "study.toml: headline_population: 'IIT' is not defined (there is: SCREENED, ITT",
        ),
        (
            "study.toml",
            'analyses = ["DCR.ITT"]',
            'analyses = ["DCR.ALL"]',
            "study.toml: outcomes.DCR.readings.headline.analyses: 'DCR.ALL' is not defined",
        ),
        (
            "study.toml",
            "block_sizes = [3, 6]",
            "block_sizes = [3, 4]",
            "study.toml: allocation.block_sizes: 4 is not a multiple of the ratio's sum 3",
        ),
        (
            "study.toml",
            'quote = "cemiplimab"',
            'quote = "cemiplimax"',
            "study.toml: reading.quote: not in the record: 'cemiplimax'",
        ),
        (
            "study.toml",
            'registered = "Duration of Response (DoR)"',
            'registered = "Duration of response"',
            "study.toml: outcomes.DOR.registered: not in the record's secondary outcome 3",
        ),
        (
            "sources.toml",
            "PFIGR = { domain",
            "PFIGRX = { domain",
            "sources.toml: strata: 'PFIGR' is not defined",
        ),
        (
            "sources.toml",
            'bin_words = ["<90", ">=90"]',
            'bin_words = ["<90"]',
            "sources.toml: strata.PFIGR.bin_words: one word more than bins",
        ),
        (
            "assumptions.toml",
            'status = "assumed"',
            'status = "guessed"',
            "assumptions.toml: assumption[1].status: Input should be",
        ),
        (
            "assumptions.toml",
            'id = "A-24"',
            'id = "A-99"',
            "study.toml: endpoints.OS.assumes: 'A-24' is not defined",
        ),
        ("schedule.csv", "window,14", "windows,14", "schedule.csv: the grid has no row named 'window'"),
        (
            "schedule.csv",
            "day,-14",
            "day,soon",
            "schedule.csv: visits[1].day: Input should be a valid integer",
        ),
        ("schedule.csv", "QLQ-C30,", "QLQ,", "schedule.csv: activity: 'QLQ-C30' is not defined"),
        ("registry.csv", "NCT Number", "Number", "registry.csv: the export has no column 'NCT Number'"),
    ],
)
def test_a_wrong_file_key_word_or_reference_names_the_file_and_the_key(
    folder: Path, file: str, old: str, new: str, expected: str
) -> None:
    _edit(folder / file, old, new)
    faults = _faults(folder)
    assert any(fault.startswith(expected) for fault in faults), faults


def test_a_date_that_does_not_exist_is_a_fault_of_its_key(folder: Path) -> None:
    _edit(
        folder / "study.toml",
        'headline_population = "ITT"',
        'headline_population = "ITT"\ncutoff = "2027-02-30"',
    )
    assert any(fault.startswith("study.toml: cutoff: ") for fault in _faults(folder))


def test_a_text_that_is_no_toml_says_the_line(folder: Path) -> None:
    _edit(folder / "sources.toml", "[facts]", "[facts")
    assert any(f.startswith("sources.toml: ") and "line" in f for f in _faults(folder))


def test_all_faults_of_a_folder_come_together(folder: Path) -> None:
    _edit(folder / "study.toml", 'role = "control"', 'role = "contorl"')
    _edit(folder / "sources.toml", 'pick = "first"', 'pick = "frist"')
    _edit(folder / "assumptions.toml", 'status = "assumed"', 'status = "guessed"')
    assert {fault.split(":")[0] for fault in _faults(folder)} == {
        "study.toml",
        "sources.toml",
        "assumptions.toml",
    }


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "sources.toml").unlink()
    assert "sources.toml: file is missing" in _faults(folder)


def test_an_outcome_of_the_record_that_nothing_answers_is_a_fault(folder: Path) -> None:
    _edit(folder / "study.toml", 'type = "secondary"\nnumber = 7', 'type = "secondary"\nnumber = 6')
    faults = _faults(folder)
    assert "study.toml: outcomes: the record's secondary outcome 7 is linked to no outcome" in faults


def test_neither_a_folder_nor_a_bundled_study_names_both() -> None:
    with pytest.raises(StudyError, match=r"no such folder, and no bundled study \(.*tarlanec"):
        load.folder("tarlanex")


def test_a_fault_without_a_key_names_its_file() -> None:
    assert str(Fault("schedule.csv", "", "file is missing")) == "schedule.csv: file is missing"
