"""Many sales at once over real HTTP: what a storm sends, and what must be stored afterwards."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx

from entrypoints.sandbox.stripe.deliveries import sign
from testkit.servers import BOOK, PAPERWORK, PHOTOS, WEBHOOK_SECRET, ShopServer

PRODUCTS = (BOOK, PHOTOS, PAPERWORK)
PER_SECOND = 13.0
"""The shop starts at most 14 checkouts of strangers a second."""


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
    entropy: random.Random
    patient: bool = False
    patience: float = 0.2
    """Seconds until it tries again."""
    between_repeats: float = 0.0
    """Seconds from one event that Stripe repeats to the next."""
    answers: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    """Answers of 503 that did not say when to come back."""
    unanswered: int = 0
    """Requests whose connection ended without an answer, or was refused."""
    under_way: int = 0
    may_repeat: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: of a sale that was acknowledged nothing more is sent, so that nothing heals its loss."""

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=100)
        self.http = httpx.AsyncClient(base_url=self.shop.url, timeout=60, limits=limits)
        # A thousand browsers: each sale keeps its own cookies, and sends no other's. Clearing the jar after
        # an answer would be too late: another request may begin while the body of the answer is read.
        self.http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.stripe = httpx.AsyncClient(base_url=self.shop.sandbox.url, timeout=60)
        self.may_repeat.set()

    def a_sale(self, number: int, *, mailboxes: int) -> Sale:
        """One of several spellings of one of so many mailboxes."""
        name = f"buyer{number % mailboxes}@example.com"
        spelling = self.entropy.choice([name, name.upper(), f" {name} ", name.title()])
        return Sale(number=number, product=self.entropy.choice(PRODUCTS), email=spelling)

    async def ask(
        self, method: str, path: str, *, number: int, about: Sale | None = None, **options: Any
    ) -> httpx.Response:
        """One request. A patient storm asks until somebody answers with less than 500."""
        headers = {"x-forwarded-for": f"10.{number & 255}.{number >> 8 & 255}.{number >> 16 & 255}"}
        headers |= options.pop("headers", {})
        while True:
            if about is not None and about.acknowledged:
                await self.may_repeat.wait()
            self.under_way += 1
            try:
                answer = await self.http.request(method, path, headers=headers, **options)
            except httpx.TransportError:
                if not self.patient:
                    raise
                self.unanswered += 1
                await asyncio.sleep(self.patience)
                continue
            finally:
                self.under_way -= 1
            self.answers[answer.status_code] += 1
            self.without_retry_after += answer.status_code == 503 and "retry-after" not in answer.headers
            if answer.status_code == 429 or (self.patient and answer.status_code >= 500):
                await asyncio.sleep(self.patience)
                continue
            return answer

    async def begin(self, sale: Sale) -> httpx.Cookies:
        """Press Buy and pay, without any webhook yet; the browser's cookies."""
        cookies = await self.buy(sale)
        await self.pay(sale)
        return cookies

    async def buy(self, sale: Sale) -> httpx.Cookies:
        answer = await self.ask("POST", f"/buy/{sale.product}", number=sale.number, headers={"cookie": ""})
        assert answer.status_code == 303, answer.text[:500]
        sale.cs = answer.headers["location"].rpartition("/")[2]
        return answer.cookies

    async def pay(self, sale: Sale) -> None:
        paid = await self.stripe.post(f"/_sandbox/sessions/{sale.cs}/pay", json={"email": sale.email})
        sale.event = paid.json()

    async def webhook(self, sale: Sale) -> None:
        await self.tell(sale.event["body"], about=sale)
        sale.acknowledged = True

    async def tell(self, body: str, *, about: Sale) -> None:
        """Deliver an event, signed now: Stripe signs every try anew."""
        headers = {"stripe-signature": sign(body.encode(), WEBHOOK_SECRET)}
        answer = await self.ask("POST", "/webhook", number=0, about=about, content=body, headers=headers)
        assert answer.status_code == 200, answer.text

    async def refund(self, sale: Sale, *, amount: int | None = None) -> None:
        """Give the money back, and tell the shop all that Stripe says of it, in any order."""
        told = {"copies": 0} if amount is None else {"copies": 0, "amount": amount}
        done = await self.stripe.post(f"/_sandbox/sessions/{sale.cs}/refund", json=told)
        events = done.json()["events"]
        self.entropy.shuffle(events)
        await asyncio.gather(*(self.tell(event["body"], about=sale) for event in events))

    async def redirect(self, sale: Sale, cookies: httpx.Cookies) -> None:
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        answer = await self.ask(
            "GET",
            f"/view/{sale.product}?session_id={sale.cs}",
            number=sale.number,
            about=sale,
            headers={"cookie": cookie},
        )
        assert answer.status_code in (200, 303), answer.text[:500]
        sale.acknowledged = sale.acknowledged or answer.status_code == 303

    async def race(self, sale: Sale) -> None:
        """One redirect against one to five webhooks, in an order that chance chooses."""
        await self.learn(sale, await self.begin(sale))

    async def learn(self, sale: Sale, cookies: httpx.Cookies) -> None:
        """The shop learns that it was paid, from both sides."""
        sides: list[Awaitable[None]] = [self.webhook(sale) for _ in range(self.entropy.randint(1, 5))]
        sides.append(self.redirect(sale, cookies))
        self.entropy.shuffle(sides)
        await asyncio.gather(*sides)

    async def tell_again(self, sales: list[Sale], *, until: asyncio.Event) -> None:
        """Stripe delivers more than once: events of any sale that is paid, one after the other."""
        while not until.is_set():
            told = [sale for sale in sales if sale.event]
            if told:
                await self.webhook(self.entropy.choice(told))
            await asyncio.sleep(self.between_repeats if told else 0.01)

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
