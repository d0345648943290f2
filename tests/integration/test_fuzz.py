"""The short form of `make fuzz`, the same in every run; and proof that it would notice."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections import Counter
from typing import Any

import pytest

from bench.fuzz.asgi import fuzz_asgi
from bench.fuzz.exchange import Answer, Request, ask
from bench.fuzz.grammar import Grammar
from bench.fuzz.laws import broken_by
from bench.fuzz.malformed import Attempt
from bench.fuzz.openapi import document
from bench.fuzz.pool import Pool
from bench.fuzz.report import Outcome
from bench.fuzz.schema import fuzz_schema
from bench.fuzz.shop import a_fuzz_shop
from bench.fuzz.wire import Heard, fuzz_wire, judge

pytestmark = pytest.mark.fuzz


def hold(outcome: Outcome) -> None:
    told = "\n".join(
        f"{number} x {law}\n    {outcome.examples[law]}" for law, number in outcome.broken.items()
    )
    assert not outcome.broken, told
    assert outcome.is_flat


def test_eight_thousand_mutated_requests_into_the_application() -> None:
    outcome = fuzz_asgi(requests=8_000, seed=1)
    hold(outcome)
    assert sum(outcome.statuses.values()) == 8_000
    assert outcome.statuses[200] > 1_000
    assert outcome.statuses[303] > 300


def test_three_hundred_cases_of_schemathesis() -> None:
    outcome = fuzz_schema(requests=300, seed=1)
    hold(outcome)
    assert outcome.requests >= 300


def test_eight_hundred_malformed_requests_over_the_wire() -> None:
    outcome = fuzz_wire(requests=800, seed=1)
    hold(outcome)
    assert outcome.statuses[400] > 100
    assert outcome.statuses[200] > 100


def test_every_route_and_method_is_drawn_and_in_the_document() -> None:
    async def drawn() -> tuple[set[tuple[str, str]], Counter[tuple[str, int]], Any]:
        async with a_fuzz_shop() as shop:
            pool = Pool(shop, random.Random(1))
            await pool.fill(2)
            grammar = Grammar(pool, shop.routes, random.Random(1))
            wanted = {(route.template, method) for route in shop.routes for method in route.methods}
            found = Counter(
                (request.method, request.target.count(b"/"))
                for request in (grammar.draw() for _ in range(4000))
            )
            return wanted, found, document(shop.routes, {"session": ["a"], "session_id": ["b"]})

    wanted, found, told = asyncio.run(drawn())
    for template, method in wanted:
        assert found[method, template.count("/")] > 0, (method, template)
    documented = {
        (path, method.upper()) for path, operations in told["paths"].items() for method in operations
    }
    assert documented == {(template, method) for template, method in wanted if method != "OPTIONS"}


GOOD = [
    (name, b"x")
    for name in (
        b"content-security-policy", b"x-content-type-options", b"referrer-policy", b"x-frame-options", b"cross-origin-opener-policy",
        b"permissions-policy", b"strict-transport-security", b"cache-control", b"x-request-id",
    )
] + [(b"content-type", b"text/html")]  # fmt: skip


def answered(
    body: bytes = b"hello", *, status: int = 200, headers: list[tuple[bytes, bytes]] | None = None, method: str = "GET",
    length: int | None = None, again: bool = False,
) -> list[str]:  # fmt: skip
    """What the laws say of this answer."""
    sent = [
        *(GOOD if headers is None else headers),
        (b"content-length", b"%d" % (len(body) if length is None else length)),
    ]
    messages: list[Any] = [
        {"type": "http.response.start", "status": status, "headers": sent},
        {"type": "http.response.body", "body": body, "more_body": False},
    ]
    return laws_of(Request(method, b"/"), Answer(messages * 2 if again else messages))


def coded(body: bytes, coding: bytes, *, asked: bytes = b"gzip") -> list[str]:
    """What the laws say of an answer in a coding."""
    headers = [*GOOD, (b"content-encoding", coding), (b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    sent = Request("GET", b"/", [(b"accept-encoding", asked)])
    return laws_of(sent, Answer([start, {"type": "http.response.body", "body": body}]))


def laws_of(request: Request, answer: Answer) -> list[str]:
    return list(
        broken_by(
            request, answer, places=(b"/",), secrets=(b"a-secret",), mine=frozenset({b"me@pool.example"})
        )
    )


def test_the_laws_let_a_good_answer_pass_and_notice_every_bad_one() -> None:
    """The negative control: each of these has been a bug of some shop."""
    assert answered() == []
    assert answered(b"for me@pool.example") == []
    assert answered(b"", method="HEAD", length=5) == []
    assert coded(gzip.compress(b"hello"), b"gzip") == []
    bad = [
        answered(status=500), answered(status=503), answered(headers=GOOD[1:]), answered(length=4), answered(again=True), answered(method="HEAD"),
        answered(b"<p>Traceback (most recent call last)"), answered(b"it is a-secret"), answered(b"<fuzz x="), answered(b"you@pool.example"),
        answered(headers=[*GOOD, (b"location", b"//evil.example")]), answered(headers=[*GOOD, (b"location", b"https://evil.example/")]),
        answered(headers=[*GOOD, (b"x", b"a\r\nset-cookie: b")]), laws_of(Request("GET", b"/"), Answer()),
    ]  # fmt: skip
    assert [number for number, laws in enumerate(bad) if not laws] == []


def test_an_exception_out_of_the_application_is_noticed() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    answer = asyncio.run(ask(app, Request("GET", b"/")))
    assert laws_of(Request("GET", b"/"), answer) == ["an exception came out: ZeroDivisionError: "]


def test_what_must_not_come_over_the_wire_is_noticed() -> None:
    def laws(attempt: Attempt, got: bytes, *, closed: bool = True) -> Counter[str]:
        outcome = Outcome("control")
        judge(attempt, Heard(bytearray(got), closed=closed), outcome)
        return outcome.broken

    ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    assert not laws(Attempt("x", [b""], answers=2), ok + ok)
    assert laws(Attempt("x", [b""], answers=2), ok)
    assert laws(Attempt("x", [b""], answers=1), ok[:-1])
    assert laws(Attempt("x", [b""], closes=True), ok, closed=False)
    assert laws(Attempt("x", [b""], hides=True), ok + b"HTTP/1.1 200 OK\r\n\r\nSitemap: /")
    assert laws(Attempt("x", [b""]), b"HTTP/1.1 502 Bad Gateway\r\n\r\n")


def test_memory_that_grows_without_end_is_noticed() -> None:
    grows, settles = Outcome("x"), Outcome("x")
    for mark in range(40):
        grows.memory.append((mark * 25_000, 100_000_000 + mark * 1_000_000))
        settles.memory.append((mark * 25_000, 100_000_000 + min(mark, 8) * 3_000_000))
    assert not grows.is_flat
    assert settles.is_flat
