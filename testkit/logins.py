"""A buyer who comes back without a password, to a shop in memory."""

from __future__ import annotations

from typing import Any

from domain.usecases.request_login import CheckYourEmail
from entrypoints.testing import Browser, Shop
from testkit.stepping import run

ANNA = "anna@example.com"


def a_buyer(shop: Shop) -> Browser:
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    return anna


def asked(shop: Shop, browser: Browser, email: str = ANNA) -> None:
    assert isinstance(browser.ask_for_link(email), CheckYourEmail)
    shop.deliver_mail()


def look(shop: Shop, token: str, browser: Browser | None = None) -> Any:
    """What the page of a link shows in a browser."""
    return run(shop.redeem.look((browser or Browser(shop)).visitor, token))
