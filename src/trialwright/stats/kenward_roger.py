"""The small-sample correction of Kenward and Roger, Biometrics 1997;53:983, in the paper's symbols.

Phi is the covariance of the coefficients, W that of the covariance parameters, P_i, Q_ij and R_ij the
derivatives of X'V⁻¹X taken apart. The first-order form leaves R out.
"""

from __future__ import annotations

import numpy as np

from trialwright.stats.arrays import Floats
from trialwright.stats.reml import Repeated, Top, weighted_second_order


def adjusted_covariance(model: Repeated, top: Top, W: Floats, *, linear: bool) -> Floats:
    """Phi + 2 Phi [sum w_ij (Q_ij - P_i Phi P_j - R_ij / 4)] Phi, of the orthonormal columns."""
    phi, P = top.level.phi, top.slopes.P
    inner = weighted_second_order(model, top, W, linear=linear)
    inner = inner - np.einsum("iab,bc,icd->ad", P, phi, np.tensordot(W, P, 1), optimize=True)
    return np.asarray(phi + 2 * phi @ inner @ phi, dtype=np.float64)


def kenward_roger_f(phi: Floats, gradient: Floats, W: Floats, L: Floats) -> tuple[float, float]:
    """The factor lambda of the F statistic and its denominator's degrees of freedom m.

    ``gradient`` is that of Phi, -Phi P_i Phi; L has l independent rows.
    """
    l = len(L)
    inverse = np.linalg.inv(L @ phi @ L.T)
    D = L @ gradient @ L.T @ inverse  # (q, l, l), cyclically Theta Phi P_i Phi
    traces = np.einsum("iaa->i", D)
    A1 = float(traces @ W @ traces)
    A2 = float(np.einsum("ij,iab,jba->", W, D, D, optimize=True))
    if l == 1:
        return 1.0, 2 / A2  # the general formula with its differences of near-equal numbers taken out
    B = (A1 + 6 * A2) / (2 * l)
    g = ((l + 1) * A1 - (l + 4) * A2) / ((l + 2) * A2)
    c = np.array([g, l - g, l + 2 - g]) / (3 * l + 2 * (1 - g))
    mean = 1 / (1 - A2 / l)
    variance = 2 / l * (1 + c[0] * B) / ((1 - c[1] * B) ** 2 * (1 - c[2] * B))
    rho = variance / (2 * mean**2)
    m = 4 + (l + 2) / (l * rho - 1)
    return m / (mean * (m - 2)), float(m)
