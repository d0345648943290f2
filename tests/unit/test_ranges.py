"""What a request wants of a file: RFC 9110, sections 13 and 14, case by case and as properties."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entrypoints.http.file_response import Changed, HasIt, Part, PastTheEnd, Whole, Wish, wish

TAG = '"abc"'


def asked(*headers: tuple[str, str], size: int = 100, ranged: bool = True) -> Wish:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return wish(raw, etag=TAG, size=size, ranged=ranged)


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("bytes=0-0", Part(0, 1)), ("bytes=0-", Part(0, 100)), ("bytes=10-19", Part(10, 20)), ("bytes=99-", Part(99, 100)),
        ("bytes=-1", Part(99, 100)), ("bytes=-100", Part(0, 100)), ("bytes=-1000", Part(0, 100)),
        ("bytes=0-99", Part(0, 100)), ("bytes=50-5000", Part(50, 100)), ("BYTES=1-2", Part(1, 3)), ("Bytes=1-2", Part(1, 3)),
        ("bytes= 1-2 ", Part(1, 3)), ("bytes=,1-2,", Part(1, 3)), ("bytes=00001-00002", Part(1, 3)),
        ("bytes=1-" + "9" * 5000, Part(1, 100)),
    ],
)  # fmt: skip
def test_one_range_is_a_part(field: str, found: Wish) -> None:
    assert asked(("range", field)) == found


@pytest.mark.parametrize(
    "field", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=-000", "bytes=" + "9" * 5000 + "-"]
)
def test_what_lies_past_the_end_is_416(field: str) -> None:
    assert asked(("range", field)) == PastTheEnd()


@pytest.mark.parametrize(
    "field",
    [
        "", "bytes", "bytes=", "bytes=-", "bytes=--1", "bytes=a-b", "bytes=1", "bytes=2-1", "bytes=1-2-3", "bytes=1.5-2",
        "bytes=+1-2", "bytes=0x1-2", "bytes=١-٢", "bytes 0-1", "bytes =0-1", "bytes=1 - 2", "octets=0-1", "items=0-1",
        "none", "bytes=0-1;q=1", "bytes:0-1", "=0-1", "bytes=0-1\x00", "\xff=0-1", "bytes=0-1 2-3",
    ],
)  # fmt: skip
def test_what_is_no_range_of_bytes_is_ignored(field: str) -> None:
    raw = [(b"range", field.encode())]
    assert wish(raw, etag=TAG, size=100, ranged=True) == Whole()


def test_several_ranges_are_ignored_even_thousands() -> None:
    for field in ("bytes=0-0,1-1", "bytes=0-,-1", "bytes=0-0," * 20_000, "bytes=" + "-1," * 50_000):
        assert asked(("range", field)) == Whole()
    assert asked(("range", "bytes=0-0"), ("range", "bytes=1-1")) == Whole()


def test_of_an_empty_file_there_is_no_part() -> None:
    assert asked(("range", "bytes=0-"), size=0) == PastTheEnd()
    assert asked(("range", "bytes=-5"), size=0) == Whole()


def test_head_knows_no_ranges_but_every_condition() -> None:
    assert asked(("range", "bytes=1-2"), ranged=False) == Whole()
    assert asked(("range", "bytes=1000-"), ranged=False) == Whole()
    assert asked(("if-none-match", TAG), ranged=False) == HasIt()
    assert asked(("if-match", '"x"'), ranged=False) == Changed()


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (TAG, Part(1, 3)),
        (f"W/{TAG}", Whole()),
        ('"abd"', Whole()),
        ("abc", Whole()),
        ("*", Whole()),
        ("", Whole()),
        (f"{TAG}, {TAG}", Whole()),
        ("Wed, 21 Oct 2026 07:28:00 GMT", Whole()),
    ],
)
def test_only_the_same_strong_tag_keeps_the_range(field: str, found: Wish) -> None:
    assert asked(("range", "bytes=1-2"), ("if-range", field)) == found
    assert asked(("if-range", field)) == Whole()


@pytest.mark.parametrize(
    ("field", "has_it", "matches"),
    [
        (TAG, True, True), (f"W/{TAG}", True, False), ("*", True, True), ('"x"', False, False), ("", False, False),
        (f'"x", {TAG}', True, True), (f'"x",,\t{TAG} ,', True, True), (f'"x,", {TAG}', True, True), ('"x, "abc""', False, False),
        (f'W/"x", W/{TAG}', True, False), (f"w/{TAG}", False, False), ("abc", False, False), (f"{TAG}, junk", False, False),
        (f"{TAG}, *", False, False), ('"\xe9", "abc"', True, True), ('"ABC"', False, False),
    ],
)  # fmt: skip
def test_lists_of_tags(field: str, *, has_it: bool, matches: bool) -> None:
    """If-None-Match compares weakly and If-Match strongly; a list that is none names nothing (§8.8.3.2)."""
    assert (asked(("if-none-match", field)) == HasIt()) is has_it
    assert (asked(("if-match", field)) == Whole()) is matches


def test_several_lines_of_one_field_are_one_list() -> None:
    assert asked(("if-none-match", '"x"'), ("if-none-match", TAG)) == HasIt()
    assert asked(("if-match", '"x"'), ("if-match", '"y"')) == Changed()


def test_conditions_come_in_the_order_of_the_rfc() -> None:
    """RFC 9110 §13.2.2: If-Match, then If-None-Match, then Range with If-Range."""
    every = [("range", "bytes=1-2"), ("if-range", TAG), ("if-none-match", TAG), ("if-match", TAG)]
    assert asked(*every) == HasIt()
    assert asked(*every[:3], ("if-match", '"x"')) == Changed()
    assert asked(*every[:2], ("if-none-match", '"x"'), ("if-match", TAG)) == Part(1, 3)
    assert asked(("range", "bytes=500-"), ("if-range", '"x"')) == Whole(), "no 416 for a version that is gone"


@given(
    start=st.integers(0, 10**20),
    length=st.integers(1, 10**20),
    size=st.integers(0, 10**13),
)
def test_a_range_never_leaves_the_file_and_gives_what_a_slice_gives(
    start: int, length: int, size: int
) -> None:
    found = asked(("range", f"bytes={start}-{start + length - 1}"), size=size)
    expected = range(size)[start : start + length]
    if not expected:
        assert found == PastTheEnd()
    else:
        assert found == Part(expected.start, expected.stop)


@given(length=st.integers(0, 10**20), size=st.integers(1, 10**13))
def test_a_suffix_gives_what_a_slice_gives(length: int, size: int) -> None:
    found = asked(("range", f"bytes=-{length}"), size=size)
    assert found == (Part(max(0, size - length), size) if length else PastTheEnd())


@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from([b"range", b"if-range", b"if-match", b"if-none-match"]),
            st.binary(max_size=40) | st.sampled_from([TAG.encode(), b"bytes=0-0", b"*", b"bytes=5-"]),
        ),
        max_size=6,
    ),
    size=st.integers(0, 20),
    ranged=st.booleans(),
)
@example(headers=[(b"range", b"bytes=0-0"), (b"if-range", b"")], size=1, ranged=True)
def test_whatever_is_sent_has_an_answer(
    headers: list[tuple[bytes, bytes]], size: int, *, ranged: bool
) -> None:
    found = wish(headers, etag=TAG, size=size, ranged=ranged)
    if isinstance(found, Part):
        assert ranged
        assert 0 <= found.start < found.stop <= size
