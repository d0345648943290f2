"""Requests that are none, byte by byte: what a broken client, a scanner or an attacker puts on the line."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

HIDDEN: Final = b"GET /robots.txt HTTP/1.1\r\nHost: %s\r\n\r\n"
"""What lies in a body, to be taken for a request of its own by whoever reads the framing wrong."""
HIDDEN_SHOWS: Final = b"Sitemap:"
_PATHS: Final = (
    b"/",
    b"/healthz",
    b"/library",
    b"/view/the-last-cloakroom?session_id=cs_test_x",
    b"/nothing",
    b"/static/shop.css",
)
_FORMS: Final = (
    b"/webhook",
    b"/request-login",
    b"/logout",
    b"/buy/the-last-cloakroom",
    b"/mail-events",
    b"/login",
    b"/nothing",
)


@dataclass(slots=True)
class Attempt:
    """What is sent on one connection, in pieces, and what must come of it."""

    kind: str
    pieces: list[bytes]
    pause: float = 0.0
    """Seconds between pieces."""
    hides: bool = False
    """A request lies in its body: that one must not be answered."""
    closes: bool = False
    """Nobody can know where the next request would begin: the server must close."""
    answers: int | None = None
    """How many answers there must be; None if nothing is promised."""
    leaves: str = field(default="")
    """`reset` or `end`: the client goes away without waiting."""


class Malformed:
    """Draws attempts; the same chance draws the same."""

    def __init__(self, host: bytes, entropy: random.Random) -> None:
        self._host = host
        self._chance = entropy
        self._kinds: tuple[Callable[[], Attempt], ...] = (
            self._request_line, self._request_line, self._header_line, self._header_line, self._many_headers, self._hosts,
            self._two_lengths, self._two_lengths, self._odd_length, self._odd_coding, self._odd_coding, self._broken_chunks,
            self._broken_chunks, self._too_large, self._short_body, self._expect, self._pipelined, self._in_small_pieces,
            self._other_protocol, self._upgrade, self._noise,
        )  # fmt: skip

    def draw(self) -> Attempt:
        """One attempt; some of them are cut off, some have a byte changed: then nothing is promised."""
        entropy = self._chance
        attempt = entropy.choice(self._kinds)()
        drawn = entropy.random()
        if drawn < 0.12:
            sent = b"".join(attempt.pieces)
            cut = [sent[: entropy.randint(0, len(sent))]]
            return Attempt(f"{attempt.kind}, cut off", cut, leaves=entropy.choice(("reset", "end")))
        if drawn < 0.25:
            changed = bytearray(b"".join(attempt.pieces))
            for _ in range(entropy.randint(1, 4)):
                changed[entropy.randrange(min(len(changed), 400))] = entropy.randrange(256)
            return Attempt(f"{attempt.kind}, changed", [bytes(changed)])
        return attempt

    # ------------------------------------------------------------------ heads

    def _head(self, first: bytes, *lines: bytes) -> bytes:
        told = [first, b"Host: " + self._host, *lines]
        return b"\r\n".join(told) + b"\r\n\r\n"

    def _get(self, *lines: bytes) -> bytes:
        return self._head(b"GET %s HTTP/1.1" % self._chance.choice(_PATHS), *lines)

    def _post(self, *lines: bytes) -> bytes:
        return self._head(b"POST %s HTTP/1.1" % self._chance.choice(_FORMS), *lines)

    def _hidden(self) -> bytes:
        return HIDDEN % self._host

    def _request_line(self) -> Attempt:
        host = self._host
        first = self._chance.choice((
            b"", b"GET", b"GET /", b"GET / HTTP", b"GET / HTTP/", b"GET / HTTP/1", b"GET / HTTP/1.", b"GET / HTTP/1.2", b"GET / HTTP/2.0",
            b"GET / HTTP/9.9", b"GET / http/1.1", b"GET / HTTP/1.1 ", b"GET  / HTTP/1.1", b"GET\t/\tHTTP/1.1", b" GET / HTTP/1.1",
            b"GET / / HTTP/1.1", b"G\x00T / HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET /\xff\xfe HTTP/1.1", b"GET /\xc3\xa9 HTTP/1.1",
            b"GET /%00 HTTP/1.1", b"GET /% HTTP/1.1", b"GET \\ HTTP/1.1", b"GET / HTTP/1.1\r\r", b"GET / HTTP/1.1\x0b", b"G" * 9000 + b" / HTTP/1.1",
            b"GET /" + b"a" * 9000 + b" HTTP/1.1", b"GET /" + b"%61" * 30_000 + b" HTTP/1.1", b"GET /?" + b"a=b&" * 20_000 + b" HTTP/1.1",
            b"GET http://" + host + b"/ HTTP/1.1", b"GET http://evil.example/ HTTP/1.1", b"GET https://" + host + b"/ HTTP/1.1",
            b"GET ftp://evil.example/x HTTP/1.1", b"GET http:///x HTTP/1.1", b"GET http://a@b@c:99999/ HTTP/1.1", b"GET //evil.example/ HTTP/1.1",
            b"GET * HTTP/1.1", b"OPTIONS * HTTP/1.1", b"CONNECT evil.example:443 HTTP/1.1", b"GET evil.example:443 HTTP/1.1", b"GET ?a HTTP/1.1",
            b"GET #a HTTP/1.1", b"GET /a#b HTTP/1.1", b"TRACE / HTTP/1.1", b"PRI * HTTP/1.1", b"\xff\xfe / HTTP/1.1", b"GET:/ HTTP/1.1",
            b"\r\n\r\n\r\nGET / HTTP/1.1", b"\n\nGET / HTTP/1.1", b"GET /..%2f..%2fetc/passwd HTTP/1.1", b"GET /../../etc/passwd HTTP/1.1",
        ))  # fmt: skip
        return Attempt("request line", [self._head(first)])

    def _header_line(self) -> Attempt:
        line = self._chance.choice((
            b"X", b": a", b"X : a", b"X\t: a", b" X: a", b"X: a\r\n b", b"X: a\r\n\tb", b"X: a\x00b", b"X: a\rb", b"X: a\nY: b", b"X: \xff\xfe",
            b"X\x00: a", b"X\xff: a", b"(X): a", b"X y: a", b"X: " + b"a" * 70_000, b"X: " + b"a" * 600_000, b"X" * 70_000 + b": a", b"X:" + b" " * 9000,
            b"Cookie: " + b"a=b; " * 9000, b"Cookie: session=" + b"0" * 64 + b"; session=\xff", b"Host: evil.example", b"Host:", b"X: \x1b[31m",
            b"Transfer-Encoding: chunked\x00", b"Content-Length:", b"Connection: close, keep-alive, host", b"Connection: \xff", b"Range: bytes=" + b"0-1," * 9000,
            b"Accept-Encoding: " + b"gzip;q=0." * 3000, b"If-None-Match: " + b'"a", ' * 9000, b"Forwarded: for=\"[::1]\"", b"X-Forwarded-For: " + b"a," * 9000,
            b"Sec-Fetch-Site: cross-site", b"Expect: 200-ok", b"TE: trailers, deflate;q=0.5", b"Trailer: Host", b"Keep-Alive: timeout=-1",
        ))  # fmt: skip
        return Attempt("header line", [self._chance.choice((self._get, self._post))(line)])

    def _many_headers(self) -> Attempt:
        number = self._chance.choice((90, 100, 101, 200, 3000))
        line = self._chance.choice((b"X-%d: a", b"Cookie: a%d=b", b"X%d:", b"Content-Type: a/%d"))
        return Attempt("many headers", [self._get(*(line % n for n in range(number)))])

    def _hosts(self) -> Attempt:
        entropy = self._chance
        host = entropy.choice((
            b"", b"evil.example", self._host + b", evil.example", self._host.upper(), self._host + b".", b"evil.example:80", b"[::1", b"[::1]:80", b"a" * 9000,
            b"localhost", b"127.0.0.1", b"\xff", b"a b", self._host + b"/x", b"user@" + self._host, self._host + b":80:80", b"*", b"-", b"%6cocalhost",
        ))  # fmt: skip
        lines = [b"GET / HTTP/1.1", b"Host: " + host]
        if entropy.random() < 0.3:
            lines.insert(entropy.randint(1, 2), b"Host: " + self._host)
        if entropy.random() < 0.1:
            lines = lines[:1]
        return Attempt("host", [b"\r\n".join(lines) + b"\r\n\r\n"])

    # ------------------------------------------------------------------ where a body ends

    def _two_lengths(self) -> Attempt:
        """RFC 9112 §6.3: what says two things about its length is refused, or answered and then closed."""
        entropy, hidden = self._chance, self._hidden()
        length = b"Content-Length: %d"
        lines = entropy.choice((
            (length % 5, length % (5 + len(hidden))), (length % (5 + len(hidden)), length % 5), (length % 0, length % 5), (b"Content-Length: 5, 6",),
            (length % 5, b"Transfer-Encoding: chunked"), (b"Transfer-Encoding: chunked", length % 5), (length % (5 + len(hidden)), b"Transfer-Encoding: chunked"),
            (b"Transfer-Encoding: chunked", length % 0), (b"Transfer-Encoding: chunked", b"content-length: 5", b"Content-Length: 9"),
        ))  # fmt: skip
        return Attempt("two lengths", [self._post(*lines) + b"0\r\n\r\n" + hidden], hides=True, closes=True)

    def _odd_length(self) -> Attempt:
        value = self._chance.choice((
            b"-1", b"+5", b"5 5", b"0x5", b"5.0", b"5e0", b"\xd9\xa5", b"5;", b"five", b"-0", b"99999999999999999999", b"18446744073709551616", b"5\x00",
            b"5\x0b", b"''", b"5,", b",5", b"--5",
        ))  # fmt: skip
        sent = self._post(b"Content-Length: " + value) + b"0\r\n\r\n" + self._hidden()
        return Attempt("odd length", [sent], hides=True, closes=True)

    def _odd_coding(self) -> Attempt:
        line = self._chance.choice((
            b"Transfer-Encoding: xchunked", b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding: gzip",
            b"Transfer-Encoding : chunked", b"Transfer-Encoding\t: chunked", b"Transfer-Encoding: \x0bchunked", b"Transfer-Encoding: chunked\x00",
            b"Transfer-Encoding: ch\r\n unked", b"Transfer-Encoding:\r\n chunked", b"X: a\rTransfer-Encoding: chunked", b"Transfer-Encoding: \"chunked\"",
            b"Transfer-Encoding: chunked;q=1", b"Transfer-Encoding: cow", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow", b"Transfer-Encoding: ",
        ))  # fmt: skip
        lines = (line, b"Content-Length: 5") if self._chance.random() < 0.5 else (line,)
        return Attempt(
            "odd coding", [self._post(*lines) + b"0\r\n\r\n" + self._hidden()], hides=True, closes=True
        )

    def _broken_chunks(self) -> Attempt:
        body = self._chance.choice((
            b"zz\r\n", b"-5\r\nabcde\r\n", b"+5\r\nabcde\r\n", b"0x5\r\nabcde\r\n", b"ffffffffffffffffff\r\nabc\r\n", b"5\r\nabcdefgh\r\n", b"5\r\nabcdeX\r\n",
            b"5\x00\r\nabcde\r\n", b"\r\nabcde\r\n", b"5 5\r\nabcde\r\n", b"5\rabcde\r\n", b"5\r\nabcde\r\n0\r\nX\x00: a\r\n\r\n", b"5\r\nabcde\r\n\r\n",
            b"5\r\nabcde\r\n0\r\nno trailer\r\n\r\n", b"G\r\n", b"5;" + b"a" * 70_000 + b"\r\nabcde\r\n", b"5\r\nabcde\r\n0\r\n" + b"X: a\r\n" * 3000 + b"\r\n",
        ))  # fmt: skip
        # The webhook reads all of its body before it answers.
        head = self._head(b"POST /webhook HTTP/1.1", b"Transfer-Encoding: chunked")
        return Attempt("broken chunks", [head + body, self._hidden()], hides=True, closes=True)

    def _too_large(self) -> Attempt:
        """The answer is complete, whether or not the connection goes on."""
        size = self._chance.choice((17_000, 300_000, 1_000_001, 1_200_000))
        if self._chance.random() < 0.5:
            return Attempt("large body", [self._post(b"Content-Length: %d" % size) + b"x" * size], answers=1)
        chunks = b"%x\r\n%s\r\n" % (4000, b"x" * 4000) * (size // 4000) + b"0\r\n\r\n"
        return Attempt("large body", [self._post(b"Transfer-Encoding: chunked") + chunks], answers=1)

    def _short_body(self) -> Attempt:
        """More was announced than comes."""
        length = self._chance.choice((6, 5000, 2_000_000, 2**40))
        return Attempt(
            "short body",
            [self._post(b"Content-Length: %d" % length) + b"abcde"],
            leaves=self._chance.choice(("end", "reset")),
        )

    def _expect(self) -> Attempt:
        entropy = self._chance
        length = entropy.choice((5, 2_000_000))
        head = self._post(b"Expect: 100-continue", b"Content-Length: %d" % length)
        return Attempt("expect", [head, b"a" * 5] if length == 5 else [head], pause=0.02)

    # ------------------------------------------------------------------ good, but not as usual

    def _pipelined(self) -> Attempt:
        number = self._chance.randint(2, 20)
        body = b"email=a"
        form = self._head(b"POST /nothing HTTP/1.1", b"Content-Length: %d" % len(body)) + body
        sent = b"".join(form if self._chance.random() < 0.3 else self._get() for _ in range(number))
        return Attempt("pipelined", [sent], answers=number)

    def _in_small_pieces(self) -> Attempt:
        sent = self._get()
        size = self._chance.choice((1, 3, 10))
        pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
        return Attempt("small pieces", pieces, pause=self._chance.choice((0.0, 0.001)), answers=1)

    def _other_protocol(self) -> Attempt:
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
        sent = self._chance.choice((
            preface, preface + settings, preface + b"\x00\xff\xff\x01\x05\x00\x00\x00\x01" + b"\xff" * 300, preface + b"GET / HTTP/1.1\r\n\r\n",
            preface + settings + b"\x00\x00\x05\x01\x05\x00\x00\x00\x01\x82\x84\x86\x41\x00", preface + (b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + b"a" * 8) * 200,
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + self._chance.randbytes(500), b"SSH-2.0-OpenSSH_9.6\r\n", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + self._get(),
            b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", b"*1\r\n$4\r\nPING\r\n", b"EHLO example.com\r\n", b"{\"json\": 1}\n", b"<policy-file-request/>\x00",
            b"GET /\r\n\r\n", b"GET /\n", b"\x00" * 4000, b"\r\n" * 4000,
        ))  # fmt: skip
        return Attempt("other protocol", [sent])

    def _upgrade(self) -> Attempt:
        lines = self._chance.choice((
            (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13"),
            (b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABkAAQAAP__"), (b"Upgrade: TLS/1.2", b"Connection: Upgrade"),
            (b"Upgrade: websocket",), (b"Connection: Upgrade",), (b"Upgrade: \xff", b"Connection: \xff"),
        ))  # fmt: skip
        return Attempt("upgrade", [self._get(*lines)], answers=None)

    def _noise(self) -> Attempt:
        entropy = self._chance
        return Attempt("noise", [entropy.randbytes(entropy.choice((1, 20, 300, 20_000)))])
