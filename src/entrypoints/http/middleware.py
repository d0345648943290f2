"""The checks of every request and headers of every answer: hosts, origins, security headers, one log line."""

from __future__ import annotations

import os
import time
from itertools import count
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from litestar.enums import ScopeType
from litestar.utils import normalize_path

from domain.limits import network_of
from entrypoints.base_url import DEFAULT_PORTS
from entrypoints.http.office import OFFICE, is_office
from entrypoints.http.request_body import ArrivingBodies, RequestBodies
from entrypoints.run.access_line import AccessLine
from entrypoints.run.logs import log
from entrypoints.run.peer_address import ProxyNotice, peer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

    from entrypoints.http.cookies import Cookies, Held
    from entrypoints.http.health import Leaving
    from entrypoints.run.address_watch import AddressWatch

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
WEBHOOK_PATH: Final = "/webhook"
_OFFICE_METHODS: Final = frozenset({"GET", "HEAD", "POST"})
"""Of the back office. An answer to another method would say that a page is there, also where nobody works yet."""
UPLOAD_PATH: Final = "/admin/imports/new"
_LONGEST_UPLOAD: Final = 900.0
"""Seconds for 100 MB at one megabit a second. Only owners of the shop are read from; see the page."""
_FOR_OTHERS: Final = ("/share/", "/logo")
"""Pictures that emails and other sites show, too."""
_ANY_HOST: Final = frozenset({"/healthz", "/readyz", "/metrics"})
# Litestar caches the last thousand paths and queries, whatever their length. The shop's are far shorter than these
# limits, whose sum is the minimum that RFC 9110 §4.1 recommends to support.
_LONGEST_PATH: Final = 1_000
_LONGEST_QUERY: Final = 7_000
# Forms that change nothing but the visitor's own browser.
_OWN_BROWSER: Final = frozenset({"/logout", "/currency", "/language"})
_SHARING: Final = b"cross-origin-resource-policy"
"""Which other sites may show an answer. https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header"""
_CLOSE: Final = (b"connection", b"close")
_SLASHES: Final = "//"


def security_headers(*, https: bool, payment_origin: str, goods_origin: str) -> list[tuple[bytes, bytes]]:
    """The headers of every answer (OWASP ASVS 5.0 chapter 3.4).

    `goods_origin`: from where files are served if not by the shop, else "". `form-action` names the payment page, since
    it also rules the redirect that answers a form (CSP3 §6.3.1).
    """
    shown = f"'self' {goods_origin}".rstrip()
    policy = (
        f"default-src 'none'; style-src 'self'; script-src 'self'; img-src {shown} data:; media-src {shown}; "
        f"font-src 'self'; connect-src 'self'; form-action 'self' {payment_origin}; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    headers = [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (_SHARING, b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
    ]
    if https:
        headers.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))
    return headers


def office_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The same for the back office, whose pages show nothing from elsewhere and lead nowhere else."""
    policy = (
        b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
        b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return [(name, policy if name == b"content-security-policy" else value) for name, value in headers]


class Middleware:
    """The outermost ASGI application. Keeps no state but a counter.

    During shutdown, every answer has `Connection: close`: a client that reuses a connection for its next request
    just as it closes gets a reset and no answer (RFC 9112 §9.6).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        base_url: str,
        host: str,
        admin_url: str,
        headers: list[tuple[bytes, bytes]],
        proxy_notice: ProxyNotice,
        cookies: Cookies,
        refuse: Callable[[int, str], bytes],
        note: Callable[[AccessLine], None],
        leaving: Leaving,
        address: AddressWatch,
        away: Callable[[str], bytes],
        speak: Callable[[HTTPScope, Held], None],
        arrivals: Callable[[], ArrivingBodies] = ArrivingBodies,
    ) -> None:
        self._app = app
        self._origin, self._admin_origin = base_url.encode(), admin_url.encode()
        # RFC 9110 §4.2.3: the port of the scheme may be written out.
        self._hosts = frozenset({host.encode().lower(), _with_port(base_url).encode()})
        self._admin_hosts = frozenset({urlsplit(admin_url).netloc.encode(), _with_port(admin_url).encode()})
        self._headers = headers
        self._admin_headers = office_headers(headers)
        self._open = [pair for pair in headers if pair[0] != _SHARING] + [(_SHARING, b"cross-origin")]
        self._proxies = proxy_notice.proxies
        self._proxy_notice = proxy_notice
        self._cookies = cookies
        self._refuse = refuse
        self._note = note
        self._leaving = leaving
        self._address = address
        self._away = away
        self._speak = speak
        # Each has separate capacity, so that no flood of forms can crowd out Stripe's webhooks.
        self._forms, self._webhooks, self._uploads = arrivals(), arrivals(), arrivals()
        self._uploads.seconds = _LONGEST_UPLOAD
        self._ids = count(1)
        self._prefix = os.urandom(4).hex()
        self._no_store = (b"cache-control", b"no-store")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it; log it once it is answered."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = f"{self._prefix}{next(self._ids):08x}"
        method: str = scope["method"]
        headers = list(scope["headers"])
        _read_as_routed(scope)
        held = self._cookies.read(headers)
        self._speak(scope, held)
        status, started = 500, False
        peer = scope["peer"] = peer_of(scope, self._proxies)  # type: ignore[typeddict-unknown-key]  # ASGI lets servers add keys
        body = (
            None
            if method in SAFE_METHODS
            else RequestBodies(receive, network=network_of(peer), arrivals=self._arrivals(scope))
        )
        is_http2 = scope["http_version"] == "2"  # there a request can end while its connection stays open

        async def answer(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                sent = self._completed(message["headers"], request_id, held, scope)
                if not is_http2 and ((body and await _unread(body, headers)) or self._leaving.told):
                    sent.append(_CLOSE)
                await send({"type": "http.response.start", "status": status, "headers": sent})
            elif method == "HEAD" and message["type"] == "http.response.body":
                if not message.get("more_body"):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            else:
                await send(message)

        scope["request_id"] = request_id  # type: ignore[typeddict-unknown-key]  # ASGI lets servers add keys
        scope["cookies"] = held  # type: ignore[typeddict-unknown-key]  # as above
        try:
            await self._decide(scope, body or receive, answer, headers)
        except Exception as error:
            # Litestar answers exceptions of its handlers; this one was raised before a handler ran.
            log.error("exception", exc_info=error, extra={"fields": {"request_id": request_id}})
            if not started:
                await _answer_plainly(500, self._refuse(500, request_id), answer)
        finally:
            if body:
                body.close()
            route = scope.get("path_template") or "-"
            self._note(
                AccessLine(time.time(), method, str(route), status, time.perf_counter() - began, request_id)
            )

    async def _decide(
        self, scope: HTTPScope, receive: Receive, answer: Send, headers: list[tuple[bytes, bytes]]
    ) -> None:
        if not self._proxy_notice.done:
            self._proxy_notice.look(scope, scope["peer"])  # type: ignore[typeddict-item]  # our own key
        refusal = self._objection(scope["path"], scope["query_string"], scope["method"], headers)
        if refusal is None:
            if self._address.elsewhere is not None and _acts(scope):
                await _answer_plainly(503, self._away(scope["request_id"]), answer)  # type: ignore[typeddict-item]  # our own key
            else:
                await self._app(scope, receive, answer)
        else:
            await _answer_plainly(refusal, self._refuse(refusal, scope["request_id"]), answer)  # type: ignore[typeddict-item]  # our own key

    def _arrivals(self, scope: HTTPScope) -> ArrivingBodies:
        if scope["path"] == UPLOAD_PATH:
            return self._uploads
        return self._webhooks if scope["path"] == WEBHOOK_PATH else self._forms

    def _completed(
        self, headers: Iterable[tuple[bytes, bytes]], request_id: str, held: Held, scope: Scope
    ) -> list[tuple[bytes, bytes]]:
        """An answer's own headers and the common ones; without its own Cache-Control, it may not be stored."""
        path = scope["path"]
        common = self._open if path.startswith(_FOR_OTHERS) else self._headers
        if path.startswith(OFFICE) and is_office(path):
            common = self._admin_headers
        sent = [*headers, *common, (b"x-request-id", request_id.encode())]
        if held.planted:  # for this browser alone: no cache may keep the answer for others
            raw = scope.get("raw_path") or path.encode()
            sent = [header for header in sent if header[0] != b"cache-control"]
            sent += self._cookies.expire(held.planted, raw, sent)
        for name, _ in sent:
            if name == b"cache-control":
                return sent
        sent.append(self._no_store)
        return sent

    def _objection(
        self, path: str, query: bytes, method: str, headers: list[tuple[bytes, bytes]]
    ) -> int | None:
        if len(path) > _LONGEST_PATH or len(query) > _LONGEST_QUERY:
            return 414
        host = site = origin = None
        for name, value in headers:
            if name == b"host":
                if host is not None:  # RFC 9112 §3.2: a reader of the other header would see another shop
                    return 400
                host = value
            elif name == b"sec-fetch-site":
                site = value
            elif name == b"origin":
                origin = value
        if host not in self._hosts or path.startswith(
            OFFICE
        ):  # nearly no request: the look by name is only for these
            refusal = None if path in _ANY_HOST else self._not_here(path, host, method)
            if refusal is not None:
                return refusal
        if method in SAFE_METHODS or path == WEBHOOK_PATH:
            return None
        ours = self._admin_origin if is_office(path) else self._origin
        return None if _is_same_origin(site, origin, ours=ours) else 403

    def _not_here(self, path: str, host: bytes | None, method: str) -> int | None:
        """400 for a host that is not ours; 404 for the back office at the shop's host, and the shop at the office's.

        404 for a method that no page of the back office has, too.
        """
        named, office = b"" if host is None else host.lower(), is_office(path)
        ours, others = (self._admin_hosts, self._hosts) if office else (self._hosts, self._admin_hosts)
        if named in ours:
            return 404 if office and method not in _OFFICE_METHODS else None
        return 404 if named in others else 400


def _is_same_origin(site: bytes | None, origin: bytes | None, *, ours: bytes) -> bool:
    """Go 1.25's rule (net/http CrossOriginProtection): no token to lose, and old clients still work."""
    if site is not None:
        return site in (b"same-origin", b"none")
    return origin in (None, ours)


def _read_as_routed(scope: HTTPScope) -> None:
    """The router takes several slashes for one, so whatever is decided by the path has to do so, too."""
    if _SLASHES in scope["path"]:
        scope["path"] = normalize_path(scope["path"])


def _with_port(base_url: str) -> str:
    """The host of a URL with its port, even if that is the scheme's own."""
    url = urlsplit(base_url)
    return url.netloc if url.port is not None else f"{url.netloc}:{DEFAULT_PORTS[url.scheme]}"


def _acts(scope: HTTPScope) -> bool:
    """Whether a request may sell, book, email or sign in: forms, webhooks and the return from the payment page."""
    if scope["method"] not in SAFE_METHODS:
        return scope["path"] not in _OWN_BROWSER
    return any(name == "session_id" for name, _ in parse_qsl(scope["query_string"].decode("latin-1")))


async def _unread(body: RequestBodies, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether part of a body is left that will not be read."""
    if body.ended:
        return False
    return not await body.drain(asked_first=any(name == b"expect" for name, _ in headers))


async def _answer_plainly(status: int, body: bytes, send: Send) -> None:
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
