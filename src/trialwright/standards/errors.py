"""What a user's mistake raises, as opposed to ours."""

from __future__ import annotations


class InputError(ValueError):
    """An input that cannot be used, said in one sentence that names it. Doors show it without a traceback."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What a door prints, a line for each thing at fault."""
        return (str(self),)
