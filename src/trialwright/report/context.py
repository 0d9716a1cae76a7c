"""What every part of the report needs: the study, the results by address, the datasets, the language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from trialwright.report.addresses import Number, Results
from trialwright.report.language import Language
from trialwright.study.model import Analysis, Arm, Study


@dataclass(frozen=True, slots=True)
class Context:
    study: Study
    results: Results
    datasets: Mapping[str, pl.DataFrame]
    language: Language

    def label(self, arm: str) -> str:
        """The arm's label; an id the study does not know stays as it is."""
        return next((self.study.text(a.label) for a in self.study.arms if a.id == arm), arm)

    def reason(self, note: str) -> str:
        """The reason of a result with arms by their labels, in the report's language if it has the words."""
        for arm in self.study.arms:
            label = self.label(arm.id).replace("\\", r"\\")
            note = re.sub(rf"\barm {re.escape(arm.id)}\b", label, note)
        return self.language.known(f"said:{note}", note)

    def gap(self, analysis: str) -> str:
        """The sentence for an analysis without a number."""
        found = self.reason(self.results.gap(analysis))
        return f"{found}." if found else self.language("no_results")

    @property
    def arms(self) -> tuple[Arm, ...]:
        return self.study.arms

    @property
    def control(self) -> str:
        return self.study.control.id

    def versus(self, arm: str) -> str:
        """The group of a contrast in the results."""
        return f"{arm} vs {self.control}"

    def months(self, days: float) -> str:
        return self.language.number(days / self.study.study.days_per_month, 1)

    def population(self, id_: str) -> str:
        found = next((p for p in self.study.populations if p.id == id_), None)
        return self.study.text(found.label) if found else id_

    def endpoint_label(self, analysis: Analysis) -> str:
        """The label of what is measured, else of the analysis."""
        known = self.study.endpoints
        labels = {e.id: e.label for e in known.time_to_event} | {e.id: e.label for e in known.best_response}
        return self.study.text(labels.get(analysis.endpoint or "", analysis.label))

    def family(self, analysis: Analysis) -> tuple[tuple[str, str], ...]:
        """(scale, PARAMCD) of a deterioration family in the study's order; nothing for another endpoint."""
        for found in self.study.endpoints.deterioration:
            if found.id == analysis.endpoint:
                return tuple((scale, found.paramcd(scale)) for scale in found.scales)
        return ()


@dataclass(slots=True)
class Notes:
    """Footnotes of one table: the same reason gets the same letter."""

    letters: dict[str, str] = field(default_factory=dict)

    def mark(self, reason: str) -> str:
        return self.letters.setdefault(reason, _letter(len(self.letters)))

    def listed(self) -> tuple[tuple[str, str], ...]:
        return tuple((letter, reason) for reason, letter in self.letters.items())


def _letter(index: int) -> str:
    """a, b … z, aa, ab …"""
    head, tail = divmod(index, 26)
    return (_letter(head - 1) if head else "") + chr(ord("a") + tail)


def first_note(numbers: Iterable[Number | None], otherwise: str) -> str:
    """The first reason among numbers that could not be estimated."""
    return next((n.note for n in numbers if n is not None and n.value is None and n.note), otherwise)
