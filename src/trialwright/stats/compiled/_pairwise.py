"""Sums in the order in which NumPy sums, eight numbers to an instruction.

NumPy's pairwise sum keeps eight running sums of up to 128 numbers, adds them two by two, and splits what is
longer in halves. Without leave to reorder (fastmath) a compiler keeps the eight apart one by one; written
as one vector of eight they are what they are. A property test holds the result to NumPy's, bit by bit.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

from trialwright.stats.arrays import Floats
from trialwright.stats.compiled._numba import inner

alloca: Any = cgutils.alloca_once
_WIDTH = 8
_LEAF = 128


def _eight(power: int) -> Any:
    """An intrinsic: of ``a[i : i + 8 * blocks]`` eight sums (of squares, of cubes), added two by two."""

    def typed(context: Any, a: Any, i: Any, blocks: Any) -> Any:
        return types.float64(a, types.intp, types.intp), code

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, given[0])
        vector = ir.VectorType(ir.DoubleType(), _WIDTH)
        first = builder.bitcast(builder.gep(array.data, [given[1]]), vector.as_pointer())
        total = alloca(builder, vector)

        def block(k: Any) -> Any:
            values = builder.load(builder.gep(first, [k]))
            values.align = 8
            found = values
            for _ in range(power - 1):
                found = builder.fmul(found, values)
            return found

        one = ir.Constant(ir.IntType(64), 1)
        builder.store(block(ir.Constant(ir.IntType(64), 0)), total)
        with cgutils.for_range_slice(builder, one, given[2], one, inc=True) as (k, _):
            builder.store(builder.fadd(builder.load(total), block(k)), total)
        sums = builder.load(total)
        each = [builder.extract_element(sums, ir.Constant(ir.IntType(32), j)) for j in range(_WIDTH)]
        while len(each) > 1:
            each = [builder.fadd(a, b) for a, b in zip(each[::2], each[1::2], strict=True)]
        return each[0]

    return intrinsic(typed)


_plain, _squared, _cubed = _eight(1), _eight(2), _eight(3)


@inner
def sum_of(a: Floats, begin: int, end: int) -> float:
    """As ``np.add.reduceat`` sums ``a[begin:end]``: the first, and the pairwise sum of the others."""
    if end - begin < 2:
        return float(a[begin]) if end > begin else 0.0
    return float(a[begin] + _pairwise(a, begin + 1, end - begin - 1))


@inner
def _pairwise(a: Floats, i: int, many: int) -> float:
    if many > _LEAF:
        half = many // 2
        half -= half % _WIDTH
        return _pairwise(a, i, half) + _pairwise(a, i + half, many - half)
    whole = many - many % _WIDTH
    total = float(_plain(a, i, whole // _WIDTH)) if whole else 0.0
    for j in range(i + whole, i + many):
        total += a[j]
    return float(total)


@inner
def powers_of(a: Floats, begin: int, end: int) -> tuple[float, float, float]:
    """The same of the numbers, their squares and their cubes."""
    if begin == end:
        return 0.0, 0.0, 0.0
    x = a[begin]
    if end - begin == 1:
        return x, x * x, x * x * x
    first, second, third = _powers(a, begin + 1, end - begin - 1)
    return x + first, x * x + second, x * x * x + third


@inner
def _powers(a: Floats, i: int, many: int) -> tuple[float, float, float]:
    if many > _LEAF:
        half = many // 2
        half -= half % _WIDTH
        x, y = _powers(a, i, half), _powers(a, i + half, many - half)
        return x[0] + y[0], x[1] + y[1], x[2] + y[2]
    whole = many - many % _WIDTH
    first, second, third = 0.0, 0.0, 0.0
    if whole:
        blocks = whole // _WIDTH
        first, second, third = _plain(a, i, blocks), _squared(a, i, blocks), _cubed(a, i, blocks)
    for j in range(i + whole, i + many):
        first += a[j]
        second += a[j] * a[j]
        third += a[j] * a[j] * a[j]
    return first, second, third
