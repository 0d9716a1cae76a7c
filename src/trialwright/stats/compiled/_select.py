"""The rows of a risk table written one after the other, sixteen patients to an instruction.

A processor with AVX-512 stores some of sixteen numbers side by side in one instruction (LLVM's
``compressstore``) and counts the bits below each. Elsewhere, and on other vectors, a loop does the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

from trialwright.stats.compiled._numba import inner

Keys = npt.NDArray[np.uint32]

WIDE = bool(binding.get_host_cpu_features().get("avx512f", False))
LANES = 16
"""Keys are read so many at a time: arrays of them need so much room to spare behind."""

_PATIENT = 1 << 16
_I16, _I32 = ir.IntType(16), ir.IntType(32)
_VECTOR, _FLAGS = ir.VectorType(_I32, LANES), ir.VectorType(ir.IntType(1), LANES)


def _sixteen(_: Any, keys: Any, i: Any, state: Any, stratum: Any, rows: Any, k: Any) -> Any:
    """Of keys i … i + 15: writes the rows, gives their state after them and how many rows there are.

    ``state`` and each row are at risk << 16 | at risk in group 1 << 1, a row also | in group 1. ``stratum``
    is a level of the bits above the first two under a mask: level << 16 | mask.
    """

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, given[0])
        target = context.make_array(signature.args[4])(context, builder, given[4])
        word = builder.load(
            builder.bitcast(builder.gep(array.data, [given[1]]), _VECTOR.as_pointer()), align=4
        )

        def splat(value: Any) -> Any:
            first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_I32, 0))
            return builder.shuffle_vector(first, first, ir.Constant(_VECTOR, [0] * LANES))

        def every(value: int) -> Any:
            return ir.Constant(_VECTOR, [value] * LANES)

        def count(flags: Any) -> Any:
            return builder.ctpop(builder.zext(builder.bitcast(flags, _I16), _I32))

        below = ir.Constant(_VECTOR, [(1 << lane) - 1 for lane in range(LANES)])

        def before(flags: Any) -> Any:
            bits = builder.and_(splat(builder.zext(builder.bitcast(flags, _I16), _I32)), below)
            return builder.call(_declared(builder, "llvm.ctpop.v16i32", [_VECTOR], _VECTOR), [bits])

        mask = splat(builder.and_(given[3], ir.Constant(_I32, 0xFFFF)))
        level = builder.and_(builder.lshr(word, every(2)), mask)
        mine = builder.icmp_unsigned("==", level, splat(builder.lshr(given[3], ir.Constant(_I32, 16))))
        arm = builder.and_(builder.icmp_unsigned("!=", builder.and_(word, every(2)), every(0)), mine)
        event = builder.and_(builder.icmp_unsigned("!=", builder.and_(word, every(1)), every(0)), mine)
        gone = builder.add(builder.shl(before(mine), every(16)), builder.shl(before(arm), every(1)))
        row = builder.or_(builder.sub(splat(given[2]), gone), builder.zext(arm, _VECTOR))
        place = builder.gep(target.data, [given[5]])
        store = _declared(
            builder, "llvm.masked.compressstore.v16i32", [_VECTOR, _I32.as_pointer(), _FLAGS], ir.VoidType()
        )
        builder.call(store, [row, place, event])
        sixteenth = builder.shl(count(mine), ir.Constant(_I32, 16))
        left = builder.sub(builder.sub(given[2], sixteenth), builder.shl(count(arm), ir.Constant(_I32, 1)))
        both = builder.or_(
            builder.zext(left, ir.IntType(64)),
            builder.shl(builder.zext(count(event), ir.IntType(64)), ir.Constant(ir.IntType(64), 32)),
        )
        return both

    return types.int64(keys, types.intp, types.uint32, types.uint32, rows, types.intp), code


def _declared(builder: Any, name: str, arguments: list[Any], result: Any) -> Any:
    known = builder.module.globals.get(name)
    return known or ir.Function(builder.module, ir.FunctionType(result, arguments), name)


sixteen: Any = intrinsic(_sixteen)


@inner
def at_risk(keys: Keys, many: int, stratum: int, last: int, rows: Keys, first: int) -> int:
    """Rows of the events of a stratum among the first ``many`` keys, from ``first`` on; where they end.

    ``last`` is the mask of a stratum: 0 where there is one. Fewer than 2^15 patients.
    """
    state, level = 0, (stratum << 16) | last
    for i in range(many):
        state += ((keys[i] >> 2) & last == stratum) * (_PATIENT + (keys[i] & 2))
    k, i = first, 0
    if WIDE:
        while i + LANES <= many:
            found = sixteen(keys, i, np.uint32(state), np.uint32(level), rows, k)
            state, k, i = found & 0xFFFFFFFF, k + (found >> 32), i + LANES
    while i < many:
        mine = np.int64((keys[i] >> 2) & last == stratum)
        arm = (keys[i] >> 1) & mine
        rows[k] = state | arm
        state -= (mine << 16) + (arm << 1)
        k += keys[i] & mine
        i += 1
    return k
