"""The one failure that belongs to the data and not to the caller."""

from __future__ import annotations


class NotEstimable(Exception):  # noqa: N818 - a finding about the data, not an error
    """The data do not determine the number. ``reason`` says why, in words fit for a table's footnote.

    Misuse (a negative time, arrays of different length) is a ``ValueError`` instead.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
