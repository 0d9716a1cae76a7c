"""The one door to numba: what a compiled function is here.

Compiled at its first call and kept on disk (``cache``), free of the interpreter's lock (``nogil``), in the
arithmetic of the array form (no fastmath: it may assume that there is no NaN). Numba goes on with what it
kept until the function's own file changes, though the functions it calls are compiled into it; here a change
of any file beside it, or beside this one, has it compiled again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
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
    return cast(F, _kept(numba.njit(cache=True, nogil=True, error_model="numpy")(function)))


def inner(function: F) -> F:
    """The same for what kernels alone call: it makes no array, and so counts no references to those it gets.

    Two counts for each array of each call are longer than the sum of a hundred numbers.
    """
    return cast(F, _kept(cast(Any, numba.njit)(**_INNER)(function)))


def inlined(function: F) -> F:
    """The same for the body of a loop: it stands where it is called, however often, for LLVM to widen."""
    return cast(F, _kept(cast(Any, numba.njit)(**_INNER, forceinline=True)(function)))


def _kept(compiled: Any) -> Any:
    """Numba compares one stamp, of the function's file: ours has those of the other files with it.

    The stamp is not of numba's public face; a test holds that it does what it is to do.
    """
    index = compiled._cache._cache_file
    folder = Path(compiled.py_func.__code__.co_filename).parent
    index._source_stamp = (index._source_stamp, sources(folder), sources(Path(__file__).parent))
    return compiled


@lru_cache
def sources(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of each Python file."""
    stats = ((path.name, path.stat()) for path in sorted(folder.glob("*.py")))
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
