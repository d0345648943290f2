"""The shop's cookies: session, checkouts, tag of a verified browser, a link's random value, choices, confirmation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from domain.limits import network_of
from domain.session import ABSOLUTE_LIFETIME, Visitor, label_of
from domain.values import CheckoutId, Digest, digest_of
from entrypoints.http.said import BY_VALUE, Said

if TYPE_CHECKING:
    from litestar import Request

_DEVICE_DAYS: Final = 365
_FORM_SECONDS: Final = 86400
_CURRENCY_DAYS: Final = 365
_LANGUAGE_DAYS: Final = 365
_SAID_SECONDS: Final = 60
_SESSION: Final = "session"
_DEVICE: Final = "device"
_FORM: Final = "form"
_CURRENCY: Final = "currency"
_LANGUAGE: Final = "language"
_SAID: Final = "said"
_NAMES: Final = (_SESSION, _DEVICE, _FORM, _CURRENCY, _LANGUAGE, _SAID)
"""Cookies with other names are never read, except those of checkouts."""
_CHECKOUT: Final = "checkout-"
_CHECKOUT_SECONDS: Final = 90_000
"""A payment page is open for 24 hours; the way back may take a little longer."""
_MOST_CHECKOUTS: Final = 5
_CHECKOUT_ID: Final = re.compile("[0-9a-f]{32}")
_TOKEN: Final = re.compile(rb"[A-Za-z0-9]{64}")
_BLANKS: Final = b" \t"
# Bytes that a lenient parser might remove from the ends of a name: all but letters, digits, hyphen and underscore.
_EDGES: Final = re.sub(rb"[\w-]", b"", bytes(range(256)))
# Characters allowed in a Set-Cookie header as a name or a path (RFC 6265bis §5.6).
_VALUE: Final = re.compile(rb"[\x20-\x3a\x3c-\x7e\x80-\xff]+")
_LONGEST_NAME: Final = 100
_MOST_NAMES: Final = 2
_MOST_SEGMENTS: Final = 4

RawHeaders = Iterable[tuple[bytes, bytes]]


class Held(NamedTuple):
    """The shop's cookies in a request: those sent exactly once, by bare name (`session`).

    `planted` are raw names to expire: shop cookies sent twice, and names that only resemble a shop cookie's.
    """

    values: Mapping[str, bytes]
    planted: tuple[bytes, ...]


_NOTHING: Final = Held({}, ())


def pairs_of(headers: RawHeaders) -> list[tuple[bytes, bytes]]:
    """The names and values of all cookies, byte for byte and in the order of the request.

    Browsers separate cookies by a semicolon and one space, and a name has neither space nor tab at its ends
    (RFC 6265bis §5.6 and §5.8). Nothing else is removed: a byte A0 belongs to the name.
    """
    pairs: list[tuple[bytes, bytes]] = []
    for header, value in headers:
        if header == b"cookie":
            for pair in value.split(b"; "):
                name, equals, text = pair.partition(b"=")
                if equals:
                    pairs.append((name.strip(_BLANKS), text.strip(_BLANKS)))
    return pairs


class Cookies:
    """Reads and writes the shop's cookies. `__Host-` and Secure over https; plain names on http://localhost only.

    RFC 6265bis §4.1.3.2: a `__Host-` cookie cannot be planted by another host or path. So over https a cookie sent
    twice, or a name that resembles it (`\\xa0__Host-session`, `__HOST-session`), was planted by a sibling host: both
    are ignored and expired.
    """

    def __init__(self, *, https: bool, host: str) -> None:
        """`host` is the shop's host, with or without a port."""
        prefix = "__Host-" if https else ""
        self._prefix, self._secure = prefix, "; Secure" if https else ""
        self._domains = _domains(host)
        self._ours = {(prefix + name).encode(): name for name in _NAMES}
        # Plain names are not protected: another program on localhost may set a cookie named "Session".
        self._folded = {wire.lower(): name for wire, name in self._ours.items()} if https else {}
        self._checkouts = (prefix + _CHECKOUT).encode()
        # Matches every Cookie header that may hold a shop cookie; guests mostly send none.
        self._mark = re.compile(f"{prefix}(?:{'|'.join((*_NAMES, _CHECKOUT))})".encode(), re.IGNORECASE)

    def read(self, headers: RawHeaders) -> Held:
        """The shop's cookies among a request's headers. Called once for every request."""
        for header, value in headers:
            if header == b"cookie" and self._mark.search(value):
                return self._sorted(pairs_of(headers))
        return _NOTHING

    def _sorted(self, pairs: list[tuple[bytes, bytes]]) -> Held:
        values: dict[str, bytes] = {}
        came: dict[str, bytes] = {}
        planted: dict[bytes, None] = {}
        for name, value in pairs:
            known = self._bare(name)
            bare = known or self._resembled(name)
            if bare is None:
                continue
            if known and bare not in came:
                values[bare] = value
            else:
                if values.pop(bare, None) is not None:
                    planted[came[bare]] = None
                planted[name] = None
            came.setdefault(bare, name)
        return Held(values, tuple(planted))

    def _bare(self, name: bytes) -> str | None:
        """The name of one of the shop's cookies without its prefix: `session` or `checkout-<id>`."""
        known = self._ours.get(name)
        if known is not None or not name.startswith(self._checkouts):
            return known
        checkout = name[len(self._checkouts) :].decode("latin-1")
        return _CHECKOUT + checkout if _CHECKOUT_ID.fullmatch(checkout) else None

    def _resembled(self, name: bytes) -> str | None:
        if len(name) > _LONGEST_NAME or not self._folded:
            return None
        folded = name.strip(_EDGES).lower()
        if folded.startswith(self._checkouts.lower()):
            return self._bare(self._checkouts + folded[len(self._checkouts) :])
        return self._folded.get(folded)

    def visitor(self, request: Request[Any, Any, Any]) -> Visitor:
        """The visitor described by a request's cookies and headers."""
        held = _held(request)
        token, form, device = held.get(_SESSION, b""), held.get(_FORM, b""), held.get(_DEVICE)
        return Visitor(
            token_hash=digest_of(token) if _TOKEN.fullmatch(token) else None,
            network=network_of(request.scope["peer"]),  # type: ignore[typeddict-item]  # the middleware put it there
            label=label_of(_agent_of(request)[:400]),
            device=None if device is None else device.decode("latin-1"),
            form=digest_of(form) if form and _TOKEN.fullmatch(form) else None,
            checkouts=_proofs(held),
        )

    def has_session(self, request: Request[Any, Any, Any]) -> bool:
        """Whether a session cookie was sent exactly once."""
        return _SESSION in _held(request)

    def is_guest(self, request: Request[Any, Any, Any]) -> bool:
        """Whether there is neither a session nor anything to confirm: all such visitors see the same page."""
        held = _held(request)
        return not held or (_SESSION not in held and self.said(request) is None)

    def said(self, request: Request[Any, Any, Any]) -> Said | None:
        """What the page is to confirm; None if that is nothing, or a value that the shop never sets."""
        return BY_VALUE.get(_held(request).get(_SAID, b""))

    def say(self, said: Said) -> tuple[str, str]:
        """The header that has the next page confirm an action."""
        return self._set(_SAID, said.value, _SAID_SECONDS)

    def no_said(self) -> tuple[str, str]:
        """The header that expires the confirmation once a page has shown it."""
        return self._set(_SAID, "", 0)

    def currency(self, request: Request[Any, Any, Any]) -> str:
        """The currency chosen in this browser, unvalidated; "" if none was chosen."""
        return _held(request).get(_CURRENCY, b"").decode("latin-1")

    def in_currency(self, currency: str) -> tuple[str, str]:
        """The header that stores the chosen currency. It is neither secret nor personal."""
        return self._set(_CURRENCY, currency, _CURRENCY_DAYS * 86400)

    def language(self, request: Request[Any, Any, Any]) -> str:
        """The language chosen in this browser, unvalidated; "" if none was chosen."""
        return _held(request).get(_LANGUAGE, b"").decode("latin-1")

    def in_language(self, code: str) -> tuple[str, str]:
        """The header that stores the chosen language. It is neither secret nor personal."""
        return self._set(_LANGUAGE, code, _LANGUAGE_DAYS * 86400)

    def expire(self, planted: Iterable[bytes], path: bytes, answer: RawHeaders) -> list[tuple[bytes, bytes]]:
        """The headers that expire planted cookies, whatever set them, except those that `answer` sets itself.

        A cookie can be expired only with the Domain and Path it was set with, which browsers do not send. It was
        sent to the shop, so its Domain is the shop's host or a parent, and its Path a prefix of the request's.
        """
        fresh = {value.partition(b"=")[0] for header, value in answer if header == b"set-cookie"}
        names = [name for name in planted if _VALUE.fullmatch(name)]
        end = f"; Max-Age=0; HttpOnly; SameSite=Lax{self._secure}".encode()
        return [
            (b"set-cookie", name + b"=; Path=" + at + domain + end)
            for name in names[:_MOST_NAMES]
            for at in _prefixes(path)
            for domain in (b"", *self._domains)
            if domain or at != b"/" or name not in fresh
        ]

    def session(self, token: str) -> tuple[str, str]:
        """The header that sets the session cookie."""
        return self._set(_SESSION, token, int(ABSOLUTE_LIFETIME.total_seconds()))

    def device(self, tag: str) -> tuple[str, str]:
        """The header that marks a browser as verified for a mailbox."""
        return self._set(_DEVICE, tag, _DEVICE_DAYS * 86400)

    def form(self, token: str) -> tuple[str, str]:
        """The header that gives a link's page its random value. It is not stored and grants no access."""
        return self._set(_FORM, token, _FORM_SECONDS)

    def checkout(
        self, request: Request[Any, Any, Any], checkout: CheckoutId, proof: str
    ) -> list[tuple[str, str]]:
        """The headers that set the cookie of a checkout, and expire the oldest ones if there are many."""
        others = [name for name in _checkouts_in(_held(request)) if name != _CHECKOUT + checkout]
        return [
            self._set(_CHECKOUT + checkout, proof, _CHECKOUT_SECONDS),
            *(self._set(name, "", 0) for name in others[_MOST_CHECKOUTS - 1 :]),
        ]

    def no_checkouts(self, request: Request[Any, Any, Any]) -> list[tuple[str, str]]:
        """The headers that expire the cookies of all checkouts in a request."""
        return [self._set(name, "", 0) for name in _checkouts_in(_held(request))]

    def no_session(self) -> tuple[str, str]:
        """The header that expires the session cookie."""
        return self._set(_SESSION, "", 0)

    def no_form(self) -> tuple[str, str]:
        """The header that expires the cookie of a link's page."""
        return self._set(_FORM, "", 0)

    def no_device(self) -> tuple[str, str]:
        """The header that expires the tag."""
        return self._set(_DEVICE, "", 0)

    def _set(self, name: str, value: str, seconds: int) -> tuple[str, str]:
        attributes = f"Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{self._secure}"
        return "set-cookie", f"{self._prefix}{name}={value}; {attributes}"


def _held(request: Request[Any, Any, Any]) -> Mapping[str, bytes]:
    held: Held = request.scope["cookies"]  # type: ignore[typeddict-item]  # the middleware put it there
    return held.values


def _checkouts_in(held: Mapping[str, bytes]) -> list[str]:
    """The names of the cookies of checkouts, newest first: the ids sort by time."""
    return sorted([name for name in held if name.startswith(_CHECKOUT)], reverse=True)


def _proofs(held: Mapping[str, bytes]) -> tuple[tuple[CheckoutId, Digest], ...]:
    names = _checkouts_in(held)
    if not names:
        return ()
    return tuple(
        (CheckoutId(name[len(_CHECKOUT) :]), digest_of(held[name]))
        for name in names[:_MOST_CHECKOUTS]
        if _TOKEN.fullmatch(held[name])
    )


def _domains(host: str) -> list[bytes]:
    """`; Domain=` for a host and its parents, except for the last label alone, for which browsers accept no cookie."""
    name = host.rpartition(":")[0] or host
    labels = name.encode().split(b".")
    if labels[-1].isdigit():  # an IPv4 address has no parents
        return []
    return [b"; Domain=" + b".".join(labels[start:]) for start in range(len(labels) - 1)]


def _prefixes(path: bytes) -> list[bytes]:
    """The paths of cookies that a browser sends with this request: `/`, `/view`, `/view/`, `/view/p1`."""
    path = path.partition(b"?")[0]
    found = {b"/": None}
    for slash in list(re.finditer(b"/", path))[1:_MOST_SEGMENTS]:
        found |= {path[: slash.start()]: None, path[: slash.end()]: None}
    found[path] = None
    return [prefix for prefix in found if prefix.startswith(b"/") and _VALUE.fullmatch(prefix)]


def _agent_of(request: Request[Any, Any, Any]) -> str:
    """Its User-Agent, from the raw headers: reading all of them into a mapping costs as much as the rest of a visit."""
    for name, value in request.scope["headers"]:
        if name == b"user-agent":
            return value.decode("latin-1")
    return ""
