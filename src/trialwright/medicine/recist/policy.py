"""The choices that RECIST 1.1 leaves to a trial, each a word or a number with its default."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal, get_args, get_type_hints

# Eisenhauer et al., Eur J Cancer 2009;45:228-247, sections 3 and 4.3.
PD_INCREASE: Final = 0.20  # of the sum, over the smallest sum on study
PD_ABSOLUTE_MM: Final = 5.0  # and at least this much
PR_DECREASE: Final = 0.30  # of the sum, below baseline
NORMAL_NODE_MM: Final = 10.0  # a node with a shorter short axis is normal
MEASURABLE_MM: Final = 10.0  # longest diameter on CT
MEASURABLE_NODE_MM: Final = 15.0  # short axis
MAX_TARGETS: Final = 5
MAX_TARGETS_PER_ORGAN: Final = 2
BASELINE_DAYS: Final = 28  # imaging no more than four weeks before the start


@dataclass(frozen=True, slots=True)
class Policy:
    """One trial's reading of RECIST 1.1.

    confirmation_days   days from a response to the assessment that confirms it, at least
    confirming          any later assessment may confirm, or only the next one
    max_ne, max_sd      how many NE and SD may lie between a response and its confirmation (SD for PR only)
    cr_then_pr          a CR that a PR follows was a PR; or is SD if late enough; or if any response was
    sd_min_days         from randomisation to a stable disease that counts
    sd_day_counting     as a difference of dates, or as a study day (one more)
    non_cr_non_pd_min   NON-CR/NON-PD needs the minimum duration as SD does, or none
    bor_pd_max_days     a first evaluable PD later than this is NE; None: whenever it comes
    pr_sticky           small regrowth after a PR is shown as PR (no effect on the best response)
    too_small_mm        a lesion seen but too small to measure
    treated_lesion      a target treated locally is not evaluable from then on, or kept
    reappearance_after_zero   a target seen again after a sum of 0 is PD whatever its size, or from 5 mm
    normal_nodes        PD by the sum stands although only normal nodes are left, or that is still CR
    cr_with_ne_non_target     overall response of target CR with a non-target not evaluated
    tp_date             response and SD are dated by the last scan that the sum needs, or the first of the set
    pd_date             PD is dated by the earliest scan that shows it, the first scan of the set or its last
    """

    confirmation_days: int = 28
    confirming: Literal["any_later", "next"] = "any_later"
    max_ne: int = 1
    max_sd: int = 1
    cr_then_pr: Literal["pr", "sd_at_cr", "sd_any"] = "pr"
    sd_min_days: int = 35
    sd_day_counting: Literal["offset", "study_day"] = "offset"
    non_cr_non_pd_min: Literal["as_sd", "none"] = "as_sd"
    bor_pd_max_days: int | None = None
    pr_sticky: bool = False
    too_small_mm: float = 5.0
    treated_lesion: Literal["not_evaluable", "keep"] = "not_evaluable"
    reappearance_after_zero: Literal["pd", "pd_if_5mm"] = "pd"
    normal_nodes: Literal["pd_by_sum", "cr"] = "pd_by_sum"
    cr_with_ne_non_target: Literal["pr", "ne"] = "pr"
    tp_date: Literal["last", "first"] = "last"
    pd_date: Literal["shown", "earliest", "last_scan"] = "shown"

    def __post_init__(self) -> None:
        kinds = get_type_hints(type(self))
        for field in fields(self):
            words, value = get_args(kinds[field.name]), getattr(self, field.name)
            if words and all(isinstance(word, str) for word in words) and value not in words:
                raise ValueError(f"recist {field.name} is one of {', '.join(words)}, not {value!r}")
            if isinstance(value, int | float) and value < 0:
                raise ValueError(f"recist {field.name} is not negative, not {value!r}")


DEFAULT: Final = Policy()
