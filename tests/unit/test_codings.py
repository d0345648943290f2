"""Which content coding a client takes: RFC 9110 §12.5.3, case by case and as properties."""

from __future__ import annotations

import gzip

import brotli
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entrypoints.http.file_response import names_tag
from entrypoints.http.prepared import CODINGS, IDENTITY, coding_for, encode


@pytest.mark.parametrize(
    ("field", "coding"),
    [
        # What browsers and programs send.
        ("gzip, deflate, br, zstd", "br"), ("gzip, deflate, br", "br"), ("gzip, deflate", "gzip"),
        ("gzip, zstd", "gzip"), ("gzip", "gzip"), ("br;q=1.0, gzip;q=0.8, *;q=0.1", "br"),
        # The RFC's own examples.
        ("compress, gzip", "gzip"), ("", IDENTITY), ("*", "br"), ("compress;q=0.5, gzip;q=1.0", "gzip"),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", "gzip"),
        # Weights decide, and only then what is smallest.
        ("br;q=0.5, zstd;q=0.9, gzip;q=0.8", "gzip"), ("br;q=0.001, gzip;q=0.002", "gzip"), ("gzip;q=1, br;q=1.000", "br"),
        ("gzip;q=0.5, *;q=0.6", "br"), ("*;q=0.5, br;q=0.1", "gzip"), ("*;q=0.5, br;q=0, zstd;q=0", "gzip"),
        # Nothing is taken that was turned down.
        ("br;q=0, gzip", "gzip"), ("gzip;q=0", IDENTITY), ("gzip;q=0.0, br;q=0.000", IDENTITY), ("*;q=0", IDENTITY),
        ("identity", IDENTITY), ("deflate, compress", IDENTITY), ("gzip, *;q=0", "gzip"),
        # Identity counts for something where it is named.
        ("identity;q=1, gzip;q=0.5", IDENTITY), ("identity;q=0.5, gzip;q=0.5", "gzip"), ("identity, gzip", "gzip"),
        ("identity, *;q=0.5", IDENTITY), ("identity;q=0, gzip", "gzip"),
        # Nothing that we have: the plain bytes beat an error.
        ("identity;q=0", IDENTITY), ("*;q=0, deflate", IDENTITY),
        # How it is written.
        ("GZIP", "gzip"), ("x-gzip", "gzip"), ("gzip;Q=1", "gzip"), ("gzip ; q=1", "gzip"), ("\tgzip\t,", "gzip"), (",,gzip,,", "gzip"),
        ("br; q=0, gzip", "gzip"),
        # What is no member says nothing; the others are heard.
        ("br;q=2, gzip", "gzip"), ("br;q=-1, gzip", "gzip"), ("br;q=0.1234, gzip", "gzip"), ("br;q=, gzip", "gzip"),
        ("br;q=1;q=1, gzip", "gzip"), ("br;level=9, gzip", "gzip"), ("br gzip", IDENTITY), ('"br"', IDENTITY), ("br\x00", IDENTITY),
        ("gzip;q=0, gzip", IDENTITY), ("gzip, gzip;q=0", "gzip"), ("br;q=\u00b2", IDENTITY),
    ],
)  # fmt: skip
def test_the_coding_is_the_one_that_the_client_likes_best(field: str, coding: str) -> None:
    assert coding_for(field.encode("latin-1")) == coding


def test_who_says_nothing_gets_the_plain_bytes() -> None:
    assert coding_for(None) == IDENTITY


def test_only_what_is_ready_is_given() -> None:
    assert coding_for(b"br, zstd, gzip", ("gzip",)) == "gzip"
    assert coding_for(b"br, zstd", ("gzip",)) == IDENTITY
    assert coding_for(b"gzip", ()) == IDENTITY


NAMES = st.sampled_from([*CODINGS, IDENTITY, "*", "deflate", "compress"])
WEIGHTS = st.one_of(st.none(), st.integers(0, 1000))
SPACES = st.sampled_from(["", " ", "\t"])


def written(name: str, weight: int | None, space: str) -> str:
    if weight is None:
        return f"{space}{name}{space}"
    digits = f"{weight // 1000}.{weight % 1000:03}".rstrip("0")
    return f"{space}{name}{space};{space}q={digits}"


@given(st.dictionaries(NAMES, WEIGHTS), SPACES, st.randoms(use_true_random=False))
@example({"*": 0, "identity": 0}, "", None)
@example({"*": 500, "br": 0, "identity": 500}, "", None)
def test_nothing_else_would_have_been_liked_better(
    said: dict[str, int | None], space: str, order: object
) -> None:
    """No coding is given that the client turned down or did not name, and none that it likes less than another."""
    members = list(said.items())
    if order is not None:
        order.shuffle(members)  # type: ignore[attr-defined]
    field = ",".join(written(name, weight, space) for name, weight in members)
    weights = {name: 1000 if weight is None else weight for name, weight in said.items()}
    likes = {coding: weights.get(coding, weights.get("*", 0)) for coding in CODINGS}
    given_ = coding_for(field.encode())
    if given_ == IDENTITY:
        assert max(likes.values()) <= weights.get(IDENTITY, 0)
        assert max(likes.values()) < weights.get(IDENTITY, 0) or max(likes.values()) == 0
    else:
        assert likes[given_] > 0
        assert likes[given_] == max(likes.values())
        assert likes[given_] >= weights.get(IDENTITY, 0)
        smaller = CODINGS[: CODINGS.index(given_)]
        assert all(likes[coding] < likes[given_] for coding in smaller)


@given(st.binary(max_size=400))
@example(b"br;q=" + b"9" * 300)
@example(b"," * 399)
@example(b"gzip" + b" " * 390)
def test_whatever_is_sent_there_is_an_answer(field: bytes) -> None:
    assert coding_for(field) in (*CODINGS, IDENTITY)


@given(st.binary(max_size=3000))
def test_a_coded_body_is_the_body(body: bytes) -> None:
    assert gzip.decompress(encode(body, "gzip")) == body
    assert brotli.decompress(encode(body, "br")) == body


@pytest.mark.parametrize("coding", CODINGS)
def test_the_same_body_is_coded_to_the_same_bytes(coding: str) -> None:
    """A strong tag is made from them: two nodes that disagreed would make every browser load everything twice."""
    body = b"<p>A page of a shop.</p>" * 100
    assert encode(body, coding) == encode(body, coding)


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ('"a"', True), ('W/"a"', True), ('"b", "a"', True), ('"b","a"', True), ("*", True), (' "a" ', True), ('"b", W/"a"', True),
        ('"b"', False), ("a", False), ("", False), ('"A"', False), ('"a', False), ('w/"a"', False), ('"a-gzip"', False), ('"b, "a""', False),
        ('* , "b"', False),
    ],
)  # fmt: skip
def test_a_tag_is_named_or_not(field: str, names: bool) -> None:
    assert names_tag(field, '"a"') is names
