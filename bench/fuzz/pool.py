"""Buyers with real sessions, orders, links and events, made by real requests: what is mutated afterwards."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes, urlencode

from bench.fuzz.exchange import Answer, Request, ask
from bench.fuzz.shop import HOST, WEBHOOK_SECRET, FuzzShop
from domain.claim import ProviderCheckout
from domain.values import ProviderRef

PAY_WHAT: Final = ("the-last-cloakroom", "harbour-five-hours", "keyed", "the-lot", "abroad", "sampler")
_TOKEN: Final = re.compile(rb"[A-Za-z0-9_-]{64}")
_PROOFS_KEPT: Final = 2000
_FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")


@dataclass
class Persona:
    """One buyer, and everything that only they should have."""

    address: str
    network: str
    cookies: dict[str, str] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    refs: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    proved: bool = False

    @property
    def cookie(self) -> bytes:
        """The header that carries it all."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items()).encode()

    def secrets(self) -> list[bytes]:
        """What nobody else may ever be shown. (What a page is to confirm is no secret.)"""
        cookies = [value for name, value in self.cookies.items() if not name.endswith("said")]
        return [text.encode() for text in (self.address, *cookies, *self.orders, *self.refs, *self.tokens)]


@dataclass
class Pool:
    """Who is there, and what they left lying about."""

    shop: FuzzShop
    entropy: random.Random
    personas: deque[Persona] = field(default_factory=lambda: deque(maxlen=10))
    victim: Persona | None = None
    victim_secrets: tuple[bytes, ...] = ()
    strays: deque[str] = field(default_factory=lambda: deque(["0" * 64], maxlen=40))
    """Session tokens that requests were given."""
    refs: deque[str] = field(default_factory=lambda: deque(["cs_test_none"], maxlen=60))
    """Checkout sessions that requests began."""
    events: deque[tuple[bytes, bytes]] = field(default_factory=lambda: deque(maxlen=40))
    """Deliveries as they were signed."""
    told: set[str] = field(default_factory=set)
    """Checkout sessions of which something was said under a good signature."""
    _proved: dict[bytes, frozenset[bytes]] = field(default_factory=dict)
    _count: int = 0

    async def fill(self, number: int) -> None:
        """Begin with a victim, who is never named in any request, and some others."""
        self.victim = await self._a_buyer("victim")
        self.victim_secrets = tuple(self.victim.secrets())
        for _ in range(number):
            await self.renew()

    async def renew(self) -> None:
        """One more buyer; the oldest goes."""
        buyer = await self._a_buyer("buyer")
        self.personas.append(buyer)
        for token in (*buyer.tokens, *buyer.cookies.values()):
            self._note(token.encode(), frozenset({buyer.address.encode()}))

    def proved_by(self, request: Request) -> frozenset[bytes]:
        """The addresses that a request may be shown: its cookies proved them, or the link it brings."""
        carried = unquote_to_bytes(request.target) + b"".join(
            value for name, value in request.headers if name == b"cookie"
        )
        found: set[bytes] = set()
        for token in _TOKEN.findall(carried):
            found |= self._proved.get(token, frozenset())
        return frozenset(found)

    def learn(self, request: Request, answer: Answer) -> None:
        """Keep what an answer gave away, for later requests."""
        for name, value in answer.headers:
            if name == b"set-cookie" and value.startswith(b"__Host-session="):
                token = value.partition(b"=")[2].partition(b";")[0]
                if token:
                    self.strays.append(token.decode())
                    self._note(token, self.proved_by(request))
            elif name == b"location" and b"/cs_" in value:
                self.refs.append(value.rpartition(b"/")[2].decode())

    def _note(self, token: bytes, addresses: frozenset[bytes]) -> None:
        self._proved[token] = addresses
        if len(self._proved) > _PROOFS_KEPT:
            used = {text.encode() for text in self.strays}
            used |= {text.encode() for one in self.personas for text in (*one.tokens, *one.cookies.values())}
            self._proved = {token: found for token, found in self._proved.items() if token in used}

    # ------------------------------------------------------------------ how buyers come to be

    async def _a_buyer(self, kind: str) -> Persona:
        self._count += 1
        number = self._count
        # The victim's address is of another domain, so that the law about addresses of the pool does not excuse it.
        domain = "pool.example" if kind == "buyer" else "victim.example"
        buyer = Persona(f"{kind}{number}@{domain}", f"10.9.{number >> 8 & 255}.{number & 255}")
        for pid in (PAY_WHAT[number % len(PAY_WHAT)], "sampler"):
            await self._buys(buyer, pid)
        await self.shop.work()
        access_email = self.shop.mails.last_to(buyer.address)
        assert access_email is not None, "no access email came"
        token = access_email.text.partition("/login/")[2].split()[0]
        buyer.tokens.append(token)
        if number % 2 or kind == "victim":
            await self._does(buyer, "POST", f"/login/{token}", {})
            buyer.proved = True
        await self._does(buyer, "POST", "/request-login", {"email": buyer.address})
        await self.shop.work()
        login = self.shop.mails.last_to(buyer.address)
        assert login is not None
        if "/login/" in login.text:
            buyer.tokens.append(login.text.partition("/login/")[2].split()[0])
        buyer.codes += [line.strip() for line in login.text.splitlines() if line.startswith("    ")]
        return buyer

    async def _buys(self, buyer: Persona, pid: str) -> None:
        self.shop.clock.tick(2)
        answer = await self._does(buyer, "POST", f"/buy/{pid}", {"again": "yes"})
        assert answer.status == 303, (answer.status, answer.body[:2000])
        ref = answer.header(b"location").rpartition(b"/")[2].decode()
        self.shop.payments.pay(ProviderRef(ref), email=buyer.address)
        reading = self.shop.payments.sessions[ProviderRef(ref)]
        body = json.dumps(
            session_event(reading, created=self.second(), name=f"{len(self.told)}_{ref[8:40]}")
        ).encode()
        signature = self.sign(body)
        if buyer.address.endswith("@pool.example"):
            self.events.append((body, signature))
        request = Request(
            "POST", b"/webhook", [(b"host", HOST.encode()), (b"stripe-signature", signature)], [body]
        )
        heard = await ask(self.shop.app, request)
        assert heard.status == 200, heard.body
        assert heard.body == b"booked", heard.body
        back = await self._does(buyer, "GET", f"/view/{pid}?session_id={ref}", None)
        assert back.status == 303, back.body
        buyer.refs.append(ref)
        assert reading.reference is not None
        buyer.orders.append(reading.reference)

    async def _does(self, buyer: Persona, method: str, target: str, form: dict[str, str] | None) -> Answer:
        headers = [(b"host", HOST.encode()), (b"x-forwarded-for", buyer.network.encode())]
        if buyer.cookies:
            headers.append((b"cookie", buyer.cookie))
        if form is not None:
            headers.append(_FORM)
        pieces = [urlencode(form).encode()] if form else []
        answer = await ask(
            self.shop.app, Request(method, quote(target, safe="/?=&_").encode(), headers, pieces)
        )
        assert answer.error is None, (method, target, answer.error)
        assert answer.status < 400, (method, target, answer.status)
        for name, value in answer.headers:
            if name == b"set-cookie":
                key, _, held = value.decode().partition(";")[0].partition("=")
                buyer.cookies[key] = held
                if not held:  # expired
                    del buyer.cookies[key]
        return answer

    # ------------------------------------------------------------------ what Stripe would say

    def second(self) -> int:
        """The shop's time, in Unix seconds."""
        return int(self.shop.clock.now().timestamp())

    def real_second(self) -> int:
        """The machine's time, which Resend's SDK goes by."""
        return int(time.time())

    def sign(self, body: bytes) -> bytes:
        """Stripe's signature of now. https://docs.stripe.com/webhooks#verify-manually"""
        second = self.second()
        mac = hmac.new(WEBHOOK_SECRET.encode(), b"%d." % second + body, hashlib.sha256).hexdigest()
        return f"t={second},v1={mac}".encode()


def session_event(
    reading: ProviderCheckout, *, created: int, name: str, kind: str = "completed"
) -> dict[str, Any]:
    """The event about a checkout session, as Stripe writes it, as far as anybody reads it."""
    status = {"open": "open", "expired": "expired"}.get(reading.status, "complete")
    thing = {
        "id": reading.ref, "object": "checkout.session", "created": created, "livemode": reading.livemode,
        "mode": reading.mode, "status": status, "payment_status": "paid" if reading.status == "paid" else "unpaid",
        "currency": reading.currency, "amount_subtotal": reading.subtotal, "amount_total": reading.total,
        "total_details": {"amount_discount": reading.discount, "amount_tax": reading.tax},
        "customer_details": {"email": reading.email}, "payment_intent": reading.payment,
        "client_reference_id": reading.reference, "url": None, "expires_at": created + 3600,
        "metadata": {
            "pid": reading.product, "shop": reading.shop, "seal": reading.seal, "contents": " ".join(reading.contents),
            "discounts": "yes" if reading.discounts else "no",
        },
    }  # fmt: skip
    return event(f"checkout.session.{kind}", thing, created=created, name=name)


def event(kind: str, thing: dict[str, Any], *, created: int, name: str) -> dict[str, Any]:
    """Any event around its object."""
    return {
        "id": f"evt_{name}", "object": "event", "type": kind, "created": created, "livemode": False,
        "api_version": "2026-10-28.endive", "data": {"object": thing},
    }  # fmt: skip
