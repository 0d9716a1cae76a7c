"""Proportions, differences of proportions, tables over strata, and rates: the names to import."""

from trialwright.stats.binomial import clopper_pearson, miettinen_nurminen, poisson_rate, wilson
from trialwright.stats.intervals import Interval
from trialwright.stats.stratified_tables import (
    CochranMantelHaenszel,
    cochran_mantel_haenszel,
    miettinen_nurminen_stratified,
)

__all__ = [
    "CochranMantelHaenszel",
    "Interval",
    "clopper_pearson",
    "cochran_mantel_haenszel",
    "miettinen_nurminen",
    "miettinen_nurminen_stratified",
    "poisson_rate",
    "wilson",
]
