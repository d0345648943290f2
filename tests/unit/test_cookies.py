"""Cookies byte for byte: what counts as ours, and what a sibling host planted."""

from __future__ import annotations

import pytest

from entrypoints.http.cookies import Cookies, Held, pairs_of

SHOP = Cookies(https=True, host="www.shop.test")
LOCAL = Cookies(https=False, host="localhost:8000")
TOKEN, OTHER = b"a" * 64, b"b" * 64


def held(*values: bytes, by: Cookies = SHOP) -> Held:
    return by.read([(b"host", b"www.shop.test"), *((b"cookie", value) for value in values)])


@pytest.mark.parametrize(
    ("header", "pairs"),
    [
        (b"", []),
        (b"a", []),
        (b"a=", [(b"a", b"")]),
        (b"=a", [(b"", b"a")]),
        (b"a=1; b=2", [(b"a", b"1"), (b"b", b"2")]),
        (b"a=1;b=2", [(b"a", b"1;b=2")]),
        (b"a=1;\tb=2", [(b"a", b"1;\tb=2")]),
        (b"a=b=c", [(b"a", b"b=c")]),
        (b'a="1; b=2"', [(b"a", b'"1'), (b"b", b'2"')]),
        (b" \ta \t= \t1 \t", [(b"a", b"1")]),
        (b"\xa0a=1; \x85b=2", [(b"\xa0a", b"1"), (b"\x85b", b"2")]),
        (b"\x00a=1; \x0ba\x0c=2; \x1fa=3", [(b"\x00a", b"1"), (b"\x0ba\x0c", b"2"), (b"\x1fa", b"3")]),
        (b"a=1; a=2", [(b"a", b"1"), (b"a", b"2")]),
        (b"; ; a=1; ", [(b"a", b"1")]),
    ],
)
def test_a_cookie_header_is_taken_apart_as_browsers_put_it_together(
    header: bytes, pairs: list[tuple[bytes, bytes]]
) -> None:
    assert pairs_of([(b"cookie", header)]) == pairs


def test_several_cookie_headers_are_one() -> None:
    """HTTP/2 may send one header for each cookie (RFC 9113 §8.2.3)."""
    assert held(b"x=1", b"__Host-session=" + TOKEN, b"__Host-device=d") == Held(
        {"session": TOKEN, "device": b"d"}, ()
    )


def test_cookies_of_others_are_never_read() -> None:
    assert held(b"_ga=GA1.2; theme=dark; session=x; my__Host-session2=x; __Host-sessions=x") == Held({}, ())


@pytest.mark.parametrize("by", [SHOP, LOCAL])
def test_a_huge_header_is_read_to_its_end(by: Cookies) -> None:
    name = b"session" if by is LOCAL else b"__Host-session"
    filler = b"; ".join(b"c%d=v" % number for number in range(5_000))
    assert held(filler + b"; " + name + b"=" + TOKEN, by=by).values == {"session": TOKEN}


RELATIVES = [
    b"\xa0__Host-session", b"\x85__Host-session", b"__Host-session\xa0", b"\xc2\xa0__Host-session", b"\x00__Host-session",
    b"\x0b__Host-session", b"\x1f__Host-session", b'"__Host-session"', b"__HOST-session", b"__host-Session",
    b"$__Host-session", b"\xa0\xa0__Host-session\x85\x85", b";__Host-session",
]  # fmt: skip


@pytest.mark.parametrize("relative", RELATIVES)
@pytest.mark.parametrize("first", [True, False])
def test_a_name_that_resembles_ours_ends_both(relative: bytes, first: bool) -> None:
    pairs = [relative + b"=" + OTHER, b"__Host-session=" + TOKEN]
    found = held(b"; ".join(pairs if first else reversed(pairs)))
    assert "session" not in found.values
    assert set(found.planted) == {relative, b"__Host-session"}


@pytest.mark.parametrize("relative", RELATIVES)
def test_a_name_that_resembles_ours_never_counts_alone(relative: bytes) -> None:
    assert held(relative + b"=" + OTHER) == Held({}, (relative,))


@pytest.mark.parametrize("bare", ["session", "device", "currency"])
def test_a_name_that_comes_twice_ends_both_and_leaves_the_others(bare: str) -> None:
    name = f"__Host-{bare}".encode()
    for header in (b"%s=x; %s=y; __Host-other=1", b"%s=x; %s=x"):
        assert held(header % (name, name)) == Held({}, (name,))
    rest = {"session", "device", "currency"} - {bare}
    others = b"; ".join(f"__Host-{other}=1".encode() for other in rest)
    assert held(b"%s=x; %s; %s=y" % (name, others, name)) == Held(dict.fromkeys(rest, b"1"), (name,))


def test_on_plain_http_a_doubled_name_counts_as_none_and_resemblance_is_chance() -> None:
    assert held(b"session=x; session=y", by=LOCAL) == Held({}, (b"session",))
    assert held(b"Session=x; session=y; \xa0session=z", by=LOCAL) == Held({"session": b"y"}, ())


def expired(planted: bytes, path: bytes, *answer: tuple[bytes, bytes], by: Cookies = SHOP) -> list[bytes]:
    headers = by.expire([planted], path, answer)
    assert {name for name, _ in headers} <= {b"set-cookie"}
    assert all(b"; Max-Age=0; " in value for _, value in headers)
    return [value.partition(b"; Max-Age")[0] for _, value in headers]


def test_a_planted_cookie_is_expired_for_every_domain_and_path_it_may_have() -> None:
    assert sorted(expired(b"\xa0__Host-session", b"/view/p1?a=/b")) == sorted(
        b"\xa0__Host-session=; Path=%s%s" % (path, domain)
        for path in (b"/", b"/view", b"/view/", b"/view/p1")
        for domain in (b"", b"; Domain=www.shop.test", b"; Domain=shop.test")
    )


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_a_host_without_parents_expires_its_own(host: str) -> None:
    assert expired(b"session", b"/", by=Cookies(https=False, host=host)) == [b"session=; Path=/"]


def test_a_session_that_the_answer_gives_is_not_expired_by_it() -> None:
    fresh = (b"set-cookie", b"__Host-session=" + TOKEN + b"; Path=/")
    assert b"__Host-session=; Path=/" not in expired(b"__Host-session", b"/", fresh)
    assert b"\xa0__Host-session=; Path=/" in expired(b"\xa0__Host-session", b"/", fresh)


@pytest.mark.parametrize("name", [b"\x00__Host-session", b";__Host-session", b"__Host-session\x1f"])
def test_no_byte_that_would_break_the_header_is_sent_back(name: bytes) -> None:
    assert expired(name, b"/") == []
    assert all(
        b"\r" not in value and b";x" not in value for value in expired(b"__HOST-session", b"/a;x/\r/b")
    )


def test_an_answer_never_carries_more_than_a_few_dozen_of_them() -> None:
    names = [b"\xa0" * number + b"__Host-session" for number in range(1, 40)]
    assert len(SHOP.expire(names, b"/a/b/c/d/e/f/g/h", [])) <= 54
