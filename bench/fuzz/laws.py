"""What holds for every answer, whatever was asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from bench.fuzz.exchange import Answer, Request

_EVERY_ANSWER: Final = (
    b"content-security-policy",
    b"x-content-type-options",
    b"referrer-policy",
    b"x-frame-options",
    b"cross-origin-opener-policy",
    b"permissions-policy",
    b"cache-control",
    b"x-request-id",
)
_NO_LENGTH: Final = frozenset({204, 304})
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TRACES: Final = (
    b"Traceback (most recent call last)",
    b'  File "/',
    b"site-packages",
    b"sqlite3.",
    b"minijinja",
)
MARK: Final = b"<fuzz"
"""In the middle of much that is sent: if it comes back unescaped in a page, a script could have."""
_ADDRESS: Final = re.compile(rb"[a-z0-9]+@pool\.example")
_LARGEST_STATUS: Final = 499


def broken_by(
    request: Request,
    answer: Answer,
    *,
    places: tuple[bytes, ...],
    secrets: tuple[bytes, ...],
    mine: frozenset[bytes],
    https: bool = True,
) -> Iterator[str]:
    """The laws this answer broke. `places`: how a Location may begin; `secrets`: what nobody may be shown;
    `mine`: the addresses that this request's browser has proved."""  # fmt: skip
    if answer.error is not None:
        yield f"an exception came out: {type(answer.error).__name__}: {answer.error}"
        return
    if not answer.messages and request.leaves:
        return
    yield from _of_the_protocol(request, answer)
    if not 200 <= answer.status <= _LARGEST_STATUS:
        yield f"status {answer.status}"
    names = {name for name, _ in answer.headers}
    for name in _EVERY_ANSWER:
        if name not in names:
            yield f"no {name.decode()}"
    if https and b"strict-transport-security" not in names:
        yield "no strict-transport-security"
    coding = answer.header(b"content-encoding")
    accepted = b",".join(value for name, value in request.headers if name == b"accept-encoding").lower()
    if coding and coding not in accepted and b"*" not in accepted:
        yield f"it is {coding!r}, which was not asked for"
    location = answer.header(b"location")
    if location and (location.startswith(b"//") or not location.startswith(places)):
        yield f"it leads away: {location[:100]!r}"
    yield from _of_the_body(request, answer, secrets=secrets, mine=mine)


def _of_the_protocol(request: Request, answer: Answer) -> Iterator[str]:
    """https://asgi.readthedocs.io/en/latest/specs/www.html: one start, then bodies, the last one says so."""
    kinds = [message["type"] for message in answer.messages]
    if kinds[:1] != ["http.response.start"] or kinds.count("http.response.start") != 1 or len(kinds) < 2:
        yield f"messages {kinds[:4]}"
        return
    more = [bool(message.get("more_body")) for message in answer.messages[1:]]
    if not request.leaves and (more[-1] or not all(more[:-1])):
        yield f"the end is not where it is told: more_body {more[:4]}"
    for name, value in answer.headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            yield f"a header that no server may send: {name!r}: {value[:100]!r}"
    lengths = [value for name, value in answer.headers if name == b"content-length"]
    size = sum(len(message.get("body", b"")) for message in answer.messages[1:])
    if request.method == "HEAD" or answer.status in _NO_LENGTH:
        if size:
            yield f"{size} bytes where there are none"
    elif len(lengths) != 1 or (lengths[0] != b"%d" % size and not request.leaves):
        yield f"content-length {lengths} of {size} bytes"


def _of_the_body(
    request: Request,
    answer: Answer,
    *,
    secrets: tuple[bytes, ...],
    mine: frozenset[bytes],
) -> Iterator[str]:
    try:
        body = answer.content if answer.body else b""
    except Exception as error:
        yield f"nobody can read it: {type(error).__name__}"
        return
    shown = body + b"\n".join(value for _, value in answer.headers)
    for trace in _TRACES:
        if trace in shown:
            yield f"it tells of our inside: {trace!r}"
    for secret in secrets:
        if secret in shown:
            yield f"it shows what is somebody else's, or ours: {secret!r}"
    if MARK in body and answer.header(b"content-type").startswith((b"text/html", b"image/svg")):
        yield "it repeats unescaped what was sent"
    others = set(_ADDRESS.findall(body)) - mine
    if others:
        said = unquote_to_bytes(request.target.lower() + b" " + b"".join(request.pieces).lower())
        for address in others:
            if address not in said:
                yield f"it shows somebody's address: {address!r}"
