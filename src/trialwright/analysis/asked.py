"""One contrast of one parameter, asked under a word of the study: how its rows are said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from trialwright.analysis.comparison import Pair
from trialwright.analysis.population import contrasts
from trialwright.analysis.question import Question
from trialwright.analysis.rows import limits
from trialwright.standards.results import Result
from trialwright.stats.errors import NotEstimable
from trialwright.stats.logrank import LogRank

HAZARD: Final = limits("hazard_ratio")


@dataclass(frozen=True, slots=True)
class Asked:
    """One contrast of one parameter, and the word it is asked under."""

    question: Question
    pair: Pair
    word: str

    def say(
        self,
        names: Iterable[str],
        compute: Callable[[], Iterable[float]],
        *,
        detail: str = "",
        note: str = "",
        gap: str = "not defined",
    ) -> Iterator[Result]:
        """Rows of the contrast; a reason names the arms."""
        yield from self.question.address.estimates(
            tuple(names),
            lambda: self.pair.named(compute),
            group=self.pair.contrast.name,
            level=self.level(detail),
            note=note,
            gap=gap,
        )

    def count(
        self, statistic: str, who: npt.NDArray[np.bool_], *, detail: str = "", note: str = ""
    ) -> Iterator[Result]:
        """How many of each arm; of the control arm once, with the first contrast."""
        contrast, one = self.pair.contrast, self.pair.one
        first = contrast == contrasts(self.question.study)[0]
        for arm, members in ((contrast.control, ~one), (contrast.experimental, one)):
            if first or arm != contrast.control:
                yield self.question.address.number(
                    statistic, int((who & members).sum()), group=arm, level=self.level(detail), note=note
                )

    def level(self, detail: str) -> str:
        return f"{self.word} | {detail}" if detail else self.word


def tested(found: LogRank) -> tuple[float, float]:
    return found.z, found.p_value


def not_there(why: str) -> Callable[[], Iterable[float]]:
    """What a test computes where the data lack what it needs."""

    def compute() -> Iterable[float]:
        raise NotEstimable(why)

    return compute
