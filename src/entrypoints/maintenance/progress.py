"""Progress bars, for people at a terminal: on stderr, and never in a pipe or a log."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator

import click


def _nothing(_: int) -> None:
    """Show nothing."""


@contextlib.contextmanager
def progress(label: str, *, length: int | None = None, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Yield a callback for the amount done since its last call. `length` is the total; None if unknown."""
    if not shown or not sys.stderr.isatty():
        yield _nothing
        return
    more = itertools.count() if length is None else None
    with click.progressbar(more, length=length, label=label, file=sys.stderr, show_pos=length is None) as bar:
        yield bar.update
