"""Mutated requests straight into the application: as fast as it answers, with nothing between."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
import traceback
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from bench.fuzz.exchange import Request, ask
from bench.fuzz.grammar import Grammar
from bench.fuzz.laws import broken_by
from bench.fuzz.mutations import mutate
from bench.fuzz.pool import Persona, Pool
from bench.fuzz.report import Outcome, page_cache, resident, settle_memory, together
from bench.fuzz.shop import (
    BASE_URL,
    HOST,
    MAIL_SECRET,
    SESSION_SECRET,
    STRIPE_KEY,
    WEBHOOK_SECRET,
    FuzzShop,
    a_fuzz_shop,
)
from domain.access import Holding
from domain.records import User

_AT_ONCE: Final = 24
_PERSONAS: Final = 8
_RENEW_EVERY: Final = 4_000
_WORK_EVERY: Final = 1_000
_MARKS: Final = 40
_SECONDS_EACH: Final = 0.06
_RESIGNED: Final = 0.6
_OURS: Final = (
    SESSION_SECRET.encode(),
    STRIPE_KEY.encode(),
    WEBHOOK_SECRET.encode(),
    MAIL_SECRET.encode(),
    b"re_ofthefuzzer",
)


def fuzz_asgi(*, requests: int, seed: int, processes: int = 1, seconds: float = math.inf) -> Outcome:
    """Mutated requests into the application; every process has a shop of its own."""
    what = "ASGI"
    if processes == 1:
        return asyncio.run(_run(what, requests, seed, seconds))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = [
            pool.submit(_alone, what, requests // processes, seed + n, seconds) for n in range(processes)
        ]
        return together(what, [one.result() for one in waiting])


def _alone(what: str, requests: int, seed: int, seconds: float) -> Outcome:
    return asyncio.run(_run(what, requests, seed, seconds))


class _Errors(logging.Handler):
    """What the shop logs as an error: the newest, for the report."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.last = record.getMessage() if error is None else "".join(traceback.format_exception(error)[-3:])


async def _run(what: str, requests: int, seed: int, seconds: float) -> Outcome:
    outcome, errors = Outcome(what), _Errors()
    log = logging.getLogger("coatcheck")
    log.propagate = False
    log.addHandler(errors)
    try:
        async with a_fuzz_shop(seed=seed) as shop:
            pool = Pool(shop, random.Random(seed))
            await pool.fill(_PERSONAS)
            grammar = Grammar(pool, shop.routes, random.Random(seed))
            settle_memory()
            began = time.perf_counter()
            marks_every = max(_AT_ONCE, requests // _MARKS)
            async for at in _rounds(requests, shop, pool):
                if time.perf_counter() - began > seconds:
                    break
                await _round(pool, grammar, min(_AT_ONCE, requests - at), outcome, errors)
                if at % marks_every < _AT_ONCE:
                    outcome.memory.append((at, resident() - page_cache()))
            outcome.seconds = time.perf_counter() - began
            outcome.requests = sum(outcome.statuses.values())
            outcome.memory.append((outcome.requests, resident() - page_cache()))
            await _hold_the_books(pool, outcome)
    finally:
        log.removeHandler(errors)
    return outcome


async def _rounds(requests: int, shop: FuzzShop, pool: Pool) -> AsyncIterator[int]:
    """Where each round begins; between rounds the worker works, and new buyers come."""
    for at in range(0, requests, _AT_ONCE):
        if at // _WORK_EVERY != (at - _AT_ONCE) // _WORK_EVERY:
            await shop.work()
        if at and at // _RENEW_EVERY != (at - _AT_ONCE) // _RENEW_EVERY:
            shop.clock.tick(60)
            await pool.renew()
        shop.clock.tick(_SECONDS_EACH * _AT_ONCE)
        yield at


async def _round(pool: Pool, grammar: Grammar, number: int, outcome: Outcome, errors: _Errors) -> None:
    """Some requests at once, so that they also get in each other's way; then the laws."""
    drawn = [_draw(grammar) for _ in range(number)]
    answers = await asyncio.gather(*(ask(pool.shop.app, request) for request in drawn))
    assert pool.victim is not None
    secrets = (*_OURS, *pool.victim_secrets)
    places = (b"/", BASE_URL.encode() + b"/", pool.shop.payments.page_origin.encode() + b"/")
    for request, answer in zip(drawn, answers, strict=True):
        outcome.statuses[answer.status] += 1
        pool.learn(request, answer)
        mine = pool.proved_by(request)
        for law in broken_by(request, answer, places=places, secrets=secrets, mine=mine):
            outcome.breaks(
                f"{request.method[:10]} {_route(pool, request)}: {law}", f"{request.shown()}\n{errors.last}"
            )
    errors.last = ""


def _draw(grammar: Grammar) -> Request:
    request, entropy = grammar.draw(), grammar.entropy
    mutate(request, entropy)
    if request.target.startswith(b"/webhook") and request.pieces and entropy.random() < _RESIGNED:
        grammar.resign(request)
    return request


def _route(pool: Pool, request: Request) -> str:
    """Which part of the shop it was about, as well as can be told from its first segment."""
    first = request.target[1:].partition(b"?")[0].partition(b"/")[0].decode("latin-1")
    return next((route.template for route in pool.shop.routes if route.parts[:1] == (first,)), "-")


async def _hold_the_books(pool: Pool, outcome: Outcome) -> None:
    """Nothing was sold that nobody paid for, and the victim lost nothing."""
    shop, known = pool.shop, pool.shop.payments.paid | pool.told
    users: set[str] = set()
    owners: set[str] = set()
    sales = 0
    async for record in shop.container.export_records()():
        if isinstance(record, User):
            users.add(record.id)
        elif isinstance(record, Holding):
            purchase = record.purchase
            sales += 1
            owners.add(str(purchase.user))
            unpaid = purchase.provider_ref is not None and purchase.provider_ref not in known
            given = purchase.provider_ref is None and purchase.paid.amount > 0
            if unpaid or given:
                outcome.breaks("a purchase without a paid checkout", str(purchase))
    cache = f"SQLite's page cache, not counted: {page_cache() / 1e6:.0f} MB"
    outcome.notes.append(f"{sales} purchases of {len(users)} buyers in the books; {cache}")
    if users - owners:
        outcome.breaks("a user without a purchase", str(sorted(users - owners)[:5]))
    assert pool.victim is not None
    await _keeps_its_library(shop, pool.victim, outcome)


async def _keeps_its_library(shop: FuzzShop, victim: Persona, outcome: Outcome) -> None:
    request = Request("GET", b"/library", [(b"host", HOST.encode()), (b"cookie", victim.cookie)])
    answer = await ask(shop.app, request)
    missing = [order for order in victim.orders if order.encode() not in answer.body]
    if answer.status != 200 or missing:
        outcome.breaks(
            "the victim's library is not what it was", f"status {answer.status}, missing {missing}"
        )
