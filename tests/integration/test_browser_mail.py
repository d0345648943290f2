"""Emails on the narrowest phones, as a mail program with a browser inside shows them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from domain.emails import AccessLink, LicenceLine
from domain.values import Money
from entrypoints.testing import BASE_URL, EMAIL_TEMPLATES, an_edition
from testkit.browsing import MakeDevice

pytestmark = pytest.mark.browser

ORDER, KEY = "01a22cb5b68954b7", "536J-EQ40-GKTC-WEJE-R5CC"
RECEIPT = AccessLink(
    product_name="Window Light",
    paid=Money(3900, "eur"),
    price=Money(3900, "eur"),
    tax=Money(355, "eur"),
    order=ORDER,
    licences=(LicenceLine(key=KEY),),
)


def shown(page: Page, email: AccessLink) -> None:
    letter = EMAIL_TEMPLATES.render(email, language="en", shop=an_edition().shop, base_url=BASE_URL)
    page.set_content(letter.html)


def lines_of(page: Page, words: str) -> int:
    """On how many lines the words are, which are all of their element."""
    return page.get_by_text(words, exact=True).evaluate(
        "element => { const range = document.createRange(); range.selectNodeContents(element);"
        " return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size }"
    )


@pytest.mark.parametrize("words", [ORDER, KEY])
def test_at_320_pixels_what_people_copy_from_a_receipt_is_on_one_line(device: MakeDevice, words: str) -> None:
    page = device(viewport={"width": 320, "height": 640}).page
    shown(page, RECEIPT)
    assert lines_of(page, words) == 1


def test_at_320_pixels_a_longer_licence_key_breaks_and_nothing_is_cut_off(device: MakeDevice) -> None:
    page = device(viewport={"width": 320, "height": 640}).page
    key = "K" * 90
    shown(
        page,
        AccessLink(product_name="X", paid=Money(0, "eur"), order=ORDER, licences=(LicenceLine(key=key),)),
    )
    assert lines_of(page, key) > 1
    assert page.evaluate("document.documentElement.scrollWidth") == 320
