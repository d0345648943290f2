"""`languages` of shop.toml: what the shop's pages and emails are in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.files.reading import Reader, line_of_key
from domain.ports import SOURCE

CheckLanguage = Callable[[str], str | None]
"""Why the shop cannot be in a language, given by its code; None if it can."""


def only_as_written(code: str) -> str | None:
    """For a catalogue whose pages nobody translates."""
    return None if code == SOURCE else f"has {code!r}, and the shop speaks {SOURCE}"


def read_languages(
    reader: Reader,
    path: Path,
    text: str,
    codes: Sequence[str],
    check: CheckLanguage,
    last: tuple[str, ...],
) -> tuple[str, ...]:
    """Those of shop.toml, or the `last` good ones while they cannot be used, which is noted."""
    problem = _problem(codes, check)
    if problem is None:
        return tuple(codes)
    reader.complain(path, f"languages {problem}", line=line_of_key(text, "languages"))
    return last


def _problem(codes: Sequence[str], check: CheckLanguage) -> str | None:
    if len(codes) != 1:
        return 'has one language for now, as in languages = ["de"]'
    return check(codes[0])
