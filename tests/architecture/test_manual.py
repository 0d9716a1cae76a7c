"""The documentation can fail: the manual is that of the tests, the reference that of the models, links lead somewhere.

Each guard is broken once on purpose: a guard that was never seen to fail guards nothing.
"""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from trialwright.cli import app
from trialwright.study.model import Study

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import manual  # noqa: E402
import study_files  # noqa: E402

READ = ("README.md", "CHANGELOG.md", "docs/**/*.md")


def _stale(root: Path) -> list[str]:
    """Chapters that are not what the tests say now, or that are of no test."""
    pages = dict(manual.chapters(root))
    there = {path.relative_to(root).as_posix() for path in (root / manual.FOLDER).glob("*.md")}
    wrong = [
        path for path, text in pages.items() if path in there and (root / path).read_text("utf-8") != text
    ]
    return sorted({*wrong, *(there ^ set(pages))})


def _without_place(root: Path) -> set[str]:
    """Modules that are in no chapter and not left out, and names in the contents that are no module."""
    contents = tomllib.loads((root / "scripts/manual.toml").read_text("utf-8"))
    chapters = [chapter for part in contents["part"] for chapter in part["chapter"]]
    placed = {module for chapter in chapters for module in chapter["modules"]}
    left_out = {module for module, reason in contents["left_out"].items() if reason}
    modules = {
        path.relative_to(root).as_posix()
        for folder in ("spec", "byhand")
        for path in (root / "tests" / folder).glob("test_*.py")
    }
    return (modules ^ (placed | left_out)) | (placed & left_out)


def _dead_links(root: Path) -> list[str]:
    """``page: target`` for each link of a page to a file of the repository that is not there."""
    return [
        f"{page.relative_to(root).as_posix()}: {target}"
        for pattern in READ
        for page in root.glob(pattern)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]


def _unnamed_commands(readme: str) -> list[str]:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    return [name for name in commands if not re.search(rf"(?m)^trialwright {name}\b", readme)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the manual is made from, and the manual, to break."""
    for folder in ("tests/spec", "tests/byhand", "scripts", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_manual_is_what_the_tests_say() -> None:
    assert _stale(ROOT) == [], "run `make manual`"


def test_every_module_of_the_specification_has_its_place() -> None:
    assert _without_place(ROOT) == set(), "place it in scripts/manual.toml, or leave it out with a reason"


def test_the_reference_of_the_study_files_is_what_the_models_say() -> None:
    assert (ROOT / study_files.PAGE).read_text("utf-8") == study_files.page(), "run `make manual`"


def test_every_key_of_a_study_is_in_the_reference() -> None:
    page = (ROOT / study_files.PAGE).read_text("utf-8")
    for file, path, model in study_files.tables():
        whole = page.split(f"\n## {file}\n")[1].split("\n## ")[0]  # two files may have a table of one name
        section = whole.split(f"\n### {path}\n")[1].split("\n##")[0] if path else whole
        elsewhere = study_files.ELSEWHERE if model is Study else set()
        for key in set(model.model_fields) - elsewhere:
            assert f"| `{key}` |" in section, f"{path}.{key}"


def test_every_command_is_in_the_readme() -> None:
    assert _unnamed_commands((ROOT / "README.md").read_text("utf-8")) == []


def test_links_lead_to_files() -> None:
    assert _dead_links(ROOT) == []


# Each guard, broken.


def test_a_changed_drawing_makes_its_chapter_stale(copy: Path) -> None:
    before = _stale(copy)
    path = copy / "tests/spec/test_astct_crs.py"
    text = path.read_text("utf-8")
    assert "C2 answered by fluid" in text, "the test breaks nothing"
    path.write_text(text.replace("C2 answered by fluid", "C2 answered by hope"), "utf-8")
    assert set(_stale(copy)) - set(before) == {"docs/rules/astct-crs.md"}


def test_a_chapter_edited_or_left_behind_is_stale(copy: Path) -> None:
    before = _stale(copy)
    (copy / "docs/rules/irecist.md").write_text("Anything.\n", "utf-8")
    (copy / "docs/rules/forgotten.md").write_text("Of no test.\n", "utf-8")
    assert set(_stale(copy)) - set(before) == {"docs/rules/forgotten.md", "docs/rules/irecist.md"}


def test_a_module_in_no_chapter_or_left_out_without_a_reason_is_told(copy: Path) -> None:
    before = _without_place(copy)
    (copy / "tests/spec/test_new.py").write_text("", "utf-8")
    (copy / "tests/spec/test_dates.py").unlink()
    contents = copy / "scripts/manual.toml"
    text = contents.read_text("utf-8")
    contents.write_text(re.sub(r'("tests/spec/test_variables.py" = ).*', r'\1""', text), "utf-8")
    assert _without_place(copy) - before == {
        "tests/spec/test_new.py",
        "tests/spec/test_dates.py",
        "tests/spec/test_variables.py",
    }


def test_a_command_that_the_readme_does_not_name_is_told() -> None:
    assert "check" in _unnamed_commands("It can check a study.")


def test_a_link_to_nowhere_is_told(copy: Path) -> None:
    (copy / "docs/new.md").write_text(
        "[here](rules/README.md), [gone](rules/gone.md#there), [web](https://x.org)"
    )
    assert "docs/new.md: rules/gone.md" in _dead_links(copy)
    assert not any("README.md" in link for link in _dead_links(copy) if link.startswith("docs/new.md"))


# What the program that writes the manual makes of a test.


def _page(source: str) -> str:
    return "\n".join(block for block in manual.Page(source, code=False).blocks() if block)


def test_an_empty_first_cell_stays_in_its_column() -> None:
    page = _page('def test_a():\n    grades("a | b | c\\n | 2 | 3\\n4 | | ")\n')
    assert "| a | b | c |\n| --- | --- | --- |\n|  | 2 | 3 |\n| 4 |  |  |" in page


def test_a_boxed_drawing_reads_like_an_open_one() -> None:
    page = _page('def test_a():\n    agrees("| a | b |\\n|---+---|\\n| | 2 |\\n| 3 | |")\n')
    assert "| a | b |\n| --- | --- |\n|  | 2 |\n| 3 |  |" in page


def test_what_is_expected_is_said_and_what_only_code_can_say_is_not() -> None:
    page = _page(
        "def test_c7_cr_then_pr():\n"
        '    answer = best("PR 42", max_ne=2)\n'
        '    assert (answer["word"], answer["day"]) == ("SD", None)\n'
        '    assert answer["rule"] == [x for x in some_code]\n'
    )
    assert page == "### C7: CR then PR\n- PR 42, max_ne = 2: word is **SD**, day is **–**"
