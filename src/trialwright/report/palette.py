"""Colours and lines of the arms.

Chosen to differ for the colour-blind (deuteranopia, protanopia, tritanopia), in grey on paper, and by the
kind of line as well as by colour; all reach 4.5:1 against white.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trialwright.study.model import Study

INK: Final = "#1d2329"
MUTED: Final = "#5b6670"
RULE: Final = "#c9cfd4"


@dataclass(frozen=True, slots=True)
class Look:
    """``dashes`` in units of the line width, empty for a whole line; ``marker`` as Matplotlib writes it."""

    colour: str
    dashes: tuple[float, ...]
    marker: str


_CONTROL: Final = Look("#b4531a", (4.0, 1.6), "o")
_EXPERIMENTAL: Final = (
    Look("#124f86", (), "s"),
    Look("#2a7355", (7.0, 1.6, 1.2, 1.6), "D"),
    Look("#7b3f98", (1.3, 1.3), "^"),
    Look("#4c4f54", (9.0, 2.0), "v"),
)


def looks(study: Study) -> dict[str, Look]:
    """One look for each arm; with more arms than looks the lines repeat."""
    found = {study.control.id: _CONTROL}
    for i, arm in enumerate(study.experimental):
        found[arm.id] = _EXPERIMENTAL[i % len(_EXPERIMENTAL)]
    return {arm.id: found[arm.id] for arm in study.arms}
