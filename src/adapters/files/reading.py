"""Read files of the catalogue, and say of a bad one which line it is."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

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
    """Reads on after a problem, so that the merchant hears of all of them at once."""

    root: Path
    problems: list[str] = field(default_factory=list)
    passing: bool = False
    storage_away: bool = False
    """The goods could not be reached: one complaint will do, and one wait."""

    def complain(self, path: Path, what: str, *, line: int | None = None, passing: bool = False) -> None:
        """Note a problem; `passing`: one that may pass without another edit."""
        self.passing |= passing
        name = path.relative_to(self.root.parent)
        self.problems.append(f"{name}:{line}: {what}" if line else f"{name}: {what}")

    def text(self, path: Path) -> str | None:
        """A UTF-8 text; None, and a problem noted, if it is none."""
        try:
            raw = path.read_bytes()
        except OSError as error:
            self.complain(path, f"cannot be read ({error.strerror})")
            return None
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.complain(path, "is not UTF-8 text: save it as UTF-8", line=line)
            return None

    def toml(self, path: Path, kind: type[S]) -> tuple[S, str] | None:
        """A TOML file as one of our structs, and its text; None, and a problem noted, if it is not one."""
        text = self.text(path)
        if text is None:
            return None
        try:
            return msgspec.convert(tomllib.loads(text), kind), text
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"at line (\d+)", str(error))
            # "at end of document" has no line: it is the last one.
            line = int(found[1]) if found else text.rstrip().count("\n") + 1
            self.complain(path, f"is not TOML: {error}", line=line)
        except msgspec.ValidationError as error:
            self.complain(path, _in_words(str(error)), line=_line_of(str(error), text))
        return None


def line_of_key(text: str, key: str) -> int | None:
    """The line on which a key is set."""
    found = re.search(rf"^[ \t]*\"?{re.escape(key)}\"?[ \t]*=", text, re.MULTILINE)
    return None if found is None else text.count("\n", 0, found.start()) + 1


def _line_of(problem: str, text: str) -> int | None:
    named = re.search(r"`\$\.(\w+)|unknown field `(\w+)`", problem)
    return line_of_key(text, named[1] or named[2]) if named else None


def _in_words(problem: str) -> str:
    missing = re.search(r"required field `(\w+)`", problem)
    if missing:
        return f"{missing[1]} is missing: add a line {missing[1]} = …"
    unknown = re.search(r"unknown field `(\w+)`", problem)
    if unknown:
        return f"{unknown[1]} is not a setting of this file: is it misspelt?"
    typed = re.search(r"Expected `(.+?)`, got `(.+?)` - at `\$\.(\w+)", problem)
    if typed and typed[3] == "price":
        return 'price is written in quotes, so that no digit is lost: price = "19.99"'
    if typed:
        return f"{typed[3]} must be {typed[1]}, not {typed[2]}"
    return problem
