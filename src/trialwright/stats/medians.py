"""The difference of two medians, without a density: the test that Su and Wei turn into limits.

Su and Wei, Biometrics 1993;49:603. A difference D is not rejected where some m makes m a plausible median of
group 0 and m + D of group 1 at once: the smallest over m of

    ((S0(m) - 1/2) / se0(m))^2 + ((S1(m + D) - 1/2) / se1(m + D))^2

is at most the quantile of chi-squared with one degree of freedom. The standard errors are Greenwood's at
the same time, as in the limits of one median by Brookmeyer and Crowley.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.stats.arrays import Floats
from trialwright.stats.intervals import Interval
from trialwright.stats.normal import z_of
from trialwright.stats.product_limit import KaplanMeier
from trialwright.stats.restricted import two_curves


def median_difference(
    time: npt.ArrayLike, event: npt.ArrayLike, group: npt.ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Median of group 1 minus median of group 0 (``group`` is 0 or 1), in the unit of ``time``.

    NaN for the estimate where a median is not reached, and for a limit that the follow-up does not bound.
    The limits are the ends of all differences not rejected. ``NotEstimable`` where a group is empty.
    """
    control, treated = two_curves(time, event, group)
    estimate = treated.median.estimate - control.median.estimate
    lower, upper = _limits(control, treated, z_of(confidence) ** 2)
    return Interval(estimate, lower, upper)


def _limits(control: KaplanMeier, treated: KaplanMeier, most: float) -> tuple[float, float]:
    """From every pair of steps that is plausible together; of the second, only the first and last such."""
    start_0, end_0, far_0 = _plausible(control, most)
    start_1, end_1, far_1 = _plausible(treated, most)
    if not far_0.size or not far_1.size:
        return np.nan, np.nan
    order = np.argsort(far_1, kind="stable")
    earliest = np.minimum.accumulate(start_1[order])
    latest = np.maximum.accumulate(end_1[order])
    reach = np.searchsorted(far_1[order], most - far_0, side="right") - 1
    fits = reach >= 0
    if not fits.any():
        return np.nan, np.nan
    lower = float((earliest[reach[fits]] - end_0[fits]).min())
    upper = float((latest[reach[fits]] - start_0[fits]).max())
    return lower if np.isfinite(lower) else np.nan, upper if np.isfinite(upper) else np.nan


def _plausible(curve: KaplanMeier, most: float) -> tuple[Floats, Floats, Floats]:
    """Start and end of each step whose distance from one half is at most ``most``, and that distance.

    The last step has no end that is known, unless the curve has come down to 0 (and then it is no step).
    Where the curve jumps over one half, that moment is a step without length and without distance.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        far = ((curve.survival - 0.5) / curve.std_error) ** 2
    near = far <= most  # NaN where S is 0, infinite where S is 1: never
    crossing = curve.time[curve.survival <= 0.5][:1]
    start = np.concatenate((curve.time[near], crossing))
    end = np.concatenate((np.append(curve.time[1:], np.inf)[near], crossing))
    return start, end, np.concatenate((far[near], np.zeros(crossing.size)))
