"""The one door to numba: what a compiled function is here.

Compiled at its first call and kept on disk (``cache``), free of the interpreter's lock (``nogil``), in the
arithmetic of the array form (no fastmath: it may assume that there is no NaN). Numba keys what it keeps to
the file of the function alone: whoever changes a function that another file's kernels call removes the
``__pycache__`` folders of both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

try:
    import numba
except ImportError as error:
    raise ImportError(
        "compiled estimators need numba, which is not installed: pip install 'trialwright[fast]'"
    ) from error

F = TypeVar("F", bound=Callable[..., object])

_INNER = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers; module-level functions only, so that they are kept."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def inner(function: F) -> F:
    """The same for what kernels alone call: it makes no array, and so counts no references to those it gets.

    Two counts for each array of each call are longer than the sum of a hundred numbers.
    """
    return cast(F, cast(Any, numba.njit)(**_INNER)(function))


def inlined(function: F) -> F:
    """The same for the body of a loop: it stands where it is called, however often, for LLVM to widen."""
    return cast(F, cast(Any, numba.njit)(**_INNER, forceinline=True)(function))
