"""A sale in a shop in memory, and what becomes of it."""

from __future__ import annotations

from domain.access import access
from domain.claim import ProviderCheckout
from domain.fact import Fact, FactKind
from domain.purchase import PurchaseState
from domain.values import ProviderRef
from entrypoints.testing import BOOK, Browser, Shop
from testkit.stepping import run

ANNA = "anna@example.com"
PRICE = 900


def a_sale(shop: Shop) -> tuple[Browser, ProviderRef]:
    anna = Browser(shop)
    return anna, anna.buy_and_pay(ANNA)


def state_of(shop: Shop, ref: ProviderRef) -> PurchaseState | None:
    [checkout] = [c.id for c in shop.memory.tables.checkouts.values() if c.provider_ref == ref]
    found = run(shop.store.read(lambda tx: tx.purchases.with_facts(checkout)))
    return None if found is None else found.standing.state


def opens(browser: Browser) -> object:
    viewer = browser.viewer
    return access(viewer.session, product=BOOK, holdings=viewer.holdings, now=browser.shop.clock.now())


def subjects(shop: Shop) -> list[str]:
    shop.deliver_mail()
    return [mail.subject for mail in shop.letters_to(ANNA)][1:]


def foreign_fact(shop: Shop) -> Fact:
    ref = ProviderRef("cs_test_foreign")
    shop.payments.invent(
        ProviderCheckout(
            ref=ref, as_of=1, livemode=False, mode="payment", status="paid", currency="usd", subtotal=5, total=5,
            discount=0, tax=0, email="x@example.com", payment="pi_foreign", reference=None, product=None, shop=None,
            seal=None,
        )
    )  # fmt: skip
    return shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=5)
