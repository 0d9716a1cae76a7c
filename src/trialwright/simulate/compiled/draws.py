"""Philox4x32-10 compiled: bit by bit that of ``simulate.counter``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

from trialwright.simulate.counter import MULTIPLIERS, ROUNDS, WEYL
from trialwright.stats.compiled._numba import inlined, inner

Halves = npt.NDArray[np.uint32]

UNIT = 2.0**-32
_M0, _M1 = MULTIPLIERS
_W0, _W1 = np.uint64(WEYL[0]), np.uint64(WEYL[1])
_32, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


@inlined
def word_of(
    subject: np.uint64, stream: np.uint64, replicate: np.uint64, key: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    c0, c1, c2, c3 = subject, stream, replicate & _LOW, replicate >> _32
    k0, k1 = key & _LOW, key >> _32
    for _ in range(ROUNDS):
        first, second = c0 * _M0, c2 * _M1
        c0, c1 = (second >> _32) ^ c1 ^ k0, second & _LOW
        c2, c3 = (first >> _32) ^ c3 ^ k1, first & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


_LANES = 8
_I32, _I64 = ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(_I64, _LANES)


def _eight(_: Any, i: Any, replicate: Any, key: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Words of subjects i … i + 7 in stream 0, eight to an instruction, where LLVM itself takes four."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        def splat(value: Any) -> Any:
            first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_I32, 0))
            return builder.shuffle_vector(
                first, first, ir.Constant(ir.VectorType(_I32, _LANES), [0] * _LANES)
            )

        def every(value: int) -> Any:
            return ir.Constant(_VECTOR, [value] * _LANES)

        def high(value: Any) -> Any:
            return builder.lshr(value, every(32))

        def low(value: Any) -> Any:
            return builder.and_(value, every(0xFFFFFFFF))

        c0 = builder.add(splat(given[0]), ir.Constant(_VECTOR, list(range(_LANES))))
        c1, c2, c3 = every(0), low(splat(given[1])), high(splat(given[1]))
        k0, k1 = low(splat(given[2])), high(splat(given[2]))
        for _ in range(ROUNDS):
            first = builder.mul(c0, every(int(MULTIPLIERS[0])))
            second = builder.mul(c2, every(int(MULTIPLIERS[1])))
            c0, c1 = builder.xor(builder.xor(high(second), c1), k0), low(second)
            c2, c3 = builder.xor(builder.xor(high(first), c3), k1), low(first)
            k0 = low(builder.add(k0, every(int(WEYL[0]))))
            k1 = low(builder.add(k1, every(int(WEYL[1]))))
        half = ir.VectorType(_I32, _LANES)
        for place, values in enumerate((c0, c1, c2, c3)):
            array = context.make_array(signature.args[3 + place])(context, builder, given[3 + place])
            target = builder.bitcast(builder.gep(array.data, [given[0]]), half.as_pointer())
            builder.store(builder.trunc(values, half), target, align=4)
        return context.get_dummy_value()

    return types.none(types.intp, types.uint64, types.uint64, a, b, c, d), code


eight: Any = intrinsic(_eight)


@inner
def words(replicate: np.uint64, key: np.uint64, a: Halves, b: Halves, c: Halves, d: Halves) -> None:
    """The four words of each subject in stream 0."""
    i = 0
    while i + _LANES <= a.size:
        eight(i, replicate, key, a, b, c, d)
        i += _LANES
    while i < a.size:
        a[i], b[i], c[i], d[i] = word_of(np.uint64(i), np.uint64(0), replicate, key)
        i += 1
