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
from entrypoints.sandbox.world import Attempt, Json, Manners, Undelivered, World, fresh_id

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
    to: str
    address: Callable[[], str]
    headers: Callable[[bytes], dict[str, str]]


def event_parcel(world: World, *, name: str, kind: str, body: bytes, endpoint: str) -> Parcel:
    """One of Stripe's events for one endpoint."""
    return Parcel(
        id=name,
        type=kind,
        body=body,
        to=endpoint,
        address=lambda: url_of(world, endpoint),
        headers=lambda body: {
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": sign(body, world.endpoint_secrets[endpoint]),
            "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        },
    )


class Deliveries:
    """Posts webhooks; failed ones are retried with a new signature. `changed` is called after each attempt."""

    def __init__(self, world: World, *, changed: Callable[[], None] = lambda: None) -> None:
        self._world = world
        self._changed = changed
        self._client: httpx.AsyncClient | None = None
        self._under_way: set[asyncio.Task[Any]] = set()

    async def send(self, events: list[Json], manners: Manners) -> None:
        """Deliver Stripe's events to every subscribed endpoint; returns when the browser may go on."""
        await self.send_parcels([parcel for event in events for parcel in self._parcels(event)], manners)

    async def send_parcels(self, parcels: list[Parcel], manners: Manners) -> None:
        """Deliver in the given manner; returns when the browser may go on."""
        tasks = [
            self._start(self._deliver(self._noted(parcel, manners.delay), parcel, manners.delay))
            for parcel in parcels
            for _ in range(manners.copies)
        ]
        if manners.before_redirect and tasks:
            await asyncio.wait(tasks, timeout=_TIMEOUT)

    def take_up(self, number: str, parcel: Parcel) -> None:
        """Deliver what an earlier run of the stand-in left undelivered, after a moment in which the shop starts."""
        due = self._world.undelivered[number].due
        self._start(self._deliver(number, parcel, max(due - time.time(), _RETRY_AFTER[0])))

    def later(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work after some seconds, unless the stand-in stops first."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            await work()

        self._start(wait())

    def _parcels(self, event: Json) -> list[Parcel]:
        world, body, kind = self._world, body_of(event), event["type"]
        return [
            event_parcel(world, name=event["id"], kind=kind, body=body, endpoint=endpoint)
            for endpoint in listeners(world, kind)
        ]

    def _noted(self, parcel: Parcel, delay: float) -> str:
        number = fresh_id("delivery_")
        self._world.undelivered[number] = Undelivered(
            id=parcel.id, type=parcel.type, body=parcel.body.decode(), to=parcel.to, due=time.time() + delay
        )
        return number

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _deliver(self, number: str, parcel: Parcel, delay: float) -> None:
        await asyncio.sleep(delay)
        if await self._try(parcel):
            self._settle(number)
        else:
            self._start(self._retry(number, parcel))

    async def _retry(self, number: str, parcel: Parcel) -> None:
        for pause in _RETRY_AFTER:
            await asyncio.sleep(pause)
            if await self._try(parcel):
                break
        self._settle(number)

    def _settle(self, number: str) -> None:
        """It was answered, or given up."""
        self._world.undelivered.pop(number, None)
        self._changed()

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
        self._changed()

    async def close(self) -> None:
        """Cancel all deliveries under way; they stay undelivered."""
        for task in list(self._under_way):
            task.cancel()
        if self._client is not None:
            await self._client.aclose()
