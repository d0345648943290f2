"""Cases that schemathesis draws from the document of our routes, over real HTTP, against a real `coatcheck serve`."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.errors import InvalidArgument, Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from bench.fuzz.exchange import Answer, Request
from bench.fuzz.laws import broken_by
from bench.fuzz.openapi import document
from bench.fuzz.report import Outcome, resident
from bench.fuzz.shop import a_fuzz_shop
from testkit.servers import (
    BOOK,
    PAPERWORK,
    PHOTOS,
    SESSION_SECRET,
    WEBHOOK_SECRET,
    Shopper,
    ShopServer,
    a_shop,
)

_CHECKS: Final = [not_a_server_error, status_code_conformance, content_type_conformance]
_IN_A_ROW: Final = 100
"""Cases of one operation before it is the next one's turn."""
_MARKS: Final = 20
_VICTIM: Final = "victim@victim.example"


@dataclass(slots=True)
class _Bench:
    """What the cases are sent with."""

    shop: ShopServer
    outcome: Outcome
    session: requests.Session
    secrets: tuple[bytes, ...]
    numbers: Iterator[int]

    def send(self, case: Any) -> None:
        """One case: sent as it was drawn, and judged."""
        number = next(self.numbers)
        headers = {"x-forwarded-for": f"10.{number & 255}.{number >> 8 & 255}.8"}
        if case.path == "/webhook" and number % 4:
            self._sign(case, headers)
        # Every case stands alone, with no cookies of another.
        self.session.cookies.clear()
        try:
            answer = case.call(
                self.shop.url, session=self.session, headers=headers, allow_redirects=False, timeout=30
            )
        except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError):
            return  # the client itself will not send it
        except requests.RequestException as error:
            self.outcome.breaks(f"{case.method} {case.path}: no answer", f"{type(error).__name__}: {error}")
            return
        self.outcome.requests += 1
        self.outcome.statuses[answer.status_code] += 1
        shown = case.as_curl_command()[:1500]
        for law in self._laws(case, answer):
            self.outcome.breaks(f"{case.method} {case.path}: {law}", shown)

    def _sign(self, case: Any, headers: dict[str, str]) -> None:
        """Stripe's signature of what will be sent. https://docs.stripe.com/webhooks#verify-manually"""
        told = case.as_transport_kwargs(base_url=self.shop.url)
        body = (
            requests.Request("POST", self.shop.url, json=told.get("json"), data=told.get("data"))
            .prepare()
            .body
        )
        raw = body if isinstance(body, bytes) else str(body or "").encode()
        second = int(time.time())
        mac = hmac.new(WEBHOOK_SECRET.encode(), b"%d." % second + raw, hashlib.sha256).hexdigest()
        headers["stripe-signature"] = f"t={second},v1={mac}"

    def _laws(self, case: Any, answer: Any) -> Iterator[str]:
        try:
            case.validate_response(answer, checks=_CHECKS)
        except schemathesis.errors.SchemathesisError as error:
            yield f"schemathesis: {error}"
        except BaseExceptionGroup as group:
            for one in group.exceptions:
                yield f"schemathesis: {type(one).__name__} {answer.status_code} {answer.headers.get('content-type')}"
        heard = [
            (name.encode(), value.encode("latin-1"))
            for name, values in answer.headers.items()
            for value in values
        ]
        # The client has taken the coding off already, so the length is of what it does not show any more.
        if "content-encoding" in answer.headers:
            changed = {b"content-encoding", b"content-length"}
            heard = [(name, value) for name, value in heard if name not in changed]
            heard.append((b"content-length", b"%d" % len(answer.content)))
        start = {"type": "http.response.start", "status": answer.status_code, "headers": heard}
        told = Answer([start, {"type": "http.response.body", "body": answer.content}])
        sent = Request(case.method, (answer.request.url or "").encode())
        places = (b"/", self.shop.url.encode() + b"/", self.shop.sandbox.url.encode() + b"/")
        yield from broken_by(sent, told, places=places, secrets=self.secrets, mine=frozenset(), https=False)


def fuzz_schema(*, requests: int, seed: int, seconds: float = math.inf) -> Outcome:
    """Cases of schemathesis, valid and not, of every operation in turn."""
    outcome = Outcome("schemathesis")
    with tempfile.TemporaryDirectory() as folder, a_shop(Path(folder)) as shop:
        _run(shop, requests, seed, outcome, seconds)
        for line in shop.log_lines:
            if line["level"] == "error":
                outcome.breaks("the log has an error", str(line)[:3000])
    return outcome


def _run(shop: ShopServer, number: int, seed: int, outcome: Outcome, seconds: float) -> None:
    schema = schemathesis.openapi.from_dict(document(asyncio.run(_routes()), _known(shop)))
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    victim = Shopper(shop)
    secrets = (
        _VICTIM,
        victim.buy_and_pay(_VICTIM),
        victim.http.cookies["session"],
        SESSION_SECRET,
        WEBHOOK_SECRET,
    )
    assert shop.process.child is not None
    pid, began = shop.process.child.pid, time.perf_counter()
    with requests.Session() as session:
        session.trust_env = False
        bench = _Bench(shop, outcome, session, tuple(text.encode() for text in secrets), itertools.count())
        rounds = itertools.count()
        while outcome.requests < number and time.perf_counter() - began < seconds:
            turn = next(rounds)
            for operation, mode in itertools.product(operations, GenerationMode):
                most = min(_IN_A_ROW, number - outcome.requests, max(1, number // (2 * len(operations))))
                if most <= 0 or time.perf_counter() - began > seconds:
                    break
                _draw(operation, mode, bench, most=most, seed=seed * 1_000 + turn)
            _mark(outcome, number, pid)
    outcome.seconds = time.perf_counter() - began


def _mark(outcome: Outcome, number: int, pid: int) -> None:
    last = outcome.memory[-1][0] if outcome.memory else -number
    if outcome.requests - last >= number // _MARKS or outcome.requests >= number:
        outcome.memory.append((outcome.requests, resident(pid)))


def _draw(operation: Any, mode: GenerationMode, bench: _Bench, *, most: int, seed: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=most, database=None, deadline=None, phases=[Phase.generate], verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def every(case: Any) -> None:
        bench.send(case)

    try:
        every()
    except (Unsatisfiable, InvalidArgument):
        return  # what takes no values can have no wrong ones


async def _routes() -> Any:
    async with a_fuzz_shop() as shop:
        return shop.routes


def _known(shop: ShopServer) -> dict[str, list[str]]:
    """Values that exist: buyers with sessions, one of them signed in, their links and orders."""
    sessions, refs, tokens = [], [], []
    for number in range(3):
        shopper, address = Shopper(shop), f"buyer{number}@fuzz.example"
        refs.append(shopper.buy_and_pay(address, (BOOK, PHOTOS, PAPERWORK)[number]))
        link = shopper.link_from(address)
        tokens.append(link.removeprefix("/login/"))
        if number == 0:
            assert shopper.post(link).status_code == 303
        sessions.append(shopper.http.cookies["session"])
    orders = [purchase["id"] for purchase in shop.export()["purchase"]]
    return {
        "pid": [BOOK, PHOTOS, PAPERWORK], "back": [BOOK, PHOTOS], "token": tokens, "order": orders, "session": sessions,
        "session_id": refs, "name": ["cover.svg", "shop.css", "the-last-cloakroom.epub", "price-list.csv"],
        "slug": ["privacy", "terms"], "email": ["buyer0@fuzz.example", "other@fuzz.example"], "currency": ["usd", "eur"],
        "amount": ["5.00", "0"], "end": ["all"], "code": ["AAAA-AAAA"],
    }  # fmt: skip
