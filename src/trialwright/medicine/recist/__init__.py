"""RECIST 1.1 (Eisenhauer et al., Eur J Cancer 2009;45:228-247; clarified by Schwartz 2016;62:132-137).

``target_course`` and ``non_target_course`` → ``time_points`` → ``best_response``, each frame in, frame out;
what varies between trials is a ``Policy``. The tables of the paper are column expressions. ``SENTENCES`` says
each rule word in words.
"""

from trialwright.medicine.recist.baseline import baseline_faults
from trialwright.medicine.recist.best import RESPONSES, best_response
from trialwright.medicine.recist.overall import (
    NEW_LESION_STATES,
    NON_TARGET_RESPONSES,
    NON_TARGET_STATES,
    non_target_course,
    non_target_response,
    overall_response,
    time_points,
)
from trialwright.medicine.recist.policy import DEFAULT, Policy
from trialwright.medicine.recist.sentences import SENTENCES
from trialwright.medicine.recist.target import LESION_STATES, target_course, target_response, target_rule

__all__ = [
    "DEFAULT",
    "LESION_STATES",
    "NEW_LESION_STATES",
    "NON_TARGET_RESPONSES",
    "NON_TARGET_STATES",
    "RESPONSES",
    "SENTENCES",
    "Policy",
    "baseline_faults",
    "best_response",
    "non_target_course",
    "non_target_response",
    "overall_response",
    "target_course",
    "target_response",
    "target_rule",
    "time_points",
]
