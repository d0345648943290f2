"""The pages of actions in Chromium: accessible, fitting a phone, and usable with the keyboard alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from testkit.acting import sold
from testkit.bazaar import stock_a_bazaar
from testkit.browsing import MakeDevice, look_at
from testkit.office import link_of
from testkit.servers import a_shop

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_actions_are_accessible_and_fit(tmp_path: Path, device: MakeDevice, scheme: str) -> None:
    stock_a_bazaar(tmp_path / "catalogue")
    with a_shop(tmp_path) as shop:
        one = sold(shop, "keyed")
        page = device(color_scheme=scheme, viewport={"width": 320, "height": 640}).page
        shop.cli("staff", "invite", "anna@example.com", "--role", "owner")
        page.goto(shop.url + link_of(shop, "link", "anna@example.com"))
        page.get_by_role("button").last.click()
        expect(page.locator("h1")).to_have_text("Home")
        paths = [
            *(one.at(name) for name in ("refund", "revoke", "restore", "resend", "address", "key", "note")),
            *(one.at_customer(name) for name in ("address", "merge", "sign-out", "erase")), "/admin/grant",
        ]  # fmt: skip
        for at in paths:
            page.goto(shop.url + at)
            expect(page.locator("h1")).to_be_visible()
            look_at(page, f"admin-{at.rsplit('/', 1)[1]}", f"{scheme}-320")
        page.goto(shop.url + one.at("refund"))
        page.get_by_label("Reason, for the audit log").focus()
        page.keyboard.type("they asked")
        page.keyboard.press("Enter")
        page.wait_for_url("**?done=refund")
        notice = page.get_by_text("The refund was requested.")
        expect(notice).to_be_visible()
        page.reload()
        expect(page.locator("h1")).to_be_visible()
        expect(notice).to_have_count(0)
