"""Many sales at once over real HTTP: what a storm sends, and what must stand in the books afterwards."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from support.servers import BOOK, PAPERWORK, PHOTOS, ShopServer

PRODUCTS = (BOOK, PHOTOS, PAPERWORK)
PER_SECOND = 18.0
"""The shop starts at most 20 checkouts a second."""


@dataclass
class Sale:
    """One sale of the storm, and how far it got."""

    number: int
    product: str
    email: str
    cs: str = ""
    event: dict[str, Any] = field(default_factory=dict)
    acknowledged: bool = False


@dataclass
class Storm:
    """Sends requests and remembers every answer. `patient` tries again when nobody answers, as browsers and Stripe do."""

    shop: ShopServer
    chance: random.Random
    patient: bool = False
    answers: Counter[int] = field(default_factory=Counter)
    under_way: int = 0

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=100)
        self.http = httpx.AsyncClient(base_url=self.shop.url, timeout=20, limits=limits)
        self.stripe = httpx.AsyncClient(base_url=self.shop.sandbox.url, timeout=20)

    def a_sale(self, number: int, *, mailboxes: int) -> Sale:
        """One of several spellings of one of so many mailboxes."""
        name = f"buyer{number % mailboxes}@example.com"
        spelling = self.chance.choice([name, name.upper(), f" {name} ", name.title()])
        return Sale(number=number, product=self.chance.choice(PRODUCTS), email=spelling)

    async def ask(self, method: str, path: str, *, number: int, **options: Any) -> httpx.Response:
        """One request. A patient storm asks until somebody answers with less than 500."""
        headers = {"x-forwarded-for": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}
        headers |= options.pop("headers", {})
        while True:
            self.under_way += 1
            try:
                answer = await self.http.request(method, path, headers=headers, **options)
            except httpx.TransportError:
                if not self.patient:
                    raise
                await asyncio.sleep(0.05)
                continue
            finally:
                self.under_way -= 1
            self.answers[answer.status_code] += 1
            if answer.status_code == 429 or (self.patient and answer.status_code >= 500):
                await asyncio.sleep(0.2)
                continue
            return answer

    async def begin(self, sale: Sale) -> httpx.Cookies:
        """Press Buy and pay, without any webhook yet; the browser's cookies."""
        answer = await self.ask("POST", f"/buy/{sale.product}", number=sale.number, headers={"cookie": ""})
        assert answer.status_code == 303, answer.text[:500]
        sale.cs = answer.headers["location"].rpartition("/")[2]
        paid = await self.stripe.post(f"/_sandbox/sessions/{sale.cs}/pay", json={"email": sale.email})
        sale.event = paid.json()
        return answer.cookies

    async def webhook(self, sale: Sale) -> None:
        headers = {"stripe-signature": sale.event["signature"]}
        answer = await self.ask("POST", "/webhook", number=0, content=sale.event["body"], headers=headers)
        assert answer.status_code == 200, answer.text
        sale.acknowledged = True

    async def redirect(self, sale: Sale, cookies: httpx.Cookies) -> None:
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        answer = await self.ask(
            "GET",
            f"/view/{sale.product}?session_id={sale.cs}",
            number=sale.number,
            headers={"cookie": cookie},
        )
        assert answer.status_code in (200, 303), answer.text[:500]
        sale.acknowledged = sale.acknowledged or answer.status_code == 303

    async def race(self, sale: Sale) -> None:
        """One redirect against one to five webhooks, in an order that chance chooses."""
        cookies = await self.begin(sale)
        sides: list[Awaitable[None]] = [self.webhook(sale) for _ in range(self.chance.randint(1, 5))]
        sides.append(self.redirect(sale, cookies))
        self.chance.shuffle(sides)
        await asyncio.gather(*sides)

    async def tell_again(self, sales: list[Sale], *, until: asyncio.Event) -> None:
        """Stripe delivers more than once: events of any sale that is paid, one after the other."""
        while not until.is_set():
            told = [sale for sale in sales if sale.event]
            if told:
                await self.webhook(self.chance.choice(told))
            else:
                await asyncio.sleep(0.01)

    async def all_sales(self, sales: list[Sale], story: Callable[[Sale], Awaitable[None]]) -> None:
        """Every story, begun so many a second."""
        running = []
        for sale in sales:
            running.append(asyncio.create_task(story(sale)))
            await asyncio.sleep(1 / PER_SECOND)
        await asyncio.gather(*running)

    async def close(self) -> None:
        await self.http.aclose()
        await self.stripe.aclose()


def hold_the_books(shop: ShopServer, sales: list[Sale], *, mailboxes: int) -> None:
    """Nothing lost, nothing doubled, one user a mailbox, one ticket a purchase: in the books and at the mailbox."""
    books = shop.export()
    booked = [p["checkout_session"] for p in books["purchase"]]
    assert len(booked) == len(set(booked)) == len(sales), f"{len(booked)} booked of {len(sales)}"
    assert set(booked) == {sale.cs for sale in sales}
    emails = [u["email"] for u in books["user"]]
    assert len(emails) == len(set(emails)) == min(mailboxes, len(sales))
    tickets = [m for m in books["mail"] if m["mail"] == "ticket"]
    assert len(tickets) == len(sales)
    assert {m["state"] for m in tickets} == {"sent"}
    arrived = Counter(m["key"].partition("ticket:")[2] for m in shop.sandbox.mails if "ticket:" in m["key"])
    assert set(arrived) == {p["id"] for p in books["purchase"]}
    assert set(arrived.values()) == {1}
    assert not books["quarantine"]


async def until_every_ticket_arrived(shop: ShopServer, number: int, *, within: float) -> None:
    """Wait for the mail worker: until every ticket is at its mailbox, and marked as sent in the books.

    One that was handed over when the server was killed is marked a minute later, when its lease has run out.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while loop.time() < deadline:
        mails = await asyncio.to_thread(lambda: shop.sandbox.mails)
        if sum("ticket:" in mail["key"] for mail in mails) >= number:
            books = await asyncio.to_thread(shop.export)
            if all(mail["state"] == "sent" for mail in books["mail"]):
                return
        await asyncio.sleep(0.5)
    raise AssertionError(f"{number} tickets did not arrive within {within} s")
