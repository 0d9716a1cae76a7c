"""`make answer` with few trials: it runs, its figures are figures, its links lead somewhere, its bytes are its seed's."""

import re
import subprocess
import sys
import xml.dom.minidom
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make(docs: Path, workers: int) -> dict[str, bytes]:
    docs.mkdir()
    command = [sys.executable, ROOT / "scripts/what_can_show.py", "--trials", "400", "--tries", "100",
               "--workers", str(workers), "--docs", docs]  # fmt: skip
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    return {file.name: file.read_bytes() for file in docs.iterdir()}


@pytest.mark.slow
def test_the_answer(tmp_path):
    made = make(tmp_path / "one", 1)
    page = made["what-129-patients-can-show.md"].decode()
    figures = set(re.findall(r"\]\(([^)]*\.svg)\)", page))
    assert figures == made.keys() - {"what-129-patients-can-show.md"}
    for name in figures:
        assert xml.dom.minidom.parseString(made[name]).documentElement.tagName == "svg"
    assert not re.search(r"nan|None|\{\{", page)
    tables = re.findall(r"(?:^\|.*\n)+", page, flags=re.M)
    assert len(tables) == 8
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert make(tmp_path / "two", 2) == made


def test_the_page_is_of_its_template():
    """The page takes minutes to make, so words may be mended in both: each line without a number is in it."""
    lines = (ROOT / "scripts/what_can_show.jinja").read_text(encoding="utf-8").splitlines()
    page = (ROOT / "docs/what-129-patients-can-show.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "{{" not in line and line not in page] == []


def test_the_page_says_how_to_ask_again():
    """What a reader is told to run has the trials that the numbers beside it are of."""
    page = (ROOT / "docs/what-129-patients-can-show.md").read_text(encoding="utf-8")
    (tries,) = re.findall(r"--tries (\d+)", page)
    assert f"{int(tries):,} trials for each candidate" in page
    assert re.search(rf"`trialwright design tarlanec [^`]*--trials {tries} --seed 1`", page)
    (held, flattered) = (
        re.search(r"(?m)^\| stratified log-rank \|(?:[^|]*\|){2} ([\d.]+) ", part)
        for part in page.split("The same at the planned bound")
    )
    assert held
    assert flattered
    assert (
        f"planned\n  succeeds in {float(flattered[1]):.0f} of 100 runs and not in the {float(held[1]):.0f} above"
        in page
    )
