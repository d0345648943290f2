"""A shop whose buyers waive the right of withdrawal, and the boxes as they are ticked."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.files.law import WAIVER_TEXTS
from domain.law import LawTerms
from domain.product import CatalogueEdition, Product
from domain.waiver import Boxes, WaiverText, opening_day
from entrypoints.testing import Shop, an_edition

TEXT: Final = WAIVER_TEXTS[0]
GERMAN: Final = WAIVER_TEXTS[1]
TICKED: Final = Boxes(text=TEXT.hash, wants=True, knows=True)


def an_edition_with_waiver(
    *products: Product, texts: tuple[WaiverText, ...] = WAIVER_TEXTS
) -> CatalogueEdition:
    """A catalogue with `[law] waiver = "boxes"`; its products are those of `an_edition`."""
    edition = an_edition(*products)
    return replace(edition, shop=replace(edition.shop, law=LawTerms(waiver=True, waiver_texts=texts)))


def a_shop_with_waiver(*products: Product) -> Shop:
    """It sells them."""
    return Shop(edition=an_edition_with_waiver(*products))


def an_edition_that_waits(*products: Product) -> CatalogueEdition:
    """With `without_waiver = "wait"`, too, by the clocks of Berlin."""
    edition = an_edition_with_waiver(*products)
    law = replace(edition.shop.law, waits=True)
    return replace(edition, shop=replace(edition.shop, law=law, timezone="Europe/Berlin"))


def chosen_to_wait(shop: Shop) -> Boxes:
    """The button without the boxes, as it is shown now."""
    zone = shop.catalogue.current().shop.zone
    return Boxes(text=TEXT.hash, wait=opening_day(shop.clock.now(), zone).isoformat())
