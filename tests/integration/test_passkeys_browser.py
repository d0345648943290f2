"""Passkeys in Chromium: asked for again before money moves, copied, and lost. Signing in: `test_admin_browser.py`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from testkit.acting import lines_about, sold
from testkit.browsing import MakeDevice
from testkit.passkeys import Authenticator, come_in, sign_out
from testkit.servers import BOOK, ShopServer, a_shop
from testkit.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def office(tmp_path: Path) -> Iterator[ShopServer]:
    with a_shop(tmp_path) as shop:
        yield shop


def test_a_refund_asks_for_the_passkey_again_and_refuses_a_device_that_did_not_verify_its_user(
    office: ShopServer, device: MakeDevice
) -> None:
    """Also when five minutes pass between the page and its button: what was typed is not sent, and not lost."""
    one = device()
    page, sale = one.page, sold(office, BOOK)
    authenticator = come_in(office, one)
    a_while_passes(office)
    page.goto(f"{office.url}/admin/sales/{sale.order}")
    authenticator.verifies(verified=False)
    page.get_by_role("link", name="Refund", exact=True).click()
    expect(page.locator("h1")).to_have_text("Use your passkey again")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("your device did not answer")
    authenticator.verifies(verified=True)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("h1")).to_have_text("Refund The Last Cloakroom")
    a_while_passes(office)
    page.get_by_label("Reason, for the audit log").fill("they asked")
    page.get_by_role("button", name="Refund").click()
    expect(page.locator("h1")).to_have_text("Use your passkey again")
    assert office.export()["refund_request"] == []
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("h1")).to_have_text("Refund The Last Cloakroom")
    page.get_by_label("Reason, for the audit log").fill("they asked")
    page.get_by_role("button", name="Refund").click()
    expect(page.get_by_role("status")).to_contain_text("The refund was requested.")
    assert ("refund", "done") in lines_about(office, sale.order)


def test_a_copied_passkey_ends_itself_and_its_owner_is_invited_again(
    office: ShopServer, device: MakeDevice
) -> None:
    owner, hers, thief = device(), device(), device()
    come_in(office, owner)
    authenticator = come_in(office, hers, role="support", email="ben@example.com")
    [passkey] = authenticator.passkeys()
    for _ in range(3):
        sign_out(hers.page)
        hers.page.get_by_role("button", name="Sign in with a passkey").click()
        expect(hers.page.locator("h1")).to_have_text("Home")
    copy = Authenticator.on(thief.page)
    copy.hold(passkey, counter=1)
    thief.page.goto(f"{office.url}/admin/sales")
    thief.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(thief.page.get_by_role("alert").first).to_contain_text(
        "That passkey does not open this back office"
    )
    thief.page.goto(f"{office.url}/admin/sales")
    expect(thief.page.locator("h1")).to_have_text("Sign in")
    hers.page.goto(f"{office.url}/admin/sales")
    expect(hers.page.locator("h1")).to_have_text("Sign in")
    hers.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(hers.page.get_by_role("alert").first).to_contain_text(
        "That passkey does not open this back office"
    )
    for address in ("ben@example.com", "anna@example.com"):
        wait_until(lambda to=address: any("copied" in mail["text"] for mail in office.sandbox.mails_to(to)))
    owner.page.goto(f"{office.url}/admin/staff/invite")
    owner.page.get_by_label("Their email address").fill("ben@example.com")
    owner.page.get_by_role("radio", name="Support").check()
    owner.page.get_by_role("button", name="Make the link").click()
    authenticator.remove()
    Authenticator.on(hers.page)
    hers.page.goto(owner.page.locator("code.link").inner_text())
    hers.page.get_by_role("button", name="Add a passkey").click()
    expect(hers.page.locator("h1")).to_have_text("Home")


def a_while_passes(shop: ShopServer) -> None:
    """More than five minutes since a passkey was used."""
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        database.execute("UPDATE staff_sessions SET proved_at = proved_at - 301000000")
