"""Sales to be told of: checkouts as POST /buy leaves them, and the events that Stripe would sign for them."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from adapters.sqlite import rows
from benchmarks.engines import Engine, Lot
from domain.claim import terms_of
from domain.keys import Keyring
from domain.purchase import Checkout
from domain.values import CheckoutId, Money, ProductId, ProviderRef, SessionId, sortable_id
from support.servers import BOOK, SESSION_SECRET, Shopper, ShopServer


@dataclass
class Till:
    """Makes sales for one shop. The first is a real one, bought through its pages; the rest are made like it."""

    shop: ShopServer
    engine: Engine

    def __post_init__(self) -> None:
        cs = Shopper(self.shop).buy(BOOK)
        paid = self.shop.sandbox.pay(cs, email="first@example.com")
        self._template: dict[str, Any] = json.loads(paid["body"])
        self._session: dict[str, Any] = self._template["data"]["object"]
        self._keyring = Keyring.of((SESSION_SECRET,))
        self._numbers = count(1)

    def draw(self, number: int) -> list[str]:
        """So many checkouts in the books, each of a browser of its own; their events' bodies, one line each."""
        made = [self._checkout() for _ in range(number)]
        self.engine.add([Lot("checkouts", rows.CHECKOUT, sorted(rows.checkout_row(one) for one in made))])
        return [json.dumps(event) for event in map(self._event, made)]

    def _checkout(self) -> Checkout:
        now = datetime.now(UTC)
        session = self._session
        return Checkout(
            id=CheckoutId(sortable_id(now=now, chance=os.urandom(10))),
            product=ProductId(session["metadata"]["pid"]),
            product_name="The Last Cloakroom",
            price=Money(session["amount_subtotal"], session["currency"]),
            session=SessionId(sortable_id(now=now, chance=os.urandom(10))),
            mailbox=None,
            livemode=False,
            started_at=now,
            provider_ref=ProviderRef(f"cs_test_{os.urandom(29).hex()}"),
            expires_at=now + timedelta(hours=1),
        )

    def _event(self, checkout: Checkout) -> dict[str, Any]:
        event = deepcopy(self._template)
        session = event["data"]["object"]
        event["id"] = f"evt_{os.urandom(12).hex()}"
        session["id"] = checkout.provider_ref
        session["client_reference_id"] = checkout.id
        session["payment_intent"] = f"pi_{os.urandom(12).hex()}"
        session["customer_details"]["email"] = f"known{next(self._numbers):07}@example.com"
        shop = session["metadata"]["shop"]
        session["metadata"]["seal"] = self._keyring.seal(terms_of(checkout, shop=shop))
        return event
