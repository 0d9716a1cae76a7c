"""What a design assumes, in words: each section with its source."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.simulate.design import Accrual, Design, Dropout, Group, Look, Piece, Sites, Test, Times
from trialwright.simulate.design_looks import SHAPED


def assumed(design: Design) -> Iterator[tuple[str, str]]:
    """(term, words) of each section."""
    if design.hazard_ratio:
        yield "Effect", _sourced(f"hazard ratio {_pieces(design.hazard_ratio)}", design.source)
    elif design.source:
        yield "Scenario", _sourced(design.title, design.source)
    yield "Control arm", _sourced(_times(design.control), design.control.source)
    if design.experimental is not None:
        yield "Experimental arm", _sourced(_times(design.experimental), design.experimental.source)
    if len(design.groups) > 1:
        yield "Groups", "; ".join(_sourced(_group(group), group.source) for group in design.groups)
    yield "Accrual", _sourced(_accrual(design.accrual), design.accrual.source)
    yield "Lost", _sourced(_lost(design.dropout), design.dropout.source)
    if (a := design.allocation) is not None:
        blocks = f", blocks of {' and '.join(map(str, a.block_sizes))}" if a.block_sizes else ""
        words = f"{a.method.replace('_', ' ')} {a.experimental}:{a.control}{blocks}"
        words += ", stratified" if a.stratified else ""
        yield "Allocation", _sourced(words + (", within sites" if a.by_site else ""), a.source)
    if design.scans:
        yield "Scans", f"months between them {_pieces(design.scans)}"
    yield "Tests", "; ".join(_sourced(_test(test), test.source) for test in design.tests)
    yield "Looks", "; ".join(_sourced(_look(look), look.source) for look in design.looks)
    for look in design.looks:
        if (f := look.futility) is not None:
            effect = "the trend seen" if f.hazard_ratio is None else f"a hazard ratio of {f.hazard_ratio:g}"
            words = f"at {_look(look)} below {100 * f.conditional_power:g} % conditional power under {effect}"
            yield "Futility", _sourced(words, f.source)
    level = f"one-sided {design.level.alpha:g}"
    if len(design.looks) > 1:
        shaped = design.level.spending in SHAPED
        level += f", spent as {design.level.spending}" + (f" ({design.level.gamma:g})" if shaped else "")
        level += f" on {design.planned} events"
    for test, bounds in design.level.bounds.items():
        level += f"; {test} rejects from z {', '.join(f'{z:g}' for z in bounds)} on"
    yield "Level", _sourced(level, design.level.source)


def _sourced(words: str, source: str) -> str:
    return f"{words} ({source})" if source else words


def _pieces(pieces: tuple[Piece, ...]) -> str:
    return ", ".join(
        _sourced(f"{p.value:g}" + (f" from month {p.start:g}" if p.start else ""), p.source) for p in pieces
    )


def _times(times: Times) -> str:
    if times.states is not None:
        progression, death, after = times.states.rates
        words = f"a month {progression:g} progress, {death:g} die, {after:g} die after progression"
        return _sourced(words, times.states.source)
    words = f"hazard a month {_pieces(times.hazard)}"
    if times.median is not None:
        words = f"median {times.median:g} months"
    if times.shape != 1:
        words += f", Weibull shape {times.shape:g}"
    return words + (f"; {100 * times.cured:g} % cured" if times.cured else "")


def _group(group: Group) -> str:
    words = f"{group.id} {100 * group.share:g} %, hazard × {group.times:.3g}"
    words += f", hazard ratio {_pieces(group.hazard_ratio)}" if group.hazard_ratio else ""
    for arm, times in (("control", group.control), ("experimental", group.experimental)):
        if times is not None:
            words += f", {arm} arm: {_sourced(_times(times), times.source)}"
    return words


def _test(test: Test) -> str:
    """What it is; its kind says it all where there is nothing to choose."""
    words = f"{test.id}: {test.kind}"
    if test.kind == "fleming-harrington":
        words += f" ({test.rho:g}, {test.gamma:g})"
    if test.months is not None:
        words += f" {'to' if test.kind == 'rmst' else 'at'} month {test.months:g}"
    words += ", stratified" if test.stratified else ""
    return words + (f", of {test.endpoint}" if test.endpoint != "OS" else "")


def _accrual(accrual: Accrual) -> str:
    how = {"uniform": "uniform", "poisson": "a Poisson stream", "even": "at equal steps"}[accrual.model]
    words = f"{how}, {accrual.months:.4g} months"
    words += f", a month {_pieces(accrual.rate)}" if accrual.rate else ""
    if accrual.sites:
        words += f", {sum(s.count for s in accrual.sites)} sites: "
        words += ", ".join(_sourced(_sites(some), some.source) for some in accrual.sites)
    if accrual.spread is not None:
        words += f"; rates of sites vary, with a coefficient of variation of {accrual.spread:g}"
    return words


def _sites(some: Sites) -> str:
    opens = f" from month {some.opens:g}" if some.opens else ""
    return f"{some.count} with {some.rate:g} a month each{opens}"


def _lost(dropout: Dropout) -> str:
    words = f"{100 * dropout.per_year:g} % a year"
    if dropout.per_year_experimental is not None:
        words += f", in the experimental arm {100 * dropout.per_year_experimental:g} %"
    return words


def _look(look: Look) -> str:
    parts = [f"{look.events} events"] if look.events else []
    parts += [f"month {look.month:g}"] if look.month else []
    words = " or ".join(parts)
    return f"{words}, whichever comes {look.whichever}" if len(parts) == 2 else words
