"""Bytes become pieces, lines and records, however they are cut; what is no CSV is named with its line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.csv_rows import (
    LARGEST_FILE,
    CsvProblem,
    Piece,
    Pieces,
    Record,
    Records,
    UnreadableCsv,
    delimiter_of,
)


def cut(data: bytes, *, at: int = 7) -> list[Piece]:
    pieces = Pieces()
    found = [one for start in range(0, len(data), at) for one in pieces.feed(data[start : start + at])]
    return [*found, *pieces.end()]


def lines_of(data: bytes, *, at: int = 7) -> list[str]:
    return [line for piece in cut(data, at=at) for line in piece.lines]


def read(lines: list[str], *, at: int = 1, delimiter: str = ",") -> list[Record]:
    records = Records(delimiter)
    found = [one for start in range(0, len(lines), at) for one in records.feed(lines[start : start + at])]
    records.end()
    return found


@pytest.mark.parametrize("at", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    "data",
    [
        "a,ü\r\n1,€\n".encode(),
        b"\xef\xbb\xbf" + "a,ü\r\n1,€\n".encode(),
        b"\xff\xfe" + "a,ü\r\n1,€\n".encode("utf-16-le"),
        b"\xfe\xff" + "a,ü\r\n1,€\n".encode("utf-16-be"),
    ],
)
def test_utf_8_and_marked_utf_16_are_read_however_they_arrive(data: bytes, at: int) -> None:
    assert lines_of(data, at=at) == ["a,ü\r\n", "1,€\n"]


def test_a_piece_ends_with_a_line_and_knows_its_first() -> None:
    line = "x" * 999 + "\n"
    pieces = cut((line * 200 + "end").encode(), at=4096)
    assert [piece.number for piece in pieces] == list(range(len(pieces)))
    assert len(pieces) == 4
    at = 1
    for piece in pieces:
        assert piece.line == at
        at += len(piece.lines)
    assert at - 1 == 201


@pytest.mark.parametrize(
    ("data", "problem", "line"),
    [
        (b"", CsvProblem.EMPTY, 1),
        (b"a,b\n1,M\xfcller\n", CsvProblem.NOT_UTF8, 2),
        (b"a,b\n1,\xc3", CsvProblem.NOT_UTF8, 2),
        (b"PK\x03\x04\x14\x00\x06\x00", CsvProblem.NOT_TEXT, 1),
        (b"a,b\n" + b"x" * 70_000, CsvProblem.LINE_TOO_LONG, 2),
        (b'a,b\n1,2\n3,"open\n' + b"4,5\n" * 9, CsvProblem.OPEN_QUOTE, 3),
        (b'a,b\n1,"open\n' + b"4,5\n" * 40_000, CsvProblem.OPEN_QUOTE, 2),
        (b"a,b\r1,2\r3,4\r", CsvProblem.OPEN_QUOTE, 1),
        (b"a,b\n" + b"," * 600, CsvProblem.TOO_MANY_COLUMNS, 2),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(data: bytes, problem: CsvProblem, line: int) -> None:
    with pytest.raises(UnreadableCsv) as raised:
        read(lines_of(data, at=4096), at=2000)
    assert (raised.value.problem, raised.value.line) == (problem, line)


def test_a_file_that_is_too_large_is_refused_while_it_arrives() -> None:
    pieces = Pieces()
    pieces.size = LARGEST_FILE - 1
    assert pieces.feed(b"a") == []
    with pytest.raises(UnreadableCsv) as raised:
        pieces.feed(b"b")
    assert raised.value.problem is CsvProblem.TOO_LARGE


def test_lines_are_counted_as_an_editor_does() -> None:
    lines = ["a,b\n", "\n", '1,"two\n', 'lines"\n', " , \n", '5" disk,x\n', "6"]
    assert read(lines) == [
        Record(1, ("a", "b")), Record(3, ("1", "two\nlines")), Record(6, ('5" disk', "x")), Record(7, ("6",)),
    ]  # fmt: skip


def test_only_a_line_feed_ends_a_line() -> None:
    assert [one.cells for one in read(lines_of("a\u2028b,\x0bc\n1,2".encode()))] == [
        ("a\u2028b", "\x0bc"),
        ("1", "2"),
    ]


CELLS = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=9)


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=9),
    st.integers(1, 40),
    st.integers(1, 3),
)
def test_what_a_writer_wrote_is_read_as_it_was_however_it_is_cut(
    rows: list[list[str]], size: int, lot: int
) -> None:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    kept = [tuple(row) for row in rows if any(cell.strip() for cell in row)]
    found = read(lines_of(written.getvalue().encode(), at=size), at=lot)
    assert [one.cells for one in found] == kept


@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=2, max_size=9), st.data())
def test_reading_can_go_on_at_the_line_where_it_stopped(rows: list[list[str]], data: st.DataObject) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([[f"x{cell}" for cell in row] for row in rows])
    lines = lines_of(written.getvalue().encode())
    records, whole = Records(","), read(lines)
    stop = data.draw(st.integers(1, len(whole)))
    feed = records.feed(lines)
    first = [next(feed) for _ in range(stop)]
    on = Records(",", line=records.line)
    assert first + list(on.feed(lines[records.line - 1 :])) == whole


@pytest.mark.parametrize(
    ("line", "expected"), [("a,b;c,d", ","), ("a;b;c,d", ";"), ("a\tb", "\t"), ("a", ",")]
)
def test_the_separator_is_the_one_the_header_has_most_of(line: str, expected: str) -> None:
    assert delimiter_of(line) == expected
