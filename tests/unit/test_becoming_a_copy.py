"""A copied database becomes another shop only with an id and a secret that the original does not have."""

from __future__ import annotations

from domain.keys import Keyring
from domain.usecases.own_address import BecomeCopy, NoCopy
from entrypoints.testing import Browser, Shop
from testkit.stepping import run

THERE, HERE = "https://shop.example", "https://copy.example"


def a_copy() -> Shop:
    """A database that the shop `shop-1` served, with links under its secret."""
    shop = Shop()
    run(shop.store.transact(lambda tx: tx.shop.open("shop-1")))
    run(shop.store.transact(lambda tx: tx.shop.serve(THERE)))
    Browser(shop).buy_and_pay("anna@example.com")
    return shop


def become(shop: Shop, *, secret: str, declared: str | None) -> str | NoCopy:
    shop.catalogue.declared_id = declared
    become_copy = BecomeCopy(
        store=shop.store, catalogue=shop.catalogue, keyring=Keyring.of((secret,)), clock=shop.clock,
        randomness=shop.randomness, base_url=HERE,
    )  # fmt: skip
    return run(become_copy())


def belongs_to(shop: Shop) -> tuple[str | None, str | None]:
    return run(shop.store.read(lambda tx: (tx.shop.id(), tx.shop.base_url())))


def test_the_id_of_the_original_in_shop_toml_is_refused() -> None:
    """Under one id the copy would claim what is paid at the original."""
    shop = a_copy()
    assert become(shop, secret="a secret of the copy alone, long enough", declared="shop-1") is NoCopy.SAME_ID
    assert belongs_to(shop) == ("shop-1", THERE)


def test_a_secret_of_the_original_is_refused() -> None:
    """Its links would open the other shop."""
    shop = a_copy()
    assert become(shop, secret=shop.secrets[0], declared="shop-2") is NoCopy.SAME_SECRET
    assert belongs_to(shop) == ("shop-1", THERE)


def test_it_takes_the_id_that_shop_toml_declares_or_a_new_one() -> None:
    for declared in ("shop-2", None):
        shop = a_copy()
        made = become(shop, secret="a secret of the copy alone, long enough", declared=declared)
        assert made != "shop-1"
        assert declared in (None, made)
        assert belongs_to(shop) == (made, HERE)
