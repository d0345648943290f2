"""What tests of addresses and deletions do in a shop in memory, and how they ask whose a purchase is."""

from __future__ import annotations

from domain.access import Opens, access
from domain.usecases.link_outcomes import LinkError, LinkRejected, SignedIn
from domain.values import CheckoutId, ProductId, ProviderRef
from entrypoints.testing import BOOK, Browser, Shop
from testkit.stepping import run

ANNA, WRONG, NEW, BEN = "anna@example.com", "anan@example.com", "anna@new.example", "ben@example.com"


def order_of(shop: Shop, ref: ProviderRef) -> CheckoutId:
    [found] = [c.id for c in shop.memory.tables.checkouts.values() if c.provider_ref == ref]
    return found


def owner_of(shop: Shop, ref: ProviderRef) -> str | None:
    mailbox = shop.memory.tables.purchases[order_of(shop, ref)].mailbox
    return None if mailbox is None else str(mailbox)


def correct(shop: Shop, browser: Browser, ref: ProviderRef, typed: str) -> object:
    answer = run(shop.change_address.correct(browser.visitor, order_of(shop, ref), typed))
    shop.deliver_mail()
    return answer


def change(shop: Shop, browser: Browser, typed: str) -> object:
    answer = run(shop.change_address.change(browser.visitor, typed))
    shop.deliver_mail()
    return answer


def opens(browser: Browser, product: ProductId = BOOK) -> bool:
    viewer = browser.viewer
    return isinstance(
        access(viewer.session, product=product, holdings=viewer.holdings, now=browser.shop.clock.now()),
        Opens,
    )


def error_of(came: object) -> LinkError | None:
    return came.error if isinstance(came, LinkRejected) else None


def signed_in(shop: Shop, email: str = ANNA) -> tuple[Browser, ProviderRef]:
    anna = Browser(shop)
    ref = anna.buy_and_pay(email)
    assert isinstance(anna.press(shop.last_link(email)), SignedIn)
    return anna, ref
