"""CSV as shops and spreadsheets write it: bytes become pieces of whole lines, and lines become records (RFC 4180).

Nothing here holds more than a piece and a record, however large the file is.
"""

from __future__ import annotations

import codecs
import csv
import zlib
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

from domain.frozen import frozen

LARGEST_FILE: Final = 100_000_000
"""Bytes."""
_PIECE: Final = 65_536
"""Characters after which a piece ends, with the line that they end in."""
_LONGEST_LINE: Final = 65_536
_LONGEST_RECORD: Final = 262_144
"""Characters. A quotation mark that is never closed would otherwise take in the rest of the file."""
_MOST_COLUMNS: Final = 500
_DELIMITERS: Final = ",;\t"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class CsvProblem(Enum):
    """Why a file cannot be read. The values are stored."""

    EMPTY = "empty"
    TOO_LARGE = "too-large"
    NOT_TEXT = "not-text"
    """It holds a NUL: a spreadsheet's own format, or an archive."""
    NOT_UTF8 = "not-utf8"
    LINE_TOO_LONG = "line-too-long"
    TOO_MANY_COLUMNS = "too-many-columns"
    OPEN_QUOTE = "open-quote"
    """A quotation mark is never closed, or stands where none may."""


class UnreadableCsv(Exception):
    """The file cannot be read; `line` is where, counted from 1 as editors do."""

    def __init__(self, problem: CsvProblem, line: int) -> None:
        super().__init__(f"{problem.value} at line {line}")
        self.problem = problem
        self.line = line


@frozen
class Piece:
    """Some whole lines of a file, packed as they are stored. Numbers count from 0, lines from 1."""

    number: int
    line: int
    """Which line of the file is its first."""
    packed: bytes

    @classmethod
    def of(cls, text: str, *, number: int, line: int) -> Piece:
        """Of lines that each end with a line feed; the last line of the file need not."""
        return cls(number=number, line=line, packed=zlib.compress(text.encode(), level=1))

    @property
    def lines(self) -> list[str]:
        """The lines, each with its end."""
        return _lines(zlib.decompress(self.packed).decode())


class Pieces:
    """Cuts the bytes of a file into pieces as they arrive. UTF-8, or UTF-16 if it begins with a byte order mark."""

    def __init__(self, *, most: int | None = LARGEST_FILE) -> None:
        """`most`: bytes; None for a file that need not be stored."""
        self._most = most
        self.size = 0
        """Bytes so far."""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = b""
        self._text: list[str] = []
        self._length = 0
        self._number = 0
        self._line = 1
        self._lines_in_text = 0

    @property
    def lines(self) -> int:
        """Lines so far."""
        return self._line - 1 + self._lines_in_text

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces that are complete now. Raises UnreadableCsv."""
        self.size += len(data)
        if self._most is not None and self.size > self._most:
            raise UnreadableCsv(CsvProblem.TOO_LARGE, self.lines + 1)
        if self._decoder is None:
            self._head += data
            if len(self._head) < len(codecs.BOM_UTF8):
                return []
            data = self._begin()
        return self._take(self._decoded(data, final=False))

    def end(self) -> list[Piece]:
        """The last pieces. Raises UnreadableCsv, also for a file without any text."""
        left = self._begin() if self._decoder is None else b""
        pieces = self._take(self._decoded(left, final=True))
        if self._length:
            self._lines_in_text += not self._text[-1].endswith("\n")
            pieces.append(self._cut())
        if not self._number:
            raise UnreadableCsv(CsvProblem.EMPTY, 1)
        return pieces

    def _begin(self) -> bytes:
        data, self._head = self._head, b""
        wide = data.startswith(_UTF16)
        self._decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8-sig")()
        return data

    def _decoded(self, data: bytes, *, final: bool) -> str:
        assert self._decoder is not None
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            before = bytes(error.object[: error.start]).count(b"\n")
            raise UnreadableCsv(CsvProblem.NOT_UTF8, self.lines + before + 1) from error
        if "\0" in text:
            raise UnreadableCsv(CsvProblem.NOT_TEXT, self.lines + 1)
        return text

    def _take(self, text: str) -> list[Piece]:
        pieces = []
        for line in _lines(text):
            begun = bool(self._text) and not self._text[-1].endswith("\n")
            whole = self._text.pop() + line if begun else line
            if len(whole) > _LONGEST_LINE:
                raise UnreadableCsv(CsvProblem.LINE_TOO_LONG, self.lines + 1)
            self._text.append(whole)
            self._length += len(line)
            if whole.endswith("\n"):
                self._lines_in_text += 1
                if self._length >= _PIECE:
                    pieces.append(self._cut())
        return pieces

    def _cut(self) -> Piece:
        piece = Piece.of("".join(self._text), number=self._number, line=self._line)
        self._number += 1
        self._line += self._lines_in_text
        self._text, self._length, self._lines_in_text = [], 0, 0
        return piece


def _lines(text: str) -> list[str]:
    """Only a line feed ends a line: `str.splitlines` would end one at what a cell may hold, such as U+2028."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


@frozen
class Record:
    """The cells of one record, and the line that it begins on."""

    line: int
    cells: tuple[str, ...]


class _NoMoreLines(Exception):
    """The lines that are here end inside a record, or after one."""


class Records:
    """Reads records from lines as they come; a quoted cell may go over several. Blank lines are left out."""

    def __init__(self, delimiter: str, *, line: int = 1) -> None:
        self._delimiter = delimiter
        self._line = line
        self._begun: list[str] = []
        """The lines of a record that has not ended."""

    def feed(self, lines: Sequence[str]) -> Iterator[Record]:
        """The records that end within these lines. Raises UnreadableCsv. To be used up before more is fed."""
        here = [*self._begun, *lines]
        self._begun, used = [], 0
        reader = csv.reader(_until_none_is_left(here), delimiter=self._delimiter)
        while True:
            try:
                cells = next(reader)
            except (_NoMoreLines, StopIteration):
                break
            except csv.Error as error:
                raise UnreadableCsv(CsvProblem.OPEN_QUOTE, self._line) from error
            record = Record(line=self._line, cells=tuple(cells))
            self._line += reader.line_num - used
            used = reader.line_num
            if len(cells) > _MOST_COLUMNS:
                raise UnreadableCsv(CsvProblem.TOO_MANY_COLUMNS, record.line)
            if any(map(str.strip, cells)):
                yield record
        self._begun = here[used:]
        if sum(map(len, self._begun)) > _LONGEST_RECORD:
            raise UnreadableCsv(CsvProblem.OPEN_QUOTE, self._line)

    def end(self) -> None:
        """There are no more lines. Raises UnreadableCsv if a record has not ended."""
        if self._begun:
            raise UnreadableCsv(CsvProblem.OPEN_QUOTE, self._line)

    @property
    def line(self) -> int:
        """The line on which the next record begins: from there it can be read on."""
        return self._line


def _until_none_is_left(lines: Sequence[str]) -> Iterator[str]:
    yield from lines
    raise _NoMoreLines


def delimiter_of(first_line: str) -> str:
    """What separates the cells: whichever of comma, semicolon and tab the header has most of."""
    return max(_DELIMITERS, key=first_line.count)
