"""Tell a buyer what became of their purchase: money that went back, and access that came back."""

from __future__ import annotations

from datetime import datetime

from domain.access import Holding
from domain.books import Books
from domain.letters import open_again_letter, refunded_letter
from domain.mail import MailKind
from domain.product import ShopInfo
from domain.purchase import Fact, PurchaseState
from domain.usecases.post import post
from domain.values import Money


def tell_buyer(
    books: Books, before: Holding, after: Holding, *, of: Fact, shop: ShopInfo, base_url: str, now: datetime
) -> None:
    """Queue the mail that a fact causes, once a refund or dispute and kind of news, whatever order they come in."""
    purchase = after.purchase
    if purchase.mailbox is None:
        return
    if after.refunded > before.refunded:
        currency = purchase.paid.currency
        letter = refunded_letter(
            purchase,
            refunded=Money(after.refunded - before.refunded, currency),
            in_all=Money(after.refunded, currency),
            closed=after.standing.state is PurchaseState.REFUNDED,
            shop=shop,
        )
        key = f"refunded:{purchase.checkout}:{of.object_id}"
        post(books, letter, key=key, kind=MailKind.UPDATE, to=purchase.mailbox, now=now)
    if before.standing.state is not PurchaseState.LIVE and after.standing.state is PurchaseState.LIVE:
        letter = open_again_letter(purchase, base_url=base_url, shop=shop)
        key = f"open-again:{purchase.checkout}:{of.object_id}"
        post(books, letter, key=key, kind=MailKind.UPDATE, to=purchase.mailbox, now=now)
