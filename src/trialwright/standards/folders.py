"""An output folder, whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from trialwright.standards.errors import InputError


def whole(out: Path, fill: Callable[[Path], object], *, mark: str) -> None:
    """Let ``fill`` make the folder beside its place, then move it there.

    An earlier output, told by the file ``mark``, is replaced. Raises ``InputError`` rather than replace what
    this program did not write.
    """
    refuse(out, mark)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as beside:
        new = Path(beside) / "new"
        new.mkdir()
        fill(new)
        if out.exists():
            out.rename(Path(beside) / "old")
        new.rename(out)


def refuse(out: Path, mark: str) -> None:
    """Raise ``InputError`` where ``out`` is there and is neither empty nor an earlier output."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / mark).is_file())):
        raise InputError(f"{out} is there and is not an earlier output: choose another folder, or remove it")
