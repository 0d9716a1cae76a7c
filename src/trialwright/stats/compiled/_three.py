"""The likelihood of ``_points.of_rows`` for up to three covariates, written out: the sums stay in registers.

Fewer covariates have columns of zeros beside them. A property test holds the two together.
"""

from __future__ import annotations

import math

from trialwright.stats.arrays import Floats
from trialwright.stats.compiled._numba import kernel
from trialwright.stats.compiled._rows import LAST, NEW, TIED, Marks

LARGE = 1e100  # a product of denominators beyond this, or below one over this, is laid by as its logarithm


@kernel
def of_three(
    Z: Floats, marks: Marks, died: Floats, breslow: bool, beta: Floats, score: Floats, information: Floats
) -> float:
    """As ``of_rows``; Z is (m, 3)."""
    p = beta.size
    beta_a, beta_b, beta_c = beta[0], beta[1] if p > 1 else 0.0, beta[2] if p > 2 else 0.0
    S = Sa = Sb = Sc = Saa = Sab = Sac = Sbb = Sbc = Scc = 0.0
    D = Da = Db = Dc = Daa = Dab = Dac = Dbb = Dbc = Dcc = 0.0
    ua = ub = uc = vaa = vab = vac = vbb = vbc = vcc = 0.0
    log_total, product, d = 0.0, 1.0, 0
    for i in range(marks.size):
        mark, a, b, c = marks[i], Z[i, 0], Z[i, 1], Z[i, 2]
        if mark & NEW:
            S = Sa = Sb = Sc = Saa = Sab = Sac = Sbb = Sbc = Scc = 0.0
        r = math.exp(beta_a * a + beta_b * b + beta_c * c)
        ra, rb, rc = r * a, r * b, r * c
        S, Sa, Sb, Sc = S + r, Sa + ra, Sb + rb, Sc + rc
        Saa, Sab, Sac = Saa + ra * a, Sab + ra * b, Sac + ra * c
        Sbb, Sbc, Scc = Sbb + rb * b, Sbc + rb * c, Scc + rc * c
        if mark & TIED:
            d += 1
            D, Da, Db, Dc = D + r, Da + ra, Db + rb, Dc + rc
            Daa, Dab, Dac = Daa + ra * a, Dab + ra * b, Dac + ra * c
            Dbb, Dbc, Dcc = Dbb + rb * b, Dbc + rb * c, Dcc + rc * c
        if not mark & LAST:
            continue
        if d == 0:
            one = 1 / S
            product *= S
            ma, mb, mc = one * Sa, one * Sb, one * Sc
            ua, ub, uc = ua + ma, ub + mb, uc + mc
            vaa, vab, vac = (
                vaa + (one * Saa - ma * ma),
                vab + (one * Sab - ma * mb),
                vac + (one * Sac - ma * mc),
            )
            vbb, vbc, vcc = (
                vbb + (one * Sbb - mb * mb),
                vbc + (one * Sbc - mb * mc),
                vcc + (one * Scc - mc * mc),
            )
        else:
            a1 = a2 = b1 = b2 = c2 = 0.0
            for k in range(d):
                f = 0.0 if breslow else k / d
                left = S - f * D
                one = 1 / left
                a1, a2 = a1 + one, a2 + one * one
                b1, b2, c2 = b1 + f * one, b2 + f * one * one, c2 + f * one * f * one
                product *= left
                if not 1 / LARGE < product < LARGE:
                    log_total += math.log(product)
                    product = 1.0
            ua, ub, uc = ua + (a1 * Sa - b1 * Da), ub + (a1 * Sb - b1 * Db), uc + (a1 * Sc - b1 * Dc)
            vaa += a1 * Saa - b1 * Daa - (a2 * Sa * Sa - 2 * b2 * Sa * Da + c2 * Da * Da)
            vbb += a1 * Sbb - b1 * Dbb - (a2 * Sb * Sb - 2 * b2 * Sb * Db + c2 * Db * Db)
            vcc += a1 * Scc - b1 * Dcc - (a2 * Sc * Sc - 2 * b2 * Sc * Dc + c2 * Dc * Dc)
            vab += a1 * Sab - b1 * Dab - (a2 * Sa * Sb - b2 * (Sa * Db + Da * Sb) + c2 * Da * Db)
            vac += a1 * Sac - b1 * Dac - (a2 * Sa * Sc - b2 * (Sa * Dc + Da * Sc) + c2 * Da * Dc)
            vbc += a1 * Sbc - b1 * Dbc - (a2 * Sb * Sc - b2 * (Sb * Dc + Db * Sc) + c2 * Db * Dc)
            D = Da = Db = Dc = Daa = Dab = Dac = Dbb = Dbc = Dcc = 0.0
            d = 0
        if not 1 / LARGE < product < LARGE:
            log_total += math.log(product)
            product = 1.0
    log_total += math.log(product)
    expected, curve = (ua, ub, uc), ((vaa, vab, vac), (vab, vbb, vbc), (vac, vbc, vcc))
    loglik = -log_total
    for j in range(p):
        score[j] = died[j] - expected[j]
        loglik += beta[j] * died[j]
        for k in range(p):
            information[j, k] = curve[j][k]
    return loglik
