"""Each rule word of the response frames in words, for whoever asks why."""

from __future__ import annotations

from typing import Final

SENTENCES: Final[dict[str, str]] = {
    # targets at baseline
    "not_measurable": "A target was smaller than 10 mm at baseline and so not measurable.",
    "node_not_measurable": "A target node was smaller than 15 mm at baseline and so not measurable.",
    "baseline_too_early": "The baseline scan was more than 28 days before randomisation.",
    "baseline_too_late": "The baseline scan was after randomisation.",
    "too_many_targets": "More than five targets were chosen.",
    "too_many_in_organ": "More than two targets were chosen in one organ (nodes are one organ).",
    # target lesions
    "baseline": "The baseline assessment; its sum is the reference of response and the first nadir.",
    "before_baseline": "Lies before the baseline assessment and is not judged.",
    "no_day": "Has no day, so nobody knows where it stands in the course, and is not judged.",
    "no_baseline": "No target lesion was recorded at baseline, so there is nothing to compare with.",
    "reappeared": "A target lesion is seen again after the sum had been 0 mm: progression.",
    "sum_increased": "The sum is at least 20 % and 5 mm above the smallest sum on study: progression.",
    "only_normal_nodes": "Only normal nodes (short axis below 10 mm) are left: complete response.",
    "not_all_measured": "Not all target lesions were measured, and those measured do not prove progression.",
    "all_gone": "All lesions are gone, and nodes below 10 mm: complete response.",
    "no_baseline_sum": "A target lesion was not measured at baseline, so response cannot be judged.",
    "sum_decreased": "The sum is at least 30 % below baseline: partial response.",
    "neither": "Neither enough shrinkage for response nor enough growth for progression: stable disease.",
    "pr_carried": "Small regrowth after a partial response, shown as PR by the trial's choice.",
    # non-target lesions
    "unequivocal_progression": "A non-target lesion has progressed unequivocally.",
    "not_all_assessed": "Not all non-target lesions were assessed, and none has progressed.",
    "some_present": "At least one non-target lesion remains.",
    # overall response
    "target_pd": "The target lesions have progressed.",
    "non_target_pd": "A non-target lesion has progressed unequivocally.",
    "new_lesion": "A new lesion has appeared.",
    "new_lesion_backdated": "A lesion equivocal here was later found to be new: progression from here.",
    "target_ne": "The target lesions could not be judged, and nothing else shows progression.",
    "all_cr": "Target lesions gone, non-target lesions gone or none, no new lesion.",
    "target_cr_non_target_left": "Target lesions gone but non-target lesions remain: partial response.",
    "target_cr_non_target_ne": "Target lesions gone but not all non-target lesions were assessed.",
    "target_pr": "Partial response of the target lesions, no progression elsewhere.",
    "target_sd": "Stable target lesions, no progression elsewhere.",
    "non_target_cr": "No target lesions at baseline; all non-target lesions are gone.",
    "non_target_left": "No target lesions at baseline; non-target lesions remain without progression.",
    "non_target_ne": "No target lesions at baseline; not all non-target lesions were assessed.",
    "no_disease": "No disease at baseline and none since.",
    # best overall response
    "first_cr": "A complete response before progression.",
    "first_pr": "A partial response before progression, no complete one.",
    "confirmed_cr": "A complete response confirmed by a later one after the minimum interval.",
    "confirmed_pr": "A partial response confirmed by a later response after the minimum interval.",
    "stable": "Stable disease at an assessment after the minimum duration.",
    "unconfirmed_cr": "A complete response that was not confirmed counts as stable disease.",
    "unconfirmed_pr": "A partial response that was not confirmed counts as stable disease.",
    "disease_after_cr": "Disease after a complete response, too early to count as stable: progression.",
    "progression": "Progression before anything better was seen.",
    "pd_too_late": "The first evaluable assessment was a progression later than the trial allows.",
    "too_early": "Response or stable disease, but before the minimum duration and not seen later.",
    "not_evaluable": "No assessment could be evaluated.",
}
