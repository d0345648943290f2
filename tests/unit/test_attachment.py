"""The name that a browser saves a file under: RFC 6266, for any name there may be."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entrypoints.http.file_response import disposition

HEADER = re.compile(r"attachment; filename=\"([ -~]*)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]*)")


@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
@example(name='a"; filename="b')
@example(name="a\r\nset-cookie: x=1")
@example(name="a\\")
@example(name="\x00\x1f\x7f")
@example(name="½／⁄∕.txt")  # they decompose into slashes
@example(name="%41%22.txt")
@example(name="é" * 200)
def test_any_name_comes_back_and_none_breaks_out(name: str) -> None:
    found = HEADER.fullmatch(disposition(name))
    assert found is not None
    assert unquote(found[2], errors="strict") == name
    assert not set(found[1]) & set('"\\%/')


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("book.epub", "book.epub"),
        ("Grüße aus Köln.epub", "Gru_e aus Koln.epub"),
        ("🎟 ticket.zip", "_ ticket.zip"),
        ("日本.txt", "__.txt"),
        (".hidden", ".hidden"),
        ("semi;colon, comma.txt", "semi;colon, comma.txt"),
        ("100%41.txt", "100_41.txt"),
    ],
)
def test_old_browsers_get_a_name_that_can_be_read(name: str, plain: str) -> None:
    found = HEADER.fullmatch(disposition(name))
    assert found is not None
    assert found[1] == plain
