"""What a database can be refused for."""

from __future__ import annotations


class UnfitDatabase(Exception):
    """The database does not promise what the store rests on; the message says what to set."""


class TargetRefused(Exception):
    """A shop cannot be moved there as it is; the message says what to do."""
