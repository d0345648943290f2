"""What only WebKit does: it keeps a personal page for its "back" button, whatever `Cache-Control` says over http."""

from __future__ import annotations

from pathlib import Path

import pytest

from testkit.servers import BOOK, Shopper, a_shop
from testkit.webkit import a_webkit

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.mark.parametrize("tls_host", [None, "localhost"], ids=["http", "https"])
def test_after_signing_out_the_back_button_shows_no_personal_page(
    tmp_path: Path, tls_host: str | None
) -> None:
    email = "anna@example.com"
    with a_shop(tmp_path, tls_host=tls_host) as shop, a_webkit(tmp_path) as browser:
        buyer = Shopper(shop)
        cs = buyer.buy()
        shop.sandbox.pay(cs, email=email, copies=1)
        buyer.get(f"/view/{BOOK}", params={"session_id": cs})
        shop.sandbox.wait_for_mail(email)
        browser.go(f"{shop.url}{buyer.link_from(email)}")
        browser.click("main form button")
        browser.wait_for(f"{shop.url}/view/{BOOK}")
        for path in ("/library", "/account"):
            browser.go(f"{shop.url}{path}")
            assert email in browser.text
        browser.click("header form[action='/logout'] button")
        browser.wait_for(f"{shop.url}/")
        browser("back")
        browser.wait_for(f"{shop.url}/request-login")
        assert email not in browser.text
