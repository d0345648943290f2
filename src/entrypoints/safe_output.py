"""Output of commands, escaped so that no text of a file, a bucket or a database can control the terminal."""

from __future__ import annotations

from typing import Final

import click

# Prices contain them between amount and currency.
_SPACES: Final = frozenset("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}")


def shown(text: str) -> str:
    """One line of text with control and formatting characters (escape sequences, changes of direction) escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _SPACES else ascii(c)[1:-1] for c in text)


def say(line: str, *, err: bool = False, mark: str = "") -> None:
    """Print one line. `mark`: a trusted prefix, which may be coloured."""
    click.echo(mark + shown(line), err=err)
