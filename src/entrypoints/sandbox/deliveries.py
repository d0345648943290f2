"""Signed webhooks, sent as Stripe sends them: at least once, with retries, in no promised order."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from typing import Final

import httpx

from entrypoints.sandbox.world import Attempt, Json, Manners, World

# Stripe retries for three days; a stand-in on this machine need not let anybody wait.
_RETRY_AFTER: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_TIMEOUT: Final = 10.0
_OK: Final = range(200, 300)
_MOST_ATTEMPTS_KEPT: Final = 500


def sign(body: bytes, secret: str, *, at: int | None = None) -> str:
    """The Stripe-Signature header. https://docs.stripe.com/webhooks#verify-manually"""
    second = int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), f"{second}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={second},v1={mac}"


class Deliveries:
    """Posts events to the shop; a failed one is tried again, signed anew."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._client: httpx.AsyncClient | None = None
        self._under_way: set[asyncio.Task[bool]] = set()

    async def send(self, events: list[Json], manners: Manners) -> None:
        """Deliver in the given manner; returns when the browser may go on."""
        tasks = [self._start(event, manners.delay) for event in events for _ in range(manners.copies)]
        if manners.before_redirect and tasks:
            await asyncio.wait(tasks, timeout=_TIMEOUT)

    def _start(self, event: Json, delay: float) -> asyncio.Task[bool]:
        task = asyncio.create_task(self._deliver(event, delay))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _deliver(self, event: Json, delay: float) -> bool:
        await asyncio.sleep(delay)
        if await self._try(event):
            return True
        retry = asyncio.create_task(self._retry(event))
        self._under_way.add(retry)
        retry.add_done_callback(self._under_way.discard)
        return False

    async def _retry(self, event: Json) -> bool:
        for pause in _RETRY_AFTER:
            await asyncio.sleep(pause)
            if await self._try(event):
                return True
        return False

    async def _try(self, event: Json) -> bool:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=_TIMEOUT)
        body = json.dumps(event, indent=2).encode()
        headers = {
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": sign(body, self._world.webhook_secret),
            "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            answer = await self._client.post(self._world.webhook_url, content=body, headers=headers)
        except httpx.HTTPError as error:
            self._note(event, type(error).__name__)
            return False
        self._note(event, str(answer.status_code))
        return answer.status_code in _OK

    def _note(self, event: Json, status: str) -> None:
        attempts = self._world.attempts
        attempts.append(Attempt(event=event["id"], type=event["type"], status=status, at=time.time()))
        del attempts[:-_MOST_ATTEMPTS_KEPT]

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._under_way):
            task.cancel()
        if self._client is not None:
            await self._client.aclose()
