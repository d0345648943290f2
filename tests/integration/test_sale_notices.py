"""Sale notices as the merchant sets them up: read from the catalogue, and emailed by the running shop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.product import SaleNotices
from domain.values import ProductId
from testkit.catalogues import a_catalogue, load, look
from testkit.servers import Shopper, a_shop

SHOP = 'name = "A shop"\ncurrency = "eur"\nsupport = "help@shop.example"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_catalogue(tmp_path / "catalogue", "book", "cup")


def write(root: Path, settings: str) -> None:
    (root / "shop.toml").write_text(SHOP + settings)


def test_the_settings_are_read_and_are_off_by_default(root: Path) -> None:
    edition = load(root).current()
    assert edition.shop.sale_notices is SaleNotices.OFF
    assert all(product.sale_notice for product in edition.present)
    (root / "cup" / "product.toml").write_text('name = "The cup"\nprice = "2.00"\nsale_notice = false\n')
    for notices in SaleNotices:
        write(root, f'sale_notices = "{notices}"\n')
        edition = load(root).current()
        assert edition.shop.sale_notices is notices
        assert not edition.products[ProductId("cup")].sale_notice
        assert edition.products[ProductId("book")].sale_notice


def test_a_word_that_is_none_of_them_is_refused_by_line_and_the_last_good_one_stays(
    root: Path, tmp_path: Path
) -> None:
    write(root, 'sale_notices = "weekly"\n')
    catalogue = load(root, kept=tmp_path / "kept")
    write(root, 'sale_notices = "monthly"\n')
    for again in (catalogue, load(root, kept=tmp_path / "kept")):
        look(again, times=12)
        assert again.problems == (
            'catalogue/shop.toml:4: sale_notices is one of "off", "each", "daily", "weekly", not \'monthly\'',
        )
        assert again.current().shop.sale_notices is SaleNotices.WEEKLY
        assert all(product.on_sale for product in again.current().present)


@pytest.mark.engines
def test_the_running_shop_emails_each_sale_to_the_merchant_but_no_test_purchase(
    tmp_path: Path, in_database: Callable[[], dict[str, str]]
) -> None:
    root = a_catalogue(tmp_path / "catalogue", "book", "gift")
    write(root, 'sale_notices = "each"\n')
    (root / "gift" / "product.toml").write_text('name = "The gift"\nprice = "0"\n')
    with a_shop(tmp_path, **in_database()) as shop:
        anna = Shopper(shop)
        anna.buy_and_pay("anna@example.com", "book")
        assert anna.post(anna.link_from("anna@example.com")).status_code == 303
        assert anna.post("/buy/gift").status_code in (200, 303)
        told = shop.sandbox.wait_for_mail("help@shop.example")
        assert told["subject"] == "Free order: The gift"
        assert "anna" not in told["text"]
        assert shop.mails_queued_for("help@shop.example") == 1
