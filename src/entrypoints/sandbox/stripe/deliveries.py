"""Signed webhooks, sent as Stripe and Resend send them: at least once, with retries, in no guaranteed order."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import httpx

from entrypoints.sandbox.stripe.endpoints import listeners, url_of
from entrypoints.sandbox.world import Attempt, Json, Manners, World

# Stripe retries for three days; a stand-in on this machine can retry faster.
_RETRY_AFTER: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_TIMEOUT: Final = 10.0
_OK: Final = range(200, 300)
_MOST_ATTEMPTS_KEPT: Final = 500


def sign(body: bytes, secret: str, *, at: int | None = None) -> str:
    """The Stripe-Signature header. https://docs.stripe.com/webhooks#verify-manually"""
    second = int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), f"{second}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={second},v1={mac}"


def body_of(event: Json) -> bytes:
    """The bytes of an event, as they are sent and signed."""
    return json.dumps(event, indent=2).encode()


@dataclass(frozen=True, slots=True)
class Parcel:
    """One body for one address. The address is looked up, and the body signed, at every attempt."""

    id: str
    type: str
    body: bytes
    address: Callable[[], str]
    headers: Callable[[bytes], dict[str, str]]


class Deliveries:
    """Posts webhooks; failed ones are retried with a new signature."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._client: httpx.AsyncClient | None = None
        self._under_way: set[asyncio.Task[Any]] = set()

    async def send(self, events: list[Json], manners: Manners) -> None:
        """Deliver Stripe's events to every subscribed endpoint; returns when the browser may go on."""
        await self.send_parcels([parcel for event in events for parcel in self._parcels(event)], manners)

    async def send_parcels(self, parcels: list[Parcel], manners: Manners) -> None:
        """Deliver in the given manner; returns when the browser may go on."""
        tasks = [
            self._start(self._deliver(parcel, manners.delay))
            for parcel in parcels
            for _ in range(manners.copies)
        ]
        if manners.before_redirect and tasks:
            await asyncio.wait(tasks, timeout=_TIMEOUT)

    def later(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work after some seconds, unless the stand-in stops first."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            await work()

        self._start(wait())

    def _parcels(self, event: Json) -> list[Parcel]:
        world, body = self._world, body_of(event)

        def parcel(endpoint: str) -> Parcel:
            return Parcel(
                id=event["id"],
                type=event["type"],
                body=body,
                address=lambda: url_of(world, endpoint),
                headers=lambda body: {
                    "content-type": "application/json; charset=utf-8",
                    "stripe-signature": sign(body, world.endpoint_secrets[endpoint]),
                    "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                },
            )

        return [parcel(endpoint) for endpoint in listeners(world, event["type"])]

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _deliver(self, parcel: Parcel, delay: float) -> None:
        await asyncio.sleep(delay)
        if not await self._try(parcel):
            self._start(self._retry(parcel))

    async def _retry(self, parcel: Parcel) -> None:
        for pause in _RETRY_AFTER:
            await asyncio.sleep(pause)
            if await self._try(parcel):
                return

    async def _try(self, parcel: Parcel) -> bool:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=_TIMEOUT)
        try:
            answer = await self._client.post(
                parcel.address(), content=parcel.body, headers=parcel.headers(parcel.body)
            )
        except httpx.HTTPError as error:
            self._note(parcel, type(error).__name__)
            return False
        self._note(parcel, str(answer.status_code))
        return answer.status_code in _OK

    def _note(self, parcel: Parcel, status: str) -> None:
        attempts = self._world.attempts
        attempts.append(Attempt(event=parcel.id, type=parcel.type, status=status, at=time.time()))
        del attempts[:-_MOST_ATTEMPTS_KEPT]

    async def close(self) -> None:
        """Cancel all deliveries under way."""
        for task in list(self._under_way):
            task.cancel()
        if self._client is not None:
            await self._client.aclose()
