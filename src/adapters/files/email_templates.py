"""`emails/`: the merchant's own email templates, each in place of the one of the same name that ships with the shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from adapters.files.looking import EMAILS, MOST_ENTRIES
from adapters.files.names import is_litter
from adapters.files.reading import Reader
from domain.ports import TemplateMistake

LARGEST_TEMPLATE: Final = 100_000

CheckEmails = Callable[[Mapping[str, str]], Sequence[TemplateMistake]]
"""What is wrong with templates, given by file name."""
Templates = tuple[tuple[str, str], ...]
"""Sources by file name, in the order of the names."""


def no_mistakes(templates: Mapping[str, str]) -> Sequence[TemplateMistake]:
    """For a catalogue whose emails nobody renders."""
    return ()


def read_emails(reader: Reader, check: CheckEmails, last: Templates) -> Templates:
    """Those that are good, and the `last` good source of those that are not, which is noted."""
    folder, before, held = reader.root / EMAILS, len(reader.problems), dict(last)
    names = [name for name in reader.entries(folder, at_most=MOST_ENTRIES) if not is_litter(name)]
    if len(reader.problems) > before:
        return last
    found: dict[str, str] = {}
    for name in names:
        source = reader.text(folder / name, at_most=LARGEST_TEMPLATE)
        if source is not None:
            found[name] = source
        elif name in held:
            found[name] = held[name]
    while mistakes := check(found):
        for mistake in mistakes:
            reader.complain(folder / mistake.name, mistake.what, line=mistake.line)
        for name in {mistake.name for mistake in mistakes}:
            broken = found.pop(name)
            if held.get(name, broken) != broken:
                found[name] = held[name]
    return tuple(sorted(found.items()))
