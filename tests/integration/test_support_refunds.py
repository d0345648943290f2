"""How much support refunds, as the merchant writes it: read from the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.values import Money
from testkit.catalogues import a_catalogue, load, look

SHOP = 'name = "A shop"\ncurrency = "eur"\nsupport = "help@shop.example"\n[admin]\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_catalogue(tmp_path / "catalogue", "book")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ()),
        ('support_refunds = "50.00"', (Money(5000, "eur"),)),
        ('support_refunds = { eur = "50", JPY = "6000" }', (Money(5000, "eur"), Money(6000, "jpy"))),
    ],
)
def test_an_amount_in_the_shops_currency_or_one_for_each(
    root: Path, written: str, read: tuple[Money, ...]
) -> None:
    (root / "shop.toml").write_text(f"{SHOP}{written}\n")
    catalogue = load(root)
    assert catalogue.problems == ()
    assert catalogue.current().shop.support_refunds == read


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('"50,00"', "is '50,00' in eur: write an amount such as '50.00'"),
        ('"-1"', "is '-1' in eur: write an amount such as '50.00'"),
        ('{ jpy = "60.00" }', "is '60.00' in jpy: write an amount such as '50.00'"),
        ('{ xxx = "60.00" }', "has 'xxx', which Stripe does not charge: write { usd = '50.00' }"),
    ],
)
def test_what_is_no_amount_is_refused_by_line_and_the_last_good_one_stays(
    root: Path, tmp_path: Path, written: str, said: str
) -> None:
    (root / "shop.toml").write_text(f'{SHOP}support_refunds = "50.00"\n')
    catalogue = load(root, kept=tmp_path / "kept")
    (root / "shop.toml").write_text(f"{SHOP}support_refunds = {written}\n")
    for again in (catalogue, load(root, kept=tmp_path / "kept")):
        look(again, times=12)
        assert again.problems == (f"catalogue/shop.toml:5: support_refunds {said}",)
        assert again.current().shop.support_refunds == (Money(5000, "eur"),)
