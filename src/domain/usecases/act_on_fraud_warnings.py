"""Act on early fraud warnings: email the merchant, or ask for a refund where shop.toml says so."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Final

from domain import outbox_keys
from domain.access import Holding
from domain.emails import FraudWarned
from domain.fact import Fact
from domain.fraud import fraud_warning_of
from domain.frozen import frozen
from domain.ports import Catalogue, Clock, Payments, Store
from domain.product import ShopInfo
from domain.purchase import order_number
from domain.refund import RefundCause
from domain.staff import Actor
from domain.transaction import ReadTransaction
from domain.usecases.refund_outcomes import RefundAsked
from domain.usecases.request_refund import RequestRefund
from domain.usecases.send_email import notify_merchant

AT_ONCE: Final = 50
_SHOP: Final = Actor.on_host("shop.toml")
"""Whoever wrote `[fraud]` there decided it."""


def open_warnings(tx: ReadTransaction) -> Sequence[tuple[Holding, Fact]]:
    """The newest fifty purchases with a fraud warning that can still be acted on, each once."""
    return _open_among(tx, tx.facts.fraud_warnings(limit=AT_ONCE))


def _open_among(tx: ReadTransaction, told: Sequence[Fact]) -> Sequence[tuple[Holding, Fact]]:
    payments = {fact.payment for fact in told if fact.payment is not None}
    sales = {held.purchase.payment: held for held in tx.searches.paid(payments)} if payments else {}
    found: dict[str, tuple[Holding, Fact]] = {}
    for fact in told:
        held = sales.get(fact.payment)
        warning = None if held is None else fraud_warning_of(held)
        if held is not None and warning is not None:
            found[held.purchase.checkout] = held, warning
    return list(found.values())


def _not_acted_on(
    after: Fact | None, tx: ReadTransaction
) -> tuple[Sequence[tuple[Holding, Fact]], Fact | None]:
    """Those among the next fifty, and behind which the others are; None at the end.

    The email is the last that is done about a warning, so it says whether all is.
    """
    told = tx.facts.fraud_warnings(after=after, limit=AT_ONCE)
    waiting = [
        (held, warning)
        for held, warning in _open_among(tx, told)
        if tx.outbox.get(outbox_keys.fraud_warned(warning.object_id)) is None
    ]
    return waiting, told[-1] if len(told) == AT_ONCE else None


@frozen
class ActOnFraudWarnings:
    """Run by a timer, any number of times and on any number of nodes: each warning is acted on once."""

    store: Store
    payments: Payments
    catalogue: Catalogue
    clock: Clock
    request_refund: RequestRefund

    async def __call__(self) -> int:
        """How many refunds were asked for. Raises StoreUnavailable."""
        asked, after = 0, None
        while True:
            waiting, after = await self.store.read(partial(_not_acted_on, after))
            for held, warning in waiting:
                if held.purchase.livemode in (None, self.payments.livemode):
                    asked += await self._act(held, warning)
            if after is None:
                return asked

    async def _act(self, held: Holding, warning: Fact) -> bool:
        """Whether a refund was asked for."""
        shop = self.catalogue.current().shop
        refunded = shop.fraud.refunds(held.purchase.paid) and await self._refund(held, warning)
        await self._notify(held, warning, shop, refunded=refunded)
        return refunded

    async def _refund(self, held: Holding, warning: Fact) -> bool:
        form = hashlib.sha256(f"fraud warning {warning.object_id}".encode()).hexdigest()[:32]
        outcome = await self.request_refund(
            held.purchase.checkout, actor=_SHOP, form=form, cause=RefundCause.FRAUDULENT, close=True,
            reason=f"Early fraud warning {warning.object_id}",
        )  # fmt: skip
        return isinstance(outcome, RefundAsked)

    async def _notify(self, held: Holding, warning: Fact, shop: ShopInfo, *, refunded: bool) -> None:
        now, purchase = self.clock.now(), held.purchase
        email = FraudWarned(
            product_name=purchase.product_name,
            paid=purchase.paid,
            order=order_number(purchase.checkout),
            refunded=refunded,
        )
        key = outbox_keys.fraud_warned(warning.object_id)
        await self.store.transact(lambda tx: notify_merchant(tx, email, key=key, shop=shop, now=now))
