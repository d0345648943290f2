"""What can go wrong with a request on its way, or be made wrong on purpose."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any, Final

from bench.fuzz.exchange import Request

_METHODS: Final = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "QUERY", "M" * 300, "GET-X",
)  # fmt: skip
_KINDS: Final = (
    b"application/x-www-form-urlencoded; charset=utf-16", b"multipart/form-data", b"multipart/form-data; boundary=x", b"text/plain",
    b"application/json", b"", b"application/x-www-form-urlencoded;;;", b"\xff\xfe", b"application/msgpack", b"*/*", b"a" * 5000,
)  # fmt: skip
_NAMES: Final = (
    b"host", b"cookie", b"origin", b"sec-fetch-site", b"content-type", b"content-length", b"x-forwarded-for", b"stripe-signature",
    b"svix-signature", b"range", b"if-range", b"if-none-match", b"user-agent", b"accept-encoding", b"transfer-encoding", b"expect",
    b"x-http-method-override", b"x-original-url", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded", b"upgrade", b"connection",
    b"te", b"trailer", b"content-encoding", b"accept", b"accept-language", b"authorization", b"x-fuzz",
)  # fmt: skip
_VALUES: Final = (
    b"", b"*", b"1", b"-1", b"\xff\xfe\x80", b"a" * 9000, b"chunked", b"gzip", b"evil.example", b"shop.example:443", b"SHOP.EXAMPLE",
    b"shop.example.", b"null", b"100-continue", b"websocket", b"DELETE", b"/account/erase", b"a=b; a=c", b"__Host-session=", b";;;==",
    b"bytes=0-18446744073709551616", b"99999999999999999999", b"<fuzz>", b"1.1.1.1, ::ffff:7f00:1, [::1]:80", b"fe80::1%" + b"z" * 3000,
    b"\xc3\xa9\xf0\x9f\x8d\x8b", b"%00%0d%0a", b"same-origin, cross-site",
)  # fmt: skip
_PERCENT: Final = (
    b"%00", b"%0d%0a", b"%2e%2e%2f", b"%2f", b"%5c", b"%ff", b"%c0%af", b"%25", b"%", b"%zz", b"%u0041", b"%f0%9f%8d%8b", b"%ed%a0%80",
    b"//", b"/./", b"/../", b";a=b", b"?", b"#", b"&", b"+", b"%20", b"%3c%66uzz%3e", b"%EF%BC%8F", b"\xff", b"{pid}", b"*",
)  # fmt: skip
_LEAVES: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 1.5, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, -(10**30), 1e300, "", "x", "\x00", "\ud7ff", "é" * 50, "y" * 5000,
    [], {}, [[]], {"id": "x"}, "cs_test_x", "pi_x", "<fuzz>", "paid", "2026-01-01", ["a"], {"a": None}, "usd", "xxx", "US", "a@b.example",
)  # fmt: skip

Mutation = Callable[[Request, random.Random], None]


def _some_bytes(text: bytes, entropy: random.Random) -> bytes:
    """Flipped, cut, doubled, interspersed."""
    if not text:
        return bytes(entropy.randrange(256) for _ in range(entropy.randint(0, 4)))
    at = entropy.randrange(len(text))
    match entropy.randrange(7):
        case 0:
            return text[:at] + bytes([text[at] ^ 1 << entropy.randrange(8)]) + text[at + 1 :]
        case 1:
            return text[:at]
        case 2:
            return text[:at] + text[at:] * 2
        case 3:
            return text[:at] + entropy.choice(_PERCENT) + text[at:]
        case 4:
            end = min(len(text), at + entropy.randint(1, 8))
            return text[:at] + text[end:]
        case 5:
            return text[:at] + bytes([entropy.randrange(256)]) + text[at:]
        case _:
            return text[at:] + text[:at]


def target_bytes(request: Request, entropy: random.Random) -> None:
    """The path or the query is not what it was."""
    changed = _some_bytes(request.target, entropy)
    request.target = b"/" + re.sub(
        rb"[\x00-\x20\x7f]", lambda found: b"%%%02x" % found[0][0], changed.lstrip(b"/")
    )


def target_encoded(request: Request, entropy: random.Random) -> None:
    """The same, with some or all of it percent-encoded, once or twice."""
    share = entropy.choice((0.1, 0.5, 1.0))
    pattern = entropy.choice((b"%%%02x", b"%%%02X", b"%%25%02x"))
    request.target = b"/" + b"".join(
        pattern % byte if entropy.random() < share else bytes([byte]) for byte in request.target[1:]
    )


def target_long(request: Request, entropy: random.Random) -> None:
    """More than anybody types."""
    size = entropy.choice((200, 900, 1100, 4000, 7000, 60_000))
    filler = entropy.choice((b"a", b"%61", b"%f0%9f%8d%8b", b"../", b"/a", b"%2f", b"&a=b", b";"))
    request.target += entropy.choice((b"", b"/", b"?", b"?session_id=")) + filler * (size // len(filler))


def target_query(request: Request, entropy: random.Random) -> None:
    """A parameter too many, twice, or without an end."""
    extra = entropy.choice(
        (
            b"session_id=",
            b"session_id",
            b"session_id=a&session_id=b",
            b"=&=&",
            b"%",
            b"a=%zz",
            b"&" * 2000,
            b"a[]=1",
        )
    )
    request.target += (b"&" if b"?" in request.target else b"?") + extra


def method(request: Request, entropy: random.Random) -> None:
    """Another one."""
    request.method = entropy.choice(_METHODS)


def header_bytes(request: Request, entropy: random.Random) -> None:
    """The value of one header is not what it was."""
    if request.headers:
        at = entropy.randrange(len(request.headers))
        name, value = request.headers[at]
        request.headers[at] = (name, _sendable(_some_bytes(value, entropy)))


def header_more(request: Request, entropy: random.Random) -> None:
    """One more header, perhaps one that is there already, before or behind it."""
    new = (entropy.choice(_NAMES), entropy.choice(_VALUES))
    request.headers.insert(entropy.randint(0, len(request.headers)), new)


def header_less(request: Request, entropy: random.Random) -> None:
    """One is missing."""
    if request.headers:
        del request.headers[entropy.randrange(len(request.headers))]


def header_twice(request: Request, entropy: random.Random) -> None:
    """One comes twice, or a thousand come."""
    if request.headers:
        request.headers += [entropy.choice(request.headers)] * entropy.choice((1, 1, 1, 1, 90))


def content_type(request: Request, entropy: random.Random) -> None:
    """It says that it is something else."""
    request.headers = [one for one in request.headers if one[0] != b"content-type"]
    request.headers.append((b"content-type", entropy.choice(_KINDS)))


def body_bytes(request: Request, entropy: random.Random) -> None:
    """The body is not what it was."""
    body = b"".join(request.pieces)
    for _ in range(entropy.choice((1, 1, 3))):
        body = _some_bytes(body, entropy)
    request.pieces = [body]


def body_large(request: Request, entropy: random.Random) -> None:
    """More than any form or event; rarely more than the shop takes."""
    size = entropy.choices((300, 17_000, 70_000, 300_000, 1_100_000), (40, 30, 8, 2, 1))[0]
    filler = entropy.choice((b"a=b&", b"\x00", b"[", b'{"a":', b"%61", b"\xff", b"email=", b"&"))
    request.pieces = [b"".join(request.pieces) + filler * (size // len(filler))]


def body_pieces(request: Request, entropy: random.Random) -> None:
    """It comes in pieces, empty ones among them."""
    body = b"".join(request.pieces)
    pieces: list[bytes] = []
    while body and len(pieces) < 60:
        size = entropy.choice((0, 1, 2, 40, 4000))
        pieces.append(body[:size])
        body = body[size:]
    request.pieces = [*pieces, body]


def leave(request: Request, entropy: random.Random) -> None:
    """The client goes away: before its body, in the middle of it, or while it is answered."""
    body = b"".join(request.pieces)
    request.pieces = [] if entropy.random() < 0.3 else [body[: entropy.randint(0, len(body))]]
    request.leaves = True


def json_leaf(request: Request, entropy: random.Random) -> None:
    """One value of a JSON body is of another type or size, or missing."""
    try:
        told = json.loads(b"".join(request.pieces))
    except (ValueError, RecursionError):
        body_bytes(request, entropy)
        return
    places = list(_places(told))
    for _ in range(entropy.choice((1, 1, 2, 5))):
        if not places:
            break
        holder, key = entropy.choice(places)
        if entropy.random() < 0.15 and isinstance(holder, dict):
            holder.pop(key, None)
        elif isinstance(holder, list) or key in holder:
            holder[key] = entropy.choice(_LEAVES)
    request.pieces = [json.dumps(told, ensure_ascii=entropy.random() < 0.7).encode("utf-8", "replace")]


def _places(told: Any) -> Any:
    pairs = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for key, value in pairs:
        yield told, key
        yield from _places(value)


def _sendable(value: bytes) -> bytes:
    return value.translate(None, b"\r\n\0\x01\x7f\x1b").strip(b" \t")


EVERYWHERE: Final[tuple[Mutation, ...]] = (
    target_bytes, target_bytes, target_encoded, target_long, target_query, method, header_bytes, header_bytes, header_bytes,
    header_more, header_more, header_less, header_twice, content_type, leave,
)  # fmt: skip
WITH_BODY: Final[tuple[Mutation, ...]] = (
    body_bytes,
    body_bytes,
    body_large,
    body_pieces,
    leave,
    content_type,
    header_bytes,
)
OF_JSON: Final[tuple[Mutation, ...]] = (json_leaf, json_leaf, json_leaf, body_bytes)


def mutate(request: Request, entropy: random.Random) -> None:
    """Nothing, one thing, or several at once."""
    number = entropy.choices((0, 1, 2, 4), (25, 45, 20, 10))[0]
    for _ in range(number):
        choices = EVERYWHERE
        if request.pieces and entropy.random() < 0.6:
            choices = OF_JSON if request.pieces[0][:1] == b"{" and entropy.random() < 0.7 else WITH_BODY
        entropy.choice(choices)(request, entropy)
