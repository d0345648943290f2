"""Sales to be told of: checkouts as POST /buy leaves them, and the events that Stripe would sign for them."""

from __future__ import annotations

import hashlib
import json
import os
import string
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from adapters.sql import checkouts
from bench.speed.engines import Engine, Lot
from bench.speed.load import Shot, delivery, fire
from domain.claim import terms_of
from domain.keys import Keyring
from domain.purchase import Checkout
from domain.values import CheckoutId, EmailAddress, Money, ProductId, ProviderRef, SessionId, sortable_id
from testkit.servers import BOOK, SESSION_SECRET, WEBHOOK_SECRET, Shopper, ShopServer

_addresses = count(1)
# Its digits, in the order of their bytes.
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def stripe_id(prefix: str, *, at: datetime, entropy: bytes) -> str:
    """An id as Stripe makes them for events and payments: `evt_1NG8Du2eZvKYlo2CUI79vXWy` (https://docs.stripe.com/api).

    It begins with the time, goes on with the account, and ends by chance; ids of checkout sessions are all chance.
    """
    seconds, digits = int(at.timestamp()), ""
    while seconds:
        seconds, rest = divmod(seconds, 62)
        digits = _BASE62[rest] + digits
    return f"{prefix}1{digits}LkdIwHu7ix{entropy[:4].hex()}"


def buyers_address(name: str, number: int) -> str:
    """Addresses come in no order: that of somebody's name, not that of their purchase."""
    return f"{hashlib.sha256(f'{name}{number}'.encode()).hexdigest()[:10]}.{name}@example.com"


@dataclass(frozen=True)
class MadeSale:
    """A checkout that waits for its event, and whose it will be."""

    checkout: Checkout
    email: str
    event: str


@dataclass
class Till:
    """Makes sales for one shop. The first is a real one, bought through its pages; the rest are made like it."""

    shop: ShopServer
    engine: Engine

    def __post_init__(self) -> None:
        cs = Shopper(self.shop).buy(BOOK)
        paid = self.shop.sandbox.pay(
            cs, email="first@example.com", copies=1
        )  # told, so that no sweep finds it
        self._template: dict[str, Any] = json.loads(paid["body"])
        self._session: dict[str, Any] = self._template["data"]["object"]
        self.keyring = Keyring.of((SESSION_SECRET,))
        self._numbers = count(1)

    def draw(self, number: int) -> list[MadeSale]:
        """So many checkouts in the store, each of a browser and a mailbox of its own, and their events."""
        made = [self._checkout() for _ in range(number)]
        self.engine.add([Lot("checkouts", checkouts.COLUMNS, sorted(checkouts.to_row(one) for one in made))])
        return [self._sale(checkout) for checkout in made]

    def tell(self, sales: list[MadeSale], url: str) -> float:
        """Post their events, 64 at a time; events a second. Raises if one is not answered with 200."""
        return fire(url, deliveries(sales), folder=self.shop.folder)

    def link(self, sale: MadeSale) -> str:
        """The path of the access link of a sale that was delivered."""
        key = self.keyring.signing
        link = key.access_link_of(sale.checkout.id, EmailAddress.parse(sale.email))
        return f"/login/{key.token_of(link)}"

    def _checkout(self) -> Checkout:
        now = datetime.now(UTC)
        session = self._session
        return Checkout(
            id=CheckoutId(sortable_id(now=now, entropy=os.urandom(10))),
            product=ProductId(session["metadata"]["pid"]),
            product_name="The Last Cloakroom",
            price=Money(session["amount_subtotal"], session["currency"]),
            session=SessionId(sortable_id(now=now, entropy=os.urandom(10))),
            mailbox=None,
            livemode=False,
            started_at=now,
            provider_ref=ProviderRef(f"cs_test_{os.urandom(29).hex()}"),
            expires_at=now + timedelta(hours=1),
        )

    def _sale(self, checkout: Checkout) -> MadeSale:
        event = deepcopy(self._template)
        session = event["data"]["object"]
        email = buyers_address("known", next(self._numbers))
        event["id"] = stripe_id("evt_", at=checkout.started_at, entropy=os.urandom(4))
        session["id"] = checkout.provider_ref
        session["client_reference_id"] = checkout.id
        session["payment_intent"] = stripe_id("pi_3", at=checkout.started_at, entropy=os.urandom(4))
        session["customer_details"]["email"] = email
        shop = session["metadata"]["shop"]
        session["metadata"]["seal"] = self.keyring.seal(terms_of(checkout, shop=shop))
        return MadeSale(checkout=checkout, email=email, event=json.dumps(event))


def deliveries(sales: list[MadeSale]) -> list[Shot]:
    """Their events, signed now."""
    return [delivery(sale.event, secret=WEBHOOK_SECRET) for sale in sales]


def an_address() -> str:
    """A network that nobody has come from yet, so that no limit is reached."""
    number = next(_addresses)
    return f"10.{number & 255}.{number >> 8 & 255}.{number >> 16 & 255}"
