"""A victim and a thief in a shop in memory: what they do, and how tests ask whose a browser and a purchase are."""

from __future__ import annotations

from domain.access import Opens, access
from domain.usecases.link_outcomes import SignedIn
from domain.values import ProductId, ProviderRef
from entrypoints.testing import BASE_URL, BOOK, Browser, Shop
from testkit.owners import order_of
from testkit.stepping import run

VICTIM, NEW = "victim@example.com", "victim@new.example"
THIEF, SECOND = "thief@example.com", "thief@second.example"


def correct(browser: Browser, ref: ProviderRef, typed: str) -> object:
    answer = run(browser.shop.change_address.correct(browser.visitor, order_of(browser.shop, ref), typed))
    browser.shop.deliver_mail()
    return answer


def change(browser: Browser, typed: str) -> object:
    answer = run(browser.shop.change_address.change(browser.visitor, typed))
    browser.shop.deliver_mail()
    return answer


def opens(browser: Browser, product: ProductId = BOOK) -> bool:
    viewer = browser.viewer
    now = browser.shop.clock.now()
    return isinstance(access(viewer.session, product=product, holdings=viewer.holdings, now=now), Opens)


def links_to(shop: Shop, address: str) -> list[str]:
    """The tokens of every link that arrived there, oldest first."""
    texts = (mail.text for mail in shop.letters_to(address))
    return [text.partition(f"{BASE_URL}/login/")[2].split()[0] for text in texts if "/login/" in text]


def signed_in(shop: Shop, email: str = VICTIM, product: ProductId = BOOK) -> tuple[Browser, ProviderRef]:
    browser = Browser(shop)
    ref = browser.buy_and_pay(email, product)
    assert isinstance(browser.press(shop.last_link(email)), SignedIn)
    return browser, ref


def sign_in(browser: Browser, email: str) -> object:
    browser.ask_for_link(email)
    browser.shop.deliver_mail()
    return browser.press(browser.shop.last_link(email))


def account_of(browser: Browser) -> str | None:
    session = browser.viewer.session
    return None if session is None or session.mailbox is None else str(session.mailbox)
