"""The past of a new demo: some weeks of invented sales, made in the stand-in and claimed the usual way.

Who bought what, how long ago, and what became of it are the same in every demo; ids are not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final

from domain.claim import draft_of
from domain.product import Product
from domain.purchase import Purchase
from domain.session import Visitor
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.book_free_order import book_free
from domain.usecases.checkout_outcomes import RedirectToPayment
from domain.usecases.note_opened import note_opened
from domain.values import CheckoutId, EmailAddress, Money
from entrypoints.container import Container
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.sandbox.pages.hosted import asks_address
from entrypoints.sandbox.stripe.deliveries import body_of, sign
from entrypoints.sandbox.stripe.disputes import open_dispute
from entrypoints.sandbox.stripe.payments import NO_ADDRESS
from entrypoints.sandbox.stripe.refunds import create_refund
from entrypoints.sandbox.stripe.sessions import completed, expire_session, settle_session
from entrypoints.sandbox.world import Json, World, stand_still_at
from entrypoints.settings import Settings

SALES: Final = 32
SPAN: Final = timedelta(days=28)
_SEED: Final = 41
_DEMO: Final = Actor.on_host("demo")
_DAY: Final = timedelta(days=1)
_LATEST: Final = timedelta(hours=3)
"""The newest sale is so old."""
_FIRST: Final = (
    "Ada", "Ben", "Chidi", "Dolores", "Emeka", "Fiona", "Grace", "Hanna", "Ivo", "June", "Kofi", "Lena", "Miguel",
    "Nora", "Olu", "Priya", "Quentin", "Rosa", "Sven", "Tomoko", "Uma", "Viktor", "Wanda", "Yusuf",
)  # fmt: skip
_LAST: Final = (
    "Abara",
    "Berg",
    "Castillo",
    "Dietrich",
    "Eriksen",
    "Fontaine",
    "Ghosh",
    "Hughes",
    "Ito",
    "Jansen",
)
_DOMAINS: Final = ("example.com", "example.org", "example.net")
_SOMEWHERE: Final = {**NO_ADDRESS, "country": "DE", "postal_code": "10115"}


class Story(Enum):
    """What became of a sale."""

    OPENED = auto()
    UNOPENED = auto()
    BOUNCED = auto()
    """Its access email came back, and it was not opened."""
    REFUNDED = auto()
    PARTLY_REFUNDED = auto()
    DISPUTED = auto()
    QUARANTINED = auto()
    """Paid with another amount than was asked for."""
    LEFT = auto()
    """The payment page was left, and expired."""


_SPECIAL: Final = {
    4: Story.REFUNDED, 7: Story.LEFT, 11: Story.PARTLY_REFUNDED, 13: Story.LEFT, 16: Story.REFUNDED, 19: Story.BOUNCED,
    22: Story.LEFT, 23: Story.QUARANTINED, 26: Story.DISPUTED, 28: Story.UNOPENED, 30: Story.LEFT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Invented:
    """One sale of the past."""

    number: int
    ago: timedelta
    name: str
    email: str
    product: int
    """Which of the shop's products, modulo their number."""
    story: Story


def past_sales() -> Iterator[Invented]:
    """The oldest first."""
    chance = random.Random(_SEED)  # noqa: S311 - no secret
    moments = sorted((_LATEST + (SPAN - _LATEST) * chance.random() for _ in range(SALES)), reverse=True)
    for number, ago in enumerate(moments):
        name = f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"
        story = _SPECIAL.get(number, Story.OPENED)
        local = name.lower().replace(" ", ".")
        # The stand-in lets mails to such names come back.
        local = f"bounce.{local}" if story is Story.BOUNCED else local
        yield Invented(
            number,
            ago,
            name,
            f"{local}@{chance.choice(_DOMAINS)}",
            min(int(chance.expovariate(0.9)), 2),
            story,
        )


class _PastClock:
    """Where the story is."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """See Clock."""
        return self._now

    def stand_at(self, moment: datetime) -> None:
        """For the shop and for the stand-in; never back."""
        self._now = max(self._now, moment)
        stand_still_at(self._now.timestamp())


@dataclass(frozen=True, slots=True)
class _Storyteller:
    shop: Container
    world: World
    clock: _PastClock
    secret: str
    end: datetime

    async def tell(self) -> None:
        for moment, sale, step in self._steps():
            self.clock.stand_at(moment)
            match step:
                case 0:
                    await self._sell(sale)
                case 1:
                    await self._go_on(sale)
                case 2:
                    await self._give_away()
                case _:
                    await self.shop.grant_product()(
                        self._product(2).id, "reviewer@example.org", actor=_DEMO, form="invented-grant",
                        reason="A copy for a review",
                    )  # fmt: skip
            await self._send_mail()

    def _steps(self) -> list[tuple[datetime, Invented, int]]:
        """Everything that happens, in order: 0 begins a sale, 1 goes on with it; a free order; a grant."""
        sales = list(past_sales())
        steps = [(self.end - sale.ago, sale, 0) for sale in sales]
        steps += [(self.end - sale.ago + min(_DAY, sale.ago * 0.5), sale, 1) for sale in sales]
        steps += [(self.end - 20 * _DAY, sales[0], 2), (self.end - 9 * _DAY, sales[0], 3)]
        return sorted(steps, key=lambda step: (step[0], step[2], step[1].number))

    def _product(self, wanted: int) -> Product:
        products = list(self.shop.catalogue().current().products.values())
        return products[wanted % len(products)]

    async def _give_away(self) -> None:
        """A free order of a product that cost nothing on that day."""
        now, product = self.clock.now(), self._product(0)
        price = Money(0, product.price.currency)
        draft = draft_of(product, price, livemode=None, entropy=self.shop.randomness().token(10), now=now)
        booking = self.shop.booking().prepare(now=now)
        owner = EmailAddress.parse("early.reader@example.net")

        def work(tx: Transaction) -> None:
            tx.checkouts.add(replace(draft, mailbox=owner))
            book_free(tx, draft, owner, booking=booking)

        await self.shop.store().transact(work)

    async def _sell(self, sale: Invented) -> None:
        visitor = Visitor(
            token_hash=None, network=f"10.41.0.{sale.number}", label="Firefox on Linux", device=None
        )
        begun = await self.shop.start_checkout()(visitor, self._product(sale.product).id, again=False)
        if not isinstance(begun, RedirectToPayment) or sale.story is Story.LEFT:
            return
        session = self._session_of(sale)
        assert session is not None, begun
        address = _SOMEWHERE if asks_address(session) else None
        if sale.story is Story.QUARANTINED:
            half = session["amount_total"] // 2
            session.update(amount_subtotal=half, amount_total=half)
        settle_session(
            self.world, session["id"], email=sale.email, name=sale.name, delayed=False, address=address,
            card="4242424242424242",
        )  # fmt: skip
        await self._hear([completed(self.world, session)])

    def _session_of(self, sale: Invented) -> Json | None:
        """The session that the sale began: its metadata has no number, so they are counted."""
        sessions = list(self.world.sessions.values())
        return sessions[sale.number] if sale.number < len(sessions) else None

    async def _go_on(self, sale: Invented) -> None:
        session = self._session_of(sale)
        if session is None:
            return
        checkout = CheckoutId(str(session["client_reference_id"]))
        held = await self.shop.store().read(lambda tx: tx.purchases.get(checkout))
        if sale.story not in (Story.UNOPENED, Story.BOUNCED, Story.DISPUTED) and held is not None:
            await self._open(held)
        intent = self.world.intents.get(str(session["payment_intent"]))
        charge = None if intent is None else self.world.charges[str(intent["latest_charge"])]
        match sale.story:
            case Story.LEFT:
                await self._hear([expire_session(self.world, session)])
            case Story.REFUNDED if charge is not None:
                await self._hear(create_refund(self.world, charge)[1])
            case Story.PARTLY_REFUNDED if charge is not None:
                await self._hear(create_refund(self.world, charge, amount=int(charge["amount"]) // 3)[1])
            case Story.DISPUTED if charge is not None:
                await self._hear(open_dispute(self.world, charge)[1])
            case _:
                pass

    async def _open(self, purchase: Purchase) -> None:
        """By the link in the access email, which verifies the address."""
        now = self.clock.now()
        await note_opened(self.shop.store(), purchase, now=now)
        mailbox = purchase.mailbox
        if mailbox is not None:
            await self.shop.store().transact(lambda tx: tx.users.mark_verified(mailbox, at=now))

    async def _hear(self, events: list[Json]) -> None:
        """What the webhook would hear of it.

        Not `charge.refunded`, which names no refund: the payment would be read again when the shop is up, and be
        refunded today.
        """
        at = int(self.clock.now().timestamp())
        for event in events:
            if event["type"] == "charge.refunded":
                continue
            body = body_of(event)
            await self.shop.handle_payment_webhook()(body, sign(body, self.secret, at=at))

    async def _send_mail(self) -> None:
        while mails := await self.shop.lease_mail()():
            for mail in mails:
                await self.shop.deliver_mail()(mail)


async def invent_past(settings: Settings, world: World, *, secret: str) -> None:
    """Fill a new shop and its stand-in, which is up already. `secret` signs Stripe's webhooks.

    Raises CANNOT_OPEN, WrongShop, StoreUnavailable.
    """
    end = datetime.now(UTC)
    clock = _PastClock(end - SPAN - _DAY)
    shop = Container(settings=settings, serving=True, confirms_address=True, clock=clock)
    await open_shop(shop)
    try:
        await _Storyteller(shop=shop, world=world, clock=clock, secret=secret, end=end).tell()
    finally:
        stand_still_at(None)
        await close_shop(shop)
