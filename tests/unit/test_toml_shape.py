"""How deep a TOML text goes, seen without parsing it."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.shape import DEEPEST, is_too_deep

FLAT = [
    'summary = "a.b.c.d.e.f.g.h"',
    "summary = 'a.b.c.d.e.f.g.h [[[[[[[['",
    'summary = """\na.b.c.d.e.f [[[[[[[[\n\\""" still inside [[[[[[[["""',
    "summary = '''\na.b.c.d.e.f.g [[[[[[[[ ''''",
    "# a.b.c.d.e.f.g = [[[[[[[[",
    'a = "x" # "[[[[[[[["',
    'files = ["a.b.c.d.e.f", { name = "x.y.z.a.b.c.d" }]',
    "[payment]\ntax = 'off'\n[[files]]\nname = 'x'",
    "a.b.c.d.e = 1",
    "a = [[[[1.5, 2.5, 3.5, 4.5, 5.5, 6.5]]]]",
    "\n".join(f"a{n} = {n}.5" for n in range(100)),
]
DEEP = [
    "a" + ".a" * 20_000 + " = 1",
    "a.b.c.d.e.f = 1",
    "a . b . c . d . e . f = 1",
    'a."b.c"."d".e.f.\'g\' = 1',
    "[a.b.c.d.e.f]",
    "x = { a.b.c.d.e.f = 1 }",
    "a = " + "[" * 20_000,
    "a = [[[[[1]]]]]",
    "a = [\n[\n[\n[\n[\n]]]]]",
    "a = {b={b={b={b={b=1}}}}}",
    'a = ["""x"""", [[[[1]]]]]',
    "a = ['''x''''', [[[[1]]]]]",
    'a = ["\\"", [[[[1]]]]]',
    "a = ['\\', [[[[1]]]]]",
    'a = ["""\\\\""", [[[[1]]]]]',
    '"]" = [[[[[1]]]]]',
    "# ]]]]]\na = [[[[[1]]]]]",
]


@pytest.mark.parametrize("text", FLAT)
def test_what_strings_and_comments_hold_is_not_deep(text: str) -> None:
    tomllib.loads(text)
    assert not is_too_deep(text)


@pytest.mark.parametrize("text", DEEP)
def test_a_deep_key_or_bracket_is_seen_whatever_stands_around_it(text: str) -> None:
    assert is_too_deep(text)


def depth_of(value: object) -> int:
    match value:
        case dict():
            return 1 + max(map(depth_of, value.values()), default=0)
        case list():
            return 1 + max(map(depth_of, value), default=0)
    return 0


@given(st.text(alphabet="ab.=[]{}\"'\\# \n,1", max_size=60))
def test_what_is_not_too_deep_is_parsed_to_something_flat(text: str) -> None:
    """A key's dots and the brackets around it add up; both are bounded, so is what comes out."""
    if is_too_deep(text):
        return
    try:
        found = tomllib.loads(text)
    except ValueError:
        return
    assert depth_of(found) <= (DEEPEST + 1) * (DEEPEST + 1)
