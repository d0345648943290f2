"""A sale without a usable address in a shop in memory: paying, naming an address, the merchant's link."""

from __future__ import annotations

from domain.mail import MailKind
from domain.purchase import Purchase
from domain.usecases.change_outcomes import Asked
from domain.values import CheckoutId, EmailAddress, ProviderRef
from entrypoints.testing import Browser, Shop
from testkit import by_hand
from testkit.stepping import run

ANNA, BEN = "anna@example.com", "ben@example.com"


def paid(shop: Shop, browser: Browser, email: str | None = "a..b@docomo.ne.jp") -> Purchase:
    ref = browser.buy()
    shop.payments.pay(ref, email=email)
    assert shop.hear_of(ref, event=f"evt_{ref[-8:]}") == "booked"
    return purchase_of(shop, ref)


def purchase_of(shop: Shop, ref: ProviderRef | None) -> Purchase:
    [found] = [p for p in shop.memory.tables.purchases.values() if p.provider_ref == ref]
    return found


def name(shop: Shop, browser: Browser, order: CheckoutId, typed: str) -> Asked:
    asked = run(shop.change_address.correct(browser.visitor, order, typed))
    shop.deliver_mail()
    return asked


def access_emails(shop: Shop) -> list[EmailAddress]:
    return [mail.to for mail in shop.memory.tables.outbox.values() if mail.kind is MailKind.ACCESS]


def by_merchant(shop: Shop, order: str, typed: str) -> object:
    answer = by_hand.send_link(shop, order, typed)
    shop.deliver_mail()
    return answer
