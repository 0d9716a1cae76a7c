"""Treatment switching: the names to import."""

from trialwright.stats.censoring_weights import (
    Intervals,
    Weighted,
    censoring_weighted,
    intervals,
    switching_weights,
)
from trialwright.stats.rank_preserving import RankPreserving, Search, rank_preserving

__all__ = [
    "Intervals",
    "RankPreserving",
    "Search",
    "Weighted",
    "censoring_weighted",
    "intervals",
    "rank_preserving",
    "switching_weights",
]
