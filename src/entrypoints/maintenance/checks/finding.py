"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass

from entrypoints.custom_adapters import Factory, words_of


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what to do where it is not fine."""

    about: str
    fine: bool
    words: str
    warns: bool = False
    """It may be meant like this, but the merchant should know."""


def broken(about: str, factory: Factory | None, error: Exception) -> Finding:
    """A check of a custom adapter that raised what its port does not name. Raises the error again if it is ours."""
    if factory is None:
        raise error
    return Finding(about, False, f"{factory}: its check raised {words_of(error)}: mend it")
