"""The back office in Chromium, with a virtual authenticator: https://www.w3.org/TR/webauthn-3/#sctn-automation"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from testkit import past
from testkit.browsing import MakeDevice, look_at
from testkit.importing import GUMROAD
from testkit.passkeys import Authenticator, a_link, come_in
from testkit.servers import ShopServer, a_shop
from testkit.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def office(tmp_path: Path) -> Iterator[ShopServer]:
    with a_shop(tmp_path) as shop:
        yield shop


def test_the_first_owner_comes_in_with_a_passkey_and_again(office: ShopServer, device: MakeDevice) -> None:
    one = device()
    page = one.page
    come_in(office, one)
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    page.goto(f"{office.url}/admin/staff")
    expect(page.locator("h1")).to_have_text("Sign in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("h1")).to_have_text("Staff")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_passkey_is_refused_whose_device_did_not_verify_its_user(
    office: ShopServer, device: MakeDevice
) -> None:
    one = device()
    authenticator = come_in(office, one)
    one.page.get_by_text("More", exact=True).click()
    one.page.get_by_role("button", name="Sign out").click()
    authenticator.verifies(verified=False)
    one.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(one.page.get_by_role("alert")).to_contain_text("your device did not answer")
    expect(one.page.locator("h1")).to_have_text("Sign in")
    authenticator.verifies(verified=True)
    one.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(one.page.locator("h1")).to_have_text("Home")


def test_a_second_passkey_and_the_first_one_removed(office: ShopServer, device: MakeDevice) -> None:
    one = device()
    page = one.page
    first = come_in(office, one)
    page.get_by_role("link", name="Add a second passkey").click()
    first.remove()
    second = Authenticator.on(page)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys ~ .rows li")).to_have_count(2)
    page.get_by_role("button", name="Remove").first.click()
    expect(page.locator("#passkeys ~ .rows li")).to_have_count(1)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("alert")).to_contain_text("your only passkey")
    assert len(second.passkeys()) == 1
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("h1")).to_have_text("Home")


def test_inviting_asks_for_the_passkey_again_and_goes_on(office: ShopServer, device: MakeDevice) -> None:
    one, two = device(), device()
    page = one.page
    come_in(office, one)
    with sqlite3.connect(office.data / "coatcheck.db") as database:
        database.execute("UPDATE staff_sessions SET proved_at = proved_at - 300000000")
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Staff").click()
    page.get_by_role("link", name="Invite somebody").click()
    expect(page.locator("h1")).to_have_text("Use your passkey again")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("h1")).to_have_text("Invite somebody")
    page.get_by_label("Their email address").fill("ben@example.com")
    page.get_by_role("radio", name="Viewer").check()
    with sqlite3.connect(office.data / "coatcheck.db") as database:
        database.execute("UPDATE staff_sessions SET proved_at = proved_at - 300000000")
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator("h1")).to_have_text("Use your passkey again")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_label("Their email address")).to_have_value("ben@example.com")
    expect(page.get_by_role("radio", name="Viewer")).to_be_checked()
    page.get_by_role("button", name="Make the link").click()
    Authenticator.on(two.page)
    two.page.goto(page.locator("code.link").inner_text())
    two.page.get_by_role("button", name="Add a passkey").click()
    expect(two.page.locator("h1")).to_have_text("Home")
    two.page.get_by_text("More", exact=True).click()
    two.page.get_by_role("link", name="Staff").click()
    expect(two.page.get_by_role("link", name="Invite somebody")).to_have_count(0)
    page.goto(f"{office.url}/admin/audit")
    expect(page.locator("tbody tr").first).to_contain_text("ben@example.com")
    told = "b•••@example.com used an invitation"
    wait_until(lambda: any(told in mail["text"] for mail in office.sandbox.mails_to("anna@example.com")))


def test_an_ended_session_is_out_in_the_other_browser(office: ShopServer, device: MakeDevice) -> None:
    one, two = device(), device()
    come_in(office, one)
    Authenticator.on(two.page)
    two.page.goto(a_link(office, "invite", "anna@example.com", "--role", "owner"))
    two.page.get_by_role("button", name="Add a passkey").click()
    expect(two.page.locator("h1")).to_have_text("Home")
    one.page.goto(f"{office.url}/admin/account")
    one.page.get_by_role("button", name="Sign out everywhere else").click()
    expect(one.page.locator("#sessions ~ .rows li")).to_have_count(1)
    two.page.get_by_text("More", exact=True).click()
    two.page.get_by_role("navigation").get_by_role("link", name="Audit log").click()
    expect(two.page.locator("h1")).to_have_text("Sign in")
    two.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(two.page.locator("h1")).to_have_text("Audit log")


def test_a_lost_passkey_is_no_lost_shop_and_needs_no_script(office: ShopServer, device: MakeDevice) -> None:
    come_in(office, device())
    without = device(java_script_enabled=False)
    page, link = without.page, a_link(office, "link", "anna@example.com")
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Home")
    page.goto(f"{office.url}/admin/staff/invite")
    page.get_by_label("Their email address").fill("anna@example.com")
    page.get_by_role("radio", name="Owner").check()
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator("code.link")).to_contain_text("/admin/join/")
    page.goto(link)
    expect(page.locator("h1")).to_have_text("Home")
    page.context.clear_cookies()
    page.goto(link)
    expect(page.locator("h1")).to_have_text("This link cannot be used")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_pages_about_a_shop_with_a_past_are_accessible_and_fit(
    office: ShopServer, device: MakeDevice, scheme: str, width: int
) -> None:
    orders = past.fill(office.data)
    page = device(color_scheme=scheme, viewport={"width": width, "height": 800}).page
    look, email = f"{scheme}-{width}", f"emails/access%3A{orders[past.STUCK]}"
    Authenticator.on(page)
    page.goto(a_link(office, "invite", "anna@example.com", "--role", "owner"))
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("h1")).to_have_text("Home")
    for details in page.locator("figure summary").all():
        details.click()
    look_at(page, "admin-home", look)
    for path in (
        "todo",
        "stripe",
        "stripe/cs_test_odd/dismiss",
        "emails",
        "emails?kind=access",
        email,
        f"{email}/send",
    ):
        page.goto(f"{office.url}/admin/{path}")
        look_at(page, f"admin-{re.split('[?%]', path)[0].replace('/', '-')}", look)


def test_the_tables_of_what_differs_at_stripe_have_their_columns_in_line(
    office: ShopServer, device: MakeDevice
) -> None:
    past.fill(office.data)
    with sqlite3.connect(office.data / "coatcheck.db") as database:
        database.execute("INSERT INTO payments_due VALUES ('pi_due', 1, 1830000000000000, 0)")
    one = device(viewport={"width": 1280, "height": 800})
    come_in(office, one)
    one.page.goto(f"{office.url}/admin/stripe")
    lefts = one.page.evaluate(
        """[...document.querySelectorAll("#theirs + div, #open + div")].map(table =>
          [...table.querySelectorAll("th[scope=col]")].slice(0, 3).map(th => th.offsetLeft))"""
    )
    assert len(lefts) == 2
    assert lefts[0] == lefts[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_its_pages_are_accessible_and_fit(
    office: ShopServer, device: MakeDevice, scheme: str, width: int
) -> None:
    page = device(color_scheme=scheme, viewport={"width": width, "height": 800}).page
    look = f"{scheme}-{width}"
    Authenticator.on(page)
    page.goto(a_link(office, "invite", "anna@example.com", "--role", "owner"))
    look_at(page, "admin-join", look)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("h1")).to_have_text("Home")
    for path in ("", "/staff", "/staff/invite", "/audit", "/exports", "/account", "/account/passkey"):
        page.goto(f"{office.url}/admin{path}")
        look_at(page, f"admin{path.replace('/', '-')}", look)
    page.goto(f"{office.url}/admin/staff")
    page.get_by_role("link", name="anna@example.com").click()
    look_at(page, "admin-member", look)
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    look_at(page, "admin-sign-in", look)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_a_file_of_another_shop_is_imported_in_a_browser(
    office: ShopServer, device: MakeDevice, scheme: str, width: int
) -> None:
    """Without a script of its own; every page on the way is accessible and fits."""
    one = device(color_scheme=scheme, viewport={"width": width, "height": 800})
    page, look = one.page, f"{scheme}-{width}"
    come_in(office, one)
    page.goto(f"{office.url}/admin/imports")
    look_at(page, "admin-imports-none", look)
    page.get_by_role("link", name="Upload a file").click()
    look_at(page, "admin-imports-new", look)
    page.get_by_label("The file").set_input_files(GUMROAD)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("h1")).to_have_text("gumroad.csv")
    look_at(page, "admin-import-columns", look)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="What would be imported")).to_be_visible()
    look_at(page, "admin-import-products", look)
    page.get_by_label("The Book").select_option(label="The Last Cloakroom")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("rowheader", name="ada@example.com")).to_have_count(2)
    look_at(page, "admin-import-checked", look)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="Result")).to_be_visible()
    expect(page.get_by_text("Nobody was emailed.")).to_be_visible()
    look_at(page, "admin-import-done", look)
    page.get_by_role("link", name="Back to imports").click()
    look_at(page, "admin-imports", look)


def test_a_page_of_work_under_way_follows_it_by_itself(office: ShopServer, device: MakeDevice) -> None:
    """A big file is still being checked when its page opens: the page counts on, and shows the result unasked."""
    one = device()
    page = one.page
    come_in(office, one)
    page.goto(f"{office.url}/admin/imports/new")
    page.get_by_label("The file").set_input_files(GUMROAD)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="What would be imported")).to_be_visible()
    looks = iter([0, 4, 9])

    def still_at(route: Route) -> None:
        answer, line = route.fetch(), next(looks, None)
        under_way = f'<main id="main"><p data-working>{line} of 13 lines so far</p>'
        body = (
            answer.text()
            if line is None
            else answer.text().replace('<main id="main" tabindex="-1">', under_way)
        )
        route.fulfill(response=answer, body=body)

    page.route(re.compile("/admin/imports/[0-9a-f]+$"), still_at)
    page.reload()
    for line in (0, 4, 9):
        expect(page.get_by_text(f"{line} of 13 lines so far")).to_be_visible()
    expect(page.get_by_text("lines so far")).to_have_count(0)
    expect(page.get_by_role("heading", name="What would be imported")).to_be_visible()
