"""What only some designs ask for stands on their page, and nothing of it on the pages of others."""

import re

import pytest

from trialwright.simulate.characteristics import characteristics
from trialwright.simulate.chunks import Run, simulate
from trialwright.simulate.design import read
from trialwright.simulate.page import Asked, render
from trialwright.study.load import folder, load

STUDY = load(folder("tarlanec"))
TITLES = {"Differences", "Futility", "Bounds that hold the level", "Guessing the next arm"}
WORDS = {
    "target": (set(), ["hazard ratio 1, 0.5 from month 2"]),
    "null": ({"Bounds that hold the level"}, ["1.960"]),
    "interim": (
        {"Futility", "Differences"},
        ["Stopped at look 1", "at 74 events below 10 % conditional power under a hazard ratio of 0.56", "year, to month 12"],
    ),
    "states": ({"Differences"}, ["alive_at_12, month 12", "months between them 1.37988, 2.75975 from month 11.039"]),
    "slow": ({"Guessing the next arm"}, ["Known for certain", "who sees one site only"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_page(name):
    design = read(STUDY, name)
    results = characteristics(design, name, simulate(Run(design, 400, 1)))
    page = render(STUDY, design, Asked(name, 400, 1), results)
    titles, words = WORDS[name]
    assert set(re.findall("<h2>(.+?)</h2>", page)) & TITLES == titles
    for word in words:
        assert word in page
    assert "None" not in page
    assert "nan" not in page
