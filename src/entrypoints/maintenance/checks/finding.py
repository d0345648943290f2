"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass

from domain.redacting import words_of
from entrypoints.custom_adapters import Factory


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check, with the fix if it failed."""

    about: str
    fine: bool
    words: str
    warns: bool = False
    """A warning: perhaps intended, but the merchant should know."""


def broken(about: str, factory: Factory | None, error: Exception) -> Finding:
    """A custom adapter raised an exception its port does not name. Re-raises it if no factory is given."""
    if factory is None:
        raise error
    return Finding(about, False, f"{factory}: its check raised {words_of(error)}: mend it")
