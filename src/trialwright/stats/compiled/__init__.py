"""The estimators that trials are analysed with most, compiled: same names, arguments, errors and results.

For small trials by the thousand and for large ones; everything else is done by the array form, to which each
of these passes on whatever it does not compute itself, and all input that is not as it should be. So there
is one set of words, and numbers to 1e-12 the same (a property test holds them together).

Needs numba (the extra ``fast``), and is imported by nobody who does not ask for it. The first call of
each function compiles it, in seconds; what was compiled is kept on disk.
"""

from trialwright.stats.compiled._cox import cox
from trialwright.stats.compiled._curves import kaplan_meier, reverse_kaplan_meier, two_curves
from trialwright.stats.compiled._logrank import logrank
from trialwright.stats.compiled._means import rmst, rmst_difference

__all__ = ["cox", "kaplan_meier", "logrank", "reverse_kaplan_meier", "rmst", "rmst_difference", "two_curves"]
