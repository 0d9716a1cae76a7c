"""What a user's mistake raises, as opposed to ours."""

from __future__ import annotations


class InputError(ValueError):
    """An input that cannot be used, said in one sentence that names it. Doors show it without a traceback."""
