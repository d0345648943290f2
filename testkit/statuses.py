"""A shop whose one product of interest changes its status while people are in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from domain.product import CatalogueEdition, Product
from domain.values import ProductId
from entrypoints.testing import Shop, a_product, an_edition
from testkit.pages_in_memory import Client, Town

LAMP, FREE = ProductId("lamp"), ProductId("free")
"""What changes, and the same for nothing."""
COVER = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def a_lamp(**more: object) -> Product:
    return replace(a_product(LAMP, sample="it.txt"), cover="lamp.svg", **more)  # type: ignore[arg-type]  # its fields


def edition_of(lamp: Product, *, version: str = "1") -> CatalogueEdition:
    """The lamp, for money and for nothing, beside a book."""
    free = replace(lamp, id=FREE, name="The free one", price=replace(lamp.price, amount=0))
    return replace(an_edition(a_product(), lamp, free), version=version)


def become(shop: Shop, **more: object) -> None:
    """An edit of the lamp goes live."""
    version = str(int(shop.catalogue.edition.version) + 1)
    shop.catalogue.edition = edition_of(a_lamp(**more), version=version)


def a_town(folder: Path, **more: object) -> Town:
    town = Town(folder, edition_of(a_lamp(**more)), lambda where, html: None)
    for pid in (LAMP, FREE):
        town.shop.catalogue.covers[pid] = (COVER, "image/svg+xml")
    return town


async def an_owner(town: Town, email: str = "anna@mail.test") -> Client:
    """Signed in, with the lamp bought while it was on sale."""
    town.shop.catalogue.edition = edition_of(a_lamp(), version="0")
    return await town.signed_in(email, LAMP)
