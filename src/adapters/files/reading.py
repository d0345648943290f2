"""Read files of the catalogue, and say of a bad one which line it is."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from adapters.files.inside import NotInside, check_folder, open_inside
from adapters.files.markdown import Rendered, TooCostly, TooLong, render
from adapters.files.shape import DEEPEST, is_too_deep

LARGEST_TOML: Final = 256_000
LARGEST_MARKDOWN: Final = 1_000_000
_LONGEST_PROBLEM: Final = 400
_LONG_NUMBER: Final = re.compile(r"\d{4301}")
"""More digits than Python reads."""
NOTHING_REPLACED: Final[Mapping[str, str]] = MappingProxyType({})
_UNKNOWN: Final = re.compile(r"unknown field `(.+?)`(?: - at `\$\.(\w+).*)?\Z", re.DOTALL)

S = TypeVar("S", bound=msgspec.Struct)


class CatalogueRefused(Exception):
    """The catalogue cannot be sold from; each problem names a file, a line where there is one, and what to do.

    `passing`: it may be fine in a while without another edit (a full disk, a storage that is away).
    """

    def __init__(self, problems: tuple[str, ...], *, passing: bool = False) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.passing = passing


@dataclass(slots=True)
class Reader:
    """Continues after a problem, so that all problems are reported at once."""

    root: Path
    problems: list[str] = field(default_factory=list)
    """Mistakes: what they are about is held back."""
    warnings: list[str] = field(default_factory=list)
    """What holds nothing back, but is perhaps not what the merchant meant."""
    passing: bool = False
    languages: tuple[str, ...] = ()
    """The shop's languages but for its first one."""
    storage_away: str = ""
    """Why the goods could not be reached: it is not tried again for every product."""

    def complain(self, path: Path, what: str, *, line: int | None = None, passing: bool = False) -> None:
        """Note a problem; `passing`: one that may pass without another edit."""
        self.passing |= passing
        self.problems.append(self._sentence(path, what, line))

    def warn(self, path: Path, what: str, *, line: int | None = None) -> None:
        """Note what the merchant should look at."""
        self.warnings.append(self._sentence(path, what, line))

    def _sentence(self, path: Path, what: str, line: int | None) -> str:
        name = path.relative_to(self.root.parent)
        problem = f"{name}:{line}: {what}" if line else f"{name}: {what}"
        return "".join(
            c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in problem[:_LONGEST_PROBLEM]
        )

    def refuse(self, path: Path, error: OSError) -> None:
        """Note that a file or folder cannot be read. It may be readable in a moment, unless it is what it is."""
        self.complain(path, f"cannot be read: {error.strerror}", passing=not isinstance(error, NotInside))

    def raw(self, path: Path, *, at_most: int, missing: str = "is missing") -> bytes | None:
        """All of a file, if it lies inside its product, or else inside the catalogue; None, and a problem noted,
        if it does not, or has more bytes than `at_most`. `missing`: what to say of a file that is not there."""
        try:
            with open_inside(self._home(path), path) as file:
                raw = file.read(at_most + 1)
        except FileNotFoundError:
            self.complain(path, missing)
            return None
        except OSError as error:
            self.refuse(path, error)
            return None
        if len(raw) > at_most:
            self.complain(path, f"is over {_size(at_most)}: make it smaller")
            return None
        return raw

    def opens(self, path: Path) -> bool:
        """Whether a file may be read, and can be; otherwise a problem is noted."""
        try:
            open_inside(self._home(path), path).close()
        except OSError as error:
            self.refuse(path, error)
            return False
        return True

    def entries(self, folder: Path, *, at_most: int) -> list[str]:
        """The names in a folder, in order, but no more than that; none if it is not there.

        If it is neither in its product nor in the catalogue, or cannot be read, that is noted.
        """
        if not os.path.lexists(folder):
            return []
        try:
            check_folder(folder, inside=self._home(folder))
            return names_in(folder, at_most=at_most)
        except NotADirectoryError:
            return []
        except OSError as error:
            self.refuse(folder, error)
            return []

    def _home(self, path: Path) -> Path:
        """The folder that a file must not leave."""
        top, *below = path.relative_to(self.root).parts
        return self.root / top if below else self.root.resolve()

    def markdown(self, path: Path, text: str, *, title: str | None, media_at: str = "") -> Rendered:
        """A text of that file, without a first heading that is its title, as HTML; empty, and a problem noted, if it
        cannot be rendered."""
        try:
            rendered = render(text, title=title, media_at=media_at)
            for line, note in rendered.notes:
                self.warn(path, note, line=line)
            return rendered
        except (TooCostly, TooLong) as error:
            self.complain(path, str(error))
        except OSError as error:
            self.complain(path, str(error.strerror), passing=True)
        return Rendered(html="")

    def text(self, path: Path, *, at_most: int = LARGEST_MARKDOWN, missing: str = "is missing") -> str | None:
        """A UTF-8 text; None, and a problem noted, if it is none."""
        raw = self.raw(path, at_most=at_most, missing=missing)
        if raw is None:
            return None
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.complain(path, "is not UTF-8 text: save it as UTF-8", line=line)
            return None

    def toml(
        self, path: Path, kind: type[S], *, missing: str, replaced: Mapping[str, str] = NOTHING_REPLACED
    ) -> tuple[S, str] | None:
        """A TOML file as one of our structs, and its text; None, and a problem noted, if it is not one.

        `replaced`: keys that were renamed, and what to say of them.
        """
        text = self.text(path, at_most=LARGEST_TOML, missing=missing)
        if text is None:
            return None
        if is_too_deep(text):
            self.complain(path, f"has keys or brackets more than {DEEPEST} deep: no setting is")
            return None
        try:
            return msgspec.convert(tomllib.loads(text), kind), text
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"at line (\d+)", str(error))
            # "at end of document" has no line: it is the last one.
            line = int(found[1]) if found else text.rstrip().count("\n") + 1
            self.complain(path, f"is not TOML: {error}", line=line)
        except msgspec.ValidationError as error:
            self.complain(path, _in_words(str(error), replaced), line=_line_of(str(error), text))
        except (ValueError, RecursionError, MemoryError) as error:  # a number that is too long, for one
            digits = _LONG_NUMBER.search(text)
            where = None if digits is None else text.count("\n", 0, digits.start()) + 1
            self.complain(path, f"cannot be read: {str(error) or type(error).__name__}", line=where)
        return None


def names_in(folder: Path, *, at_most: int) -> list[str]:
    """The names in a folder, in order, but no more than that. Raises OSError."""
    with os.scandir(folder) as found:
        return sorted(entry.name for entry in islice(found, at_most))


def line_of_key(text: str, key: str) -> int | None:
    """The line on which a key is set, or a table of that name begins."""
    found = re.search(
        rf"^[ \t]*+\[{{0,2}}[ \t]*+[\"']?{re.escape(key)}[\"']?[ \t]*+[]=.]", text, re.MULTILINE
    )
    return None if found is None else text.count("\n", 0, found.start()) + 1


def _size(number: int) -> str:
    return f"{number // 1_000_000} MB" if number >= 1_000_000 else f"{number // 1000} kB"


def _line_of(problem: str, text: str) -> int | None:
    unknown, named = _UNKNOWN.search(problem), re.search(r"`\$\.(\w+)", problem)
    if unknown is not None:
        return line_of_key(text, unknown[1]) or (line_of_key(text, unknown[2]) if unknown[2] else None)
    return line_of_key(text, named[1]) if named else None


_WRITTEN: Final = {
    "int": "is a whole number without quotes: {} = 10",
    "bool": "is true or false, without quotes",
    "str": 'is text in quotes: {} = "…"',
    "array": 'is a list: {} = ["…"]',
    "object": "is a table: [{}]",
}


def _in_words(problem: str, replaced: Mapping[str, str]) -> str:
    missing = re.search(r"required field `(\w+)`", problem)
    if missing:
        return f"{missing[1]} is missing: add a line {missing[1]} = …"
    unknown = _UNKNOWN.search(problem)
    if unknown:
        return replaced.get(unknown[1], f"{unknown[1]} is not a setting of this file: is it misspelt?")
    typed = re.search(r"Expected `(.+?)`, got `(.+?)` - at `\$\.([^`]+)`", problem)
    if typed and typed[3] == "price":
        return 'price is written in quotes, so that no digit is lost: price = "19.99"'
    if typed:
        wanted, key = typed[1].partition(" ")[0], typed[3].replace("[...]", "[]").rpartition(".")[2]
        if key.endswith("]"):  # a value of a list or a table
            return f"{key.partition('[')[0]}: each value must be {typed[1].replace(' | ', ' or ')}, not {typed[2]}"
        return f"{key} {_WRITTEN[wanted].format(key)}" if wanted in _WRITTEN else problem
    return problem
