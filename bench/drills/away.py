"""Stripe and the mail service have a bad day, both at once, in every way."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx

from bench.drills.field import Field, Probe
from bench.drills.scale import Scale
from testkit.storm import Sale

FAULTS: Final = ("500", "429", "hang", "reset", "truncated")
_CHECKOUTS: Final = 12
"""Shoppers who are on Stripe's page when a fault begins, and pay while it lasts."""
_AT_ONCE: Final = 4


async def take_the_providers_away(field: Field, scale: Scale) -> None:
    """Who pays is booked all the while, by webhook; who wants to buy is told to come back; all else works as ever."""
    await field.owner()
    field.storm.patience, field.storm.between_repeats = 1.0, 0.3  # it lasts for minutes
    async with field.selling(at_once=_AT_ONCE):
        for fault in FAULTS:
            await asyncio.sleep(1)
            waiting = [await _a_checkout(field) for _ in range(_CHECKOUTS)]
            async with Probe(field, pause=0.05) as probe:
                field.shop.sandbox.behave(stripe=fault, mail=fault)
                until = asyncio.get_running_loop().time() + scale.seconds
                for sale, _ in waiting:
                    await field.storm.pay(sale)
                    await field.storm.webhook(sale)
                await asyncio.sleep(max(0.0, until - asyncio.get_running_loop().time()))
                field.shop.sandbox.behave(stripe="", mail="")
            probe.hold(f"during '{fault}'")
            await asyncio.gather(*(field.storm.learn(sale, cookies) for sale, cookies in waiting))
            field.rounds += 1
    if not field.storm.answers[503]:
        field.broken.append("nobody who wanted to buy met the fault: the drill proves too little")


async def _a_checkout(field: Field) -> tuple[Sale, httpx.Cookies]:
    sale = field.a_sale()
    return sale, await field.storm.buy(sale)
