"""One group's time to an event, and two groups' curves compared: the names to import."""

from trialwright.stats.product_limit import KaplanMeier, Quantile, kaplan_meier, reverse_kaplan_meier
from trialwright.stats.restricted import (
    LandmarkContrast,
    RestrictedMean,
    RestrictedMeanContrast,
    landmark_difference,
    largest_tau,
    rmst,
    rmst_difference,
)

__all__ = [
    "KaplanMeier",
    "LandmarkContrast",
    "Quantile",
    "RestrictedMean",
    "RestrictedMeanContrast",
    "kaplan_meier",
    "landmark_difference",
    "largest_tau",
    "reverse_kaplan_meier",
    "rmst",
    "rmst_difference",
]
