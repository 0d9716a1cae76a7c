"""Response rates by arm and experimental versus control.

Project rules 6.5 and §8.9: the denominator is everybody in the population, so that a member without a
response record is a non-responder. Clopper–Pearson per arm; the difference by Miettinen and Nurminen,
not stratified and, beside it, in the strata as randomised with Cochran's weights; there also the
Cochran–Mantel–Haenszel test and odds ratio. In them a stratum without patients of one arm is merged, but
one with few responders is not: the test was made for thin strata. Where an expected count is under five
the exact conditional test stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from trialwright.analysis.population import Contrast, arms, contrasts, placed
from trialwright.analysis.rows import Adam, Address, limits
from trialwright.analysis.strata import Strata, strata
from trialwright.standards.results import Result, rows_to_frame
from trialwright.stats.breslow_day import exact_association
from trialwright.stats.errors import NotEstimable
from trialwright.stats.proportions import clopper_pearson, miettinen_nurminen
from trialwright.stats.stratified_tables import (
    CochranMantelHaenszel,
    cochran_mantel_haenszel,
    miettinen_nurminen_stratified,
)
from trialwright.study.model import Analysis, BestResponse, Study

BEST = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE")
"""Best overall responses from best to worst (RECIST 1.1 §4.3); others found in the data follow."""

Counts = npt.NDArray[np.int64]
NO_RECORD = "no record"


def proportion(study: Study, adam: Adam, analysis: Analysis) -> pl.DataFrame:
    """Responders of each arm, their best responses, and the contrasts."""
    endpoint = next(e for e in study.endpoints.best_response if e.id == analysis.endpoint)
    address = Address(analysis.id, analysis.population, endpoint.id)
    people = _people(study, adam, analysis, endpoint)
    if people["answer"].null_count() == people.height > 0:
        why = f"ADRS has no {endpoint.id} by {analysis.assessor or study.response.assessor}"
        return rows_to_frame([address.number("proportion", None, note=why)])
    confidence = study.study.confidence
    found = [row for group in arms(study) for row in _arm(address, people, group, confidence)]
    found += _best(study, address, people)
    for contrast in contrasts(study):
        found += _contrast(address, people, contrast, analysis.strata, confidence)
    return rows_to_frame(found)


def _people(study: Study, adam: Adam, analysis: Analysis, endpoint: BestResponse) -> pl.DataFrame:
    """One row per member: ``group``, the strata, ``answer`` (Y, N or null), ``event``, ``best``, ``why``.

    The best response is the one that the answer was read from (ADRS says it in NOTE), since an endpoint
    may have response rules of its own; else the study's.
    """
    read = adam["ADRS"].filter(pl.col("PARQUAL") == (analysis.assessor or study.response.assessor))
    best = "BORC" if endpoint.confirmation == "confirmed" else "BORU"
    own = pl.col("NOTE").str.extract(r"^best response (.+)$")
    answers = read.filter(pl.col("PARAMCD") == endpoint.id).select(
        "USUBJID", answer="AVALC", own=own, why="RULE"
    )
    bests = read.filter(pl.col("PARAMCD") == best).select("USUBJID", study_best="AVALC")
    return (
        placed(study, adam, analysis.population)
        .select("USUBJID", "group", *analysis.strata)
        .join(answers, on="USUBJID", how="left", maintain_order="left")
        .join(bests, on="USUBJID", how="left", maintain_order="left")
        .with_columns(event=pl.col("answer").eq_missing("Y"), best=pl.coalesce("own", "study_best"))
    )


def _arm(address: Address, people: pl.DataFrame, group: str, confidence: float) -> Iterator[Result]:
    mine = people.filter(pl.col("group") == group)
    x, n = int(mine["event"].sum()), mine.height
    yield address.number("n", n, group=group)
    yield address.number("x", x, group=group)
    if unknown := mine["answer"].null_count():
        note = "no response record: counted as not responding"
        yield address.number("n_missing", unknown, group=group, note=note)

    def rate() -> tuple[float, float, float]:
        if not n:
            raise NotEstimable(f"no patients in arm {group}")
        found = clopper_pearson(x, n, confidence)
        return found.estimate, found.lower, found.upper

    yield from address.estimates(limits("proportion"), rate, group=group)


def _best(study: Study, address: Address, people: pl.DataFrame) -> Iterator[Result]:
    """Members by best response, and those not evaluable by reason."""
    said = people.select("group", "why", best=pl.col("best").fill_null(NO_RECORD))
    others = sorted(set(said["best"]) - {*BEST})
    yield from _tally(study, address, said.select("group", what="best"), [*BEST, *others])
    unknown = said.filter(pl.col("best") == "NE").select(
        "group",
        what=pl.format("NE: {}", pl.col("why").fill_null("no reason given").str.replace_all("_", " ")),
    )
    yield from _tally(study, address, unknown, unknown["what"].unique().sort().to_list())


def _tally(study: Study, address: Address, said: pl.DataFrame, whats: list[str]) -> Iterator[Result]:
    counts = {(group, what): n for group, what, n in said.group_by("group", "what").len().rows()}
    for what in whats:
        for group in arms(study):
            n = counts.get((group, what), 0)
            yield address.number("n_best", n, group=group, level=f"best response: {what}")


@dataclass(frozen=True, slots=True)
class Table:
    """x responders of n in each arm (1: experimental), one element for each stratum."""

    contrast: Contrast
    x1: Counts
    n1: Counts
    x0: Counts
    n0: Counts

    def sums(self) -> tuple[int, int, int, int]:
        """The strata together."""
        x1, n1, x0, n0 = (int(v.sum()) for v in (self.x1, self.n1, self.x0, self.n0))
        for arm, n in ((self.contrast.experimental, n1), (self.contrast.control, n0)):
            if not n:
                raise NotEstimable(f"no patients in arm {arm}")
        return x1, n1, x0, n0

    def difference(self, confidence: float) -> tuple[float, float, float]:
        x1, n1, x0, n0 = self.sums()
        found = miettinen_nurminen(x1, n1, x0, n0, confidence)
        return found.estimate, found.lower, found.upper

    def stratified(self, confidence: float) -> tuple[float, float, float]:
        self.sums()
        found = miettinen_nurminen_stratified(self.x1, self.n1, self.x0, self.n0, confidence=confidence)
        return found.estimate, found.lower, found.upper

    def exact(self) -> float:
        self.sums()
        return exact_association(self.x1, self.n1, self.x0, self.n0).p_value

    def common(self, confidence: float) -> CochranMantelHaenszel:
        self.sums()
        return cochran_mantel_haenszel(self.x1, self.n1, self.x0, self.n0, confidence=confidence)

    def odds(self, confidence: float) -> tuple[float, float, float]:
        found = self.common(confidence).odds_ratio
        return found.estimate, found.lower, found.upper

    def thin(self) -> str:
        """A note where an expected count of the strata together is under five (Cochran's condition)."""
        rows, x = np.array([self.n1.sum(), self.n0.sum()]), int(self.x1.sum() + self.x0.sum())
        if not rows.all() or (rows * min(x, rows.sum() - x) / rows.sum()).min() >= 5:
            return ""
        return "an expected count is under 5: the exact test is wanted"


def _contrast(
    address: Address, people: pl.DataFrame, contrast: Contrast, names: tuple[str, ...], confidence: float
) -> Iterator[Result]:
    group = contrast.name
    both = people.filter(pl.col("group").is_in([contrast.experimental, contrast.control])).with_columns(
        one=pl.col("group") == contrast.experimental
    )
    how = strata(both, names, least_events=0)
    table = _table(contrast, both, how)
    yield from how.rows(address, group)
    yield from address.estimates(
        limits("difference"), lambda: table.difference(confidence), group=group, note="not stratified"
    )
    yield from address.estimates(
        ("p_cmh",), lambda: (table.common(confidence).p_value,), group=group, note=table.thin()
    )
    if how.labels is not None:
        yield from address.estimates(
            limits("difference_stratified"), lambda: table.stratified(confidence), group=group
        )
    if table.thin():
        yield from address.estimates(("p_exact",), lambda: (table.exact(),), group=group)
    gap = "not defined with an empty cell"
    yield from address.estimates(limits("odds_ratio"), lambda: table.odds(confidence), group=group, gap=gap)


def _table(contrast: Contrast, both: pl.DataFrame, how: Strata) -> Table:
    label = pl.lit("all") if how.labels is None else pl.Series(how.labels, dtype=pl.String)
    one, event = pl.col("one"), pl.col("event")
    cells = (
        both.with_columns(stratum=label)
        .group_by("stratum")
        .agg(x1=(event & one).sum(), n1=one.sum(), x0=(event & ~one).sum(), n0=(~one).sum())
        .sort("stratum")
    )
    return Table(contrast, *(cells[name].cast(pl.Int64).to_numpy() for name in ("x1", "n1", "x0", "n0")))
