"""What is odd about the lesions: the choice of targets at baseline, and how they were followed."""

from __future__ import annotations

from typing import Final

import polars as pl

from trialwright.medicine import recist
from trialwright.standards.findings import concat, findings

_FAULTS: Final = {
    "not_measurable": "a target lesion below 10 mm at baseline",
    "node_not_measurable": "a target lymph node with a short axis below 15 mm at baseline",
    "baseline_too_early": "baseline imaging more than 28 days before randomisation",
    "baseline_too_late": "baseline imaging after randomisation",
    "too_many_targets": "more than five target lesions",
    "too_many_in_organ": "more than two target lesions in one organ",
}
"""The faults of ``recist.baseline_faults`` (RECIST 1.1, sections 3 and 4.2) in words."""


def of_baseline(targets: pl.DataFrame) -> pl.DataFrame:
    """Faults of the targets chosen at baseline; they stay targets, for a fault is a question to the site."""
    chosen = (
        targets.filter("baseline")
        .sort("subject", "assessor", "lesion", "day", "diameter_mm")
        .unique(["subject", "assessor", "lesion"], keep="last", maintain_order=True)
    )
    faults = recist.baseline_faults(chosen)
    return concat(
        findings(
            faults.filter(pl.col("rule") == word).rename(
                {"subject": "USUBJID", "assessor": "READER", "lesion": "TRLNKID"}
            ),
            dataset="TR",
            key=["USUBJID", "READER", "TRLNKID"],
            variable="TRSTRESN" if word.endswith("measurable") else "TRLNKID",
            rule=rule,
            value="value",
            action="kept as a target; ask the site",
        )
        for word, rule in _FAULTS.items()
    )


def of_course(course: pl.DataFrame) -> pl.DataFrame:
    """Assessments with target lesions that baseline does not have, or that were measured more than once."""
    return concat(
        findings(
            course.filter(pl.col(count) > 0).rename({"subject": "USUBJID", "assessor": "READER"}),
            dataset="TR",
            key=["USUBJID", "READER", "assessment"],
            variable="TRLNKID",
            rule=rule,
            value=count,
            action=action,
        )
        for count, rule, action in (
            ("n_unexpected", "target lesions that baseline does not have", "left out of the sum"),
            ("n_repeated", "target lesions measured more than once at an assessment", "the last one counts"),
        )
    )
