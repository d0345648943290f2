"""Requests that make sense: of every route and method the application has, with what the pool knows filled in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

from bench.fuzz.exchange import Header, Request
from bench.fuzz.pool import Pool, event, session_event
from bench.fuzz.shop import BASE_URL, FILES, HOST, MAIL_SECRET, Route
from domain.values import ProviderRef
from entrypoints.http import page

JUNK: Final = (
    "", "0", "-1", "a", "A" * 70, "x" * 300, "..", "../../etc/passwd", "%00", "\x00", "é", "ﬀ", "\u202e", "\ud7ff", "𝒳" * 40,
    "null", "true", "[]", "{}", "<fuzz x='\"`>", "'\"><fuzz", "{{7*7}}<fuzz", "' OR 1=1 --", "\r\nset-cookie: a=b", " ", "\t",
    "1e309", "NaN", "9" * 40, "0x1f", "１２", "admin", "all", "yes", "no", "cs_test_" + "a" * 200, "cs_live_a", "javascript:alert(1)",
    "//evil.example", "https://evil.example/", "a@b", "a@b.c" * 90, "fuzz@" + "a" * 260 + ".example", "\u0130@ex.com", "a b@ex.com",
)  # fmt: skip
_AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "curl/8.7", "", "<fuzz>", "Ä" * 400,
    "Mozilla/5.0 (iPhone) AppleWebKit Safari",
)  # fmt: skip
_AMOUNTS: Final = ("5.00", "0", "12", "0.5", "99999999", "1e3", "5,00", "-5", "100000000000", "5.005")
_ANSWERS: Final = ("yes", "no", "")
_CURRENCIES: Final = ("usd", "eur", "jpy", "gbp", "", "USD")
_TYPES: Final = (
    "checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed",
    "checkout.session.expired", "refund.created", "refund.updated", "refund.failed", "charge.refund.updated",
    "charge.refunded", "charge.dispute.created", "charge.dispute.closed", "charge.dispute.updated", "payment_intent.created",
    "customer.created", "",
)  # fmt: skip
_STATUSES: Final = (
    "pending", "requires_action", "succeeded", "canceled", "failed", "warning_needs_response", "needs_response",
    "under_review", "warning_closed", "prevented", "won", "lost", "new in 2030", "",
)  # fmt: skip
_MAIL_TYPES: Final = (
    "email.sent",
    "email.delivered",
    "email.bounced",
    "email.complained",
    "email.opened",
    "",
)


def _fields_of_the_forms() -> tuple[str, ...]:
    """Every name that a form of ours has, from the templates themselves."""
    folder = Path(page.__file__).parent / "templates"
    names = {
        name
        for page in folder.glob("*.html")
        for name in re.findall(r'<(?:input|button|select|textarea)[^>]*\bname="(\w+)"', page.read_text())
    }
    return tuple(sorted(names | {"email", "code", "renew", "end"}))


FIELDS: Final = _fields_of_the_forms()


def _share(route: Route, method: str, often: Mapping[str, int]) -> int:
    """How often a place is drawn. The many of the back office, all closed to a stranger, together get a few percent."""
    if method == "OPTIONS" or route.template.startswith("/admin"):
        return 1
    return 4 * often.get(route.template, 1)


class Grammar:
    """Draws requests; the same chance and the same pool give the same request."""

    def __init__(self, pool: Pool, routes: Sequence[Route], entropy: random.Random) -> None:
        self._pool = pool
        self.entropy = entropy
        self._places = [(route, method) for route in routes for method in route.methods]
        # What takes the most apart gets more than its share.
        often = {
            "/webhook": 12,
            "/view/{pid}": 6,
            "/login/{token}": 4,
            "/buy/{pid}": 3,
            "/files/{pid}/{name}": 6,
        }
        self._weights = [_share(route, method, often) for route, method in self._places]
        self._events = 0

    def draw(self) -> Request:
        """One request that a browser, a program or Stripe might send."""
        entropy = self.entropy
        [(route, method)] = entropy.choices(self._places, self._weights)
        target = "/" + "/".join(self._part(part) for part in route.parts)
        if route.template.startswith("/view/") and entropy.random() < 0.6:
            target += f"?session_id={quote(self._ref())}"
        elif entropy.random() < 0.1:
            target += f"?{entropy.choice(('utm_source', 'session_id', 'a'))}={quote(self.junk(), safe='')}"
        headers = self._headers(method)
        request = Request(method, target.encode("utf-8", "surrogatepass"), headers)
        if route.template == "/webhook":
            self._tell(request)
        elif route.template == "/mail-events":
            self._report(request)
        elif method == "POST":
            self._fill_in(request)
        elif route.template.startswith("/files/"):
            self._range(headers)
        return request

    def junk(self) -> str:
        """Something nobody expects."""
        return self.entropy.choice(JUNK)

    def _part(self, part: str) -> str:
        if not part.startswith("{"):
            return part
        return quote(self._value(part[1:-1]), safe="")

    def _value(self, name: str) -> str:
        entropy, pool = self.entropy, self._pool
        if entropy.random() < 0.12:
            return self.junk()
        persona = entropy.choice(pool.personas)
        known: dict[str, Sequence[str]] = {
            "pid": list(pool.shop.container.catalogue().current().products),
            "token": persona.tokens,
            "order": persona.orders,
            "name": ("shop.css", "cover.svg", "favicon.svg", *FILES),
            "slug": ("privacy", "terms", "refunds"),
            "email": (persona.address, f"fuzz{entropy.randrange(50)}@fuzz.example"),
            "code": persona.codes or ["XXXX-XXXX"],
            "currency": _CURRENCIES,
            "amount": _AMOUNTS,
            "end": ("all", persona.orders[0]),
        }
        known["back"] = known["pid"]
        return entropy.choice(known.get(name, _ANSWERS))

    def _ref(self) -> str:
        entropy, pool = self.entropy, self._pool
        ref = entropy.choice((*entropy.choice(pool.personas).refs, *pool.refs))
        if entropy.random() < 0.2 and ProviderRef(ref) in pool.shop.payments.sessions:
            pool.shop.payments.pay(ProviderRef(ref), email=f"fuzz{entropy.randrange(50)}@fuzz.example")
        return self.junk() if entropy.random() < 0.1 else ref

    def _headers(self, method: str) -> list[Header]:
        entropy = self.entropy
        headers = [(b"host", HOST.encode())]
        if entropy.random() < 0.75:
            headers.append((b"cookie", self._cookies()))
        network = f"10.{entropy.randrange(8)}.{entropy.randrange(256)}.{entropy.randrange(256)}"
        hops = (
            [network]
            if entropy.random() < 0.8
            else [self.junk(), f"2001:db8::{entropy.randrange(9999):x}", network]
        )
        entropy.shuffle(hops)
        headers.append((b"x-forwarded-for", ", ".join(hops).encode("utf-8", "replace")))
        headers.append((b"user-agent", entropy.choice(_AGENTS).encode()))
        if entropy.random() < 0.3:
            headers.append(
                (
                    b"accept-encoding",
                    entropy.choice((b"gzip", b"br;q=1, zstd", b"*", b"identity;q=0", b"gzip;q=x,,")),
                )
            )
        if method not in ("GET", "HEAD") and entropy.random() < 0.5:
            headers.append((b"origin", entropy.choice((BASE_URL.encode(),) * 9 + (b"null",))))
        if entropy.random() < 0.4:
            headers.append(
                (
                    b"sec-fetch-site",
                    entropy.choice((b"same-origin",) * 6 + (b"none", b"cross-site", b"same-site")),
                )
            )
        if entropy.random() < 0.1:
            name = entropy.choice(
                (b"if-none-match", b"if-modified-since", b"if-match", b"range", b"accept", b"expect")
            )
            headers.append(
                (
                    name,
                    entropy.choice((b"*", b'"a"', b'W/"a"', b"bytes=0-", b"Thu, 01 Jan 1970 00:00:00 GMT")),
                )
            )
        return [(name, _sendable(value)) for name, value in headers]

    def _cookies(self) -> bytes:
        entropy, pool = self.entropy, self._pool
        drawn = entropy.random()
        if drawn < 0.65:
            cookie = entropy.choice(pool.personas).cookie
        elif drawn < 0.9:
            cookie = f"__Host-session={entropy.choice(pool.strays)}".encode()
        else:
            cookie = f"__Host-session={self.junk()}; __Host-device={self.junk()}".encode("utf-8", "replace")
        if entropy.random() < 0.3:
            cookie += b"; currency=" + entropy.choice(_CURRENCIES).encode()
        return cookie

    def _range(self, headers: list[Header]) -> None:
        entropy = self.entropy
        if entropy.random() < 0.7:
            first, last = entropy.randrange(12_000), entropy.randrange(12_000)
            spans = (
                f"{first}-{last}",
                f"{first}-",
                f"-{last}",
                "0-0",
                "0-,1-2",
                ",".join(f"{n}-{n}" for n in range(900)),
                "-",
            )
            headers.append((b"range", f"bytes={entropy.choice(spans)}".encode()))
        etag = f'"{hashlib.sha256(FILES["data.bin"]).hexdigest()}"'.encode()
        tags = (etag, b"W/" + etag, b'"other"', b"*", etag + b", " + etag)
        names = (b"if-range", b"if-none-match", b"if-match")
        headers += [(name, entropy.choice(tags)) for name in names if entropy.random() < 0.2]

    def _fill_in(self, request: Request) -> None:
        """A form: mostly of the field that the route wants, in any case of fields that some form has."""
        entropy = self.entropy
        names = entropy.sample(FIELDS, entropy.randint(0, min(4, len(FIELDS))))
        if entropy.random() < 0.7:
            names += (
                ["email"]
                if b"login" in request.target or b"address" in request.target or b"email" in request.target
                else []
            )
            names += ["code"] if request.target == b"/login" else []
        pairs = [f"{name}={quote_plus(self._value(name), errors='replace')}" for name in names]
        request.headers.append((b"content-type", b"application/x-www-form-urlencoded"))
        request.pieces = ["&".join(pairs).encode()]

    # ------------------------------------------------------------------ what signs itself

    def _tell(self, request: Request) -> None:
        """An event: one that was told before, one of what is so, or one of what is not; signed, mostly."""
        entropy, pool = self.entropy, self._pool
        if entropy.random() < 0.2:
            body, signature = entropy.choice(pool.events)
        else:
            body = json.dumps(self._event(), ensure_ascii=entropy.random() < 0.5).encode("utf-8", "replace")
            signature = pool.sign(body) if entropy.random() < 0.85 else b"t=1,v1=00"
        request.headers += [(b"stripe-signature", signature), (b"content-type", b"application/json")]
        request.pieces = [body]

    def _event(self) -> dict[str, object]:
        entropy, pool, payments = self.entropy, self._pool, self._pool.shop.payments
        self._events += 1
        kind, created = entropy.choice(_TYPES), pool.second() - entropy.choice((0, 0, 5, 4000))
        name = f"fuzz{self._events}"
        reading = payments.sessions.get(ProviderRef(self._ref()))
        if reading is not None and (kind.startswith("checkout") or entropy.random() < 0.5):
            pool.told.add(reading.ref)
            return session_event(
                reading, created=created, name=name, kind=kind.rpartition(".")[2] or "completed"
            )
        payment = None if reading is None else reading.payment
        thing = {
            "id": f"re_fuzz{self._events}", "amount": entropy.choice((0, 1, 900, 2000, 10**9)), "status": entropy.choice(_STATUSES),
            "payment_intent": entropy.choice((payment, payment, "pi_foreign", None)),
        }  # fmt: skip
        return event(kind, thing, created=created, name=name)

    def resign(self, request: Request) -> None:
        """Stripe signs what it sends, even if it makes no sense: sign the body as it is now."""
        body = b"".join(request.pieces)
        self._pool.told.update(ref.decode() for ref in re.findall(rb"cs_(?:test|live)_[A-Za-z0-9]+", body))
        kept = [(name, value) for name, value in request.headers if name != b"stripe-signature"]
        request.headers = [*kept, (b"stripe-signature", self._pool.sign(body))]

    def _report(self, request: Request) -> None:
        """A report of the email provider, signed as Svix does: https://docs.svix.com/receiving/verifying-payloads/how-manual"""
        entropy, pool = self.entropy, self._pool
        order = entropy.choice(entropy.choice(pool.personas).orders)
        shop = pool.shop.container.catalogue().current().shop.id
        tag = base64.urlsafe_b64encode(f"{shop}/access:{order}".encode()).decode().rstrip("=")
        data = {
            "tags": {"coatcheck": entropy.choice((tag, tag, self.junk()))},
            "to": ["somebody@fuzz.example"],
        }
        body = json.dumps({"type": entropy.choice(_MAIL_TYPES), "data": data}).encode()
        # Resend's SDK reads the machine's own clock.
        second = str(pool.real_second())
        key = base64.b64decode(MAIL_SECRET.removeprefix("whsec_"))
        mac = base64.b64encode(hmac.digest(key, f"msg_1.{second}.".encode() + body, "sha256"))
        request.headers += [
            (b"svix-id", b"msg_1"),
            (b"svix-timestamp", second.encode()),
            (b"svix-signature", b"v1," + mac),
        ]
        request.pieces = [body]


def _sendable(value: bytes) -> bytes:
    """As a server hands it over: no line breaks, no NUL, no blanks around it."""
    return value.translate(None, b"\r\n\0\x01\x7f\x1b").strip(b" \t")
