"""The same folder, first with a test key, then with a live one, as a merchant does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from testkit.servers import BOOK, Shopper, a_shop
from testkit.waiting import wait_until

ANNA = "anna@example.com"
# Stripe's live API is not for tests: its calls end at a port that refuses them.
NOWHERE = "http://127.0.0.1:9"


@pytest.mark.long
def test_a_test_purchase_of_a_shop_that_goes_live_opens_nothing_and_counts_nowhere(tmp_path: Path) -> None:
    with a_shop(tmp_path, tls_host="localhost") as shop:
        toml = shop.catalogue / BOOK / "product.toml"
        toml.write_text("stock = 1\n" + toml.read_text())
        guest, owner = Shopper(shop), Shopper(shop)
        cs = guest.buy_and_pay(ANNA)
        link = owner.link_from(ANNA)
        owner.post(link)
        assert "Ottilie" in guest.get(f"/view/{BOOK}").text
        assert "Ottilie" in owner.get(f"/view/{BOOK}").text
        shop.sandbox.post(f"/_sandbox/sessions/{cs}/refund", amount=300, copies=0)
        assert "noted re_" in shop.cli("reconcile", check=False).stdout
        # The edit is picked up within a few seconds.
        wait_until(lambda: "Sold out" in Shopper(shop).get(f"/products/{BOOK}").text)
        assert (
            "Sales   1 to 1 buyer; taken: $6.00, net of refunds and lost disputes"
            in shop.cli("status").stdout
        )

        shop.process.stop()
        del shop.environment["STRIPE_API_BASE"]
        shop.environment.update(
            STRIPE_SECRET_KEY="sk_live_ofthetests", HTTPS_PROXY=NOWHERE, NO_PROXY="127.0.0.1"
        )
        found = shop.cli("doctor", check=False).stdout
        assert (
            "test purchases: there are some. From the next start with the live key, they give no access"
            in found
        )
        shop.start()
        for browser in (guest, owner):
            assert browser.get(f"/view/{BOOK}").status_code == 403
            assert browser.get(f"/files/{BOOK}/the-last-cloakroom.txt").status_code == 403
            assert "The Last Cloakroom" not in browser.get("/library").text
        assert Shopper(shop).get(link).status_code == 404
        assert "Sold out" not in Shopper(shop).get(f"/products/{BOOK}").text
        said = shop.cli("status", check=False).stdout
        assert "Sales   0 to 0 buyers; taken: nothing yet" in said
        assert "Test    1 purchase made with a test key: no access, not counted" in said
        [purchase] = shop.export()["purchase"]
        assert (purchase["livemode"], purchase["email"]) == (False, None)
        found = shop.cli("doctor", check=False).stdout
        assert "test purchases: 1 on record: no access, not counted" in found
