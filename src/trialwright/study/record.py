"""The registered record as a value, as published."""

from __future__ import annotations

from trialwright.study import words
from trialwright.study.base import Frozen


class RegisteredOutcome(Frozen):
    type: words.OutcomeType
    number: int
    measure: str
    description: str = ""
    time_frame: str = ""


class Record(Frozen):
    registry_id: str = ""
    title: str = ""
    summary: str = ""
    interventions: tuple[str, ...] = ()
    outcomes: tuple[RegisteredOutcome, ...] = ()
    source: str = ""

    def words(self) -> str:
        """Everything it says, for looking a quotation up."""
        parts = [self.title, self.summary, *self.interventions]
        parts += [f"{o.measure}, {o.description}, {o.time_frame}" for o in self.outcomes]
        return "\n".join(parts)
