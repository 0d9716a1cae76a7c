"""The choices that the ASTCT 2019 consensus leaves open, each a word or a number with its default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

FEVER_C: Final = 38.0  # Lee et al. 2019: at or above, not attributable to another cause
LOW_FLOW_L_MIN: Final = 6.0  # nasal cannula at or below is low flow
DECIMALS: Final = 6  # of hours and degrees, so that 24 h of a clock and 100.4 F are exact


@dataclass(frozen=True, slots=True)
class Policy:
    """One trial's reading of the consensus.

    vasopressin_alone    grade of vasopressin as the only vasopressor (the paper only says it is not counted)
    afebrile_unmasked    organ signs without fever in an open episode, nothing given that masks fever: not
                         graded but queried, or graded as part of the episode
    new_episode_gap_h    signs back after this many hours without any are a new episode
    fever_memory_h       after treatment that masks fever, grade 1 stands this long from the last fever
    both_causes          a fever that CRS and another cause both explain: counted as CRS, or not
    baseline_adjust      the ICE score is judged by its fall from baseline, or as it stands
    """

    vasopressin_alone: Literal[2, 3] = 3
    afebrile_unmasked: Literal["query", "open_episode"] = "query"
    new_episode_gap_h: float = 24.0
    fever_memory_h: float = 24.0
    both_causes: Literal["crs", "other"] = "crs"
    baseline_adjust: bool = True

    def __post_init__(self) -> None:
        words = {
            "vasopressin_alone": (2, 3),
            "afebrile_unmasked": ("query", "open_episode"),
            "both_causes": ("crs", "other"),
        }
        for name, allowed in words.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"astct {name} is one of {', '.join(map(str, allowed))}, not {getattr(self, name)!r}"
                )
        for name in ("new_episode_gap_h", "fever_memory_h"):
            if not getattr(self, name) > 0:
                raise ValueError(f"astct {name} is a number of hours above 0, not {getattr(self, name)!r}")


DEFAULT: Final = Policy()
