"""Read files of the catalogue, and say of a bad one which line it is."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from adapters.files.inside import check_folder, open_inside
from adapters.files.markdown import TooCostly, TooLong, render
from adapters.files.shape import DEEPEST, is_too_deep

LARGEST_TOML: Final = 256_000
LARGEST_MARKDOWN: Final = 1_000_000
_LONGEST_PROBLEM: Final = 400

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
    passing: bool = False
    storage_away: bool = False
    """The goods could not be reached: one complaint will do, and one wait."""
    left_out: list[str] = field(default_factory=list)
    """Problems of products that cost too much to read: they hold back those products alone."""
    costly: int = 0
    """How many of `problems` are of that kind."""

    def complain(
        self, path: Path, what: str, *, line: int | None = None, passing: bool = False, costly: bool = False
    ) -> None:
        """Note a problem; `passing`: one that may pass without another edit; `costly`: the file is too much to read."""
        self.passing |= passing
        self.costly += costly
        name = path.relative_to(self.root.parent)
        problem = f"{name}:{line}: {what}" if line else f"{name}: {what}"
        self.problems.append(
            "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in problem[:_LONGEST_PROBLEM])
        )

    def leave_out(self, *, since: int) -> bool:
        """Whether all problems noted since then are costs; then they hold back their product, and not the catalogue."""
        if not self.costly or self.costly < len(self.problems) - since:
            return False
        self.left_out += self.problems[since:]
        del self.problems[since:]
        self.costly = 0
        return True

    def raw(self, path: Path, *, at_most: int) -> bytes | None:
        """All of a file, if it lies inside its product, or else inside the catalogue; None, and a problem noted,
        if it does not, or has more bytes than `at_most`."""
        try:
            with open_inside(self._home(path), path) as file:
                raw = file.read(at_most + 1)
        except OSError as error:
            self.complain(path, f"cannot be read: {error.strerror}")
            return None
        if len(raw) > at_most:
            self.complain(path, f"is over {_size(at_most)}: make it smaller", costly=True)
            return None
        return raw

    def opens(self, path: Path) -> bool:
        """Whether a file may be read, and can be; otherwise a problem is noted."""
        try:
            open_inside(self._home(path), path).close()
        except OSError as error:
            self.complain(path, f"cannot be read: {error.strerror}")
            return False
        return True

    def enters(self, folder: Path) -> bool:
        """Whether a folder is there, and in its product or the catalogue; if it lies elsewhere, that is noted."""
        if not os.path.lexists(folder):
            return False
        try:
            check_folder(folder, inside=self._home(folder))
        except OSError as error:
            self.complain(folder, f"cannot be read: {error.strerror}")
            return False
        return folder.is_dir()

    def _home(self, path: Path) -> Path:
        """The folder that a file must not leave."""
        top, *below = path.relative_to(self.root).parts
        return self.root / top if below else self.root.resolve()

    def markdown(self, path: Path, text: str) -> str:
        """The HTML of a text of that file; "", and a problem noted, if it cannot be rendered."""
        try:
            return render(text)
        except (TooCostly, TooLong) as error:
            self.complain(path, str(error), costly=True)
        except OSError as error:
            self.complain(path, str(error.strerror), passing=True)
        return ""

    def text(self, path: Path, *, at_most: int = LARGEST_MARKDOWN) -> str | None:
        """A UTF-8 text; None, and a problem noted, if it is none."""
        raw = self.raw(path, at_most=at_most)
        if raw is None:
            return None
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.complain(path, "is not UTF-8 text: save it as UTF-8", line=line)
            return None

    def toml(self, path: Path, kind: type[S]) -> tuple[S, str] | None:
        """A TOML file as one of our structs, and its text; None, and a problem noted, if it is not one."""
        text = self.text(path, at_most=LARGEST_TOML)
        if text is None:
            return None
        if is_too_deep(text):
            self.complain(path, f"has keys or brackets more than {DEEPEST} deep: no setting is", costly=True)
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
        except (ValueError, RecursionError, MemoryError) as error:  # a number that is too long, for one
            self.complain(path, f"cannot be read: {str(error) or type(error).__name__}", costly=True)
        return None


def line_of_key(text: str, key: str) -> int | None:
    """The line on which a key is set."""
    found = re.search(rf"^[ \t]*+\"?{re.escape(key)}\"?[ \t]*+=", text, re.MULTILINE)
    return None if found is None else text.count("\n", 0, found.start()) + 1


def _size(number: int) -> str:
    return f"{number // 1_000_000} MB" if number >= 1_000_000 else f"{number // 1000} kB"


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
